/* When somebody had access by what was granted to them, and which time between its end and its removal is excused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/torture/judge.h"

#define CLAIM_MS      5000 /* what was claimed from the timetable is another's after that */
#define GRACE_MS      2000 /* and a push so long after its deadline */
#define LOOK_MS       500
#define RETRY_MAX_MS  30000
#define RETRY_DOUBLES 5
#define NOW_MS        50 /* about the same moment */

/* -- grants ----------------------------------------------------------------------------------------------------- */

static int by_from(const void *a, const void *b)
{
	const struct judge_span *left = a, *right = b;

	return (left->from_ms > right->from_ms) - (left->from_ms < right->from_ms);
}

/* What was given back ends what there is; what was withdrawn never was. */
static void cut(struct judge_span *spans, size_t count, const struct judge_op *op)
{
	int64_t at = op->created_ms > 0 ? op->created_ms : op->answered_ms;

	for (size_t i = 0; i < count; i++)
		if (spans[i].to_ms > at)
			spans[i].to_ms = at > spans[i].from_ms ? at : spans[i].from_ms;
}

static size_t unite(struct judge_span *spans, size_t count)
{
	size_t kept = 0;

	if (count > 0)
		qsort(spans, count, sizeof(*spans), by_from);
	for (size_t i = 0; i < count; i++) {
		if (spans[i].to_ms <= spans[i].from_ms)
			continue;
		if (kept > 0 && spans[i].from_ms <= spans[kept - 1].to_ms) {
			if (spans[i].to_ms > spans[kept - 1].to_ms)
				spans[kept - 1].to_ms = spans[i].to_ms;
		} else {
			spans[kept++] = spans[i];
		}
	}
	return kept;
}

struct judge_span *judge_grants(const struct judge *judge, size_t person, bool united, size_t *count)
{
	struct judge_span *spans = NULL;

	*count = 0;
	for (size_t i = 0; i < judge->op_count; i++) {
		const struct judge_op *op = &judge->ops[i];

		if (op->person != person || op->status / 100 != 2)
			continue;
		/* What has waited for an approver and was withdrawn has given nothing, and takes nothing. */
		if (strcmp(op->action, "cancel") == 0 && judge->people[person].needs_approval)
			continue;
		if (strcmp(op->action, "selfDeactivate") == 0 || strcmp(op->action, "cancel") == 0) {
			cut(spans, *count, op);
			continue;
		}
		spans = judge_grow(spans, *count, sizeof(*spans));
		spans[(*count)++] = (struct judge_span){op->start_ms, op->end_ms};
	}
	if (united)
		*count = unite(spans, *count);
	return spans;
}

/* -- excuses ---------------------------------------------------------------------------------------------------- */

struct excuses {
	size_t count;
	struct judge_span *all;
	int64_t failures; /* that the application's log shows */
};

static void excuse(struct excuses *excuses, int64_t from_ms, int64_t to_ms)
{
	excuses->all = judge_grow(excuses->all, excuses->count, sizeof(*excuses->all));
	excuses->all[excuses->count++] = (struct judge_span){from_ms, to_ms};
}

static int64_t take_over(const struct judge *judge)
{
	int64_t push = judge->push_timeout_ms + GRACE_MS;

	return (push > CLAIM_MS ? push : CLAIM_MS) + LOOK_MS;
}

static int64_t retry_ms(int64_t failures)
{
	int64_t ms = INT64_C(1000) << (failures > RETRY_DOUBLES + 1 ? RETRY_DOUBLES : failures - 1);

	return ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
}

bool judge_is_for(const struct judge_entry *entry, const struct judge_person *person)
{
	if (!entry->is_patch)
		return strcmp(entry->body_user, person->user) == 0;
	if (strcmp(entry->group, person->group) != 0)
		return false;
	for (size_t i = 0; i < entry->user_count; i++)
		if (strcmp(entry->users[i], person->user) == 0)
			return true;
	return false;
}

/* Was a call or a push of theirs under way between these moments? */
static bool was_busy(const struct judge *judge, size_t person, int64_t from_ms, int64_t to_ms)
{
	const struct judge_app *app = &judge->apps[judge->people[person].app];

	for (size_t i = 0; i < judge->op_count; i++) {
		const struct judge_op *op = &judge->ops[i];

		if (op->person != person)
			continue;
		if (op->first_ms <= to_ms && (op->status == 0 || op->answered_ms >= from_ms))
			return true;
		/* What was scheduled begins by itself. */
		if (op->status / 100 == 2 && op->start_ms >= from_ms && op->start_ms <= to_ms)
			return true;
	}
	for (size_t i = 0; i < app->count; i++)
		if (app->entries[i].answered_ms >= from_ms && app->entries[i].received_ms <= to_ms &&
		    judge_is_for(&app->entries[i], &judge->people[person]))
			return true;
	return false;
}

/* What the application has answered with an error, or not at all. Failures before the end count, too: an addition that
 * failed is followed by a removal all the same. */
