/* Repetitions that are recognised, lists page by page, who sees what, and what is only tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "tests/support/scene.h"

#define REQUESTS  PIM "assignmentScheduleRequests"
#define INSTANCES PIM "assignmentScheduleInstances"
#define MANY      30
#define PAGE      7

static int open_world(void **state)
{
	static const char *const redis_arguments[] = {"--enable-debug-command", "yes", NULL};
	struct world_options options = scene_defaults();

	options.brokers = 2;
	options.groups = 3;
	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	options.redis_arguments = redis_arguments;
	return scene_open(state, &options);
}

/* -- repetitions ------------------------------------------------------------------------------------------------ */

static void ask_with(const struct world *world, const struct world_ask *ask, int status, char id[ID_SIZE])
{
	struct http_response response;

	world_activate(world, ask, &response);
	if (response.status != status)
		fprintf(stderr, "%s\n", buf_text(&response.body));
	assert_int_equal(response.status, status);
	if (status == 201)
		snprintf(id, ID_SIZE, "%s", scene_text(&response, "id"));
	else if (status == 422)
		assert_string_equal(scene_text(&response, "error.code"), "IdempotencyKeyReused");
	http_response_release(&response);
}

static void a_key_stands_for_one_request(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT1H", .idempotency_key = "order-66"};
	struct scene_changes changes;
	char id[ID_SIZE], again[ID_SIZE], other[ID_SIZE];

	ask_with(world, &ask, 201, id);
	scene_wait(world, &ask, id, "provisioned");
	/* Also by the other broker, and when it is long in force. */
	ask.broker = 1;
	ask_with(world, &ask, 201, again);
	assert_string_equal(again, id);
	ask.duration = "PT2H";
	ask_with(world, &ask, 422, again);
	ask.group = 1;
	ask_with(world, &ask, 422, again);
	/* Another person's key is another key. */
	ask.person = 2;
	ask.group = 0;
	ask_with(world, &ask, 201, other);
	assert_string_not_equal(other, id);
	scene_wait(world, &ask, other, "provisioned");
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 2);
	world_passed(world);
}

static void ask_traced(const struct world *world, const char *group, const char *trace, char id[ID_SIZE])
{
	char header[128], body[512];
	struct http_request request = {
		.url = REQUESTS, .bearer = world_token(world, 3), .body = body, .headers = {header}};
	struct http_response response;

	snprintf(header, sizeof(header), "client-request-id: %s", trace);
	snprintf(body, sizeof(body),
		 "{\"action\":\"selfActivate\",\"accessId\":\"member\",\"groupId\":\"%s\",\"justification\":"
		 "\"why\"}",
		 group);
	broker_call(&world->brokers[0], &request, &response);
	assert_int_equal(response.status, 201);
	snprintf(id, ID_SIZE, "%s", scene_text(&response, "id"));
	http_response_release(&response);
}

static void graphs_sdk_repeats_under_its_own_id(void **state)
{
	struct world *world = *state;
	const char *trace = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
	char id[ID_SIZE], again[ID_SIZE], other[ID_SIZE];

	ask_traced(world, world_group_id(world, 0), trace, id);
	ask_traced(world, world_group_id(world, 0), trace, again);
	assert_string_equal(again, id);
	/* Some clients have one id for all that they do: what is asked is another thing then. */
	ask_traced(world, world_group_id(world, 1), trace, other);
	assert_string_not_equal(other, id);
	world_passed(world);
}

