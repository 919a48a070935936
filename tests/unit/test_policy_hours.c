/* Hours of the week, with the days on which clocks change. The zones are those of the system's database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "activation/policy.h"
#include "base/iso8601.h"
#include "config/values.h"

#define MON       1U
#define SUN       (1U << 6)
#define WEEKDAYS  0x1fU
#define EVERY_DAY 0x7fU

struct fixture {
	struct memory memory;
	struct policy_zone *zones;
	struct reading reading;
};

static int make_fixture(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->reading =
		(struct reading){.folder = "", .memory = &fixture->memory, .zones = &fixture->zones};
	*state = fixture;
	return 0;
}

static int free_fixture(void **state)
{
	struct fixture *fixture = *state;

	memory_release(&fixture->memory);
	free(fixture);
	return 0;
}

static const struct policy_zone *zone_of(void **state, const char *name)
{
	struct fixture *fixture = *state;
	const struct policy_zone *zone = zone_load(&fixture->reading, name);

	if (!zone)
		fail_msg("%s is not known: is tzdata installed?", name);
	return zone;
}

static int64_t ms_of(const char *time)
{
	int64_t ms = 0;

	assert_int_equal(iso8601_parse_time(time, &ms, NULL), ERR_OK);
	return ms;
}

static void test_offsets(void **state)
{
	static const struct {
		const char *zone, *time;
		int minutes;
	} rows[] = {
		{"UTC", "1970-01-01T00:00:00Z", 0},
		{"UTC", "2026-07-01T00:00:00Z", 0},
		{"Europe/Zurich", "2026-01-01T00:00:00Z", 60},
		{"Europe/Zurich", "2026-07-01T00:00:00Z", 120},
		/* Clocks change at 01:00 UTC on 29 March and 25 October 2026. */
		{"Europe/Zurich", "2026-03-29T00:59:59.999Z", 60},
		{"Europe/Zurich", "2026-03-29T01:00:00Z", 120},
		{"Europe/Zurich", "2026-10-25T00:59:59.999Z", 120},
		{"Europe/Zurich", "2026-10-25T01:00:00Z", 60},
		/* Beyond 2037, where older tables end. */
		{"Europe/Zurich", "2060-07-01T00:00:00Z", 120},
		{"Europe/Zurich", "2060-12-01T00:00:00Z", 60},
		{"America/New_York", "2026-03-08T06:59:59Z", -300},
		{"America/New_York", "2026-03-08T07:00:00Z", -240},
		{"Asia/Kolkata", "2026-03-08T07:00:00Z", 330},
		{"Australia/Lord_Howe", "2026-01-01T00:00:00Z", 660},
		{"Australia/Lord_Howe", "2026-07-01T00:00:00Z", 630},
		{"Pacific/Kiritimati", "2026-07-01T00:00:00Z", 840},
		/* The two changes that are nearest to each other: a summer of a week. */
		{"America/Boa_Vista", "2000-10-08T03:00:00Z", -240},
		{"America/Boa_Vista", "2000-10-10T00:00:00Z", -180},
		{"America/Boa_Vista", "2000-10-15T04:00:00Z", -240},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t ahead = policy_zone_ahead_ms(zone_of(state, rows[i].zone), ms_of(rows[i].time));

		if (ahead != rows[i].minutes * INT64_C(60000))
			fail_msg("row %zu: %lld minutes", i, (long long)(ahead / 60000));
	}
}

