#include "activation/activation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"
#include "activation/timetable.h"
#include "base/clock.h"
#include "base/log.h"

#define PLAN_AT_ONCE 64 /* cycles planned in parallel at the start */

/* A call that somebody waits for. */
struct pending {
	struct activation *activation;
	unsigned lane;
	int64_t begun_ms;
	union {
		activation_done *request;
		activation_status_done *status;
		activation_lane_done *lane;
	} done;
	void *ctx;
};

static struct pending *pending_new(struct activation *activation, unsigned lane, void *ctx)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (p != NULL) {
		p->activation = activation;
		p->lane = lane;
		p->begun_ms = clock_mono_ms();
		p->ctx = ctx;
	}
	return p;
}

/* The functions' words, as errors. */
static enum err word_to_err(const char *word)
{
	static const struct {
		const char *word;
		enum err err;
	} words[] = {
		{"ok", ERR_OK},
		{"same", ERR_OK},
		{"reused", ERR_KEY_REUSED},
		{"past", ERR_START_IN_PAST},
		{"exists", ERR_EXISTS},
		{"pending", ERR_PENDING},
		{"many", ERR_TOO_MANY},
		{"none", ERR_NOT_FOUND},
		{"denied", ERR_FORBIDDEN},
		{"state", ERR_WRONG_STATE},
		{"full", ERR_FULL},
		{"excluded", ERR_EXCLUDED},
		{"decided", ERR_DECIDED},
		{"own", ERR_OWN_REQUEST},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].err;
	return ERR_INTERNAL;
}

/* Answers {word, now, next, request or '', order or ''}. */
static void on_request(void *ctx, enum err err, const struct reply *reply)
{
	struct pending *p = ctx;
	struct request *request = calloc(1, sizeof(*request));
	bool have = false;

	if (err == ERR_OK) {
		err = word_to_err(core_answer(p->activation, p->lane, reply));
		have = request != NULL && request_read(request, reply_at(reply, 3));
		if (request == NULL)
			err = ERR_NOMEM;
	}
	p->done.request(p->ctx, err, have ? request : NULL);
	if (reply != NULL)
		core_hand_out(p->activation, reply_at(reply, 4), p->begun_ms);
	free(request);
	free(p);
}

static void on_deactivated(void *ctx, enum err err, const struct reply *reply)
{
	struct pending *p = ctx;

	if (err == ERR_OK && strcmp(reply_text(reply_at(reply, 0)), "none") == 0) {
		core_answer(p->activation, p->lane, reply);
		p->done.request(p->ctx, ERR_NO_ASSIGNMENT, NULL);
		free(p);
		return;
	}
	on_request(ctx, err, reply);
}

static void add_field(struct store_call *call, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	store_arg(call, name);
	store_arg(call, value);
}

struct ask_numbers {
	char start[24], duration[24], end[24];
};

static void add_ask(struct store_call *call, const struct ask *ask, struct ask_numbers *numbers)
{
	snprintf(numbers->start, sizeof(numbers->start), "%lld", (long long)ask->start_ms);
	snprintf(numbers->duration, sizeof(numbers->duration), "%lld", (long long)ask->duration_ms);
	snprintf(numbers->end, sizeof(numbers->end), "%lld", (long long)ask->end_ms);
	add_field(call, "h", ask->fingerprint);
	add_field(call, "ap", ask->application);
	add_field(call, "g", ask->group);
	add_field(call, "p", ask->principal);
	add_field(call, "by", ask->created_by);
	add_field(call, "ac", ask->action);
	add_field(call, "j", ask->justification);
	add_field(call, "tn", ask->ticket_number);
	add_field(call, "ts", ask->ticket_system);
	add_field(call, "a", ask->start_ms > 0 ? numbers->start : NULL);
	add_field(call, "d", ask->duration_ms > 0 ? numbers->duration : NULL);
	add_field(call, "e", ask->duration_ms == 0 && ask->end_ms > 0 ? numbers->end : NULL);
}

