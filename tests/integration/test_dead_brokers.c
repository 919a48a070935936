/*
 * No broker at all for a while: at the end of an assignment, for the whole of its life, and while the tokens of
 * pushes are out that nobody will end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/aftermath.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define PUSH_TIMEOUT (2 * SECOND)
#define LONG_WAIT    (40 * SECOND)
#define WINDOW       (10 * SECOND)

/* People of the first story; each has the group of the same number. */
enum {
	IN_FORCE = 1,     /* provisioned when the broker dies */
	APPLIED,          /* the PATCH is made, its answer is not there yet */
	SENT,             /* the PATCH was sent and not made */
	LOOKED_UP,        /* nothing but look-ups was sent */
	SCHEDULED_WITHIN, /* begins and ends while nobody is there */
	SCHEDULED_BEYOND, /* begins while nobody is there and ends later */
	PEOPLE
};

static struct world_options options_here(void)
{
	struct world_options options = scene_defaults();

	options.people = options.groups = 8;
	options.application.push_timeout_ms = PUSH_TIMEOUT;
	options.application.request_timeout_ms = PUSH_TIMEOUT;
	options.poll_ms = 0;
	return options;
}

static int open_wide(void **state)
{
	struct world_options options = options_here();

	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	return scene_open(state, &options);
}

static int open_five(void **state)
{
	struct world_options options = options_here();

	options.application.overflow_wait_ms = 60 * SECOND;
	return scene_open(state, &options);
}

static void ask(const struct world *world, size_t person, const char *duration, const char *start,
		char id[ID_SIZE])
{
	struct world_ask a = {.person = person, .group = person, .duration = duration, .start = start};

	scene_activate(world, &a, id);
}

/* The same, and the push stands still at that fault; `hung` requests do so then. */
static void ask_until(const struct world *world, size_t person, const char *fault, int hung, char id[ID_SIZE])
{
	assert_true(sandbox_add_fault(&world->sandbox, fault));
	ask(world, person, "PT3S", NULL, id);
	scene_wait_hung(world, hung);
}

static bool is_member(const struct world *world, size_t person)
{
	return sandbox_is_member(&world->sandbox, world_group_name(world, person),
				 world_user_name(world, person));
}

static void expect_state(const struct world *world, size_t person, const char *id, const char *provisioning)
{
	struct world_ask a = {.person = person};

	scene_wait(world, &a, id, provisioning);
}

/* How often the application was asked to let the person in, or anything else about the group. */
static void expect_untouched(const struct world *world, size_t person)
{
	assert_false(scene_mentions(world, person));
}

static void nobody_there_for_whole_lives(void **state)
{
	struct world *world = *state;
	struct broker *broker = &world->brokers[0];
	char ids[PEOPLE][ID_SIZE], soon[32], later[32];
	int64_t asked_ms;

	ask(world, IN_FORCE, "PT4S", NULL, ids[IN_FORCE]);
	expect_state(world, IN_FORCE, ids[IN_FORCE], "provisioned");
	ask_until(world, APPLIED, "PATCH /Groups once -> hang after", 1, ids[APPLIED]);
	ask_until(world, SENT, "PATCH /Groups once -> hang", 2, ids[SENT]);
	ask_until(world, LOOKED_UP, "GET /Users once -> hang", 3, ids[LOOKED_UP]);
	asked_ms = clock_wall_ms();
	scene_from_now(1 * SECOND, soon);
	scene_from_now(2 * SECOND, later);
	ask(world, SCHEDULED_WITHIN, "PT2S", soon, ids[SCHEDULED_WITHIN]);
	ask(world, SCHEDULED_BEYOND, "PT10S", later, ids[SCHEDULED_BEYOND]);
	broker_kill9(broker);
	assert_true(sandbox_clear_faults(&world->sandbox));
	scene_wait_for(asked_ms + 5 * SECOND);
	assert_true(is_member(world, IN_FORCE));
	assert_true(is_member(world, APPLIED));

	assert_true(broker_restart(broker));
	assert_true(world_wait_member(world, IN_FORCE, IN_FORCE, false, 2 * SECOND));
	assert_true(world_wait_member(world, APPLIED, APPLIED, false, 4 * SECOND));
	assert_true(world_wait_member(world, SCHEDULED_BEYOND, SCHEDULED_BEYOND, true, 2 * SECOND));
	expect_state(world, SCHEDULED_BEYOND, ids[SCHEDULED_BEYOND], "provisioned");
	expect_state(world, IN_FORCE, ids[IN_FORCE], "removed");
	expect_state(world, APPLIED, ids[APPLIED], "removed");
	expect_state(world, SENT, ids[SENT], "removed");
	expect_state(world, LOOKED_UP, ids[LOOKED_UP], "removed");
	expect_state(world, SCHEDULED_WITHIN, ids[SCHEDULED_WITHIN], "failed");
	expect_untouched(world, SCHEDULED_WITHIN);
	expect_state(world, SCHEDULED_BEYOND, ids[SCHEDULED_BEYOND], "removed");
	for (size_t i = IN_FORCE; i < PEOPLE; i++)
		assert_false(is_member(world, i));
	assert_int_equal(audit_check(world), PEOPLE - 1);
	world_passed(world);
}

