/*
 * Invariant 4: no access without a grant. Two brokers with rules of their own, people, approvers and administrators who
 * ask for anything at any time: what they ask goes through policy (activation/policy.c, broker/recheck.c) and the function
 * library in a real Redis, and beside that into an oracle that knows nothing of either (tests/support/grant_oracle.h).
 * After each step, whoever is wanted to be a member, is handed out to be added, or is confirmed to be sent, must be
 * somebody who has a grant by the oracle. GRANTS_SEED=N and GRANTS_STEPS=N choose another walk.
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

#include "broker/recheck.h"
#include "tests/support/grant_ask.h"

/* -- what people ask ------------------------------------------------------------------------------------------ */

static size_t recent(struct grants *g)
{
	uint32_t most = g->oracle.count < 30 ? (uint32_t)g->oracle.count : 30;

	return g->oracle.count - 1 - grants_pick(g, most);
}

/* One that waits for approvers, if there is any among some; otherwise any. */
static size_t pending(struct grants *g)
{
	size_t number = recent(g);

	for (int i = 0; i < 20; i++, number = recent(g))
		if (g->oracle.request[number].pending && !g->oracle.request[number].over)
			break;
	return number;
}

/* Policy's second word, of the broker's own code. Release the limits, which are those of the group. */
static bool still_allowed(struct grants *g, size_t number, struct buf *limits)
{
	const struct grant_asked *asked = &g->oracle.request[number].asked;
	int64_t start = asked->start_ms > g->lane->now_ms ? asked->start_ms : g->lane->now_ms;
	struct request request = {
		.asked_start_ms = asked->start_ms,
		.duration_ms = asked->length_ms,
		.break_glass = asked->glass,
		.eligible = grants_has_word(g, asked->group, asked->person, start),
	};
	struct errctx why = {""};
	char person[64];

	buf_init(limits, 1000);
	if (asked->admin) {
		policy_print_limits(&grants_mine(g)->policy[asked->group], false, limits);
		policy_print_person(grants_person(asked->person), limits);
		return true;
	}
	snprintf(person, sizeof(person), "{\"userName\":\"p%u\"}", asked->person);
	snprintf(request.justification, sizeof(request.justification), "why");
	request.person = person;
	if (recheck(&grants_mine(g)->policy[asked->group], &request, g->lane->now_ms, limits, &why) != ERR_OK)
		return false;
	policy_print_person(grants_person(asked->person), limits);
	return true;
}

static void refuse(struct grants *g, size_t number)
{
	grants_begin(g, "jit_refuse");
	lane_argf(g->lane, "r%zu", number);
	lane_arg(g->lane, "policy");
	freeReplyObject(grants_call(g));
}

/* What the store has refused gives nothing, whatever the oracle thinks: others may have the room. */
static void hear_refusal(struct grants *g, size_t number, const redisReply *request)
{
	const char *state = lane_text(lane_field(request, "st"));

	if (strcmp(state, "denied") == 0 || strcmp(state, "failed") == 0)
		grant_over(&g->oracle, number);
}

