/* The function library told as stories: what is kept of persons as users of the application. */
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

/* `user ann` shows the record; `users` those whose attributes are looked at | those who hold nothing any more. */
static void test_created(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"1 user ann", "n=1"},
		{"1 users", "|"},
		{"5 end Pr1 ann:done:0c", "ok"},
		{"5 user ann", "cb=5 id=id of ann n=1"},
		{"5 users", "ann |"},
		{"5 audit", "user_created>/broker"},
		/* A second membership, which ends later. */
		{"6 submit r2 g2 ann 2000", "ok provisioning | push Pr2 add g2 ann"},
		{"7 end Pr2 ann:done", "ok"},
		{"7 user ann", "cb=5 id=id of ann n=2"},
		{"1000 due", "q aws"},
		{"1000 pump q1", "| push q1 remove g1 ann"},
		{"1001 end q1 ann:done", "ok"},
		{"1001 user ann", "cb=5 id=id of ann n=1"},
		{"1001 users", "ann |"},
		{"2006 due", "q aws"},
		{"2006 pump q2", "| push q2 remove g2 ann"},
		/* Not before it is gone. */
		{"2006 users", "ann |"},
		{"2007 end q2 ann:done", "ok"},
		{"2007 user ann", "cb=5 id=id of ann lf=2007 n=0"},
		{"2007 users", "ann | ann"},
		/* Who asks again is not to go. */
		{"2010 submit r3 g1 ann 1000", "ok provisioning | push Pr3 add g1 ann"},
		{"2010 users", "ann |"},
		END,
	};

	lane_story_run(*state, "created", rows);
}

/* Users of others are looked at as long as they hold something, and are then forgotten. */
static void test_found(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"5 end Pr1 ann:done", "ok"},
		{"5 user ann", "id=id of ann n=1"},
		{"5 users", "ann |"},
		{"1000 due", "q aws"},
		{"1000 pump q1", "| push q1 remove g1 ann"},
		{"1001 end q1 ann:done", "ok"},
		{"1001 user ann", ""},
		{"1001 users", "|"},
		END,
	};

	lane_story_run(*state, "found", rows);
}

/* Somebody has deleted the broker's user and made another one of the same name. */
static void test_replaced(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"5 end Pr1 ann:done:0c", "ok"},
		{"6 submit r2 g2 ann 500", "ok provisioning | push Pr2 add g2 ann"},
		{"7 end Pr2 user=new- ann:done", "ok"},
		{"7 user ann", "id=new-ann n=2"},
		END,
	};

	lane_story_run(*state, "replaced", rows);
}

/* What becomes of the push of the membership changes nothing about who has created the user. */
static void test_created_and_not_added(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"5 end Pr1 ann:refused:0c", "ok"},
		{"5 user ann", "cb=5 id=id of ann lf=5 n=0"},
		{"5 users", "ann | ann"},
		END,
	};

	lane_story_run(*state, "created and not added", rows);
}

/* Whose user it is that is found after a creation without an answer, the push says; whoever is in doubt is not ours. */
static void test_lost_creation(void **state)
{
	static const struct lane_story_row ours[] = {
		{"0 submit r1 g1 ann 9000", "ok provisioning | push Pr1 add g1 ann"},
		{"5 end Pr1 ann:retry:0l:100", "ok"},
		{"5 user ann", "cd=5 id=id of ann n=1"},
		{"105 pump q1", "| push q1 add g1 ann*1+d"},
		{"110 end q1 ann:done:0c", "ok"},
		{"110 user ann", "cb=110 id=id of ann n=1"},
		END,
	};
	static const struct lane_story_row others[] = {
		{"0 submit r1 g1 ann 9000", "ok provisioning | push Pr1 add g1 ann"},
		{"5 end Pr1 ann:retry:0l:100", "ok"},
		{"105 pump q1", "| push q1 add g1 ann*1+d"},
		{"110 end q1 ann:done", "ok"},
		{"110 user ann", "id=id of ann n=1"},
		END,
	};

	/* The broker dies. */
	static const struct lane_story_row dead[] = {
		{"0 submit r1 g1 ann 90000", "ok provisioning | push Pr1 add g1 ann"},
		{"32000 due", "q aws"},
		{"32000 user ann", "cd=32000 n=1"},
		{"32000 pump q1", "| push q1 add g1 ann*1+d"},
		{"32001 end q1 ann:done", "ok"},
		{"32002 submit r2 g2 ann 90000", "ok provisioning | push Pr2 add g2 ann"},
		/* Known by now: it had nobody to create. */
		{"64002 due", "q aws"},
		{"64002 user ann", "id=id of ann n=2"},
		END,
	};

	lane_story_run(*state, "nobody tells of a creation", dead);
	lane_story_run(*state, "a lost creation is ours", ours);
	lane_story_run(*state, "or it is not", others);
}

