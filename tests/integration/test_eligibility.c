/* Who may activate: by the policy file, or because an administrator said so; and what is told of both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene_ask.h"

#define REQUESTS  PIM "eligibilityScheduleRequests"
#define SCHEDULES PIM "eligibilitySchedules"
#define INSTANCES PIM "eligibilityScheduleInstances"
#define MINE      "/filterByCurrentUser(on='principal')"

/* Groups: nobody of this story is eligible; persons 1 and 2 are; nobody is, and person 1 approves. */
enum { NOBODYS, NAMED, APPROVED, GROUPS };

static int open_world(void **state)
{
	static const char *const named[] = {"person1@example.com", "PERSON2@example.com", NULL};
	static const char *const other[] = {"person11@example.com", NULL};
	static const struct broker_group groups[GROUPS] = {
		[NOBODYS] = {.eligible = other},
		[NAMED] = {.eligible = named},
		[APPROVED] = {.eligible = other,
			      .more = "      approval: {approvers: [person1@example.com], timeout: 1h}\n"},
	};
	struct world_options options = scene_defaults();

	options.brokers = 2;
	options.each_group = groups;
	options.groups = GROUPS;
	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	return scene_open(state, &options);
}

static void expect_refused(const struct world *world, const struct world_ask *ask)
{
	struct http_response response;

	world_activate(world, ask, &response);
	assert_int_equal(response.status, 400);
	assert_string_equal(scene_text(&response, "error.code"),
			    "RoleAssignmentRequestPolicyValidationFailed");
	assert_string_equal(scene_text(&response, "error.details.0.rule"), "EligibilityRule");
	http_response_release(&response);
}

static const char *for_an_hour = "{\"expiration\":{\"type\":\"afterDuration\",\"duration\":\"PT1H\"}}";

static void an_administrators_word_makes_eligible(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 3, .group = NOBODYS};
	struct scene_ask assign = {.eligibility = true,
				   .person = 3,
				   .group = NOBODYS,
				   .action = "AdminAssign",
				   .schedule = for_an_hour};
	struct scene_ask removal = {
		.eligibility = true, .person = 3, .group = NOBODYS, .action = "adminRemove"};
	char id[ID_SIZE];

	expect_refused(world, &ask);
	scene_expect(world, &removal, 400, "RoleAssignmentDoesNotExist");
	scene_expect(world, &assign, 201, "Provisioned");
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	/* Others are still not, nor is this one for another group. */
	ask.person = 4;
	expect_refused(world, &ask);
	ask.person = 3;
	ask.group = APPROVED;
	expect_refused(world, &ask);
	/* Taken away: what is in force stays, nothing new is given. */
	scene_expect(world, &removal, 201, "Revoked");
	ask.group = NOBODYS;
	ask.duration = "PT5H";
	expect_refused(world, &ask);
	scene_wait(world, &ask, id, "provisioned");
	world_passed(world);
}

static void it_ends_at_its_time(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 5, .group = NOBODYS};
	struct scene_ask assign = {
		.eligibility = true,
		.person = 5,
		.group = NOBODYS,
		.action = "adminAssign",
		.schedule = "{\"expiration\":{\"type\":\"afterDuration\",\"duration\":\"PT1S\"}}",
	};
	struct http_response response;
	int64_t end;

	scene_ask(world, &assign, &response);
	assert_int_equal(response.status, 201);
	end = scene_time(&response, "scheduleInfo.startDateTime") + SECOND;
	http_response_release(&response);
	scene_wait_for(end + 20);
	expect_refused(world, &ask);
	scene_get(world, 5, INSTANCES MINE, &response);
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "value")), 0);
	http_response_release(&response);
	world_passed(world);
}

/* -- looked at again ------------------------------------------------------------------------------------------- */

static void it_is_looked_at_again_at_the_start(void **state)
{
	struct world *world = *state;
	char start[32], id[ID_SIZE];
	struct world_ask ask = {.person = 3, .group = NOBODYS, .start = start};
	struct scene_ask assign = {.eligibility = true,
				   .person = 3,
				   .group = NOBODYS,
				   .action = "adminAssign",
				   .schedule = for_an_hour};
	struct scene_ask removal = {
		.eligibility = true, .person = 3, .group = NOBODYS, .action = "adminRemove"};
	struct http_response response;

	scene_expect(world, &assign, 201, "Provisioned");
	scene_from_now(2 * SECOND, start);
	scene_activate(world, &ask, id);
	scene_expect(world, &removal, 201, "Revoked");
	scene_wait(world, &ask, id, "failed");
	scene_look(world, &ask, id, &response);
	assert_string_equal(scene_text(&response, "status"), "Failed");
	assert_string_equal(scene_text(&response, "provisioning.lastError"),
			    "Policy no longer allows it: EligibilityRule.");
	http_response_release(&response);
	assert_false(scene_mentions(world, 3));
	/* And who is eligible at the start gets it. */
	scene_expect(world, &assign, 201, "Provisioned");
	scene_from_now(SECOND, start);
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	world_passed(world);
}

