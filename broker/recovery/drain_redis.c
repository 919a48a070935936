/* What Redis knows of memberships, for a drain that runs beside it. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "recovery/drain_parts.h"
#include "recovery/offline.h"

#define QUEUE_MAX 200000

static void decide(struct drain *drain, bool is_there)
{
	if (drain->begun)
		return;
	uv_timer_stop(&drain->timer);
	drain_decided(drain, is_there);
}

static void on_ready(void *ctx, bool ready, const char *why)
{
	struct drain *drain = ctx;

	if (!ready)
		log_info("escrow_drain", "redis=%s", why);
	else
		decide(drain, true);
}

static void on_late(uv_timer_t *timer)
{
	decide(timer->data, false);
}

bool drain_ask(struct drain *drain, struct errctx *ec)
{
	const struct config *config = drain->config;
	struct store_options options = offline_store(config);

	options.queue_max = QUEUE_MAX;
	options.on_ready = on_ready;
	options.ctx = drain;
	drain->store = store_new(&drain->loop, &options, ec);
	if (drain->store == NULL)
		return false;
	/* It is away when it is not ready by the time by which a call must have been answered. */
	uv_timer_start(&drain->timer, on_late, (uint64_t)config->redis_timeout_ms, 0);
	return true;
}

struct question {
	struct drain *drain;
	size_t item;
	drain_told *done;
	void *ctx;
};

static void on_answer(void *ctx, enum err err, const struct reply *reply)
{
	struct question *question = ctx;

	question->drain->asked--;
	question->done(question->ctx, question->item, err == ERR_OK, reply_int(reply_at(reply, 3)) != 0);
	free(question);
}

void drain_ask_one(struct drain *drain, size_t item, drain_told *done, void *ctx)
{
	const struct escrow_line *line = &drain->items[item].line;
	struct question *question = malloc(sizeof(*question));
	struct store_call call = {.function = "jit_held", .read_only = true};

	if (question == NULL) {
		done(ctx, item, false, false);
		return;
	}
	*question = (struct question){drain, item, done, ctx};
	drain->asked++;
	call.lane = store_lane_of(drain->store, line->application);
	store_arg(&call, "0");
	store_arg(&call, "0");
	store_arg(&call, line->group);
	store_arg(&call, line->principal);
	store_arg(&call, line->application);
	store_call(drain->store, &call, on_answer, question);
}