/* Who holds memberships that the broker did not give is left alone for ever. */
static void test_standing(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"5 end Pr1 ann:done:0c", "ok"},
		{"6 submit r2 g2 ann 500", "ok provisioning | push Pr2 add g2 ann"},
		{"7 end Pr2 ann:standing", "ok"},
		{"506 due", "q aws"},
		{"1000 due", "q aws"},
		{"1000 pump q1", "| push q1 remove g1 ann"},
		{"1001 end q1 ann:done", "ok"},
		{"1001 user ann", "cb=5 id=id of ann lf=1001 n=0 st=true"},
		{"1001 users", "ann |"},
		END,
	};

	lane_story_run(*state, "standing", rows);
}

/* The record of a user whom the broker created outlives the person's history; that of another does not. */
static void test_history(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"0 submit r2 g1 bob 1000", "ok provisioning | push Pr2 add g1 bob"},
		{"5 end Pr1 ann:done:0c", "ok"},
		{"5 end Pr2 bob:retry:0l:100", "ok"},
		{"1000 due", "q aws"},
		{"1000 pump q1", "| push q1 remove g1 ann"},
		{"1001 end q1 ann:done", "ok"},
		{"1002 user bob", "cd=5 id=id of bob lf=1000 n=0"},
		{"3601002 due", "q aws"},
		{"3601002 user ann", "cb=5 id=id of ann lf=1001 n=0"},
		{"3601002 user bob", ""},
		{"3601002 users", "ann | ann"},
		END,
	};

	lane_story_run(*state, "history", rows);
}

/* -- the steps of the cycle --------------------------------------------------------------------------------------- */

/* ann was created and holds nothing since 20; the cycle of the second minute finds her. One token for activations. */
#define TERMS                                                                                                \
	{                                                                                                    \
		"0 terms aws 5 10000 1 0 60000 0 100 30000 32000", ""                                        \
	}
#define ANN_LEAVES                                                                                           \
	TERMS, {"0 submit r1 g1 ann 20", "ok provisioning | push Pr1 add g1 ann"},                           \
		{"5 end Pr1 ann:done:0c", "ok"}, {"20 due", "q aws"},                                        \
		{"20 pump q1", "| push q1 remove g1 ann"}, {"21 end q1 ann:done", "ok"},                     \
	{                                                                                                    \
		"60000 cycle steps=leavers:1", "started"                                                     \
	}

