/* Pushes in other dialects: how changes are split, read back, or left unverified; standing members. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/push_story.h"

#define FIND_SHORT                                                                                           \
	"GET /t/scim/v2/Groups?excludedAttributes=members&filter=displayName%20eq%20%22aws-admins%22"
#define READ_GROUP(g)   "GET /t/scim/v2/Groups/" g
#define READ_USER(u)    "GET /t/scim/v2/Users/" u
#define HAS(g, members) "{\"id\":\"" g "\",\"displayName\":\"aws-admins\",\"members\":[" members "]}"
#define REMOVE(ops)                                                                                          \
	"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[" ops "]}"
#define REMOVE_OP(u) "{\"op\":\"remove\",\"path\":\"members[value eq \\\"" u "\\\"]\"}"

static void speak(struct story *story, enum dialect dialect)
{
	story->target.dialect = *dialect_row(dialect);
}

/* ada, bob and cyd, who are members under these ids already and are to go. */
static void begin_removal(struct story *story, size_t count)
{
	static const char *const names[] = {"bob", "cyd", "dan"};
	static const char *const ids[] = {"u-1", "u-2", "u-3", "u-4"};

	story->push.add = false;
	snprintf(story->push.group_id, sizeof(story->push.group_id), "g-1");
	for (size_t i = 1; i < count; i++)
		story_member(story, names[i - 1]);
	for (size_t i = 0; i < count; i++)
		snprintf(story->members[i].user_id, sizeof(story->members[i].user_id), "%s", ids[i]);
}

/* One look at the group tells of all. */
static void members_are_read_back_at_once(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_SHORT, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = FIND_USER("bob"), .status = 200, .body = FOUND("bob", "u-2")},
		{.when = PATCH("g-1"), .status = 200, .body = "{}"},
		/* The first look comes too early for bob. */
		{.when = READ_GROUP("g-1"),
		 .status = 200,
		 .body = HAS("g-1", MEMBER("u-1") "," MEMBER("u-9"))},
		{.when = READ_GROUP("g-1"),
		 .status = 200,
		 .body = HAS("g-1", MEMBER("u-1") "," MEMBER("u-2"))},
	};
	struct story *story = *state;

	speak(story, DIALECT_RFC7644);
	story_member(story, "bob");
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	story_expect(story, 1, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
	assert_int_equal(story->peer.requests, 6);
	assert_false(story->members[0].unverified);
}

/* Success without effect: the group does not show the member, or no members at all. */
static void ignored_change_is_not_believed(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_SHORT, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = PATCH("g-1"), .status = 200, .body = "{}"},
		{.when = READ_GROUP("g-1"), .status = 200, .body = HAS("g-1", "")},
		{.when = READ_GROUP("g-1"), .status = 200, .body = "{\"id\":\"g-1\"}"},
		{.when = READ_GROUP("g-1?"), .status = 200, .body = "{\"id\":\"g-1\"}"},
		{.when = READ_GROUP("g-1"), .status = 200, .body = HAS("g-2", MEMBER("u-1"))},
		{.when = READ_GROUP("g-1"), .status = 200, .body = "{\"id\":\"g-1\",\"members\":\"u-1\"}"},
	};
	struct story *story = *state;

	speak(story, DIALECT_RFC7644);
	STORY_RUN(story, rules);
	story_expect(
		story, 0, PUSH_RETRY,
		"the application accepted the change but its answer about the membership cannot be read");
	assert_true(story->members[0].in_doubt);
}

static void removal_is_read_back(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = PATCH("g-1") " " REMOVE(REMOVE_OP("u-1") "," REMOVE_OP("u-2")),
		 .status = 204,
		 .body = ""},
		{.when = READ_GROUP("g-1"), .status = 200, .body = "{\"id\":\"g-1\"}"},
		{.when = READ_GROUP("g-1?"), .status = 200, .body = "{\"id\":\"g-1\"}"},
	};
	struct story *story = *state;

	speak(story, DIALECT_RFC7644);
	begin_removal(story, 2);
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	story_expect(story, 1, PUSH_DONE, "");
	assert_int_equal(story->peer.requests, 3);
}

