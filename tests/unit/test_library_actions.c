/* The function library told as stories: extensions, and what administrators assign, update, extend and remove. */
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

static void test_extend(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit x g1 ann 9000 action=selfExtend", "none"},
		{"0 submit x g1 ann 9000 action=adminExtend", "none"},
		{"0 submit r1 g1 ann 5000", "ok provisioning | push Pr1 add g1 ann"},
		/* While the push is under way it waits for it; then both are in force, without another push. */
		{"1 submit r2 g1 ann 6000 action=selfExtend", "ok waiting"},
		{"2 end Pr1 ann:done", "ok"},
		{"2 get r2 st s e", "st=in_force s=1 e=6001"},
		{"3 submit x g1 ann 5000 action=selfExtend", "exists r2 in_force"},
		{"3 submit x g1 ann action=adminExtend end=3", "past"},
		{"3 submit r3 g1 ann action=adminExtend end=9000", "ok in_force"},
		/* The first two end without a removal. */
		{"5000 due", "q aws"},
		{"5000 pump q0", "idle"},
		{"6001 due", ""},
		{"6001 get r1 st", "st=expired"},
		{"6001 get r2 st", "st=expired"},
		{"6001 get r3 st", "st=in_force"},
		{"9000 due", "q aws"},
		{"9000 get r3 st", "st=expiring"},
		/* While it is ending there is nothing to extend; a new activation is another thing. */
		{"9001 submit x g1 ann 5000 action=selfExtend", "none"},
		{"9001 submit x g1 ann 5000 action=adminExtend", "none"},
		{"9001 pump q1", "| push q1 remove g1 ann"},
		{"9002 submit x g1 ann 5000 action=selfExtend", "none"},
		{"9003 end q1 ann:done", "ok"},
		{"9004 submit x g1 ann 5000 action=selfExtend", "none"},
		END,
	};

	/* Who gives it back wants no more of it: no approver gives it anew. */
	static const struct lane_story_row given_back[] = {
		{"0 submit r1 g1 ann 5000", "ok provisioning | push Pr1 add g1 ann"},
		{"2 end Pr1 ann:done", "ok"},
		{"3 submit r2 g1 ann 9000 action=selfExtend wait=5000", "ok awaiting"},
		{"3 submit r3 g1 ann 9500 action=selfActivate wait=5000", "ok awaiting"},
		{"4 try-deactivate d1 g1 ann", "ok revoked"},
		{"4 get r2 st", "st=awaiting"},
		{"4 deactivate d1 g1 ann", "ok revoked"},
		{"4 get r1 st", "st=revoking"},
		{"4 get r2 st", "st=canceled"},
		{"4 get r3 st", "st=awaiting"},
		{"5 decide r2 1 root Approve", "decided"},
		END,
	};

	lane_story_run(*state, "extend", rows);
	lane_story_run(*state, "given back", given_back);
}

/* A renewal is of what one had, by whatever way, and has no more. */
static void test_renew(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit x g1 ann 9000 action=selfRenew", "none"},
		{"0 submit r1 g1 ann 5000", "ok provisioning | push Pr1 add g1 ann"},
		{"1 submit x g1 ann 9000 action=selfRenew", "exists r1 provisioning"},
		{"2 end Pr1 ann:done", "ok"},
		{"3 submit x g1 ann 9000 action=selfRenew", "exists r1 in_force"},
		{"3 submit x g2 ann 9000 action=selfRenew", "none"},
		{"3 submit x g1 bob 9000 action=selfRenew", "none"},
		/* Also while it is being taken away, which it then is not. */
		{"5000 due", "q aws"},
		{"5001 try r2 g1 ann 5000 action=selfRenew", "ok in_force"},
		{"5001 pump q1", "| push q1 remove g1 ann"},
		{"5002 end q1 ann:done", "ok"},
		{"5003 submit r2 g1 ann 5000 action=selfRenew", "ok provisioning | push Pr2 add g1 ann"},
		{"5004 end Pr2 ann:done", "ok"},
		{"5004 submit x g1 ann 9000 action=selfRenew", "exists r2 in_force"},
		{"5005 deactivate d1 g1 ann", "ok revoked"},
		{"5006 pump q2", "| push q2 remove g1 ann"},
		{"5007 end q2 ann:done", "ok"},
		{"5008 submit r3 g1 ann 5000 action=selfRenew limits=0_g2 person=ann",
		 "ok provisioning | push Pr3 add g1 ann"},
		/* What never gave anything is nothing that one had. */
		{"5009 submit r4 g2 ann 5000 start=9000", "ok scheduled"},
		{"5009 cancel r4 ann", "ok"},
		{"5009 submit x g2 ann 9000 action=selfRenew", "none"},
		END,
	};

	lane_story_run(*state, "renew", rows);
}

/* An extension of what waits for the cycle: it asks for a token like any request, and takes the first along. */
static void test_extend_deferred(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit a1 g1 p1 9000", "ok provisioning | push Pa1 add g1 p1"},
		{"0 submit a2 g1 p2 9000", "ok provisioning | push Pa2 add g1 p2"},
		{"0 submit a3 g1 p3 9000", "ok provisioning | push Pa3 add g1 p3"},
		{"0 submit a4 g1 p4 9000", "ok provisioning | push Pa4 add g1 p4"},
		{"0 submit a5 g1 p5 9000", "ok provisioning | push Pa5 add g1 p5"},
		{"0 submit r1 g1 ann 600000", "ok deferred place=1 next=2400000"},
		{"1 submit r2 g1 ann 700000 action=selfExtend", "ok deferred place=1 next=2400000"},
		{"1 get r1 st", "st=deferred"},
		{"2 end Pa1 p1:done", "ok"},
		{"10100 submit r3 g1 ann 800000 action=selfExtend", "ok provisioning | push Pr3 add g1 ann"},
		{"10200 end Pr3 ann:done", "ok"},
		{"10200 get r1 st", "st=in_force"},
		{"10200 get r2 st", "st=in_force"},
		{"10200 get r3 st", "st=in_force"},
		END,
	};

	lane_story_run(*state, "deferred", rows);
}

