/*
 * POST /hooks/approvals/{source} and /hooks/slack/{source}: an approval system's decision, signed after Standard
 * Webhooks or by Slack. The approver that it names is judged by that user name, with all accounts behind it: among the
 * group's approvers by name, not the requester, no auditor or timer job by name. Nobody signs in, so there are no claims:
 * they make nobody an approver here, and nobody an auditor.
 */
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/approvals.h"
#include "api/handlers.h"
#include "api/message.h"
#include "api/refusals.h"
#include "base/log.h"
#include "webhook/approval.h"
#include "webhook/slack.h"
#include "webhook/standard.h"

#define SLACK_PATIENCE_MS 3000 /* Slack tells its user that it did not work after that */

typedef enum err add_key(struct signing_keys *keys, const char *secret, struct errctx *ec);

/* The source of that name and kind, or NULL after having answered that there is none. */
static const struct config_approval_source *find_source(struct call *call, enum config_source_kind kind)
{
	const struct config_approval_source *source = config_approval_source(call->config, call->param);

	if (source != NULL && source->kind == kind)
		return source;
	call_error(call, ERR_NOT_FOUND, "There is no such approval source.", NULL);
	return NULL;
}

static bool take_keys(const struct config_approval_source *source, add_key *add, struct signing_keys *keys)
{
	struct errctx ec;

	return add(keys, source->secret, &ec) == ERR_OK &&
	       (source->next_secret[0] == '\0' || add(keys, source->next_secret, &ec) == ERR_OK);
}

/* False after having answered why the message is not one that the holder of the source's secrets has signed. */
static bool is_signed(struct call *call, const struct config_approval_source *source,
		      enum signing_verdict verdict)
{
	if (verdict == SIGNING_VALID)
		return true;
	log_warn("webhook_refused", "source=%s address=%s why=%s", source->name,
		 exchange_address(call->exchange), signing_reason(verdict));
	call_error(call, ERR_UNAUTHENTICATED, signing_reason(verdict), NULL);
	return false;
}

/* Who speaks through the source, for the audit. False after having answered that memory is short. */
static bool name_approver(struct call *call, const struct config_approval_source *source)
{
	char how[sizeof("webhook:") + sizeof(source->name)];

	call->caller.named_by = source->name;
	snprintf(how, sizeof(how), "%s:%s", source->kind == SOURCE_SLACK ? "slack" : "webhook", source->name);
	if (caller_name(call, how) == ERR_OK)
		return true;
	call_error(call, ERR_NOMEM, NULL, NULL);
	return false;
}

static void set_subject(struct call *call, const struct approval *approval)
{
	call->subject.action = approval_decision_name(approval->decision);
	snprintf(call->subject.request, ID_SIZE, "%s", approval->id);
}

/* `id` is the same for a repetition, `status` that of a good answer. */
static void decide(struct call *call, const struct config_approval_source *source,
		   const struct approval *approval, const char *id, int status)
{
	struct approval_message message = {
		.id = id,
		.request = approval->id,
		.approve = approval->decision == APPROVAL_APPROVE,
		.justification = approval->justification,
		.status = status,
		.groups = &source->groups,
	};

	set_subject(call, approval);
	caller_take_name(&call->caller, call->config, approval->approver);
	if (!name_approver(call, source))
		return;
	if (!caller_takes_part(&call->caller)) {
		message_refuse(call, &message, ERR_FORBIDDEN, refusals_sentence(REFUSAL_LOOKS_ON));
		return;
	}
	log_info("webhook", "source=%s req=%s person=%s", source->name, approval->id, approval->approver);
	approvals_decide_by_message(call, &message);
}

