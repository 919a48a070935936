/* Listing a group's members: by pages with a cursor, or from the group itself; whole, or said not to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "scim-push/listing.h"
#include "tests/support/push_story.h"

#define PAGE(cursor)      "GET /t/scim/v2/Users?cursor" cursor "&filter=groups.value%20eq%20%22g-1%22"
#define READ_GROUP        "GET /t/scim/v2/Groups/g-1"
#define USERS(a, b, next) "{\"itemsPerPage\":2,\"Resources\":[{\"id\":\"" a "\"},{\"id\":\"" b "\"}]" next "}"

struct seen {
	struct listing listing;
	char members[256];
	enum listing_end how;
	int ended;
	bool by_name;             /* in */
	const char *const *users; /* in; four, or NULL */
};

static void on_member(void *ctx, const char *user_id)
{
	struct seen *seen = ctx;
	size_t len = strlen(seen->members);

	snprintf(seen->members + len, sizeof(seen->members) - len, "%s ", user_id);
}

static void on_end(void *ctx, struct listing *listing, enum listing_end how)
{
	struct seen *seen = ctx;

	assert_ptr_equal(listing, &seen->listing);
	seen->how = how;
	seen->ended++;
}

static void run(struct story *story, struct seen *seen, const struct peer_rule *rules, size_t count)
{
	bool by_name = seen->by_name;
	const char *const *users = seen->users;

	memset(seen, 0, sizeof(*seen));
	seen->listing.users = users;
	seen->listing.user_count = users != NULL ? 4 : 0;
	seen->listing.group_name = "admins";
	seen->listing.group_external_id = "";
	peer_script(&story->peer, rules, count);
	seen->listing.target = &story->target;
	snprintf(seen->listing.group_id, sizeof(seen->listing.group_id), "%s", by_name ? "" : "g-1");
	seen->listing.deadline_ms = clock_mono_ms() + 3000;
	seen->listing.on_member = on_member;
	seen->listing.on_end = on_end;
	seen->listing.ctx = seen;
	assert_true(listing_start(story->pusher, &seen->listing));
	story_wait(story, &seen->ended);
	assert_int_equal(seen->ended, 1);
	assert_int_equal(pusher_running(story->pusher), 0);
}
#define RUN(story, seen, rules) run((story), (seen), (rules), sizeof(rules) / sizeof((rules)[0]))

static void pages_by_cursor(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = PAGE(""), .status = 200, .body = USERS("u-1", "u-2", ",\"nextCursor\":\"a+b/\"")},
		/* A short page is not the last one as long as there is a cursor. */
		{.when = PAGE("=a%2Bb%2F"), .status = 200, .body = "{\"Resources\":[],\"nextCursor\":\"c\"}"},
		{.when = PAGE("=c"), .status = 200, .body = USERS("u-3", "u-1", "")},
	};
	struct story *story = *state;
	struct seen seen = {0};

	RUN(story, &seen, rules);
	assert_int_equal(seen.how, LISTING_WHOLE);
	assert_string_equal(seen.members, "u-1 u-2 u-3 u-1 ");
	assert_int_equal(seen.listing.pages, 3);
}

