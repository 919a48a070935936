/*
 * The first five go at once, the rest with the next sync cycle: what callers are told and what the application sees. On
 * each engine that is installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define CROWD 6

static int open_real(void **state) /* five in ten seconds, as it is out of the box */
{
	struct world_options options = scene_defaults();

	options.application.users = "update: false"; /* cycles that push, and do nothing else */
	return scene_open(state, &options);
}

/* Everybody of 0 … count-1 asks for group 0 at once; the index of one who was deferred, and his answer's id. */
static size_t crowd_overflows(struct world *world, size_t count, const char *last_duration, char id[ID_SIZE])
{
	struct http_response responses[SCENE_CROWD];
	struct world_ask asks[SCENE_CROWD] = {{0}};
	size_t deferred = count, pushing = 0;

	for (size_t i = 0; i < count; i++)
		asks[i] = (struct world_ask){.person = i, .duration = last_duration};
	scene_activate_many(world, asks, count, responses);
	for (size_t i = 0; i < count; i++) {
		const char *at = scene_text(&responses[i], "provisioning.state");

		assert_string_equal(scene_text(&responses[i], "status"), "PendingProvisioning");
		if (strcmp(at, "deferred") == 0) {
			deferred = i;
			snprintf(id, ID_SIZE, "%s", scene_text(&responses[i], "id"));
		} else {
			assert_string_equal(at, "pushing");
			pushing++;
		}
		http_response_release(&responses[i]);
	}
	assert_int_equal(pushing, 5);
	assert_true(deferred < count);
	return deferred;
}

static void expect_deferred(const struct http_response *response, int64_t cycle_ms, int64_t place)
{
	assert_string_equal(scene_text(response, "status"), "PendingProvisioning");
	assert_string_equal(scene_text(response, "provisioning.state"), "deferred");
	assert_int_equal(scene_time(response, "provisioning.nextCycleDateTime"), cycle_ms);
	assert_int_equal(scene_number(response, "provisioning.placeInQueue"), place);
}

static void expect_figures_when_full(const struct world *world, int64_t asked_ms, int64_t cycle_ms)
{
	struct http_response response;
	int64_t token_ms;

	scene_application(world, 0, &response);
	token_ms = scene_time(&response, "throttle.nextTokenDateTime");
	assert_int_equal(scene_number(&response, "throttle.pushes"), 5);
	assert_int_equal(scene_number(&response, "throttle.perSeconds"), 10);
	assert_int_equal(scene_number(&response, "throttle.tokensFree"), 0);
	assert_true(token_ms >= asked_ms + 10 * SECOND);
	assert_true(token_ms <= clock_wall_ms() + 10 * SECOND + 1);
	assert_int_equal(scene_number(&response, "deferred"), 1);
	assert_int_equal(scene_number(&response, "waiting"), 0);
	assert_int_equal(scene_number(&response, "removalsWaiting"), 0);
	assert_int_equal(scene_time(&response, "cycle.nextDateTime"), cycle_ms);
	assert_true(cJSON_IsNull(http_json(&response, "cycle.current")));
	http_response_release(&response);
}

struct awaited {
	const struct world *world;
	int64_t begun_ms;
};

static bool is_over(void *ctx)
{
	const struct awaited *awaited = ctx;
	struct http_response response;
	bool over;

	scene_application(awaited->world, 0, &response);
	over = cJSON_IsNull(http_json(&response, "cycle.current")) &&
	       cJSON_IsObject(http_json(&response, "cycle.last")) &&
	       scene_time(&response, "cycle.last.startedDateTime") >= awaited->begun_ms;
	http_response_release(&response);
	return over;
}

/* The figures of the cycle that begins then, once it is over: until then a push whose members are there may still wait for
 * its answer, which is when the application writes it down. */
static void expect_last_cycle(const struct world *world, int64_t begun_ms, int64_t total, int64_t pushes)
{
	struct awaited awaited = {world, begun_ms};
	struct http_response response;

	assert_true(wait_until(is_over, &awaited, SCENE_PATIENCE));
	scene_application(world, 0, &response);
	assert_true(scene_time(&response, "cycle.last.endedDateTime") >=
		    scene_time(&response, "cycle.last.startedDateTime"));
	assert_int_equal(scene_number(&response, "cycle.last.total"), total);
	assert_int_equal(scene_number(&response, "cycle.last.pushes"), pushes);
	assert_int_equal(scene_number(&response, "cycle.last.failures"), 0);
	assert_int_equal(scene_number(&response, "deferred"), 0);
	http_response_release(&response);
}

