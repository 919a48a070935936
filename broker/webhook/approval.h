/*
 * What an approval system says in its webhook: who decided which request, and how.
 *
 *     {"type": "approval.decided", "timestamp": "2026-11-24T09:00:00Z",
 *      "data": {"requestId": "…", "decision": "Approve", "approver": "lead@example.com", "justification": "…"}}
 *
 * Pure. Whether that approver may decide that request is not looked at here.
 */
#ifndef WEBHOOK_APPROVAL_H
#define WEBHOOK_APPROVAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"

struct slack_action;

enum approval_decision { APPROVAL_APPROVE, APPROVAL_DENY };

struct approval {
	char id[ID_SIZE]; /* of the request, which is its approval's too; lower case */
	enum approval_decision decision;
	char approver[NAME_SIZE];      /* user name or id, as the source knows the person */
	char justification[TEXT_SIZE]; /* "" when none is given */
	int64_t decided_ms;            /* Unix time that the source gives; 0 when it gives none */
};

/* "Approve" or "Deny", as Microsoft Graph writes them; static. */
const char *approval_decision_name(enum approval_decision decision);

/*
 * Reads a body whose signature was verified. Members beside type, timestamp and data are passed over, because
 * webhooks grow; in data only the known ones are accepted, so that no misspelled justification is lost. data has
 * requestId or approvalId (both only when equal) and the decision in any case, also as "Approved", "Denied".
 * ERR_BAD_REQUEST with the reason or ERR_NOMEM otherwise; *out is then untouched.
 */
enum err approval_read(const char *body, size_t len, struct approval *out, struct errctx *ec) MUST_CHECK;

/*
 * The decision in a button whose value is "Approve:{request id}" or "Deny:{request id}". The approver is Slack's
 * user id, which nobody can choose. ERR_BAD_REQUEST otherwise; *out is then untouched.
 */
enum err approval_from_slack(const struct slack_action *action, struct approval *out,
			     struct errctx *ec) MUST_CHECK;

#endif
