/*
 * Attribute paths in a PATCH of a user (RFC 7644 section 3.5.2): `a`, `a.b`, `URN:a`, `URN:a.b`, and
 * `a[sub eq "value"]` with or without `.sub`, which is made when it is not there, as servers for Entra do.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "scim-push/sandbox/filter.h"
#include "scim-push/sandbox/scim.h"

#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

/* Sets (value) or removes (NULL) one member of an object. */
static bool set_member(cJSON *object, const char *name, const cJSON *value)
{
	cJSON *copy;

	cJSON_DeleteItemFromObject(object, name);
	if (value == NULL)
		return true;
	copy = cJSON_Duplicate(value, true);
	if (copy != NULL && name[0] != '\0' && cJSON_AddItemToObject(object, name, copy))
		return true;
	cJSON_Delete(copy);
	return false;
}

/* The object of that name, made when it is not there; NULL when it is something else. */
static cJSON *object_of(cJSON *parent, const char *name, size_t len)
{
	char text[FILTER_NAME];
	cJSON *object;

	if (len >= sizeof(text))
		return NULL;
	(void)memcpy(text, name, len);
	text[len] = '\0';
	object = cJSON_GetObjectItem(parent, text);
	if (object == NULL)
		object = cJSON_AddObjectToObject(parent, text);
	return cJSON_IsObject(object) ? object : NULL;
}

/* `a` or `a.b` of this object. */
static bool set_plain(cJSON *object, const char *path, const cJSON *value)
{
	size_t len = strcspn(path, ".");

	if (path[len] == '\0')
		return set_member(object, path, value);
	object = object_of(object, path, len);
	return object != NULL && set_member(object, path + len + 1, value);
}

/* -- a[…] ------------------------------------------------------------------------------------------------------- */

/* A new element that has what the filter asks for. */
static cJSON *add_element(cJSON *array, const struct filter *filter)
{
	cJSON *element = cJSON_CreateObject();

	for (size_t i = 0; i < filter->count; i++)
		(void)cJSON_AddStringToObject(element, strchr(filter->terms[i].attribute, '.') + 1,
					      filter->terms[i].value);
	if (element == NULL || !cJSON_AddItemToArray(array, element)) {
		cJSON_Delete(element);
		return NULL;
	}
	return element;
}

static bool set_element(cJSON *array, const struct filter *filter, const char *sub, const cJSON *value)
{
	cJSON *element = array->child;

	while (element != NULL && !filter_matches_element(filter, element))
		element = element->next;
	if (element == NULL) {
		if (value == NULL)
			return true;
		element = add_element(array, filter);
	}
	if (element == NULL)
		return false;
	if (sub != NULL)
		return set_member(element, sub, value);
	if (value == NULL) {
		cJSON_Delete(cJSON_DetachItemViaPointer(array, element));
		return true;
	}
	for (const cJSON *child = value->child; cJSON_IsObject(value) && child != NULL; child = child->next)
		if (!set_member(element, child->string, child))
			return false;
	return cJSON_IsObject(value);
}

static bool set_filtered(cJSON *attributes, const char *path, const cJSON *value)
{
	const char *close = strrchr(path, ']');
	const char *sub = close != NULL && close[1] == '.' ? close + 2 : NULL;
	char name[FILTER_NAME], whole[1024];
	struct filter filter;
	cJSON *array;

	if (close == NULL || (sub == NULL && close[1] != '\0') || (sub != NULL && sub[0] == '\0') ||
	    (size_t)(close - path) + 2 > sizeof(whole))
		return false;
	(void)snprintf(whole, sizeof(whole), "%.*s", (int)(close - path + 1), path);
	if (filter_parse(whole, &filter, NULL) != ERR_OK || filter.terms[filter.count - 1].element != 1 ||
	    filter.terms[0].element != 1)
		return false;
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(path, "["), path);
	array = cJSON_GetObjectItem(attributes, name);
	if (array == NULL)
		array = cJSON_AddArrayToObject(attributes, name);
	return cJSON_IsArray(array) && set_element(array, &filter, sub, value);
}

bool user_set_path(cJSON *attributes, const char *path, const cJSON *value)
{
	static const size_t urn = sizeof(ENTERPRISE) - 1;

	if (strncasecmp(path, ENTERPRISE ":", urn + 1) == 0) {
		cJSON *extension = object_of(attributes, ENTERPRISE, urn);

		return extension != NULL && set_plain(extension, path + urn + 1, value);
	}
	if (strncasecmp(path, "urn:", 4) == 0)
		return strcmp(path, ENTERPRISE) == 0 && set_member(attributes, path, value);
	return strchr(path, '[') != NULL ? set_filtered(attributes, path, value)
					 : set_plain(attributes, path, value);
}
