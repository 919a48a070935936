/* The function library told as stories: what a comparison has found, and what was true when it was told. */
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

#define TERMS                                                                                                \
	{                                                                                                    \
		"0 terms aws 5 1000 1 0 2400000 0 100 30000 32000", ""                                       \
	}
#define ANN_HAS_IT                                                                                           \
	{"0 submit r1 g1 ann 3600000", "ok provisioning | push Pr1 add g1 ann"},                             \
	{                                                                                                    \
		"9 end Pr1 ann:done user=u-", "ok"                                                           \
	}
#define CYCLE(at)                                                                                            \
	{at " cycle who steps=drift:1", "started"},                                                          \
	{                                                                                                    \
		at " pump d1", "piece d1 drift"                                                              \
	}

/* Looked for first, and given again only when they are not there. */
static void test_missing(void **state)
{
	static const struct lane_story_row rows[] = {
		TERMS,
		ANN_HAS_IT,
		/* Confirmed a moment ago: the application may show it late. */
		{"1008 drift page g1 0", "ok u-ann/ann:known"},
		{"1009 drift page g1 0", "ok u-ann/ann:expected"},
		CYCLE("2000"),
		{"2000 drift find d1 g0", "nothing"},
		{"2000 drift find d1 g0 g1", "look 2"},
		{"2000 app free", "free=4"},
		{"2001 drift found d1 g1 missing ann bob", "ok 1"},
		{"2001 drift found d1 g1 missing ann", "ok 0"},
		{"2001 app total left", "total=2 left=2"},
		{"2001 drift end d1 g1 0 0", "ok"},
		{"2002 step d1 over=1 did=1", "ok"},
		{"2002 pump q1", "| push q1 add cycle g1 ann"},
		{"2002 get r1 st", "st=in_force"},
		/* Shown after all. */
		{"2010 end q1 ann:standing user=u-", "ok"},
		{"2010 pump q2", "idle"},
		{"2010 app left", "left=-"},
		{"2010 audit r1", "push>provisioning/ann confirm>in_force/application"},
		CYCLE("4000"),
		{"4000 drift find d1 g1", "look 1"},
		{"4001 drift found d1 g1 missing ann", "ok 1"},
		{"4002 step d1 over=1 did=1", "ok"},
		{"4002 pump q3", "| push q3 add cycle g1 ann"},
		{"4010 end q3 ann:done user=u-", "ok"},
		{"4010 audit r1", "push>provisioning/ann confirm>in_force/application drift_missing>/broker"},
		{"3600000 due", "q aws c aws"},
		{"3600000 pump q4", "| push q4 remove g1 ann"},
		END,
	};
	static const struct lane_story_row tried[] = {
		TERMS,
		ANN_HAS_IT,
		CYCLE("2000"),
		{"2000 drift find d1 g1", "look 1"},
		{"2001 drift found d1 g1 missing ann", "ok 1"},
		{"2002 step d1 over=1 did=1", "ok"},
		{"2002 pump q1", "| push q1 add cycle g1 ann"},
		/* The answer to the PATCH was lost: whoever is there then is there by the broker's doing. */
		{"2010 end q1 ann:retry:doubt:0 user=u-", "ok"},
		{"2010 pump q2", "idle"},
		{"5000 cycle who", "started"},
		{"5000 pump q3", "| push q3 add cycle g1 ann*1"},
		{"5010 end q3 ann:standing user=u-", "ok"},
		{"5010 audit r1", "push>provisioning/ann confirm>in_force/application drift_missing>/broker"},
		/* And is no standing member. */
		{"3600000 due", "q aws c aws"},
		{"3600000 pump q4", "| push q4 remove g1 ann"},
		END,
	};

	lane_story_run(*state, "missing", rows);
	lane_story_run(*state, "missing, tried before", tried);
}

/* Much may have happened since the application was read. */
static void test_no_longer_true(void **state)
{
	static const struct lane_story_row rows[] = {
		TERMS,
		ANN_HAS_IT,
		CYCLE("2000"),
		{"2000 drift find d1 g1", "look 1"},
		{"2001 deactivate d2 g1 ann", "ok revoked"},
		{"2001 drift found d1 g1 missing ann", "ok 0"},
		{"2001 pump q1", "| push q1 remove g1 ann"},
		{"2001 drift found d1 g1 missing ann", "ok 0"},
		{"2009 end q1 ann:done user=u-", "ok"},
		{"2009 drift page g1 gone", "ok u-ann/ann:known"},
		/* Later than the application was read. */
		{"3009 drift page g1 gone", "ok u-ann/ann:known"},
		{"3010 drift find d1 g1", "look 1"},
		{"3010 drift page g1 gone", "ok u-ann/ann:gone"},
		/* They have it again. */
		{"3010 submit r2 g1 ann 3600000", "ok provisioning | push Pr2 add g1 ann"},
		{"3011 drift found d1 g1 returned u-ann/ann", "ok 0"},
		{"3011 drift page g1 gone", "ok u-ann/ann:known"},
		/* So that those who are found there are known. */
		{"3012 end Pr2 ann:standing user=u-", "ok"},
		{"3012 get r2 st", "st=waiting"},
		{"3013 pump q2", "| push q2 add g1 ann"},
		{"3014 end q2 ann:done user=u-", "ok"},
		/* Another broker has taken over. */
		{"40000 pump d2", "piece d2 drift"},
		{"40000 drift found d1 g1 report u-cy", "gone 0"},
		{"40000 drift end d1 g1 0 0", "gone"},
		{"40000 drift find d1 g1", "gone"},
		END,
	};

	lane_story_run(*state, "no longer true", rows);
}

