/*
 * The bucket under random load in virtual time, against a model of its own: which pushes began and ended when, and
 * so which tokens must be free. Brokers die with their pushes, answers come late, the application asks for silence.
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

#define PUSHES_MAX  1100
#define GROUPS      4
#define NEVER       INT64_MAX
#define MEMBERS_MAX 100
#define LONG        60 /* windows: what the longest assignments last */

struct terms_row {
	const char *name;
	int64_t limit, window_ms, reserve, wait_ms, cycle_ms, batch, deadline_ms, lease_ms;
	uint32_t arrival_ms; /* on average, in bursts */
};

struct pushed {
	char id[16];
	int64_t begin_ms, end_ms; /* the application may be busy with it in between, both included */
	int64_t told_ms;          /* when its end is told; NEVER = its broker dies */
	int64_t back_ms;          /* when its token is back */
	bool add, over;
	size_t count;
	char members[MEMBERS_MAX][12];
};

struct world {
	struct lane *lane;
	const struct terms_row *terms;
	uint64_t seed;
	char terms_text[128];
	int64_t closed_until_ms, next_due_ms, next_arrival_ms;
	size_t pushes, people, removals, cycles, contests, first_out, starts;
	struct pushed push[PUSHES_MAX + 64];
};

/* Sends the call, notes when the timetable is due next. */
static redisReply *call(struct world *w)
{
	redisReply *reply = lane_send(w->lane);
	int64_t next = lane_int(lane_at(reply, 2));

	w->next_due_ms = next > 0 ? next : NEVER;
	return reply;
}

static int64_t tokens_free(const struct world *w)
{
	int64_t out = 0;

	for (size_t i = w->first_out; i < w->pushes; i++)
		out += w->push[i].back_ms > w->lane->now_ms;
	if (w->closed_until_ms > w->lane->now_ms || out > w->terms->limit)
		return 0;
	return w->terms->limit - out;
}

/* Groups of that queue with somebody who is due, and how many pushes they need. */
static int64_t due_pushes(struct world *w, const char *kind)
{
	redisContext *context = w->lane->context;
	int64_t need = 0;

	/* All at once: this is asked after each step. */
	for (int g = 0; g < GROUPS; g++)
		assert_int_equal(redisAppendCommand(context, "ZCOUNT %s%s:g%d -inf %lld", LANE_PREFIX, kind,
						    g, (long long)w->lane->now_ms),
				 REDIS_OK);
	for (int g = 0; g < GROUPS; g++) {
		void *answer = NULL;
		redisReply *reply;

		assert_int_equal(redisGetReply(context, &answer), REDIS_OK);
		reply = answer;
		assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
		need += (reply->integer + w->terms->batch - 1) / w->terms->batch;
		freeReplyObject(reply);
	}
	return need;
}

static void check_free(struct world *w)
{
	redisReply *reply;
	int64_t free_now;

	lane_begin(w->lane, "jit_application");
	lane_arg(w->lane, w->terms_text);
	reply = lane_send(w->lane);
	free_now = lane_int(lane_field(lane_at(reply, 3), "free"));
	freeReplyObject(reply);
	if (free_now != tokens_free(w))
		fail_msg("%s: after push %zu %lld tokens are free, must be %lld", w->terms->name, w->pushes,
			 (long long)free_now, (long long)tokens_free(w));
}

/* Takes up an order: for how long it runs, and whether its end is ever told, is left to chance. */
static void take_up(struct world *w, const redisReply *order)
{
	struct pushed *push = &w->push[w->pushes++];
	int64_t now = w->lane->now_ms, last = now + w->terms->deadline_ms;
	uint32_t fate = lane_random(&w->seed, 20);
	uint32_t longest = fate < 14 ? 200 : (uint32_t)w->terms->deadline_ms;

	snprintf(push->id, sizeof(push->id), "%s", lane_text(lane_at(order, 0)));
	push->add = strcmp(lane_text(lane_at(order, 3)), "add") == 0;
	w->removals += !push->add;
	w->cycles += lane_int(lane_at(order, 4)) != 0;
	for (size_t i = 7; lane_at(order, i + 4) != NULL && push->count < MEMBERS_MAX; i += 5)
		snprintf(push->members[push->count++], sizeof(push->members[0]), "%s",
			 lane_text(lane_at(order, i)));
	assert_in_range(push->count, 1, w->terms->batch);
	push->begin_ms = now;
	push->told_ms = fate == 19 ? NEVER : now + lane_random(&w->seed, longest + 1);
	push->end_ms = push->told_ms == NEVER ? last : push->told_ms;
	/* An end is told late, up to when the claim runs out and after it. */
	if (fate == 18)
		push->told_ms =
			last +
			lane_random(&w->seed, (uint32_t)(w->terms->lease_ms - w->terms->deadline_ms) + 500);
	push->back_ms = last + w->terms->window_ms + 1;
}

