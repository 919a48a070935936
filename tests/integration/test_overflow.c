/* When tokens are short: waiting for one, who comes first, and an application that asks for silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

/* Starts with these words of throttle and overflow; two brokers. */
static int open_with(void **state, int64_t pushes, int64_t per_ms, int64_t wait_ms)
{
	struct world_options options = scene_defaults();

	options.brokers = 2;
	options.application.pushes = pushes;
	options.application.per_ms = per_ms;
	options.application.cycle_reserve = pushes > 1 ? 1 : 0;
	options.application.overflow_wait_ms = wait_ms;
	return scene_open(state, &options);
}

static int open_waiting(void **state)
{
	return open_with(state, 5, 1500, 30 * SECOND);
}

static int open_impatient(void **state)
{
	return open_with(state, 1, 60 * SECOND, 500);
}

static int open_narrow(void **state)
{
	return open_with(state, 1, 2 * SECOND, 30 * SECOND);
}

static int open_no_wait(void **state)
{
	return open_with(state, 5, SECOND, 0);
}

/* Asks and expects to be told this provisioning.state. */
static void ask_told(const struct world *world, const struct world_ask *ask, const char *state,
		     char id[ID_SIZE])
{
	struct http_response response;

	world_activate(world, ask, &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(scene_text(&response, "provisioning.state"), state);
	snprintf(id, ID_SIZE, "%s", scene_text(&response, "id"));
	http_response_release(&response);
}

static void the_sixth_waits_for_a_token(void **state)
{
	struct world *world = *state;
	struct world_ask asks[5] = {{0}}, sixth = {.person = 5, .broker = 1};
	struct http_response response;
	struct scene_changes changes;
	char id[ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups first 5 -> hang"));
	for (size_t i = 0; i < 5; i++)
		asks[i].person = i;
	scene_activate_many(world, asks, 5, NULL);
	scene_wait_hung(world, 5);
	ask_told(world, &sixth, "waiting", id);
	scene_application(world, 1, &response);
	assert_int_equal(scene_number(&response, "throttle.tokensFree"), 0);
	assert_int_equal(scene_number(&response, "waiting"), 1);
	assert_int_equal(scene_number(&response, "deferred"), 0);
	http_response_release(&response);
	assert_true(sandbox_release_hung(&world->sandbox));

	scene_wait(world, &sixth, id, "provisioned");
	scene_changes(world, &changes);
	assert_int_equal(changes.adds, 6);
	for (size_t i = 0, earliest = 0; i < 5; i++) {
		if (changes.all[i].answered_ms < changes.all[earliest].answered_ms)
			earliest = i;
		if (i == 4)
			assert_true(changes.all[5].received_ms >= changes.all[earliest].answered_ms + 1500);
	}
	world_passed(world);
}

static void who_waits_too_long_is_deferred(void **state)
{
	struct world *world = *state;
	struct world_ask first = {.person = 1}, second = {.person = 2};
	struct http_response response;
	char id[ID_SIZE];

	scene_activate(world, &first, id);
	scene_wait(world, &first, id, "provisioned");
	ask_told(world, &second, "waiting", id);
	scene_wait(world, &second, id, "deferred");
	scene_look(world, &second, id, &response);
	assert_true(scene_time(&response, "provisioning.nextCycleDateTime") > clock_wall_ms());
	assert_int_equal(scene_number(&response, "provisioning.placeInQueue"), 1);
	http_response_release(&response);
	scene_application(world, 0, &response);
	assert_int_equal(scene_number(&response, "waiting"), 0);
	assert_int_equal(scene_number(&response, "deferred"), 1);
	http_response_release(&response);
	assert_false(scene_mentions(world, second.person));
	world_passed(world);
}

/*
 * One push in two seconds. Ann's two seconds begin before her push, so when its token comes back her removal is due
 * and Ben, who asked long before that, comes after it.
 */
static void removals_come_first(void **state)
{
	struct world *world = *state;
	struct world_ask ann = {.person = 1, .duration = "PT2S"}, ben = {.person = 2, .duration = "PT1H"};
	struct scene_changes changes;
	char id[ID_SIZE], bens[ID_SIZE];

	scene_activate(world, &ann, id);
	ask_told(world, &ben, "waiting", bens);
	scene_wait(world, &ben, bens, "provisioned");
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 3);
	assert_true(changes.all[0].add);
	assert_false(changes.all[1].add);
	assert_string_equal(changes.all[1].first, changes.all[0].first);
	assert_true(changes.all[2].add);
	assert_string_not_equal(changes.all[2].first, changes.all[0].first);
	for (size_t i = 1; i < 3; i++)
		assert_true(changes.all[i].received_ms >= changes.all[i - 1].answered_ms + 2 * SECOND);
	world_passed(world);
}

/* -- Retry-After --------------------------------------------------------------------------------------------- */

static bool is_closed(void *ctx)
{
	const struct world *world = ctx;
	struct http_response response;
	bool closed;

	scene_application(world, 1, &response);
	closed = scene_time(&response, "throttle.closedUntilDateTime") != 0;
	http_response_release(&response);
	return closed;
}

static void silence_is_kept_by_all(struct world *world, const char *fault)
{
	struct world_ask first = {.person = 1, .broker = 0}, other = {.person = 2, .broker = 1};
	struct http_response response;
	struct scene_changes changes;
	char id[ID_SIZE], others[ID_SIZE];
	int64_t closed_until;

	assert_true(sandbox_add_fault(&world->sandbox, fault));
	scene_activate(world, &first, id);
	assert_true(wait_until(is_closed, world, SCENE_PATIENCE));
	scene_application(world, 1, &response);
	closed_until = scene_time(&response, "throttle.closedUntilDateTime");
	assert_int_equal(scene_number(&response, "throttle.tokensFree"), 0);
	assert_true(scene_time(&response, "throttle.nextTokenDateTime") >= closed_until);
	http_response_release(&response);
	/* The other broker has seen no refusal, but does not push either. */
	ask_told(world, &other, "deferred", others);
	assert_true(clock_wall_ms() < closed_until);
	scene_look(world, &first, id, &response);
	assert_string_equal(scene_text(&response, "provisioning.state"), "waiting");
	assert_int_equal(scene_number(&response, "provisioning.failedAttempts"), 1);
	assert_non_null(strstr(scene_text(&response, "provisioning.lastError"), "the application answered"));
	http_response_release(&response);

	scene_wait(world, &first, id, "provisioned");
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 2);
	assert_true(changes.all[1].received_ms >= closed_until);
	assert_true(changes.all[1].received_ms >= changes.all[0].answered_ms + 3 * SECOND);
	assert_false(scene_mentions(world, other.person));
	/* The bucket is open again for whoever comes now. */
	other.person = 3;
	ask_told(world, &other, "pushing", others);
	scene_wait(world, &other, others, "provisioned");
	world_passed(world);
}

static void after_429(void **state)
{
	silence_is_kept_by_all(*state, "PATCH /Groups once -> status 429 retry-after 4");
}

static void after_503(void **state)
{
	silence_is_kept_by_all(*state, "PATCH /Groups once -> status 503 http-date 5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_sixth_waits_for_a_token, open_waiting, scene_close),
		cmocka_unit_test_setup_teardown(who_waits_too_long_is_deferred, open_impatient, scene_close),
		cmocka_unit_test_setup_teardown(removals_come_first, open_narrow, scene_close),
		cmocka_unit_test_setup_teardown(after_429, open_no_wait, scene_close),
		cmocka_unit_test_setup_teardown(after_503, open_no_wait, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
