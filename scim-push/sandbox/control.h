/*
 * The sandbox's own calls below /sandbox, for tests and for people: faults, behaviours, rates, the directory's state,
 * and hand-made changes to it. Held requests belong to the server (server.c).
 */
#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H

#include "scim-push/sandbox/fault.h"
#include "scim-push/sandbox/scim.h"

struct control {
	struct scim *scim;
	struct faults *faults;
};

/*
 * GET, POST, DELETE faults and rates; GET, POST state and behaviours; DELETE users/NAME and groups/NAME.
 * `call->target` is below /sandbox.
 * Answers {"error":"…"} with 400, 404 or 405 otherwise.
 */
void control_handle(const struct control *control, const struct scim_call *call, struct answer *answer);

/* {"error":"…"} */
void control_error(struct answer *answer, int status, const char *text);

#endif
