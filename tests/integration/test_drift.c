/* Memberships that somebody changes in the application by hand: found by the next cycle, told, and put right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/drift.h"
#include "tests/support/wait.h"

static const char *const plain[] = {"--dialect", "rfc7644", NULL};

static int open_aws(void **state)
{
	return drift_open(state, NULL, NULL, NULL);
}

/* Members cannot be listed, only be asked for. */
static int open_asking(void **state)
{
	return drift_open(state, NULL, "      list: none\n", NULL);
}

static int open_plain(void **state)
{
	return drift_open(state, plain, "      dialect: rfc7644\n", NULL);
}

static int open_unable(void **state)
{
	return drift_open(state, plain, "      dialect: rfc7644\n      list: none\n", NULL);
}

static bool is_released(void *ctx)
{
	return drift_events(ctx, "release") == 1;
}

/* Its removal was confirmed; something brings it back. It goes again. Later on that is none of the broker's doing. */
static void removed_again(struct world *world)
{
	struct world_ask ask = {.person = 1};
	struct http_response response;

	world_deactivate(world, &ask, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	assert_true(wait_until(is_released, world, SCENE_PATIENCE));
	assert_false(drift_is_member(world, 1));
	drift_change(world, 1, true);
	drift_cycle(world);
	assert_true(world_wait_member(world, 1, 0, false, SCENE_PATIENCE));
	assert_int_equal(drift_events(world, "drift_returned"), 1);
	drift_cycle(world);
	drift_change(world, 1, true);
	drift_cycle(world);
	assert_true(drift_is_member(world, 1));
	assert_int_equal(drift_events(world, "drift_returned"), 1);
}

/* Two have it, a third was there before: one is taken out by hand, and given it again. Nothing else is touched. */
static void given_again(void **state)
{
	struct world *world = *state;
	size_t before;

	assert_true(sandbox_make_user(&world->sandbox, world_user_name(world, 3)));
	drift_change(world, 3, true);
	drift_activate(world, 1);
	drift_activate(world, 2);
	drift_activate(world, 3);
	before = drift_changes(world);
	/* All is as it should be. */
	drift_cycle(world);
	assert_int_equal(drift_changes(world), before);
	assert_int_equal(drift_events(world, "drift_missing"), 0);
	drift_change(world, 1, false);
	drift_cycle(world);
	assert_true(drift_is_member(world, 1));
	assert_true(drift_is_member(world, 2));
	assert_true(drift_is_member(world, 3));
	assert_int_equal(drift_changes(world), before + 1);
	assert_int_equal(drift_events(world, "drift_missing"), 1);
	assert_int_equal(drift_count(world, "/api/provisioning-log", "\"drift\""), 1);
	drift_cycle(world);
	assert_int_equal(drift_changes(world), before + 1);
	assert_int_equal(drift_events(world, "drift_missing"), 1);
	removed_again(world);
	world_passed(world);
}

/* An application that shows nothing is not asked. */
static void nothing_to_read(void **state)
{
	struct world *world = *state;
	size_t before;

	drift_activate(world, 1);
	drift_change(world, 1, false);
	before = drift_requests(world, "GET", "/scim/v2/Groups");
	drift_cycle(world);
	assert_int_equal(drift_requests(world, "GET", "/scim/v2/Groups"), before);
	assert_false(drift_is_member(world, 1));
	world_passed(world);
}

#define WORLD(story, open)                                                                                   \
	{                                                                                                    \
#story " (" #open ")", story, open, scene_close, NULL                                        \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(given_again, open_aws),
		WORLD(given_again, open_asking),
		WORLD(given_again, open_plain),
		WORLD(nothing_to_read, open_unable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
