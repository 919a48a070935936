/* On-demand provisioning: each step of one push, shown to an operator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene.h"

#define PATH "/api/applications/app/provision"

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.application.pushes = 20;
	options.application.per_ms = SECOND;
	return scene_open(state, &options);
}

static int open_narrow(void **state)
{
	struct world_options options = scene_defaults();

	options.application.pushes = 1;
	options.application.per_ms = 60 * SECOND;
	options.application.cycle_reserve = 0;
	return scene_open(state, &options);
}

static void provision(const struct world *world, const struct world_ask *ask, size_t operator,
		      struct http_response * response)
{
	char body[256];

	snprintf(body, sizeof(body), "{\"principalId\":\"%s\",\"groupId\":\"%s\"}",
		 world_person_id(world, ask->person), world_group_id(world, ask->group));
	broker_call(&world->brokers[0],
		    &(struct http_request){.url = PATH, .body = body, .bearer = world_token(world, operator)},
		    response);
}

static int status_of(const struct world *world, const char *body)
{
	struct http_response response;
	int status;

	broker_call(&world->brokers[0],
		    &(struct http_request){.url = PATH, .body = body, .bearer = world_token(world, 0)},
		    &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

/* Removed by hand, somebody is given again what is theirs, and each request is shown. */
static void each_step_is_shown(void **state)
{
	struct world *world = *state;
	struct world_ask ann = {.person = 1};
	struct http_response response;
	struct scene_changes changes;
	char id[ID_SIZE], path[128];
	bool patched = false;
	int steps;

	scene_activate(world, &ann, id);
	scene_wait(world, &ann, id, "provisioned");
	scene_changes(world, &changes);
	assert_true(sandbox_change_by_hand(&world->sandbox, "group-0", world_user_name(world, 1), false));
	assert_false(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));

	provision(world, &ann, 0, &response);
	assert_int_equal(response.status, 200);
	assert_string_equal(scene_text(&response, "result"), "done");
	assert_string_equal(scene_text(&response, "action"), "add");
	steps = cJSON_GetArraySize(http_json(&response, "steps"));
	assert_true(steps >= 2);
	for (int i = 0; i < steps; i++) {
		snprintf(path, sizeof(path), "steps.%d.name", i);
		if (strcmp(scene_text(&response, path), "add_members") != 0)
			continue;
		patched = true;
		snprintf(path, sizeof(path), "steps.%d.status", i);
		assert_int_equal(scene_number(&response, path) / 100, 2);
		snprintf(path, sizeof(path), "steps.%d.body", i);
		assert_non_null(strstr(scene_text(&response, path), changes.all[0].first));
	}
	assert_true(patched);
	assert_null(strstr(buf_text(&response.body), SANDBOX_TOKEN));
	http_response_release(&response);
	assert_true(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	scene_get(world, 0, "/api/provisioning-log", &response);
	assert_string_equal(scene_text(&response, "value.0.initiatedBy"), "onDemand");
	http_response_release(&response);
	world_passed(world);
}

/* It grants nothing: without an assignment nobody is pushed, and who was put there by hand stays. */
static void it_grants_nothing(void **state)
{
	struct world *world = *state;
	struct world_ask ben = {.person = 2};
	struct http_response response;

	provision(world, &ben, 0, &response);
	assert_int_equal(response.status, 200);
	assert_string_equal(scene_text(&response, "result"), "skipped");
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "steps")), 0);
	http_response_release(&response);
	assert_false(scene_mentions(world, ben.person));
	provision(world, &ben, 1, &response);
	assert_int_equal(response.status, 403);
	http_response_release(&response);
	assert_int_equal(status_of(world, "{}"), 400);
	assert_int_equal(status_of(world, "[]"), 400);
	assert_int_equal(status_of(world, ""), 400);
	assert_int_equal(
		status_of(world,
			  "{\"principalId\":\"x\",\"groupId\":\"00000000-0000-4000-8000-0000000000ff\"}"),
		404);
	world_passed(world);
}

/* What goes wrong is shown in the application's own words; what fails is tried again like any other push. */
static void a_refusal_is_shown(void **state)
{
	struct world *world = *state;
	struct world_ask ann = {.person = 1};
	struct http_response response;
	char id[ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "GET /Groups -> status 401"));
	scene_activate(world, &ann, id);
	scene_wait(world, &ann, id, "deferred");
	provision(world, &ann, 0, &response);
	assert_string_equal(scene_text(&response, "result"), "retry");
	assert_non_null(strstr(scene_text(&response, "reason"), "answered 401"));
	assert_string_equal(scene_text(&response, "steps.0.result"), "misconfigured");
	assert_int_equal(scene_number(&response, "steps.0.status"), 401);
	http_response_release(&response);
	/* Its success is what ends the quarantine. */
	assert_true(sandbox_clear_faults(&world->sandbox));
	provision(world, &ann, 0, &response);
	assert_string_equal(scene_text(&response, "result"), "done");
	http_response_release(&response);
	scene_wait(world, &ann, id, "provisioned");
	scene_application(world, 0, &response);
	assert_string_equal(scene_text(&response, "health"), "ok");
	http_response_release(&response);
	world_passed(world);
}

/* It takes a token as any other push. */
static void it_is_throttled(void **state)
{
	struct world *world = *state;
	struct world_ask ann = {.person = 1};
	struct http_response response;
	char id[ID_SIZE], after[16];

	scene_activate(world, &ann, id);
	scene_wait(world, &ann, id, "provisioned");
	provision(world, &ann, 0, &response);
	assert_int_equal(response.status, 429);
	assert_true(http_header(&response, "Retry-After", after, sizeof(after)));
	http_response_release(&response);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_step_is_shown, open_world, scene_close),
		cmocka_unit_test_setup_teardown(it_grants_nothing, open_world, scene_close),
		cmocka_unit_test_setup_teardown(a_refusal_is_shown, open_world, scene_close),
		cmocka_unit_test_setup_teardown(it_is_throttled, open_narrow, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
