/* One assignmentScheduleRequest: asked for, shown, withdrawn. */
#include <stdio.h>

#include "api/api.h"
#include "api/decisions.h"
#include "api/handlers.h"
#include "api/object.h"
#include "api/refusals.h"
#include "api/render.h"
#include "api/rules.h"
#include "api/submit.h"
#include "base/iso8601.h"
#include "base/log.h"

static void count_outcome(struct metrics *metrics, const struct request *request)
{
	metrics->glass_broken += request->break_glass;
	switch (request->state) {
	case ST_PROVISIONING:
		metrics->pushed++;
		break;
	case ST_DEFERRED:
		metrics->deferred++;
		break;
	case ST_WAITING:
		metrics->waited++;
		break;
	case ST_SCHEDULED:
		metrics->scheduled++;
		break;
	case ST_IN_FORCE:
		metrics->joined++;
		break;
	case ST_AWAITING:
		metrics->awaiting++;
		break;
	case ST_NEW:
	case ST_EXPIRING:
	case ST_REVOKING:
	case ST_EXPIRED:
	case ST_REVOKED:
	case ST_CANCELED:
	case ST_DENIED:
	case ST_LAPSED:
	case ST_FAILED:
	case ST_COUNT:
		break;
	}
}

static void answer_request(struct call *call, int status, const struct request *request)
{
	const char *collection = call->about.kind == KIND_ELIGIBILITY ? "eligibilityScheduleRequests"
								      : "assignmentScheduleRequests";
	struct buf body, location;
	char what[64], maker[NAME_SIZE];

	buf_init(&body, RESPONSE_MAX);
	buf_init(&location, URL_MAX);
	if (status == 201 && !call->only_try) {
		buf_addf(&location, "%s/%s" GRAPH_PATH "/%s/%s", exchange_base_url(call->exchange),
			 call->beta ? "beta" : "v1.0", collection, request->id);
		exchange_set_header(call->exchange, "Location", buf_text(&location));
	}
	buf_release(&location);
	buf_adds(&body, "{");
	snprintf(what, sizeof(what), "%s/$entity", collection);
	call_context(call, &body, what);
	buf_adds(&body, ",");
	object_maker(call, request, maker);
	render_request(&body, request, call->about.kind, call->only_try, maker);
	if (call->only_try) {
		buf_adds(&body, ",\"policyRules\":");
		rules_list(&call->verdict, true, &body);
	}
	buf_adds(&body, "}");
	call_answer(call, status, NULL, &body);
}

/* The limit for which the store has refused a request, in the store's word. */
static const char *limit_of(enum err err)
{
	if (err == ERR_FULL)
		return "full";
	if (err == ERR_EXCLUDED)
		return "excluded";
	return err == ERR_POLICY ? "ineligible" : "";
}

/* Adds the store's word on its own rules. Of a trial it has told all of them; otherwise the one that refuses. */
static void hear_limits(struct call *call, enum err err, const struct request *request)
{
	if (call->policy == NULL || call->starts_later)
		return;
	if (!call->only_try)
		policy_add_limits(call->policy, limit_of(err), &call->verdict);
	else if (request != NULL)
		policy_add_limits(call->policy, request->beyond, &call->verdict);
}

/* Refuses with the rules that do: as the failure of policy, or as the limit's own error. */
static void refuse_by_rules(struct call *call, enum err err)
{
	struct buf sentence, rules;

	buf_init(&sentence, 1024);
	buf_init(&rules, 8192);
	if (err == ERR_POLICY)
		submit_refusal_sentence(call, call->policy, &sentence);
	rules_list(&call->verdict, call->only_try, &rules);
	call_error(call, err, sentence.len > 0 ? buf_text(&sentence) : NULL,
		   buf_failed(&rules) ? NULL : buf_text(&rules));
	buf_release(&sentence);
	buf_release(&rules);
}

static void on_asked(void *ctx, enum err err, const struct request *request)
{
	struct call *call = ctx;
	char message[256], end[ISO8601_TIME_SIZE];

	/* A trial that policy itself has refused already. */
	if (call->only_try && call->verdict.count > 0 && request != NULL)
		err = ERR_POLICY;
	hear_limits(call, err, request);
	if (err == ERR_OK && request != NULL) {
		if (!call->only_try) {
			if (call->about.kind == KIND_ASSIGNMENT)
				count_outcome(call->api->metrics, request);
			log_info("request", "req=%s action=%s group=%s person=%s state=%s break_glass=%s",
				 request->id, request->action, request->group, request->principal,
				 state_name(request->state), request->break_glass ? "yes" : "no");
		}
		answer_request(call, 201, request);
		return;
	}
	submit_log_refusal(call, err_code(err));
	if (call->policy != NULL && (call->verdict.count > 0 || (call->only_try && request != NULL))) {
		refuse_by_rules(call, err);
		return;
	}
	if ((err == ERR_EXISTS || err == ERR_PENDING) && request != NULL) {
		iso8601_format_time(request->end_ms, end);
		snprintf(message, sizeof(message), "%s Request %s gives it until %s.", err_message(err),
			 request->id, end);
		call_error(call, err, message, NULL);
		return;
	}
	call_error(call, err == ERR_OK ? ERR_INTERNAL : err, NULL, NULL);
}

void requests_post(struct call *call)
{
	if (!call_is_json(call))
		call_error(call, ERR_MEDIA_TYPE, NULL, NULL);
	else
		submit(call, on_asked);
}

static void on_cancelled(void *ctx, enum err err, const struct request *request)
{
	struct call *call = ctx;
	char outcome[DECISIONS_OUTCOME_SIZE];
	struct buf body;

	if (err == ERR_WRONG_STATE && request != NULL && request->needed_approval) {
		decisions_print_outcome(request, outcome, sizeof(outcome));
		call_error(call, err, outcome, NULL);
		return;
	}
	if (err == ERR_FORBIDDEN) {
		/* Another's request is not told from one that does not exist; the audit knows better. */
		refusals_note(call, err, "It is somebody else's request.", NULL);
		err = ERR_NOT_FOUND;
	}
	if (err != ERR_OK) {
		call_error(call, err, NULL, NULL);
		return;
	}
	buf_init(&body, 1);
	call_answer(call, 204, NULL, &body);
}

void requests_cancel(struct call *call)
{
	struct withdrawal who = {.by = call->caller.id,
				 .is_operator = call->caller.is_operator,
				 .actor = buf_text(&call->actor)};

	call->subject.action = "cancel";
	snprintf(call->subject.request, ID_SIZE, "%.36s", call->param);
	if (call->about.kind == KIND_ELIGIBILITY)
		activation_cancel_eligibility(call->api->activation, call->param, &who, on_cancelled, call);
	else
		activation_cancel(call->api->activation, call->param, &who, on_cancelled, call);
}
