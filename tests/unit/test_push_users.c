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
	snprintf(story->members[0].known_id, PUSH_ID_SIZE, "u-1");
	STORY_RUN(story, known_user);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
}

/* Another broker has seen the user under another id since: an application may take the old one for a member. */
static void memory_that_is_out_of_date(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-2")},
		{.when = PATCH("g-1") " " MEMBERS("add", MEMBER("u-2")), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-2"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;

	story_run_addition(story);
	snprintf(story->members[0].known_id, PUSH_ID_SIZE, "u-2");
	STORY_RUN(story, rules);
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

/* -- whose user it is --------------------------------------------------------------------------------------------- */

static void creation_is_told(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
		{.when = CREATE, .status = 201, .body = STORY_USER("u-1", "ada@example.com")},
		{.when = PATCH("g-1"), .status = 500, .body = ""},
	};
	struct story *story = *state;

	STORY_RUN(story, rules);
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
	assert_true(story->members[0].created);
	assert_false(story->members[0].creation_lost);
	assert_string_equal(story->members[0].user_id, "u-1");
}

static void creation_without_an_answer(void **state)
{
	static const struct peer_rule closed[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
		{.when = CREATE, .deed = PEER_CLOSE},
	};
	static const struct peer_rule failed[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
		{.when = CREATE, .status = 500, .body = ""},
	};
	static const struct peer_rule hung[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
		{.when = CREATE, .deed = PEER_HANG},
	};
	static const struct peer_rule refused[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
		{.when = CREATE, .status = 400, .body = STORY_ERROR("400", "no")},
	};
	struct story *story = *state;

	STORY_RUN(story, closed);
	assert_true(story->members[0].creation_lost);
	assert_false(story->members[0].created);
	STORY_RUN(story, failed);
	assert_true(story->members[0].creation_lost);
	story->target.request_timeout_ms = 50;
	STORY_RUN(story, hung);
	assert_true(story->members[0].creation_lost);
	STORY_RUN(story, refused);
	assert_false(story->members[0].creation_lost);
}

#define FOUND_AS(external)                                                                                   \
	STORY_LIST("1", "{\"id\":\"u-1\",\"userName\":\"ada@example.com\",\"externalId\":\"" external "\"}")

/* Whether the push takes who is found for the broker's own. */
static bool takes_for_ours(struct story *story, const char *found, bool had_no_answer)
{
	const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = found},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
	};

	story->members[0].look_up = true;
	story->members[0].maybe_created = had_no_answer;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	return story->members[0].created;
}

/* A user who is found after a creation without an answer is the broker's where the externalId says so. */
static void ours_by_external_id(void **state)
{
	struct story *story = *state;
	struct mapping_rule rules[2];
	const struct mapping with_id = {rules, 2};

	assert_int_equal(mapping_compile("userName", "user_name", &rules[0], NULL), ERR_OK);
	assert_int_equal(mapping_compile("externalId", "id", &rules[1], NULL), ERR_OK);
	story->members[0].principal = "ada-1";
	assert_false(takes_for_ours(story, FOUND_AS("ada-1"), true));
	story->target.mapping = with_id;
	assert_true(takes_for_ours(story, FOUND_AS("ada-1"), true));
	assert_false(takes_for_ours(story, FOUND_AS("ada-2"), true));
	assert_false(takes_for_ours(story, FOUND("ada", "u-1"), true));
	assert_false(takes_for_ours(story, FOUND_AS("ada-1"), false));
}

/* -- whom the broker has deactivated or deleted ------------------------------------------------------------------- */

#define ACTIVATE                                                                                             \
	"PATCH /t/scim/v2/Users/u-1 {\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],"       \
	"\"Operations\":[{\"op\":\"replace\",\"path\":\"active\",\"value\":true}]}"

static void inactive_users_are_activated_first(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = ACTIVATE, .status = 204, .body = ""},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
	};
	static const char *const order[] = {"PATCH /t/scim/v2/Users/u-1", PATCH("g-1")};
	struct story *story = *state;

	story->members[0].inactive = true;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(story->members[0].activated);
	assert_true(peer_all_used(&story->peer));
	assert_true(strstr(buf_text(&story->peer.seen), order[0]) <
		    strstr(buf_text(&story->peer.seen), order[1]));
}

static void remembered_users_are_activated_too(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = ACTIVATE, .status = 204, .body = ""},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;

	story_run_addition(story);
	story->members[0].inactive = true;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
}

static void who_cannot_be_activated_is_not_added(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = ACTIVATE, .status = 400, .body = STORY_ERROR("400", "no")},
	};
	static const struct peer_rule gone[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = ACTIVATE, .status = 404, .body = STORY_ERROR("404", "no")},
	};
	struct story *story = *state;

	story->members[0].inactive = true;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_REFUSED, "changing the user: the application answered 400: no");
	assert_false(story->members[0].activated);
	assert_int_equal(story->peer.requests, 3);
	STORY_RUN(story, gone);
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
}

static void deleted_users_are_looked_up(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
		{.when = CREATE, .status = 201, .body = STORY_USER("u-2", "ada@example.com")},
		{.when = PATCH("g-1") " " MEMBERS("add", MEMBER("u-2")), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-2"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;

	story_run_addition(story);
	story->members[0].look_up = true;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, story_open, story_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(refused_value_reaches_nothing),
		STORY(others_of_the_push_go_on),
		STORY(missing_attribute_of_nobody),
		STORY(missing_attribute_of_somebody),
		STORY(known_users_are_not_looked_at),
		STORY(memory_that_is_out_of_date),
		STORY(remembered_users_are_not_looked_at),
		STORY(without_creation_nothing_is_looked_at),
		STORY(creation_is_told),
		STORY(creation_without_an_answer),
		STORY(ours_by_external_id),
		STORY(inactive_users_are_activated_first),
		STORY(remembered_users_are_activated_too),
		STORY(who_cannot_be_activated_is_not_added),
		STORY(deleted_users_are_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
