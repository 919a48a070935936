/* The calls on /Users. */
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "scim-push/sandbox/scim.h"

#define CORE "urn:ietf:params:scim:schemas:core:2.0:User"

static struct user *user_of(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct user *user = directory_user(&scim->directory, request->query->id);

	if (user != NULL && user->visible_ms <= request->now_ms)
		return user;
	answer_error(answer, 404, PROBLEM_NOT_FOUND, request->now_ms);
	return NULL;
}

static void answer_user(const struct scim *scim, const struct user *user, const struct scim_request *request,
			struct answer *answer)
{
	struct scim_head head = {.type = "User", .id = user->id};

	if (answer->status == 201)
		scim_set_location(scim, request, &head, answer);
	user_print(scim, user, request, &answer->body);
}

void users_get(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	const struct user *user = user_of(scim, request, answer);

	if (user == NULL)
		return;
	answer->status = 200;
	answer_user(scim, user, request, answer);
}

void users_delete(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct user *user = user_of(scim, request, answer);

	if (user != NULL) {
		directory_delete_user(&scim->directory, user, scim->dialect.value[B_DANGLING] != 0);
		answer->status = 204;
	} else if (scim->dialect.value[B_DELETE_AGAIN] != 0) {
		answer_error(answer, dialect_status(&scim->dialect, B_DELETE_AGAIN), PROBLEM_INTERNAL,
			     request->now_ms);
	}
	if (answer->status == 204)
		buf_clear(&answer->body);
}

/* -- creation and change ----------------------------------------------------------------------------------- */

/* Has another user than `self` (may be NULL) this userName or externalId? */
static bool is_duplicate(const struct scim *scim, const struct user *self, const cJSON *resource)
{
	const struct directory *dir = &scim->directory;
	const char *external = json_string(resource, "externalId");
	const char *name = json_string(resource, "userName");
	bool exact = scim->dialect.value[B_NAMES] != 0;

	return names_have_other(&dir->users_by_name, name, exact, self) ||
	       (external != NULL && names_have_other(&dir->users_by_external_id, external, true, self));
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
	if (!user_attributes_valid(scim, resource))
		answer_error(answer, 400, PROBLEM_VALUE, now_ms);
	else if (is_duplicate(scim, self, resource))
		answer_error(answer, 409, PROBLEM_DUPLICATE, now_ms);
	else
		return true;
	return false;
}

void users_create(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct directory *dir = &scim->directory;
	struct user *user = NULL;
	cJSON *attributes;

	if (!has_core_schema(request->body)) {
		answer_error(answer, 400, PROBLEM_SYNTAX, request->now_ms);
		return;
	}
	if (!acceptable(scim, NULL, request->body, request->now_ms, answer))
		return;
	if (dialect_exceeds(&scim->dialect, B_MAX_USERS, dir->users.count + 1)) {
		answer_error(answer, 400, PROBLEM_QUOTA, request->now_ms);
		return;
	}
	attributes = user_attributes_copy(request->body);
	if (attributes != NULL)
		user = directory_add_user(dir, attributes, request->now_ms);
	if (user == NULL) {
		cJSON_Delete(attributes);
		return;
	}
	answer->status = 201;
	answer_user(scim, user, request, answer);
}

/* Takes the new attributes; NULL is out of memory. */
static void change_user(struct scim *scim, struct user *user, cJSON *attributes,
			const struct scim_request *request, struct answer *answer)
{
	if (attributes == NULL)
		return;
	directory_set_user(&scim->directory, user, attributes, request->now_ms);
	answer->status = 200;
	answer_user(scim, user, request, answer);
}

void users_put(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct user *user = user_of(scim, request, answer);

	if (user == NULL)
		return;
	if (!has_core_schema(request->body))
		answer_error(answer, 400, PROBLEM_SYNTAX, request->now_ms);
	else if (acceptable(scim, user, request->body, request->now_ms, answer))
		change_user(scim, user, user_attributes_copy(request->body), request, answer);
}

/* -- PATCH --------------------------------------------------------------------------------------------------------- */

/* The attributes of a value without a path. False: one of them does not fit. */
static bool set_all(cJSON *attributes, const cJSON *value)
{
	for (const cJSON *child = value->child; child != NULL; child = child->next)
		if (strcmp(child->string, "id") != 0 && !user_set_path(attributes, child->string, child))
			return false;
	return true;
}

/* PROBLEM_COUNT, or what is wrong. */
static enum problem apply_operation(const struct scim *scim, cJSON *attributes, const cJSON *operation)
{
	const char *op = json_string(operation, "op"), *path = json_string(operation, "path");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(operation, "value");
	bool removes = op != NULL && strcasecmp(op, "remove") == 0;
	bool one = scim->dialect.value[B_PATHLESS_MANY] != DOES_APPLY;

	if (op == NULL || (!removes && strcasecmp(op, "add") != 0 && strcasecmp(op, "replace") != 0))
		return PROBLEM_SYNTAX;
	if (path == NULL) {
		if (removes || !cJSON_IsObject(value) || (one && cJSON_GetArraySize(value) != 1))
			return PROBLEM_ONE_ATTRIBUTE;
		return set_all(attributes, value) ? PROBLEM_COUNT : PROBLEM_PATH;
	}
	if (removes != (value == NULL))
		return PROBLEM_VALUE;
	return user_set_path(attributes, path, value) ? PROBLEM_COUNT : PROBLEM_PATH;
}

static enum problem apply_operations(const struct scim *scim, cJSON *attributes, const cJSON *body)
{
	const cJSON *operations = cJSON_GetObjectItemCaseSensitive(body, "Operations");

	if (!cJSON_IsArray(operations) || operations->child == NULL)
		return PROBLEM_SYNTAX;
	for (const cJSON *operation = operations->child; operation != NULL; operation = operation->next) {
		enum problem problem = apply_operation(scim, attributes, operation);

		if (problem != PROBLEM_COUNT)
			return problem;
	}
	return PROBLEM_COUNT;
}

void users_patch(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct user *user = user_of(scim, request, answer);
	cJSON *attributes;
	enum problem problem;

	if (user == NULL)
		return;
	attributes = cJSON_Duplicate(user->attributes, true);
	if (attributes == NULL)
		return;
	problem = apply_operations(scim, attributes, request->body);
	if (problem != PROBLEM_COUNT)
		answer_error(answer, 400, problem, request->now_ms);
	else if (acceptable(scim, user, attributes, request->now_ms, answer))
		change_user(scim, user, user_attributes_copy(attributes), request, answer);
	cJSON_Delete(attributes);
}