/* A group that is gone has no members. */
static void removal_from_a_group_that_is_gone(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = PATCH("g-1"), .status = 404, .body = ""},
		{.when = READ_GROUP("g-1"), .status = 404, .body = ""},
	};
	struct story *story = *state;

	speak(story, DIALECT_RFC7644);
	begin_removal(story, 1);
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
}

/* One change, two operations in a PATCH: Google; and as many as a body of that length holds: Miro. */
static void changes_are_split(void **state)
{
	static const struct peer_rule google[] = {
		{.when = PATCH("g-1") " " REMOVE(REMOVE_OP("u-1")), .status = 200, .body = "{}"},
		{.when = PATCH("g-1") " " REMOVE(REMOVE_OP("u-2")), .status = 200, .body = "{}"},
		{.when = PATCH("g-1") " " REMOVE(REMOVE_OP("u-3")), .status = 200, .body = "{}"},
		{.when = READ_GROUP("g-1"), .status = 200, .body = HAS("g-1", "")},
	};
	static const struct peer_rule long_ids[] = {
		{.when = PATCH("g-1") " " REMOVE(REMOVE_OP("u-1") "," REMOVE_OP("u-2")),
		 .status = 200,
		 .body = "{}"},
		{.when = PATCH("g-1") " " REMOVE(REMOVE_OP("u-3")), .status = 200, .body = "{}"},
		{.when = READ_GROUP("g-1"), .status = 200, .body = HAS("g-1", "")},
	};
	struct story *story = *state;

	speak(story, DIALECT_GOOGLE);
	begin_removal(story, 3);
	STORY_RUN(story, google);
	for (size_t i = 0; i < 3; i++)
		story_expect(story, i, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
	assert_int_equal(story->ready, 3); /* asked anew before each */
	speak(story, DIALECT_MIRO);
	story->target.dialect.body_max = 190;
	STORY_RUN(story, long_ids);
	assert_true(peer_all_used(&story->peer));
	for (size_t i = 0; i < 3; i++)
		story_expect(story, i, PUSH_DONE, "");
}

static void user_shows_the_group(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_SHORT, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = READ_USER("u-1"),
		 .status = 200,
		 .body = "{\"id\":\"u-1\",\"groups\":[{\"value\":\"g-0\"},{\"value\":\"g-1\"}]}"},
	};
	struct story *story = *state;

	speak(story, DIALECT_RFC7644);
	story->target.dialect.verify = VERIFY_USER;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
}

/* What cannot be read is not claimed to be so. */
static void accepted_but_unverified(void **state)
{
	static const struct peer_rule adding[] = {
		{.when = FIND_SHORT, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
	};
	static const struct peer_rule page[] = {
		{.when = PATCH("g-1"), .status = 200, .body = "<html>Sign in</html>"},
	};
	static const struct peer_rule gone[] = {
		{.when = PATCH("g-1"), .status = 400, .body = STORY_ERROR("400", "No such member.")},
	};
	struct story *story = *state;

	speak(story, DIALECT_RFC7644);
	story->target.dialect.verify = VERIFY_NONE;
	story->members[0].look_first = true;
	STORY_RUN(story, adding);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(story->members[0].unverified);
	assert_int_equal(story->peer.requests, 3);
	/* A page that some proxy shows is no acceptance. */
	story_run(story, page, 1);
	story_expect(story, 0, PUSH_RETRY,
		     "adding to the group: the application answered 200: a page that is no SCIM");
	assert_false(story->members[0].unverified);
	assert_true(story->members[0].in_doubt);
	/* And a refused removal may mean anything: it stays to be done. */
	story->push.add = false;
	story_run(story, gone, 1);
	story_expect(story, 0, PUSH_REFUSED,
		     "removing from the group: the application answered 400: No such member.");
}

/* The application changes what it has answered already only after a while. */
static void settling_time(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = READ_GROUP("g-1"), .status = 200, .body = HAS("g-1", MEMBER("u-1"))},
	};
	struct story *story = *state;
	int64_t before_ms = clock_mono_ms();

	speak(story, DIALECT_GITLAB);
	assert_true(story->target.dialect.settle_ms > 0);
	story->target.dialect.settle_ms = 150;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(clock_mono_ms() - before_ms >= 150);
}

