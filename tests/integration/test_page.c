/*
 * The page in a real browser, against a real broker, application and provider; tests/browser/page.mjs plays what people do
 * there, the application tells what came of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/support/office.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define STORY_MS 120000

static const char approval[] = "      approval: {approvers: [person1@example.com], timeout: 1h}\n";

static bool has_ended(void *ctx)
{
	return !proc_alive(ctx);
}

/* Plays the story with these arguments (NULL-terminated); fails the test when it does not go well. */
static void play(const struct world *world, const char *story, const char *const *arguments)
{
	char folder[PROC_PATH_SIZE], log[PROC_PATH_SIZE];
	const char *argv[12] = {"node", "tests/browser/page.mjs", folder, story, world->brokers[0].root};
	struct proc browser = {0};
	size_t count = 5;

	assert_true(proc_build_path("browser", folder, sizeof(folder)));
	for (; *arguments != NULL; arguments++) {
		assert_in_range(count, 5, 10);
		argv[count++] = *arguments;
	}
	snprintf(log, sizeof(log), "%.400s/browser.log", world->dir);
	assert_true(proc_start(&browser, argv, NULL, log));
	if (!wait_until(has_ended, &browser, STORY_MS))
		proc_kill9(&browser);
	if (!WIFEXITED(browser.wait_status) || WEXITSTATUS(browser.wait_status) != 0) {
		proc_print_log(&browser, stderr);
		fail_msg("the story \"%s\" did not go well", story);
	}
}

static int make_world(void **state)
{
	*state = calloc(1, sizeof(struct world));
	return *state != NULL ? 0 : -1;
}

static int end_world(void **state)
{
	bool clean = world_stop(*state);

	free(*state);
	return clean ? 0 : -1;
}

static void a_person_takes_a_group_and_gives_it_back(void **state)
{
	struct world *world = *state;
	struct world_options options = scene_defaults();

	options.group.more = "      ticket: {pattern: '^CHG'}\n";
	assert_true(world_start(world, &options));
	play(world, "person", (const char *[]){world_token(world, 1), world_group_id(world, 0), NULL});
	assert_true(world_wait_member(world, 1, 0, false, SCENE_PATIENCE));
	play(world, "refused", (const char *[]){world_token(world, 1), world_group_id(world, 0), NULL});
	play(world, "stranger", (const char *[]){NULL});
	world_passed(world);
}

static void rules_are_told_before_one_asks(void **state)
{
	struct world *world = *state;
	struct world_options options = scene_defaults();

	options.group.max_ms = 90 * 60 * SECOND;
	options.group.min_ms = 10 * 60 * SECOND;
	options.group.default_ms = 20 * 60 * SECOND;
	options.group.more = "      clock: provisioned\n      ticket: {required: true}\n"
			     "      break_glass: {principals: [person2@example.com]}\n"
			     "      approval: {approvers: [person1@example.com], timeout: 1h}\n";
	assert_true(world_start(world, &options));
	play(world, "rules", (const char *[]){world_token(world, 2), world_group_id(world, 0), NULL});
	world_passed(world);
}

static void the_page_is_told(void **state)
{
	struct world *world = *state;
	struct world_options options = scene_defaults();

	options.brokers = 2;
	assert_true(world_start(world, &options));
	for (size_t i = 1; i <= 2; i++)
		play(world, "told",
		     (const char *[]){world_token(world, i), world_group_id(world, 0), world->brokers[1].root,
				      i == 1 ? "hearing" : "deaf", NULL});
	play(world, "unseen", (const char *[]){world_token(world, 3), world_group_id(world, 0), NULL});
	world_passed(world);
}

static void nothing_that_is_typed_is_lost(void **state)
{
	struct world *world = *state;
	struct world_options options = scene_defaults();

	assert_true(world_start(world, &options));
	play(world, "kept",
	     (const char *[]){world_token(world, 1), world_group_id(world, 0), world_group_id(world, 1),
			      world_token(world, 2), NULL});
	play(world, "many",
	     (const char *[]){world_token(world, 3), world_group_id(world, 0), world_group_id(world, 1),
			      NULL});
	world_passed(world);
}

static void an_approver_decides(void **state)
{
	static const char hostile[] = "<img src=x onerror=alert(1)> & 'rotate'";
	struct world *world = *state;
	struct world_options options = scene_defaults();
	struct world_ask ask = {.person = 0, .group = 0, .justification = hostile};
	char id[ID_SIZE];

	options.group.more = approval;
	assert_true(world_start(world, &options));
	assert_true(world_activate_ok(world, &ask, id));
	play(world, "approver", (const char *[]){world_token(world, 1), "Approve", hostile, NULL});
	assert_true(world_wait_member(world, 0, 0, true, SCENE_PATIENCE));
	ask.person = 2;
	assert_true(world_activate_ok(world, &ask, id));
	play(world, "approver", (const char *[]){world_token(world, 1), "Deny", hostile, NULL});
	assert_true(world_wait_state(world, &ask, id, "failed", SCENE_PATIENCE));
	world_passed(world);
}

