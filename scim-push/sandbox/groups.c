/* The calls on /Groups, but PATCH. Members are written and filtered by, never read. */
#include <string.h>

#include "base/json.h"
#include "scim-push/sandbox/page.h"
#include "scim-push/sandbox/scim.h"
#include "scim-push/sandbox/text.h"

struct group *group_of(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct group *group = directory_group(&scim->directory, request->query->id);

	if (group == NULL)
		answer_error(answer, 404, DETAIL_NOT_FOUND, request->now_ms);
	return group;
}

bool group_is_duplicate(const struct scim *scim, const struct group *self, const char *display_name,
			const char *external_id)
{
	const struct directory *dir = &scim->directory;

	for (struct names_node *node = names_find(&dir->groups_by_name, display_name); node != NULL;
	     node = names_next(node))
		if (node->item != self &&
		    (!scim->dialect.exact_names || strcmp(node->key, display_name) == 0))
			return true;
	for (const struct group *group = dir->first_group; external_id != NULL && group != NULL;
	     group = group->next)
		if (group != self && group->external_id != NULL &&
		    strcmp(group->external_id, external_id) == 0)
			return true;
	return false;
}

static void print_members(const struct group *group, struct buf *out)
{
	const char *comma = "";

	for (const struct membership *membership = group->memberships; membership != NULL;
	     membership = membership->next_of_group) {
		if (!membership->present)
			continue;
		buf_addf(out, "%s{\"value\":\"%s\",\"type\":\"User\",\"display\":", comma,
			 membership->user->id);
		json_add_string(out, user_text(membership->user, "displayName"));
		buf_adds(out, "}");
		comma = ",";
	}
}

enum members { MEMBERS_LEFT_OUT, MEMBERS_EMPTY, MEMBERS_SHOWN };

static void print_group(const struct group *group, enum members members, struct buf *out)
{
	buf_addf(out, "{\"id\":\"%s\",", group->id);
	answer_add_meta(out, "Group", group->created_ms, group->modified_ms);
	buf_adds(out, ",\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:Group\"],\"displayName\":");
	json_add_string(out, group->display_name);
	if (group->external_id != NULL) {
		buf_adds(out, ",\"externalId\":");
		json_add_string(out, group->external_id);
	}
	if (members != MEMBERS_LEFT_OUT) {
		buf_adds(out, ",\"members\":[");
		if (members == MEMBERS_SHOWN)
			print_members(group, out);
		buf_adds(out, "]");
	}
	buf_adds(out, "}");
}

void groups_get(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	const struct group *group = group_of(scim, request, answer);

	if (group == NULL)
		return;
	answer->status = 200;
	print_group(group, scim->dialect.show_members ? MEMBERS_SHOWN : MEMBERS_LEFT_OUT, &answer->body);
}

void groups_delete(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct group *group = group_of(scim, request, answer);

	if (group == NULL)
		return;
	directory_delete_group(&scim->directory, group);
	answer->status = 204;
}

/* -- creation -------------------------------------------------------------------------------------------------- */

static bool known_attribute(const char *name)
{
	static const char *const known[] = {"schemas", "id", "meta", "displayName", "externalId", "members"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], name) == 0)
			return true;
	return false;
}

/* 0, or the status of the error. */
static int check_members(const struct scim *scim, const cJSON *members)
{
	if (members == NULL)
		return 0;
	if (!cJSON_IsArray(members) || cJSON_GetArraySize(members) > MEMBER_CHANGES_MAX)
		return 400;
	for (const cJSON *member = cJSON_GetArrayItem(members, 0); member != NULL; member = member->next) {
		const char *id = json_string(member, "value");

		if (id == NULL)
			return 400;
		if (directory_user(&scim->directory, id) == NULL)
			return scim->dialect.unknown_member;
	}
	return 0;
}

static int check_group(const struct scim *scim, const cJSON *body)
{
	const char *name = json_string(body, "displayName"), *external = json_string(body, "externalId");

	for (const cJSON *value = body->child; value != NULL; value = value->next)
		if (!known_attribute(value->string))
			return 400;
	if (name == NULL || !text_allowed(TEXT_DISPLAY_NAME, name))
		return 400;
	if (cJSON_HasObjectItem(body, "externalId") &&
	    (external == NULL || !text_allowed(TEXT_EXTERNAL_ID, external)))
		return 400;
	if (group_is_duplicate(scim, NULL, name, external))
		return 409;
	return check_members(scim, cJSON_GetObjectItemCaseSensitive(body, "members"));
}

