/*
 * Each dialect of the broker against the sandbox in the same dialect: two people come, one goes, and the other one and a
 * standing member stay. One broker and one sandbox, told to speak another dialect each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene.h"

#define STANDING "standing@example.com"

static const char *const dialects[] = {
	"aws",       "rfc7644",   "google",           "slack",      "miro",  "github",
	"gitlab",    "atlassian", "databricks",       "salesforce", "jfrog", "zoom",
	"terraform", "huawei",    "google-workforce", "logfire",    "zuora",
};

#define DIALECTS (sizeof(dialects) / sizeof(dialects[0]))

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.groups = DIALECTS;
	options.without_groups_in_application = true;
	options.application.pushes = 200; /* the throttle has tests of its own */
	options.application.cycle_reserve = 10;
	return scene_open(state, &options);
}

static void tell_sandbox(const struct world *world, const char *path, const char *body)
{
	struct http_response response;

	sandbox_control(&world->sandbox, "POST", path, body, &response);
	assert_int_equal(response.status, 200);
	http_response_release(&response);
}

/* The group is made by the server in its new dialect: ids may have other forms there. `scim` is for the configuration. */
static void speak(struct world *world, size_t which, char scim[64])
{
	const char *group = world_group_name(world, which);
	char body[256];

	snprintf(body, sizeof(body), "{\"dialect\":\"%s\"}", dialects[which]);
	tell_sandbox(world, "/sandbox/behaviours", body);
	snprintf(body, sizeof(body), "{\"users\":[\"" STANDING "\"],\"groups\":{\"%s\":[\"" STANDING "\"]}}",
		 group);
	tell_sandbox(world, "/sandbox/state", body);
	snprintf(scim, 64, "      dialect: %s\n", dialects[which]);
	world->application.scim = scim;
	assert_true(scene_reload(world, 0));
}

static void leave(const struct world *world, const struct world_ask *ask, const char *id)
{
	struct http_response response;

	world_deactivate(world, ask, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	scene_wait(world, ask, id, "removed");
}

static void expect_members(const struct world *world, size_t group, bool first, bool second)
{
	const char *name = world_group_name(world, group);

	if (sandbox_is_member(&world->sandbox, name, world_user_name(world, 1)) != first ||
	    sandbox_is_member(&world->sandbox, name, world_user_name(world, 2)) != second ||
	    !sandbox_is_member(&world->sandbox, name, STANDING))
		fail_msg("%s: the members are not those that are wanted", dialects[group]);
}

static void one_goes_the_others_stay(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < DIALECTS; i++) {
		struct world_ask one = {.person = 1, .group = i}, two = {.person = 2, .group = i};
		char one_id[ID_SIZE], two_id[ID_SIZE], scim[64];

		printf("%s\n", dialects[i]);
		speak(world, i, scim);
		scene_activate(world, &one, one_id);
		scene_activate(world, &two, two_id);
		scene_wait(world, &one, one_id, "provisioned");
		scene_wait(world, &two, two_id, "provisioned");
		expect_members(world, i, true, true);
		leave(world, &one, one_id);
		expect_members(world, i, false, true);
		leave(world, &two, two_id);
		expect_members(world, i, false, false);
	}
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_goes_the_others_stay, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