/* -- standing members --------------------------------------------------------------------------------------------- */

/* Who is a member already is left alone: nothing is sent, and it is said. */
static void standing_member(void **state)
{
	static const struct peer_rule aws[] = {
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = FIND_USER("bob"), .status = 200, .body = FOUND("bob", "u-2")},
		{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")},
		{.when = CONFIRM("g-1", "u-2"), .status = 200, .body = STORY_NONE},
		{.when = PATCH("g-1") " " MEMBERS("add", MEMBER("u-2")), .status = 204, .body = ""},
		{.when = CONFIRM("g-1", "u-2"), .status = 200, .body = GROUP("g-1")},
	};
	struct story *story = *state;

	story_member(story, "bob");
	story->members[0].look_first = true;
	story->members[1].look_first = true;
	STORY_RUN(story, aws);
	story_expect(story, 0, PUSH_DONE, "");
	story_expect(story, 1, PUSH_DONE, "");
	assert_true(story->members[0].standing);
	assert_false(story->members[1].standing);
	assert_true(peer_all_used(&story->peer));
	assert_int_equal(story->ready, 1);
}

/* An answer that cannot be read, or none, makes nobody a standing member, nor one who is none: it is asked once more,
 * and then nothing is sent. */
static void unclear_look_says_nothing(void **state)
{
	static const struct {
		struct peer_rule look;
		const char *words;
	} rows[] = {
		{{.when = CONFIRM("g-1", "u-1"), .status = 200, .body = STORY_LIST("1", STORY_GROUP("g-2"))},
		 "the application's answer about the membership cannot be read"},
		{{.when = CONFIRM("g-1", "u-1"), .status = 500, .body = ""},
		 "confirming the membership: the application answered 500"},
		{{.when = CONFIRM("g-1", "u-1"), .status = 400, .body = ""},
		 "confirming the membership: the application answered 400"},
		{{.when = CONFIRM("g-1", "u-1"),
		  .deed = PEER_RAW,
		  .body = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"},
		 "confirming the membership: the application did not answer: its answer is cut off"},
	};
	struct story *story = *state;

	story_run_addition(story);
	story->members[0].look_first = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct peer_rule yes = {
			.when = CONFIRM("g-1", "u-1"), .status = 200, .body = GROUP("g-1")};
		const struct peer_rule no = {
			.when = CONFIRM("g-1", "u-1"), .status = 200, .body = STORY_NONE};
		const struct peer_rule patch = {.when = PATCH("g-1"), .status = 204, .body = ""};
		const struct peer_rule was[] = {rows[i].look, yes};
		const struct peer_rule was_not[] = {rows[i].look, no, patch, yes};
		const struct peer_rule unknown[] = {rows[i].look, rows[i].look};

		STORY_RUN(story, was);
		story_expect(story, 0, PUSH_DONE, "");
		assert_true(story->members[0].standing);
		STORY_RUN(story, was_not);
		story_expect(story, 0, PUSH_DONE, "");
		assert_false(story->members[0].standing);
		assert_true(peer_all_used(&story->peer));
		STORY_RUN(story, unknown);
		story_expect(story, 0, PUSH_RETRY, rows[i].words);
		assert_false(story->members[0].in_doubt);
		assert_int_equal(story->peer.requests, 2);
		assert_int_equal(story->ready, 0);
	}
}

