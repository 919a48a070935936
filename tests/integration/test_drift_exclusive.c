/* Groups into which only memberships belong that the broker gives; and a check that meets trouble. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "tests/support/drift.h"

static const char *const plain[] = {"--dialect", "rfc7644", NULL};

#define APP   "/api/applications/app"
#define CROWD 230 /* three pages */

static int open_aws(void **state)
{
	return drift_open(state, NULL, NULL, NULL);
}

static int open_plain(void **state)
{
	return drift_open(state, plain, "      dialect: rfc7644\n", NULL);
}

static int open_reporting(void **state)
{
	return drift_open(state, NULL, NULL, "report");
}

static int open_removing(void **state)
{
	return drift_open(state, plain, "      dialect: rfc7644\n", "remove");
}

/* Many pages of people whom nobody has granted it: each is reported once, and stays. */
static void strangers_are_reported(void **state)
{
	struct world *world = *state;
	struct http_response response;
	struct buf body;

	buf_init(&body, 1 << 20);
	buf_adds(&body, "{\"users\":[");
	for (int i = 0; i < CROWD; i++)
		buf_addf(&body, "%s\"stranger-%d\"", i > 0 ? "," : "", i);
	buf_adds(&body, "],\"groups\":{\"" DRIFT_GROUP "\":[");
	for (int i = 0; i < CROWD; i++)
		buf_addf(&body, "%s\"stranger-%d\"", i > 0 ? "," : "", i);
	buf_adds(&body, "]}}");
	sandbox_control(&world->sandbox, "POST", "/sandbox/state", buf_text(&body), &response);
	assert_int_equal(response.status, 200);
	http_response_release(&response);
	buf_release(&body);
	drift_activate(world, 1);
	drift_cycle(world);
	assert_int_equal(drift_events(world, "drift_foreign"), CROWD);
	assert_int_equal(scene_members(world, 0), CROWD + 1);
	drift_change(world, 1, false);
	assert_true(sandbox_change_by_hand(&world->sandbox, DRIFT_GROUP, "stranger-7", false));
	drift_cycle(world);
	assert_int_equal(drift_events(world, "drift_foreign"), CROWD);
	assert_int_equal(scene_members(world, 0), CROWD);
	/* Back again, that is news. */
	assert_true(sandbox_change_by_hand(&world->sandbox, DRIFT_GROUP, "stranger-7", true));
	drift_cycle(world);
	assert_int_equal(drift_events(world, "drift_foreign"), CROWD + 1);
	assert_int_equal(scene_members(world, 0), CROWD + 1);
	world_passed(world);
}

/* Nobody but those to whom the broker gives it stays in the group, which it may never have pushed to before. */
static void strangers_are_removed(void **state)
{
	struct world *world = *state;
	struct http_response response;

	assert_true(sandbox_make_user(&world->sandbox, "stranger"));
	assert_true(sandbox_change_by_hand(&world->sandbox, DRIFT_GROUP, "stranger", true));
	drift_cycle(world);
	assert_int_equal(scene_members(world, 0), 0);
	assert_int_equal(drift_events(world, "drift_foreign"), 1);
	drift_activate(world, 1);
	drift_activate(world, 2);
	world_deactivate(world, &(struct world_ask){.person = 2}, &response);
	http_response_release(&response);
	assert_true(sandbox_change_by_hand(&world->sandbox, DRIFT_GROUP, "stranger", true));
	drift_cycle(world);
	assert_int_equal(scene_members(world, 0), 1);
	assert_true(drift_is_member(world, 1));
	/* Put in order again, and nothing is left of it. */
	drift_cycle(world);
	assert_int_equal(drift_events(world, "drift_foreign"), 1 + 1);
	assert_int_equal(drift_events(world, "drift_missing"), 0);
	world_passed(world);
}

#define HELD 8 /* more than a third of the group, and more than five */

/* That a group has become exclusive takes nothing away before an operator has agreed. */
static void many_strangers_are_held(void **state)
{
	struct world *world = *state;
	struct http_response response;
	char name[32];

	for (int i = 0; i < HELD; i++) {
		snprintf(name, sizeof(name), "stranger-%d", i);
		assert_true(sandbox_make_user(&world->sandbox, name));
		assert_true(sandbox_change_by_hand(&world->sandbox, DRIFT_GROUP, name, true));
	}
	drift_activate(world, 1);
	drift_cycle(world);
	drift_cycle(world);
	assert_int_equal(scene_members(world, 0), HELD + 1);
	assert_int_equal(drift_events(world, "drift_foreign"), HELD);
	assert_int_equal(drift_events(world, "guard"), 1);
	scene_application(world, 0, &response);
	assert_int_equal(scene_number(&response, "guard.held"), HELD);
	http_response_release(&response);
	broker_call(&world->brokers[0],
		    &(struct http_request){.url = APP "/guard",
					   .bearer = world_token(world, 0),
					   .body = "{\"answer\":\"remove\"}"},
		    &response);
	assert_int_equal(response.status, 200);
	http_response_release(&response);
	drift_cycle(world);
	assert_int_equal(scene_members(world, 0), 1);
	assert_true(drift_is_member(world, 1));
	world_passed(world);
}

/* The broker that reads dies meanwhile; another one does it. */
static void it_outlives_its_broker(void **state)
{
	struct world *world = *state;

	drift_activate(world, 1);
	drift_change(world, 1, false);
	drift_let_settle();
	assert_true(sandbox_add_fault(&world->sandbox, "GET /Users?cursor once -> hang"));
	scene_begin_cycle(world);
	scene_wait_hung(world, 1);
	broker_kill9(&world->brokers[0]);
	broker_kill9(&world->brokers[1]);
	assert_true(sandbox_release_hung(&world->sandbox));
	assert_true(broker_start(&world->brokers[1], world->dir, "again", &world->config));
	assert_true(world_wait_member(world, 1, 0, true, SCENE_PATIENCE));
	world_passed(world);
}

/* An application that does not answer loses nobody their membership, and keeps nobody waiting. */
static void listings_that_fail(void **state)
{
	static const char *const faults[] = {
		"GET /Groups/ always -> status 500",
		"GET /Groups/ always -> status 429 retry-after 1",
		"GET /Groups/ always -> status 404",
	};
	struct world *world = *state;
	struct world_ask late = {.person = 2, .group = 1, .duration = "PT1H"};
	size_t before;
	char id[ID_SIZE];

	drift_activate(world, 1);
	before = drift_changes(world);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		assert_true(sandbox_add_fault(&world->sandbox, faults[i]));
		drift_cycle(world);
		assert_true(sandbox_clear_faults(&world->sandbox));
		assert_int_equal(drift_changes(world), before);
		assert_int_equal(drift_events(world, "drift_missing"), 0);
	}
	assert_int_equal(drift_events(world, "quarantine"), 0);
	scene_wait_for(clock_wall_ms() + SECOND);
	scene_activate(world, &late, id);
	scene_wait(world, &late, id, "provisioned");
	world_passed(world);
}

#define WORLD(story, open) cmocka_unit_test_setup_teardown(story, open, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(strangers_are_reported, open_reporting), WORLD(strangers_are_removed, open_removing),
		WORLD(many_strangers_are_held, open_removing), WORLD(it_outlives_its_broker, open_aws),
		WORLD(listings_that_fail, open_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
