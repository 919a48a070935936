/* The calls on single groups, but PATCH. */
#include <string.h>

#include "base/json.h"
#include "scim-push/sandbox/scim.h"
#include "scim-push/sandbox/text.h"

struct group *group_of(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct group *group = directory_group(&scim->directory, request->query->id);

	if (group != NULL && group->visible_ms <= request->now_ms)
		return group;
	answer_error(answer, 404, PROBLEM_NOT_FOUND, request->now_ms);
	return NULL;
}

bool group_is_duplicate(const struct scim *scim, const struct group *self, const char *display_name,
			const char *external_id)
{
	const struct directory *dir = &scim->directory;
	bool exact = scim->dialect.value[B_NAMES] != 0;

	if (scim->dialect.value[B_DUPLICATE_GROUP] == 0 &&
	    names_have_other(&dir->groups_by_name, display_name, exact, self))
		return true;
	return external_id != NULL && names_have_other(&dir->groups_by_external_id, external_id, true, self);
}

/* -- printing ---------------------------------------------------------------------------------------------------- */

static void print_member(const struct scim *scim, const struct user *user, struct buf *out)
{
	const char *name = user->attributes != NULL ? user_text(user, "displayName") : NULL;

	buf_adds(out, "{\"value\":");
	json_add_string(out, scim->dialect.value[B_MEMBER_VALUE] == 0 ? user->id : user_label(user));
	buf_adds(out, ",\"type\":\"User\"");
	if (name != NULL) {
		buf_adds(out, ",\"display\":");
		json_add_string(out, name);
	}
	buf_adds(out, "}");
}

static void print_members(const struct scim *scim, const struct group *group, int64_t now_ms, struct buf *out)
{
	size_t count = 0;

	for (const struct membership *membership = group->memberships; membership != NULL;
	     membership = membership->next_of_group) {
		unsigned copies = directory_shows(&scim->directory, membership, now_ms);

		for (unsigned i = 0; i < copies; i++) {
			buf_adds(out, count++ == 0 ? ",\"members\":[" : ",");
			print_member(scim, membership->user, out);
		}
	}
	if (count > 0)
		buf_adds(out, "]");
	else if (scim->dialect.value[B_EMPTY_MEMBERS] == 0)
		buf_adds(out, ",\"members\":[]");
}

/* Are they in this answer? `empty`: as [], whoever is a member. */
static bool shows_members(const struct scim *scim, const struct query *query, bool single, bool *empty)
{
	*empty = false;
	if (scim->dialect.value[B_PARAMETERS] == PARAMETERS_HONOURED && query->without_members)
		return false;
	switch ((enum members)scim->dialect.value[B_MEMBERS]) {
	case MEMBERS_SHOWN:
		return true;
	case MEMBERS_SINGLE:
		return single || query->with_members;
	case MEMBERS_OMITTED:
		*empty = !single;
		break;
	case MEMBERS_HIDDEN:
		break;
	}
	return false;
}

static struct scim_head head_of(const struct group *group)
{
	return (struct scim_head){"Group", group->id, group->created_ms, group->modified_ms};
}

void group_print(const struct scim *scim, const struct group *group, const struct scim_request *request,
		 bool single, struct buf *out)
{
	struct scim_head head = head_of(group);
	bool empty;

	scim_print_head(scim, request, &head, out);
	buf_adds(out, "\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:Group\"],\"displayName\":");
	json_add_string(out, group->display_name);
	if (group->external_id != NULL) {
		buf_adds(out, ",\"externalId\":");
		json_add_string(out, group->external_id);
	}
	if (shows_members(scim, request->query, single, &empty))
		print_members(scim, group, request->now_ms, out);
	else if (empty)
		buf_adds(out, ",\"members\":[]");
	buf_adds(out, "}");
}

/* -- reading and deletion ------------------------------------------------------------------------------------------ */

void groups_get(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	const struct group *group = group_of(scim, request, answer);

	if (group == NULL)
		return;
	answer->status = 200;
	group_print(scim, group, request, true, &answer->body);
}

void groups_delete(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct group *group = group_of(scim, request, answer);

	if (group != NULL) {
		directory_delete_group(&scim->directory, group);
		answer->status = 204;
	} else if (scim->dialect.value[B_DELETE_AGAIN] != 0) {
		answer_error(answer, dialect_status(&scim->dialect, B_DELETE_AGAIN), PROBLEM_INTERNAL,
			     request->now_ms);
	}
	if (answer->status == 204)
		buf_clear(&answer->body);
}

/* -- creation and PUT ---------------------------------------------------------------------------------------------- */

static bool known_attribute(const char *name)
{
	static const char *const known[] = {"schemas", "id", "meta", "displayName", "externalId", "members"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], name) == 0)
			return true;
	return false;
}

/* What is wrong with a resource; status 0 = nothing. */
struct verdict {
	int status;
	enum problem problem;
};

static const struct verdict right = {0, PROBLEM_SYNTAX};

static struct verdict check_members(const struct scim *scim, const cJSON *members, int64_t now_ms)
{
	int unknown = dialect_status(&scim->dialect, B_UNKNOWN_MEMBER);

