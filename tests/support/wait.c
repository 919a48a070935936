/* Waiting by asking again, up to a deadline. */
#include "tests/support/wait.h"

#include <poll.h>
#include <stddef.h>

#include "base/clock.h"

void wait_a_little(int ms)
{
	poll(NULL, 0, ms);
}

bool wait_until(wait_check *check, void *ctx, int64_t timeout_ms)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;

	while (!check(ctx)) {
		if (clock_mono_ms() >= deadline)
			return false;
		wait_a_little(5);
	}
	return true;
}

bool wait_in_loop(uv_loop_t *loop, wait_check *check, void *ctx, int64_t timeout_ms)
{
	struct pollfd events = {.fd = uv_backend_fd(loop), .events = POLLIN};
	int64_t deadline = clock_mono_ms() + timeout_ms;

	while (!check(ctx)) {
		if (clock_mono_ms() >= deadline)
			return false;
		/* A millisecond at most: a timer, or a socket that came within this turn, is not in there. */
		poll(&events, 1, 1);
		uv_run(loop, UV_RUN_NOWAIT);
	}
	return true;
}
