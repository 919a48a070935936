/* What each group of tests/golden/config/policy.yaml has in the end: its own rules, and those that it inherits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)

/* Parses the text without looking at files; *report is to be freed. NULL when it was refused. */
static struct config *parse(const char *text, size_t len, char **report)
{
	struct config_source source = {.name = "x.yaml", .text = text, .len = len, .skip_files = true};
	struct config *config = NULL;
	size_t report_len;
	FILE *memory = open_memstream(report, &report_len);

	assert_non_null(memory);
	enum err err = config_parse(&source, memory, &config);
	assert_int_equal(fclose(memory), 0);
	assert_int_equal(err, config ? ERR_OK : ERR_CONFIG);
	return config;
}

static int load(void **state)
{
	char *text = NULL, *report;
	size_t len;
	FILE *file = fopen("tests/golden/config/policy.yaml", "re"), *memory = open_memstream(&text, &len);

	assert_non_null(memory);
	if (!file)
		fail_msg("tests run in the top folder");
	for (int c = fgetc(file); c != EOF; c = fgetc(file))
		fputc(c, memory);
	fclose(file);
	assert_int_equal(fclose(memory), 0);
	struct config *config = parse(text, len, &report);
	if (!config || report[0])
		fail_msg("%s", report);
	free(report);
	free(text);
	*state = config;
	return 0;
}

static int unload(void **state)
{
	config_unref(*state);
	return 0;
}

static const struct policy *policy_of(void **state, int number)
{
	char id[64];

	snprintf(id, sizeof(id), "11111111-2222-3333-4444-%012d", number);
	const struct config_group *group = config_group(*state, id);
	assert_non_null(group);
	return &group->policy;
}

/* "a,b" in the order of the list. */
static void assert_names(const struct policy_names *names, const char *wanted)
{
	char text[1024] = "";
	size_t used = 0;

	for (size_t i = 0; i < names->count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? "," : "",
					 names->list[i]);
	assert_string_equal(text, wanted);
}

static void assert_claim(const struct policy_claims *claims, size_t index, const char *name,
			 const char *values)
{
	assert_true(index < claims->count);
	assert_string_equal(claims->list[index].name, name);
	assert_names(&claims->list[index].values, values);
}

static void test_all_inherited(void **state)
{
	const struct policy *policy = policy_of(state, 1);

	assert_int_equal(policy->eligible.count, 1);
	assert_int_equal(policy->eligible.list[0].people.principals.count, 0);
	assert_claim(&policy->eligible.list[0].people.claims, 0, "groups", "staff");
	assert_int_equal(policy->eligible.list[0].start_ms, 0);
	assert_true(policy->eligible.list[0].end_ms == INT64_MAX);
	assert_int_equal(policy->max_ms, 4 * HOUR);
	assert_int_equal(policy->min_ms, 5 * MINUTE);
	assert_int_equal(policy->default_ms, 45 * MINUTE); /* the application's, before the defaults' */
	assert_true(policy->justification_required);
	assert_int_equal(policy->justification_min, 5);
	assert_true(policy->ticket_required);
	assert_string_equal(policy->ticket_pattern->text, "^INC[0-9]{1,7}$");
	assert_int_equal(regexec(&policy->ticket_pattern->compiled, "INC1234567", 0, NULL, 0), 0);
	assert_int_not_equal(regexec(&policy->ticket_pattern->compiled, "INC12345678", 0, NULL, 0), 0);
	assert_names(&policy->authentication, "mfa");
	assert_int_equal(policy_stage_count(policy), 1);
	assert_names(&policy->approval.list[0].approvers.principals, "lead@example.com");
	assert_int_equal(policy_timeout_ms(policy, 1), 12 * HOUR);
	assert_int_equal(policy->hours.count, 1);
	assert_string_equal(policy->hours.list[0].zone->name, "Europe/Zurich");
	assert_int_equal(policy->hours.list[0].days, 0x1f);
	assert_int_equal(policy->hours.list[0].from, 8 * 60);
	assert_int_equal(policy->hours.list[0].to, 18 * 60);
	assert_int_equal(policy->break_glass.count, 1);
	assert_names(&policy->break_glass.list[0].people.principals, "oncall@example.com");
	assert_claim(&policy->break_glass.list[0].people.claims, 0, "groups", "on-call");
	assert_true(policy->break_glass.list[0].end_ms == INT64_MAX);
	assert_int_equal(policy->clock, POLICY_CLOCK_PROVISIONED);
	assert_int_equal(policy->on_lost, POLICY_LOST_REMOVE);
	assert_int_equal(policy->max_active, 7);
	assert_names(&policy->notify, "security@example.com");
}

