/* What policy allows besides the usual way, and what it never stands in the way of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene_ask.h"

#define ONCALL 5

/* Hours that are closed now, on whatever day and at whatever hour the test runs: one minute, half a day away. */
static const char *closed_hours(char out[512])
{
	char now[32];
	int hour;

	scene_from_now(0, now);
	hour = (now[11] - '0') * 10 + now[12] - '0';
	snprintf(out, 512,
		 "      approval: {approvers: [person1@example.com], timeout: 1h}\n"
		 "      hours: {zone: Etc/UTC, from: \"%02d:00\", to: \"%02d:01\"}\n"
		 "      break_glass: {principals: [person5@example.com]}\n",
		 (hour + 12) % 24, (hour + 12) % 24);
	return out;
}

static int open_closed(void **state)
{
	static char more[512];
	struct world_options options = scene_defaults();

	options.group.more = closed_hours(more);
	options.group.justification_optional = true;
	return scene_open(state, &options);
}

static int open_plain(void **state)
{
	struct world_options options = scene_defaults();

	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	options.groups = 3;
	return scene_open(state, &options);
}

static int open_strict(void **state)
{
	struct world_options options = scene_defaults();

	options.group.max_ms = 90 * 60 * SECOND;
	options.group.min_ms = 60 * SECOND;
	options.group.default_ms = 30 * 60 * SECOND;
	options.group.more =
		"      clock: provisioned\n"
		"      justification_min: 12\n      ticket: {required: true, pattern: '^INC[0-9]+$'}\n"
		"      authentication: [mfa, hwk]\n"
		"      hours: [{zone: Europe/Berlin, days: [fri..sun], from: '22:00', to: '06:30'}]\n"
		"      approval: {stages: [{approvers: [person1@example.com]}, {approvers: "
		"[person2@example.com]}]}\n"
		"      break_glass: {principals: [person5@example.com]}\n";
	return scene_open(state, &options);
}

/* The rule and what became of it, of each element: "Rule=passed Rule=refused". */
static void print_rules(const struct http_response *response, const char *path, char out[512])
{
	char at[96];
	size_t used = 0;

	out[0] = '\0';
	for (int i = 0; i < 10; i++) {
		const char *rule, *result;

		snprintf(at, sizeof(at), "%s.%d.rule", path, i);
		rule = http_json_text(response, at);
		snprintf(at, sizeof(at), "%s.%d.result", path, i);
		result = http_json_text(response, at);
		if (rule != NULL && result != NULL)
			used += (size_t)snprintf(out + used, 512 - used, "%s%s=%s", i > 0 ? " " : "", rule,
						 result);
	}
}

static void expect_refused(const struct world *world, const struct world_ask *ask, const char *rules)
{
	struct http_response response;
	char seen[512];

	world_activate(world, ask, &response);
	assert_int_equal(response.status, 400);
	print_rules(&response, "error.details", seen);
	assert_string_equal(seen, rules);
	http_response_release(&response);
}

static void the_glass_is_broken_by_those_who_may(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = ONCALL, .break_glass = true}, other = {.person = 6};
	struct http_response response;
	char id[ID_SIZE], path[96];

	expect_refused(world, &other, "ActivationDayRule=refused");
	other.break_glass = true;
	expect_refused(world, &other, "EligibilityRule=refused");
	ask.break_glass = false;
	expect_refused(world, &ask, "ActivationDayRule=refused");
	ask.break_glass = true;
	ask.justification = "";
	expect_refused(world, &ask, "JustificationRule=refused");
	ask.justification = "the site is down";
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	scene_look(world, &ask, id, &response);
	assert_true(cJSON_IsTrue(http_json(&response, "breakGlass")));
	assert_true(cJSON_IsNull(http_json(&response, "approvalId")));
	http_response_release(&response);
	snprintf(path, sizeof(path), "/api/audit?request=%s", id);
	scene_get(world, 0, path, &response);
	assert_non_null(strstr(buf_text(&response.body), "\"breakGlass\":true"));
	http_response_release(&response);
	scene_get(world, 0, "/metrics", &response);
	assert_non_null(strstr(buf_text(&response.body), "\njit_break_glass_total 1\n"));
	http_response_release(&response);
	world_passed(world);
}

