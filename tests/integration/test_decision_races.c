/*
 * Decisions at the same moment over two real brokers, hundreds of times: one outcome, one event in the audit that ends the waiting, and
 * whoever is too late is told who decided, and when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define RACES  120 /* of each kind, all begun at once; each by a person of their own */
#define ROUNDS 3   /* of races against the clock, at most */
#define AHEAD  16  /* calls under way at a time */
#define FIRST  3   /* the first of those who ask */
#define LEAD   1   /* who may decide … */
#define DEPUTY 2   /* … and who else */

/* One of the two who act in each race, each through a broker of its own. */
struct act {
	size_t person;      /* 0 = who asks */
	const char *result; /* of a decision; NULL = withdraws */
};

struct race {
	char id[ID_SIZE], stage[256], urls[2][512];
	struct http_response responses[2];
	size_t endings; /* events in the audit by which it stopped waiting */
};

static int open_with(void **state, size_t people, const char *approval)
{
	struct world_options options = scene_defaults();

	options.brokers = 2;
	options.people = people;
	options.application.pushes = 500;
	options.application.cycle_reserve = 10;
	options.group.more = approval;
	return scene_open(state, &options);
}

static int open_world(void **state)
{
	return open_with(
		state, FIRST + RACES,
		"      approval: {approvers: [person1@example.com, person2@example.com], timeout: 1h}\n");
}

#define TIMEOUT_MS 5000

static int open_hurried(void **state)
{
	return open_with(state, FIRST + ROUNDS * RACES,
			 "      approval: {approvers: [person1@example.com], timeout: 5s}\n");
}

/* Those from this person on. */
static void ask_all(const struct world *world, size_t first, struct race *races)
{
	static struct http_response responses[RACES];
	static struct world_ask asks[RACES];

	for (size_t i = 0; i < RACES; i++)
		asks[i] = (struct world_ask){.person = first + i, .broker = i % 2};
	scene_activate_many(world, asks, RACES, responses);
	for (size_t i = 0; i < RACES; i++) {
		assert_string_equal(scene_text(&responses[i], "status"), "PendingApproval");
		snprintf(races[i].id, ID_SIZE, "%s", scene_text(&responses[i], "id"));
		http_response_release(&responses[i]);
	}
}

/* The path of the only stage. */
static void find_stage(const struct world *world, struct race *race)
{
	struct http_response response;
	char url[256];

	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s", race->id);
	scene_get(world, LEAD, url, &response);
	snprintf(race->stage, sizeof(race->stage), PIM "assignmentApprovals/%s/stages/%s", race->id,
		 scene_text(&response, "stages.0.id"));
	http_response_release(&response);
}

static void prepare(const struct world *world, struct race *race, size_t person, const struct act acts[2],
		    struct http_request requests[2])
{
	find_stage(world, race);
	for (size_t i = 0; i < 2; i++) {
		bool decides = acts[i].result != NULL;

		if (decides)
			snprintf(race->urls[i], sizeof(race->urls[i]), "%s%s", world->brokers[i].root,
				 race->stage);
		else
			snprintf(race->urls[i], sizeof(race->urls[i]),
				 "%s" PIM "assignmentScheduleRequests/%s/cancel", world->brokers[i].root,
				 race->id);
		requests[i] = (struct http_request){
			.method = decides ? "PATCH" : "POST",
			.url = race->urls[i],
			.bearer = world_token(world, acts[i].person != 0 ? acts[i].person : person),
			.body = !decides                                 ? "{}"
				: strcmp(acts[i].result, "Approve") == 0 ? "{\"reviewResult\":\"Approve\"}"
									 : "{\"reviewResult\":\"Deny\"}",
		};
	}
}

static const char *field_of(const redisReply *fields, const char *name)
{
	for (size_t f = 0; f + 1 < fields->elements; f += 2)
		if (strcmp(fields->element[f]->str, name) == 0)
			return fields->element[f + 1]->str;
	return "";
}

static void count_endings(const struct world *world, struct race *races)
{
	redisReply *reply =
		redis_server_command(&world->redis, "XRANGE {j%d}:audit - +", id_lane(races[0].id));

	assert_non_null(reply);
	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *fields = reply->element[i]->element[1];

		for (size_t k = 0; k < RACES; k++)
			races[k].endings += strcmp(field_of(fields, "r"), races[k].id) == 0 &&
					    strcmp(field_of(fields, "f"), "awaiting") == 0 &&
					    strcmp(field_of(fields, "t"), "awaiting") != 0;
	}
	freeReplyObject(reply);
}

/* Both of each race at once, over connections of their own, and many races beside each other. */
static struct race *run(const struct world *world, const struct act acts[2])
{
	static struct race races[RACES];
	static struct http_request requests[2 * RACES];
	static struct http_response responses[2 * RACES];

