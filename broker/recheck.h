/* Policy's second word on a request that it allowed before: at a scheduled start, and when approvers have agreed. */
#ifndef BROKER_RECHECK_H
#define BROKER_RECHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "activation/policy.h"
#include "activation/request.h"
#include "base/err.h"

/*
 * Does policy still allow it, to the person as the store knows them? Then `limits` gets what the store has to keep to
 * (policy_print_limits); otherwise `why` says what does not.
 */
bool recheck(const struct policy *policy, const struct request *request, int64_t now_ms, struct buf *limits,
	     struct errctx *why);

#endif