/* Both answers name every rule, once it passed as well as once it refused. */
static void a_trial_names_every_rule(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = ONCALL, .break_glass = true, .only_try = true};
	struct http_response response;
	char rules[512];

	world_activate(world, &ask, &response);
	assert_int_equal(response.status, 201);
	print_rules(&response, "policyRules", rules);
	assert_string_equal(rules, "EligibilityRule=passed ExpirationRule=passed JustificationRule=passed");
	http_response_release(&response);
	ask.break_glass = false;
	ask.duration = "PT9H";
	expect_refused(world, &ask,
		       "ExpirationRule=refused ActivationDayRule=refused EligibilityRule=passed "
		       "ApprovalRule=passed");
	world_passed(world);
}

#define GROUP(n) "a0000000-0000-4000-8000-00000000000" n

static int open_limited(void **state)
{
	static const char *const eligible[] = {"person1@example.com", "person2@example.com",
					       "person3@example.com", NULL};
	static const struct broker_group groups[] = {
		{.eligible = eligible,
		 .more = "      max_active: 1\n      exclusive_with: [" GROUP("1") "]\n"},
		{.eligible = eligible, .more = "      clock: provisioned\n"},
		{.eligible = eligible,
		 .more = "      exclusive_with: [" GROUP(
			 "1") "]\n"
			      "      approval: {approvers: [person1@example.com]}\n"},
	};
	struct world_options options = scene_defaults();

	options.groups = 3;
	options.each_group = groups;
	return scene_open(state, &options);
}

/* The code of the answer, or of its error, and what it says of the rules. */
static void expect_rules(const struct world *world, const struct world_ask *ask, const char *code,
			 const char *rules)
{
	struct http_response response;
	bool ok = strcmp(code, "ok") == 0;
	char seen[512];

	world_activate(world, ask, &response);
	if (!ok)
		assert_string_equal(http_json_text(&response, "error.code"), code);
	assert_int_equal(response.status, ok ? 201 : 400);
	print_rules(&response, ok ? "policyRules" : "error.details", seen);
	assert_string_equal(seen, rules);
	http_response_release(&response);
}

#define PASSED "EligibilityRule=passed ExpirationRule=passed JustificationRule=passed"
#define FULL   "RoleAssignmentLimitReached"

/* What only the store can judge is among the rules, whatever else refuses. */
static void a_trial_names_the_limits_too(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .only_try = true},
			 free = {.person = 3, .group = 2, .only_try = true};
	char id[ID_SIZE], later[32];

	expect_rules(world, &ask, "ok", PASSED " MaxActiveRule=passed ExclusiveGroupsRule=passed");
	expect_rules(world, &free, "ok", PASSED " ApprovalRule=passed ExclusiveGroupsRule=passed");
	scene_activate(world, &(struct world_ask){.person = 2}, id);
	scene_activate(world, &(struct world_ask){.person = 1, .group = 1}, id);
	expect_rules(world, &ask, FULL, "MaxActiveRule=refused ExclusiveGroupsRule=refused " PASSED);
	ask.duration = "PT9H";
	expect_rules(world, &ask, "RoleAssignmentRequestPolicyValidationFailed",
		     "ExpirationRule=refused MaxActiveRule=refused ExclusiveGroupsRule=refused "
		     "EligibilityRule=passed JustificationRule=passed");
	/* They are looked at when it starts. */
	scene_from_now(3600 * SECOND, later);
	ask.duration = NULL;
	ask.start = later;
	expect_rules(world, &ask, "ok", PASSED);
	ask = (struct world_ask){.person = 1};
	expect_rules(world, &ask, FULL, "MaxActiveRule=refused");
	ask.group = 2;
	expect_rules(world, &ask, "RoleAssignmentExcluded", "ExclusiveGroupsRule=refused");
	world_passed(world);
}

