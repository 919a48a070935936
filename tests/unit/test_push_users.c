/* Who is pushed as a user of the application: looked at before anything is sent, created, known from before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/push_story.h"

static const struct peer_rule known_user[] = {
	{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
	{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
	{.when = PATCH("g-1"), .status = 204, .body = ""},
	{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
};

static const struct peer_rule nobody[] = {
	{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
	{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
	{.when = CREATE, .status = 201, .body = STORY_USER("u-1", "ada@example.com")},
};

/* Something that no application takes of anybody. */
static void spoil(struct story *story)
{
	snprintf(story->members[0].person.display_name, NAME_SIZE, "Ada <ops>");
}

/* Something without which nobody is created. */
static void empty(struct story *story)
{
	story->members[0].person.given_name[0] = '\0';
}

static void refused_value_reaches_nothing(void **state)
{
	struct story *story = *state;

	spoil(story);
	STORY_RUN(story, nobody);
	story_expect(
		story, 0, PUSH_REFUSED,
		"the attribute displayName is \"Ada <ops>\", but the application takes none of < > ; : % "
		"tab newline return in it");
	assert_int_equal(story->peer.requests, 0);
	assert_true(story->push.nothing_reached);
}

static void others_of_the_push_go_on(void **state)
{
	struct story *story = *state;

	story_member(story, "bob");
	snprintf(story->members[1].person.display_name, NAME_SIZE, "100%% Bob");
	STORY_RUN(story, known_user);
	story_expect(story, 0, PUSH_DONE, "");
	assert_int_equal(story->members[1].verdict, PUSH_REFUSED);
	assert_int_equal(story->peer.requests, 4);
}

static void missing_attribute_of_nobody(void **state)
{
	struct story *story = *state;

	empty(story);
	STORY_RUN(story, nobody);
	story_expect(story, 0, PUSH_REFUSED,
		     "the attribute name.givenName is empty, and the application requires it of a new user");
	assert_string_equal(buf_text(&story->peer.seen), FIND_USER("ada") "\n");
}

/* Who is there needs no creation, and what would be missing for one is no reason to refuse them. */
static void missing_attribute_of_somebody(void **state)
{
	struct story *story = *state;

	empty(story);
	STORY_RUN(story, known_user);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
}

static void known_users_are_not_looked_at(void **state)
{
	struct story *story = *state;

	spoil(story);
	story->members[0].known = true;
	STORY_RUN(story, known_user);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
}

static void remembered_users_are_not_looked_at(void **state)
{
	struct story *story = *state;

	story_run_addition(story);
	peer_rewind(&story->peer);
	spoil(story);
	story_again(story);
	story_expect(story, 0, PUSH_DONE, "");
}

/* Where nobody is created, nothing but the name by which they are found matters. */
static void without_creation_nothing_is_looked_at(void **state)
{
	struct story *story = *state;

	spoil(story);
	empty(story);
	story->target.create_users = false;
	STORY_RUN(story, known_user);
	story_expect(story, 0, PUSH_DONE, "");
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, story_open, story_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(refused_value_reaches_nothing),         STORY(others_of_the_push_go_on),
		STORY(missing_attribute_of_nobody),           STORY(missing_attribute_of_somebody),
		STORY(known_users_are_not_looked_at),         STORY(remembered_users_are_not_looked_at),
		STORY(without_creation_nothing_is_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
