/*
 * On-demand provisioning: one person and one group are pushed at once, and the answer shows each request with what
 * the application said. It makes the membership what is desired; it grants nothing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "activation/operate.h"
#include "server/error.h"
#include "api/api.h"
#include "api/bodies.h"
#include "api/handlers.h"
#include "api/render.h"
#include "base/clock.h"
#include "provision/provision.h"

#define ANSWER_BY_MS 8000 /* before the server's own deadline for an answer */

struct demand {
	struct call *call;
	int64_t begun_ms;
	bool add;
	char push_id[ID_SIZE];
	struct buf steps;
};

static void demand_free(struct demand *demand)
{
	buf_release(&demand->steps);
	free(demand);
}

static void on_step(void *ctx, const struct push_step *step)
{
	struct demand *demand = ctx;
	struct buf *out = &demand->steps;

	buf_adds(out, out->len > 0 ? ",{" : "{");
	render_text(out, "name", step->name);
	buf_adds(out, ",");
	render_text(out, "method", step->method);
	buf_adds(out, ",");
	render_text(out, "path", step->path);
	buf_adds(out, ",");
	render_text(out, "body", step->body);
	if (step->status > 0)
		buf_addf(out, ",\"status\":%ld,", step->status);
	else
		buf_adds(out, ",\"status\":null,");
	render_text(out, "result", step->outcome);
	buf_adds(out, ",");
	render_text(out, "reason", step->words);
	buf_addf(out, ",\"durationInMilliseconds\":%lld}", (long long)step->ms);
}

/* `words` is why it is not done; "" = it is. */
static void answer(struct demand *demand, const char *result, const char *words)
{
	struct buf body;

	buf_init(&body, RESPONSE_MAX);
	buf_adds(&body, "{");
	render_text(&body, "result", result);
	buf_addf(&body, ",\"action\":%s,",
		 demand->push_id[0] == '\0' ? "null"
		 : demand->add              ? "\"add\""
					    : "\"remove\"");
	render_text(&body, "reason", words);
	buf_adds(&body, ",");
	render_text(&body, "pushId", demand->push_id);
	buf_addf(&body, ",\"durationInMilliseconds\":%lld,\"steps\":[%s]}",
		 (long long)(clock_mono_ms() - demand->begun_ms), buf_text(&demand->steps));
	if (buf_failed(&demand->steps))
		buf_fail(&body);
	call_answer(demand->call, 200, NULL, &body);
	demand_free(demand);
}

static void on_end(void *ctx, const struct push *push)
{
	static const char *const results[] = {
		[PUSH_DONE] = "done",       [PUSH_RETRY] = "retry", [PUSH_REFUSED] = "refused",
		[PUSH_SKIPPED] = "skipped", [PUSH_SPLIT] = "split",
	};
	struct demand *demand = ctx;

	if (push == NULL) {
		call_error(demand->call, ERR_NOMEM, NULL, NULL);
		demand_free(demand);
		return;
	}
	answer(demand, results[push->members[0].verdict], push->members[0].error);
}

static void refuse(struct demand *demand, enum err err, int64_t wait_ms)
{
	if (err == ERR_THROTTLED)
		exchange_retry_after(demand->call->exchange, wait_ms);
	call_error(demand->call, err,
		   err == ERR_THROTTLED ? "The application's pushes are used up for now." : NULL, NULL);
	demand_free(demand);
}

static void on_order(void *ctx, enum err err, struct order *order, int64_t wait_ms)
{
	struct demand *demand = ctx;
	struct call *call = demand->call;
	struct provision_watch watch = {.on_step = on_step,
					.on_end = on_end,
					.ctx = demand,
					.deadline_ms = demand->begun_ms + ANSWER_BY_MS};

	if (err != ERR_OK) {
		refuse(demand, err, wait_ms);
	} else if (order == NULL) {
		answer(demand, "skipped",
		       "No assignment is in force, and the broker has given no membership: there is nothing "
		       "to do.");
	} else {
		demand->add = order->add;
		snprintf(demand->push_id, sizeof(demand->push_id), "%s", order->id);
		provision_watched(call->api->provisioner, call->config, order, &watch);
	}
}

void applications_provision(struct call *call)
{
	const struct config_application *application = config_application(call->config, call->param);
	struct body_membership wanted;
	const struct config_group *group = NULL;
	struct provision_ask ask;
	struct demand *demand;
	struct errctx ec = {""};
	size_t len;
	const char *body = exchange_body(call->exchange, &len);
	enum err err = body_read_membership(body, len, &wanted, &ec);

	if (err == ERR_OK)
		group = config_group(call->config, wanted.group);
	if (err != ERR_OK) {
		call_error(call, err, ec.text, NULL);
		return;
	}
	if (application == NULL || group == NULL || group->application != application) {
		call_error(call, ERR_NOT_FOUND, "There is no such group of that application.", NULL);
		return;
	}
	demand = calloc(1, sizeof(*demand));
	if (demand == NULL) {
		call_error(call, ERR_NOMEM, NULL, NULL);
		return;
	}
	demand->call = call;
	demand->begun_ms = clock_mono_ms();
	buf_init(&demand->steps, RESPONSE_MAX / 2);
	ask = (struct provision_ask){.app = application->id,
				     .actor = buf_text(&call->actor),
				     .group = group->id,
				     .principal = wanted.principal};
	operate_provision(call->api->activation, &ask, on_order, demand);
}
