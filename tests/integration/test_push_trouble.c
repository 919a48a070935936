/* What goes wrong at the application: nothing stays that nobody granted, and callers are told why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

static struct world_options options_here(void)
{
	struct world_options options = scene_defaults();

	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	options.application.request_timeout_ms = 500;
	options.application.push_timeout_ms = 2 * SECOND;
	return options;
}

static int open_world(void **state)
{
	struct world_options options = options_here();

	return scene_open(state, &options);
}

/* Requests may take long, because the test holds them. */
static int open_patient(void **state)
{
	struct world_options options = options_here();

	options.application.request_timeout_ms = 20 * SECOND;
	options.application.push_timeout_ms = 20 * SECOND;
	return scene_open(state, &options);
}

static int open_impatient(void **state)
{
	struct world_options options = options_here();

	options.application.request_timeout_ms = options.application.push_timeout_ms = 20 * SECOND;
	options.more = "stop_timeout: 1s\n";
	return scene_open(state, &options);
}

static int open_without_creation(void **state)
{
	struct world_options options = options_here();

	options.application.keeps_missing_users = true;
	return scene_open(state, &options);
}

static int open_without_groups(void **state)
{
	struct world_options options = options_here();

	options.without_groups_in_application = true;
	return scene_open(state, &options);
}

static void expect_failed(const struct world *world, const struct world_ask *ask, const char *id,
			  const char *words)
{
	struct http_response response;

	scene_wait(world, ask, id, "failed");
	scene_look(world, ask, id, &response);
	assert_string_equal(scene_text(&response, "status"), "Failed");
	if (strstr(scene_text(&response, "provisioning.lastError"), words) == NULL)
		fprintf(stderr, "lastError: %s\n", scene_text(&response, "provisioning.lastError"));
	assert_non_null(strstr(scene_text(&response, "provisioning.lastError"), words));
	http_response_release(&response);
}

/* -- ended while the push is under way ------------------------------------------------------------------------- */