static void test_returned(void **state)
{
	static const struct lane_story_row rows[] = {
		TERMS,
		ANN_HAS_IT,
		{"10 deactivate d2 g1 ann", "ok revoked"},
		{"10 pump q1", "| push q1 remove g1 ann"},
		{"19 end q1 ann:done user=u-", "ok"},
		CYCLE("2000"),
		{"2000 drift find d1 g1", "look 1"},
		{"2001 drift found d1 g1 returned u-ann/ann", "ok 1"},
		{"2001 drift found d1 g1 returned u-ann/ann", "ok 0"},
		{"2001 removals", "g1:ann@2001"},
		{"2002 pump q2", "| push q2 remove g1 ann"},
		{"2010 end q2 ann:done user=u-", "ok"},
		{"2010 removals", ""},
		{"2010 drift found d1 g1 absent u-ann/ann", "ok 0"},
		{"2010 drift page g1 gone", "ok"},
		END,
	};

	/* What they will have, or asked for, does not keep what they must not have now. */
	static const struct lane_story_row later[] = {
		TERMS,
		ANN_HAS_IT,
		{"10 deactivate d2 g1 ann", "ok revoked"},
		{"10 pump q1", "| push q1 remove g1 ann"},
		{"11 submit r2 g1 ann 60000 start=3000000", "ok scheduled"},
		{"19 end q1 ann:done user=u-", "ok"},
		CYCLE("2000"),
		{"2000 drift find d1 g1", "look 1"},
		{"2001 drift found d1 g1 returned u-ann/ann", "ok 1"},
		{"2001 removals", "g1:ann@2001"},
		{"2002 pump q2", "| push q2 remove g1 ann"},
		{"2010 end q2 ann:done user=u-", "ok"},
		{"2010 get r2 st", "st=scheduled"},
		END,
	};

	lane_story_run(*state, "returned", rows);
	lane_story_run(*state, "returned, and scheduled", later);
}

/* Whoever is there again, before that was compared, when they have it once more is no standing member. */
static void test_returned_before_next(void **state)
{
	static const struct lane_story_row rows[] = {
		TERMS,
		ANN_HAS_IT,
		{"10 deactivate d2 g1 ann", "ok revoked"},
		{"10 pump q1", "| push q1 remove g1 ann"},
		{"19 end q1 ann:done user=u-", "ok"},
		{"20 submit r2 g1 ann 60000", "ok provisioning | push Pr2 add g1 ann"},
		{"29 end Pr2 ann:standing user=u-", "ok"},
		{"29 get r2 st standing", "st=waiting standing=-"},
		{"29 user ann", "id=u-ann n=1"},
		{"29 due", "q aws"},
		{"29 pump q2", "| push q2 add g1 ann"},
		{"39 end q2 ann:done user=u-", "ok"},
		{"39 get r2 st standing", "st=in_force standing=0"},
		{"60020 due", "q aws"},
		{"60020 pump q3", "| push q3 remove g1 ann"},
		END,
	};
	/* Its end comes first. */
	static const struct lane_story_row ended[] = {
		TERMS,
		ANN_HAS_IT,
		{"10 deactivate d2 g1 ann", "ok revoked"},
		{"10 pump q1", "| push q1 remove g1 ann"},
		{"19 end q1 ann:done user=u-", "ok"},
		{"20 submit r2 g1 ann 60000", "ok provisioning | push Pr2 add g1 ann"},
		{"21 deactivate d3 g1 ann", "ok revoked"},
		{"29 end Pr2 ann:standing user=u-", "ok"},
		{"29 pump q2", "| push q2 remove g1 ann"},
		END,
	};

	lane_story_run(*state, "returned, and given again", rows);
	lane_story_run(*state, "returned, and ended", ended);
}

