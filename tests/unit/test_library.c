/* The function library told as stories: what people ask for, and what time makes of it. */
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

static void test_at_once(void **state)
{
	static const struct lane_story_row life[] = {
		{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
		{"0 get r1 st s e d by cf en attempts",
		 "st=provisioning s=0 e=60000 d=60000 by=ann cf=- en=- attempts=0"},
		{"0 timetable", "p:Pr1@32000 e:r1@60000"},
		{"0 keys", "b:aws gu il:g1 la lk lv m:g1:ann push:Pr1 r:r1 tt us:aws:ann"},
		{"10 check Pr1", "ok 60000"},
		{"40 end Pr1 ann:done", "ok"},
		{"40 get r1 st cf attempts", "st=in_force cf=40 attempts=0"},
		{"40 due", "q aws"},
		{"40 pump q1", "idle"},
		{"40 timetable", "e:r1@60000"},
		{"59999 due", ""},
		{"59999 get r1 st", "st=in_force"},
		{"60000 due", "q aws"},
		{"60000 get r1 st", "st=expiring"},
		{"60000 lane", "timetable=1 removals=1 oldest=60000"},
		{"60000 pump q2", "| push q2 remove g1 ann"},
		{"60010 check q2", "ok 1"},
		{"60040 end q2 ann:done", "ok"},
		{"60040 get r1 st en", "st=expired en=60040"},
		{"60040 due", "q aws"},
		{"60040 pump q3", "idle"},
		{"60040 timetable", "k:r1@3660040"},
		{"60040 keys", "b:aws gone:g1 r:r1 tt"},
		{"60040 lane", "timetable=1 removals=0 oldest=0"},
		{"60040 audit r1", "push>provisioning/ann confirm>in_force/application "
				   "expire_remove>expiring/time release>expired/application+40"},
		{"3660040 due", ""},
		{"3660040 get r1 st", "none"},
		{"3660040 keys", "b:aws gone:g1"},
		END,
	};

	lane_story_run(*state, "at once", life);
}

static void test_scheduled(void **state)
{
	static const struct lane_story_row starts[] = {
		{"0 submit r1 g1 ann 60000 start=5000", "ok scheduled"},
		{"0 timetable", "s:r1@5000"},
		{"0 get r1 st a s e", "st=scheduled a=5000 s=5000 e=65000"},
		{"4999 due", ""},
		{"4999 start r1", "gone"},
		{"5000 due", "s r1"},
		{"5000 timetable", "s:r1@10000"},
		{"5000 due", ""},
		{"5001 start r1", "ok | push Pr1 add g1 ann"},
		{"5001 start r1", "gone | push Pr1 add g1 ann"},
		{"5001 timetable", "p:Pr1@37001 e:r1@65000"},
		{"5050 end Pr1 ann:done", "ok"},
		{"5060 start r1", "gone"},
		{"5060 get r1 st s e", "st=in_force s=5000 e=65000"},
		END,
	};
	static const struct lane_story_row claim_runs_out[] = {
		{"0 submit r1 g1 ann 60000 start=5000", "ok scheduled"},
		{"5000 due", "s r1"},
		{"9999 due", ""},
		{"10000 due", "s r1"},
		END,
	};
	static const struct lane_story_row lapses[] = {
		{"0 submit r1 g1 ann 1000 start=5000", "ok scheduled"},
		{"6000 due", "s r1"},
		{"6000 start r1", "ok"},
		{"6000 get r1 st er en", "st=lapsed er=The assignment ended before it could begin. en=6000"},
		{"6000 timetable", "k:r1@3606000"},
		{"6000 keys", "r:r1 tt"},
		END,
	};

	lane_story_run(*state, "starts", starts);
	lane_story_run(*state, "claim runs out", claim_runs_out);
	lane_story_run(*state, "lapses", lapses);
}

static void test_scheduled_ended(void **state)
{
	static const struct lane_story_row refused[] = {
		{"0 submit r1 g1 ann 1000 start=5000", "ok scheduled"},
		{"5000 refuse r1 not-eligible", "ok"},
		{"5000 refuse r1 not-eligible", "gone"},
		{"5000 start r1", "gone"},
		{"5000 get r1 st er", "st=failed er=not-eligible"},
		{"5000 keys", "r:r1 tt"},
		END,
	};
	static const struct lane_story_row cancelled[] = {
		{"0 submit r1 g1 ann 1000 start=5000", "ok scheduled"},
		{"10 cancel r1 bob", "denied"},
		{"10 cancel r2 bob", "none"},
		{"10 cancel r1 ann", "ok"},
		{"20 cancel r1 ann", "ok"},
		{"20 get r1 st en", "st=canceled en=10"},
		{"20 timetable", "k:r1@3600010"},
		{"5000 start r1", "gone"},
		{"5000 refuse r1 late", "gone"},
		{"5000 audit r1", "schedule>scheduled/ann cancel>canceled/ann"},
		END,
	};

	lane_story_run(*state, "refused", refused);
	lane_story_run(*state, "cancelled", cancelled);
}

static void test_cancel_rights(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 9000 start=5000", "ok scheduled"},
		{"0 cancel r1 root operator", "ok"},
		{"0 audit r1", "schedule>scheduled/ann cancel>canceled/root"},
		{"0 submit r2 g1 ann 9000", "ok provisioning | push Pr2 add g1 ann"},
		{"0 cancel r2 ann", "state"},
		{"9 end Pr2 ann:done", "ok"},
		{"9 cancel r2 ann", "state"},
		{"9 cancel r2 root operator", "state"},
		{"9000 due", "q aws"},
		{"9000 cancel r2 ann", "state"},
		END,
	};

	lane_story_run(*state, "who may withdraw what", rows);
}

