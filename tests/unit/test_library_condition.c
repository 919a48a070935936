/* The function library told as stories: quarantine, pause, batches that are split, and the provisioning log. */
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

/* Quarantine after 3 failures that are more than 40 of a hundred. */
#define THREE "0 terms aws 5 10000 3 0 2400000 0 100 30000 32000 3 40"

static void test_unauthorised(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 9000000", "ok provisioning | push Pr1 add g1 ann"},
		{"5 submit r2 g1 bob 600000", "ok provisioning | push Pr2 add g1 bob"},
		{"6 end Pr2 bob:done health=ok", "ok"},
		{"9 end Pr1 health=unauthorised why=401 ann:retry:sure:1000:401", "ok"},
		{"9 app quarantined why text trials", "quarantined=9 why=unauthorised text=401 trials=0"},
		/* Whoever waits goes to the cycle and is told why; whoever asks is told at once. */
		{"10 pump q1", "idle"},
		{"10 get r1 st member_error place", "st=deferred member_error=The application is in "
						    "quarantine: 401 place=1"},
		{"11 try r3 g1 cy 9000000", "ok deferred place=0 next=0"},
		{"11 submit r3 g1 cy 9000000", "ok deferred place=2 next=2400000"},
		{"11 get r3 member_error", "member_error=The application is in quarantine: 401"},
		{"12 submit r4 g1 dan 60000", "ok deferred place=3 next=2400000"},
		{"60012 due", ""},
		{"60012 get r4 st", "st=lapsed"},
		{"60012 pump q1", "idle"},
		/* Removals go on. One that is refused changes nothing, one that succeeds ends it. */
		{"600005 due", "q aws"},
		{"600005 pump q2", "| push q2 remove g1 bob"},
		{"600009 end q2 health=unauthorised why=401 bob:retry:sure:1000:401", "ok"},
		{"600009 pump q3", "idle"},
		{"601009 due", "q aws"},
		{"601009 pump q3", "| push q3 remove g1 bob*1"},
		{"601010 end q3 health=ok bob:done", "ok"},
		{"601010 app quarantined failed hold", "quarantined=0 failed=0 hold=0"},
		/* What was kept back is not kept waiting. */
		{"601010 due", "c aws q aws"},
		{"601010 cycle", "started"},
		{"611100 pump q4", "| push q4 add cycle g1 ann*1 cy"},
		END,
	};

	lane_story_run(*state, "refuses the token", rows);
}

/* Those who want to know are told of quarantine, and of another reason for it. */
static void test_told(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 tells 0 0", ""},
		{"0 plan", "ok"},
		{"0 submit r1 g1 ann 9000000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 health=unauthorised why=401 ann:retry:sure:0:401", "ok"},
		{"9 outbox", "application.quarantined#1:"},
		{"10 pump q1", "idle"},
		{"2400000 cycle", "started"},
		{"2400000 pump q1", "| push q1 add cycle g1 ann*1"},
		{"2400009 end q1 health=unauthorised why=401 ann:retry:sure:0:401", "ok"},
		{"2400010 pump q2", "idle"},
		{"4800000 cycle", "started"},
		{"4800000 pump q2", "| push q2 add cycle g1 ann*2"},
		{"4800009 end q2 health=alien why=html ann:retry:sure:0:html", "ok"},
		{"4800009 outbox",
		 "application.quarantined#1: activation.deferred#2:r1 activation.deferred#3:r1 "
		 "application.quarantined#4:"},
		{"4800009 audit", "quarantine>/broker quarantine>/broker"},
		END,
	};

	lane_story_run(*state, "told of quarantine", rows);
}

