/* The configuration changes under a running broker; what runs already is carried to its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene.h"

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	options.groups = 2;
	return scene_open(state, &options);
}

/* All applications are in one lane. */
static int open_one_lane(void **state)
{
	struct world_options options = scene_defaults();

	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	options.lanes = 1;
	return scene_open(state, &options);
}

static void eligibility_is_looked_at_again_at_the_start(void **state)
{
	struct world *world = *state;
	const char *only_person_2[] = {world_user_name(world, 2), NULL};
	struct broker_group *groups = (struct broker_group *)(uintptr_t)world->config.groups;
	char start[32], id[ID_SIZE], other_id[ID_SIZE];
	struct world_ask ask = {.person = 1, .start = start}, other = {.person = 2, .start = start};
	struct http_response response;

	scene_from_now(2500, start);
	scene_activate(world, &ask, id);
	scene_activate(world, &other, other_id);
	groups[0].eligible = only_person_2;
	assert_true(scene_reload(world, 0));
	scene_wait(world, &other, other_id, "provisioned");
	scene_wait(world, &ask, id, "failed");
	scene_look(world, &ask, id, &response);
	assert_string_equal(scene_text(&response, "status"), "Failed");
	assert_non_null(strstr(scene_text(&response, "provisioning.lastError"), "EligibilityRule"));
	http_response_release(&response);
	assert_false(scene_mentions(world, 1));

	/* And now: refused at once. */
	ask.start = NULL;
	world_activate(world, &ask, &response);
	assert_int_equal(response.status, 400);
	assert_string_equal(scene_text(&response, "error.details.0.rule"), "EligibilityRule");
	http_response_release(&response);
	world_passed(world);
}

/* The group asks for an approval by now: what nobody approved does not begin, is told as failed, and stands in the audit. */
static void an_approval_is_asked_for_at_the_start(void **state)
{
	struct world *world = *state;
	struct broker_group *groups = (struct broker_group *)(uintptr_t)world->config.groups;
	char start[32], id[ID_SIZE], path[96];
	struct world_ask ask = {.person = 1, .start = start};
	struct http_response response;

	scene_from_now(2500, start);
	scene_activate(world, &ask, id);
	groups[0].more = "      approval: {approvers: [person2@example.com]}\n";
	assert_true(scene_reload(world, 0));
	scene_wait(world, &ask, id, "failed");
	scene_look(world, &ask, id, &response);
	assert_string_equal(scene_text(&response, "status"), "Failed");
	assert_string_equal(scene_text(&response, "provisioning.lastError"),
			    "Policy asks for an approval by now, and nobody was asked for one.");
	http_response_release(&response);
	assert_false(scene_mentions(world, 1));
	snprintf(path, sizeof(path), "/api/audit?request=%s", id);
	scene_get(world, 0, path, &response);
	assert_non_null(strstr(buf_text(&response.body), "asks for an approval by now"));
	http_response_release(&response);
	world_passed(world);
}

static void a_bad_file_is_refused_whole(void **state)
{
	struct world *world = *state;
	struct broker_group *groups = (struct broker_group *)(uintptr_t)world->config.groups;
	struct world_ask ask = {.person = 1};
	struct http_response response;
	const char *only_person_9[] = {world_user_name(world, 9), NULL};
	char id[ID_SIZE];

	/* One mistake at the end; what stands before it must not be taken either. */
	groups[0].eligible = only_person_9;
	world->config.more = "no_such_setting: 1\n";
	assert_false(scene_reload(world, 0));
	assert_true(proc_log_holds(&world->brokers[0].proc, "no_such_setting"));
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");

	world->config.more = NULL;
	assert_true(scene_reload(world, 0));
	ask.person = 2;
	world_activate(world, &ask, &response);
	assert_int_equal(response.status, 400);
	http_response_release(&response);
	world_passed(world);
}

static void a_group_that_left_still_loses_its_members(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .group = 1, .duration = "PT4S"};
	struct http_response response;
	struct scene_changes changes;
	char id[ID_SIZE];
	int64_t end;

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	scene_look(world, &ask, id, &response);
	end = scene_time(&response, "provisioning.endDateTime");
	http_response_release(&response);
	world->config.group_count = 1;
	assert_true(scene_reload(world, 0));

	world_activate(world, &(struct world_ask){.person = 3, .group = 1}, &response);
	assert_int_equal(response.status, 404);
	http_response_release(&response);
	scene_wait(world, &ask, id, "removed");
	scene_wait_members(world, 1, 0);
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 2);
	assert_true(changes.all[1].received_ms >= end);
	assert_true(changes.all[1].received_ms <= end + SECOND);
	world_passed(world);
}

static void a_planned_start_in_a_group_that_left_fails(void **state)
{
	struct world *world = *state;
	char start[32], id[ID_SIZE];
	struct world_ask ask = {.person = 1, .group = 1, .start = start};
	struct http_response response;

	scene_from_now(2500, start);
	scene_activate(world, &ask, id);
	world->config.group_count = 1;
	assert_true(scene_reload(world, 0));
	scene_wait(world, &ask, id, "failed");
	scene_look(world, &ask, id, &response);
	assert_string_equal(scene_text(&response, "provisioning.lastError"), "The group is no longer known.");
	http_response_release(&response);
	assert_false(scene_mentions(world, 1));
	world_passed(world);
}

