#include "tests/support/lane_snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char script[] =
	"local out, n = {}, function(v) return string.format('%.0f', v or 0) end "
	"local keys = redis.call('KEYS', '*') table.sort(keys) "
	"for _, key in ipairs(keys) do local k = key:sub(6) "
	"local kind = redis.call('TYPE', key).ok local row "
	"if k:match('^r:') and kind == 'string' then local r = cmsgpack.unpack(redis.call('GET', key)) "
	"row = { 'r', k:sub(3), r.st, r.g, r.p, n(r.s), n(r.e), n(r.en), r.ap } "
	"elseif k:match('^m:') then local m = cmsgpack.unpack(redis.call('GET', key)) "
	"local g, p = k:match('^m:([^:]+):(.+)$') "
	"row = { 'm', g, p, m.ap, n(m.s), m.u or '', m.q or '', m.x and '1' or '0', m.l and '1' or '0' } "
	"for _, id in ipairs(m.r) do row[#row + 1] = id end "
	"elseif k:match('^push:') then local p = cmsgpack.unpack(redis.call('GET', key)) "
	"row = { 'p', k:sub(6), p.ap, p.g, p.op, n(p.cy), '', '', '' } "
	"for _, person in ipairs(p.m) do row[#row + 1] = person end "
	"elseif kind == 'zset' then row = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') "
	"table.insert(row, 1, k) table.insert(row, 1, 'z') "
	"elseif k == 'lv' then row = redis.call('HGETALL', key) table.insert(row, 1, 'live') "
	"elseif k == 'la' then row = redis.call('HGETALL', key) table.insert(row, 1, 'app') "
	"else row = { 'other', k } end out[#out + 1] = row end return out";

static void read_request(struct snapshot *s, const redisReply *row)
{
	s->request[s->request_count++] = (struct snapshot_request){
		.id = lane_text(lane_at(row, 1)),
		.state = state_by_name(lane_text(lane_at(row, 2))),
		.group = lane_text(lane_at(row, 3)),
		.person = lane_text(lane_at(row, 4)),
		.start_ms = lane_int(lane_at(row, 5)),
		.end_ms = lane_int(lane_at(row, 6)),
		.closed_ms = lane_int(lane_at(row, 7)),
		.app = lane_text(lane_at(row, 8)),
	};
}

static void read_member(struct snapshot *s, const redisReply *row)
{
	s->member[s->member_count++] = (struct snapshot_member){
		.group = lane_text(lane_at(row, 1)),
		.person = lane_text(lane_at(row, 2)),
		.app = lane_text(lane_at(row, 3)),
		.has = lane_int(lane_at(row, 4)),
		.push = lane_text(lane_at(row, 5)),
		.queue = lane_text(lane_at(row, 6)),
		.leaving = lane_int(lane_at(row, 7)) != 0,
		.live = lane_int(lane_at(row, 8)) != 0,
		.requests = row,
	};
}

static void read_push(struct snapshot *s, const redisReply *row)
{
	s->push[s->push_count++] = (struct snapshot_push){
		.id = lane_text(lane_at(row, 1)),
		.app = lane_text(lane_at(row, 2)),
		.group = lane_text(lane_at(row, 3)),
		.add = strcmp(lane_text(lane_at(row, 4)), "add") == 0,
		.of_cycle = lane_int(lane_at(row, 5)) != 0,
		.members = row,
	};
}

void snapshot_take(struct snapshot *snapshot, struct lane *lane)
{
	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->now_ms = lane->now_ms;
	snapshot->reply = lane_command(lane, "EVAL %s 0", script);
	for (size_t i = 0; lane_at(snapshot->reply, i) != NULL; i++) {
		const redisReply *row = lane_at(snapshot->reply, i);

		assert_true(++snapshot->key_count < SNAPSHOT_MAX);
		switch (lane_text(lane_at(row, 0))[0]) {
		case 'r':
			read_request(snapshot, row);
			break;
		case 'm':
			read_member(snapshot, row);
			break;
		case 'p':
			read_push(snapshot, row);
			break;
		case 'l':
			snapshot->live = row;
			break;
		case 'a':
			snapshot->live_of_apps = row;
			break;
		case 'z':
			snapshot->set[snapshot->set_count++] = row;
			break;
		default:
			break;
		}
	}
}

void snapshot_release(struct snapshot *snapshot)
{
	freeReplyObject(snapshot->reply);
	snapshot->reply = NULL;
}

static bool wants(enum state state)
{
	return state == ST_WAITING || state == ST_DEFERRED || state == ST_PROVISIONING ||
	       state == ST_IN_FORCE;
}

static bool ending(enum state state)
{
	return state == ST_EXPIRING || state == ST_REVOKING;
}

