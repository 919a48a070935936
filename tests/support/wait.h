/* Waiting in tests: always for something, always bounded. */
#ifndef SUPPORT_WAIT_H
#define SUPPORT_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

/* Is what the test waits for there? Called again and again, a few milliseconds apart. */
typedef bool wait_check(void *ctx);

/* True as soon as `check` says so; false when `timeout_ms` has passed without. Blocks. */
bool wait_until(wait_check *check, void *ctx, int64_t timeout_ms);

/*
 * The same, while the loop goes on; `check` sees the loop between two of its turns. Not with UV_RUN_ONCE: that runs
 * timers before it goes to sleep, so that it sleeps on when what is waited for came within a timer's callback.
 */
bool wait_in_loop(uv_loop_t *loop, wait_check *check, void *ctx, int64_t timeout_ms);

/* Lets `ms` pass before the next look at something. Only for loops that have a deadline. */
void wait_a_little(int ms);

#endif
