/* The function library told as stories: pushes, what comes of them, and pushes whose broker dies. */
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

static void test_lost_add(void **state)
{
	static const struct lane_story_row taken_over[] = {
		{"0 submit r1 g1 ann 600000", "ok provisioning | push Pr1 add g1 ann"},
		{"31999 due", ""},
		{"32000 due", "q aws"},
		{"32000 get r1 st attempts member_error",
		 "st=waiting attempts=1 member_error=The broker that made this push stopped before its end."},
		/* Its token is out until its deadline and a window have passed. */
		{"32000 app free waiting", "free=4 waiting=1"},
		/* That broker may have created the user: in doubt. */
		{"32000 pump q1", "| push q1 add g1 ann*1+d"},
		{"32000 app free", "free=3"},
		{"32010 end Pr1 ann:done", "gone"},
		{"32010 get r1 st", "st=provisioning"},
		{"32020 end q1 ann:done", "ok"},
		{"32020 get r1 st attempts member_error", "st=in_force attempts=0 member_error=-"},
		{"40000 app free", "free=3"},
		{"40001 app free", "free=4"},
		{"42020 app free", "free=4"},
		{"42021 app free", "free=5"},
		END,
	};
	static const struct lane_story_row ends_before_take_over[] = {
		{"0 submit r1 g1 ann 10000", "ok provisioning | push Pr1 add g1 ann"},
		{"10000 due", ""},
		{"10000 get r1 st", "st=expiring"},
		{"32000 due", "q aws"},
		{"32000 get r1 st", "st=expiring"},
		{"32000 removals", "g1:ann@10000"},
		{"32000 pump q1", "| push q1 remove g1 ann*1"},
		{"32010 end q1 ann:done", "ok"},
		{"32010 get r1 st", "st=expired"},
		/* The user may have been created for it: to be known when they are met again. */
		{"32010 keys", "b:aws gone:g1 r:r1 tt us:aws:ann"},
		END,
	};

	lane_story_run(*state, "lost and taken over", taken_over);
	lane_story_run(*state, "lost, and its time is over", ends_before_take_over);
}

/* Who was a member before stays one, however the assignment ends; and the next one looks again. */
static void test_standing(void **state)
{
	static const struct lane_story_row expires[] = {
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:standing", "ok"},
		{"9 get r1 st standing unverified", "st=in_force standing=1 unverified=0"},
		{"9 pump q0", "idle"},
		{"1000 due", ""},
		{"1000 get r1 st", "st=expired"},
		{"1000 removals", ""},
		{"1000 pump q1", "idle"},
		{"1000 submit r2 g1 ann 60000", "ok provisioning | push Pr2 add g1 ann"},
		{"1009 end Pr2 ann:done", "ok"},
		{"1009 get r2 st standing", "st=in_force standing=0"},
		{"61000 due", "q aws"},
		{"61000 pump q1", "| push q1 remove g1 ann"},
		END,
	};
	static const struct lane_story_row ends_during_the_push[] = {
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"1000 due", ""},
		{"1000 get r1 st", "st=expiring"},
		{"1009 end Pr1 ann:standing", "ok"},
		{"1009 get r1 st", "st=expired"},
		{"1009 pump q1", "idle"},
		{"1009 keys", "b:aws r:r1 tt"},
		END,
	};
	static const struct lane_story_row unverified[] = {
		{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:unverified", "ok"},
		{"9 get r1 st standing unverified", "st=in_force standing=0 unverified=1"},
		{"60000 due", "q aws"},
		{"60000 pump q1", "| push q1 remove g1 ann"},
		{"60009 end q1 ann:unverified", "ok"},
		{"60009 get r1 st", "st=expired"},
		{"60009 keys", "b:aws gone:g1 r:r1 tt"},
		END,
	};

	lane_story_run(*state, "a standing member", expires);
	lane_story_run(*state, "ended before it was known", ends_during_the_push);
	lane_story_run(*state, "accepted, but unverified", unverified);
}

