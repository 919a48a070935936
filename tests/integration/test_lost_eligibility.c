/*
 * Who loses their eligibility keeps what they have, or loses it where the group says so; and no broker takes away by an
 * old configuration what a newer one grants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene.h"

#define GRACE_MS 400
#define REMOVES  0 /* group 0 takes away, group 1 does not */
#define KEEPS    1

static struct broker_group *groups_of(const struct world *world)
{
	return (struct broker_group *)(uintptr_t)world->config.groups;
}

static int open_world(void **state, size_t brokers)
{
	static const char *const everybody[] = {"person1@example.com", "person2@example.com",
						"person3@example.com", NULL};
	static const struct broker_group groups[] = {
		[REMOVES] = {.eligible = everybody,
			     .min_ms = 1000,
			     .max_ms = 8 * 3600 * SECOND,
			     .more = "      on_lost_eligibility: remove\n"
				     "      break_glass: {principals: [person4@example.com]}\n"},
		[KEEPS] = {.eligible = everybody, .min_ms = 1000, .max_ms = 8 * 3600 * SECOND},
	};
	struct world_options options = scene_defaults();

	options.each_group = groups;
	options.groups = 2;
	options.brokers = brokers;
	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	options.more = "policy: {grace: 400ms}\n";
	return scene_open(state, &options);
}

static int open_one(void **state)
{
	return open_world(state, 1);
}

static int open_two(void **state)
{
	return open_world(state, 2);
}

/* The person has the group, by a request of this id. */
static void hold(const struct world *world, const struct world_ask *ask, char id[ID_SIZE])
{
	scene_activate(world, ask, id);
	scene_wait(world, ask, id, "provisioned");
}

static void expect_revoked(const struct world *world, const struct world_ask *ask, const char *id)
{
	struct http_response response;

	scene_wait(world, ask, id, "removed");
	assert_true(world_wait_member(world, ask->person, ask->group, false, SCENE_PATIENCE));
	scene_look(world, ask, id, &response);
	assert_string_equal(scene_text(&response, "status"), "Revoked");
	assert_non_null(strstr(scene_text(&response, "provisioning.lastError"), "By policy"));
	http_response_release(&response);
}

/* So many times the grace have passed, and the person has the group all the same. */
static void expect_kept(const struct world *world, const struct world_ask *ask, const char *id)
{
	struct http_response response;

	assert_false(world_wait_member(world, ask->person, ask->group, false, 6 * GRACE_MS));
	scene_look(world, ask, id, &response);
	assert_string_equal(scene_text(&response, "status"), "Provisioned");
	http_response_release(&response);
}

static void a_reload_takes_away(void **state)
{
	static const char *const only_person_2[] = {"person2@example.com", NULL};
	struct world *world = *state;
	struct world_ask lost = {.person = 1}, left = {.person = 2}, kept = {.person = 1, .group = KEEPS};
	struct world_ask glass = {.person = 4, .break_glass = true};
	char lost_id[ID_SIZE], left_id[ID_SIZE], kept_id[ID_SIZE], glass_id[ID_SIZE];

	hold(world, &lost, lost_id);
	hold(world, &left, left_id);
	hold(world, &kept, kept_id);
	hold(world, &glass, glass_id);
	groups_of(world)[REMOVES].eligible = groups_of(world)[KEEPS].eligible = only_person_2;
	assert_true(scene_reload(world, 0));
	expect_revoked(world, &lost, lost_id);
	expect_kept(world, &left, left_id);
	expect_kept(world, &kept, kept_id);
	expect_kept(world, &glass, glass_id);

	/* Those who may no longer break the glass lose what they have by that. */
	groups_of(world)[REMOVES].more = "      on_lost_eligibility: remove\n";
	assert_true(scene_reload(world, 0));
	expect_revoked(world, &glass, glass_id);
	expect_kept(world, &left, left_id);
	world_passed(world);
}

/* The group says so only now. */
static void a_group_that_begins_to_take_away(void **state)
{
	static const char *const only_person_2[] = {"person2@example.com", NULL};
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .group = KEEPS};
	char id[ID_SIZE];

	hold(world, &ask, id);
	groups_of(world)[KEEPS].eligible = only_person_2;
	groups_of(world)[KEEPS].more = "      on_lost_eligibility: remove\n";
	assert_true(scene_reload(world, 0));
	expect_revoked(world, &ask, id);
	world_passed(world);
}

