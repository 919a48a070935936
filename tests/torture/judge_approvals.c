/* What waited for an approver, and what became of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/torture/judge.h"

#define BESIDE_MS 50 /* two clocks of one machine, and their rounding */

/* One request, with all that is known of it. */
struct matter {
	struct judge_op *op;
	const struct judge_person *who;
	const struct judge_approval *approval; /* NULL = the store has none */
	const struct judge_event *outcome;     /* by which it stopped waiting; NULL = it did not */
};

static bool is(const char *text, const char *word)
{
	return strcmp(text, word) == 0;
}

static bool is_granted(const struct judge_event *outcome)
{
	return outcome != NULL && !is(outcome->to, "denied") && !is(outcome->to, "canceled") &&
	       !is(outcome->to, "lapsed");
}

/* -- finding ---------------------------------------------------------------------------------------------------- */

static const struct judge_approval *find_approval(const struct judge *judge, const char *request)
{
	for (size_t i = 0; i < judge->approval_count; i++)
		if (is(judge->approvals[i].request, request))
			return &judge->approvals[i];
	return NULL;
}

/* One outcome, by the trail; and it waited before. */
static const struct judge_event *find_outcome(struct judge *judge, const char *request)
{
	const struct judge_event *outcome = NULL;
	size_t count = 0;

	for (size_t i = 0; i < judge->event_count; i++) {
		const struct judge_event *event = &judge->events[i];

		if (!is(event->request, request))
			continue;
		if (is(event->from, "new") && !is(event->to, "awaiting"))
			judge_say(judge, NULL, "broken: %s is %s and has waited for no approver", request,
				  event->to);
		if (!is(event->from, "awaiting") || is(event->to, "awaiting"))
			continue;
		outcome = event;
		count++;
	}
	if (count != 1)
		judge_say(judge, NULL, "broken: %s has %zu outcomes", request, count);
	return outcome;
}

static bool was_canceled(const struct judge *judge, const char *request)
{
	for (size_t i = 0; i < judge->event_count; i++)
		if (is(judge->events[i].request, request) && is(judge->events[i].to, "canceled"))
			return true;
	return false;
}

/* The decision that the store goes by, among those that were sent; NULL when nobody sent it. */
static const struct judge_decision *find_decision(const struct judge *judge, const struct matter *matter)
{
	const struct judge_approval *approval = matter->approval;

	for (size_t i = 0; approval != NULL && i < judge->decision_count; i++) {
		const struct judge_decision *decision = &judge->decisions[i];

		if (is(decision->request, approval->request) && is(decision->by, approval->by) &&
		    is(approval->result, decision->approves ? "Approve" : "Deny") &&
		    approval->at_ms >= decision->first_ms - BESIDE_MS &&
		    (decision->status == 0 || approval->at_ms <= decision->answered_ms + BESIDE_MS))
			return decision;
	}
	return NULL;
}

/* -- judging ---------------------------------------------------------------------------------------------------- */

static void check_basis(struct judge *judge, const struct matter *matter,
			const struct judge_decision *decision)
{
	const struct judge_event *outcome = matter->outcome;
	bool by_time = is(outcome->to, "denied") && is(outcome->by, "time");
	bool granted = is_granted(outcome);

	judge->approved += granted;
	judge->timed_out += by_time;
	judge->withdrawn += is(outcome->to, "canceled");
	judge->denied += is(outcome->to, "denied") && !by_time;
	if (is(outcome->to, "canceled") || by_time) {
		if (matter->approval != NULL && !is(matter->approval->result, "NotReviewed"))
			judge_say(judge, NULL, "broken: %s is %s by %s, and somebody said %s",
				  outcome->request, outcome->to, outcome->by, matter->approval->result);
		return;
	}
	if (decision == NULL || decision->approves != granted || !is(outcome->by, decision->by))
		judge_say(judge, NULL, "broken: %s of person %zu is %s by %s without a decision that says so",
			  outcome->request, matter->op->person, outcome->to, outcome->by);
	if (is(outcome->by, matter->who->id))
		judge_say(judge, NULL, "broken: person %zu has decided %s, which is their own",
			  matter->op->person, outcome->request);
}

/* Whoever was told that their word counts is right in the end, all of them. */
static void check_acknowledged(struct judge *judge, const struct matter *matter)
{
	for (size_t i = 0; i < judge->decision_count; i++) {
		struct judge_decision *decision = &judge->decisions[i];
		const struct judge_approval *approval = matter->approval;
		const char *result = decision->approves ? "Approve" : "Deny";

		if (!is(decision->request, matter->op->id))
			continue;
		judge->too_late += decision->status == 409;
		if (is(decision->by, matter->who->id)) {
			judge->own += decision->status / 100 == 4;
			if (decision->status / 100 == 2)
				judge_say(judge, NULL,
					  "broken: person %zu was answered %d to %s of their own %s",
					  matter->op->person, decision->status, result, decision->request);
		}
		if (decision->status / 100 != 2)
			continue;
		decision->lost = approval == NULL || !is(approval->by, decision->by) ||
				 !is(approval->result, result) ||
				 is_granted(matter->outcome) != decision->approves;
		if (decision->lost)
			judge_say(judge, &judge->lost,
				  "lost: %s of %s by %s, answered %d; the store has %s by %s", result,
				  decision->request, decision->by, decision->status,
				  approval != NULL ? approval->result : "nothing",
				  approval != NULL ? approval->by : "nobody");
	}
}

/* What was approved can still be withdrawn as long as it has not been brought: then it was granted until that. */
static void check_withdrawal(struct judge *judge, const struct matter *matter)
{
	bool is_canceled = was_canceled(judge, matter->op->id);

	for (size_t i = 0; i < judge->op_count; i++) {
		struct judge_op *op = &judge->ops[i];

		if (!is(op->withdraws, matter->op->id) || op->status / 100 != 2)
			continue;
		op->lost = !is_canceled;
		if (op->lost)
			judge_say(judge, &judge->lost, "lost: %s was withdrawn by op-%ld and is not",
				  op->withdraws, op->number);
		else if (matter->op->end_ms > op->answered_ms)
			matter->op->end_ms = op->answered_ms;
	}
}

static void check_matter(struct judge *judge, struct judge_op *op)
{
	struct matter matter = {.op = op,
				.who = &judge->people[op->person],
				.approval = find_approval(judge, op->id),
				.outcome = find_outcome(judge, op->id)};
	const struct judge_decision *decision = find_decision(judge, &matter);
	bool granted = is_granted(matter.outcome) && decision != NULL && decision->approves;

	if (matter.outcome != NULL)
		check_basis(judge, &matter, decision);
	check_acknowledged(judge, &matter);
	op->start_ms = granted ? matter.approval->at_ms : 0;
	op->end_ms = granted ? matter.approval->at_ms + op->length_ms : 0;
	check_withdrawal(judge, &matter);
}

void judge_approvals(struct judge *judge)
{
	for (size_t i = 0; i < judge->decision_count; i++) {
		struct judge_decision *decision = &judge->decisions[i];

		judge->acknowledged += decision->status / 100 == 2;
		if (decision->status != 0)
			continue;
		decision->lost = true;
		judge_say(judge, &judge->lost, "lost: a decision on %s by %s was never answered",
			  decision->request, decision->by);
	}
	for (size_t i = 0; i < judge->op_count; i++) {
		struct judge_op *op = &judge->ops[i];

		if (op->person < judge->person_count && judge->people[op->person].needs_approval &&
		    op->status / 100 == 2 && (is(op->action, "selfActivate") || is(op->action, "selfExtend")))
			check_matter(judge, op);
	}
}