static void test_submit_again(void **state)
{
	static const struct lane_story_row reused[] = {
		{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
		{"1 submit r1 g1 ann 60000", "same provisioning | push Pr1 add g1 ann"},
		{"1 audit r1", "push>provisioning/ann"},
		{"1 app free", "free=4"},
		{"9 end Pr1 ann:done", "ok"},
		{"9 submit r1 g1 ann 60000", "same in_force"},
		{"9 submit r1 g2 ann 60000 h=other", "reused in_force"},
		{"10 deactivate d1 g1 ann", "ok revoked"},
		{"11 deactivate d1 g1 ann", "same revoked"},
		{"11 deactivate d1 g1 ann h=other", "reused revoked"},
		{"11 deactivate d2 g1 ann", "none"},
		{"11 submit d1 g1 ann 60000 h=other", "reused revoked"},
		{"11 audit r1",
		 "push>provisioning/ann confirm>in_force/application revoke_remove>revoking/ann"},
		{"11 audit d1", "record>revoked/ann"},
		END,
	};

	lane_story_run(*state, "again", reused);
}

static void test_refusals(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 60000 start=10000", "ok scheduled"},
		{"0 submit r2 g1 ann 60000 start=10000", "pending r1 scheduled"},
		{"0 submit r2 g1 ann 1000 start=69000", "pending r1 scheduled"},
		{"0 submit r2 g1 ann 1001 start=69000", "ok scheduled"},
		{"0 submit r3 g1 bob 60000", "ok provisioning | push Pr3 add g1 bob"},
		{"0 submit r4 g1 bob 60000", "pending r3 provisioning"},
		{"9 end Pr3 bob:done", "ok"},
		{"9 submit r4 g1 bob 59991", "exists r3 in_force"},
		{"9 submit r4 g1 bob - end=60000", "exists r3 in_force"},
		{"9 submit r4 g1 bob 0", "past"},
		{"9 submit r4 g1 bob - end=9", "past"},
		{"9 submit r4 g1 bob - start=5000 end=5000", "past"},
		{"9 submit r4 g1 bob 59992", "ok in_force"},
		{"9 get r4 st s e cf", "st=in_force s=9 e=60001 cf=9"},
		{"9 keys", "b:aws il:g1 la lk lv m:g1:ann m:g1:bob mu:g1 r:r1 r:r2 r:r3 r:r4 tt uq:aws "
			   "us:aws:ann us:aws:bob"},
		END,
	};

	lane_story_run(*state, "refusals", rows);
}

static void test_many_open(void **state)
{
	struct lane *lane = *state;
	struct lane_story_row rows[40] = {{NULL, NULL}};
	char text[40][64];

	/* Each ends later than the one before, so none covers the next. */
	for (int i = 0; i < 32; i++) {
		snprintf(text[i], sizeof(text[i]), "0 submit r%d g1 ann %d start=5000", i, 1000 + i);
		rows[i] = (struct lane_story_row){text[i], "ok scheduled"};
	}
	rows[32] = (struct lane_story_row){"0 submit r32 g1 ann 9999 start=5000", "many"};
	rows[33] = (struct lane_story_row){"0 try r32 g1 ann 9999 start=5000", "many new"};
	rows[34] = (struct lane_story_row){"0 submit r33 g1 bob 9999 start=5000", "ok scheduled"};
	rows[35] = (struct lane_story_row){"0 cancel r7 ann", "ok"};
	rows[36] = (struct lane_story_row){"0 submit r32 g1 ann 9999 start=5000", "ok scheduled"};
	lane_story_run(lane, "32 open", rows);
}