void hooks_approval(struct call *call)
{
	const struct config_approval_source *source = find_source(call, SOURCE_STANDARD);
	struct webhook_message message = {.len = 0};
	enum signing_verdict verdict = SIGNING_NO_KEY;
	struct signing_keys keys = {0};
	struct approval approval;
	struct errctx ec = {""};
	char id[APPROVAL_MESSAGE_SIZE];
	enum err err;

	if (source == NULL)
		return;
	message.id = exchange_header(call->exchange, "webhook-id");
	message.timestamp = exchange_header(call->exchange, "webhook-timestamp");
	message.body = exchange_body(call->exchange, &message.len);
	if (take_keys(source, webhook_key_add, &keys))
		verdict =
			webhook_verify(&keys, &message, exchange_header(call->exchange, "webhook-signature"),
				       activation_now_ms(call->api->activation));
	signing_wipe(&keys);
	if (!is_signed(call, source, verdict))
		return;
	err = approval_read(message.body, message.len, &approval, &ec);
	if (err != ERR_OK) {
		call_error(call, err, ec.text, NULL);
		return;
	}
	snprintf(id, sizeof(id), "%s:%s", source->name, message.id);
	decide(call, source, &approval, id, 204);
}

static enum err read_click(const struct slack_message *message, struct slack_action *action,
			   struct approval *approval, struct errctx *ec)
{
	enum err err = slack_read(message->body, message->len, action, ec);

	return err == ERR_OK ? approval_from_slack(action, approval, ec) : err;
}

/* Whose click it was, as a user name here. */
static enum err find_clicker(const struct config_approval_source *source, const struct slack_action *action,
			     struct approval *approval, struct errctx *ec)
{
	const char *user_name;

	if (source->workspace[0] != '\0' && strcmp(source->workspace, action->team_id) != 0)
		return refusals_set(ec, REFUSAL_WORKSPACE);
	user_name = config_source_approver(source, action->user_id);
	if (user_name == NULL)
		return refusals_set(ec, REFUSAL_CLICKER);
	snprintf(approval->approver, sizeof(approval->approver), "%s", user_name);
	return ERR_OK;
}

struct refused_click {
	const char *id; /* of the message */
	const char *user, *why;
};

/* Nobody here is behind the click, or it comes from elsewhere. */
static void refuse_click(struct call *call, const struct config_approval_source *source,
			 const struct approval *approval, const struct refused_click *click)
{
	struct approval_message message = {
		.id = click->id,
		.request = approval->id,
		.approve = approval->decision == APPROVAL_APPROVE,
		.status = 200,
	};

	set_subject(call, approval);
	snprintf(call->caller.id, sizeof(call->caller.id), "slack:%s", click->user);
	if (name_approver(call, source))
		message_refuse(call, &message, ERR_FORBIDDEN, click->why);
}

/* A message of Slack's has no id of its own, but its signature covers all of it and its time. */
void hooks_slack(struct call *call)
{
	const struct config_approval_source *source = find_source(call, SOURCE_SLACK);
	struct slack_message message = {.len = 0};
	enum signing_verdict verdict = SIGNING_NO_KEY;
	struct signing_keys keys = {0};
	struct slack_action action;
	struct approval approval;
	struct errctx ec = {""};
	char id[APPROVAL_MESSAGE_SIZE];
	const char *signature;
	enum err err;

	if (source == NULL)
		return;
	exchange_answer_within(call->exchange, SLACK_PATIENCE_MS);
	signature = exchange_header(call->exchange, "X-Slack-Signature");
	message.timestamp = exchange_header(call->exchange, "X-Slack-Request-Timestamp");
	message.body = exchange_body(call->exchange, &message.len);
	if (take_keys(source, slack_key_add, &keys))
		verdict = slack_verify(&keys, &message, signature, activation_now_ms(call->api->activation));
	signing_wipe(&keys);
	if (!is_signed(call, source, verdict))
		return;
	err = read_click(&message, &action, &approval, &ec);
	if (err != ERR_OK) {
		call_error(call, err, ec.text, NULL);
		return;
	}
	snprintf(id, sizeof(id), "%s:%s", source->name, signature);
	err = find_clicker(source, &action, &approval, &ec);
	if (err != ERR_OK)
		refuse_click(call, source, &approval,
			     &(struct refused_click){.id = id, .user = action.user_id, .why = ec.text});
	else
		decide(call, source, &approval, id, 200);
}
