/* A group's rules against what somebody asks for. The texts are data for programs first: names and durations. */
#include "activation/policy.h"

#include <stdio.h>
#include <string.h>

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

/* A text of the caller's is cut before a character, not inside one. */
static void copy_text(char out[POLICY_TEXT_SIZE], const char *text)
{
	size_t len = strnlen(text, POLICY_TEXT_SIZE);
	if (len == POLICY_TEXT_SIZE) {
		len--;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(out, text, len);
	out[len] = '\0';
}

static void refuse(struct policy_verdict *verdict, const char *rule, const char *limit, const char *given)
{
	if (verdict->count == POLICY_RULES_MAX)
		return;
	struct policy_refusal *refusal = &verdict->refusals[verdict->count++];
	refusal->rule = rule;
	refusal->sign_in = NULL;
	copy_text(refusal->limit, limit);
	copy_text(refusal->given, given);
}

static void pass(struct policy_verdict *verdict, const char *rule)
{
	if (verdict->passed_count < POLICY_RULES_MAX)
		verdict->passed[verdict->passed_count++] = rule;
}

static int64_t start_of(const struct policy_ask *ask)
{
	return ask->start_ms > ask->now_ms ? ask->start_ms : ask->now_ms;
}

/* Eligibility is looked at for the start: who becomes eligible tomorrow may ask today for tomorrow. */
static void check_eligibility(const struct policy *policy, const struct policy_ask *ask,
			      struct policy_verdict *verdict)
{
	const char *rule = "EligibilityRule";
	int64_t start = start_of(ask);
	if (ask->break_glass && !policy_may_break_glass(policy, &ask->person, start))
		refuse(verdict, rule, "may break the glass", "may not");
	else if (!ask->break_glass && !ask->is_eligible && !policy_is_eligible(policy, &ask->person, start))
		refuse(verdict, rule, "eligible", "not eligible");
	else
		pass(verdict, rule);
}

static void check_length(const struct policy *policy, const struct policy_ask *ask,
			 struct policy_verdict *verdict)
{
	const char *rule = "ExpirationRule";
	int64_t bound = ask->length_ms;
	if (ask->length_ms > policy->max_ms)
		bound = policy->max_ms;
	else if (ask->length_ms < policy->min_ms)
		bound = policy->min_ms;
	if (bound == ask->length_ms) {
		pass(verdict, rule);
		return;
	}
	char limit[ISO8601_DURATION_SIZE], given[ISO8601_DURATION_SIZE];
	iso8601_format_duration(bound, limit);
	iso8601_format_duration(ask->length_ms < 0 ? 0 : ask->length_ms, given);
	refuse(verdict, rule, limit, given);
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Characters between the first and the last one that is no blank: blanks alone justify nothing. */
static int64_t characters_of(const char *text)
{
	if (!text)
		return 0;
	size_t end = strlen(text), start = 0;
	while (end > 0 && is_blank(text[end - 1]))
		end--;
	while (start < end && is_blank(text[start]))
		start++;
	int64_t characters = 0;
	for (size_t i = start; i < end; i++)
		characters += ((unsigned char)text[i] & 0xc0) != 0x80;
	return characters;
}

static void check_justification(const struct policy *policy, const struct policy_ask *ask,
				struct policy_verdict *verdict)
{
	const char *rule = "JustificationRule";
	bool required = policy->justification_required || ask->break_glass;
	int64_t characters = characters_of(ask->justification);
	char limit[POLICY_TEXT_SIZE], given[POLICY_TEXT_SIZE];
	if (required && characters == 0) {
		refuse(verdict, rule, "required", "none");
	} else if (characters > 0 && characters < policy->justification_min) {
		snprintf(limit, sizeof(limit), "%lld characters", (long long)policy->justification_min);
		snprintf(given, sizeof(given), "%lld characters", (long long)characters);
		refuse(verdict, rule, limit, given);
	} else if (required || policy->justification_min > 0) {
		pass(verdict, rule);
	}
}

static void check_ticket(const struct policy *policy, const struct policy_ask *ask,
			 struct policy_verdict *verdict)
{
	const char *rule = "TicketingRule";
	const struct policy_pattern *pattern = policy->ticket_pattern;
	bool is_given = characters_of(ask->ticket_number) > 0;
	if (!is_given && policy->ticket_required)
		refuse(verdict, rule, "required", "none");
	else if (is_given && pattern && regexec(&pattern->compiled, ask->ticket_number, 0, NULL, 0) != 0)
		refuse(verdict, rule, pattern->text, ask->ticket_number);
	else if (policy->ticket_required || pattern)
		pass(verdict, rule);
}

static bool has_authenticated(const struct policy_names *wanted, const struct policy_person *person)
{
	for (size_t i = 0; i < wanted->count; i++)
		for (size_t k = 0; k < person->method_count; k++)
			if (strcmp(wanted->list[i], person->methods[k]) == 0)
				return true;
	return false;
}

static void join(const char *const *list, size_t count, char out[POLICY_TEXT_SIZE])
{
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < count && used < POLICY_TEXT_SIZE; i++)
		used += (size_t)snprintf(out + used, POLICY_TEXT_SIZE - used, "%s%s", i ? "," : "", list[i]);
}

static void check_authentication(const struct policy *policy, const struct policy_ask *ask,
				 struct policy_verdict *verdict)
{
	const struct policy_names *wanted = &policy->authentication;
	char limit[POLICY_TEXT_SIZE], given[POLICY_TEXT_SIZE];
	if (wanted->count == 0 || ask->is_recheck)
		return;
	/* Graph has two rules for it: multi-factor authentication by itself, and authentication contexts. */
	const char *rule = wanted->count == 1 && strcmp(wanted->list[0], "mfa") == 0 ? "MfaRule" : "AcrsRule";
	if (has_authenticated(wanted, &ask->person)) {
		pass(verdict, rule);
		return;
	}
	join((const char *const *)wanted->list, wanted->count, limit);
	join(ask->person.methods, ask->person.method_count, given);
	refuse(verdict, rule, limit, given[0] ? given : "none");
	verdict->refusals[verdict->count - 1].sign_in = wanted;
}

static void check_hours(const struct policy *policy, const struct policy_ask *ask,
			struct policy_verdict *verdict)
{
	const char *rule = "ActivationDayRule";
	char limit[POLICY_TEXT_SIZE], given[POLICY_TEXT_SIZE];
	if (policy->hours.count == 0 || ask->break_glass)
		return;
	if (policy_hours_hold(&policy->hours, start_of(ask))) {
		pass(verdict, rule);
		return;
	}
	policy_hours_print(&policy->hours, limit);
	policy_hours_print_time(policy->hours.list[0].zone, start_of(ask), given);
	refuse(verdict, rule, limit, given);
}

/* An approval that is needed refuses nothing: the request waits for it. */
static void check_approval(const struct policy *policy, const struct policy_ask *ask,
			   struct policy_verdict *verdict)
{
	if (policy_needs_approval(policy, ask->break_glass))
		pass(verdict, "ApprovalRule");
}

void policy_check(const struct policy *policy, const struct policy_ask *ask, struct policy_verdict *verdict)
{
	verdict->count = verdict->passed_count = 0;
	check_eligibility(policy, ask, verdict);
	check_length(policy, ask, verdict);
	check_justification(policy, ask, verdict);
	check_ticket(policy, ask, verdict);
	check_authentication(policy, ask, verdict);
	check_hours(policy, ask, verdict);
	check_approval(policy, ask, verdict);
}

static void take_back(struct policy_verdict *verdict, const char *rule)
{
	size_t kept = 0;
	for (size_t i = 0; i < verdict->passed_count; i++)
		if (strcmp(verdict->passed[i], rule) != 0)
			verdict->passed[kept++] = verdict->passed[i];
	verdict->passed_count = kept;
}

void policy_add_limits(const struct policy *policy, const char *beyond, struct policy_verdict *verdict)
{
	char limit[POLICY_TEXT_SIZE];
	/* The administrator's word, of which policy was told before, has been taken back meanwhile. */
	if (strstr(beyond, "ineligible")) {
		take_back(verdict, "EligibilityRule");
		refuse(verdict, "EligibilityRule", "eligible", "not eligible");
	}
	snprintf(limit, sizeof(limit), "%lld at once", (long long)policy->max_active);
	if (strstr(beyond, "full"))
		refuse(verdict, "MaxActiveRule", limit, "one more");
	else if (policy->max_active > 0)
		pass(verdict, "MaxActiveRule");
	if (strstr(beyond, "excluded"))
		refuse(verdict, "ExclusiveGroupsRule", "no group that excludes this one", "such a group");
	else if (policy->exclusive.count > 0)
		pass(verdict, "ExclusiveGroupsRule");
}

void policy_print_limits(const struct policy *policy, bool eligible, struct buf *out)
{
	if (policy->max_active == 0 && policy->exclusive.count == 0 && !eligible)
		return;
	buf_addf(out, "%lld%s ", (long long)policy->max_active, eligible ? "e" : "");
	for (size_t i = 0; i < policy->exclusive.count; i++)
		buf_addf(out, "%s%s", i ? "," : "", policy->exclusive.list[i]);
}

void policy_print_person(const char *person, struct buf *out)
{
	if (person)
		buf_addf(out, "\n%s", person);
}