static void test_lost_remove(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:done", "ok"},
		{"1000 due", "q aws"},
		{"1000 pump q1", "| push q1 remove g1 ann"},
		{"1001 submit r2 g1 ann 60000", "ok waiting"},
		{"33000 due", "q aws"},
		/* Nobody knows whether ann is still a member: she is made one. */
		{"33000 get r1 st", "st=expired"},
		{"33000 get r2 st", "st=waiting"},
		{"33000 pump q2", "| push q2 add g1 ann*1"},
		{"33009 end q2 ann:done", "ok"},
		{"33009 get r2 st", "st=in_force"},
		{"61001 due", "q aws"},
		{"61001 pump q3", "| push q3 remove g1 ann"},
		{"93001 due", "q aws"},
		{"93001 removals", "g1:ann@61001"},
		{"93001 lane", "timetable=2 removals=1 oldest=61001"},
		{"93001 pump q4", "| push q4 remove g1 ann*1"},
		{"93002 end q3 ann:done", "gone"},
		{"93003 end q4 ann:done", "ok"},
		{"93003 end q4 ann:done", "gone"},
		{"93003 removals", ""},
		END,
	};

	lane_story_run(*state, "lost removals", rows);
}

static void test_retry(void **state)
{
	static const struct lane_story_row delays[] = {
		{"0 submit r1 g1 ann 600000", "ok provisioning | push Pr1 add g1 ann"},
		{"10 end Pr1 ann:retry:sure:2000:503", "ok"},
		{"10 get r1 st attempts member_error", "st=waiting attempts=1 member_error=503"},
		{"10 pump q1", "idle"},
		{"10 timetable", "q:aws@2010 e:r1@600000"},
		{"2009 pump q1", "idle"},
		{"2010 due", "q aws"},
		{"2010 pump q1", "| push q1 add g1 ann*1"},
		{"2020 end q1 ann:retry:doubt:-1:504", "ok"},
		{"2020 get r1 st attempts member_error place",
		 "st=deferred attempts=2 member_error=504 place=1"},
		{"2020 pump q2", "idle"},
		/* It may be there: when it ends, it is removed. */
		{"3000 deactivate d1 g1 ann", "ok revoked"},
		{"3000 get r1 st", "st=revoking"},
		{"3000 pump q3", "| push q3 remove g1 ann*2"},
		END,
	};
	static const struct lane_story_row never_there[] = {
		{"0 submit r1 g1 ann 600000", "ok provisioning | push Pr1 add g1 ann"},
		{"10 end Pr1 ann:retry:sure:2000:503", "ok"},
		{"20 deactivate d1 g1 ann", "ok revoked"},
		{"20 get r1 st", "st=revoked"},
		{"20 removals", ""},
		{"20 due", "q aws"},
		{"20 pump q1", "idle"},
		{"20 timetable", "k:d1@3600020 k:r1@3600020"},
		{"20 keys", "b:aws r:d1 r:r1 tt"},
		END,
	};
	static const struct lane_story_row withdrawn[] = {
		{"0 submit r1 g1 ann 600000", "ok provisioning | push Pr1 add g1 ann"},
		{"10 end Pr1 ann:retry:doubt:2000:504", "ok"},
		{"20 cancel r1 ann", "ok"},
		{"20 get r1 st", "st=canceled"},
		{"20 pump q1", "| push q1 remove g1 ann*1"},
		{"30 end q1 ann:done", "ok"},
		{"30 keys", "b:aws gone:g1 r:r1 tt"},
		END,
	};

	lane_story_run(*state, "delay, then the cycle", delays);
	lane_story_run(*state, "ended without having been there", never_there);
	lane_story_run(*state, "withdrawn while in doubt", withdrawn);
}

static void test_refused(void **state)
{
	static const struct lane_story_row add[] = {
		{"0 submit r1 g1 ann 600000", "ok provisioning | push Pr1 add g1 ann"},
		{"0 submit r2 g1 ann 700000", "ok waiting"},
		{"0 submit r3 g1 ann 800000 start=5000", "ok scheduled"},
		{"10 end Pr1 ann:refused:sure:0:no-such-group", "ok"},
		{"10 get r1 st er en", "st=failed er=no-such-group en=10"},
		{"10 get r2 st er", "st=failed er=no-such-group"},
		{"10 get r3 st er", "st=scheduled er=-"},
		{"10 removals", ""},
		{"10 timetable", "q:aws@10 s:r3@5000 k:r1@3600010 k:r2@3600010"},
		{"5000 start r3", "ok | push Pr3 add g1 ann"},
		END,
	};
	static const struct lane_story_row add_in_doubt[] = {
		{"0 submit r1 g1 ann 600000", "ok provisioning | push Pr1 add g1 ann"},
		{"10 end Pr1 ann:refused:doubt:0:400", "ok"},
		{"10 get r1 st", "st=failed"},
		{"10 removals", "g1:ann@10"},
		{"10 pump q1", "| push q1 remove g1 ann"},
		END,
	};

	lane_story_run(*state, "refused for good", add);
	lane_story_run(*state, "refused, but it may be there", add_in_doubt);
}

