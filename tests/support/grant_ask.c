#include "tests/support/grant_ask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void fill_ask(const struct grant_asked *asked, int64_t now_ms, struct policy_ask *out)
{
	*out = (struct policy_ask){
		.person = {.user_name = grants_name(asked->person)},
		.now_ms = now_ms,
		.start_ms = asked->start_ms,
		.length_ms = asked->length_ms,
		.justification = asked->glass ? "why" : NULL,
		.break_glass = asked->glass,
	};
}

/* An argument that is a number, or "" where there is none. */
static void lane_number(struct lane *lane, bool given, int64_t number)
{
	if (given)
		lane_argf(lane, "%lld", (long long)number);
	else
		lane_arg(lane, "");
}

/* What a group allows besides, for the store; whose eligibility is an administrator's word alone, needs
 * that. */
static void add_limits(struct grants *g, unsigned person, const struct policy *policy, bool by_word)
{
	struct buf limits;

	buf_init(&limits, 1000);
	policy_print_limits(policy, by_word, &limits);
	policy_print_person(grants_person(person), &limits);
	lane_arg(g->lane, buf_text(&limits));
	buf_release(&limits);
}

static void send_submit(struct grants *g, size_t number, const struct grant_asked *asked, const char *action,
			bool by_word)
{
	const struct grant_rules *rules = &grants_mine(g)->rules[asked->group];
	const struct policy *policy = &grants_mine(g)->policy[asked->group];

	grants_begin(g, "jit_submit");
	lane_arg(g->lane, GRANT_TERMS);
	lane_argf(g->lane, "r%zu", number);
	lane_argf(g->lane, "s%zu", g->pushes++);
	lane_argf(g->lane, "{\"userName\":\"p%u\"}", asked->person);
	lane_arg(g->lane, "name");
	lane_arg(g->lane, "0");
	lane_arg(g->lane, "ac");
	lane_arg(g->lane, action);
	lane_arg(g->lane, "ap");
	lane_arg(g->lane, "aws");
	lane_arg(g->lane, "g");
	lane_argf(g->lane, "g%u", asked->group);
	lane_arg(g->lane, "p");
	lane_argf(g->lane, "p%u", asked->person);
	lane_arg(g->lane, "by");
	lane_argf(g->lane, "p%u", asked->person);
	lane_arg(g->lane, "d");
	lane_argf(g->lane, "%lld", (long long)asked->length_ms);
	lane_arg(g->lane, "a");
	lane_number(g->lane, asked->start_ms > 0, asked->start_ms);
	lane_arg(g->lane, "aw");
	lane_number(g->lane, !asked->admin && policy_needs_approval(policy, asked->glass),
		    policy_timeout_ms(policy, 1));
	lane_arg(g->lane, "bg");
	lane_arg(g->lane, asked->glass ? "1" : "");
	lane_arg(g->lane, "ol");
	lane_arg(g->lane, rules->removes ? "1" : "");
	lane_arg(g->lane, "lu");
	lane_argf(g->lane, "%lld", (long long)rules->eligible_until_ms);
	lane_arg(g->lane, "limits");
	add_limits(g, asked->person, policy, by_word);
}

/* Policy's own lists first, as a broker does; then the administrators' word. */
static bool is_by_word(struct grants *g, const struct grant_asked *asked)
{
	int64_t start = asked->start_ms > 0 ? asked->start_ms : g->lane->now_ms;
	struct policy_person person = {.user_name = grants_name(asked->person)};

	return !asked->admin && !asked->glass &&
	       !policy_is_eligible(&grants_mine(g)->policy[asked->group], &person, start) &&
	       grants_has_word(g, asked->group, asked->person, start);
}

