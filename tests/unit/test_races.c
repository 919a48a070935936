/*
 * Two brokers, each with its own connection, act on one request at the same moment, hundreds of times: whichever call
 * Redis takes first, there is one outcome, one event of the deciding kind in the audit, and the other one is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/lane.h"

#define ROUNDS 300
#define WAIT   60000  /* of an approval, ms */
#define LONG   600000 /* of an activation, ms */

struct races {
	struct lane lane;
	redisContext *broker[2];
	uint64_t seed;
	size_t round, first[2]; /* who came first, how often */
};

/* Builds the call of one of the two, about the request of this round. */
typedef void make_call(struct races *r, unsigned broker);

static void add_pair(struct lane *lane, const char *name, const char *value)
{
	lane_arg(lane, name);
	lane_arg(lane, value);
}

/* A request of this round by ann for a group of its own; `wait` NULL = without approval. */
static void begin_submit(struct races *r, const char *kind, const char *action, const char *wait)
{
	struct lane *lane = &r->lane;

	lane_begin(lane, "jit_submit");
	lane_arg(lane, LANE_TERMS);
	lane_argf(lane, "%s%zu", kind, r->round);
	lane_argf(lane, "P%s%zu", kind, r->round);
	lane_arg(lane, "{\"userName\":\"ann\"}");
	lane_arg(lane, "group");
	lane_arg(lane, "0");
	add_pair(lane, "ac", action);
	add_pair(lane, "ap", "aws");
	lane_arg(lane, "g");
	lane_argf(lane, "g%zu", r->round);
	add_pair(lane, "p", "ann");
	add_pair(lane, "by", "ann");
	lane_arg(lane, "d");
	lane_argf(lane, "%d", LONG);
	add_pair(lane, "aw", wait != NULL ? wait : "");
}

static void submit(struct races *r, const char *wait)
{
	redisReply *reply;

	begin_submit(r, "r", "selfActivate", wait);
	reply = lane_send(&r->lane);
	assert_string_equal(lane_text(lane_at(reply, 0)), "ok");
	freeReplyObject(reply);
}

static void decide(struct races *r, const char *who, const char *result)
{
	struct lane *lane = &r->lane;

	lane_begin(lane, "jit_decide");
	lane_arg(lane, LANE_TERMS);
	lane_argf(lane, "r%zu", r->round);
	lane_argf(lane, "p%s%zu", who, r->round);
	lane_arg(lane, "");
	lane_arg(lane, "1");
	lane_arg(lane, who);
	lane_arg(lane, who);
	lane_arg(lane, result);
	lane_arg(lane, "seen");
	lane_arg(lane, "1");
	lane_arg(lane, "1");
	lane_arg(lane, "0");
	lane_arg(lane, "");
}

static void make_approvals(struct races *r, unsigned broker)
{
	decide(r, broker == 0 ? "lead" : "deputy", "Approve");
}

static void make_contradiction(struct races *r, unsigned broker)
{
	decide(r, broker == 0 ? "lead" : "deputy", broker == 0 ? "Approve" : "Deny");
}

static void make_cancel(struct races *r, unsigned broker)
{
	if (broker == 0) {
		decide(r, "lead", "Approve");
		return;
	}
	lane_begin(&r->lane, "jit_cancel");
	lane_argf(&r->lane, "r%zu", r->round);
	lane_arg(&r->lane, "ann");
	lane_arg(&r->lane, "0");
}

static void begin_due(struct races *r, int64_t at_ms)
{
	int64_t now = r->lane.now_ms;

	r->lane.now_ms = at_ms;
	lane_begin(&r->lane, "jit_due");
	r->lane.now_ms = now;
	lane_arg(&r->lane, "5000");
	lane_arg(&r->lane, "100");
}

/* The one is a moment before the time is over, the other at that moment; both may come first. */
static void make_time_out(struct races *r, unsigned broker)
{
	if (broker == 0)
		decide(r, "lead", "Approve");
	else
		begin_due(r, r->lane.now_ms + 1);
}

static void make_extension(struct races *r, unsigned broker)
{
	if (broker == 0)
		begin_submit(r, "x", "selfExtend", NULL);
	else
		begin_due(r, r->lane.now_ms + 1);
}

