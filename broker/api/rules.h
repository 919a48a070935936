/* What policy says of a request, rule by rule, as answers tell it. */
#ifndef API_RULES_H
#define API_RULES_H

#include <stdbool.h>

#include "activation/policy.h"
#include "base/buf.h"

/* Graph's sentence: The following policy rules failed: ["ExpirationRule","JustificationRule"] */
void rules_sentence(const struct policy_verdict *verdict, struct buf *out);

/*
 * A JSON array of those that refuse, each with what it allows and what was asked; `all`: of those that pass as well. Where
 * the sign-in was too weak: `acrValues`, with which a new one is to be asked for (OpenID Connect Core, 3.1.2.1).
 */
void rules_list(const struct policy_verdict *verdict, bool all, struct buf *out);

/* The challenge that says the same to any OAuth client (RFC 9470, section 3); nothing where the sign-in was strong enough. */
void rules_challenge(const struct policy_verdict *verdict, struct buf *out);

#endif
