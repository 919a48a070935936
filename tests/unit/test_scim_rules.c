/*
 * What a SCIM client must get right, rule by rule, each on the wire. The rules' numbers and names are those of the
 * list that the design goes back to; what a rule needs beyond its story here is tested where it belongs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scim-push/scim.h"
#include "tests/support/push_story.h"

static const struct peer_rule whole[] = {
	{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
	{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
	{.when = CREATE, .status = 201, .body = STORY_USER("u-1", "ada@example.com")},
	{.when = PATCH("g-1"), .status = 204, .body = ""},
	{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
};

static const char *wire_of_a_push(struct story *story)
{
	STORY_RUN(story, whole);
	story_expect(story, 0, PUSH_DONE, "");
	return buf_text(&story->peer.wire);
}

static void rule_1_media_types(void **state)
{
	const char *wire = wire_of_a_push(*state);

	assert_non_null(strstr(wire, "Accept: application/scim+json, application/json;q=0.9\n"));
	assert_non_null(strstr(wire, "Content-Type: application/scim+json\n"));
	/* The peer answers with application/json, and with nothing at all to the PATCH: both were taken. */
}

static void rule_2_filters_are_encoded_and_hits_compared(void **state)
{
	static const struct peer_rule rules[] = {
		/* This server answers a filter that it does not understand with whatever it has. */
		{.when = "GET /t/scim/v2/Groups?filter=displayName%20eq%20%22a%5C%22%20or%20%5C%22b%22",
		 .status = 200,
		 .body = STORY_LIST("1", "{\"id\":\"g-9\",\"displayName\":\"others\"}")},
	};
	struct story *story = *state;

	snprintf(story->push.group_name, sizeof(story->push.group_name), "a\" or \"b");
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_REFUSED, "the application has no group named \"a\" or \"b\"");
	assert_true(peer_all_used(&story->peer));
}

static void rule_2_no_escapes_where_another_look_up_will_do(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = "GET /t/scim/v2/Groups?filter=externalId%20eq%20%22ext-1%22",
		 .status = 200,
		 .body = STORY_NONE},
	};
	static const char *const names[] = {"the \"admins\"", "EXAMPLE\\admins"};
	struct story *story = *state;

	snprintf(story->push.group_external_id, sizeof(story->push.group_external_id), "ext-1");
	for (size_t i = 0; i < 2; i++) {
		snprintf(story->push.group_name, sizeof(story->push.group_name), "%s", names[i]);
		STORY_RUN(story, rules);
		story_expect(story, 0, PUSH_REFUSED, "the application has no group named \"ext-1\"");
		assert_true(peer_all_used(&story->peer));
	}
}

static void rule_3_several_hits_are_a_mistake(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"),
		 .status = 200,
		 .body = STORY_LIST(
			 "2", STORY_USER("u-1", "ada@example.com") "," STORY_USER("u-2", "Ada@example.com"))},
	};
	struct story *story = *state;

	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_REFUSED, "the application has several users named \"ada@example.com\"");
}

/* No form that some server takes for "everybody", in no dialect. */
static void rule_4_no_removal_without_a_member(void **state)
{
	const struct scim_member member = {"u-1", ""};
	struct buf body;

	(void)state;
	for (int i = 0; i < DIALECT_COUNT; i++) {
		buf_init(&body, SCIM_BODY_MAX);
		scim_body_members(&body, dialect_row((enum dialect)i), false, &member, 1);
		assert_non_null(strstr(buf_text(&body), "u-1"));
		assert_non_null(strstr(buf_text(&body), "perations\":[{\"op\":\""));
		assert_non_null(strstr(buf_text(&body), "\"path\":\"members"));
		assert_null(strstr(buf_text(&body), "eplace"));
		buf_release(&body);
	}
}

static void rule_5_success_is_no_proof(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = PATCH("g-1"), .status = 200, .body = "{}"},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = STORY_NONE},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = STORY_NONE},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = STORY_NONE},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = STORY_NONE},
	};
	struct story *story = *state;

	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_RETRY,
		     "the application accepted the change but does not show the membership");
}

