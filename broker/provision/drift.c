#include "provision/drift.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/drift.h"
#include "base/log.h"
#include "provision/drift_set.h"
#include "scim-push/listing.h"

#define BATCH 50 /* groups in which one call looks for something to compare */

/* Findings that the store has not been told yet. */
struct bag {
	char **items; /* owned */
	size_t count, cap;
};

#define BAGS (DRIFT_FOREIGN + 1)

/* One group, or, where members can only be asked for one by one, a page of those whom the broker knows of. */
struct check {
	struct piece *piece;
	struct pusher *pusher;
	struct config *config; /* one reference */
	struct metrics *metrics;
	const struct config_application *application;
	const struct config_group *groups[BATCH];
	size_t group_count;
	const struct config_group *group; /* which is compared */
	struct drift_group told;          /* the same */
	struct listing listing;
	struct drift_set set;
	struct drift_row *rows; /* of a page whose users are asked for; with the texts below owned */
	char **texts;
	const char **users; /* owned; the listing's */
	size_t *places;     /* of the rows in their page; owned */
	size_t row_count;
	char at[24], page[24]; /* of the page that comes next; of the one that is asked for */
	size_t skip;           /* rows of it that were asked for by an earlier piece */
	bool by_name;          /* the group has been looked up by its name */
	bool failed;           /* the store was not told all */
	struct bag bags[BAGS];
	int64_t found[2]; /* returned, foreign */
	size_t foreign_at;
	void (*then)(struct check *check); /* when the bags are empty */
};

/* -- its life ----------------------------------------------------------------------------------------------------- */

static void free_rows(struct check *check)
{
	for (size_t i = 0; i < 2 * check->row_count; i++)
		free(check->texts[i]);
	free(check->texts);
	free(check->rows);
	free(check->users);
	free(check->places);
}

static void end(struct check *check)
{
	for (size_t i = 0; i < BAGS; i++) {
		for (size_t k = 0; k < check->bags[i].count; k++)
			free(check->bags[i].items[k]);
		free(check->bags[i].items);
	}
	free_rows(check);
	drift_set_release(&check->set);
	piece_end(check->piece);
	config_unref(check->config);
	free(check);
}

/* The group is done with, whatever came of it: the step goes on behind it. */
static void end_group(struct check *check)
{
	struct piece *piece = check->piece;

	snprintf(piece->next_at, sizeof(piece->next_at), "%s", check->group->id);
	for (size_t i = 0; i < check->group_count; i++)
		piece->walked += strcmp(check->groups[i]->id, check->group->id) <= 0;
	piece->did = 1;
	end(check);
}

static void end_broken(struct check *check, const char *why)
{
	log_warn("drift", "app=%s group=%s error=%s", check->application->id, check->group->id, why);
	check->piece->failures = 1;
	end_group(check);
}

/* What the last request means for the piece. True: the broker stops, and the group is another one's to compare. */
static bool take_end(struct check *check, const struct listing *listing, enum listing_end how)
{
	check->piece->closed_for_ms = listing->closed_for_ms;
	check->piece->unanswered = listing->unanswered;
	return how == LISTING_ABORTED;
}

static const char *text_of(const char *words)
{
	return words[0] != '\0' ? words : "no memory is left";
}

/* -- what was found is told --------------------------------------------------------------------------------------- */

static void keep(struct check *check, enum drift_what what, const char *text, const char *more)
{
	struct bag *bag = &check->bags[what];
	size_t len = strlen(text) + strlen(more) + 2;
	char *item = malloc(len), **items = bag->items;

	if (bag->count == bag->cap) {
		items = realloc(bag->items, (bag->cap + DRIFT_FOUND_MAX) * sizeof(*items));
		if (items != NULL) {
			bag->items = items;
			bag->cap += DRIFT_FOUND_MAX;
		}
	}
	if (item == NULL || items == NULL) { /* the next cycle finds it */
		free(item);
		check->failed = true;
		return;
	}
	snprintf(item, len, "%s%s%s", text, more[0] != '\0' ? "\n" : "", more);
	bag->items[bag->count++] = item;
}

