/*
 * A broker that stands still (SIGSTOP, a suspended machine) past its push's deadline, and goes on when another one
 * has taken the push over: it sends nothing any more and spoils nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/aftermath.h"
#include "tests/support/redis_gate.h"
#include "tests/support/scene.h"

#define PUSH_TIMEOUT (1 * SECOND)
#define PERSON       1

enum { HEIR, FROZEN }; /* brokers of the world */

struct story {
	struct world *world;
	struct redis_gate gate; /* between the frozen one and Redis */
};

static int open_world(void **state)
{
	struct world_options options = scene_defaults();
	struct story *story = calloc(1, sizeof(*story));
	struct broker_config config;
	struct world *world;
	void *opened = NULL;

	options.people = options.groups = 2;
	options.application.push_timeout_ms = PUSH_TIMEOUT;
	options.application.request_timeout_ms = PUSH_TIMEOUT;
	options.poll_ms = 0;
	if (story == NULL || scene_open(&opened, &options) != 0)
		return -1;
	story->world = world = opened;
	*state = story;
	if (!redis_gate_start(&story->gate, world->dir, world->redis.socket_path))
		return -1;
	config = world->config;
	config.redis_url = story->gate.url;
	world->broker_count = 2;
	return broker_start(&world->brokers[FROZEN], world->dir, "frozen", &config) ? 0 : -1;
}

static int close_world(void **state)
{
	struct story *story = *state;
	void *opened = story->world;
	int closed;

	proc_cont(&story->world->brokers[FROZEN].proc);
	closed = scene_close(&opened);
	redis_gate_stop(&story->gate);
	free(story);
	return closed;
}

static void ask(const struct world *world, const char *duration, char id[ID_SIZE])
{
	struct world_ask a = {.broker = FROZEN, .person = PERSON, .group = PERSON, .duration = duration};

	scene_activate(world, &a, id);
}

/* The heir has made the push; the frozen one goes on, and says itself that it has lost it. */
static void taken_over_and_thawed(struct world *world, const char *id, const char *state)
{
	struct world_ask a = {.broker = HEIR, .person = PERSON};
	struct proc *frozen = &world->brokers[FROZEN].proc;

	scene_wait(world, &a, id, state);
	proc_cont(frozen);
	assert_true(proc_wait_text(frozen, "event=push_end", SCENE_PATIENCE, NULL, 0));
	assert_true(proc_wait_text(frozen, "event=push_lost", SCENE_PATIENCE, NULL, 0));
	/* Both have ended all that they had begun when they stop. */
	assert_true(broker_stop(&world->brokers[FROZEN]));
}

static void expect_patches(const struct world *world, size_t adds, size_t removes)
{
	struct scene_changes changes;

	scene_changes(world, &changes);
	assert_int_equal(changes.adds, adds);
	assert_int_equal(changes.removes, removes);
	assert_int_equal(audit_check(world), 1);
}

static void between_its_question_and_the_patch(void **state)
{
	struct story *story = *state;
	struct world *world = story->world;
	char id[ID_SIZE];

	redis_gate_hold(&story->gate, GATE_REPLIES, "jit_push_check");
	ask(world, "PT1H", id);
	assert_true(redis_gate_wait_held(&story->gate, SCENE_PATIENCE));
	proc_stop(&world->brokers[FROZEN].proc);
	redis_gate_release(&story->gate);
	taken_over_and_thawed(world, id, "provisioned");
	assert_true(proc_log_holds(&world->brokers[FROZEN].proc, "event=push_not_sent") ||
		    proc_log_holds(&world->brokers[FROZEN].proc, "ran out of time before it was sent"));
	expect_patches(world, 1, 0);
	world_passed(world);
}

static void while_it_looked_up_the_user(void **state)
{
	struct story *story = *state;
	struct world *world = story->world;
	char id[ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "GET /Users once -> hang"));
	ask(world, "PT1H", id);
	scene_wait_hung(world, 1);
	proc_stop(&world->brokers[FROZEN].proc);
	/* The answer waits in its socket when it goes on. */
	assert_true(sandbox_release_hung(&world->sandbox));
	taken_over_and_thawed(world, id, "provisioned");
	expect_patches(world, 1, 0);
	world_passed(world);
}

/* It made the change and does not know: that the membership has ended meanwhile must not be undone by its words. */
static void until_the_assignment_has_ended(void **state)
{
	struct story *story = *state;
	struct world *world = story->world;
	char id[ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> hang"));
	ask(world, "PT2S", id);
	scene_wait_hung(world, 1);
	proc_stop(&world->brokers[FROZEN].proc);
	assert_true(sandbox_release_hung(&world->sandbox));
	taken_over_and_thawed(world, id, "removed");
	assert_false(sandbox_is_member(&world->sandbox, world_group_name(world, PERSON),
				       world_user_name(world, PERSON)));
	expect_patches(world, 1, 1);
	world_passed(world);
}

/* The removal, with the person wanted again when the broker goes on. */
static void while_it_was_about_to_remove(void **state)
{
	struct story *story = *state;
	struct world *world = story->world;
	struct world_ask by_heir = {.broker = HEIR, .person = PERSON, .group = PERSON, .duration = "PT1H"};
	struct http_response response;
	char id[ID_SIZE], again[ID_SIZE];

	ask(world, "PT1H", id);
	scene_wait(world, &by_heir, id, "provisioned");
	/* The heir sleeps, so that the other one makes the removal. */
	proc_stop(&world->brokers[HEIR].proc);
	redis_gate_hold(&story->gate, GATE_REPLIES, "jit_push_check");
	world_deactivate(world, &(struct world_ask){.broker = FROZEN, .person = PERSON, .group = PERSON},
			 &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	assert_true(redis_gate_wait_held(&story->gate, SCENE_PATIENCE));
	proc_stop(&world->brokers[FROZEN].proc);
	redis_gate_release(&story->gate);
	proc_cont(&world->brokers[HEIR].proc);
	scene_wait(world, &by_heir, id, "removed");
	scene_activate(world, &by_heir, again);
	taken_over_and_thawed(world, again, "provisioned");
	assert_true(sandbox_is_member(&world->sandbox, world_group_name(world, PERSON),
				      world_user_name(world, PERSON)));
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(between_its_question_and_the_patch, open_world, close_world),
		cmocka_unit_test_setup_teardown(while_it_looked_up_the_user, open_world, close_world),
		cmocka_unit_test_setup_teardown(until_the_assignment_has_ended, open_world, close_world),
		cmocka_unit_test_setup_teardown(while_it_was_about_to_remove, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