/* The same, of whom less is known, and of others. */
static void test_returned_or_not(void **state)
{
	/* Nobody has told under which id they were added; the removal has found them. */
	static const struct lane_story_row dead[] = {
		TERMS,
		{"0 submit r1 g1 ann 10000", "ok provisioning | push Pr1 add g1 ann"},
		{"10000 due", ""},
		{"32000 due", "q aws"},
		{"32000 pump q1", "| push q1 remove g1 ann*1"},
		{"32010 end q1 ann:done user=u-", "ok"},
		{"32011 submit r2 g1 ann 60000", "ok provisioning | push Pr2 add g1 ann+d"},
		{"32020 end Pr2 ann:standing user=u-", "ok"},
		{"32020 get r2 st standing", "st=waiting standing=-"},
		END,
	};
	/* Another user of their name, or one who was compared meanwhile. */
	static const struct lane_story_row others[] = {
		TERMS,
		ANN_HAS_IT,
		{"10 deactivate d2 g1 ann", "ok revoked"},
		{"10 pump q1", "| push q1 remove g1 ann"},
		{"19 end q1 ann:done user=u-", "ok"},
		{"20 submit r2 g1 ann 60000", "ok provisioning | push Pr2 add g1 ann"},
		{"29 end Pr2 ann:standing user=v-", "ok"},
		{"29 get r2 st standing", "st=in_force standing=1"},
		{"30 deactivate d3 g1 ann", "ok revoked"},
		CYCLE("2000"),
		{"2000 drift find d1 g1", "look 1"},
		{"2001 drift found d1 g1 absent u-ann/ann", "ok 0"},
		{"2001 step d1 over=1 did=1", "ok"},
		{"2002 submit r3 g1 ann 60000", "ok provisioning | push Pr3 add g1 ann"},
		{"2009 end Pr3 ann:standing user=u-", "ok"},
		{"2009 get r3 st standing", "st=in_force standing=1"},
		END,
	};

	lane_story_run(*state, "returned, by a broker that died", dead);
	lane_story_run(*state, "not returned", others);
}

/* Nobody of the broker's own is taken for a stranger. */
static void test_foreign(void **state)
{
	static const struct lane_story_row rows[] = {
		TERMS,
		ANN_HAS_IT,
		CYCLE("2000"),
		{"2000 drift find d1 g1:remove", "look 1"},
		{"2000 drift found d1 g1 remove u-ann", "ok 0"},
		/* An addition is under way: under which id, nobody knows. */
		{"2000 submit r2 g1 bob 3600000", "ok provisioning | push Pr2 add g1 bob"},
		{"2000 drift found d1 g1 remove u-cy", "unsure 0"},
		{"2009 end Pr2 bob:done user=u-", "ok"},
		{"2009 drift found d1 g1 remove u-bob u-cy", "ok 1"},
		{"2009 app total", "total=2"},
		{"2009 step d1 over=1 did=1", "ok"},
		{"2009 pump q1", "| push q1 remove cycle g1 ~u-cy"},
		{"2009 check q1", "ok 1"},
		{"2010 end q1 ~u-cy:retry user=u-", "ok"},
		{"2012 pump q2", "idle"},
		{"2012 removals", ""},
		{"2012 drift page g1 gone", "ok"},
		/* The next cycle does not remember them. */
		{"4000 cycle who steps=drift:1", "started"},
		{"4000 pump q2", "piece q2 drift"},
		END,
	};

	lane_story_run(*state, "foreign", rows);
}

/* The stranger may be somebody who is being made a member. */
static void test_foreign_and_added(void **state)
{
	/* Before they go, the stranger is being made a member. */
	static const struct lane_story_row before[] = {
		TERMS,
		CYCLE("2000"),
		{"2000 drift find d1 g1:remove", "look 1"},
		{"2009 drift found d1 g1 remove u-cy", "ok 1"},
		{"2009 submit r3 g1 cy 3600000", "ok provisioning | push Pr3 add g1 cy"},
		{"2009 step d1 over=1 did=1", "ok"},
		{"2010 pump q1", "| push q1 remove cycle g1 ~u-cy"},
		{"2010 check q1", "ok 0"},
		{"2011 end Pr3 cy:standing user=u-", "ok"},
		{"2011 check q1", "ok 0"},
		{"2011 end q1 ~u-cy:skipped user=u-", "ok"},
		{"2012 pump q2", "idle"},
		{"2012 removals", ""},
		{"2012 drift page g1 gone", "ok"},
		END,
	};
	/* While they go: nobody is added meanwhile, because they may be the stranger. */
	static const struct lane_story_row meanwhile[] = {
		TERMS,
		ANN_HAS_IT,
		CYCLE("2000"),
		{"2000 drift find d1 g1:remove", "look 1"},
		{"2009 drift found d1 g1 remove u-cy u-dan", "ok 2"},
		{"2009 step d1 over=1 did=1", "ok"},
		{"2010 pump q1", "| push q1 remove cycle g1 ~u-cy ~u-dan"},
		{"2010 check q1", "ok 1 1"},
		{"2011 try r3 g1 cy 3600000", "ok waiting"},
		{"2011 submit r3 g1 cy 3600000", "ok waiting"},
		{"2011 provision o1 g1 cy", "busy"},
		{"2011 submit r4 g2 cy 3600000", "ok provisioning | push Pr4 add g2 cy"},
		{"2012 pump q2", "idle"},
		{"2013 check q1", "ok 1 1"},
		{"2014 end q1 ~u-cy:done ~u-dan:done user=u-", "ok"},
		{"2014 pump q2", "| push q2 add g1 cy"},
		{"2015 end q2 cy:done user=u-", "ok"},
		{"2015 get r3 st", "st=in_force"},
		{"3602011 due", "q aws c aws"},
		{"3602011 pump q3", "| push q3 remove g1 ann cy"},
		END,
	};

	lane_story_run(*state, "before they go", before);
	lane_story_run(*state, "while they go", meanwhile);
}

