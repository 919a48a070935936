/* The rules of a policy against what is asked for: one row for each rule and outcome. */
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
#define NOW    INT64_C(1800000000000) /* 2027-01-15 08:00 UTC, a Friday */

static char amira[] = "amira@example.com", lead[] = "lead@example.com", oncall[] = "oncall@example.com";
static char groups_claim[] = "groups", eng[] = "eng", ops[] = "ops";

/* The defaults, with Amira and all engineers eligible. */
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

static struct policy_ask usual_ask(void)
{
	return (struct policy_ask){.person = {.user_name = amira},
				   .now_ms = NOW,
				   .length_ms = HOUR,
				   .justification = "release 7"};
}

static void add(char *out, size_t size, const char *separator, const char *text)
{
	size_t used = strlen(out);
	int len = snprintf(out + used, size - used, "%s%s", used ? separator : "", text);

	assert_true(len >= 0 && (size_t)len < size - used);
}

/* "Rule(limit,given) …" for refusals, then "+Rule …" for those that passed. */
static void describe(const struct policy_verdict *verdict, char *out, size_t size)
{
	char text[512];

	out[0] = '\0';
	for (size_t i = 0; i < verdict->count; i++) {
		const struct policy_refusal *r = &verdict->refusals[i];

		snprintf(text, sizeof(text), "%s(%s,%s)", r->rule, r->limit, r->given);
		add(out, size, " ", text);
	}
	for (size_t i = 0; i < verdict->passed_count; i++) {
		snprintf(text, sizeof(text), "+%s", verdict->passed[i]);
		add(out, size, " ", text);
	}
}

static void expect(const struct policy *policy, const struct policy_ask *ask, const char *row,
		   const char *wanted)
{
	struct policy_verdict verdict = {.count = 99, .passed_count = 99};
	char text[2048];

	policy_check(policy, ask, &verdict);
	describe(&verdict, text, sizeof(text));
	if (strcmp(text, wanted) != 0)
		fail_msg("%s: expected\n%s\nbut got\n%s", row, wanted, text);
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
	assert_int_equal(policy.eligible.count, 0);
	assert_false(policy.ticket_required);
	assert_null(policy.ticket_pattern);
	assert_int_equal(policy.max_active, 0);
	assert_false(policy_needs_approval(&policy, false));
	assert_int_equal(policy.clock, POLICY_CLOCK_GRANT);
	assert_int_equal(policy.on_lost, POLICY_LOST_KEEP);
}

#define BASE_PASSED "+EligibilityRule +ExpirationRule +JustificationRule"

static void test_rules(void **state)
{
	static const struct {
		const char *user_name;
		int64_t length_ms;
		const char *justification;
		const char *wanted;
	} rows[] = {
		{"amira@example.com", HOUR, "release 7", BASE_PASSED},
		{"AMIRA@example.COM", HOUR, "release 7", BASE_PASSED},
		{"lead@example.com", HOUR, "release 7", BASE_PASSED},
		{"amira@example.co", HOUR, "x",
		 "EligibilityRule(eligible,not eligible) +ExpirationRule +JustificationRule"},
		{"amira@example.com.evil", HOUR, "x",
		 "EligibilityRule(eligible,not eligible) +ExpirationRule +JustificationRule"},
		{"", HOUR, "x", "EligibilityRule(eligible,not eligible) +ExpirationRule +JustificationRule"},
		{NULL, HOUR, "x",
		 "EligibilityRule(eligible,not eligible) +ExpirationRule +JustificationRule"},
		{"amira@example.com", 8 * HOUR, "x", BASE_PASSED},
		{"amira@example.com", 8 * HOUR + 1, "x",
		 "ExpirationRule(PT8H,PT8H0.001S) +EligibilityRule +JustificationRule"},
		{"amira@example.com", 12 * HOUR, "x",
		 "ExpirationRule(PT8H,PT12H) +EligibilityRule +JustificationRule"},
		{"amira@example.com", 5 * MINUTE, "x", BASE_PASSED},
		{"amira@example.com", 5 * MINUTE - 1, "x",
		 "ExpirationRule(PT5M,PT4M59.999S) +EligibilityRule +JustificationRule"},
		{"amira@example.com", 0, "x",
		 "ExpirationRule(PT5M,PT0S) +EligibilityRule +JustificationRule"},
		{"amira@example.com", -HOUR, "x",
		 "ExpirationRule(PT5M,PT0S) +EligibilityRule +JustificationRule"},
		{"amira@example.com", HOUR, "",
		 "JustificationRule(required,none) +EligibilityRule +ExpirationRule"},
		{"amira@example.com", HOUR, NULL,
		 "JustificationRule(required,none) +EligibilityRule +ExpirationRule"},
		{"amira@example.com", HOUR, " \t\r\n",
		 "JustificationRule(required,none) +EligibilityRule +ExpirationRule"},
		{"amira@example.com", HOUR, " . ", BASE_PASSED},
		{"somebody@example.com", 9 * HOUR, " ",
		 "EligibilityRule(eligible,not eligible) ExpirationRule(PT8H,PT9H) "
		 "JustificationRule(required,none)"},
	};
	struct policy_eligibility eligibility;
	struct policy policy = usual_policy(&eligibility);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_ask ask = usual_ask();
		char row[16];

		ask.person.user_name = rows[i].user_name;
		ask.length_ms = rows[i].length_ms;
		ask.justification = rows[i].justification;
		snprintf(row, sizeof(row), "row %zu", i);
		expect(&policy, &ask, row, rows[i].wanted);
	}
}