static void rule_6_look_ups_leave_members_out(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = "GET /t/scim/v2/Groups?excludedAttributes=members&filter=",
		 .status = 200,
		 .body = STORY_NONE},
	};
	struct story *story = *state;

	story->target.dialect = *dialect_row(DIALECT_GITHUB);
	STORY_RUN(story, rules);
	assert_true(peer_all_used(&story->peer));
}

/* A group that shows no members may still have them: who is removed is gone when it says so on being asked. */
static void rule_6_members_are_asked_for(void **state)
{
	static const struct peer_rule still[] = {
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = "GET /t/scim/v2/Groups/g-1 ", .status = 200, .body = "{\"id\":\"g-1\"}"},
		{.when = "GET /t/scim/v2/Groups/g-1?attributes=members",
		 .status = 200,
		 .body = "{\"id\":\"g-1\",\"members\":[" MEMBER("u-1") "]}"},
		/* From now on by their name; after a pause they are gone. */
		{.when = "GET /t/scim/v2/Groups/g-1?attributes=members",
		 .status = 200,
		 .body = "{\"id\":\"g-1\"}"},
	};
	struct story *story = *state;

	story_run_addition(story);
	story->target.dialect = *dialect_row(DIALECT_RFC7644);
	story->push.add = false;
	STORY_RUN(story, still);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
	assert_int_equal(story->peer.requests, 4);
}

static void rule_7_missing_group_is_resolved_once_more(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = PATCH("g-1"), .status = 404, .body = ""},
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-2")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = PATCH("g-2"), .status = 204, .body = ""},
		{.when = CONFIRM("g-2", "u-1"), .status = 200, .body = GROUP("g-2")},
	};
	struct story *story = *state;

	story_run_addition(story);
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
}

static void rule_8_conflicts(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
		{.when = CREATE,
		 .status = 409,
		 .body = STORY_ERROR("409", "Refused to create a new, duplicate resource.")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-7")},
		{.when = PATCH("g-1"), .status = 409, .body = STORY_ERROR("409", "Conflict")},
	};
	struct story *story = *state;

	/* On a creation it is looked up; on a PATCH it is tried again later, and nobody is looked up anew. */
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_RETRY, "adding to the group: the application answered 409: Conflict");
	assert_true(peer_all_used(&story->peer));
	assert_false(story->push.sick || story->push.misconfigured);
}

static void rule_9_no_preconditions(void **state)
{
	assert_null(strstr(wire_of_a_push(*state), "If-Match"));
}

static void rule_10_errors_by_their_status(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 400, .body = "<html>Bad request</html>"},
	};
	struct story *story = *state;

	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_REFUSED, "looking up the group: the application answered 400");
}

static void rule_11_waiting_as_asked(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 429, .body = "", .headers = "X-Rate-Limit-Reset: 9\r\n"},
	};
	struct story *story = *state;

	STORY_RUN(story, rules);
	assert_int_equal(story->push.closed_for_ms, 9000);
}

/* A creation whose answer was lost is not sent again before a look-up. */
static void rule_12_creations_are_looked_up_first(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
		{.when = CREATE,
		 .deed = PEER_RAW,
		 .body = "HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{"},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;

	STORY_RUN(story, rules);
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
	story_again(story);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
}

/* RFC 7644, 3.12: the same request once more, with its token, on the same server. */
static void rule_13_one_redirect_is_followed(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP,
		 .status = 308,
		 .body = "",
		 .headers = "Location: /t/scim/v3/Groups?x=%2F#y\r\n"},
		{.when = "GET /t/scim/v3/Groups?x=%2F", .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = PATCH("g-1"), .status = 307, .body = "x", .headers = "LOCATION: ../moved\r\n"},
		{.when = "PATCH /t/scim/v2/moved " MEMBERS("add", MEMBER("u-1")), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;
	size_t tokens = 0;

	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
	assert_int_equal(story->peer.requests, 6);
	for (const char *at = buf_text(&story->peer.wire); (at = strstr(at, STORY_TOKEN)) != NULL; at++)
		tokens++;
	assert_int_equal(tokens, 6);
	assert_null(strchr(buf_text(&story->peer.seen), '#'));
}

