#include "tests/support/lane_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const terms[MODEL_APPS] = {
	"aws 3 5000 1 0 60000 0 2 3000 4000",
	"gcp 5 8000 3 4000 45000 7000 100 3000 4000",
};

uint32_t model_pick(struct model *m, uint32_t bound)
{
	return lane_random(&m->seed, bound);
}

int model_app(const char *group)
{
	return group[0] == 'a' ? 0 : 1;
}

const char *model_group(int app, int group, char out[MODEL_NAME])
{
	snprintf(out, MODEL_NAME, "%c%d", app == 0 ? 'a' : 'g', group);
	return out;
}

/* A sum over all keys and values, but for the closing of a bucket, which Redis itself deletes by its own clock. */
static void digest(struct model *m, char out[41])
{
	redisReply *reply =
		lane_command(m->lane, "EVAL %s 0",
			     "local keys = redis.call('KEYS', '*') table.sort(keys) local out = {} "
			     "for _, k in ipairs(keys) do if not k:match(':bc:') then "
			     "out[#out + 1] = k .. redis.call('DUMP', k) end end "
			     "return redis.sha1hex(table.concat(out))");

	snprintf(out, 41, "%s", lane_text(reply));
	freeReplyObject(reply);
}

/* Sends the call; now and then a second time, which must change nothing more. */
redisReply *model_call(struct model *m)
{
	redisReply *reply = lane_send(m->lane);
	int64_t next = lane_int(lane_at(reply, 2));

	m->next_due_ms = next > 0 ? next : MODEL_NEVER;
	if (model_pick(m, 8) == 0) {
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
void model_begin(struct model *m, const char *function, int app)
{
	lane_begin(m->lane, function);
	lane_arg(m->lane, terms[app]);
}

static struct model_flight *free_flight(struct model *m)
{
	for (size_t i = 0; i < MODEL_FLIGHTS; i++)
		if (!m->flight[i].used)
			return &m->flight[i];
	fail_msg("step %zu: more than %d pushes at once", m->step, MODEL_FLIGHTS);
	return NULL;
}

static void take_up(struct model *m, const redisReply *order)
{
	struct model_flight *f;

	if (lane_at(order, 0) == NULL)
		return;
	f = free_flight(m);
	memset(f, 0, sizeof(*f));
	f->used = true;
	snprintf(f->id, sizeof(f->id), "%s", lane_text(lane_at(order, 0)));
	f->app = strcmp(lane_text(lane_at(order, 1)), "aws") == 0 ? 0 : 1;
	assert_int_equal(model_app(lane_text(lane_at(order, 2))), f->app);
	f->group = lane_text(lane_at(order, 2))[1] - '0';
	f->add = strcmp(lane_text(lane_at(order, 3)), "add") == 0;
	f->begin_ms = m->lane->now_ms;
	m->cycles += lane_int(lane_at(order, 4)) != 0;
	for (size_t i = 7; lane_at(order, i + 4) != NULL; i += 5) {
		const char *person = lane_text(lane_at(order, i));

		assert_true(f->count < MODEL_PEOPLE);
		m->handed[m->handed_count].add = f->add;
		snprintf(m->handed[m->handed_count].person, MODEL_NAME, "%s", person);
		model_group(f->app, f->group, m->handed[m->handed_count++].group);
		f->person[f->count++] = person[1] - '0';
	}
}

void model_submit(struct model *m)
{
	int app = (int)model_pick(m, MODEL_APPS);
	bool again = model_pick(m, 10) == 0 && m->requests > 0;
	size_t number = again ? m->requests - 1 - model_pick(m, m->requests < 20 ? (uint32_t)m->requests : 20)
			      : m->requests++;
	char group[MODEL_NAME];
	redisReply *reply;

	assert_true(m->requests < MODEL_REQUESTS_MAX);
	model_begin(m, "jit_submit", app);
	lane_argf(m->lane, "r%zu", number);
	lane_argf(m->lane, "s%zu", m->pushes++);
	lane_arg(m->lane, "{}");
	lane_arg(m->lane, "name");
	lane_arg(m->lane, model_pick(m, 10) == 0 ? "1" : "0");
	lane_arg(m->lane, "ac");
	lane_arg(m->lane, model_pick(m, 12) == 0   ? "adminUpdate"
			  : model_pick(m, 12) == 0 ? "adminAssign"
						   : "selfActivate");
	lane_arg(m->lane, "ap");
	lane_arg(m->lane, app == 0 ? "aws" : "gcp");
	lane_arg(m->lane, "g");
	lane_arg(m->lane, model_group(app, (int)model_pick(m, MODEL_GROUPS), group));
	lane_arg(m->lane, "p");
	lane_argf(m->lane, "p%u", model_pick(m, MODEL_PEOPLE));
	lane_arg(m->lane, "by");
	lane_arg(m->lane, "asker");
	lane_arg(m->lane, "h");
	lane_argf(m->lane, "h%zu", number);
	lane_arg(m->lane, "d");
	lane_argf(m->lane, "%u", 1 + model_pick(m, model_pick(m, 2) ? 6000 : 90000));
	lane_arg(m->lane, "a");
	lane_argf(m->lane, "%lld",
		  (long long)m->lane->now_ms + (model_pick(m, 4) == 0 ? (int)model_pick(m, 9000) : 0));
	lane_arg(m->lane, "aw");
	lane_arg(m->lane, model_pick(m, 8) == 0 ? "4000" : "");
	lane_arg(m->lane, "limits");
	lane_arg(m->lane, model_pick(m, 4) == 0 ? "3 a0,g1" : "");
	lane_arg(m->lane, "ck");
	lane_arg(m->lane, model_pick(m, 8) == 0 ? "1" : "");
	reply = model_call(m);
	take_up(m, lane_at(reply, 4));
	freeReplyObject(reply);
}

static size_t recent(struct model *m)
{
	size_t most = m->requests < 40 ? m->requests : 40;

	return most == 0 ? 0 : m->requests - 1 - model_pick(m, (uint32_t)most);
}

void model_decide(struct model *m)
{
	size_t number = recent(m);
	redisReply *reply;

	/* The request's application is not known here, and the terms must be those of its own. */
	for (int app = 0; app < MODEL_APPS; app++) {
		bool mine = false;

		for (size_t i = 0; i < m->snapshot.request_count; i++)
			mine = mine || (strtoull(m->snapshot.request[i].id + 1, NULL, 10) == number &&
					m->snapshot.request[i].state == ST_AWAITING &&
					model_app(m->snapshot.request[i].group) == app);
		if (!mine)
			continue;
		model_begin(m, "jit_decide", app);
		lane_argf(m->lane, "r%zu", number);
		lane_argf(m->lane, "s%zu", m->pushes++);
		lane_arg(m->lane, "");
		lane_argf(m->lane, "%u", 1 + model_pick(m, 2));
		lane_argf(m->lane, "lead%u", model_pick(m, 3));
		lane_arg(m->lane, "Lead");
		lane_arg(m->lane, model_pick(m, 4) == 0 ? "Deny" : "Approve");
		lane_arg(m->lane, "why");
		lane_arg(m->lane, "1");
		lane_argf(m->lane, "%u", 1 + (unsigned)(number % 2));
		lane_arg(m->lane, "3000");
		reply = model_call(m);
		take_up(m, lane_at(reply, 4));
		freeReplyObject(reply);
	}
}

void model_cancel(struct model *m)
{
	lane_begin(m->lane, "jit_cancel");
	lane_argf(m->lane, "r%zu", recent(m));
	lane_argf(m->lane, "p%u", model_pick(m, MODEL_PEOPLE));
	lane_arg(m->lane, model_pick(m, 2) ? "1" : "0");
	freeReplyObject(model_call(m));
}

void model_refuse(struct model *m)
{
	lane_begin(m->lane, "jit_refuse");
	lane_argf(m->lane, "r%zu", recent(m));
	lane_arg(m->lane, "policy");
	freeReplyObject(model_call(m));
}

void model_deactivate(struct model *m)
{
	int app = (int)model_pick(m, MODEL_APPS);
	char group[MODEL_NAME];

	assert_true(m->requests < MODEL_REQUESTS_MAX);
	lane_begin(m->lane, "jit_deactivate");
	lane_argf(m->lane, "r%zu", m->requests++);
	lane_arg(m->lane, model_pick(m, 10) == 0 ? "1" : "0");
	lane_arg(m->lane, "ac");
	lane_arg(m->lane, model_pick(m, 3) == 0 ? "adminRemove" : "selfDeactivate");
	lane_arg(m->lane, "ap");
	lane_arg(m->lane, app == 0 ? "aws" : "gcp");
	lane_arg(m->lane, "g");
	lane_arg(m->lane, model_group(app, (int)model_pick(m, MODEL_GROUPS), group));
	lane_arg(m->lane, "p");
	lane_argf(m->lane, "p%u", model_pick(m, MODEL_PEOPLE));
	lane_arg(m->lane, "by");
	lane_arg(m->lane, "asker");
	freeReplyObject(model_call(m));
}

static void start(struct model *m, const char *id)
{
	for (size_t i = 0; i < m->snapshot.request_count; i++) {
		const struct snapshot_request *r = &m->snapshot.request[i];
		redisReply *reply;

		if (strcmp(r->id, id) != 0)
			continue;
		model_begin(m, "jit_start", model_app(r->group));
		lane_arg(m->lane, id);
		lane_argf(m->lane, "s%zu", m->pushes++);
		lane_arg(m->lane, model_pick(m, 4) == 0 ? "3" : "");
		reply = model_call(m);
		take_up(m, lane_at(reply, 3));
		freeReplyObject(reply);
		return;
	}
}

bool model_pump(struct model *m, int app)
{
	redisReply *reply;
	bool pushed;

	model_begin(m, "jit_pump", app);
	lane_argf(m->lane, "s%zu", m->pushes++);
	reply = model_call(m);
	pushed = strcmp(lane_text(lane_at(reply, 0)), "push") == 0;
	take_up(m, lane_at(reply, 3));
	freeReplyObject(reply);
	return pushed;
}

void model_provision(struct model *m)
{
	int app = (int)model_pick(m, MODEL_APPS);
	char group[MODEL_NAME];
	redisReply *reply;

	model_begin(m, "jit_provision", app);
	lane_argf(m->lane, "s%zu", m->pushes++);
	lane_arg(m->lane, model_group(app, (int)model_pick(m, MODEL_GROUPS), group));
	lane_argf(m->lane, "p%u", model_pick(m, MODEL_PEOPLE));
	reply = model_call(m);
	take_up(m, lane_at(reply, 3));
	freeReplyObject(reply);
}

void model_cycle(struct model *m, int app)
{
	model_begin(m, "jit_cycle", app);
	lane_arg(m->lane, "");
	freeReplyObject(model_call(m));
}

/* Nobody was handed out to be added without a wish, nor to be removed against one. */
void model_check_handed(struct model *m)
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

/* The outbox is emptied: most notices become a delivery. */
static void spread(struct model *m)
{
	redisReply *list;

	lane_begin(m->lane, "jit_notices");
	lane_arg(m->lane, "5");
	list = lane_send(m->lane);
	for (size_t i = 3; lane_at(list, i) != NULL; i++) {
		lane_begin(m->lane, "jit_notice_spread");
		lane_argf(m->lane, "%lld", (long long)lane_int(lane_field(lane_at(list, i), "number")));
		if (model_pick(m, 5) > 0) {
			lane_argf(m->lane, "d%zu", ++m->told);
			lane_arg(m->lane, "t");
			lane_arg(m->lane, "");
			lane_arg(m->lane, "0");
		}
		freeReplyObject(model_call(m));
	}
	freeReplyObject(list);
}

/* Deliveries are made, or are not, or the broker dies with them. */
static void deliver(struct model *m, const char *target)
{
	redisReply *list;

	lane_begin(m->lane, "jit_notice_take");
	lane_arg(m->lane, target);
	lane_arg(m->lane, "8");
	lane_arg(m->lane, "2000");
	lane_arg(m->lane, "f");
	list = lane_send(m->lane);
	for (size_t i = 4; lane_at(list, i) != NULL; i++) {
		if (!m->calm && model_pick(m, 10) == 0)
			continue;
		lane_begin(m->lane, "jit_notice_end");
		lane_arg(m->lane, lane_text(lane_field(lane_at(list, i), "delivery")));
		lane_arg(m->lane, m->calm || model_pick(m, 4) > 0 ? "done" : "again");
		lane_arg(m->lane, "500");
		lane_arg(m->lane, "");
		lane_arg(m->lane, "0");
		lane_arg(m->lane, "f");
		freeReplyObject(lane_send(m->lane));
		m->delivered++;
	}
	freeReplyObject(list);
}

/* Looks at the timetable. What is claimed is carried out, unless the broker dies with it. */
void model_look(struct model *m)
{
	redisReply *reply;

	lane_begin(m->lane, "jit_due");
	lane_arg(m->lane, "2000");
	lane_arg(m->lane, model_pick(m, 5) == 0 ? "3" : "100");
	reply = lane_send(m->lane);
	for (size_t i = 3; lane_at(reply, i + 1) != NULL; i += 2) {
		const char *id = lane_text(lane_at(reply, i + 1));
		int app = strcmp(id, "aws") == 0 ? 0 : 1;

		if (!m->calm && model_pick(m, 10) == 0)
			continue;
		snapshot_release(&m->snapshot);
		snapshot_take(&m->snapshot, m->lane);
		switch (lane_text(lane_at(reply, i))[0]) {
		case 's':
			start(m, id);
			break;
		case 'c':
			model_cycle(m, app);
			break;
		case 'n':
			spread(m);
			break;
		case 'd':
			deliver(m, id);
			break;
		default:
			while (model_pump(m, app) && (m->calm || model_pick(m, 4) > 0))
				model_check_handed(m);
		}
		model_check_handed(m);
	}
	freeReplyObject(reply);
}

/* Immediately before the broker sends: who is still wanted? */
static void check(struct model *m, struct model_flight *f)
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

static void apply(struct model *m, struct model_flight *f)
{
	for (size_t i = 0; i < f->count; i++) {
		f->applied[i] = f->wanted[i] && (m->calm || model_pick(m, 4) > 0);
		if (f->applied[i])
			m->member[f->app][f->group][f->person[i]] = f->add;
	}
	f->sent = true;
}

/* What the broker believes came of one member: what it says for sure is so. */
static void tell_member(struct model *m, const struct model_flight *f, size_t i)
{
	uint32_t fate = model_pick(m, 6);
	bool doubt = f->applied[i] || model_pick(m, 2) == 0;
	const char *verdict = fate < 4 ? "retry" : "refused";

	lane_argf(m->lane, "p%d", f->person[i]);
	if ((!f->checked || !f->wanted[i]) && (m->calm || model_pick(m, 3) > 0)) {
		verdict = "skipped";
		doubt = false;
	} else if (f->applied[i] && (m->calm || fate > 0)) {
		verdict = "done";
		doubt = false;
	}
	lane_arg(m->lane, verdict);
	lane_arg(m->lane, doubt ? "1" : "0");
	lane_argf(m->lane, "%d", f->add && model_pick(m, 4) == 0 ? -1 : (int)model_pick(m, 4000));
	lane_arg(m->lane, "0");
	lane_arg(m->lane, strcmp(verdict, "done") == 0 ? "" : "error");
	lane_argf(m->lane, "group\np%d", f->person[i]);
}

/* An application that keeps failing is quarantined now and then, and comes back. */
static void tell_health(struct model *m)
{
	static const char *const words[] = {"ok", "", "failing", "failing", "unauthorised"};

	lane_arg(m->lane, m->calm ? "ok" : words[model_pick(m, model_pick(m, 30) == 0 ? 5 : 3)]);
	lane_arg(m->lane, "words");
	lane_argf(m->lane, "0.%u", model_pick(m, 10));
	lane_arg(m->lane, "7");
}

static void end(struct model *m, struct model_flight *f)
{
	redisReply *reply;

	model_begin(m, "jit_push_end", f->app);
	lane_arg(m->lane, f->id);
	lane_arg(m->lane, !m->calm && model_pick(m, 8) == 0 ? "1" : "0");
	lane_argf(m->lane, "%u", !m->calm && model_pick(m, 12) == 0 ? model_pick(m, 9000) : 0);
	tell_health(m);
	for (size_t i = 0; i < f->count; i++)
		tell_member(m, f, i);
	reply = model_call(m);
	if (m->lane->now_ms < f->begin_ms + MODEL_LEASE_MS)
		assert_string_equal(lane_text(lane_at(reply, 0)), "ok");
	m->takeovers += strcmp(lane_text(lane_at(reply, 0)), "gone") == 0;
	freeReplyObject(reply);
	f->used = false;
}

/* The next thing that happens to a push: asked, sent, ended, or its broker dies. */
void model_advance(struct model *m, struct model_flight *f)
{
	bool late = m->lane->now_ms >= f->begin_ms + MODEL_DEADLINE_MS;

	if (!m->calm && model_pick(m, 15) == 0)
		f->used = false;
	else if (!f->checked && !late)
		check(m, f);
	else if (!f->sent && !late && (m->calm || model_pick(m, 10) > 0))
		apply(m, f);
	else
		end(m, f);
}

void model_advance_some(struct model *m)
{
	struct model_flight *f = &m->flight[model_pick(m, MODEL_FLIGHTS)];

	for (size_t i = 0; i < MODEL_FLIGHTS && !f->used; i++)
		f = &m->flight[(size_t)(f - m->flight + 1) % MODEL_FLIGHTS];
	if (f->used)
		model_advance(m, f);
}
