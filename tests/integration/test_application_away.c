/* The application is away for longer than the whole assignment, in every way in which it can be: nothing stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene.h"

#define ON_ITS_WAY_MS 500 /* a PATCH that was sent just before the end arrives just after it */

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	options.application.request_timeout_ms = 500;
	options.application.push_timeout_ms = 2 * SECOND;
	return scene_open(state, &options);
}

/* Whatever it was, once the application is back nothing of it is left there. */
static void expect_nothing_left(const struct world *world, const struct world_ask *ask, const char *id,
				int64_t end_ms)
{
	struct scene_changes changes;

	scene_wait_empty(world);
	scene_changes(world, &changes);
	for (size_t i = 0; i < changes.count; i++)
		assert_true(!changes.all[i].add || changes.all[i].received_ms < end_ms + ON_ITS_WAY_MS);
	scene_wait_over(world, ask, id);
	/* And the next one goes through. */
	struct world_ask next = *ask;
	char next_id[ID_SIZE];

	next.duration = "PT1H";
	scene_activate(world, &next, next_id);
	scene_wait(world, &next, next_id, "provisioned");
	assert_true(sandbox_is_member(&world->sandbox, world_group_name(world, ask->group),
				      world_user_name(world, ask->person)));
}

static int64_t end_of(const struct world *world, const struct world_ask *ask, const char *id)
{
	struct http_response response;
	int64_t end;

	scene_look(world, ask, id, &response);
	end = scene_time(&response, "provisioning.endDateTime");
	http_response_release(&response);
	return end;
}

static void away_longer_than_the_assignment(struct world *world, const char *fault)
{
	struct world_ask ask = {.person = 1, .duration = "PT2S"};
	char id[ID_SIZE];
	int64_t end;

	assert_true(sandbox_add_fault(&world->sandbox, fault));
	scene_activate(world, &ask, id);
	end = end_of(world, &ask, id);
	scene_wait_for(end + SECOND);
	assert_true(sandbox_clear_faults(&world->sandbox));
	assert_true(sandbox_release_hung(&world->sandbox));
	expect_nothing_left(world, &ask, id, end);
	world_passed(world);
}

static void every_connection_is_closed(void **state)
{
	away_longer_than_the_assignment(*state, "* * -> close");
}

static void every_request_hangs(void **state)
{
	away_longer_than_the_assignment(*state, "* * -> hang");
}

static void every_change_is_made_and_its_answer_lost(void **state)
{
	away_longer_than_the_assignment(*state, "PATCH /Groups -> close after");
}

static void every_change_is_made_and_called_an_error(void **state)
{
	away_longer_than_the_assignment(*state, "PATCH /Groups -> status 500 after");
}

static void the_process_stands_still(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT2S"};
	struct http_response response;
	char id[ID_SIZE];
	int64_t end;

	proc_stop(&world->sandbox.proc);
	scene_activate(world, &ask, id);
	end = end_of(world, &ask, id);
	scene_wait_for(end + SECOND);
	scene_look(world, &ask, id, &response);
	assert_string_not_equal(scene_text(&response, "provisioning.state"), "provisioned");
	http_response_release(&response);
	proc_cont(&world->sandbox.proc);
	expect_nothing_left(world, &ask, id, end);
	world_passed(world);
}

static void away_when_the_end_comes(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT2S"};
	struct http_response response;
	char id[ID_SIZE];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	assert_true(sandbox_add_fault(&world->sandbox, "* * -> status 500"));
	scene_wait(world, &ask, id, "removing");
	scene_wait_for(end_of(world, &ask, id) + SECOND);
	scene_look(world, &ask, id, &response);
	assert_string_equal(scene_text(&response, "provisioning.state"), "removing");
	assert_string_equal(scene_text(&response, "status"), "Provisioned");
	assert_true(scene_number(&response, "provisioning.failedAttempts") >= 1);
	assert_non_null(
		strstr(scene_text(&response, "provisioning.lastError"), "the application answered 500"));
	http_response_release(&response);
	assert_true(sandbox_clear_faults(&world->sandbox));
	scene_wait(world, &ask, id, "removed");
	assert_false(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_connection_is_closed, open_world, scene_close),
		cmocka_unit_test_setup_teardown(every_request_hangs, open_world, scene_close),
		cmocka_unit_test_setup_teardown(every_change_is_made_and_its_answer_lost, open_world,
						scene_close),
		cmocka_unit_test_setup_teardown(every_change_is_made_and_called_an_error, open_world,
						scene_close),
		cmocka_unit_test_setup_teardown(the_process_stands_still, open_world, scene_close),
		cmocka_unit_test_setup_teardown(away_when_the_end_comes, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
