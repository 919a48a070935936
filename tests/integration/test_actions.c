/* Extensions, and what administrators assign, update, extend and remove: told as it comes, step by step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene_ask.h"

#define FOR(duration) "{\"expiration\":{\"type\":\"afterDuration\",\"duration\":\"" duration "\"}}"
#define UNTIL(time)   "{\"expiration\":{\"type\":\"afterDateTime\",\"endDateTime\":\"" time "\"}}"
#define FOR_EVER      "{\"expiration\":{\"type\":\"noExpiration\"}}"
#define RULES         "RoleAssignmentRequestPolicyValidationFailed"
#define NONE          "RoleAssignmentDoesNotExist"
#define SCHEDULE      "InvalidRoleAssignmentRequestSchedule"
#define INVALID       "InvalidRoleAssignmentRequest"

/* Entra's limits: five minutes at least, eight hours at most. */
static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.group.min_ms = 5 * 60 * SECOND;
	options.group.max_ms = 8 * 3600 * SECOND;
	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	return scene_open(state, &options);
}

struct step {
	struct scene_ask ask;
	int status;
	const char *word;
};

static void take(const struct world *world, const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		scene_expect(world, &steps[i].ask, steps[i].status, steps[i].word);
}

#define TAKE(world, steps) take(world, steps, sizeof(steps) / sizeof((steps)[0]))

static void limits_bind_people_and_not_administrators(void **state)
{
	static const struct step steps[] = {
		{{.caller = 1, .person = 1, .action = "selfActivate", .schedule = FOR("PT1M")}, 400, RULES},
		{{.caller = 1, .person = 1, .action = "selfActivate", .schedule = FOR("PT8H1S")}, 400, RULES},
		{{.caller = 1, .person = 1, .action = "selfActivate", .schedule = FOR_EVER}, 400, RULES},
		{{.caller = 0, .person = 1, .action = "adminAssign", .schedule = FOR("PT1M")},
		 201,
		 "PendingProvisioning"},
		{{.caller = 0, .person = 1, .action = "adminExtend", .schedule = FOR("P30D")},
		 201,
		 "PendingProvisioning"},
		{{.caller = 0, .person = 1, .action = "adminExtend", .schedule = FOR_EVER},
		 201,
		 "PendingProvisioning"},
		/* A minute after the start or less: it goes. */
		{{.caller = 0, .person = 1, .action = "adminRemove"}, 201, "Revoked"},
		{{.caller = 0, .person = 1, .action = "adminRemove"}, 400, NONE},
		/* What has ended can be given anew. */
		{{.caller = 1, .person = 1, .action = "adminRenew", .schedule = FOR("P30D")},
		 403,
		 "Authorization_RequestDenied"},
		{{.caller = 0, .person = 1, .action = "adminRenew", .schedule = FOR("P30D")},
		 201,
		 "PendingProvisioning"},
		{{.caller = 0, .person = 1, .action = "adminRemove"}, 201, "Revoked"},
		{{.caller = 0, .person = 2, .action = "adminAssign", .schedule = FOR_EVER},
		 201,
		 "PendingProvisioning"},
		/* An administrator is bound as everybody is when they ask for themselves. */
		{{.caller = 0, .person = 0, .action = "selfActivate", .schedule = FOR("PT1M")}, 400, RULES},
		{{.caller = 0, .person = 0, .action = "adminAssign", .schedule = FOR("PT1M")},
		 201,
		 "PendingProvisioning"},
	};

	TAKE(*state, steps);
	world_passed(*state);
}

