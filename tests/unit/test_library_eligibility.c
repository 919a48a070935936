/* The function library told as stories: eligibility that administrators give, and what a grant asks of it. */
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

static void test_times(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 eligible g1 ann", "no"},
		{"0 give e1 g1 ann adminAssign 5000", "ok in_force"},
		{"0 eligible g1 ann", "yes"},
		{"0 eligible g1 bob", "no"},
		{"0 eligible g2 ann", "no"},
		{"4999 eligible g1 ann", "yes"},
		/* Judged by the clock, whether the timetable has looked or not. */
		{"5000 eligible g1 ann", "no"},
		{"5000 given e1 st", "st=expired"},
		{"5000 due", "v g1"},
		{"5000 audit e1", "eligibility_adminAssign>in_force/admin eligibility_expired>expired/time"},
		{"5000 due", ""},
		{"5000 audit e1", "eligibility_adminAssign>in_force/admin eligibility_expired>expired/time"},
		{"6000 give e2 g1 ann adminAssign 5000 start=9000", "ok scheduled"},
		{"6000 eligible g1 ann", "no"},
		{"6000 eligible g1 ann at=8999", "no"},
		{"6000 eligible g1 ann at=9000", "yes"},
		{"6000 eligible g1 ann at=13999", "yes"},
		{"6000 eligible g1 ann at=14000", "no"},
		{"9000 given e2 st s e", "st=in_force s=9000 e=14000"},
		{"9000 give e3 g1 ann adminAssign end=20000", "ok in_force"},
		{"9000 given e3 s e", "s=9000 e=20000"},
		END,
	};

	lane_story_run(*state, "times", rows);
}

static void test_actions(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 give x g1 ann adminUpdate 5000", "none"},
		{"0 give x g1 ann adminExtend 5000", "none"},
		{"0 give x g1 ann adminRemove", "none"},
		{"0 give x g1 ann adminAssign end=0", "past"},
		{"0 give x g1 ann adminAssign start=900 end=900", "past"},
		{"0 give e1 g1 ann adminAssign 5000", "ok in_force"},
		{"0 give e1 g1 ann adminAssign 5000", "same in_force"},
		{"0 give e1 g1 ann adminAssign 6000 h=other", "reused in_force"},
		/* What gives nothing more is refused with what gives it; overlaps add up. */
		{"1 give e2 g1 ann adminAssign 4999", "exists e1 in_force"},
		{"1 give e2 g1 ann adminAssign start=2000 end=5000", "exists e1 in_force"},
		{"1 try-give e2 g1 ann adminAssign start=2000 end=5001", "ok scheduled"},
		{"1 given e2 st", "none"},
		{"1 give e2 g1 ann adminExtend end=3000", "exists e1 in_force"},
		{"1 give e2 g1 ann adminExtend end=9000", "ok in_force"},
		{"5000 due", "v g1"},
		{"5000 eligible g1 ann", "yes"},
		/* A new schedule takes the place of the old ones: at once, or from its start on. */
		{"6000 give e3 g1 ann adminUpdate end=6000", "past"},
		{"6000 give e3 g1 ann adminUpdate start=8000 end=8500", "ok scheduled"},
		{"6000 given e2 st e", "st=in_force e=8000"},
		{"8200 eligible g1 ann", "yes"},
		{"8200 due", "v g1"},
		{"8200 given e2 st", "st=expired"},
		{"8300 give e4 g1 ann adminUpdate 100", "ok in_force"},
		{"8300 given e3 st", "st=revoked"},
		{"8400 eligible g1 ann", "no"},
		{"8400 give e5 g1 ann adminExtend 100", "none"},
		{"8400 give e5 g1 ann adminUpdate 100", "none"},
		{"8500 give e5 g1 ann adminRenew 1000", "ok in_force"},
		{"8500 give e6 g1 ann adminAssign start=9400 end=9900", "ok scheduled"},
		{"8500 give e7 g1 ann adminAssign start=9950 end=9999", "ok scheduled"},
		{"8500 give e8 g1 ann adminUpdate start=9000 end=9300", "ok scheduled"},
		{"8500 given e5 st e", "st=in_force e=9000"},
		{"8500 given e6 st", "st=revoked"},
		{"8500 given e7 st", "st=revoked"},
		/* A removal takes all, also what is yet to come. */
		{"8600 try-give e9 g1 ann adminRemove", "ok revoked"},
		{"8600 eligible g1 ann", "yes"},
		{"8600 give e9 g1 ann adminRemove", "ok revoked"},
		{"8600 give e9 g1 ann adminRemove", "same revoked"},
		{"8600 eligible g1 ann", "no"},
		{"9100 eligible g1 ann", "no"},
		{"8600 given e8 st", "st=revoked"},
		{"8600 audit e9", "eligibility_adminRemove>revoked/admin"},
		{"8600 audit e8",
		 "eligibility_adminUpdate>scheduled/admin eligibility_revoked>revoked/admin"},
		END,
	};

	lane_story_run(*state, "actions", rows);
}

