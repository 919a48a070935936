/*
 * PATCH /Groups/ID: all operations are checked in their order before the first is applied (RFC 7644 section
 * 3.5.2: a PATCH is atomic).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "scim-push/sandbox/scim.h"
#include "scim-push/sandbox/text.h"

struct change {
	struct user *user;
	bool add;
};

struct patch {
	struct scim *scim;
	struct group *group;
	size_t count;
	struct change changes[MEMBER_CHANGES_MAX];
	size_t named;             /* members named by the request, repeated ones counted */
	const char *display_name; /* borrowed from the body or the group */
	const char *external_id;  /* the same; NULL = none */
	int status;               /* 0, or that of the error */
	const char *detail;
};

static bool refuse(struct patch *patch, int status, const char *detail)
{
	patch->status = status;
	patch->detail = detail;
	return false;
}

static bool unparsable(struct patch *patch)
{
	return refuse(patch, 400, DETAIL_UNPARSABLE);
}

/* Is the user a member after the changes so far? `changed`: is there one for them already? */
static bool would_be_member(const struct patch *patch, const struct user *user, bool *changed)
{
	for (size_t i = patch->count; i > 0; i--) {
		if (patch->changes[i - 1].user == user) {
			*changed = true;
			return patch->changes[i - 1].add;
		}
	}
	*changed = false;
	return directory_is_member(patch->group, user);
}

static bool change_member(struct patch *patch, const char *id, bool add)
{
	struct user *user = directory_user(&patch->scim->directory, id);
	const struct dialect *dialect = &patch->scim->dialect;
	bool changed = false, member = user != NULL && would_be_member(patch, user, &changed);

	if (!changed || dialect->repeats_count)
		patch->named++;
	if (patch->named > MEMBER_CHANGES_MAX)
		return unparsable(patch);
	if (add && user == NULL)
		return refuse(patch, dialect->unknown_member, DETAIL_NOT_FOUND);
	if (!add && !member && dialect->absent_member != 204)
		return refuse(patch, dialect->absent_member, DETAIL_NOT_FOUND);
	if (add == member)
		return true;
	if (patch->count == MEMBER_CHANGES_MAX)
		return unparsable(patch);
	patch->changes[patch->count++] = (struct change){.user = user, .add = add};
	return true;
}

static bool change_members(struct patch *patch, const cJSON *list, bool add)
{
	if (!cJSON_IsArray(list) || list->child == NULL)
		return unparsable(patch);
	for (const cJSON *member = cJSON_GetArrayItem(list, 0); member != NULL; member = member->next) {
		const char *id = json_string(member, "value"), *type = json_string(member, "type");

		if (id == NULL || (type != NULL && strcmp(type, "User") != 0))
			return unparsable(patch);
		if (!change_member(patch, id, add))
			return false;
	}
	return true;
}

/* The RFC's form of a removal: members[value eq "ID"]. */
static bool remove_by_filter(struct patch *patch, const char *path)
{
	size_t start = strlen("members["), len = strlen(path);
	char text[512];
	struct filter filter;

	if (!patch->scim->dialect.filter_remove || path[len - 1] != ']' || len - start > sizeof(text))
		return unparsable(patch);
	(void)memcpy(text, path + start, len - start - 1);
	text[len - start - 1] = '\0';
	if (filter_parse(text, &filter, NULL) != ERR_OK || filter.count != 1 ||
	    strcmp(filter.terms[0].attribute, "value") != 0)
		return unparsable(patch);
	return change_member(patch, filter.terms[0].value, false);
}

enum op { OP_ADD, OP_REMOVE, OP_REPLACE };

static bool read_op(const cJSON *operation, enum op *out)
{
	static const char *const names[] = {
		[OP_ADD] = "add", [OP_REMOVE] = "remove", [OP_REPLACE] = "replace"};
	const char *op = json_string(operation, "op");

	for (size_t i = 0; op != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(op, names[i]) == 0) {
			*out = (enum op)i;
			return true;
		}
	}
	return false;
}

static bool set_text(struct patch *patch, enum text_kind kind, const cJSON *value, const char **out)
{
	if (!cJSON_IsString(value) || !text_allowed(kind, value->valuestring))
		return unparsable(patch);
	*out = value->valuestring;
	return true;
}

