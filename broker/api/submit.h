/* From the body of a POST to what activation/ is asked: who, for whom, what policy says, under which id. */
#ifndef API_SUBMIT_H
#define API_SUBMIT_H

#include "activation/activation.h"
#include "activation/policy.h"
#include "base/buf.h"

struct call;

/*
 * Reads the call's body and submits it. `done` is called with the call as its context; a refusal that is found
 * before the store is asked is answered here, and the call is then gone.
 */
void submit(struct call *call, activation_done *done);

#define LIMITS_TEXT_MAX 4096 /* a group's limits: some hundred ids */

/* What refuses by call->verdict, for people: Graph's sentence, and where the token's groups were left out for their number,
 * that this may be why. `policy` is the group's. */
void submit_refusal_sentence(const struct call *call, const struct policy *policy, struct buf *out);

/* A refusal, for the metrics and the log: never a text that somebody wrote. */
void submit_log_refusal(struct call *call, const char *why);

#endif