static const char *detail_of(int status)
{
	if (status == 404)
		return DETAIL_NOT_FOUND;
	return status == 409 ? DETAIL_DUPLICATE : DETAIL_UNPARSABLE;
}

void groups_create(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	const cJSON *members = cJSON_GetObjectItemCaseSensitive(request->body, "members");
	int status = check_group(scim, request->body);
	struct group *group;

	if (status != 0) {
		answer_error(answer, status, detail_of(status), request->now_ms);
		return;
	}
	if (directory_reserve(&scim->directory, (size_t)cJSON_GetArraySize(members)) != ERR_OK)
		return;
	group = directory_add_group(&scim->directory, json_string(request->body, "displayName"),
				    json_string(request->body, "externalId"), request->now_ms);
	if (group == NULL)
		return;
	for (const cJSON *member = cJSON_GetArrayItem(members, 0); member != NULL; member = member->next)
		directory_join(&scim->directory, group,
			       directory_user(&scim->directory, json_string(member, "value")),
			       request->now_ms);
	answer->status = 201;
	print_group(group, MEMBERS_LEFT_OUT, &answer->body);
}

/* -- listing: displayName, externalId, members.value, id, and id with members ------------------------------------ */

struct wanted {
	const char *display_name;
	const char *external_id;
	const char *id;
	const struct user *member;
};

/* 0, or the status of the error. */
static int read_filter(const struct scim *scim, const struct filter *filter, struct wanted *out)
{
	const char *member = filter_value(filter, filter->count == 2 ? "members" : "members.value");

	for (size_t i = 0; i < filter->count; i++)
		if (filter->terms[i].value[0] == '\0')
			return 400;
	*out = (struct wanted){
		.display_name = filter_value(filter, "displayName"),
		.external_id = filter_value(filter, "externalId"),
		.id = filter_value(filter, "id"),
	};
	if (filter->count == 2 && (out->id == NULL || member == NULL))
		return 400;
	if (member != NULL) {
		out->member = directory_user(&scim->directory, member);
		return out->member != NULL ? 0 : 404;
	}
	return out->display_name != NULL || out->external_id != NULL || out->id != NULL ? 0 : 400;
}

static bool matches(const struct scim *scim, const struct wanted *wanted, const struct group *group,
		    int64_t now_ms)
{
	if (wanted->display_name != NULL && scim->dialect.exact_filters &&
	    strcmp(wanted->display_name, group->display_name) != 0)
		return false;
	if (wanted->external_id != NULL &&
	    (group->external_id == NULL || strcmp(wanted->external_id, group->external_id) != 0))
		return false;
	return wanted->member == NULL ||
	       directory_shows_member(&scim->directory, group, wanted->member, now_ms);
}

static void take(const struct scim *scim, const struct wanted *wanted, const struct group *group,
		 int64_t now_ms, struct page *page)
{
	if (group != NULL && matches(scim, wanted, group, now_ms) && page_takes(page, group->number))
		print_group(group, MEMBERS_EMPTY, &page->items);
}

static void collect(const struct scim *scim, const struct wanted *wanted, int64_t now_ms, struct page *page)
{
	const struct directory *dir = &scim->directory;

	if (wanted->id != NULL) {
		take(scim, wanted, directory_group(dir, wanted->id), now_ms, page);
	} else if (wanted->display_name != NULL) {
		for (const struct names_node *node = names_find(&dir->groups_by_name, wanted->display_name);
		     node != NULL; node = names_next(node))
			take(scim, wanted, node->item, now_ms, page);
	} else {
		for (const struct group *group = dir->first_group; group != NULL; group = group->next)
			take(scim, wanted, group, now_ms, page);
	}
}

void groups_list(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct wanted wanted = {0};
	struct filter filter;
	struct page page;
	int status = 0;

	if (request->query->has_filter)
		status = filter_parse(request->query->filter, &filter, NULL) == ERR_OK
				 ? read_filter(scim, &filter, &wanted)
				 : 400;
	if (status == 0 && !page_init(&page, request->query, scim->dialect.page))
		status = 400;
	if (status != 0) {
		answer_error(answer, status, detail_of(status), request->now_ms);
		return;
	}
	collect(scim, &wanted, request->now_ms, &page);
	page_finish(&page, answer);
}
