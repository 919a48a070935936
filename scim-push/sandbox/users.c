/* The calls on /Users. */
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "scim-push/sandbox/page.h"
#include "scim-push/sandbox/scim.h"

#define CORE       "urn:ietf:params:scim:schemas:core:2.0:User"
#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

static struct user *user_of(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct user *user = directory_user(&scim->directory, request->query->id);

	if (user == NULL)
		answer_error(answer, 404, DETAIL_NOT_FOUND, request->now_ms);
	return user;
}

static void answer_user(const struct user *user, int status, struct answer *answer)
{
	answer->status = status;
	user_print(user, &answer->body);
}

void users_get(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	const struct user *user = user_of(scim, request, answer);

	if (user != NULL)
		answer_user(user, 200, answer);
}

void users_delete(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct user *user = user_of(scim, request, answer);

	if (user == NULL)
		return;
	directory_delete_user(&scim->directory, user);
	answer->status = 204;
}

/* -- creation and change ----------------------------------------------------------------------------------- */

/* Has another user than `self` (may be NULL) this userName or externalId? */
static bool is_duplicate(const struct scim *scim, const struct user *self, const cJSON *resource)
{
	const char *external = json_string(resource, "externalId");
	const char *name = json_string(resource, "userName");

	for (struct names_node *node = names_find(&scim->directory.users_by_name, name); node != NULL;
	     node = names_next(node))
		if (node->item != self && (!scim->dialect.exact_names || strcmp(node->key, name) == 0))
			return true;
	for (const struct user *user = scim->directory.first_user; external != NULL && user != NULL;
	     user = user->next) {
		const char *other = user_text(user, "externalId");

		if (user != self && other != NULL && strcmp(other, external) == 0)
			return true;
	}
	return false;
}

static bool has_core_schema(const cJSON *resource)
{
	const cJSON *schemas = cJSON_GetObjectItemCaseSensitive(resource, "schemas");

	for (const cJSON *schema = cJSON_GetArrayItem(schemas, 0); schema != NULL; schema = schema->next)
		if (cJSON_IsString(schema) && strcmp(schema->valuestring, CORE) == 0)
			return true;
	return false;
}

/* 400 or 409 in the answer, or true. */
static bool acceptable(const struct scim *scim, const struct user *self, const cJSON *resource,
		       int64_t now_ms, struct answer *answer)
{
	if (!user_attributes_valid(resource))
		answer_error(answer, 400, DETAIL_UNPARSABLE, now_ms);
	else if (is_duplicate(scim, self, resource))
		answer_error(answer, 409, DETAIL_DUPLICATE, now_ms);
	else
		return true;
	return false;
}

void users_create(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct user *user = NULL;
	cJSON *attributes;

	if (!has_core_schema(request->body)) {
		answer_error(answer, 400, DETAIL_UNPARSABLE, request->now_ms);
		return;
	}
	if (!acceptable(scim, NULL, request->body, request->now_ms, answer))
		return;
	attributes = user_attributes_copy(request->body);
	if (attributes != NULL)
		user = directory_add_user(&scim->directory, attributes, request->now_ms);
	if (user != NULL)
		answer_user(user, 201, answer);
	else
		cJSON_Delete(attributes);
}

void users_put(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct user *user = user_of(scim, request, answer);
	cJSON *attributes;

	if (user == NULL)
		return;
	if (!has_core_schema(request->body)) {
		answer_error(answer, 400, DETAIL_UNPARSABLE, request->now_ms);
		return;
	}
	if (!acceptable(scim, user, request->body, request->now_ms, answer))
		return;
	attributes = user_attributes_copy(request->body);
	if (attributes == NULL)
		return;
	directory_set_user(&scim->directory, user, attributes, request->now_ms);
	answer_user(user, 200, answer);
}

/* -- PATCH: attribute paths only, `a`, `a.b` or `URN:a` ---------------------------------------------------------- */

/* Sets (value) or removes (NULL) one member of an object. */
static bool set_member(cJSON *object, const char *name, const cJSON *value)
{
	cJSON *copy;

	cJSON_DeleteItemFromObjectCaseSensitive(object, name);
	if (value == NULL)
		return true;
	copy = cJSON_Duplicate(value, true);
	if (copy != NULL && cJSON_AddItemToObject(object, name, copy))
		return true;
	cJSON_Delete(copy);
	return false;
}

static bool set_path(cJSON *attributes, const char *path, const cJSON *value)
{
	static const size_t urn = sizeof(ENTERPRISE) - 1;
	bool extended = strncmp(path, ENTERPRISE ":", urn + 1) == 0;
	size_t len = extended ? urn : strcspn(path, ".");
	char owner[128];
	cJSON *object;

	if (!extended && path[len] == '\0')
		return set_member(attributes, path, value);
	if (len >= sizeof(owner))
		return false;
	(void)memcpy(owner, path, len);
	owner[len] = '\0';
	object = cJSON_GetObjectItemCaseSensitive(attributes, owner);
	if (object == NULL)
		object = cJSON_AddObjectToObject(attributes, owner);
	return cJSON_IsObject(object) && set_member(object, path + len + 1, value);
}

/* NULL, or the detail of the 400. */
static const char *apply_operation(cJSON *attributes, const cJSON *operation)
{
	const char *op = json_string(operation, "op"), *path = json_string(operation, "path");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(operation, "value");
	bool removes = op != NULL && strcasecmp(op, "remove") == 0;

	if (op == NULL || (!removes && strcasecmp(op, "add") != 0 && strcasecmp(op, "replace") != 0))
		return DETAIL_UNPARSABLE;
	if (path == NULL) {
		if (removes || !cJSON_IsObject(value) || cJSON_GetArraySize(value) != 1)
			return DETAIL_ONE_ATTRIBUTE;
		return set_path(attributes, value->child->string, value->child) ? NULL : DETAIL_UNPARSABLE;
	}
	if (removes != (value == NULL))
		return DETAIL_UNPARSABLE;
	return set_path(attributes, path, value) ? NULL : DETAIL_UNPARSABLE;
}

static const char *apply_operations(cJSON *attributes, const cJSON *body)
{
	const cJSON *operations = cJSON_GetObjectItemCaseSensitive(body, "Operations");

	if (!cJSON_IsArray(operations) || operations->child == NULL)
		return DETAIL_UNPARSABLE;
	for (const cJSON *operation = cJSON_GetArrayItem(operations, 0); operation != NULL;
	     operation = operation->next) {
		const char *detail = apply_operation(attributes, operation);

		if (detail != NULL)
			return detail;
	}
	return NULL;
}

void users_patch(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct user *user = user_of(scim, request, answer);
	cJSON *attributes, *kept = NULL;
	const char *detail;

	if (user == NULL)
		return;
	attributes = cJSON_Duplicate(user->attributes, true);
	if (attributes == NULL)
		return;
	detail = apply_operations(attributes, request->body);
	if (detail != NULL)
		answer_error(answer, 400, detail, request->now_ms);
	else if (acceptable(scim, user, attributes, request->now_ms, answer))
		kept = user_attributes_copy(attributes);
	cJSON_Delete(attributes);
	if (kept == NULL)
		return;
	directory_set_user(&scim->directory, user, kept, request->now_ms);
	answer_user(user, 200, answer);
}