static void test_leaver(void **state)
{
	static const struct lane_story_row deactivated[] = {
		ANN_LEAVES,
		{"60000 app total left", "total=1 left=1"},
		{"60000 users-take p1 leavers", "gone"},
		{"60000 pump p1", "piece p1 leavers"},
		{"60000 users-take p1 leavers", "ok ann"},
		{"60001 user ann", "cb=5 id=id of ann lf=21 n=0 u=92000"},
		{"60001 users-go p1 ann deactivate", "ok"},
		/* From now on it may be so, whatever becomes of the broker. */
		{"60001 user ann", "cb=5 dt=true ia=60001 id=id of ann lf=21 n=0 u=92000"},
		{"60010 users-end p1 deactivate ann:done", "ok"},
		{"60010 user ann", "cb=5 ia=60010 id=id of ann lf=60010 n=0"},
		{"60010 users", "|"},
		{"60010 audit", "user_created>/broker user_deactivated>/broker"},
		{"60010 users-take p1 leavers", "none"},
		/* Whoever comes back is made active first. */
		{"61000 submit r2 g1 ann 9000", "ok provisioning | push Pr2 add g1 ann+i"},
		{"61001 end Pr2 ann:done:0a", "ok"},
		{"61001 user ann", "cb=5 id=id of ann n=1"},
		{"61001 users", "ann |"},
		END,
	};
	static const struct lane_story_row deleted[] = {
		ANN_LEAVES,
		{"60000 pump p1", "piece p1 leavers"},
		{"60000 users-take p1 leavers", "ok ann"},
		{"60001 users-go p1 ann delete", "ok"},
		{"60010 users-end p1 delete ann:done", "ok"},
		{"60010 user ann", "gn=60010 lf=60010 n=0"},
		{"60010 users", "|"},
		/* Whoever comes back is looked up anew. */
		{"61000 submit r2 g1 ann 9000", "ok provisioning | push Pr2 add g1 ann+g"},
		{"61001 end Pr2 user=new- ann:done:0c", "ok"},
		{"61001 user ann", "cb=61001 id=new-ann n=1"},
		END,
	};

	lane_story_run(*state, "deactivated", deactivated);
	lane_story_run(*state, "deleted", deleted);
}

/* Who asks before it is sent is kept; who asks while it is under way waits for its end. */
static void test_leaver_comes_back(void **state)
{
	static const struct lane_story_row before[] = {
		ANN_LEAVES,
		{"60000 pump p1", "piece p1 leavers"},
		{"60000 users-take p1 leavers", "ok ann"},
		{"60001 submit r2 g1 ann 90000", "ok waiting"},
		{"60001 pump q2", "idle"},
		{"60002 users-go p1 ann deactivate", "no"},
		{"60003 users-end p1 deactivate ann:skipped", "ok"},
		{"60003 user ann", "cb=5 id=id of ann n=1"},
		{"60003 pump q2", "| push q2 add g1 ann"},
		END,
	};
	static const struct lane_story_row during[] = {
		ANN_LEAVES,
		{"60000 pump p1", "piece p1 leavers"},
		{"60000 users-take p1 leavers", "ok ann"},
		{"60001 users-go p1 ann delete", "ok"},
		{"60002 try r2 g1 ann 90000", "ok waiting"},
		{"60002 submit r2 g1 ann 90000", "ok waiting"},
		{"60002 provision q2 g1 ann", "busy"},
		{"60003 pump q2", "idle"},
		{"60100 users-end p1 delete ann:done", "ok"},
		{"60100 pump q2", "| push q2 add g1 ann+g"},
		END,
	};
	/* What an administrator gives meanwhile is the cycle's, and an operator may begin one. */
	static const struct lane_story_row assigned[] = {
		ANN_LEAVES,
		{"60000 pump p1", "piece p1 leavers"},
		{"60000 users-take p1 leavers", "ok ann"},
		{"60001 users-go p1 ann delete", "ok"},
		{"60002 submit r2 g1 ann 90000 action=adminAssign", "ok deferred place=1 next=120000"},
		{"60003 cycle who steps=leavers:1", "started"},
		{"60003 pump q2", "idle"},
		{"60100 users-end p1 delete ann:done", "ok"},
		{"120000 cycle", "started"},
		{"120000 pump q2", "| push q2 add cycle g1 ann+g"},
		END,
	};
	/* The broker dies in between. */
	static const struct lane_story_row dead[] = {
		ANN_LEAVES,
		{"60000 pump p1", "piece p1 leavers"},
		{"60000 users-take p1 leavers", "ok ann"},
		{"60001 users-go p1 ann deactivate", "ok"},
		{"60002 submit r2 g1 ann 90000", "ok waiting"},
		{"91999 pump q2", "idle"},
		{"92000 pump q2", "| push q2 add g1 ann+i"},
		END,
	};

	lane_story_run(*state, "comes back before", before);
	lane_story_run(*state, "comes back during", during);
	lane_story_run(*state, "is given something", assigned);
	lane_story_run(*state, "comes back after a death", dead);
}