/* An end that is never reached is too long like any other. */
static void test_longest_length(void **state)
{
	struct policy_eligibility eligibility;
	struct policy policy = usual_policy(&eligibility);
	struct policy_ask ask = usual_ask();
	struct policy_verdict verdict;

	(void)state;
	ask.length_ms = INT64_MAX;
	policy_check(&policy, &ask, &verdict);
	assert_int_equal(verdict.count, 1);
	assert_string_equal(verdict.refusals[0].rule, "ExpirationRule");
	assert_string_equal(verdict.refusals[0].limit, "PT8H");
	assert_true(strncmp(verdict.refusals[0].given, "PT", 2) == 0);
}

static void test_nobody_is_eligible_by_default(void **state)
{
	struct policy policy;
	struct policy_ask ask = usual_ask();

	(void)state;
	policy_defaults(&policy);
	expect(&policy, &ask, "default",
	       "EligibilityRule(eligible,not eligible) +ExpirationRule +JustificationRule");
}

/* Who is eligible by an administrator's word: that opens the group, and nothing else of its rules. */
static void test_eligible_by_word(void **state)
{
	static const struct {
		bool by_word, glass;
		int64_t length_ms;
		const char *wanted;
	} rows[] = {
		{true, false, HOUR, BASE_PASSED},
		{false, false, HOUR,
		 "EligibilityRule(eligible,not eligible) +ExpirationRule +JustificationRule"},
		{true, false, 9 * HOUR, "ExpirationRule(PT8H,PT9H) +EligibilityRule +JustificationRule"},
		/* The glass is for those alone whom the policy names. */
		{true, true, HOUR,
		 "EligibilityRule(may break the glass,may not) +ExpirationRule +JustificationRule"},
	};
	struct policy policy;

	(void)state;
	policy_defaults(&policy);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_ask ask = usual_ask();
		char row[16];

		ask.is_eligible = rows[i].by_word;
		ask.break_glass = rows[i].glass;
		ask.length_ms = rows[i].length_ms;
		snprintf(row, sizeof(row), "row %zu", i);
		expect(&policy, &ask, row, rows[i].wanted);
	}
}

static void test_justification(void **state)
{
	static const struct {
		bool required;
		int64_t min;
		const char *text, *wanted; /* of this rule */
	} rows[] = {
		{true, 0, "x", " +JustificationRule"},
		{true, 5, "hello", " +JustificationRule"},
		{true, 5, "hell", "JustificationRule(5 characters,4 characters)"},
		{true, 5, " hell ", "JustificationRule(5 characters,4 characters)"},
		{true, 5, "häßlö", " +JustificationRule"},
		{true, 5, "äöü", "JustificationRule(5 characters,3 characters)"},
		{true, 5, "", "JustificationRule(required,none)"},
		{false, 0, "", ""},
		{false, 0, "x", ""},
		{false, 5, NULL, " +JustificationRule"},
		{false, 5, "x", "JustificationRule(5 characters,1 characters)"},
		{false, 5, "a b c", " +JustificationRule"},
	};
	struct policy_eligibility eligibility;
	struct policy policy = usual_policy(&eligibility);
	struct policy_ask ask = usual_ask();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char row[16], wanted[256];
		bool passes = rows[i].wanted[0] == ' ' || rows[i].wanted[0] == '\0';

		policy.justification_required = rows[i].required;
		policy.justification_min = rows[i].min;
		ask.justification = rows[i].text;
		snprintf(row, sizeof(row), "row %zu", i);
		snprintf(wanted, sizeof(wanted), "%s%s+EligibilityRule +ExpirationRule%s",
			 passes ? "" : rows[i].wanted, passes ? "" : " ", passes ? rows[i].wanted : "");
		expect(&policy, &ask, row, wanted);
	}
}

