/*
 * A million assignments in force: what each takes of Redis' memory and all of them of the broker's, and how soon after its end
 * a membership's removal is sent. Those of the million are made by the functions of the store, as fast as it takes them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/iso8601.h"
#include "tests/bench/bench.h"
#include "tests/bench/load.h"
#include "tests/bench/usage.h"
#include "tests/support/sandbox_log.h"
#include "tests/support/wait.h"
#include "tests/support/world.h"

#define LIVE    1000000
#define GROUPS  100
#define CHUNK   20000
#define FILLERS 16
#define SAMPLES 200
#define HELD    "PT15S" /* those whose removal is measured … */
#define HELD_MS 15000
#define REST_MS 3000
#define APART   40 /* … end so many ms after each other */
#define TERMS   "app 1000000 1000 3 0 2400000 0 100 30000 32000"

struct live {
	struct world *world;
	size_t from; /* of the chunk */
};

static void add_call(struct buf *out, const char *const *words, size_t count)
{
	buf_addf(out, "*%zu\r\n", count);
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "$%zu\r\n%s\r\n", strlen(words[i]), words[i]);
}

/* The names of number `index`: their id, and the push that makes them a member. */
static void name(size_t index, char person[ID_SIZE], char push[ID_SIZE])
{
	snprintf(person, ID_SIZE, "c%07zx-0000-4000-8000-%012zx", index & 0xfffffff, index);
	snprintf(push, ID_SIZE, "d%07zx-0000-4000-8000-%012zx", index & 0xfffffff, index);
}

/* As the broker asks for a person of a provider, for a day. */
static void write_submit(void *ctx, size_t index, struct buf *out)
{
	const struct live *live = ctx;
	char person[ID_SIZE], push[ID_SIZE], id[ID_SIZE], names[256];
	size_t group = (live->from + index) % GROUPS;

	name(live->from + index, person, push);
	id_make(0, id);
	snprintf(names, sizeof(names),
		 "{\"userName\":\"person%zu@example.com\",\"displayName\":\"Person "
		 "%zu\",\"givenName\":\"Given\","
		 "\"familyName\":\"Family\",\"email\":\"person%zu@example.com\"}",
		 live->from + index, live->from + index, live->from + index);
	const char *const words[] = {"FCALL",
				     "jit_submit",
				     "1",
				     "{j0}:",
				     "0",
				     "2592000000",
				     TERMS,
				     id,
				     push,
				     names,
				     world_group_name(live->world, group),
				     "0",
				     "h",
				     "0123456789abcdef0123456789abcdef",
				     "ap",
				     "app",
				     "g",
				     world_group_id(live->world, group),
				     "p",
				     person,
				     "by",
				     person,
				     "ac",
				     "selfActivate",
				     "j",
				     "INC0042: rotate the keys",
				     "d",
				     "86400000"};
	add_call(out, words, sizeof(words) / sizeof(words[0]));
}

static void write_end(void *ctx, size_t index, struct buf *out)
{
	const struct live *live = ctx;
	char person[ID_SIZE], push[ID_SIZE], ids[128];

	name(live->from + index, person, push);
	snprintf(ids, sizeof(ids), "%s\n%s", world_group_id(live->world, (live->from + index) % GROUPS),
		 person);
	const char *const words[] = {"FCALL", "jit_push_end",
				     "1",     "{j0}:",
				     "0",     "2592000000",
				     TERMS,   push,
				     "0",     "0",
				     "",      "",
				     "0",     "5",
				     person,  "done",
				     "",      "0",
				     "200",   "",
				     ids};
	add_call(out, words, sizeof(words) / sizeof(words[0]));
}

static int64_t redis_memory(const struct world *world)
{
	redisReply *reply = redis_server_command(&world->redis, "INFO memory");
	const char *at = reply != NULL ? strstr(reply->str, "used_memory:") : NULL;
	int64_t bytes = at != NULL ? strtoll(at + strlen("used_memory:"), NULL, 10) : 0;

	if (reply != NULL)
		freeReplyObject(reply);
	return bytes;
}

/* How many have an end. */
static size_t in_force(const struct world *world)
{
	redisReply *reply = redis_server_command(&world->redis, "ZCARD {j0}:tx:app");
	size_t count = reply != NULL && reply->type == REDIS_REPLY_INTEGER ? (size_t)reply->integer : 0;

	if (reply != NULL)
		freeReplyObject(reply);
	return count;
}

