/* What Redis knows of memberships, for a drain that runs beside it. */
#include <stdlib.h>

#include "activation/held.h"
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

/* At least as long as a call may take; and nothing is pushed before there is a token, so until then a Redis that is slow,
 * or reads its data, is waited for. */
static int64_t patience_ms(const struct drain *drain)
{
	int64_t least = INT64_MAX, now = clock_mono_ms();

	for (size_t i = 0; i < drain->config->application_count; i++)
		if (drain->buckets[i].back_ms[0] - now < least)
			least = drain->buckets[i].back_ms[0] - now;
	return least == INT64_MAX || least < drain->config->redis_timeout_ms ? drain->config->redis_timeout_ms
									     : least;
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
	uv_timer_start(&drain->timer, on_late, (uint64_t)patience_ms(drain), 0);
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
	question->done(question->ctx, question->item, err == ERR_OK, held_read(reply).membership);
	free(question);
}

void drain_ask_one(struct drain *drain, size_t item, drain_told *done, void *ctx)
{
	const struct escrow_line *line = &drain->items[item].line;
	struct question *question = malloc(sizeof(*question));
	const struct held_question held = {.application = line->application,
					   .group = line->group,
					   .principal = line->principal,
					   .request = ""};
	struct store_call call;

	if (question == NULL) {
		done(ctx, item, false, false);
		return;
	}
	*question = (struct question){drain, item, done, ctx};
	drain->asked++;
	held_call(drain->store, &held, &call);
	store_call(drain->store, &call, on_answer, question);
}
