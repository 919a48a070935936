/* Several calls in one: each by the same rules as alone, each with a result of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene.h"

#define GROUP_PATH "/identityGovernance/privilegedAccess/group/"
#define REQUESTS   GROUP_PATH "assignmentScheduleRequests"
#define JSON       "\"headers\":{\"Content-Type\":\"application/json\"}"

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.groups = 3;
	options.redis_timeout_ms = SECOND;
	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	return scene_open(state, &options);
}

static void post(const struct world *world, size_t person, const char *body, const char *header,
		 struct http_response *response)
{
	struct http_request request = {.url = "/v1.0/$batch",
				       .bearer = world_token(world, person),
				       .body = body,
				       .headers = {header}};

	broker_call(&world->brokers[0], &request, response);
	if (response->status != 200)
		fprintf(stderr, "%d %s\n", response->status, buf_text(&response->body));
}

/* One activation as an item of a batch. */
static void add_activation(const struct world *world, struct buf *out, const char *id, size_t group)
{
	buf_addf(out,
		 "%s{\"id\":\"%s\",\"method\":\"POST\",\"url\":\"" REQUESTS "\"," JSON
		 ",\"body\":{\"action\":"
		 "\"selfActivate\",\"accessId\":\"member\",\"groupId\":\"%s\",\"justification\":\"why\"}}",
		 out->len > 0 ? "," : "{\"requests\":[", id, world_group_id(world, group));
}

static const char *end(struct buf *out)
{
	buf_adds(out, "]}");
	assert_false(buf_failed(out));
	return buf_text(out);
}

/* "ID STATUS CODE|STATUS" of each response. */
static void print(const struct http_response *response, char *out, size_t size)
{
	size_t used = 0;
	int count = cJSON_GetArraySize(http_json(response, "responses"));

	out[0] = '\0';
	for (int i = 0; i < count; i++) {
		char at[64];
		const char *id, *word;
		int status;

		snprintf(at, sizeof(at), "responses.%d.id", i);
		id = scene_text(response, at);
		snprintf(at, sizeof(at), "responses.%d.status", i);
		status = (int)scene_number(response, at);
		snprintf(at, sizeof(at), "responses.%d.body.error.code", i);
		word = http_json_text(response, at);
		snprintf(at, sizeof(at), "responses.%d.body.status", i);
		word = word != NULL ? word : http_json_text(response, at);
		used += (size_t)snprintf(out + used, size - used, "%s%s %d %s", i > 0 ? ", " : "", id, status,
					 word != NULL ? word : "-");
	}
}

static void expect(const struct world *world, size_t person, const char *body, const char *says)
{
	struct http_response response;
	char seen[1024];

	post(world, person, body, NULL, &response);
	assert_int_equal(response.status, 200);
	print(&response, seen, sizeof(seen));
	assert_string_equal(seen, says);
	http_response_release(&response);
}

static void each_has_its_own_result(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .group = 0, .duration = "PT2H"};
	struct buf body;
	char id[ID_SIZE];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	buf_init(&body, 16384);
	add_activation(world, &body, "there", 0);
	add_activation(world, &body, "new", 1);
	buf_adds(&body, ",{\"id\":\"nobody\",\"method\":\"POST\",\"url\":\"" REQUESTS "\",\"body\":{}}"
			",{\"id\":\"nothing\",\"method\":\"GET\",\"url\":\"/users\"}"
			",{\"id\":\"put\",\"method\":\"PUT\",\"url\":\"" REQUESTS "\"}"
			",{\"id\":\"batch\",\"method\":\"POST\",\"url\":\"/$batch\"," JSON ",\"body\":{}}"
			",{\"id\":\"outside\",\"method\":\"GET\",\"url\":\"/../api/applications\"}"
			",{\"id\":\"absolute\",\"method\":\"GET\",\"url\":\"http://127.0.0.1/healthz\"}"
			",{\"id\":\"others\",\"method\":\"POST\",\"url\":\"" GROUP_PATH
			"eligibilityScheduleRequests\"," JSON ",\"body\":{}}"
			",{\"id\":\"twice\",\"method\":\"GET\",\"url\":\"" REQUESTS
			"\",\"headers\":{\"webhook-id\":\"1\",\"bad name\":\"2\"}}");
	expect(world, 1, end(&body),
	       "there 400 RoleAssignmentExists, new 201 PendingProvisioning, nobody 415 "
	       "UnsupportedMediaType, "
	       "nothing 404 ResourceNotFound, put 405 MethodNotAllowed, batch 400 BadRequest, "
	       "outside 404 ResourceNotFound, absolute 404 ResourceNotFound, "
	       "others 403 Authorization_RequestDenied, twice 400 BadRequest");
	buf_release(&body);
	world_passed(world);
}

static void what_depends_waits_or_fails_with_it(void **state)
{
	struct world *world = *state;
	char body[2048];

	/* The list is asked for first, and still sees what comes before it. */
	snprintf(body, sizeof(body),
		 "{\"requests\":[{\"id\":\"list\",\"method\":\"GET\",\"url\":\"" GROUP_PATH
		 "assignmentSchedules/"
		 "filterByCurrentUser(on='principal')?$select=id\",\"dependsOn\":[\"ask\"]},"
		 "{\"id\":\"ask\",\"method\":\"POST\",\"url\":\"" REQUESTS "\"," JSON ",\"body\":{\"action\":"
		 "\"selfActivate\",\"accessId\":\"member\",\"groupId\":\"%s\",\"justification\":\"why\"}}]}",
		 world_group_id(world, 0));
	{
		struct http_response response;

		post(world, 2, body, NULL, &response);
		assert_int_equal(scene_number(&response, "responses.1.status"), 201);
		assert_int_equal(cJSON_GetArraySize(http_json(&response, "responses.0.body.value")), 1);
		http_response_release(&response);
	}
	expect(world, 2,
	       "{\"requests\":[{\"id\":\"3\",\"method\":\"GET\",\"url\":\"" REQUESTS
	       "\",\"dependsOn\":[\"2\"]},"
	       "{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/nothing\"},"
	       "{\"id\":\"2\",\"method\":\"GET\",\"url\":\"" REQUESTS "\",\"dependsOn\":[\"1\"]}]}",
	       "3 424 FailedDependency, 1 404 ResourceNotFound, 2 424 FailedDependency");
	world_passed(world);
}