static void twenty_at_once_with_one_key(void **state)
{
	struct world *world = *state;
	struct http_request requests[20] = {{0}};
	struct http_response responses[20];
	struct world_ask ask = {.person = 4};
	struct scene_changes changes;
	char urls[20][256], body[512], id[ID_SIZE];

	snprintf(body, sizeof(body),
		 "{\"action\":\"selfActivate\",\"accessId\":\"member\",\"groupId\":\"%s\",\"justification\":"
		 "\"why\"}",
		 world_group_id(world, 0));
	for (size_t i = 0; i < 20; i++) {
		snprintf(urls[i], sizeof(urls[i]), "%s" REQUESTS, world->brokers[i % 2].root);
		requests[i] =
			(struct http_request){.url = urls[i], .body = body, .bearer = world_token(world, 4)};
		requests[i].headers[0] = "Idempotency-Key: one";
	}
	assert_true(http_many(requests, 20, 20, responses));
	snprintf(id, sizeof(id), "%s", scene_text(&responses[0], "id"));
	for (size_t i = 0; i < 20; i++) {
		assert_int_equal(responses[i].status, 201);
		assert_string_equal(scene_text(&responses[i], "id"), id);
		http_response_release(&responses[i]);
	}
	scene_wait(world, &ask, id, "provisioned");
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 1);
	world_passed(world);
}

/* -- lists ------------------------------------------------------------------------------------------------------ */

static void plan_many(const struct world *world, size_t person, char ids[MANY][ID_SIZE])
{
	char start[32];
	struct world_ask ask = {.person = person, .duration = "PT1H", .start = start};

	for (size_t i = 0; i < MANY; i++) {
		/* None covers another. */
		scene_from_now((int64_t)(i + 1) * 3600 * SECOND, start);
		ask.group = i % 3;
		scene_activate(world, &ask, ids[i]);
		if (i % 5 == 0)
			assert_int_equal(scene_cancel(world, person, ids[i]), 204);
	}
}

/* Follows the links from `path` on; how many objects there were. Newest first, each once. */
static size_t walk(const struct world *world, size_t person, const char *path, char ids[MANY][ID_SIZE])
{
	char url[2048], root[256];
	int64_t before = INT64_MAX;
	size_t count = 0;

	snprintf(url, sizeof(url), "%s", path);
	snprintf(root, sizeof(root), "%s", world->brokers[0].root);
	while (url[0] != '\0') {
		struct http_response response;
		const cJSON *object;
		const char *next;

		scene_get(world, person, url, &response);
		assert_int_equal(response.status, 200);
		cJSON_ArrayForEach(object, http_json(&response, "value")) {
			char at[64];

			assert_true(count < MANY);
			snprintf(ids[count], ID_SIZE, "%s",
				 cJSON_GetStringValue(cJSON_GetObjectItem(object, "id")));
			for (size_t i = 0; i < count; i++)
				assert_string_not_equal(ids[i], ids[count]);
			snprintf(at, sizeof(at), "value.%zu.createdDateTime", count % PAGE);
			assert_true(scene_time(&response, at) <= before);
			before = scene_time(&response, at);
			count++;
		}
		next = cJSON_GetStringValue(cJSON_GetObjectItem(response.json, "@odata.nextLink"));
		assert_true(next == NULL || strncmp(next, root, strlen(root)) == 0);
		snprintf(url, sizeof(url), "%s", next == NULL ? "" : next + strlen(root));
		http_response_release(&response);
	}
	return count;
}

static bool is_among(char ids[MANY][ID_SIZE], const char *id)
{
	for (size_t i = 0; i < MANY; i++)
		if (strcmp(ids[i], id) == 0)
			return true;
	return false;
}

/* Each group in an application of its own, and so in lanes of their own: lists are put together out of them. */
static void spread_groups(struct world *world, struct broker_application applications[3])
{
	static const char *const ids[3] = {"app", "blue", "green"};
	struct broker_group *groups = (struct broker_group *)(uintptr_t)world->config.groups;

	for (size_t i = 0; i < 3; i++) {
		applications[i] = world->application;
		applications[i].id = groups[i].application = ids[i];
	}
	world->config.applications = applications;
	world->config.application_count = 3;
	assert_true(scene_reload(world, 0));
}

