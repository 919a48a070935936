/*
 * May this person activate this group, for this long, at this time; who else has to agree, and who is that? Pure: no
 * clock, no store, no HTTP, no environment; what is true now is an argument. A policy is the outcome of inheritance
 * (defaults, application, group) and never changes; all it points to is owned by the configuration that holds it.
 *
 * Rules are known by the names that Microsoft's clients know: EligibilityRule, ExpirationRule, JustificationRule,
 * TicketingRule, MfaRule or AcrsRule (the sign-in's strength), ActivationDayRule (the hours), ApprovalRule; and by names of
 * our own: MaxActiveRule, ExclusiveGroupsRule.
 */
#ifndef ACTIVATION_POLICY_H
#define ACTIVATION_POLICY_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Texts in the order of policy_names_sort() or policy_words_sort(), so that one is found fast. */
struct policy_names {
	char **list;
	size_t count;
};

/* One claim of a token and the values that are accepted; compared as they are, upper and lower case apart. */
struct policy_claim {
	char *name;
	struct policy_names values; /* words */
};

struct policy_claims {
	struct policy_claim *list;
	size_t count;
};

/*
 * A set of people: those with one of the names (user names, ASCII case is ignored), and those whose token has,
 * for every claim that is named here, one of its values. Without names and claims it is empty.
 */
struct policy_people {
	struct policy_names principals;
	struct policy_claims claims;
};

/* Who, from when, until when: start_ms <= t < end_ms. */
struct policy_eligibility {
	struct policy_people people;
	int64_t start_ms, end_ms; /* 0 = always has been; INT64_MAX = for ever */
};

struct policy_eligibilities {
	struct policy_eligibility *list;
	size_t count;
};

/* One round of approval: `needed` different approvers agree, one who denies ends it. */
struct policy_stage {
	struct policy_people approvers;
	int64_t needed;
	int64_t timeout_ms;          /* nobody decides for so long: denied */
	int64_t escalation_after_ms; /* the others may decide too from then on; 0 = there are none */
	struct policy_people escalation;
	struct policy_names
		notify; /* told when it is asked, and of a broken glass, besides those who may decide */
};

struct policy_stages {
	struct policy_stage *list;
	size_t count;
};

/* From `at_ms` on, until the next one, local time is so far ahead of UTC. */
struct policy_offset {
	int64_t at_ms;
	int64_t ahead_ms;
};

/* A time zone; the first offset's at_ms is INT64_MIN, the others ascend. */
struct policy_zone {
	struct policy_zone *next; /* of those that the configuration knows */
	char name[64];
	struct policy_offset *offsets;
	size_t count;
};

#define POLICY_DAY_MINUTES 1440

/* Hours of the week by the clocks of the zone: from <= t < to; where to <= from, until `to` of the next day. */
struct policy_window {
	const struct policy_zone *zone;
	unsigned days;    /* on which it begins; bit 0 is Monday */
	int64_t from, to; /* minutes since midnight, 0 to 1440 */
};

struct policy_windows {
	struct policy_window *list;
	size_t count;
};

/* A POSIX extended regular expression, anchored as written. */
struct policy_pattern {
	char *text;
	regex_t compiled;
};

enum policy_clock { POLICY_CLOCK_GRANT, POLICY_CLOCK_PROVISIONED };
enum policy_lost { POLICY_LOST_KEEP, POLICY_LOST_REMOVE };

/* A group's rules. */
struct policy {
	struct policy_eligibilities eligible;
	int64_t max_ms;     /* longest activation; 8 h */
	int64_t min_ms;     /* shortest activation; 5 min as in Entra */
	int64_t default_ms; /* taken when the caller names none; 1 h */
	bool justification_required;
	int64_t justification_min; /* characters, where one is given */
	bool ticket_required;
	const struct policy_pattern *ticket_pattern; /* NULL = any text */
	struct policy_names authentication; /* words, one of which the sign-in must have; none = any */
	struct policy_windows hours;        /* in one of which an activation must start; none = always */
	struct policy_stages approval;      /* none = no approval */
	int64_t max_active;                 /* members at once by activation; 0 = any number */
	struct policy_names exclusive;      /* ids of groups that nobody may hold together with this one */
	struct policy_eligibilities break_glass; /* who may break the glass; none = nobody */
	enum policy_clock clock;                 /* where the time of an activation begins */
	enum policy_lost on_lost;                /* what becomes of an activation when eligibility is lost */
	struct policy_names notify;              /* told of activations besides those concerned */
};

/* One value of one claim; a claim with a list of values is as many attributes. */
struct policy_attribute {
	const char *name, *value;
};

