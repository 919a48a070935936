/* Rules over whole policies, once everything that is inherited is there. See build.h. */
#include "config/build.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Is this person eligible at any time, by name? */
static bool is_eligible(const struct policy_eligibilities *eligible, const char *name)
{
	struct policy_person person = {.user_name = name};
	for (size_t i = 0; i < eligible->count; i++)
		if (policy_people_hold(&eligible->list[i].people, &person))
			return true;
	return false;
}

static const char *first_eligible(const struct policy *policy, const struct policy_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (is_eligible(&policy->eligible, names->list[i]))
			return names->list[i];
	return NULL;
}

/* Is everybody who is eligible one of those who decide? Not where claims say who is eligible. */
static bool all_decide(const struct policy_eligibilities *eligible, const struct policy_stage *stage)
{
	for (size_t i = 0; i < eligible->count; i++) {
		const struct policy_people *people = &eligible->list[i].people;
		if (people->claims.count > 0)
			return false;
		for (size_t k = 0; k < people->principals.count; k++) {
			struct policy_person person = {.user_name = people->principals.list[k]};
			if (!policy_people_hold(&stage->approvers, &person) &&
			    !policy_people_hold(&stage->escalation, &person))
				return false;
		}
	}
	return true;
}

/* Nobody decides their own request: where a stage needs all who may decide, none of them can pass it. */
static void check_stage(struct builder *builder, const struct policy *policy,
			const struct policy_stage *stage, struct place place)
{
	char quoted[REPORT_QUOTE_SIZE];
	if (policy_stage_named(stage) > (size_t)stage->needed)
		return;
	const char *stuck = first_eligible(policy, &stage->approvers.principals);
	if (!stuck)
		stuck = first_eligible(policy, &stage->escalation.principals);
	if (stuck && all_decide(&policy->eligible, stage))
		report_error(
			builder->reading.report, place,
			"nobody could be approved: whoever is eligible is needed as an approver, and nobody "
			"decides their own request");
	else if (stuck)
		report_warning(
			builder->reading.report, place,
			"%s could never be approved: they are eligible, but also needed as an approver",
			report_quote(stuck, quoted));
}

/* Who only looks on, or only does what is due, decides nothing, whatever names them as an approver. */
static void check_deciders(struct builder *builder, const struct policy_names *names, struct place place)
{
	const struct config *config = builder->config;
	char quoted[REPORT_QUOTE_SIZE];
	for (size_t i = 0; i < names->count; i++) {
		struct policy_person person = {.user_name = names->list[i]};
		bool looks_on = policy_people_hold(&config->auditors, &person) ||
				policy_people_hold(&config->timers, &person);
		if (looks_on && !policy_people_hold(&config->operators, &person))
			report_warning(builder->reading.report, place,
				       "%s could decide nothing: they are an auditor or a timer job",
				       report_quote(person.user_name, quoted));
	}
}

void builder_check_policy(struct builder *builder, const struct policy *policy, const struct element *element)
{
	struct report *report = builder->reading.report;
	/* What was unreadable would only be said a second time. */
	if (builder->layer_errors > 0 || report->errors > builder->errors_before)
		return;
	for (size_t i = 0; i < policy->approval.count; i++) {
		const struct policy_stage *stage = &policy->approval.list[i];
		struct place place = element_place(element, SET_GROUP_APPROVAL);
		check_stage(builder, policy, stage, place);
		check_deciders(builder, &stage->approvers.principals, place);
		check_deciders(builder, &stage->escalation.principals, place);
	}
	if (policy->break_glass.count > 0 && !policy->justification_required)
		report_warning(report, element_place(element, SET_GROUP_BREAK_GLASS),
			       "groups[].activation.break_glass demands a reason, although justification is "
			       "optional");
}

static int compare_ids(const void *left, const void *right)
{
	const struct config_group *a = *(const struct config_group *const *)left;
	const struct config_group *b = *(const struct config_group *const *)right;
	return strcmp(a->id, b->id);
}

/* All groups by their ids; NULL when memory is short, which is reported. To be freed. */
static const struct config_group **sort_by_id(struct builder *builder)
{
	const struct config *config = builder->config;
	const struct config_group **sorted = calloc(config->group_count + 1, sizeof(struct config_group *));
	if (!sorted) {
		report_no_memory(builder->reading.report);
		return NULL;
	}
	for (size_t i = 0; i < config->group_count; i++)
		sorted[i] = &config->groups[i];
	qsort(sorted, config->group_count, sizeof(struct config_group *), compare_ids);
	return sorted;
}

