/*
 * A herd: six thousand assignments of four applications in one lane end at the same moment, while others wait to be added.
 * They are taken in steps that are bounded in number and in time, no application waits for another, and no addition gets a
 * token that a removal needs. And a million of one application, beside the only end and the only start of another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/lane.h"

#define APPS    4
#define EACH    1500 /* assignments of one application that end */
#define WAITING 20   /* activations of one application that wait for a token then */
#define BATCH   80   /* members in one push */
#define STEP    100  /* entries in one call, as brokers ask for */
#define LONG_MS INT64_C(3600000)
#define WINDOWS 2
#define PUSHES  5     /* of one application in a window */
#define STEP_US 20000 /* of processor, for one look; on the average */
#define MILLION 1000000
#define FEW     3   /* looks until everybody is served */
#define MANY    150 /* applications, each with a herd; more than a look takes entries */

struct herd {
	struct lane lane;
	char terms[APPS][96];
};

/* So many pushes in ten seconds. */
static void set_pushes(struct herd *h, unsigned pushes)
{
	for (int app = 0; app < APPS; app++)
		snprintf(h->terms[app], sizeof(h->terms[app]),
			 "app%d %u 10000 0 36000000 2400000 0 %d 30000 32000", app, pushes, BATCH);
}

static void pair(struct lane *lane, const char *name, const char *value)
{
	lane_arg(lane, name);
	lane_arg(lane, value);
}

/* `start_ms`: 0 = now. */
static void submit(struct herd *h, int app, const char *person, int64_t start_ms, int64_t end_ms)
{
	struct lane *lane = &h->lane;

	lane_begin(lane, "jit_submit");
	lane_arg(lane, h->terms[app]);
	lane_argf(lane, "r-%d-%s", app, person);
	lane_argf(lane, "push-%d-%s", app, person);
	lane_argf(lane, "{\"userName\":\"%s\"}", person);
	lane_arg(lane, "admins");
	lane_arg(lane, "0");
	pair(lane, "ac", "selfActivate");
	lane_arg(lane, "ap");
	lane_argf(lane, "app%d", app);
	lane_arg(lane, "g");
	lane_argf(lane, "g%d", app);
	pair(lane, "p", person);
	pair(lane, "by", person);
	pair(lane, "h", "h");
	if (start_ms != 0) {
		lane_arg(lane, "a");
		lane_argf(lane, "%lld", (long long)start_ms);
	}
	lane_arg(lane, "e");
	lane_argf(lane, "%lld", (long long)end_ms);
	freeReplyObject(lane_send(lane));
}

/* The application has done what the push brought it. */
static void end_push(struct herd *h, int app, const redisReply *push)
{
	struct lane *lane = &h->lane;

	lane_begin(lane, "jit_push_end");
	lane_arg(lane, h->terms[app]);
	lane_arg(lane, lane_text(lane_at(push, 0)));
	for (int i = 0; i < 2; i++)
		lane_arg(lane, "0");
	lane_arg(lane, "");
	lane_arg(lane, "");
	lane_arg(lane, "0");
	lane_arg(lane, "5");
	for (size_t at = 7; lane_at(push, at) != NULL; at += 5) {
		lane_arg(lane, lane_text(lane_at(push, at)));
		lane_arg(lane, "done");
		for (int i = 0; i < 3; i++)
			lane_arg(lane, "0");
		lane_arg(lane, "");
		lane_arg(lane, "group\nuser");
	}
	freeReplyObject(lane_send(lane));
}

/* One push of the application, and its end: how many members; 0 = none was made. `removes` says what it was. */
static size_t pump(struct herd *h, int app, bool *removes)
{
	static int number;
	const redisReply *push;
	redisReply *reply;
	size_t members = 0;

	lane_begin(&h->lane, "jit_pump");
	lane_arg(&h->lane, h->terms[app]);
	lane_argf(&h->lane, "pump-%d", number++);
	reply = lane_send(&h->lane);
	push = lane_at(reply, 3);
	if (strcmp(lane_text(lane_at(reply, 0)), "push") == 0) {
		*removes = strcmp(lane_text(lane_at(push, 3)), "remove") == 0;
		members = (push->elements - 7) / 5;
		assert_true(members <= BATCH);
		end_push(h, app, push);
	}
	freeReplyObject(reply);
	return members;
}

static int64_t number_of(struct herd *h, const char *format, int app)
{
	redisReply *reply = lane_command(&h->lane, format, app);
	int64_t number = reply->integer;

	freeReplyObject(reply);
	return number;
}

/* Microseconds of processor that Redis has used. */
static int64_t spent_us(struct herd *h)
{
	redisReply *reply = lane_command(&h->lane, "INFO cpu");
	const char *user = strstr(lane_text(reply), "used_cpu_user:");
	double seconds;

	assert_non_null(user);
	seconds = strtod(user + strlen("used_cpu_user:"), NULL);
	freeReplyObject(reply);
	return (int64_t)(seconds * 1e6);
}

