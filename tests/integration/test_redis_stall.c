/*
 * Redis carries a call out and its answer does not come: the push that the call has begun is made as soon as Redis
 * answers again, not when the claim has run out half a minute later.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/redis_gate.h"
#include "tests/support/scene.h"

#define SOON_MS (8 * SECOND) /* far below that, and enough for a busy machine */

struct stalled {
	struct world *world;
	struct redis_gate gate;
};

static int open_stalled(void **state)
{
	struct world_options options = scene_defaults();
	struct stalled *stalled = calloc(1, sizeof(*stalled));
	void *opened = NULL;

	options.without_brokers = true;
	options.redis_timeout_ms = SECOND;
	if (stalled == NULL || scene_open(&opened, &options) != 0)
		return -1;
	*state = stalled;
	stalled->world = opened;
	if (!redis_gate_start(&stalled->gate, stalled->world->dir, stalled->world->redis.socket_path))
		return -1;
	stalled->world->config.redis_url = stalled->gate.url;
	stalled->world->broker_count = 1;
	return broker_start(&stalled->world->brokers[0], stalled->world->dir, "stalled",
			    &stalled->world->config)
		       ? 0
		       : -1;
}

static int close_stalled(void **state)
{
	struct stalled *stalled = *state;
	void *opened = stalled->world;
	int closed = scene_close(&opened);

	redis_gate_stop(&stalled->gate);
	free(stalled);
	return closed;
}

/* Redis has carried the call out; the broker has given its connection up and gets another one. */
static int64_t stall(struct stalled *stalled)
{
	assert_true(redis_gate_wait_held(&stalled->gate, SCENE_PATIENCE));
	assert_true(proc_wait_text(&stalled->world->brokers[0].proc, "event=store_away", SCENE_PATIENCE, NULL,
				   0));
	redis_gate_release(&stalled->gate);
	return clock_mono_ms();
}

static void expect(const struct world *world, size_t adds, size_t removes, int64_t since_ms)
{
	struct scene_changes changes;

	assert_true(clock_mono_ms() - since_ms < SOON_MS);
	scene_changes(world, &changes);
	assert_int_equal(changes.adds, adds);
	assert_int_equal(changes.removes, removes);
	assert_true(proc_log_holds(&world->brokers[0].proc, "event=push_found"));
}

static void a_removal(void **state)
{
	struct stalled *stalled = *state;
	struct world_ask ask = {.person = 1, .duration = "PT5S"};
	int64_t asked_ms = clock_wall_ms();
	char id[ID_SIZE];

	scene_activate(stalled->world, &ask, id);
	scene_wait(stalled->world, &ask, id, "provisioned");
	/* After the addition the broker asks whether there is more to push: that is not the call which is meant. */
	scene_wait_for(asked_ms + 2 * SECOND);
	redis_gate_hold(&stalled->gate, GATE_REPLIES, "jit_pump");
	int64_t since_ms = stall(stalled);
	scene_wait(stalled->world, &ask, id, "removed");
	scene_wait_members(stalled->world, 0, 0);
	expect(stalled->world, 1, 1, since_ms);
	world_passed(stalled->world);
}

/* The caller was told that nothing is known of it, and does not ask again. */
static void an_activation(void **state)
{
	struct stalled *stalled = *state;
	const struct world_ask ask = {.person = 1, .duration = "PT1H"};
	struct http_response response;
	char after[16];

	redis_gate_hold(&stalled->gate, GATE_REPLIES, "jit_submit");
	world_activate(stalled->world, &ask, &response);
	assert_int_equal(response.status, 504);
	assert_true(http_header(&response, "Retry-After", after, sizeof(after)));
	http_response_release(&response);
	int64_t since_ms = stall(stalled);
	scene_wait_members(stalled->world, 0, 1);
	expect(stalled->world, 1, 0, since_ms);
	world_passed(stalled->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_removal, open_stalled, close_stalled),
		cmocka_unit_test_setup_teardown(an_activation, open_stalled, close_stalled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
