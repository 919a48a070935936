#include "webhook/schedule.h"

#include <stddef.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)

static const int64_t pauses_ms[SCHEDULE_ATTEMPTS] = {
	0,           5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS,
	5 * HOUR_MS, 10 * HOUR_MS,  14 * HOUR_MS,  20 * HOUR_MS,   24 * HOUR_MS,
};

int64_t schedule_delay_ms(unsigned attempt, uint32_t random)
{
	int64_t pause_ms;

	if (attempt >= SCHEDULE_ATTEMPTS)
		return -1;
	pause_ms = pauses_ms[attempt];
	return pause_ms + pause_ms / SCHEDULE_JITTER_MAX * random / (INT64_C(1) << 32);
}

static int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* How long the receiver itself asks to be left alone, in its header or by its status; 0 = it does not. */
static int64_t asked_ms(const struct schedule_try *tried, bool throttle)
{
	int64_t asked = max_of(tried->retry_after_ms, throttle ? SCHEDULE_THROTTLE_MS : 0);

	return asked < SCHEDULE_DELAY_MAX_MS ? asked : SCHEDULE_DELAY_MAX_MS;
}

struct schedule_step schedule_next(const struct schedule_try *tried)
{
	struct schedule_step step = {.action = SCHEDULE_DONE};
	int64_t delay_ms, asked;

	if (tried->status >= 200 && tried->status < 300)
		return step;
	if (tried->status == 410) {
		step.action = SCHEDULE_DISABLE;
		return step;
	}
	step.throttle = tried->status == 429 || tried->status == 502 || tried->status == 504;
	asked = asked_ms(tried, step.throttle);
	delay_ms = schedule_delay_ms(tried->made, tried->random);
	if (delay_ms < 0) {
		step.action = SCHEDULE_PARK;
		step.delay_ms = step.throttle ? asked : 0;
		return step;
	}
	step.action = SCHEDULE_AGAIN;
	step.delay_ms = max_of(delay_ms, asked);
	return step;
}
