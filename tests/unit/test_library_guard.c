/* The function library told as stories: the guard, which holds what a configuration that has shrunk would take away. */
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

#define TERMS "0 terms aws 100 10000 3 0 2400000 0 100 30000 32000"

/* Granted by the policies A, in groups g1 and g2. */
#define FOUR                                                                                                 \
	{TERMS, ""}, {"0 policies A", "ok"},                                                                 \
		{"0 submit r1 g1 ann 9000000", "ok provisioning | push Pr1 add g1 ann"},                     \
		{"0 submit r2 g1 bob 9000000", "ok provisioning | push Pr2 add g1 bob"},                     \
		{"0 submit r3 g2 cy 9000000", "ok provisioning | push Pr3 add g2 cy"},                       \
		{"0 submit r4 g2 dan 9000000", "ok provisioning | push Pr4 add g2 dan"},                     \
		{"1 end Pr1 ann:done", "ok"}, {"1 end Pr2 bob:done", "ok"}, {"1 end Pr3 cy:done", "ok"},     \
		{"1 end Pr4 dan:done", "ok"},                                                                \
	{                                                                                                    \
		"1000 policies B", "ok"                                                                      \
	}

/* B is told again, and A has not been for longer than the grace. */
#define ALONE                                                                                                \
	{                                                                                                    \
		"1900 policies B", "ok"                                                                      \
	}

/* All of it is counted while the grace runs, so the first one is held as well; and what is let go goes. */
static void test_more_than_the_number(void **state)
{
	static const struct lane_story_row rows[] = {
		FOUR,
		{"1100 lose r1 guard=2/100/60000", "disputed"},
		{"1100 lose r2 guard=2/100/60000", "disputed"},
		{"1100 lose r3 guard=2/100/60000", "disputed"},
		{"1100 app held held_since members", "held=0 held_since=0 members=4"},
		{"1100 tells 0 0", ""},
		ALONE,
		{"2100 lose r1 guard=2/100/60000", "held"},
		{"2100 lose r2 guard=2/100/60000", "held"},
		{"2100 lose r3 guard=2/100/60000", "held"},
		{"2100 app held held_since members", "held=3 held_since=2100 members=4"},
		{"2100 audit", "guard>/broker"},
		{"2100 outbox", "removals.held#1:"},
		{"2100 get r1 st", "st=in_force"},
		/* What people give back is none of its business, and is held no more. */
		{"2200 deactivate d1 g2 cy", "ok revoked"},
		{"2200 get r3 st", "st=revoking"},
		{"2200 app held members", "held=2 members=3"},
		{"2300 guard remove", "ok"},
		{"2300 guard remove", "none"},
		{"2300 app held held_since", "held=0 held_since=0"},
		{"2300 timetable",
		 "q:aws@1 n:@2100 v:g1@2300 k:d1@3602200 e:r1@9000000 e:r2@9000000 e:r3@9000000 "
		 "e:r4@9000000"},
		{"2300 lose r1 guard=2/100/60000", "ok"},
		{"2300 lose r2 guard=2/100/60000", "ok"},
		{"2300 audit", "guard>/broker guard_remove>/operator"},
		/* They agreed to what they were shown; what comes on top of it counts for itself. */
		{"2300 lose r4 guard=0/100/60000", "held"},
		{"2300 app held members", "held=1 members=1"},
		END,
	};

	lane_story_run(*state, "more than the number", rows);
}

static void test_kept(void **state)
{
	static const struct lane_story_row rows[] = {
		FOUR,
		ALONE,
		{"2100 lose r1 guard=0/100/60000", "held"},
		{"2100 lose r2 guard=0/100/60000", "held"},
		{"2100 guard keep", "ok"},
		{"2100 audit", "guard>/broker guard_keep>/operator"},
		{"2100 lose r1 guard=0/100/60000", "kept"},
		{"2100 app held", "held=0"},
		/* Another change asks for nothing that was kept. */
		{"3000 policies C", "ok"},
		{"3900 policies C", "ok"},
		{"4000 lose r2 guard=0/100/60000", "kept"},
		{"4000 lose r3 guard=0/100/60000", "held"},
		/* What is kept ends at its own end, and so does what is held. */
		{"9000000 due 200", "q aws"},
		{"9000000 get r1 st", "st=expiring"},
		{"9000000 get r3 st", "st=expiring"},
		{"9000000 app held", "held=0"},
		{"9000000 audit", "guard>/broker guard_keep>/operator guard>/broker guard_over>/time"},
		END,
	};

	lane_story_run(*state, "kept", rows);
}