static void an_extension_is_decided_anew(void **state)
{
	static const struct step before[] = {
		{{.caller = 1, .person = 1, .action = "selfExtend", .schedule = FOR("PT1H")}, 400, NONE},
	};
	static const struct step steps[] = {
		{{.caller = 1, .person = 1, .action = "selfExtend", .schedule = FOR("PT9H")}, 400, RULES},
		{{.caller = 1, .person = 1, .action = "selfExtend", .schedule = FOR("PT4M")}, 400, RULES},
		{{.caller = 1, .person = 1, .action = "selfExtend", .schedule = FOR_EVER}, 400, RULES},
		{{.caller = 1, .person = 1, .action = "selfExtend", .schedule = FOR("PT30M")},
		 400,
		 "RoleAssignmentExists"},
		{{.caller = 1,
		  .person = 1,
		  .action = "selfExtend",
		  .schedule = UNTIL("2020-01-01T00:00:00Z")},
		 400,
		 SCHEDULE},
		{{.caller = 1, .person = 2, .action = "selfExtend", .schedule = FOR("PT2H")},
		 403,
		 "Authorization_RequestDenied"},
		{{.caller = 1, .person = 1, .action = "adminExtend", .schedule = FOR("PT2H")},
		 403,
		 "Authorization_RequestDenied"},
		{{.caller = 1,
		  .person = 1,
		  .action = "selfExtend",
		  .schedule = FOR("PT2H"),
		  .only_try = true},
		 201,
		 "Provisioned"},
		{{.caller = 1, .person = 1, .action = "selfExtend", .schedule = FOR("PT2H")},
		 201,
		 "Provisioned"},
		{{.caller = 1, .person = 1, .action = "selfExtend", .schedule = FOR("PT2H"), .key = "k"},
		 201,
		 "Provisioned"},
		{{.caller = 1, .person = 1, .action = "selfExtend", .schedule = FOR("PT2H"), .key = "k"},
		 201,
		 "Provisioned"},
		/* It ends all of them. */
		{{.caller = 1, .person = 1, .action = "selfDeactivate"}, 201, "Revoked"},
		{{.caller = 1, .person = 1, .action = "selfExtend", .schedule = FOR("PT2H")}, 400, NONE},
	};
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT1H"};
	struct scene_changes changes;
	char id[ID_SIZE];

	TAKE(world, before);
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	TAKE(world, steps);
	scene_wait_empty(world);
	/* All that time there was one membership, brought once and taken once. */
	scene_changes(world, &changes);
	assert_int_equal(changes.adds, 1);
	assert_int_equal(changes.removes, 1);
	world_passed(world);
}

/* What is over can be asked for anew, by the rules for an activation. */
static void a_renewal_is_decided_like_an_activation(void **state)
{
	static const struct step held[] = {
		{{.caller = 1, .person = 1, .action = "selfRenew", .schedule = FOR("PT2H")},
		 400,
		 "RoleAssignmentExists"},
		{{.caller = 1, .person = 1, .action = "selfDeactivate"}, 201, "Revoked"},
	};
	static const struct step over[] = {
		{{.caller = 1, .person = 1, .action = "selfRenew", .schedule = FOR("PT9H")}, 400, RULES},
		{{.caller = 1, .person = 2, .action = "selfRenew", .schedule = FOR("PT2H")},
		 403,
		 "Authorization_RequestDenied"},
		{{.caller = 2, .person = 2, .action = "selfRenew", .schedule = FOR("PT2H")}, 400, NONE},
		{{.caller = 1, .person = 1, .action = "selfRenew", .schedule = FOR("PT2H"), .only_try = true},
		 201,
		 "PendingProvisioning"},
		{{.caller = 1, .person = 1, .action = "selfRenew", .schedule = FOR("PT2H")},
		 201,
		 "PendingProvisioning"},
	};
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT1H"};
	char id[ID_SIZE];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	TAKE(world, held);
	scene_wait_empty(world);
	TAKE(world, over);
	scene_wait_members(world, 0, 1);
	world_passed(world);
}

