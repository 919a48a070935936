/* Policy's second word: allowed, refused, or not to be had now, which is neither. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/refusals.h"
#include "broker/person.h"
#include "broker/recheck.h"

#define NOW  INT64_C(1800000000000)
#define HOUR INT64_C(3600000)

static void *no_memory(size_t size)
{
	(void)size;
	return NULL;
}

static void test_recheck(void **state)
{
	static const struct {
		const char *person;
		size_t limits_max;
		bool without_memory;
		enum err wanted;
	} rows[] = {
		{"{\"userName\":\"amira\"}", 100, false, ERR_OK},
		{"{\"userName\":\"amira\"}", 1, false, ERR_NOMEM},
		{"{\"userName\":\"amira\"}", 100, true, ERR_NOMEM},
		{"{\"userName\":\"bo\"}", 100, false, ERR_POLICY},
		{"{}", 100, false, ERR_POLICY},
		{NULL, 100, false, ERR_POLICY},
		/* Memory that was short when the person was read does not make them nobody. */
		{"{\"userName\":\"bo\"}", 100, true, ERR_NOMEM},
	};
	static char amira[] = "amira";
	static char *names[] = {amira};
	struct policy_eligibility eligibility = {.people = {{names, 1}, {NULL, 0}}, .end_ms = INT64_MAX};
	cJSON_Hooks hooks = {no_memory, free};
	struct policy policy;

	(void)state;
	policy_defaults(&policy);
	policy.eligible = (struct policy_eligibilities){&eligibility, 1};
	policy.max_active = 5;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request request = {
			.duration_ms = HOUR, .justification = "x", .person = rows[i].person};
		struct errctx why = {""};
		struct buf limits;
		enum err err;

		buf_init(&limits, rows[i].limits_max);
		cJSON_InitHooks(rows[i].without_memory ? &hooks : NULL);
		err = recheck(&policy, &request, NOW, &limits, &why);
		cJSON_InitHooks(NULL);
		if (err != rows[i].wanted)
			fail_msg("row %zu: %s", i, err_message(err));
		if (err == ERR_OK)
			assert_string_equal(buf_text(&limits), "5 ");
		assert_int_equal(why.text[0] != '\0', err == ERR_POLICY);
		buf_release(&limits);
	}
}

/* Whatever rule refuses by now, an answer names it as data: its sentence is all that is kept of it. */
static void test_rules_as_data(void **state)
{
	static char amira[] = "amira";
	static char *names[] = {amira};
	static struct policy_offset utc = {.at_ms = INT64_MIN};
	static struct policy_zone zone = {.name = "UTC", .offsets = &utc, .count = 1};
	static struct policy_window monday = {.zone = &zone, .days = 1, .to = POLICY_DAY_MINUTES};
	static const struct {
		const char *rule, *person, *justification;
		int64_t max_ms;
		bool ticket;
		size_t windows;
	} rows[] = {
		{"EligibilityRule", "{}", "x", HOUR, false, 0},
		{"ExpirationRule", "{\"userName\":\"amira\"}", "x", HOUR / 2, false, 0},
		{"JustificationRule", "{\"userName\":\"amira\"}", "", HOUR, false, 0},
		{"TicketingRule", "{\"userName\":\"amira\"}", "x", HOUR, true, 0},
		{"ActivationDayRule", "{\"userName\":\"amira\"}", "x", HOUR, false, 1}, /* it is a Friday */
	};
	struct policy_eligibility eligibility = {.people = {{names, 1}, {NULL, 0}}, .end_ms = INT64_MAX};
	char details[REFUSALS_DETAILS_SIZE], wanted[REFUSALS_DETAILS_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request request = {.duration_ms = HOUR, .person = rows[i].person};
		struct errctx why = {""};
		struct policy policy;
		struct buf limits;

		policy_defaults(&policy);
		policy.eligible = (struct policy_eligibilities){&eligibility, 1};
		policy.max_ms = rows[i].max_ms;
		policy.ticket_required = rows[i].ticket;
		policy.hours = (struct policy_windows){&monday, rows[i].windows};
		snprintf(request.justification, sizeof(request.justification), "%s", rows[i].justification);
		buf_init(&limits, 100);
		assert_int_equal(recheck(&policy, &request, NOW, &limits, &why), ERR_POLICY);
		buf_release(&limits);
		snprintf(wanted, sizeof(wanted), "[{\"rule\":\"%s\",\"result\":\"refused\"}]", rows[i].rule);
		assert_non_null(refusals_details(why.text, details));
		assert_string_equal(details, wanted);
	}
	assert_non_null(strstr(refusals_details(err_message(ERR_FULL), details), "MaxActiveRule"));
	assert_non_null(strstr(refusals_details(err_message(ERR_EXCLUDED), details), "ExclusiveGroupsRule"));
}

