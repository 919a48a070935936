/*
 * What a group asks of those who activate it, told before they ask: Graph has policies of its own for that, in seventeen
 * rules; this is one object of ours. Pure.
 */
#ifndef API_RENDER_POLICY_H
#define API_RENDER_POLICY_H

#include <stdbool.h>

#include "activation/policy.h"
#include "base/buf.h"

/* The members of the object; the braces are the caller's. Who the approvers are is not said. */
void render_policy(struct buf *out, const struct policy *policy, bool may_break_glass);

#endif
