/* The function library told as stories: what cannot be read keeps nobody else waiting, and is told until it can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/lane_story.h"

#define END                                                                                                  \
	{                                                                                                    \
		NULL, NULL                                                                                   \
	}

#define TERMS "0 terms aws 5 10000 3 0 604800000 0 100 30000 32000" /* a cycle a week */
#define TWO_HAVE_IT                                                                                          \
	{TERMS, ""}, {"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},                  \
		{"9 end Pr1 ann:done", "ok"},                                                                \
		{"10 submit r2 g1 bob 60000", "ok provisioning | push Pr2 add g1 bob"},                      \
	{                                                                                                    \
		"19 end Pr2 bob:done", "ok"                                                                  \
	}

/* Bob's end goes on; Ann's is tried after pauses that grow, told each time, and written into the audit once. */
static void test_a_request(void **state)
{
	static const struct lane_story_row rows[] = {
		TWO_HAVE_IT,
		{"50000 spoil r:r1", ""},
		{"60010 due", "q aws z tx:aws e:r1: WRONGTYPE"},
		{"60010 lane", "timetable=2 removals=1 oldest=60010 aside=1 since=60010"},
		{"60010 audit r1", "push>provisioning/ann confirm>in_force/application set_aside>/broker"},
		{"65009 due", ""},
		{"65010 due", "q aws z tx:aws e:r1: WRONGTYPE"},
		{"70010 due", "q aws z tx:aws e:r1: WRONGTYPE"},
		{"80010 mend r:r1", ""},
		{"80010 due", "q aws"},
		{"80010 lane", "timetable=1 removals=2 oldest=60000"},
		{"80010 audit r1", "push>provisioning/ann confirm>in_force/application set_aside>/broker "
				   "expire_remove>expiring/time"},
		END,
	};

	lane_story_run(*state, "a request", rows);
}

/* What is met before anything is written leaves nothing behind. */
static void test_a_record_of_theirs(void **state)
{
	static const char *const keys[] = {"m:g1:ann", "u:ann"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char spoil[32], mend[32];
		const struct lane_story_row rows[] = {
			TWO_HAVE_IT,
			{spoil, ""},
			{"60010 due", "q aws z tx:aws e:r1: WRONGTYPE"},
			{"65010 due", "q aws z tx:aws e:r1: WRONGTYPE"},
			{mend, ""},
			{"70010 due", "q aws"},
			{"70010 lane", "timetable=1 removals=2 oldest=60000"},
			{"70010 audit r1",
			 "push>provisioning/ann confirm>in_force/application set_aside>/broker "
			 "expire_remove>expiring/time"},
			END,
		};

		snprintf(spoil, sizeof(spoil), "50000 spoil %s", keys[i]);
		snprintf(mend, sizeof(mend), "70000 mend %s", keys[i]);
		lane_story_run(*state, keys[i], rows);
	}
}

/* What fails half-way is done anew, and nothing is counted twice. */
static void test_half_done(void **state)
{
	static const struct lane_story_row rows[] = {
		TWO_HAVE_IT,
		{"50000 spoil x:g1", ""},
		{"60010 due", "q aws z tx:aws e:r1: WRONGTYPE z tx:aws e:r2: WRONGTYPE"},
		{"65010 due", "q aws z tx:aws e:r1: WRONGTYPE z tx:aws e:r2: WRONGTYPE"},
		{"70010 due", "q aws z tx:aws e:r1: WRONGTYPE z tx:aws e:r2: WRONGTYPE"},
		{"70010 app members", "members=2"},
		{"70010 mend x:g1", ""},
		{"90010 due", "q aws"},
		{"90010 app members", "members=0"},
		{"90010 lane", "timetable=1 removals=2 oldest=60000"},
		{"90010 pump q1", "| push q1 remove g1 ann bob"},
		END,
	};

	lane_story_run(*state, "half done", rows);
}

/* One who cannot be read keeps nobody else from being removed. */
static void test_a_removal(void **state)
{
	static const struct lane_story_row rows[] = {
		TWO_HAVE_IT,
		{"60010 due", "q aws"},
		{"60011 spoil m:g1:ann", ""},
		{"60012 pump q1", "| push q1 remove g1 bob"},
		{"60013 end q1 bob:done", "ok"},
		{"60014 pump q2", "idle"},
		{"60014 lane", "timetable=2 removals=1 oldest=60000 aside=1 since=60012"},
		{"60015 audit ", "set_aside>/broker"},
		{"60016 mend m:g1:ann", ""},
		{"65012 due", "q aws"},
		{"65012 lane", "timetable=2 removals=1 oldest=60000 aside=1 since=60012"},
		{"65013 pump q3", "| push q3 remove g1 ann"},
		{"65014 end q3 ann:done", "ok"},
		{"65014 due", "q aws"},
		{"65014 lane", "timetable=3 removals=0 oldest=0"},
		END,
	};

	lane_story_run(*state, "a removal", rows);
}

/* What Ann is as a user is needed to write down that she is gone, not for that: she goes alone. Nobody is added without it. */
static void test_a_user(void **state)
{
	static const struct lane_story_row removal[] = {
		TWO_HAVE_IT,
		{"50000 spoil us:aws:ann", ""},
		{"60010 due", "q aws"},
		{"60011 pump q1", "| push q1 remove g1 ann"},
		{"60012 pump q2", "| push q2 remove g1 bob"},
		{"60013 end q2 bob:done", "ok"},
		{"92011 due", "q aws z tt p:q1: WRONGTYPE"},
		{"92012 mend us:aws:ann", ""},
		{"92013 end q1 ann:done", "gone"},
		{"97013 due", "q aws"},
		{"97014 pump q3", "| push q3 remove g1 ann*1"},
		{"97015 end q3 ann:done", "ok"},
		{"97016 due", "q aws"},
		{"97017 lane", "timetable=3 removals=0 oldest=0"},
		END,
	};
	static const struct lane_story_row addition[] = {
		{"0 terms aws 1 10000 0 60000 604800000 0 100 30000 32000", ""},
		{"0 submit r1 g1 ann 600000", "ok provisioning | push Pr1 add g1 ann"},
		{"1 submit r2 g1 bob 600000", "ok waiting"},
		{"2 submit r3 g1 cyd 600000", "ok waiting"},
		{"3 end Pr1 ann:done", "ok"},
		{"4 spoil us:aws:bob", ""},
		{"10004 pump q1", "| push q1 add g1 cyd"},
		{"10005 end q1 cyd:done", "ok"},
		{"10006 mend us:aws:bob", ""},
		{"20006 pump q2", "| push q2 add g1 bob"},
		END,
	};

	lane_story_run(*state, "a user's removal", removal);
	lane_story_run(*state, "a user's addition", addition);
}

/* One who cannot be read any more while they are pushed keeps nobody of the same push. */
static void test_a_push(void **state)
{
	static const char *const keys[] = {"m:g1:ann", "r:r1", "us:aws:ann", "u:ann"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char spoil[32], mend[32];
		const struct lane_story_row rows[] = {
			TWO_HAVE_IT,
			{"60010 due", "q aws"},
			{"60011 pump q1", "| push q1 remove g1 ann bob"},
			{spoil, ""},
			{"60013 end q1 ann:done bob:done", "ok"},
			{"60013 end q1 ann:done bob:done", "gone"},
			{"60014 lane", "timetable=3 removals=1 oldest=60000 aside=1 since=60013"},
			{"60014 app members", "members=0"},
			{"65013 due", "q aws z tt p:q1: WRONGTYPE"},
			{mend, ""},
			{"70013 due", "q aws"},
			{"70014 pump q2", "| push q2 remove g1 ann*1"},
			{"70015 end q2 ann:done", "ok"},
			{"70016 due", "q aws"},
			{"70016 lane", "timetable=3 removals=0 oldest=0"},
			END,
		};

		snprintf(spoil, sizeof(spoil), "60012 spoil %s", keys[i]);
		snprintf(mend, sizeof(mend), "65014 mend %s", keys[i]);
		lane_story_run(*state, keys[i], rows);
	}
}

/* The same where its broker has died, and where it looks who is still to be pushed. */
static void test_a_lost_push(void **state)
{
	static const struct lane_story_row rows[] = {
		TWO_HAVE_IT,
		{"60010 due", "q aws"},
		{"60011 pump q1", "| push q1 remove g1 ann bob"},
		{"60012 check q1", "ok 1 1"},
		{"60012 spoil m:g1:ann", ""},
		{"60012 check q1", "ok 0 1"},
		{"92011 due", "q aws z tt p:q1: WRONGTYPE"},
		{"92012 check q1", "gone"},
		{"92012 pump q2", "| push q2 remove g1 bob*1"},
		{"92013 end q2 bob:done", "ok"},
		{"92014 mend m:g1:ann", ""},
		{"97011 due", "q aws"},
		{"97012 pump q3", "| push q3 remove g1 ann*1"},
		END,
	};

	lane_story_run(*state, "a lost push", rows);
}

/* What all applications of the lane share, and what a group is called, keeps no access from ending. */
static void test_shared_keys(void **state)
{
	static const struct {
		const char *key, *told;
	} keys[] = {
		{"audit", " z audit: WRONGTYPE"},
		{"audit:head", " z audit:head: WRONGTYPE"},
		{"sa", " z sa: WRONGTYPE"},
		{"aw", " z aw: WRONGTYPE"},
		{"x", ""},
		{"la", ""},
		{"lv", ""},
		{"lk", ""},
		{"gu", ""},
		{"gn:g1", ""},
		{"gi:g1", ""},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char spoil[32], due[48];
		const struct lane_story_row rows[] = {
			TWO_HAVE_IT,
			{spoil, ""},
			{"60010 due", due},
			{"60011 pump q1", "| push q1 remove g1 ann bob"},
			{"60012 end q1 ann:done bob:done", "ok"},
			{"70012 due", "q aws"},
			{"70013 pump q2", "idle"},
			END,
		};

		snprintf(spoil, sizeof(spoil), "50000 spoil %s", keys[i].key);
		snprintf(due, sizeof(due), "q aws%s", keys[i].told);
		lane_story_run(*state, keys[i].key, rows);
	}
}

/* All ends of the application. */
static void test_a_list(void **state)
{
	static const struct lane_story_row rows[] = {
		TWO_HAVE_IT,
		{"60010 spoil tx:aws", ""},
		{"60010 due", "q aws z tt x:aws: WRONGTYPE"},
		{"60010 lane", "timetable=1 removals=0 oldest=0 aside=1 since=60010"},
		{"60011 mend tx:aws", ""},
		{"65010 due", "q aws"},
		{"65010 lane", "timetable=1 removals=2 oldest=60000"},
		END,
	};

	lane_story_run(*state, "a list", rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request),   cmocka_unit_test(test_a_record_of_theirs),
		cmocka_unit_test(test_half_done),   cmocka_unit_test(test_a_removal),
		cmocka_unit_test(test_a_push),      cmocka_unit_test(test_a_lost_push),
		cmocka_unit_test(test_shared_keys), cmocka_unit_test(test_a_list),
		cmocka_unit_test(test_a_user),
	};

	return LANE_STORY_TESTS(tests);
}
