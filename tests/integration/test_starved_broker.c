/*
 * What a broker does by itself while its memory runs out: its pushes, the removal when a time is over, the way back to Redis.
 * Whatever allocation fails, it is done in the end; the broker does not end by it and ends without a leak (the sanitizer
 * tells). Its routes are in test_starved_reads, _changes and _operations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/starve.h"
#include "tests/support/starved.h"

#define PEOPLE 16

static int open_world(void **state)
{
	struct world_options options = starved_options();

	options.people = PEOPLE;
	options.groups = 1;
	return starved_open(state, &options);
}

/* The n-th allocation after each acknowledgement fails, while the push is on its way. */
static void pushes(void **state)
{
	const struct world *world = *state;
	struct http_response response;
	char ids[PEOPLE][ID_SIZE];
	long failed = 0;

	for (size_t i = 0; i < PEOPLE; i++) {
		struct world_ask ask = {.person = i, .duration = "PT1H"};

		scene_activate(world, &ask, ids[i]);
		starve_from((long)(1 + 25 * i), i % 8 == 0 ? STARVE_REST : STARVE_ONE);
		world_wait_member(world, i, 0, true, 100);
		failed += starve_end() > 0;
	}
	for (size_t i = 0; i < PEOPLE; i++)
		scene_wait(world, &(struct world_ask){.person = i}, ids[i], "provisioned");
	for (size_t i = 0; i < PEOPLE; i++) {
		world_deactivate(world, &(struct world_ask){.person = i}, &response);
		assert_int_equal(response.status, 201);
		http_response_release(&response);
		starve_from((long)(1 + 25 * i), i % 8 == 0 ? STARVE_REST : STARVE_ONE);
		world_wait_member(world, i, 0, false, 100);
		failed += starve_end() > 0;
	}
	scene_wait_empty(world);
	print_message("memory was short in %ld of %d pushes\n", failed, 2 * PEOPLE);
	assert_true(failed > PEOPLE);
	world_passed(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pushes, open_world, starved_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