void activation_submit(struct activation *activation, const struct ask *ask, activation_done *done, void *ctx)
{
	struct store_call call;
	struct terms terms;
	struct ask_numbers numbers;
	char text[TERMS_SIZE], push_id[ID_SIZE];
	unsigned lane = core_lane(activation, ask->application);
	struct pending *p = pending_new(activation, lane, ctx);

	if (p == NULL || !activation->options.terms(activation->options.ctx, ask->application, &terms)) {
		free(p);
		done(ctx, p == NULL ? ERR_NOMEM : ERR_NOT_FOUND, NULL);
		return;
	}
	p->done.request = done;
	core_terms(&terms, text);
	id_make(lane, push_id);
	core_call(activation, &call, "jit_submit", lane);
	store_arg(&call, text);
	store_arg(&call, ask->id);
	store_arg(&call, push_id);
	store_arg(&call, ask->person);
	store_arg(&call, ask->group_name);
	store_arg(&call, ask->only_try ? "1" : "0");
	add_ask(&call, ask, &numbers);
	store_call(activation->options.store, &call, on_request, p);
}

void activation_deactivate(struct activation *activation, const struct ask *ask, activation_done *done,
			   void *ctx)
{
	struct store_call call;
	struct terms terms;
	struct ask_numbers numbers;
	char text[TERMS_SIZE];
	unsigned lane = core_lane(activation, ask->application);
	struct pending *p = pending_new(activation, lane, ctx);

	if (p == NULL || !activation->options.terms(activation->options.ctx, ask->application, &terms)) {
		free(p);
		done(ctx, p == NULL ? ERR_NOMEM : ERR_NOT_FOUND, NULL);
		return;
	}
	p->done.request = done;
	core_terms(&terms, text);
	core_call(activation, &call, "jit_deactivate", lane);
	store_arg(&call, text);
	store_arg(&call, ask->id);
	store_arg(&call, ask->only_try ? "1" : "0");
	add_ask(&call, ask, &numbers);
	store_call(activation->options.store, &call, on_deactivated, p);
}

/* A call about one request, whose lane is in its id. NULL after having answered `done`. */
static struct pending *about_request(struct activation *activation, const char *id, activation_done *done,
				     void *ctx)
{
	int lane = core_lane_of_id(activation, id);
	struct pending *p = lane < 0 ? NULL : pending_new(activation, (unsigned)lane, ctx);

	if (p == NULL)
		done(ctx, lane < 0 ? ERR_NOT_FOUND : ERR_NOMEM, NULL);
	else
		p->done.request = done;
	return p;
}

void activation_cancel(struct activation *activation, const char *id, const struct actor *actor,
		       activation_done *done, void *ctx)
{
	struct store_call call;
	struct pending *p = about_request(activation, id, done, ctx);

	if (p == NULL)
		return;
	core_call(activation, &call, "jit_cancel", p->lane);
	store_arg(&call, id);
	store_arg(&call, actor->id);
	store_arg(&call, actor->is_operator ? "1" : "0");
	store_call(activation->options.store, &call, on_request, p);
}

void activation_get(struct activation *activation, const char *id, activation_done *done, void *ctx)
{
	struct store_call call;
	struct pending *p = about_request(activation, id, done, ctx);

	if (p == NULL)
		return;
	core_call(activation, &call, "jit_get", p->lane);
	call.read_only = true;
	store_arg(&call, id);
	store_call(activation->options.store, &call, on_request, p);
}

static int64_t pair(const struct reply *pairs, const char *name)
{
	for (size_t i = 0; i + 1 < reply_count(pairs); i += 2)
		if (strcmp(reply_text(reply_at(pairs, i)), name) == 0)
			return reply_int(reply_at(pairs, i + 1));
	return 0;
}

static void on_status(void *ctx, enum err err, const struct reply *reply)
{
	struct pending *p = ctx;
	struct application_status s = {0};

	if (err == ERR_OK) {
		const struct reply *v = reply_at(reply, 3);

		core_answer(p->activation, p->lane, reply);
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
	}
	p->done.status(p->ctx, err, err == ERR_OK ? &s : NULL);
	free(p);
}

void activation_status(struct activation *activation, const char *app, activation_status_done *done,
		       void *ctx)
{
	struct store_call call;
	struct terms terms;
	char text[TERMS_SIZE];
	unsigned lane = core_lane(activation, app);
	struct pending *p = pending_new(activation, lane, ctx);

	if (p == NULL || !activation->options.terms(activation->options.ctx, app, &terms)) {
		free(p);
		done(ctx, p == NULL ? ERR_NOMEM : ERR_NOT_FOUND, NULL);
		return;
	}
	p->done.status = done;
	core_terms(&terms, text);
	core_call(activation, &call, "jit_application", lane);
	call.read_only = true;
	store_arg(&call, text);
	store_call(activation->options.store, &call, on_status, p);
}