bool snapshot_wants(const struct snapshot *snapshot, const struct snapshot_request *request)
{
	return wants(request->state) && request->end_ms > snapshot->now_ms;
}

bool snapshot_desired(const struct snapshot *snapshot, const char *group, const char *person)
{
	for (size_t i = 0; i < snapshot->request_count; i++) {
		const struct snapshot_request *r = &snapshot->request[i];

		if (snapshot_wants(snapshot, r) && strcmp(r->group, group) == 0 &&
		    strcmp(r->person, person) == 0)
			return true;
	}
	return false;
}

static const redisReply *find_set(const struct snapshot *s, const char *name)
{
	for (size_t i = 0; i < s->set_count; i++)
		if (strcmp(lane_text(lane_at(s->set[i], 1)), name) == 0)
			return s->set[i];
	return NULL;
}

int64_t snapshot_score(const struct snapshot *snapshot, const char *set, const char *member)
{
	const redisReply *row = find_set(snapshot, set);

	for (size_t i = 2; lane_at(row, i + 1) != NULL; i += 2)
		if (strcmp(lane_text(lane_at(row, i)), member) == 0)
			return lane_int(lane_at(row, i + 1));
	return -1;
}

static const char *set_name(const struct snapshot *s, size_t i)
{
	return lane_text(lane_at(s->set[i], 1));
}

/* Has the set an application's own part of the timetable: its ends, or its other entries? */
static bool is_own(const char *set)
{
	return strncmp(set, "tx:", 3) == 0 || strncmp(set, "ty:", 3) == 0;
}

/* When KIND:NAME is due; -1 = it is nowhere in the timetable. */
static int64_t entry(const struct snapshot *s, const char *kind, const char *name)
{
	char text[160];
	int64_t due;

	snprintf(text, sizeof(text), "%s:%s", kind, name);
	due = snapshot_score(s, "tt", text);
	for (size_t i = 0; i < s->set_count && due < 0; i++)
		if (is_own(set_name(s, i)))
			due = snapshot_score(s, set_name(s, i), text);
	return due;
}

static int64_t queued(const struct snapshot *s, const char *kind, const char *name, const char *member)
{
	char text[160];

	snprintf(text, sizeof(text), "%s:%s", kind, name);
	return snapshot_score(s, text, member);
}

static const struct snapshot_member *find_member(const struct snapshot *s, const char *group,
						 const char *person)
{
	for (size_t i = 0; i < s->member_count; i++)
		if (strcmp(s->member[i].group, group) == 0 && strcmp(s->member[i].person, person) == 0)
			return &s->member[i];
	return NULL;
}

static const struct snapshot_request *find_request(const struct snapshot *s, const char *id)
{
	for (size_t i = 0; i < s->request_count; i++)
		if (strcmp(s->request[i].id, id) == 0)
			return &s->request[i];
	return NULL;
}

static const struct snapshot_push *find_push(const struct snapshot *s, const char *id)
{
	for (size_t i = 0; i < s->push_count; i++)
		if (strcmp(s->push[i].id, id) == 0)
			return &s->push[i];
	return NULL;
}

static bool holds(const redisReply *row, const char *text)
{
	for (size_t i = SNAPSHOT_IDS; lane_at(row, i) != NULL; i++)
		if (strcmp(lane_text(lane_at(row, i)), text) == 0)
			return true;
	return false;
}

#define AGREE(condition, ...)                                                                                \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			fail_msg(__VA_ARGS__);                                                               \
	} while (0)

/* The request is in the timetable and the indexes as its state says, and its membership knows it while it is open. */
static void check_request(const struct snapshot *s, const struct snapshot_request *r)
{
	const struct snapshot_member *m = find_member(s, r->group, r->person);
	const char *state = state_name(r->state);
	int64_t end = entry(s, "e", r->id);
	bool awaiting = r->state == ST_AWAITING;

	AGREE((entry(s, "s", r->id) >= 0) == (r->state == ST_SCHEDULED), "%s is %s: start in the timetable",
	      r->id, state);
	AGREE((entry(s, "k", r->id) >= 0) == (r->closed_ms != 0), "%s is %s: history in the timetable", r->id,
	      state);
	AGREE(!wants(r->state) || end == r->end_ms, "%s is %s: its end is not in the timetable", r->id,
	      state);
	AGREE(end < 0 || wants(r->state) || ending(r->state), "%s is %s: its end is in the timetable", r->id,
	      state);
	AGREE(queued(s, "ip", r->person, r->id) >= 0 && queued(s, "ig", r->group, r->id) >= 0,
	      "%s is in no list", r->id);
	AGREE((m != NULL && holds(m->requests, r->id)) == (r->closed_ms == 0), "%s is %s: membership", r->id,
	      state);
	AGREE((entry(s, "a", r->id) >= 0) == awaiting && (snapshot_score(s, "ia:", r->id) >= 0) == awaiting,
	      "%s is %s: approval", r->id, state);
	if (m == NULL || !snapshot_wants(s, r))
		return;
	switch ((int)r->state) {
	case ST_IN_FORCE:
		AGREE(m->has == 1 && m->queue[0] == '\0' &&
			      (m->push[0] == '\0' || find_push(s, m->push)->add),
		      "%s in force: has %d, push %s, queue %s", r->id, (int)m->has, m->push, m->queue);
		break;
	case ST_PROVISIONING:
		AGREE(m->push[0] != '\0' && find_push(s, m->push)->add, "%s is provisioning without a push",
		      r->id);
		break;
	case ST_DEFERRED:
		AGREE(m->queue[0] != '\0' && strchr("drw", m->queue[0]), "%s is deferred: queue %s", r->id,
		      m->queue);
		break;
	default:
		AGREE(m->push[0] != '\0' || m->queue[0] == 'w' || m->queue[0] == 'r', "%s waits: queue %s",
		      r->id, m->queue);
	}
}

