/* Approvals: who may decide and who may read them, and decisions that are no signed-in person's own call. */
#ifndef API_APPROVALS_H
#define API_APPROVALS_H

#include <stdbool.h>

#include "activation/policy.h"
#include "activation/request.h"
#include "api/caller.h"
#include "config/config.h"

#define APPROVAL_MESSAGE_SIZE 256 /* a source's name, a colon and a webhook's id */

struct call;
struct change;

/* May the caller decide it now? */
bool approvals_may_decide(const struct call *call, const struct request *request);
/* Is the caller one of those who may decide it, at whatever stage, or have they decided on it? Then they may read it, as long
 * as it is kept. */
bool approvals_may_read(const struct call *call, const struct request *request);
/* Is it about a request that the caller may decide now, later or no more? Without those whom only an escalation asks. */
bool approvals_concern(const struct config *config, const struct caller *caller, const struct change *change);

/* All texts are borrowed for the call; `groups` for as long as the call's configuration. */
struct approval_message {
	const char *id; /* the same for a repetition, over all sources */
	const char *request;
	bool approve;
	const char *justification;
	int status;                        /* of a good answer; the caller expects that one */
	const struct policy_names *groups; /* which it may be about; NULL or none = all */
};

/* Decides the stage in progress for call->caller, exactly as if that person had called, and answers the call. A
 * message that was received before is answered like the first time. */
void approvals_decide_by_message(struct call *call, const struct approval_message *message);

#endif
