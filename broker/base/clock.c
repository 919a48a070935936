#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

static int64_t now_ms(clockid_t id)
{
	struct timespec now;

	/* Both clocks exist on every Linux; without them no deadline could be kept. */
	if (clock_gettime(id, &now) != 0)
		abort();
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
	return now_ms(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
	return now_ms(CLOCK_REALTIME);
}
