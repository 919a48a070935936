/*
 * The audit's export: every event is in the file, whatever happens to the brokers that write it, to the disk, and to the
 * file itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/json.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define LANES  16
#define EVENTS 4096 /* of one lane, more than there are here */
#define ROUNDS 3

struct export
{
	struct world world;
	char dir[64], file[96], rotated[96], more[256];
	bool seen[LANES][EVENTS];
};

static int open_world(void **state)
{
	struct export *e = calloc(1, sizeof(*e));
	struct world_options options = scene_defaults();

	assert_non_null(e);
	snprintf(e->dir, sizeof(e->dir), "/tmp/jit-audit-export-%d", (int)getpid());
	snprintf(e->file, sizeof(e->file), "%s/audit.jsonl", e->dir);
	snprintf(e->rotated, sizeof(e->rotated), "%s/audit.jsonl.1", e->dir);
	snprintf(e->more, sizeof(e->more), "audit: {file: \"%s\"}\n", e->file);
	options.more = e->more;
	options.brokers = 2;
	options.people = 60;
	options.application.pushes = 1000;
	*state = &e->world;
	return world_start(&e->world, &options) ? 0 : -1;
}

static int close_world(void **state)
{
	struct export *e = *state;

	unlink(e->file);
	unlink(e->rotated);
	rmdir(e->dir);
	return scene_close(state);
}

static int64_t head(const struct export *e, unsigned lane, const char *field)
{
	redisReply *reply = redis_server_command(&e->world.redis, "HGET {j%u}:audit:head %s", lane, field);
	int64_t value;

	assert_non_null(reply);
	value = reply->str != NULL ? atoll(reply->str) : 0;
	freeReplyObject(reply);
	return value;
}

static void wait_exported(const struct export *e)
{
	int64_t until = clock_mono_ms() + 2 * SCENE_PATIENCE;

	for (unsigned lane = 0; lane < LANES; lane++) {
		int64_t last = head(e, lane, "n");

		while (head(e, lane, "x") < last && clock_mono_ms() < until)
			wait_a_little(10);
		assert_true(head(e, lane, "x") >= last);
	}
}

static void take_line(struct export *e, const char *line, size_t len)
{
	cJSON *event = NULL;
	struct errctx ec;
	int lane, number;

	if (json_parse(line, len, &event, &ec) != ERR_OK)
		return; /* cut off by a crash: it must be there once more */
	lane = cJSON_GetObjectItemCaseSensitive(event, "lane")->valueint;
	number = cJSON_GetObjectItemCaseSensitive(event, "number")->valueint;
	assert_in_range(lane, 0, LANES - 1);
	assert_in_range(number, 1, EVENTS - 1);
	/* A lane is written in its order; what comes again has been there. */
	assert_true(number == 1 || e->seen[lane][number - 1]);
	e->seen[lane][number] = true;
	cJSON_Delete(event);
}

static void read_lines(struct export *e, const char *path)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	assert_non_null(file);
	while ((len = getline(&line, &size, file)) > 0)
		if (len > 1)
			take_line(e, line, (size_t)len - 1);
	free(line);
	fclose(file);
}

static void expect_all(struct export *e)
{
	for (unsigned lane = 0; lane < LANES; lane++)
		for (int64_t number = 1; number <= head(e, lane, "n"); number++)
			if (!e->seen[lane][number])
				fail_msg("event %lld of lane %u is not in the file", (long long)number, lane);
}

static bool none_is_left(void *ctx)
{
	struct http_response response;
	bool none;

	scene_get(ctx, 0, "/metrics", &response);
	none = strstr(buf_text(&response.body), "\njit_audit_unexported 0\n") != NULL;
	http_response_release(&response);
	return none;
}

static bool warned(void *ctx)
{
	struct export *e = ctx;
	struct http_response response;
	bool found;

	scene_get(&e->world, 0, "/readyz", &response);
	found = response.status == 200 && strstr(buf_text(&response.body), "No such file") != NULL;
	http_response_release(&response);
	return found;
}

/* The folder is not there: all goes on, loudly, and nothing is lost. */
static void test_no_folder(void **state)
{
	struct export *e = *state;
	char id[ID_SIZE];

	scene_activate(&e->world, &(struct world_ask){.person = 1}, id);
	scene_wait(&e->world, &(struct world_ask){.person = 1}, id, "provisioned");
	assert_true(wait_until(warned, e, SCENE_PATIENCE));
	assert_int_equal(mkdir(e->dir, 0700), 0);
	wait_exported(e);
	read_lines(e, e->file);
	expect_all(e);
}

static void crowd(const struct export *e, size_t round)
{
	struct world_ask asks[16];

	for (size_t i = 0; i < 16; i++)
		asks[i] = (struct world_ask){.broker = 1, .person = 2 + round * 16 + i, .duration = "PT1H"};
	scene_activate_many(&e->world, asks, 16, NULL);
}

/* Brokers die while they write; the file is renamed away; a line is cut off. */
static void test_killed(void **state)
{
	struct export *e = *state;
	struct world *world = &e->world;
	FILE *file;

	for (size_t round = 0; round < ROUNDS; round++) {
		crowd(e, round);
		wait_a_little(200 + 40 * (int)round); /* about when the export begins */
		broker_kill9(&world->brokers[0]);
		assert_true(broker_start(&world->brokers[0], world->dir, "broker-0", &world->config));
		if (round == 0)
			assert_int_equal(rename(e->file, e->rotated), 0);
		if (round == 1) {
			file = fopen(e->file, "a");
			assert_non_null(file);
			fputs("{\"lane\":", file);
			fclose(file);
		}
	}
	wait_exported(e);
	assert_true(wait_until(none_is_left, world, SCENE_PATIENCE));
	memset(e->seen, 0, sizeof(e->seen));
	read_lines(e, e->rotated);
	read_lines(e, e->file);
	expect_all(e);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_folder), cmocka_unit_test(test_killed)};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