static void test_leaver_is_taken_over(void **state)
{
	/* The broker stands still, another one takes it over: what the first one says then changes nothing. */
	static const struct lane_story_row late[] = {
		ANN_LEAVES,
		{"60000 pump p1", "piece p1 leavers"},
		{"60000 users-take p1 leavers", "ok ann"},
		{"60001 users-go p1 ann delete", "ok"},
		{"92000 pump p2", "piece p2 leavers"},
		{"92000 users-take p2 leavers", "ok ann*"},
		{"92001 users-go p2 ann delete", "ok"},
		{"92002 users-end p1 delete ann:retry", "gone"},
		{"92003 submit r2 g1 ann 90000", "ok waiting"},
		{"92010 users-end p2 delete ann:done", "ok"},
		{"92010 pump q2", "| push q2 add g1 ann+g"},
		END,
	};

	lane_story_run(*state, "another broker has taken over", late);
}

static void test_leaver_stays(void **state)
{
	/* Refused: nothing has happened, and the next cycle tries again. */
	static const struct lane_story_row refused[] = {
		ANN_LEAVES,
		{"60000 pump p1", "piece p1 leavers"},
		{"60000 users-take p1 leavers", "ok ann"},
		{"60001 users-go p1 ann deactivate", "ok"},
		{"60010 users-end p1 deactivate ann:refused", "ok"},
		{"60010 user ann", "cb=5 id=id of ann lf=60010 n=0"},
		{"60010 users", "ann | ann"},
		{"60010 users-take p1 leavers", "none"},
		{"60011 step p1 over=1", "ok"},
		{"60011 pump p9", "idle"},
		{"120000 cycle steps=leavers:1", "started"},
		{"120000 pump p2", "piece p2 leavers"},
		{"120000 users-take p2 leavers", "ok ann"},
		END,
	};
	/* In doubt: it is tried again, and what is found then may be the broker's doing. */
	static const struct lane_story_row doubt[] = {
		ANN_LEAVES,
		{"60000 pump p1", "piece p1 leavers"},
		{"60000 users-take p1 leavers", "ok ann"},
		{"60001 users-go p1 ann deactivate", "ok"},
		{"60010 users-end p1 deactivate ann:retry:doubt", "ok"},
		{"60010 users", "| ann"},
		{"60011 step p1 over=1", "ok"},
		{"60011 pump p9", "idle"},
		{"120000 cycle steps=leavers:1", "started"},
		{"120000 pump p2", "piece p2 leavers"},
		{"120000 users-take p2 leavers", "ok ann*"},
		/* Not reached this time: that changes nothing about the first. */
		{"120001 users-go p2 ann deactivate", "ok"},
		{"120002 users-end p2 deactivate ann:retry", "ok"},
		{"120002 user ann", "cb=5 dt=true ia=120001 id=id of ann lf=120002 n=0"},
		END,
	};
	/* Found to be in other groups: not looked at again before they have something anew. */
	static const struct lane_story_row kept[] = {
		ANN_LEAVES,
		{"60000 pump p1", "piece p1 leavers"},
		{"60000 users-take p1 leavers", "ok ann"},
		{"60010 users-end p1 delete ann:kept", "ok"},
		{"60010 users", "ann |"},
		{"61000 submit r2 g1 ann 20", "ok provisioning | push Pr2 add g1 ann"},
		{"61001 end Pr2 ann:done", "ok"},
		{"61020 due", "q aws"},
		{"61020 pump q3", "| push q3 remove g1 ann"},
		{"61021 end q3 ann:done", "ok"},
		{"61021 users", "ann | ann"},
		END,
	};

	lane_story_run(*state, "refused", refused);
	lane_story_run(*state, "in doubt", doubt);
	lane_story_run(*state, "kept", kept);
}

