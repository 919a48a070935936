/* Rules over whole policies, once everything that is inherited is there. See build.h. */
#include "config/build.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The people who may decide at a stage, by name and each once. */
struct deciders {
	const char **people;
	size_t count;
};

static int compare_people(const void *left, const void *right)
{
	return strcasecmp(*(const char *const *)left, *(const char *const *)right);
}

static void add_people(const struct config *config, const struct policy_names *names, struct deciders *out)
{
	for (size_t i = 0; i < names->count; i++)
		out->people[out->count++] = config_person_behind(config, names->list[i]);
}

/* False when memory is short, which is reported. To be freed. */
static bool find_deciders(struct builder *builder, const struct policy_stage *stage, struct deciders *out)
{
	const struct policy_names *first = &stage->approvers.principals,
				  *others = &stage->escalation.principals;
	size_t kept = 0;
	*out = (struct deciders){.people = calloc(first->count + others->count + 1, sizeof(char *))};
	if (!out->people) {
		report_no_memory(builder->reading.report);
		return false;
	}
	add_people(builder->config, first, out);
	add_people(builder->config, others, out);
	qsort(out->people, out->count, sizeof(char *), compare_people);
	for (size_t i = 0; i < out->count; i++)
		if (kept == 0 || strcasecmp(out->people[kept - 1], out->people[i]) != 0)
			out->people[kept++] = out->people[i];
	out->count = kept;
	return true;
}

/* The first name of those eligible whose person is one of the deciders, or NULL; and are all of them? Not where claims
 * say who is eligible. */
static const char *find_stuck(const struct config *config, const struct policy_eligibilities *eligible,
			      const struct deciders *deciders, bool *all)
{
	const char *stuck = NULL;
	*all = true;
	for (size_t i = 0; i < eligible->count; i++) {
		const struct policy_people *people = &eligible->list[i].people;
		*all = *all && people->claims.count == 0;
		for (size_t k = 0; k < people->principals.count; k++) {
			const char *name = people->principals.list[k];
			const char *person = config_person_behind(config, name);
			if (!bsearch(&person, deciders->people, deciders->count, sizeof(char *),
				     compare_people))
				*all = false;
			else if (!stuck)
				stuck = name;
		}
	}
	return stuck;
}

/* Nobody decides their own request: where a stage needs all who may decide, none of them can pass it. */
static void check_stage(struct builder *builder, const struct policy *policy,
			const struct policy_stage *stage, struct place place)
{
	struct report *report = builder->reading.report;
	char quoted[REPORT_QUOTE_SIZE];
	struct deciders deciders;
	bool all = false;
	if (policy_stage_named(stage) == SIZE_MAX || !find_deciders(builder, stage, &deciders))
		return;
	const char *stuck = find_stuck(builder->config, &policy->eligible, &deciders, &all);
	if (deciders.count < (size_t)stage->needed)
		report_error(
			report, place,
			"a stage needs %lld different people, but has only %zu: it could never be passed",
			(long long)stage->needed, deciders.count);
	else if (deciders.count == (size_t)stage->needed && stuck && all)
		report_error(
			report, place,
			"nobody could be approved: whoever is eligible is needed as an approver, and nobody "
			"decides their own request");
	else if (deciders.count == (size_t)stage->needed && stuck)
		report_warning(
			report, place,
			"%s could never be approved: they are eligible, but also needed as an approver",
			report_quote(stuck, quoted));
	free(deciders.people);
}

/* Who only looks on, or only does what is due, decides nothing, whatever names them as an approver. */
static void check_deciders(struct builder *builder, const struct policy_names *names, struct place place)
{
	char quoted[REPORT_QUOTE_SIZE];
	for (size_t i = 0; i < names->count; i++)
		if (builder_only_looks_on(builder->config, names->list[i]))
			report_warning(builder->reading.report, place,
				       "%s could decide nothing: they are an auditor or a timer job",
				       report_quote(names->list[i], quoted));
}