static void note_submit(struct grants *g, size_t number, const struct grant_asked *asked, const char *word)
{
	g->beyond += strcmp(word, "full") == 0 || strcmp(word, "excluded") == 0;
	if (strcmp(word, "ok") != 0 && strcmp(word, "same") != 0)
		return;
	grant_asked(&g->oracle, number, &grants_mine(g)->rules[asked->group], asked, g->lane->now_ms);
	g->glasses += asked->glass;
	g->updated += asked->updates;
}

void grants_submit(struct grants *g)
{
	static const char *const self[] = {"selfActivate", "selfActivate", "selfExtend"};
	static const char *const admin[] = {"adminAssign", "adminExtend", "adminUpdate"};
	size_t number = g->oracle.count;
	struct grant_asked asked = {
		.group = grants_pick(g, GRANT_GROUPS),
		.person = grants_pick(g, GRANT_PEOPLE),
		.start_ms = grants_pick(g, 4) == 0 ? g->lane->now_ms + 1 + grants_pick(g, 8000) : 0,
		.length_ms = 1 + grants_pick(g, 15000),
		.glass = grants_pick(g, 8) == 0,
		.admin = grants_pick(g, 8) == 0,
	};
	const char *action = (asked.admin ? admin : self)[grants_pick(g, 3)];
	struct policy_verdict verdict;
	struct policy_ask ask;
	redisReply *reply;
	bool by_word;

	asked.glass = asked.glass && !asked.admin;
	asked.updates = strcmp(action, "adminUpdate") == 0;
	by_word = is_by_word(g, &asked);
	fill_ask(&asked, g->lane->now_ms, &ask);
	ask.is_eligible = by_word;
	policy_check(&grants_mine(g)->policy[asked.group], &ask, &verdict);
	if (!asked.admin &&
	    (verdict.count == 0) !=
		    grant_allows(&g->oracle, &grants_mine(g)->rules[asked.group], &asked, g->lane->now_ms))
		fail_msg("step %zu: policy and the oracle differ about p%u in g%u", g->step, asked.person,
			 asked.group);
	if (!asked.admin && verdict.count > 0) {
		g->refused++;
		return;
	}
	send_submit(g, number, &asked, action, by_word);
	reply = grants_call(g);
	note_submit(g, number, &asked, lane_text(lane_at(reply, 0)));
	if (number < g->oracle.count) {
		g->extended += strstr(action, "Extend") != NULL;
		g->by_word += by_word;
	}
	grants_take_up(g, lane_at(reply, 4));
	freeReplyObject(reply);
}

void grants_give_word(struct grants *g)
{
	static const char *const actions[] = {"adminAssign", "adminAssign", "adminExtend", "adminUpdate",
					      "adminRemove"};
	unsigned group = grants_pick(g, GRANT_GROUPS), person = grants_pick(g, GRANT_PEOPLE);
	const char *action = actions[grants_pick(g, 5)];
	int64_t until_ms = g->lane->now_ms + 1 + grants_pick(g, 10000);
	redisReply *reply;

	grants_begin(g, "jit_eligibility");
	lane_argf(g->lane, "e%zu", g->words++);
	lane_arg(g->lane, "0");
	lane_arg(g->lane, "ac");
	lane_arg(g->lane, action);
	lane_arg(g->lane, "ap");
	lane_arg(g->lane, "aws");
	lane_arg(g->lane, "g");
	lane_argf(g->lane, "g%u", group);
	lane_arg(g->lane, "p");
	lane_argf(g->lane, "p%u", person);
	lane_arg(g->lane, "by");
	lane_arg(g->lane, "somebody");
	lane_arg(g->lane, "e");
	lane_argf(g->lane, "%lld", (long long)until_ms);
	reply = grants_call(g);
	if (strcmp(lane_text(lane_at(reply, 0)), "ok") == 0 ||
	    strcmp(lane_text(lane_at(reply, 0)), "same") == 0)
		grant_word(&g->oracle, group, person,
			   strcmp(action, "adminRemove") == 0 ? g->lane->now_ms : until_ms);
	freeReplyObject(reply);
}