static void test_overlap(void **state)
{
	static const struct lane_story_row later_end[] = {
		{"0 submit r1 g1 ann 10000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:done", "ok"},
		{"5000 submit r2 g1 ann 10000", "ok in_force"},
		{"10000 due", "q aws"},
		{"10000 pump q1", "idle"},
		{"10000 get r1 st en", "st=expired en=10000"},
		{"10000 get r2 st", "st=in_force"},
		{"10000 removals", ""},
		{"15000 due", "q aws"},
		{"15000 pump q2", "| push q2 remove g1 ann"},
		{"15000 audit r1", "push>provisioning/ann confirm>in_force/application expire>expired/time"},
		{"15000 audit r2", "join>in_force/ann expire_remove>expiring/time"},
		END,
	};
	static const struct lane_story_row end_both_early[] = {
		{"0 submit r1 g1 ann 10000", "ok provisioning | push Pr1 add g1 ann"},
		{"0 submit r2 g1 ann 20000", "ok waiting"},
		{"0 submit r3 g1 ann 30000 start=25000", "ok scheduled"},
		{"9 end Pr1 ann:done", "ok"},
		{"9 get r2 st cf", "st=in_force cf=9"},
		{"5000 deactivate d1 g1 ann", "ok revoked"},
		{"5000 get d1 removing", "removing=1"},
		{"5000 get r1 st", "st=revoked"},
		{"5000 get r2 st", "st=revoking"},
		{"5000 get r3 st", "st=scheduled"},
		{"5000 pump q1", "| push q1 remove g1 ann"},
		{"5009 end q1 ann:done", "ok"},
		{"5009 get r2 st", "st=revoked"},
		{"5009 get d1 removing", "removing=-"},
		{"5009 timetable", "q:aws@5009 s:r3@25000 k:d1@3605000 k:r1@3605000 k:r2@3605009"},
		END,
	};
	static const struct lane_story_row comes_back[] = {
		{"0 submit r1 g1 ann 10000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:done", "ok"},
		{"10000 due", "q aws"},
		{"10000 get r1 st", "st=expiring"},
		{"10001 submit r2 g1 ann 10000", "ok in_force"},
		{"10001 get r1 st", "st=expired"},
		{"10001 pump q1", "idle"},
		{"10001 removals", ""},
		{"10001 keys", "b:aws il:g1 la lk lv m:g1:ann mu:g1 r:r1 r:r2 tt uq:aws us:aws:ann"},
		END,
	};

	lane_story_run(*state, "the later end counts", later_end);
	lane_story_run(*state, "a deactivation ends both", end_both_early);
	lane_story_run(*state, "asked for again before the removal was sent", comes_back);
}

static void test_end_during_push(void **state)
{
	static const struct lane_story_row applied[] = {
		{"0 submit r1 g1 ann 10000", "ok provisioning | push Pr1 add g1 ann"},
		{"10000 check Pr1", "ok 0"},
		{"10000 due", ""},
		{"10000 get r1 st", "st=expiring"},
		{"10000 pump q1", "idle"},
		{"10010 end Pr1 ann:done", "ok"},
		{"10010 removals", "g1:ann@10000"},
		{"10010 pump q1", "| push q1 remove g1 ann"},
		{"10020 end q1 ann:done", "ok"},
		{"10020 get r1 st", "st=expired"},
		END,
	};
	static const struct lane_story_row not_applied[] = {
		{"0 submit r1 g1 ann 10000", "ok provisioning | push Pr1 add g1 ann"},
		{"500 deactivate d1 g1 ann", "ok revoked"},
		{"500 get r1 st", "st=revoking"},
		{"500 check Pr1", "ok 0"},
		{"510 end Pr1 ann:skipped", "ok"},
		{"510 get r1 st", "st=revoked"},
		{"510 removals", ""},
		{"510 keys", "b:aws r:d1 r:r1 tt"},
		{"510 pump q1", "idle"},
		{"510 timetable", "k:d1@3600500 k:r1@3600510"},
		END,
	};
	static const struct lane_story_row end_before_timetable[] = {
		{"0 submit r1 g1 ann 10000", "ok provisioning | push Pr1 add g1 ann"},
		{"10000 end Pr1 ann:done", "ok"},
		{"10000 removals", "g1:ann@10000"},
		{"10000 pump q1", "| push q1 remove g1 ann"},
		{"10001 end q1 ann:done", "ok"},
		{"10001 due", "q aws"},
		{"10001 get r1 en", "en=10001"},
		{"10001 keys", "b:aws gone:g1 r:r1 tt"},
		END,
	};

	lane_story_run(*state, "ended while it was applied", applied);
	lane_story_run(*state, "ended before it was sent", not_applied);
	lane_story_run(*state, "ended before the timetable knew", end_before_timetable);
}

