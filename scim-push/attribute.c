/* Paths are taken apart once; everything else walks at most three levels down. */
#include "scim-push/attribute.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"

/* RFC 7643, 2.1: a letter, then letters, digits, '-' and '_'; also "$ref". */
static size_t name_length(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
	bool letter = (text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z');

	return letter && len < ATTRIBUTE_NAME_SIZE ? len : 0;
}

static bool take_name(const char **at, char out[ATTRIBUTE_NAME_SIZE])
{
	size_t len = name_length(*at);

	memcpy(out, *at, len);
	out[len] = '\0';
	*at += len;
	return len > 0;
}

/* [type eq "work"] */
static bool take_type(const char **at, char out[ATTRIBUTE_NAME_SIZE])
{
	static const char before[] = "[type eq \"";

	if (strncmp(*at, before, sizeof(before) - 1) != 0)
		return false;
	*at += sizeof(before) - 1;
	if (!take_name(at, out) || strncmp(*at, "\"]", 2) != 0)
		return false;
	*at += 2;
	return true;
}

/* urn:…:User: — what comes before the last colon that is not part of a type. */
static bool take_schema(const char **at, char out[ATTRIBUTE_SIZE])
{
	size_t len = 0;

	if (strncasecmp(*at, "urn:", 4) != 0)
		return true;
	for (size_t i = 0; (*at)[i] != '\0' && (*at)[i] != '['; i++)
		if ((*at)[i] == ':')
			len = i;
	memcpy(out, *at, len);
	out[len] = '\0';
	*at += len + 1;
	return true;
}

bool attribute_parse(const char *text, struct attribute *out)
{
	struct attribute attribute = {.path = ""};
	const char *at = text;

	if (strlen(text) >= sizeof(attribute.path) || !take_schema(&at, attribute.schema) ||
	    !take_name(&at, attribute.name))
		return false;
	if (*at == '[' && (!take_type(&at, attribute.type) || *at != '.'))
		return false;
	if (*at == '.') {
		at++;
		if (!take_name(&at, attribute.sub))
			return false;
	}
	if (*at != '\0')
		return false;
	memcpy(attribute.path, text, strlen(text) + 1);
	*out = attribute;
	return true;
}

/* An answer in which two names differ in case alone was refused when it was read (json.h). */
const cJSON *attribute_member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItem(object, name);
}

const char *attribute_member_text(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(attribute_member(object, name));
}

/* Is this element of a multi-valued attribute of the type that is meant? */
static bool is_of_type(const cJSON *element, const struct attribute *attribute)
{
	const char *type;

	if (attribute->type[0] == '\0')
		return true;
	type = attribute_member_text(element, "type");
	return type != NULL && strcasecmp(type, attribute->type) == 0;
}

static const cJSON *below(const cJSON *value, const struct attribute *attribute)
{
	if (attribute->sub[0] == '\0')
		return value;
	return attribute_member(value, attribute->sub);
}

static bool is_plain(const cJSON *value)
{
	return cJSON_IsString(value) || cJSON_IsBool(value);
}

/* The attribute itself, before its type and its sub-attribute. */
static const cJSON *top(const cJSON *resource, const struct attribute *attribute)
{
	if (attribute->schema[0] != '\0')
		resource = attribute_member(resource, attribute->schema);
	return attribute_member(resource, attribute->name);
}

const cJSON *attribute_value(const cJSON *resource, const struct attribute *attribute)
{
	const cJSON *value = top(resource, attribute);

	if (!cJSON_IsArray(value)) {
		value = attribute->type[0] == '\0' ? below(value, attribute) : NULL;
		return is_plain(value) ? value : NULL;
	}
	for (const cJSON *element = value->child; element != NULL; element = element->next) {
		const cJSON *found = is_of_type(element, attribute) ? below(element, attribute) : NULL;
		if (is_plain(found))
			return found;
	}
	return NULL;
}

static const char *plain_text(const cJSON *value)
{
	if (cJSON_IsBool(value))
		return cJSON_IsTrue(value) ? "true" : "false";
	return cJSON_GetStringValue(value);
}