static void test_keeps_failing(void **state)
{
	static const struct lane_story_row rows[] = {
		{THREE, ""},
		{"0 plan", "ok"},
		{"0 submit r1 g1 ann 900000000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 health=failing why=503 chance=0.5 ann:retry:sure:0:503", "ok"},
		/* The application is left in peace for a while: nothing that failed is tried again. */
		{"9 app failed hold", "failed=1 hold=509"},
		{"10 pump q1", "idle"},
		/* But somebody new is tried. */
		{"10 submit r2 g2 bob 900000000", "ok provisioning | push Pr2 add g2 bob"},
		{"19 end Pr2 health=failing why=503 chance=0.5 bob:retry:sure:0:503", "ok"},
		{"19 app failed hold quarantined", "failed=2 hold=1019 quarantined=0"},
		{"1018 pump q1", "idle"},
		{"1019 due", "q aws"},
		{"1019 pump q1", "| push q1 add g1 ann*1"},
		/* 429 never counts. */
		{"1029 end q1 health= why=429 ann:retry:sure:0:429", "ok"},
		{"1029 app failed quarantined", "failed=2 quarantined=0"},
		{"1029 pump q2", "| push q2 add g2 bob*1"},
		{"1030 end q2 health=failing why=again chance=0 bob:retry:sure:0:500", "ok"},
		{"1030 app failed quarantined why text", "failed=3 quarantined=1030 why=failing text=again"},
		{"1030 pump q3", "idle"},
		{"1030 app waiting deferred", "waiting=0 deferred=2"},
		/* The cycle tries one push, and comes half as often each time. */
		{"2400000 cycle", "started"},
		{"2400000 pump q4", "| push q4 add cycle g1 ann*2"},
		{"2400000 pump q5", "idle"},
		{"2400009 end q4 health=failing why=500 chance=0 ann:retry:sure:0:500", "ok"},
		{"2400009 pump q5", "idle"},
		{"2400009 cycles", "1:quarantine 1/2 1!1 schedule"},
		{"2400009 app next trials deferred", "next=4800000 trials=1 deferred=2"},
		{"4800000 cycle", "started"},
		{"4800000 app next trials", "next=9600000 trials=2"},
		{"4800000 pump q5", "| push q5 add cycle g2 bob*2"},
		/* Success: the rest follows in the same cycle. */
		{"4800009 end q5 health=ok bob:done", "ok"},
		{"4800009 pump q6", "| push q6 add cycle g1 ann*3"},
		{"4800019 end q6 health=ok ann:done", "ok"},
		{"4800019 pump q7", "idle"},
		{"4800019 cycles", "2:completed 2/2 2!0 schedule 1:quarantine 1/2 1!1 schedule"},
		{"4800019 app quarantined next", "quarantined=0 next=4800009"},
		{"4800019 keys",
		 "b:aws c:aws il:g1 il:g2 la lk lv m:g1:ann m:g2:bob mu:g1 mu:g2 r:r1 r:r2 tt "
		 "uq:aws us:aws:ann us:aws:bob"},
		END,
	};

	lane_story_run(*state, "keeps failing", rows);
}

static void test_fails_now_and_then(void **state)
{
	static const struct lane_story_row rows[] = {
		{THREE, ""},
		{"0 submit r1 g1 ann 9000000", "ok provisioning | push Pr1 add g1 ann"},
		{"1 end Pr1 health=failing ann:retry:sure:0:x", "ok"},
		{"1 submit r2 g1 bob 9000000", "ok provisioning | push Pr2 add g1 bob"},
		{"2 end Pr2 health=ok bob:done", "ok"},
		{"2 submit r3 g1 cy 9000000", "ok provisioning | push Pr3 add g1 cy"},
		{"3 end Pr3 health=ok cy:done", "ok"},
		{"3 submit r4 g1 dan 9000000", "ok provisioning | push Pr4 add g1 dan"},
		{"4 end Pr4 health=ok dan:done", "ok"},
		{"5 app failed passed", "failed=1 passed=3"},
		/* After a cycle's time the figures begin anew. */
		{"2400002 submit r5 g1 eve 9000000", "ok provisioning | push Pr5 add g1 eve"},
		{"2400003 end Pr5 health=ok eve:done", "ok"},
		{"2400003 app failed passed", "failed=0 passed=0"},
		END,
	};

	lane_story_run(*state, "fails now and then", rows);
}

static void test_slower_and_slower(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 terms aws 5 10000 3 0 36000000 0 100 30000 32000 1 0", ""},
		{"0 submit r1 g1 ann 900000000", "ok provisioning | push Pr1 add g1 ann"},
		{"1 end Pr1 health=failing why=x ann:retry:sure:-1:x", "ok"},
		{"1 plan", "ok"},
		{"36000000 cycle", "started"},
		{"36000000 app next", "next=72000000"},
		{"36000000 pump q1", "| push q1 add cycle g1 ann*1"},
		{"36000001 end q1 health=failing why=x ann:retry:sure:-1:x", "ok"},
		{"36000001 pump q2", "idle"},
		{"72000000 cycle", "started"},
		{"72000000 app next", "next=144000000"},
		{"72000000 pump q2", "| push q2 add cycle g1 ann*2"},
		{"72000001 end q2 health=failing why=x ann:retry:sure:-1:x", "ok"},
		{"72000001 pump q3", "idle"},
		/* A broker that starts does not undo that. */
		{"72000002 plan", "ok"},
		{"72000002 app next", "next=144000000"},
		{"144000000 cycle", "started"},
		{"144000000 app next", "next=230400000"},
		{"144000000 operate restart", "ok"},
		{"144000000 app quarantined", "quarantined=0"},
		END,
	};

	lane_story_run(*state, "slower and slower", rows);
}

