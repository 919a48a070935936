/* The function library told as stories: what a cycle does when nothing that was deferred is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/lane_story.h"

#define END                                                                                                  \
	{                                                                                                    \
		NULL, NULL                                                                                   \
	}

/* One token for activations, two tokens in all; cycles every 40 minutes; a claim lasts 32 s. */
#define TERMS                                                                                                \
	{                                                                                                    \
		"0 terms aws 2 10000 1 0 2400000 0 100 30000 32000", ""                                      \
	}

static void test_steps_follow_pushes(void **state)
{
	static const struct lane_story_row rows[] = {
		TERMS,
		{"0 submit a1 g1 p1 9000000", "ok provisioning | push Pa1 add g1 p1"},
		{"0 submit a2 g1 p2 9000000", "ok provisioning | push Pa2 add g1 p2"},
		{"0 submit r1 g1 ann 9000000", "ok deferred place=1 next=2400000"},
		{"9 end Pa1 p1:done", "ok"},
		{"9 end Pa2 p2:done", "ok"},
		{"2400000 cycle steps=drift:2,users:1", "started"},
		{"2400000 app total left", "total=4 left=4"},
		{"2400000 pump q1", "| push q1 add cycle g1 ann"},
		/* Pushes come first, and to their end. */
		{"2400000 pump q2", "idle"},
		{"2400010 end q1 ann:done", "ok"},
		/* One token is left, which is the activations'. */
		{"2400010 pump q2", "idle"},
		{"2410011 pump q2", "piece q2 drift"},
		{"2410011 pump q2", "piece q2 drift"},
		{"2410011 pump q3", "idle"},
		{"2410020 step q2 here walked=1 did=1", "ok"},
		{"2410020 step q2 here walked=1 did=1", "gone"},
		{"2410020 app total left pushes", "total=4 left=2 pushes=1"},
		{"2410020 pump q3", "piece q3 drift here"},
		{"2410030 step q3 over=1 failed=1", "ok"},
		{"2410030 app left failures", "left=1 failures=1"},
		{"2410030 pump q4", "piece q4 users"},
		{"2410040 step q4 over=1", "ok"},
		{"2410040 pump q5", "idle"},
		{"2410040 app left last_ended last_total last_pushes last_failures",
		 "left=- last_ended=2410040 last_total=4 last_pushes=1 last_failures=1"},
		{"2410040 cycle", "early"},
		END,
	};

	lane_story_run(*state, "steps follow pushes", rows);
}

static void test_another_goes_on(void **state)
{
	static const struct lane_story_row rows[] = {
		TERMS,
		{"0 cycle who steps=drift:3", "started"},
		{"0 pump q1", "piece q1 drift"},
		{"5 step q1 here walked=1", "ok"},
		{"5 pump q2", "piece q2 drift here"},
		/* Its broker dies. */
		{"32004 pump q3", "idle"},
		{"32005 pump q3", "piece q3 drift here"},
		{"32006 step q2 late walked=1 over=1", "gone"},
		{"32010 step q3 there walked=1", "ok"},
		{"32010 app left", "left=1"},
		{"32010 pump q4", "piece q4 drift there"},
		END,
	};

	lane_story_run(*state, "another goes on", rows);
}

/* Steps that take longer than a cycle do not keep anybody waiting, and each has its turn. */
static void test_the_next_cycle_goes_on(void **state)
{
	static const struct lane_story_row rows[] = {
		TERMS,
		{"0 cycle who steps=drift:3,users:2", "started"},
		{"0 pump q1", "piece q1 drift"},
		{"1 step q1 over=1 did=1", "ok"},
		{"1 pump q2", "piece q2 users"},
		{"2 step q2 ann walked=1", "ok"},
		{"2400000 cycle steps=drift:3,users:2", "started"},
		{"2400000 cycles", "1:unfinished 4/5 0!0 who"},
		{"2400000 app total left", "total=5 left=5"},
		{"2400000 pump q3", "piece q3 users ann"},
		{"2400001 step q3 over=1", "ok"},
		{"2400001 pump q4", "piece q4 drift"},
		{"2400002 step q4 over=1", "ok"},
		{"2400002 pump q5", "idle"},
		{"2400002 app left", "left=-"},
		/* Nothing was to be done: nothing is remembered of it. */
		{"2400002 cycles", "1:unfinished 4/5 0!0 who"},
		END,
	};
	static const struct lane_story_row pushing[] = {
		{"0 terms aws 1 10000 0 0 2400000 0 100 30000 32000", ""},
		{"0 submit a1 g1 p1 9000000", "ok provisioning | push Pa1 add g1 p1"},
		{"0 submit r1 g1 ann 9000000", "ok deferred place=1 next=2400000"},
		{"2400000 cycle who steps=drift:3", "started"},
		{"2400001 cycle who steps=drift:3", "running"},
		END,
	};

	lane_story_run(*state, "the next cycle goes on", rows);
	lane_story_run(*state, "it does not while one pushes", pushing);
}

static void test_not_now(void **state)
{
	static const struct lane_story_row rows[] = {
		TERMS,
		{"0 cycle who steps=drift:3", "started"},
		{"0 operate pause", "ok"},
		{"0 pump q1", "idle"},
		{"0 operate resume", "ok"},
		{"0 pump q1", "piece q1 drift"},
		/* The application asks for silence. */
		{"1 step q1 here close=5000 health=failing", "ok"},
		{"2 pump q2", "idle"},
		{"5002 pump q2", "piece q2 drift here"},
		{"5003 step q2 there health=unauthorised", "ok"},
		{"65004 pump q3", "idle"},
		{"65004 app left", "left=-"},
		END,
	};

	lane_story_run(*state, "not now", rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps_follow_pushes),
		cmocka_unit_test(test_another_goes_on),
		cmocka_unit_test(test_the_next_cycle_goes_on),
		cmocka_unit_test(test_not_now),
	};

	return LANE_STORY_TESTS(tests);
}
