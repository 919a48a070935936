/*
 * Approvals in the shape of Graph: an approval has the id of its request and one stage (step, under /beta) for each
 * round that policy asks for; deciding is a PATCH of the stage that is in progress.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "activation/changes.h"
#include "activation/decision.h"
#include "activation/policy.h"
#include "api/api.h"
#include "api/approvals.h"
#include "api/bodies.h"
#include "api/decisions.h"
#include "api/handlers.h"
#include "api/message.h"
#include "api/refusals.h"
#include "api/render.h"
#include "api/submit.h"
#include "base/iso8601.h"
#include "base/json.h"
#include "base/log.h"
#include "broker/person.h"
#include "broker/recheck.h"

#define ACCOUNTS_TEXT_MAX (64 * 1024) /* all user names of one person */

/* What an approver sends, kept while policy and the store are asked. */
struct verdict {
	struct call *call;
	char stage_id[NAME_SIZE]; /* "" = the stage that is in progress */
	bool approve;
	char justification[TEXT_SIZE];
	char message[APPROVAL_MESSAGE_SIZE];
	int status;                        /* of a good answer */
	const struct policy_names *groups; /* which it may be about; NULL or none = all */
	struct errctx declined;            /* what policy has against it by now */
};

/* The id of a stage is made from the request's: nothing has to be kept for it. */
static void stage_id(const struct request *request, unsigned stage, char out[ID_SIZE])
{
	char text[ID_SIZE + 32];
	int lane = id_lane(request->id);
	int len = snprintf(text, sizeof(text), "stage\n%s\n%u", request->id, stage);

	id_derive(lane < 0 ? 0 : (unsigned)lane, text, (size_t)len, out);
}

static const struct policy *policy_of(const struct call *call, const struct request *request)
{
	const struct config_group *group = config_group(call->config, request->group);

	return group != NULL ? &group->policy : NULL;
}

/* Is it the caller's own request, under this account or another one of the same person? */
static bool is_own(const struct call *call, const struct request *request)
{
	const struct caller *caller = &call->caller;

	return strcmp(request->principal, caller->id) == 0 || strcmp(request->created_by, caller->id) == 0 ||
	       config_same_person(call->config, request->user_name, caller->names.user_name);
}

bool approvals_concern(const struct config *config, const struct caller *caller, const struct change *change)
{
	const struct config_group *group = config_group(config, change->group);
	struct policy_person person = caller_for_policy(caller);

	if (group == NULL || strcmp(change->principal, caller->id) == 0 ||
	    config_same_person(config, change->user_name, caller->names.user_name))
		return false;
	for (unsigned stage = 1; stage <= policy_stage_count(&group->policy); stage++)
		if (policy_is_approver(&group->policy, &person, stage, 0))
			return true;
	return false;
}

/* How long the stage has waited. The policy of today says nothing about when it began: its time-out may have been
 * another one then. */
static int64_t waited_ms(const struct call *call, const struct request *request, unsigned stage)
{
	int64_t began_ms = request->created_ms;
	cJSON *decisions;

	if (stage > 1) {
		/* Without memory nobody knows when it began: those of the escalation wait. */
		(void)decisions_read(request, &decisions);
		began_ms = decisions_time_ms(decisions_last(decisions, stage - 1));
		cJSON_Delete(decisions);
	}
	return began_ms > 0 && stage <= request->stage ? activation_now_ms(call->api->activation) - began_ms
						       : 0;
}

/* May the caller decide the stage that is in progress? Their own request never. */
static bool is_assigned(const struct call *call, const struct request *request, unsigned stage)
{
	const struct policy *policy = policy_of(call, request);
	struct policy_person person = caller_for_policy(&call->caller);

	if (policy == NULL || is_own(call, request))
		return false;
	return policy_is_approver(policy, &person, stage, waited_ms(call, request, stage));
}

static bool is_assigned_any(const struct call *call, const struct request *request)
{
	const struct policy *policy = policy_of(call, request);

	for (unsigned stage = 1; policy != NULL && stage <= policy_stage_count(policy); stage++)
		if (is_assigned(call, request, stage))
			return true;
	return false;
}