/* What the last term says is the longest time between two trials, and a cycle's where that is longer. */
static void test_slowest(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 terms aws 5 10000 3 0 10000 0 100 30000 32000 1 0 2592000000 10000 15000", ""},
		{"0 submit r1 g1 ann 900000000", "ok provisioning | push Pr1 add g1 ann"},
		{"1 end Pr1 health=failing why=x ann:retry:sure:-1:x", "ok"},
		{"1 plan", "ok"},
		{"10000 cycle", "started"},
		{"10000 app next", "next=20000"},
		{"10000 pump q1", "| push q1 add cycle g1 ann*1"},
		{"10001 end q1 health=failing why=x ann:retry:sure:-1:x", "ok"},
		{"10001 pump q2", "idle"},
		{"20000 cycle", "started"},
		{"20000 app next", "next=35000"},
		{"20000 pump q2", "| push q2 add cycle g1 ann*2"},
		{"20001 end q2 health=failing why=x ann:retry:sure:-1:x", "ok"},
		{"20001 pump q3", "idle"},
		{"20001 terms aws 5 10000 3 0 10000 0 100 30000 32000 1 0 2592000000 10000 1000", ""},
		{"35000 cycle", "started"},
		{"35000 app next", "next=45000"},
		END,
	};

	lane_story_run(*state, "the slowest trials", rows);
}

static void test_pause(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 plan", "ok"},
		{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
		{"1 operate pause", "ok"},
		{"1 operate pause", "same"},
		/* What is under way ends; nobody new is pushed. */
		{"9 end Pr1 health=ok ann:done", "ok"},
		{"9 get r1 st member_error", "st=in_force member_error=-"},
		{"10 submit r2 g1 bob 9000000", "ok deferred place=1 next=2400000"},
		{"10 get r2 member_error",
		 "member_error=An operator has paused provisioning of this application."},
		{"60000 due", "q aws"},
		{"60000 pump q1", "| push q1 remove g1 ann"},
		{"60009 end q1 health=ok ann:done", "ok"},
		{"2400000 cycle", "paused"},
		{"2400000 cycle", "early"},
		{"2400000 app next paused", "next=4800000 paused=1"},
		{"2400000 cycle olga", "paused"},
		{"2400001 operate resume", "ok"},
		{"2400001 operate resume", "same"},
		{"2400002 cycle olga", "started"},
		{"2400002 pump q2", "| push q2 add cycle g1 bob"},
		{"2400002 audit", "pause>/operator resume>/operator cycle>/olga"},
		END,
	};
	static const struct lane_story_row all[] = {
		{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 health=ok ann:done", "ok"},
		{"10 operate pause_all", "ok"},
		{"60000 due", "q aws"},
		{"60000 pump q1", "idle"},
		{"60000 removals", "g1:ann@60000"},
		{"60001 operate pause", "ok"},
		{"60001 due", "q aws"},
		{"60001 pump q1", "| push q1 remove g1 ann"},
		END,
	};

	lane_story_run(*state, "paused", rows);
	lane_story_run(*state, "paused, removals as well", all);
}

static void test_pause_during_a_cycle(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 terms aws 5 10000 3 0 2400000 0 1 30000 32000", ""},
		{"0 operate pause", "ok"},
		{"0 submit r1 g1 ann 9000000", "ok deferred place=1 next=2400000"},
		{"0 submit r2 g1 bob 9000000", "ok deferred place=2 next=2400000"},
		{"1 operate resume", "ok"},
		{"2400000 cycle", "started"},
		{"2400000 pump q1", "| push q1 add cycle g1 ann"},
		{"2400001 operate pause", "ok"},
		{"2400001 pump q2", "idle"},
		{"2400009 end q1 health=ok ann:done", "ok"},
		{"2400009 pump q2", "idle"},
		{"2400009 app total left", "total=2 left=1"},
		/* It stands still, and goes on where it was. */
		{"4800000 cycle", "running"},
		{"4900000 operate resume", "ok"},
		{"4900000 due", "q aws"},
		{"4900000 pump q2", "| push q2 add cycle g1 bob"},
		{"4900009 end q2 health=ok bob:done", "ok"},
		{"4900009 pump q3", "idle"},
		{"4900009 cycles", "1:completed 2/2 2!0 schedule"},
		END,
	};

	lane_story_run(*state, "paused during a cycle", rows);
}