static void on_lane(void *ctx, enum err err, const struct reply *reply)
{
	struct pending *p = ctx;
	struct lane_status s = {0};

	if (err == ERR_OK) {
		core_answer(p->activation, p->lane, reply);
		s.now_ms = reply_int(reply_at(reply, 1));
		s.timetable = reply_int(reply_at(reply, 3));
		s.removals = reply_int(reply_at(reply, 4));
		s.oldest_removal_ms = reply_int(reply_at(reply, 5));
	}
	p->done.lane(p->ctx, err, err == ERR_OK ? &s : NULL);
	free(p);
}

void activation_lane(struct activation *activation, unsigned lane, activation_lane_done *done, void *ctx)
{
	struct store_call call;
	struct pending *p = pending_new(activation, lane, ctx);

	if (p == NULL) {
		done(ctx, ERR_NOMEM, NULL);
		return;
	}
	p->done.lane = done;
	core_call(activation, &call, "jit_lane", lane);
	call.read_only = true;
	store_call(activation->options.store, &call, on_lane, p);
}

struct plan {
	struct activation *activation;
	unsigned lane;
};

static void plan_one(struct activation *activation);

static void on_planned(void *ctx, enum err err, const struct reply *reply)
{
	struct plan *plan = ctx;

	if (err == ERR_OK)
		core_answer(plan->activation, plan->lane, reply);
	else
		log_warn("plan_cycle", "error=%s", err_message(err));
	if (err == ERR_OK)
		plan_one(plan->activation);
	free(plan);
}

/* Plans the cycle of the next application that has none yet; its answer goes on to the one after. */
static void plan_one(struct activation *activation)
{
	struct store_call call;
	struct terms terms;
	char text[TERMS_SIZE];
	struct plan *plan;

	if (!activation->ready || activation->stopped ||
	    !activation->options.application(activation->options.ctx, activation->planned, &terms))
		return;
	plan = calloc(1, sizeof(*plan));
	if (plan == NULL)
		return;
	activation->planned++;
	plan->activation = activation;
	plan->lane = core_lane(activation, terms.app);
	core_terms(&terms, text);
	core_call(activation, &call, "jit_plan_cycle", plan->lane);
	store_arg(&call, text);
	store_call(activation->options.store, &call, on_planned, plan);
}

static void plan_all(struct activation *activation)
{
	activation->planned = 0;
	for (int i = 0; i < PLAN_AT_ONCE; i++)
		plan_one(activation);
}

static void set_history(struct activation *activation, int64_t history_ms)
{
	activation->options.history_ms = history_ms;
	snprintf(activation->history, sizeof(activation->history), "%lld", (long long)history_ms);
}

struct activation *activation_new(const struct activation_options *options)
{
	struct activation *activation = calloc(1, sizeof(*activation));

	if (activation == NULL)
		return NULL;
	activation->options = *options;
	set_history(activation, options->history_ms);
	activation->clock_offset_ms = clock_wall_ms() - clock_mono_ms();
	activation->timetable = timetable_new(activation);
	if (activation->timetable == NULL) {
		free(activation);
		return NULL;
	}
	return activation;
}

void activation_free(struct activation *activation)
{
	if (activation == NULL)
		return;
	timetable_free(activation->timetable);
	free(activation);
}

void activation_store_ready(struct activation *activation, bool ready)
{
	activation->ready = ready;
	if (!ready || activation->stopped)
		return;
	plan_all(activation);
	timetable_start(activation->timetable);
}

void activation_reload(struct activation *activation, int64_t poll_ms, int64_t history_ms)
{
	activation->options.poll_ms = poll_ms;
	set_history(activation, history_ms);
	if (activation->ready)
		plan_all(activation);
}

void activation_stop(struct activation *activation)
{
	activation->stopped = true;
	timetable_stop(activation->timetable);
}

int64_t activation_now_ms(const struct activation *activation)
{
	return clock_mono_ms() + activation->clock_offset_ms;
}

size_t orders_open(const struct activation *activation)
{
	return activation->orders;
}
