#include "tests/torture/approvers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/wait.h"
#include "tests/torture/decide.h"

#define WAITING         PIM "assignmentScheduleRequests/filterByCurrentUser(on='approver')?$top=100"
#define LEFT_ALONE      5  /* every such request waits until its time is over */
#define LATER_PERCENT   50 /* are looked at again */
#define APPROVE_PERCENT 65
#define AGAIN_PERCENT   15

/* The justification is "op-NUMBER". */
static bool is_left_alone(const cJSON *item)
{
	const char *why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "justification"));

	return why != NULL && strncmp(why, "op-", 3) == 0 && strtol(why + 3, NULL, 10) % LEFT_ALONE == 0;
}

static void look_at(struct approver *approver, const cJSON *item)
{
	struct decision decision = {
		.by = approver->who,
		.request = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "id")),
		.approves = dice_roll(&approver->dice, 100) < APPROVE_PERCENT,
	};
	bool later = dice_roll(&approver->dice, 100) < LATER_PERCENT;
	bool again = dice_roll(&approver->dice, 100) < AGAIN_PERCENT;

	if (later || decision.request == NULL || is_left_alone(item))
		return;
	if (decide(approver->ground, &approver->dice, &decision) != 0 && again)
		(void)decide(approver->ground, &approver->dice, &decision);
}

static void *run(void *ctx)
{
	struct approver *approver = ctx;

	while (!*approver->stop) {
		struct http_response response;
		const cJSON *item;

		if (decide_look(approver->ground, &approver->dice, approver->who, WAITING, &response) ==
		    200) {
			cJSON_ArrayForEach(item, http_json(&response, "value")) {
				look_at(approver, item);
			}
		}
		http_response_release(&response);
		wait_a_little((int)dice_between(&approver->dice, 200, 500));
	}
	return NULL;
}

bool approvers_begin(struct approvers *approvers, struct ground *ground, uint64_t seed)
{
	for (; approvers->started < GROUND_APPROVERS; approvers->started++) {
		size_t i = approvers->started;
		struct approver *approver = &approvers->all[i];

		*approver = (struct approver){.ground = ground,
					      .who = &ground->person[ground->people + 1 + i],
					      .dice = dice_new(seed, 200 + i),
					      .stop = &approvers->stop};
		if (pthread_create(&approver->thread, NULL, run, approver) != 0)
			return false;
	}
	return true;
}

void approvers_end(struct approvers *approvers)
{
	approvers->stop = true;
	for (; approvers->started > 0; approvers->started--)
		pthread_join(approvers->all[approvers->started - 1].thread, NULL);
}
