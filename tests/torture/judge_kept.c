/* Every acknowledged call is in the store at the end, once and as it was asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/torture/judge.h"

static int by_id(const void *a, const void *b)
{
	const struct judge_request *left = a, *right = b;

	return strcmp(left->id, right->id);
}

static const struct judge_request *find(const struct judge *judge, const char *id)
{
	struct judge_request key;

	snprintf(key.id, sizeof(key.id), "%s", id);
	return judge->request_count == 0 ? NULL
					 : bsearch(&key, judge->requests, judge->request_count,
						   sizeof(*judge->requests), by_id);
}

/* The call that this request was made by, as its justification says; -1 when it says something else. */
static long maker(const struct judge_request *request)
{
	char *end;
	long number = strncmp(request->why, "op-", 3) == 0 ? strtol(request->why + 3, &end, 10) : -1;

	return number >= 0 && *end == '\0' ? number : -1;
}

static void check_there(struct judge *judge, struct judge_op *op, const char *why)
{
	const struct judge_request *request = find(judge, op->id);
	const char *wrong = NULL;

	if (request == NULL)
		wrong = "is not there";
	else if (request->person != op->person || strcmp(request->why, why) != 0 ||
		 strcmp(request->action, op->action) != 0 ||
		 strcmp(request->group, judge->people[op->person].group) != 0)
		wrong = "is another's";
	if (wrong == NULL)
		return;
	op->lost = true;
	judge_say(judge, &judge->lost, "lost: %s of person %zu (%s), answered %d with %s, %s", why,
		  op->person, op->action, op->status, op->id, wrong);
}

/* The justification is the call's own: what has it twice was carried out twice; nothing that was refused may be there. */
static void check_count(struct judge *judge, struct judge_op *op, const char *why, size_t made)
{
	bool is_refused = op->status != 0 && op->status / 100 != 2;

	if (is_refused && made > 0)
		judge_say(judge, NULL, "broken: %s of person %zu was answered %d and is there", why,
			  op->person, op->status);
	if (made <= 1)
		return;
	op->lost = true;
	judge_say(judge, &judge->lost, "lost: %s of person %zu (%s) made %zu requests", why, op->person,
		  op->action, made);
}

static void check_op(struct judge *judge, struct judge_op *op, size_t made)
{
	bool withdraws = strcmp(op->action, "cancel") == 0;
	char why[32];

	snprintf(why, sizeof(why), "op-%ld", op->number);
	if (op->status == 0) {
		op->lost = true;
		judge_say(judge, &judge->lost, "lost: %s of person %zu (%s) was never answered", why,
			  op->person, op->action);
	}
	judge->acknowledged += op->status / 100 == 2;
	/* What a withdrawal has done is seen by the access that it takes. */
	if (op->status / 100 == 2 && !withdraws)
		check_there(judge, op, why);
	check_count(judge, op, why, made);
}

void judge_kept(struct judge *judge)
{
	long last = 0;
	size_t *made;

	for (size_t i = 0; i < judge->op_count; i++)
		last = judge->ops[i].number > last ? judge->ops[i].number : last;
	made = calloc((size_t)last + 1, sizeof(*made));
	if (made == NULL)
		abort();
	for (size_t i = 0; i < judge->request_count; i++) {
		long number = maker(&judge->requests[i]);

		if (number < 0 || number > last)
			judge_say(judge, NULL, "broken: nobody asked for %s", judge->requests[i].id);
		else
			made[number]++;
	}
	if (judge->request_count > 0)
		qsort(judge->requests, judge->request_count, sizeof(*judge->requests), by_id);
	for (size_t i = 0; i < judge->op_count; i++)
		check_op(judge, &judge->ops[i], made[judge->ops[i].number]);
	free(made);
}