/* One of eight is refused. The others have what they asked for after a bounded number of pushes. */
static void test_split(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 terms aws 50 10000 3 0 2400000 0 100 30000 32000", ""},
		{"0 operate pause", "ok"},
		{"0 submit a g1 a 9000000", "ok deferred place=1 next=2400000"},
		{"0 submit b g1 b 9000000", "ok deferred place=2 next=2400000"},
		{"0 submit c g1 c 9000000", "ok deferred place=3 next=2400000"},
		{"0 submit d g1 d 9000000", "ok deferred place=4 next=2400000"},
		{"0 submit e g1 e 9000000", "ok deferred place=5 next=2400000"},
		{"0 operate resume", "ok"},
		{"2400000 cycle", "started"},
		{"2400000 pump q1", "| push q1 add cycle g1 a b c d e"},
		{"2400001 end q1 health=ok a:split:sure:0:no b:split:sure:0:no c:split:sure:0:no "
		 "d:split:sure:0:no e:split:sure:0:no",
		 "ok"},
		{"2400001 app left failures", "left=5 failures=0"},
		{"2400001 get d st member_error", "st=deferred member_error=no"},
		{"2400001 pump q2", "| push q2 add cycle g1 a b c"},
		{"2400001 pump q3", "| push q3 add cycle g1 d e"},
		{"2400002 end q2 health=ok a:done b:done c:done", "ok"},
		{"2400002 app left", "left=2"},
		{"2400002 end q3 health=ok d:split:sure:0:no e:split:sure:0:no", "ok"},
		{"2400002 app left", "left=2"},
		{"2400002 pump q4", "| push q4 add cycle g1 d"},
		{"2400002 pump q5", "| push q5 add cycle g1 e"},
		{"2400003 end q4 health=ok d:done", "ok"},
		{"2400003 end q5 health=ok e:refused:sure:0:no", "ok"},
		{"2400003 pump q6", "idle"},
		{"2400003 cycles", "1:completed 5/5 5!1 schedule"},
		{"2400003 get e st er", "st=failed er=no"},
		{"2400003 get d st member_error attempts", "st=in_force member_error=- attempts=0"},
		{"2400003 log person=d",
		 "add g1 d:done/cycle*1 add g1 d:split/cycle*1 add g1 d:split/cycle*1"},
		END,
	};
	static const struct lane_story_row removals[] = {
		{"0 submit a g1 a 1000", "ok provisioning | push Pa add g1 a"},
		{"0 submit b g1 b 1000", "ok provisioning | push Pb add g1 b"},
		{"1 end Pa a:done", "ok"},
		{"1 end Pb b:done", "ok"},
		{"1000 due", "q aws"},
		{"1000 pump q1", "| push q1 remove g1 a b"},
		{"1001 end q1 a:split:sure:0:no b:split:sure:0:no", "ok"},
		{"1001 pump q2", "| push q2 remove g1 a"},
		{"1001 pump q3", "| push q3 remove g1 b"},
		{"1002 end q2 a:done", "ok"},
		{"1002 end q3 b:refused:sure:500:no", "ok"},
		{"1002 removals", "g1:b@1000"},
		{"1502 pump q4", "idle"},
		/* Whose batch is split is not mixed with others, and never given up. */
		{"10003 pump q4", "| push q4 remove g1 b*1"},
		END,
	};

	lane_story_run(*state, "one of five is refused", rows);
	lane_story_run(*state, "one removal is refused", removals);
}

/* An operator wants to see it: what is desired is pushed, through the bucket, and nothing else. */
static void test_on_demand(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 terms aws 3 10000 1 0 2400000 0 100 30000 32000", ""},
		{"0 provision q1 g1 ann", "nothing"},
		{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
		{"1 provision q1 g1 ann", "busy"},
		{"9 end Pr1 health=ok ann:done", "ok"},
		{"10 provision q1 g1 ann", "| push q1 add g1 ann"},
		{"10 provision q1 g1 ann", "| push q1 add g1 ann"},
		{"11 end q1 health=failing ann:retry:sure:100:500", "ok"},
		/* What is in force stays so: only the look at it failed. */
		{"11 get r1 st", "st=in_force"},
		{"11 operate pause", "ok"},
		{"12 submit r2 g1 bob 9000000", "ok deferred place=1 next=2400000"},
		{"13 provision q2 g1 bob", "paused"},
		{"14 operate resume", "ok"},
		{"15 provision q2 g1 bob", "| push q2 add g1 bob"},
		{"16 end q2 health=ok bob:done", "ok"},
		{"16 get r2 st", "st=in_force"},
		{"17 provision q3 g1 bob", "throttled"},
		{"60000 due", "q aws"},
		{"60000 provision q4 g1 ann", "| push q4 remove g1 ann"},
		{"60001 end q4 health=ok ann:done", "ok"},
		{"60002 get r1 st", "st=expired"},
		{"60003 provision q5 g1 ann", "nothing"},
		{"60003 log person=ann",
		 "remove g1 ann:done/onDemand*1 add g1 ann:retry/onDemand*1 add g1 ann:done/activation*1"},
		END,
	};

	lane_story_run(*state, "on demand", rows);
}

