/*
 * When to try again: the pause before the next push of one membership, and what Retry-After says. Pure but for
 * retry_chance(): time and chance are arguments.
 */
#ifndef SCIM_PUSH_RETRY_H
#define SCIM_PUSH_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#define RETRY_WITH_CYCLE   (-1) /* not by itself any more, but with the application's next cycle */
#define RETRY_AFTER_MAX_MS (60 * 60 * 1000) /* an application cannot close itself for longer by one answer */

/*
 * The pause in milliseconds before the next attempt, after `attempt` failed ones (1 = the first has just
 * failed). Exponential with full jitter: anything from 0 to the ceiling, chosen by `random`, where the ceiling
 * is 1 s after the first failure, doubles with each, and stops at 30 s. A removal is tried for ever; an activation that
 * has failed five times is left to the cycle: RETRY_WITH_CYCLE.
 */
int64_t retry_delay_ms(unsigned attempt, bool removal, uint32_t random);

/* A random number for `random`; from the clock where the system has none to give. */
uint32_t retry_chance(void);

/*
 * The value of a Retry-After header (RFC 9110, 10.2.3: seconds, or a date in any of the three forms of 5.6.7) in
 * milliseconds from `now_ms` (Unix time), between 0 and RETRY_AFTER_MAX_MS. -1 when it is neither.
 */
int64_t retry_after_ms(const char *value, int64_t now_ms);

/*
 * The same for X-Rate-Limit-Reset, which some applications send in its place: seconds from now, or, where the number
 * is that of a date, since 1970. 0 when it is neither.
 */
int64_t retry_reset_ms(const char *value, int64_t now_ms);

#endif