/* A broker with a fault of its own lets people decide about themselves: the library does not. */
static void decide(struct grants *g)
{
	size_t number = grants_pick(g, 2) == 0 ? pending(g) : recent(g);
	const struct grant_request *r = &g->oracle.request[number];
	unsigned who = grants_pick(g, 3) == 0 ? r->asked.person : grants_pick(g, GRANT_PEOPLE);
	const struct policy *policy = &grants_mine(g)->policy[r->asked.group];
	struct policy_person person = {.user_name = grants_name(who)};
	bool yes = grants_pick(g, 4) > 0, allowed;
	struct buf limits;
	redisReply *reply;

	if (!policy_is_approver(policy, &person, 1, 0))
		return;
	allowed = still_allowed(g, number, &limits);
	grants_begin(g, "jit_decide");
	lane_arg(g->lane, GRANT_TERMS);
	lane_argf(g->lane, "r%zu", number);
	lane_argf(g->lane, "s%zu", g->pushes++);
	lane_arg(g->lane, buf_text(&limits));
	buf_release(&limits);
	lane_arg(g->lane, "1");
	lane_argf(g->lane, "p%u", who);
	lane_argf(g->lane, "P%u", who);
	lane_arg(g->lane, yes ? "Approve" : "Deny");
	lane_arg(g->lane, "why");
	lane_argf(g->lane, "%lld", (long long)policy_stage_needed(policy, 1));
	lane_arg(g->lane, "1");
	lane_arg(g->lane, "0");
	lane_arg(g->lane, "");
	lane_arg(g->lane, "[]");
	lane_arg(g->lane, allowed ? "" : "policy");
	reply = grants_call(g);
	g->approved += r->pending && !r->over && yes && strcmp(lane_text(lane_at(reply, 0)), "ok") == 0;
	grant_decided(&g->oracle, number, &grants_mine(g)->rules[r->asked.group],
		      (struct grant_word){who, yes}, g->lane->now_ms);
	hear_refusal(g, number, lane_at(reply, 3));
	grants_take_up(g, lane_at(reply, 4));
	freeReplyObject(reply);
}

static void cancel(struct grants *g)
{
	size_t number = recent(g);
	unsigned who = grants_pick(g, GRANT_PEOPLE);
	bool is_operator = grants_pick(g, 5) == 0;
	redisReply *reply;

	grants_begin(g, "jit_cancel");
	lane_argf(g->lane, "r%zu", number);
	lane_argf(g->lane, "p%u", who);
	lane_arg(g->lane, is_operator ? "1" : "0");
	reply = grants_call(g);
	if (strcmp(lane_text(lane_at(reply, 0)), "ok") == 0) {
		assert_true(is_operator || who == g->oracle.request[number].asked.person);
		grant_over(&g->oracle, number);
		g->withdrawn++;
	}
	freeReplyObject(reply);
}

static void give_back(struct grants *g)
{
	unsigned group = grants_pick(g, GRANT_GROUPS), person = grants_pick(g, GRANT_PEOPLE);
	bool all = grants_pick(g, 3) == 0;
	size_t number = g->oracle.count;
	redisReply *reply;

	grants_begin(g, "jit_deactivate");
	lane_argf(g->lane, "r%zu", number);
	lane_arg(g->lane, "0");
	lane_arg(g->lane, "ac");
	lane_arg(g->lane, all ? "adminRemove" : "selfDeactivate");
	lane_arg(g->lane, "ap");
	lane_arg(g->lane, "aws");
	lane_arg(g->lane, "g");
	lane_argf(g->lane, "g%u", group);
	lane_arg(g->lane, "p");
	lane_argf(g->lane, "p%u", person);
	lane_arg(g->lane, "by");
	lane_arg(g->lane, "somebody");
	reply = grants_call(g);
	if (strcmp(lane_text(lane_at(reply, 0)), "none") != 0) {
		grant_given_back(&g->oracle, group, person, all, g->lane->now_ms);
		/* Its number is used up. */
		g->oracle.request[g->oracle.count++] = (struct grant_request){.over = true};
	}
	freeReplyObject(reply);
}

/* -- what brokers do ------------------------------------------------------------------------------------------ */

static void look_at_refusal(struct grants *g, size_t number)
{
	redisReply *reply;

	grants_begin(g, "jit_get");
	lane_argf(g->lane, "r%zu", number);
	reply = lane_send(g->lane);
	hear_refusal(g, number, lane_at(reply, 3));
	freeReplyObject(reply);
}

