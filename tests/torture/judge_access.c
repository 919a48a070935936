/*
 * Access as the applications had it, against what was granted: how long each outlived its end, nothing that was brought
 * without a grant, and nothing that was taken while it was granted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/torture/judge.h"

#define BESIDE_MS 50   /* two clocks of one machine, and their rounding */
#define CHECK_MS  1000 /* from the question whether it is wanted to the application, on a busy machine */

/* One change of one person's membership. */
struct change {
	int64_t received_ms, at_ms; /* at: when it was made, at the latest */
	bool adds;
};

struct changes {
	size_t count;
	struct change *all; /* in the order in which they were made */
};

static bool names(const struct judge_entry *entry, const char *user)
{
	for (size_t i = 0; i < entry->user_count; i++)
		if (strcmp(entry->users[i], user) == 0)
			return true;
	return false;
}

static int by_time(const void *a, const void *b)
{
	const struct change *left = a, *right = b;

	return (left->at_ms > right->at_ms) - (left->at_ms < right->at_ms);
}

static struct changes changes_of(const struct judge *judge, const struct judge_person *person)
{
	const struct judge_app *app = &judge->apps[person->app];
	struct changes changes = {0};

	for (size_t i = 0; i < app->count; i++) {
		const struct judge_entry *entry = &app->entries[i];
		bool at_once = strstr(entry->fault, " after") != NULL;

		if (!entry->applied || strcmp(entry->group, person->group) != 0 ||
		    !names(entry, person->user))
			continue;
		changes.all = judge_grow(changes.all, changes.count, sizeof(*changes.all));
		changes.all[changes.count++] =
			(struct change){.received_ms = entry->received_ms,
					.at_ms = at_once ? entry->received_ms : entry->answered_ms,
					.adds = entry->adds};
	}
	if (changes.count > 0)
		qsort(changes.all, changes.count, sizeof(*changes.all), by_time);
	return changes;
}

/* -- 3: ends ---------------------------------------------------------------------------------------------------- */

/* When what ended at `end_ms` was really gone, before `until_ms`; -1 when it was not there any more, or had been
 * granted anew by then. */
static int64_t gone_at(const struct changes *changes, int64_t end_ms, int64_t until_ms, bool is_last)
{
	bool is_member = false;
	int64_t gone = -1;

	for (size_t i = 0; i < changes->count && changes->all[i].at_ms < until_ms; i++) {
		const struct change *change = &changes->all[i];

		if (change->at_ms > end_ms && is_member && !change->adds)
			gone = change->at_ms;
		is_member = change->adds;
	}
	if (!is_member)
		return gone;
	return is_last ? until_ms : -1;
}

static void check_end(struct judge *judge, size_t person, const struct changes *changes,
		      struct judge_span until)
{
	bool is_last = until.to_ms == judge->end_ms;
	int64_t gone = gone_at(changes, until.from_ms, until.to_ms, is_last);
	struct judge_end end = {.person = person, .end_ms = until.from_ms, .gone_ms = gone};
	int64_t late;

	if (gone < 0)
		return;
	end.excused_ms = judge_excused(judge, person, end.end_ms, gone);
	judge->ends = judge_grow(judge->ends, judge->end_count, sizeof(*judge->ends));
	judge->ends[judge->end_count++] = end;
	late = gone - end.end_ms - end.excused_ms;
	if (late > judge->target_ms)
		judge_say(judge, &judge->overdue,
			  "overdue: person %zu of application %zu ended at %lld and was removed after %lld "
			  "ms, of which "
			  "%lld are excused",
			  person, judge->people[person].app, (long long)end.end_ms,
			  (long long)(gone - end.end_ms), (long long)end.excused_ms);
}

static void check_ends(struct judge *judge, size_t person, const struct changes *changes)
{
	size_t count;
	struct judge_span *spans = judge_grants(judge, person, true, &count);

	for (size_t i = 0; i < count; i++) {
		int64_t until = i + 1 < count ? spans[i + 1].from_ms : judge->end_ms;

		if (spans[i].to_ms < judge->end_ms)
			check_end(judge, person, changes,
				  (struct judge_span){spans[i].to_ms,
						      until < judge->end_ms ? until : judge->end_ms});
	}
	free(spans);
}

/* -- 4 and 7: nothing without a grant, nothing against one ------------------------------------------------------- */

bool judge_is_troubled(const struct judge *judge, int64_t at_ms)
{
	for (size_t i = 0; i < judge->fault_count; i++)
		if (judge->faults[i].from_ms <= at_ms &&
		    judge->faults[i].to_ms >= at_ms - judge->push_timeout_ms - CHECK_MS)
			return true;
	for (size_t i = 0; i < judge->stall_count; i++)
		if (judge->stalls[i].from_ms <= at_ms &&
		    judge->stalls[i].to_ms >= at_ms - judge->push_timeout_ms)
			return true;
	return false;
}

static void check_change(struct judge *judge, size_t person, const struct change *change)
{
	/* A broker that stands still between its question and its sending sends until the push's deadline, not later. */
	int64_t slack =
		CHECK_MS + (judge_is_troubled(judge, change->received_ms) ? judge->push_timeout_ms : 0);
	bool granted = false, against = false;
	size_t count;
	struct judge_span *spans = judge_grants(judge, person, false, &count);

	for (size_t i = 0; i < count; i++) {
		granted = granted || (spans[i].from_ms <= change->received_ms + BESIDE_MS &&
				      spans[i].to_ms > change->received_ms - slack);
		against = against ||
			  (spans[i].from_ms <= change->received_ms - judge->push_timeout_ms - CHECK_MS &&
			   spans[i].to_ms > change->at_ms + BESIDE_MS);
	}
	free(spans);
	if (change->adds && !granted)
		judge_say(judge, NULL, "broken: person %zu was brought at %lld without a grant", person,
			  (long long)change->received_ms);
	if (!change->adds && against)
		judge_say(judge, NULL, "broken: person %zu was removed at %lld, and a grant says otherwise",
			  person, (long long)change->received_ms);
}

void judge_access(struct judge *judge)
{
	for (size_t i = 0; i < judge->person_count; i++) {
		struct changes changes;

		if (judge->people[i].in_doubt)
			continue;
		changes = changes_of(judge, &judge->people[i]);
		check_ends(judge, i, &changes);
		for (size_t n = 0; n < changes.count; n++)
			check_change(judge, i, &changes.all[n]);
		free(changes.all);
	}
}