static void tell_end(struct world *w, struct pushed *push)
{
	uint32_t chance = lane_random(&w->seed, 40);
	bool keep = chance == 0 && push->told_ms == push->end_ms, closing = chance == 1;
	int64_t close_ms = closing ? 1 + lane_random(&w->seed, (uint32_t)w->terms->window_ms * 2) : 0;
	bool held = w->lane->now_ms < push->begin_ms + w->terms->lease_ms;
	redisReply *reply;

	lane_begin(w->lane, "jit_push_end");
	lane_arg(w->lane, w->terms_text);
	lane_arg(w->lane, push->id);
	lane_arg(w->lane, keep ? "1" : "0");
	lane_argf(w->lane, "%lld", (long long)close_ms);
	lane_arg(w->lane, ""); /* nothing about the application's health */
	lane_arg(w->lane, "");
	lane_arg(w->lane, "0");
	lane_arg(w->lane, "5");
	for (size_t i = 0; i < push->count; i++) {
		bool retry = lane_random(&w->seed, 10) == 0;

		lane_arg(w->lane, push->members[i]);
		lane_arg(w->lane, retry ? "retry" : "done");
		lane_arg(w->lane, retry ? "1" : "0");
		lane_argf(w->lane, "%u", lane_random(&w->seed, 5000));
		lane_arg(w->lane, "0");
		lane_arg(w->lane, retry ? "slow" : "");
		lane_arg(w->lane, "");
	}
	reply = call(w);
	assert_string_equal(lane_text(lane_at(reply, 0)), held ? "ok" : "gone");
	freeReplyObject(reply);
	if (keep)
		push->end_ms =
			push->begin_ms + w->terms->deadline_ms; /* its last request may still be running */
	else if (held && push->back_ms > w->lane->now_ms + w->terms->window_ms + 1)
		push->back_ms = w->lane->now_ms + w->terms->window_ms + 1;
	if (closing && w->closed_until_ms < w->lane->now_ms + close_ms)
		w->closed_until_ms = w->lane->now_ms + close_ms;
	push->over = true;
	check_free(w);
}

/* Somebody new asks: a token is there for them exactly when more are free than the removals need. */
static void arrive(struct world *w)
{
	int64_t tokens = tokens_free(w), need = due_pushes(w, "x");
	int group = (int)lane_random(&w->seed, GROUPS);
	redisReply *reply;
	bool pushed;

	lane_begin(w->lane, "jit_submit");
	lane_arg(w->lane, w->terms_text);
	lane_argf(w->lane, "r%zu", w->people);
	lane_argf(w->lane, "a%zu", w->people);
	lane_arg(w->lane, "{}");
	lane_arg(w->lane, "group");
	lane_arg(w->lane, "0");
	lane_arg(w->lane, "ac");
	lane_arg(w->lane, "selfActivate");
	lane_arg(w->lane, "ap");
	lane_arg(w->lane, "aws");
	lane_arg(w->lane, "g");
	lane_argf(w->lane, "g%d", group);
	lane_arg(w->lane, "p");
	lane_argf(w->lane, "p%zu", w->people++);
	lane_arg(w->lane, "d");
	lane_argf(w->lane, "%u",
		  1 + lane_random(&w->seed, (uint32_t)w->terms->window_ms *
						    (lane_random(&w->seed, 3) == 0 ? LONG : 4)));
	reply = call(w);
	assert_string_equal(lane_text(lane_at(reply, 0)), "ok");
	pushed = lane_at(lane_at(reply, 4), 0) != NULL;
	w->contests += tokens > 0 && need > 0;
	if (pushed != (tokens > need))
		fail_msg("%s: %s with %lld tokens free, removals need %lld", w->terms->name,
			 pushed ? "pushed" : "not pushed", (long long)tokens, (long long)need);
	if (pushed)
		take_up(w, lane_at(reply, 4));
	freeReplyObject(reply);
	check_free(w);
}

static bool cycle_may_push(struct world *w)
{
	redisReply *reply = lane_command(w->lane, "HMGET %sc:aws started ended", LANE_PREFIX);
	int64_t started = lane_int(lane_at(reply, 0)), ended = lane_int(lane_at(reply, 1));
	int64_t due = 0;

	freeReplyObject(reply);
	if (started == 0 || ended != 0 || tokens_free(w) <= w->terms->reserve)
		return false;
	reply = lane_command(w->lane, "ZCOUNT %sdq:aws -inf %lld", LANE_PREFIX, (long long)started);
	due = reply->integer;
	freeReplyObject(reply);
	return due > 0;
}

