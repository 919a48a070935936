/* Who is in a set of people: the eligible by name and by claim, their time, and the approvers of each stage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "activation/policy.h"

#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)
#define NOW  INT64_C(1800000000000) /* 2027-01-15 08:00 UTC */

static char amira[] = "amira@example.com", lead[] = "lead@example.com", head[] = "Head@example.com";
static char groups_claim[] = "groups", eng[] = "eng", ops[] = "ops", country_claim[] = "country", ch[] = "CH";

/* The defaults, with Amira, her lead and all engineers eligible. */
static struct policy usual_policy(struct policy_eligibility *eligibility)
{
	static char *names[] = {amira, lead};
	static char *values[] = {eng, ops};
	static struct policy_claim claims[] = {{groups_claim, {values, 2}}};
	struct policy policy;

	policy_defaults(&policy);
	*eligibility = (struct policy_eligibility){
		.people = {{names, 2}, {claims, 1}}, .start_ms = 0, .end_ms = INT64_MAX};
	policy.eligible = (struct policy_eligibilities){eligibility, 1};
	return policy;
}

/* Order and case of names do not matter, those of words' letters do. */
static void test_sorting(void **state)
{
	static char b[] = "b", upper_a[] = "A", c[] = "C", a[] = "a", upper_b[] = "B";
	char *names[] = {c, b, upper_a}, *words[] = {b, a, upper_b, upper_a};
	struct policy_names sorted = {names, 3}, by_bytes = {words, 4}, empty = {NULL, 0};

	(void)state;
	policy_names_sort(&sorted);
	assert_ptr_equal(names[0], upper_a);
	assert_ptr_equal(names[1], b);
	assert_ptr_equal(names[2], c);
	policy_words_sort(&by_bytes);
	assert_ptr_equal(words[0], upper_a);
	assert_ptr_equal(words[1], upper_b);
	assert_ptr_equal(words[2], a);
	assert_ptr_equal(words[3], b);
	policy_names_sort(&empty);
	policy_words_sort(&empty);
}

/* By claims: every claim that is named must have one of its values; a name is enough by itself. */
static void test_claims(void **state)
{
	static const struct {
		const char *user_name;
		struct policy_attribute attributes[3];
		size_t count;
		bool one_claim, two_claims; /* eligible where groups counts, and where country does too */
	} rows[] = {
		{"x", {{"groups", "eng"}}, 1, true, false},
		{"x", {{"groups", "ops"}}, 1, true, false},
		{"x", {{"groups", "all"}, {"groups", "eng"}}, 2, true, false},
		{"x", {{"groups", "eng"}, {"country", "CH"}}, 2, true, true},
		{"x", {{"country", "CH"}, {"groups", "all"}, {"groups", "ops"}}, 3, true, true},
		{NULL, {{"groups", "eng"}, {"country", "CH"}}, 2, true, true},
		{"x", {{"groups", "eng"}, {"country", "DE"}}, 2, true, false},
		{"x", {{"groups", "all"}, {"country", "CH"}}, 2, false, false},
		{"x", {{"groups", "ENG"}}, 1, false, false},
		{"x", {{"Groups", "eng"}}, 1, false, false},
		{"x", {{"groups", ""}}, 1, false, false},
		{"x", {{"roles", "eng"}}, 1, false, false},
		{"x", {{"groups", "engineers"}}, 1, false, false},
		{"x", {{NULL, NULL}}, 0, false, false},
		{"amira@example.com", {{NULL, NULL}}, 0, true, true},
	};
	char *countries[] = {ch}, *values[] = {eng, ops};
	struct policy_claim claims[] = {{groups_claim, {values, 2}}, {country_claim, {countries, 1}}};
	struct policy_eligibility one;
	struct policy policy = usual_policy(&one), strict = policy;
	struct policy_eligibility two = one;

	(void)state;
	two.people.claims = (struct policy_claims){claims, 2};
	strict.eligible.list = &two;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_person person = {.user_name = rows[i].user_name,
					       .attributes = rows[i].attributes,
					       .attribute_count = rows[i].count};

		if (policy_is_eligible(&policy, &person, NOW) != rows[i].one_claim ||
		    policy_is_eligible(&strict, &person, NOW) != rows[i].two_claims)
			fail_msg("row %zu", i);
	}
}

