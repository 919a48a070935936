/* GET /Users with its filters: userName, externalId, groups.value, and id with manager. */
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "scim-push/sandbox/page.h"
#include "scim-push/sandbox/scim.h"

/* What a filter asks for; NULL members are not asked for. */
struct wanted {
	const char *user_name;
	const char *external_id;
	const char *id;
	const char *manager;
	const struct group *group;
};

/* 0, or the status of the error. */
static int read_filter(const struct scim *scim, const struct filter *filter, struct wanted *out)
{
	const char *group = filter_value(filter, "groups.value");

	for (size_t i = 0; i < filter->count; i++)
		if (filter->terms[i].value[0] == '\0')
			return 400;
	*out = (struct wanted){
		.user_name = filter_value(filter, "userName"),
		.external_id = filter_value(filter, "externalId"),
		.id = filter_value(filter, "id"),
		.manager = filter_value(filter, "manager"),
	};
	if (filter->count == 2)
		return out->id != NULL && out->manager != NULL ? 0 : 400;
	if (group != NULL) {
		out->group = directory_group(&scim->directory, group);
		return out->group != NULL ? 0 : 404;
	}
	return out->user_name != NULL || out->external_id != NULL ? 0 : 400;
}

static bool same(const char *wanted, const char *have, bool exact)
{
	if (wanted == NULL)
		return true;
	return have != NULL && (exact ? strcmp(wanted, have) : strcasecmp(wanted, have)) == 0;
}

static const char *manager_of(const struct user *user)
{
	const cJSON *extension = cJSON_GetObjectItemCaseSensitive(
		user->attributes, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User");

	return json_string(cJSON_GetObjectItemCaseSensitive(extension, "manager"), "value");
}

static bool matches(const struct scim *scim, const struct wanted *wanted, const struct user *user,
		    int64_t now_ms)
{
	return same(wanted->user_name, user_text(user, "userName"), scim->dialect.exact_filters) &&
	       same(wanted->external_id, user_text(user, "externalId"), true) &&
	       same(wanted->id, user->id, true) &&
	       (wanted->manager == NULL || same(wanted->manager, manager_of(user), true)) &&
	       (wanted->group == NULL ||
		directory_shows_member(&scim->directory, wanted->group, user, now_ms));
}

/* A name is looked up in the index; anything else asks every user. */
static void collect(const struct scim *scim, const struct wanted *wanted, int64_t now_ms, struct page *page)
{
	const struct directory *dir = &scim->directory;

	if (wanted->user_name != NULL) {
		for (const struct names_node *node = names_find(&dir->users_by_name, wanted->user_name);
		     node != NULL; node = names_next(node)) {
			const struct user *user = node->item;

			if (matches(scim, wanted, user, now_ms) && page_takes(page, user->number))
				user_print(user, &page->items);
		}
		return;
	}
	for (const struct user *user = dir->first_user; user != NULL; user = user->next)
		if (matches(scim, wanted, user, now_ms) && page_takes(page, user->number))
			user_print(user, &page->items);
}

void users_list(struct scim *scim, const struct scim_request *request, struct answer *answer)
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
		answer_error(answer, status, status == 404 ? DETAIL_NOT_FOUND : DETAIL_UNPARSABLE,
			     request->now_ms);
		return;
	}
	collect(scim, &wanted, request->now_ms, &page);
	page_finish(&page, answer);
}
