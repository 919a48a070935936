/* The function library told as stories: what finds no token, and the sync cycle that takes it. */
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

#define FIVE_PUSHES                                                                                          \
	{"0 submit a1 g1 p1 9000000", "ok provisioning | push Pa1 add g1 p1"},                               \
		{"0 submit a2 g1 p2 9000000", "ok provisioning | push Pa2 add g1 p2"},                       \
		{"0 submit a3 g1 p3 9000000", "ok provisioning | push Pa3 add g1 p3"},                       \
		{"0 submit a4 g1 p4 9000000", "ok provisioning | push Pa4 add g1 p4"},                       \
	{                                                                                                    \
		"0 submit a5 g1 p5 9000000", "ok provisioning | push Pa5 add g1 p5"                          \
	}

#define FIVE_ENDS                                                                                            \
	{"9 end Pa1 p1:done", "ok"}, {"9 end Pa2 p2:done", "ok"}, {"9 end Pa3 p3:done", "ok"},               \
		{"9 end Pa4 p4:done", "ok"},                                                                 \
	{                                                                                                    \
		"9 end Pa5 p5:done", "ok"                                                                    \
	}

static void test_six_at_once(void **state)
{
	static const struct lane_story_row rows[] = {
		FIVE_PUSHES,
		{"0 submit r6 g1 ann 9000000", "ok deferred place=1 next=2400000"},
		{"0 submit r7 g1 bob 9000000", "ok deferred place=2 next=2400000"},
		{"1 submit r8 g2 cy 9000000", "ok deferred place=3 next=2400000"},
		FIVE_ENDS,
		{"9 due", "q aws"},
		{"9 pump q1", "idle"},
		{"10009 app free", "free=0"},
		{"10010 app free", "free=5"},
		/* A deferred one does not go back to the bucket. */
		{"10010 pump q1", "idle"},
		{"10011 get r7 st place", "st=deferred place=2"},
		{"2399999 due", ""},
		{"2400000 due", "c aws"},
		{"2400000 cycle", "started"},
		{"2400000 cycle", "early"},
		{"2400000 app total left pushes failures last_ended",
		 "total=3 left=3 pushes=0 failures=0 last_ended=-"},
		{"2400000 due", "q aws"},
		{"2400000 pump q1", "| push q1 add cycle g1 ann bob"},
		{"2400000 pump q1", "| push q1 add cycle g1 ann bob"},
		{"2400000 pump q2", "| push q2 add cycle g2 cy"},
		{"2400000 pump q3", "idle"},
		{"2400001 app left pushes free", "left=3 pushes=2 free=3"},
		{"2400010 end q1 ann:done bob:retry:sure:-1:500", "ok"},
		{"2400010 app left pushes failures", "left=1 pushes=2 failures=1"},
		{"2400010 get r6 st", "st=in_force"},
		{"2400010 get r7 st next_cycle", "st=deferred next_cycle=4800000"},
		{"2400020 end q2 cy:done", "ok"},
		{"2400020 app left", "left=0"},
		{"2400020 pump q3", "idle"},
		{"2400020 app left last_started last_ended last_total last_pushes last_failures",
		 "left=- last_started=2400000 last_ended=2400020 last_total=3 last_pushes=2 last_failures=1"},
		{"4800000 due", "c aws"},
		{"4800000 cycle", "started"},
		{"4800000 pump q4", "| push q4 add cycle g1 bob*1"},
		END,
	};

	lane_story_run(*state, "six at once", rows);
}

