/*
 * May this person activate this group for this long? Pure: no clock, no store, no HTTP; the answer is a list of
 * the rules that refuse, by the names that Microsoft's clients know (ExpirationRule, EligibilityRule, …).
 */
#ifndef ACTIVATION_POLICY_H
#define ACTIVATION_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A group's rules. Text is owned by the configuration that holds the policy. */
struct policy {
	char **eligible; /* user names, compared without regard to case (ASCII); sorted by policy_sort() */
	size_t eligible_count;
	int64_t max_ms;     /* longest activation; 8 h */
	int64_t min_ms;     /* shortest activation; 5 min as in Entra */
	int64_t default_ms; /* taken when the caller names none; 1 h */
	bool justification_required;
};

/* What is asked for, as far as policy looks at it. */
struct policy_ask {
	const char *user_name;
	int64_t length_ms;         /* end - start */
	const char *justification; /* "" when none */
};

#define POLICY_RULES_MAX 8

struct policy_refusal {
	const char *rule; /* e.g. "ExpirationRule"; static */
	char limit[64];   /* what the rule allows, e.g. "PT8H" */
	char given[64];   /* what was asked, e.g. "PT12H" */
};

struct policy_verdict {
	size_t count; /* 0 = allowed */
	struct policy_refusal refusals[POLICY_RULES_MAX];
};

void policy_defaults(struct policy *policy);

/* Puts the eligible names in order; to be called once all are there, before policy_check(). */
void policy_sort(struct policy *policy);

/* Every rule is tried, so that the caller learns all that refuses at once. */
void policy_check(const struct policy *policy, const struct policy_ask *ask, struct policy_verdict *verdict);

#endif