/* An application that takes no cursor shows its first page and nothing that leads further. */
static void pages_that_are_not_all(void **state)
{
	static const struct {
		struct peer_rule pages[2];
		enum listing_end how;
	} rows[] = {
		{{{.when = PAGE(""), .status = 200, .body = USERS("u-1", "u-2", ",\"totalResults\":3")}},
		 LISTING_BROKEN},
		{{{.when = PAGE(""), .status = 200, .body = USERS("u-1", "u-2", ",\"totalResults\":\"2\"")}},
		 LISTING_BROKEN},
		{{{.when = PAGE(""), .status = 200, .body = USERS("u-1", "u-2", ",\"totalResults\":2")}},
		 LISTING_WHOLE},
		/* AWS' total is that of the page. */
		{{{.when = PAGE(""),
		   .status = 200,
		   .body = USERS("u-1", "u-2", ",\"totalResults\":2,\"nextCursor\":\"c\"")},
		  {.when = PAGE("=c"), .status = 200, .body = USERS("u-3", "u-4", ",\"totalResults\":2")}},
		 LISTING_WHOLE},
		{{{.when = PAGE(""),
		   .status = 200,
		   .body = USERS("u-1", "u-2", ",\"totalResults\":4,\"nextCursor\":\"c\"")},
		  {.when = PAGE("=c"), .status = 200, .body = USERS("u-3", "u-4", ",\"totalResults\":4")}},
		 LISTING_WHOLE},
		{{{.when = PAGE(""),
		   .status = 200,
		   .body = USERS("u-1", "u-2", ",\"totalResults\":5,\"nextCursor\":\"c\"")},
		  {.when = PAGE("=c"), .status = 200, .body = USERS("u-3", "u-4", ",\"totalResults\":5")}},
		 LISTING_BROKEN},
	};
	struct story *story = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen seen = {0};
		run(story, &seen, rows[i].pages, rows[i].pages[1].when != NULL ? 2 : 1);
		assert_int_equal(seen.how, rows[i].how);
	}
}

static void pages_without_end(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = PAGE(""), .status = 200, .body = USERS("u-1", "u-2", ",\"nextCursor\":\"c\"")},
		{.when = PAGE("=c"), .status = 200, .body = USERS("u-1", "u-2", ",\"nextCursor\":\"c\"")},
	};
	struct story *story = *state;
	struct seen seen = {0};

	RUN(story, &seen, rules);
	assert_int_equal(seen.how, LISTING_BROKEN);
	assert_string_equal(seen.listing.words, "listing the group's members: the pages have no end");
}

static void the_group_itself(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = READ_GROUP,
		 .status = 200,
		 .body = "{\"id\":\"g-1\",\"members\":[{\"value\":\"u-1\"},{\"value\":\"g-7\",\"type\":"
			 "\"Group\"},"
			 "{\"value\":\"u-2\",\"type\":\"User\"}]}"},
	};
	static const struct peer_rule empty[] = {
		{.when = READ_GROUP " ", .status = 200, .body = "{\"id\":\"g-1\"}"},
		{.when = READ_GROUP "?attributes=members", .status = 200, .body = "{\"id\":\"g-1\"}"},
	};
	/* It shows them to those who ask for them. */
	static const struct peer_rule asked[] = {
		{.when = READ_GROUP " ", .status = 200, .body = "{\"id\":\"g-1\"}"},
		{.when = READ_GROUP "?attributes=members",
		 .status = 200,
		 .body = "{\"id\":\"g-1\",\"members\":[{\"value\":\"u-1\"}]}"},
	};
	struct story *story = *state;
	struct seen seen = {0};

	story->target.dialect = *dialect_row(DIALECT_RFC7644);
	RUN(story, &seen, rules);
	assert_int_equal(seen.how, LISTING_WHOLE);
	assert_string_equal(seen.members, "u-1 u-2 ");
	RUN(story, &seen, empty);
	assert_int_equal(seen.how, LISTING_WHOLE);
	assert_string_equal(seen.members, "");
	assert_true(peer_all_used(&story->peer));
	RUN(story, &seen, asked);
	assert_int_equal(seen.how, LISTING_WHOLE);
	assert_string_equal(seen.members, "u-1 ");
}

