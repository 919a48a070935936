#include "broker/recheck.h"

#include <stdio.h>
#include <string.h>

#include "broker/person.h"

enum err recheck_group(const struct config *config, const struct request *request, struct errctx *why)
{
	const struct config_group *group = config_group(config, request->group);

	if (group == NULL)
		return err_set(why, ERR_POLICY, "The group is no longer known.");
	if (strcmp(group->application->id, request->application) != 0)
		return err_set(why, ERR_POLICY, "The group is in another application by now.");
	return ERR_OK;
}

enum err recheck(const struct policy *policy, const struct request *request, int64_t now_ms,
		 struct buf *limits, struct errctx *why)
{
	struct person *person = person_new(request->person != NULL ? request->person : "{}");
	struct policy_verdict verdict = {0};
	struct policy_ask ask = {
		.now_ms = now_ms,
		.start_ms = request->asked_start_ms,
		.length_ms = request->duration_ms,
		.justification = request->justification,
		.ticket_number = request->ticket_number,
		.break_glass = request->break_glass,
		.is_eligible = request->eligible,
		.is_recheck = true,
	};

	enum err err = ERR_OK;

	if (person == NULL)
		return ERR_NOMEM;
	if (ask.length_ms == 0)
		ask.length_ms = request->end_ms - request->start_ms;
	ask.person = person_for_policy(person);
	policy_check(policy, &ask, &verdict);
	policy_print_limits(policy, !ask.break_glass && !policy_is_eligible(policy, &ask.person, now_ms),
			    limits);
	/* No limits at all would be what an empty text says. */
	if (buf_failed(limits))
		err = ERR_NOMEM;
	else if (verdict.count > 0)
		err = err_set(why, ERR_POLICY, "Policy no longer allows it: %s.", verdict.refusals[0].rule);
	person_free(person);
	return err;
}

enum err recheck_person(const struct config *config, const struct request *request, struct buf *limits)
{
	policy_print_person(config_person_of_several(config, request->user_name), limits);
	return buf_failed(limits) ? ERR_NOMEM : ERR_OK;
}

enum err recheck_start(const struct config *config, const struct request *request, int64_t now_ms,
		       struct buf *limits, struct errctx *why)
{
	const struct config_group *group = config_group(config, request->group);
	enum err err = recheck_group(config, request, why);

	if (err != ERR_OK)
		return err;
	if (strncmp(request->action, "admin", strlen("admin")) == 0) {
		policy_print_limits(&group->policy, false, limits);
		return recheck_person(config, request, limits);
	}
	if (policy_needs_approval(&group->policy, request->break_glass) && !request->needed_approval)
		return err_set(why, ERR_POLICY,
			       "Policy asks for an approval by now, and nobody was asked for one.");
	err = recheck(&group->policy, request, now_ms, limits, why);
	return err != ERR_OK ? err : recheck_person(config, request, limits);
}

/* Memory that is short takes nothing away. */
enum eligible recheck_eligible(const struct config *config, const struct request *request, int64_t now_ms,
			       int64_t *until_ms)
{
	const struct config_group *group = config_group(config, request->group);
	struct policy_person who;
	struct person *person;

	if (group == NULL)
		return ELIGIBLE_UNKNOWN;
	if (group->policy.on_lost != POLICY_LOST_REMOVE)
		return ELIGIBLE_YES;
	person = person_new(request->person != NULL ? request->person : "");
	if (person == NULL)
		return ELIGIBLE_YES;
	who = person_for_policy(person);
	*until_ms = policy_eligible_until_ms(&group->policy, &who, now_ms, request->break_glass);
	person_free(person);
	return *until_ms == now_ms ? ELIGIBLE_LOST : ELIGIBLE_YES;
}

bool recheck_next_group(const struct config *config, size_t *index, char app[APP_ID_SIZE],
			char group[ID_SIZE])
{
	while (*index < config->group_count) {
		const struct config_group *next = &config->groups[(*index)++];

		if (next->policy.on_lost != POLICY_LOST_REMOVE)
			continue;
		snprintf(app, APP_ID_SIZE, "%s", next->application->id);
		snprintf(group, ID_SIZE, "%s", next->id);
		return true;
	}
	return false;
}

struct activation_policies recheck_policies(const struct config *config)
{
	struct activation_policies policies = {.grace_ms = config->policy_grace_ms};

	snprintf(policies.digest, sizeof(policies.digest), "%s", config->policies);
	return policies;
}
