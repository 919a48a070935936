#include "tests/support/grant_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LONG_LIFE INT64_C(4000000000000)

uint32_t grants_pick(struct grants *g, uint32_t bound)
{
	return lane_random(&g->seed, bound);
}

char *grants_name(unsigned person)
{
	static char names[GRANT_PEOPLE][4] = {"p0", "p1", "p2", "p3", "p4"};

	return names[person];
}

const char *grants_person(unsigned person)
{
	return person >= GRANT_OWNER ? grants_name(GRANT_OWNER) : NULL;
}

/* -- rules --------------------------------------------------------------------------------------------------- */

static struct policy_people people_of(unsigned bits, char **names)
{
	struct policy_people people = {.principals = {.list = names}};

	for (unsigned p = 0; p < GRANT_PEOPLE; p++)
		if ((bits >> p & 1u) != 0)
			names[people.principals.count++] = grants_name(p);
	return people;
}

static void write_policy(struct grant_file *f, unsigned group)
{
	static char ids[GRANT_GROUPS][4] = {"g0", "g1", "g2"};
	const struct grant_rules *rules = &f->rules[group];
	struct policy *policy = &f->policy[group];

	policy_defaults(policy);
	policy->min_ms = 1;
	policy->max_ms = rules->max_ms;
	policy->justification_required = false;
	policy->on_lost = rules->removes ? POLICY_LOST_REMOVE : POLICY_LOST_KEEP;
	f->eligible[group] = (struct policy_eligibility){people_of(rules->eligible, f->names[group][0]), 0,
							 rules->eligible_until_ms};
	f->glass[group] =
		(struct policy_eligibility){people_of(rules->glass, f->names[group][1]), 0, INT64_MAX};
	f->stage[group] = (struct policy_stage){.approvers = people_of(rules->approvers, f->names[group][2]),
						.needed = rules->needed,
						.timeout_ms = rules->wait_ms};
	policy->max_active = rules->most;
	policy->exclusive = (struct policy_names){.list = f->exclusive[group]};
	for (unsigned other = 0; other < GRANT_GROUPS; other++)
		if ((rules->excludes >> other & 1u) != 0)
			f->exclusive[group][policy->exclusive.count++] = ids[other];
	policy->eligible = (struct policy_eligibilities){&f->eligible[group], 1};
	policy->break_glass = (struct policy_eligibilities){&f->glass[group], 1};
	policy->approval = (struct policy_stages){&f->stage[group], rules->needed > 0 ? 1 : 0};
}

struct grant_file *grants_mine(struct grants *g)
{
	return &g->file[g->broker];
}

void grants_begin(struct grants *g, const char *function)
{
	g->lane->policies = grants_mine(g)->name;
	lane_begin(g->lane, function);
}

/* Sends the call, now and then twice. */
redisReply *grants_call(struct grants *g)
{
	if (grants_pick(g, 10) == 0)
		freeReplyObject(lane_send(g->lane));
	return lane_send(g->lane);
}

bool grants_has_word(struct grants *g, unsigned group, unsigned person, int64_t at_ms)
{
	redisReply *reply;
	bool has;

	grants_begin(g, "jit_eligible");
	lane_argf(g->lane, "g%u", group);
	lane_argf(g->lane, "p%u", person);
	lane_argf(g->lane, "%lld", (long long)at_ms);
	reply = lane_send(g->lane);
	has = lane_int(lane_at(reply, 3)) == 1;
	freeReplyObject(reply);
	return has;
}

static void plan_review(struct grants *g, unsigned group)
{
	grants_begin(g, "jit_plan_review");
	lane_argf(g->lane, "g%u", group);
	lane_argf(g->lane, "%d", GRANT_GRACE_MS + 50);
	freeReplyObject(grants_call(g));
}

/* A broker reads the newest file, in which something may have been changed before. */
void grants_reload(struct grants *g)
{
	struct grant_file *f = &g->file[g->broker];

	if (grants_pick(g, 2) == 0 || g->files == 0) {
		for (unsigned group = 0; group < GRANT_GROUPS; group++) {
			struct grant_rules *rules = &g->newest.rules[group];

			if (g->files > 0 && grants_pick(g, 2) == 0)
				continue;
			rules->eligible = grants_pick(g, 1u << GRANT_PEOPLE);
			rules->eligible |= grants_pick(g, 1u << GRANT_PEOPLE);
			rules->glass = grants_pick(g, 3) == 0 ? grants_pick(g, 1u << GRANT_PEOPLE) : 0;
			rules->approvers = grants_pick(g, 1u << GRANT_PEOPLE);
			rules->eligible_until_ms =
				grants_pick(g, 3) == 0 ? g->lane->now_ms + grants_pick(g, 20000) : LONG_LIFE;
			rules->max_ms = 2000 + grants_pick(g, 20000);
			rules->needed = grants_pick(g, 3);
			rules->wait_ms = 500 + grants_pick(g, 6000);
			rules->removes = grants_pick(g, 2) == 0;
			rules->most = grants_pick(g, 3) == 0 ? 1 + grants_pick(g, 3) : 0;
			rules->excludes = grants_pick(g, 4) == 0 ? 1u << (group + 1) % GRANT_GROUPS : 0;
		}
		snprintf(g->newest.name, sizeof(g->newest.name), "f%zu", g->files++);
	}
	f->told_ms = 0;
	memcpy(f->rules, g->newest.rules, sizeof(f->rules));
	memcpy(f->name, g->newest.name, sizeof(f->name));
	for (unsigned group = 0; group < GRANT_GROUPS; group++)
		write_policy(f, group);
	for (unsigned group = 0; group < GRANT_GROUPS; group++)
		if (f->rules[group].removes)
			plan_review(g, group);
}