static bool is_within(const struct deciders *few, const struct deciders *many)
{
	for (size_t i = 0; i < few->count; i++)
		if (!bsearch(&few->people[i], many->people, many->count, sizeof(char *), compare_people))
			return false;
	return few->count > 0;
}

/* Whoever has decided at one stage may decide at the next: a stage that asks nobody new adds no other pair of eyes. Claims
 * are not compared: who has them is not known here. */
static void check_anew(struct builder *builder, const struct policy *policy, size_t stage, struct place place)
{
	struct deciders here, before;
	bool same = false;
	if (policy_stage_named(&policy->approval.list[stage]) == SIZE_MAX ||
	    !find_deciders(builder, &policy->approval.list[stage], &here))
		return;
	for (size_t i = 0; i < stage && !same; i++) {
		if (!find_deciders(builder, &policy->approval.list[i], &before))
			break;
		same = is_within(&here, &before);
		free(before.people);
		if (same)
			report_warning(builder->reading.report, place,
				       "stage %zu asks nobody new: all who decide there may decide at stage "
				       "%zu too, "
				       "and the same person may pass both",
				       stage + 1, i + 1);
	}
	free(here.people);
}

/* An empty list means all. */
static bool wants(const struct policy_names *names, const char *text)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcasecmp(names->list[i], text) == 0)
			return true;
	return names->count == 0;
}

/* Would anybody hear that this round of approval of the group is asked? */
static bool is_heard(const struct config *config, const struct config_group *group,
		     const struct policy_stage *stage)
{
	const char *event = "approval.requested";
	if (config->mail.server[0] && wants(&config->mail.events, event) && stage->notify.count > 0)
		return true;
	for (size_t i = 0; i < config->webhook_count; i++)
		if (wants(&config->webhooks[i].events, event) &&
		    wants(&config->webhooks[i].groups, group->id))
			return true;
	return false;
}

/* Who is known by claims alone has no mailbox that the broker knows, unless an address is named for them. */
static void check_told(struct builder *builder, const struct config_group *group,
		       const struct policy_stage *stage, struct place place)
{
	const struct config *config = builder->config;
	bool tells = config->mail.server[0] || config->webhook_count > 0;
	if (!tells || stage->approvers.principals.count > 0 || is_heard(config, group, stage))
		return;
	report_warning(
		builder->reading.report, place,
		"no approver would be told of a request: claims alone say who decides, no webhook wants to "
		"know, and no mail goes to an address in notify");
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
		check_told(builder, element->base, stage, place);
		check_anew(builder, policy, i, place);
	}
	builder_check_receivers(builder, policy, element);
	if (report->errors == builder->errors_before)
		builder_check_reach(builder, policy, element);
	if (policy->break_glass.count > 0 && !policy->justification_required)
		report_warning(report, element_place(element, SET_GROUP_BREAK_GLASS),
			       "groups[].activation.break_glass demands a reason, although justification is "
			       "optional");
}

/* A message names a user name, and who has it brings no token: claims alone make nobody an approver there. */
static bool is_by_claims_alone(const struct policy *policy)
{
	for (size_t i = 0; i < policy->approval.count; i++) {
		const struct policy_stage *stage = &policy->approval.list[i];
		if (stage->approvers.principals.count + stage->escalation.principals.count == 0)
			return true;
	}
	return false;
}

void builder_check_source(struct builder *builder, const struct config_approval_source *source,
			  struct place place)
{
	const struct config *config = builder->config;
	const struct config_group *first = NULL;
	char quoted[REPORT_QUOTE_SIZE];
	size_t served = source->groups.count > 0 ? source->groups.count : config->group_count, count = 0;
	for (size_t i = 0; i < served; i++) {
		const struct config_group *group = source->groups.count > 0
							   ? config_group(config, source->groups.list[i])
							   : &config->groups[i];
		if (!group || !is_by_claims_alone(&group->policy))
			continue;
		first = first ? first : group;
		count++;
	}
	if (first)
		report_warning(
			builder->reading.report, place,
			"approval_sources[] could not decide for %s (groups of that kind: %zu): claims alone "
			"say who approves, and a message names a user name",
			report_quote(first->name, quoted), count);
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