static bool apply_to(struct patch *patch, enum op op, const char *path, const cJSON *value)
{
	if (strcmp(path, "members") == 0)
		return op == OP_REPLACE ? refuse(patch, 400, DETAIL_REPLACE_MEMBERS)
					: change_members(patch, value, op == OP_ADD);
	if (strncmp(path, "members[", strlen("members[")) == 0 && op == OP_REMOVE)
		return remove_by_filter(patch, path);
	if (strcmp(path, "displayName") == 0 && op != OP_REMOVE)
		return set_text(patch, TEXT_DISPLAY_NAME, value, &patch->display_name);
	if (strcmp(path, "externalId") == 0 && op != OP_REMOVE)
		return set_text(patch, TEXT_EXTERNAL_ID, value, &patch->external_id);
	if (strcmp(path, "externalId") == 0) {
		patch->external_id = NULL;
		return true;
	}
	return unparsable(patch);
}

/* {"op":"replace","value":{"id":"…","displayName":"…"}}: one attribute beside an id. */
static bool apply_without_path(struct patch *patch, enum op op, const cJSON *value)
{
	const cJSON *only = NULL;

	if (op == OP_REMOVE || !cJSON_IsObject(value))
		return refuse(patch, 400, DETAIL_ONE_ATTRIBUTE);
	for (const cJSON *child = value->child; child != NULL; child = child->next) {
		if (strcmp(child->string, "id") == 0)
			continue;
		if (only != NULL)
			return refuse(patch, 400, DETAIL_ONE_ATTRIBUTE);
		only = child;
	}
	return only != NULL ? apply_to(patch, op, only->string, only) : unparsable(patch);
}

static bool check_operation(struct patch *patch, const cJSON *operation)
{
	const cJSON *path = cJSON_GetObjectItemCaseSensitive(operation, "path");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(operation, "value");
	enum op op;

	if (!read_op(operation, &op) || (path != NULL && !cJSON_IsString(path)))
		return unparsable(patch);
	return path == NULL ? apply_without_path(patch, op, value)
			    : apply_to(patch, op, path->valuestring, value);
}

static bool check_body(struct patch *patch, const cJSON *body)
{
	const cJSON *schemas = cJSON_GetObjectItemCaseSensitive(body, "schemas");
	const cJSON *operations = cJSON_GetObjectItemCaseSensitive(body, "Operations");

	if (cJSON_GetArraySize(schemas) != 1 || !cJSON_IsString(schemas->child) ||
	    strcmp(schemas->child->valuestring, "urn:ietf:params:scim:api:messages:2.0:PatchOp") != 0 ||
	    cJSON_GetArraySize(body) != 2 || !cJSON_IsArray(operations) || operations->child == NULL)
		return unparsable(patch);
	for (const cJSON *operation = cJSON_GetArrayItem(operations, 0); operation != NULL;
	     operation = operation->next)
		if (!check_operation(patch, operation))
			return false;
	if (group_is_duplicate(patch->scim, patch->group, patch->display_name, patch->external_id))
		return refuse(patch, 409, DETAIL_DUPLICATE);
	return true;
}

static enum err apply(struct patch *patch, int64_t now_ms)
{
	struct directory *dir = &patch->scim->directory;
	struct group *group = patch->group;

	if (directory_reserve(dir, patch->count) != ERR_OK)
		return ERR_NOMEM;
	if ((patch->display_name != group->display_name || patch->external_id != group->external_id) &&
	    directory_set_group(dir, group, patch->display_name, patch->external_id) != ERR_OK)
		return ERR_NOMEM;
	for (size_t i = 0; i < patch->count; i++) {
		if (patch->changes[i].add)
			directory_join(dir, group, patch->changes[i].user, now_ms);
		else
			directory_leave(dir, group, patch->changes[i].user, now_ms);
	}
	group->modified_ms = now_ms;
	return ERR_OK;
}

void groups_patch(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct group *group = group_of(scim, request, answer);
	struct patch patch = {.scim = scim, .group = group};

	if (group == NULL)
		return;
	patch.display_name = group->display_name;
	patch.external_id = group->external_id;
	if (!check_body(&patch, request->body))
		answer_error(answer, patch.status, patch.detail, request->now_ms);
	else if (apply(&patch, request->now_ms) == ERR_OK)
		answer->status = 204;
}
