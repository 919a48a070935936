/* Who is in a set of people: by name or by claims. Eligibility, approvers and the broken glass are such sets. */
#include "activation/policy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int compare_names(const void *a, const void *b)
{
	return strcasecmp(*(char *const *)a, *(char *const *)b);
}

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void policy_names_sort(struct policy_names *names)
{
	if (names->count > 0)
		qsort(names->list, names->count, sizeof(char *), compare_names);
}

void policy_words_sort(struct policy_names *words)
{
	if (words->count > 0)
		qsort(words->list, words->count, sizeof(char *), compare_words);
}

static bool has_name(const struct policy_names *names, const char *name)
{
	return name != NULL && names->count > 0 &&
	       bsearch(&name, names->list, names->count, sizeof(char *), compare_names) != NULL;
}

static bool has_word(const struct policy_names *words, const char *word)
{
	return words->count > 0 &&
	       bsearch(&word, words->list, words->count, sizeof(char *), compare_words) != NULL;
}

static bool has_claim(const struct policy_claim *claim, const struct policy_person *person)
{
	for (size_t i = 0; i < person->attribute_count; i++) {
		const struct policy_attribute *attribute = &person->attributes[i];
		if (strcmp(attribute->name, claim->name) == 0 && has_word(&claim->values, attribute->value))
			return true;
	}
	return false;
}

static bool has_claims(const struct policy_claims *claims, const struct policy_person *person)
{
	for (size_t i = 0; i < claims->count; i++)
		if (!has_claim(&claims->list[i], person))
			return false;
	return claims->count > 0;
}

bool policy_people_hold(const struct policy_people *people, const struct policy_person *person)
{
	return has_name(&people->principals, person->user_name) || has_claims(&people->claims, person);
}

size_t policy_stage_named(const struct policy_stage *stage)
{
	const struct policy_names *others = &stage->escalation.principals;
	size_t count = stage->approvers.principals.count;
	if (stage->approvers.claims.count > 0 || stage->escalation.claims.count > 0)
		return SIZE_MAX;
	for (size_t i = 0; i < others->count; i++)
		count += !has_name(&stage->approvers.principals, others->list[i]);
	return count;
}

static bool holds_at(const struct policy_eligibilities *entries, const struct policy_person *person,
		     int64_t at_ms)
{
	for (size_t i = 0; i < entries->count; i++) {
		const struct policy_eligibility *entry = &entries->list[i];
		if (at_ms >= entry->start_ms && at_ms < entry->end_ms &&
		    policy_people_hold(&entry->people, person))
			return true;
	}
	return false;
}

bool policy_is_eligible(const struct policy *policy, const struct policy_person *person, int64_t at_ms)
{
	return holds_at(&policy->eligible, person, at_ms);
}

bool policy_may_break_glass(const struct policy *policy, const struct policy_person *person, int64_t at_ms)
{
	return holds_at(&policy->break_glass, person, at_ms);
}

int64_t policy_eligible_until_ms(const struct policy *policy, const struct policy_person *person,
				 int64_t at_ms, bool break_glass)
{
	const struct policy_eligibilities *entries = break_glass ? &policy->break_glass : &policy->eligible;
	int64_t until = at_ms, before;
	do {
		before = until;
		for (size_t i = 0; i < entries->count; i++) {
			const struct policy_eligibility *entry = &entries->list[i];
			if (entry->start_ms <= until && until < entry->end_ms &&
			    policy_people_hold(&entry->people, person))
				until = entry->end_ms;
		}
	} while (until != before);
	return until;
}

bool policy_needs_approval(const struct policy *policy, bool break_glass)
{
	return policy->approval.count > 0 && !break_glass;
}

size_t policy_stage_count(const struct policy *policy)
{
	return policy->approval.count;
}

static const struct policy_stage *stage_of(const struct policy *policy, size_t stage)
{
	return stage >= 1 && stage <= policy->approval.count ? &policy->approval.list[stage - 1] : NULL;
}

int64_t policy_stage_needed(const struct policy *policy, size_t stage)
{
	const struct policy_stage *found = stage_of(policy, stage);
	return found ? found->needed : INT64_MAX;
}

int64_t policy_timeout_ms(const struct policy *policy, size_t stage)
{
	const struct policy_stage *found = stage_of(policy, stage);
	return found ? found->timeout_ms : 0;
}

bool policy_is_approver(const struct policy *policy, const struct policy_person *person, size_t stage,
			int64_t waited_ms)
{
	const struct policy_stage *found = stage_of(policy, stage);
	if (!found)
		return false;
	if (policy_people_hold(&found->approvers, person))
		return true;
	return found->escalation_after_ms > 0 && waited_ms >= found->escalation_after_ms &&
	       policy_people_hold(&found->escalation, person);
}