static void start(struct grants *g, const char *id)
{
	size_t number = strtoull(id + 1, NULL, 10);
	struct buf limits;
	redisReply *reply;

	if (!still_allowed(g, number, &limits)) {
		buf_release(&limits);
		refuse(g, number);
		grant_over(&g->oracle, number);
		return;
	}
	grants_begin(g, "jit_start");
	lane_arg(g->lane, GRANT_TERMS);
	lane_arg(g->lane, id);
	lane_argf(g->lane, "s%zu", g->pushes++);
	lane_arg(g->lane, buf_text(&limits));
	buf_release(&limits);
	reply = grants_call(g);
	grant_started(&g->oracle, number, &grants_mine(g)->rules[g->oracle.request[number].asked.group],
		      g->lane->now_ms);
	look_at_refusal(g, number);
	g->started++;
	grants_take_up(g, lane_at(reply, 3));
	freeReplyObject(reply);
}

/* No other living broker may go by other rules when somebody loses what they have. */
static void expect_agreement(struct grants *g)
{
	for (unsigned b = 0; b < GRANT_BROKERS; b++)
		if (strcmp(g->file[b].name, grants_mine(g)->name) != 0 &&
		    g->file[b].told_ms > g->lane->now_ms - GRANT_GRACE_MS)
			fail_msg("step %zu: taken away by %s while %s is in use", g->step,
				 grants_mine(g)->name, g->file[b].name);
}

static void lose(struct grants *g, const redisReply *row)
{
	size_t number = strtoull(lane_text(lane_field(row, "id")) + 1, NULL, 10);
	const struct grant_request *r = &g->oracle.request[number];
	const struct grant_file *f = grants_mine(g);
	struct policy_person person = {.user_name = grants_name(r->asked.person)};
	redisReply *reply;

	if (!f->rules[r->asked.group].removes ||
	    policy_eligible_until_ms(&f->policy[r->asked.group], &person, g->lane->now_ms, r->asked.glass) !=
		    g->lane->now_ms)
		return;
	grants_begin(g, "jit_lose");
	lane_argf(g->lane, "r%zu", number);
	lane_arg(g->lane, lane_text(lane_field(row, "pk")));
	lane_argf(g->lane, "%d", GRANT_GRACE_MS);
	lane_arg(g->lane, "by policy");
	reply = lane_send(g->lane);
	if (strcmp(lane_text(lane_at(reply, 0)), "ok") == 0) {
		expect_agreement(g);
		assert_false(
			grant_eligible(&g->oracle, &f->rules[r->asked.group], &r->asked, g->lane->now_ms));
		grant_over(&g->oracle, number);
		g->lost++;
	}
	g->disputed += strcmp(lane_text(lane_at(reply, 0)), "disputed") == 0;
	freeReplyObject(reply);
}

static void review(struct grants *g, const char *group)
{
	redisReply *reply;

	grants_begin(g, "jit_review");
	lane_arg(g->lane, group);
	lane_arg(g->lane, "");
	lane_arg(g->lane, "100");
	reply = lane_send(g->lane);
	for (size_t i = 3; lane_at(reply, i) != NULL; i++)
		lose(g, lane_at(reply, i));
	freeReplyObject(reply);
	grants_begin(g, "jit_reviewed");
	lane_arg(g->lane, group);
	lane_argf(g->lane, "%lld", (long long)g->lane->now_ms + 1000);
	freeReplyObject(grants_call(g));
}

static void tell_policies(struct grants *g)
{
	grants_begin(g, "jit_policies");
	lane_argf(g->lane, "%d", GRANT_GRACE_MS);
	freeReplyObject(grants_call(g));
	grants_mine(g)->told_ms = g->lane->now_ms;
}

static void look(struct grants *g)
{
	redisReply *reply;

	grants_begin(g, "jit_due");
	lane_arg(g->lane, "2000");
	lane_arg(g->lane, "50");
	reply = lane_send(g->lane);
	for (size_t i = 3; lane_at(reply, i + 1) != NULL; i += 2) {
		const char *kind = lane_text(lane_at(reply, i)), *id = lane_text(lane_at(reply, i + 1));
		redisReply *pumped;

		if (grants_pick(g, 10) == 0)
			continue; /* the broker dies with it */
		if (kind[0] == 's')
			start(g, id);
		if (kind[0] == 'v')
			review(g, id);
		if (kind[0] != 'q' && kind[0] != 'c')
			continue;
		grants_begin(g, kind[0] == 'q' ? "jit_pump" : "jit_cycle");
		lane_arg(g->lane, GRANT_TERMS);
		if (kind[0] == 'q')
			lane_argf(g->lane, "s%zu", g->pushes++);
		else
			lane_arg(g->lane, "");
		pumped = grants_call(g);
		if (kind[0] == 'q')
			grants_take_up(g, lane_at(pumped, 3));
		freeReplyObject(pumped);
	}
	freeReplyObject(reply);
}

