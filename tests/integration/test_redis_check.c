/* The broker and its Redis: one that may forget is refused, one that is away is told at once and waited for. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define REQUESTS PIM "assignmentScheduleRequests"
#define CALLS    2000

/* What the sanitizer keeps of freed memory is not the broker's. */
#ifdef __SANITIZE_ADDRESS__
#define GROWTH_MAX (320L * 1024 * 1024)
#else
#define GROWTH_MAX (16L * 1024 * 1024)
#endif

/* -- durability ------------------------------------------------------------------------------------------------- */

struct lone {
	struct redis_server redis;
	struct broker broker;
	char dir[32];
	bool passed;
};

/* A Redis with these arguments and a broker on it, which need not become ready. */
static void start_lone(struct lone *lone, const char *const *arguments, bool durable)
{
	const char *id = "00000000-0000-4000-8000-000000000001";
	const struct broker_person person = {.id = id, .user_name = "ann@example.com", .token = "token-1"};
	struct broker_config config = {
		.redis_durable = durable, .people = &person, .people_count = 1, .redis_timeout_ms = SECOND};

	snprintf(lone->dir, sizeof(lone->dir), "/tmp/jit-test-XXXXXX");
	assert_non_null(mkdtemp(lone->dir));
	assert_true(redis_server_start(&lone->redis, arguments));
	config.redis_url = lone->redis.url;
	assert_true(broker_start_unready(&lone->broker, lone->dir, "lone", &config));
}

static void stop_lone(struct lone *lone)
{
	assert_true(broker_stop(&lone->broker));
	redis_server_stop(&lone->redis);
	unlink(lone->broker.config_path);
	unlink(lone->broker.log_path);
	rmdir(lone->dir);
}

struct readiness {
	const struct broker *broker;
	const char *words;
};

static bool says(void *ctx)
{
	const struct readiness *readiness = ctx;
	struct http_response response;
	const char *reason;
	bool found;

	broker_call(readiness->broker, &(struct http_request){.url = "/readyz"}, &response);
	reason = http_json_text(&response, "reasons.0");
	found = response.status == 503 && reason != NULL && strstr(reason, readiness->words) != NULL;
	http_response_release(&response);
	return found;
}

static void expect_not_ready(const struct broker *broker, const char *words)
{
	struct readiness readiness = {broker, words};
	struct http_response response;

	if (!wait_until(says, &readiness, SCENE_PATIENCE)) {
		broker_call(broker, &(struct http_request){.url = "/readyz"}, &response);
		fail_msg("/readyz: %d %s", response.status, buf_text(&response.body));
	}
}

static const char *const volatile_redis[][5] = {
	{"--appendonly", "no", NULL},
	{"--appendfsync", "everysec", NULL},
	{"--maxmemory-policy", "allkeys-lru", NULL},
};
static const char *const sentences[] = {
	"Redis may forget what it has acknowledged: appendonly is no, set it to yes",
	"Redis may forget what it has acknowledged: appendfsync is everysec, set it to always",
	"Redis may forget what it has acknowledged: maxmemory-policy is allkeys-lru, set it to noeviction",
};

static void a_redis_that_may_forget_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		struct lone lone = {0};
		struct http_response response;

		start_lone(&lone, volatile_redis[i], true);
		expect_not_ready(&lone.broker, sentences[i]);
		assert_true(proc_wait_text(&lone.broker.proc, sentences[i], SCENE_PATIENCE, NULL, 0));
		broker_call(&lone.broker,
			    &(struct http_request){.url = REQUESTS "/filterByCurrentUser(on='principal')",
						   .bearer = "token-1"},
			    &response);
		assert_int_equal(response.status, 503);
		http_response_release(&response);
		broker_call(&lone.broker, &(struct http_request){.url = "/healthz"}, &response);
		assert_int_equal(response.status, 200);
		http_response_release(&response);
		stop_lone(&lone);
	}
}

static void it_is_taken_once_it_is_set_right(void **state)
{
	struct lone lone = {0};

	(void)state;
	start_lone(&lone, volatile_redis[1], true);
	expect_not_ready(&lone.broker, sentences[1]);
	assert_true(redis_server_do(&lone.redis, "CONFIG SET appendfsync always"));
	assert_true(broker_wait_ready(&lone.broker, SCENE_PATIENCE));
	stop_lone(&lone);
}

