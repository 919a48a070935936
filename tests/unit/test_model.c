/*
 * A random walk through the function library (tests/support/lane_model.h). After each step the lane must agree with
 * itself and with the audit events; when the faults stop, the applications' memberships must be exactly the desired
 * ones; when all is over, nothing may be left. MODEL_SEED=N and MODEL_STEPS=N choose another walk.
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

#include "tests/support/lane_model.h"
#include "tests/support/rules.h"

static bool has_way_out(enum state state)
{
	for (enum event event = 0; event < EV_COUNT; event++)
		if (rules_find(state, event) != NULL)
			return true;
	return false;
}

static void replay_event(struct model *m, const redisReply *fields)
{
	size_t number = strtoull(lane_text(lane_field(fields, "r")) + 1, NULL, 10);
	enum state from = state_by_name(lane_text(lane_field(fields, "f")));
	enum state to = state_by_name(lane_text(lane_field(fields, "t")));
	const struct rule *rule = NULL;

	if (lane_text(lane_field(fields, "t"))[0] == '\0')
		return; /* of an application, or no transition */
	/* The id of a request that is forgotten may be used again. */
	if (from == ST_NEW && !has_way_out((enum state)m->state[number]))
		m->state[number] = ST_NEW;
	for (enum event event = 0; event < EV_COUNT; event++)
		if (strcmp(event_name(event), lane_text(lane_field(fields, "e"))) == 0)
			rule = rules_find(from, event);
	if (rule == NULL || rule->to != to || m->state[number] != (unsigned char)from)
		fail_msg("step %zu: audit says %s of r%zu, %s to %s; it was %s", m->step,
			 lane_text(lane_field(fields, "e")), number, lane_text(lane_field(fields, "f")),
			 lane_text(lane_field(fields, "t")), state_name((enum state)m->state[number]));
	m->state[number] = (unsigned char)to;
	m->seen[to]++;
	m->joins += strcmp(lane_text(lane_field(fields, "e")), "join") == 0;
}

/* The states are what the audit events since the beginning make of them. */
static void check_audit(struct model *m)
{
	redisReply *reply = lane_command(m->lane, "XRANGE %saudit %s +", LANE_PREFIX, m->audit_from);

	for (size_t i = 0; lane_at(reply, i) != NULL; i++) {
		replay_event(m, lane_at(lane_at(reply, i), 1));
		snprintf(m->audit_from, sizeof(m->audit_from), "(%s",
			 lane_text(lane_at(lane_at(reply, i), 0)));
	}
	freeReplyObject(reply);
	for (size_t i = 0; i < m->snapshot.request_count; i++) {
		const struct snapshot_request *r = &m->snapshot.request[i];
		size_t number = strtoull(r->id + 1, NULL, 10);

		if (m->state[number] != (unsigned char)r->state)
			fail_msg("step %zu: %s is %s, the audit events say %s", m->step, r->id,
				 state_name(r->state), state_name((enum state)m->state[number]));
	}
}

/* What the broker believes of the applications is so, and the cycle goes forward only. */
static void check_applications(struct model *m)
{
	for (size_t i = 0; i < m->snapshot.member_count; i++) {
		const struct snapshot_member *s = &m->snapshot.member[i];
		bool has = m->member[model_app(s->group)][s->group[1] - '0'][s->person[1] - '0'];

		if (s->push[0] == '\0' && s->has < 2 && (s->has == 1) != has)
			fail_msg("step %zu: %s in %s is believed to be %s", m->step, s->person, s->group,
				 has ? "absent" : "there");
	}
	for (int app = 0; app < MODEL_APPS; app++) {
		redisReply *reply;
		const redisReply *v;
		int64_t done;

		model_begin(m, "jit_application", app);
		reply = lane_send(m->lane);
		v = lane_at(reply, 3);
		done = lane_int(lane_field(v, "total")) - lane_int(lane_field(v, "left"));
		if (lane_int(lane_field(v, "started")) == m->cycle_started[app] && done < m->cycle_done[app])
			fail_msg("step %zu: the cycle of %d went back to %lld of %lld", m->step, app,
				 (long long)done, (long long)lane_int(lane_field(v, "total")));
		assert_true(done >= 0);
		m->cycle_started[app] = lane_int(lane_field(v, "started"));
		m->cycle_done[app] = done;
		freeReplyObject(reply);
	}
}

static void check_all(struct model *m)
{
	model_check_handed(m);
	snapshot_check(&m->snapshot);
	check_audit(m);
	check_applications(m);
}

static void let_time_pass(struct model *m)
{
	uint32_t how = model_pick(m, 60);

	if (how == 0)
		m->lane->now_ms += model_pick(m, 60000);
	else if (how < 12 && m->next_due_ms != MODEL_NEVER && m->next_due_ms > m->lane->now_ms)
		m->lane->now_ms = m->next_due_ms;
	else
		m->lane->now_ms += model_pick(m, 400);
}

static void operate(struct model *m, const char *what)
{
	model_begin(m, "jit_operate", (int)model_pick(m, MODEL_APPS));
	lane_arg(m->lane, what);
	freeReplyObject(model_call(m));
}