static void post(const struct world *world, const char *path, const char *body, int status)
{
	struct http_response response;

	broker_call(&world->brokers[0],
		    &(struct http_request){
			    .method = "POST", .url = path, .body = body, .bearer = world_token(world, 0)},
		    &response);
	assert_int_equal(response.status, status);
	http_response_release(&response);
}

/* What an administrator assigns is left to the cycle, whose only push the application keeps waiting. */
static void an_operator_sees_the_cycle(void **state)
{
	struct world *world = *state;
	struct world_options options = scene_defaults();
	char body[512];

	options.application.scim = "      request_timeout: 2m\n"; /* until the browser has seen it */
	options.application.more = "    push_timeout: 2m\n";
	assert_true(world_start(world, &options));
	snprintf(body, sizeof(body),
		 "{\"action\":\"adminAssign\",\"accessId\":\"member\",\"groupId\":\"%s\",\"principalId\":\"%"
		 "s\","
		 "\"scheduleInfo\":{\"expiration\":{\"duration\":\"PT1H\"}}}",
		 world_group_id(world, 0), world_person_id(world, 2));
	post(world, PIM "assignmentScheduleRequests", body, 201);
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> hang"));
	post(world, "/api/applications/app/cycles", NULL, 202);
	scene_wait_hung(world, 1);
	play(world, "operator", (const char *[]){world_token(world, 0), NULL});
	assert_true(sandbox_release_hung(&world->sandbox));
	assert_true(world_wait_member(world, 2, 0, true, SCENE_PATIENCE));
	world_passed(world);
}

static void a_provider_is_asked_by_claims(void **state)
{
	struct office *o = *state;

	o->client = "page";
	o->step_up = "claims";
	assert_true(oidc_provider_be_entra(&o->provider));
	office_open(o);
	play(&o->world, "stronger",
	     (const char *[]){world_group_id(&o->world, OFFICE_GROUP_STRONG), o->provider.issuer, NULL});
	world_passed(&o->world);
}

static void a_provider_signs_a_person_in(void **state)
{
	struct office *o = *state;

	o->client = "page";
	office_open(o);
	play(&o->world, "provider", (const char *[]){world_group_id(&o->world, OFFICE_GROUP_BY_NAME), NULL});
	play(&o->world, "planted", (const char *[]){NULL});
	play(&o->world, "stronger",
	     (const char *[]){world_group_id(&o->world, OFFICE_GROUP_STRONG), o->provider.issuer, NULL});
	world_passed(&o->world);
}

/* Whatever gets into the page: it runs no script but its own, speaks to nobody but the broker, and is in no frame. */
static void the_page_is_closed_in(void **state)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{"content-security-policy",
		 "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; base-uri 'none'; "
		 "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
		 "connect-src 'self'"},
		{"referrer-policy", "no-referrer"},
		{"cross-origin-opener-policy", "same-origin"},
		{"x-content-type-options", "nosniff"},
	};
	struct world *world = *state;
	struct world_options options = scene_defaults();
	struct http_response response;
	char value[512];

	assert_true(world_start(world, &options));
	scene_get(world, 1, "/", &response);
	assert_int_equal(response.status, 200);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(http_header(&response, rows[i].name, value, sizeof(value)));
		assert_string_equal(value, rows[i].value);
	}
	assert_false(http_header(&response, "set-cookie", value, sizeof(value)));
	assert_false(http_header(&response, "access-control-allow-origin", value, sizeof(value)));
	http_response_release(&response);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_page_is_closed_in, make_world, end_world),
		cmocka_unit_test_setup_teardown(a_person_takes_a_group_and_gives_it_back, make_world,
						end_world),
		cmocka_unit_test_setup_teardown(rules_are_told_before_one_asks, make_world, end_world),
		cmocka_unit_test_setup_teardown(the_page_is_told, make_world, end_world),
		cmocka_unit_test_setup_teardown(nothing_that_is_typed_is_lost, make_world, end_world),
		cmocka_unit_test_setup_teardown(an_approver_decides, make_world, end_world),
		cmocka_unit_test_setup_teardown(an_operator_sees_the_cycle, make_world, end_world),
		cmocka_unit_test_setup_teardown(a_provider_signs_a_person_in, office_setup, office_teardown),
		cmocka_unit_test_setup_teardown(a_provider_is_asked_by_claims, office_setup, office_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