/* Eligibility counts where the activation starts: from its own start on, and no more at its end. */
static void test_eligibility_has_an_end(void **state)
{
	static const struct {
		int64_t now_ms, start_ms;
		bool eligible;
	} rows[] = {
		{NOW - 1, 0, false},       {NOW, 0, true},           {NOW + DAY - 1, 0, true},
		{NOW + DAY, 0, false},     {NOW - DAY, NOW, true},   {NOW - DAY, NOW - 1, false},
		{NOW, NOW + DAY, false},   {NOW + HOUR, NOW, true},  {NOW + DAY, NOW, false},
		{NOW + 2 * DAY, 0, false}, {NOW + 3 * DAY, 0, true}, {NOW + 9 * DAY, 0, true},
	};
	struct policy_eligibility entries[2];
	struct policy policy = usual_policy(&entries[0]);

	(void)state;
	entries[1] = entries[0];
	entries[0].start_ms = NOW;
	entries[0].end_ms = NOW + DAY;
	entries[1].start_ms = NOW + 3 * DAY;
	policy.eligible.count = 2;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_ask ask = {.person = {.user_name = amira},
					 .now_ms = rows[i].now_ms,
					 .start_ms = rows[i].start_ms,
					 .length_ms = HOUR,
					 .justification = "x"};
		struct policy_verdict verdict;

		policy_check(&policy, &ask, &verdict);
		if ((verdict.count == 0) != rows[i].eligible)
			fail_msg("row %zu", i);
		assert_true(verdict.count == 0 ||
			    (verdict.count == 1 && strcmp(verdict.refusals[0].rule, "EligibilityRule") == 0));
	}
}

static char *first[] = {lead}, *second[] = {amira, lead}, *others[] = {head};
static char *operators[] = {ops}, *engineers[] = {eng};
static struct policy_claim by_ops[] = {{groups_claim, {operators, 1}}},
			   by_eng[] = {{groups_claim, {engineers, 1}}};

/* One approver and after an hour their head or operations; then two of two; then any engineer. */
static struct policy staged_policy(void)
{
	static struct policy_stage stages[] = {
		{.approvers = {{first, 1}, {NULL, 0}},
		 .needed = 1,
		 .timeout_ms = DAY,
		 .escalation_after_ms = HOUR,
		 .escalation = {{others, 1}, {by_ops, 1}}},
		{.approvers = {{second, 2}, {NULL, 0}}, .needed = 2, .timeout_ms = HOUR},
		{.approvers = {{NULL, 0}, {by_eng, 1}}, .needed = 1, .timeout_ms = 2 * HOUR},
	};
	struct policy policy;

	policy_defaults(&policy);
	policy.approval = (struct policy_stages){stages, 3};
	return policy;
}

static void test_stages(void **state)
{
	static const struct {
		size_t stage;
		int64_t needed, timeout_ms;
	} rows[] = {
		{0, INT64_MAX, 0}, {1, 1, DAY},       {2, 2, HOUR},
		{3, 1, 2 * HOUR},  {4, INT64_MAX, 0}, {SIZE_MAX, INT64_MAX, 0},
	};
	struct policy policy = staged_policy(), open;

	(void)state;
	assert_true(policy_needs_approval(&policy, false));
	assert_false(policy_needs_approval(&policy, true));
	assert_int_equal(policy_stage_count(&policy), 3);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(policy_stage_needed(&policy, rows[i].stage), rows[i].needed);
		assert_int_equal(policy_timeout_ms(&policy, rows[i].stage), rows[i].timeout_ms);
	}
	policy_defaults(&open);
	assert_false(policy_needs_approval(&open, false));
	assert_int_equal(policy_stage_count(&open), 0);
	assert_int_equal(policy_stage_needed(&open, 1), INT64_MAX);
}

static void test_approvers(void **state)
{
	static const struct policy_attribute as_ops[] = {{"groups", "ops"}}, as_eng[] = {{"groups", "eng"}};
	static const struct {
		const char *user_name;
		const struct policy_attribute *attribute;
		size_t stage;
		int64_t waited_ms;
		bool may;
	} rows[] = {
		{"lead@example.com", NULL, 1, 0, true},
		{"LEAD@example.com", NULL, 1, 0, true},
		{"lead@example.com", NULL, 1, 2 * HOUR, true},
		{"lead@example.com", NULL, 2, 0, true},
		{"lead@example.com", NULL, 3, 0, false},
		{"lead@example.com", NULL, 0, 0, false},
		{"lead@example.com", NULL, 4, 0, false},
		{"head@example.com", NULL, 1, 0, false},
		{"head@example.com", NULL, 1, HOUR - 1, false},
		{"head@example.com", NULL, 1, HOUR, true},
		{"head@example.com", NULL, 2, DAY, false},
		{"x", as_ops, 1, HOUR - 1, false},
		{"x", as_ops, 1, HOUR, true},
		{"x", as_ops, 3, DAY, false},
		{"x", as_eng, 1, DAY, false},
		{"x", as_eng, 3, 0, true},
		{NULL, as_eng, 3, 0, true},
		{NULL, NULL, 1, DAY, false},
		{"", NULL, 1, DAY, false},
		{"amira@example.com", NULL, 1, DAY, false},
		{"amira@example.com", NULL, 2, 0, true},
	};
	struct policy policy = staged_policy();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_person person = {.user_name = rows[i].user_name,
					       .attributes = rows[i].attribute,
					       .attribute_count = rows[i].attribute ? 1 : 0};

		if (policy_is_approver(&policy, &person, rows[i].stage, rows[i].waited_ms) != rows[i].may)
			fail_msg("row %zu", i);
	}
}

