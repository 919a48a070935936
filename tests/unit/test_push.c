/* Pushes that go well, or end with a clear word: what is sent, in which order, and what is reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/push_story.h"

#define COMMON_HEADERS                                                                                       \
	"Accept: application/scim+json, application/json;q=0.9\n"                                            \
	"Authorization: Bearer " STORY_TOKEN "\n"
#define GET_HEADERS COMMON_HEADERS "Host: 127.0.0.1:PORT\nUser-Agent: jit-broker\n\n"

/* Every request of a whole push as bytes on the wire, the user's creation included. */
static void golden_story(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
		{.when = CREATE, .status = 201, .body = STORY_USER("u-1", "ada@example.com")},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;
	struct buf golden;

	STORY_RUN(story, rules);
	buf_init(&golden, 65536);
	buf_adds(&golden, FIND_GROUP " HTTP/1.1\n" GET_HEADERS FIND_USER("ada") " HTTP/1.1\n" GET_HEADERS);
	buf_adds(&golden,
		 CREATE " HTTP/1.1\n"
			"Accept: application/scim+json, application/json;q=0.9\n"
			"Authorization: Bearer " STORY_TOKEN "\n"
			"Content-Length: 247\n"
			"Content-Type: application/scim+json\n"
			"Host: 127.0.0.1:PORT\n"
			"User-Agent: jit-broker\n\n"
			"{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],"
			"\"userName\":\"ada@example.com\","
			"\"name\":{\"givenName\":\"ada\",\"familyName\":\"Example\"},"
			"\"displayName\":\"ada Example\","
			"\"emails\":[{\"value\":\"ada@example.com\",\"type\":\"work\",\"primary\":true}],"
			"\"active\":true}\n\n");
	buf_adds(&golden, PATCH("g-1") " HTTP/1.1\n"
				       "Accept: application/scim+json, application/json;q=0.9\n"
				       "Authorization: Bearer " STORY_TOKEN "\n"
				       "Content-Length: 132\n"
				       "Content-Type: application/scim+json\n"
				       "Host: 127.0.0.1:PORT\n"
				       "User-Agent: jit-broker\n\n" MEMBERS("add", MEMBER("u-1")) "\n\n");
	buf_adds(&golden, CONFIRM("g-1", "u-1") " HTTP/1.1\n" GET_HEADERS);
	assert_string_equal(buf_text(&story->peer.wire), buf_text(&golden));
	buf_release(&golden);
	story_expect(story, 0, PUSH_DONE, "");
	assert_false(story->members[0].in_doubt);
	assert_false(story->push.nothing_reached);
	assert_false(story->push.unanswered);
	assert_int_equal(story->ready, 1);
	assert_int_equal(story->peer.connection_count, 1); /* for all its requests */
}

static void known_ids_are_not_looked_up_again(void **state)
{
	struct story *story = *state;

	story_run_addition(story);
	story_expect(story, 0, PUSH_DONE, "");
	peer_rewind(&story->peer);
	story_again(story);
	story_expect(story, 0, PUSH_DONE, "");
	assert_string_equal(
		buf_text(&story->peer.seen),
		PATCH("g-1") "\n  " MEMBERS("add", MEMBER("u-1")) "\n" CONFIRM("g-1", "u-1") "\n");
}

static void several_members_share_one_patch(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = FIND_USER("bob"), .status = 200, .body = FOUND("bob", "u-2")},
		{.when = FIND_USER("cyd"), .status = 200, .body = FOUND("cyd", "u-3")},
		{.when = PATCH("g-1") " " MEMBERS("add", MEMBER("u-1") "," MEMBER("u-3")),
		 .status = 204,
		 .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
		{.when = CONFIRM("g-1", "u-3"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;

	story_member(story, "bob");
	story_member(story, "cyd");
	story->wanted[1] = false;
	story->consent = CONSENT_LATER;
	STORY_RUN(story, rules);
	assert_true(peer_all_used(&story->peer));
	assert_int_equal(story->peer.requests, 7);
	story_expect(story, 0, PUSH_DONE, "");
	story_expect(story, 1, PUSH_SKIPPED, "");
	story_expect(story, 2, PUSH_DONE, "");
}

static void nothing_is_sent_that_is_not_wanted(void **state)
{
	struct story *story = *state;

	story->wanted[0] = false;
	story_run_addition(story);
	story_expect(story, 0, PUSH_SKIPPED, "");
	assert_int_equal(story->peer.requests, 2);
}

static void lost_claim_skips_all(void **state)
{
	struct story *story = *state;

	story->consent = CONSENT_NONE;
	story_run_addition(story);
	story_expect(story, 0, PUSH_SKIPPED, "");
	assert_int_equal(story->peer.requests, 2);
}

static void missing_group(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = STORY_NONE},
	};
	struct story *story = *state;

	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_REFUSED, "the application has no group named \"aws-admins\"");
	/* A removal that finds no group of that name tries again: names change. Five times prove it. */
	story->push.add = false;
	for (unsigned failures = 0; failures < 5; failures++) {
		story->members[0].failures = failures;
		peer_rewind(&story->peer);
		story_again(story);
		if (failures < 4)
			story_expect(story, 0, PUSH_RETRY,
				     "the application has no group named \"aws-admins\"");
		else
			story_expect(story, 0, PUSH_DONE, "");
	}
	assert_int_equal(story->ready, 0);
}

static void two_groups_of_one_name(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP,
		 .status = 200,
		 .body = STORY_LIST("2", STORY_GROUP("g-1") "," STORY_GROUP("g-2"))},
	};
	struct story *story = *state;

	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_REFUSED, "the application has several groups named \"aws-admins\"");
}

