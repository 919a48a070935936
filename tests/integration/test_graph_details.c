/*
 * Smaller things of Graph's that clients count on: customData comes back, who made a request has a name, lists can be
 * filtered by id and by who made it, and what waits for an approver is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene_ask.h"

#define REQUESTS    PIM "assignmentScheduleRequests"
#define ELIGIBILITY PIM "eligibilityScheduleRequests"
#define MINE        "/filterByCurrentUser(on='principal')"
#define INBOX       REQUESTS "/filterByCurrentUser(on='approver')"
#define LEAD        1
#define OTHER       2
#define ANN         3
#define BOB         4
#define DATA        "for the \"books\""
#define DATA_JSON   "\"for the \\\"books\\\"\""
#define A_DAY       "{\"expiration\":{\"type\":\"afterDuration\",\"duration\":\"P1D\"}}"

/* One group for anybody, one whose requests wait for the lead, and one whose wait for somebody else. */
static int open_world(void **state)
{
	static const char *const eligible[] = {"person3@example.com", "person4@example.com", NULL};
	static const struct broker_group groups[] = {
		{.eligible = eligible},
		{.eligible = eligible, .more = "      approval: {approvers: [person1@example.com]}\n"},
		{.eligible = eligible, .more = "      approval: {approvers: [person2@example.com]}\n"},
	};
	struct world_options options = scene_defaults();

	options.groups = 3;
	options.each_group = groups;
	return scene_open(state, &options);
}

/* POSTs it with that customData, JSON; the status, and the id of a good answer. */
static int post_with(const struct world *world, bool eligibility, const char *custom, char id[ID_SIZE])
{
	struct http_response response;
	char body[2048];
	int status;

	snprintf(body, sizeof(body),
		 "{\"action\":\"%s\",\"accessId\":\"member\",\"principalId\":\"%s\",\"groupId\":\"%s\","
		 "\"justification\":\"why\",\"scheduleInfo\":%s,\"customData\":%s}",
		 eligibility ? "adminAssign" : "selfActivate", world_person_id(world, ANN),
		 world_group_id(world, 0), eligibility ? A_DAY : "null", custom);
	broker_call(&world->brokers[0],
		    &(struct http_request){.url = eligibility ? ELIGIBILITY : REQUESTS,
					   .body = body,
					   .bearer = world_token(world, eligibility ? 0 : ANN)},
		    &response);
	status = response.status;
	if (status == 201) {
		snprintf(id, ID_SIZE, "%s", scene_text(&response, "id"));
		assert_string_equal(scene_text(&response, "customData"), DATA);
	} else {
		assert_string_equal(scene_text(&response, "error.code"), "InvalidRoleAssignmentRequest");
	}
	http_response_release(&response);
	return status;
}

static void custom_data_comes_back(void **state)
{
	struct world *world = *state;
	struct http_response response;
	char id[ID_SIZE], path[256], longest[CUSTOM_SIZE + 3];

	for (int eligibility = 0; eligibility < 2; eligibility++) {
		const char *url = eligibility ? ELIGIBILITY : REQUESTS;

		assert_int_equal(post_with(world, eligibility, DATA_JSON, id), 201);
		snprintf(path, sizeof(path), "%s/%s", url, id);
		scene_get(world, ANN, path, &response);
		assert_string_equal(scene_text(&response, "customData"), DATA);
		http_response_release(&response);
		snprintf(path, sizeof(path), "%s" MINE, url);
		scene_get(world, ANN, path, &response);
		assert_string_equal(scene_text(&response, "value.0.customData"), DATA);
		http_response_release(&response);
	}
	assert_int_equal(post_with(world, false, "7", id), 400);
	memset(longest, 'x', sizeof(longest));
	longest[0] = longest[CUSTOM_SIZE + 1] = '"';
	longest[CUSTOM_SIZE + 2] = '\0';
	assert_int_equal(post_with(world, false, longest, id), 400);
	world_passed(world);
}

static void expect_maker(const struct world *world, size_t asks, const char *path, const char *member)
{
	struct http_response response;

	scene_get(world, asks, path, &response);
	assert_int_equal(response.status, 200);
	assert_string_equal(scene_text(&response, member), world_user_name(world, ANN));
	http_response_release(&response);
}