static void test_ends_before_its_cycle(void **state)
{
	static const struct lane_story_row rows[] = {
		FIVE_PUSHES,
		{"0 submit r1 g1 ann 60000", "ok deferred place=1 next=2400000"},
		{"0 submit r2 g1 bob 60000", "ok deferred place=2 next=2400000"},
		{"0 submit r3 g1 cy 60000", "ok deferred place=3 next=2400000"},
		FIVE_ENDS,
		{"10 cancel r1 ann", "ok"},
		{"10 get r2 place", "place=1"},
		{"20 deactivate d2 g1 bob", "ok revoked"},
		{"20 get r2 st", "st=revoked"},
		{"59999 get r3 st", "st=deferred"},
		{"60000 due", "q aws"},
		{"60000 pump q1", "idle"},
		{"60000 get r3 st er",
		 "st=lapsed er=The assignment ended before the application was reached."},
		{"60000 removals", ""},
		{"60000 app deferred", "deferred=0"},
		{"2400000 due", "c aws"},
		{"2400000 cycle", "empty"},
		{"2400000 app left last_ended last_total", "left=- last_ended=- last_total=-"},
		{"2400000 pump q2", "idle"},
		END,
	};
	static const struct lane_story_row during[] = {
		{"0 terms aws 1 10000 0 0 2400000 0 100 30000 32000", ""},
		{"0 submit a1 g1 p1 9000000", "ok provisioning | push Pa1 add g1 p1"},
		{"0 submit r1 g1 ann 2405000", "ok deferred place=1 next=2400000"},
		{"0 submit r2 g2 bob 9000000", "ok deferred place=2 next=2400000"},
		{"9 end Pa1 p1:done", "ok"},
		{"2400000 submit a2 g1 p2 9000000", "ok provisioning | push Pa2 add g1 p2"},
		{"2400000 cycle", "started"},
		{"2400001 end Pa2 p2:done", "ok"},
		{"2400001 pump q1", "idle"},
		{"2405000 app total left", "total=2 left=2"},
		{"2405000 due", ""},
		{"2405000 app total left", "total=2 left=1"},
		{"2410002 pump q1", "| push q1 add cycle g2 bob"},
		END,
	};

	lane_story_run(*state, "ended before its cycle", rows);
	lane_story_run(*state, "ended while the cycle ran", during);
}

/* What is deferred in the millisecond in which the cycle begins, but after it, waits for the next one. */
static void test_same_millisecond(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 terms aws 2 10000 1 0 2400000 0 100 30000 32000", ""},
		{"2399999 submit a1 g1 p1 9000000", "ok provisioning | push Pa1 add g1 p1"},
		{"2399999 submit a2 g1 p2 9000000", "ok provisioning | push Pa2 add g1 p2"},
		{"2400000 submit r1 g1 ann 9000000", "ok deferred place=1 next=4800000"},
		{"2400000 cycle", "early"},
		{"4800000 submit a3 g1 p3 9000000", "ok provisioning | push Pa3 add g1 p3"},
		{"4800000 submit a4 g1 p4 9000000", "ok provisioning | push Pa4 add g1 p4"},
		{"4800000 cycle", "started"},
		{"4800000 submit r2 g1 bob 9000000", "ok deferred place=2 next=7200000"},
		{"4800000 app total left", "total=1 left=1"},
		{"4800001 end Pa3 p3:done", "ok"},
		{"4800001 end Pa4 p4:done", "ok"},
		{"4810002 pump q1", "| push q1 add cycle g1 ann"},
		{"4810003 end q1 ann:done", "ok"},
		{"4810004 pump q2", "idle"},
		{"4810004 app left last_total last_pushes deferred",
		 "left=- last_total=1 last_pushes=1 deferred=1"},
		END,
	};

	lane_story_run(*state, "the cycle's own millisecond", rows);
}

