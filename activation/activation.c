/* The module's life: its start and end, the store coming and going, the cycles of all applications planned. */
#include "activation/activation.h"

#include <stdio.h>
#include <stdlib.h>

#include "activation/core.h"
#include "activation/review.h"
#include "activation/timetable.h"
#include "base/clock.h"
#include "base/log.h"

#define PLAN_AT_ONCE 64 /* cycles planned in parallel at the start */

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
	plan_one(plan->activation);
	free(plan);
}

/* Plans the cycle of the next application that has none yet; its answer goes on to the one after. */
static void plan_one(struct activation *activation)
{
	struct store_call call;
	struct terms terms;
	char text[TERMS_SIZE], token_ends[24];
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
	store_arg(&call, terms.proof);
	snprintf(token_ends, sizeof(token_ends), "%lld", (long long)terms.token_ends_ms);
	store_arg(&call, token_ends);
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
	snprintf(activation->history, sizeof(activation->history), "%lld:%s", (long long)history_ms,
		 activation->options.policies.digest);
}

struct activation *activation_new(const struct activation_options *options)
{
	struct activation *activation = calloc(1, sizeof(*activation));

	if (activation == NULL)
		return NULL;
	activation->options = *options;
	set_history(activation, options->history_ms);
	activation_tell(activation, "");
	activation->clock_offset_ms = clock_wall_ms() - clock_mono_ms();
	activation->timetable = timetable_new(activation);
	activation->review = review_new(activation);
	if (activation->timetable == NULL || activation->review == NULL) {
		activation_free(activation);
		return NULL;
	}
	return activation;
}

void activation_free(struct activation *activation)
{
	if (activation == NULL)
		return;
	timetable_free(activation->timetable);
	review_free(activation->review);
	free(activation);
}

void activation_lanes_known(struct activation *activation)
{
	if (!activation->stopped)
		timetable_start(activation->timetable);
}

void activation_store_ready(struct activation *activation, bool ready)
{
	activation->ready = ready;
	if (!ready || activation->stopped)
		return;
	plan_all(activation);
	timetable_start(activation->timetable);
	review_start(activation->review);
}

void activation_reload(struct activation *activation, int64_t poll_ms, int64_t history_ms,
		       const struct activation_policies *policies)
{
	activation->options.poll_ms = poll_ms;
	activation->options.policies = *policies;
	set_history(activation, history_ms);
	if (!activation->ready)
		return;
	plan_all(activation);
	review_start(activation->review);
}

void activation_tell(struct activation *activation, const char *tells)
{
	snprintf(activation->telling, sizeof(activation->telling), "0%s%s", tells[0] != '\0' ? " " : "",
		 tells);
}

void activation_stop(struct activation *activation)
{
	activation->stopped = true;
	timetable_stop(activation->timetable);
	review_stop(activation->review);
}

int64_t activation_now_ms(const struct activation *activation)
{
	return clock_mono_ms() + activation->clock_offset_ms;
}

size_t orders_open(const struct activation *activation)
{
	return activation->orders;
}