static void test_tickets(void **state)
{
	static const struct {
		bool required;
		const char *pattern, *number, *wanted;
	} rows[] = {
		{false, NULL, NULL, ""},
		{false, NULL, "anything", ""},
		{true, NULL, "anything", "pass"},
		{true, NULL, NULL, "TicketingRule(required,none)"},
		{true, NULL, "  ", "TicketingRule(required,none)"},
		{true, "^INC[0-9]+$", "INC1", "pass"},
		{true, "^INC[0-9]+$", "", "TicketingRule(required,none)"},
		{true, "^INC[0-9]+$", "inc1", "TicketingRule(^INC[0-9]+$,inc1)"},
		{true, "^INC[0-9]+$", "INC", "TicketingRule(^INC[0-9]+$,INC)"},
		{true, "^INC[0-9]+$", "xINC1", "TicketingRule(^INC[0-9]+$,xINC1)"},
		{true, "^INC[0-9]+$", "INC1x", "TicketingRule(^INC[0-9]+$,INC1x)"},
		{true, "^INC[0-9]+$", "INC1\nINC2", "TicketingRule(^INC[0-9]+$,INC1\nINC2)"},
		{true, "INC[0-9]+", "see INC12 there", "pass"},
		{true, "^(INC|CHG)-[A-Z]{2}$", "CHG-ZH", "pass"},
		{false, "^INC[0-9]+$", NULL, "pass"},
		{false, "^INC[0-9]+$", "CHG1", "TicketingRule(^INC[0-9]+$,CHG1)"},
	};
	struct policy_eligibility eligibility;
	struct policy policy = usual_policy(&eligibility);
	struct policy_ask ask = usual_ask();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_pattern pattern;
		char row[16], wanted[256], text[64];
		bool refused = strchr(rows[i].wanted, '(') != NULL;

		snprintf(text, sizeof(text), "%s", rows[i].pattern ? rows[i].pattern : "x");
		pattern.text = text;
		assert_int_equal(regcomp(&pattern.compiled, text, REG_EXTENDED | REG_NOSUB), 0);
		policy.ticket_required = rows[i].required;
		policy.ticket_pattern = rows[i].pattern ? &pattern : NULL;
		ask.ticket_number = rows[i].number;
		snprintf(row, sizeof(row), "row %zu", i);
		snprintf(wanted, sizeof(wanted), "%s%s" BASE_PASSED "%s", refused ? rows[i].wanted : "",
			 refused ? " " : "", rows[i].wanted[0] && !refused ? " +TicketingRule" : "");
		expect(&policy, &ask, row, wanted);
		regfree(&pattern.compiled);
	}
}

/* What a caller sent is cut before a character, so that the answer stays UTF-8. */
static void test_long_texts_are_cut(void **state)
{
	struct policy_eligibility eligibility;
	struct policy policy = usual_policy(&eligibility);
	struct policy_ask ask = usual_ask();
	struct policy_verdict verdict;
	char text[] = "^x$", number[129];
	struct policy_pattern pattern = {.text = text};

	(void)state;
	assert_int_equal(regcomp(&pattern.compiled, text, REG_EXTENDED | REG_NOSUB), 0);
	policy.ticket_pattern = &pattern;
	for (size_t i = 0; i < 128; i += 2)
		memcpy(number + i, "ä", 2);
	number[128] = '\0';
	ask.ticket_number = number;
	policy_check(&policy, &ask, &verdict);
	assert_int_equal(verdict.count, 1);
	assert_int_equal(strlen(verdict.refusals[0].given), 126);
	assert_memory_equal(verdict.refusals[0].given, number, 126);
	regfree(&pattern.compiled);
}

