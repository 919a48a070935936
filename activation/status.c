/* The condition of an application and of a lane. */
#include "activation/activation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"

struct question {
	struct activation *activation;
	unsigned lane;
	union {
		activation_status_done *status;
		activation_lane_done *lane;
	} done;
	void *ctx;
};

static struct question *question_new(struct activation *activation, unsigned lane, void *ctx)
{
	struct question *q = calloc(1, sizeof(*q));

	if (q != NULL) {
		q->activation = activation;
		q->lane = lane;
		q->ctx = ctx;
	}
	return q;
}

static int64_t pair(const struct reply *pairs, const char *name)
{
	for (size_t i = 0; i + 1 < reply_count(pairs); i += 2)
		if (strcmp(reply_text(reply_at(pairs, i)), name) == 0)
			return reply_int(reply_at(pairs, i + 1));
	return 0;
}

static const char *pair_text(const struct reply *pairs, const char *name)
{
	for (size_t i = 0; i + 1 < reply_count(pairs); i += 2)
		if (strcmp(reply_text(reply_at(pairs, i)), name) == 0)
			return reply_text(reply_at(pairs, i + 1));
	return "";
}

static void read_condition(struct application_status *s, const struct reply *v)
{
	s->paused_ms = pair(v, "paused");
	s->removals_rest = pair(v, "rest") != 0;
	s->quarantined_ms = pair(v, "quarantined");
	s->quarantine_trials = pair(v, "trials");
	snprintf(s->quarantine_why, sizeof(s->quarantine_why), "%s", pair_text(v, "why"));
	snprintf(s->quarantine_text, sizeof(s->quarantine_text), "%s", pair_text(v, "text"));
	s->failed_pushes = pair(v, "failed");
	s->passed_pushes = pair(v, "passed");
}

static void read_test(struct application_status *s, const struct reply *v)
{
	const char *needs = pair_text(v, "needs");

	s->needs_test = needs[0] != '\0';
	s->unproved = s->needs_test && strcmp(needs, pair_text(v, "proof")) != 0;
	s->proved_ms = pair(v, "proved_at");
}

static void on_status(void *ctx, enum err err, const struct reply *reply)
{
	struct question *q = ctx;
	struct application_status s = {0};

	if (err == ERR_OK) {
		const struct reply *v = reply_at(reply, 3);

		core_answer(q->activation, q->lane, reply);
		s.now_ms = reply_int(reply_at(reply, 1));
		s.tokens_free = pair(v, "free");
		s.next_token_ms = pair(v, "token_at");
		s.closed_until_ms = pair(v, "closed_until");
		s.waiting = pair(v, "waiting");
		s.deferred = pair(v, "deferred");
		s.removals = pair(v, "removals");
		s.next_cycle_ms = pair(v, "next_cycle");
		s.cycle_started_ms = pair(v, "started");
		s.cycle_runs = s.cycle_started_ms > 0 && pair(v, "ended") == 0;
		s.cycle_total = pair(v, "total");
		s.cycle_left = pair(v, "left");
		s.cycle_pushes = pair(v, "pushes");
		s.cycle_failures = pair(v, "failures");
		s.last_started_ms = pair(v, "last_started");
		s.last_ended_ms = pair(v, "last_ended");
		s.last_total = pair(v, "last_total");
		s.last_pushes = pair(v, "last_pushes");
		s.last_failures = pair(v, "last_failures");
		s.cycle_eta_ms = pair(v, "eta");
		s.members = pair(v, "members");
		s.held = pair(v, "held");
		s.held_ms = pair(v, "held_since");
		s.users_created = pair(v, "users_created");
		s.users_updated = pair(v, "users_updated");
		s.users_deactivated = pair(v, "users_deactivated");
		s.users_deleted = pair(v, "users_deleted");
		read_condition(&s, v);
		read_test(&s, v);
	}
	q->done.status(q->ctx, err, err == ERR_OK ? &s : NULL);
	free(q);
}

void activation_status(struct activation *activation, const char *app, activation_status_done *done,
		       void *ctx)
{
	struct store_call call;
	struct terms terms;
	char text[TERMS_SIZE];
	unsigned lane = core_lane(activation, app);
	struct question *q = question_new(activation, lane, ctx);

	if (q == NULL || !activation->options.terms(activation->options.ctx, app, &terms)) {
		free(q);
		done(ctx, q == NULL ? ERR_NOMEM : ERR_NOT_FOUND, NULL);
		return;
	}
	q->done.status = done;
	core_terms(&terms, text);
	core_call(activation, &call, "jit_application", lane);
	call.read_only = true;
	store_arg(&call, text);
	store_call(activation->options.store, &call, on_status, q);
}

static void on_lane(void *ctx, enum err err, const struct reply *reply)
{
	struct question *q = ctx;
	struct lane_status s = {0};

	if (err == ERR_OK) {
		core_answer(q->activation, q->lane, reply);
		s.now_ms = reply_int(reply_at(reply, 1));
		s.timetable = reply_int(reply_at(reply, 3));
		s.removals = reply_int(reply_at(reply, 4));
		s.due = reply_int(reply_at(reply, 9));
		s.oldest_due_ms = reply_int(reply_at(reply, 10));
		s.oldest_removal_ms = reply_int(reply_at(reply, 5));
		s.notices = reply_int(reply_at(reply, 6));
		s.oldest_notice_ms = reply_int(reply_at(reply, 7));
		s.parked_notices = reply_int(reply_at(reply, 8));
		s.audit_events = reply_int(reply_at(reply, 11));
		s.audit_unsealed = reply_int(reply_at(reply, 12));
		s.audit_unexported = reply_int(reply_at(reply, 13));
		s.held = reply_int(reply_at(reply, 14));
		s.stranded = reply_int(reply_at(reply, 15));
		s.set_aside = reply_int(reply_at(reply, 16));
		s.oldest_aside_ms = reply_int(reply_at(reply, 17));
	}
	q->done.lane(q->ctx, err, err == ERR_OK ? &s : NULL);
	free(q);
}

void activation_lane(struct activation *activation, unsigned lane, activation_lane_done *done, void *ctx)
{
	struct store_call call;
	struct question *q = question_new(activation, lane, ctx);

	if (q == NULL) {
		done(ctx, ERR_NOMEM, NULL);
		return;
	}
	q->done.lane = done;
	core_call(activation, &call, "jit_lane", lane);
	call.read_only = true;
	store_call(activation->options.store, &call, on_lane, q);
}
