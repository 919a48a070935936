/*
 * First five, then the cycle. What was answered as being pushed is at the application at once, unless something stands in
 * the way or it ends before; what was answered as deferred waits for the cycle that it was told, which begins then, and
 * nothing of it is sent before. (What ends before its cycle comes and is pushed all the same has no grant: judge_access.c.)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/torture/judge.h"

#define BESIDE_MS 50 /* two clocks of one machine, and their rounding */

static bool gives(const struct judge *judge, const struct judge_op *op)
{
	return op->status / 100 == 2 && !judge->people[op->person].needs_approval &&
	       (strcmp(op->action, "selfActivate") == 0 || strcmp(op->action, "selfExtend") == 0);
}

static bool is_deferred(const struct judge_op *op)
{
	return strcmp(op->state, "deferred") == 0;
}

/* Until when access that is granted at that moment goes on; that moment itself when none is. */
static int64_t granted_until(const struct judge *judge, size_t person, int64_t at_ms)
{
	int64_t until = at_ms;
	size_t count;
	struct judge_span *spans = judge_grants(judge, person, true, &count);

	for (size_t i = 0; i < count; i++)
		if (spans[i].from_ms <= at_ms && spans[i].to_ms > at_ms)
			until = spans[i].to_ms < judge->end_ms ? spans[i].to_ms : judge->end_ms;
	free(spans);
	return until;
}

/* -- at once ----------------------------------------------------------------------------------------------------- */

/* When the application sees something of a push of theirs, from that moment on; at the latest `until`. */
static int64_t pushed_at(const struct judge *judge, size_t person, int64_t from_ms, int64_t until_ms)
{
	const struct judge_app *app = &judge->apps[judge->people[person].app];

	for (size_t i = 0; i < app->count && app->entries[i].received_ms < until_ms; i++)
		if (app->entries[i].received_ms >= from_ms - BESIDE_MS &&
		    judge_is_of_push(judge, &app->entries[i], person))
			return app->entries[i].received_ms;
	return until_ms;
}

static void check_at_once(struct judge *judge, const struct judge_op *op)
{
	int64_t from = op->start_ms > op->created_ms ? op->start_ms : op->created_ms;
	int64_t until = pushed_at(judge, op->person, from, granted_until(judge, op->person, from));
	int64_t hindered = judge_hindered(judge, op->person, from, until);

	judge->at_once++;
	if (until - from - hindered > judge->target_ms)
		judge_say(judge, NULL,
			  "broken: op-%ld of person %zu was being pushed from %lld on, and nothing came for "
			  "%lld ms, of "
			  "which %lld are excused",
			  op->number, op->person, (long long)from, (long long)(until - from),
			  (long long)hindered);
}

/* -- with the cycle ---------------------------------------------------------------------------------------------- */

/* When the first cycle began that could take what is deferred by this answer; INT64_MAX = none. One that runs takes what
 * was there when it began, and then says of itself that it is the one. */
static int64_t cycle_for(const struct judge *judge, const struct judge_op *op)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < judge->cycle_count; i++) {
		const struct judge_cycle *cycle = &judge->cycles[i];

		if (cycle->app == (int)judge->people[op->person].app && cycle->started_ms < first &&
		    (cycle->started_ms >= op->sent_ms - BESIDE_MS || cycle->started_ms == op->next_ms))
			first = cycle->started_ms;
	}
	return first;
}

/* May this call, or any other of that person's, bring them to the application at that moment? */
static bool may_be_pushed(const struct judge *judge, size_t person, int64_t at_ms)
{
	for (size_t i = 0; i < judge->op_count; i++) {
		const struct judge_op *op = &judge->ops[i];

		if (op->person == person && gives(judge, op) && op->first_ms <= at_ms &&
		    op->end_ms > at_ms - judge->push_timeout_ms &&
		    (!is_deferred(op) || cycle_for(judge, op) <= at_ms + BESIDE_MS))
			return true;
	}
	return false;
}

static void check_not_before(struct judge *judge, const struct judge_op *op)
{
	const struct judge_app *app = &judge->apps[judge->people[op->person].app];
	int64_t cycle = cycle_for(judge, op);

	for (size_t i = 0; i < app->count && app->entries[i].received_ms < cycle; i++) {
		const struct judge_entry *entry = &app->entries[i];
		int64_t since = entry->received_ms - op->answered_ms;

		if (!entry->is_patch || !entry->adds || !judge_is_for(entry, &judge->people[op->person]) ||
		    since <= (judge_is_troubled(judge, entry->received_ms) ? judge->push_timeout_ms : 0) ||
		    may_be_pushed(judge, op->person, entry->received_ms))
			continue;
		judge_say(judge, NULL,
			  "broken: op-%ld of person %zu was deferred at %lld and pushed at %lld, before any "
			  "cycle",
			  op->number, op->person, (long long)op->answered_ms, (long long)entry->received_ms);
		return;
	}
}

/* While one pushes its successor is put off. */
static bool runs_at(const struct judge *judge, size_t app, int64_t at_ms)
{
	for (size_t i = 0; i < judge->cycle_count; i++)
		if (judge->cycles[i].app == (int)app && judge->cycles[i].started_ms < at_ms &&
		    (judge->cycles[i].ended_ms == 0 || judge->cycles[i].ended_ms > at_ms))
			return true;
	return false;
}

static void check_comes(struct judge *judge, const struct judge_op *op)
{
	int64_t cycle = cycle_for(judge, op), due = op->next_ms;
	int64_t until = granted_until(judge, op->person, op->created_ms), hindered;

	until = cycle < until ? cycle : until;
	if (until <= due || runs_at(judge, judge->people[op->person].app, due) ||
	    may_be_pushed(judge, op->person, due))
		return;
	hindered = judge_hindered(judge, op->person, due, until);
	if (until - due - hindered > judge->target_ms)
		judge_say(judge, NULL,
			  "broken: op-%ld of person %zu was told of a cycle at %lld, and none came for %lld "
			  "ms, of which "
			  "%lld are excused",
			  op->number, op->person, (long long)due, (long long)(until - due),
			  (long long)hindered);
}

/* In quarantine cycles are further apart, and that comes of faults alone. */
static bool had_trouble(const struct judge *judge, size_t app, int64_t before_ms)
{
	for (size_t i = 0; i < judge->fault_count; i++)
		if (judge->faults[i].app == (int)app && judge->faults[i].from_ms < before_ms)
			return true;
	return false;
}

static void check_deferred(struct judge *judge, const struct judge_op *op)
{
	judge->deferred++;
	if (op->next_ms <= 0 || (op->next_ms > op->answered_ms + judge->cycle_ms + BESIDE_MS &&
				 !had_trouble(judge, judge->people[op->person].app, op->answered_ms))) {
		judge_say(judge, NULL, "broken: op-%ld of person %zu was deferred to %lld", op->number,
			  op->person, (long long)op->next_ms);
		return;
	}
	check_not_before(judge, op);
	check_comes(judge, op);
}

void judge_first(struct judge *judge)
{
	for (size_t i = 0; i < judge->op_count; i++) {
		const struct judge_op *op = &judge->ops[i];

		if (!gives(judge, op) || judge->people[op->person].in_doubt)
			continue;
		if (strcmp(op->state, "pushing") == 0)
			check_at_once(judge, op);
		else if (is_deferred(op))
			check_deferred(judge, op);
	}
}
