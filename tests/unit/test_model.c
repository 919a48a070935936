/*
 * A random walk through the function library: people, groups and two applications in one lane, everything that can
 * be asked, and everything that can go wrong with a push. After each step the lane must agree with itself and with
 * the audit events; when the faults stop, the applications' memberships must be exactly the desired ones; when all
 * is over, nothing may be left. MODEL_SEED=N and MODEL_STEPS=N choose another walk.
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

#include "tests/support/lane_snapshot.h"

#define APPS         2
#define GROUPS       4 /* of each application */
#define PEOPLE       5
#define FLIGHTS      64
#define REQUESTS_MAX 40000
#define DEADLINE_MS  3000
#define LEASE_MS     4000
#define KEEP_MS      20000
#define NEVER        INT64_MAX

/* A push that a broker carries out. */
struct flight {
	char id[16];
	int app, group;
	bool used, add, checked, sent;
	int64_t begin_ms;
	size_t count;
	int person[PEOPLE];
	bool wanted[PEOPLE], applied[PEOPLE];
};

struct model {
	struct lane *lane;
	uint64_t seed;
	size_t step, requests, pushes, repeats;
	int64_t next_due_ms;
	bool calm; /* no more faults, nobody asks for anything */
	char audit_from[48];
	unsigned char *state;              /* of each request, as the audit events say */
	bool member[APPS][GROUPS][PEOPLE]; /* what the applications have */
	struct flight flight[FLIGHTS];
	struct {
		bool add;
		char group[8], person[8];
	} handed[PEOPLE]; /* by the last call */
	size_t handed_count;
	int64_t cycle_started[APPS], cycle_done[APPS];
	size_t seen[ST_COUNT], takeovers, joins, cycles;
	struct snapshot snapshot;
};

static const char *const terms[APPS] = {
	"aws 3 5000 1 0 60000 0 2 3000 4000",
	"gcp 5 8000 3 4000 45000 7000 100 3000 4000",
};

static uint32_t pick(struct model *m, uint32_t bound)
{
	return lane_random(&m->seed, bound);
}

static int group_app(const char *group)
{
	return group[0] == 'a' ? 0 : 1;
}

static const char *group_name(int app, int group, char out[8])
{
	snprintf(out, 8, "%c%d", app == 0 ? 'a' : 'g', group);
	return out;
}

/* A sum over all keys and values. */
static void digest(struct model *m, char out[41])
{
	redisReply *reply =
		lane_command(m->lane, "EVAL %s 0",
			     "local keys = redis.call('KEYS', '*') table.sort(keys) local out = {} "
			     "for _, k in ipairs(keys) do out[#out + 1] = k .. redis.call('DUMP', k) end "
			     "return redis.sha1hex(table.concat(out))");

	snprintf(out, 41, "%s", lane_text(reply));
	freeReplyObject(reply);
}

/* Sends the call; now and then a second time, which must change nothing more. */
static redisReply *call(struct model *m)
{
	redisReply *reply = lane_send(m->lane);
	int64_t next = lane_int(lane_at(reply, 2));

	m->next_due_ms = next > 0 ? next : NEVER;
	if (pick(m, 8) == 0) {
		char before[41], after[41];

		digest(m, before);
		freeReplyObject(lane_send(m->lane));
		digest(m, after);
		if (strcmp(before, after) != 0)
			fail_msg("step %zu: %s made once more has changed something", m->step,
				 m->lane->text + m->lane->at[1]);
		m->repeats++;
	}
	return reply;
}

/* A call that is about an application. */
static void begin(struct model *m, const char *function, int app)
{
	lane_begin(m->lane, function);
	lane_arg(m->lane, terms[app]);
}

static struct flight *free_flight(struct model *m)
{
	for (size_t i = 0; i < FLIGHTS; i++)
		if (!m->flight[i].used)
			return &m->flight[i];
	fail_msg("step %zu: more than %d pushes at once", m->step, FLIGHTS);
	return NULL;
}

static void take_up(struct model *m, const redisReply *order)
{
	struct flight *f;

	if (lane_at(order, 0) == NULL)
		return;
	f = free_flight(m);
	memset(f, 0, sizeof(*f));
	f->used = true;
	snprintf(f->id, sizeof(f->id), "%s", lane_text(lane_at(order, 0)));
	f->app = strcmp(lane_text(lane_at(order, 1)), "aws") == 0 ? 0 : 1;
	assert_int_equal(group_app(lane_text(lane_at(order, 2))), f->app);
	f->group = lane_text(lane_at(order, 2))[1] - '0';
	f->add = strcmp(lane_text(lane_at(order, 3)), "add") == 0;
	f->begin_ms = m->lane->now_ms;
	m->cycles += lane_int(lane_at(order, 4)) != 0;
	for (size_t i = 6; lane_at(order, i + 2) != NULL; i += 3) {
		const char *person = lane_text(lane_at(order, i));

		assert_true(f->count < PEOPLE);
		m->handed[m->handed_count].add = f->add;
		snprintf(m->handed[m->handed_count].person, 8, "%s", person);
		group_name(f->app, f->group, m->handed[m->handed_count++].group);
		f->person[f->count++] = person[1] - '0';
	}
}

