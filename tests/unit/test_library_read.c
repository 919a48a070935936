/* The function library told as stories: lists, previews, history, and that what only looks changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "activation/states.h"
#include "tests/support/lane_story.h"

#define END                                                                                                  \
	{                                                                                                    \
		NULL, NULL                                                                                   \
	}

static void test_lists(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"1 submit r2 g2 ann 900000", "ok provisioning | push Pr2 add g2 ann"},
		{"1 submit r3 g3 ann 900000 start=50000", "ok scheduled"},
		{"2 submit r4 g1 bob 900000", "ok provisioning | push Pr4 add g1 bob"},
		{"3 end Pr1 ann:done", "ok"},
		{"4 deactivate d1 g1 ann", "ok revoked"},
		{"9 list p ann", "d1 r3 r2 r1"},
		{"9 list p nobody", ""},
		{"9 list g g1", "d1 r4 r1"},
		{"9 list p ann most=2", "d1 r3 | more from=1 below=r3"},
		{"9 list p ann most=2 from=1 below=r3", "r2 r1 | more from=0 below=r1"},
		{"9 list p ann most=2 from=0 below=r1", ""},
		{"9 list p ann states=scheduled,revoking", "r3 r1"},
		{"9 list p ann states=in_force", ""},
		{"9 list p ann action=selfDeactivate", "d1"},
		{"9 list p ann group=g2", "r2"},
		{"9 list g g1 person=bob states=provisioning", "r4"},
		{"9 list g g1 person=bob states=scheduled", ""},
		END,
	};

	lane_story_run(*state, "lists", rows);
}

/* More entries than one step of the list reads, many of one millisecond: pages meet without gap or overlap. */
static void test_long_list(void **state)
{
	enum { COUNT = 350 };
	static struct lane_story_row rows[COUNT + 1];
	static char text[COUNT][96];
	struct lane *lane = *state;
	char created[32] = "+inf", id[32] = "";
	size_t seen = 0;

	for (int i = 0; i < COUNT; i++) {
		snprintf(text[i], sizeof(text[i]), "%d submit r%03d g%d ann 1000 start=9000", i / 200, i, i);
		rows[i] = (struct lane_story_row){text[i], "ok scheduled"};
	}
	lane_story_run(lane, "many", rows);
	do {
		redisReply *reply;

		lane_begin(lane, "jit_list");
		for (const char *const *arg =
			     (const char *const[]){"p", "ann", created, id, "27", "", "", "", "", NULL};
		     *arg != NULL; arg++)
			lane_arg(lane, *arg);
		reply = lane_send(lane);
		for (size_t i = 5; lane_at(reply, i) != NULL; i++, seen++) {
			char expected[32];

			/* The newest first: within a millisecond the greater id. */
			snprintf(expected, sizeof(expected), "r%03d", COUNT - 1 - (int)seen);
			assert_string_equal(lane_text(lane_field(lane_at(reply, i), "id")), expected);
		}
		snprintf(created, sizeof(created), "%s", lane_text(lane_at(reply, 3)));
		snprintf(id, sizeof(id), "%s", lane_text(lane_at(reply, 4)));
		freeReplyObject(reply);
	} while (id[0] != '\0' && seen <= COUNT);
	assert_int_equal(seen, COUNT);
}

/* A thousand entries are looked at in one call, whatever the filter lets through. */
static void test_bounded_list(void **state)
{
	enum { COUNT = 1100 };
	static struct lane_story_row rows[COUNT + 4];
	static char text[COUNT][96];

	for (int i = 0; i < COUNT; i++) {
		snprintf(text[i], sizeof(text[i]), "%d submit r%04d g%d ann 1000 start=9000", i, i, i);
		rows[i] = (struct lane_story_row){text[i], "ok scheduled"};
	}
	rows[COUNT] = (struct lane_story_row){"1200 list p ann group=g50", "| more from=100 below=r0100"};
	rows[COUNT + 1] = (struct lane_story_row){"1200 list p ann group=g50 from=100 below=r0100", "r0050"};
	rows[COUNT + 2] = (struct lane_story_row){"1200 list p ann group=none from=100 below=r0100", ""};
	lane_story_run(*state, "bounded", rows);
}

