/* How long to wait before the next attempt to reach Redis. Pure: chance is an argument. */
#ifndef STORE_BACKOFF_H
#define STORE_BACKOFF_H

#include <stdint.h>

#define BACKOFF_MAX_MS 1000 /* longest pause at all: how long after Redis the broker may come back */

/*
 * The pause in milliseconds after `attempts` pauses before it. Full jitter, so that many brokers that lost the same
 * Redis do not come back in step: `random` chooses evenly from 1 to the ceiling, which is 10 ms at first, doubles with
 * each attempt, and stops at BACKOFF_MAX_MS.
 */
uint64_t backoff_ms(unsigned attempts, uint32_t random);

#endif
