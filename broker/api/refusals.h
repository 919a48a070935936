/* What was refused, for the audit: who wanted what, and which rule or role was against it. */
#ifndef API_REFUSALS_H
#define API_REFUSALS_H

#include "base/err.h"

struct call;

/*
 * Writes the refusal into the audit, where it is one: a change that policy or the caller's roles do not allow, or a call
 * in the name of another provider's person. `why` and
 * `rules` (a JSON array) as they are answered; NULL = none. Waits for nothing; what goes wrong is logged. So much
 * of one person in a minute is written, or of one who names people (caller.named_by), and beyond that how much it has
 * become (jit_refused): nobody floods the trail.
 */
void refusals_note(const struct call *call, enum err err, const char *why, const char *rules);

#endif