static void it_is_taken_where_that_is_allowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		struct lone lone = {0};

		start_lone(&lone, volatile_redis[i], false);
		assert_true(broker_wait_ready(&lone.broker, SCENE_PATIENCE));
		stop_lone(&lone);
	}
}

/* -- away ------------------------------------------------------------------------------------------------------- */

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.redis_timeout_ms = SECOND;
	options.application.push_timeout_ms =
		2 * SECOND; /* a push whose beginning is in doubt is taken over then */
	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	return scene_open(state, &options);
}

static long memory_of(pid_t pid)
{
	char path[64];
	long pages = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*s %ld", &pages), 1);
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

static void expect_unavailable(const struct http_response *response)
{
	char value[32];

	if (response->status != 503)
		fprintf(stderr, "%d %s %s\n", response->status, response->error, buf_text(&response->body));
	assert_int_equal(response->status, 503);
	assert_string_equal(scene_text(response, "error.code"), "ServiceUnavailable");
	assert_true(http_header(response, "retry-after", value, sizeof(value)));
	assert_true(strtol(value, NULL, 10) >= 1);
}

static bool is_refused_at_once(void *ctx)
{
	struct http_response response;
	bool at_once;

	scene_get(ctx, 0, "/api/applications/app", &response);
	at_once = response.status == 503 && response.ended_ms - response.sent_ms < SECOND / 4;
	http_response_release(&response);
	return at_once;
}

/* Every call of the API, while Redis cannot be reached: calls wait for it for a moment, later ones do not. */
static void expect_all_unavailable(const struct world *world)
{
	static const char *const paths[] = {REQUESTS "/filterByCurrentUser(on='principal')",
					    REQUESTS "/00000000-0000-8000-8000-000000000000",
					    PIM
					    "assignmentScheduleInstances/filterByCurrentUser(on='principal')",
					    "/api/applications", "/api/applications/app"};
	struct world_ask ask = {.person = 0};
	struct http_response response;

	assert_true(wait_until(is_refused_at_once, (void *)(uintptr_t)world, SCENE_PATIENCE));
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		scene_get(world, 0, paths[i], &response);
		expect_unavailable(&response);
		assert_true(response.ended_ms - response.sent_ms < SECOND);
		http_response_release(&response);
	}
	world_activate(world, &ask, &response);
	expect_unavailable(&response);
	assert_true(response.ended_ms - response.sent_ms < SECOND);
	http_response_release(&response);
	world_deactivate(world, &ask, &response);
	expect_unavailable(&response);
	http_response_release(&response);
	assert_int_equal(scene_cancel(world, 0, "00000000-0000-8000-8000-000000000000"), 503);
	broker_call(&world->brokers[0], &(struct http_request){.url = "/metrics"}, &response);
	assert_int_equal(response.status, 200);
	http_response_release(&response);
}

/* So many calls that each would cost kilobytes if it were kept. */
static void call_a_lot(const struct world *world, int allowed)
{
	struct http_request *requests = calloc(CALLS, sizeof(*requests));
	struct http_response *responses = calloc(CALLS, sizeof(*responses));
	char url[256], body[512];
	long before = memory_of(world->brokers[0].proc.pid);

	assert_true(requests != NULL && responses != NULL);
	snprintf(url, sizeof(url), "%s" REQUESTS, world->brokers[0].root);
	snprintf(body, sizeof(body),
		 "{\"action\":\"selfActivate\",\"accessId\":\"member\",\"groupId\":\"%s\",\"justification\":"
		 "\"why\"}",
		 world_group_id(world, 0));
	for (size_t i = 0; i < CALLS; i++)
		requests[i] =
			(struct http_request){.url = url, .body = body, .bearer = world_token(world, 1)};
	assert_true(http_many(requests, CALLS, 100, responses));
	for (size_t i = 0; i < CALLS; i++) {
		if (responses[i].status != allowed)
			expect_unavailable(&responses[i]);
		http_response_release(&responses[i]);
	}
	assert_true(memory_of(world->brokers[0].proc.pid) - before < GROWTH_MAX);
	free(requests);
	free(responses);
}

static void away_and_back(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT1H"}, next = {.person = 2};
	char id[ID_SIZE];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	redis_server_kill9(&world->redis);
	expect_not_ready(&world->brokers[0], "");
	expect_all_unavailable(world);
	call_a_lot(world, 503);
	assert_true(redis_server_restart(&world->redis));
	assert_true(broker_wait_ready(&world->brokers[0], SCENE_PATIENCE));
	assert_true(world_wait_state(world, &ask, id, "provisioned", SECOND));
	scene_activate(world, &next, id);
	scene_wait(world, &next, id, "provisioned");
	world_passed(world);
}