/* One pump; the order of right is checked from both sides: what was handed out, and why nothing was. */
static bool pump(struct world *w)
{
	int64_t tokens = tokens_free(w), removals = due_pushes(w, "x");
	int64_t activations = due_pushes(w, "r") + due_pushes(w, "w");
	bool of_cycle = cycle_may_push(w), pushed;
	const char *expected = tokens == 0                   ? "none"
			       : removals > 0                ? "remove"
			       : activations > 0 || of_cycle ? "add"
							     : "none";
	redisReply *reply;

	lane_begin(w->lane, "jit_pump");
	lane_arg(w->lane, w->terms_text);
	lane_argf(w->lane, "q%zu", w->starts++);
	reply = call(w);
	pushed = strcmp(lane_text(lane_at(reply, 0)), "push") == 0;
	if (strcmp(pushed ? lane_text(lane_at(lane_at(reply, 3), 3)) : "none", expected) != 0)
		fail_msg("%s: pump handed out %s; %s is due, %lld tokens", w->terms->name,
			 lane_text(lane_at(reply, 0)), expected, (long long)tokens);
	if (pushed && strcmp(expected, "add") == 0)
		assert_int_equal(lane_int(lane_at(lane_at(reply, 3), 4)) != 0, activations == 0);
	if (pushed)
		take_up(w, lane_at(reply, 3));
	freeReplyObject(reply);
	check_free(w);
	return pushed;
}

static void look(struct world *w)
{
	redisReply *reply;

	lane_begin(w->lane, "jit_due");
	lane_arg(w->lane, "5000");
	lane_arg(w->lane, "100");
	reply = call(w);
	for (size_t i = 3; lane_at(reply, i + 1) != NULL; i += 2) {
		if (lane_text(lane_at(reply, i))[0] == 'c') {
			lane_begin(w->lane, "jit_cycle");
			lane_arg(w->lane, w->terms_text);
			lane_arg(w->lane, "");
			freeReplyObject(call(w));
		} else {
			/* Somebody asks before the broker comes to it, while removals are due and tokens free. */
			if (lane_random(&w->seed, 4) == 0 && w->next_arrival_ms != NEVER)
				arrive(w);
			while (w->pushes < PUSHES_MAX && pump(w)) {
			}
		}
	}
	freeReplyObject(reply);
}

/* When the next end is told; the push itself in `which`. */
static int64_t next_end(const struct world *w, size_t *which)
{
	int64_t earliest = NEVER;

	for (size_t i = w->first_out; i < w->pushes; i++) {
		if (!w->push[i].over && w->push[i].told_ms < earliest) {
			earliest = w->push[i].told_ms;
			*which = i;
		}
	}
	return earliest;
}

/* Who is due and has a token is looked at now, not at some later time. */
static void check_awake(struct world *w)
{
	if (w->next_due_ms <= w->lane->now_ms)
		return;
	if (tokens_free(w) > 0 &&
	    (due_pushes(w, "x") > 0 || due_pushes(w, "r") > 0 || due_pushes(w, "w") > 0))
		fail_msg("%s: %lld tokens are free and somebody waits, but it is not looked at",
			 w->terms->name, (long long)tokens_free(w));
	if (cycle_may_push(w))
		fail_msg("%s: the cycle could push, but it is not looked at", w->terms->name);
}

static void step(struct world *w)
{
	size_t which = 0;
	int64_t end = next_end(w, &which), next = w->next_arrival_ms;

	next = end < next ? end : next;
	next = w->next_due_ms < next ? w->next_due_ms : next;
	w->lane->now_ms = next > w->lane->now_ms ? next : w->lane->now_ms;
	if (w->next_due_ms <= w->lane->now_ms)
		look(w);
	else if (end <= w->lane->now_ms)
		tell_end(w, &w->push[which]);
	if (w->next_arrival_ms <= w->lane->now_ms) {
		/* Half of them come at the very same time as the one before. */
		w->next_arrival_ms +=
			lane_random(&w->seed, 2) * lane_random(&w->seed, w->terms->arrival_ms * 4);
		/* Now and then a quiet time, in which a cycle gets its tokens. */
		if (lane_random(&w->seed, 80) == 0)
			w->next_arrival_ms += 40 * w->terms->window_ms;
		arrive(w);
	}
	check_awake(w);
	while (w->first_out < w->pushes && w->push[w->first_out].back_ms <= w->lane->now_ms &&
	       (w->push[w->first_out].over || w->push[w->first_out].told_ms == NEVER))
		w->first_out++;
}