bool approvals_may_decide(const struct call *call, const struct request *request)
{
	return request->state == ST_AWAITING && is_assigned(call, request, request->stage);
}

static void render_stage(struct buf *out, const struct call *call, const struct request *request,
			 unsigned stage, const cJSON *decision)
{
	bool open = request->state == ST_AWAITING && stage == request->stage;
	bool later = request->state == ST_AWAITING && stage > request->stage;
	char id[ID_SIZE];

	stage_id(request, stage, id);
	buf_addf(out,
		 "{\"id\":\"%s\",\"displayName\":null,\"status\":\"%s\",\"assignedToMe\":%s,\"reviewResult\":"
		 "\"%s\",",
		 id,
		 open    ? "InProgress"
		 : later ? "Initializing"
			 : "Completed",
		 is_assigned(call, request, stage) ? "true" : "false",
		 decision != NULL ? decisions_text(decision, "res") : "NotReviewed");
	if (decision == NULL) {
		buf_adds(out, "\"reviewedBy\":null,");
	} else {
		buf_adds(out, "\"reviewedBy\":{");
		render_text(out, "id", decisions_text(decision, "by"));
		buf_adds(out, ",");
		render_text(out, "displayName", decisions_text(decision, "name"));
		buf_adds(out, "},");
	}
	render_time(out, "reviewedDateTime", decisions_time_ms(decision));
	buf_adds(out, ",\"justification\":");
	json_add_string(out, decisions_text(decision, "why"));
	buf_adds(out, "}");
}

/* As many stages as policy has now, or as the decisions tell when policy has changed. */
static void render_stages(struct buf *out, const struct call *call, const struct request *request)
{
	const struct policy *policy = policy_of(call, request);
	size_t count = policy != NULL ? policy_stage_count(policy) : 0;
	cJSON *decisions;

	if (!decisions_read(request, &decisions))
		buf_fail(out);
	if (count < request->stage)
		count = request->stage;
	buf_adds(out, "[");
	for (unsigned stage = 1; stage <= count; stage++) {
		buf_adds(out, stage > 1 ? "," : "");
		render_stage(out, call, request, stage, decisions_last(decisions, stage));
	}
	buf_adds(out, "]");
	cJSON_Delete(decisions);
}

/* Has the caller, by whatever account, said something about it? Without memory nobody knows. */
static bool has_decided(const struct call *call, const struct request *request)
{
	const cJSON *decision;
	cJSON *decisions;
	bool has = false;

	(void)decisions_read(request, &decisions);
	cJSON_ArrayForEach(decision, decisions) {
		has = has || strcmp(decisions_text(decision, "by"), call->caller.id) == 0 ||
		      config_same_person(call->config, decisions_text(decision, "name"),
					 call->caller.names.user_name);
	}
	cJSON_Delete(decisions);
	return has;
}

bool approvals_may_read(const struct call *call, const struct request *request)
{
	return request->needed_approval && (is_assigned_any(call, request) || has_decided(call, request));
}

/* The approval may be read by its approvers, by who asked, and by operators. */
static enum err may_read(const struct call *call, const struct request *request, struct errctx *ec)
{
	if (!request->needed_approval)
		return err_set(ec, ERR_NOT_FOUND, "The request needs no approval.");
	if (caller_sees_all(&call->caller) || strcmp(request->principal, call->caller.id) == 0 ||
	    approvals_may_read(call, request))
		return ERR_OK;
	return refusals_set(ec, REFUSAL_NO_APPROVER);
}

static void on_got(void *ctx, enum err err, const struct request *request)
{
	struct call *call = ctx;
	struct errctx ec = {""};
	struct buf body;

	if (err == ERR_OK && request != NULL)
		err = may_read(call, request, &ec);
	if (err != ERR_OK || request == NULL) {
		call_error(call, err == ERR_OK ? ERR_INTERNAL : err, ec.text[0] != '\0' ? ec.text : NULL,
			   NULL);
		return;
	}
	buf_init(&body, RESPONSE_MAX);
	buf_adds(&body, "{");
	call_context(call, &body,
		     call->stages_only ? "assignmentApprovals/stages" : "assignmentApprovals/$entity");
	if (!call->stages_only) {
		buf_addf(&body, ",\"id\":\"%s\",\"%s\":", request->id, call->beta ? "steps" : "stages");
		render_stages(&body, call, request);
	} else {
		buf_adds(&body, ",\"value\":");
		render_stages(&body, call, request);
	}
	buf_adds(&body, "}");
	call_answer(call, 200, NULL, &body);
}