static const struct {
	const char *zone;
	unsigned days;
	int from, to; /* hhmm */
	const char *time;
	bool holds;
} window_rows[] = {
	/* 2026-11-23 is a Monday. */
	{"UTC", WEEKDAYS, 800, 1800, "2026-11-23T07:59:59.999Z", false},
	{"UTC", WEEKDAYS, 800, 1800, "2026-11-23T08:00:00Z", true},
	{"UTC", WEEKDAYS, 800, 1800, "2026-11-23T17:59:59.999Z", true},
	{"UTC", WEEKDAYS, 800, 1800, "2026-11-23T18:00:00Z", false},
	{"UTC", WEEKDAYS, 800, 1800, "2026-11-22T12:00:00Z", false},
	{"UTC", WEEKDAYS, 800, 1800, "2026-11-27T12:00:00Z", true},
	{"UTC", WEEKDAYS, 800, 1800, "2026-11-28T12:00:00Z", false},
	{"UTC", SUN, 0, 2400, "2026-11-22T00:00:00Z", true},
	{"UTC", SUN, 0, 2400, "2026-11-22T23:59:59Z", true},
	{"UTC", SUN, 0, 2400, "2026-11-23T00:00:00Z", false},
	/* The same moment is on another day elsewhere. */
	{"Europe/Zurich", MON, 0, 100, "2026-11-22T23:30:00Z", true},
	{"America/New_York", SUN, 1800, 1900, "2026-11-22T23:30:00Z", true},
	{"Pacific/Kiritimati", MON, 1300, 1400, "2026-11-22T23:30:00Z", true},
	/* Over midnight: the day is that on which it begins. */
	{"UTC", SUN, 2200, 600, "2026-11-22T21:59:00Z", false},
	{"UTC", SUN, 2200, 600, "2026-11-22T22:00:00Z", true},
	{"UTC", SUN, 2200, 600, "2026-11-23T05:59:59Z", true},
	{"UTC", SUN, 2200, 600, "2026-11-23T06:00:00Z", false},
	{"UTC", SUN, 2200, 600, "2026-11-22T03:00:00Z", false},
	{"UTC", SUN, 2200, 600, "2026-11-23T22:30:00Z", false},
	{"UTC", MON, 2200, 600, "2026-11-23T03:00:00Z", false},
	{"UTC", MON, 2200, 0, "2026-11-23T23:59:00Z", true},
	{"UTC", MON, 2200, 0, "2026-11-24T00:00:00Z", false},
	/* Summer and winter: 08:00 in Zurich is 06:00 or 07:00 UTC. */
	{"Europe/Zurich", EVERY_DAY, 800, 900, "2026-07-01T06:00:00Z", true},
	{"Europe/Zurich", EVERY_DAY, 800, 900, "2026-07-01T07:00:00Z", false},
	{"Europe/Zurich", EVERY_DAY, 800, 900, "2026-12-01T06:00:00Z", false},
	{"Europe/Zurich", EVERY_DAY, 800, 900, "2026-12-01T07:00:00Z", true},
	/* In spring, 02:00 to 03:00 is skipped: 01:59 is followed by 03:00. */
	{"Europe/Zurich", SUN, 200, 300, "2026-03-29T00:59:59Z", false},
	{"Europe/Zurich", SUN, 200, 300, "2026-03-29T01:00:00Z", false},
	{"Europe/Zurich", SUN, 100, 200, "2026-03-29T00:59:59Z", true},
	{"Europe/Zurich", SUN, 300, 400, "2026-03-29T01:00:00Z", true},
	/* In autumn, 02:00 to 03:00 comes twice, and is in the window both times. */
	{"Europe/Zurich", SUN, 200, 300, "2026-10-25T00:00:00Z", true},
	{"Europe/Zurich", SUN, 200, 300, "2026-10-25T00:59:59Z", true},
	{"Europe/Zurich", SUN, 200, 300, "2026-10-25T01:00:00Z", true},
	{"Europe/Zurich", SUN, 200, 300, "2026-10-25T01:59:59Z", true},
	{"Europe/Zurich", SUN, 200, 300, "2026-10-25T02:00:00Z", false},
	{"Europe/Zurich", SUN, 300, 400, "2026-10-25T01:59:59Z", false},
	/* The night of the change is an hour longer, or shorter. */
	{"Europe/Zurich", 1U << 5, 2200, 600, "2026-10-25T04:59:59Z", true},
	{"Europe/Zurich", 1U << 5, 2200, 600, "2026-10-25T05:00:00Z", false},
	{"Europe/Zurich", 1U << 5, 2200, 600, "2026-03-29T03:59:59Z", true},
	{"Europe/Zurich", 1U << 5, 2200, 600, "2026-03-29T04:00:00Z", false},
};

static void test_windows(void **state)
{
	for (size_t i = 0; i < sizeof(window_rows) / sizeof(window_rows[0]); i++) {
		struct policy_window window = {.zone = zone_of(state, window_rows[i].zone),
					       .days = window_rows[i].days,
					       .from = window_rows[i].from / 100 * 60 +
						       window_rows[i].from % 100,
					       .to = window_rows[i].to / 100 * 60 + window_rows[i].to % 100};
		struct policy_windows hours = {&window, 1};

		if (policy_hours_hold(&hours, ms_of(window_rows[i].time)) != window_rows[i].holds)
			fail_msg("row %zu", i);
	}
}

/* One of several windows is enough; without any, every hour is as good. */
static void test_several_windows(void **state)
{
	struct policy_window windows[] = {
		{zone_of(state, "UTC"), MON, 8 * 60, 12 * 60},
		{zone_of(state, "Europe/Zurich"), SUN, 22 * 60, 60},
	};
	struct policy_windows hours = {windows, 2}, none = {NULL, 0};
	char text[POLICY_TEXT_SIZE];

	assert_true(policy_hours_hold(&hours, ms_of("2026-11-23T09:00:00Z")));
	assert_true(policy_hours_hold(&hours, ms_of("2026-11-22T23:30:00Z")));
	assert_false(policy_hours_hold(&hours, ms_of("2026-11-23T00:30:00Z")));
	assert_true(policy_hours_hold(&none, ms_of("2026-11-23T00:30:00Z")));
	policy_hours_print(&hours, text);
	assert_string_equal(text, "mon 08:00-12:00 UTC; sun 22:00-01:00 Europe/Zurich");
	policy_hours_print_time(windows[1].zone, ms_of("2026-11-22T23:30:59Z"), text);
	assert_string_equal(text, "mon 00:30 Europe/Zurich");
}

