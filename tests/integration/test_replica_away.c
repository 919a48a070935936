/* A broker that waits for a replica, which stands still: nobody gets access, and access ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "tests/support/scene.h"
#include "tests/support/wait.h"

struct story {
	struct world *world;
	struct redis_server replica;
	char port[8];
};

/* It has what the master had, and has begun its own append-only file with that. */
static bool is_attached(void *ctx)
{
	const struct story *story = ctx;
	redisReply *reply = redis_server_command(&story->replica, "INFO everything");
	bool attached = reply != NULL && strstr(reply->str, "master_link_status:up") != NULL &&
			strstr(reply->str, "aof_rewrite_in_progress:0") != NULL &&
			strstr(reply->str, "aof_rewrite_scheduled:0") != NULL;

	freeReplyObject(reply);
	return attached;
}

static int open_story(void **state)
{
	struct world_options options = scene_defaults();
	struct story *story = calloc(1, sizeof(*story));
	void *opened = NULL;
	int port;

	assert_non_null(story);
	assert_true(redis_server_ports(&port, 1));
	snprintf(story->port, sizeof(story->port), "%d", port);
	const char *const of_master[] = {
		"--port", story->port, "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0", NULL};
	const char *const of_replica[] = {"--replicaof", "127.0.0.1", story->port, NULL};
	options.redis_arguments = of_master;
	options.without_brokers = true;
	*state = story;
	if (scene_open(&opened, &options) != 0 || !redis_server_start(&story->replica, of_replica) ||
	    !wait_until(is_attached, story, SCENE_PATIENCE))
		return -1;
	story->world = opened;
	story->world->config.redis_more = "  replicas: 1\n  replicas_timeout: 1500ms\n";
	story->world->broker_count = 1;
	return broker_start(&story->world->brokers[0], story->world->dir, "broker", &story->world->config)
		       ? 0
		       : -1;
}

static int close_story(void **state)
{
	struct story *story = *state;
	void *opened = story->world;
	int closed = scene_close(&opened);

	redis_server_stop(&story->replica);
	free(story);
	return closed;
}

static void access_ends_without_the_replica(void **state)
{
	struct story *story = *state;
	struct world *world = story->world;
	struct world_ask ends = {.person = 1, .duration = "PT8S"}, gives_back = {.person = 2, .group = 1},
			 late = {.person = 3};
	struct http_response response;
	char id[ID_SIZE], other[ID_SIZE];

	scene_activate(world, &gives_back, other);
	scene_wait(world, &gives_back, other, "provisioned");
	scene_activate(world, &ends, id);
	scene_wait(world, &ends, id, "provisioned");
	redis_server_freeze(&story->replica);
	world_activate(world, &late, &response);
	assert_int_equal(response.status, 504);
	http_response_release(&response);
	world_deactivate(world, &gives_back, &response);
	assert_int_equal(response.status, 504);
	http_response_release(&response);
	assert_true(world_wait_member(world, 2, 1, false, SCENE_PATIENCE));
	assert_true(world_wait_member(world, 1, 0, false, SCENE_PATIENCE));
	assert_int_equal(scene_members(world, 0), 0);
	redis_server_thaw(&story->replica);
	scene_wait(world, &ends, id, "removed");
	scene_wait(world, &gives_back, other, "removed");
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(access_ends_without_the_replica, open_story, close_story),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