static void test_history(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"0 submit r2 g2 ann 9000000", "ok provisioning | push Pr2 add g2 ann"},
		{"3 end Pr1 ann:done", "ok"},
		{"3 end Pr2 ann:done", "ok"},
		{"4 deactivate d1 g1 ann", "ok revoked"},
		{"4 due", "q aws"},
		{"4 pump q1", "| push q1 remove g1 ann"},
		{"5 end q1 ann:done", "ok"},
		{"5 due", "q aws"},
		{"5 pump q2", "idle"},
		{"3600003 list p ann", "d1 r2 r1"},
		{"3600003 due", ""},
		{"3600004 due", ""},
		{"3600004 list p ann", "r2 r1"},
		{"3600004 get d1", "none"},
		{"3600005 due", ""},
		{"3600005 list p ann", "r2"},
		{"3600005 list g g1", ""},
		{"3600005 get r1", "none"},
		{"3600005 keys", "b:aws gone:g1 il:g2 la lk lv m:g2:ann mu:g2 r:r2 tt uq:aws us:aws:ann"},
		{"3600005 timetable", "e:r2@9000000"},
		/* The id of what is forgotten may be used again. */
		{"3600006 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		END,
	};

	lane_story_run(*state, "history", rows);
}

/* All keys with their values and expiry times, as text. */
static char *contents(struct lane *lane)
{
	static const char script[] =
		"local keys = redis.call('KEYS', '*') table.sort(keys) local out = {} "
		"for _, k in ipairs(keys) do out[#out + 1] = k .. '=' .. "
		"redis.sha1hex(redis.call('DUMP', k)) .. redis.call('PEXPIRETIME', k) end "
		"return table.concat(out, ' ')";
	redisReply *reply = lane_command(lane, "EVAL %s 0", script);
	char *text = strdup(lane_text(reply));

	assert_non_null(text);
	assert_true(strlen(text) > 100);
	freeReplyObject(reply);
	return text;
}

/* A lane with one of everything: pushes under way, members, deferred, scheduled, a removal, a cycle. */
static const struct lane_story_row full_lane[] = {
	{"0 submit a1 g1 p1 9000000", "ok provisioning | push Pa1 add g1 p1"},
	{"0 submit a2 g1 p2 1000", "ok provisioning | push Pa2 add g1 p2"},
	{"0 submit a3 g1 p3 9000000", "ok provisioning | push Pa3 add g1 p3"},
	{"0 submit a4 g1 p4 9000000", "ok provisioning | push Pa4 add g1 p4"},
	{"0 submit a5 g1 p5 9000000", "ok provisioning | push Pa5 add g1 p5"},
	{"0 submit a6 g1 p6 9000000", "ok deferred place=1 next=2400000"},
	{"0 submit a7 g1 p7 9000000 start=70000", "ok scheduled"},
	{"3 end Pa1 p1:done", "ok"},
	{"3 end Pa2 p2:done", "ok"},
	{"3 end Pa3 close=9000 p3:retry:doubt:1000:slow", "ok"},
	{"1000 due", "q aws"},
	END,
};

static const char *const looks[] = {
	"try t1 g1 p9 1000",
	"try t1 g1 p1 1000",
	"try t1 g1 p1 99000000",
	"try t1 g1 p2 99000000",
	"try t1 g1 p3 99000000",
	"try t1 g1 p4 99000000",
	"try t1 g1 p6 99000000",
	"try t1 g1 p7 99000000",
	"try t1 g1 p9 1000 start=99000",
	"try t1 g9 p9 0",
	"try a1 g1 p1 9000000",
	"try-deactivate d1 g1 p1",
	"try-deactivate d1 g1 p2",
	"try-deactivate d1 g1 p4",
	"try-deactivate d1 g1 p9",
	"get a1 st",
	"get a6 st",
	"get none st",
	"list p p1",
	"list g g1",
	"app free deferred left",
	"check Pa4",
	"check none",
	"submit a1 g1 p1 9000000",
	"submit a6 g1 p6 9000000",
	"submit a6 g1 p6 9 h=other",
	"cancel a1 p1",
	"cancel a1 p2",
	"cancel none p1",
	"refuse a1 x",
	"start a1",
	"start a6",
	"plan",
	"cycle",
	"end none p1:done",
	"submit t1 g1 p1 0",
	"submit t1 g1 p1 100",
	"submit t1 g1 p4 100",
	"deactivate d1 g1 p9",
	"due",
};