const char *attribute_text(const cJSON *resource, const struct attribute *attribute)
{
	return plain_text(attribute_value(resource, attribute));
}

bool attribute_same(const struct attribute *attribute, const char *a, const char *b)
{
	bool folds = strcmp(attribute->name, "userName") == 0 || strcmp(attribute->name, "emails") == 0;

	return folds ? strcasecmp(a, b) == 0 : strcmp(a, b) == 0;
}

bool attribute_is(const cJSON *resource, const struct attribute *attribute, const char *value)
{
	const cJSON *list = top(resource, attribute);
	const char *text;

	if (!cJSON_IsArray(list)) {
		text = attribute_text(resource, attribute);
		return text != NULL && attribute_same(attribute, text, value);
	}
	for (const cJSON *element = list->child; element != NULL; element = element->next) {
		text = is_of_type(element, attribute) ? plain_text(below(element, attribute)) : NULL;
		if (text != NULL && attribute_same(attribute, text, value))
			return true;
	}
	return false;
}

bool attribute_is_boolean(const struct attribute *attribute)
{
	return strcmp(attribute->name, "active") == 0 || strcmp(attribute->sub, "primary") == 0;
}

/* The member of that name, made as a container where there is none. */
static cJSON *enter(cJSON *object, const char *name, bool array)
{
	cJSON *inner = cJSON_GetObjectItemCaseSensitive(object, name);

	if (inner != NULL)
		return inner;
	inner = array ? cJSON_CreateArray() : cJSON_CreateObject();
	if (inner == NULL || !cJSON_AddItemToObject(object, name, inner)) {
		cJSON_Delete(inner);
		return NULL;
	}
	return inner;
}

static bool put(cJSON *object, const char *name, const struct attribute *attribute, const char *value)
{
	cJSON *item = attribute_is_boolean(attribute) ? cJSON_CreateBool(strcmp(value, "true") == 0)
						      : cJSON_CreateString(value);

	cJSON_DeleteItemFromObjectCaseSensitive(object, name);
	if (item == NULL || !cJSON_AddItemToObject(object, name, item)) {
		cJSON_Delete(item);
		return false;
	}
	return true;
}

/* The first element of a list is the primary one: AWS demands it of the only one. */
static bool set_in_list(cJSON *list, const struct attribute *attribute, const char *value)
{
	cJSON *element = NULL;

	for (element = list->child; element != NULL; element = element->next)
		if (is_of_type(element, attribute))
			return put(element, attribute->sub, attribute, value);
	element = cJSON_CreateObject();
	if (element == NULL || !cJSON_AddItemToArray(list, element)) {
		cJSON_Delete(element);
		return false;
	}
	return put(element, attribute->sub, attribute, value) &&
	       cJSON_AddStringToObject(element, "type", attribute->type) != NULL &&
	       (list->child != element || cJSON_AddTrueToObject(element, "primary") != NULL);
}

bool attribute_set(cJSON *resource, const struct attribute *attribute, const char *value)
{
	if (attribute->schema[0] != '\0')
		resource = enter(resource, attribute->schema, false);
	if (resource == NULL)
		return false;
	if (attribute->type[0] != '\0') {
		cJSON *list = enter(resource, attribute->name, true);
		return list != NULL && set_in_list(list, attribute, value);
	}
	if (attribute->sub[0] != '\0') {
		resource = enter(resource, attribute->name, false);
		return resource != NULL && put(resource, attribute->sub, attribute, value);
	}
	return put(resource, attribute->name, attribute, value);
}

void attribute_filter(struct buf *out, const struct attribute *attribute, const char *value)
{
	if (attribute->schema[0] != '\0')
		buf_addf(out, "%s:", attribute->schema);
	buf_adds(out, attribute->name);
	if (attribute->type[0] != '\0')
		buf_addf(out, "[type eq \"%s\" and %s eq ", attribute->type, attribute->sub);
	else
		buf_addf(out, "%s%s eq ", attribute->sub[0] == '\0' ? "" : ".", attribute->sub);
	json_add_string(out, value); /* a JSON string: RFC 7644, 3.4.2.2 */
	if (attribute->type[0] != '\0')
		buf_adds(out, "]");
}
