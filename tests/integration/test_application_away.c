/* The application is away for longer than the whole assignment, in every way in which it can be: nothing stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/deaf.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define TOKENS        5
#define UNREACHED     "looking up the group: the application cannot be reached: no answer in time"
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

/* -- where no connection comes about ---------------------------------------------------------------------------------- */

struct unheard {
	struct world *world;
	struct deaf deaf;
	char url[64];
};

static int open_unheard(void **state)
{
	struct unheard *u = calloc(1, sizeof(*u));
	struct world_options options = scene_defaults();

	*state = u;
	if (u == NULL || !deaf_open(&u->deaf))
		return -1;
	snprintf(u->url, sizeof(u->url), "http://127.0.0.1:%u/scim/v2", u->deaf.port);
	options.application.url = u->url;
	options.application.pushes = TOKENS;
	options.application.per_ms = SECOND;
	options.application.request_timeout_ms = 500;
	options.application.push_timeout_ms = 2 * SCENE_PATIENCE;
	return scene_open((void **)&u->world, &options);
}

static int close_unheard(void **state)
{
	struct unheard *u = *state;
	int failed;

	if (u == NULL)
		return -1;
	deaf_close(&u->deaf);
	failed = u->world != NULL ? scene_close((void **)&u->world) : 0;
	free(u);
	return failed;
}

struct looked {
	const struct world *world;
	const struct world_ask *ask;
	const char *id;
};

static bool has_failed_twice(void *ctx)
{
	const struct looked *looked = ctx;
	struct http_response response;
	bool twice;

	scene_look(looked->world, looked->ask, looked->id, &response);
	twice = scene_number(&response, "provisioning.failedAttempts") >= 2;
	if (twice)
		assert_string_equal(scene_text(&response, "provisioning.lastError"), UNREACHED);
	http_response_release(&response);
	return twice;
}

static bool has_all_tokens(void *ctx)
{
	struct http_response response;
	bool all;

	scene_application(ctx, 0, &response);
	all = scene_number(&response, "throttle.tokensFree") == TOKENS;
	http_response_release(&response);
	return all;
}

/* The application is there again, at the port where nobody listened. */
static void somebody_listens(struct unheard *u)
{
	char listen[32];
	const char *const arguments[] = {"--listen", listen, "--group", world_group_name(u->world, 0), NULL};

	snprintf(listen, sizeof(listen), "127.0.0.1:%u", u->deaf.port);
	deaf_close(&u->deaf);
	assert_true(sandbox_stop(&u->world->sandbox));
	assert_true(sandbox_start(&u->world->sandbox, u->world->dir, "later", arguments));
}

/* Each attempt is given up and tried again; no token stays with it, and nothing of it comes later. */
static void no_connection_comes_about(void **state)
{
	struct unheard *u = *state;
	struct world_ask ask = {.person = 1, .duration = "PT1H"};
	struct looked looked = {u->world, &ask, NULL};
	struct scene_changes changes;
	char id[ID_SIZE];

	scene_activate(u->world, &ask, id);
	looked.id = id;
	assert_true(wait_until(has_failed_twice, &looked, SCENE_PATIENCE));
	assert_int_equal(scene_cancel(u->world, 1, id), 204);
	assert_true(wait_until(has_all_tokens, u->world, SCENE_PATIENCE));
	somebody_listens(u);
	scene_activate(u->world, &ask, id);
	scene_wait(u->world, &ask, id, "provisioned");
	scene_changes(u->world, &changes);
	assert_int_equal(changes.count, 1);
	world_passed(u->world);
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
		cmocka_unit_test_setup_teardown(no_connection_comes_about, open_unheard, close_unheard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