/* An administrator's word, its code and what it says of the rules. */
static void expect_assigned(const struct world *world, const struct scene_ask *ask, int status,
			    const char *word, const char *rules)
{
	struct http_response response;
	char seen[512];

	scene_ask(world, ask, &response);
	assert_int_equal(response.status, status);
	assert_string_equal(http_json_text(&response, status == 201 ? "status" : "error.code"), word);
	print_rules(&response, status == 201 ? "policyRules" : "error.details", seen);
	assert_string_equal(seen, rules);
	http_response_release(&response);
}

#define FOR_A_MINUTE "\"expiration\":{\"type\":\"afterDuration\",\"duration\":\"PT1M\"}}"

/* How many may have it and what nobody may have together bind administrators as well; the other rules do not. */
static void the_limits_bind_administrators(void **state)
{
	struct world *world = *state;
	struct scene_ask assign = {.person = 1, .action = "adminAssign", .schedule = "{" FOR_A_MINUTE};
	char id[ID_SIZE], start[32], later[256];
	struct http_response response;

	assign.only_try = true;
	expect_assigned(world, &assign, 201, "PendingProvisioning",
			"MaxActiveRule=passed ExclusiveGroupsRule=passed");
	assign.only_try = false;
	scene_activate(world, &(struct world_ask){.person = 1, .group = 1}, id);
	scene_wait(world, &(struct world_ask){.person = 1, .group = 1}, id, "provisioned");
	expect_assigned(world, &assign, 400, "RoleAssignmentExcluded", "ExclusiveGroupsRule=refused");
	scene_activate(world, &(struct world_ask){.person = 2}, id);
	assign.person = 3;
	expect_assigned(world, &assign, 400, FULL, "MaxActiveRule=refused");
	assign.person = 1;
	assign.action = "adminUpdate";
	assign.group = 1;
	expect_assigned(world, &assign, 201, "Provisioned", "");
	/* What begins later is refused then. */
	scene_from_now(1500, start);
	snprintf(later, sizeof(later), "{\"startDateTime\":\"%s\"," FOR_A_MINUTE, start);
	assign = (struct scene_ask){.person = 1, .group = 2, .action = "adminAssign", .schedule = later};
	scene_ask_ok(world, &assign, id);
	scene_wait(world, &(struct world_ask){.person = 1, .group = 2}, id, "failed");
	scene_look(world, &(struct world_ask){.person = 1, .group = 2}, id, &response);
	assert_string_equal(scene_text(&response, "provisioning.lastError"),
			    "The person holds a group that excludes this one.");
	http_response_release(&response);
	world_passed(world);
}

/* Before anybody asks: the very rules that would refuse. */
static void what_a_group_asks_is_told(void **state)
{
	static const char expected[] =
		"\"policy\":{\"minimumDuration\":\"PT1M\",\"defaultDuration\":\"PT30M\",\"maximumDuration\":"
		"\"PT1H30M\","
		"\"countsFrom\":\"provisioned\",\"isJustificationRequired\":true,"
		"\"minimumJustificationLength\":12,"
		"\"isTicketRequired\":true,\"ticketPattern\":\"^INC[0-9]+$\",\"authentication\":[\"hwk\","
		"\"mfa\"],"
		"\"hours\":[{\"daysOfWeek\":[\"friday\",\"saturday\",\"sunday\"],\"from\":\"22:00\",\"to\":"
		"\"06:30\","
		"\"timeZone\":\"Europe/Berlin\"}],\"isBreakGlassAllowed\":%s,\"approvalStages\":2}";
	struct world *world = *state;

	for (size_t person = ONCALL; person <= ONCALL + 1; person++) {
		struct http_response response;
		char text[sizeof(expected) + 8];

		snprintf(text, sizeof(text), expected, person == ONCALL ? "true" : "false");
		scene_get(world, person,
			  PIM
			  "eligibilityScheduleInstances/filterByCurrentUser(on='principal')?$expand=policy",
			  &response);
		if (strstr(buf_text(&response.body), text) == NULL)
			fail_msg("%s\nwithout %s", buf_text(&response.body), text);
		http_response_release(&response);
	}
	world_passed(world);
}

