/* Memberships that the broker did not give: recognised, shown, and still there when the activation is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/scene.h"

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	return scene_open(state, &options);
}

static int open_impatient_world(void **state)
{
	struct world_options options = scene_defaults();

	options.application.request_timeout_ms = SECOND;
	return scene_open(state, &options);
}

/* An administrator of the application makes them a member, outside of the broker. */
static void make_member_by_hand(const struct world *world, size_t person)
{
	assert_true(sandbox_make_user(&world->sandbox, world_user_name(world, person)));
	assert_true(sandbox_change_by_hand(&world->sandbox, "group-0", world_user_name(world, person), true));
}

/* They activate the group, and still have it when that is over; nothing was sent for them. */
static void expect_to_stay(struct world *world)
{
	struct world_ask ask = {.person = 1, .duration = "PT2S"};
	struct http_response response;
	struct scene_changes before, after;
	char id[ID_SIZE];

	make_member_by_hand(world, 1);
	scene_changes(world, &before);
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	scene_look(world, &ask, id, &response);
	assert_true(cJSON_IsTrue(http_json(&response, "provisioning.standing")));
	http_response_release(&response);
	scene_wait(world, &ask, id, "removed");
	scene_changes(world, &after);
	assert_int_equal(after.count, before.count);
	assert_true(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	world_passed(world);
}

static void standing_member_stays(void **state)
{
	expect_to_stay(*state);
}

/* Whether they were one before cannot be found out at first: that is waited for. */
static void standing_member_stays_when_the_look_fails(void **state)
{
	struct world *world = *state;

	assert_true(sandbox_clear_faults(&world->sandbox));
	assert_true(sandbox_add_fault(&world->sandbox, "GET /Groups?filter=id%20eq first 2 -> status 500"));
	expect_to_stay(world);
}

/* The broker's own member is none, also when the answer to its PATCH was lost and it finds them there. */
static void lost_answer_makes_no_standing_member(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 2, .duration = "PT5S"};
	struct http_response response;
	char id[ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> close after"));
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	scene_look(world, &ask, id, &response);
	assert_true(cJSON_IsFalse(http_json(&response, "provisioning.standing")));
	assert_true(cJSON_IsTrue(http_json(&response, "provisioning.verified")));
	http_response_release(&response);
	scene_wait(world, &ask, id, "removed");
	assert_false(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 2)));
	world_passed(world);
}

/* Nor is it who was removed and is brought back by a request that the broker had given up long before: they would keep
 * for ever what they have for an hour. */
static void late_request_makes_no_standing_member(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 3, .duration = "PT1H"}, again = {.person = 3, .duration = "PT5S"};
	struct http_response response;
	char id[ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> delay 86400000"));
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	world_deactivate(world, &ask, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	scene_wait(world, &ask, id, "removed");
	assert_false(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 3)));
	assert_true(sandbox_release_hung(&world->sandbox));
	assert_true(world_wait_member(world, 3, 0, true, SCENE_PATIENCE));
	scene_activate(world, &again, id);
	scene_wait(world, &again, id, "provisioned");
	scene_look(world, &again, id, &response);
	assert_true(cJSON_IsFalse(http_json(&response, "provisioning.standing")));
	http_response_release(&response);
	scene_wait(world, &again, id, "removed");
	assert_false(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 3)));
	world_passed(world);
}

#define WORLD(f) cmocka_unit_test_setup_teardown(f, open_world, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(standing_member_stays),
		WORLD(standing_member_stays_when_the_look_fails),
		WORLD(lost_answer_makes_no_standing_member),
		cmocka_unit_test_setup_teardown(late_request_makes_no_standing_member, open_impatient_world,
						scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
