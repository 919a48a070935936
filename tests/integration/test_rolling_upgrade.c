/*
 * Brokers of two versions on one Redis, while one after the other is replaced: the newer one's functions are taken and
 * never taken back, the older ones go on with them, and a store whose keys are of a form that a broker does not know is left
 * alone. The newer version is this one with the next number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "activation/library.h"
#include "activation/states.h"
#include "store/setup.h"
#include "tests/support/scene.h"

#define FUNCTIONS "tests/golden/functions.txt"

enum { OLDER, OTHER, NEWER };

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.brokers = 2;
	options.application.pushes = 100;
	options.poll_ms = 100;
	return scene_open(state, &options);
}

static int64_t version(const struct world *world)
{
	redisReply *reply = redis_server_command(&world->redis, "FCALL_RO jit_version 0");
	int64_t number;

	assert_non_null(reply);
	assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
	number = reply->integer;
	freeReplyObject(reply);
	return number;
}

/* Everybody asks by one of these brokers and gives back by the next; what one has begun another ends. */
static void serve(const struct world *world, const size_t brokers[], size_t count)
{
	struct http_response response;
	char ids[6][ID_SIZE];

	for (size_t i = 0; i < 6; i++) {
		struct world_ask ask = {.broker = brokers[i % count], .person = i, .duration = "PT1H"};

		scene_activate(world, &ask, ids[i]);
	}
	for (size_t i = 0; i < 6; i++) {
		struct world_ask ask = {.broker = brokers[(i + 1) % count], .person = i};

		scene_wait(world, &ask, ids[i], "provisioned");
		world_deactivate(world, &ask, &response);
		assert_int_equal(response.status, 201);
		http_response_release(&response);
	}
	scene_wait_members(world, 0, 0);
}

static void start_newer(struct world *world, size_t broker, const char *name)
{
	struct broker_config config = world->config;

	config.program = "tests/newer/jit-broker";
	world->broker_count = broker + 1 > world->broker_count ? broker + 1 : world->broker_count;
	assert_true(broker_start(&world->brokers[broker], world->dir, name, &config));
}

static void one_after_the_other(void **state)
{
	static const size_t older[] = {OLDER, OTHER}, all[] = {OLDER, NEWER, OTHER}, both[] = {OLDER, NEWER};
	struct world *world = *state;

	serve(world, older, 2);
	assert_int_equal(version(world), jit_library_version);
	start_newer(world, NEWER, "newer");
	assert_int_equal(version(world), jit_library_version + 1);
	serve(world, all, 3);
	assert_true(broker_stop(&world->brokers[OTHER]));
	serve(world, both, 2);
	/* One that comes back as it was takes what is there. */
	assert_true(broker_stop(&world->brokers[OLDER]));
	assert_true(broker_restart(&world->brokers[OLDER]));
	assert_int_equal(version(world), jit_library_version + 1);
	serve(world, both, 2);
	start_newer(world, OTHER, "other");
	assert_true(broker_stop(&world->brokers[OLDER]));
	serve(world, &both[1], 1);
	assert_int_equal(version(world), jit_library_version + 1);
	world_passed(world);
}

/* Is the function named in the list? */
static bool is_listed(const char *function)
{
	FILE *file = fopen(FUNCTIONS, "re");
	bool listed = false;
	char name[64];

	assert_non_null(file);
	while (!listed && fscanf(file, "%63s", name) == 1)
		listed = strcmp(name, function) == 0;
	fclose(file);
	return listed;
}

/* The functions in FUNCTION LIST, whose answer is lists of names and values, one for each library. */
static const redisReply *functions_of(const redisReply *library)
{
	for (size_t i = 0; i + 1 < library->elements; i += 2)
		if (strcmp(library->element[i]->str, "functions") == 0)
			return library->element[i + 1];
	fail_msg("FUNCTION LIST tells no functions");
	return NULL;
}

/* Who adds a function adds it to the list, or nobody would notice when it goes. */
static void functions_of_this_release_are_listed(void **state)
{
	struct world *world = *state;
	redisReply *libraries = redis_server_command(&world->redis, "FUNCTION LIST");
	const redisReply *functions;

	assert_non_null(libraries);
	assert_int_equal(libraries->type, REDIS_REPLY_ARRAY);
	assert_int_equal(libraries->elements, 1);
	functions = functions_of(libraries->element[0]);
	assert_true(functions->elements > 30);
	for (size_t i = 0; i < functions->elements; i++) {
		const char *name = functions->element[i]->element[1]->str;

		if (!is_listed(name))
			fail_msg("%s is not in " FUNCTIONS, name);
	}
	freeReplyObject(libraries);
	world_passed(world);
}

/* What brokers of the release before this one call must be there until the next: then it may go from the list. */
static void functions_of_the_release_before_are_there(void **state)
{
	struct world *world = *state;
	FILE *file = fopen(FUNCTIONS, "re");
	redisReply *reply;
	char name[64];
	size_t count = 0;

	assert_non_null(file);
	while (fscanf(file, "%63s", name) == 1) {
		reply = redis_server_command(&world->redis, "FCALL %s 0", name);
		assert_non_null(reply);
		if (reply->type == REDIS_REPLY_ERROR && strstr(reply->str, "Function not found") != NULL)
			fail_msg("%s is called by older brokers, and is not there", name);
		freeReplyObject(reply);
		count++;
	}
	fclose(file);
	assert_true(count > 30);
	world_passed(world);
}

static void a_newer_form_of_the_keys_is_left_alone(void **state)
{
	static const char words[] = "written by a newer broker (key schema ";
	struct world *world = *state;
	struct broker *broker = &world->brokers[OLDER];
	struct http_response response;

	for (size_t i = 0; i < 2; i++)
		assert_true(broker_stop(&world->brokers[i]));
	assert_true(redis_server_do(&world->redis, "SET " SETUP_SCHEMA_KEY " %d", SCHEMA_VERSION + 1));
	assert_true(broker_start_unready(broker, world->dir, "late", &world->config));
	assert_true(proc_wait_text(&broker->proc, words, SCENE_PATIENCE, NULL, 0));
	broker_call(broker, &(struct http_request){.url = "/readyz"}, &response);
	assert_int_equal(response.status, 503);
	assert_non_null(strstr(buf_text(&response.body), words));
	http_response_release(&response);
	world_activate(world, &(struct world_ask){.broker = OLDER, .person = 1}, &response);
	assert_int_equal(response.status, 503);
	http_response_release(&response);
	assert_true(redis_server_do(&world->redis, "SET " SETUP_SCHEMA_KEY " %d", SCHEMA_VERSION));
	assert_true(broker_wait_ready(broker, SCENE_PATIENCE));
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_after_the_other, open_world, scene_close),
		cmocka_unit_test_setup_teardown(functions_of_the_release_before_are_there, open_world,
						scene_close),
		cmocka_unit_test_setup_teardown(functions_of_this_release_are_listed, open_world,
						scene_close),
		cmocka_unit_test_setup_teardown(a_newer_form_of_the_keys_is_left_alone, open_world,
						scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