/* What was taken away within the window counts with what is to be; behind the window it does not. */
static void test_window(void **state)
{
	static const struct lane_story_row rows[] = {
		FOUR,
		ALONE,
		{"2100 lose r1 guard=2/100/60000", "ok"},
		{"2100 lose r2 guard=2/100/60000", "ok"},
		{"62000 policies B", "ok"},
		{"62900 policies B", "ok"},
		{"63000 policies B", "ok"},
		{"63000 lose r3 guard=2/100/60000", "ok"},
		{"63000 lose r4 guard=1/100/60000", "held"},
		END,
	};
	static const struct lane_story_row inside[] = {
		FOUR,
		ALONE,
		{"2100 lose r1 guard=2/100/60000", "ok"},
		{"2100 lose r2 guard=2/100/60000", "ok"},
		{"2200 lose r3 guard=2/100/60000", "held"},
		END,
	};

	lane_story_run(*state, "window", rows);
	lane_story_run(*state, "inside the window", inside);
}

/* A share is asked about only beyond five memberships. */
static void test_share(void **state)
{
	static const struct lane_story_row rows[] = {
		FOUR,
		{"1000 submit r5 g1 p5 9000000", "ok provisioning | push Pr5 add g1 p5"},
		{"1000 submit r6 g1 p6 9000000", "ok provisioning | push Pr6 add g1 p6"},
		{"1000 submit r7 g1 p7 9000000", "ok provisioning | push Pr7 add g1 p7"},
		ALONE,
		{"2100 policies C", "ok"},
		{"3000 policies C", "ok"},
		{"3200 lose r1 guard=50/10/60000", "ok"},
		{"3200 lose r2 guard=50/10/60000", "ok"},
		{"3200 lose r3 guard=50/10/60000", "ok"},
		{"3200 lose r4 guard=50/10/60000", "ok"},
		{"3200 lose r5 guard=50/10/60000", "ok"},
		{"3200 lose r6 guard=50/85/60000", "held"}, /* 6 of 7 are 85.7 in a hundred */
		{"3200 app held members", "held=1 members=2"},
		{"3200 guard keep", "ok"},
		{"3200 lose r7 guard=50/86/60000", "ok"},
		END,
	};

	lane_story_run(*state, "share", rows);
}

/* Put right, the configuration has them again: they are counted no more, and the guard is over by itself. */
static void test_put_right(void **state)
{
	static const struct lane_story_row rows[] = {
		FOUR,
		ALONE,
		{"2100 lose r1 guard=0/100/60000", "held"},
		{"2200 lose r1 guard=0/100/60000", "held"},
		{"184199 due", "q aws"},
		{"184199 app held held_since", "held=1 held_since=2100"},
		{"184200 due", ""},
		{"184200 app held held_since", "held=0 held_since=0"},
		{"184200 audit", "guard>/broker guard_over>/time"},
		END,
	};

	lane_story_run(*state, "put right", rows);
}

/* By the policies that granted it, only time, claims or an administrator's word can take it: never held. */
static void test_not_by_configuration(void **state)
{
	static const struct lane_story_row rows[] = {
		FOUR,
		{"5000 policies A", "ok"},
		{"5900 policies A", "ok"},
		{"6100 lose r1 guard=0/0/60000", "ok"},
		{"6100 app held", "held=0"},
		/* A broker of an earlier release has no guard. */
		{"6200 policies B", "ok"},
		{"7100 policies B", "ok"},
		{"7300 lose r2", "ok"},
		END,
	};

	lane_story_run(*state, "not by configuration", rows);
}

#define READS                                                                                                \
	{"2000 cycle who steps=drift:1", "started"}, {"2000 pump d1", "piece d1 drift"},                     \
	{                                                                                                    \
		"2000 drift find d1 g3:remove", "look 1"                                                     \
	}