/* However long the push took. */
static void the_clock_begins_with_the_confirmation(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .group = 1, .duration = "PT7M"};
	struct http_response response;
	char id[ID_SIZE];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	scene_look(world, &ask, id, &response);
	assert_int_equal(scene_time(&response, "provisioning.endDateTime") -
				 scene_time(&response, "provisioning.confirmedDateTime"),
			 7 * 60 * SECOND);
	http_response_release(&response);
	world_passed(world);
}

/* Nobody can do it again now; that it was done is answered all the same. */
static void a_repetition_is_answered_as_before(void **state)
{
	struct world *world = *state;
	const char *only_person_2[] = {world_user_name(world, 2), NULL};
	struct broker_group *groups = (struct broker_group *)(uintptr_t)world->config.groups;
	struct world_ask ask = {.person = 1, .idempotency_key = "once", .duration = "PT30M"};
	struct world_ask gone = {.person = 1, .group = 2, .idempotency_key = "twice"};
	struct http_response response;
	char id[ID_SIZE], gone_id[ID_SIZE];

	scene_activate(world, &ask, id);
	scene_activate(world, &gone, gone_id);
	groups[0].eligible = only_person_2;
	world->config.group_count = 2;
	assert_true(scene_reload(world, 0));
	world_activate(world, &ask, &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(http_json_text(&response, "id"), id);
	http_response_release(&response);
	world_activate(world, &gone, &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(http_json_text(&response, "id"), gone_id);
	http_response_release(&response);

	/* Another body under the key, and another key, are what they are. */
	ask.duration = "PT20M";
	world_activate(world, &ask, &response);
	assert_int_equal(response.status, 422);
	http_response_release(&response);
	ask.idempotency_key = "another";
	expect_refused(world, &ask, "EligibilityRule=refused");
	world_passed(world);
}

static void expect_status(const struct http_response *response, int status)
{
	if (response->status != status)
		fail_msg("%d %s", response->status, buf_text(&response->body));
}

static void what_has_left_the_configuration_can_be_given_back(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .group = 2, .idempotency_key = "back"};
	struct http_response response;
	char id[ID_SIZE], removal[ID_SIZE];

	ask.idempotency_key = NULL;
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	world->config.group_count = 2;
	assert_true(scene_reload(world, 0));
	world_activate(world, &ask, &response);
	expect_status(&response, 404);
	http_response_release(&response);
	ask.idempotency_key = "back";
	world_deactivate(world, &ask, &response);
	expect_status(&response, 201);
	snprintf(removal, sizeof(removal), "%s", scene_text(&response, "id"));
	http_response_release(&response);
	assert_true(world_wait_member(world, 1, 2, false, SCENE_PATIENCE));
	world_deactivate(world, &ask, &response);
	expect_status(&response, 201);
	assert_string_equal(scene_text(&response, "id"), removal);
	http_response_release(&response);
	ask.idempotency_key = NULL;
	world_deactivate(world, &ask, &response);
	expect_status(&response, 400);
	http_response_release(&response);
	ask.person = 2;
	world_deactivate(world, &ask, &response);
	expect_status(&response, 404);
	http_response_release(&response);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_glass_is_broken_by_those_who_may, open_closed,
						scene_close),
		cmocka_unit_test_setup_teardown(a_trial_names_every_rule, open_closed, scene_close),
		cmocka_unit_test_setup_teardown(a_trial_names_the_limits_too, open_limited, scene_close),
		cmocka_unit_test_setup_teardown(the_limits_bind_administrators, open_limited, scene_close),
		cmocka_unit_test_setup_teardown(what_a_group_asks_is_told, open_strict, scene_close),
		cmocka_unit_test_setup_teardown(the_clock_begins_with_the_confirmation, open_limited,
						scene_close),
		cmocka_unit_test_setup_teardown(a_repetition_is_answered_as_before, open_plain, scene_close),
		cmocka_unit_test_setup_teardown(what_has_left_the_configuration_can_be_given_back, open_plain,
						scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
