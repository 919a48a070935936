/* The function library told as stories: the end of an application's token, which is told in time and once. */
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

static void test_each_once(void **state)
{
	static const struct lane_story_row rows[] = {
		{TERMS, ""},
		{"0 tells 0 0", ""},
		{"0 plan token=100", "ok"},
		{"0 plan token=100", "ok"}, /* another broker, or the same one once more */
		{"0 audit", ""},
		{"863999999 due", "c aws"},
		{"863999999 outbox", ""},
		/* 90 days before. */
		{"864000000 due", "n "},
		{"864000000 audit", "token_ending>/time"},
		{"864000000 outbox", "token.ending#1:"},
		{"864000001 plan token=100", "ok"},
		{"864000001 outbox", "token.ending#1:"},
		/* Everything was away until 5 days before: the latest alone is told. */
		{"8208000000 plan token=100", "ok"},
		{"8208000000 outbox", "token.ending#1: token.ending#2:"},
		{"8208000000 due", "c aws n "},
		/* A day before, and at the end. */
		{"8553600000 due", "c aws n "},
		{"8553600000 outbox", "token.ending#1: token.ending#2: token.ending#3:"},
		{"8640000000 due", "c aws n "},
		{"8640000000 outbox", "token.ending#1: token.ending#2: token.ending#3: token.ending#4:"},
		{"8650000000 plan token=100", "ok"},
		{"8650000000 outbox", "token.ending#1: token.ending#2: token.ending#3: token.ending#4:"},
		{"8650000000 audit",
		 "token_ending>/time token_ending>/time token_ending>/time token_ending>/time"},
		END,
	};

	lane_story_run(*state, "each once", rows);
}

/* Another end is another token. One whose end nobody knows is not told of. */
static void test_another(void **state)
{
	static const struct lane_story_row rows[] = {
		{TERMS, ""},
		{"0 tells 0 0", ""},
		{"0 plan token=20", "ok"},
		{"0 outbox", "token.ending#1:"},
		{"1 plan token=380", "ok"},
		{"1 timetable", "n:@0 c:aws@489600000 t:aws@25056000000"},
		{"2 plan token=25", "ok"},
		{"2 outbox", "token.ending#1: token.ending#2:"},
		{"3 plan token=0", "ok"},
		{"3 timetable", "n:@0 c:aws@489600000"},
		{"3 plan token=0", "ok"},
		{"3 keys", "c:aws ni no tt"},
		END,
	};

	lane_story_run(*state, "another", rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_once),
		cmocka_unit_test(test_another),
	};

	return LANE_STORY_TESTS(tests);
}