/* -- the walk ------------------------------------------------------------------------------------------------- */

static void check_wanted(struct grants *g)
{
	snapshot_release(&g->snapshot);
	snapshot_take(&g->snapshot, g->lane);
	for (size_t i = 0; i < g->snapshot.request_count; i++) {
		const struct snapshot_request *r = &g->snapshot.request[i];

		if (snapshot_wants(&g->snapshot, r))
			grants_expect(g, (unsigned)(r->group[1] - '0'), (unsigned)(r->person[1] - '0'),
				      "is wanted in");
	}
}

/* One broker, or, one after the other, all of them. */
static void reload_some(struct grants *g)
{
	if (grants_pick(g, 2) == 0)
		return;
	grants_reload(g);
	g->broker = GRANT_BROKERS - 1 - g->broker;
	if (grants_pick(g, 4) > 0)
		grants_reload(g);
}

static void walk(struct grants *g)
{
	uint32_t what = grants_pick(g, 100);

	g->broker = grants_pick(g, GRANT_BROKERS);
	if (what < 20)
		g->lane->now_ms += grants_pick(g, grants_pick(g, 20) == 0 ? 5000 : 300);
	else if (what < 36)
		grants_submit(g);
	else if (what < 39 && g->oracle.count > 0)
		cancel(g);
	else if (what < 42)
		give_back(g);
	else if (what < 44)
		grants_give_word(g);
	else if (what < 54 && g->oracle.count > 0)
		decide(g);
	else if (what < 55)
		reload_some(g);
	else if (what < 68)
		tell_policies(g);
	else if (what < 80)
		look(g);
	else
		grants_fly(g);
	check_wanted(g);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void test_no_access_without_a_grant(void **state)
{
	uint64_t steps = from_environment("GRANTS_STEPS", 7000);
	struct grants *g = calloc(1, sizeof(*g));

	assert_non_null(g);
	g->lane = *state;
	g->lane->keep_ms = 60000;
	g->seed = from_environment("GRANTS_SEED", 1);
	print_message("GRANTS_SEED=%llu\n", (unsigned long long)g->seed);
	for (g->broker = 0; g->broker < GRANT_BROKERS; g->broker++)
		grants_reload(g);
	snapshot_take(&g->snapshot, g->lane);
	for (g->step = 1; g->step <= steps && g->oracle.count + 2 < GRANT_REQUESTS; g->step++)
		walk(g);
	print_message(
		"%zu requests, %zu refused, %zu approvals, %zu starts, %zu glasses, %zu additions, "
		"%zu withdrawn, %zu lost, %zu disputed, %zu extensions, %zu updates, %zu words, %zu by word, "
		"%zu beyond the limits\n",
		g->oracle.count, g->refused, g->approved, g->started, g->glasses, g->adds, g->withdrawn,
		g->lost, g->disputed, g->extended, g->updated, g->words, g->by_word, g->beyond);
	if (steps >= 7000)
		assert_true(g->refused && g->approved && g->started && g->glasses && g->adds &&
			    g->withdrawn && (g->lost || g->disputed) && g->extended && g->updated &&
			    g->by_word && g->beyond);
	snapshot_release(&g->snapshot);
	free(g);
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
		cmocka_unit_test(test_no_access_without_a_grant),
	};

	return cmocka_run_group_tests(tests, open_lane, close_lane);
}
