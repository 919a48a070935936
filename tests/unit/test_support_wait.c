/* Waiting in a loop must see at once what comes within a timer's callback, also when nothing comes after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <uv.h>

#include "tests/support/wait.h"

struct seen {
	bool is_there, is_late;
};

static void on_soon(uv_timer_t *timer)
{
	struct seen *seen = timer->data;

	seen->is_there = true;
}

static void on_late(uv_timer_t *timer)
{
	struct seen *seen = timer->data;

	seen->is_late = true;
}

static bool is_there(void *ctx)
{
	const struct seen *seen = ctx;

	return seen->is_there;
}

static void test_within_a_timer(void **state)
{
	struct seen seen = {.is_there = false};
	uv_timer_t soon, late;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	uv_timer_init(&loop, &soon);
	uv_timer_init(&loop, &late);
	soon.data = late.data = &seen;
	uv_timer_start(&soon, on_soon, 1, 0);
	uv_timer_start(&late, on_late, 60000, 0);
	assert_true(wait_in_loop(&loop, is_there, &seen, 120000));
	assert_false(seen.is_late);
	uv_close((uv_handle_t *)&soon, NULL);
	uv_close((uv_handle_t *)&late, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_in_vain(void **state)
{
	struct seen seen = {.is_there = false};
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_false(wait_in_loop(&loop, is_there, &seen, 20));
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_within_a_timer),
		cmocka_unit_test(test_in_vain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
