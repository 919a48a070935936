/*
 * Pushes to the sandbox while memory runs out. Each ends once, in time, and with a verdict that is true: done, or to be
 * tried again. Nobody is refused for good because this broker had no memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/push_story.h"
#include "tests/support/sandbox_proc.h"
#include "tests/support/starve.h"

#define GROUP_NAME "aws-admins"
#define ADA        "ada@example.com"

#define DEADLINE_MS 200 /* of pushes that may fail */
#define REST_EACH   64  /* of so many allocations one is followed by no other */
#define SLOW_MAX    20  /* pushes in a row that a busy machine may keep from the n-th allocation */

struct place {
	char dir[64];
	struct sandbox sandbox;
	struct story *story;
	size_t retried;
};

static int open_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	void *story = NULL;

	if (place == NULL || story_open(&story) != 0)
		return -1;
	*state = place;
	place->story = story;
	snprintf(place->dir, sizeof(place->dir), "/tmp/jit-test-XXXXXX");
	if (mkdtemp(place->dir) == NULL || !sandbox_start(&place->sandbox, place->dir, "sandbox", NULL))
		return -1;
	snprintf(place->story->target.url, sizeof(place->story->target.url), "%s", place->sandbox.url);
	snprintf(place->story->target.token, sizeof(place->story->target.token), SANDBOX_TOKEN);
	return sandbox_make_group(&place->sandbox, GROUP_NAME) ? 0 : -1;
}

static int close_place(void **state)
{
	struct place *place = *state;
	void *story = place->story;
	char path[600];
	bool clean = story_close(&story) == 0;

	clean = sandbox_stop(&place->sandbox) && clean;
	remove(place->sandbox.requests_path);
	remove(place->sandbox.proc.log_path);
	snprintf(path, sizeof(path), "%s", place->dir);
	clean = remove(path) == 0 && clean;
	free(place);
	return clean ? 0 : -1;
}

/* A pusher that remembers nothing. */
static void forget(struct story *story)
{
	pusher_free(story->pusher);
	uv_run(&story->loop, UV_RUN_NOWAIT);
	story->pusher = pusher_new(&story->loop, NULL);
	assert_non_null(story->pusher);
	story->members[0].user_id[0] = '\0';
	story->push.group_id[0] = '\0';
}

static bool is_member(const struct place *place)
{
	return sandbox_is_member(&place->sandbox, GROUP_NAME, ADA);
}

/* Pushes with memory enough. */
static void push_well(struct place *place, bool add)
{
	place->story->push.add = add;
	place->story->push.deadline_ms = 0;
	story_again(place->story);
	story_expect(place->story, 0, PUSH_DONE, "");
	assert_true(is_member(place) == add);
}

/* As it was before any push: ada is no member, or she is, and as an addition begins, not even a user. */
static void start_anew(struct place *place, bool add)
{
	struct http_response response;

	forget(place->story);
	if (is_member(place) == add)
		push_well(place, !add);
	forget(place->story);
	if (!add)
		return;
	sandbox_control(&place->sandbox, "DELETE", "/sandbox/users/" ADA, NULL, &response);
	assert_int_not_equal(response.status, 0);
	http_response_release(&response);
}

/* One push; did an allocation fail? One that ran out of time may not have come to it. */
static bool push_once(struct place *place, bool add, long n, enum starve_how how, bool *whole)
{
	struct story *story = place->story;
	const struct push_member *ada = &story->members[0];
	long failed;

	start_anew(place, add);
	story->push.add = add;
	story->push.deadline_ms = clock_mono_ms() + DEADLINE_MS;
	starve_from(n, how);
	story_again(story);
	failed = starve_end();
	if (ada->verdict != PUSH_DONE && ada->verdict != PUSH_RETRY)
		fail_msg("without allocation %ld: %d %s", n, (int)ada->verdict, ada->error);
	if (ada->verdict == PUSH_DONE && is_member(place) != add)
		fail_msg("without allocation %ld: done, they say", n);
	if (ada->verdict == PUSH_RETRY && is_member(place) == add && !ada->in_doubt)
		fail_msg("without allocation %ld: it was sent, and nobody says so", n);
	place->retried += ada->verdict == PUSH_RETRY;
	*whole = ada->verdict == PUSH_DONE;
	return failed > 0;
}

/* False when there is no n-th allocation. */
static bool push_starved(struct place *place, bool add, long n, enum starve_how how)
{
	bool failed = false, whole = false;

	for (int i = 0; !failed && !whole; i++) {
		assert_int_not_equal(i, SLOW_MAX);
		failed = push_once(place, add, n, how, &whole);
	}
	return failed;
}

static void sweep_push(struct place *place, bool add)
{
	long n = 1;

	for (; push_starved(place, add, n, STARVE_ONE); n++)
		if (n % REST_EACH == 0)
			push_starved(place, add, n, STARVE_REST);
	print_message("%ld allocations, %zu pushes to be tried again\n", n - 1, place->retried);
	assert_true(n > 100 && place->retried > 0);
	/* What was to be tried again can be. */
	start_anew(place, add);
	push_well(place, add);
}

/* Nothing is read back, because that waits for the application to catch up and asks again. */
static void additions(void **state)
{
	struct place *place = *state;

	place->story->target.dialect.verify = VERIFY_NONE;
	sweep_push(place, true);
}

static void removals_that_are_read_back(void **state)
{
	sweep_push(*state, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(additions, open_place, close_place),
		cmocka_unit_test_setup_teardown(removals_that_are_read_back, open_place, close_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
