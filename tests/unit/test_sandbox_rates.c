/* The rates that the sandbox enforces: their rules, their arithmetic, and the answers to who is too fast. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sandbox_world.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void test_rate_rules(void **state)
{
	static const struct {
		const char *rule;
		bool ok;
	} rules[] = {
		{"PATCH /Groups 100 per 30000 below 500", true},
		{"* * 25 per 1000", true},
		{"GET /Users 5 per 1000 burst 2 from 500", true},
		{"* * 0 per 1000", false},
		{"* * 5 per 0", false},
		{"* * 5 per 1000 burst", false},
		{"* * 5 per 1000 below 5 from 5", false},
		{"* * 5 per 1000 often", false},
		{"LOOK * 5 per 1000", false},
		{"* x 5 per 1000", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++) {
		struct rates rates = {0};
		struct errctx ec = {""};

		if ((rates_add(&rates, rules[i].rule, &ec) == ERR_OK) != rules[i].ok)
			fail_msg("%s: %s", rules[i].rule, ec.text);
	}
}

/* No more than the burst at once; then one for each part of the time, and a full burst after a rest. */
static void test_rates(void **state)
{
	struct rates rates = {0};
	struct rate_request request = {"PATCH", "/Groups/1", 100, 5000};
	struct rate_request other = {"PATCH", "/Groups/1", 900, 5000};
	int allowed = 0;

	(void)state;
	assert_int_equal(rates_add(&rates, "PATCH /Groups 10 per 1000 burst 4 below 500", NULL), ERR_OK);
	for (int i = 0; i < 10; i++)
		allowed += rates_wait(&rates, &request) == 0;
	assert_int_equal(allowed, 4);
	assert_int_equal(rates_wait(&rates, &request), 100);
	assert_int_equal(rates_wait(&rates, &other), 0);
	for (allowed = 0; request.now_ms < 6000; request.now_ms += 10)
		allowed += rates_wait(&rates, &request) == 0;
	assert_in_range(allowed, 9, 10);
	request.now_ms += 10000;
	for (allowed = 0; rates_wait(&rates, &request) == 0; allowed++)
		;
	assert_int_equal(allowed, 4);
}

static void test_throttled_answers(void **state)
{
	struct world *w = *state;

	world_speak(w, "miro");
	for (int i = 0; i < 5; i++)
		assert_int_equal(world_call(w, "GET", "/Groups?count=1", ""), 200);
	assert_int_equal(world_call(w, "GET", "/Groups?count=1", ""), 429);
	assert_string_equal(w->answer.retry_after, "6");
	assert_int_equal(world_call(w, "GET", "/Groups/$0", ""), 200);
	world_behave(w, "retry-after=date");
	assert_int_equal(world_call(w, "GET", "/Groups?count=1", ""), 429);
	assert_string_equal(w->answer.retry_after, "Thu, 01 Jan 1970 00:16:46 GMT");
	world_behave(w, "retry-after=absent");
	assert_int_equal(world_call(w, "GET", "/Groups?count=1", ""), 429);
	assert_string_equal(w->answer.retry_after, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate_rules),
		cmocka_unit_test(test_rates),
		cmocka_unit_test_setup_teardown(test_throttled_answers, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