void approvals_get(struct call *call)
{
	activation_get(call->api->activation, call->param, on_got, call);
}

void approvals_stages(struct call *call)
{
	call->stages_only = true;
	activation_get(call->api->activation, call->param, on_got, call);
}

/* Ends with the verdict freed. */
static void refuse(struct verdict *verdict, enum err err, const char *why)
{
	struct call *call = verdict->call;

	if (verdict->message[0] != '\0')
		message_refuse(call,
			       &(struct approval_message){.id = verdict->message,
							  .request = call->subject.request,
							  .approve = verdict->approve,
							  .status = verdict->status},
			       err, why);
	else
		call_error(call, err, why, NULL);
	free(verdict);
}

/* The second one is told who was faster, and when. */
static void refuse_decided(struct verdict *verdict, const struct request *request)
{
	char message[DECISIONS_OUTCOME_SIZE] = "";

	if (request != NULL)
		decisions_print_outcome(request, message, sizeof(message));
	refuse(verdict, ERR_DECIDED, message[0] != '\0' ? message : NULL);
}

static void on_decided(void *ctx, enum err err, const struct request *request)
{
	struct verdict *verdict = ctx;
	struct call *call = verdict->call;
	struct buf body;

	if (err == ERR_DECIDED) {
		refuse_decided(verdict, request);
		return;
	}
	if (err != ERR_OK) {
		/* An approval that could grant nothing has ended the request, which says why. */
		refuse(verdict, err, request != NULL && request->error[0] != '\0' ? request->error : NULL);
		return;
	}
	log_info("decision", "req=%s person=%s result=%s state=%s", request != NULL ? request->id : "-",
		 call->caller.id, verdict->approve ? "approve" : "deny",
		 request != NULL ? state_name(request->state) : "-");
	buf_init(&body, 1);
	call_answer(call, verdict->status, NULL, &body);
	free(verdict);
}

static bool names_hold(const struct policy_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcasecmp(names->list[i], name) == 0)
			return true;
	return false;
}

/* What refuses the decision before the store is asked. */
static enum err may_decide(const struct verdict *verdict, const struct request *request, struct errctx *ec)
{
	const struct call *call = verdict->call;
	char open_id[ID_SIZE];

	if (!request->needed_approval)
		return err_set(ec, ERR_NOT_FOUND, "The request needs no approval.");
	if (verdict->groups != NULL && verdict->groups->count > 0 &&
	    !names_hold(verdict->groups, request->group))
		return refusals_set(ec, REFUSAL_SOURCE);
	if (is_own(call, request))
		return err_set(ec, ERR_OWN_REQUEST, "%s", err_message(ERR_OWN_REQUEST));
	if (!is_assigned_any(call, request))
		return refusals_set(ec, REFUSAL_NO_APPROVER);
	stage_id(request, request->stage, open_id);
	if (request->state == ST_AWAITING &&
	    (verdict->stage_id[0] == '\0' || strcasecmp(open_id, verdict->stage_id) == 0) &&
	    !is_assigned(call, request, request->stage))
		return refusals_set(ec, REFUSAL_NO_APPROVER_YET);
	return ERR_OK;
}

/* The stage that is meant: the one in progress, or an earlier one that the caller decides again. 0 = none. */
static unsigned stage_meant(const struct verdict *verdict, const struct request *request)
{
	char id[ID_SIZE];

	if (verdict->stage_id[0] == '\0')
		return request->stage;
	for (unsigned stage = 1; stage <= request->stage; stage++) {
		stage_id(request, stage, id);
		if (strcasecmp(id, verdict->stage_id) == 0)
			return stage;
	}
	return 0;
}

