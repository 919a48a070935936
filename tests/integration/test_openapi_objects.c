/* What the broker answers is what its description says: no member that the schema does not have, none left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene_ask.h"

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.group.more = "      approval: {approvers: [person9@example.com], timeout: 1h}\n";
	return scene_open(state, &options);
}

/* Members that are there only sometimes. */
static bool is_optional(const char *name)
{
	static const char *const names[] = {"policyRules", "steps"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void compare(const struct http_response *description, const char *schema, const cJSON *object)
{
	char path[96];
	const cJSON *properties, *member;

	snprintf(path, sizeof(path), "components.schemas.%s.properties", schema);
	properties = http_json(description, path);
	assert_true(cJSON_IsObject(properties) && cJSON_IsObject(object));
	cJSON_ArrayForEach(member, object) {
		if (strchr(member->string, '@') == NULL &&
		    cJSON_GetObjectItemCaseSensitive(properties, member->string) == NULL)
			fail_msg("%s is not in the schema %s", member->string, schema);
	}
	cJSON_ArrayForEach(member, properties) {
		if (!is_optional(member->string) &&
		    cJSON_GetObjectItemCaseSensitive(object, member->string) == NULL)
			fail_msg("%s of the schema %s is not answered", member->string, schema);
	}
}

/* The answer of a GET, or the first of a list. */
static void check(const struct world *world, const struct http_response *description, const char *path,
		  const char *schema)
{
	struct http_response response;
	const cJSON *list;

	scene_get(world, 1, path, &response);
	assert_int_equal(response.status, 200);
	list = http_json(&response, "value");
	compare(description, schema, list != NULL ? cJSON_GetArrayItem(list, 0) : response.json);
	http_response_release(&response);
}

#define MINE "/filterByCurrentUser(on='principal')"

static void answers_are_as_described(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1};
	struct http_response description, response;
	char id[ID_SIZE], path[256];
	struct scene_ask ask_more = {
		.eligibility = true,
		.person = 1,
		.action = "adminAssign",
		.schedule = "{\"expiration\":{\"type\":\"noExpiration\"}}",
	};

	scene_get(world, 1, "/openapi.json", &description);
	assert_int_equal(description.status, 200);
	scene_activate(world, &ask, id);
	snprintf(path, sizeof(path), PIM "assignmentScheduleRequests/%s", id);
	check(world, &description, path, "assignmentScheduleRequest");
	snprintf(path, sizeof(path), PIM "assignmentApprovals/%s", id);
	check(world, &description, path, "approval");
	snprintf(path, sizeof(path), PIM "assignmentApprovals/%s/stages", id);
	check(world, &description, path, "approvalStage");
	scene_expect(world, &ask_more, 201, "Provisioned");
	check(world, &description, PIM "eligibilityScheduleRequests" MINE, "eligibilityScheduleRequest");
	check(world, &description, PIM "eligibilitySchedules" MINE "?$expand=policy", "eligibilitySchedule");
	check(world, &description, PIM "eligibilityScheduleInstances" MINE "?$expand=policy",
	      "eligibilityScheduleInstance");
	scene_get(world, 1, PIM "eligibilityScheduleInstances" MINE "?$expand=policy", &response);
	compare(&description, "policy", http_json(&response, "value.0.policy"));
	http_response_release(&response);
	check(world, &description, "/v1.0/me", "me");
	ask_more.eligibility = false;
	ask_more.group = 1;
	scene_expect(world, &ask_more, 201, "PendingProvisioning");
	check(world, &description, PIM "assignmentSchedules" MINE, "assignmentSchedule");
	(void)scene_cycle_in(world, 100);
	scene_wait_members(world, 1, 1);
	check(world, &description, PIM "assignmentScheduleInstances" MINE, "assignmentScheduleInstance");
	scene_get(world, 1, PIM "assignmentSchedules", &response);
	assert_int_equal(response.status, 400);
	compare(&description, "error", response.json);
	http_response_release(&response);
	http_response_release(&description);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_are_as_described, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
