/* The function library told as stories: an application that no broker has in its configuration any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/lane_story.h"

#define END                                                                                                  \
	{                                                                                                    \
		NULL, NULL                                                                                   \
	}

#define TERMS "0 terms aws 5 10000 3 0 604800000 0 100 30000 32000" /* a cycle a week */
#define ANN_HAD_IT                                                                                           \
	{TERMS, ""}, {"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},                  \
		{"9 end Pr1 ann:done", "ok"},                                                                \
	{                                                                                                    \
		"60000 due", "q aws"                                                                         \
	}

/* It comes again and again, and is said once; whoever knows the application takes up what waits. */
static void test_said_once(void **state)
{
	static const struct lane_story_row rows[] = {
		ANN_HAD_IT,
		{"60001 leave q aws", "ok 0"},
		{"60001 due", "q aws"},
		{"60001 lane", "timetable=1 removals=1 oldest=60000 stranded=1"},
		{"64000 leave q aws 1", "ok 0"},
		{"64001 leave q aws 1", "ok 1"},
		{"64001 audit", "application_unknown>/broker"},
		{"65001 due", "q aws"},
		{"70000 leave q aws 1", "ok 0"},
		{"70000 audit", "application_unknown>/broker"},
		{"70001 plan", "ok"},
		{"70001 lane", "timetable=2 removals=1 oldest=60000"},
		{"70001 due", "q aws"},
		{"70001 pump q1", "| push q1 remove g1 ann"},
		{"70009 end q1 ann:done", "ok"},
		END,
	};
	/* What is in force there will not end either. */
	static const struct lane_story_row early[] = {
		{TERMS, ""},
		{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:done", "ok"},
		{"10 leave c aws", "ok 0"},
		{"4010 leave c aws 1", "ok 1"},
		{"4010 lane", "timetable=2 removals=0 oldest=0"},
		END,
	};

	lane_story_run(*state, "said once", rows);
	lane_story_run(*state, "before the end", early);
}

/* Some brokers have read the new file and others have not. */
static void test_known_to_others(void **state)
{
	static const struct lane_story_row rows[] = {
		ANN_HAD_IT,
		{"60001 leave q aws", "ok 0"},
		{"60002 pump q1", "| push q1 remove g1 ann"},
		{"60009 end q1 ann:retry", "ok"},
		{"70000 leave q aws 1", "ok 0"},
		{"70000 audit", ""},
		END,
	};

	lane_story_run(*state, "known to others", rows);
}

/* The end of its token is nobody's matter then, nor does an application without members need words. */
static void test_nothing_left(void **state)
{
	static const struct lane_story_row rows[] = {
		{TERMS, ""},
		{"0 tells 0 0", ""},
		{"0 plan token=100", "ok"},
		{"10 leave c aws", "ok 0"},
		{"9999 leave c aws 1", "ok 0"},
		{"864000000 due", "c aws"},
		{"864000000 audit", ""},
		{"864000000 outbox", ""},
		{"864000001 plan token=100", "ok"},
		{"864000001 audit", "token_ending>/time"},
		END,
	};

	lane_story_run(*state, "nothing left", rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_said_once),
		cmocka_unit_test(test_known_to_others),
		cmocka_unit_test(test_nothing_left),
	};

	return LANE_STORY_TESTS(tests);
}