/* Nobody looked at the time, and then the application was away: the audit says how long access has outlived its end. */
static void test_access_that_outlives_its_end(void **state)
{
	static const struct lane_story_row late[] = {
		{"0 tells 0 10000", ""},
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:done", "ok"},
		{"6000 due", "n  q aws"},
		{"6000 removals", "g1:ann@1000"},
		{"6000 pump q1", "| push q1 remove g1 ann"},
		{"6010 end q1 ann:retry:sure:60000:500", "ok"},
		{"11000 due", "q aws n "},
		{"11000 audit r1",
		 "push>provisioning/ann confirm>in_force/application expire_remove>expiring/time "
		 "removal_overdue>/time+10000"},
		{"66010 pump q2", "| push q2 remove g1 ann*1"},
		{"66020 end q2 ann:done", "ok"},
		{"66020 audit r1",
		 "push>provisioning/ann confirm>in_force/application expire_remove>expiring/time "
		 "removal_overdue>/time+10000 release>expired/application+65020"},
		END,
	};
	static const struct lane_story_row given_back[] = {
		{"0 submit r1 g1 ann 600000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:done", "ok"},
		{"1000 deactivate d1 g1 ann", "ok revoked"},
		{"1000 pump q1", "| push q1 remove g1 ann"},
		{"1040 end q1 ann:done", "ok"},
		{"1040 audit r1",
		 "push>provisioning/ann confirm>in_force/application revoke_remove>revoking/ann "
		 "release>revoked/application+40"},
		END,
	};

	lane_story_run(*state, "late", late);
	lane_story_run(*state, "given back", given_back);
}

static void test_refused_removal(void **state)
{
	/* For ever, and the time since when it is overdue stays. */
	static const struct lane_story_row removal[] = {
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:done", "ok"},
		{"1000 due", "q aws"},
		{"1000 pump q1", "| push q1 remove g1 ann"},
		{"1010 end q1 ann:refused:sure:5000:403", "ok"},
		{"1010 get r1 st member_error attempts", "st=expiring member_error=403 attempts=1"},
		{"1010 removals", "g1:ann@1000"},
		{"1010 pump q2", "idle"},
		{"1010 timetable", "q:aws@6010"},
		{"6010 pump q2", "| push q2 remove g1 ann*1"},
		{"6020 end q2 ann:retry:doubt:60000:500", "ok"},
		{"6020 removals", "g1:ann@1000"},
		{"66020 pump q3", "| push q3 remove g1 ann*2"},
		{"66030 end q3 ann:refused:doubt:60000:404", "ok"},
		{"90000 removals", "g1:ann@1000"},
		{"126030 pump q4", "| push q4 remove g1 ann*3"},
		{"126031 end q4 ann:done", "ok"},
		{"126031 removals", ""},
		{"126031 get r1 st", "st=expired"},
		{"126031 keys", "b:aws gone:g1 r:r1 tt"},
		END,
	};
	/* The application's complaint about the removal is not the new assignment's. */
	static const struct lane_story_row joined[] = {
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:done", "ok"},
		{"1000 due", "q aws"},
		{"1000 pump q1", "| push q1 remove g1 ann"},
		{"1010 end q1 ann:refused:sure:5000:403", "ok"},
		{"1020 submit r2 g1 ann 1000", "ok in_force"},
		{"1020 get r2 st attempts member_error", "st=in_force attempts=0 member_error=-"},
		END,
	};

	lane_story_run(*state, "a refused removal", removal);
	lane_story_run(*state, "in force after a refused removal", joined);
}

/* A member whose end has come is left out, even when the timetable has not been looked at yet. */
static void test_ended_in_queue(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 terms aws 1 10000 0 60000 2400000 0 100 30000 32000", ""},
		{"0 submit r1 g1 ann 600000", "ok provisioning | push Pr1 add g1 ann"},
		{"0 submit r2 g1 bob 9000", "ok waiting"},
		{"0 submit r3 g1 cy 600000", "ok waiting"},
		{"0 submit r4 g2 dan 5000", "ok waiting"},
		{"1 end Pr1 ann:done", "ok"},
		{"10002 pump q1", "| push q1 add g1 cy"},
		{"10002 check q1", "ok 600000"},
		{"10003 end q1 cy:done", "ok"},
		{"10003 due", "q aws"},
		{"10003 get r2 st er",
		 "st=lapsed er=The assignment ended before the application was reached."},
		{"10003 get r4 st", "st=lapsed"},
		{"20004 pump q2", "idle"},
		{"20004 timetable", "e:r1@600000 e:r3@600000 k:r2@3610003 k:r4@3610003"},
		{"20004 keys", "b:aws il:g1 la lk lv m:g1:ann m:g1:cy mu:g1 r:r1 r:r2 r:r3 r:r4 tt uq:aws "
			       "us:aws:ann us:aws:cy"},
		END,
	};

	lane_story_run(*state, "ended in the queue", rows);
}

