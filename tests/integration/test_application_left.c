/* An application leaves the configuration while somebody has access in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "tests/support/drift.h"
#include "tests/support/wait.h"

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	return scene_open(state, &options);
}

static bool is_said(void *ctx)
{
	return drift_count(ctx, "/readyz",
			   "as no broker has their application in its configuration any more: 1.") == 1 &&
	       drift_events(ctx, "application_unknown") == 1;
}

static bool is_over(void *ctx)
{
	return drift_count(ctx, "/metrics", "jit_removals_stranded 0\n") == 1;
}

/* It cannot be removed and that is said, once; when the application is back, it is removed. */
static void what_cannot_end_is_said(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT2S"};
	size_t groups = world->config.group_count;
	char id[ID_SIZE];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	world->config.application_count = world->config.group_count = 0;
	assert_true(scene_reload(world, 0));
	assert_true(wait_until(is_said, world, SCENE_PATIENCE));
	assert_int_equal(drift_count(world, "/metrics", "jit_removals_stranded 1\n"), 1);
	assert_int_equal(scene_members(world, 0), 1);
	world->config.application_count = 1;
	world->config.group_count = groups;
	assert_true(scene_reload(world, 0));
	scene_wait(world, &ask, id, "removed");
	scene_wait_members(world, 0, 0);
	assert_true(wait_until(is_over, world, SCENE_PATIENCE));
	assert_int_equal(drift_events(world, "application_unknown"), 1);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_cannot_end_is_said, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