static void rule_13_no_second_redirect(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 307, .body = "", .headers = "Location: /once\r\n"},
		{.when = "GET /once", .status = 307, .body = "", .headers = "Location: /twice\r\n"},
	};
	struct story *story = *state;

	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_RETRY,
		     "looking up the group: the application answered 307: a redirect, which is not followed");
	assert_int_equal(story->peer.requests, 2);
}

static void expect_no_redirect(struct story *story, int status, const char *location)
{
	char header[128];
	struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = status, .body = "", .headers = header},
	};

	snprintf(header, sizeof(header), "Location: %s\r\n", location);
	STORY_RUN(story, rules);
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
	if (strstr(story->members[0].error, "a redirect, which is not followed") == NULL)
		fail_msg("%d to %s: %s", status, location, story->members[0].error);
	assert_int_equal(story->peer.requests, 1);
}

/* Other redirects may become another method; and a token is for nobody but the server that it was given for. */
static void rule_13_other_redirects_are_not_followed(void **state)
{
	static const char *const elsewhere[] = {"http://localhost:", "https://127.0.0.1:", "//[::1]:",
						"http://ada@127.0.0.1:", "http://127.0.0.1/"};
	struct story *story = *state;
	char location[64];

	for (int status = 301; status <= 303; status++)
		expect_no_redirect(story, status, "/t/scim/v2/Groups");
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		snprintf(location, sizeof(location), "%s%d", elsewhere[i], story->peer.port);
		expect_no_redirect(story, 307, location);
		expect_no_redirect(story, 308, location);
	}
}

static void rule_14_ids_are_one_segment(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("a/b@c \\\\%")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = "PATCH /t/scim/v2/Groups/a%2Fb%40c%20%5C%25 ", .status = 204, .body = ""},
		{.when = "GET /t/scim/v2/Groups?filter=id", .status = 200, .body = GROUP("a/b@c \\\\%")},
	};
	struct story *story = *state;

	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
}

static void rule_15_a_part_of_a_list_proves_no_absence(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = STORY_LIST("69", STORY_GROUP("g-1"))},
	};
	struct story *story = *state;

	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_RETRY, "looking up the group: the answer is no complete SCIM list");
}

static void rule_16_no_bulk(void **state)
{
	assert_null(strstr(wire_of_a_push(*state), "/Bulk"));
}

/* The token is in one header and nowhere else; certificates and addresses: test_http_tls, test_config. */
static void rule_17_the_token_stays_where_it_belongs(void **state)
{
	const char *wire = wire_of_a_push(*state);

	for (const char *at = strstr(wire, STORY_TOKEN); at != NULL; at = strstr(at + 1, STORY_TOKEN))
		assert_memory_equal(at - strlen("Authorization: Bearer "), "Authorization: Bearer ",
				    strlen("Authorization: Bearer "));
}

/* Its description is read by Test Connection alone, and decides nothing: test_probe. */
static void rule_18_the_description_decides_nothing(void **state)
{
	assert_null(strstr(wire_of_a_push(*state), "ServiceProviderConfig"));
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, story_open, story_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(rule_1_media_types),
		STORY(rule_2_filters_are_encoded_and_hits_compared),
		STORY(rule_2_no_escapes_where_another_look_up_will_do),
		STORY(rule_3_several_hits_are_a_mistake),
		STORY(rule_4_no_removal_without_a_member),
		STORY(rule_5_success_is_no_proof),
		STORY(rule_6_look_ups_leave_members_out),
		STORY(rule_6_members_are_asked_for),
		STORY(rule_7_missing_group_is_resolved_once_more),
		STORY(rule_8_conflicts),
		STORY(rule_9_no_preconditions),
		STORY(rule_10_errors_by_their_status),
		STORY(rule_11_waiting_as_asked),
		STORY(rule_12_creations_are_looked_up_first),
		STORY(rule_13_one_redirect_is_followed),
		STORY(rule_13_no_second_redirect),
		STORY(rule_13_other_redirects_are_not_followed),
		STORY(rule_14_ids_are_one_segment),
		STORY(rule_15_a_part_of_a_list_proves_no_absence),
		STORY(rule_16_no_bulk),
		STORY(rule_17_the_token_stays_where_it_belongs),
		STORY(rule_18_the_description_decides_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