static void test_asked_again_during_removal(void **state)
{
	static const struct lane_story_row asked_again[] = {
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:done", "ok"},
		{"1000 due", "q aws"},
		{"1000 pump q1", "| push q1 remove g1 ann"},
		{"1001 submit r2 g1 ann 60000", "ok waiting"},
		{"1001 check q1", "ok 0"},
		{"1002 end q1 ann:skipped", "ok"},
		{"1002 get r1 st", "st=expired"},
		{"1002 get r2 st cf", "st=in_force cf=1002"},
		{"1002 removals", ""},
		{"1002 pump q2", "idle"},
		END,
	};
	static const struct lane_story_row asked_too_late[] = {
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:done", "ok"},
		{"1000 due", "q aws"},
		{"1000 pump q1", "| push q1 remove g1 ann"},
		{"1001 submit r2 g1 ann 60000", "ok waiting"},
		{"1002 end q1 ann:done", "ok"},
		{"1002 get r1 st", "st=expired"},
		{"1002 get r2 st", "st=waiting"},
		{"1002 pump q2", "| push q2 add g1 ann"},
		{"1009 end q2 ann:done", "ok"},
		{"1009 get r2 st", "st=in_force"},
		END,
	};

	lane_story_run(*state, "asked again before the removal was sent", asked_again);
	lane_story_run(*state, "asked again after the removal was sent", asked_too_late);
}

/* Where the time counts from the confirmation, the wait for it takes nothing away. */
static void test_clock(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 1000 ck=1", "ok provisioning | push Pr1 add g1 ann"},
		{"0 get r1 e", "e=4801000"},
		{"1500 due", ""},
		{"1500 get r1 st", "st=provisioning"},
		{"1500 end Pr1 ann:done", "ok"},
		{"1500 get r1 e cf", "e=2500 cf=1500"},
		{"1600 provision q1 g1 ann", "| push q1 add g1 ann"},
		{"1609 end q1 ann:done", "ok"},
		{"1609 get r1 e", "e=2500"},
		{"2499 due", "q aws"},
		{"2499 get r1 st", "st=in_force"},
		{"2500 due", "q aws"},
		{"2500 get r1 st", "st=expiring"},
		END,
	};

	lane_story_run(*state, "the clock", rows);
}

static void test_limits(void **state)
{
	static const struct lane_story_row most[] = {
		{"0 submit r1 g1 ann 9000 limits=1", "ok provisioning | push Pr1 add g1 ann"},
		{"0 submit r2 g1 bob 9000 limits=1", "full"},
		{"0 try r2 g1 bob 9000 limits=1", "full new beyond=full"},
		{"0 try r2 g1 ann 9000 limits=1", "pending r1 provisioning"},
		{"0 submit r3 g1 ann 19000 limits=1", "ok waiting"},
		{"0 submit r4 g1 bob 9000 start=5000 limits=1", "ok scheduled"},
		{"9 end Pr1 ann:done", "ok"},
		{"5000 start r4 limits=1", "ok"},
		{"5000 get r4 st er", "st=failed er=As many people as the group may have at once have it."},
		{"6000 deactivate d1 g1 ann", "ok revoked"},
		{"6000 submit r5 g1 bob 9000 limits=1", "ok provisioning | push Pr5 add g1 bob"},
		{"6000 submit r6 g1 ann 9000 limits=1", "full"},
		{"6000 submit r6 g1 ann 9000 limits=2", "ok in_force"},
		END,
	};
	/* Whose own end nobody has looked at yet counts no more, and does not pass for one who has it. */
	static const struct lane_story_row ended[] = {
		{"0 submit r1 g1 ann 5000 limits=1", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:done", "ok"},
		{"5000 try r3 g1 ann 9000 limits=1", "ok in_force"},
		{"4000 submit r2 g1 bob 9000", "ok provisioning | push Pr2 add g1 bob"},
		{"5000 submit r3 g1 ann 9000 limits=1", "full"},
		{"5000 submit r3 g1 ann 9000 limits=2", "ok in_force"},
		END,
	};
	lane_story_run(*state, "as many at once", most);
	lane_story_run(*state, "as many at once, at an end", ended);
}

static void test_excluding(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 9000", "ok provisioning | push Pr1 add g1 ann"},
		{"0 submit r2 g2 ann 9000 limits=0_g3,g1", "excluded"},
		{"0 try r2 g2 ann 9000 limits=0_g3,g1", "excluded new beyond=excluded"},
		{"0 submit r3 g2 bob 9000 limits=0_g3,g1", "ok provisioning | push Pr3 add g2 bob"},
		{"0 submit r4 g2 ann 9000 start=8999 limits=0_g3,g1", "ok scheduled"},
		{"0 submit r5 g2 ann 90000 start=9000 limits=0_g3,g1", "ok scheduled"},
		{"0 try r6 g2 ann 9000 limits=1e_g3,g1", "ineligible new beyond=ineligible full excluded"},
		{"0 try r6 g2 ann 9000 start=5 limits=1_g1", "ok scheduled"},
		{"9 end Pr1 ann:done", "ok"},
		{"8999 start r4 limits=0_g3,g1", "ok"},
		{"8999 get r4 st er", "st=failed er=The person holds a group that excludes this one."},
		/* What nothing grants any more is left first: nobody has both in the application. */
		{"9000 start r5 limits=0_g3,g1", "gone"},
		{"9000 get r5 st er",
		 "st=scheduled er=It waits until the person is removed from a group that "
		 "excludes this one."},
		{"9000 due", "q aws"},
		{"9000 pump P1", "| push P1 remove g1 ann"},
		{"9100 submit r7 g3 ann 9000 limits=0_g1", "ok scheduled"},
		{"9100 try r8 g3 ann 9500 limits=0_g1", "ok scheduled"},
		{"9200 end P1 ann:retry:sure:50:503", "ok"},
		{"9249 due", "q aws s r7"},
		{"9250 start r5 limits=0_g3,g1", "gone"},
		{"9260 pump P2", "| push P2 remove g1 ann*1"},
		{"9400 end P2 ann:done", "ok"},
		{"9500 start r5 limits=0_g3,g1", "ok | push Pr5 add g2 ann"},
		{"9500 get r5 st er", "st=provisioning er=-"},
		END,
	};

	lane_story_run(*state, "excluding each other", rows);
}