static int decide(const struct world *world, const char *id)
{
	struct http_response response;
	char path[256], stage[ID_SIZE];
	struct http_request request = {.method = "PATCH",
				       .url = path,
				       .bearer = world_token(world, 1),
				       .body = "{\"reviewResult\":\"Approve\"}"};
	int status;

	snprintf(path, sizeof(path), PIM "assignmentApprovals/%s/stages", id);
	scene_get(world, 1, path, &response);
	snprintf(stage, sizeof(stage), "%s", scene_text(&response, "value.0.id"));
	http_response_release(&response);
	snprintf(path, sizeof(path), PIM "assignmentApprovals/%s/stages/%s", id, stage);
	broker_call(&world->brokers[1], &request, &response);
	status = response.status;
	if (status == 400)
		assert_string_equal(scene_text(&response, "error.message"),
				    "Policy no longer allows it: EligibilityRule.");
	http_response_release(&response);
	return status;
}

static void it_is_looked_at_again_at_the_approval(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 3, .group = APPROVED};
	struct scene_ask assign = {.eligibility = true,
				   .person = 3,
				   .group = APPROVED,
				   .action = "adminAssign",
				   .schedule = for_an_hour};
	struct scene_ask removal = {
		.eligibility = true, .person = 3, .group = APPROVED, .action = "adminRemove"};
	struct http_response response;
	char id[ID_SIZE], again[ID_SIZE];

	scene_expect(world, &assign, 201, "Provisioned");
	scene_activate(world, &ask, id);
	scene_expect(world, &removal, 201, "Revoked");
	assert_int_equal(decide(world, id), 400);
	scene_look(world, &ask, id, &response);
	assert_string_equal(scene_text(&response, "status"), "Denied");
	http_response_release(&response);
	scene_expect(world, &assign, 201, "Provisioned");
	scene_activate(world, &ask, again);
	assert_int_equal(decide(world, again), 204);
	scene_wait(world, &ask, again, "provisioned");
	world_passed(world);
}

/* -- requests -------------------------------------------------------------------------------------------------- */

static void one_that_has_not_begun_can_be_withdrawn(void **state)
{
	struct world *world = *state;
	char start[32], schedule[256], path[256], id[ID_SIZE], now[ID_SIZE];
	struct scene_ask later = {.eligibility = true,
				  .person = 6,
				  .group = NOBODYS,
				  .action = "adminAssign",
				  .schedule = schedule};
	struct scene_ask assign = {.eligibility = true,
				   .person = 7,
				   .group = NOBODYS,
				   .action = "adminAssign",
				   .schedule = for_an_hour};
	struct http_request cancel = {.method = "POST", .url = path, .bearer = world_token(world, 0)};
	struct http_response response;

	scene_from_now(3600 * SECOND, start);
	snprintf(schedule, sizeof(schedule),
		 "{\"startDateTime\":\"%s\",\"expiration\":{\"type\":\"noExpiration\"}}", start);
	scene_expect(world,
		     &(struct scene_ask){.eligibility = true,
					 .person = 6,
					 .action = "adminAssign",
					 .schedule = schedule,
					 .only_try = true},
		     201, "Granted");
	scene_ask_ok(world, &later, id);
	snprintf(path, sizeof(path), REQUESTS "/%s/cancel", id);
	cancel.bearer = world_token(world, 6);
	broker_call(&world->brokers[0], &cancel, &response);
	assert_int_equal(response.status, 403);
	http_response_release(&response);
	cancel.bearer = world_token(world, 0);
	for (int i = 0; i < 2; i++) {
		broker_call(&world->brokers[i], &cancel, &response);
		assert_int_equal(response.status, 204);
		http_response_release(&response);
	}
	snprintf(path, sizeof(path), REQUESTS "/%s?$select=status,action&$expand=targetSchedule,principal",
		 id);
	scene_get(world, 6, path, &response);
	assert_string_equal(scene_text(&response, "status"), "Canceled");
	assert_true(cJSON_IsNull(http_json(&response, "targetSchedule")));
	assert_string_equal(scene_text(&response, "principal.userPrincipalName"), "person6@example.com");
	assert_null(http_json(&response, "justification"));
	http_response_release(&response);
	/* Another one's is not told from one that does not exist. */
	scene_get(world, 7, path, &response);
	assert_int_equal(response.status, 404);
	http_response_release(&response);
	scene_ask_ok(world, &assign, now);
	snprintf(path, sizeof(path), REQUESTS "/%s/cancel", now);
	broker_call(&world->brokers[0], &cancel, &response);
	assert_int_equal(response.status, 400);
	assert_string_equal(scene_text(&response, "error.code"), "InvalidRoleAssignmentRequestState");
	http_response_release(&response);
	world_passed(world);
}