static void tell(struct check *check);

static void on_told(void *ctx, int64_t count)
{
	struct check *check = ctx;

	if (count < 0)
		end(check); /* another broker goes on */
	else
		tell(check);
}

static void on_returned(void *ctx, int64_t count)
{
	struct check *check = ctx;

	check->found[0] += count > 0 ? count : 0;
	check->metrics->drift[METRICS_RETURNED] += count > 0 ? (uint64_t)count : 0;
	on_told(ctx, count);
}

static void on_foreign(void *ctx, int64_t count)
{
	struct check *check = ctx;

	check->found[1] += count > 0 ? count : 0;
	check->metrics->drift[METRICS_FOREIGN] += count > 0 ? (uint64_t)count : 0;
	on_told(ctx, count);
}

/* The last of a bag, as many as one call takes. */
static void tell_bag(struct check *check, enum drift_what what)
{
	struct bag *bag = &check->bags[what];
	size_t count = bag->count < DRIFT_FOUND_MAX ? bag->count : DRIFT_FOUND_MAX;
	struct drift_finding finding = {.what = what,
					.group = &check->told,
					.group_id = check->listing.group_id,
					.items = bag->items + bag->count - count,
					.count = count,
					.left = bag->count};
	char *told[DRIFT_FOUND_MAX];

	if (what == DRIFT_FOREIGN)
		finding.left += drift_set_foreigners(&check->set, check->foreign_at);
	/* The call may end the check. */
	memcpy(told, finding.items, count * sizeof(told[0]));
	finding.items = told;
	bag->count -= count;
	drift_found(check->piece, &finding,
		    what == DRIFT_RETURNED  ? on_returned
		    : what == DRIFT_FOREIGN ? on_foreign
					    : on_told,
		    check);
	for (size_t i = 0; i < count; i++)
		free(told[i]);
}

static void tell(struct check *check)
{
	for (size_t i = 0; i < BAGS; i++)
		if (check->bags[i].count > 0) {
			tell_bag(check, (enum drift_what)i);
			return;
		}
	check->then(check);
}

static void compare(struct check *check, const struct drift_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum drift_what what;

		if (drift_set_compare(&check->set, &rows[i], &what))
			keep(check, what, what == DRIFT_MISSING ? rows[i].person : rows[i].user,
			     what == DRIFT_MISSING ? "" : rows[i].person);
	}
}

static void on_group_told(void *ctx, int64_t count)
{
	(void)count;
	end_group(ctx);
}

static void tell_end(struct check *check)
{
	if (check->found[0] + check->found[1] > 0)
		log_warn("drift", "app=%s group=%s returned=%lld foreign=%lld", check->application->id,
			 check->group->id, (long long)check->found[0], (long long)check->found[1]);
	drift_end(check->piece, &check->told, check->found, on_group_told, check);
}

/* -- all members are listed --------------------------------------------------------------------------------------- */

/* Those who are left of the list. Nothing is said of them when it is not sure that all others were compared. */
static void tell_foreign(struct check *check)
{
	const char *id = NULL;

	while (check->told.exclusive != DRIFT_OPEN && !check->failed &&
	       check->bags[DRIFT_FOREIGN].count < DRIFT_FOUND_MAX &&
	       (id = drift_set_foreign(&check->set, &check->foreign_at)) != NULL)
		keep(check, DRIFT_FOREIGN, id, "");
	check->then = id != NULL ? tell_foreign : tell_end;
	tell(check);
}

static void ask_page(struct check *check);

static void on_page(void *ctx, const struct drift_page *page)
{
	struct check *check = ctx;

	if (page == NULL) {
		end_broken(check, "the store did not say whom it knows of");
		return;
	}
	compare(check, page->rows, page->count);
	snprintf(check->at, sizeof(check->at), "%s", page->next);
	/* What could not be kept is not told, and a page of it would come again for ever. */
	check->then = page->next[0] != '\0' && !check->failed ? ask_page : tell_foreign;
	tell(check);
}