static void missing_user(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
	};
	struct story *story = *state;

	story->target.create_users = false;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_REFUSED, "the application has no user named \"ada@example.com\"");
	story->target.create_users = true;
	story->members[0].person.given_name[0] = '\0';
	story_again(story);
	story_expect(story, 0, PUSH_REFUSED,
		     "the attribute name.givenName is empty, and the application requires it of a new user");
	story->push.add = false;
	story->members[0].failures = 4;
	story_again(story);
	story_expect(story, 0, PUSH_DONE, "");
	assert_int_equal(story->peer.requests, 4);
}

static void user_created_by_somebody_else(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
		{.when = CREATE,
		 .status = 409,
		 .body = STORY_ERROR("409", "Refused to create a new, duplicate resource.")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-7")},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-7"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;

	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
}

static void duplicate_that_is_not_found(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
		{.when = CREATE, .status = 409, .body = ""},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
	};
	struct story *story = *state;

	STORY_RUN(story, rules);
	story_expect(
		story, 0, PUSH_RETRY,
		"the application refuses a second user of this name but does not find \"ada@example.com\"");
	assert_false(story->members[0].in_doubt);
}

/* The group was deleted and created anew since the last push. */
static void outdated_ids_are_looked_up_once_more(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = PATCH("g-1"), .status = 404, .body = STORY_ERROR("404", "GROUP not found.")},
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-2")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-2")},
		{.when = PATCH("g-2"), .status = 204, .body = ""},
		{.when = CONFIRM("g-2", "u-2"), .status = 200, .body = GROUP("g-2")},
	};
	struct story *story = *state;

	story_run_addition(story);
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
	assert_int_equal(story->ready, 2); /* before each PATCH */
}

static void fresh_ids_are_not_looked_up_once_more(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = PATCH("g-1"), .status = 404, .body = STORY_ERROR("404", "USER not found.")},
	};
	struct story *story = *state;

	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_RETRY,
		     "adding to the group: the application answered 404: USER not found.");
	assert_false(story->members[0].in_doubt);
	/* And they are forgotten. */
	peer_rewind(&story->peer);
	story_again(story);
	assert_int_equal(story->peer.requests, 3);
}

/* One of three is refused: nobody is punished for it, and nothing more is sent with this push's token. */
static void refused_together_is_to_be_split(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = FIND_USER("bob"), .status = 200, .body = FOUND("bob", "u-2")},
		{.when = FIND_USER("cyd"), .status = 200, .body = FOUND("cyd", "u-3")},
		{.when = "PATCH ", .status = 400, .body = STORY_ERROR("400", "Request is unparsable.")},
	};
	struct story *story = *state;

	story_member(story, "bob");
	story_member(story, "cyd");
	STORY_RUN(story, rules);
	assert_true(peer_all_used(&story->peer));
	assert_int_equal(story->peer.requests, 5);
	for (size_t i = 0; i < 3; i++) {
		story_expect(story, i, PUSH_SPLIT,
			     "adding to the group: the application answered 400: Request is unparsable.");
		assert_false(story->members[i].in_doubt);
		assert_int_equal(story->members[i].status, 400);
	}
	assert_int_equal(story->push.status, 400);
	assert_false(story->push.sick);
}

/* What decided about one member is not said of another, and what was mended on the way is forgotten. */
static void each_has_its_own_status(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
		{.when = FIND_USER("bob"), .status = 200, .body = STORY_NONE},
		{.when = CREATE " {\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],"
				"\"userName\":\"ada@",
		 .status = 409,
		 .body = STORY_ERROR("409", "Duplicate.")},
		{.when = CREATE, .status = 400, .body = STORY_ERROR("400", "Request is unparsable.")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;

	story_member(story, "bob");
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	story_expect(story, 1, PUSH_REFUSED,
		     "creating the user: the application answered 400: Request is unparsable.");
	assert_int_equal(story->members[0].status, 204);
	assert_int_equal(story->members[1].status, 400);
}

static void confirmation_may_lag(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = "PATCH ", .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = STORY_NONE},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;
	int64_t begun = clock_mono_ms();

	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(clock_mono_ms() - begun >= 199); /* the loop's clock may be a moment behind */
}

/* 204 without effect: asked at 0 ms and 200 ms; the next time would be after the deadline. */
static void success_that_is_never_shown(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = "PATCH ", .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = STORY_NONE},
		{.when = CONFIRM("g-1", "u-1"), .status = 500, .body = STORY_NONE},
	};
	struct story *story = *state;

	story->push.deadline_ms = clock_mono_ms() + 1000;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_RETRY, "confirming the membership: the application answered 500");
	assert_true(story->members[0].in_doubt);
	assert_true(peer_all_used(&story->peer));
	assert_true(clock_mono_ms() < story->push.deadline_ms);
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, story_open, story_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(golden_story),
		STORY(known_ids_are_not_looked_up_again),
		STORY(several_members_share_one_patch),
		STORY(nothing_is_sent_that_is_not_wanted),
		STORY(lost_claim_skips_all),
		STORY(missing_group),
		STORY(two_groups_of_one_name),
		STORY(missing_user),
		STORY(user_created_by_somebody_else),
		STORY(duplicate_that_is_not_found),
		STORY(outdated_ids_are_looked_up_once_more),
		STORY(fresh_ids_are_not_looked_up_once_more),
		STORY(refused_together_is_to_be_split),
		STORY(each_has_its_own_status),
		STORY(confirmation_may_lag),
		STORY(success_that_is_never_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