/* Everybody is in force until `end_ms`, and WAITING more wait in each application. */
static void gather(struct herd *h, int64_t end_ms)
{
	char person[32];
	bool removes = false;

	for (int app = 0; app < APPS; app++) {
		set_pushes(h, 1);
		for (int i = 0; i < EACH; i++) {
			snprintf(person, sizeof(person), "p%d", i);
			submit(h, app, person, 0, end_ms);
		}
		set_pushes(h, 100000);
		/* The first one has found the only token that there was. */
		h->lane.now_ms += 40000;
		while (number_of(h, "ZCARD " LANE_PREFIX "w:g%d", app) > 0 ||
		       number_of(h, "ZCARD " LANE_PREFIX "r:g%d", app) > 0)
			if (pump(h, app, &removes) == 0)
				break;
	}
	set_pushes(h, 0);
	for (int app = 0; app < APPS; app++)
		for (int i = 0; i < WAITING; i++) {
			snprintf(person, sizeof(person), "w%d", i);
			submit(h, app, person, 0, end_ms + LONG_MS);
		}
}

/* One look at the timetable, as a broker makes it; which applications it is told to pump, as bits. The number of entries
 * that are due is less by no more than was asked for. */
static unsigned look(struct herd *h, bool *any)
{
	int64_t before = number_of(h, "ZCOUNT " LANE_PREFIX "x -inf +inf", 0), after;
	unsigned told = 0;
	redisReply *reply;

	lane_begin(&h->lane, "jit_due");
	lane_arg(&h->lane, "5000");
	lane_argf(&h->lane, "%d", STEP);
	reply = lane_send(&h->lane);
	for (size_t i = 3; lane_at(reply, i + 1) != NULL; i += 2)
		if (strcmp(lane_text(lane_at(reply, i)), "q") == 0)
			told |= 1U << (lane_text(lane_at(reply, i + 1))[3] - '0');
	freeReplyObject(reply);
	after = number_of(h, "ZCOUNT " LANE_PREFIX "x -inf +inf", 0);
	assert_true(after - before <= STEP);
	*any = after > before || told != 0;
	return told;
}

static int64_t removals(struct herd *h, int app)
{
	return number_of(h, "ZCARD " LANE_PREFIX "x:g%d", app);
}

/* In each window each application makes its pushes, all of them removals. */
static void remove_fairly(struct herd *h)
{
	set_pushes(h, PUSHES);
	for (int window = 0; window < WINDOWS; window++) {
		h->lane.now_ms += 40000;
		for (int app = 0; app < APPS; app++) {
			int64_t before = removals(h, app);
			bool removes = true;
			size_t pushes = 0;

			for (; pump(h, app, &removes) > 0; pushes++)
				assert_true(removes);
			assert_int_equal(pushes, PUSHES);
			assert_int_equal(before - removals(h, app), PUSHES * BATCH);
		}
	}
}

/* The rest is removed, and only then does anybody come in. */
static void let_in_at_last(struct herd *h)
{
	set_pushes(h, 100000);
	for (int app = 0; app < APPS; app++) {
		size_t members, added = 0;
		bool removes = false;

		while ((members = pump(h, app, &removes)) > 0) {
			assert_true(removes || removals(h, app) == 0);
			added += removes ? 0 : members;
		}
		assert_int_equal(removals(h, app), 0);
		assert_int_equal(added, WAITING);
	}
	assert_int_equal(number_of(h, "ZCARD " LANE_PREFIX "x", 0), 0);
}

static void a_herd_of_ends(void **state)
{
	static struct herd h;
	int64_t end_ms = LANE_EPOCH_MS + LONG_MS, began_us, each_us;
	unsigned told = 0;
	size_t looks = 0;
	bool any = true;

	(void)state;
	lane_open(&h.lane);
	lane_empty(&h.lane);
	gather(&h, end_ms);
	h.lane.now_ms = end_ms;
	began_us = spent_us(&h);
	for (; any; looks++)
		told |= look(&h, &any);
	each_us = (spent_us(&h) - began_us) / (int64_t)looks;
	print_message("%zu looks, %lld us of Redis each\n", looks, (long long)each_us);
	/* As many looks as there are steps, and few more; and each application is told of. */
	assert_in_range(looks, APPS * EACH / STEP, APPS * EACH / STEP + APPS + 1);
	assert_int_equal(told, (1U << APPS) - 1);
	assert_true(each_us < STEP_US);
	assert_int_equal(number_of(&h, "ZCARD " LANE_PREFIX "x", 0), APPS * EACH);
	remove_fairly(&h);
	let_in_at_last(&h);
	lane_close(&h.lane);
}

/* In force: pushed and confirmed. */
static void admit(struct herd *h, int app, int people, int64_t end_ms)
{
	char person[32];
	bool removes = false;

	set_pushes(h, 0);
	for (int i = 0; i < people; i++) {
		snprintf(person, sizeof(person), "p%d", i);
		submit(h, app, person, 0, end_ms);
	}
	set_pushes(h, 100000);
	h->lane.now_ms += 40000;
	while (pump(h, app, &removes) > 0)
		;
	assert_int_equal(number_of(h, "EXISTS " LANE_PREFIX "m:g%d:p0", app), 1);
}