static void test_excluding_for_long(void **state)
{
	/* Whose removal takes long is looked at ever more rarely, and at the end at the latest. */
	static const struct lane_story_row waits[] = {
		{"0 submit r1 g1 ann 9000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:done", "ok"},
		{"9000 due", "q aws"},
		{"9000 submit r2 g2 ann 900000 limits=0_g1", "ok scheduled"},
		{"9000 start r2 limits=0_g1", "gone"},
		{"9000 timetable", "s:r2@9250 q:aws@14000"},
		{"69000 start r2 limits=0_g1", "gone"},
		{"69000 timetable", "q:aws@14000 s:r2@75000"},
		{"809000 start r2 limits=0_g1", "gone"},
		{"809000 timetable", "q:aws@14000 s:r2@869000"},
		{"905000 start r2 limits=0_g1", "gone"},
		{"905000 timetable", "q:aws@14000 s:r2@909000"},
		{"909000 start r2 limits=0_g1", "ok"},
		{"909000 get r2 st", "st=lapsed"},
		END,
	};
	/* Who has both since nothing forbade it, and gives one back, need not wait for a longer time in the other. */
	static const struct lane_story_row extends[] = {
		{"0 submit r1 g1 ann 9000", "ok provisioning | push Pr1 add g1 ann"},
		{"0 submit r2 g2 ann 20000", "ok provisioning | push Pr2 add g2 ann"},
		{"9 end Pr1 ann:done", "ok"},
		{"9 end Pr2 ann:done", "ok"},
		{"9000 due", "q aws"},
		{"9000 try r3 g2 ann 60000 action=selfExtend limits=0_g1", "ok in_force"},
		{"9000 submit r3 g2 ann 60000 action=selfExtend limits=0_g1", "ok in_force"},
		{"9000 submit r4 g2 ann 5000 action=adminUpdate limits=0_g1", "ok in_force"},
		{"9000 get r3 st", "st=revoked"},
		END,
	};

	lane_story_run(*state, "excluding for long", waits);
	lane_story_run(*state, "excluding, with both", extends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_once),         cmocka_unit_test(test_scheduled),
		cmocka_unit_test(test_scheduled_ended), cmocka_unit_test(test_cancel_rights),
		cmocka_unit_test(test_submit_again),    cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_many_open),       cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_end_during_push), cmocka_unit_test(test_asked_again_during_removal),
		cmocka_unit_test(test_clock),           cmocka_unit_test(test_limits),
		cmocka_unit_test(test_excluding),       cmocka_unit_test(test_excluding_for_long),
	};

	return LANE_STORY_TESTS(tests);
}