static void walk(struct model *m)
{
	uint32_t what = model_pick(m, 100);

	if (what < 22)
		let_time_pass(m);
	else if (what < 36)
		model_submit(m);
	else if (what < 39)
		model_cancel(m);
	else if (what < 42)
		model_deactivate(m);
	else if (what < 43)
		model_refuse(m);
	else if (what < 47)
		model_decide(m);
	else if (what < 58)
		model_look(m);
	else if (what < 61)
		model_pump(m, (int)model_pick(m, MODEL_APPS));
	else if (what < 62)
		model_cycle(m, (int)model_pick(m, MODEL_APPS));
	else if (what < 64)
		model_provision(m);
	else if (what < 65)
		operate(m, model_pick(m, 3) == 0 ? "pause" : "resume");
	else
		model_advance_some(m);
	check_all(m);
}

/* Everybody lives and every application answers, for so long. */
static void calm_down(struct model *m, int64_t ms)
{
	int64_t until = m->lane->now_ms + ms;

	m->calm = true;
	for (int i = 0; i < 20; i++)
		operate(m, "resume");
	while (m->lane->now_ms < until) {
		bool flying = false;

		m->step++;
		for (size_t i = 0; i < MODEL_FLIGHTS; i++) {
			flying = flying || m->flight[i].used;
			while (m->flight[i].used)
				model_advance(m, &m->flight[i]);
		}
		model_look(m);
		check_all(m);
		if (!flying)
			m->lane->now_ms += 500;
	}
	m->calm = false;
}

static void check_memberships(struct model *m)
{
	for (int app = 0; app < MODEL_APPS; app++) {
		for (int g = 0; g < MODEL_GROUPS; g++) {
			for (int p = 0; p < MODEL_PEOPLE; p++) {
				char group[MODEL_NAME], person[MODEL_NAME];
				bool wanted;

				model_group(app, g, group);
				snprintf(person, sizeof(person), "p%d", p);
				wanted = snapshot_desired(&m->snapshot, group, person);
				if (wanted != m->member[app][g][p])
					fail_msg("step %zu: %s in %s is %s, wanted is the contrary", m->step,
						 person, group, wanted ? "absent" : "there");
			}
		}
	}
}

/* All assignments have ended and the history is over: names, the cycles and, for a day, who was
 * removed are all that is kept. */
static void check_nothing_left(struct model *m)
{
	redisReply *reply =
		lane_command(m->lane, "EVAL %s 0",
			     "local out = {} for _, k in ipairs(redis.call('KEYS', '*')) do k = k:sub(6) "
			     "if not k:match('^[ugclh][nhi]?:') and not k:match('^bc?:') and "
			     "not k:match('^gone:') and k:match('^audit') == nil and k ~= 'ni' then "
			     "out[#out + 1] = k end end return table.concat(out, ' ')");

	assert_string_equal(lane_text(reply), "tt");
	freeReplyObject(reply);
	reply = lane_command(m->lane, "ZRANGE %stt 0 -1", LANE_PREFIX);
	for (size_t i = 0; lane_at(reply, i) != NULL; i++)
		if (lane_text(lane_at(reply, i))[0] != 'c')
			fail_msg("%s is left in the timetable", lane_text(lane_at(reply, i)));
	assert_int_equal(reply->elements, MODEL_APPS);
	freeReplyObject(reply);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void run(struct lane *lane, uint64_t steps, bool told)
{
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->state = calloc(MODEL_REQUESTS_MAX, 1);
	assert_non_null(m->state);
	lane_empty(lane);
	m->lane = lane;
	m->lane->keep_ms = MODEL_KEEP_MS;
	if (told)
		snprintf(lane->tells, sizeof(lane->tells), " 2000 3000 %s", LANE_KINDS);
	m->seed = from_environment("MODEL_SEED", 1);
	m->next_due_ms = MODEL_NEVER;
	snprintf(m->audit_from, sizeof(m->audit_from), "-");
	print_message("MODEL_SEED=%llu\n", (unsigned long long)m->seed);
	for (int app = 0; app < MODEL_APPS; app++) {
		model_begin(m, "jit_plan_cycle", app);
		freeReplyObject(model_call(m));
	}
	snapshot_take(&m->snapshot, m->lane);
	for (uint64_t i = 1; i <= steps; i++) {
		m->step++;
		walk(m);
		/* Two cycles and an old claim are what the slowest way to the application takes. */
		if (i % 1000 == 0) {
			calm_down(m, 150000);
			check_memberships(m);
		}
	}
	calm_down(m, 400000);
	check_memberships(m);
	check_nothing_left(m);
	print_message(
		"%zu requests, %zu repeated calls, %zu ends too late, %zu joined, %zu pushes of cycles\n",
		m->requests, m->repeats, m->takeovers, m->joins, m->cycles);
	if (told && (m->told == 0 || m->delivered < m->told))
		fail_msg("%zu notices were spread, but there were %zu attempts to deliver them", m->told,
			 m->delivered);
	for (enum state s = ST_NEW + 1; s < ST_COUNT; s++)
		if (m->seen[s] == 0)
			fail_msg("no request was ever %s: the walk is too short to tell anything",
				 state_name(s));
	snapshot_release(&m->snapshot);
	free(m->state);
	free(m);
}

static void test_random_walk(void **state)
{
	run(*state, from_environment("MODEL_STEPS", 6000), false);
}

/* The same while somebody wants to know everything: it changes nothing, and everything is delivered. Half as far, because
 * what the lane does by itself the other walk has seen. */
static void test_random_walk_told(void **state)
{
	run(*state, from_environment("MODEL_STEPS", 3000), true);
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
		cmocka_unit_test(test_random_walk),
		cmocka_unit_test(test_random_walk_told),
	};

	return cmocka_run_group_tests(tests, open_lane, close_lane);
}
