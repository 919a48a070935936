/* Notices told as stories: what is told, what is not, and the way of each delivery until it has arrived. */
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

static void test_nobody_wants_to_know(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
		{"40 end Pr1 ann:done", "ok"},
		{"60000 due", "q aws"},
		{"60000 outbox", ""},
		{"60000 keys", "b:aws m:g1:ann mu:g1 r:r1 tt uq:aws us:aws:ann x x:g1 xg:aws"},
		END,
	};

	lane_story_run(*state, "nobody", rows);
}

static void test_life(void **state)
{
	static const struct lane_story_row life[] = {
		{"0 tells 10000 30000", ""},
		{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
		{"0 outbox", ""},
		{"40 end Pr1 ann:done", "ok"},
		{"40 timetable", "n:@40 q:aws@40 w:r1@50000 e:r1@60000"},
		{"40 outbox", "activation.provisioned#1:r1"},
		{"40 spread 1 d1 hook:a d2 ann@", "ok"},
		{"40 spread 1 d3 hook:a", "gone"},
		{"40 outbox", ""},
		{"40 notices", "hook:a=1 mail=1 waits:d2*0 waits:d1*0"},
		{"40 timetable", "d:hook:a@40 d:mail@40 q:aws@40 w:r1@50000 e:r1@60000"},
		{"40 take hook:a", "d1*0"},
		{"40 take hook:a", ""},
		{"41 tell d1 done", "ok"},
		{"41 tell d1 done", "none"},
		{"41 take mail", "d2*0"},
		{"42 tell d2 done", "ok"},
		{"42 pump q1", "idle"},
		{"42 timetable", "w:r1@50000 e:r1@60000"},
		{"50000 due", "n "},
		{"50000 outbox", "activation.ending#2:r1"},
		{"50000 spread 2", "ok"},
		{"60000 due", "q aws"},
		{"60000 timetable", "q:aws@65000 o:g1:ann@90000"},
		{"90000 due", "q aws n "},
		{"90000 outbox", "removal.overdue#3:r1"},
		{"90000 spread 3", "ok"},
		{"90000 pump q2", "| push q2 remove g1 ann"},
		{"90040 end q2 ann:done", "ok"},
		{"90040 outbox", "activation.ended#4:r1"},
		{"90040 spread 4", "ok"},
		{"90040 pump q3", "idle"},
		{"90040 keys", "b:aws gone:g1 ni r:r1 tt"},
		{"90040 timetable", "k:r1@3690040"},
		END,
	};
	lane_story_run(*state, "life", life);
}

/* The end is near only where nothing else gives more, and long enough before it. */
static void test_other_ends(void **state)
{
	static const struct lane_story_row extended[] = {
		{"0 tells 10000 30000", ""},
		{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
		{"40 end Pr1 ann:done", "ok"},
		{"50 submit r2 g1 ann 120000", "ok in_force"},
		{"50 outbox", "activation.provisioned#1:r1 activation.provisioned#2:r2"},
		{"50 spread 1", "ok"},
		{"50 spread 2", "ok"},
		{"50000 due", "q aws"},
		{"60000 due", "q aws n "},
		{"60000 get r1 st", "st=expired"},
		{"60000 outbox", ""},
		{"60000 timetable", "q:aws@65000 w:r2@110050 e:r2@120050 k:r1@3660000"},
		{"110050 due", "q aws n "},
		{"110050 outbox", "activation.ending#4:r2"},
		END,
	};
	static const struct lane_story_row short_one[] = {
		{"0 tells 10000 30000", ""},
		{"0 submit r1 g1 ann 9000", "ok provisioning | push Pr1 add g1 ann"},
		{"10 timetable", "e:r1@9000 p:Pr1@32000"},
		END,
	};
	static const struct lane_story_row ended_early[] = {
		{"0 tells 10000 30000", ""},
		{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
		{"40 end Pr1 ann:done", "ok"},
		{"100 deactivate d1 g1 ann", "ok revoked"},
		{"100 pump q1", "| push q1 remove g1 ann"},
		{"140 end q1 ann:done", "ok"},
		{"140 outbox", "activation.provisioned#1:r1 activation.ended#2:r1"},
		{"140 spread 1", "ok"},
		{"140 spread 2", "ok"},
		{"140 pump q2", "idle"},
		{"140 timetable", "k:d1@3600100 k:r1@3600140"},
		END,
	};

	lane_story_run(*state, "extended", extended);
	lane_story_run(*state, "shorter than the warning", short_one);
	lane_story_run(*state, "ended early", ended_early);
}

static void test_failures(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 tells 0 0", ""},
		{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
		{"40 end Pr1 ann:refused:sure:0:No-such-group.", "ok"},
		{"40 outbox", "activation.failed#1:r1"},
		{"50 submit r2 g1 ann 60000 glass=1", "ok provisioning | push Pr2 add g1 ann"},
		{"50 outbox", "activation.failed#1:r1 breakglass.used#2:r2"},
		{"90 end Pr2 ann:retry:sure:-1", "ok"},
		{"90 outbox most=1", "activation.failed#1:r1"},
		{"90 outbox", "activation.failed#1:r1 breakglass.used#2:r2 activation.deferred#3:r2"},
		{"60050 due", "n  q aws"},
		{"60050 outbox", "activation.failed#1:r1 breakglass.used#2:r2 activation.deferred#3:r2 "
				 "activation.failed#4:r2"},
		END,
	};

	lane_story_run(*state, "failures", rows);
}

/* The approvers of each stage are asked once; who was asked in vain by mail is left alone. */
static void test_approval(void **state)
{
	static const struct lane_story_row stages[] = {
		{"0 tells 10000 30000", ""},
		{"0 submit r1 g1 ann 60000 wait=5000", "ok awaiting"},
		{"0 outbox", "approval.requested#1:r1"},
		{"0 spread 1 m1 lead@ m2 other@ w1 hook:a", "ok"},
		{"1 take mail most=1", "m1*0"},
		{"1 tell m1 again in=5", "ok"},
		{"2 decide r1 1 bob Approve needed=2 stages=2", "ok"},
		{"2 outbox", ""},
		{"3 decide r1 1 eve Approve needed=2 stages=2", "ok"},
		{"3 outbox", "approval.requested#2:r1"},
		{"3 spread 2 m3 head@ m4 deputy@500", "ok"},
		{"9 take mail", "m3*0"},
		{"9 take hook:a", "w1*0"},
		{"10 decide r1 2 zoe Approve stages=2", "ok"},
		{"10 outbox", "approval.decided#3:r1"},
		{"600 take mail", ""},
		{"600 notices", "hook:a=1 mail=1 waits:m3*0 waits:w1*0"},
		END,
	};
	static const struct lane_story_row denied[] = {
		{"0 tells 10000 30000", ""},
		{"0 submit r1 g1 ann 60000 wait=5000", "ok awaiting"},
		{"0 spread 1", "ok"},
		{"5000 due", "n "},
		{"5000 outbox", "approval.decided#2:r1"},
		{"5000 spread 2", "ok"},
		{"5000 submit r2 g1 ann 60000 wait=5000", "ok awaiting"},
		{"5000 spread 3", "ok"},
		{"5000 cancel r2 ann", "ok"},
		{"5000 outbox", "approval.decided#4:r2"},
		{"5000 cancel r2 ann", "ok"},
		{"5000 outbox", "approval.decided#4:r2"},
		END,
	};

	lane_story_run(*state, "stages", stages);
	lane_story_run(*state, "nobody decides", denied);
}

/* A notice that waits to be told by three deliveries. */
#define TOLD                                                                                                 \
	{"0 tells 0 0", ""}, {"0 submit r1 g1 ann 600000 wait=500000", "ok awaiting"},                       \
	{                                                                                                    \
		"0 spread 1 d1 hook:a d2 hook:a d3 hook:b", "ok"                                             \
	}

static void test_delivery(void **state)
{
	static const struct lane_story_row again[] = {
		TOLD,
		{"0 due", "d hook:a d hook:b"},
		{"0 take hook:a most=1", "d1*0"},
		{"0 timetable", "d:hook:a@0 d:hook:b@5000 a:r1@500000"},
		{"1 tell d1 again in=5000 text=503", "ok"},
		{"1 take hook:a", "d2*0"},
		{"1 tell d2 done", "ok"},
		{"1 timetable", "d:hook:b@5000 d:hook:a@5001 a:r1@500000"},
		{"5000 take hook:a", ""},
		{"5001 take hook:a", "d1*1"},
		{"5001 tell d1 park text=500", "ok"},
		{"5001 notices", "hook:b=1 parked:d1*2(500) waits:d3*0"},
		{"9999999 take hook:a", ""},
		{"9999999 order d1 send", "ok"},
		{"9999999 take hook:a", "d1*0"},
		{"9999999 order d9 send", "none"},
		{"9999999 order d1 discard", "ok"},
		{"9999999 tell d1 done", "none"},
		{"9999999 notices", "hook:b=1 waits:d3*0"},
		{"9999999 audit r1", "ask>awaiting/ann notice_send>/person notice_discard>/person"},
		END,
	};
	static const struct lane_story_row broker_dies[] = {
		TOLD,
		{"0 take hook:a", "d1*0 d2*0"},
		{"1 tell d1 done", "ok"},
		{"39999 take hook:a", ""},
		{"40000 due", "d hook:b d hook:a"},
		{"40000 take hook:a", "d2*0"},
		END,
	};
	lane_story_run(*state, "again", again);
	lane_story_run(*state, "broker dies", broker_dies);
}

static void test_receivers(void **state)
{
	static const struct lane_story_row silence[] = {
		TOLD,
		{"0 take hook:a most=1", "d1*0"},
		{"1 tell d1 again in=5000 silent=60000", "ok"},
		{"2 take hook:a", ""},
		{"2 timetable", "d:hook:b@0 d:hook:a@60001 a:r1@500000"},
		{"2 take hook:b", "d3*0"},
		{"3 tell d3 done", "ok"},
		{"60001 take hook:a", "d2*0 d1*1"},
		END,
	};
	static const struct lane_story_row gone[] = {
		TOLD,
		{"0 take hook:a most=1", "d1*0"},
		{"1 tell d1 gone text=410", "ok"},
		{"2 take hook:a", ""},
		{"2 notices", "hook:a=0,gone hook:b=1 "
			      "parked:d2*0(The receiver has answered that it is gone (410): it gets nothing "
			      "more until it is configured anew.) parked:d1*1(410) waits:d3*0"},
		{"2 order d1 send", "ok"},
		{"2 take hook:a as=f2", "d1*0"},
		END,
	};

	lane_story_run(*state, "silence", silence);
	lane_story_run(*state, "gone", gone);
}

static void test_bounds(void **state)
{
	static const struct lane_story_row stranded[] = {
		TOLD,
		{"0 take hook:a most=0", ""},
		{"0 timetable", "d:hook:b@0 d:hook:a@60000 a:r1@500000"},
		{"86400001 take hook:a most=0", ""},
		{"86400001 notices", "hook:b=1 parked:d2*0(It is not configured any more.) "
				     "parked:d1*0(It is not configured any more.) waits:d3*0"},
		END,
	};
	/* What has been parked longer than the history is kept goes when something else is parked. */
	static const struct lane_story_row forgotten[] = {
		TOLD,
		{"0 take hook:a most=1", "d1*0"},
		{"0 tell d1 park", "ok"},
		{"3600001 take hook:a most=1", "d2*0"},
		{"3600001 tell d2 park", "ok"},
		{"3600001 notices", "hook:b=1 parked:d2*1 waits:d3*0"},
		{"3600001 order d1 send", "none"},
		END,
	};
	/* A target that is full of others still takes alarms. */
	static const struct lane_story_row full[] = {
		{"0 tells 0 30000", ""},
		{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
		{"40 end Pr1 ann:done", "ok"},
		{"40 fill hook:a 10000", ""},
		{"40 outbox", "activation.provisioned#1:r1"},
		{"40 spread 1 d1 hook:a", "ok"},
		{"40 notices", "hook:a=10000,lost=1"},
		{"60000 due", "q aws"},
		{"90000 due", "q aws n "},
		{"90000 outbox", "removal.overdue#2:r1"},
		{"90000 spread 2 d2 hook:a", "ok"},
		{"90000 notices", "hook:a=10001,lost=1 waits:d2*0"},
		END,
	};

	lane_story_run(*state, "stranded", stranded);
	lane_story_run(*state, "forgotten", forgotten);
	lane_story_run(*state, "full", full);
}

static void test_mailbox(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 mailbox lead m1 ann", "send"},
		{"1 mailbox lead m2 ann", "send"},
		{"2 mailbox lead m3 ann", "held"},
		{"2 mailbox lead m3 ann", "held"},
		{"3 mailbox lead m2 ann", "send"},
		{"4 mailbox lead m4 bob", "send"},
		{"5 mailbox lead m5 eve", "held"},
		{"5 mailbox other m6 ann", "send"},
		{"5 timetable", "d:mail@60002"},
		{"60002 take mail", "digest-of-m3*0 held=2 m3\nm5\n"},
		{"60002 mailbox lead m7 ann", "send"},
		{"60003 tell digest-of-m3 done", "ok"},
		{"60003 notices", ""},
		{"60003 mailbox lead m8 bob", "send"},
		{"60004 mailbox lead m9 eve", "send"},
		{"60004 mailbox lead m10 eve", "held"},
		{"60004 timetable", "d:mail@120004"},
		END,
	};

	lane_story_run(*state, "mailbox", rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_wants_to_know),
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_other_ends),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_approval),
		cmocka_unit_test(test_delivery),
		cmocka_unit_test(test_receivers),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_mailbox),
	};

	return LANE_STORY_TESTS(tests);
}
