/* A comparison for which the time of one piece of work is too short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/drift.h"

/* Members cannot be listed, only be asked for. */
static int open_asking(void **state)
{
	return drift_open(state, NULL, "      list: none\n", NULL);
}

/* There is time for one question. The next piece goes on behind it, so that nobody is left out. */
static void slowly_asked(void **state)
{
	struct world *world = *state;

	drift_activate(world, 1);
	drift_activate(world, 2);
	/* A question without an answer would leave the rest to the next cycle. */
	assert_true(sandbox_clear_faults(&world->sandbox));
	/* Not the look-up by name: the broker that makes the push may need that as well. */
	assert_true(sandbox_add_fault(&world->sandbox, "GET /Groups?filter=id%20eq always -> delay 600"));
	for (size_t person = 1; person <= 2; person++) {
		drift_change(world, person, false);
		drift_cycle(world);
		assert_true(drift_is_member(world, person));
	}
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(slowly_asked, open_asking, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
