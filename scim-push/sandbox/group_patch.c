/*
 * PATCH /Groups/ID: all operations are checked in their order before the first is applied (RFC 7644 section
 * 3.5.2: a PATCH is atomic). What each form of an operation does is the dialect's.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "scim-push/sandbox/patch_read.h"
#include "scim-push/sandbox/scim.h"
#include "scim-push/sandbox/text.h"

struct change {
	struct user *user;
	bool add;
	bool again; /* somebody who is a member gets a second entry */
};

struct patch {
	struct scim *scim;
	struct group *group;
	int64_t now_ms;
	uint64_t mark; /* users with this mark are as user->mark_member says, all others as they are */
	size_t count, room;
	struct change *changes; /* owned */
	size_t named;           /* members named by the request, repeated ones as the dialect counts */
	size_t members;         /* of the group after the changes so far */
	char *display_name;     /* owned; NULL = as it is */
	char *external_id;      /* owned */
	bool sets_external_id;
	int status; /* 0, or that of the error */
	enum problem problem;
};

static bool refuse(struct patch *patch, int status, enum problem problem)
{
	patch->status = status;
	patch->problem = problem;
	return false;
}

static int64_t behaviour(const struct patch *patch, enum behaviour which)
{
	return patch->scim->dialect.value[which];
}

/* -- single members ---------------------------------------------------------------------------------------------- */

/* Is the user a member after the changes so far? */
static bool would_be_member(const struct patch *patch, const struct user *user)
{
	return user->mark == patch->mark ? user->mark_member : directory_is_member(patch->group, user);
}

static bool add_change(struct patch *patch, struct user *user, bool add, bool again)
{
	if (patch->count == patch->room) {
		size_t room = patch->room > 0 ? patch->room * 2 : 128;
		struct change *longer = realloc(patch->changes, room * sizeof(*longer));

		if (longer == NULL)
			return refuse(patch, 500, PROBLEM_INTERNAL);
		patch->changes = longer;
		patch->room = room;
	}
	if (!again && add)
		patch->members++;
	if (!add)
		patch->members--;
	user->pins++;
	user->mark = patch->mark;
	user->mark_member = add;
	patch->changes[patch->count++] = (struct change){.user = user, .add = add, .again = again};
	return true;
}

static bool add_member(struct patch *patch, struct user *user)
{
	if (!would_be_member(patch, user)) {
		if (dialect_exceeds(&patch->scim->dialect, B_MAX_MEMBERS, patch->members + 1))
			return refuse(patch, 413, PROBLEM_TOO_MANY);
		return add_change(patch, user, true, false);
	}
	switch ((enum re_add)behaviour(patch, B_RE_ADD)) {
	case RE_ADD_ONCE:
		break;
	case RE_ADD_TWICE:
		return add_change(patch, user, true, true);
	case RE_ADD_CONFLICT:
		return refuse(patch, 409, PROBLEM_DUPLICATE);
	}
	return true;
}

/* An id that belongs to nobody. */
static bool add_unknown(struct patch *patch, const char *id)
{
	struct user *ghost;

	switch ((enum unknown_member)behaviour(patch, B_UNKNOWN_MEMBER)) {
	case UNKNOWN_400:
	case UNKNOWN_404:
	case UNKNOWN_500:
		return refuse(patch, dialect_status(&patch->scim->dialect, B_UNKNOWN_MEMBER),
			      PROBLEM_NO_USER);
	case UNKNOWN_STORED:
		ghost = directory_ghost(&patch->scim->directory, id);
		if (ghost == NULL)
			return refuse(patch, 400, PROBLEM_VALUE);
		if (add_member(patch, ghost))
			return true;
		directory_drop_ghost(&patch->scim->directory, ghost);
		return false;
	case UNKNOWN_SKIPPED:
		break;
	}
	return true;
}

static bool remove_member(struct patch *patch, struct user *user, bool by_value)
{
	int64_t absent = behaviour(patch, B_REMOVE_ABSENT);

	if (user != NULL && would_be_member(patch, user))
		return add_change(patch, user, false, false);
	if (absent == ABSENT_204 || (absent == ABSENT_EMPTY_400 && !(by_value && patch->members == 0)))
		return true;
	return refuse(patch, dialect_status(&patch->scim->dialect, B_REMOVE_ABSENT), PROBLEM_NO_MEMBER);
}

/* Counts one more named member towards the limit. */
static bool count_member(struct patch *patch, const struct user *user)
{
	bool repeated = user != NULL && user->mark == patch->mark;

	if (!repeated || behaviour(patch, B_COUNT_REPEATS) != 0)
		patch->named++;
	return !dialect_exceeds(&patch->scim->dialect, B_MAX_CHANGES, patch->named) ||
	       refuse(patch, 400, PROBLEM_TOO_MANY);
}

static struct user *member_of(const struct patch *patch, const char *id)
{
	struct user *user = scim_member(patch->scim, id, patch->now_ms);

