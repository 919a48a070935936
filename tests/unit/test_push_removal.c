/* Removals: by the ids of the addition, or by names that may have changed; when is somebody gone? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/push_story.h"

/* As if the push that added had been lost with its broker. */
static void forget_ids(struct story *story)
{
	story->push.group_id[0] = '\0';
	story->members[0].user_id[0] = '\0';
}

static void removal_is_confirmed_by_absence(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ADA", "u-1")},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = STORY_NONE},
	};
	struct story *story = *state;

	story->push.add = false;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_non_null(strstr(buf_text(&story->peer.seen), MEMBERS("remove", MEMBER("u-1"))));
	assert_true(peer_all_used(&story->peer));
}

/* The user was deleted in the application and created anew; the old id is still in memory. */
static void removal_finds_the_new_user(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = PATCH("g-1") " " MEMBERS("remove", MEMBER("u-1")), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 404, .body = STORY_ERROR("404", "USER not found.")},
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-2")},
		{.when = PATCH("g-1") " " MEMBERS("remove", MEMBER("u-2")), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-2"), .status = 200, .body = STORY_NONE},
	};
	struct story *story = *state;

	story_run_addition(story);
	story->push.add = false;
	forget_ids(story);
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_false(story->members[0].in_doubt);
	assert_true(peer_all_used(&story->peer));
}

/* Group and person are called otherwise since they were added: the removal goes by the ids of the addition. */
static void removal_by_the_ids_of_the_addition(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = PATCH("g-1") " " MEMBERS("remove", MEMBER("u-1")), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = STORY_NONE},
	};
	struct story *story = *state;

	story_run_addition(story);
	assert_string_equal(story->push.group_id, "g-1");
	assert_string_equal(story->members[0].user_id, "u-1");
	story->push.add = false;
	snprintf(story->push.group_name, sizeof(story->push.group_name), "renamed");
	snprintf(story->members[0].person.user_name, NAME_SIZE, "renamed@example.com");
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
	assert_int_equal(story->peer.requests, 2);
}

static void removal_of_nobody_is_done(void **state)
{
	static const int statuses[] = {400, 404};
	struct story *story = *state;

	story->push.add = false;
	for (size_t i = 0; i < 2; i++) {
		struct peer_rule rules[] = {
			{.when = "PATCH ", .status = statuses[i], .body = STORY_ERROR("400", "No target.")},
			{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
			{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
			{.when = "PATCH ", .status = statuses[i], .body = STORY_ERROR("400", "No target.")},
			{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = STORY_NONE},
		};
		forget_ids(story);
		STORY_RUN(story, rules);
		story_expect(story, 0, PUSH_DONE, "");
		/* In the first round the ids are fresh, in the second they come from memory. */
		assert_int_equal(story->peer.requests, i == 0 ? 4 : 5);
	}
}

static void removal_that_is_refused(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = "PATCH ", .status = 400, .body = STORY_ERROR("400", "Not like this.")},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;

	story->push.add = false;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_REFUSED,
		     "removing from the group: the application answered 400: Not like this.");
	assert_false(story->members[0].in_doubt);
}

/* One of three is no member any more, and the application refuses the whole removal for it. */
static void removal_of_some_who_are_gone(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = FIND_USER("bob"), .status = 200, .body = FOUND("bob", "u-2")},
		{.when = FIND_USER("cyd"), .status = 200, .body = FOUND("cyd", "u-3")},
		{.when = "PATCH ", .status = 404, .body = STORY_ERROR("404", "Membership not found.")},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
		{.when = CONFIRM("g-1", "u-2"), .status = 200, .body = STORY_NONE},
		{.when = CONFIRM("g-1", "u-3"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;

	story_member(story, "bob");
	story_member(story, "cyd");
	story->push.add = false;
	STORY_RUN(story, rules);
	assert_true(peer_all_used(&story->peer));
	for (size_t i = 0; i < 3; i += 2)
		story_expect(story, i, PUSH_SPLIT,
			     "removing from the group: the application answered 404: Membership not found.");
	story_expect(story, 1, PUSH_DONE, "");
	/* The refusal decided about two of them, the look about the third. */
	assert_int_equal(story->members[0].status, 404);
	assert_int_equal(story->members[1].status, 200);
	assert_int_equal(story->members[2].status, 404);
	assert_int_equal(story->peer.requests, 8);
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, story_open, story_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(removal_is_confirmed_by_absence),
		STORY(removal_finds_the_new_user),
		STORY(removal_by_the_ids_of_the_addition),
		STORY(removal_of_nobody_is_done),
		STORY(removal_that_is_refused),
		STORY(removal_of_some_who_are_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