static void test_never_two_cycles(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 terms aws 1 10000 0 0 60000 0 100 30000 32000", ""},
		{"0 plan", "ok"},
		{"0 plan", "ok"},
		{"0 timetable", "c:aws@60000"},
		{"0 submit a1 g1 p1 9000000", "ok provisioning | push Pa1 add g1 p1"},
		{"0 submit r1 g1 ann 9000000", "ok deferred place=1 next=60000"},
		{"9 end Pa1 p1:done", "ok"},
		{"59999 cycle", "early"},
		{"59999 plan", "ok"},
		{"60000 cycle", "started"},
		{"60000 pump q1", "| push q1 add cycle g1 ann"},
		{"61000 submit r2 g1 bob 9000000", "ok deferred place=1 next=120000"},
		{"120000 due", "c aws q aws"},
		{"120000 get r1 st attempts", "st=waiting attempts=1"},
		{"120000 app failures left", "failures=1 left=0"},
		END,
	};
	static const struct lane_story_row slow[] = {
		{"0 terms aws 1 10000 0 0 20000 0 100 30000 32000", ""},
		{"0 submit a1 g1 p1 9000000", "ok provisioning | push Pa1 add g1 p1"},
		{"0 submit r1 g1 ann 9000000", "ok deferred place=1 next=20000"},
		{"9 end Pa1 p1:done", "ok"},
		{"20000 cycle", "started"},
		{"20000 pump q1", "| push q1 add cycle g1 ann"},
		{"21000 submit r2 g1 bob 9000000", "ok deferred place=1 next=40000"},
		{"40000 due", "c aws"},
		{"40000 cycle", "running"},
		{"40000 pump q2", "idle"},
		{"40000 app started total left pushes", "started=20000 total=1 left=1 pushes=1"},
		{"40000 timetable", "p:q1@52000 c:aws@60000 e:a1@9000000 e:r1@9000000 "
				    "e:r2@9021000"},
		END,
	};

	lane_story_run(*state, "a lost push of the cycle", rows);
	lane_story_run(*state, "a slow cycle", slow);
}

static void test_overflow_wait(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 terms aws 2 10000 1 15000 2400000 0 100 30000 32000", ""},
		{"0 plan", "ok"},
		{"0 submit a1 g1 p1 9000000", "ok provisioning | push Pa1 add g1 p1"},
		{"0 submit a2 g1 p2 9000000", "ok provisioning | push Pa2 add g1 p2"},
		{"0 try t1 g1 ann 9000000", "ok waiting"},
		{"0 submit r1 g1 ann 9000000", "ok waiting"},
		{"1 submit r2 g2 bob 9000000", "ok waiting"},
		{"2 submit r3 g3 cy 9000000", "ok waiting"},
		{"10 end Pa1 p1:done", "ok"},
		{"10 due", "q aws"},
		{"10 pump q1", "idle"},
		{"10 timetable",
		 "q:aws@10011 p:Pa2@32000 c:aws@2400000 e:a1@9000000 e:a2@9000000 e:r1@9000000 "
		 "e:r2@9000001 e:r3@9000002"},
		{"10011 pump q1", "| push q1 add g1 ann"},
		{"10011 pump q2", "idle"},
		{"15000 pump q2", "idle"},
		{"15000 get r2 st", "st=waiting"},
		{"15001 pump q2", "idle"},
		{"15001 get r2 st place next_cycle", "st=deferred place=1 next_cycle=2400000"},
		{"15001 get r3 st", "st=waiting"},
		{"15002 due", "q aws"},
		{"15002 pump q2", "idle"},
		{"15002 get r3 st place", "st=deferred place=2"},
		{"15003 end q1 ann:done", "ok"},
		{"15003 end Pa2 p2:done", "ok"},
		{"26000 pump q3", "idle"},
		{"2400000 cycle", "started"},
		{"2400000 pump q3", "| push q3 add cycle g2 bob"},
		{"2400000 pump q4", "idle"},
		{"2400000 app free left", "free=1 left=2"},
		END,
	};

	lane_story_run(*state, "overflow wait", rows);
}