/* Without waiting for the disk, and without its file being written anew meanwhile: neither is measured here. */
static bool fill(struct world *world, size_t count)
{
	bool done = redis_server_do(&world->redis, "CONFIG SET appendfsync no") &&
		    redis_server_do(&world->redis, "CONFIG SET auto-aof-rewrite-percentage 0");

	for (size_t from = 0; done && from < count; from += CHUNK) {
		struct live live = {.world = world, .from = from};
		struct load load = {.socket_path = world->redis.socket_path,
				    .connections = FILLERS,
				    .messages = count - from < CHUNK ? count - from : CHUNK,
				    .complete = load_resp_complete,
				    .ctx = &live};
		struct load_result submitted, ended;

		load.write = write_submit;
		done = load_run(&load, &submitted);
		load.write = write_end;
		done = done && load_run(&load, &ended) && submitted.bad == 0 && ended.bad == 0;
	}
	return done && redis_server_do(&world->redis, "CONFIG SET appendfsync always");
}

static bool activate(const struct world *world, size_t person, int64_t *end_ms)
{
	struct world_ask ask = {.person = person, .duration = HELD};
	struct http_response response;
	struct errctx ec;

	world_activate(world, &ask, &response);
	const char *start = http_json_text(&response, "scheduleInfo.startDateTime");
	bool good =
		response.status == 201 && start != NULL && iso8601_parse_time(start, end_ms, &ec) == ERR_OK;
	*end_ms += HELD_MS;
	http_response_release(&response);
	return good;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

struct removals {
	const struct world *world;
	const int64_t *end_ms;
	int64_t late_ms[SAMPLES];
	size_t count;
};

/* The n-th that was removed is the n-th whose time was over: they end in the order in which they began. */
static bool all_removed(void *ctx)
{
	struct removals *removals = ctx;
	struct sandbox_log log;

	removals->count = 0;
	if (!sandbox_log_read(removals->world->sandbox.requests_path, &log))
		return false;
	for (size_t i = 0; i < log.count; i++) {
		const cJSON *operation =
			cJSON_GetArrayItem(cJSON_GetObjectItem(log.entries[i].body, "Operations"), 0);
		const char *op = cJSON_GetStringValue(cJSON_GetObjectItem(operation, "op"));
		size_t members = (size_t)cJSON_GetArraySize(cJSON_GetObjectItem(operation, "value"));

		if (!sandbox_entry_is_push(&log.entries[i]) || log.entries[i].status / 100 != 2 ||
		    op == NULL || strcmp(op, "remove") != 0)
			continue;
		for (size_t k = 0; k < members && removals->count < SAMPLES; k++, removals->count++)
			removals->late_ms[removals->count] =
				log.entries[i].received_ms - removals->end_ms[removals->count];
	}
	sandbox_log_release(&log);
	return removals->count == SAMPLES;
}

static bool measure_expiry(const struct world *world, size_t live)
{
	static int64_t end_ms[SAMPLES];
	struct removals removals = {.world = world, .end_ms = end_ms};

	/* Until the tokens are back that the filling took. */
	wait_a_little(REST_MS);
	for (size_t i = 0; i < SAMPLES; i++) {
		if (!activate(world, i, &end_ms[i]))
			return false;
		wait_a_little(APART);
	}
	if (!wait_until(all_removed, &removals, 2LL * HELD_MS))
		return false;
	qsort(removals.late_ms, SAMPLES, sizeof(removals.late_ms[0]), compare);
	printf("| its time is over -> removal PATCH arrives, %zu assignments in force | p50 %lld ms, p99 "
	       "%lld ms | p99 "
	       "50 ms | |\n",
	       live, (long long)removals.late_ms[SAMPLES / 2],
	       (long long)removals.late_ms[SAMPLES * 99 / 100]);
	return true;
}

bool bench_live(void)
{
	struct world_options options = world_defaults();
	size_t live = usage_setting("BENCH_LIVE", LIVE);
	struct world world = {0};

	options.plain_sandbox = true; /* the figures are the broker's */
	options.people = SAMPLES;
	options.groups = GROUPS;
	options.lanes = 1;
	options.group.min_ms = 1000;
	options.application.pushes = 1000;
	options.application.per_ms = 1000;
	bool done = world_start(&world, &options);
	int64_t before = done ? redis_memory(&world) : 0;
	size_t rss_kib = done ? usage_rss_kib(world.brokers[0].proc.pid) : 0;
	done = done && fill(&world, live) && in_force(&world) == live;
	if (done)
		printf("| an assignment in force, its audit and the user included | %.2f KiB of Redis' "
		       "memory | 1 KiB | "
		       "%zu of them |\n",
		       (double)(redis_memory(&world) - before) / 1024 / (double)live, live);
	done = done && measure_expiry(&world, live);
	if (done) {
		printf("| the broker's memory, %zu assignments in force | %.1f MiB | 32 MiB | %.1f MiB "
		       "before them |\n",
		       live, (double)usage_rss_kib(world.brokers[0].proc.pid) / 1024, (double)rss_kib / 1024);
		world_passed(&world);
	}
	world_stop(&world);
	return done;
}
