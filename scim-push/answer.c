/* Answers that are read: lists, resources and errors. */
#include "scim-push/scim.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

/* The whole body as one JSON object, or NULL. */
static cJSON *parse_up_to(const char *body, size_t len, size_t values_max)
{
	cJSON *value = NULL;

	if (json_parse_large(body, len, values_max, &value, NULL) != ERR_OK)
		return NULL;
	if (!cJSON_IsObject(value)) {
		cJSON_Delete(value);
		return NULL;
	}
	return value;
}

/* Copies the resource's id. False when it has none that could be used. */
static bool copy_id(const cJSON *resource, char id[SCIM_ID_SIZE])
{
	const char *text = attribute_member_text(resource, "id");

	if (text == NULL || text[0] == '\0' || strlen(text) >= SCIM_ID_SIZE)
		return false;
	memcpy(id, text, strlen(text) + 1);
	return true;
}

static cJSON *parse_object(const char *body, size_t len)
{
	return parse_up_to(body, len, JSON_VALUES);
}

struct hits {
	const cJSON *first; /* NULL when there are none */
	bool whole;         /* false: the application has more hits than it shows */
};

/* Takes a ListResponse apart. An empty list may leave Resources out: RFC 7644, 3.4.2. */
static bool read_hits(const cJSON *list, struct hits *out)
{
	const cJSON *hits = attribute_member(list, "Resources");
	const cJSON *total = attribute_member(list, "totalResults");

	if ((hits == NULL && total == NULL) || (hits != NULL && !cJSON_IsArray(hits)) ||
	    (total != NULL && !cJSON_IsNumber(total)))
		return false;
	int shown = hits == NULL ? 0 : cJSON_GetArraySize(hits);
	out->first = hits == NULL ? NULL : hits->child;
	out->whole = total == NULL || total->valuedouble <= shown;
	return true;
}

static enum scim_hit search(const cJSON *list, const struct scim_find *find, char id[SCIM_ID_SIZE])
{
	struct hits hits;
	size_t found = 0;
	char candidate[SCIM_ID_SIZE];

	if (!read_hits(list, &hits))
		return HIT_UNREADABLE;
	for (const cJSON *hit = hits.first; hit != NULL; hit = hit->next) {
		if (!attribute_is(hit, find->attribute, find->value))
			continue;
		if (!copy_id(hit, candidate))
			return HIT_UNREADABLE;
		found++;
	}
	if (found > 1)
		return HIT_SEVERAL;
	if (!hits.whole)
		return HIT_UNREADABLE;
	if (found == 0)
		return HIT_NONE;
	memcpy(id, candidate, SCIM_ID_SIZE);
	return HIT_ONE;
}

enum scim_hit scim_read_found(const char *body, size_t len, const struct scim_find *find,
			      char id[SCIM_ID_SIZE])
{
	cJSON *list = parse_object(body, len);
	enum scim_hit hit = list == NULL ? HIT_UNREADABLE : search(list, find, id);

	cJSON_Delete(list);
	return hit;
}

bool scim_found_has(const char *body, size_t len, const struct scim_find *find, const struct scim_find *other)
{
	cJSON *list = parse_object(body, len);
	struct hits hits = {NULL, false};
	bool has = false;

	if (list != NULL && read_hits(list, &hits))
		for (const cJSON *hit = hits.first; hit != NULL; hit = hit->next)
			has = has || (attribute_is(hit, find->attribute, find->value) &&
				      attribute_is(hit, other->attribute, other->value));
	cJSON_Delete(list);
	return has;
}

bool scim_read_created(const char *body, size_t len, const struct scim_find *find, char id[SCIM_ID_SIZE])
{
	cJSON *resource = parse_object(body, len);
	bool ok = resource != NULL && attribute_is(resource, find->attribute, find->value) &&
		  copy_id(resource, id);

	cJSON_Delete(resource);
	return ok;
}

static bool has_id(const cJSON *resource, const char *id)
{
	const char *text = attribute_member_text(resource, "id");

	return text != NULL && strcmp(text, id) == 0;
}

