/* Policy's second word on a request that it allowed before: at a scheduled start, when approvers have agreed, and whenever
 * somebody may have lost their eligibility. */
#ifndef BROKER_RECHECK_H
#define BROKER_RECHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "activation/activation.h"
#include "activation/policy.h"
#include "activation/request.h"
#include "base/err.h"
#include "config/config.h"

/* Is its group still there, in the application for which it was asked? ERR_POLICY: `why` says what has become of it. */
enum err recheck_group(const struct config *config, const struct request *request,
		       struct errctx *why) MUST_CHECK;

/*
 * Does policy still allow it, to the person as the store knows them? ERR_OK: `limits` has what the store has to keep to
 * (policy_print_limits). ERR_POLICY: `why` says what does not allow it. ERR_NOMEM says nothing of either: to be asked
 * again.
 */
enum err recheck(const struct policy *policy, const struct request *request, int64_t now_ms,
		 struct buf *limits, struct errctx *why) MUST_CHECK;

/* Adds to the limits whose account it is that asked, by the configuration of now (policy_print_person). ERR_NOMEM. */
enum err recheck_person(const struct config *config, const struct request *request,
			struct buf *limits) MUST_CHECK;

/* A scheduled request's time has come. As recheck_group() and recheck(), and it starts without the approval that policy
 * asks for by now only when it had one by the policy of then; an administrator's assignment is bound by the limits
 * alone, not by the rules for those who ask for themselves. */
enum err recheck_start(const struct config *config, const struct request *request, int64_t now_ms,
		       struct buf *limits, struct errctx *why) MUST_CHECK;

/* What activation/ asks about those who may lose their eligibility (struct activation_options). */
enum eligible recheck_eligible(const struct config *config, const struct request *request, int64_t now_ms,
			       int64_t *until_ms);
bool recheck_next_group(const struct config *config, size_t *index, char app[APP_ID_SIZE],
			char group[ID_SIZE]);
struct activation_policies recheck_policies(const struct config *config);

#endif