	return user != NULL ? user : directory_find_ghost(&patch->scim->directory, id);
}

static bool change_member(struct patch *patch, const char *id, bool add, bool by_value)
{
	struct user *user = member_of(patch, id);

	if (!count_member(patch, user))
		return false;
	if (!add)
		return remove_member(patch, user, by_value);
	return user != NULL ? add_member(patch, user) : add_unknown(patch, id);
}

/* -- lists of members ---------------------------------------------------------------------------------------------- */

static bool change_members(struct patch *patch, const cJSON *members, bool add)
{
	for (const cJSON *member = members; member != NULL; member = member->next) {
		const char *id = json_string(member, "value"), *type = json_string(member, "type");

		if (id == NULL || (type != NULL && strcmp(type, "User") != 0))
			return refuse(patch, 400, PROBLEM_VALUE);
		if (!change_member(patch, id, add, true))
			return false;
	}
	return true;
}

/* Everybody who would be a member after the changes so far. */
static bool remove_all(struct patch *patch)
{
	size_t before = patch->count;

	for (const struct membership *membership = patch->group->memberships; membership != NULL;
	     membership = membership->next_of_group)
		if (would_be_member(patch, membership->user) &&
		    !add_change(patch, membership->user, false, false))
			return false;
	for (size_t i = 0; i < before; i++)
		if (would_be_member(patch, patch->changes[i].user) &&
		    !add_change(patch, patch->changes[i].user, false, false))
			return false;
	return true;
}

/* -- operations ---------------------------------------------------------------------------------------------------- */

/* Another text for the group; `out` owns a copy, because the attribute may come several times. */
static bool set_text(struct patch *patch, enum text_kind kind, const char *text, char **out)
{
	if (text == NULL || (behaviour(patch, B_CHARACTERS) == RULES_AWS && !text_allowed(kind, text)))
		return refuse(patch, 400, PROBLEM_VALUE);
	free(*out);
	*out = strdup(text);
	return *out != NULL || refuse(patch, 500, PROBLEM_INTERNAL);
}

/* The first form that is not simply to be applied decides. */
static enum does verdict(const struct patch *patch, const struct patch_operation *operation,
			 enum behaviour *form)
{
	for (size_t i = 0; i < operation->form_count; i++) {
		*form = operation->forms[i];
		if (behaviour(patch, *form) != DOES_APPLY)
			return (enum does)behaviour(patch, *form);
	}
	return DOES_APPLY;
}

static enum problem problem_of(enum behaviour form)
{
	if (form == B_PATHLESS_MANY)
		return PROBLEM_ONE_ATTRIBUTE;
	if (form == B_REPLACE_MEMBERS)
		return PROBLEM_REPLACE_MEMBERS;
	return form == B_RENAME ? PROBLEM_MUTABILITY : PROBLEM_PATH;
}

static bool apply_kind(struct patch *patch, const struct patch_operation *operation)
{
	switch (operation->kind) {
	case PATCH_ADD:
		return change_members(patch, operation->members, true);
	case PATCH_REMOVE_VALUES:
		return change_members(patch, operation->members, false);
	case PATCH_REMOVE_ONE:
		return change_member(patch, operation->id, false, false);
	case PATCH_REMOVE_ALL:
		return remove_all(patch);
	case PATCH_REPLACE:
		return remove_all(patch) && change_members(patch, operation->members, true);
	case PATCH_NAME:
		return set_text(patch, TEXT_DISPLAY_NAME, operation->text, &patch->display_name);
	case PATCH_EXTERNAL_ID:
		patch->sets_external_id = true;
		return set_text(patch, TEXT_EXTERNAL_ID, operation->text, &patch->external_id);
	case PATCH_NO_EXTERNAL_ID:
		patch->sets_external_id = true;
		free(patch->external_id);
		patch->external_id = NULL;
		break;
	case PATCH_NOTHING:
		break;
	}
	return true;
}

static bool take(void *context, const struct patch_operation *operation)
{
	struct patch *patch = context;
	enum behaviour form = BEHAVIOUR_COUNT;

	switch (verdict(patch, operation, &form)) {
	case DOES_APPLY:
		return apply_kind(patch, operation);
	case DOES_REFUSE:
		return refuse(patch, 400, problem_of(form));
	case DOES_IGNORE:
		break;
	case DOES_ERROR:
		return refuse(patch, 500, PROBLEM_INTERNAL);
	case DOES_WIPE: /* or DOES_ADD */
		return form == B_REMOVE_VALUE ? remove_all(patch)
					      : change_members(patch, operation->members, true);
	}
	return true;
}

/* -- the body ------------------------------------------------------------------------------------------------------ */

static bool has_schema(const cJSON *body)
{
	const cJSON *schemas = cJSON_GetObjectItemCaseSensitive(body, "schemas");
	const cJSON *schema = cJSON_GetArrayItem(schemas, 0);

	return cJSON_IsString(schema) && schema->next == NULL &&
	       strcmp(schema->valuestring, "urn:ietf:params:scim:api:messages:2.0:PatchOp") == 0;
}

