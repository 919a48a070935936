/* What /readyz says of a broker that serves, though not as it should, and of one that is about to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.application.request_timeout_ms = options.application.push_timeout_ms = 20 * SECOND;
	return scene_open(state, &options);
}

/* Nobody waits for a minute here: Redis is told that the removal is as old as that. */
static void an_overdue_removal_is_a_warning(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT1H"};
	struct http_response response;
	char id[ID_SIZE];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups always -> status 500"));
	world_deactivate(world, &ask, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	scene_says(world, "/readyz", 200,
		   "\"warnings\":[],\"removals\":{\"unconfirmed\":1,\"oldestSeconds\":");

	freeReplyObject(redis_server_command(&world->redis, "ZADD {j%u}:x XX %lld %s:%s",
					     (unsigned)id_lane(id),
					     (long long)clock_wall_ms() - 3600 * SECOND,
					     world_group_id(world, 0), world_person_id(world, 1)));
	scene_says(world, "/readyz", 200,
		   "\"warnings\":[\"Removals that are not confirmed: 1, the oldest for 360");
	scene_says(world, "/metrics", 200, "\njit_removals_unconfirmed 1\n");
	scene_says(world, "/metrics", 200, "\njit_removals_oldest_seconds 360");
	assert_true(sandbox_clear_faults(&world->sandbox));
	scene_wait(world, &ask, id, "removed");
	scene_says(world, "/readyz", 200,
		   "\"warnings\":[],\"removals\":{\"unconfirmed\":0,\"oldestSeconds\":0}");
	scene_says(world, "/metrics", 200, "\njit_removals_unconfirmed 0\n");
	scene_says(world, "/metrics", 200, "\njit_removals_oldest_seconds 0\n");
	world_passed(world);
}

static void end_long_ago(const struct world *world, int lane, const char *list, const char *kind,
			 const char *id)
{
	assert_true(redis_server_do(&world->redis, "ZADD {j%d}:%s XX %lld %s%s", lane, list,
				    (long long)clock_wall_ms() - 3600 * SECOND, kind, id));
}

/* Redis answers and takes no change: an end that is due stays, and nothing but its lane's figures can tell. */
static void ends_that_are_refused_are_told(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT1H"};
	char id[ID_SIZE];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	scene_says(world, "/metrics", 200, "\njit_timetable_oldest_seconds 0\n");
	/* The end was an hour ago, as Redis has it; so that nobody takes it up before, the broker stands still. */
	assert_int_equal(kill(world->brokers[0].proc.pid, SIGSTOP), 0);
	end_long_ago(world, id_lane(id), "tx:app", "e:", id);
	end_long_ago(world, id_lane(id), "tt", "x:", "app");
	assert_true(redis_server_do(&world->redis, "CONFIG SET min-replicas-to-write 1"));
	assert_int_equal(kill(world->brokers[0].proc.pid, SIGCONT), 0);
	assert_true(proc_wait_text(&world->brokers[0].proc, "NOREPLICAS", SCENE_PATIENCE, NULL, 0));
	scene_says(world, "/readyz", 200,
		   "{\"ready\":true,\"reasons\":[],\"warnings\":[\"What is due, ends of access among it, ");
	scene_says(world, "/readyz", 200,
		   "\"removals\":{\"unconfirmed\":0,\"oldestSeconds\":0},\"due\":{\"notTakenUp\":");
	scene_says(world, "/metrics", 200, "\njit_timetable_oldest_seconds 36");
	scene_says(world, "/metrics", 200, "\njit_removals_unconfirmed 0\n");
	assert_true(redis_server_do(&world->redis, "CONFIG SET min-replicas-to-write 0"));
	scene_wait_empty(world);
	scene_says(world, "/metrics", 200, "\njit_timetable_oldest_seconds 0\n");
	world_passed(world);
}

/* One request cannot be read: its end is told and tried until it can be, and everybody else's comes. */
static void what_cannot_be_read_is_told(void **state)
{
	struct world *world = *state;
	struct world_ask unreadable = {.person = 1, .duration = "PT2S"},
			 other = {.person = 2, .duration = "PT2S"};
	char id[ID_SIZE], next[ID_SIZE];

	scene_activate(world, &unreadable, id);
	scene_wait(world, &unreadable, id, "provisioned");
	assert_true(
		redis_server_do(&world->redis, "RENAME {j%d}:r:%s {j%d}:kept", id_lane(id), id, id_lane(id)));
	assert_true(redis_server_do(&world->redis, "RPUSH {j%d}:r:%s nonsense", id_lane(id), id));
	scene_activate(world, &other, next);
	scene_wait(world, &other, next, "removed");
	assert_true(proc_wait_text(&world->brokers[0].proc, "event=set_aside", SCENE_PATIENCE, NULL, 0));
	scene_says(world, "/readyz", 200,
		   "What cannot be worked on, as a key in Redis cannot be read, and may be an end");
	scene_says(world, "/metrics", 200, "\njit_timetable_set_aside 1\n");
	scene_says(world, "/api/audit", 200, "\"set_aside\"");
	assert_int_equal(scene_members(world, 0), 1);
	assert_true(
		redis_server_do(&world->redis, "RENAME {j%d}:kept {j%d}:r:%s", id_lane(id), id_lane(id), id));
	scene_wait(world, &unreadable, id, "removed");
	scene_says(world, "/readyz", 200, "\"warnings\":[]");
	scene_says(world, "/metrics", 200, "\njit_timetable_set_aside 0\n");
	world_passed(world);
}

static bool lacks_figures(void *ctx)
{
	static const char *const gauges[] = {"\njit_removals_unconfirmed ", "\njit_removals_oldest_seconds ",
					     "\njit_timetable_entries ",    "\njit_timetable_due ",
					     "\njit_guard_held ",           "\njit_notices_waiting ",
					     "\njit_audit_unsealed "};
	struct http_response response;
	size_t found = 0;

	scene_get(ctx, 0, "/metrics", &response);
	for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
		found += strstr(buf_text(&response.body), gauges[i]) != NULL;
	http_response_release(&response);
	return found == 0;
}

static void expect_unknown(const struct world *world, int status)
{
	static const char nulls[] = "\"removals\":{\"unconfirmed\":null,\"oldestSeconds\":null},"
				    "\"due\":{\"notTakenUp\":null,\"oldestSeconds\":null}";
	struct http_response response;

	assert_true(wait_until(lacks_figures, (void *)(uintptr_t)world, SCENE_PATIENCE));
	scene_get(world, 0, "/readyz", &response);
	assert_int_equal(response.status, status);
	if (strstr(buf_text(&response.body), nulls) == NULL ||
	    strstr(buf_text(&response.body), "Figures are missing: ") == NULL)
		fail_msg("%s", buf_text(&response.body));
	http_response_release(&response);
}

/* Were a figure 0 while it cannot be asked for, the alarm about it would end. */
static void what_is_not_known_is_not_zero(void **state)
{
	struct world *world = *state;

	scene_says(world, "/metrics", 200, "\njit_removals_unconfirmed 0\n");
	/* One of all lanes is enough. */
	assert_true(redis_server_do(&world->redis, "SET {j0}:x nonsense"));
	expect_unknown(world, 200);
	assert_true(redis_server_do(&world->redis, "DEL {j0}:x"));
	scene_says(world, "/metrics", 200, "\njit_removals_unconfirmed 0\n");
	redis_server_kill9(&world->redis);
	expect_unknown(world, 503);
	assert_true(redis_server_restart(&world->redis));
	assert_true(broker_wait_ready(&world->brokers[0], SCENE_PATIENCE));
	scene_says(world, "/metrics", 200, "\njit_removals_unconfirmed 0\n");
	world_passed(world);
}

/* -- whoever asks ----------------------------------------------------------------------------------------------- */

#define ASKED 200
#define FRESH 250 /* ms: so old may an answer be */
#define LANES 16

/* Calls of functions that only read. */
static long reads(const struct world *world)
{
	static const char name[] = "cmdstat_fcall_ro:calls=";
	redisReply *reply = redis_server_command(&world->redis, "INFO commandstats");
	const char *found;
	long count;

	assert_non_null(reply);
	found = strstr(reply->str, name);
	count = found != NULL ? strtol(found + strlen(name), NULL, 10) : 0;
	freeReplyObject(reply);
	return count;
}

/* However often it is asked, Redis is asked a few times a second. */
static void nobody_wears_redis_out(void **state)
{
	struct world *world = *state;
	struct http_response response;
	int64_t began = clock_mono_ms(), took;
	long before = reads(world), looks;

	for (int i = 0; i < ASKED; i++) {
		scene_get(world, 0, i % 2 == 0 ? "/readyz" : "/metrics", &response);
		assert_int_equal(response.status, 200);
		http_response_release(&response);
	}
	took = clock_mono_ms() - began;
	looks = (reads(world) - before) / LANES;
	if (looks > took / FRESH + 2)
		fail_msg("%ld looks in %lld ms", looks, (long long)took);
	world_passed(world);
}

/* -- about to end ---------------------------------------------------------------------------------------------- */

/* Asks over a connection that stays, and waits for that text at the end of the answer, which begins with that line. */
static void ask_again(int fd, const char *line, const char *text)
{
	static const char get[] = "GET /readyz HTTP/1.1\r\nHost: here\r\n\r\n";
	char answer[4096] = "";
	size_t len = 0;

	assert_int_equal(send(fd, get, sizeof(get) - 1, MSG_NOSIGNAL), sizeof(get) - 1);
	while (strstr(answer, "\"oldestSeconds\":0}}") == NULL) {
		ssize_t more = recv(fd, answer + len, sizeof(answer) - 1 - len, 0);

		if (more <= 0)
			fail_msg("no whole answer: %s", answer);
		len += (size_t)more;
		answer[len] = '\0';
	}
	if (strncmp(answer, line, strlen(line)) != 0 || strstr(answer, text) == NULL)
		fail_msg("not %s… %s: %s", line, text, answer);
}

static void a_broker_that_stops_is_not_ready(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1};
	struct broker *broker = &world->brokers[0];
	char id[ID_SIZE];
	int fd = http_dial(broker->root);

	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> hang"));
	scene_activate(world, &ask, id);
	scene_wait_hung(world, 1);
	ask_again(fd, "HTTP/1.1 200 ", "{\"ready\":true,\"reasons\":[],");
	assert_int_equal(kill(broker->proc.pid, SIGTERM), 0);
	assert_true(proc_wait_text(&broker->proc, "event=stopping", SCENE_PATIENCE, NULL, 0));
	ask_again(fd, "HTTP/1.1 503 ", "{\"ready\":false,\"reasons\":[\"The broker is stopping.\"],");
	close(fd);
	assert_true(sandbox_release_hung(&world->sandbox));
	assert_true(broker_stop(broker));
	world_passed(world);
}