/* From now on group 1 is in another application. */
static void move_group(struct world *world)
{
	static struct broker_application two[2];

	two[0] = two[1] = world->application;
	two[1].id = "other";
	world->config.applications = two;
	world->config.application_count = 2;
	((struct broker_group *)(uintptr_t)world->config.groups)[1].application = "other";
	assert_true(scene_reload(world, 0));
}

/* What it gave before is still shown and can be given back. */
static void a_group_that_moved_still_loses_its_members(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .group = 1};
	struct http_response response;
	char id[ID_SIZE], path[160];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	move_group(world);
	snprintf(path, sizeof(path), PIM "assignmentSchedules?$filter=groupId%%20eq%%20'%s'",
		 world_group_id(world, 1));
	scene_get(world, 0, path, &response);
	assert_non_null(strstr(buf_text(&response.body), id));
	http_response_release(&response);

	world_deactivate(world, &ask, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	scene_wait(world, &ask, id, "removed");
	scene_wait_members(world, 1, 0);
	world_deactivate(world, &ask, &response);
	assert_string_equal(scene_text(&response, "error.code"), "RoleAssignmentDoesNotExist");
	http_response_release(&response);

	scene_activate(world, &ask, id);
	scene_look(world, &ask, id, &response);
	assert_string_equal(scene_text(&response, "provisioning.application"), "other");
	http_response_release(&response);
	world_passed(world);
}

/* What somebody has in the one application is not taken for the other's, and nothing begins in the one any more. */
static void a_group_that_moved_gives_nothing_where_it_was(void **state)
{
	struct world *world = *state;
	char start[32], id[ID_SIZE], later_id[ID_SIZE];
	struct world_ask ask = {.person = 1, .group = 1, .duration = "PT5M"};
	struct world_ask more = {.person = 1, .group = 1, .duration = "PT10M"};
	struct world_ask later = {.person = 2, .group = 1, .start = start};
	struct http_response response;

	scene_from_now(2500, start);
	scene_activate(world, &ask, id);
	scene_activate(world, &later, later_id);
	scene_wait(world, &ask, id, "provisioned");
	move_group(world);
	world_activate(world, &more, &response);
	assert_string_equal(scene_text(&response, "error.code"), "RoleAssignmentExists");
	assert_non_null(strstr(scene_text(&response, "error.message"), id));
	http_response_release(&response);
	scene_wait(world, &later, later_id, "failed");
	scene_look(world, &later, later_id, &response);
	assert_string_equal(scene_text(&response, "provisioning.lastError"),
			    "The group is in another application by now.");
	http_response_release(&response);
	assert_int_equal(scene_members(world, 1), 1);

	world_deactivate(world, &ask, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	scene_wait(world, &ask, id, "removed");
	scene_activate(world, &more, id);
	scene_wait(world, &more, id, "provisioned");
	world_passed(world);
}

/* Approves the request's first stage; the status. */
static int approve(const struct world *world, size_t person, const char *id)
{
	struct http_response response;
	char path[256];
	int status;

	snprintf(path, sizeof(path), PIM "assignmentApprovals/%s/stages", id);
	scene_get(world, person, path, &response);
	snprintf(path, sizeof(path), PIM "assignmentApprovals/%s/stages/%s", id,
		 scene_text(&response, "value.0.id"));
	http_response_release(&response);
	broker_call(&world->brokers[0],
		    &(struct http_request){.method = "PATCH",
					   .url = path,
					   .bearer = world_token(world, person),
					   .body = "{\"reviewResult\":\"Approve\"}"},
		    &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

/* An approver cannot give it where it was, either. */
static void a_group_that_moved_is_not_approved_where_it_was(void **state)
{
	struct world *world = *state;
	struct broker_group *groups = (struct broker_group *)(uintptr_t)world->config.groups;
	struct world_ask ask = {.person = 1, .group = 1};
	struct http_response response;
	char id[ID_SIZE];

	groups[1].more = "      approval: {approvers: [person2@example.com]}\n";
	assert_true(scene_reload(world, 0));
	scene_activate(world, &ask, id);
	move_group(world);
	assert_int_equal(approve(world, 2, id), 400);
	scene_look(world, &ask, id, &response);
	assert_string_equal(scene_text(&response, "provisioning.lastError"),
			    "The group is in another application by now.");
	http_response_release(&response);
	assert_false(scene_mentions(world, 1));
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(eligibility_is_looked_at_again_at_the_start, open_world,
						scene_close),
		cmocka_unit_test_setup_teardown(an_approval_is_asked_for_at_the_start, open_world,
						scene_close),
		cmocka_unit_test_setup_teardown(a_bad_file_is_refused_whole, open_world, scene_close),
		cmocka_unit_test_setup_teardown(a_group_that_left_still_loses_its_members, open_world,
						scene_close),
		cmocka_unit_test_setup_teardown(a_planned_start_in_a_group_that_left_fails, open_world,
						scene_close),
		cmocka_unit_test_setup_teardown(a_group_that_moved_still_loses_its_members, open_world,
						scene_close),
		cmocka_unit_test_setup_teardown(a_group_that_moved_gives_nothing_where_it_was, open_one_lane,
						scene_close),
		cmocka_unit_test_setup_teardown(a_group_that_moved_is_not_approved_where_it_was, open_world,
						scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
