/*
 * POST /hooks/approvals/{source}: an approval system's decision, signed after Standard Webhooks. The approver that it
 * names is looked at as if they had called themselves; nobody signs in.
 */
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/approvals.h"
#include "base/log.h"
#include "webhook/approval.h"
#include "webhook/standard.h"

/* Is the message one that the holder of the source's secrets has signed? `why` says what is wrong. */
static bool signature_holds(const struct call *call, const struct config_approval_source *source,
			    struct errctx *why)
{
	struct signing_keys keys = {0};
	struct webhook_message message = {.id = exchange_header(call->exchange, "webhook-id"),
					  .timestamp = exchange_header(call->exchange, "webhook-timestamp")};
	enum signing_verdict verdict = SIGNING_NO_KEY;

	message.body = exchange_body(call->exchange, &message.len);
	if (webhook_key_add(&keys, source->secret, why) == ERR_OK &&
	    (source->next_secret[0] == '\0' || webhook_key_add(&keys, source->next_secret, why) == ERR_OK))
		verdict =
			webhook_verify(&keys, &message, exchange_header(call->exchange, "webhook-signature"),
				       activation_now_ms(call->api->activation));
	signing_wipe(&keys);
	err_set(why, ERR_UNAUTHENTICATED, "%s", signing_reason(verdict));
	return verdict == SIGNING_VALID;
}

void hooks_approval(struct call *call)
{
	const struct config_approval_source *source = config_approval_source(call->config, call->param);
	struct approval approval;
	struct errctx ec = {""};
	char id[APPROVAL_MESSAGE_SIZE], how[sizeof("webhook:") + sizeof(source->name)];
	size_t len;
	const char *body = exchange_body(call->exchange, &len);

	if (source == NULL) {
		call_error(call, ERR_NOT_FOUND, "There is no such approval source.", NULL);
		return;
	}
	if (!signature_holds(call, source, &ec)) {
		log_warn("webhook_refused", "source=%s address=%s why=%s", source->name,
			 exchange_address(call->exchange), ec.text);
		call_error(call, ERR_UNAUTHENTICATED, ec.text, NULL);
		return;
	}
	if (approval_read(body, len, &approval, &ec) != ERR_OK) {
		call_error(call, ERR_BAD_REQUEST, ec.text, NULL);
		return;
	}
	snprintf(call->caller.id, sizeof(call->caller.id), "%s", approval.approver);
	snprintf(call->caller.names.user_name, sizeof(call->caller.names.user_name), "%s", approval.approver);
	snprintf(how, sizeof(how), "webhook:%s", source->name);
	if (caller_name(call, how) != ERR_OK) {
		call_error(call, ERR_NOMEM, NULL, NULL);
		return;
	}
	snprintf(id, sizeof(id), "%s:%s", source->name, exchange_header(call->exchange, "webhook-id"));
	log_info("webhook", "source=%s req=%s person=%s", source->name, approval.id, approval.approver);
	approvals_decide_by_message(call, &(struct approval_message){
						  .id = id,
						  .request = approval.id,
						  .approve = approval.decision == APPROVAL_APPROVE,
						  .justification = approval.justification,
						  .groups = &source->groups,
					  });
}