static void test_withdrawal(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 withdraw e1", "none"},
		{"0 give e1 g1 ann adminAssign 5000 start=1000", "ok scheduled"},
		{"0 give e2 g1 ann adminAssign 500", "ok in_force"},
		{"0 withdraw e2", "state"},
		{"500 withdraw e2", "state"},
		{"999 withdraw e1", "ok"},
		{"999 withdraw e1", "ok"},
		{"1000 given e1 st", "st=canceled"},
		{"1000 eligible g1 ann", "no"},
		{"1000 give e3 g1 ann adminAssign 10", "ok in_force"},
		{"1000 audit e1",
		 "eligibility_adminAssign>scheduled/admin eligibility_canceled>canceled/admin"},
		END,
	};

	lane_story_run(*state, "withdrawal", rows);
}

/* What was asked is kept for an hour behind its end, then nothing is left of it. */
static void test_history(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 give e1 g1 ann adminAssign 1000", "ok in_force"},
		{"100 give e2 g1 ann adminAssign 9000000", "ok in_force"},
		{"200 give e3 g2 ann adminAssign 1000", "ok in_force"},
		{"300 give e4 g2 ann adminRemove", "ok revoked"},
		{"400 list p ann what=eligibility_list", "e4 e3 e2 e1"},
		{"400 list g g2 what=eligibility_list", "e4 e3"},
		{"400 list b admin what=eligibility_list group=g1", "e2 e1"},
		{"400 list p ann what=eligibility_list states=in_force most=1",
		 "e2 | more from=100 below=e2"},
		{"400 list p ann what=eligibility_count states=in_force", "2"},
		{"400 list p ann what=eligibility_count states=in_force,revoked", "4"},
		{"1000 due", "v g2 v g1"},
		{"3600299 due", "v g1 v g2"},
		{"3600299 list p ann what=eligibility_list", "e4 e3 e2 e1"},
		{"3600300 due", ""},
		{"3600300 list p ann what=eligibility_list", "e2 e1"},
		{"3600300 given e3 st", "none"},
		{"3601000 due", ""},
		{"3601000 list p ann what=eligibility_list", "e2"},
		{"3601000 keys", "eb:admin eg:g1 el:g1:ann ep:ann er:e2 tt"},
		{"3601000 timetable", "v:g1@3605299 v:g2@3605299 l:e2@9000100"},
		{"12700000 due", "v g1 v g2"},
		{"16300000 due", "v g1 v g2"},
		{"16300000 keys", "tt"},
		END,
	};

	lane_story_run(*state, "history", rows);
}

static void test_bound(void **state)
{
	enum { COUNT = 32 };
	static struct lane_story_row rows[COUNT + 5];
	static char text[COUNT][96];

	for (int i = 0; i < COUNT; i++) {
		snprintf(text[i], sizeof(text[i]), "0 give e%d g1 ann adminAssign start=%d end=%d", i,
			 1000 + 10 * i, 1005 + 10 * i);
		rows[i] = (struct lane_story_row){text[i], "ok scheduled"};
	}
	rows[COUNT] = (struct lane_story_row){"0 give x g1 ann adminAssign start=5 end=9", "many"};
	/* An update makes room itself; an end that has come does, too. */
	rows[COUNT + 1] =
		(struct lane_story_row){"1006 give x g1 ann adminAssign start=2000 end=2010", "ok scheduled"};
	rows[COUNT + 2] =
		(struct lane_story_row){"1006 give y g1 ann adminAssign start=3000 end=3010", "many"};
	rows[COUNT + 3] = (struct lane_story_row){"1006 give y g1 ann adminUpdate 5", "ok in_force"};
	lane_story_run(*state, "bound", rows);
}

/* A grant that counts on an administrator's word asks for it in the same step. */
static void test_grants(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 1000 limits=0e", "ineligible"},
		{"0 try r1 g1 ann 1000 limits=0e", "ineligible new beyond=ineligible"},
		{"0 give e1 g1 ann adminAssign 5000", "ok in_force"},
		{"0 try r1 g1 ann 1000 limits=0e", "ok provisioning"},
		{"0 submit r1 g1 ann 1000 limits=0e", "ok provisioning | push Pr1 add g1 ann"},
		{"0 end Pr1 ann:done", "ok"},
		{"0 submit r2 g1 bob 1000 limits=0e", "ineligible"},
		{"0 submit r2 g1 bob 1000 limits=0", "ok provisioning | push Pr2 add g1 bob"},
		{"0 submit r3 g1 ann 1000 start=2000 limits=0e", "ok scheduled"},
		{"0 get r3 eligible", "eligible=1"},
		{"0 submit r4 g1 ann 1000 start=7000 limits=0e", "ok scheduled"},
		{"0 get r4 eligible", "eligible=0"},
		{"100 give e2 g1 ann adminRemove", "ok revoked"},
		{"100 get r3 eligible", "eligible=0"},
		/* Taken away between policy's word and the start. */
		{"2000 start r3 limits=0e", "ok"},
		{"2000 get r3 st er", "st=failed er=The person is no longer eligible."},
		{"7000 start r4 limits=0", "ok"},
		{"7000 get r4 st", "st=in_force"},
		END,
	};

	lane_story_run(*state, "grants", rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),      cmocka_unit_test(test_actions),
		cmocka_unit_test(test_withdrawal), cmocka_unit_test(test_history),
		cmocka_unit_test(test_bound),      cmocka_unit_test(test_grants),
	};

	return LANE_STORY_TESTS(tests);
}
