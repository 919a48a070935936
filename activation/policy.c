/* A group's rules against what somebody asks for. The texts are data for programs first: names and durations. */
#include "activation/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/iso8601.h"

void policy_defaults(struct policy *policy)
{
	*policy = (struct policy){
		.max_ms = 8 * 3600 * 1000,
		.min_ms = 5 * 60 * 1000,
		.default_ms = 3600 * 1000,
		.justification_required = true,
	};
}

static void refuse(struct policy_verdict *verdict, const char *rule, const char *limit, const char *given)
{
	if (verdict->count == POLICY_RULES_MAX)
		return;
	struct policy_refusal *refusal = &verdict->refusals[verdict->count++];
	refusal->rule = rule;
	snprintf(refusal->limit, sizeof(refusal->limit), "%s", limit);
	snprintf(refusal->given, sizeof(refusal->given), "%s", given);
}

static int compare_names(const void *a, const void *b)
{
	return strcasecmp(*(char *const *)a, *(char *const *)b);
}

void policy_sort(struct policy *policy)
{
	if (policy->eligible_count > 0)
		qsort(policy->eligible, policy->eligible_count, sizeof(char *), compare_names);
}

static bool is_eligible(const struct policy *policy, const char *user_name)
{
	return user_name != NULL && policy->eligible_count > 0 &&
	       bsearch(&user_name, policy->eligible, policy->eligible_count, sizeof(char *), compare_names) !=
		       NULL;
}

/* Blanks alone justify nothing. */
static bool says_something(const char *text)
{
	return text && text[strspn(text, " \t\r\n\v\f")] != '\0';
}

static void check_length(const struct policy *policy, int64_t length_ms, struct policy_verdict *verdict)
{
	int64_t bound = length_ms;
	if (length_ms > policy->max_ms)
		bound = policy->max_ms;
	else if (length_ms < policy->min_ms)
		bound = policy->min_ms;
	if (bound == length_ms)
		return;
	char limit[ISO8601_DURATION_SIZE], given[ISO8601_DURATION_SIZE];
	iso8601_format_duration(bound, limit);
	iso8601_format_duration(length_ms < 0 ? 0 : length_ms, given);
	refuse(verdict, "ExpirationRule", limit, given);
}

void policy_check(const struct policy *policy, const struct policy_ask *ask, struct policy_verdict *verdict)
{
	verdict->count = 0;
	if (!is_eligible(policy, ask->user_name))
		refuse(verdict, "EligibilityRule", "eligible", "not eligible");
	check_length(policy, ask->length_ms, verdict);
	if (policy->justification_required && !says_something(ask->justification))
		refuse(verdict, "JustificationRule", "required", "none");
}