static void submit(struct model *m)
{
	int app = (int)pick(m, APPS);
	bool again = pick(m, 10) == 0 && m->requests > 0;
	size_t number = again ? m->requests - 1 - pick(m, m->requests < 20 ? (uint32_t)m->requests : 20)
			      : m->requests++;
	char group[8];
	redisReply *reply;

	assert_true(m->requests < REQUESTS_MAX);
	begin(m, "jit_submit", app);
	lane_argf(m->lane, "r%zu", number);
	lane_argf(m->lane, "s%zu", m->pushes++);
	lane_arg(m->lane, "{}");
	lane_arg(m->lane, "name");
	lane_arg(m->lane, pick(m, 10) == 0 ? "1" : "0");
	lane_arg(m->lane, "ac");
	lane_arg(m->lane, pick(m, 12) == 0   ? "adminUpdate"
			  : pick(m, 12) == 0 ? "adminAssign"
					     : "selfActivate");
	lane_arg(m->lane, "ap");
	lane_arg(m->lane, app == 0 ? "aws" : "gcp");
	lane_arg(m->lane, "g");
	lane_arg(m->lane, group_name(app, (int)pick(m, GROUPS), group));
	lane_arg(m->lane, "p");
	lane_argf(m->lane, "p%u", pick(m, PEOPLE));
	lane_arg(m->lane, "by");
	lane_arg(m->lane, "asker");
	lane_arg(m->lane, "h");
	lane_argf(m->lane, "h%zu", number);
	lane_arg(m->lane, "d");
	lane_argf(m->lane, "%u", 1 + pick(m, pick(m, 2) ? 6000 : 90000));
	lane_arg(m->lane, "a");
	lane_argf(m->lane, "%lld", (long long)m->lane->now_ms + (pick(m, 4) == 0 ? (int)pick(m, 9000) : 0));
	lane_arg(m->lane, "aw");
	lane_arg(m->lane, pick(m, 8) == 0 ? "4000" : "");
	lane_arg(m->lane, "limits");
	lane_arg(m->lane, pick(m, 4) == 0 ? "3 a0,g1" : "");
	lane_arg(m->lane, "ck");
	lane_arg(m->lane, pick(m, 8) == 0 ? "1" : "");
	reply = call(m);
	take_up(m, lane_at(reply, 4));
	freeReplyObject(reply);
}

static size_t recent(struct model *m)
{
	size_t most = m->requests < 40 ? m->requests : 40;

	return most == 0 ? 0 : m->requests - 1 - pick(m, (uint32_t)most);
}

static void decide(struct model *m)
{
	size_t number = recent(m);
	redisReply *reply;

	/* The request's application is not known here, and the terms must be those of its own. */
	for (int app = 0; app < APPS; app++) {
		bool mine = false;

		for (size_t i = 0; i < m->snapshot.request_count; i++)
			mine = mine || (strtoull(m->snapshot.request[i].id + 1, NULL, 10) == number &&
					m->snapshot.request[i].state == ST_AWAITING &&
					group_app(m->snapshot.request[i].group) == app);
		if (!mine)
			continue;
		begin(m, "jit_decide", app);
		lane_argf(m->lane, "r%zu", number);
		lane_argf(m->lane, "s%zu", m->pushes++);
		lane_arg(m->lane, "");
		lane_argf(m->lane, "%u", 1 + pick(m, 2));
		lane_argf(m->lane, "lead%u", pick(m, 3));
		lane_arg(m->lane, "Lead");
		lane_arg(m->lane, pick(m, 4) == 0 ? "Deny" : "Approve");
		lane_arg(m->lane, "why");
		lane_arg(m->lane, "1");
		lane_argf(m->lane, "%u", 1 + (unsigned)(number % 2));
		lane_arg(m->lane, "3000");
		reply = call(m);
		take_up(m, lane_at(reply, 4));
		freeReplyObject(reply);
	}
}