/* -- pushes -------------------------------------------------------------------------------------------------- */

void grants_expect(struct grants *g, unsigned group, unsigned person, const char *what)
{
	if (!grant_holds(&g->oracle, group, person, g->lane->now_ms))
		fail_msg("GRANTS_SEED, step %zu: p%u %s g%u without a grant", g->step, person, what, group);
}

void grants_take_up(struct grants *g, const redisReply *order)
{
	struct grant_flight *f = g->flight;

	if (lane_at(order, 0) == NULL)
		return;
	while (f->used)
		assert_true(++f < g->flight + GRANT_FLIGHTS);
	memset(f, 0, sizeof(*f));
	f->used = true;
	snprintf(f->id, sizeof(f->id), "%s", lane_text(lane_at(order, 0)));
	f->group = (unsigned)(lane_text(lane_at(order, 2))[1] - '0');
	f->add = strcmp(lane_text(lane_at(order, 3)), "add") == 0;
	f->begin_ms = g->lane->now_ms;
	for (size_t i = 7; lane_at(order, i + 4) != NULL; i += 5) {
		unsigned person = (unsigned)(lane_text(lane_at(order, i))[1] - '0');

		assert_true(f->count < GRANT_PEOPLE);
		f->person[f->count++] = person;
		if (f->add)
			grants_expect(g, f->group, person, "is handed out to be added to");
	}
}

/* What a broker asks immediately before it sends. */
static void check_flight(struct grants *g, struct grant_flight *f)
{
	redisReply *reply;

	grants_begin(g, "jit_push_check");
	lane_arg(g->lane, f->id);
	reply = lane_send(g->lane);
	f->checked = true;
	for (size_t i = 0; i < f->count; i++) {
		f->wanted[i] = strcmp(lane_text(lane_at(reply, 0)), "ok") == 0 &&
			       lane_int(lane_at(reply, 3 + i)) != 0;
		if (f->wanted[i] && f->add) {
			grants_expect(g, f->group, f->person[i], "is sent to be added to");
			g->adds++;
		}
	}
	freeReplyObject(reply);
}

static void end_flight(struct grants *g, struct grant_flight *f)
{
	redisReply *reply;

	grants_begin(g, "jit_push_end");
	lane_arg(g->lane, GRANT_TERMS);
	lane_arg(g->lane, f->id);
	lane_arg(g->lane, "0");
	lane_arg(g->lane, "0");
	lane_arg(g->lane, "ok");
	lane_arg(g->lane, "words");
	lane_arg(g->lane, "0.5");
	lane_arg(g->lane, "7");
	for (size_t i = 0; i < f->count; i++) {
		bool done = f->wanted[i] && grants_pick(g, 5) > 0;

		lane_argf(g->lane, "p%u", f->person[i]);
		lane_arg(g->lane, done ? "done" : f->wanted[i] ? "retry" : "skipped");
		lane_arg(g->lane, done || !f->wanted[i] ? "0" : "1");
		lane_argf(g->lane, "%u", grants_pick(g, 2000));
		lane_arg(g->lane, "0");
		lane_arg(g->lane, done ? "" : "error");
		lane_arg(g->lane, "ids");
	}
	reply = grants_call(g);
	freeReplyObject(reply);
	f->used = false;
}

void grants_fly(struct grants *g)
{
	struct grant_flight *f = &g->flight[grants_pick(g, GRANT_FLIGHTS)];

	for (size_t i = 0; i < GRANT_FLIGHTS && !f->used; i++)
		f = &g->flight[(size_t)(f - g->flight + 1) % GRANT_FLIGHTS];
	if (!f->used)
		return;
	if (grants_pick(g, 20) == 0 || g->lane->now_ms >= f->begin_ms + 4000)
		f->used = false; /* its broker is dead */
	else if (!f->checked)
		check_flight(g, f);
	else
		end_flight(g, f);
}
