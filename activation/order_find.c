/*
 * A call whose answer did not come may have begun a push: then the claim is this broker's, and without the order
 * nobody carries it out until the claim has run out. So the order is asked for by the push's id, until the store says
 * what became of the call. The store sends what it was given in its order, so the answer is final.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"
#include "activation/order.h"
#include "base/clock.h"
#include "base/log.h"

#define AGAIN_MS    250
#define FIND_FOR_MS (10 * 60 * 1000) /* the longest push_timeout: later no claim is left */

struct search {
	struct activation *activation;
	unsigned lane;
	char id[ID_SIZE];
	int64_t begun_ms;
	bool for_all; /* what has been found may be carried out only once the replicas know of it */
	uv_timer_t timer;
};

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void end(struct search *search)
{
	search->activation->orders--;
	uv_close((uv_handle_t *)&search->timer, on_closed);
}

static void ask(struct search *search);

static void on_again(uv_timer_t *timer)
{
	ask(timer->data);
}

static void on_found(void *ctx, enum err err, const struct reply *reply)
{
	struct search *search = ctx;
	struct activation *activation = search->activation;

	if (err != ERR_OK && !activation->stopped && clock_mono_ms() - search->begun_ms < FIND_FOR_MS) {
		uv_timer_start(&search->timer, on_again, AGAIN_MS, 0);
		return;
	}
	if (err == ERR_OK && strcmp(core_answer(activation, search->lane, reply), "push") == 0) {
		if (!search->for_all && order_adds(reply_at(reply, 3))) {
			search->for_all = true;
			ask(search);
			return;
		}
		log_info("push_found", "push=%s", search->id);
		core_hand_out(activation, reply_at(reply, 3), search->begun_ms);
	}
	end(search);
}

/*
 * Nobody is added before the replicas, where there are some to wait for, know of it: should the master be lost, nobody
 * would take them away again. To take somebody away does not wait, as a replica that is away must keep nobody's access.
 */
static void ask(struct search *search)
{
	struct store_call call;

	core_call(search->activation, &call, "jit_push_order", search->lane);
	call.at_once = !search->for_all;
	store_arg(&call, search->id);
	store_call(search->activation->options.store, &call, on_found, search);
}

void core_find_order(struct activation *activation, unsigned lane, const char *push_id, int64_t begun_ms)
{
	struct search *search = activation->stopped ? NULL : calloc(1, sizeof(*search));

	if (search == NULL)
		return; /* the claim runs out */
	search->activation = activation;
	search->lane = lane;
	search->begun_ms = begun_ms;
	snprintf(search->id, sizeof(search->id), "%s", push_id);
	uv_timer_init(activation->options.loop, &search->timer);
	search->timer.data = search;
	activation->orders++;
	ask(search);
}