/* What the dialect says to a form of the body; `go_on`: the operations are looked at. */
static bool check_form(struct patch *patch, enum behaviour form, bool *go_on)
{
	*go_on = behaviour(patch, form) == DOES_APPLY;
	if (*go_on || behaviour(patch, form) == DOES_IGNORE)
		return true;
	return refuse(patch, behaviour(patch, form) == DOES_ERROR ? 500 : 400, PROBLEM_SYNTAX);
}

static bool check_body(struct patch *patch, const cJSON *body)
{
	const cJSON *operations = cJSON_GetObjectItemCaseSensitive(body, "Operations");
	struct patch_reader reader = {behaviour(patch, B_ATTRIBUTE_CASE) == CASE_EXACT, take, patch};
	enum behaviour form = B_CAPITAL_OPERATIONS;
	bool go_on = true;

	if (operations == NULL) {
		operations = cJSON_GetObjectItemCaseSensitive(body, "operations");
		form = B_LOWER_OPERATIONS;
	}
	if (!has_schema(body) && (!check_form(patch, B_WRONG_SCHEMAS, &go_on) || !go_on))
		return patch->status == 0;
	if (!check_form(patch, form, &go_on) || !go_on)
		return patch->status == 0;
	if (!cJSON_IsArray(operations) || operations->child == NULL)
		return refuse(patch, 400, PROBLEM_SYNTAX);
	if (dialect_exceeds(&patch->scim->dialect, B_MAX_OPERATIONS, (size_t)cJSON_GetArraySize(operations)))
		return refuse(patch, 400, PROBLEM_TOO_MANY);
	for (const cJSON *operation = operations->child; operation != NULL; operation = operation->next)
		if (!patch_read(operation, &reader))
			return false;
	return true;
}

static const char *new_name(const struct patch *patch)
{
	return patch->display_name != NULL ? patch->display_name : patch->group->display_name;
}

static const char *new_external_id(const struct patch *patch)
{
	return patch->sets_external_id ? patch->external_id : patch->group->external_id;
}

static bool changes_texts(const struct patch *patch)
{
	return patch->display_name != NULL || patch->sets_external_id;
}

static bool check_duplicate(struct patch *patch)
{
	return !changes_texts(patch) ||
	       !group_is_duplicate(patch->scim, patch->group, new_name(patch), new_external_id(patch)) ||
	       refuse(patch, 409, PROBLEM_DUPLICATE);
}

static enum err apply(struct patch *patch)
{
	struct directory *dir = &patch->scim->directory;
	struct group *group = patch->group;

	if (directory_reserve(dir, patch->count) != ERR_OK)
		return ERR_NOMEM;
	if (changes_texts(patch) &&
	    directory_set_group(dir, group, new_name(patch), new_external_id(patch)) != ERR_OK)
		return ERR_NOMEM;
	for (size_t i = 0; i < patch->count; i++) {
		const struct change *change = &patch->changes[i];

		if (change->add)
			directory_join(dir, group, change->user, change->again, patch->now_ms);
		else
			directory_leave(dir, group, change->user, patch->now_ms);
	}
	group->modified_ms = patch->now_ms;
	return ERR_OK;
}

static void answer_success(const struct patch *patch, const struct scim_request *request,
			   struct answer *answer)
{
	bool changed = patch->count > 0 || changes_texts(patch);

	answer->status = 200;
	switch ((enum patch_answer)behaviour(patch, B_PATCH_ANSWER)) {
	case PATCH_204:
		answer->status = 204;
		return;
	case PATCH_204_UNCHANGED:
		if (changed)
			break;
		answer->status = 204;
		return;
	case PATCH_EMPTY_200:
		buf_adds(&answer->body, "{}");
		return;
	case PATCH_200:
		break;
	}
	group_print(patch->scim, patch->group, request, true, &answer->body);
}

static void release(struct patch *patch)
{
	for (size_t i = 0; i < patch->count; i++) {
		patch->changes[i].user->pins--;
		directory_drop_ghost(&patch->scim->directory, patch->changes[i].user);
	}
	free(patch->changes);
	free(patch->display_name);
	free(patch->external_id);
}

void groups_patch(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct group *group = group_of(scim, request, answer);
	struct patch patch = {.scim = scim, .group = group, .now_ms = request->now_ms};

	if (group == NULL) {
		if (scim->dialect.value[B_UNKNOWN_GROUP] != 0)
			answer_error(answer, 500, PROBLEM_INTERNAL, request->now_ms);
		return;
	}
	patch.mark = ++scim->directory.last_mark;
	patch.members = group->member_count;
	if (!check_body(&patch, request->body) || !check_duplicate(&patch))
		answer_error(answer, patch.status, patch.problem, request->now_ms);
	else if (apply(&patch) == ERR_OK)
		answer_success(&patch, request, answer);
	release(&patch);
}