static void cancel(struct model *m)
{
	lane_begin(m->lane, "jit_cancel");
	lane_argf(m->lane, "r%zu", recent(m));
	lane_argf(m->lane, "p%u", pick(m, PEOPLE));
	lane_arg(m->lane, pick(m, 2) ? "1" : "0");
	freeReplyObject(call(m));
}

static void refuse(struct model *m)
{
	lane_begin(m->lane, "jit_refuse");
	lane_argf(m->lane, "r%zu", recent(m));
	lane_arg(m->lane, "policy");
	freeReplyObject(call(m));
}

static void deactivate(struct model *m)
{
	int app = (int)pick(m, APPS);
	char group[8];

	assert_true(m->requests < REQUESTS_MAX);
	begin(m, "jit_deactivate", app);
	lane_argf(m->lane, "r%zu", m->requests++);
	lane_arg(m->lane, pick(m, 10) == 0 ? "1" : "0");
	lane_arg(m->lane, "ac");
	lane_arg(m->lane, pick(m, 3) == 0 ? "adminRemove" : "selfDeactivate");
	lane_arg(m->lane, "ap");
	lane_arg(m->lane, app == 0 ? "aws" : "gcp");
	lane_arg(m->lane, "g");
	lane_arg(m->lane, group_name(app, (int)pick(m, GROUPS), group));
	lane_arg(m->lane, "p");
	lane_argf(m->lane, "p%u", pick(m, PEOPLE));
	lane_arg(m->lane, "by");
	lane_arg(m->lane, "asker");
	freeReplyObject(call(m));
}

static void start(struct model *m, const char *id)
{
	for (size_t i = 0; i < m->snapshot.request_count; i++) {
		const struct snapshot_request *r = &m->snapshot.request[i];
		redisReply *reply;

		if (strcmp(r->id, id) != 0)
			continue;
		begin(m, "jit_start", group_app(r->group));
		lane_arg(m->lane, id);
		lane_argf(m->lane, "s%zu", m->pushes++);
		lane_arg(m->lane, pick(m, 4) == 0 ? "3" : "");
		reply = call(m);
		take_up(m, lane_at(reply, 3));
		freeReplyObject(reply);
		return;
	}
}

static bool pump(struct model *m, int app)
{
	redisReply *reply;
	bool pushed;

	begin(m, "jit_pump", app);
	lane_argf(m->lane, "s%zu", m->pushes++);
	reply = call(m);
	pushed = strcmp(lane_text(lane_at(reply, 0)), "push") == 0;
	take_up(m, lane_at(reply, 3));
	freeReplyObject(reply);
	return pushed;
}

static void check_handed(struct model *m);

static void cycle(struct model *m, int app)
{
	begin(m, "jit_cycle", app);
	freeReplyObject(call(m));
}

/* Looks at the timetable. What is claimed is carried out, unless the broker dies with it. */
static void look(struct model *m)
{
	redisReply *reply;

	lane_begin(m->lane, "jit_due");
	lane_arg(m->lane, "2000");
	lane_arg(m->lane, pick(m, 5) == 0 ? "3" : "100");
	reply = lane_send(m->lane);
	for (size_t i = 3; lane_at(reply, i + 1) != NULL; i += 2) {
		const char *id = lane_text(lane_at(reply, i + 1));
		int app = strcmp(id, "aws") == 0 ? 0 : 1;

		if (!m->calm && pick(m, 10) == 0)
			continue;
		snapshot_release(&m->snapshot);
		snapshot_take(&m->snapshot, m->lane);
		switch (lane_text(lane_at(reply, i))[0]) {
		case 's':
			start(m, id);
			break;
		case 'c':
			cycle(m, app);
			break;
		default:
			while (pump(m, app) && (m->calm || pick(m, 4) > 0))
				check_handed(m);
		}
		check_handed(m);
	}
	freeReplyObject(reply);
}

/* Immediately before the broker sends: who is still wanted? */
static void check(struct model *m, struct flight *f)
{
	redisReply *reply;
	bool held;

	lane_begin(m->lane, "jit_push_check");
	lane_arg(m->lane, f->id);
	reply = lane_send(m->lane);
	held = strcmp(lane_text(lane_at(reply, 0)), "ok") == 0;
	for (size_t i = 0; i < f->count; i++)
		f->wanted[i] = held && lane_int(lane_at(reply, 3 + i)) != 0;
	freeReplyObject(reply);
	f->checked = true;
	/* The claim outlives the deadline, so it cannot be lost before that. */
	assert_true(held);
}