static void check_member_queue(const struct snapshot *s, const struct snapshot_member *m)
{
	static const char *const kinds[] = {"x", "r", "w", "d"};
	char name[160];

	snprintf(name, sizeof(name), "%s:%s", m->group, m->person);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		AGREE((queued(s, kinds[i], m->group, m->person) >= 0) == (strcmp(m->queue, kinds[i]) == 0),
		      "%s is in queue \"%s\": not so in %s", name, m->queue, kinds[i]);
	AGREE((queued(s, "dq", m->app, name) >= 0) == (strcmp(m->queue, "d") == 0),
	      "%s: order of the deferred", name);
	AGREE((snapshot_score(s, "x", name) >= 0) == m->leaving, "%s: set of removals", name);
	AGREE(strcmp(m->queue, "x") != 0 || m->leaving, "%s waits for its removal unseen", name);
	AGREE(strchr("xrw", m->queue[0]) == NULL || m->queue[0] == '\0' || entry(s, "q", m->app) >= 0,
	      "%s waits in %s, but nobody will look", name, m->queue);
}

static void check_member(const struct snapshot *s, const struct snapshot_member *m)
{
	const struct snapshot_push *push = m->push[0] != '\0' ? find_push(s, m->push) : NULL;
	bool any_wants = false;

	AGREE(lane_at(m->requests, SNAPSHOT_IDS) != NULL || m->has != 0 || m->push[0] != '\0' ||
		      m->queue[0] != '\0',
	      "%s:%s is kept for nothing", m->group, m->person);
	AGREE(m->push[0] == '\0' || m->queue[0] == '\0', "%s:%s is pushed and waits", m->group, m->person);
	AGREE(m->push[0] == '\0' ||
		      (push != NULL && strcmp(push->group, m->group) == 0 && holds(push->members, m->person)),
	      "%s:%s: its push %s does not know it", m->group, m->person, m->push);
	for (size_t i = SNAPSHOT_IDS; lane_at(m->requests, i) != NULL; i++) {
		const struct snapshot_request *r = find_request(s, lane_text(lane_at(m->requests, i)));

		AGREE(r != NULL && r->closed_ms == 0, "%s:%s keeps a closed request", m->group, m->person);
		any_wants = any_wants || (r != NULL && wants(r->state));
		AGREE(r == NULL || !ending(r->state) || m->leaving || m->push[0] != '\0',
		      "%s is ending, nothing is done", r->id);
	}
	AGREE(any_wants || m->has == 0 || m->push[0] != '\0' || m->queue[0] == 'x',
	      "%s:%s is left in the application", m->group, m->person);
	check_member_queue(s, m);
}

static void check_push(const struct snapshot *s, const struct snapshot_push *p)
{
	AGREE(entry(s, "p", p->id) >= 0, "push %s is not in the timetable", p->id);
	AGREE(lane_at(p->members, SNAPSHOT_IDS) != NULL, "push %s is for nobody", p->id);
	for (size_t i = SNAPSHOT_IDS; lane_at(p->members, i) != NULL; i++) {
		const struct snapshot_member *m = find_member(s, p->group, lane_text(lane_at(p->members, i)));

		AGREE(m != NULL && strcmp(m->push, p->id) == 0, "push %s: %s does not know it", p->id,
		      lane_text(lane_at(p->members, i)));
	}
}

