/*
 * Decisions at the same moment over two real brokers: one outcome, one event in the audit that ends the waiting, and
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

#include "tests/support/scene.h"

#define ROUNDS 20
#define ANN    3 /* who asks */
#define LEAD   1 /* who may decide … */
#define DEPUTY 2 /* … and who else */

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.brokers = 2;
	options.groups = ROUNDS;
	options.application.pushes = 500;
	options.application.cycle_reserve = 10;
	options.group.more =
		"      approval: {approvers: [person1@example.com, person2@example.com], timeout: 1h}\n";
	return scene_open(state, &options);
}

/* One of the two who act, each through a broker of its own. */
struct act {
	size_t person;
	const char *result; /* of a decision; NULL = withdraws */
};

static void ask(const struct world *world, size_t round, char id[ID_SIZE])
{
	struct world_ask what = {.person = ANN, .group = round, .broker = round % 2};

	scene_activate(world, &what, id);
}

/* The path of the only stage. */
static void stage_of(const struct world *world, const char *id, char path[256])
{
	struct http_response response;
	char url[256];

	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s", id);
	scene_get(world, LEAD, url, &response);
	snprintf(path, 256, PIM "assignmentApprovals/%s/stages/%s", id, scene_text(&response, "stages.0.id"));
	http_response_release(&response);
}

/* Both at once, over connections of their own. */
static void race(const struct world *world, const char *id, const struct act acts[2],
		 struct http_response responses[2])
{
	struct http_request requests[2] = {{.method = NULL}};
	char stage[256], cancel[256], urls[2][512], bodies[2][64];

	stage_of(world, id, stage);
	snprintf(cancel, sizeof(cancel), PIM "assignmentScheduleRequests/%s/cancel", id);
	for (size_t i = 0; i < 2; i++) {
		snprintf(urls[i], sizeof(urls[i]), "%s%s", world->brokers[i].root,
			 acts[i].result != NULL ? stage : cancel);
		snprintf(bodies[i], sizeof(bodies[i]), "{\"reviewResult\":\"%s\"}",
			 acts[i].result != NULL ? acts[i].result : "");
		requests[i] = (struct http_request){.method = acts[i].result != NULL ? "PATCH" : "POST",
						    .url = urls[i],
						    .bearer = world_token(world, acts[i].person),
						    .body = acts[i].result != NULL ? bodies[i] : "{}"};
	}
	assert_true(http_many(requests, 2, 2, responses));
}

static const char *field_of(const redisReply *fields, const char *name)
{
	for (size_t f = 0; f + 1 < fields->elements; f += 2)
		if (strcmp(fields->element[f]->str, name) == 0)
			return fields->element[f + 1]->str;
	return "";
}

static size_t decisions_on(const struct world *world, const char *id)
{
	char key[24];
	redisReply *reply;
	size_t count = 0;

	snprintf(key, sizeof(key), "{j%d}:audit", id_lane(id));
	reply = redis_server_command(&world->redis, "XRANGE %s - +", key);
	assert_non_null(reply);
	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *fields = reply->element[i]->element[1];

		count += strcmp(field_of(fields, "r"), id) == 0 &&
			 strcmp(field_of(fields, "f"), "awaiting") == 0 &&
			 strcmp(field_of(fields, "t"), "awaiting") != 0;
	}
	freeReplyObject(reply);
	return count;
}

static void expect_message(const struct http_response *response, const char *words)
{
	const char *message = http_json_text(response, "error.message");

	if (message == NULL || strncmp(message, words, strlen(words)) != 0 ||
	    strstr(message, " at 20") == NULL)
		fail_msg("%d %s", response->status, buf_text(&response->body));
}

/* A decision against another person's, over and over; who was first, how often, is chance. */
static void decisions(const struct world *world, const char *first, const char *second)
{
	for (size_t round = 0; round < ROUNDS; round++) {
		const struct act acts[2] = {{LEAD, first}, {DEPUTY, second}};
		struct http_response responses[2];
		char id[ID_SIZE], words[64];
		size_t winner;

		ask(world, round, id);
		race(world, id, acts, responses);
		winner = responses[0].status == 204 ? 0 : 1;
		assert_int_equal(responses[winner].status, 204);
		assert_int_equal(responses[1 - winner].status, 409);
		snprintf(words, sizeof(words), "%s said %s", world_user_name(world, acts[winner].person),
			 acts[winner].result);
		expect_message(&responses[1 - winner], words);
		assert_int_equal(decisions_on(world, id), 1);
		http_response_release(&responses[0]);
		http_response_release(&responses[1]);
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
	const struct act acts[2] = {{LEAD, "Approve"}, {ANN, NULL}};

	for (size_t round = 0; round < ROUNDS; round++) {
		struct http_response responses[2];
		char id[ID_SIZE], words[64];

		ask(world, round, id);
		race(world, id, acts, responses);
		snprintf(words, sizeof(words), "%s said Approve", world_user_name(world, LEAD));
		if (responses[0].status == 204 && responses[1].status != 204) {
			assert_int_equal(responses[1].status, 400);
			expect_message(&responses[1], words);
		} else {
			assert_int_equal(responses[0].status, 409);
			assert_int_equal(responses[1].status, 204);
			expect_message(&responses[0], "It was withdrawn");
		}
		assert_int_equal(decisions_on(world, id), 1);
		http_response_release(&responses[0]);
		http_response_release(&responses[1]);
	}
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_approvers, open_world, scene_close),
		cmocka_unit_test_setup_teardown(approve_against_deny, open_world, scene_close),
		cmocka_unit_test_setup_teardown(approve_against_cancel, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