/* One of the two is wrong: access ends too late or too early, or tokens are judged by the wrong time. */
static void clocks_that_differ_are_told(void **state)
{
	struct world *world = *state;
	struct broker *broker = &world->brokers[0];
	char preload[256];
	const char *variables[] = {preload, "FAKETIME=-5000000", "FAKETIME_DONT_FAKE_MONOTONIC=1",
				   "ASAN_OPTIONS=verify_asan_link_order=0", NULL};
	glob_t found;
	bool is_there = glob("/usr/lib/*/faketime/libfaketimeMT.so.1", 0, NULL, &found) == 0;

	scene_says(world, "/readyz", 200, "\"warnings\":[]");
	scene_says(world, "/metrics", 200, "\njit_store_clock_seconds 0\n");
	if (is_there) {
		snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", found.gl_pathv[0]);
		assert_true(broker_stop(broker));
		broker->variables = variables;
		assert_true(broker_restart(broker));
		scene_says(world, "/readyz", 200, "Redis' clock, by which access ends, is 5000");
		scene_says(world, "/readyz", 200, " seconds ahead of this broker's.");
		scene_says(world, "/metrics", 200, "\njit_store_clock_seconds 5000");
		assert_true(broker_stop(broker));
		variables[1] = "FAKETIME=+5000000";
		assert_true(broker_restart(broker));
		scene_says(world, "/readyz", 200, " seconds behind this broker's.");
	} else {
		fprintf(stderr, "no libfaketime, so no other clock\n");
	}
	globfree(&found);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_overdue_removal_is_a_warning, open_world, scene_close),
		cmocka_unit_test_setup_teardown(ends_that_are_refused_are_told, open_world, scene_close),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_told, open_world, scene_close),
		cmocka_unit_test_setup_teardown(what_is_not_known_is_not_zero, open_world, scene_close),
		cmocka_unit_test_setup_teardown(clocks_that_differ_are_told, open_world, scene_close),
		cmocka_unit_test_setup_teardown(nobody_wears_redis_out, open_world, scene_close),
		cmocka_unit_test_setup_teardown(a_broker_that_stops_is_not_ready, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