bool scim_read_resource(const char *body, size_t len, const char *id, const struct attribute *attribute,
			char value[NAME_SIZE])
{
	cJSON *resource = parse_object(body, len);
	bool ok = resource != NULL && has_id(resource, id);
	const char *text = ok ? attribute_text(resource, attribute) : NULL;

	if (ok)
		snprintf(value, NAME_SIZE, "%s", text != NULL ? text : "");
	cJSON_Delete(resource);
	return ok;
}

static enum scim_membership membership(const cJSON *list, const char *group_id)
{
	struct hits hits;

	if (!read_hits(list, &hits) || !hits.whole)
		return MEMBERSHIP_UNCLEAR;
	/* Only this group can be the answer; any other one shows that the filter was not understood. */
	for (const cJSON *hit = hits.first; hit != NULL; hit = hit->next) {
		if (!has_id(hit, group_id))
			return MEMBERSHIP_UNCLEAR;
	}
	return hits.first == NULL ? MEMBERSHIP_ABSENT : MEMBERSHIP_PRESENT;
}

enum scim_membership scim_read_membership(const char *body, size_t len, const char *group_id)
{
	cJSON *list = parse_object(body, len);
	enum scim_membership answer = list == NULL ? MEMBERSHIP_UNCLEAR : membership(list, group_id);

	cJSON_Delete(list);
	return answer;
}

/* Is the id among the `value`s of the list? A list that is not there is empty; anything else is no list. */
static enum scim_membership listed(const cJSON *list, const char *id)
{
	if (list != NULL && !cJSON_IsArray(list) && !cJSON_IsNull(list))
		return MEMBERSHIP_UNCLEAR;
	for (const cJSON *item = list == NULL ? NULL : list->child; item != NULL; item = item->next) {
		const char *value = attribute_member_text(item, "value");
		if (value != NULL && strcmp(value, id) == 0)
			return MEMBERSHIP_PRESENT;
	}
	return MEMBERSHIP_ABSENT;
}

/* Does it show members, and is it the group that was asked for? */
static enum scim_members members_of(const cJSON *group, const char *group_id, const cJSON **members)
{
	*members = attribute_member(group, "members");
	if (group == NULL || !has_id(group, group_id))
		return MEMBERS_UNREADABLE;
	if (*members == NULL)
		return MEMBERS_LEFT_OUT;
	return cJSON_IsArray(*members) || cJSON_IsNull(*members) ? MEMBERS_SHOWN : MEMBERS_UNREADABLE;
}

enum scim_members scim_read_members(const char *body, size_t len, const char *group_id,
				    struct scim_shown shown[], size_t count)
{
	cJSON *group = parse_up_to(body, len, SCIM_MEMBER_VALUES);
	const cJSON *members;
	enum scim_members way = members_of(group, group_id, &members);

	for (size_t i = 0; i < count; i++)
		shown[i].membership =
			way == MEMBERS_UNREADABLE ? MEMBERSHIP_UNCLEAR : listed(members, shown[i].user_id);
	cJSON_Delete(group);
	return way;
}

/* Is every hit a resource with an id that could be used? */
static bool all_have_ids(const cJSON *hits)
{
	char id[SCIM_ID_SIZE];

	for (const cJSON *hit = hits->child; hit != NULL; hit = hit->next)
		if (!copy_id(hit, id))
			return false;
	return true;
}

