/*
 * Which attributes AWS takes in a user resource, as one table: everything that is not in it is refused
 * (`groups`, `password`, `ims`, `photos`, `manager.displayName`, …). A plain server keeps what it gets.
 */
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "scim-push/sandbox/scim.h"
#include "scim-push/sandbox/text.h"

#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

enum kind {
	KIND_USER_NAME,
	KIND_EXTERNAL_ID,
	KIND_DISPLAY_NAME,
	KIND_TEXT,
	KIND_BOOL,
	KIND_OBJECT, /* its members are the rows with its name as owner */
	KIND_ONE,    /* an array of exactly one such object */
	KIND_IGNORED /* read-only: taken and not kept */
};

struct attribute {
	const char *owner; /* "" = top level */
	const char *name;
	enum kind kind;
};

static const struct attribute attributes[] = {
	{"", "schemas", KIND_IGNORED},
	{"", "id", KIND_IGNORED},
	{"", "meta", KIND_IGNORED},
	{"", "userName", KIND_USER_NAME},
	{"", "externalId", KIND_EXTERNAL_ID},
	{"", "displayName", KIND_DISPLAY_NAME},
	{"", "nickName", KIND_TEXT},
	{"", "profileUrl", KIND_TEXT},
	{"", "title", KIND_TEXT},
	{"", "userType", KIND_TEXT},
	{"", "preferredLanguage", KIND_TEXT},
	{"", "locale", KIND_TEXT},
	{"", "timezone", KIND_TEXT},
	{"", "active", KIND_BOOL},
	{"", "name", KIND_OBJECT},
	{"", "emails", KIND_ONE},
	{"", "phoneNumbers", KIND_ONE},
	{"", "addresses", KIND_ONE},
	{"", "roles", KIND_ONE},
	{"", ENTERPRISE, KIND_OBJECT},
	{"name", "formatted", KIND_TEXT},
	{"name", "familyName", KIND_TEXT},
	{"name", "givenName", KIND_TEXT},
	{"name", "middleName", KIND_TEXT},
	{"name", "honorificPrefix", KIND_TEXT},
	{"name", "honorificSuffix", KIND_TEXT},
	{"emails", "value", KIND_TEXT},
	{"emails", "type", KIND_TEXT},
	{"emails", "primary", KIND_BOOL},
	{"phoneNumbers", "value", KIND_TEXT},
	{"phoneNumbers", "type", KIND_TEXT},
	{"phoneNumbers", "primary", KIND_BOOL},
	{"addresses", "formatted", KIND_TEXT},
	{"addresses", "streetAddress", KIND_TEXT},
	{"addresses", "locality", KIND_TEXT},
	{"addresses", "region", KIND_TEXT},
	{"addresses", "postalCode", KIND_TEXT},
	{"addresses", "country", KIND_TEXT},
	{"addresses", "type", KIND_TEXT},
	{"addresses", "primary", KIND_BOOL},
	{"roles", "value", KIND_TEXT},
	{"roles", "type", KIND_TEXT},
	{"roles", "primary", KIND_BOOL},
	{ENTERPRISE, "employeeNumber", KIND_TEXT},
	{ENTERPRISE, "costCenter", KIND_TEXT},
	{ENTERPRISE, "organization", KIND_TEXT},
	{ENTERPRISE, "division", KIND_TEXT},
	{ENTERPRISE, "department", KIND_TEXT},
	{ENTERPRISE, "manager", KIND_OBJECT},
	{"manager", "value", KIND_TEXT},
	{"manager", "$ref", KIND_TEXT},
};

static bool object_valid(const char *owner, const cJSON *object);

static bool text_valid(enum text_kind kind, const cJSON *value)
{
	return cJSON_IsString(value) && text_allowed(kind, value->valuestring);
}

/* The table's owners nest at most three deep, whatever the resource does. */
static bool value_valid(const struct attribute *attribute, const cJSON *value)
{
	switch (attribute->kind) {
	case KIND_USER_NAME:
		return text_valid(TEXT_USER_NAME, value);
	case KIND_EXTERNAL_ID:
		return text_valid(TEXT_EXTERNAL_ID, value);
	case KIND_DISPLAY_NAME:
		return text_valid(TEXT_DISPLAY_NAME, value);
	case KIND_TEXT:
		return text_valid(TEXT_OTHER, value);
	case KIND_BOOL:
		return cJSON_IsBool(value);
	case KIND_OBJECT:
		return cJSON_IsObject(value) && object_valid(attribute->name, value);
	case KIND_ONE:
		return cJSON_IsArray(value) && cJSON_GetArraySize(value) == 1 &&
		       cJSON_IsObject(value->child) && object_valid(attribute->name, value->child);
	case KIND_IGNORED:
		break;
	}
	return true;
}