/* Both at once; the answers. Who is sent first is left to chance, who is taken first to Redis. */
static void race(struct races *r, make_call *make, redisReply *replies[2])
{
	unsigned first = lane_random(&r->seed, 2);
	int done;

	for (unsigned b = 0; b < 2; b++) {
		const char *argv[LANE_ARGS_MAX];

		make(r, b);
		for (size_t i = 0; i < r->lane.count; i++)
			argv[i] = r->lane.text + r->lane.at[i];
		assert_int_equal(redisAppendCommandArgv(r->broker[b], (int)r->lane.count, argv, r->lane.len),
				 REDIS_OK);
	}
	assert_int_equal(redisBufferWrite(r->broker[first], &done), REDIS_OK);
	assert_int_equal(redisBufferWrite(r->broker[1 - first], &done), REDIS_OK);
	for (unsigned b = 0; b < 2; b++) {
		assert_int_equal(redisGetReply(r->broker[b], (void **)&replies[b]), REDIS_OK);
		assert_int_equal(replies[b]->type, REDIS_REPLY_ARRAY);
	}
}

static const char *word(redisReply *const replies[2], unsigned broker)
{
	return lane_text(lane_at(replies[broker], 0));
}

/* The request's events in the audit that leave this state for another one; `to` gets the last one's. */
static size_t events_out_of(struct races *r, const char *id, const char *from, char to[32])
{
	redisReply *reply = lane_command(&r->lane, "XRANGE %saudit - +", LANE_PREFIX);
	size_t count = 0;

	to[0] = '\0';
	for (size_t i = 0; lane_at(reply, i) != NULL; i++) {
		const redisReply *fields = lane_at(lane_at(reply, i), 1);

		if (strcmp(lane_text(lane_field(fields, "r")), id) != 0 ||
		    strcmp(lane_text(lane_field(fields, "f")), from) != 0 ||
		    strcmp(lane_text(lane_field(fields, "t")), from) == 0)
			continue;
		count++;
		snprintf(to, 32, "%s", lane_text(lane_field(fields, "t")));
	}
	freeReplyObject(reply);
	return count;
}

static void expect_one_outcome(struct races *r, const char *wanted)
{
	char id[32], to[32];
	size_t count;

	snprintf(id, sizeof(id), "r%zu", r->round);
	count = events_out_of(r, id, "awaiting", to);
	if (count != 1 || strcmp(to, wanted) != 0)
		fail_msg("round %zu: %zu outcomes, the last is %s, not %s", r->round, count, to, wanted);
}

/* The one who was too late is told who was faster, and when. */
static void expect_told(struct races *r, const redisReply *reply, const char *who, const char *result)
{
	const char *decisions = lane_text(lane_field(lane_at(reply, 3), "decisions"));
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "\"at\":%lld", (long long)r->lane.now_ms);
	assert_non_null(strstr(decisions, wanted));
	snprintf(wanted, sizeof(wanted), "\"name\":\"%s\"", who);
	assert_non_null(strstr(decisions, wanted));
	snprintf(wanted, sizeof(wanted), "\"res\":\"%s\"", result);
	assert_non_null(strstr(decisions, wanted));
}

/* The lane is emptied, so that pushes of rounds before do not matter. */
static void next_round(struct races *r)
{
	r->round++;
	lane_empty(&r->lane);
}

static void expect_both_came_first(struct races *r)
{
	print_message("%zu and %zu times first\n", r->first[0], r->first[1]);
	assert_true(r->first[0] > 0 && r->first[1] > 0);
	r->first[0] = r->first[1] = 0;
}

static void free_both(redisReply *replies[2])
{
	freeReplyObject(replies[0]);
	freeReplyObject(replies[1]);
}

static void two_decisions(struct races *r, make_call *make, const char *by_deputy, const char *state)
{
	static const char *const names[] = {"lead", "deputy"};

	for (int i = 0; i < ROUNDS; i++) {
		redisReply *replies[2];
		unsigned winner;

		next_round(r);
		submit(r, "60000");
		race(r, make, replies);
		winner = strcmp(word(replies, 0), "ok") == 0 ? 0 : 1;
		assert_string_equal(word(replies, winner), "ok");
		assert_string_equal(word(replies, 1 - winner), "decided");
		expect_told(r, replies[1 - winner], names[winner], winner == 0 ? "Approve" : by_deputy);
		expect_one_outcome(r, winner == 0 ? "provisioning" : state);
		r->first[winner]++;
		free_both(replies);
	}
	expect_both_came_first(r);
}

static void test_two_approvers(void **state)
{
	two_decisions(*state, make_approvals, "Approve", "provisioning");
}

static void test_approve_against_deny(void **state)
{
	two_decisions(*state, make_contradiction, "Deny", "denied");
}