/* The application's own entries are about what is there, and the lane looks at them in time. */
static void check_own(const struct snapshot *s, const redisReply *own)
{
	const char *set = lane_text(lane_at(own, 1));
	int64_t look = snapshot_score(s, "tt", set + 1), first = lane_int(lane_at(own, 3));

	AGREE(look >= 0 && (look <= first || look <= s->now_ms), "nobody looks into %s in time", set);
	for (size_t i = 2; lane_at(own, i + 1) != NULL; i += 2) {
		const char *text = lane_text(lane_at(own, i));
		const struct snapshot_request *r = find_request(s, text + 2);

		AGREE(text[0] == 'o' ? set[1] == 'y' : r != NULL && strcmp(r->app, set + 3) == 0, "%s has %s",
		      set, text);
		AGREE(strchr(set[1] == 'x' ? "e" : "skawo", text[0]) != NULL, "%s has %s", set, text);
	}
}

static bool find_own(const struct snapshot *s, const char *stand)
{
	char set[160];

	snprintf(set, sizeof(set), "t%s", stand);
	return find_set(s, set) != NULL;
}

/* What each entry of the timetable is about is there. */
static void check_timetable(const struct snapshot *s)
{
	const redisReply *tt = find_set(s, "tt");

	for (size_t i = 2; lane_at(tt, i + 1) != NULL; i += 2) {
		const char *text = lane_text(lane_at(tt, i));

		if (text[0] == 'p')
			AGREE(find_push(s, text + 2) != NULL, "the timetable has %s", text);
		else if (strchr("xy", text[0]) != NULL)
			AGREE(find_own(s, text), "the timetable has %s, and there is none", text);
		else
			AGREE(strchr("qcnd", text[0]) != NULL, "the timetable has %s", text);
	}
	for (size_t i = 0; i < s->set_count; i++)
		if (is_own(set_name(s, i)))
			check_own(s, s->set[i]);
}

/* A queue's groups stand at their earliest member; who is in a queue knows it. */
static void check_set(const struct snapshot *s, const redisReply *row)
{
	const char *name = lane_text(lane_at(row, 1));
	char kind[2] = {name[0], '\0'}, key[160];

	if (strchr("xrwd", name[0]) == NULL)
		return;
	for (size_t i = 2; lane_at(row, i + 1) != NULL; i += 2) {
		const char *member = lane_text(lane_at(row, i));
		const struct snapshot_member *m;

		if (name[1] == 'g') {
			snprintf(key, sizeof(key), "%s:%s", kind, member);
			AGREE(lane_int(lane_at(find_set(s, key), 3)) == lane_int(lane_at(row, i + 1)),
			      "%s: %s", name, member);
		} else if (name[1] == ':') {
			m = find_member(s, name + 2, member);
			AGREE(m != NULL && strcmp(m->queue, kind) == 0, "%s: %s does not know it", name,
			      member);
		} else {
			snprintf(key, sizeof(key), "%s", member);
			key[strcspn(key, ":")] = '\0';
			m = find_member(s, key, member + strlen(key) + 1);
			AGREE(m != NULL && (name[1] == 'q' ? strcmp(m->queue, "d") == 0 : m->leaving),
			      "%s: %s", name, member);
		}
	}
}

/* The number of memberships that are wanted, per group. */
static void check_live(const struct snapshot *s)
{
	int64_t counted = 0, live = 0;

	for (size_t i = 1; lane_at(s->live, i + 1) != NULL; i += 2) {
		int64_t count = 0;

		for (size_t k = 0; k < s->member_count; k++)
			count += s->member[k].live &&
				 strcmp(s->member[k].group, lane_text(lane_at(s->live, i))) == 0;
		AGREE(count > 0 && count == lane_int(lane_at(s->live, i + 1)),
		      "%s: %d are live, %d are counted", lane_text(lane_at(s->live, i)), (int)count,
		      (int)lane_int(lane_at(s->live, i + 1)));
		counted += count;
	}
	for (size_t k = 0; k < s->member_count; k++) {
		const struct snapshot_member *m = &s->member[k];

		live += m->live;
		AGREE(m->live || !snapshot_desired(s, m->group, m->person), "%s:%s does not count as live",
		      m->group, m->person);
	}
	AGREE(live == counted, "%d are live, %d are counted", (int)live, (int)counted);
	for (size_t i = 2; lane_at(s->live_of_apps, i) != NULL; i += 2)
		counted -= lane_int(lane_at(s->live_of_apps, i));
	AGREE(counted == 0, "%d are live that no application counts", (int)counted);
}

void snapshot_check(const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->request_count; i++)
		check_request(snapshot, &snapshot->request[i]);
	for (size_t i = 0; i < snapshot->member_count; i++)
		check_member(snapshot, &snapshot->member[i]);
	for (size_t i = 0; i < snapshot->push_count; i++)
		check_push(snapshot, &snapshot->push[i]);
	for (size_t i = 0; i < snapshot->set_count; i++)
		check_set(snapshot, snapshot->set[i]);
	check_timetable(snapshot);
	check_live(snapshot);
}
