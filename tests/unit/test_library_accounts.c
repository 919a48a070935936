/* The function library told as stories: a person with several accounts counts as one, and holds what any of them holds. */
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

static void test_one_of_many(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 9000 limits=1 person=Ann", "ok provisioning | push Pr1 add g1 ann"},
		{"0 submit r2 g1 bob 9000 limits=1", "full"},
		/* Nobody else has it, whichever account asks and whichever has it. */
		{"0 try r3 g1 ann-2 9000 limits=1 person=ann", "ok provisioning"},
		{"0 submit r3 g1 ann-2 9000 limits=1 person=ann", "ok provisioning | push Pr3 add g1 ann-2"},
		{"0 submit r4 g1 ann-3 9000 limits=1 person=ann", "ok provisioning | push Pr4 add g1 ann-3"},
		/* For others these three are one. */
		{"0 submit r5 g1 bob 9000 limits=2", "ok provisioning | push Pr5 add g1 bob"},
		{"0 try r6 g1 cy 9000 limits=2", "full new beyond=full"},
		{"9 end Pr1 ann:done", "ok"},
		{"9 end Pr3 ann-2:done", "ok"},
		{"9 end Pr4 ann-3:done", "ok"},
		{"9 end Pr5 bob:done", "ok"},
		{"10 deactivate d1 g1 ann", "ok revoked"},
		{"10 deactivate d3 g1 ann-3", "ok revoked"},
		{"10 try r6 g1 cy 9000 limits=2", "full new beyond=full"},
		{"11 deactivate d2 g1 ann-2", "ok revoked"},
		{"11 try r6 g1 cy 9000 limits=2", "ok deferred place=0 next=0"},
		END,
	};

	lane_story_run(*state, "one of many", rows);
}

static void test_exclusive(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r6 g2 ann-2 9000 limits=0_g1 person=ann wait=5000", "ok awaiting"},
		{"0 submit r1 g1 ann 9000 person=ann", "ok provisioning | push Pr1 add g1 ann"},
		{"0 submit r2 g2 ann-2 9000 limits=0_g3,g1 person=ann", "excluded"},
		{"0 try r2 g2 ann-2 9000 limits=1_g1 person=ANN", "excluded new beyond=excluded"},
		{"0 submit r3 g2 bob 9000 limits=0_g3,g1 person=bo", "ok provisioning | push Pr3 add g2 bob"},
		{"0 submit r4 g2 ann-2 9000 start=8999 limits=0_g1 person=ann", "ok scheduled"},
		{"0 submit r5 g2 ann-2 90000 start=9000 limits=0_g1 person=ann", "ok scheduled"},
		{"9 end Pr1 ann:done", "ok"},
		{"9 decide r6 1 root Approve limits=0_g1 person=ann", "excluded"},
		{"9 get r6 st er", "st=denied er=The person holds a group that excludes this one."},
		{"8999 start r4 limits=0_g1 person=ann", "ok"},
		{"8999 get r4 st er", "st=failed er=The person holds a group that excludes this one."},
		/* What the other one held is over, also before anybody has looked. */
		{"9000 start r5 limits=0_g1 person=ann", "ok | push Pr5 add g2 ann-2"},
		END,
	};

	lane_story_run(*state, "excluding each other", rows);
}

/* An administrator's assignment counts with what the person asks for, and keeps to the same limits, by whatever account. */
static void test_assigned(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 60000 action=adminAssign person=ann",
		 "ok deferred place=1 next=2400000"},
		{"0 submit r2 g2 ann-2 9000 limits=0_g1 person=ann", "excluded"},
		{"0 submit r3 g2 ann-2 9000 person=ann", "ok provisioning | push Pr3 add g2 ann-2"},
		/* An assignment that names nobody behind the account leaves what is known of it. */
		{"1 submit r4 g3 ann-2 60000 action=adminAssign", "ok deferred place=2 next=2400000"},
		{"1 submit r5 g4 ann 9000 limits=0_g3 person=ann", "excluded"},
		{"1 submit x g4 ann 60000 action=adminAssign limits=0_g3", "excluded"},
		{"1 try x g4 ann 60000 action=adminUpdate limits=1_g3 person=ann",
		 "none new beyond=excluded"},
		{"1 submit x g3 bob 60000 action=adminAssign limits=1", "full"},
		{"1 submit r6 g3 ann 60000 action=adminAssign limits=1", "ok deferred place=2 next=2400000"},
		/* What begins later is looked at then. */
		{"1 submit r7 g4 ann 60000 action=adminAssign start=8999 limits=0_g3", "ok scheduled"},
		{"8999 start r7 limits=0_g3", "ok"},
		{"8999 get r7 st er", "st=failed er=The person holds a group that excludes this one."},
		END,
	};

	lane_story_run(*state, "assigned", rows);
}

/* The setting may change: each request says it anew, and what nobody holds any more is kept nowhere. */
static void test_setting_changes(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 9000", "ok provisioning | push Pr1 add g1 ann"},
		{"0 submit r2 g2 ann-2 9000 limits=0_g1 person=ann",
		 "ok provisioning | push Pr2 add g2 ann-2"},
		{"1 submit r3 g1 ann 9500 person=ann", "ok waiting"},
		{"1 submit r4 g3 ann-2 9000 limits=0_g1 person=ann", "excluded"},
		{"2 submit r5 g1 ann 9600", "ok waiting"},
		{"2 submit r4 g3 ann-2 9000 limits=0_g1 person=ann",
		 "ok provisioning | push Pr4 add g3 ann-2"},
		{"9 end Pr1 ann:done", "ok"},
		{"9 end Pr2 ann-2:done", "ok"},
		{"9 end Pr4 ann-2:done", "ok"},
		{"10 deactivate d1 g1 ann", "ok revoked"},
		{"10 deactivate d2 g2 ann-2", "ok revoked"},
		{"10 deactivate d3 g3 ann-2", "ok revoked"},
		{"11 pump q1", "| push q1 remove g1 ann"},
		{"11 end q1 ann:done", "ok"},
		{"12 pump q2", "| push q2 remove g2 ann-2"},
		{"12 end q2 ann-2:done", "ok"},
		{"20000 pump q3", "| push q3 remove g3 ann-2"},
		{"20001 end q3 ann-2:done", "ok"},
		{"4000000 due", "q aws"},
		{"4000000 pump q4", "idle"},
		{"4000001 due", ""},
		{"4000001 keys", "b:aws gone:g1 gone:g2 gone:g3"},
		END,
	};

	lane_story_run(*state, "the setting changes", rows);
}

/* What was asked for before the setting came goes by it at its start, and when it is approved. */
static void test_granted_later(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 9000 start=5", "ok scheduled"},
		{"0 submit r2 g2 bob 9000 wait=5000", "ok awaiting"},
		{"5 start r1 person=ann", "ok | push Pr1 add g1 ann"},
		{"6 submit r3 g3 ann-2 9000 limits=0_g1 person=ann", "excluded"},
		{"6 decide r2 1 root Approve person=bob", "ok"},
		{"7 submit r3 g3 bob-2 9000 limits=0_g2 person=bob", "excluded"},
		END,
	};

	lane_story_run(*state, "granted later", rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_of_many),   cmocka_unit_test(test_exclusive),
		cmocka_unit_test(test_assigned),      cmocka_unit_test(test_setting_changes),
		cmocka_unit_test(test_granted_later),
	};

	return LANE_STORY_TESTS(tests);
}
