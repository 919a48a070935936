/* Two tokens, so that a rotation has no gap; and the warnings before the end of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scim-push/expiry.h"
#include "tests/support/push_story.h"

#define NEXT_TOKEN "the-next-token"
#define REFUSAL    STORY_ERROR("401", "Bad token")

static void set_next(struct story *story, const char *token)
{
	snprintf(story->target.next_token, sizeof(story->target.next_token), "%s", token);
}

static size_t count(const char *text, const char *part)
{
	size_t found = 0;

	for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
		found++;
	return found;
}

/* The first token ends between two pushes: the look-up is asked again with the other one, and so is all that follows. */
static void first_token_has_ended(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 401, .body = REFUSAL},
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;

	set_next(story, NEXT_TOKEN);
	assert_false(pusher_uses_next_token(story->pusher, &story->target));
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_false(story->push.misconfigured);
	assert_int_equal(count(buf_text(&story->peer.wire), "Bearer " STORY_TOKEN), 1);
	assert_int_equal(count(buf_text(&story->peer.wire), "Bearer " NEXT_TOKEN), 4);
	assert_true(pusher_uses_next_token(story->pusher, &story->target));
	/* Remembered: the next push does not try the first any more. */
	story_run(story, rules + 3, 2);
	story_expect(story, 0, PUSH_DONE, "");
	assert_int_equal(count(buf_text(&story->peer.wire), "Bearer " STORY_TOKEN), 0);
	/* A new first token is tried first. */
	snprintf(story->target.token, sizeof(story->target.token), "renewed");
	assert_false(pusher_uses_next_token(story->pusher, &story->target));
}

/* It ends just before the PATCH: what is wanted is asked anew, and the PATCH is sent once more. */
static void token_ends_before_the_patch(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = PATCH("g-1"), .status = 401, .body = REFUSAL},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;

	story_run_addition(story);
	set_next(story, NEXT_TOKEN);
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_int_equal(story->ready, 2);
	assert_int_equal(story->peer.requests, 3);
}

/* Both are refused: each was tried once, and nothing more is. */
static void both_tokens_are_refused(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 401, .body = REFUSAL},
		{.when = FIND_GROUP, .status = 401, .body = STORY_ERROR("401", "Bad " NEXT_TOKEN)},
	};
	struct story *story = *state;

	set_next(story, NEXT_TOKEN);
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_RETRY, "looking up the group: the application answered 401: Bad [token]");
	assert_true(story->push.misconfigured);
	assert_int_equal(story->peer.requests, 2);
	/* The next push begins with the other one again: whichever is mended is found. */
	peer_rewind(&story->peer);
	story_again(story);
	assert_int_equal(story->peer.requests, 2);
}

/* 403 says that the token may not, which another one would not change. */
static void forbidden_is_not_a_bad_token(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 403, .body = ""},
	};
	struct story *story = *state;

	set_next(story, NEXT_TOKEN);
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_RETRY, "looking up the group: the application answered 403");
	assert_int_equal(story->peer.requests, 1);
}

static void warnings(void **state)
{
	const int64_t hour = 3600000, day = 24 * hour, end = 1000 * day;
	static const struct {
		int64_t hours_left;
		int warning;
		int64_t days_left;
	} rows[] = {
		{91 * 24, EXPIRY_NO_WARNING, 91},
		{90 * 24, 90, 90},
		{31 * 24, 90, 31},
		{30 * 24, 30, 30},
		{8 * 24, 30, 8},
		{7 * 24, 7, 7},
		{25, 7, 1},
		{24, 1, 1},
		{1, 1, 0},
		{0, 0, 0},
		{-1000, 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(expiry_warning(end, end - rows[i].hours_left * hour), rows[i].warning);
		assert_int_equal(expiry_days_left(end, end - rows[i].hours_left * hour), rows[i].days_left);
	}
	assert_int_equal(expiry_warning(0, end), EXPIRY_NO_WARNING);
	(void)state;
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, story_open, story_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(first_token_has_ended),   STORY(token_ends_before_the_patch),
		STORY(both_tokens_are_refused), STORY(forbidden_is_not_a_bad_token),
		cmocka_unit_test(warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
