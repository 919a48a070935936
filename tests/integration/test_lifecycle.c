/* The life of an assignment: asked for, in force, ended, also by its person; starts that are planned ahead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.application.pushes = 50; /* the throttle has tests of its own */
	options.application.cycle_reserve = 10;
	options.lanes = 4;
	options.poll_ms = 5 * SECOND; /* the longest: brokers look when something is due, not now and then */
	return scene_open(state, &options);
}

static void expect_status(const struct world *world, const struct world_ask *ask, const char *id,
			  const char *status)
{
	struct http_response response;

	scene_look(world, ask, id, &response);
	assert_string_equal(scene_text(&response, "status"), status);
	http_response_release(&response);
}

/* The audit events of the request's lane, as "event:from>to " one after the other. */
static void read_audit(const struct world *world, const char *id, char *out, size_t size)
{
	redisReply *entries =
		redis_server_command(&world->redis, "XRANGE {j%u}:audit - +", (unsigned)id_lane(id));

	assert_non_null(entries);
	out[0] = '\0';
	for (size_t i = 0, at = 0; i < entries->elements && at < size; i++) {
		const redisReply *fields = entries->element[i]->element[1];

		/* e EVENT r REQUEST f FROM t TO … */
		if (fields->element[5]->str[0] == '\0')
			continue;
		at += (size_t)snprintf(out + at, size - at, "%s:%s>%s ", fields->element[1]->str,
				       fields->element[5]->str, fields->element[7]->str);
	}
	freeReplyObject(entries);
}