static void excuse_failures(const struct judge *judge, size_t person, int64_t end_ms, int64_t gone_ms,
			    struct excuses *excuses)
{
	const struct judge_app *app = &judge->apps[judge->people[person].app];

	for (size_t i = 0; i < app->count; i++) {
		const struct judge_entry *entry = &app->entries[i];
		bool failed = entry->status / 100 != 2 || entry->fault[0] != '\0';

		if (entry->received_ms < end_ms - judge->push_timeout_ms || entry->received_ms > gone_ms ||
		    !failed || !judge_is_for(entry, &judge->people[person]))
			continue;
		excuses->failures++;
		excuse(excuses, entry->received_ms,
		       entry->answered_ms + retry_ms(excuses->failures) + LOOK_MS);
	}
}

static void excuse_fault(const struct judge *judge, const struct judge_fault *fault, size_t person,
			 int64_t end_ms, struct excuses *excuses)
{
	int64_t after = take_over(judge), from = fault->from_ms, to = fault->to_ms;

	if (strcmp(fault->class, "app") == 0) {
		if (fault->app == (int)judge->people[person].app)
			excuse(excuses, from,
			       to + LOOK_MS +
				       retry_ms(excuses->failures + (to - from) / judge->answer_timeout_ms +
						1));
	} else if (strcmp(fault->class, "redis") == 0 || strcmp(fault->class, "memory") == 0) {
		excuse(excuses, from, to + judge->back_ms);
		if (end_ms <= to || was_busy(judge, person, from - judge->push_timeout_ms, to))
			excuse(excuses, from, to + after);
	} else if (strcmp(fault->class, "claim") == 0) {
		if (end_ms <= from + NOW_MS ||
		    was_busy(judge, person, from - judge->push_timeout_ms, from + NOW_MS))
			excuse(excuses, from, from + after);
	} else if (strcmp(fault->class, "grip") == 0) {
		if (end_ms <= to || was_busy(judge, person, from - judge->push_timeout_ms, to))
			excuse(excuses, from, to + after);
	}
}

static void excuse_tokens(const struct judge *judge, size_t app, struct excuses *excuses)
{
	for (size_t i = 0; i < judge->sample_count; i++) {
		int64_t at = judge->samples[i].at_ms;

		if (judge->samples[i].free[app] == 0)
			excuse(excuses, i > 0 ? judge->samples[i - 1].at_ms : at,
			       i + 1 < judge->sample_count ? judge->samples[i + 1].at_ms + LOOK_MS
							   : INT64_MAX);
	}
}

/* The length of what the spans cover between these moments. */
static int64_t covered(struct excuses *excuses, int64_t from_ms, int64_t to_ms)
{
	int64_t sum = 0;

	if (excuses->all == NULL)
		return 0;
	for (size_t i = 0; i < excuses->count; i++) {
		struct judge_span *span = &excuses->all[i];

		span->from_ms = span->from_ms > from_ms ? span->from_ms : from_ms;
		span->to_ms = span->to_ms < to_ms ? span->to_ms : to_ms;
	}
	excuses->count = unite(excuses->all, excuses->count);
	for (size_t i = 0; i < excuses->count; i++)
		sum += excuses->all[i].to_ms - excuses->all[i].from_ms;
	return sum;
}

/* What hinders besides. */
enum { LACKS_TOKENS = 1, LACKS_MEMORY = 2 };

static int64_t excused(const struct judge *judge, size_t person, int64_t end_ms, int64_t gone_ms, int which)
{
	struct excuses excuses = {0};
	int64_t sum;

	/* First of all: so many failures lie before those that a fault may have hidden. */
	excuse_failures(judge, person, end_ms, gone_ms, &excuses);
	for (size_t i = 0; i < judge->fault_count; i++)
		if ((which & LACKS_MEMORY || strcmp(judge->faults[i].class, "memory") != 0) &&
		    judge->faults[i].from_ms < gone_ms &&
		    judge->faults[i].to_ms + take_over(judge) + RETRY_MAX_MS > end_ms)
			excuse_fault(judge, &judge->faults[i], person, end_ms, &excuses);
	if (which & LACKS_TOKENS)
		excuse_tokens(judge, judge->people[person].app, &excuses);
	for (size_t i = 0; i < judge->stall_count; i++)
		excuse(&excuses, judge->stalls[i].from_ms, judge->stalls[i].to_ms + LOOK_MS);
	sum = covered(&excuses, end_ms, gone_ms);
	free(excuses.all);
	return sum;
}

int64_t judge_excused(const struct judge *judge, size_t person, int64_t end_ms, int64_t gone_ms)
{
	return excused(judge, person, end_ms, gone_ms, LACKS_TOKENS);
}

int64_t judge_hindered(const struct judge *judge, size_t person, int64_t from_ms, int64_t to_ms)
{
	return excused(judge, person, from_ms, to_ms, LACKS_MEMORY) > 0
		       ? excused(judge, person, from_ms, to_ms, LACKS_MEMORY | LACKS_TOKENS)
		       : 0;
}