static void away_when_an_end_comes(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT2S"};
	struct http_response response;
	char id[ID_SIZE];
	int64_t end;

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	scene_look(world, &ask, id, &response);
	end = scene_time(&response, "provisioning.endDateTime");
	http_response_release(&response);
	redis_server_kill9(&world->redis);
	scene_wait_for(end + 500);
	assert_true(redis_server_restart(&world->redis));
	assert_true(world_wait_member(world, 1, 0, false, SCENE_PATIENCE));
	assert_true(broker_wait_ready(&world->brokers[0], SCENE_PATIENCE));
	scene_wait(world, &ask, id, "removed");
	world_passed(world);
}

/* Frozen, it takes what is sent and answers nothing; and when it thaws, it still does all that it was sent. */
static void frozen_and_thawed(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .idempotency_key = "once"};
	struct http_response response;
	struct scene_changes changes;
	char id[ID_SIZE], value[32];

	redis_server_freeze(&world->redis);
	world_activate(world, &ask, &response);
	assert_int_equal(response.status, 504);
	assert_string_equal(scene_text(&response, "error.code"), "GatewayTimeout");
	assert_true(http_header(&response, "retry-after", value, sizeof(value)));
	http_response_release(&response);
	expect_not_ready(&world->brokers[0], "");
	call_a_lot(world, 504);
	redis_server_thaw(&world->redis);
	assert_true(broker_wait_ready(&world->brokers[0], SCENE_PATIENCE));

	/* In doubt: repeated under its key, it is one request, whether or not it was done. */
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	scene_changes(world, &changes);
	assert_int_equal(changes.adds, 1);
	scene_get(world, 1, REQUESTS "/filterByCurrentUser(on='principal')", &response);
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "value")), 1);
	http_response_release(&response);
	world_passed(world);
}

/* Memory is full, also when the broker starts anew: nobody gets access, and whoever has it loses it when it ends or is given back. */
static void full_when_an_end_comes(void **state)
{
	struct world *world = *state;
	struct world_ask ends = {.person = 1, .duration = "PT2S"}, gives_back = {.person = 2},
			 next = {.person = 0};
	struct http_response response;
	char ending[ID_SIZE], given_back[ID_SIZE];

	scene_activate(world, &gives_back, given_back);
	scene_wait(world, &gives_back, given_back, "provisioned");
	scene_activate(world, &ends, ending);
	scene_wait(world, &ends, ending, "provisioned");
	assert_true(redis_server_do(&world->redis, "CONFIG SET maxmemory 1"));
	assert_true(broker_stop(&world->brokers[0]));
	assert_true(broker_start(&world->brokers[0], world->dir, "broker-0", &world->config));
	world_activate(world, &next, &response);
	expect_unavailable(&response);
	http_response_release(&response);
	world_deactivate(world, &gives_back, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	scene_wait(world, &gives_back, given_back, "removed");
	scene_wait(world, &ends, ending, "removed");
	scene_wait_empty(world);
	assert_true(redis_server_do(&world->redis, "CONFIG SET maxmemory 0"));
	scene_activate(world, &next, ending);
	scene_wait(world, &next, ending, "provisioned");
	world_passed(world);
}

static void not_there_yet(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1};
	char id[ID_SIZE];

	assert_true(broker_stop(&world->brokers[0]));
	redis_server_kill9(&world->redis);
	assert_true(broker_start_unready(&world->brokers[0], world->dir, "broker-0", &world->config));
	expect_not_ready(&world->brokers[0], "");
	expect_all_unavailable(world);
	assert_true(redis_server_restart(&world->redis));
	assert_true(broker_wait_ready(&world->brokers[0], SCENE_PATIENCE));
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_redis_that_may_forget_is_refused),
		cmocka_unit_test(it_is_taken_once_it_is_set_right),
		cmocka_unit_test(it_is_taken_where_that_is_allowed),
		cmocka_unit_test_setup_teardown(away_and_back, open_world, scene_close),
		cmocka_unit_test_setup_teardown(away_when_an_end_comes, open_world, scene_close),
		cmocka_unit_test_setup_teardown(full_when_an_end_comes, open_world, scene_close),
		cmocka_unit_test_setup_teardown(frozen_and_thawed, open_world, scene_close),
		cmocka_unit_test_setup_teardown(not_there_yet, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
