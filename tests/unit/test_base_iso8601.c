/* Times and durations: what is read, what is refused, what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/iso8601.h"

#define UNTOUCHED INT64_C(-77)
#define DAY       INT64_C(86400000)

struct row {
	const char *text;
	int64_t want;
};

struct refused {
	const char *text;
	const char *why; /* part of the reason */
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void test_times(void **state)
{
	static const struct row rows[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01T00:00:00.001Z", 1},
		{"2026-11-24T09:00:00Z", INT64_C(1795510800000)},
		{"2026-11-24T09:00:00.1Z", INT64_C(1795510800100)},
		{"2026-11-24T09:00:00.12Z", INT64_C(1795510800120)},
		{"2026-11-24T09:00:00.123Z", INT64_C(1795510800123)},
		{"2026-11-24T09:00:00.1239999Z", INT64_C(1795510800123)},
		{"2026-11-24T09:00:00.0000000Z", INT64_C(1795510800000)},
		{"2026-11-24T10:00:00+01:00", INT64_C(1795510800000)},
		{"2026-11-24T03:30:00-05:30", INT64_C(1795510800000)},
		{"2026-11-24T09:00:00+00:00", INT64_C(1795510800000)},
		{"2026-11-24T09:00:00-00:00", INT64_C(1795510800000)},
		{"2026-11-24T23:00:00+14:00", INT64_C(1795510800000)},
		{"2026-11-25T00:00:00.5+01:00", INT64_C(1795561200500)},
		{"1969-12-31T23:00:00-01:00", UNTOUCHED},
		{"1970-01-01T01:00:00+01:00", 0},
		{"2000-02-29T00:00:00Z", INT64_C(951782400000)},
		{"2024-02-29T23:59:59.999Z", INT64_C(1709251199999)},
		{"2100-03-01T00:00:00Z", INT64_C(4107542400000)},
		{"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t ms = UNTOUCHED;
		enum err err = iso8601_parse_time(rows[i].text, &ms, NULL);

		if (ms != rows[i].want || (err == ERR_OK) != (rows[i].want != UNTOUCHED))
			fail_msg("%s: error %d, %lld", rows[i].text, (int)err, (long long)ms);
	}
}

static const struct refused refused_times[] = {
	{"", "written like"},
	{"now", "written like"},
	{"2026-11-24", "written like"},
	{"2026-11-24T09:00Z", "written like"},
	{"2026-11-24 09:00:00Z", "written like"},
	{"2026-11-24t09:00:00Z", "written like"},
	{"2026-1-24T09:00:00Z", "written like"},
	{"26-11-24T09:00:00Z", "written like"},
	{"+2026-11-24T09:00:00Z", "written like"},
	{"-026-11-24T09:00:00Z", "written like"},
	{" 2026-11-24T09:00:00Z", "written like"},
	{"2026-11-24T 9:00:00Z", "written like"},
	{"20261124T090000Z", "written like"},
	{"2026-W48-2T09:00:00Z", "written like"},
	{"12026-11-24T09:00:00Z", "written like"},
	{"1969-12-31T23:59:59Z", "1970"},
	{"0001-01-01T00:00:00Z", "1970"},
	{"2026-00-24T09:00:00Z", "day that does not exist"},
	{"2026-13-24T09:00:00Z", "day that does not exist"},
	{"2026-11-00T09:00:00Z", "day that does not exist"},
	{"2026-11-31T09:00:00Z", "day that does not exist"},
	{"2026-02-29T09:00:00Z", "day that does not exist"},
	{"2100-02-29T09:00:00Z", "day that does not exist"},
	{"2026-11-24T24:00:00Z", "time of day"},
	{"2026-11-24T09:60:00Z", "time of day"},
	{"2026-12-31T23:59:60Z", "time of day"},
	{"2026-11-24T09:00:00", "offset"},
	{"2026-11-24T09:00:00.5", "offset"},
	{"2026-11-24T09:00:00z", "offset"},
	{"2026-11-24T09:00:00,5Z", "offset"},
	{"2026-11-24T09:00:00.Z", "digits"},
	{"2026-11-24T09:00:00.", "digits"},
	{"2026-11-24T09:00:00.12345678Z", "digits"},
	{"2026-11-24T09:00:00+0100", "offset"},
	{"2026-11-24T09:00:00+01", "offset"},
	{"2026-11-24T09:00:00+1:00", "offset"},
	{"2026-11-24T09:00:00+-1:00", "offset"},
	{"2026-11-24T09:00:00+14:01", "offset"},
	{"2026-11-24T09:00:00-99:00", "offset"},
	{"2026-11-24T09:00:00+01:60", "offset"},
	{"2026-11-24T09:00:00Z ", "goes on"},
	{"2026-11-24T09:00:00ZZ", "goes on"},
	{"2026-11-24T09:00:00+01:000", "goes on"},
	{"1970-01-01T00:59:59+01:00", "1970"},
	{"9999-12-31T23:59:59-00:01", "9999"},
	{"9999-12-31T23:00:00-01:00", "9999"},
};

static void test_refused_times(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused_times); i++) {
		struct errctx ec = {.text = ""};
		int64_t ms = UNTOUCHED;
		enum err err = iso8601_parse_time(refused_times[i].text, &ms, &ec);

		if (err != ERR_BAD_REQUEST || ms != UNTOUCHED || !strstr(ec.text, refused_times[i].why))
			fail_msg("\"%s\": error %d, %lld, %s", refused_times[i].text, (int)err, (long long)ms,
				 ec.text);
	}
}