static void lists_go_on_page_by_page(void **state)
{
	struct world *world = *state;
	struct broker_application applications[3];
	char made[MANY][ID_SIZE], seen[MANY][ID_SIZE];

	spread_groups(world, applications);

	plan_many(world, 1, made);
	assert_memory_not_equal(made[0], made[1], 4); /* an id begins with its lane */
	assert_int_equal(walk(world, 1, REQUESTS "/filterByCurrentUser(on='principal')?$top=7", seen), MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_true(is_among(made, seen[i]));
	assert_int_equal(walk(world, 1,
			      REQUESTS
			      "?$top=7&$filter=groupId%20eq%20%27a0000000-0000-4000-8000-000000000001%27",
			      seen),
			 MANY / 3);
	assert_int_equal(walk(world, 1,
			      REQUESTS
			      "/filterByCurrentUser(on='principal')?$filter=status%20eq%20'canceled'&$top=7",
			      seen),
			 MANY / 5);
	assert_int_equal(
		walk(world, 1,
		     REQUESTS
		     "/filterByCurrentUser(on=%27principal%27)?$top=7&$filter=status%20eq%20%27Granted%27"
		     "%20and%20action%20eq%20%27SELFACTIVATE%27",
		     seen),
		MANY - MANY / 5);
	assert_int_equal(walk(world, 1,
			      REQUESTS
			      "/filterByCurrentUser(on='principal')?$filter=status%20eq%20'PendingApproval'",
			      seen),
			 0);
	/* An operator reads another's list, in any case of its id. */
	assert_int_equal(walk(world, 0,
			      REQUESTS
			      "?$top=7&$filter=principalId%20eq%20%2700000000-0000-4000-8000-000000000001%27",
			      seen),
			 MANY);
	world_passed(world);
}

static void expect_count(const struct world *world, size_t person, const char *path, int count)
{
	struct http_response response;

	scene_get(world, person, path, &response);
	assert_int_equal(response.status, 200);
	if (cJSON_GetArraySize(http_json(&response, "value")) != count)
		fprintf(stderr, "%s: %s\n", path, buf_text(&response.body));
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "value")), count);
	http_response_release(&response);
}

#define OF_GROUP_0 "?$filter=groupId%20eq%20%27A0000000-0000-4000-8000-000000000000%27"

static void everybody_sees_their_own(void **state)
{
	struct world *world = *state;
	struct world_ask mine = {.person = 1}, theirs = {.person = 2};
	struct http_response response;
	char id[ID_SIZE], their_id[ID_SIZE], path[256];

	scene_activate(world, &mine, id);
	scene_activate(world, &theirs, their_id);
	expect_count(world, 1, REQUESTS OF_GROUP_0, 1);
	expect_count(world, 3, REQUESTS OF_GROUP_0, 0);
	expect_count(world, 0, REQUESTS OF_GROUP_0, 2);
	expect_count(world, 0, REQUESTS "/filterByCurrentUser(on='principal')", 0);
	snprintf(path, sizeof(path), REQUESTS "/%s", their_id);
	scene_get(world, 1, path, &response);
	assert_int_equal(response.status, 404);
	assert_string_equal(scene_text(&response, "error.code"), "ResourceNotFound");
	http_response_release(&response);
	scene_get(world, 0, path, &response);
	assert_int_equal(response.status, 200);
	assert_string_equal(scene_text(&response, "principalId"), world_person_id(world, 2));
	http_response_release(&response);
	world_passed(world);
}