/* Somebody as their token describes them. All is borrowed. */
struct policy_person {
	const char *user_name; /* NULL = unknown: in no set by name */
	const struct policy_attribute *attributes;
	size_t attribute_count;
	const char *const *methods; /* how they authenticated: values of amr and of acr or acrs */
	size_t method_count;
};

/* What is asked for, as far as policy looks at it. Texts may be NULL: none. */
struct policy_ask {
	struct policy_person person;
	int64_t now_ms;
	int64_t start_ms;  /* of the activation; what lies before now_ms is taken for now_ms */
	int64_t length_ms; /* end - start */
	const char *justification;
	const char *ticket_number;
	bool break_glass; /* asked for without approval and outside the hours, by somebody who may */
	bool is_eligible; /* an administrator has made them so, whatever the policy's own lists say */
	/* A request that was allowed before is looked at again, without its person: how they authenticated was seen then. */
	bool is_recheck;
};

#define POLICY_RULES_MAX 9
#define POLICY_TEXT_SIZE 128

struct policy_refusal {
	const char *rule;             /* e.g. "ExpirationRule"; static */
	char limit[POLICY_TEXT_SIZE]; /* what the rule allows, e.g. "PT8H" */
	char given[POLICY_TEXT_SIZE]; /* what was asked, e.g. "PT12H" */
	/* The sign-in was too weak: these words, one of which another one must have. NULL = it is not that. The policy's. */
	const struct policy_names *sign_in;
};

struct policy_verdict {
	size_t count; /* 0 = allowed */
	struct policy_refusal refusals[POLICY_RULES_MAX];
	size_t passed_count; /* rules that this policy has and that do not refuse */
	const char *passed[POLICY_RULES_MAX];
};

/* The policy of a group that sets nothing, and for which nothing is inherited. */
void policy_defaults(struct policy *policy);

/* Names without regard to case (ASCII), words by their bytes. To be called once all are there. */
void policy_names_sort(struct policy_names *names);
void policy_words_sort(struct policy_names *words);

/* Every rule is tried, so that the caller learns all that refuses at once. */
void policy_check(const struct policy *policy, const struct policy_ask *ask, struct policy_verdict *verdict);

/*
 * Adds the rules that only the store can judge, which is what policy_print_limits() tells it: `beyond` has its words for
 * the limits that would be exceeded ("ineligible", "full", "excluded"; activation/submit.lua).
 */
void policy_add_limits(const struct policy *policy, const char *beyond, struct policy_verdict *verdict);

/* policy_people.c */
bool policy_people_hold(const struct policy_people *people, const struct policy_person *person);
/* How many different people may decide at this stage; SIZE_MAX when claims decide that. The names are sorted, none twice. */
size_t policy_stage_named(const struct policy_stage *stage);
bool policy_is_eligible(const struct policy *policy, const struct policy_person *person, int64_t at_ms);
/* Until when one of the two lasts from then on without a gap; at_ms when it does not hold then. */
int64_t policy_eligible_until_ms(const struct policy *policy, const struct policy_person *person,
				 int64_t at_ms, bool break_glass);
bool policy_may_break_glass(const struct policy *policy, const struct policy_person *person, int64_t at_ms);

/* Stages count from 1. What does not exist needs INT64_MAX approvals, times out at once and has no approver. */
bool policy_needs_approval(const struct policy *policy, bool break_glass);
size_t policy_stage_count(const struct policy *policy);
int64_t policy_stage_needed(const struct policy *policy, size_t stage);
int64_t policy_timeout_ms(const struct policy *policy, size_t stage);

/* May this person decide at that stage, which has been waiting for so long? That it is not their own is asked elsewhere. */
bool policy_is_approver(const struct policy *policy, const struct policy_person *person, size_t stage,
			int64_t waited_ms);

/* policy_hours.c */
bool policy_hours_hold(const struct policy_windows *hours, int64_t at_ms);
/* Local time minus UTC at that moment. */
int64_t policy_zone_ahead_ms(const struct policy_zone *zone, int64_t at_ms);
/* "mon,tue 08:00-18:00 Europe/Zurich; …", cut where it does not fit. */
void policy_hours_print(const struct policy_windows *hours, char out[POLICY_TEXT_SIZE]);
/* "sat 09:30 Europe/Zurich" */
void policy_hours_print_time(const struct policy_zone *zone, int64_t at_ms, char out[POLICY_TEXT_SIZE]);

/*
 * What the store has to keep to: "MOST GROUP,GROUP", 0 = any number; nothing where there are no limits. With
 * `eligible`, "MOSTe …": the person has to be eligible by an administrator's word, because the policy's own lists do
 * not make them so.
 */
void policy_print_limits(const struct policy *policy, bool eligible, struct buf *out);

/* Adds in a line of its own whose account it is that asks, where the person has several: the limits count people. NULL =
 * there is only this one. */
void policy_print_person(const char *person, struct buf *out);

#endif
