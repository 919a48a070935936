/* A push's group and users: found by other attributes, created on demand, renamed, never deleted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/push_story.h"

#define READ_GROUP(g)  "GET /t/scim/v2/Groups/" g
#define CREATE_GROUP   "POST /t/scim/v2/Groups"
#define NAMED(g, name) "{\"id\":\"" g "\",\"displayName\":\"" name "\"}"
#define REST                                                                                                 \
	{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},                              \
		{.when = PATCH("g-1"), .status = 204, .body = ""},                                           \
	{                                                                                                    \
		.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")                           \
	}

static void missing_group_is_created(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = STORY_NONE},
		{.when = CREATE_GROUP " {\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:Group\"],"
				      "\"displayName\":\"aws-admins\",\"externalId\":\"ext-1\"}",
		 .status = 201,
		 .body = NAMED("g-1", "aws-admins")},
		REST,
	};
	struct story *story = *state;

	story->target.create_groups = true;
	snprintf(story->push.group_external_id, sizeof(story->push.group_external_id), "ext-1");
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
	assert_string_equal(story->push.group_id, "g-1");
}

/* Somebody was quicker, or the answer of an earlier attempt was lost: it is looked up, not failed. */
static void group_that_exists_already(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = STORY_NONE},
		{.when = CREATE_GROUP, .status = 409, .body = STORY_ERROR("409", "Refused")},
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		REST,
	};
	struct story *story = *state;

	story->target.create_groups = true;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
}

static void creation_that_is_not_found(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = STORY_NONE},
		{.when = CREATE_GROUP, .status = 409, .body = STORY_ERROR("409", "Refused")},
		{.when = FIND_GROUP, .status = 200, .body = STORY_NONE},
	};
	struct story *story = *state;

	story->target.create_groups = true;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_RETRY,
		     "the application refuses a second group of this name but does not find \"aws-admins\"");
	assert_int_equal(story->peer.requests, 3);
}

static void removal_creates_no_group(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = STORY_NONE},
	};
	struct story *story = *state;

	story->target.create_groups = true;
	story->push.add = false;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_RETRY, "the application has no group named \"aws-admins\"");
	assert_int_equal(story->peer.requests, 1);
}

/* The configuration gives it another name; its id is known. */
static void group_is_renamed(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = STORY_NONE},
		{.when = READ_GROUP("g-1"), .status = 200, .body = NAMED("g-1", "old-admins")},
		{.when = PATCH("g-1") " {\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],"
				      "\"Operations\":[{\"op\":\"replace\",\"path\":\"displayName\","
				      "\"value\":\"aws-admins\"}]}",
		 .status = 204,
		 .body = ""},
		REST,
	};
	struct story *story = *state;

	story->target.rename_groups = true;
	snprintf(story->push.known_group_id, sizeof(story->push.known_group_id), "g-1");
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
}

static void rename_must_be_wanted(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = STORY_NONE},
		{.when = READ_GROUP("g-1"), .status = 200, .body = NAMED("g-1", "old-admins")},
	};
	struct story *story = *state;

	story->target.create_groups = true;
	snprintf(story->push.known_group_id, sizeof(story->push.known_group_id), "g-1");
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_REFUSED,
		     "the application's group is named \"old-admins\", not \"aws-admins\"");
	assert_int_equal(story->peer.requests, 2);
}

/* The known group was deleted: now it may be created anew. */
static void known_group_is_gone(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = STORY_NONE},
		{.when = READ_GROUP("g-0"), .status = 404, .body = ""},
		{.when = CREATE_GROUP, .status = 201, .body = NAMED("g-1", "aws-admins")},
		REST,
	};
	struct story *story = *state;

	story->target.create_groups = true;
	story->target.rename_groups = true;
	snprintf(story->push.known_group_id, sizeof(story->push.known_group_id), "g-0");
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
}

static void group_by_external_id(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = "GET /t/scim/v2/Groups?filter=externalId%20eq%20%22ext-1%22",
		 .status = 200,
		 .body = STORY_LIST(
			 "1", "{\"id\":\"g-1\",\"displayName\":\"anything\",\"externalId\":\"ext-1\"}")},
		REST,
	};
	static const struct peer_rule two[] = {
		{.when = "GET /t/scim/v2/Groups?filter=externalId%20eq%20%22ext-2%22",
		 .status = 200,
		 .body = STORY_LIST("2", "{\"id\":\"g-1\",\"externalId\":\"ext-2\"},"
					 "{\"id\":\"g-2\",\"externalId\":\"ext-2\"}")},
	};
	struct story *story = *state;

	story->target.match_groups = GROUPS_BY_EXTERNAL_ID;
	snprintf(story->push.group_external_id, sizeof(story->push.group_external_id), "ext-1");
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	snprintf(story->push.group_external_id, sizeof(story->push.group_external_id), "ext-2");
	story_run(story, two, 1);
	story_expect(story, 0, PUSH_REFUSED, "the application has several groups named \"ext-2\"");
}

static void match_by(struct story *story, const char *path, const char *expression,
		     struct mapping_rule *rules)
{
	memcpy(rules, mapping_default.rules, mapping_default.count * sizeof(*rules));
	assert_int_equal(mapping_compile(path, expression, &rules[mapping_default.count], NULL), ERR_OK);
	story->target.mapping = (struct mapping){rules, mapping_default.count + 1};
	story->target.match = rules[mapping_default.count].attribute;
}

static void user_by_external_id(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = "GET /t/scim/v2/Users?filter=externalId%20eq%20%22oid-7%22",
		 .status = 200,
		 .body = STORY_NONE},
		{.when = CREATE,
		 .status = 201,
		 .body = "{\"id\":\"u-1\",\"userName\":\"ada@example.com\",\"externalId\":\"oid-7\"}"},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
	};
	static const struct person_claim claims[] = {{"oid", "oid-7"}};
	struct mapping_rule mapping[8];
	struct story *story = *state;

	match_by(story, "externalId", "claims.oid", mapping);
	story->members[0].claims = claims;
	story->members[0].claim_count = 1;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(story->members[0].created);
	/* Without the claim nobody can be found, and nothing is asked. */
	story->members[0].claim_count = 0;
	peer_rewind(&story->peer);
	story_again(story);
	story_expect(story, 0, PUSH_REFUSED,
		     "the attribute externalId, by which the application's users are found, is empty");
	assert_int_equal(story->peer.requests, 0);
}

/* By an address among several: the RFC's filter, and only an exact hit of that type counts. */
static void user_by_address(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = "GET "
			 "/t/scim/v2/Users?filter=emails%5Btype%20eq%20%22work%22%20and%20value%20eq%20%22ada"
			 "%40example.com%22%5D",
		 .status = 200,
		 .body = STORY_LIST(
			 "2",
			 "{\"id\":\"u-9\",\"emails\":[{\"value\":\"ada@example.com\",\"type\":\"home\"}]},"
			 "{\"id\":\"u-1\",\"emails\":[{\"value\":\"x@y\",\"type\":\"home\"},"
			 "{\"value\":\"Ada@example.com\",\"type\":\"work\"}]}")},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;

	story->target.match = mapping_find(&mapping_default, "emails[type eq \"work\"].value")->attribute;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, story_open, story_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(missing_group_is_created),   STORY(group_that_exists_already),
		STORY(creation_that_is_not_found), STORY(removal_creates_no_group),
		STORY(group_is_renamed),           STORY(rename_must_be_wanted),
		STORY(known_group_is_gone),        STORY(group_by_external_id),
		STORY(user_by_external_id),        STORY(user_by_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
