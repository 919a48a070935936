/* Memberships that the broker did not give: recognised, shown, and still there when the activation is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene.h"

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	return scene_open(state, &options);
}

/* The id of the first resource that the query finds in the application. */
static void find(const struct world *world, const char *path, char id[80])
{
	struct http_response response;

	sandbox_scim(&world->sandbox, "GET", path, NULL, &response);
	assert_int_equal(response.status, 200);
	snprintf(id, 80, "%s", scene_text(&response, "Resources.0.id"));
	http_response_release(&response);
}

/* An administrator of the application makes them a member, outside of the broker. */
static void make_member_by_hand(const struct world *world, size_t person)
{
	char group[80], user[80], path[128], body[512];
	struct http_response response;

	assert_true(sandbox_make_user(&world->sandbox, world_user_name(world, person)));
	find(world, "/Groups?filter=displayName%20eq%20%22group-0%22", group);
	snprintf(path, sizeof(path), "/Users?filter=userName%%20eq%%20%%22%s%%22",
		 world_user_name(world, person));
	find(world, path, user);
	snprintf(path, sizeof(path), "/Groups/%s", group);
	snprintf(body, sizeof(body),
		 "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[{\"op\":"
		 "\"add\","
		 "\"path\":\"members\",\"value\":[{\"value\":\"%s\"}]}]}",
		 user);
	sandbox_scim(&world->sandbox, "PATCH", path, body, &response);
	assert_int_equal(response.status, 204);
	http_response_release(&response);
}

static void standing_member_stays(void **state)
{
	struct world *world = *state;
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

#define WORLD(f) cmocka_unit_test_setup_teardown(f, open_world, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(standing_member_stays),
		WORLD(lost_answer_makes_no_standing_member),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