/* User and group were deleted and made anew, and somebody has made the one a member of the other: that is asked again. */
static void standing_member_under_other_ids(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = CONFIRM("g-1", "u-1"), .status = 404, .body = ""},
		{.when = PATCH("g-1"), .status = 404, .body = ""},
		{.when = FIND_GROUP, .status = 200, .body = GROUP("g-2")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-2")},
		{.when = CONFIRM("g-2", "u-2"), .status = 200, .body = GROUP("g-2")},
	};
	struct story *story = *state;

	story_run_addition(story);
	story->members[0].look_first = true;
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(story->members[0].standing);
	assert_true(peer_all_used(&story->peer));
}

/* One look for all where the group shows its members; who is created now cannot have been one. */
static void standing_members_of_one_look(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_SHORT, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
		{.when = CREATE, .status = 201, .body = STORY_USER("u-1", "ada@example.com")},
		{.when = FIND_USER("bob"), .status = 200, .body = FOUND("bob", "u-2")},
		{.when = FIND_USER("cyd"), .status = 200, .body = FOUND("cyd", "u-3")},
		{.when = READ_GROUP("g-1"), .status = 200, .body = HAS("g-1", MEMBER("u-3"))},
		{.when = PATCH("g-1") " " MEMBERS("add", MEMBER("u-1") "," MEMBER("u-2")),
		 .status = 204,
		 .body = ""},
		{.when = READ_GROUP("g-1"),
		 .status = 200,
		 .body = HAS("g-1", MEMBER("u-3") "," MEMBER("u-1") "," MEMBER("u-2"))},
	};
	struct story *story = *state;

	speak(story, DIALECT_RFC7644);
	story_member(story, "bob");
	story_member(story, "cyd");
	for (size_t i = 0; i < 3; i++)
		story->members[i].look_first = true;
	STORY_RUN(story, rules);
	for (size_t i = 0; i < 3; i++)
		story_expect(story, i, PUSH_DONE, "");
	assert_true(story->members[0].created);
	assert_false(story->members[1].standing);
	assert_true(story->members[2].standing);
	assert_true(peer_all_used(&story->peer));
	assert_int_equal(story->peer.requests, 8);
}

/* All of a large group come as one answer: 20,000 members in more than 2 MB. */
static void a_large_group_is_read_back(void **state)
{
	struct peer_rule rules[] = {
		{.when = FIND_SHORT, .status = 200, .body = GROUP("g-1")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = READ_GROUP("g-1"), .status = 200},
	};
	struct story *story = *state;
	struct buf group;

	buf_init(&group, (size_t)4 * 1024 * 1024);
	buf_adds(&group, "{\"id\":\"g-1\",\"displayName\":\"aws-admins\",\"members\":[");
	for (int i = 1; i < 20000; i++)
		buf_addf(&group,
			 "{\"value\":\"9067729b3d-ee533c18-538a-4cd3-a572-%012d\",\"type\":\"User\","
			 "\"display\":"
			 "\"somebody-%d@example.com\"},",
			 i, i);
	buf_adds(&group, MEMBER("u-1") "]}");
	assert_false(buf_failed(&group));
	rules[3].body = buf_text(&group);
	speak(story, DIALECT_RFC7644);
	STORY_RUN(story, rules);
	story_expect(story, 0, PUSH_DONE, "");
	assert_true(peer_all_used(&story->peer));
	buf_release(&group);
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, story_open, story_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(members_are_read_back_at_once),
		STORY(ignored_change_is_not_believed),
		STORY(removal_is_read_back),
		STORY(removal_from_a_group_that_is_gone),
		STORY(changes_are_split),
		STORY(user_shows_the_group),
		STORY(accepted_but_unverified),
		STORY(settling_time),
		STORY(standing_member),
		STORY(unclear_look_says_nothing),
		STORY(standing_member_under_other_ids),
		STORY(standing_members_of_one_look),
		STORY(a_large_group_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
