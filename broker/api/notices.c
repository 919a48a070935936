/* What is on its way to those who want to know, and what has not arrived: for operators. */
#include <stdlib.h>
#include <string.h>

#include "activation/notices.h"
#include "api/api.h"
#include "api/handlers.h"
#include "api/render.h"

#define NOTICES_PAGE 100 /* deliveries shown of one lane, and of all: parked ones first */

/* All lanes' answers, put together. */
struct notices_reading {
	struct call *call;
	unsigned lanes_left;
	enum err err;
	struct buf targets, parked, waiting;
	size_t shown;
	bool more;
	struct notice_target *sums; /* over the lanes, by name; owned */
	size_t sum_count;
};

static void add_text(struct buf *out, const char *name, const char *text)
{
	render_text(out, name, text);
	buf_adds(out, ",");
}

static void add_time(struct buf *out, const char *name, int64_t ms)
{
	render_time(out, name, ms);
	buf_adds(out, ",");
}

static void add_delivery(struct buf *out, const struct notice *n)
{
	bool parked = n->parked_ms > 0;

	buf_adds(out, out->len > 0 ? ",{" : "{");
	add_text(out, "id", n->delivery);
	add_text(out, "state", parked ? "parked" : "waiting");
	add_text(out, "event", n->kind);
	add_text(out, "target", n->target);
	add_text(out, "mailbox", n->to);
	add_text(out, "requestId", n->request.id);
	add_text(out, "groupId", n->request.group);
	add_text(out, "applicationId", n->request.application);
	add_time(out, "createdDateTime", n->made_ms);
	add_time(out, "parkedDateTime", n->parked_ms);
	add_time(out, "nextAttemptDateTime", parked ? 0 : n->due_ms);
	add_text(out, "lastAnswer", n->answer);
	buf_addf(out, "\"attempts\":%u}", n->tries);
}

static void add_sum(struct notices_reading *reading, const struct notice_target *target)
{
	struct notice_target *grown;

	for (size_t i = 0; i < reading->sum_count; i++) {
		struct notice_target *sum = &reading->sums[i];

		if (strcmp(sum->name, target->name) != 0)
			continue;
		sum->waiting += target->waiting;
		sum->lost += target->lost;
		sum->gone = sum->gone || target->gone;
		if (target->silent_till_ms > sum->silent_till_ms)
			sum->silent_till_ms = target->silent_till_ms;
		return;
	}
	grown = realloc(reading->sums, (reading->sum_count + 1) * sizeof(*grown));
	if (grown == NULL) {
		reading->err = ERR_NOMEM;
		return;
	}
	reading->sums = grown;
	grown[reading->sum_count++] = *target;
}

static void add_targets(struct notices_reading *reading)
{
	for (size_t i = 0; i < reading->sum_count; i++) {
		const struct notice_target *sum = &reading->sums[i];

		buf_adds(&reading->targets, i > 0 ? ",{" : "{");
		add_text(&reading->targets, "name", sum->name);
		add_time(&reading->targets, "silentUntilDateTime", sum->silent_till_ms);
		buf_addf(&reading->targets, "\"waiting\":%lld,\"lost\":%lld,\"disabled\":%s}",
			 (long long)sum->waiting, (long long)sum->lost, sum->gone ? "true" : "false");
	}
}

static void finish(struct notices_reading *reading)
{
	struct call *call = reading->call;
	struct buf body;

	buf_init(&body, RESPONSE_MAX);
	if (reading->err == ERR_OK) {
		add_targets(reading);
		buf_addf(&body, "{\"targets\":[%s],\"more\":%s,\"value\":[%s%s%s]}",
			 buf_text(&reading->targets), reading->more ? "true" : "false",
			 buf_text(&reading->parked),
			 reading->parked.len > 0 && reading->waiting.len > 0 ? "," : "",
			 buf_text(&reading->waiting));
		if (buf_failed(&reading->targets) || buf_failed(&reading->parked) ||
		    buf_failed(&reading->waiting))
			buf_fail(&body);
		call_answer(call, 200, NULL, &body);
	} else {
		call_error(call, reading->err, NULL, NULL);
	}
	buf_release(&reading->targets);
	buf_release(&reading->parked);
	buf_release(&reading->waiting);
	free(reading->sums);
	free(reading);
}

static void on_lane(void *ctx, enum err err, const struct notice_targets *targets,
		    const struct notice_list *list)
{
	struct notices_reading *reading = ctx;

	if (err != ERR_OK)
		reading->err = err;
	for (size_t i = 0; err == ERR_OK && i < targets->count; i++)
		add_sum(reading, &targets->targets[i]);
	for (size_t i = 0; err == ERR_OK && i < list->count; i++) {
		const struct notice *n = &list->notices[i];

		if (reading->shown++ < NOTICES_PAGE)
			add_delivery(n->parked_ms > 0 ? &reading->parked : &reading->waiting, n);
		else
			reading->more = true;
	}
	if (--reading->lanes_left == 0)
		finish(reading);
}

void notices_show(struct call *call)
{
	struct notices_reading *reading = calloc(1, sizeof(*reading));
	unsigned lanes = store_lanes(call->api->store);

	if (reading == NULL) {
		call_error(call, ERR_NOMEM, NULL, NULL);
		return;
	}
	reading->call = call;
	reading->lanes_left = lanes + 1;
	buf_init(&reading->targets, RESPONSE_MAX);
	buf_init(&reading->parked, RESPONSE_MAX);
	buf_init(&reading->waiting, RESPONSE_MAX);
	for (unsigned i = 0; i < lanes; i++)
		notices_list(call->api->activation, &(struct notice_query){i, NOTICES_PAGE}, on_lane,
			     reading);
	if (--reading->lanes_left == 0)
		finish(reading);
}

static void on_ordered(void *ctx, enum err err, const char *word)
{
	struct call *call = ctx;
	struct buf body;

	(void)word;
	if (err != ERR_OK) {
		call_error(call, err, err == ERR_NOT_FOUND ? "There is no such delivery." : NULL, NULL);
		return;
	}
	buf_init(&body, 1);
	call_answer(call, 204, NULL, &body);
}

static void order(struct call *call, const char *word)
{
	const struct notice_order order = {.id = call->param, .word = word, .actor = buf_text(&call->actor)};

	notices_order(call->api->activation, &order, on_ordered, call);
}

void notices_send(struct call *call)
{
	order(call, "send");
}

void notices_discard(struct call *call)
{
	order(call, "discard");
}
