/*
 * An extension at the moment at which the access ends, over two real brokers, hundreds of times: it counts, and nobody loses the
 * access in between, or it comes too late, and the access has ended. Broken on purpose: an extension taken of what has ended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/sandbox_log.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define RACES   120 /* each by a person of their own, all at once */
#define ROUNDS  3
#define AHEAD   16   /* calls under way at a time */
#define HELD_MS 6000 /* how long what is asked for first lasts … */
#define HELD    "PT6S"
#define LONGER  "PT12S" /* … and what it is extended to, from then on */
#define EARLY   20      /* ms before the first end at which the first extension is sent */

struct race {
	char id[ID_SIZE], longer[ID_SIZE], body[512];
	struct world_ask ask;
};

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.brokers = 2;
	options.people = ROUNDS * RACES;
	options.application.pushes = 900;
	options.application.cycle_reserve = 10;
	return scene_open(state, &options);
}

/* When the first of them ends. */
static int64_t begin(const struct world *world, size_t first, struct race *races)
{
	static struct http_response responses[RACES];
	static struct world_ask asks[RACES];
	int64_t end_ms = INT64_MAX;

	for (size_t i = 0; i < RACES; i++)
		asks[i] = (struct world_ask){.person = first + i, .broker = i % 2, .duration = HELD};
	scene_activate_many(world, asks, RACES, responses);
	for (size_t i = 0; i < RACES; i++) {
		int64_t ends_ms = scene_time(&responses[i], "scheduleInfo.startDateTime") + HELD_MS;

		races[i].ask = asks[i];
		snprintf(races[i].id, ID_SIZE, "%s", scene_text(&responses[i], "id"));
		end_ms = ends_ms < end_ms ? ends_ms : end_ms;
		http_response_release(&responses[i]);
	}
	for (size_t i = 0; i < RACES; i++)
		scene_wait(world, &asks[i], races[i].id, "provisioned");
	return end_ms;
}

static void prepare(const struct world *world, struct race *race, struct http_request *request)
{
	static char urls[2][128];
	size_t broker = 1 - race->ask.broker;

	snprintf(urls[broker], sizeof(urls[broker]), "%s" PIM "assignmentScheduleRequests",
		 world->brokers[broker].root);
	snprintf(race->body, sizeof(race->body),
		 "{\"action\":\"selfExtend\",\"accessId\":\"member\",\"principalId\":\"%s\",\"groupId\":\"%"
		 "s\","
		 "\"justification\":\"not done "
		 "yet\",\"scheduleInfo\":{\"expiration\":{\"type\":\"afterDuration\","
		 "\"duration\":\"" LONGER "\"}}}",
		 world_person_id(world, race->ask.person), world_group_id(world, 0));
	*request = (struct http_request){
		.url = urls[broker], .bearer = world_token(world, race->ask.person), .body = race->body};
}

/* Those who were refused have lost it, the others have not; and these do when the extension is over. */
static void judge(struct world *world, const struct race *races, size_t extended)
{
	for (size_t i = 0; i < RACES; i++)
		if (races[i].longer[0] == '\0')
			scene_wait(world, &races[i].ask, races[i].id, "removed");
	assert_int_equal(scene_members(world, 0), extended);
	for (size_t i = 0; i < RACES; i++) {
		bool wanted = races[i].longer[0] != '\0';

		assert_true(world_wait_member(world, races[i].ask.person, 0, wanted, 0));
	}
	for (size_t i = 0; i < RACES; i++)
		if (races[i].longer[0] != '\0')
			scene_wait(world, &races[i].ask, races[i].longer, "removed");
	scene_wait_empty(world);
}

/*
 * Extensions about when the access ends, each at the other broker, in the order opposite to that in which they began: the first
 * ones have some time left, the last ones none, and in between it is chance. How many counted.
 */
static size_t race_against_the_end(struct world *world, size_t first)
{
	static struct race races[RACES];
	static struct http_request requests[RACES];
	static struct http_response responses[RACES];
	size_t extended = 0;

	memset(races, 0, sizeof(races));
	int64_t end_ms = begin(world, first, races);
	for (size_t i = 0; i < RACES; i++)
		prepare(world, &races[i], &requests[RACES - 1 - i]);
	scene_wait_for(end_ms - EARLY);
	assert_true(http_many(requests, RACES, AHEAD, responses));
	for (size_t i = 0; i < RACES; i++) {
		struct http_response *response = &responses[RACES - 1 - i];

		if (response->status == 201) {
			snprintf(races[i].longer, ID_SIZE, "%s", scene_text(response, "id"));
			extended++;
		} else {
			assert_int_equal(response->status, 400);
			assert_string_equal(scene_text(response, "error.code"), "RoleAssignmentDoesNotExist");
		}
		http_response_release(response);
	}
	judge(world, races, extended);
	return extended;
}

/* Everybody came once and went once: nobody went in between and came again. */
static void expect_pushed(const struct world *world, size_t members)
{
	struct sandbox_log log;
	size_t added = 0, removed = 0;

	assert_true(sandbox_log_read(world->sandbox.requests_path, &log));
	for (size_t i = 0; i < log.count; i++) {
		const cJSON *operation =
			cJSON_GetArrayItem(cJSON_GetObjectItem(log.entries[i].body, "Operations"), 0);
		size_t count = (size_t)cJSON_GetArraySize(cJSON_GetObjectItem(operation, "value"));

		if (!sandbox_entry_is_push(&log.entries[i]))
			continue;
		if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(operation, "op")), "add") == 0)
			added += count;
		else
			removed += count;
	}
	sandbox_log_release(&log);
	assert_int_equal(added, members);
	assert_int_equal(removed, members);
}

/* A machine that is busy with something else may miss the moment, but not each time. */
static void extend_against_expiry(void **state)
{
	bool raced = false;
	size_t rounds = 0;

	for (; rounds < ROUNDS && (!raced || rounds < 2); rounds++) {
		size_t extended = race_against_the_end(*state, rounds * RACES);

		print_message("%zu of %d extensions were in time\n", extended, RACES);
		raced = raced || (extended > 0 && extended < RACES);
	}
	assert_true(raced);
	expect_pushed(*state, rounds * RACES);
	world_passed(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(extend_against_expiry, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