/* Each user once in a cycle; users who are gone are not looked at any more. */
static void test_attributes(void **state)
{
	static const struct lane_story_row rows[] = {
		TERMS,
		{"0 submit r1 g1 ann 900000", "ok provisioning | push Pr1 add g1 ann"},
		{"0 submit r2 g1 bob 900000", "ok provisioning | push Pr2 add g1 bob"},
		{"0 submit r3 g1 cyd 900000", "ok provisioning | push Pr3 add g1 cyd"},
		{"5 end Pr1 ann:done:0c", "ok"},
		{"6 end Pr2 bob:done", "ok"},
		{"7 end Pr3 cyd:done", "ok"},
		{"60000 cycle steps=attributes:1", "started"},
		{"60000 app total left", "total=3 left=3"},
		{"60000 pump p1", "piece p1 attributes"},
		{"60000 users-take p1 attributes most=2", "ok ann bob"},
		{"60001 users-end p1 update ann:done:sure:abc bob:same", "ok"},
		{"60001 step p1 walked=2 did=1", "ok"},
		{"60001 app total left", "total=3 left=1"},
		{"60001 pump p2", "piece p2 attributes"},
		{"60001 users-take p2 attributes most=2", "ok cyd"},
		{"60002 users-end p2 update cyd:gone", "ok"},
		{"60002 user cyd", "gn=60002 n=1"},
		{"60002 step p2 walked=1", "ok"},
		{"60002 pump p3", "piece p3 attributes"},
		{"60002 users-take p3 attributes", "none"},
		{"60003 step p3 over=1", "ok"},
		{"60003 pump p9", "idle"},
		{"60003 users", "ann bob |"},
		{"120000 cycle steps=attributes:1", "started"},
		{"120000 pump p4", "piece p4 attributes"},
		{"120000 users-take p4 attributes", "ok ann=abc bob"},
		END,
	};
	/* Removals need the tokens. */
	static const struct lane_story_row busy[] = {
		{"0 terms aws 2 10000 1 0 60000 0 100 30000 32000", ""},
		{"0 submit r1 g1 ann 900000", "ok provisioning | push Pr1 add g1 ann"},
		{"5 end Pr1 ann:done:0c", "ok"},
		{"60000 cycle steps=attributes:1", "started"},
		{"60000 pump p1", "piece p1 attributes"},
		{"60000 submit r2 g1 bob 900000", "ok provisioning | push Pr2 add g1 bob"},
		{"60000 users-take p1 attributes", "wait"},
		END,
	};

	lane_story_run(*state, "attributes", rows);
	lane_story_run(*state, "attributes wait", busy);
}

static void test_attributes_of_many(void **state)
{
	/* More users than a cycle has time for: the next one goes on behind those who were looked at, and has an end. */
	static const struct lane_story_row many[] = {
		TERMS,
		{"0 submit r1 g1 ann 900000", "ok provisioning | push Pr1 add g1 ann"},
		{"0 submit r2 g1 bob 900000", "ok provisioning | push Pr2 add g1 bob"},
		{"5 end Pr1 ann:done:0c", "ok"},
		{"6 end Pr2 bob:done", "ok"},
		{"60000 cycle steps=attributes:1,drift:1", "started"},
		{"60000 pump p1", "piece p1 attributes"},
		{"60000 users-take p1 attributes most=1", "ok ann"},
		{"60001 users-end p1 update ann:same", "ok"},
		{"60001 step p1 walked=1", "ok"},
		{"120000 cycle steps=attributes:1,drift:1", "started"},
		{"120000 app total left", "total=2 left=2"},
		{"120000 pump p2", "piece p2 attributes"},
		{"120000 users-take p2 attributes", "ok bob"},
		{"120001 users-end p2 update bob:same", "ok"},
		{"120001 step p2 walked=1", "ok"},
		{"120001 pump p3", "piece p3 attributes"},
		{"120001 users-take p3 attributes", "none"},
		{"120002 step p3 over=1", "ok"},
		{"120002 pump p4", "piece p4 drift"},
		END,
	};

	lane_story_run(*state, "attributes of many", many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_created),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_created_and_not_added),
		cmocka_unit_test(test_lost_creation),
		cmocka_unit_test(test_standing),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_leaver),
		cmocka_unit_test(test_leaver_comes_back),
		cmocka_unit_test(test_leaver_stays),
		cmocka_unit_test(test_leaver_is_taken_over),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_attributes_of_many),
	};

	return LANE_STORY_TESTS(tests);
}
