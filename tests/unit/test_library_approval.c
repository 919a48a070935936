/* The function library told as stories: who decides, and whose voices are one. */
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

/* Nobody decides their own request: not by their id, nor by a name, in whatever letters, of the same person. */
static void test_own(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 60000 wait=5000", "ok awaiting"},
		{"1 decide r1 1 ann Approve", "own"},
		{"1 decide r1 1 Ann Approve", "own"},
		{"1 decide r1 1 root Approve names=[\"bob\",\"ANN\"]", "own"},
		{"1 decide r1 1 root Deny names=[\"ann\"]", "own"},
		{"1 decide r1 1 root Approve names=[\"bob\",\"anna\"]", "ok"},
		{"2 get r1 st", "st=provisioning"},
		END,
	};

	lane_story_run(*state, "own", rows);
}

/* Two accounts of one person are one voice, whichever speaks first. */
static void test_one_voice(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 60000 wait=5000", "ok awaiting"},
		{"1 decide r1 1 bob Approve needed=2", "ok"},
		{"2 decide r1 1 bob Approve needed=2", "ok"},
		{"3 decide r1 1 root Approve needed=2 names=[\"BOB\",\"root\"]", "ok"},
		{"3 get r1 st", "st=awaiting"},
		{"4 decide r1 1 root Deny needed=2 names=[\"bob\"]", "decided"},
		{"5 decide r1 1 eve Approve needed=2 names=[\"eve\"]", "ok"},
		{"2 get r1 st", "st=provisioning"},
		END,
	};

	lane_story_run(*state, "one voice", rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_one_voice),
	};

	return cmocka_run_group_tests(tests, lane_story_open, lane_story_close);
}
