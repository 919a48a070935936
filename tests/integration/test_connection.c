/* Test Connection through the API: an application is switched on by it, and by nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene.h"

#define CANARY "    test: {group: canaries, users: [canary-1@example.com, canary-2@example.com]}\n"

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.application.more = CANARY;
	return scene_open(state, &options);
}

static void post(const struct world *world, size_t person, const char *path, struct http_response *response)
{
	broker_call(
		&world->brokers[0],
		&(struct http_request){.method = "POST", .url = path, .bearer = world_token(world, person)},
		response);
}

static void expect_test(const struct world *world, bool passed)
{
	struct http_response response;

	post(world, 0, "/api/applications/app/test", &response);
	if (response.status != 200 || cJSON_IsTrue(http_json(&response, "passed")) != passed)
		fail_msg("%d %s", response.status, buf_text(&response.body));
	assert_int_equal(cJSON_IsTrue(http_json(&response, "proved")), passed);
	assert_null(strstr(buf_text(&response.body), SANDBOX_TOKEN));
	http_response_release(&response);
}

/* Nothing is pushed until the canaries have proved the form; then what has waited is. */
static void application_is_switched_on_by_its_test(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT1H"};
	struct scene_changes changes;
	struct http_response response;
	char id[ID_SIZE];

	assert_true(sandbox_make_group(&world->sandbox, "canaries"));
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "deferred");
	scene_look(world, &ask, id, &response);
	assert_string_equal(scene_text(&response, "provisioning.lastError"),
			    "The application has not passed Test Connection with its present settings.");
	http_response_release(&response);
	scene_application(world, 0, &response);
	assert_string_equal(scene_text(&response, "health"), "untested");
	assert_true(cJSON_IsTrue(http_json(&response, "test.required")));
	http_response_release(&response);
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 0);

	expect_test(world, true);
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 3); /* both in, one out, the other out */
	assert_int_equal(changes.most, 3);
	scene_application(world, 0, &response);
	assert_string_equal(scene_text(&response, "health"), "ok");
	assert_true(cJSON_IsTrue(http_json(&response, "test.proved")));
	assert_true(cJSON_IsNull(http_json(&response, "token.expiresDateTime")));
	http_response_release(&response);
	scene_cycle_in(world, 1 * SECOND);
	scene_wait(world, &ask, id, "provisioned");
	world_passed(world);
}

/* A test that fails proves nothing, and says at which stage and why. */
static void failed_test_switches_nothing_on(void **state)
{
	struct world *world = *state;
	struct http_response response;

	post(world, 0, "/api/applications/app/test", &response);
	assert_int_equal(response.status, 200);
	assert_true(cJSON_IsFalse(http_json(&response, "passed")));
	assert_string_equal(scene_text(&response, "stages.1.name"), "add");
	assert_string_equal(scene_text(&response, "stages.1.verdict"), "failed");
	assert_string_equal(
		scene_text(&response, "stages.1.words"),
		"the application has no group named \"canaries\" (canary user canary-1@example.com)");
	assert_string_equal(scene_text(&response, "stages.2.verdict"), "notRun");
	assert_string_equal(scene_text(&response, "stages.1.requests.0.outcome"), "done");
	http_response_release(&response);
	scene_application(world, 0, &response);
	assert_string_equal(scene_text(&response, "health"), "untested");
	http_response_release(&response);
	post(world, 1, "/api/applications/app/test", &response); /* no operator */
	assert_int_equal(response.status, 403);
	http_response_release(&response);
	world_passed(world);
}

static size_t count_in(const struct world *world, const char *path, const char *text)
{
	struct http_response response;
	size_t count = 0;

	scene_get(world, 0, path, &response);
	assert_int_equal(response.status, 200);
	for (const char *at = buf_text(&response.body); (at = strstr(at, text)) != NULL; at++)
		count++;
	http_response_release(&response);
	return count;
}

/* Its end is shown, measured and told of; once, whichever broker starts or reads its file anew. */
static void end_of_the_token_is_told(void **state)
{
	struct world *world = *state;
	struct http_response response;
	char end[32], scim[96];

	scene_from_now(INT64_C(20) * 24 * 3600 * SECOND, end);
	snprintf(scim, sizeof(scim), "      token_expires: %s\n", end);
	world->application.scim = scim;
	assert_true(scene_reload(world, 0));
	assert_true(broker_start(&world->brokers[1], world->dir, "another", &world->config));
	world->broker_count = 2;
	assert_true(scene_reload(world, 1));
	scene_application(world, 1, &response);
	assert_int_equal(scene_number(&response, "token.daysLeft"), 19);
	assert_int_equal(scene_number(&response, "token.warningDays"), 30);
	http_response_release(&response);
	assert_int_equal(count_in(world, "/metrics", "\njit_token_seconds{application=\"app\"} 17279"), 1);
	assert_int_equal(count_in(world, "/api/audit", "\"event\":\"token_ending\""), 1);
	assert_int_equal(count_in(world, "/api/audit", "The application's token ends in 30 days or less."),
			 1);

	/* Another token: nothing is to be told of it for long. */
	world->application.scim = "      token_expires: 2099-12-31T00:00:00Z\n";
	assert_true(scene_reload(world, 0));
	scene_application(world, 0, &response);
	assert_true(cJSON_IsNull(http_json(&response, "token.warningDays")));
	http_response_release(&response);
	assert_int_equal(count_in(world, "/api/audit", "\"event\":\"token_ending\""), 1);
	world_passed(world);
}

#define WORLD(f) cmocka_unit_test_setup_teardown(f, open_world, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(application_is_switched_on_by_its_test),
		WORLD(failed_test_switches_nothing_on),
		WORLD(end_of_the_token_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