static void ask_page(struct check *check)
{
	drift_page(check->piece, check->group->id, check->at, on_page, check);
}

static void list_members(struct check *check);

static void on_listed(void *ctx, struct listing *listing, enum listing_end how)
{
	struct check *check = ctx;

	if (take_end(check, listing, how)) {
		end(check);
	} else if (how == LISTING_GONE && !check->by_name) {
		/* Deleted, and perhaps made again under the same name. */
		listing->group_id[0] = '\0';
		list_members(check);
	} else if (how == LISTING_WHOLE && drift_set_sort(&check->set)) {
		ask_page(check);
	} else {
		end_broken(check, text_of(listing->words));
	}
}

static void on_member(void *ctx, const char *user_id)
{
	struct check *check = ctx;

	drift_set_add(&check->set, user_id);
}

static void list_members(struct check *check)
{
	check->by_name = check->listing.group_id[0] == '\0';
	if (!listing_start(check->pusher, &check->listing))
		end_broken(check, text_of(check->listing.words));
}

/* -- members are asked for one by one ----------------------------------------------------------------------------- */

/* The next page is a piece of its own, with a token of its own. */
static void end_page(struct check *check)
{
	struct piece *piece = check->piece;

	if (check->at[0] == '\0' || check->failed) {
		tell_end(check);
		return;
	}
	snprintf(piece->next_at, sizeof(piece->next_at), "%s %s %zu", check->group->id, check->at,
		 check->skip);
	end(check);
}

/* Those of whom the application has been asked; where the time was too short for all, the next piece goes on with the rest. */
static void compare_page(struct check *check, size_t asked)
{
	check->skip = 0;
	if (asked < check->row_count) {
		memcpy(check->at, check->page, sizeof(check->at));
		/* The list of those who are gone becomes shorter by each who is compared. */
		check->skip = strcmp(check->page, "gone") == 0 ? 0 : check->places[asked];
	}
	compare(check, check->rows, asked);
	check->then = end_page;
	tell(check);
}

static void on_asked(void *ctx, struct listing *listing, enum listing_end how)
{
	struct check *check = ctx;

	if (take_end(check, listing, how))
		end(check);
	else if ((how == LISTING_WHOLE || listing->asked > 0) && drift_set_sort(&check->set))
		compare_page(check, listing->asked);
	else
		end_broken(check, text_of(listing->words));
}

/* Those of whom nothing could be said are not asked for. */
static bool copy_rows(struct check *check, const struct drift_page *page)
{
	check->rows = calloc(page->count + 1, sizeof(*check->rows));
	check->texts = calloc(2 * (page->count + 1), sizeof(*check->texts));
	check->places = calloc(page->count + 1, sizeof(*check->places));
	if (check->rows == NULL || check->texts == NULL || check->places == NULL)
		return false;
	for (size_t i = check->skip; i < page->count; i++) {
		char **texts = &check->texts[2 * check->row_count];

		if (page->rows[i].kind == DRIFT_KNOWN)
			continue;
		texts[0] = strdup(page->rows[i].user);
		texts[1] = strdup(page->rows[i].person);
		check->places[check->row_count] = i;
		check->rows[check->row_count++] = (struct drift_row){texts[0], texts[1], page->rows[i].kind};
		if (texts[0] == NULL || texts[1] == NULL)
			return false;
	}
	return true;
}

static void on_page_to_ask(void *ctx, const struct drift_page *page)
{
	struct check *check = ctx;

	if (page == NULL || !copy_rows(check, page)) {
		end_broken(check, "the store did not say whom it knows of");
		return;
	}
	memcpy(check->page, check->at, sizeof(check->page));
	snprintf(check->at, sizeof(check->at), "%s", page->next);
	if (check->row_count == 0) {
		check->skip = 0;
		end_page(check);
		return;
	}
	check->users = calloc(check->row_count, sizeof(*check->users));
	if (check->users == NULL) {
		end_broken(check, "no memory is left");
		return;
	}
	for (size_t i = 0; i < check->row_count; i++)
		check->users[i] = check->rows[i].user;
	check->listing.users = check->users;
	check->listing.user_count = check->row_count;
	if (!listing_start(check->pusher, &check->listing))
		end_broken(check, text_of(check->listing.words));
}

