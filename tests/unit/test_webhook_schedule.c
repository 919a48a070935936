/* When a webhook is sent again, and what each HTTP status means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "webhook/schedule.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

#define S INT64_C(1000)
#define M (60 * S)
#define H (60 * M)

static const int64_t standard_ms[] = {0, 5 * S, 5 * M, 30 * M, 2 * H, 5 * H, 10 * H, 14 * H, 20 * H, 24 * H};

static void test_pauses(void **state)
{
	(void)state;
	assert_int_equal(LEN(standard_ms), SCHEDULE_ATTEMPTS);
	for (unsigned i = 0; i < SCHEDULE_ATTEMPTS; i++) {
		int64_t pause_ms = standard_ms[i];

		assert_int_equal(schedule_delay_ms(i, 0), pause_ms);
		assert_int_equal(schedule_delay_ms(i, UINT32_MAX / 2 + 1), pause_ms + pause_ms / 10);
		assert_in_range(schedule_delay_ms(i, UINT32_MAX), pause_ms,
				pause_ms == 0 ? 0 : pause_ms + pause_ms / 5 - 1);
		if (pause_ms > 0)
			assert_true(schedule_delay_ms(i, UINT32_MAX) >= pause_ms + pause_ms / 5 - 2);
	}
	assert_int_equal(schedule_delay_ms(SCHEDULE_ATTEMPTS, 0), -1);
	assert_int_equal(schedule_delay_ms(UINT32_MAX, UINT32_MAX), -1);
}

/* Every status, after the first attempt and without a wish of the receiver. */
static void test_statuses(void **state)
{
	(void)state;
	for (int status = 0; status < 1000; status++) {
		struct schedule_try tried = {1, status, -1, 0};
		struct schedule_step step = schedule_next(&tried);
		bool busy = status == 429 || status == 502 || status == 504;
		enum schedule_action want = SCHEDULE_AGAIN;

		if (status >= 200 && status <= 299)
			want = SCHEDULE_DONE;
		else if (status == 410)
			want = SCHEDULE_DISABLE;
		if (step.action != want || step.throttle != busy)
			fail_msg("%d gives %d, throttle %d", status, step.action, step.throttle);
		assert_int_equal(step.delay_ms, want != SCHEDULE_AGAIN ? 0 : busy ? 60 * S : 5 * S);
	}
}

static void test_steps(void **state)
{
	static const struct {
		struct schedule_try tried;
		struct schedule_step want;
	} rows[] = {
		{{1, 200, 30 * S, 0}, {SCHEDULE_DONE, false, 0}}, /* a wish is heard with a failure only */
		{{10, 204, -1, 0}, {SCHEDULE_DONE, false, 0}},
		{{1, 410, 30 * S, 0}, {SCHEDULE_DISABLE, false, 0}},
		{{10, 410, -1, 0}, {SCHEDULE_DISABLE, false, 0}},
		{{1, 500, -1, 1u << 31}, {SCHEDULE_AGAIN, false, 5500}},
		{{2, 301, -1, 0}, {SCHEDULE_AGAIN, false, 5 * M}},
		{{3, 0, -1, 0}, {SCHEDULE_AGAIN, false, 30 * M}},
		{{9, 404, -1, 0}, {SCHEDULE_AGAIN, false, 24 * H}},
		{{10, 500, -1, 0}, {SCHEDULE_PARK, false, 0}},
		{{11, 0, -1, 0}, {SCHEDULE_PARK, false, 0}},
		{{10, 503, H, 0}, {SCHEDULE_PARK, false, 0}},
		{{10, 429, H, 0}, {SCHEDULE_PARK, true, H}},
		{{10, 502, -1, 0}, {SCHEDULE_PARK, true, M}},
		/* Retry-After: longer counts, shorter does not, and never more than a day. */
		{{1, 503, 30 * S, 0}, {SCHEDULE_AGAIN, false, 30 * S}},
		{{1, 503, 0, 0}, {SCHEDULE_AGAIN, false, 5 * S}},
		{{1, 302, 30 * S, 0}, {SCHEDULE_AGAIN, false, 30 * S}},
		{{1, 429, 30 * S, 0}, {SCHEDULE_AGAIN, true, M}},
		{{1, 429, 2 * M, 0}, {SCHEDULE_AGAIN, true, 2 * M}},
		{{3, 429, 2 * M, 0}, {SCHEDULE_AGAIN, true, 30 * M}},
		{{1, 503, 25 * H, 0}, {SCHEDULE_AGAIN, false, 24 * H}},
		{{1, 504, INT64_MAX, 0}, {SCHEDULE_AGAIN, true, 24 * H}},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct schedule_step got = schedule_next(&rows[i].tried);

		if (got.action != rows[i].want.action || got.throttle != rows[i].want.throttle ||
		    got.delay_ms != rows[i].want.delay_ms)
			fail_msg("row %zu: %d, %d, %lld ms", i, got.action, got.throttle,
				 (long long)got.delay_ms);
	}
}

/* A receiver that never answers: every attempt is made at its time, then the message is parked. */
static void test_down_for_days(void **state)
{
	int64_t now_ms = schedule_delay_ms(0, 0);
	unsigned made = 0;
	struct schedule_step step;

	(void)state;
	do {
		struct schedule_try tried = {++made, 0, -1, 0};

		step = schedule_next(&tried);
		now_ms += step.delay_ms;
	} while (step.action == SCHEDULE_AGAIN);
	assert_int_equal(step.action, SCHEDULE_PARK);
	assert_int_equal(made, SCHEDULE_ATTEMPTS);
	assert_int_equal(now_ms, 75 * H + 35 * M + 5 * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_down_for_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