static void test_authentication(void **state)
{
	static char mfa[] = "mfa", c1[] = "c1", hwk[] = "hwk";
	static char *only_mfa[] = {mfa}, *strong[] = {c1, hwk, mfa}, *context[] = {c1};
	static const char *const pwd[] = {"pwd"}, *const both[] = {"pwd", "mfa"}, *const upper[] = {"MFA"},
				 *const key[] = {"hwk", "user"};
	static const struct {
		struct policy_names wanted;
		const char *const *methods;
		size_t count;
		const char *refused, *passed;
	} rows[] = {
		{{NULL, 0}, NULL, 0, "", ""},
		{{only_mfa, 1}, both, 2, "", " +MfaRule"},
		{{only_mfa, 1}, pwd, 1, "MfaRule(mfa,pwd) ", ""},
		{{only_mfa, 1}, upper, 1, "MfaRule(mfa,MFA) ", ""},
		{{only_mfa, 1}, NULL, 0, "MfaRule(mfa,none) ", ""},
		{{context, 1}, both, 2, "AcrsRule(c1,pwd,mfa) ", ""},
		{{strong, 3}, both, 2, "", " +AcrsRule"},
		{{strong, 3}, key, 2, "", " +AcrsRule"},
		{{strong, 3}, pwd, 1, "AcrsRule(c1,hwk,mfa,pwd) ", ""},
	};
	struct policy_eligibility eligibility;
	struct policy policy = usual_policy(&eligibility);
	struct policy_ask ask = usual_ask();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char row[16], wanted[256];

		policy.authentication = rows[i].wanted;
		ask.person.methods = rows[i].methods;
		ask.person.method_count = rows[i].count;
		ask.is_recheck = false;
		snprintf(row, sizeof(row), "row %zu", i);
		snprintf(wanted, sizeof(wanted), "%s" BASE_PASSED "%s", rows[i].refused, rows[i].passed);
		expect(&policy, &ask, row, wanted);
		/* It was shown when the request was made, and cannot be shown at its start. */
		ask.is_recheck = true;
		expect(&policy, &ask, row, BASE_PASSED);
	}
}

/* Whoever breaks the glass needs a reason, but no approval and no office hours; everything else still holds. */
static void test_break_glass(void **state)
{
	static char *keepers[] = {oncall};
	static char mfa[] = "mfa", *methods[] = {mfa};
	struct policy_offset offset = {INT64_MIN, 0};
	struct policy_zone utc = {.name = "UTC", .offsets = &offset, .count = 1};
	struct policy_window never_now = {.zone = &utc, .days = 1, .from = 0, .to = 60};
	struct policy_eligibility eligibility,
		glass = {.people = {{keepers, 1}, {NULL, 0}}, .end_ms = NOW + 1};
	struct policy_stage stage = {.needed = 1};
	struct policy policy = usual_policy(&eligibility);
	struct policy_ask ask = usual_ask();

	(void)state;
	policy.break_glass = (struct policy_eligibilities){&glass, 1};
	policy.hours = (struct policy_windows){&never_now, 1};
	policy.approval = (struct policy_stages){&stage, 1};
	policy.justification_required = false;
	ask.person.user_name = oncall;
	ask.break_glass = true;
	expect(&policy, &ask, "keeper", BASE_PASSED);
	assert_false(policy_needs_approval(&policy, true));
	assert_true(policy_needs_approval(&policy, false));
	ask.justification = " ";
	expect(&policy, &ask, "without a reason",
	       "JustificationRule(required,none) +EligibilityRule +ExpirationRule");
	ask.justification = "fire";
	policy.authentication = (struct policy_names){methods, 1};
	expect(&policy, &ask, "signed in weakly", "MfaRule(mfa,none) " BASE_PASSED);
	policy.authentication.count = 0;
	ask.now_ms = NOW + 1;
	expect(&policy, &ask, "too late",
	       "EligibilityRule(may break the glass,may not) +ExpirationRule +JustificationRule");
	ask.now_ms = NOW;
	ask.person.user_name = amira; /* eligible, but not for this */
	expect(&policy, &ask, "eligible only",
	       "EligibilityRule(may break the glass,may not) +ExpirationRule +JustificationRule");
	ask.break_glass = false;
	ask.person.user_name = oncall;
	expect(&policy, &ask, "keeper, in the ordinary way",
	       "EligibilityRule(eligible,not eligible) ActivationDayRule(mon 00:00-01:00 UTC,fri 08:00 UTC) "
	       "+ExpirationRule +ApprovalRule");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),         cmocka_unit_test(test_rules),
		cmocka_unit_test(test_longest_length),   cmocka_unit_test(test_nobody_is_eligible_by_default),
		cmocka_unit_test(test_eligible_by_word), cmocka_unit_test(test_justification),
		cmocka_unit_test(test_tickets),          cmocka_unit_test(test_long_texts_are_cut),
		cmocka_unit_test(test_authentication),   cmocka_unit_test(test_break_glass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