static void from_asking_to_the_end(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT2S"};
	int64_t before = clock_wall_ms(), start, end;
	struct http_response response;
	struct scene_changes changes;
	char id[ID_SIZE], trail[1024];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	assert_true(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	scene_look(world, &ask, id, &response);
	assert_string_equal(scene_text(&response, "status"), "Provisioned");
	start = scene_time(&response, "scheduleInfo.startDateTime");
	end = scene_time(&response, "provisioning.endDateTime");
	assert_true(start >= before && start <= clock_wall_ms());
	assert_int_equal(end, start + 2 * SECOND);
	assert_int_equal(scene_time(&response, "createdDateTime"), start);
	assert_true(scene_time(&response, "provisioning.confirmedDateTime") >= start);
	assert_int_equal(scene_time(&response, "completedDateTime"),
			 scene_time(&response, "provisioning.confirmedDateTime"));
	http_response_release(&response);

	scene_wait(world, &ask, id, "removed");
	expect_status(world, &ask, id, "Provisioned");
	assert_false(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 2);
	assert_true(changes.all[0].add);
	assert_false(changes.all[1].add);
	assert_string_equal(changes.all[1].first, changes.all[0].first);
	assert_true(changes.all[1].received_ms >= end);
	assert_true(changes.all[1].received_ms <= end + SECOND);
	read_audit(world, id, trail, sizeof(trail));
	assert_string_equal(trail, "push:new>provisioning confirm:provisioning>in_force "
				   "expire_remove:in_force>expiring release:expiring>expired ");
	world_passed(world);
}

static void ended_by_its_person(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT1H"};
	struct http_response response;
	char id[ID_SIZE], end_id[ID_SIZE];

	world_deactivate(world, &ask, &response);
	assert_int_equal(response.status, 400);
	assert_string_equal(scene_text(&response, "error.code"), "RoleAssignmentDoesNotExist");
	http_response_release(&response);

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	world_deactivate(world, &ask, &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(scene_text(&response, "status"), "Revoked");
	assert_string_equal(scene_text(&response, "action"), "selfDeactivate");
	assert_string_equal(scene_text(&response, "provisioning.state"), "removing");
	snprintf(end_id, sizeof(end_id), "%s", scene_text(&response, "id"));
	http_response_release(&response);
	scene_wait(world, &ask, end_id, "removed");
	scene_wait(world, &ask, id, "removed");
	expect_status(world, &ask, id, "Revoked");
	assert_false(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));

	/* And again from the beginning. */
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	world_passed(world);
}

/* -- overlaps ------------------------------------------------------------------------------------------------ */

static void the_later_end_counts(void **state)
{
	struct world *world = *state;
	struct world_ask brief = {.person = 1, .duration = "PT2S"},
			 longer = {.person = 1, .duration = "PT4S"};
	struct http_response response;
	struct scene_changes changes;
	char brief_id[ID_SIZE], longer_id[ID_SIZE];
	int64_t end;

	scene_activate(world, &brief, brief_id);
	scene_wait(world, &brief, brief_id, "provisioned");
	world_activate(world, &longer, &response);
	assert_int_equal(response.status, 201);
	/* Nothing has to be pushed for it. */
	assert_string_equal(scene_text(&response, "status"), "Provisioned");
	assert_string_equal(scene_text(&response, "provisioning.state"), "provisioned");
	snprintf(longer_id, sizeof(longer_id), "%s", scene_text(&response, "id"));
	end = scene_time(&response, "provisioning.endDateTime");
	http_response_release(&response);

	scene_wait(world, &brief, brief_id, "removed");
	assert_true(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	expect_status(world, &longer, longer_id, "Provisioned");
	/* What is covered by the later end already is refused, with the request that covers it. */
	world_activate(world, &(struct world_ask){.person = 1, .duration = "PT1S"}, &response);
	assert_int_equal(response.status, 400);
	assert_string_equal(scene_text(&response, "error.code"), "RoleAssignmentExists");
	assert_non_null(strstr(scene_text(&response, "error.message"), longer_id));
	http_response_release(&response);

	scene_wait(world, &longer, longer_id, "removed");
	scene_changes(world, &changes);
	assert_int_equal(changes.adds, 1);
	assert_int_equal(changes.removes, 1);
	assert_true(changes.all[1].received_ms >= end);
	world_passed(world);
}

static void withdrawing_one_leaves_the_other(void **state)
{
	struct world *world = *state;
	struct world_ask first = {.person = 1, .duration = "PT1H"},
			 second = {.person = 1, .duration = "PT2H"};
	struct scene_changes changes;
	char first_id[ID_SIZE], second_id[ID_SIZE];

	/* The second comes while the push for the first is under way, and waits for its end. */
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> hang"));
	scene_activate(world, &first, first_id);
	scene_wait_hung(world, 1);
	scene_activate(world, &second, second_id);
	scene_wait(world, &second, second_id, "waiting");
	assert_int_equal(scene_cancel(world, 1, second_id), 204);
	expect_status(world, &second, second_id, "Canceled");
	assert_true(sandbox_release_hung(&world->sandbox));
	scene_wait(world, &first, first_id, "provisioned");

	/* The third is planned for later; taking it back leaves the first alone. */
	char start[32];

	scene_from_now(60 * SECOND, start);
	second.start = start;
	scene_activate(world, &second, second_id);
	expect_status(world, &second, second_id, "Granted");
	assert_int_equal(scene_cancel(world, 1, second_id), 204);
	expect_status(world, &first, first_id, "Provisioned");
	assert_true(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 1);
	world_passed(world);
}

/* -- planned ahead -------------------------------------------------------------------------------------------- */

static void a_planned_start_is_kept(void **state)
{
	struct world *world = *state;
	char start[32], id[ID_SIZE];
	struct world_ask ask = {.person = 2, .duration = "PT2S", .start = start};
	struct http_response response;
	struct scene_changes changes;
	int64_t start_ms, end_ms;

	scene_from_now(2500, start);
	scene_activate(world, &ask, id);
	scene_look(world, &ask, id, &response);
	assert_string_equal(scene_text(&response, "status"), "Granted");
	assert_string_equal(scene_text(&response, "provisioning.state"), "waiting");
	start_ms = scene_time(&response, "scheduleInfo.startDateTime");
	end_ms = scene_time(&response, "provisioning.endDateTime");
	assert_int_equal(end_ms, start_ms + 2 * SECOND);
	http_response_release(&response);

	scene_wait(world, &ask, id, "removed");
	scene_look(world, &ask, id, &response);
	assert_int_equal(scene_time(&response, "provisioning.endDateTime"), end_ms);
	http_response_release(&response);
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 2);
	assert_true(changes.all[0].received_ms >= start_ms &&
		    changes.all[0].received_ms <= start_ms + SECOND);
	assert_true(changes.all[1].received_ms >= end_ms && changes.all[1].received_ms <= end_ms + SECOND);
	world_passed(world);
}

static void a_planned_start_can_be_taken_back(void **state)
{
	struct world *world = *state;
	char start[32], id[ID_SIZE], other_id[ID_SIZE];
	struct world_ask ask = {.person = 2, .start = start}, other = {.person = 3, .start = start};

	scene_from_now(2500, start);
	scene_activate(world, &ask, id);
	scene_activate(world, &other, other_id);
	assert_int_equal(scene_cancel(world, 3, id), 404);
	assert_int_equal(scene_cancel(world, 2, id), 204);
	assert_int_equal(scene_cancel(world, 2, id), 204);
	expect_status(world, &ask, id, "Canceled");
	/* The other one begins at the same time: by then this one would have begun. */
	scene_wait(world, &other, other_id, "provisioned");
	expect_status(world, &ask, id, "Canceled");
	assert_false(scene_mentions(world, 2));
	/* What gives access is ended, not taken back. */
	assert_int_equal(scene_cancel(world, 3, other_id), 400);
	assert_true(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 3)));
	world_passed(world);
}