static void test_own_eligibility(void **state)
{
	const struct policy_eligibilities *eligible = &policy_of(state, 2)->eligible;

	assert_int_equal(eligible->count, 2);
	/* In order, and nobody twice. */
	assert_names(&eligible->list[0].people.principals, "amira@example.com,Zoe@example.com");
	assert_int_equal(eligible->list[0].people.claims.count, 0);
	assert_int_equal(eligible->list[0].start_ms, INT64_C(1767222000000));
	assert_true(eligible->list[0].end_ms == INT64_MAX);
	assert_claim(&eligible->list[1].people.claims, 0, "groups", "eng,ops");
	assert_claim(&eligible->list[1].people.claims, 1, "department", "it");
	assert_int_equal(eligible->list[1].start_ms, 0);
	assert_int_equal(eligible->list[1].end_ms, INT64_C(4070908800000));
}

static void test_own_rules(void **state)
{
	const struct policy *policy = policy_of(state, 2);

	assert_int_equal(policy->max_ms, 2 * HOUR);
	assert_int_equal(policy->min_ms, 10 * MINUTE);
	assert_int_equal(policy->default_ms, 20 * MINUTE);
	assert_false(policy->justification_required);
	assert_int_equal(policy->justification_min, 0);
	assert_false(policy->ticket_required);
	assert_null(policy->ticket_pattern);
	assert_names(&policy->authentication, "c1,mfa");
	assert_int_equal(policy->hours.count, 2);
	assert_string_equal(policy->hours.list[0].zone->name, "UTC");
	assert_int_equal(policy->hours.list[0].days, 0x60);
	assert_int_equal(policy->hours.list[0].from, 0);
	assert_int_equal(policy->hours.list[0].to, 24 * 60);
	assert_string_equal(policy->hours.list[1].zone->name, "America/New_York");
	assert_int_equal(policy->hours.list[1].days, 0x71); /* Friday to Monday */
	assert_int_equal(policy->hours.list[1].from, 22 * 60);
	assert_int_equal(policy->hours.list[1].to, 6 * 60);
	assert_int_equal(policy->max_active, 3);
	assert_int_equal(policy->break_glass.count, 0);
	assert_int_equal(policy->clock, POLICY_CLOCK_GRANT);
	assert_int_equal(policy->on_lost, POLICY_LOST_KEEP);
	assert_int_equal(policy->notify.count, 0);
}

/* What stands beside the stages holds for each that does not say otherwise. */
static void test_own_stages(void **state)
{
	const struct policy *policy = policy_of(state, 2);
	const struct policy_stage *stages = policy->approval.list;

	assert_int_equal(policy_stage_count(policy), 2);
	assert_names(&stages[0].approvers.principals, "x,y");
	assert_int_equal(stages[0].needed, 2);
	assert_int_equal(stages[0].timeout_ms, 6 * HOUR);
	assert_int_equal(stages[0].escalation_after_ms, HOUR);
	assert_names(&stages[0].escalation.principals, "z");
	assert_claim(&stages[0].escalation.claims, 0, "groups", "heads");
	assert_int_equal(stages[1].approvers.principals.count, 0);
	assert_claim(&stages[1].approvers.claims, 0, "groups", "owners");
	assert_int_equal(stages[1].needed, 1);
	assert_int_equal(stages[1].timeout_ms, HOUR);
	assert_int_equal(stages[1].escalation_after_ms, 0);
}

/* What is said to be none is not inherited. */
static void test_nothing(void **state)
{
	const struct policy *policy = policy_of(state, 3);

	assert_int_equal(policy->authentication.count, 0);
	assert_false(policy_needs_approval(policy, false));
	assert_int_equal(policy->hours.count, 0);
	assert_int_equal(policy->break_glass.count, 0);
	assert_int_equal(policy->notify.count, 0);
	assert_false(policy->ticket_required);
	assert_non_null(policy->ticket_pattern); /* of which nothing was said */
	assert_int_equal(policy->max_ms, 4 * HOUR);
	assert_int_equal(policy->clock, POLICY_CLOCK_PROVISIONED);
}