static void six_at_once(void **state)
{
	struct world *world = *state;
	int64_t cycle_ms = scene_cycle_in(world, 12 * SECOND), asked_ms = clock_wall_ms();
	struct http_response response;
	struct scene_changes changes;
	struct world_ask ask = {0};
	char id[ID_SIZE];

	ask.person = crowd_overflows(world, CROWD, "PT1H", id);
	scene_wait_members(world, 0, 5);
	scene_look(world, &ask, id, &response);
	expect_deferred(&response, cycle_ms, 1);
	http_response_release(&response);
	expect_figures_when_full(world, asked_ms, cycle_ms);
	scene_changes(world, &changes);
	assert_int_equal(changes.adds, 5);
	assert_true(changes.all[4].received_ms - asked_ms <= SECOND);

	scene_wait(world, &ask, id, "provisioned");
	scene_look(world, &ask, id, &response);
	assert_string_equal(scene_text(&response, "status"), "Provisioned");
	assert_true(cJSON_IsNull(http_json(&response, "provisioning.nextCycleDateTime")));
	assert_true(cJSON_IsNull(http_json(&response, "provisioning.placeInQueue")));
	http_response_release(&response);
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 6);
	assert_int_equal(changes.most, 5);
	assert_true(changes.all[5].received_ms >= cycle_ms);
	assert_true(changes.all[5].received_ms <= cycle_ms + SECOND);
	expect_last_cycle(world, cycle_ms, 1, 1);
	world_passed(world);
}

/* -- ended before its cycle ---------------------------------------------------------------------------------- */

static int open_quick(void **state) /* five in a second */
{
	struct world_options options = scene_defaults();

	options.groups = 5;
	options.people = 120;
	options.application.per_ms = SECOND;
	options.application.users = "update: false"; /* cycles that push, and do nothing else */
	return scene_open(state, &options);
}

static void one_that_ends_before_its_cycle_is_never_pushed(void **state)
{
	struct world *world = *state;
	struct world_ask asks[CROWD] = {{0}}, other = {.person = 7, .duration = "PT1H"};
	struct http_response responses[CROWD], response;
	struct scene_changes changes;
	size_t short_one = CROWD;
	char id[ID_SIZE], other_id[ID_SIZE];
	int64_t cycle_ms;

	/* The five hold their tokens for as long as their pushes hang: no token comes back early. */
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups first 5 -> hang"));
	for (size_t i = 0; i < CROWD; i++)
		asks[i] = (struct world_ask){.person = i, .duration = "PT2S"};
	for (size_t i = 0; i < 5; i++)
		asks[i].duration = "PT1H";
	scene_activate_many(world, asks, 5, NULL);
	scene_wait_hung(world, 5);
	short_one = 5;
	scene_activate_many(world, &asks[short_one], 1, responses);
	assert_string_equal(scene_text(&responses[0], "provisioning.state"), "deferred");
	snprintf(id, sizeof(id), "%s", scene_text(&responses[0], "id"));
	http_response_release(&responses[0]);
	scene_activate(world, &other, other_id);

	scene_wait(world, &asks[short_one], id, "failed");
	scene_look(world, &asks[short_one], id, &response);
	assert_string_equal(scene_text(&response, "status"), "Failed");
	assert_string_equal(scene_text(&response, "provisioning.lastError"),
			    "The assignment ended before the application was reached.");
	http_response_release(&response);
	assert_true(sandbox_release_hung(&world->sandbox));
	cycle_ms = scene_cycle_in(world, 2 * SECOND);
	scene_wait(world, &other, other_id, "provisioned");
	scene_changes(world, &changes);
	assert_int_equal(changes.adds, 6);
	assert_int_equal(changes.removes, 0);
	assert_false(scene_mentions(world, short_one));
	assert_true(scene_mentions(world, other.person));
	expect_last_cycle(world, cycle_ms, 1, 1);
	world_passed(world);
}

/* -- the cycle ----------------------------------------------------------------------------------------------- */

/* All five tokens are out, in pushes that hang. */
static void take_all_tokens(struct world *world)
{
	struct world_ask asks[5] = {{0}};

	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups first 5 -> hang"));
	for (size_t i = 0; i < 5; i++)
		asks[i] = (struct world_ask){.person = i, .group = 4};
	scene_activate_many(world, asks, 5, NULL);
	scene_wait_hung(world, 5);
}

static void return_all_tokens(struct world *world)
{
	assert_true(sandbox_release_hung(&world->sandbox));
	scene_wait_members(world, 4, 5);
}