static void instances_are_what_is_in_force(void **state)
{
	struct world *world = *state;
	char start[32], id[ID_SIZE], planned[ID_SIZE], gone[ID_SIZE], target[128];
	struct world_ask ask = {.person = 1}, later = {.person = 1, .group = 1, .start = start};
	struct world_ask brief = {.person = 1, .group = 2, .duration = "PT1S"};
	struct http_response response;

	scene_from_now(3600 * SECOND, start);
	scene_activate(world, &ask, id);
	scene_activate(world, &later, planned);
	scene_activate(world, &brief, gone);
	scene_wait(world, &ask, id, "provisioned");
	scene_wait_over(world, &brief, gone);
	scene_get(world, 1, INSTANCES "/filterByCurrentUser(on='principal')", &response);
	assert_int_equal(response.status, 200);
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "value")), 1);
	snprintf(target, sizeof(target), "%s_member_%s", world_group_id(world, 0), id);
	assert_string_equal(scene_text(&response, "value.0.id"), target);
	assert_string_equal(scene_text(&response, "value.0.principalId"), world_person_id(world, 1));
	assert_string_equal(scene_text(&response, "value.0.groupId"), world_group_id(world, 0));
	assert_string_equal(scene_text(&response, "value.0.accessId"), "member");
	assert_string_equal(scene_text(&response, "value.0.assignmentType"), "activated");
	assert_int_equal(scene_time(&response, "value.0.endDateTime"),
			 scene_time(&response, "value.0.startDateTime") + 3600 * SECOND);
	http_response_release(&response);
	expect_count(world, 1, INSTANCES OF_GROUP_0, 1);
	expect_count(world, 2, INSTANCES OF_GROUP_0, 0);
	expect_count(world, 0, INSTANCES OF_GROUP_0, 1);
	expect_count(world, 1, INSTANCES OF_GROUP_0 "%20and%20status%20eq%20%27Canceled%27", 0);
	world_passed(world);
}

/* -- only tried --------------------------------------------------------------------------------------------------- */

/* What the trial of this action answers, with what it says the state would be. */
static void try(const struct world *world, size_t person, const char *action, const char *status,
		const char *state)
{
	char body[512], before[SHA256_HEX], after[SHA256_HEX];
	struct http_request request = {.url = REQUESTS, .body = body, .bearer = world_token(world, person)};
	struct http_response response;

	snprintf(body, sizeof(body),
		 "{\"action\":\"%s\",\"accessId\":\"member\",\"groupId\":\"%s\",\"justification\":\"why\","
		 "\"isValidationOnly\":true}",
		 action, world_group_id(world, 0));
	scene_digest(world, before);
	broker_call(&world->brokers[0], &request, &response);
	assert_int_equal(response.status, 201);
	assert_true(cJSON_IsTrue(http_json(&response, "isValidationOnly")));
	assert_true(cJSON_IsNull(http_json(&response, "id")));
	assert_string_equal(scene_text(&response, "status"), status);
	assert_string_equal(scene_text(&response, "provisioning.state"), state);
	assert_true(scene_time(&response, "provisioning.endDateTime") > 0);
	http_response_release(&response);
	scene_digest(world, after);
	assert_string_equal(before, after);
}

static void what_is_only_tried_changes_nothing(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT30M"}, other = {.person = 2};
	char id[ID_SIZE];

	try(world, 1, "selfActivate", "PendingProvisioning", "pushing");
	assert_false(scene_mentions(world, 1));
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	try(world, 1, "selfActivate", "Provisioned", "provisioned");
	try(world, 1, "selfDeactivate", "Revoked", "removed");
	assert_true(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	expect_count(world, 1, REQUESTS "/filterByCurrentUser(on='principal')", 1);

	world->application.pushes = 1;
	world->application.per_ms = 60 * SECOND;
	world->application.cycle_reserve = 0;
	assert_true(scene_reload(world, 0));
	try(world, 2, "selfActivate", "PendingProvisioning", "deferred");
	assert_false(scene_mentions(world, other.person));
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_key_stands_for_one_request, open_world, scene_close),
		cmocka_unit_test_setup_teardown(graphs_sdk_repeats_under_its_own_id, open_world, scene_close),
		cmocka_unit_test_setup_teardown(twenty_at_once_with_one_key, open_world, scene_close),
		cmocka_unit_test_setup_teardown(lists_go_on_page_by_page, open_world, scene_close),
		cmocka_unit_test_setup_teardown(everybody_sees_their_own, open_world, scene_close),
		cmocka_unit_test_setup_teardown(instances_are_what_is_in_force, open_world, scene_close),
		cmocka_unit_test_setup_teardown(what_is_only_tried_changes_nothing, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
