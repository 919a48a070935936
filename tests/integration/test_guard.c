/*
 * A file that has shrunk too much: the broker takes nothing away by it, shows everywhere that it holds removals, and does
 * what an operator answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define GRACE_MS 400
#define PEOPLE   4 /* persons 1 to 4 hold the group */

static struct broker_group *groups_of(const struct world *world)
{
	return (struct broker_group *)(uintptr_t)world->config.groups;
}

static int open_world(void **state)
{
	static const char *const everybody[] = {"person1@example.com", "person2@example.com",
						"person3@example.com", "person4@example.com", NULL};
	static const struct broker_group groups[] = {
		{.eligible = everybody,
		 .min_ms = SECOND,
		 .max_ms = 3600 * SECOND,
		 .more = "      on_lost_eligibility: remove\n"},
		{.eligible = everybody,
		 .min_ms = SECOND,
		 .max_ms = 3600 * SECOND,
		 .more = "      on_lost_eligibility: remove\n"},
	};
	struct world_options options = scene_defaults();

	options.each_group = groups;
	options.groups = 2;
	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	options.application.more = "    guard: {members: 2}\n";
	options.more = "policy: {grace: 400ms}\n";
	return scene_open(state, &options);
}

/* Everybody holds a group: persons 1 and 2 the first, 3 and 4 the second. */
static void hold_all(const struct world *world, char ids[PEOPLE][ID_SIZE])
{
	for (size_t i = 0; i < PEOPLE; i++) {
		struct world_ask ask = {.person = i + 1, .group = i / 2};

		scene_activate(world, &ask, ids[i]);
		scene_wait(world, &ask, ids[i], "provisioned");
	}
}

static int answer_guard(const struct world *world, size_t person, const char *body)
{
	struct http_response response;
	int status;

	broker_call(&world->brokers[0],
		    &(struct http_request){.url = "/api/applications/app/guard",
					   .bearer = world_token(world, person),
					   .body = body},
		    &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

struct held {
	const struct world *world;
	int64_t wanted;
};

static bool is_held(void *ctx)
{
	const struct held *held = ctx;
	struct http_response response;
	bool so;

	scene_application(held->world, 0, &response);
	so = scene_number(&response, "guard.held") == held->wanted;
	http_response_release(&response);
	return so;
}

static void wait_held(const struct world *world, int64_t wanted)
{
	assert_true(wait_until(is_held, &(struct held){world, wanted}, SCENE_PATIENCE));
}

/* Three lose their eligibility, one keeps it; two are the most. */
static void shrink(struct world *world)
{
	static const char *const only_person_2[] = {"person2@example.com", NULL};

	groups_of(world)[0].eligible = groups_of(world)[1].eligible = only_person_2;
	assert_true(scene_reload(world, 0));
	wait_held(world, 3);
	/* So many times the grace have passed, and nobody is gone. */
	assert_false(world_wait_member(world, 1, 0, false, 3 * GRACE_MS));
	assert_int_equal(scene_members(world, 0), 2);
	assert_int_equal(scene_members(world, 1), 2);
}

static void held_removals_are_shown_and_let_go(void **state)
{
	struct world *world = *state;
	struct world_ask own = {.person = 4, .group = 1};
	char ids[PEOPLE][ID_SIZE];
	struct http_response response;

	hold_all(world, ids);
	assert_int_equal(answer_guard(world, 0, "{\"answer\":\"remove\"}"), 409);
	shrink(world);
	scene_application(world, 0, &response);
	assert_true(scene_time(&response, "guard.sinceDateTime") > 0);
	assert_int_equal(scene_number(&response, "guard.members"), 2);
	assert_int_equal(scene_number(&response, "members"), 4);
	http_response_release(&response);
	scene_says(world, "/metrics", 200, "\njit_guard_held 3\n");
	scene_says(world, "/readyz", 200,
		   "\"Removals that the configuration wants and that wait for an operator's answer: 3.\"");
	scene_says(world, "/api/audit", 200,
		   "The configuration would remove 3 of 4 memberships. More than 2, or 30 in a "
		   "hundred, are removed only when an operator agrees; until then they are kept.");

	/* What somebody gives back goes, whatever is held. */
	world_deactivate(world, &own, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	assert_true(world_wait_member(world, 4, 1, false, SCENE_PATIENCE));
	wait_held(world, 2);

	assert_int_equal(answer_guard(world, 1, "{\"answer\":\"remove\"}"), 403);
	assert_int_equal(answer_guard(world, 0, "{\"answer\":\"perhaps\"}"), 400);
	assert_int_equal(answer_guard(world, 0, "{}"), 400);
	assert_int_equal(answer_guard(world, 0, "{"), 400);
	assert_int_equal(answer_guard(world, 0, "{\"answer\":\"remove\"}"), 200);
	assert_true(world_wait_member(world, 1, 0, false, SCENE_PATIENCE));
	assert_true(world_wait_member(world, 3, 1, false, SCENE_PATIENCE));
	assert_int_equal(scene_members(world, 0), 1);
	wait_held(world, 0);
	scene_says(world, "/api/audit", 200, "\"event\":\"guard_remove\"");
	world_passed(world);
}

/* Kept, they stay whatever is read anew, and end at their own end. */
static void kept_until_their_own_end(void **state)
{
	struct world *world = *state;
	struct world_ask brief = {.person = 1, .duration = "PT6S"};
	char ids[PEOPLE][ID_SIZE], id[ID_SIZE];
	struct http_response response;

	for (size_t i = 1; i < PEOPLE; i++) {
		struct world_ask ask = {.person = i + 1, .group = i / 2};

		scene_activate(world, &ask, ids[i]);
		scene_wait(world, &ask, ids[i], "provisioned");
	}
	scene_activate(world, &brief, id);
	scene_wait(world, &brief, id, "provisioned");
	shrink(world);
	assert_int_equal(answer_guard(world, 0, "{\"answer\":\"keep\"}"), 200);
	wait_held(world, 0);
	assert_true(scene_reload(world, 0));
	assert_true(world_wait_member(world, 1, 0, false, SCENE_PATIENCE));
	scene_look(world, &brief, id, &response);
	assert_string_equal(scene_text(&response, "status"), "Provisioned"); /* not Revoked */
	http_response_release(&response);
	assert_int_equal(scene_members(world, 0), 1);
	assert_int_equal(scene_members(world, 1), 2);
	wait_held(world, 0);
	scene_says(world, "/api/audit", 200, "\"event\":\"guard_keep\"");
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(held_removals_are_shown_and_let_go, open_world, scene_close),
		cmocka_unit_test_setup_teardown(kept_until_their_own_end, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