/* A hundred and one of one group are two pushes; one of another group is a push of its own. */
static void test_large_groups(void **state)
{
	enum { PEOPLE = 101, ROWS = 5 + PEOPLE + 5 + 9 };
	static char text[PEOPLE][2][64];
	char first[1024] = "| push q1 add cycle g1";
	struct lane_story_row rows[ROWS] = {FIVE_PUSHES};
	size_t used = strlen(first);

	for (int i = 0; i < PEOPLE; i++) {
		snprintf(text[i][0], sizeof(text[i][0]), "1 submit r%03d g1 m%03d 9000000", i, i);
		snprintf(text[i][1], sizeof(text[i][1]), "ok deferred place=%d next=2400000", i + 1);
		rows[5 + i] = (struct lane_story_row){text[i][0], text[i][1]};
		if (i < 100)
			used += (size_t)snprintf(first + used, sizeof(first) - used, " m%03d", i);
	}
	const struct lane_story_row rest[] = {
		FIVE_ENDS,
		{"10 submit rx g2 ann 9000000", "ok deferred place=102 next=2400000"},
		{"2400000 cycle", "started"},
		{"2400000 app total", "total=102"},
		{"2400000 pump q1", first},
		{"2400000 app left pushes", "left=102 pushes=1"},
		{"2400000 pump q2", "| push q2 add cycle g1 m100"},
		/* Three tokens are kept for others. */
		{"2400000 pump q3", "idle"},
		{"2400000 get rx st place", "st=deferred place=1"},
		END,
	};

	memcpy(rows + 5 + PEOPLE, rest, sizeof(rest));
	lane_story_run(*state, "a hundred and two", rows);
}

/* A queue that names a group in which nobody waits is put right, and keeps nobody from their turn. */
static void test_empty_group_in_queue(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 9000", "ok provisioning | push Pr1 add g1 ann"},
		{"9 end Pr1 ann:retry:sure:100:503", "ok"},
		END,
	};
	static const char *const kinds[] = {"x", "r", "w"};
	struct lane *lane = *state;
	redisReply *reply;

	lane_story_run(lane, "a retry", rows);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		freeReplyObject(lane_command(lane, "ZADD %s%sg:aws 1 nobody", LANE_PREFIX, kinds[i]));
	lane->now_ms += 100;
	lane_begin(lane, "jit_pump");
	lane_arg(lane, lane->terms);
	lane_arg(lane, "q1");
	reply = lane_send(lane);
	assert_string_equal(lane_text(lane_at(reply, 0)), "push");
	freeReplyObject(reply);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		reply = lane_command(lane, "ZCARD %s%sg:aws", LANE_PREFIX, kinds[i]);
		/* Whose turn comes later was not looked at. */
		assert_int_equal(reply->integer, kinds[i][0] == 'w');
		freeReplyObject(reply);
	}
}

/* The last hundred cycles are kept, and no more of them. */
static void test_last_hundred(void **state)
{
	enum { CYCLES = 103, KEPT = 100 };
	static const char *const one[] = {"cycle who steps=drift:1", "pump d1", "step d1 over=1 did=1",
					  "pump d2"};
	struct lane *lane = *state;
	redisReply *reply;

	lane_empty(lane);
	for (int i = 0; i < CYCLES; i++)
		for (size_t j = 0; j < sizeof(one) / sizeof(one[0]); j++, lane->now_ms++)
			lane_story_look(lane, one[j]);
	reply = lane_command(lane, "LLEN %sch:aws", LANE_PREFIX);
	assert_int_equal(reply->integer, KEPT);
	freeReplyObject(reply);
	lane_begin(lane, "jit_cycles");
	lane_arg(lane, "aws");
	reply = lane_send(lane);
	assert_int_equal(reply->elements, 3 + KEPT);
	assert_int_equal(lane_int(lane_field(lane_at(reply, 3), "number")), CYCLES);
	assert_int_equal(lane_int(lane_field(lane_at(reply, 2 + KEPT), "number")), CYCLES - KEPT + 1);
	freeReplyObject(reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_six_at_once),          cmocka_unit_test(test_ends_before_its_cycle),
		cmocka_unit_test(test_same_millisecond),     cmocka_unit_test(test_never_two_cycles),
		cmocka_unit_test(test_overflow_wait),        cmocka_unit_test(test_large_groups),
		cmocka_unit_test(test_empty_group_in_queue), cmocka_unit_test(test_last_hundred),
	};

	return LANE_STORY_TESTS(tests);
}
