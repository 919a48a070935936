/* GET /Groups with its filters: displayName, externalId, id, members.value, and id with members. */
#include <string.h>
#include <strings.h>

#include "scim-push/sandbox/page.h"
#include "scim-push/sandbox/scim.h"

/* What a filter asks for; NULL members are not asked for. */
struct wanted {
	const char *display_name;
	const char *external_id;
	const char *id;
	const struct user *member;
	bool nothing, everything;
};

static bool exact_names(const struct scim *scim)
{
	return scim->dialect.value[B_ATTRIBUTE_CASE] == CASE_EXACT;
}

static bool has_empty_value(const struct filter *filter)
{
	for (size_t i = 0; i < filter->count; i++)
		if (filter->terms[i].value[0] == '\0')
			return true;
	return false;
}

/* 0, or the status of the error. */
static int want_member(const struct scim *scim, const char *value, enum answered form, struct wanted *out)
{
	if (form == ANSWERED_400)
		return 400;
	out->member = form == ANSWERED ? directory_user(&scim->directory, value) : NULL;
	if (form == ANSWERED && out->member == NULL && scim->dialect.value[B_FILTERS] == FILTERS_RFC)
		out->member = directory_find_ghost(&scim->directory, value);
	if (form == ANSWERED && out->member == NULL && scim->dialect.value[B_FILTERS] == FILTERS_AWS)
		return 404;
	out->nothing = out->member == NULL;
	return 0;
}

/* A filter over attributes that groups do not have. */
static int want_unknown(const struct scim *scim, struct wanted *out)
{
	enum unknown_filter unknown = (enum unknown_filter)scim->dialect.value[B_UNKNOWN_FILTER];

	out->nothing = unknown == FILTER_NOTHING;
	out->everything = unknown == FILTER_EVERYTHING;
	return dialect_status(&scim->dialect, B_UNKNOWN_FILTER);
}

static size_t count_set(const char *const texts[5])
{
	size_t count = 0;

	for (size_t i = 0; i < 5; i++)
		count += texts[i] != NULL;
	return count;
}

static int read_filter(const struct scim *scim, const struct filter *filter, struct wanted *out)
{
	bool exact = exact_names(scim), aws = scim->dialect.value[B_FILTERS] == FILTERS_AWS;
	const char *with_id = filter_value(filter, "members", exact);
	const char *member = filter_value(filter, "members.value", exact);
	size_t known;

	if (aws && has_empty_value(filter))
		return 400;
	*out = (struct wanted){
		.display_name = filter_value(filter, "displayName", exact),
		.external_id = filter_value(filter, "externalId", exact),
		.id = filter_value(filter, "id", exact),
	};
	known = count_set(
		(const char *const[]){out->display_name, out->external_id, out->id, with_id, member});
	if (known < filter->count)
		return want_unknown(scim, out);
	/* AWS: one attribute, or id and members, which do not come alone. */
	if (aws &&
	    (filter->count == 2 ? with_id == NULL || out->id == NULL : filter->count > 2 || with_id != NULL))
		return 400;
	if (aws && filter->terms[0].element > 0)
		return 400;
	if (with_id != NULL)
		return want_member(scim, with_id, (enum answered)scim->dialect.value[B_ID_AND_MEMBERS], out);
	if (member != NULL)
		return want_member(scim, member, (enum answered)scim->dialect.value[B_MEMBERS_VALUE], out);
	return 0;
}

static bool matches(const struct scim *scim, const struct wanted *wanted, const struct group *group,
		    int64_t now_ms)
{
	bool exact = scim->dialect.value[B_FILTER_VALUES] != 0;

	if (group->visible_ms > now_ms || wanted->nothing)
		return false;
	if (wanted->everything)
		return true;
	if (wanted->display_name != NULL &&
	    (exact ? strcmp(wanted->display_name, group->display_name)
		   : strcasecmp(wanted->display_name, group->display_name)) != 0)
		return false;
	if (wanted->id != NULL && strcmp(wanted->id, group->id) != 0)
		return false;
	if (wanted->external_id != NULL &&
	    (group->external_id == NULL || strcmp(wanted->external_id, group->external_id) != 0))
		return false;
	return wanted->member == NULL ||
	       directory_shows_member(&scim->directory, group, wanted->member, now_ms);
}

struct search {
	const struct scim *scim;
	const struct scim_request *request;
	const struct wanted *wanted;
	struct page *page;
};

static void take(const struct search *search, const struct group *group)
{
	if (group != NULL && matches(search->scim, search->wanted, group, search->request->now_ms) &&
	    page_takes(search->page, group->number))
		group_print(search->scim, group, search->request, false, &search->page->items);
}

/* The index of names knows no order, and needs none: a name has one group, or a few. */
static void take_named(const struct search *search, const struct names *names, const char *name)
{
	for (const struct names_node *node = names_find(names, name); node != NULL; node = names_next(node))
		take(search, node->item);
}

/* Does every group match? Then most of the list need not be looked at. */
static bool wants_all(const struct scim *scim, const struct wanted *wanted, bool filtered)
{
	return scim->dialect.value[B_CREATED_LAG] == 0 && (!filtered || wanted->everything);
}

static void collect(const struct search *search, bool all)
{
	const struct directory *dir = &search->scim->directory;
	const struct wanted *wanted = search->wanted;

	if (wanted->id != NULL) {
		take(search, directory_group(dir, wanted->id));
	} else if (wanted->display_name != NULL) {
		take_named(search, &dir->groups_by_name, wanted->display_name);
	} else if (wanted->external_id != NULL) {
		take_named(search, &dir->groups_by_external_id, wanted->external_id);
	} else {
		for (size_t i = page_begin(search->page, &dir->groups, all);
		     i < dir->groups.count && !(all && page_is_full(search->page)); i++)
			take(search, roll_at(&dir->groups, i));
	}
}

void groups_list(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	struct wanted wanted = {0};
	struct filter filter;
	struct page page;
	struct search search = {scim, request, &wanted, &page};
	bool nothing, paged, all;
	int status = scim_filter(scim, request, &filter, &nothing);

	if (status == 0 && filter.count > 0 && !nothing)
		status = read_filter(scim, &filter, &wanted);
	wanted.nothing = wanted.nothing || nothing;
	paged = page_init(&page, request->query, &scim->dialect);
	if (status == 0 && !paged)
		status = 400;
	if (status != 0) {
		page_release(&page);
		answer_error(answer, status, status == 404 ? PROBLEM_NOT_FOUND : PROBLEM_FILTER,
			     request->now_ms);
		return;
	}
	all = wants_all(scim, &wanted, filter.count > 0) && !wanted.nothing;
	collect(&search, all);
	page_finish(&page, all ? scim->directory.groups.count : 0, answer);
}
