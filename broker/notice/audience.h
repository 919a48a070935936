/* Who wants to know of a notice, and by which way, as the configuration says. Pure. */
#ifndef NOTICE_AUDIENCE_H
#define NOTICE_AUDIENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "activation/notices.h"
#include "config/config.h"

#define AUDIENCE_MAIL "mail" /* the target of all mails; webhooks are "hook:NAME" */

/*
 * Is it a later version's, whose brokers know what it means and for whom it is? It is left to them then, for a day: by
 * that time there may be none of them any more. `now_ms` is Redis' time.
 */
bool audience_leaves(const struct notice *notice, int64_t now_ms);

struct audience {
	size_t count;
	struct reader {
		char target[NOTICE_TARGET_SIZE];
		char mailbox[NAME_SIZE]; /* "" = none: a webhook */
		int64_t delay_ms;
	} readers[NOTICE_COPIES_MAX];
};

/*
 * Webhooks that want such events of that group. Mail: the requester is told what becomes of their request; the approvers
 * of the stage that they are asked, those of the escalation when their time comes; every approver that the glass was
 * broken; those whom the group notifies what was given, ended, failed or overdue; operators what needs their hand.
 * Nobody twice. ERR_NOMEM.
 */
enum err audience_find(const struct config *config, const struct notice *notice,
		       struct audience *out) MUST_CHECK;

/* The webhook of that target; NULL when it is none or not configured. */
const struct config_webhook *audience_hook(const struct config *config, const char *target);

/* The requester's mailbox in `out`, in lower case; "" = there is none. ERR_NOMEM. */
enum err audience_requester(const struct notice *notice, char out[NAME_SIZE]) MUST_CHECK;

/* "BEFORE OVERDUE |KIND|KIND|" for the functions (activation/lane.lua): what anybody wants to know. After how long a
 * removal is overdue is always told: the audit wants to know. */
#define AUDIENCE_TELLS_SIZE ACTIVATION_TELLS_SIZE
void audience_tells(const struct config *config, char out[AUDIENCE_TELLS_SIZE]);

/* What names the webhook's configuration, for as long as it stays as it is. */
#define AUDIENCE_FINGERPRINT_SIZE 33
void audience_fingerprint(const struct config_webhook *hook, char out[AUDIENCE_FINGERPRINT_SIZE]);

#endif
