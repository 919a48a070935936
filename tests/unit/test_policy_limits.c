/* The rules that only the store can judge: what it is told of them, and what becomes of its words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "activation/policy.h"

static void test_limits(void **state)
{
	static char one[] = "11111111-2222-3333-4444-000000000001",
		    two[] = "11111111-2222-3333-4444-000000000002";
	static char *ids[] = {one, two};
	static const struct {
		int64_t most;
		size_t others;
		bool eligible; /* by an administrator's word, which the store has to look at again */
		const char *text;
	} rows[] = {
		{0, 0, false, ""},
		{3, 0, false, "3 "},
		{0, 1, false, "0 11111111-2222-3333-4444-000000000001"},
		{7, 2, false, "7 11111111-2222-3333-4444-000000000001,11111111-2222-3333-4444-000000000002"},
		{0, 0, true, "0e "},
		{3, 0, true, "3e "},
		{0, 1, true, "0e 11111111-2222-3333-4444-000000000001"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy policy;
		struct buf out;

		policy_defaults(&policy);
		policy.max_active = rows[i].most;
		policy.exclusive = (struct policy_names){ids, rows[i].others};
		buf_init(&out, 1024);
		policy_print_limits(&policy, rows[i].eligible, &out);
		assert_string_equal(buf_text(&out), rows[i].text);
		buf_release(&out);
	}
}

/* Whose account it is comes behind whatever there is, also behind nothing. */
static void test_person(void **state)
{
	struct policy policy;
	struct buf out;

	(void)state;
	policy_defaults(&policy);
	buf_init(&out, 100);
	policy_print_person(NULL, &out);
	assert_string_equal(buf_text(&out), "");
	policy.max_active = 3;
	policy_print_limits(&policy, false, &out);
	policy_print_person("ann@x", &out);
	assert_string_equal(buf_text(&out), "3 \nann@x");
	buf_clear(&out);
	policy_print_person("ann@x", &out);
	assert_string_equal(buf_text(&out), "\nann@x");
	buf_release(&out);
}

#define FULL     "MaxActiveRule(3 at once,one more)"
#define EXCLUDED "ExclusiveGroupsRule(no group that excludes this one,such a group)"

/* "Rule(limit,given)" for refusals, then "+Rule" for those that passed, with a blank before each. */
static void describe(const struct policy_verdict *verdict, char out[1024])
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < verdict->count; i++)
		used += (size_t)snprintf(out + used, 1024 - used, " %s(%s,%s)", verdict->refusals[i].rule,
					 verdict->refusals[i].limit, verdict->refusals[i].given);
	for (size_t i = 0; i < verdict->passed_count; i++)
		used += (size_t)snprintf(out + used, 1024 - used, " +%s", verdict->passed[i]);
}

/* Nothing is said where there is no such limit. */
static void test_words(void **state)
{
	static char other[] = "11111111-2222-3333-4444-000000000001", *ids[] = {other};
	static const struct {
		int64_t most;
		size_t others;
		const char *beyond, *text;
	} rows[] = {
		{0, 0, "", " +EligibilityRule"},
		{3, 0, "", " +EligibilityRule +MaxActiveRule"},
		{3, 0, "full", " " FULL " +EligibilityRule"},
		{0, 1, "", " +EligibilityRule +ExclusiveGroupsRule"},
		{3, 1, "excluded", " " EXCLUDED " +EligibilityRule +MaxActiveRule"},
		{3, 1, "full excluded", " " FULL " " EXCLUDED " +EligibilityRule"},
		{0, 0, "ineligible", " EligibilityRule(eligible,not eligible)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_verdict verdict = {.passed_count = 1, .passed = {"EligibilityRule"}};
		struct policy policy;
		char text[1024];

		policy_defaults(&policy);
		policy.max_active = rows[i].most;
		policy.exclusive = (struct policy_names){ids, rows[i].others};
		policy_add_limits(&policy, rows[i].beyond, &verdict);
		describe(&verdict, text);
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_person),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