static void an_update_replaces_without_a_gap(void **state)
{
	static const struct step steps[] = {
		{{.person = 1, .action = "adminUpdate", .schedule = UNTIL("2020-01-01T00:00:00Z")},
		 400,
		 SCHEDULE},
		{{.person = 1, .action = "adminUpdate"}, 400, INVALID},
		{{.caller = 1, .person = 1, .action = "adminUpdate", .schedule = FOR_EVER},
		 403,
		 "Authorization_RequestDenied"},
		{{.person = 2, .action = "adminUpdate", .schedule = FOR_EVER}, 400, NONE},
		{{.person = 1, .action = "adminUpdate", .schedule = FOR_EVER, .only_try = true},
		 201,
		 "Provisioned"},
		{{.person = 1, .action = "adminUpdate", .schedule = FOR_EVER}, 201, "Provisioned"},
		{{.person = 1, .action = "adminExtend", .schedule = FOR("PT1H")},
		 400,
		 "RoleAssignmentExists"},
		{{.caller = 1, .person = 1, .action = "selfExtend", .schedule = FOR("PT1H")},
		 400,
		 "RoleAssignmentExists"},
		{{.person = 1, .action = "adminUpdate", .schedule = FOR("PT1M")}, 201, "Provisioned"},
		{{.person = 1, .action = "adminUpdate", .schedule = FOR("PT1S")}, 201, "Provisioned"},
	};
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT1H"};
	struct scene_changes changes;
	struct http_response response;
	char id[ID_SIZE];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	TAKE(world, steps);
	scene_look(world, &ask, id, &response);
	assert_string_equal(scene_text(&response, "status"), "Revoked");
	http_response_release(&response);
	/* What is left of the last one's second. */
	scene_wait_empty(world);
	scene_changes(world, &changes);
	assert_int_equal(changes.adds, 1);
	assert_int_equal(changes.removes, 1);
	world_passed(world);
}

/* What an administrator assigned is a membership like another: the cycle brings it, and its end takes it. */
static void an_assignment_comes_with_the_cycle(void **state)
{
	struct world *world = *state;
	struct world_ask look = {.person = 3};
	struct scene_ask assign = {.person = 3, .action = "adminAssign", .schedule = FOR_EVER};
	struct scene_ask removal = {.person = 3, .action = "adminRemove"};
	struct http_response response;
	char id[ID_SIZE], path[256];

	scene_ask_ok(world, &assign, id);
	scene_look(world, &look, id, &response);
	assert_string_equal(scene_text(&response, "provisioning.state"), "deferred");
	assert_string_equal(scene_text(&response, "scheduleInfo.expiration.type"), "noExpiration");
	http_response_release(&response);
	(void)scene_cycle_in(world, 100);
	scene_wait(world, &look, id, "provisioned");
	scene_get(world, 0, PIM "assignmentScheduleRequests/filterByCurrentUser(on='createdBy')?$count=true",
		  &response);
	assert_string_equal(scene_text(&response, "value.0.id"), id);
	http_response_release(&response);
	snprintf(path, sizeof(path), PIM "assignmentScheduleInstances/%s_member_%s", world_group_id(world, 0),
		 id);
	scene_get(world, 3, path, &response);
	assert_int_equal(response.status, 200);
	assert_string_equal(scene_text(&response, "assignmentType"), "assigned");
	assert_true(cJSON_IsNull(http_json(&response, "endDateTime")));
	http_response_release(&response);
	scene_get(world, 4, path, &response);
	assert_int_equal(response.status, 404);
	http_response_release(&response);
	scene_expect(world, &removal, 201, "Revoked");
	scene_wait_over(world, &look, id);
	scene_get(world, 3, path, &response);
	assert_int_equal(response.status, 404);
	http_response_release(&response);
	world_passed(world);
}

/* Tried or in earnest, nothing is given to somebody of whom nothing is known. */
static void nobody_is_assigned_nothing(void **state)
{
	struct world *world = *state;

	for (int only_try = 1; only_try >= 0; only_try--) {
		struct http_response response;
		char body[512];

		snprintf(body, sizeof(body),
			 "{\"action\":\"adminAssign\",\"accessId\":\"member\",\"principalId\":\"stranger\","
			 "\"groupId\":"
			 "\"%s\",\"scheduleInfo\":" FOR("PT1H") ",\"isValidationOnly\":%s}",
			 world_group_id(world, 0), only_try ? "true" : "false");
		broker_call(&world->brokers[0],
			    &(struct http_request){.url = PIM "assignmentScheduleRequests",
						   .bearer = world_token(world, 0),
						   .body = body},
			    &response);
		assert_int_equal(response.status, 400);
		assert_string_equal(scene_text(&response, "error.code"), "SubjectNotFound");
		http_response_release(&response);
	}
	world_passed(world);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(limits_bind_people_and_not_administrators), TEST(an_extension_is_decided_anew),
		TEST(a_renewal_is_decided_like_an_activation),   TEST(an_update_replaces_without_a_gap),
		TEST(an_assignment_comes_with_the_cycle),        TEST(nobody_is_assigned_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
