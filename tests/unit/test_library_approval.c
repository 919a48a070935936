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

/* Who waits for an approver cannot wait twice for the same: the time of both counts from the approval. */
static void test_twice(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 60000 wait=5000", "ok awaiting"},
		{"7 submit r2 g1 ann 60000 wait=5000", "pending r1 awaiting"},
		{"8 submit r2 g1 ann 50000 wait=5000", "pending r1 awaiting"},
		{"9 submit r2 g1 ann 60001 wait=5000", "ok awaiting"},
		{"10 submit r3 g1 ann 60001 start=70000 wait=5000", "ok awaiting"},
		{"11 submit r4 g1 ann 60001 start=70000 wait=5000", "pending r3 awaiting"},
		{"12 submit r5 g1 ann 1000", "ok provisioning | push Pr5 add g1 ann"},
		{"13 decide r1 1 bob Approve", "ok"},
		{"13 decide r2 1 bob Deny", "ok"},
		{"14 submit r6 g1 ann 60000 wait=5000", "ok awaiting"},
		END,
	};

	lane_story_run(*state, "twice", rows);
}

/* What policy has against it counts when the last one has agreed, and never against a denial. */
static void test_declined(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 60000 wait=5000", "ok awaiting"},
		{"1 decide r1 1 bob Approve needed=2 stages=2 declined=hours", "ok"},
		{"2 decide r1 1 cid Approve needed=2 stages=2 declined=hours", "ok"},
		{"2 get r1 st sg er", "st=awaiting sg=2 er=-"},
		{"3 decide r1 2 bob Approve stages=2", "ok"},
		{"3 get r1 st", "st=provisioning"},
		{"4 submit r2 g1 bob 60000 wait=5000", "ok awaiting"},
		{"5 decide r2 1 cid Approve declined=hours", "policy"},
		{"5 get r2 st er", "st=denied er=hours"},
		{"6 decide r2 1 cid Approve", "policy"},
		{"7 submit r3 g1 cid 60000 wait=5000", "ok awaiting"},
		{"8 decide r3 1 bob Deny declined=hours", "ok"},
		{"8 get r3 st", "st=denied"},
		{"9 submit r4 g1 dan 60000 wait=5000", "ok awaiting"},
		{"9 refuse r4 policy", "gone"},
		END,
	};

	lane_story_run(*state, "declined", rows);
}

/* A message that was received before ends nothing, whether it counted or was refused. */
static void test_messages(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 60000 wait=5000", "ok awaiting"},
		{"1 decide r1 1 bob Approve needed=2 by=m1", "ok"},
		{"1 message r1 m2 Approve 403", "refused 403 7d"},
		{"2 decide r1 1 bob Approve needed=2 by=m1 declined=policy", "ok"},
		{"2 decide r1 1 cid Approve needed=2 by=m2 declined=policy", "refused"},
		{"2 get r1 st", "st=awaiting"},
		{"3 message r1 m1 Approve 400", "ok "},
		{"3 message r1 m2 Approve 400", "refused 403 7d"},
		{"4 decide r1 1 cid Approve needed=2 by=m3 declined=policy", "policy"},
		{"5 get r1 st er", "st=denied er=policy"},
		{"5 decide r1 1 cid Approve needed=2 by=m3", "policy"},
		END,
	};
	/* What waits for longer than a week is not overtaken by a refusal of its first day. */
	static const struct lane_story_row patient[] = {
		{"0 submit r1 g1 ann 60000 wait=1728000000", "ok awaiting"},
		{"86400000 message r1 m1 Approve 403", "refused 403 19d"},
		{"86400000 message r2 m2 Approve 403", "refused 403 7d"},
		END,
	};

	lane_story_run(*state, "messages", rows);
	lane_story_run(*state, "patient", patient);
}

/* The last approval grants nothing beyond the group's limits, as they are by then. */
static void test_limits(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 9000 limits=1 wait=5000", "ok awaiting"},
		{"0 submit r2 g2 ann 9000 limits=0_g3 wait=5000", "ok awaiting"},
		{"1 submit r3 g1 bob 9000 limits=1", "ok provisioning | push Pr3 add g1 bob"},
		{"1 submit r4 g3 ann 9000", "ok provisioning | push Pr4 add g3 ann"},
		{"2 decide r1 1 root Approve limits=1 by=m1", "full"},
		{"2 get r1 st er", "st=denied er=As many people as the group may have at once have it."},
		{"2 decide r2 1 root Approve limits=0_g3", "excluded"},
		{"2 get r2 st er", "st=denied er=The person holds a group that excludes this one."},
		/* Said again it is not what counts either, nor is the message that brought it. */
		{"3 decide r1 1 root Approve limits=1 by=m1", "full"},
		{"3 decide r2 1 root Approve limits=0_g3", "excluded"},
		{"3 message r1 m1 Approve 400", "refused 400 7d"},
		END,
	};
	static const struct lane_story_row late[] = {
		{"0 submit r1 g1 ann end=9000 wait=60000", "ok awaiting"},
		{"9001 decide r1 1 root Approve", "past"},
		{"9002 decide r1 1 root Approve", "past"},
		{"9002 get r1 st", "st=lapsed"},
		END,
	};

	lane_story_run(*state, "limits", rows);
	lane_story_run(*state, "late", late);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),      cmocka_unit_test(test_one_voice),
		cmocka_unit_test(test_twice),    cmocka_unit_test(test_messages),
		cmocka_unit_test(test_declined), cmocka_unit_test(test_limits),
	};

	return LANE_STORY_TESTS(tests);
}