/* A million ends of application 0 are due: what the first looks will meet is whole, and of the rest there is what keeps
 * its place in the timetable. */
static void gather_million(struct herd *h, int64_t end_ms)
{
	static const char script[] =
		"for i = 1, ARGV[2], 500 do local list = {} for k = i, i + 499 do "
		"list[#list + 1] = ARGV[1] list[#list + 1] = string.format('e:s%07d', k) end "
		"redis.call('ZADD', KEYS[1], unpack(list)) end";
	redisReply *reply;

	admit(h, 0, FEW * STEP, end_ms);
	reply = lane_command(&h->lane, "EVAL %s 1 " LANE_PREFIX "tx:app0 %lld %d", script, (long long)end_ms,
			     MILLION);
	freeReplyObject(reply);
	assert_true(number_of(h, "ZCARD " LANE_PREFIX "tx:app%d", 0) > MILLION);
}

static bool is_told(const redisReply *reply, const char *kind, const char *id)
{
	for (size_t i = 3; lane_at(reply, i + 1) != NULL; i += 2)
		if (strcmp(lane_text(lane_at(reply, i)), kind) == 0 &&
		    strcmp(lane_text(lane_at(reply, i + 1)), id) == 0)
			return true;
	return false;
}

static redisReply *next_look(struct herd *h)
{
	lane_begin(&h->lane, "jit_due");
	lane_arg(&h->lane, "5000");
	lane_argf(&h->lane, "%d", STEP);
	return lane_send(&h->lane);
}

/* Nobody waits for the million: neither another application nor the million's own first ones. */
static void a_million_of_another(void **state)
{
	static struct herd h;
	int64_t end_ms = LANE_EPOCH_MS + LONG_MS;
	bool starts = false, ends[2] = {false, false}, removes = false;

	(void)state;
	lane_open(&h.lane);
	lane_empty(&h.lane);
	gather_million(&h, end_ms);
	admit(&h, 1, 1, end_ms + 1);
	submit(&h, 1, "late", end_ms + 1, end_ms + LONG_MS);
	h.lane.now_ms = end_ms + 1;
	for (int i = 0; i < FEW; i++) {
		int64_t before = number_of(&h, "ZCARD " LANE_PREFIX "tx:app%d", 0), after;
		redisReply *reply = next_look(&h);

		after = number_of(&h, "ZCARD " LANE_PREFIX "tx:app%d", 0);
		assert_in_range(before - after, STEP / 4, STEP);
		starts = starts || is_told(reply, "s", "r-1-late");
		ends[0] = ends[0] || is_told(reply, "q", "app0");
		ends[1] = ends[1] || is_told(reply, "q", "app1");
		assert_true(reply->elements <= 3 + 2 * STEP);
		freeReplyObject(reply);
	}
	assert_true(starts && ends[0] && ends[1]);
	assert_int_equal(pump(&h, 1, &removes), 1);
	assert_true(removes);
	assert_int_equal(pump(&h, 0, &removes), BATCH);
	assert_true(removes);
	lane_close(&h.lane);
}

/* More applications than a look has entries for: they take turns. */
static void more_applications_than_entries(void **state)
{
	static const char script[] =
		"for i = 1, ARGV[2] do redis.call('ZADD', '" LANE_PREFIX
		"tt', ARGV[1], 'x:a' .. i) for k = 1, 9 do "
		"redis.call('ZADD', '" LANE_PREFIX "tx:a' .. i, ARGV[1], 'e:' .. i .. '-' .. k) end end";
	static struct herd h;

	(void)state;
	lane_open(&h.lane);
	lane_empty(&h.lane);
	freeReplyObject(lane_command(&h.lane, "EVAL %s 0 %lld %d", script, (long long)LANE_EPOCH_MS, MANY));
	for (int i = 0; i < 2; i++) {
		h.lane.now_ms++;
		freeReplyObject(next_look(&h));
	}
	for (int i = 1; i <= MANY; i++)
		assert_in_range(number_of(&h, "ZCARD " LANE_PREFIX "tx:a%d", i), 7, 8);
	lane_close(&h.lane);
}

/* An older version kept the ends of all applications together; they come to theirs when they are due. */
static void what_an_older_version_left(void **state)
{
	static struct herd h;
	int64_t end_ms = LANE_EPOCH_MS + LONG_MS;
	bool removes = false;

	(void)state;
	lane_open(&h.lane);
	lane_empty(&h.lane);
	admit(&h, 0, 1, end_ms);
	freeReplyObject(lane_command(&h.lane, "RENAME " LANE_PREFIX "tx:app0 " LANE_PREFIX "tt"));
	h.lane.now_ms = end_ms;
	freeReplyObject(next_look(&h));
	assert_int_equal(pump(&h, 0, &removes), 1);
	assert_true(removes);
	lane_close(&h.lane);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_herd_of_ends),
		cmocka_unit_test(a_million_of_another),
		cmocka_unit_test(more_applications_than_entries),
		cmocka_unit_test(what_an_older_version_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