static void test_looking_changes_nothing(void **state)
{
	struct lane *lane = *state;
	char *before, *after;

	lane_story_run(lane, "a full lane", full_lane);
	before = contents(lane);
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		lane_story_look(lane, looks[i]);
		after = contents(lane);
		if (strcmp(before, after) != 0)
			fail_msg("\"%s\" has changed\n%s\nto\n%s", looks[i], before, after);
		free(after);
	}
	free(before);
	/* The comparison can tell. */
	before = contents(lane);
	lane_story_look(lane, "submit t1 g1 p9 1000");
	after = contents(lane);
	assert_string_not_equal(before, after);
	free(before);
	free(after);
}

/* What is said to come is what comes. */
static void test_preview(void **state)
{
	static const struct lane_story_row rows[] = {
		{"0 try r1 g1 ann 1000", "ok provisioning"},
		{"0 submit r1 g1 ann 1000", "ok provisioning | push Pr1 add g1 ann"},
		{"0 try r2 g1 ann 500", "pending r1 provisioning"},
		{"0 try r2 g1 ann 5000", "ok waiting"},
		{"0 submit r2 g1 ann 5000", "ok waiting"},
		{"0 try-deactivate d1 g1 ann", "ok revoked"},
		{"3 end Pr1 ann:done", "ok"},
		{"3 try r3 g1 ann 9000", "ok in_force"},
		{"3 submit r3 g1 ann 9000", "ok in_force"},
		{"3 try r4 g1 ann 9000 start=10000", "ok scheduled"},
		{"3 try r4 g1 ann 0", "past new"},
		{"3 try r3 g1 ann 9000", "same in_force"},
		{"3 try r3 g1 ann 9000 h=x", "reused in_force"},
		{"3 try-deactivate r1 g1 ann", "same in_force"},
		{"3 try-deactivate d2 g1 bob", "none"},
		{"3 deactivate d1 g1 ann", "ok revoked"},
		{"3 try-deactivate d2 g1 ann", "none"},
		END,
	};

	lane_story_run(*state, "preview", rows);
}

/* Functions that claim to write nothing can be called on a replica. */
static void test_read_only_functions(void **state)
{
	static const char *const functions[] = {"jit_store",
						"jit_version",
						"jit_denied",
						"jit_review",
						"jit_push_check",
						"jit_check",
						"jit_check_groups",
						"jit_held",
						"jit_get",
						"jit_list",
						"jit_application",
						"jit_lane",
						"jit_notice_list",
						"jit_count",
						"jit_eligible",
						"jit_eligibility_get",
						"jit_eligibility_list",
						"jit_eligibility_count",
						"jit_cycles",
						"jit_log",
						"jit_drift_page",
						"jit_audit_read",
						"jit_audit_oldest"};
	struct lane *lane = *state;
	redisReply *reply = lane_command(lane, "FUNCTION LIST LIBRARYNAME jit");
	const redisReply *list = lane_field(lane_at(reply, 0), "functions");
	size_t read_only = 0;

	for (size_t i = 0; lane_at(list, i) != NULL; i++) {
		const redisReply *flags = lane_field(lane_at(list, i), "flags");
		const char *name = lane_text(lane_field(lane_at(list, i), "name"));
		int expected = 0;

		for (size_t k = 0; k < sizeof(functions) / sizeof(functions[0]); k++)
			expected += strcmp(functions[k], name) == 0;
		assert_int_equal(strcmp(lane_text(lane_at(flags, 0)), "no-writes") == 0, expected);
		read_only += (size_t)expected;
	}
	freeReplyObject(reply);
	assert_int_equal(read_only, sizeof(functions) / sizeof(functions[0]));
	reply = lane_command(lane, "FCALL_RO jit_version 0");
	assert_int_equal(reply->integer, LIBRARY_VERSION);
	freeReplyObject(reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_long_list),
		cmocka_unit_test(test_bounded_list),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_looking_changes_nothing),
		cmocka_unit_test(test_preview),
		cmocka_unit_test(test_read_only_functions),
	};

	return LANE_STORY_TESTS(tests);
}
