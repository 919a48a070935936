/*
 * Who asks too often is told when to come again, and nobody else notices. Broken on purpose: no limit, one bucket for all, addresses not
 * counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene.h"

#define MOST  20
#define ASKED PIM "assignmentScheduleRequests/filterByCurrentUser(on='principal')"

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.requests_per_caller = MOST;
	return scene_open(state, &options);
}

static int get(const struct world *world, const char *token, const char *path)
{
	struct http_request request = {.url = path, .bearer = token};
	struct http_response response;
	char seconds[16];

	broker_call(&world->brokers[0], &request, &response);
	int status = response.status;
	if (status == 429) {
		assert_string_equal(scene_text(&response, "error.code"), "TooManyRequests");
		assert_true(http_header(&response, "Retry-After", seconds, sizeof(seconds)));
		assert_in_range(strtol(seconds, NULL, 10), 1, 10);
	}
	http_response_release(&response);
	return status;
}

/* How many of twice as many were answered so, before 429 came. */
static size_t flood(const struct world *world, const char *token, int status)
{
	size_t answered = 0, refused = 0;

	for (int i = 0; i < 2 * MOST; i++) {
		int got = get(world, token, ASKED);

		assert_true(got == status || got == 429);
		answered += got == status;
		refused += got == 429;
	}
	assert_true(refused > 0);
	return answered;
}

static size_t occurrences(const char *text, const char *word)
{
	size_t count = 0;

	for (; (text = strstr(text, word)) != NULL; text++)
		count++;
	return count;
}

/* Each call of a batch counts, and is told for itself. */
static void batches_count(void **state)
{
	struct world *world = *state;
	struct http_request request = {
		.method = "POST", .url = "/v1.0/$batch", .bearer = world_token(world, 3)};
	struct http_response response;
	struct buf body;

	buf_init(&body, 16384);
	buf_adds(&body, "{\"requests\":[");
	for (int i = 0; i < MOST; i++)
		buf_addf(&body, "%s{\"id\":\"%d\",\"method\":\"GET\",\"url\":\"%s\"}", i > 0 ? "," : "", i,
			 &ASKED[strlen("/v1.0")]);
	buf_adds(&body, "]}");
	request.body = buf_text(&body);
	broker_call(&world->brokers[0], &request, &response);
	assert_int_equal(response.status, 200);
	assert_true(occurrences(buf_text(&response.body), "\"status\":429") > 0);
	assert_int_equal(occurrences(buf_text(&response.body), "\"Retry-After\""),
			 occurrences(buf_text(&response.body), "\"status\":429"));
	http_response_release(&response);
	buf_release(&body);
	world_passed(world);
}

static void who_asks_too_often(void **state)
{
	struct world *world = *state;

	/* Some room comes back meanwhile. */
	assert_in_range(flood(world, world_token(world, 1), 200), MOST, 2 * MOST - 1);
	assert_int_equal(get(world, world_token(world, 2), ASKED), 200);
	/* Nobody, from this address. */
	assert_in_range(flood(world, "guessed", 401), MOST, 2 * MOST - 1);
	assert_int_equal(get(world, world_token(world, 2), ASKED), 200);
	assert_int_equal(get(world, NULL, "/healthz"), 200);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_asks_too_often, open_world, scene_close),
		cmocka_unit_test_setup_teardown(batches_count, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