static void test_written_times(void **state)
{
	static const struct row rows[] = {
		{"1970-01-01T00:00:00.000Z", 0},
		{"2026-11-24T09:00:00.123Z", INT64_C(1795510800123)},
		{"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
		{"10000-01-01T00:00:00.000Z", INT64_C(253402300800000)},
		{"1969-12-31T23:59:59.999Z", -1},
		{"1969-12-31T23:59:59.000Z", -1000},
		{"292278994-08-17T07:12:55.807Z", INT64_MAX},
		{"-292275055-05-16T16:47:04.192Z", INT64_MIN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[ISO8601_TIME_SIZE];

		iso8601_format_time(rows[i].want, text);
		assert_string_equal(text, rows[i].text);
	}
}

/* Each day of four centuries, against the C library's calendar and back. */
static void test_every_day(void **state)
{
	(void)state;
	for (int64_t day = 0; day < 366 * 400; day++) {
		int64_t ms = day * DAY + day * 577 % DAY, back;
		char text[ISO8601_TIME_SIZE], want[ISO8601_TIME_SIZE];
		time_t seconds = (time_t)(ms / 1000);
		struct tm tm;

		iso8601_format_time(ms, text);
		gmtime_r(&seconds, &tm);
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S", &tm);
		assert_memory_equal(text, want, strlen(want));
		assert_int_equal(iso8601_parse_time(text, &back, NULL), ERR_OK);
		assert_int_equal(back, ms);
	}
}

static void test_durations(void **state)
{
	static const struct row rows[] = {
		{"PT1H", 3600000},
		{"PT8H", 8 * 3600000},
		{"PT2H30M", 9000000},
		{"PT90M", 5400000},
		{"PT08H", 8 * 3600000},
		{"PT5S", 5000},
		{"PT0.5S", 500},
		{"PT0.25S", 250},
		{"PT1.9999999S", 1999},
		{"PT0.001S", 1},
		{"P1D", DAY},
		{"P1DT12H", DAY + DAY / 2},
		{"P1W", 7 * DAY},
		{"P1W1D", 8 * DAY},
		{"P1W2DT3H4M5.006S", 9 * DAY + 11045006},
		{"P365D", 365 * DAY},
		{"P0DT1S", 1000},
		{"P36525D", 36525 * DAY},
		{"P36524DT23H59M60S", 36525 * DAY},
		{"PT3155760000S", 36525 * DAY},
		{"PT000000000000000000000000000001S", 1000},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t ms = UNTOUCHED;
		enum err err = iso8601_parse_duration(rows[i].text, &ms, NULL);

		if (err != ERR_OK || ms != rows[i].want)
			fail_msg("%s: error %d, %lld", rows[i].text, (int)err, (long long)ms);
	}
}

static const struct refused refused_durations[] = {
	{"", "written like"},
	{"P", "written like"},
	{"PT", "written like"},
	{"P1DT", "written like"},
	{"P1", "written like"},
	{"PT1", "written like"},
	{"1H", "written like"},
	{"pt1h", "written like"},
	{"PT1h", "written like"},
	{"P1H", "written like"},
	{"PT1D", "written like"},
	{"PT1W", "written like"},
	{"PTH", "written like"},
	{"PT1HT1M", "written like"},
	{"PT1M1H", "written like"},
	{"PT1H1H", "written like"},
	{"P1D1W", "written like"},
	{"PT 1H", "written like"},
	{"PT1H ", "written like"},
	{"PT-1H", "written like"},
	{"PT1,5S", "written like"},
	{"08:00:00", "written like"},
	{"P1Y", "years or months"},
	{"P1M", "years or months"},
	{"P1Y2M3DT4H", "years or months"},
	{"-PT1H", "sign"},
	{"+PT1H", "sign"},
	{"PT0S", "zero"},
	{"P0D", "zero"},
	{"PT0.0009S", "zero"},
	{"PT1.5H", "fraction"},
	{"P0.5D", "fraction"},
	{"PT1.S", "digits"},
	{"PT1.12345678S", "digits"},
	{"P36526D", "100 years"},
	{"P36525DT0.001S", "100 years"},
	{"P5217W7D", "100 years"},
	{"P5218W", "100 years"},
	{"PT3155760001S", "100 years"},
	{"PT99999999999999999999999999999S", "100 years"},
	{"PT9223372036854775807S", "100 years"},
	{"PT18446744073709551617S", "100 years"},
};

static void test_refused_durations(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused_durations); i++) {
		struct errctx ec = {.text = ""};
		int64_t ms = UNTOUCHED;
		enum err err = iso8601_parse_duration(refused_durations[i].text, &ms, &ec);

		if (err != ERR_BAD_REQUEST || ms != UNTOUCHED || !strstr(ec.text, refused_durations[i].why))
			fail_msg("\"%s\": error %d, %lld, %s", refused_durations[i].text, (int)err,
				 (long long)ms, ec.text);
	}
}

static void test_written_durations(void **state)
{
	static const struct row rows[] = {
		{"PT0S", 0},
		{"PT0.001S", 1},
		{"PT0.25S", 250},
		{"PT0.5S", 500},
		{"PT20S", 20000},
		{"PT1M", 60000},
		{"PT1M0.01S", 60010},
		{"PT1H", 3600000},
		{"PT1H1S", 3601000},
		{"PT1H30M", 5400000},
		{"PT8H", 8 * 3600000},
		{"PT24H", DAY},
		{"PT876600H", 36525 * DAY},
		{"PT2562047788015H12M55.807S", INT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[ISO8601_DURATION_SIZE];

		iso8601_format_duration(rows[i].want, text);
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_refused_times),
		cmocka_unit_test(test_written_times),
		cmocka_unit_test(test_every_day),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_refused_durations),
		cmocka_unit_test(test_written_durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