/* At the start: who needs an approval by now has been approved, by whatever policy, or does not begin. */
static void test_start(void **state)
{
	static const struct {
		const char *action;
		bool approved, break_glass, asks;
		enum err wanted;
	} rows[] = {
		{"selfActivate", false, false, false, ERR_OK},
		{"selfActivate", false, false, true, ERR_POLICY},
		{"selfExtend", false, false, true, ERR_POLICY},
		{"selfRenew", false, false, true, ERR_POLICY},
		{"selfActivate", true, false, true, ERR_OK},
		{"selfActivate", true, false, false, ERR_OK},
		{"selfActivate", false, true, true, ERR_OK},
		{"adminAssign", false, false, true, ERR_OK},
	};
	static char amira[] = "amira";
	static char *names[] = {amira};
	struct policy_eligibility eligibility = {.people = {{names, 1}, {NULL, 0}}, .end_ms = INT64_MAX};
	struct policy_stage stage = {.needed = 1, .timeout_ms = HOUR};
	struct config_application application = {.id = "aws"};
	struct config_group group = {.id = "11111111-2222-4333-8444-555555555555",
				     .application = &application};
	struct config config = {.groups = &group, .group_count = 1};

	(void)state;
	policy_defaults(&group.policy);
	group.policy.eligible = group.policy.break_glass = (struct policy_eligibilities){&eligibility, 1};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct request request = {.duration_ms = HOUR,
					  .justification = "x",
					  .person = "{\"userName\":\"amira\"}",
					  .needed_approval = rows[i].approved,
					  .break_glass = rows[i].break_glass};
		struct errctx why = {""};
		struct buf limits;
		enum err err;

		snprintf(request.action, sizeof(request.action), "%s", rows[i].action);
		snprintf(request.group, sizeof(request.group), "%s", group.id);
		snprintf(request.application, sizeof(request.application), "%s", application.id);
		snprintf(request.user_name, sizeof(request.user_name), "amira");
		group.policy.approval = (struct policy_stages){&stage, rows[i].asks ? 1 : 0};
		buf_init(&limits, 100);
		err = recheck_start(&config, &request, NOW, &limits, &why);
		if (err != rows[i].wanted)
			fail_msg("row %zu: %s", i, err_message(err));
		assert_int_equal(strstr(why.text, "approval") != NULL, err == ERR_POLICY);
		buf_release(&limits);
	}
}

/* What was asked for in one application is not given in another, nor any more in the one. */
static void test_group(void **state)
{
	struct config_application application = {.id = "aws"};
	struct config_group group = {.id = "11111111-2222-4333-8444-555555555555",
				     .application = &application};
	struct config config = {.groups = &group, .group_count = 1};
	struct request request = {.application = "aws"};
	struct errctx why = {""};

	(void)state;
	snprintf(request.group, sizeof(request.group), "%s", group.id);
	assert_int_equal(recheck_group(&config, &request, &why), ERR_OK);
	snprintf(request.application, sizeof(request.application), "slack");
	assert_int_equal(recheck_group(&config, &request, &why), ERR_POLICY);
	assert_string_equal(why.text, "The group is in another application by now.");
	config.group_count = 0;
	assert_int_equal(recheck_group(&config, &request, &why), ERR_POLICY);
	assert_string_equal(why.text, "The group is no longer known.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recheck),
		cmocka_unit_test(test_rules_as_data),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