static void apply(struct model *m, struct flight *f)
{
	for (size_t i = 0; i < f->count; i++) {
		f->applied[i] = f->wanted[i] && (m->calm || pick(m, 4) > 0);
		if (f->applied[i])
			m->member[f->app][f->group][f->person[i]] = f->add;
	}
	f->sent = true;
}

/* What the broker believes came of one member: what it says for sure is so. */
static void tell_member(struct model *m, const struct flight *f, size_t i)
{
	uint32_t fate = pick(m, 6);
	bool doubt = f->applied[i] || pick(m, 2) == 0;
	const char *verdict = fate < 4 ? "retry" : "refused";

	lane_argf(m->lane, "p%d", f->person[i]);
	if ((!f->checked || !f->wanted[i]) && (m->calm || pick(m, 3) > 0)) {
		verdict = "skipped";
		doubt = false;
	} else if (f->applied[i] && (m->calm || fate > 0)) {
		verdict = "done";
		doubt = false;
	}
	lane_arg(m->lane, verdict);
	lane_arg(m->lane, doubt ? "1" : "0");
	lane_argf(m->lane, "%d", f->add && pick(m, 4) == 0 ? -1 : (int)pick(m, 4000));
	lane_arg(m->lane, strcmp(verdict, "done") == 0 ? "" : "error");
}

static void end(struct model *m, struct flight *f)
{
	redisReply *reply;

	begin(m, "jit_push_end", f->app);
	lane_arg(m->lane, f->id);
	lane_arg(m->lane, !m->calm && pick(m, 8) == 0 ? "1" : "0");
	lane_argf(m->lane, "%u", !m->calm && pick(m, 12) == 0 ? pick(m, 9000) : 0);
	for (size_t i = 0; i < f->count; i++)
		tell_member(m, f, i);
	reply = call(m);
	if (m->lane->now_ms < f->begin_ms + LEASE_MS)
		assert_string_equal(lane_text(lane_at(reply, 0)), "ok");
	m->takeovers += strcmp(lane_text(lane_at(reply, 0)), "gone") == 0;
	freeReplyObject(reply);
	f->used = false;
}

/* The next thing that happens to a push: asked, sent, ended, or its broker dies. */
static void advance(struct model *m, struct flight *f)
{
	bool late = m->lane->now_ms >= f->begin_ms + DEADLINE_MS;

	if (!m->calm && pick(m, 15) == 0)
		f->used = false;
	else if (!f->checked && !late)
		check(m, f);
	else if (!f->sent && !late && (m->calm || pick(m, 10) > 0))
		apply(m, f);
	else
		end(m, f);
}

static void advance_some(struct model *m)
{
	struct flight *f = &m->flight[pick(m, FLIGHTS)];

	for (size_t i = 0; i < FLIGHTS && !f->used; i++)
		f = &m->flight[(size_t)(f - m->flight + 1) % FLIGHTS];
	if (f->used)
		advance(m, f);
}

/* Nobody was handed out to be added without a wish, nor to be removed against one. */
static void check_handed(struct model *m)
{
	snapshot_release(&m->snapshot);
	snapshot_take(&m->snapshot, m->lane);
	for (size_t i = 0; i < m->handed_count; i++)
		if (snapshot_desired(&m->snapshot, m->handed[i].group, m->handed[i].person) !=
		    m->handed[i].add)
			fail_msg("step %zu: %s of %s in %s is not what is wanted", m->step,
				 m->handed[i].add ? "add" : "remove", m->handed[i].person,
				 m->handed[i].group);
	m->handed_count = 0;
}

static bool has_way_out(enum state state)
{
	for (enum event event = 0; event < EV_COUNT; event++)
		if (states_find(state, event) != NULL)
			return true;
	return false;
}

static void replay_event(struct model *m, const redisReply *fields)
{
	size_t number = strtoull(lane_text(lane_field(fields, "r")) + 1, NULL, 10);
	enum state from = state_by_name(lane_text(lane_field(fields, "f")));
	enum state to = state_by_name(lane_text(lane_field(fields, "t")));
	const struct rule *rule = NULL;

	/* The id of a request that is forgotten may be used again. */
	if (from == ST_NEW && !has_way_out((enum state)m->state[number]))
		m->state[number] = ST_NEW;
	for (enum event event = 0; event < EV_COUNT; event++)
		if (strcmp(event_name(event), lane_text(lane_field(fields, "e"))) == 0)
			rule = states_find(from, event);
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
		bool has = m->member[group_app(s->group)][s->group[1] - '0'][s->person[1] - '0'];

		if (s->push[0] == '\0' && s->has < 2 && (s->has == 1) != has)
			fail_msg("step %zu: %s in %s is believed to be %s", m->step, s->person, s->group,
				 has ? "absent" : "there");
	}
	for (int app = 0; app < APPS; app++) {
		redisReply *reply;
		const redisReply *v;
		int64_t done;

		begin(m, "jit_application", app);
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
	check_handed(m);
	snapshot_check(&m->snapshot);
	check_audit(m);
	check_applications(m);
}

