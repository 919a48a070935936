/* GET /Users with its filters: AWS' four, or any attribute that users have. */
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "scim-push/sandbox/page.h"
#include "scim-push/sandbox/scim.h"

#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

struct search {
	const struct scim *scim;
	const struct scim_request *request;
	const struct filter *filter;
	bool plain; /* the terms are those of the resource, see filter_matches() */
	bool nothing, everything;
	const char *user_name; /* an index leads to them, where one is asked for */
	const char *external_id;
	const char *id;
	const char *manager;       /* AWS' filters only */
	const struct group *group; /* members of it */
	struct page *page;
};

/* 0, or the status of the error. */
static int want_group(const char *value, struct search *out)
{
	const struct scim *scim = out->scim;
	enum answered form = (enum answered)scim->dialect.value[B_GROUPS_VALUE];

	if (form == ANSWERED_400)
		return 400;
	out->group = form == ANSWERED ? directory_group(&scim->directory, value) : NULL;
	if (form == ANSWERED && out->group == NULL && scim->dialect.value[B_FILTERS] == FILTERS_AWS)
		return 404;
	out->nothing = out->group == NULL;
	return 0;
}

static int read_aws(const struct filter *filter, struct search *out)
{
	const char *group = filter_value(filter, "groups.value", true);

	for (size_t i = 0; i < filter->count; i++)
		if (filter->terms[i].value[0] == '\0' || filter->terms[i].element > 0)
			return 400;
	out->manager = filter_value(filter, "manager", true);
	if (filter->count > 2)
		return 400;
	if (filter->count == 2)
		return out->id != NULL && out->manager != NULL ? 0 : 400;
	if (group != NULL)
		return want_group(group, out);
	return out->user_name != NULL || out->external_id != NULL ? 0 : 400;
}

static int read_plain(const struct filter *filter, struct search *out)
{
	const struct dialect *dialect = &out->scim->dialect;
	const char *group = filter_value(filter, "groups.value", false);

	if (group == NULL)
		group = filter_value(filter, "groups", false);
	if (group != NULL && filter->count == 1)
		return want_group(group, out);
	for (size_t i = 0; i < filter->count; i++) {
		if (user_attribute_known(filter->terms[i].attribute))
			continue;
		out->nothing = dialect->value[B_UNKNOWN_FILTER] == FILTER_NOTHING;
		out->everything = dialect->value[B_UNKNOWN_FILTER] == FILTER_EVERYTHING;
		return dialect_status(dialect, B_UNKNOWN_FILTER);
	}
	out->plain = true;
	return 0;
}

static int read_filter(const struct filter *filter, struct search *out)
{
	bool exact = out->scim->dialect.value[B_ATTRIBUTE_CASE] == CASE_EXACT;

	out->user_name = filter_value(filter, "userName", exact);
	out->external_id = filter_value(filter, "externalId", exact);
	out->id = filter_value(filter, "id", exact);
	return out->scim->dialect.value[B_FILTERS] == FILTERS_AWS ? read_aws(filter, out)
								  : read_plain(filter, out);
}

static bool same(const char *wanted, const char *have, bool exact)
{
	if (wanted == NULL)
		return true;
	return have != NULL && (exact ? strcmp(wanted, have) : strcasecmp(wanted, have)) == 0;
}

static const char *manager_of(const struct user *user)
{
	const cJSON *extension = cJSON_GetObjectItemCaseSensitive(user->attributes, ENTERPRISE);

	return json_string(cJSON_GetObjectItemCaseSensitive(extension, "manager"), "value");
}

/* All terms but that of the id, which is no attribute of the resource that is kept. */
static bool matches_plain(const struct search *search, const struct user *user)
{
	if (search->id != NULL)
		return search->filter->count == 1;
	return filter_matches(search->filter, user->attributes,
			      search->scim->dialect.value[B_FILTER_VALUES] == CASE_ANY);
}

static bool matches(const struct search *search, const struct user *user)
{
	bool exact = search->scim->dialect.value[B_FILTER_VALUES] == CASE_EXACT;
	int64_t now_ms = search->request->now_ms;

	if (user->visible_ms > now_ms || search->nothing)
		return false;
	if (search->everything)
		return true;
	return same(search->user_name, user_text(user, "userName"), exact) &&
	       same(search->external_id, user_text(user, "externalId"), true) &&
	       same(search->id, user->id, true) &&
	       (search->manager == NULL || same(search->manager, manager_of(user), true)) &&
	       (search->group == NULL ||
		directory_shows_member(&search->scim->directory, search->group, user, now_ms)) &&
	       (!search->plain || matches_plain(search, user));
}

static void take(const struct search *search, const struct user *user)
{
	if (user != NULL && matches(search, user) && page_takes(search->page, user->number))
		user_print(search->scim, user, search->request, &search->page->items);
}

static void take_named(const struct search *search, const struct names *names, const char *name)
{
	for (const struct names_node *node = names_find(names, name); node != NULL; node = names_next(node))
		take(search, node->item);
}

/* What has an index is looked up there; anything else asks every user. */
static void collect(const struct search *search, bool all)
{
	const struct directory *dir = &search->scim->directory;

	if (search->id != NULL) {
		take(search, directory_user(dir, search->id));
	} else if (search->user_name != NULL) {
		take_named(search, &dir->users_by_name, search->user_name);
	} else if (search->external_id != NULL) {
		take_named(search, &dir->users_by_external_id, search->external_id);
	} else {
		for (size_t i = page_begin(search->page, &dir->users, all);
		     i < dir->users.count && !(all && page_is_full(search->page)); i++)
			take(search, roll_at(&dir->users, i));
	}
}

void users_list(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct filter filter;
	struct page page;
	struct search search = {.scim = scim, .request = request, .filter = &filter, .page = &page};
	bool nothing, paged, all;
	int status = scim_filter(scim, request, &filter, &nothing);

	if (status == 0 && filter.count > 0 && !nothing)
		status = read_filter(&filter, &search);
	search.nothing = search.nothing || nothing;
	paged = page_init(&page, request->query, &scim->dialect);
	if (status == 0 && !paged)
		status = 400;
	if (status != 0) {
		page_release(&page);
		answer_error(answer, status, status == 404 ? PROBLEM_NOT_FOUND : PROBLEM_FILTER,
			     request->now_ms);
		return;
	}
	/* When every user matches, most of the list need not be looked at. */
	all = scim->dialect.value[B_CREATED_LAG] == 0 && !search.nothing &&
	      (filter.count == 0 || search.everything);
	collect(&search, all);
	page_finish(&page, all ? scim->directory.users.count : 0, answer);
}