static void test_equal_stages(void **state)
{
	const struct policy *policy = policy_of(state, 4);

	assert_int_equal(policy_stage_count(policy), 2);
	for (size_t i = 0; i < 2; i++) {
		assert_names(&policy->approval.list[i].approvers.principals, "x");
		assert_int_equal(policy->approval.list[i].needed, 1);
		assert_int_equal(policy->approval.list[i].timeout_ms, 24 * HOUR); /* inherited as a whole */
	}
	assert_int_equal(policy->default_ms, 30 * MINUTE); /* its application says nothing */
	assert_int_equal(policy->clock, POLICY_CLOCK_GRANT);
}

/* Groups exclude each other, whichever of the two says so; a group's own id in an inherited list means nothing. */
static void test_exclusive(void **state)
{
	static const struct {
		int group;
		const char *others; /* last digits */
	} rows[] = {{1, "56"}, {2, "3"}, {3, "2"}, {4, ""}, {5, "16"}, {6, "15"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct policy_names *ids = &policy_of(state, rows[i].group)->exclusive;

		assert_int_equal(ids->count, strlen(rows[i].others));
		for (size_t k = 0; k < ids->count; k++)
			assert_int_equal(ids->list[k][ID_SIZE - 2], rows[i].others[k]);
	}
}

/* One long list for many groups is kept once, and one zone is read once. */
static void test_what_is_inherited_is_shared(void **state)
{
	char *text = NULL, *report;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	fputs("environment: test\npolicy: {defaults: {eligible: {principals: [x", out);
	for (int i = 0; i < 2000; i++)
		fprintf(out, ", p%d", i);
	fputs("]}, activation: {hours: {zone: Europe/Zurich}}}}\n"
	      "applications: [{id: a, scim: {url: \"https://x\", token: file:t}}]\ngroups:\n",
	      out);
	for (int i = 0; i < 5000; i++)
		fprintf(out, "  - {id: 11111111-2222-3333-4444-%012d, application: a, name: g%d}\n", i, i);
	assert_int_equal(fclose(out), 0);
	struct config *config = parse(text, len, &report);
	if (!config)
		fail_msg("%.1000s", report);
	assert_int_equal(config->group_count, 5000);
	const struct policy *first = &config->groups[0].policy;
	for (size_t i = 1; i < config->group_count; i++) {
		const struct policy *policy = &config->groups[i].policy;

		assert_ptr_equal(policy->eligible.list, first->eligible.list);
		assert_ptr_equal(policy->hours.list, first->hours.list);
	}
	assert_int_equal(first->eligible.list[0].people.principals.count, 2001);
	config_unref(config);
	free(report);
	free(text);
}

/* Of a token is kept what policies and roles look at, and what users' attributes are made from. */
static void test_claims_that_are_kept(void **state)
{
	static const char text[] = "environment: test\n"
				   "auditors: {claims: {duty: [watch]}}\n"
				   "timers: {claims: {shift: [night]}}\n"
				   "applications:\n"
				   "  - id: aws\n"
				   "    scim: {url: \"https://scim.example.com/scim/v2\", token: file:t}\n"
				   "    users: {attributes: {userName: user_name, title: claims.job,\n"
				   "      nickName: 'default(claims.nick, claims.job)'}}\n"
				   "groups:\n"
				   "  - id: 11111111-2222-3333-4444-555555555555\n"
				   "    application: aws\n"
				   "    name: admins\n"
				   "    eligible: {claims: {team: [ops]}}\n";
	char *report;
	struct config *config = parse(text, strlen(text), &report);

	(void)state;
	if (config == NULL)
		fail_msg("%s", report);
	free(report);
	assert_true(config_names_claim(config, "job", NULL));
	assert_true(config_names_claim(config, "nick", NULL));
	assert_true(config_names_claim(config, "team", "ops"));
	assert_true(config_names_claim(config, "duty", "watch"));
	assert_true(config_names_claim(config, "shift", "night"));
	/* No policy looks at any value of it. */
	assert_false(config_names_claim(config, "job", "x"));
	assert_false(config_names_claim(config, "title", NULL));
	config_unref(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_inherited),
		cmocka_unit_test(test_own_eligibility),
		cmocka_unit_test(test_own_rules),
		cmocka_unit_test(test_own_stages),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_equal_stages),
		cmocka_unit_test(test_exclusive),
		cmocka_unit_test(test_what_is_inherited_is_shared),
		cmocka_unit_test(test_claims_that_are_kept),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