static void the_end_of_an_eligibility_takes_away(void **state)
{
	struct world *world = *state;
	struct world_ask lost = {.person = 1}, kept = {.person = 1, .group = KEEPS};
	char lost_id[ID_SIZE], kept_id[ID_SIZE], end[32];
	struct http_response response;

	scene_from_now(4 * SECOND, end);
	groups_of(world)[REMOVES].eligible_end = groups_of(world)[KEEPS].eligible_end = end;
	assert_true(scene_reload(world, 0));
	hold(world, &lost, lost_id);
	hold(world, &kept, kept_id);
	expect_revoked(world, &lost, lost_id);
	scene_look(world, &lost, lost_id, &response);
	/* At that time, not at the next of the usual looks. */
	assert_true(scene_time(&response, "completedDateTime") > 0);
	http_response_release(&response);
	expect_kept(world, &kept, kept_id);
	world_passed(world);
}

static void give(const struct world *world, const char *action)
{
	char body[512];
	struct http_request request = {
		.url = PIM "eligibilityScheduleRequests", .bearer = world_token(world, 0), .body = body};
	struct http_response response;

	snprintf(body, sizeof(body),
		 "{\"action\":\"%s\",\"accessId\":\"member\",\"principalId\":\"%s\",\"groupId\":\"%s\","
		 "\"justification\":\"why\",\"scheduleInfo\":{\"expiration\":{\"type\":\"afterDuration\","
		 "\"duration\":\"PT1H\"}}}",
		 action, world_person_id(world, 5), world_group_id(world, REMOVES));
	broker_call(&world->brokers[0], &request, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
}

/* Eligible by an administrator's word: a reload does not matter to it, its end does. */
static void an_administrators_word_ends(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 5};
	char id[ID_SIZE];

	give(world, "adminAssign");
	hold(world, &ask, id);
	assert_true(scene_reload(world, 0));
	expect_kept(world, &ask, id);
	give(world, "adminRemove");
	expect_revoked(world, &ask, id);
	world_passed(world);
}

/* While one broker goes by the old file, nothing is taken away by either. */
static void a_rolling_reload_takes_away_at_its_end(void **state)
{
	static const char *const only_person_2[] = {"person2@example.com", NULL};
	struct world *world = *state;
	struct world_ask ask = {.person = 1};
	char id[ID_SIZE];

	hold(world, &ask, id);
	groups_of(world)[REMOVES].eligible = only_person_2;
	/* Each reload has the group looked at by one of the two, whichever comes first. */
	for (int i = 0; i < 10; i++) {
		assert_true(scene_reload(world, 1));
		assert_false(world_wait_member(world, ask.person, REMOVES, false, GRACE_MS + 200));
	}
	expect_kept(world, &ask, id);
	assert_true(scene_reload(world, 0));
	expect_revoked(world, &ask, id);
	world_passed(world);
}

/* The newer broker grants and dies; the one that knows nothing of it is alone, and takes nothing away. */
static void an_old_file_takes_nothing_away(void **state)
{
	static const char *const with_person_6[] = {"person1@example.com", "person6@example.com", NULL};
	static const char *const only_person_2[] = {"person2@example.com", NULL};
	struct world *world = *state;
	struct world_ask ask = {.broker = 1, .person = 6};
	char id[ID_SIZE];

	groups_of(world)[REMOVES].eligible = with_person_6;
	assert_true(scene_reload(world, 1));
	hold(world, &ask, id);
	broker_kill9(&world->brokers[1]);
	ask.broker = 0;
	expect_kept(world, &ask, id);

	/* A file that was read since is another matter. */
	groups_of(world)[REMOVES].eligible = only_person_2;
	assert_true(scene_reload(world, 0));
	expect_revoked(world, &ask, id);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_reload_takes_away, open_one, scene_close),
		cmocka_unit_test_setup_teardown(a_group_that_begins_to_take_away, open_one, scene_close),
		cmocka_unit_test_setup_teardown(the_end_of_an_eligibility_takes_away, open_one, scene_close),
		cmocka_unit_test_setup_teardown(an_administrators_word_ends, open_one, scene_close),
		cmocka_unit_test_setup_teardown(a_rolling_reload_takes_away_at_its_end, open_two,
						scene_close),
		cmocka_unit_test_setup_teardown(an_old_file_takes_nothing_away, open_two, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