static void test_long_lists_are_cut(void **state)
{
	struct policy_window windows[40];
	struct policy_windows hours = {windows, 40};
	char text[POLICY_TEXT_SIZE];

	for (size_t i = 0; i < 40; i++)
		windows[i] = (struct policy_window){zone_of(state, "America/New_York"), EVERY_DAY, 0, 1440};
	policy_hours_print(&hours, text);
	assert_int_equal(strlen(text), POLICY_TEXT_SIZE - 1);
}

/* Times that no clock shows neither overflow nor crash. */
static void test_extremes(void **state)
{
	struct policy_window window = {zone_of(state, "Pacific/Kiritimati"), EVERY_DAY, 0, 1440};
	struct policy_windows hours = {&window, 1};

	assert_true(policy_hours_hold(&hours, INT64_MAX));
	assert_true(policy_hours_hold(&hours, INT64_MIN));
	assert_true(policy_hours_hold(&hours, -1));
	window.zone = zone_of(state, "America/New_York");
	assert_true(policy_hours_hold(&hours, INT64_MAX));
	assert_true(policy_hours_hold(&hours, INT64_MIN));
}

static void test_rule(void **state)
{
	char *names[] = {(char[]){"a"}};
	struct policy_eligibility eligibility = {.people = {{names, 1}, {NULL, 0}}, .end_ms = INT64_MAX};
	struct policy_window window = {zone_of(state, "Europe/Zurich"), WEEKDAYS, 480, 1080};
	struct policy policy;
	struct policy_ask ask = {.person = {.user_name = "a"},
				 .now_ms = ms_of("2026-11-22T12:00:00Z"),
				 .length_ms = 3600000,
				 .justification = "x"};
	struct policy_verdict verdict;

	policy_defaults(&policy);
	policy.eligible = (struct policy_eligibilities){&eligibility, 1};
	policy.hours = (struct policy_windows){&window, 1};
	policy_check(&policy, &ask, &verdict);
	assert_int_equal(verdict.count, 1);
	assert_string_equal(verdict.refusals[0].rule, "ActivationDayRule");
	assert_string_equal(verdict.refusals[0].limit, "mon,tue,wed,thu,fri 08:00-18:00 Europe/Zurich");
	assert_string_equal(verdict.refusals[0].given, "sun 13:00 Europe/Zurich");
	/* On Sunday one may ask for Monday; what counts is the start. */
	ask.start_ms = ms_of("2026-11-23T07:00:00Z");
	policy_check(&policy, &ask, &verdict);
	assert_int_equal(verdict.count, 0);
	assert_string_equal(verdict.passed[verdict.passed_count - 1], "ActivationDayRule");
}

/* Loading a zone leaves the process's own as it was, set or not. */
static void test_own_zone_stays(void **state)
{
	const char *before = getenv("TZ");
	char *kept = before ? strdup(before) : NULL;
	struct tm tm;
	time_t noon = 1800000000;

	assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
	tzset();
	(void)zone_of(state, "America/Lima");
	assert_string_equal(getenv("TZ"), "Asia/Tokyo");
	assert_non_null(localtime_r(&noon, &tm));
	assert_int_equal(tm.tm_gmtoff, 9 * 3600);
	assert_int_equal(unsetenv("TZ"), 0);
	tzset();
	(void)zone_of(state, "America/Bogota");
	assert_null(getenv("TZ"));
	if (kept)
		assert_int_equal(setenv("TZ", kept, 1), 0);
	tzset();
	free(kept);
}

static void test_zones_are_shared(void **state)
{
	struct fixture *fixture = *state;
	static const char *const unknown[] = {
		"",
		"/etc/passwd",
		"../zoneinfo/UTC",
		"Europe",
		"Europe/Zurich/",
		"europe/zurich",
		"Nowhere",
		"tzdata.zi",
		"zone.tab",
		"Europe/Zurich ",
		"Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	assert_ptr_equal(zone_of(state, "Europe/Zurich"), zone_of(state, "Europe/Zurich"));
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		errno = 0;
		if (zone_load(&fixture->reading, unknown[i]) || errno != ENOENT)
			fail_msg("%s is accepted", unknown[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offsets),         cmocka_unit_test(test_windows),
		cmocka_unit_test(test_several_windows), cmocka_unit_test(test_long_lists_are_cut),
		cmocka_unit_test(test_extremes),        cmocka_unit_test(test_rule),
		cmocka_unit_test(test_own_zone_stays),  cmocka_unit_test(test_zones_are_shared),
	};

	return cmocka_run_group_tests(tests, make_fixture, free_fixture);
}
