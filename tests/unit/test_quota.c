/*
 * How much one caller may ask. Broken on purpose: a refused request counted, nothing leaking away, the fullest bucket forgotten.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "api/quota.h"

#define MOST  10U
#define CROWD 100000 /* many more than there are buckets */

static int open_quota(void **state)
{
	*state = quota_new();
	return *state == NULL;
}

static int close_quota(void **state)
{
	quota_free(*state);
	return 0;
}

static void no_more_than_that(void **state)
{
	int64_t now_ms = 1000;

	for (unsigned i = 0; i < MOST; i++)
		assert_int_equal(quota_take(*state, "ann", MOST, now_ms), 0);
	/* Another one has as many. */
	for (unsigned i = 0; i < MOST; i++)
		assert_int_equal(quota_take(*state, "bob", MOST, now_ms), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(quota_take(*state, "ann", MOST, now_ms), QUOTA_PER_MS / MOST + 1);
	assert_in_range(quota_take(*state, "ann", MOST, now_ms + 400), 600, 601);
	/* It is back bit by bit, and never more than all of it. */
	assert_int_equal(quota_take(*state, "ann", MOST, now_ms + 1001), 0);
	assert_int_not_equal(quota_take(*state, "ann", MOST, now_ms + 1001), 0);
	now_ms += 100LL * QUOTA_PER_MS;
	for (unsigned i = 0; i < MOST; i++)
		assert_int_equal(quota_take(*state, "ann", MOST, now_ms), 0);
	assert_int_not_equal(quota_take(*state, "ann", MOST, now_ms), 0);
}

/* Over any time: what there was at first, and what has leaked away since. */
static void over_time(void **state)
{
	unsigned taken = 0;
	int64_t ms = 1;

	for (; ms <= 6LL * QUOTA_PER_MS; ms += 7)
		taken += quota_take(*state, "ann", MOST, ms) == 0;
	assert_in_range(taken, 7 * MOST - 1, 7 * MOST);
}

/* Those of a crowd who come once do not wash away who comes too often. */
static void in_a_crowd(void **state)
{
	char name[32];
	unsigned taken = 0;

	for (int i = 0; i < CROWD; i++) {
		snprintf(name, sizeof(name), "person %d", i);
		assert_int_equal(quota_take(*state, name, MOST, 1), 0);
		if (i % 100 == 0)
			taken += quota_take(*state, "ann", MOST, 1) == 0;
	}
	assert_int_equal(taken, MOST);
}

static void a_smaller_limit(void **state)
{
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(quota_take(*state, "ann", 100, 1), 0);
	assert_in_range(quota_take(*state, "ann", MOST, 1), 9LL * QUOTA_PER_MS, 10LL * QUOTA_PER_MS);
	assert_int_equal(quota_take(NULL, "ann", MOST, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_more_than_that, open_quota, close_quota),
		cmocka_unit_test_setup_teardown(over_time, open_quota, close_quota),
		cmocka_unit_test_setup_teardown(in_a_crowd, open_quota, close_quota),
		cmocka_unit_test_setup_teardown(a_smaller_limit, open_quota, close_quota),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