static void decide(struct verdict *verdict, const struct request *read, const struct policy *policy,
		   const char *limits)
{
	struct call *call = verdict->call;
	struct request request = *read;
	struct buf names;

	struct decision decision = {
		.request = &request,
		.decider = call->caller.id,
		.decider_name = call->caller.names.user_name,
		.approve = verdict->approve,
		.justification = verdict->justification,
		.message = verdict->message,
		.actor = buf_text(&call->actor),
		.stages = (unsigned)policy_stage_count(policy),
		.limits = limits,
		.declined = verdict->declined.text,
	};

	buf_init(&names, ACCOUNTS_TEXT_MAX);
	config_print_accounts(call->config, call->caller.names.user_name, &names);
	if (buf_failed(&names)) {
		on_decided(verdict, ERR_NOMEM, NULL);
		return;
	}
	decision.decider_names = buf_text(&names);
	request.stage = stage_meant(verdict, read);
	decision.needed = (unsigned)policy_stage_needed(policy, request.stage);
	decision.next_timeout_ms = policy_timeout_ms(policy, request.stage + 1);
	activation_decide(call->api->activation, &decision, on_decided, verdict);
	buf_release(&names);
}

static void on_read(void *ctx, enum err err, const struct request *request)
{
	struct verdict *verdict = ctx;
	struct call *call = verdict->call;
	struct errctx ec = {""};
	const struct policy *policy = request != NULL ? policy_of(call, request) : NULL;
	struct buf limits;

	if (request != NULL)
		snprintf(call->subject.group, ID_SIZE, "%s", request->group);
	if (err == ERR_OK && (request == NULL || policy == NULL))
		err = ERR_NOT_FOUND;
	if (err == ERR_OK)
		err = may_decide(verdict, request, &ec);
	if (err == ERR_OK && stage_meant(verdict, request) == 0)
		err = err_set(&ec, ERR_NOT_FOUND, "The approval has no such stage.");
	if (err != ERR_OK || request == NULL || policy == NULL) {
		refuse(verdict, err, ec.text[0] != '\0' ? ec.text : NULL);
		return;
	}
	buf_init(&limits, LIMITS_TEXT_MAX);
	if (verdict->approve && request->state == ST_AWAITING)
		err = recheck_group(call->config, request, &verdict->declined);
	if (err == ERR_OK && verdict->approve && request->state == ST_AWAITING)
		err = recheck(policy, request, activation_now_ms(call->api->activation), &limits,
			      &verdict->declined);
	/* The store ends it with what policy has against it, or not: it knows whether this is the last approval. */
	if (err == ERR_OK || err == ERR_POLICY)
		err = recheck_person(call->config, request, &limits);
	if (err != ERR_OK)
		refuse(verdict, err, NULL);
	else
		decide(verdict, request, policy, buf_text(&limits));
	buf_release(&limits);
}

void approvals_decide(struct call *call)
{
	struct verdict *verdict = calloc(1, sizeof(*verdict));
	struct body_review review;
	struct errctx ec = {""};
	size_t len;
	const char *body = exchange_body(call->exchange, &len);
	enum err err = verdict != NULL ? body_read_review(body, len, &review, &ec) : ERR_NOMEM;

	if (err != ERR_OK) {
		free(verdict);
		call_error(call, err, ec.text[0] != '\0' ? ec.text : NULL, NULL);
		return;
	}
	verdict->call = call;
	verdict->status = 204;
	verdict->approve = review.approve;
	snprintf(verdict->justification, sizeof(verdict->justification), "%s", review.justification);
	snprintf(verdict->stage_id, sizeof(verdict->stage_id), "%s", call->param2);
	call->subject.action = verdict->approve ? "Approve" : "Deny";
	snprintf(call->subject.request, ID_SIZE, "%.36s", call->param);
	activation_get(call->api->activation, call->param, on_read, verdict);
}

void approvals_decide_by_message(struct call *call, const struct approval_message *message)
{
	struct verdict *verdict = calloc(1, sizeof(*verdict));

	if (verdict == NULL) {
		call_error(call, ERR_NOMEM, NULL, NULL);
		return;
	}
	verdict->call = call;
	verdict->approve = message->approve;
	verdict->groups = message->groups;
	verdict->status = message->status;
	snprintf(verdict->justification, sizeof(verdict->justification), "%s", message->justification);
	snprintf(verdict->message, sizeof(verdict->message), "%s", message->id);
	activation_get(call->api->activation, message->request, on_read, verdict);
}