static void defer(struct world *world, const struct world_ask *asks, size_t count)
{
	struct http_response responses[SCENE_CROWD];

	scene_activate_many(world, asks, count, responses);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(scene_text(&responses[i], "provisioning.state"), "deferred");
		http_response_release(&responses[i]);
	}
}

static void the_cycle_pushes_a_group_at_once(void **state)
{
	struct world *world = *state;
	struct world_ask asks[115] = {{0}};
	struct scene_changes changes;
	int64_t cycle_ms;
	char name[32];

	for (size_t i = 5; i < 120; i++) {
		snprintf(name, sizeof(name), "%s", world_user_name(world, i));
		assert_true(sandbox_make_user(&world->sandbox, name));
		asks[i - 5] = (struct world_ask){.person = i, .group = i < 15 ? 0 : 1};
	}
	take_all_tokens(world);
	defer(world, asks, 115);
	return_all_tokens(world);
	cycle_ms = scene_cycle_in(world, 3 * SECOND);
	scene_wait_members(world, 0, 10);
	scene_wait_members(world, 1, 105);
	expect_last_cycle(world, cycle_ms, 115, 3);
	scene_changes(world, &changes);
	/* 105 are more than one PATCH may carry. */
	assert_int_equal(changes.count, 5 + 3);
	for (size_t i = 5, of_hundred = 0; i < 8; i++) {
		size_t members = changes.all[i].members;

		of_hundred += members == 100;
		assert_true(members == 10 || members == 100 || members == 5);
		assert_true(i < 7 || of_hundred == 1);
		assert_true(changes.all[i].received_ms >= cycle_ms);
	}
	world_passed(world);
}

static void the_cycle_leaves_its_reserve_to_others(void **state)
{
	struct world *world = *state;
	struct world_ask asks[4] = {{0}}, now = {.person = 11, .group = 4};
	struct http_response response;
	struct scene_changes changes;
	char last_id[ID_SIZE];
	int64_t cycle_ms, begun_ms;

	for (size_t i = 0; i < 4; i++)
		asks[i] = (struct world_ask){.person = 5 + i, .group = i};
	take_all_tokens(world);
	defer(world, asks, 3);
	scene_activate(world, &asks[3], last_id);
	return_all_tokens(world);
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups -> hang"));
	cycle_ms = scene_cycle_in(world, 3 * SECOND);

	/* Two pushes of four: three tokens stay for others. */
	scene_wait_hung(world, 2);
	scene_application(world, 0, &response);
	assert_int_equal(scene_number(&response, "throttle.tokensFree"), 3);
	assert_int_equal(scene_number(&response, "deferred"), 2);
	begun_ms = scene_time(&response, "cycle.current.startedDateTime");
	assert_true(begun_ms >= cycle_ms);
	assert_int_equal(scene_number(&response, "cycle.current.total"), 4);
	assert_int_equal(scene_number(&response, "cycle.current.done"), 0);
	assert_int_equal(scene_number(&response, "cycle.current.pushes"), 2);
	http_response_release(&response);
	/* The last one waits for the cycle that has begun, not for the one after it. */
	scene_look(world, &asks[3], last_id, &response);
	expect_deferred(&response, begun_ms, 2);
	http_response_release(&response);
	world_activate(world, &now, &response);
	assert_string_equal(scene_text(&response, "provisioning.state"), "pushing");
	http_response_release(&response);
	scene_wait_hung(world, 3);

	assert_true(sandbox_clear_faults(&world->sandbox));
	assert_true(sandbox_release_hung(&world->sandbox));
	for (size_t i = 0; i < 4; i++)
		scene_wait_members(world, i, 1);
	expect_last_cycle(world, cycle_ms, 4, 4);
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 5 + 5);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(six_at_once, open_real, scene_close),
		cmocka_unit_test_setup_teardown(one_that_ends_before_its_cycle_is_never_pushed, open_quick,
						scene_close),
		cmocka_unit_test_setup_teardown(the_cycle_pushes_a_group_at_once, open_quick, scene_close),
		cmocka_unit_test_setup_teardown(the_cycle_leaves_its_reserve_to_others, open_quick,
						scene_close),
	};

	const char *engine;
	int failed = 0;

	for (size_t i = 0; (engine = redis_server_engine(i)) != NULL; i++) {
		(void)setenv(REDIS_SERVER_PROGRAM, engine, 1);
		failed += cmocka_run_group_tests_name(engine, tests, NULL, NULL);
	}
	return failed;
}