static const struct config_group *find(const struct builder *builder, const struct config_group **sorted,
				       const char *id)
{
	struct config_group key;
	const struct config_group *wanted = &key;
	memcpy(key.id, id, sizeof(key.id));
	const struct config_group *const *found = bsearch(&wanted, sorted, builder->config->group_count,
							  sizeof(struct config_group *), compare_ids);
	return found ? *found : NULL;
}

/* One group of another group's list. In an inherited list, which is the same for many, its own id means nothing. */
static void check_excluded(struct builder *builder, const struct config_group **sorted, size_t index,
			   const char *id)
{
	const struct marks *marks = &builder->groups[index];
	const struct config_group *group = &builder->config->groups[index],
				  *other = find(builder, sorted, id);
	struct report *report = builder->reading.report;
	if (!other)
		report_error(report, marks->exclusive,
			     "groups[].activation.exclusive_with holds %s, which is not among the groups",
			     id);
	else if (other == group && marks->own_exclusive)
		report_error(report, marks->exclusive,
			     "groups[].activation.exclusive_with holds the group itself");
	else if (other != group && marks->referred &&
		 builder->groups[other - builder->config->groups].referred &&
		 strcasecmp(marks->referred, builder->groups[other - builder->config->groups].referred) != 0)
		report_error(report, marks->exclusive,
			     "groups[].activation.exclusive_with holds %s, a group of another application",
			     id);
}

void builder_check_exclusive(struct builder *builder)
{
	const struct config *config = builder->config;
	const struct config_group **sorted = NULL;
	for (size_t i = 0; i < config->group_count; i++) {
		const struct policy_names *ids = &config->groups[i].policy.exclusive;
		if (ids->count > 0 && !sorted)
			sorted = sort_by_id(builder);
		for (size_t k = 0; sorted && k < ids->count; k++)
			check_excluded(builder, sorted, i, ids->list[k]);
	}
	free(sorted);
}

/* Two groups that nobody may hold together, as one of the two sees it. */
struct pair {
	const struct config_group *group, *other;
};

static int compare_pairs(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return (a->other > b->other) - (a->other < b->other);
}

/* Both directions of what the groups say; `pairs` has room for all of it, or is NULL to count. */
static size_t collect_pairs(const struct config *config, struct pair *pairs)
{
	size_t count = 0;
	for (size_t i = 0; i < config->group_count; i++) {
		const struct policy_names *ids = &config->groups[i].policy.exclusive;
		for (size_t k = 0; k < ids->count; k++) {
			const struct config_group *other = config_group(config, ids->list[k]);
			if (!other || other == &config->groups[i])
				continue;
			if (pairs) {
				pairs[count] = (struct pair){&config->groups[i], other};
				pairs[count + 1] = (struct pair){other, &config->groups[i]};
			}
			count += 2;
		}
	}
	return count;
}

/* Gives every group its ids from the sorted pairs, each once. `ids` has room for all of them. */
static void distribute(struct config *config, const struct pair *pairs, size_t count, char **ids)
{
	for (size_t i = 0; i < config->group_count; i++)
		config->groups[i].policy.exclusive = (struct policy_names){0};
	for (size_t i = 0; i < count; i++) {
		struct policy_names *names =
			&config->groups[pairs[i].group - config->groups].policy.exclusive;
		if (i > 0 && compare_pairs(&pairs[i - 1], &pairs[i]) == 0)
			continue;
		if (names->count == 0)
			names->list = &ids[i];
		names->list[names->count++] = config->groups[pairs[i].other - config->groups].id;
	}
}

void builder_join_exclusive(struct builder *builder)
{
	struct config *config = builder->config;
	size_t count = collect_pairs(config, NULL);
	struct pair *pairs = calloc(count + 1, sizeof(*pairs));
	char **ids = memory_take(&config->memory, count + 1, sizeof(char *));
	if (pairs && ids) {
		(void)collect_pairs(config, pairs);
		qsort(pairs, count, sizeof(*pairs), compare_pairs);
		distribute(config, pairs, count, ids);
	} else {
		report_no_memory(builder->reading.report);
	}
	free(pairs);
}