static void test_approve_against_cancel(void **state)
{
	struct races *r = *state;

	for (int i = 0; i < ROUNDS; i++) {
		redisReply *replies[2];
		bool approved;

		next_round(r);
		submit(r, "60000");
		race(r, make_cancel, replies);
		approved = strcmp(word(replies, 0), "ok") == 0;
		assert_string_equal(word(replies, 0), approved ? "ok" : "decided");
		assert_string_equal(word(replies, 1), approved ? "state" : "ok");
		expect_one_outcome(r, approved ? "provisioning" : "canceled");
		if (approved)
			expect_told(r, replies[1], "lead", "Approve");
		else
			assert_string_equal(lane_text(lane_field(lane_at(replies[0], 3), "st")), "canceled");
		r->first[approved ? 0 : 1]++;
		free_both(replies);
	}
	expect_both_came_first(r);
}

static void test_approve_against_time_out(void **state)
{
	struct races *r = *state;

	for (int i = 0; i < ROUNDS; i++) {
		redisReply *replies[2];
		bool approved;

		next_round(r);
		submit(r, "60000");
		r->lane.now_ms += WAIT - 1;
		race(r, make_time_out, replies);
		approved = strcmp(word(replies, 0), "ok") == 0;
		assert_string_equal(word(replies, 0), approved ? "ok" : "decided");
		expect_one_outcome(r, approved ? "provisioning" : "denied");
		r->first[approved ? 0 : 1]++;
		free_both(replies);
	}
	expect_both_came_first(r);
}

/* The first activation is in the application. */
static void confirm(struct races *r)
{
	redisReply *reply;

	lane_begin(&r->lane, "jit_push_end");
	lane_arg(&r->lane, LANE_TERMS);
	lane_argf(&r->lane, "Pr%zu", r->round);
	lane_arg(&r->lane, "0");
	lane_arg(&r->lane, "0");
	lane_arg(&r->lane, "ok");
	lane_arg(&r->lane, "");
	lane_arg(&r->lane, "0.5");
	lane_arg(&r->lane, "1");
	lane_arg(&r->lane, "ann");
	lane_arg(&r->lane, "done");
	lane_arg(&r->lane, "0");
	lane_arg(&r->lane, "0");
	lane_arg(&r->lane, "200");
	lane_arg(&r->lane, "");
	lane_arg(&r->lane, "ids");
	reply = lane_send(&r->lane);
	assert_string_equal(lane_text(lane_at(reply, 0)), "ok");
	freeReplyObject(reply);
}

/* Either it was extended, and nothing is removed; or it ended, and nothing was extended. */
static void test_extension_against_end(void **state)
{
	struct races *r = *state;

	for (int i = 0; i < ROUNDS; i++) {
		redisReply *replies[2], *removals;
		char id[32], to[32];
		bool extended;

		next_round(r);
		submit(r, NULL);
		confirm(r);
		r->lane.now_ms += LONG - 1;
		race(r, make_extension, replies);
		extended = strcmp(word(replies, 0), "ok") == 0;
		assert_string_equal(word(replies, 0), extended ? "ok" : "none");
		snprintf(id, sizeof(id), "r%zu", r->round);
		assert_int_equal(events_out_of(r, id, "in_force", to), 1);
		assert_string_equal(to, extended ? "expired" : "expiring");
		removals = lane_command(&r->lane, "ZCARD %sx", LANE_PREFIX);
		assert_int_equal(lane_int(removals), extended ? 0 : 1);
		freeReplyObject(removals);
		r->first[extended ? 0 : 1]++;
		free_both(replies);
	}
	expect_both_came_first(r);
}

static int open_races(void **state)
{
	struct races *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return -1;
	lane_open(&r->lane);
	r->seed = 1;
	for (unsigned b = 0; b < 2; b++) {
		r->broker[b] = redisConnectUnix(r->lane.redis.socket_path);
		if (r->broker[b] == NULL || r->broker[b]->err != 0)
			return -1;
	}
	*state = r;
	return 0;
}

static int close_races(void **state)
{
	struct races *r = *state;

	redisFree(r->broker[0]);
	redisFree(r->broker[1]);
	lane_close(&r->lane);
	free(r);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_approvers),
		cmocka_unit_test(test_approve_against_deny),
		cmocka_unit_test(test_approve_against_cancel),
		cmocka_unit_test(test_approve_against_time_out),
		cmocka_unit_test(test_extension_against_end),
	};

	return cmocka_run_group_tests(tests, open_races, close_races);
}
