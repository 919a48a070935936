/* Any text is refused with a reason, or gives a configuration in which everything that is listed can be found. */
#include <string.h>

#include "config/config.h"
#include "tests/fuzz/fuzz.h"

static bool is_anybody(const struct policy_people *people)
{
	return people->principals.count + people->claims.count > 0;
}

/* Whatever the policy is, it answers; and it has what its parts promise. */
static void check_policy(const struct policy *policy)
{
	struct policy_ask ask = {.person = {.user_name = "amira@example.com"},
				 .now_ms = INT64_C(1800000000000),
				 .length_ms = policy->default_ms,
				 .justification = "x",
				 .ticket_number = "INC0000000001"};
	struct policy_verdict verdict;

	policy_check(policy, &ask, &verdict);
	REQUIRE(verdict.count + verdict.passed_count >= 2);
	for (size_t i = 0; i < policy->eligible.count; i++)
		REQUIRE(is_anybody(&policy->eligible.list[i].people));
	for (size_t i = 0; i < policy->hours.count; i++)
		REQUIRE(policy->hours.list[i].zone != NULL && policy->hours.list[i].days != 0);
	for (size_t stage = 1; stage <= policy_stage_count(policy); stage++) {
		const struct policy_stage *found = &policy->approval.list[stage - 1];

		REQUIRE(is_anybody(&found->approvers));
		REQUIRE(policy_stage_needed(policy, stage) > 0 && policy_timeout_ms(policy, stage) > 0);
		REQUIRE(found->escalation_after_ms < found->timeout_ms);
		(void)policy_is_approver(policy, &ask.person, stage, INT64_MAX);
	}
}

static void check_accepted(const struct config *config)
{
	REQUIRE(config->references == 1);
	REQUIRE(config->listen_host[0] != '\0' && config->redis_url[0] != '\0');
	for (size_t i = 0; i < config->application_count; i++) {
		const struct config_application *application = &config->applications[i];
		struct errctx ec;

		REQUIRE(config_application(config, application->id) == application);
		REQUIRE(throttle_check(&application->throttle, &ec) == ERR_OK);
		REQUIRE(application->scim.url[0] != '\0' && application->scim.token[0] == '\0');
	}
	for (size_t i = 0; i < config->group_count; i++) {
		const struct config_group *group = &config->groups[i];
		const struct policy *policy = &group->policy;

		REQUIRE(config_group(config, group->id) == group);
		REQUIRE(group->application != NULL && group->name[0] != '\0' && policy->eligible.count > 0);
		REQUIRE(policy->min_ms > 0 && policy->min_ms <= policy->default_ms &&
			policy->default_ms <= policy->max_ms);
		check_policy(policy);
	}
	for (size_t i = 0; i < config->people_count; i++)
		REQUIRE(config_person_by_id(config, config->people[i].id) == &config->people[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_source source = {
		.name = "fuzz.yaml", .text = (const char *)data, .len = size, .skip_files = true};
	struct config *config = NULL;
	char *report = NULL;
	size_t report_len = 0;
	FILE *out = open_memstream(&report, &report_len);

	REQUIRE(out != NULL);
	enum err err = config_parse(&source, out, &config);
	REQUIRE(fclose(out) == 0);
	REQUIRE((err == ERR_OK) == (config != NULL));
	/* Nothing is refused without a word. */
	REQUIRE(err == ERR_OK || report_len > 0);
	if (config)
		check_accepted(config);
	config_unref(config);
	free(report);
	return 0;
}