static void a_batch_can_be_repeated(void **state)
{
	struct world *world = *state;
	static const char *const headers[] = {"Idempotency-Key: monday",
					      "client-request-id: 3f2504e0-4f89-41d3-9a0c-0305e82c3301"};

	for (size_t i = 0; i < 2; i++) {
		char first[2][ID_SIZE];
		struct buf body;

		buf_init(&body, 16384);
		add_activation(world, &body, "a", 0);
		add_activation(world, &body, "b", 1);
		end(&body);
		for (int round = 0; round < 2; round++) {
			struct http_response response;

			post(world, 3 + i, buf_text(&body), headers[i], &response);
			assert_int_equal(response.status, 200);
			for (int k = 0; k < 2; k++) {
				const char *id = scene_text(&response, k == 0 ? "responses.0.body.id"
									      : "responses.1.body.id");

				if (round == 1)
					assert_string_equal(id, first[k]);
				snprintf(first[k], ID_SIZE, "%s", id);
			}
			assert_string_not_equal(first[0], first[1]);
			http_response_release(&response);
		}
		buf_release(&body);
	}
	world_passed(world);
}

/* While the store stands still a batch ends like any call, what depends is not started, and the repetition finds all. */
static void a_batch_ends_in_time(void **state)
{
	struct world *world = *state;
	char body[2048], id[ID_SIZE];
	struct http_response response;

	snprintf(body, sizeof(body),
		 "{\"requests\":[{\"id\":\"ask\",\"method\":\"POST\",\"url\":\"" REQUESTS "\"," JSON
		 ",\"body\":{\"action\":"
		 "\"selfActivate\",\"accessId\":\"member\",\"groupId\":\"%s\",\"justification\":\"why\"}},"
		 "{\"id\":\"list\",\"method\":\"GET\",\"url\":\"" REQUESTS
		 "/filterByCurrentUser(on='principal')\",\"dependsOn\":[\"ask\"]}]}",
		 world_group_id(world, 0));
	redis_server_freeze(&world->redis);
	post(world, 5, body, "client-request-id: 3f2504e0-4f89-41d3-9a0c-0305e82c3302", &response);
	redis_server_thaw(&world->redis);
	assert_int_equal(response.status, 200);
	assert_int_equal(scene_number(&response, "responses.0.status"), 504);
	assert_non_null(http_json_text(&response, "responses.0.headers.Retry-After"));
	assert_int_equal(scene_number(&response, "responses.1.status"), 424);
	assert_true(response.ended_ms - response.sent_ms < SCENE_PATIENCE);
	http_response_release(&response);
	post(world, 5, body, "client-request-id: 3f2504e0-4f89-41d3-9a0c-0305e82c3302", &response);
	assert_int_equal(scene_number(&response, "responses.0.status"), 201);
	snprintf(id, sizeof(id), "%s", scene_text(&response, "responses.0.body.id"));
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "responses.1.body.value")), 1);
	assert_string_equal(scene_text(&response, "responses.1.body.value.0.id"), id);
	http_response_release(&response);
	world_passed(world);
}

/* Nobody signs in inside a batch: who calls is who calls the batch. */
static void the_caller_is_the_batchs(void **state)
{
	struct world *world = *state;
	char body[1024];
	struct http_response response;
	struct http_request anonymous = {.url = "/beta/$batch", .body = "{\"requests\":[]}"};

	snprintf(body, sizeof(body),
		 "{\"requests\":[{\"id\":\"1\",\"method\":\"GET\",\"url\":\"" GROUP_PATH
		 "assignmentScheduleRequests?$filter=principalId eq '%s'\"},"
		 "{\"id\":\"2\",\"method\":\"GET\",\"url\":\"" GROUP_PATH
		 "assignmentScheduleRequests?$filter=principalId%%20eq%%20'%s'\",\"headers\":{"
		 "\"Authorization\":"
		 "\"Bearer %s\",\"Host\":\"elsewhere\"}}]}",
		 world_person_id(world, 0), world_person_id(world, 0), world_token(world, 0));
	expect(world, 1, body, "1 400 BadRequest, 2 403 Authorization_RequestDenied");
	broker_call(&world->brokers[0], &anonymous, &response);
	assert_int_equal(response.status, 401);
	http_response_release(&response);
	anonymous.bearer = world_token(world, 1);
	broker_call(&world->brokers[0], &anonymous, &response);
	assert_int_equal(response.status, 400);
	assert_string_equal(scene_text(&response, "error.code"), "BadRequest");
	http_response_release(&response);
	world_passed(world);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_has_its_own_result),  TEST(what_depends_waits_or_fails_with_it),
		TEST(a_batch_can_be_repeated),  TEST(a_batch_ends_in_time),
		TEST(the_caller_is_the_batchs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