static const struct attribute *attribute_of(const char *owner, const char *name)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (strcmp(attributes[i].owner, owner) == 0 && strcmp(attributes[i].name, name) == 0)
			return &attributes[i];
	return NULL;
}

static bool object_valid(const char *owner, const cJSON *object)
{
	for (const cJSON *value = object->child; value != NULL; value = value->next) {
		const struct attribute *attribute = attribute_of(owner, value->string);

		if (attribute == NULL || !value_valid(attribute, value))
			return false;
	}
	return true;
}

static bool keeps_aws_rules(const cJSON *resource)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(resource, "name");
	const cJSON *emails = cJSON_GetObjectItemCaseSensitive(resource, "emails");

	if (!object_valid("", resource) || json_string(resource, "displayName") == NULL ||
	    json_string(name, "givenName") == NULL || json_string(name, "familyName") == NULL)
		return false;
	return emails == NULL || cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(emails->child, "primary"));
}

/* `externalId` is a text or absent in every dialect: it is in an index. */
bool user_attributes_valid(const struct scim *scim, const cJSON *resource)
{
	const char *name = json_string(resource, "userName"), *external = json_string(resource, "externalId");

	if (name == NULL || name[0] == '\0' ||
	    (cJSON_HasObjectItem(resource, "externalId") && external == NULL))
		return false;
	if (scim->dialect.value[B_CHARACTERS] == RULES_AWS &&
	    (!text_allowed(TEXT_USER_NAME, name) ||
	     (external != NULL && !text_allowed(TEXT_EXTERNAL_ID, external))))
		return false;
	return scim->dialect.value[B_USER_RULES] != RULES_AWS || keeps_aws_rules(resource);
}

bool user_attribute_known(const char *name)
{
	size_t len = strcspn(name, ".");

	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (attributes[i].owner[0] == '\0' && strlen(attributes[i].name) == len &&
		    strncasecmp(attributes[i].name, name, len) == 0)
			return true;
	return false;
}

cJSON *user_attributes_copy(const cJSON *resource)
{
	cJSON *copy = cJSON_Duplicate(resource, true);

	for (size_t i = 0; copy != NULL && i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (attributes[i].kind == KIND_IGNORED)
			cJSON_DeleteItemFromObjectCaseSensitive(copy, attributes[i].name);
	return copy;
}

/* Of one user, in the dialects that show them; in no order. */
static void print_groups(const struct scim *scim, const struct user *user, int64_t now_ms, struct buf *out)
{
	const char *before = ",\"groups\":[";

	for (const struct membership *membership = user->memberships; membership != NULL;
	     membership = membership->next_of_user) {
		if (directory_shows(&scim->directory, membership, now_ms) == 0)
			continue;
		buf_addf(out, "%s{\"value\":", before);
		json_add_string(out, membership->group->id);
		buf_adds(out, ",\"display\":");
		json_add_string(out, membership->group->display_name);
		buf_adds(out, "}");
		before = ",";
	}
	buf_adds(out, before[0] == ',' && before[1] == '\0' ? "]" : ",\"groups\":[]");
}

void user_print(const struct scim *scim, const struct user *user, const struct scim_request *request,
		struct buf *out)
{
	struct scim_head head = {"User", user->id, user->created_ms, user->modified_ms};

	scim_print_head(scim, request, &head, out);
	buf_adds(out, "\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"");
	if (cJSON_GetObjectItemCaseSensitive(user->attributes, ENTERPRISE) != NULL)
		buf_adds(out, ",\"" ENTERPRISE "\"");
	buf_adds(out, "]");
	for (const cJSON *value = user->attributes->child; value != NULL; value = value->next) {
		buf_adds(out, ",");
		json_add_string(out, value->string);
		buf_adds(out, ":");
		json_add_value(out, value);
	}
	if (request->query->id[0] != '\0' && scim->dialect.value[B_USER_GROUPS] == 0)
		print_groups(scim, user, request->now_ms, out);
	buf_adds(out, "}");
}