/* Nor does anybody wait longer than a push lasts whose broker has died. */
static void test_foreign_and_dead(void **state)
{
	static const struct lane_story_row dead[] = {
		TERMS,
		CYCLE("2000"),
		{"2000 drift find d1 g1:remove", "look 1"},
		{"2009 drift found d1 g1 remove u-cy", "ok 1"},
		{"2009 step d1 over=1 did=1", "ok"},
		{"2010 pump q1", "| push q1 remove cycle g1 ~u-cy"},
		{"2011 submit r3 g1 cy 3600000", "ok waiting"},
		{"34009 pump q2", "idle"},
		{"34010 due", "q aws"},
		{"34010 pump q2", "| push q2 add g1 cy"},
		END,
	};

	lane_story_run(*state, "their broker dies", dead);
}

/* Who is there under which id is not known of all. */
static void test_unsure(void **state)
{
	static const struct lane_story_row lost[] = {
		TERMS,
		ANN_HAS_IT,
		/* The broker of this push dies: bob may be there, under an id that nobody has told. */
		{"10 submit r2 g1 bob 3600000", "ok provisioning | push Pr2 add g1 bob"},
		CYCLE("2000"),
		{"2000 drift find d1 g1:remove", "look 1"},
		{"33000 due", "q aws"},
		{"33000 drift found d1 g1 remove u-bob", "unsure 0"},
		{"33000 drift found d1 g1 report u-bob", "unsure 0"},
		{"33000 pump q1", "| push q1 add g1 bob*1+d"},
		{"33009 end q1 bob:done user=u-", "ok"},
		{"33009 drift found d1 g1 remove u-bob", "ok 0"},
		{"33009 drift found d1 g1 remove u-cy", "ok 1"},
		END,
	};
	static const struct lane_story_row late[] = {
		TERMS,
		ANN_HAS_IT,
		{"10 deactivate d2 g1 ann", "ok revoked"},
		{"10 pump q1", "| push q1 remove g1 ann"},
		{"19 end q1 ann:done user=u-", "ok"},
		CYCLE("500"),
		{"500 drift find d1 g1:report", "look 1"},
		{"1019 drift found d1 g1 report u-ann u-cy", "ok 1"},
		{"1020 drift find d1 g1:report", "look 1"},
		{"1020 drift found d1 g1 report u-ann u-cy", "ok 2"},
		END,
	};

	static const struct lane_story_row older[] = {
		TERMS,
		ANN_HAS_IT,
		{"10 drift unlearn g1 ann", ""},
		/* Whether ann is a stranger there nobody can say, however many others are known. */
		{"20 submit r2 g1 bob 3600000", "ok provisioning | push Pr2 add g1 bob"},
		{"29 end Pr2 bob:done user=u-", "ok"},
		{"30 deactivate d2 g1 bob", "ok revoked"},
		{"30 pump q0", "| push q0 remove g1 bob"},
		CYCLE("2000"),
		{"2000 drift find d1 g1:remove", "look 1"},
		{"2001 drift found d1 g1 remove u-ann", "unsure 0"},
		{"2001 user ann", ""},
		/* Once they are touched, they are known, and count for their user. */
		{"2002 submit r3 g1 ann 7200000", "ok in_force"},
		{"2002 user ann", "n=1"},
		{"2002 drift found d1 g1 remove u-ann u-cy", "ok 1"},
		END,
	};

	lane_story_run(*state, "not known who is there", lost);
	lane_story_run(*state, "kept by a version that did not compare", older);
	lane_story_run(*state, "removed a moment ago", late);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_no_longer_true),
		cmocka_unit_test(test_returned),
		cmocka_unit_test(test_returned_before_next),
		cmocka_unit_test(test_returned_or_not),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_foreign_and_added),
		cmocka_unit_test(test_foreign_and_dead),
		cmocka_unit_test(test_unsure),
	};

	return LANE_STORY_TESTS(tests);
}