static void what_is_planned_outlives_a_deactivation(void **state)
{
	struct world *world = *state;
	char start[32], id[ID_SIZE], later_id[ID_SIZE];
	struct world_ask ask = {.person = 2, .duration = "PT1H"};
	struct world_ask later = {.person = 2, .duration = "PT2H", .start = start};
	struct http_response response;
	struct scene_changes changes;

	scene_from_now(3 * SECOND, start);
	scene_activate(world, &ask, id);
	scene_activate(world, &later, later_id);
	scene_wait(world, &ask, id, "provisioned");
	world_deactivate(world, &ask, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	scene_wait(world, &ask, id, "removed");
	scene_wait(world, &later, later_id, "provisioned");
	assert_true(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 2)));
	scene_changes(world, &changes);
	assert_int_equal(changes.adds, 2);
	assert_int_equal(changes.removes, 1);
	world_passed(world);
}

static void a_deferred_one_can_be_taken_back(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1}, other = {.person = 2}, third = {.person = 3};
	struct http_response response;
	char id[ID_SIZE], other_id[ID_SIZE], third_id[ID_SIZE];

	world->application.pushes = 1;
	world->application.per_ms = SECOND;
	world->application.cycle_reserve = 0;
	assert_true(scene_reload(world, 0));
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> hang"));
	scene_activate(world, &third, third_id);
	scene_wait_hung(world, 1);
	scene_activate(world, &ask, id);
	scene_activate(world, &other, other_id);
	scene_look(world, &other, other_id, &response);
	assert_int_equal(scene_number(&response, "provisioning.placeInQueue"), 2);
	http_response_release(&response);
	assert_int_equal(scene_cancel(world, 1, id), 204);
	scene_look(world, &other, other_id, &response);
	assert_int_equal(scene_number(&response, "provisioning.placeInQueue"), 1);
	http_response_release(&response);
	/* A deactivation ends a deferred one as well. */
	world_deactivate(world, &(struct world_ask){.person = 3}, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	assert_true(sandbox_release_hung(&world->sandbox));
	scene_cycle_in(world, SECOND);
	scene_wait(world, &other, other_id, "provisioned");
	expect_status(world, &ask, id, "Canceled");
	assert_false(scene_mentions(world, 1));
	scene_wait(world, &third, third_id, "removed");
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(from_asking_to_the_end, open_world, scene_close),
		cmocka_unit_test_setup_teardown(ended_by_its_person, open_world, scene_close),
		cmocka_unit_test_setup_teardown(the_later_end_counts, open_world, scene_close),
		cmocka_unit_test_setup_teardown(withdrawing_one_leaves_the_other, open_world, scene_close),
		cmocka_unit_test_setup_teardown(a_planned_start_is_kept, open_world, scene_close),
		cmocka_unit_test_setup_teardown(a_planned_start_can_be_taken_back, open_world, scene_close),
		cmocka_unit_test_setup_teardown(what_is_planned_outlives_a_deactivation, open_world,
						scene_close),
		cmocka_unit_test_setup_teardown(a_deferred_one_can_be_taken_back, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