/* What an administrator assigns is left to the cycle, whatever tokens are free. */
static void test_assign(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 60000 action=adminAssign", "ok deferred place=1 next=2400000"},
		{"0 submit r2 g1 bob action=adminAssign end=253402214400000",
		 "ok deferred place=2 next=2400000"},
		/* The person does not wait for it: their own activation takes a token. */
		{"1 submit r3 g1 ann 5000000", "ok provisioning | push Pr3 add g1 ann"},
		{"2 end Pr3 ann:done", "ok"},
		{"2 get r1 st", "st=in_force"},
		/* Nothing is longer than for ever. */
		{"3 submit x g1 bob 60000 action=adminExtend", "pending r2 deferred place=1 next=2400000"},
		{"3 submit x g1 bob 60000", "pending r2 deferred place=1 next=2400000"},
		{"3 submit r4 g2 ann 60000 start=10 action=adminAssign", "ok scheduled"},
		{"3 submit x g2 ann 60000 action=adminUpdate", "none"},
		{"10 start r4", "ok"},
		{"10 get r4 st", "st=deferred"},
		END,
	};

	lane_story_run(*state, "assign", rows);
}

static void test_update(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit x g1 ann 9000 action=adminUpdate", "none"},
		{"0 submit r1 g1 ann 5000", "ok provisioning | push Pr1 add g1 ann"},
		{"1 end Pr1 ann:done", "ok"},
		/* Shorter, longer, for ever: the new one takes the old one's place without a gap. */
		{"2 submit x g1 ann action=adminUpdate end=2", "past"},
		{"2 submit x g1 ann action=adminUpdate end=-5", "past"},
		{"2 get r1 st e", "st=in_force e=5000"},
		{"3 submit r2 g1 ann 1000 action=adminUpdate", "ok in_force"},
		{"3 get r1 st", "st=revoked"},
		{"4 submit r3 g1 ann action=adminUpdate end=9000000", "ok in_force"},
		{"4 get r2 st", "st=revoked"},
		{"1003 due", "q aws"},
		{"1003 pump q0", "idle"},
		{"1003 get r3 st", "st=in_force"},
		/* From a later time on: until then the old one holds. */
		{"2000 submit r4 g1 ann 500 start=3000 action=adminUpdate", "ok scheduled"},
		{"2000 get r3 st", "st=in_force"},
		{"3000 start r4", "ok"},
		{"3000 get r4 st", "st=in_force"},
		{"3000 get r3 st", "st=revoked"},
		{"3500 due", "q aws"},
		{"3500 pump q1", "| push q1 remove g1 ann"},
		END,
	};

	lane_story_run(*state, "update", rows);
}

/* Before the application has been reached, too. */
static void test_update_early(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 60000 action=adminAssign", "ok deferred place=1 next=2400000"},
		{"1 submit r2 g1 ann 5000000 action=adminUpdate", "ok deferred place=1 next=2400000"},
		{"1 get r1 st", "st=revoked"},
		{"2 submit r3 g2 ann 5000", "ok provisioning | push Pr3 add g2 ann"},
		{"3 submit r4 g2 ann 9000 action=adminUpdate", "ok waiting"},
		{"3 get r3 st", "st=revoked"},
		{"4 end Pr3 ann:done", "ok"},
		{"4 get r4 st", "st=in_force"},
		END,
	};

	lane_story_run(*state, "update early", rows);
}

static void test_remove(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 deactivate x g1 ann action=adminRemove", "none"},
		{"0 submit r1 g1 ann 5000", "ok provisioning | push Pr1 add g1 ann"},
		{"1 end Pr1 ann:done", "ok"},
		{"2 submit r2 g1 ann 5000 start=9000", "ok scheduled"},
		/* Seconds after the activation: no floor binds an administrator. What is to come goes as well. */
		{"3 try-deactivate x g1 ann action=adminRemove", "ok revoked"},
		{"3 deactivate d1 g1 ann action=adminRemove", "ok revoked"},
		{"3 get r1 st", "st=revoking"},
		{"3 get r2 st", "st=canceled"},
		/* While it is ending there is nothing left to take. */
		{"4 deactivate x g1 ann action=adminRemove", "none"},
		{"4 pump q1", "| push q1 remove g1 ann"},
		{"4 deactivate x g1 ann action=adminRemove", "none"},
		{"5 end q1 ann:done", "ok"},
		{"5 get r1 st", "st=revoked"},
		/* A person's own deactivation leaves what is yet to come. */
		{"6 submit r3 g1 ann 5000", "ok provisioning | push Pr3 add g1 ann"},
		{"7 end Pr3 ann:done", "ok"},
		{"8 submit r4 g1 ann 5000 start=9000", "ok scheduled"},
		{"9 deactivate d2 g1 ann", "ok revoked"},
		{"9 get r4 st", "st=scheduled"},
		{"9 deactivate d3 g1 ann action=adminRemove", "ok revoked"},
		{"9 get r4 st", "st=canceled"},
		END,
	};

	lane_story_run(*state, "remove", rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_extend),          cmocka_unit_test(test_renew),
		cmocka_unit_test(test_extend_deferred), cmocka_unit_test(test_assign),
		cmocka_unit_test(test_update),          cmocka_unit_test(test_update_early),
		cmocka_unit_test(test_remove),
	};

	return LANE_STORY_TESTS(tests);
}