/* What is not whole is said not to be: nobody may be taken for absent. */
static void broken_listings(void **state)
{
	static const struct {
		struct peer_rule rule;
		enum listing_end how;
	} rows[] = {
		{{.when = READ_GROUP, .status = 404, .body = ""}, LISTING_GONE},
		{{.when = READ_GROUP, .status = 500, .body = ""}, LISTING_BROKEN},
		{{.when = READ_GROUP, .status = 429, .body = "", .headers = "Retry-After: 7\r\n"},
		 LISTING_BROKEN},
		{{.when = READ_GROUP, .status = 200, .body = "<html>"}, LISTING_BROKEN},
		{{.when = READ_GROUP, .status = 200, .body = "{\"id\":\"g-2\",\"members\":[]}"},
		 LISTING_BROKEN},
		{{.when = READ_GROUP, .status = 200, .body = "{\"id\":\"g-1\",\"members\":{}}"},
		 LISTING_BROKEN},
		{{.when = READ_GROUP, .status = 401, .body = ""}, LISTING_BROKEN},
		{{.when = READ_GROUP,
		  .body = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
		  .deed = PEER_RAW},
		 LISTING_BROKEN},
	};
	struct story *story = *state;

	story->target.dialect = *dialect_row(DIALECT_RFC7644);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen seen = {0};
		run(story, &seen, &rows[i].rule, 1);
		assert_int_equal(seen.how, rows[i].how);
		assert_int_equal(seen.listing.closed_for_ms, rows[i].rule.status == 429 ? 7000 : 0);
		assert_int_equal(seen.listing.unanswered, rows[i].rule.status == 0);
	}
}

static void no_way_to_list(void **state)
{
	struct story *story = *state;
	struct seen seen = {.listing = {.target = &story->target, .group_id = "g-1"}};

	story->target.dialect.list = LIST_NONE;
	story->target.dialect.verify = VERIFY_MEMBERS;
	assert_false(listing_start(story->pusher, &seen.listing));
	assert_string_equal(seen.listing.words, "the application lists no members");
}

#define FIND_ADMINS "GET /t/scim/v2/Groups?filter=displayName%20eq%20%22admins%22"
#define IS_MEMBER(user)                                                                                      \
	"GET /t/scim/v2/Groups?filter=id%20eq%20%22g-1%22%20and%20members%20eq%20%22" user "%22"
#define GROUPS(ids, total) "{\"totalResults\":" total ",\"Resources\":[" ids "]}"

/* By its name, where its id is not known. */
static void group_by_name(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = FIND_ADMINS,
		 .status = 200,
		 .body = GROUPS("{\"id\":\"g-1\",\"displayName\":\"admins\"}", "1")},
		{.when = PAGE(""), .status = 200, .body = USERS("u-1", "u-2", "")},
	};
	static const struct peer_rule none[] = {
		{.when = FIND_ADMINS, .status = 200, .body = GROUPS("", "0")},
	};
	struct story *story = *state;
	struct seen seen = {.by_name = true};

	RUN(story, &seen, rules);
	assert_int_equal(seen.how, LISTING_WHOLE);
	assert_string_equal(seen.members, "u-1 u-2 ");
	assert_string_equal(seen.listing.group_id, "g-1");
	seen.by_name = true;
	RUN(story, &seen, none);
	assert_int_equal(seen.how, LISTING_GONE);
}

/* Each is asked for, where none can be listed. Who is not known to the application is no member. */
static void one_by_one(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = IS_MEMBER("u-1"), .status = 200, .body = GROUPS("{\"id\":\"g-1\"}", "1")},
		{.when = IS_MEMBER("u-2"), .status = 404, .body = ""},
		{.when = IS_MEMBER("u-3"), .status = 200, .body = GROUPS("", "0")},
		{.when = IS_MEMBER("u-4"), .status = 200, .body = GROUPS("{\"id\":\"g-1\"}", "1")},
	};
	/* The filter was not understood. */
	static const struct peer_rule nonsense[] = {
		{.when = IS_MEMBER("u-1"), .status = 200, .body = GROUPS("{\"id\":\"g-2\"}", "1")},
	};
	static const char *const users[] = {"u-1", "u-2", "u-3", "u-4"};
	struct story *story = *state;
	struct seen seen = {.users = users};

	story->target.dialect.list = LIST_NONE;
	RUN(story, &seen, rules);
	assert_int_equal(seen.how, LISTING_WHOLE);
	assert_string_equal(seen.members, "u-1 u-4 ");
	seen.users = users;
	RUN(story, &seen, nonsense);
	assert_int_equal(seen.how, LISTING_BROKEN);
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, story_open, story_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(pages_by_cursor),   STORY(pages_that_are_not_all),
		STORY(pages_without_end), STORY(the_group_itself),
		STORY(broken_listings),   STORY(no_way_to_list),
		STORY(group_by_name),     STORY(one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
