/* A group's rules against what is asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "activation/policy.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)

/* The defaults, with these eligible people; `names` belongs to the test. */
static struct policy policy_of(char **names, size_t count)
{
	struct policy policy;

	policy_defaults(&policy);
	policy.eligible = names;
	policy.eligible_count = count;
	return policy;
}

/* "Rule(limit,given) …", in the order of the verdict. */
static void describe(const struct policy_verdict *verdict, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < verdict->count; i++) {
		const struct policy_refusal *r = &verdict->refusals[i];
		int len = snprintf(out + used, size - used, "%s%s(%s,%s)", i ? " " : "", r->rule, r->limit,
				   r->given);

		assert_true(len > 0 && (size_t)len < size - used);
		used += (size_t)len;
	}
}

static void test_defaults(void **state)
{
	struct policy policy;

	(void)state;
	memset(&policy, 0xff, sizeof(policy));
	policy_defaults(&policy);
	assert_int_equal(policy.max_ms, 8 * HOUR);
	assert_int_equal(policy.min_ms, 5 * MINUTE);
	assert_int_equal(policy.default_ms, HOUR);
	assert_true(policy.justification_required);
	assert_null(policy.eligible);
	assert_int_equal(policy.eligible_count, 0);
}

static void test_rules(void **state)
{
	static const struct {
		const char *user_name;
		int64_t length_ms;
		const char *justification;
		const char *refusals;
	} rows[] = {
		{"amira@example.com", HOUR, "release 7", ""},
		{"AMIRA@example.COM", HOUR, "release 7", ""},
		{"lead@example.com", HOUR, "release 7", ""},
		{"amira@example.co", HOUR, "x", "EligibilityRule(eligible,not eligible)"},
		{"amira@example.com.evil", HOUR, "x", "EligibilityRule(eligible,not eligible)"},
		{"", HOUR, "x", "EligibilityRule(eligible,not eligible)"},
		{NULL, HOUR, "x", "EligibilityRule(eligible,not eligible)"},
		{"amira@example.com", 8 * HOUR, "x", ""},
		{"amira@example.com", 8 * HOUR + 1, "x", "ExpirationRule(PT8H,PT8H0.001S)"},
		{"amira@example.com", 12 * HOUR, "x", "ExpirationRule(PT8H,PT12H)"},
		{"amira@example.com", 5 * MINUTE, "x", ""},
		{"amira@example.com", 5 * MINUTE - 1, "x", "ExpirationRule(PT5M,PT4M59.999S)"},
		{"amira@example.com", 90000, "x", "ExpirationRule(PT5M,PT1M30S)"},
		{"amira@example.com", 0, "x", "ExpirationRule(PT5M,PT0S)"},
		{"amira@example.com", -HOUR, "x", "ExpirationRule(PT5M,PT0S)"},
		{"amira@example.com", HOUR, "", "JustificationRule(required,none)"},
		{"amira@example.com", HOUR, NULL, "JustificationRule(required,none)"},
		{"amira@example.com", HOUR, " \t\r\n", "JustificationRule(required,none)"},
		{"amira@example.com", HOUR, " . ", ""},
		{"somebody@example.com", 9 * HOUR, " ",
		 "EligibilityRule(eligible,not eligible) ExpirationRule(PT8H,PT9H) "
		 "JustificationRule(required,none)"},
	};
	char amira[] = "Amira@Example.com", lead[] = "lead@example.com";
	char *names[] = {amira, lead};
	struct policy policy = policy_of(names, 2);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_ask ask = {rows[i].user_name, rows[i].length_ms, rows[i].justification};
		struct policy_verdict verdict = {.count = 99};
		char text[1024];

		policy_check(&policy, &ask, &verdict);
		describe(&verdict, text, sizeof(text));
		if (strcmp(text, rows[i].refusals) != 0)
			fail_msg("row %zu: %s", i, text);
	}
}

/* An end that is never reached is too long like any other. */
static void test_longest_length(void **state)
{
	char amira[] = "amira";
	char *names[] = {amira};
	struct policy policy = policy_of(names, 1);
	struct policy_ask ask = {"amira", INT64_MAX, "x"};
	struct policy_verdict verdict;

	(void)state;
	policy_check(&policy, &ask, &verdict);
	assert_int_equal(verdict.count, 1);
	assert_string_equal(verdict.refusals[0].rule, "ExpirationRule");
	assert_string_equal(verdict.refusals[0].limit, "PT8H");
	assert_true(strncmp(verdict.refusals[0].given, "PT", 2) == 0);
}

static void test_optional_justification(void **state)
{
	char amira[] = "amira";
	char *names[] = {amira};
	struct policy policy = policy_of(names, 1);
	struct policy_ask ask = {"amira", HOUR, ""};
	struct policy_verdict verdict;

	(void)state;
	policy.justification_required = false;
	policy_check(&policy, &ask, &verdict);
	assert_int_equal(verdict.count, 0);
}

static void test_nobody_is_eligible_by_default(void **state)
{
	struct policy policy = policy_of(NULL, 0);
	struct policy_ask ask = {"amira", HOUR, "x"};
	struct policy_verdict verdict;

	(void)state;
	policy_check(&policy, &ask, &verdict);
	assert_int_equal(verdict.count, 1);
	assert_string_equal(verdict.refusals[0].rule, "EligibilityRule");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_longest_length),
		cmocka_unit_test(test_optional_justification),
		cmocka_unit_test(test_nobody_is_eligible_by_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