bool scim_read_page(const char *body, size_t len, scim_on_id *on_id, void *ctx, struct scim_page *out)
{
	cJSON *page = parse_up_to(body, len, SCIM_MEMBER_VALUES);
	const cJSON *hits = attribute_member(page, "Resources");
	const cJSON *total = attribute_member(page, "totalResults");
	const char *next = page == NULL ? NULL : attribute_member_text(page, "nextCursor");
	bool ok = cJSON_IsArray(hits) && all_have_ids(hits) &&
		  (next == NULL || strlen(next) < sizeof(out->cursor)) &&
		  (total == NULL || cJSON_IsNumber(total));

	for (const cJSON *hit = ok ? hits->child : NULL; hit != NULL; hit = hit->next)
		on_id(ctx, attribute_member_text(hit, "id"));
	if (ok) {
		snprintf(out->cursor, sizeof(out->cursor), "%s", next != NULL ? next : "");
		out->shown = (size_t)cJSON_GetArraySize(hits);
		out->total = total != NULL ? total->valuedouble : 0;
	}
	cJSON_Delete(page);
	return ok;
}

enum scim_members scim_read_member_list(const char *body, size_t len, const char *group_id, scim_on_id *on_id,
					void *ctx)
{
	cJSON *group = parse_up_to(body, len, SCIM_MEMBER_VALUES);
	const cJSON *members;
	enum scim_members way = members_of(group, group_id, &members);

	for (const cJSON *m = way == MEMBERS_SHOWN ? members->child : NULL; m != NULL; m = m->next) {
		const char *value = attribute_member_text(m, "value"),
			   *type = attribute_member_text(m, "type");
		if (value != NULL && (type == NULL || strcmp(type, "Group") != 0))
			on_id(ctx, value);
	}
	cJSON_Delete(group);
	return way;
}

enum scim_membership scim_read_groups(const char *body, size_t len, const char *user_id, const char *group_id)
{
	cJSON *user = parse_object(body, len);
	enum scim_membership answer = MEMBERSHIP_UNCLEAR;

	if (user != NULL && has_id(user, user_id))
		answer = listed(attribute_member(user, "groups"), group_id);
	cJSON_Delete(user);
	return answer;
}

bool scim_read_account(const char *body, size_t len, const char *user_id, struct scim_account *out)
{
	cJSON *user = parse_object(body, len);
	const cJSON *active = attribute_member(user, "active");
	const cJSON *groups = attribute_member(user, "groups");
	bool ok = user != NULL && has_id(user, user_id);

	out->active = cJSON_IsTrue(active) ? ACTIVE_YES : cJSON_IsFalse(active) ? ACTIVE_NO : ACTIVE_UNSAID;
	out->in_groups = cJSON_GetArraySize(groups) > 0;
	cJSON_Delete(user);
	return ok;
}

enum scim_membership scim_read_any(const char *body, size_t len)
{
	cJSON *list = parse_object(body, len);
	struct hits hits = {NULL, false};
	bool ok = list != NULL && read_hits(list, &hits);

	bool any = hits.first != NULL;
	cJSON_Delete(list);
	if (!ok || (!any && !hits.whole))
		return MEMBERSHIP_UNCLEAR;
	return any ? MEMBERSHIP_PRESENT : MEMBERSHIP_ABSENT;
}

void scim_clean_text(const char *text, const char *secret, char *out, size_t size)
{
	static const char blot[] = "[token]";
	size_t secret_len = strlen(secret);
	size_t left = strlen(text);
	size_t used = 0;

	while (left > 0) {
		size_t len = utf8_char(text, left);
		size_t skip = len == 0 ? 1 : len;
		const char *add = text;
		if (secret_len > 0 && left >= secret_len && memcmp(text, secret, secret_len) == 0) {
			add = blot;
			len = sizeof(blot) - 1;
			skip = secret_len;
		} else if (len == 0 || utf8_is_control(text, len)) {
			add = " ";
			len = 1;
		}
		if (used + len >= size)
			break;
		memcpy(out + used, add, len);
		used += len;
		text += skip;
		left -= skip;
	}
	out[used] = '\0';
}

void scim_read_detail(const char *body, size_t len, const char *secret, char detail[SCIM_DETAIL_SIZE])
{
	cJSON *error = parse_object(body, len);
	const char *text = error == NULL ? NULL : attribute_member_text(error, "detail");

	scim_clean_text(text == NULL ? "" : text, secret, detail, SCIM_DETAIL_SIZE);
	cJSON_Delete(error);
}