/* Everybody is let in in the end, in never more than five pushes in any ten seconds. */
static void expect_all_in_by_fives(const struct world *world, char ids[][ID_SIZE], size_t count,
				   size_t pushes_min)
{
	struct pushes_seen pushes;
	struct scene_changes changes;

	for (size_t i = 1; i <= count; i++) {
		struct world_ask a = {.person = i};

		assert_true(world_wait_state(world, &a, ids[i], "provisioned", LONG_WAIT));
		assert_true(is_member(world, i));
	}
	assert_true(pushes_seen_read(world, &pushes));
	scene_changes(world, &changes);
	if (pushes.count < pushes_min || pushes_seen_most(&pushes, WINDOW, 1, 0) != 5)
		for (size_t i = 0; i < pushes.count; i++)
			fprintf(stderr, "push of %zu: %lld ms to %lld ms\n", pushes.all[i].who,
				(long long)(pushes.all[i].begun_ms - pushes.all[0].begun_ms),
				(long long)(pushes.all[i].ended_ms - pushes.all[0].begun_ms));
	assert_true(pushes.count >= pushes_min);
	assert_int_equal(pushes_seen_most(&pushes, WINDOW, 1, 0), 5);
	assert_true(changes.most <= 5);
	pushes_seen_release(&pushes);
}

static void no_sixth_push_across_deaths(void **state)
{
	struct world *world = *state;
	struct broker *broker = &world->brokers[0];
	char ids[8][ID_SIZE];

	ask(world, 1, "PT1H", NULL, ids[1]);
	expect_state(world, 1, ids[1], "provisioned");
	ask(world, 2, "PT1H", NULL, ids[2]);
	expect_state(world, 2, ids[2], "provisioned");
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> hang after"));
	ask(world, 3, "PT1H", NULL, ids[3]);
	scene_wait_hung(world, 1);
	assert_true(sandbox_add_fault(&world->sandbox, "GET /Users once -> hang"));
	ask(world, 4, "PT1H", NULL, ids[4]);
	scene_wait_hung(world, 2);
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> hang"));
	ask(world, 5, "PT1H", NULL, ids[5]);
	scene_wait_hung(world, 3);
	broker_kill9(broker);

	/* Three tokens are out for pushes that nobody ends; the first of those who push again dies as well. */
	assert_true(sandbox_clear_faults(&world->sandbox));
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> hang after"));
	assert_true(broker_restart(broker));
	ask(world, 6, "PT1H", NULL, ids[6]);
	ask(world, 7, "PT1H", NULL, ids[7]);
	scene_wait_hung(world, 1);
	broker_kill9(broker);
	assert_true(broker_restart(broker));
	expect_all_in_by_fives(world, ids, 7, 11);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_there_for_whole_lives, open_wide, scene_close),
		cmocka_unit_test_setup_teardown(no_sixth_push_across_deaths, open_five, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