static void its_end_comes_during_the_patch(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT2S"};
	struct scene_changes changes;
	char id[ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> hang"));
	scene_activate(world, &ask, id);
	scene_wait_hung(world, 1);
	scene_wait(world, &ask, id, "removing");
	assert_true(sandbox_release_hung(&world->sandbox));
	scene_wait(world, &ask, id, "removed");
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 2);
	assert_true(changes.all[0].add && changes.all[0].status / 100 == 2);
	assert_true(!changes.all[1].add && changes.all[1].status / 100 == 2);
	assert_false(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	world_passed(world);
}

static void it_is_given_back_during_the_patch(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT1H"};
	struct http_response response;
	char id[ID_SIZE], end_id[ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> hang"));
	scene_activate(world, &ask, id);
	scene_wait_hung(world, 1);
	world_deactivate(world, &ask, &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(scene_text(&response, "provisioning.state"), "removing");
	snprintf(end_id, sizeof(end_id), "%s", scene_text(&response, "id"));
	http_response_release(&response);
	assert_true(sandbox_release_hung(&world->sandbox));
	scene_wait(world, &ask, end_id, "removed");
	scene_wait(world, &ask, id, "removed");
	assert_false(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	world_passed(world);
}

static void its_end_comes_during_the_look_ups(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT2S"};
	struct scene_changes changes;
	char id[ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "GET /Users once -> hang"));
	scene_activate(world, &ask, id);
	scene_wait_hung(world, 1);
	scene_wait(world, &ask, id, "removing");
	assert_true(sandbox_release_hung(&world->sandbox));
	scene_wait(world, &ask, id, "removed");
	scene_changes(world, &changes);
	assert_int_equal(changes.adds, 0);
	world_passed(world);
}

/* -- refused for good ------------------------------------------------------------------------------------------ */

static void refused_with_the_applications_words(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1};
	char id[ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> status 400"));
	scene_activate(world, &ask, id);
	expect_failed(world, &ask, id, "adding to the group: the application answered 400: ");
	assert_false(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	world_passed(world);
}

static void a_user_whom_nobody_may_create(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1};
	struct scene_changes changes;
	char id[ID_SIZE];

	scene_activate(world, &ask, id);
	expect_failed(world, &ask, id, world_user_name(world, 1));
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 0);
	assert_true(sandbox_make_user(&world->sandbox, world_user_name(world, 1)));
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	world_passed(world);
}

static void a_group_that_is_not_there(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1};
	char id[ID_SIZE];

	scene_activate(world, &ask, id);
	expect_failed(world, &ask, id, "group-0");
	assert_true(sandbox_make_group(&world->sandbox, "group-0"));
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	world_passed(world);
}

/* -- for now --------------------------------------------------------------------------------------------------- */

static void tried_again_after_errors(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1};
	struct http_response response;
	struct scene_changes changes;
	char id[ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups first 2 -> status 500"));
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	scene_look(world, &ask, id, &response);
	assert_int_equal(scene_number(&response, "provisioning.failedAttempts"), 0);
	assert_true(cJSON_IsNull(http_json(&response, "provisioning.lastError")));
	http_response_release(&response);
	scene_changes(world, &changes);
	assert_int_equal(changes.adds, 3);
	world_passed(world);
}

struct failing {
	struct world *world;
	struct world_ask ask;
	char id[ID_SIZE];
};

/* On demand no pause is waited for. Attempts and state are of one moment: before the fifth failure it is not deferred. */
static bool is_deferred(void *ctx)
{
	struct failing *f = ctx;
	struct http_response response;
	char body[256];
	int64_t attempts;
	bool deferred;

	scene_look(f->world, &f->ask, f->id, &response);
	attempts = scene_number(&response, "provisioning.failedAttempts");
	deferred = strcmp(scene_text(&response, "provisioning.state"), "deferred") == 0;
	http_response_release(&response);
	assert_int_equal(deferred, attempts >= 5);
	if (deferred)
		return true;
	snprintf(body, sizeof(body), "{\"principalId\":\"%s\",\"groupId\":\"%s\"}",
		 world_person_id(f->world, f->ask.person), world_group_id(f->world, f->ask.group));
	broker_call(&f->world->brokers[0],
		    &(struct http_request){.url = "/api/applications/app/provision",
					   .body = body,
					   .bearer = world_token(f->world, 0)},
		    &response);
	assert_true(response.status == 200 || response.status == 409); /* it is under way by itself */
	http_response_release(&response);
	return false;
}

/* Then it is left to the cycle, which tries again. */
static void left_to_the_cycle_after_five(void **state)
{
	struct failing f = {.world = *state, .ask = {.person = 1}};
	struct http_response response;

	assert_true(sandbox_add_fault(&f.world->sandbox, "PATCH /Groups -> status 500"));
	scene_activate(f.world, &f.ask, f.id);
	assert_true(wait_until(is_deferred, &f, SCENE_PATIENCE));
	assert_true(sandbox_clear_faults(&f.world->sandbox));
	broker_call(&f.world->brokers[0],
		    &(struct http_request){.method = "POST",
					   .url = "/api/applications/app/restart",
					   .bearer = world_token(f.world, 0)},
		    &response);
	assert_int_equal(response.status, 200);
	http_response_release(&response);
	scene_wait(f.world, &f.ask, f.id, "provisioned");
	world_passed(f.world);
}

static void lost_replies_do_no_harm(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1};
	struct http_response response;
	char id[ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> close after"));
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	assert_true(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	assert_true(sandbox_clear_faults(&world->sandbox));
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> close after"));
	world_deactivate(world, &ask, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	scene_wait(world, &ask, id, "removed");
	assert_false(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	world_passed(world);
}

/* -- SIGTERM --------------------------------------------------------------------------------------------------- */

static bool has_ended(void *ctx)
{
	return !proc_alive(ctx);
}

static void a_stop_lets_the_push_end(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1};
	struct broker *broker = &world->brokers[0];
	struct scene_changes changes;
	char id[ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> hang"));
	scene_activate(world, &ask, id);
	scene_wait_hung(world, 1);
	assert_int_equal(kill(broker->proc.pid, SIGTERM), 0);
	assert_true(proc_wait_text(&broker->proc, "event=stopping", SCENE_PATIENCE, NULL, 0));
	assert_true(proc_alive(&broker->proc));
	assert_true(sandbox_release_hung(&world->sandbox));
	assert_true(wait_until(has_ended, &broker->proc, SCENE_PATIENCE));
	assert_true(broker_stop(broker)); /* how it ended */
	assert_true(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));

	/* Its end has been written down: nobody has to repeat it. */
	assert_true(broker_restart(broker));
	assert_true(world_wait_state(world, &ask, id, "provisioned", SECOND));
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 1);
	world_passed(world);
}

/* One that the application does not let end is given up, and made again by whoever comes next. */
static void a_stop_waits_no_longer_than_it_may(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1};
	struct broker *broker = &world->brokers[0];
	int64_t began, took;
	char id[ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> hang"));
	scene_activate(world, &ask, id);
	scene_wait_hung(world, 1);
	began = clock_mono_ms();
	assert_true(broker_stop(broker));
	took = clock_mono_ms() - began;
	assert_true(took >= SECOND);
	assert_true(took < 10 * SECOND); /* half the push's own time */
	assert_true(proc_wait_text(&broker->proc, "event=stop_aborts pushes=1", 0, NULL, 0));

	assert_true(broker_restart(broker));
	scene_wait(world, &ask, id, "provisioned");
	assert_true(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(its_end_comes_during_the_patch, open_patient, scene_close),
		cmocka_unit_test_setup_teardown(it_is_given_back_during_the_patch, open_patient, scene_close),
		cmocka_unit_test_setup_teardown(its_end_comes_during_the_look_ups, open_patient, scene_close),
		cmocka_unit_test_setup_teardown(refused_with_the_applications_words, open_world, scene_close),
		cmocka_unit_test_setup_teardown(a_user_whom_nobody_may_create, open_without_creation,
						scene_close),
		cmocka_unit_test_setup_teardown(a_group_that_is_not_there, open_without_groups, scene_close),
		cmocka_unit_test_setup_teardown(tried_again_after_errors, open_world, scene_close),
		cmocka_unit_test_setup_teardown(left_to_the_cycle_after_five, open_world, scene_close),
		cmocka_unit_test_setup_teardown(lost_replies_do_no_harm, open_world, scene_close),
		cmocka_unit_test_setup_teardown(a_stop_lets_the_push_end, open_patient, scene_close),
		cmocka_unit_test_setup_teardown(a_stop_waits_no_longer_than_it_may, open_impatient,
						scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
