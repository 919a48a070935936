/* One membership pushed because an operator wants to see how that goes. */
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"
#include "activation/operate.h"
#include "base/clock.h"

struct question {
	struct activation *activation;
	unsigned lane;
	int64_t begun_ms;
	provision_done *done;
	void *ctx;
};

static enum err word_to_err(const char *word)
{
	static const struct {
		const char *word;
		enum err err;
	} words[] = {
		{"push", ERR_OK},       {"nothing", ERR_OK},          {"busy", ERR_BUSY},
		{"paused", ERR_PAUSED}, {"throttled", ERR_THROTTLED}, {"unproved", ERR_UNPROVED},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].err;
	return ERR_INTERNAL;
}

static void on_provision(void *ctx, enum err err, const struct reply *reply)
{
	struct question *q = ctx;
	struct order *order = NULL;
	int64_t wait_ms = 0;

	if (err == ERR_OK) {
		const char *word = core_answer(q->activation, q->lane, reply);

		err = word_to_err(word);
		if (strcmp(word, "push") == 0) {
			order = order_read(q->activation, reply_at(reply, 3), q->begun_ms);
			/* The claim runs out, and another broker takes the push over. */
			err = order == NULL ? ERR_NOMEM : ERR_OK;
		} else if (err == ERR_THROTTLED) {
			wait_ms = reply_int(reply_at(reply, 3)) - reply_int(reply_at(reply, 1));
		}
	}
	q->done(q->ctx, err, order, wait_ms);
	free(q);
}

void operate_provision(struct activation *activation, const struct provision_ask *ask, provision_done *done,
		       void *ctx)
{
	struct question *q = calloc(1, sizeof(*q));
	struct store_call call;
	struct terms terms;
	char text[TERMS_SIZE], push_id[ID_SIZE];

	if (q == NULL || !activation->options.terms(activation->options.ctx, ask->app, &terms)) {
		done(ctx, q == NULL ? ERR_NOMEM : ERR_NOT_FOUND, NULL, 0);
		free(q);
		return;
	}
	q->activation = activation;
	q->lane = core_lane(activation, ask->app);
	q->begun_ms = clock_mono_ms();
	q->done = done;
	q->ctx = ctx;
	core_terms(&terms, text);
	id_make(q->lane, push_id);
	core_call_by(activation, &call, "jit_provision", q->lane, ask->actor);
	store_arg(&call, text);
	store_arg(&call, push_id);
	store_arg(&call, ask->group);
	store_arg(&call, ask->principal);
	store_call(activation->options.store, &call, on_provision, q);
}
