/* Pauses and Retry-After. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scim-push/retry.h"

static void ceilings(void **state)
{
	static const struct {
		unsigned attempt;
		int64_t removal_ms, activation_ms;
	} rows[] = {
		{0, 1000, 1000},
		{1, 1000, 1000},
		{2, 2000, 2000},
		{3, 4000, 4000},
		{4, 8000, 8000},
		{5, 16000, RETRY_WITH_CYCLE},
		{6, 30000, RETRY_WITH_CYCLE},
		{40, 30000, RETRY_WITH_CYCLE},
		{4000000000u, 30000, RETRY_WITH_CYCLE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(retry_delay_ms(rows[i].attempt, true, UINT32_MAX), rows[i].removal_ms);
		assert_int_equal(retry_delay_ms(rows[i].attempt, false, UINT32_MAX), rows[i].activation_ms);
	}
	(void)state;
}

static void jitter_is_full_and_even(void **state)
{
	assert_int_equal(retry_delay_ms(1, true, 0), 0);
	assert_int_equal(retry_delay_ms(9, true, 0), 0);
	assert_int_equal(retry_delay_ms(1, true, UINT32_MAX / 2), 500);
	assert_int_equal(retry_delay_ms(9, true, UINT32_MAX / 4), 7500);
	assert_int_equal(retry_delay_ms(4, false, UINT32_MAX / 4), 2000);
	assert_in_range(retry_delay_ms(9, true, 0x12345678), 2133, 2134);
	(void)state;
}

#define NOW_MS INT64_C(784111777000) /* Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110, 5.6.7 */

static void retry_after(void **state)
{
	static const struct {
		const char *value;
		int64_t now_ms, ms;
	} rows[] = {
		{"0", NOW_MS, 0},
		{"7", NOW_MS, 7000},
		{"0007", NOW_MS, 7000},
		{"3600", NOW_MS, 3600000},
		{"3601", NOW_MS, 3600000},
		{"99999999999999999999999999999", NOW_MS, 3600000},
		{"Sun, 06 Nov 1994 08:49:37 GMT", NOW_MS, 0},
		{"Sun, 06 Nov 1994 08:49:47 GMT", NOW_MS, 10000},
		{"Sun, 06 Nov 1994 08:49:47 GMT", NOW_MS - 500, 10500},
		{"Sun, 06 Nov 1994 08:49:27 GMT", NOW_MS, 0},
		{"Mon, 07 Nov 1994 08:49:37 GMT", NOW_MS, 3600000},
		{"Sunday, 06-Nov-94 08:50:37 GMT", NOW_MS, 60000},
		{"Sun Nov  6 08:49:38 1994", NOW_MS, 1000},
		{"Wed, 16 Nov 1994 08:49:38 GMT", NOW_MS + INT64_C(864000000), 1000},
		{"Wed Nov 16 08:49:38 1994", NOW_MS + INT64_C(864000000), 1000},
		/* The last second of the century; and a leap day. */
		{"Fri, 31 Dec 1999 23:59:60 GMT", INT64_C(946684798000), 2000},
		{"Tuesday, 29-Feb-00 00:00:01 GMT", INT64_C(951782400000), 1000},
		{"Tue, 29 Feb 2000 00:00:01 GMT", INT64_C(951782400000), 1000},
		{"Fri, 01 Mar 2024 00:00:00 GMT", INT64_C(1709164800000), 3600000},
		{"", NOW_MS, -1},
		{"soon", NOW_MS, -1},
		{"-1", NOW_MS, -1},
		{"1.5", NOW_MS, -1},
		{"7 seconds", NOW_MS, -1},
		/* Not as RFC 9110 has it, but plain enough. */
		{"Sun, 06 Nov 1994 08:49:47", NOW_MS, 10000},
		{"Sun, 06 Nov 1994 09:49:47 CET", NOW_MS, 10000},
		{"Sun, 06 Nov 1994 24:49:37 GMT", NOW_MS, -1},
		{"Sun, 00 Nov 1994 08:49:37 GMT", NOW_MS, -1},
		{"Sun, 06 Non 1994 08:49:37 GMT", NOW_MS, -1},
		{"Sun ", NOW_MS, -1},
		{"Sun, ", NOW_MS, -1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t ms = retry_after_ms(rows[i].value, rows[i].now_ms);
		if (ms != rows[i].ms)
			fail_msg("\"%s\": %lld, not %lld", rows[i].value, (long long)ms,
				 (long long)rows[i].ms);
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ceilings),
		cmocka_unit_test(jitter_is_full_and_even),
		cmocka_unit_test(retry_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