/* Until when somebody is eligible without a gap: entries that meet or overlap add up, a gap of a millisecond ends it. */
static void test_eligible_until(void **state)
{
	static const struct {
		struct {
			int64_t start_ms, end_ms;
			bool others; /* it is not about Amira */
		} entries[3];
		size_t count;
		int64_t until_ms; /* NOW = not eligible then */
	} rows[] = {
		{{{0, 0, false}}, 0, NOW},
		{{{0, INT64_MAX, false}}, 1, INT64_MAX},
		{{{0, NOW + DAY, false}}, 1, NOW + DAY},
		{{{NOW, NOW + 1, false}}, 1, NOW + 1},
		{{{0, NOW, false}}, 1, NOW},
		{{{NOW + 1, INT64_MAX, false}}, 1, NOW},
		{{{0, INT64_MAX, true}}, 1, NOW},
		{{{0, NOW + DAY, false}, {NOW + DAY, NOW + 2 * DAY, false}}, 2, NOW + 2 * DAY},
		{{{0, NOW + DAY, false}, {NOW + DAY + 1, NOW + 2 * DAY, false}}, 2, NOW + DAY},
		{{{0, NOW + DAY, false}, {NOW + HOUR, NOW + 2 * DAY, false}}, 2, NOW + 2 * DAY},
		{{{0, NOW + DAY, false}, {NOW + HOUR, NOW + 2 * DAY, true}}, 2, NOW + DAY},
		{{{0, NOW + 2 * DAY, false}, {NOW + HOUR, NOW + DAY, false}}, 2, NOW + 2 * DAY},
		/* In whatever order they stand. */
		{{{NOW + 2 * DAY, NOW + 3 * DAY, false},
		  {NOW + DAY, NOW + 2 * DAY, false},
		  {0, NOW + DAY, false}},
		 3,
		 NOW + 3 * DAY},
		{{{NOW + 2 * DAY, NOW + 3 * DAY, false},
		  {NOW + DAY, NOW + 2 * DAY, true},
		  {0, NOW + DAY, false}},
		 3,
		 NOW + DAY},
	};
	static char *mine[] = {amira}, *theirs[] = {lead};
	struct policy_person person = {.user_name = amira};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_eligibility entries[3];
		struct policy policy;

		policy_defaults(&policy);
		for (size_t k = 0; k < rows[i].count; k++)
			entries[k] = (struct policy_eligibility){
				.people = {{rows[i].entries[k].others ? theirs : mine, 1}, {NULL, 0}},
				.start_ms = rows[i].entries[k].start_ms,
				.end_ms = rows[i].entries[k].end_ms};
		policy.eligible = (struct policy_eligibilities){entries, rows[i].count};
		if (policy_eligible_until_ms(&policy, &person, NOW, false) != rows[i].until_ms)
			fail_msg("row %zu", i);
		/* Who breaks the glass goes by that list alone. */
		assert_int_equal(policy_eligible_until_ms(&policy, &person, NOW, true), NOW);
		policy.break_glass = policy.eligible;
		policy.eligible.count = 0;
		if (policy_eligible_until_ms(&policy, &person, NOW, true) != rows[i].until_ms)
			fail_msg("row %zu, break-glass", i);
		assert_int_equal(policy_eligible_until_ms(&policy, &person, NOW, false), NOW);
	}
}

/* An empty set holds nobody, not everybody; a set of names can be counted. */
static void test_sets(void **state)
{
	struct policy_people nobody = {0};
	struct policy_person person = {.user_name = amira};
	struct policy_stage overlapping = {.approvers = {{second, 2}, {NULL, 0}},
					   .escalation = {{first, 1}, {NULL, 0}}};
	struct policy policy = staged_policy();

	(void)state;
	assert_false(policy_people_hold(&nobody, &person));
	assert_int_equal(policy_stage_named(&overlapping), 2);
	assert_true(policy_stage_named(&policy.approval.list[0]) == SIZE_MAX);
	assert_int_equal(policy_stage_named(&policy.approval.list[1]), 2);
	assert_true(policy_stage_named(&policy.approval.list[2]) == SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorting),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_eligibility_has_an_end),
		cmocka_unit_test(test_eligible_until),
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_approvers),
		cmocka_unit_test(test_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