/* Removals that are due together for one group share a push; each has its own verdict. */
static void test_batches(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 terms aws 5 10000 3 0 2400000 0 2 30000 32000", ""},
		{"0 submit r1 g1 ann 20000", "ok provisioning | push Pr1 add g1 ann"},
		{"0 submit r2 g1 bob 20000", "ok provisioning | push Pr2 add g1 bob"},
		{"0 submit r3 g1 cy 20000", "ok provisioning | push Pr3 add g1 cy"},
		{"0 submit r4 g2 ann 20000", "ok provisioning | push Pr4 add g2 ann"},
		{"1 end Pr1 ann:done", "ok"},
		{"1 end Pr2 bob:done", "ok"},
		{"1 end Pr3 cy:done", "ok"},
		{"1 end Pr4 ann:done", "ok"},
		{"1 due", "q aws"},
		{"1 pump q0", "idle"},
		{"20000 due", "q aws"},
		{"20000 app free removals", "free=5 removals=4"},
		/* Three pushes are needed: two tokens are left for activations. */
		{"20000 try t1 g3 eve 1000", "ok provisioning"},
		{"20000 submit r5 g3 eve 99000", "ok provisioning | push Pr5 add g3 eve"},
		{"20000 submit r6 g3 fay 99000", "ok provisioning | push Pr6 add g3 fay"},
		{"20000 try t1 g3 guy 1000", "ok deferred place=0 next=0"},
		{"20000 submit r7 g3 guy 99000", "ok deferred place=1 next=2400000"},
		{"20000 pump q1", "| push q1 remove g1 ann bob"},
		{"20000 pump q2", "| push q2 remove g1 cy"},
		{"20000 pump q3", "| push q3 remove g2 ann"},
		{"20000 pump q4", "idle"},
		{"20000 check q1", "ok 1 1"},
		{"20001 end q1 ann:retry:doubt:3000:half bob:done", "ok"},
		{"20001 get r1 st", "st=expiring"},
		{"20001 get r2 st", "st=expired"},
		{"20001 removals", "g1:ann@20000 g1:cy@20000 g2:ann@20000"},
		END,
	};

	lane_story_run(*state, "batches", rows);
}

/* Retry-After closes the bucket for all; a push whose last request may still run keeps its token. */
static void test_closing(void **state)
{
	static const struct lane_story_row closed[] = {
		{"0 submit r1 g1 ann 20000", "ok provisioning | push Pr1 add g1 ann"},
		{"10 end Pr1 close=25000 ann:done", "ok"},
		{"10 app free closed_until token_at", "free=0 closed_until=25010 token_at=25010"},
		{"10 submit r2 g1 bob 60000", "ok deferred place=1 next=2400000"},
		{"20 end Pr1 close=1000 ann:done", "gone"},
		{"20 app closed_until", "closed_until=25010"},
		{"20000 due", "q aws"},
		{"20000 pump q1", "idle"},
		{"20000 timetable", "q:aws@25010 e:r2@60010 c:aws@2400000"},
		{"25009 pump q1", "idle"},
		{"25010 pump q1", "| push q1 remove g1 ann"},
		{"25010 app free closed_until", "free=4 closed_until=25010"},
		END,
	};
	static const struct lane_story_row unanswered[] = {
		{"0 submit r1 g1 ann 600000", "ok provisioning | push Pr1 add g1 ann"},
		{"10 end Pr1 keep ann:retry:doubt:1000:timed-out", "ok"},
		{"10011 app free", "free=4"},
		{"40000 app free token_at", "free=4 token_at=40001"},
		{"40001 app free token_at", "free=5 token_at=0"},
		END,
	};

	lane_story_run(*state, "closed", closed);
	lane_story_run(*state, "unanswered", unanswered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_standing),        cmocka_unit_test(test_lost_add),
		cmocka_unit_test(test_lost_remove),     cmocka_unit_test(test_retry),
		cmocka_unit_test(test_refused),         cmocka_unit_test(test_access_that_outlives_its_end),
		cmocka_unit_test(test_refused_removal), cmocka_unit_test(test_ended_in_queue),
		cmocka_unit_test(test_batches),         cmocka_unit_test(test_closing),
	};

	return LANE_STORY_TESTS(tests);
}