	memset(races, 0, sizeof(races));
	ask_all(world, FIRST, races);
	for (size_t i = 0; i < RACES; i++)
		prepare(world, &races[i], FIRST + i, acts, &requests[2 * i]);
	assert_true(http_many(requests, 2 * RACES, AHEAD, responses));
	for (size_t i = 0; i < RACES; i++)
		memcpy(races[i].responses, &responses[2 * i], sizeof(races[i].responses));
	count_endings(world, races);
	return races;
}

static void expect_message(const struct http_response *response, const char *words)
{
	const char *message = http_json_text(response, "error.message");

	if (message == NULL || strncmp(message, words, strlen(words)) != 0 ||
	    strstr(message, " at 20") == NULL)
		fail_msg("%d %s", response->status, buf_text(&response->body));
}

static void finish(struct race *race)
{
	assert_int_equal(race->endings, 1);
	http_response_release(&race->responses[0]);
	http_response_release(&race->responses[1]);
}

/* A decision against another person's, over and over; who was first, how often, is chance. */
static void decisions(const struct world *world, const char *first, const char *second)
{
	const struct act acts[2] = {{LEAD, first}, {DEPUTY, second}};
	struct race *races = run(world, acts);

	for (size_t i = 0; i < RACES; i++) {
		const struct http_response *responses = races[i].responses;
		size_t winner = responses[0].status == 204 ? 0 : 1;
		char words[64];

		assert_int_equal(responses[winner].status, 204);
		assert_int_equal(responses[1 - winner].status, 409);
		snprintf(words, sizeof(words), "%s said %s", world_user_name(world, acts[winner].person),
			 acts[winner].result);
		expect_message(&responses[1 - winner], words);
		finish(&races[i]);
	}
}

static void two_approvers(void **state)
{
	decisions(*state, "Approve", "Approve");
	world_passed(*state);
}

static void approve_against_deny(void **state)
{
	decisions(*state, "Approve", "Deny");
	world_passed(*state);
}

static void approve_against_cancel(void **state)
{
	struct world *world = *state;
	const struct act acts[2] = {{LEAD, "Approve"}, {0, NULL}};
	struct race *races = run(world, acts);

	for (size_t i = 0; i < RACES; i++) {
		const struct http_response *responses = races[i].responses;
		char words[64];

		snprintf(words, sizeof(words), "%s said Approve", world_user_name(world, LEAD));
		if (responses[0].status == 204 && responses[1].status != 204) {
			assert_int_equal(responses[1].status, 400);
			expect_message(&responses[1], words);
		} else {
			assert_int_equal(responses[0].status, 409);
			assert_int_equal(responses[1].status, 204);
			expect_message(&responses[0], "It was withdrawn");
		}
		finish(&races[i]);
	}
	world_passed(world);
}

/*
 * Approvals about when the time is over, one each, by turns at the two brokers, in the order opposite to that in which they
 * were asked for: the first ones have some time left, the last ones none, and in between it is chance. Each counts or comes
 * too late, and never both. How many counted.
 */
static size_t race_against_time(struct world *world, size_t first)
{
	static struct race races[RACES];
	static struct http_request both[2 * RACES], requests[RACES];
	static struct http_response responses[RACES];
	const struct act acts[2] = {{LEAD, "Approve"}, {LEAD, "Approve"}};
	int64_t begun = clock_mono_ms(), left;
	size_t counted = 0;

	memset(races, 0, sizeof(races));
	ask_all(world, first, races);
	for (size_t i = 0; i < RACES; i++) {
		prepare(world, &races[i], first + i, acts, &both[2 * i]);
		requests[RACES - 1 - i] = both[2 * i + i % 2];
	}
	left = begun + TIMEOUT_MS - clock_mono_ms();
	if (left > 0)
		wait_a_little((int)left);
	assert_true(http_many(requests, RACES, AHEAD, responses));
	for (size_t i = 0; i < RACES; i++) {
		struct http_response *response = &responses[RACES - 1 - i];
		struct world_ask who = {.person = first + i};

		assert_true(response->status == 204 || response->status == 409);
		counted += response->status == 204;
		scene_wait(world, &who, races[i].id, response->status == 204 ? "provisioned" : "failed");
		http_response_release(response);
	}
	count_endings(world, races);
	for (size_t i = 0; i < RACES; i++)
		assert_int_equal(races[i].endings, 1);
	return counted;
}

/* A machine that is busy with something else may miss the moment, but not each time. */
static void approve_against_time_out(void **state)
{
	bool raced = false;

	for (size_t round = 0; round < ROUNDS && !raced; round++) {
		size_t counted = race_against_time(*state, FIRST + round * RACES);

		print_message("%zu of %d approvals were in time\n", counted, RACES);
		raced = counted > 0 && counted < RACES;
	}
	assert_true(raced);
	world_passed(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_approvers, open_world, scene_close),
		cmocka_unit_test_setup_teardown(approve_against_deny, open_world, scene_close),
		cmocka_unit_test_setup_teardown(approve_against_cancel, open_world, scene_close),
		cmocka_unit_test_setup_teardown(approve_against_time_out, open_hurried, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