static void let_time_pass(struct model *m)
{
	uint32_t how = pick(m, 60);

	if (how == 0)
		m->lane->now_ms += pick(m, 60000);
	else if (how < 12 && m->next_due_ms != NEVER && m->next_due_ms > m->lane->now_ms)
		m->lane->now_ms = m->next_due_ms;
	else
		m->lane->now_ms += pick(m, 400);
}

static void walk(struct model *m)
{
	uint32_t what = pick(m, 100);

	if (what < 22)
		let_time_pass(m);
	else if (what < 36)
		submit(m);
	else if (what < 39)
		cancel(m);
	else if (what < 42)
		deactivate(m);
	else if (what < 43)
		refuse(m);
	else if (what < 47)
		decide(m);
	else if (what < 58)
		look(m);
	else if (what < 61)
		pump(m, (int)pick(m, APPS));
	else if (what < 62)
		cycle(m, (int)pick(m, APPS));
	else
		advance_some(m);
	check_all(m);
}

/* Everybody lives and every application answers, for so long. */
static void calm_down(struct model *m, int64_t ms)
{
	int64_t until = m->lane->now_ms + ms;

	m->calm = true;
	while (m->lane->now_ms < until) {
		bool flying = false;

		m->step++;
		for (size_t i = 0; i < FLIGHTS; i++) {
			flying = flying || m->flight[i].used;
			while (m->flight[i].used)
				advance(m, &m->flight[i]);
		}
		look(m);
		check_all(m);
		if (!flying)
			m->lane->now_ms += 500;
	}
	m->calm = false;
}

static void check_memberships(struct model *m)
{
	for (int app = 0; app < APPS; app++) {
		for (int g = 0; g < GROUPS; g++) {
			for (int p = 0; p < PEOPLE; p++) {
				char group[8], person[8];
				bool wanted;

				group_name(app, g, group);
				snprintf(person, sizeof(person), "p%d", p);
				wanted = snapshot_desired(&m->snapshot, group, person);
				if (wanted != m->member[app][g][p])
					fail_msg("step %zu: %s in %s is %s, wanted is the contrary", m->step,
						 person, group, wanted ? "absent" : "there");
			}
		}
	}
}

/* All assignments have ended and the history is over: names and the cycles are all that is kept. */
static void check_nothing_left(struct model *m)
{
	redisReply *reply =
		lane_command(m->lane, "EVAL %s 0",
			     "local out = {} for _, k in ipairs(redis.call('KEYS', '*')) do k = k:sub(6) "
			     "if not k:match('^[ugc][n]?:') and not k:match('^bc?:') and k ~= 'audit' then "
			     "out[#out + 1] = k end end return table.concat(out, ' ')");

	assert_string_equal(lane_text(reply), "tt");
	freeReplyObject(reply);
	reply = lane_command(m->lane, "ZRANGE %stt 0 -1", LANE_PREFIX);
	for (size_t i = 0; lane_at(reply, i) != NULL; i++)
		if (lane_text(lane_at(reply, i))[0] != 'c')
			fail_msg("%s is left in the timetable", lane_text(lane_at(reply, i)));
	assert_int_equal(reply->elements, APPS);
	freeReplyObject(reply);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void test_random_walk(void **state)
{
	uint64_t steps = from_environment("MODEL_STEPS", 6000);
	struct model *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->state = calloc(REQUESTS_MAX, 1);
	assert_non_null(m->state);
	m->lane = *state;
	m->lane->keep_ms = KEEP_MS;
	m->seed = from_environment("MODEL_SEED", 1);
	m->next_due_ms = NEVER;
	snprintf(m->audit_from, sizeof(m->audit_from), "-");
	print_message("MODEL_SEED=%llu\n", (unsigned long long)m->seed);
	for (int app = 0; app < APPS; app++) {
		begin(m, "jit_plan_cycle", app);
		freeReplyObject(call(m));
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
	for (enum state s = ST_NEW + 1; s < ST_COUNT; s++)
		if (m->seen[s] == 0)
			fail_msg("no request was ever %s: the walk is too short to tell anything",
				 state_name(s));
	snapshot_release(&m->snapshot);
	free(m->state);
	free(m);
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
	};

	return cmocka_run_group_tests(tests, open_lane, close_lane);
}
