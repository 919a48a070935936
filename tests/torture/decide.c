#include "tests/torture/decide.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "tests/support/wait.h"

#define CALL_MS    5000
#define GIVE_UP_MS 60000

static bool is_definite(int status)
{
	return status != 0 && status != 408 && status != 429 && status < 500;
}

static size_t any_broker(const struct ground *ground, struct dice *dice)
{
	return dice_roll(dice, (unsigned)ground->options.brokers);
}

int decide_look(struct ground *ground, struct dice *dice, const struct ground_person *who, const char *path,
		struct http_response *response)
{
	const struct http_request request = {.url = path, .bearer = who->token, .timeout_ms = CALL_MS};
	int64_t until = clock_mono_ms() + GIVE_UP_MS;

	for (;;) {
		ground_call(ground, any_broker(ground, dice), &request, response);
		if (is_definite(response->status))
			return response->status;
		if (clock_mono_ms() >= until)
			return 0;
		http_response_release(response);
		wait_a_little((int)dice_between(dice, 50, 300));
	}
}

/* The path of the only stage, whether it is in progress or not. */
static bool find_stage(struct ground *ground, struct dice *dice, const struct decision *decision, char *path,
		       size_t size)
{
	struct http_response response;
	const char *stage = NULL;

	snprintf(path, size, PIM "assignmentApprovals/%s", decision->request);
	if (decide_look(ground, dice, decision->by, path, &response) == 200)
		stage = http_json_text(&response, "stages.0.id");
	if (stage != NULL)
		snprintf(path, size, PIM "assignmentApprovals/%s/stages/%s", decision->request, stage);
	http_response_release(&response);
	return stage != NULL;
}

int decide(struct ground *ground, struct dice *dice, const struct decision *decision)
{
	static atomic_long numbers;
	const char *result = decision->approves ? "Approve" : "Deny";
	char path[256], body[96];
	int64_t until = clock_mono_ms() + GIVE_UP_MS;
	long number;
	int status = 0;

	if (!find_stage(ground, dice, decision, path, sizeof(path)))
		return 0;
	number = ++numbers;
	snprintf(body, sizeof(body), "{\"reviewResult\":\"%s\",\"justification\":\"seen\"}", result);
	for (int try_number = 1; !is_definite(status) && clock_mono_ms() < until; try_number++) {
		size_t broker = any_broker(ground, dice);
		struct http_response response;

		history_note(ground->history, "decide",
			     "\"n\":%ld,\"try\":%d,\"broker\":%zu,\"by\":\"%s\",\"request\":\"%s\","
			     "\"result\":\"%s\"",
			     number, try_number, broker, decision->by->id, decision->request, result);
		ground_call(ground, broker,
			    &(struct http_request){.method = "PATCH",
						   .url = path,
						   .bearer = decision->by->token,
						   .body = body,
						   .timeout_ms = CALL_MS},
			    &response);
		status = response.status;
		history_note(ground->history, "decided", "\"n\":%ld,\"try\":%d,\"status\":%d", number,
			     try_number, status);
		http_response_release(&response);
		if (!is_definite(status))
			wait_a_little((int)dice_between(dice, 50, 300));
	}
	return is_definite(status) ? status : 0;
}
