/*
 * One notice goes to a bounded number of receivers (activation/notices.h): whoever names more is told before anything is
 * sent, instead of the last ones never hearing of it. See build.h; whom what is sent to is notice/audience.c's.
 */
#include "config/build.h"

#include <stdlib.h>
#include <strings.h>

#include "activation/notices.h"

#define STAGES_MAX 8 /* SET_GROUP_APPROVAL's */

struct told {
	const struct policy_names *lists[3 * STAGES_MAX + 2];
	size_t count;
};

static void add_stage(struct told *told, const struct policy_stage *stage)
{
	told->lists[told->count++] = &stage->approvers.principals;
	told->lists[told->count++] = &stage->escalation.principals;
	told->lists[told->count++] = &stage->notify;
}

static int compare(const void *left, const void *right)
{
	return strcasecmp(*(const char *const *)left, *(const char *const *)right);
}

/* How many different names there are; 0 without memory, which is reported. */
static size_t count_names(struct builder *builder, const struct told *told)
{
	size_t all = 0, different = 0;
	for (size_t i = 0; i < told->count; i++)
		all += told->lists[i]->count;
	const char **names = calloc(all + 1, sizeof(*names));
	if (!names) {
		report_no_memory(builder->reading.report);
		return 0;
	}
	all = 0;
	for (size_t i = 0; i < told->count; i++)
		for (size_t k = 0; k < told->lists[i]->count; k++)
			names[all++] = told->lists[i]->list[k];
	qsort(names, all, sizeof(*names), compare);
	for (size_t i = 0; i < all; i++)
		different += i == 0 || strcasecmp(names[i - 1], names[i]) != 0;
	free(names);
	return different;
}

static size_t count_hooks(const struct config *config, const struct config_group *group)
{
	size_t count = 0;
	for (size_t i = 0; i < config->webhook_count; i++) {
		const struct policy_names *groups = &config->webhooks[i].groups;
		size_t k = 0;
		while (k < groups->count && strcasecmp(groups->list[k], group->id) != 0)
			k++;
		count += k < groups->count || groups->count == 0;
	}
	return count;
}

/* The most whom one mail about this group goes to. A broken glass is told to all of them; a stage that is asked to its own. */
static size_t count_mailboxes(struct builder *builder, const struct policy *policy)
{
	struct told told = {.count = 0};
	size_t most = policy->notify.count + 1; /* what has become of it: also to who has asked */
	for (size_t i = 0; i < policy->approval.count; i++) {
		told.count = policy->break_glass.count > 0 ? told.count : 0;
		add_stage(&told, &policy->approval.list[i]);
		size_t asked = count_names(builder, &told);
		most = asked > most ? asked : most;
	}
	told.count = policy->break_glass.count > 0 ? told.count : 0;
	told.lists[told.count++] = &policy->notify;
	told.lists[told.count++] = &builder->config->operators.principals;
	size_t alarmed = count_names(builder, &told);
	return alarmed > most ? alarmed : most;
}

void builder_check_receivers(struct builder *builder, const struct policy *policy,
			     const struct element *element)
{
	if (!builder->config->mail.server[0])
		return;
	size_t count = count_mailboxes(builder, policy) + count_hooks(builder->config, element->base);
	if (count > NOTICE_COPIES_MAX)
		report_error(
			builder->reading.report, element_place(element, SET_GROUP_NOTIFY),
			"%zu receivers could have to be told of one thing, but a notice goes to %d at most: "
			"name mailing lists in place of approvers, operators and notify, or say by claims "
			"who "
			"they are",
			count, NOTICE_COPIES_MAX);
}