static void test_log(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 terms aws 50 10000 3 0 2400000 0 100 30000 32000 50 40 2592000000 100", ""},
		{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:retry:sure:0:503", "ok"},
		{"10 pump q1", "| push q1 add g1 ann*1"},
		{"19 end q1 ann:done", "ok"},
		/* The end of a push told twice is one entry. */
		{"19 end q1 ann:done", "gone"},
		{"20 submit r2 g2 bob 60000", "ok provisioning | push Pr2 add g2 bob"},
		{"29 end Pr2 bob:refused:sure:0:no", "ok"},
		{"60000 due", "q aws"},
		{"60000 pump q2", "| push q2 remove g1 ann"},
		{"92000 due", "q aws"},
		{"92000 log", "remove g1 ann:retry/removal*1 add g2 bob:refused/activation*1 add g1 "
			      "ann:done/retry*2 add g1 "
			      "ann:retry/activation*1"},
		{"92000 log most=2", "remove g1 ann:retry/removal*1 add g2 bob:refused/activation*1 | more"},
		{"92000 log person=bob", "add g2 bob:refused/activation*1"},
		{"92000 log group=g1 result=done", "add g1 ann:done/retry*2"},
		{"92000 log since=60000", "remove g1 ann:retry/removal*1"},
		{"92000 log result=skipped", ""},
		END,
	};

	lane_story_run(*state, "the log", rows);
}

#define FILLED 10500 /* more than is kept where nothing is configured */

static void fill_log(struct lane *lane)
{
	static const char script[] = "for i = 1, ARGV[2] do redis.call('XADD', KEYS[1], ARGV[1] .. '-' .. i, "
				     "'v', 'done') end";
	redisReply *reply = lane_command(lane, "EVAL %s 1 %sl:aws %lld %d", script, LANE_PREFIX,
					 (long long)LANE_EPOCH_MS, FILLED);

	assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
	freeReplyObject(reply);
}

static int64_t log_length(struct lane *lane)
{
	redisReply *reply = lane_command(lane, "XLEN %sl:aws", LANE_PREFIX);
	int64_t length = lane_int(reply);

	freeReplyObject(reply);
	return length;
}

/* At that time, a push of that number ends by these terms. */
static void end_a_push(struct lane *lane, int64_t at_ms, int number, const char *terms)
{
	char does[64];

	lane->now_ms = LANE_EPOCH_MS + at_ms;
	lane->terms = terms;
	snprintf(does, sizeof(does), "submit r%d g%d bob 600000", number, number);
	lane_story_look(lane, does);
	snprintf(does, sizeof(does), "end Pr%d bob:done", number);
	lane_story_look(lane, does);
}

/* Redis trims whole nodes of a hundred entries. */
static void test_log_is_kept_as_configured(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 terms aws 50 10000 3 0 2400000 0 100 30000 32000 50 40 2592000000 1000000", ""},
		{"0 submit r1 g1 ann 60000", "ok provisioning | push Pr1 add g1 ann"},
		END,
	};
	struct lane *lane = *state;

	lane_story_run(lane, "a log that is kept", rows);
	fill_log(lane);
	/* A push whose broker died is written down by another one, which does not know how much is kept. */
	lane->now_ms = LANE_EPOCH_MS + 32000;
	lane_story_look(lane, "due");
	assert_int_equal(log_length(lane), FILLED + 1);
	end_a_push(lane, 32000, 2, rows[0].does + strlen("0 terms "));
	assert_int_equal(log_length(lane), FILLED + 2);
	end_a_push(lane, 60000, 3, "aws 50 10000 3 0 2400000 0 100 30000 32000 50 40 2592000000 5000");
	assert_in_range(log_length(lane), 5000, 5100);
	end_a_push(lane, 90000, 4, "aws 50 10000 3 0 2400000 0 100 30000 32000 50 40 60000 1000000");
	assert_in_range(log_length(lane), 3, 103);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unauthorised),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_keeps_failing),
		cmocka_unit_test(test_fails_now_and_then),
		cmocka_unit_test(test_slower_and_slower),
		cmocka_unit_test(test_slowest),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_pause_during_a_cycle),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_on_demand),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_log_is_kept_as_configured),
	};

	return LANE_STORY_TESTS(tests);
}
