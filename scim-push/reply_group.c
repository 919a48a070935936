/* What an answer means for the push's group: found, missing, to be created or renamed. It is never deleted. */
#include "scim-push/run.h"

#include <stdio.h>
#include <string.h>

static void group_is_gone(struct run *run, const char *words)
{
	for (size_t i = 0; i < run->push->count; i++)
		if (run->seats[i].step != SEAT_SETTLED)
			nobody_to_remove(run, i, words);
	run_over(run);
}

/* Its name is not found, and the id under which it was known is none any more. */
static void group_is_missing(struct run *run)
{
	struct scim_find find;
	char words[TEXT_SIZE];

	group_find(run, &find);
	if (run->push->add && run->push->target->create_groups && !run->group_clashed) {
		run->group_step = GROUP_CREATE;
		return;
	}
	name_words(run,
		   run->group_clashed
			   ? "the application refuses a second group of this name but does not find"
			   : "the application has no group named",
		   find.value, words);
	if (!run->push->add)
		group_is_gone(run, words);
	else
		run_settle_rest(run, run->group_clashed ? PUSH_RETRY : PUSH_REFUSED, words);
}

/* The answer does not say what was asked. */
static void unreadable(struct run *run, enum scim_op op, const struct http_answer *answer,
		       enum outcome outcome)
{
	char words[TEXT_SIZE];

	answer_words(run, op, answer, words);
	if (outcome == OUTCOME_DONE)
		snprintf(words, sizeof(words), "%s: the answer is no complete SCIM %s", scim_op_words(op),
			 op == OP_FIND_GROUP ? "list" : "group");
	run_settle_rest(run, outcome == OUTCOME_REFUSED ? PUSH_REFUSED : PUSH_RETRY, words);
}

/* May it be the group of the known id, under its old name? Asked only once. */
static bool may_be_renamed(const struct run *run)
{
	return run->push->known_group_id[0] != '\0' && !run->group_clashed;
}

static void on_found(struct run *run, const struct http_answer *answer, enum outcome outcome)
{
	enum scim_hit hit = HIT_UNREADABLE;
	struct scim_find find;
	char id[SCIM_ID_SIZE];
	char words[TEXT_SIZE];

	group_find(run, &find);
	if (outcome == OUTCOME_DONE)
		hit = scim_read_found(answer->body, answer->len, &find, id);
	switch (hit) {
	case HIT_ONE:
		learn_group(run, id);
		return;
	case HIT_NONE:
		if (may_be_renamed(run))
			run->group_step = GROUP_READ;
		else
			group_is_missing(run);
		return;
	case HIT_SEVERAL:
		name_words(run, "the application has several groups named", find.value, words);
		run_settle_rest(run, PUSH_REFUSED, words);
		return;
	case HIT_UNREADABLE:
		unreadable(run, OP_FIND_GROUP, answer, outcome);
		return;
	}
}

static void on_read(struct run *run, const struct http_answer *answer, enum outcome outcome)
{
	static const struct attribute display_name = {.path = "displayName", .name = "displayName"};
	struct push *push = run->push;
	char name[NAME_SIZE], words[TEXT_SIZE], clean[TEXT_SIZE];

	if (outcome == OUTCOME_LOOK_AGAIN) {
		group_is_missing(run);
	} else if (outcome != OUTCOME_DONE ||
		   !scim_read_resource(answer->body, answer->len, push->known_group_id, &display_name,
				       name)) {
		unreadable(run, OP_READ_GROUP, answer, outcome);
	} else if (!push->add || strcmp(name, push->group_name) == 0) {
		learn_group(run, push->known_group_id);
	} else if (push->target->rename_groups) {
		run->group_step = GROUP_RENAME;
	} else {
		clean_words(push->target, name, clean);
		snprintf(words, sizeof(words), "the application's group is named \"%.256s\", not \"%s\"",
			 clean, push->group_name);
		run_settle_rest(run, PUSH_REFUSED, words);
	}
}

static void on_created(struct run *run, const struct http_answer *answer, enum outcome outcome)
{
	struct scim_find find;
	char id[SCIM_ID_SIZE];

	group_find(run, &find);
	if (outcome == OUTCOME_DONE && scim_read_created(answer->body, answer->len, &find, id)) {
		learn_group(run, id);
	} else if (outcome == OUTCOME_DONE || outcome == OUTCOME_LOOK_AGAIN) {
		/* Somebody else was quicker, or an answer of an earlier attempt was lost. */
		run->group_clashed = true;
		run->group_step = GROUP_FIND;
	} else {
		unreadable(run, OP_CREATE_GROUP, answer, outcome);
	}
}

static void on_renamed(struct run *run, const struct http_answer *answer, enum outcome outcome)
{
	if (outcome == OUTCOME_DONE)
		learn_group(run, run->push->known_group_id);
	else if (outcome == OUTCOME_LOOK_AGAIN)
		group_is_missing(run);
	else
		unreadable(run, OP_RENAME_GROUP, answer, outcome);
}

void reply_group(struct run *run, const struct slot *slot, const struct http_answer *answer,
		 enum outcome outcome)
{
	if (slot->op == OP_READ_GROUP)
		on_read(run, answer, outcome);
	else if (slot->op == OP_CREATE_GROUP)
		on_created(run, answer, outcome);
	else if (slot->op == OP_RENAME_GROUP)
		on_renamed(run, answer, outcome);
	else
		on_found(run, answer, outcome);
}