/* -- which group -------------------------------------------------------------------------------------------------- */

static void look(struct check *check, const char *group_id)
{
	bool lists = listing_way(&check->application->scim.dialect) == LISTING_ALL;
	struct listing *listing = &check->listing;

	listing->target = &check->application->scim;
	snprintf(listing->group_id, sizeof(listing->group_id), "%s", group_id);
	listing->group_name = check->group->name;
	listing->group_external_id = check->group->external_id;
	listing->deadline_ms = check->piece->deadline_ms;
	listing->on_member = on_member;
	listing->on_end = lists ? on_listed : on_asked;
	listing->ctx = check;
	if (lists)
		list_members(check);
	else
		drift_page(check->piece, check->group->id, check->at, on_page_to_ask, check);
}

static void on_group(void *ctx, enum drift_word word, size_t index, const char *group_id)
{
	struct check *check = ctx;
	struct piece *piece = check->piece;

	if (word == DRIFT_LOOK && index < check->group_count) {
		check->group = check->groups[index];
		check->told = (struct drift_group){check->group->id, check->group->exclusive};
		look(check, group_id);
		return;
	}
	if (word == DRIFT_NOTHING) {
		snprintf(piece->next_at, sizeof(piece->next_at), "%s",
			 check->groups[check->group_count - 1]->id);
		piece->walked = (int64_t)check->group_count;
	}
	end(check);
}

/* The groups behind the place where the step is: "", a group's id, or one, a page of it, and how much of that was asked for
 * ("ID PAGE SKIP"). */
static void take_groups(struct check *check)
{
	const char *at = check->piece->at, *page = strchr(at, ' ');
	bool one = page != NULL;
	char id[ID_SIZE];

	snprintf(id, sizeof(id), "%.*s", page != NULL ? (int)(page - at) : ID_SIZE - 1, at);
	page = page != NULL ? page + 1 : "0 0";
	snprintf(check->at, sizeof(check->at), "%.*s", (int)strcspn(page, " "), page);
	check->skip = strtoul(page + strcspn(page, " "), NULL, 10);
	for (size_t i = 0; i < check->config->group_count && check->group_count < BATCH; i++) {
		const struct config_group *group = &check->config->groups[i];
		int order = strcmp(group->id, id);

		if (group->application == check->application && (one ? order == 0 : order > 0))
			check->groups[check->group_count++] = group;
	}
}

static bool is_checked(const struct config_application *application)
{
	return application->check_drift && listing_way(&application->scim.dialect) != LISTING_NONE;
}

int64_t drift_work(const struct config *config, const struct config_application *application)
{
	int64_t count = 0;

	for (size_t i = 0; i < config->group_count && is_checked(application); i++)
		count += config->groups[i].application == application;
	return count;
}

static struct check *check_new(const struct step_tools *tools, struct piece *piece)
{
	const struct config_application *application = config_application(tools->config, piece->application);
	struct check *check =
		application != NULL && is_checked(application) ? calloc(1, sizeof(*check)) : NULL;

	if (check == NULL)
		return NULL;
	check->piece = piece;
	check->pusher = tools->pusher;
	check->config = config_ref(tools->config);
	check->metrics = tools->metrics;
	check->application = application;
	take_groups(check);
	return check;
}

void drift_take(const struct step_tools *tools, struct piece *piece)
{
	struct check *check = check_new(tools, piece);
	struct drift_group groups[BATCH];

	if (check == NULL || check->group_count == 0) {
		/* Also where the group of that page has left the configuration: those behind it wait for the next cycle. */
		piece->is_last = true;
		if (check != NULL)
			end(check);
		else
			piece_end(piece);
		return;
	}
	for (size_t i = 0; i < check->group_count; i++)
		groups[i] = (struct drift_group){check->groups[i]->id, check->groups[i]->exclusive};
	drift_find(piece, groups, check->group_count, on_group, check);
}