/* The configuration knows what people are called; so it is told of whoever asked, whoever looks. */
static void who_made_it_has_a_name(void **state)
{
	struct world *world = *state;
	struct http_response response;
	char id[ID_SIZE], path[256];

	world_activate(world, &(struct world_ask){.person = ANN, .group = 1}, &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(scene_text(&response, "createdBy.user.displayName"), world_user_name(world, ANN));
	snprintf(id, sizeof(id), "%s", scene_text(&response, "id"));
	http_response_release(&response);
	snprintf(path, sizeof(path), REQUESTS "/%s", id);
	expect_maker(world, ANN, path, "createdBy.user.displayName");
	expect_maker(world, 0, path, "createdBy.user.displayName");
	expect_maker(world, LEAD, INBOX, "value.0.createdBy.user.displayName");
	expect_maker(world, LEAD, INBOX "?$select=createdBy", "value.0.createdBy.user.displayName");
	world_passed(world);
}

/* How many there are behind that path and filter; -1 when it is refused. */
static int count(const struct world *world, const char *path, const char *filter)
{
	struct http_response response;
	char url[1024];
	int found = -1;

	snprintf(url, sizeof(url), "%s?$filter=%s", path, filter);
	for (char *at = url; (at = strchr(at, ' ')) != NULL;)
		*at = '+';
	scene_get(world, 0, url, &response);
	if (response.status == 200)
		found = cJSON_GetArraySize(http_json(&response, "value"));
	http_response_release(&response);
	return found;
}

struct found {
	const char *list, *field, *value, *more; /* `more` of the filter, or NULL */
	int count;
};

static void expect_found(const struct world *world, const struct found *wanted)
{
	char path[256], filter[512];

	snprintf(path, sizeof(path), PIM "%s", wanted->list);
	snprintf(filter, sizeof(filter), "principalId eq '%s' and %s '%s'%s", world_person_id(world, ANN),
		 wanted->field, wanted->value, wanted->more != NULL ? wanted->more : "");
	if (count(world, path, filter) != wanted->count)
		fail_msg("%s: %s", path, filter);
}

/* An id is that of the listed objects; whom one names is who made them, whomever they are for. */
static void lists_are_filtered_by_id_and_maker(void **state)
{
	struct world *world = *state;
	struct scene_ask assign = {
		.caller = 0, .person = ANN, .group = 0, .action = "adminAssign", .schedule = A_DAY};
	char own[ID_SIZE], given[ID_SIZE], schedule[128];

	scene_ask_ok(world, &assign, given);
	assign.eligibility = true;
	scene_ask_ok(world, &assign, schedule);
	scene_activate(world, &(struct world_ask){.person = ANN, .group = 1}, own);
	expect_found(world, &(struct found){"assignmentScheduleRequests", "id eq", own, NULL, 1});
	expect_found(world, &(struct found){"assignmentScheduleRequests", "ID eq", given,
					    " and status ne 'Denied'", 1});
	expect_found(world, &(struct found){"assignmentScheduleRequests", "id eq", given,
					    " and status eq 'Denied'", 0});
	expect_found(world, &(struct found){"assignmentScheduleRequests", "createdBy/user/id eq",
					    world_person_id(world, ANN), NULL, 1});
	expect_found(world, &(struct found){"assignmentScheduleRequests", "createdBy/user/id eq",
					    world_person_id(world, 0), NULL, 1});
	expect_found(world, &(struct found){"assignmentScheduleRequests", "createdBy/user/id eq",
					    world_person_id(world, BOB), NULL, 0});
	expect_found(world, &(struct found){"assignmentScheduleRequests/filterByCurrentUser(on='createdBy')",
					    "createdBy/user/id eq", world_person_id(world, 0), NULL, 1});
	expect_found(world, &(struct found){"assignmentScheduleRequests/filterByCurrentUser(on='createdBy')",
					    "createdBy/user/id eq", world_person_id(world, ANN), NULL, 0});
	expect_found(world, &(struct found){"assignmentScheduleRequests", "id eq", "nothing", NULL, -1});
	expect_found(world, &(struct found){"assignmentScheduleRequests", "id ne", own, NULL, -1});
	expect_found(world, &(struct found){"eligibilityScheduleRequests", "id eq", schedule, NULL, 1});
	expect_found(world, &(struct found){"eligibilityScheduleRequests", "id eq", own, NULL, 0});
	snprintf(schedule, sizeof(schedule), "%s_member_%s", world_group_id(world, 0), given);
	expect_found(world, &(struct found){"assignmentSchedules", "id eq", schedule, NULL, 1});
	expect_found(world, &(struct found){"assignmentSchedules", "id eq", given, NULL, -1});
	world_passed(world);
}

/* Of those that the policy files make eligible, too. */
static void eligibility_of_the_files_is_filtered(void **state)
{
	struct world *world = *state;
	struct http_response response;
	char id[128];

	scene_get(world, ANN, PIM "eligibilitySchedules" MINE, &response);
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "value")), 3);
	snprintf(id, sizeof(id), "%s", scene_text(&response, "value.1.id"));
	http_response_release(&response);
	expect_found(world, &(struct found){"eligibilitySchedules", "id eq", id, NULL, 1});
	expect_found(world, &(struct found){"eligibilitySchedules", "createdBy/user/id eq",
					    world_person_id(world, 0), NULL, 0});
	world_passed(world);
}

static void expect_counted(const struct world *world, size_t person, const char *path, int counted, int shown)
{
	struct http_response response;

	scene_get(world, person, path, &response);
	assert_int_equal(response.status, 200);
	assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(response.json, "@odata.count")), counted);
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "value")), shown);
	assert_null(cJSON_GetObjectItem(response.json, "@jit.countIsLowerBound"));
	http_response_release(&response);
}

/* What waits for others is not counted, and what is on other pages is. */
static void what_waits_for_an_approver_is_counted(void **state)
{
	struct world *world = *state;
	char id[ID_SIZE];

	scene_activate(world, &(struct world_ask){.person = ANN, .group = 1}, id);
	scene_activate(world, &(struct world_ask){.person = BOB, .group = 1}, id);
	scene_activate(world, &(struct world_ask){.person = BOB, .group = 2}, id);
	expect_counted(world, LEAD, INBOX "?$count=true", 2, 2);
	expect_counted(world, OTHER, INBOX "?$count=true&$top=1", 1, 1);
	expect_counted(world, ANN, INBOX "?$count=true", 0, 0);
	assert_int_equal(scene_cancel(world, BOB, id), 204);
	expect_counted(world, OTHER, INBOX "?$count=true", 0, 0);
	expect_counted(world, LEAD, INBOX "?$count=true&$filter=status+eq+'PendingApproval'", 2, 2);
	expect_counted(world, LEAD, INBOX "?$count=true&$top=1", 2, 1);
	world_passed(world);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(custom_data_comes_back),
		TEST(who_made_it_has_a_name),
		TEST(lists_are_filtered_by_id_and_maker),
		TEST(eligibility_of_the_files_is_filtered),
		TEST(what_waits_for_an_approver_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