static void what_is_refused_says_why(void **state)
{
	static const char *const never = "{\"expiration\":{\"type\":\"noExpiration\"}}";
	static const char *const past =
		"{\"expiration\":{\"type\":\"afterDateTime\",\"endDateTime\":\"2020-01-01T00:00:00Z\"}}";
	static const struct {
		struct scene_ask ask;
		int status;
		const char *word;
	} rows[] = {
		{{.eligibility = true, .caller = 8, .person = 8, .action = "adminAssign"},
		 403,
		 "Authorization_RequestDenied"},
		{{.eligibility = true, .person = 8, .action = "selfActivate"},
		 400,
		 "InvalidRoleAssignmentRequest"},
		{{.eligibility = true, .person = 8, .action = "selfRenew"},
		 400,
		 "InvalidRoleAssignmentRequest"},
		{{.eligibility = true, .person = 8, .action = "adminAssign"},
		 400,
		 "InvalidRoleAssignmentRequest"},
		{{.eligibility = true, .person = 8, .action = "adminAssign", .schedule = past},
		 400,
		 "InvalidRoleAssignmentRequestSchedule"},
		{{.eligibility = true, .person = 8, .action = "adminUpdate", .schedule = never},
		 400,
		 "RoleAssignmentDoesNotExist"},
		{{.eligibility = true, .person = 8, .action = "adminAssign", .schedule = never, .key = "k"},
		 201,
		 "Provisioned"},
		{{.eligibility = true, .person = 8, .action = "adminAssign", .schedule = never, .key = "k"},
		 201,
		 "Provisioned"},
		{{.eligibility = true, .person = 9, .action = "adminAssign", .schedule = never, .key = "k"},
		 422,
		 "IdempotencyKeyReused"},
		{{.eligibility = true, .person = 8, .action = "adminAssign", .schedule = never},
		 400,
		 "RoleAssignmentExists"},
		{{.eligibility = true, .person = 8, .action = "adminRemove", .only_try = true},
		 201,
		 "Revoked"},
		{{.eligibility = true, .person = 8, .action = "adminRemove"}, 201, "Revoked"},
		{{.eligibility = true, .person = 8, .action = "adminRemove"},
		 400,
		 "RoleAssignmentDoesNotExist"},
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		scene_expect(world, &rows[i].ask, rows[i].status, rows[i].word);
	world_passed(world);
}

/* -- lists ----------------------------------------------------------------------------------------------------- */

/* A member whose name has a dot in it; NULL when it is not there. */
static const cJSON *annotation(const struct http_response *response, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(response->json, name);
}

static int64_t counted(const struct http_response *response)
{
	const cJSON *count = annotation(response, "@odata.count");

	assert_true(cJSON_IsNumber(count));
	return (int64_t)count->valuedouble;
}

/* Follows the pages; the principals' last digits and sources in their order: "1p 2p 3r". */
static void read_pages(const struct world *world, size_t person, const char *path, char out[256])
{
	struct http_response response;
	char next[1024];
	size_t used = 0, pages = 0;

	snprintf(next, sizeof(next), "%s", path);
	out[0] = '\0';
	while (next[0] != '\0' && pages++ < 20) {
		const char *link, *root = world->brokers[0].root;
		int count;

		scene_get(world, person, next, &response);
		if (response.status != 200)
			fprintf(stderr, "%s\n", buf_text(&response.body));
		assert_int_equal(response.status, 200);
		count = cJSON_GetArraySize(http_json(&response, "value"));
		for (int i = 0; i < count; i++) {
			char at[32];
			const char *principal;

			snprintf(at, sizeof(at), "value.%d.principalId", i);
			principal = scene_text(&response, at);
			snprintf(at, sizeof(at), "value.%d.source", i);
			used += (size_t)snprintf(out + used, 256 - used, "%s%s%.1s", used > 0 ? " " : "",
						 principal + strlen(principal) - 1,
						 scene_text(&response, at));
		}
		link = cJSON_GetStringValue(annotation(&response, "@odata.nextLink"));
		if (link != NULL)
			assert_int_equal(strncmp(link, root, strlen(root)), 0);
		snprintf(next, sizeof(next), "%s", link != NULL ? link + strlen(root) : "");
		http_response_release(&response);
	}
	assert_true(pages < 20);
}

static void lists_have_both_sources(void **state)
{
	struct world *world = *state;
	struct scene_ask assign = {.eligibility = true,
				   .person = 3,
				   .group = NAMED,
				   .action = "adminAssign",
				   .schedule = for_an_hour};
	char path[512], seen[256], id[160];
	struct http_response response;

	scene_expect(world, &assign, 201, "Provisioned");
	assign.person = 4;
	scene_expect(world, &assign, 201, "Provisioned");
	for (int top = 1; top <= 5; top++) {
		snprintf(path, sizeof(path), INSTANCES "?$filter=groupId%%20eq%%20'%s'&$top=%d&$count=true",
			 world_group_id(world, NAMED), top);
		read_pages(world, 0, path, seen);
		assert_string_equal(seen, "1p 2p 4r 3r");
	}
	scene_get(world, 0, path, &response);
	assert_int_equal(counted(&response), 4);
	assert_null(annotation(&response, "@jit.countIsLowerBound"));
	http_response_release(&response);
	/* Everybody sees their own. */
	snprintf(path, sizeof(path), SCHEDULES "?$filter=groupId eq '%s'", world_group_id(world, NAMED));
	for (char *blank = strchr(path, ' '); blank != NULL; blank = strchr(path, ' '))
		*blank = '+';
	read_pages(world, 2, path, seen);
	assert_string_equal(seen, "2p");
	read_pages(world, 2, SCHEDULES MINE, seen);
	assert_string_equal(seen, "2p");
	read_pages(world, 3, SCHEDULES MINE, seen);
	assert_string_equal(seen, "3r");
	snprintf(path, sizeof(path), SCHEDULES "?$filter=principalId%%20eq%%20'%s'",
		 world_person_id(world, 2));
	read_pages(world, 0, path, seen);
	assert_string_equal(seen, "2p");
	scene_get(world, 3, path, &response);
	assert_int_equal(response.status, 403);
	http_response_release(&response);
	/* Each can be had by its id, which stays what it is. */
	for (size_t person = 2; person <= 3; person++) {
		scene_get(world, person, INSTANCES MINE, &response);
		snprintf(id, sizeof(id), "%s", scene_text(&response, "value.0.id"));
		assert_string_equal(scene_text(&response, "value.0.eligibilityScheduleId"), id);
		http_response_release(&response);
		for (size_t caller = 2; caller <= 4; caller++) {
			snprintf(path, sizeof(path), SCHEDULES "/%s", id);
			scene_get(world, caller == 4 ? 0 : caller, path, &response);
			assert_int_equal(response.status, caller == person || caller == 4 ? 200 : 404);
			if (response.status == 200)
				assert_string_equal(scene_text(&response, "principalId"),
						    world_person_id(world, person));
			http_response_release(&response);
		}
	}
	world_passed(world);
}

static void requests_can_be_found_by_who_made_them(void **state)
{
	struct world *world = *state;
	struct scene_ask assign = {.eligibility = true,
				   .person = 3,
				   .group = NOBODYS,
				   .action = "adminAssign",
				   .schedule = for_an_hour};
	struct http_response response;

	scene_expect(world, &assign, 201, "Provisioned");
	assign.person = 4;
	scene_expect(world, &assign, 201, "Provisioned");
	scene_get(world, 0, REQUESTS "/filterByCurrentUser(on='createdBy')?$count=true&$top=1", &response);
	assert_int_equal(response.status, 200);
	assert_int_equal(counted(&response), 2);
	assert_string_equal(scene_text(&response, "value.0.principalId"), world_person_id(world, 4));
	http_response_release(&response);
	scene_get(world, 3, REQUESTS MINE "?$filter=status%20ne%20'Revoked'", &response);
	assert_string_equal(scene_text(&response, "value.0.createdBy.user.id"), world_person_id(world, 0));
	http_response_release(&response);
	scene_get(world, 3, REQUESTS MINE "?$filter=status%20ne%20'Provisioned'", &response);
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "value")), 0);
	http_response_release(&response);
	world_passed(world);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_administrators_word_makes_eligible),
		TEST(it_ends_at_its_time),
		TEST(it_is_looked_at_again_at_the_start),
		TEST(it_is_looked_at_again_at_the_approval),
		TEST(one_that_has_not_begun_can_be_withdrawn),
		TEST(what_is_refused_says_why),
		TEST(lists_have_both_sources),
		TEST(requests_can_be_found_by_who_made_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