/* From every begin and every end on: how many pushes began, ended or ran within one window, both ends included? */
static void check_windows(const struct world *w)
{
	int64_t most = 0;

	for (size_t i = 0; i < 2 * w->pushes; i++) {
		int64_t from = i % 2 == 0 ? w->push[i / 2].begin_ms : w->push[i / 2].end_ms;
		int64_t to = from + w->terms->window_ms, held = 0;

		for (size_t k = 0; k < w->pushes; k++)
			held += w->push[k].begin_ms <= to && w->push[k].end_ms >= from;
		most = held > most ? held : most;
		if (held > w->terms->limit)
			fail_msg("%s: %lld pushes in the window from %lld on", w->terms->name,
				 (long long)held, (long long)(from - LANE_EPOCH_MS));
	}
	/* The load was heavy enough to tell. */
	assert_int_equal(most, w->terms->limit);
}

/* Nobody asks any more: what is left ends, all removals are made, and all tokens come back. */
static void run_dry(struct world *w)
{
	int64_t until = w->lane->now_ms + 2 * LONG * w->terms->window_ms + 8 * w->terms->lease_ms;

	w->next_arrival_ms = NEVER;
	while (w->pushes < PUSHES_MAX && w->lane->now_ms < until)
		step(w);
}

static void test_load(void **state)
{
	static const struct terms_row rows[] = {
		{"5 in 10 s", 5, 10000, 3, 0, 600000, 100, 30000, 32000, 2500},
		{"5 in 10 s, small batches", 5, 10000, 3, 0, 60000, 2, 30000, 32000, 2500},
		{"5 in 10 s, waiting", 5, 10000, 4, 8000, 60000, 10, 30000, 32000, 1500},
		{"1 in 1 s", 1, 1000, 0, 0, 30000, 100, 3000, 5000, 1500},
		{"3 in 7 s, waiting", 3, 7000, 1, 5000, 100000, 2, 2000, 4000, 2500},
		{"20 in 60 s", 20, 60000, 10, 0, 300000, 100, 30000, 32000, 3000},
		{"2 in half a second", 2, 500, 0, 300, 9000, 1, 3000, 5000, 400},
	};
	struct world *w = malloc(sizeof(*w));
	uint64_t seed = 20270115;

	assert_non_null(w);
	print_message("seed %llu\n", (unsigned long long)seed);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(w, 0, sizeof(*w));
		lane_empty(*state);
		w->lane = *state;
		w->terms = &rows[i];
		w->seed = seed + i;
		w->next_due_ms = NEVER;
		w->next_arrival_ms = w->lane->now_ms;
		snprintf(w->terms_text, sizeof(w->terms_text),
			 "aws %lld %lld %lld %lld %lld 0 %lld %lld %lld", (long long)rows[i].limit,
			 (long long)rows[i].window_ms, (long long)rows[i].reserve, (long long)rows[i].wait_ms,
			 (long long)rows[i].cycle_ms, (long long)rows[i].batch,
			 (long long)rows[i].deadline_ms, (long long)rows[i].lease_ms);
		/* As every broker does when it starts. */
		lane_begin(w->lane, "jit_plan_cycle");
		lane_arg(w->lane, w->terms_text);
		freeReplyObject(call(w));
		while (w->pushes < PUSHES_MAX - 300)
			step(w);
		run_dry(w);
		print_message(
			"%s: %zu pushes, %zu of them removals, %zu of the cycle, in %lld virtual seconds\n",
			rows[i].name, w->pushes, w->removals, w->cycles,
			(long long)((w->lane->now_ms - LANE_EPOCH_MS) / 1000));
		check_windows(w);
		assert_true(w->pushes < PUSHES_MAX && w->removals > 0 && w->cycles > 0 && w->contests > 0);
		assert_int_equal(tokens_free(w), rows[i].limit);
		check_free(w);
		assert_int_equal(due_pushes(w, "x") + due_pushes(w, "w") + due_pushes(w, "r"), 0);
	}
	free(w);
}

static int open_lane(void **state)
{
	struct lane *lane = malloc(sizeof(*lane));

	if (lane == NULL)
		return -1;
	lane_open(lane);
	*state = lane;
	return 0;
}

static int close_lane(void **state)
{
	lane_close(*state);
	free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, open_lane, close_lane);
}