/* Who was in a group before it was said to be exclusive is removed as anybody is whom the configuration takes away. */
static void test_strangers(void **state)
{
	static const struct lane_story_row number[] = {
		{TERMS, ""},
		{"0 tells 0 0", ""},
		READS,
		/* Three of them, of which the first call tells two. */
		{"2001 drift found d1 g3 remove/2/100/60000/3 u-1 u-2", "ok 2"},
		{"2002 drift found d1 g3 remove/2/100/60000/1 u-3", "ok 1"},
		{"2002 app held held_since total", "held=3 held_since=2001 total=1"},
		{"2002 outbox", "removals.held#1:"},
		{"2003 drift end d1 g3 0 3", "ok"},
		{"2003 step d1 over=1 did=1", "ok"},
		{"2004 pump q1", "idle"},
		/* The next cycle asks no second time. */
		{"3000 cycle who steps=drift:1", "started"},
		{"3000 pump d2", "piece d2 drift"},
		{"3000 drift find d2 g3:remove", "look 1"},
		{"3001 drift found d2 g3 remove/2/100/60000/3 u-1 u-2 u-3", "ok 0"},
		{"3001 app held", "held=3"},
		{"3002 drift end d2 g3 0 0", "ok"},
		{"3002 step d2 over=1 did=1", "ok"},
		{"3003 pump q1", "idle"},
		{"3003 guard remove", "ok"},
		{"3003 app held held_since", "held=0 held_since=0"},
		/* Who has come since is asked about anew. */
		{"4000 cycle who steps=drift:1", "started"},
		{"4000 pump d3", "piece d3 drift"},
		{"4000 drift find d3 g3:remove", "look 1"},
		{"4001 drift found d3 g3 remove/0/100/60000/4 u-1 u-2 u-3 u-4", "ok 1"},
		{"4001 app held total", "held=1 total=4"},
		{"4002 drift end d3 g3 0 1", "ok"},
		{"4002 step d3 over=1 did=1", "ok"},
		{"4003 pump q2", "| push q2 remove cycle g3 ~u-1 ~u-2 ~u-3"},
		{"4004 end q2 ~u-1:done ~u-2:done ~u-3:done", "ok"},
		END,
	};

	lane_story_run(*state, "strangers: the number", number);
}

static void test_strangers_kept(void **state)
{
	static const struct lane_story_row kept[] = {
		{TERMS, ""},
		READS,
		{"2001 drift found d1 g3 remove/0/100/60000/1 u-1", "ok 1"},
		{"2001 guard keep", "ok"},
		{"2001 drift found d1 g3 remove/0/100/60000/1 u-1", "ok 1"},
		{"2002 drift end d1 g3 0 1", "ok"},
		{"2002 app held total", "held=0 total=1"},
		{"2003 step d1 over=1 did=1", "ok"},
		{"2003 pump q1", "idle"},
		/* They leave, and the answer with them. */
		{"3000 cycle who steps=drift:1", "started"},
		{"3000 pump d2", "piece d2 drift"},
		{"3000 drift find d2 g3:remove", "look 1"},
		{"3001 drift end d2 g3 0 0", "ok"},
		{"3001 drift found d2 g3 remove/0/100/60000/1 u-1", "ok 1"},
		{"3001 app held", "held=1"},
		/* It is not to be exclusive in that way any more. */
		{"3002 drift found d2 g3 report u-1", "ok 1"},
		{"3002 app held", "held=0"},
		END,
	};

	lane_story_run(*state, "strangers: kept", kept);
}

static void test_share_of_strangers(void **state)
{
	/* The share is one of the group, so that a small one in a large application is not emptied. */
	static const struct lane_story_row share[] = {
		FOUR,
		READS,
		{"2001 drift found d1 g3 remove/50/99/60000/6 u-1 u-2 u-3 u-4 u-5 u-6", "ok 6"},
		{"2001 app held total", "held=6 total=1"},
		{"2001 guard keep", "ok"},
		{"2002 drift found d1 g1 remove/50/99/60000/6 u-1 u-2 u-3 u-4 u-5 u-6", "ok 6"},
		{"2002 app held total", "held=0 total=7"},
		END,
	};
	/* Within what the guard lets go they go, each counted for the window. */
	static const struct lane_story_row few[] = {
		{TERMS, ""},
		READS,
		{"2001 drift found d1 g3 remove/2/100/60000/2 u-1 u-2", "ok 2"},
		{"2001 app held total", "held=0 total=3"},
		{"2002 drift found d1 g4 remove/2/100/60000/1 u-1", "ok 1"},
		{"2002 app held total", "held=1 total=3"},
		END,
	};

	lane_story_run(*state, "strangers: the share", share);
	lane_story_run(*state, "strangers: few", few);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_more_than_the_number),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_put_right),
		cmocka_unit_test(test_not_by_configuration),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_strangers_kept),
		cmocka_unit_test(test_share_of_strangers),
	};

	return LANE_STORY_TESTS(tests);
}