	if (members == NULL)
		return right;
	if (!cJSON_IsArray(members))
		return (struct verdict){400, PROBLEM_SYNTAX};
	if (dialect_exceeds(&scim->dialect, B_MAX_CHANGES, (size_t)cJSON_GetArraySize(members)) ||
	    dialect_exceeds(&scim->dialect, B_MAX_MEMBERS, (size_t)cJSON_GetArraySize(members)))
		return (struct verdict){400, PROBLEM_TOO_MANY};
	for (const cJSON *member = members->child; member != NULL; member = member->next) {
		const char *id = json_string(member, "value");

		if (id == NULL)
			return (struct verdict){400, PROBLEM_VALUE};
		if (unknown != 0 && scim_member(scim, id, now_ms) == NULL)
			return (struct verdict){unknown, PROBLEM_NO_USER};
	}
	return right;
}

/* AWS refuses attributes that it does not know, and some characters. */
static bool texts_allowed(const struct scim *scim, const cJSON *body)
{
	const char *name = json_string(body, "displayName"), *external = json_string(body, "externalId");
	bool aws = scim->dialect.value[B_USER_RULES] == RULES_AWS;

	for (const cJSON *value = body->child; value != NULL && aws; value = value->next)
		if (!known_attribute(value->string))
			return false;
	if (name == NULL || name[0] == '\0' || (cJSON_HasObjectItem(body, "externalId") && external == NULL))
		return false;
	return scim->dialect.value[B_CHARACTERS] != RULES_AWS ||
	       (text_allowed(TEXT_DISPLAY_NAME, name) &&
		(external == NULL || text_allowed(TEXT_EXTERNAL_ID, external)));
}

static struct verdict check_group(const struct scim *scim, const struct group *self, const cJSON *body,
				  int64_t now_ms)
{
	if (!texts_allowed(scim, body))
		return (struct verdict){400, PROBLEM_VALUE};
	if (group_is_duplicate(scim, self, json_string(body, "displayName"), json_string(body, "externalId")))
		return (struct verdict){409, PROBLEM_DUPLICATE};
	return check_members(scim, cJSON_GetObjectItemCaseSensitive(body, "members"), now_ms);
}

/* The members of a resource that has been checked; room for them is reserved. Unknown ones are stored, or skipped. */
static void join_members(struct scim *scim, struct group *group, const cJSON *members, int64_t now_ms)
{
	for (const cJSON *member = cJSON_GetArrayItem(members, 0); member != NULL; member = member->next) {
		const char *id = json_string(member, "value");
		struct user *user = scim_member(scim, id, now_ms);

		if (user == NULL && scim->dialect.value[B_UNKNOWN_MEMBER] == UNKNOWN_STORED)
			user = directory_ghost(&scim->directory, id);
		if (user != NULL)
			directory_join(&scim->directory, group, user, false, now_ms);
	}
}

static size_t count_members(const cJSON *body)
{
	return (size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(body, "members"));
}

void groups_create(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct verdict verdict = check_group(scim, NULL, request->body, request->now_ms);
	struct directory *dir = &scim->directory;
	struct group *group = NULL;
	struct scim_head head;

	if (scim->dialect.value[B_CREATE_GROUP] != 0)
		verdict = (struct verdict){403, PROBLEM_UNSUPPORTED};
	else if (verdict.status == 0 && dialect_exceeds(&scim->dialect, B_MAX_GROUPS, dir->groups.count + 1))
		verdict = (struct verdict){400, PROBLEM_QUOTA};
	if (verdict.status != 0) {
		answer_error(answer, verdict.status, verdict.problem, request->now_ms);
		return;
	}
	if (directory_reserve(dir, count_members(request->body)) == ERR_OK)
		group = directory_add_group(dir, json_string(request->body, "displayName"),
					    json_string(request->body, "externalId"), request->now_ms);
	if (group == NULL)
		return;
	join_members(scim, group, cJSON_GetObjectItemCaseSensitive(request->body, "members"),
		     request->now_ms);
	answer->status = 201;
	head = head_of(group);
	scim_set_location(scim, request, &head, answer);
	group_print(scim, group, request, true, &answer->body);
}

static void leave_all(struct directory *dir, struct group *group, int64_t now_ms)
{
	struct membership *next;

	for (struct membership *membership = group->memberships; membership != NULL; membership = next) {
		next = membership->next_of_group;
		directory_leave(dir, group, membership->user, now_ms);
	}
}

/* RFC 7644 section 3.5.1: what is left out is removed, members too. */
void groups_put(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	int refused = dialect_status(&scim->dialect, B_PUT_GROUP);
	struct group *group = refused == 0 ? group_of(scim, request, answer) : NULL;
	struct directory *dir = &scim->directory;
	struct verdict verdict;

	if (refused != 0)
		answer_error(answer, refused, PROBLEM_UNSUPPORTED, request->now_ms);
	if (group == NULL)
		return;
	verdict = check_group(scim, group, request->body, request->now_ms);
	if (verdict.status != 0) {
		answer_error(answer, verdict.status, verdict.problem, request->now_ms);
		return;
	}
	if (directory_reserve(dir, count_members(request->body)) != ERR_OK ||
	    directory_set_group(dir, group, json_string(request->body, "displayName"),
				json_string(request->body, "externalId")) != ERR_OK)
		return;
	leave_all(dir, group, request->now_ms);
	join_members(scim, group, cJSON_GetObjectItemCaseSensitive(request->body, "members"),
		     request->now_ms);
	group->modified_ms = request->now_ms;
	answer->status = 200;
	group_print(scim, group, request, true, &answer->body);
}
