/* A whole world starts, does the one thing it is there for, survives its parts, and ends cleanly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/sandbox_log.h"
#include "tests/support/world.h"

#define SECOND 1000

static int set_up(void **state)
{
	struct world_options options = world_defaults();
	struct world *world = calloc(1, sizeof(*world));

	if (world == NULL)
		return -1;
	*state = world;
	options.brokers = 2;
	/* So that what a killed broker had begun is taken over soon. */
	options.application.push_timeout_ms = 3 * SECOND;
	return world_start(world, &options) ? 0 : -1;
}

static int tear_down(void **state)
{
	bool clean = world_stop(*state);

	free(*state);
	return clean ? 0 : -1;
}

static void what_one_broker_grants_the_other_knows(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.broker = 0, .person = 1, .group = 0, .duration = "PT1H"};
	struct http_response response;
	struct sandbox_log log;
	char id[ID_SIZE];

	assert_true(world_activate_ok(world, &ask, id));
	ask.broker = 1;
	assert_true(world_wait_state(world, &ask, id, "provisioned", 10 * SECOND));
	assert_true(
		sandbox_is_member(&world->sandbox, world_group_name(world, 0), world_user_name(world, 1)));

	world_deactivate(world, &ask, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	assert_true(world_wait_member(world, 1, 0, false, 10 * SECOND));
	assert_true(sandbox_log_read(world->sandbox.requests_path, &log));
	assert_int_equal(sandbox_log_max_pushes(&log, 10 * SECOND), 2);
	sandbox_log_release(&log);
	world_passed(world);
}

static void a_broker_comes_back(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 2, .group = 1, .duration = "PT1H"};
	char id[ID_SIZE];

	assert_true(world_activate_ok(world, &ask, id));
	broker_kill9(&world->brokers[0]);
	assert_true(broker_restart(&world->brokers[0]));
	assert_true(world_wait_state(world, &ask, id, "provisioned", 60 * SECOND));
	redis_server_kill9(&world->redis);
	assert_true(redis_server_restart(&world->redis));
	assert_true(broker_wait_ready(&world->brokers[0], 10 * SECOND));
	assert_true(world_wait_state(world, &ask, id, "provisioned", 10 * SECOND));
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_one_broker_grants_the_other_knows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_broker_comes_back, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
