/* What policy says of a request, rule by rule, as answers tell it. */
#ifndef API_RULES_H
#define API_RULES_H

#include <stdbool.h>

#include "activation/policy.h"
#include "base/buf.h"

/* Graph's sentence: The following policy rules failed: ["ExpirationRule","JustificationRule"] */
void rules_sentence(const struct policy_verdict *verdict, struct buf *out);

/* A JSON array of those that refuse, each with what it allows and what was asked; `all`: of those that pass as well. */
void rules_list(const struct policy_verdict *verdict, bool all, struct buf *out);

#endif
