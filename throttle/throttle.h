/*
 * What one application may be sent, and when. The bucket itself is a sorted set in Redis (bucket.lua): a token
 * that is taken comes back `per_ms` after its push has ended, so that no window of `per_ms`, wherever it starts,
 * ever holds more than `pushes` pushes. Pure.
 */
#ifndef THROTTLE_THROTTLE_H
#define THROTTLE_THROTTLE_H

#include <stdint.h>

#include "base/err.h"

struct throttle {
	int64_t pushes;        /* tokens in the bucket; 5 */
	int64_t per_ms;        /* a token comes back so long after its push ended; 10 s */
	int64_t cycle_reserve; /* the sync cycle takes a token only while more than these are free; 3 */
	int64_t overflow_wait_ms; /* how long an activation waits for a token before the next cycle takes it; 0 */
	int64_t cycle_ms;         /* the application's sync cycle; 40 minutes */
};

/* ERR_CONFIG when the settings contradict each other (a reserve that would leave the cycle without a token). */
enum err throttle_check(const struct throttle *throttle, struct errctx *ec) MUST_CHECK;

#endif
