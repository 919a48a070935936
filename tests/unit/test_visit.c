/* Visits to one user: what is read, what is sent, and when a user is left as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "scim-push/visit.h"
#include "tests/support/push_story.h"

#define USER       "/t/scim/v2/Users/u-1"
#define READ       "GET " USER
#define GROUPS     "GET /t/scim/v2/Groups?filter=members.value%20eq%20%22u-1%22"
#define PATCH_USER "PATCH " USER
#define DELETE     "DELETE " USER
#define PATCHED(operations)                                                                                  \
	PATCH_USER " {\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":"       \
		   "[" operations "]}"
#define SET(path, value) "{\"op\":\"replace\",\"path\":\"" path "\",\"value\":" value "}"
#define ADA(family, more)                                                                                    \
	"{\"id\":\"u-1\",\"userName\":\"ada@example.com\",\"displayName\":\"ada Example\",\"name\":{"        \
	"\"givenName\":\"ada\",\"familyName\":\"" family                                                     \
	"\"},\"emails\":[{\"type\":\"work\",\"primary\":true,"                                               \
	"\"value\":\"ada@example.com\"}]" more "}"
#define IS_ACTIVE   ",\"active\":true"
#define IS_INACTIVE ",\"active\":false"

struct seen {
	struct story *story;
	struct visit visit;
	int ended, asked;
	bool skip;
	/* For the next visit: */
	const struct person_claim *claims;
	size_t claim_count;
	bool again;
	enum visit_end how;
};

static void on_ready(void *ctx, struct visit *visit)
{
	struct seen *seen = ctx;

	seen->asked++;
	visit_go(visit, !seen->skip);
}

static void on_end(void *ctx, struct visit *visit, enum visit_end how)
{
	struct seen *seen = ctx;

	(void)visit;
	seen->ended++;
	seen->how = how;
}

static enum visit_end visit(struct seen *seen, enum visit_aim aim, const struct peer_rule *rules,
			    size_t count)
{
	struct story *story = seen->story;

	seen->visit =
		(struct visit){.target = &story->target,
			       .user_id = "u-1",
			       .aim = aim,
			       .source = {&story->members[0].person, "ada", seen->claims, seen->claim_count},
			       .again = seen->again,
			       .deadline_ms = clock_mono_ms() + 5000,
			       .on_ready = on_ready,
			       .on_end = on_end,
			       .ctx = seen};
	seen->ended = seen->asked = 0;
	peer_script(&story->peer, rules, count);
	peer_rewind(&story->peer);
	assert_true(visit_start(story->pusher, &seen->visit));
	story_wait(story, &seen->ended);
	assert_int_equal(seen->ended, 1);
	assert_int_equal(pusher_running(story->pusher), 0);
	return seen->how;
}

#define VISIT(seen, aim, rules) visit(seen, aim, rules, sizeof(rules) / sizeof((rules)[0]))

/* -- updates ---------------------------------------------------------------------------------------------------------- */

static void only_differences_are_sent(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = READ, .status = 200, .body = ADA("Other", ",\"title\":\"Dr\"")},
		{.when = PATCHED(SET("name.familyName", "\"Example\"")),
		 .status = 200,
		 .body = ADA("Example", "")},
	};
	static const struct peer_rule same[] = {{.when = READ, .status = 200, .body = ADA("Example", "")}};
	struct seen seen = {.story = *state};

	assert_int_equal(VISIT(&seen, VISIT_UPDATE, rules), VISIT_CHANGED);
	assert_string_equal(seen.visit.changed, "name.familyName");
	assert_int_equal(strlen(seen.visit.digest), 16);
	assert_int_equal(VISIT(&seen, VISIT_UPDATE, same), VISIT_SAME);
	assert_string_equal(seen.visit.digest, "");
	assert_int_equal(seen.asked, 0);
}

/* What is not known takes the place of nothing, and neither does a text of which a part is missing. */
static void unknown_is_not_sent(void **state)
{
	static const struct peer_rule rules[] = {{.when = READ, .status = 200, .body = ADA("Example", "")}};
	static const char *const attributes[][2] = {{"userName", "user_name"},
						    {"name.familyName", "family_name"},
						    {"title", "claims.title"},
						    {"displayName", "join(\" \", claims.title, family_name)"},
						    {"name.givenName", "default(claims.first, user_name)"}};
	static const struct person_claim title[] = {{"title", "Dr"}, {"first", "Ada"}};
	static const struct peer_rule known[] = {
		{.when = READ, .status = 200, .body = ADA("Example", "")},
		{.when = PATCHED("{\"op\":\"add\",\"path\":\"title\",\"value\":\"Dr\"}," SET(
			 "displayName", "\"Dr Example\"") "," SET("name.givenName", "\"Ada\"")),
		 .status = 204,
		 .body = ""},
	};
	struct mapping_rule compiled[5];
	struct seen seen = {.story = *state};

	for (size_t i = 0; i < 5; i++)
		assert_int_equal(mapping_compile(attributes[i][0], attributes[i][1], &compiled[i], NULL),
				 ERR_OK);
	seen.story->target.mapping = (struct mapping){compiled, 5};
	seen.story->members[0].person.family_name[0] = '\0';
	assert_int_equal(VISIT(&seen, VISIT_UPDATE, rules), VISIT_SAME);
	/* And it is, once it is known. */
	snprintf(seen.story->members[0].person.family_name, NAME_SIZE, "Example");
	seen.claims = title;
	seen.claim_count = 2;
	assert_int_equal(VISIT(&seen, VISIT_UPDATE, known), VISIT_CHANGED);
	assert_string_equal(seen.visit.changed, "title, displayName, name.givenName");
}

/* An application that accepts a change and does not show it is not sent the same one for ever. */
static void unheeded_is_not_sent_again(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = READ, .status = 200, .body = ADA("Other", "")},
		{.when = PATCH_USER, .status = 200, .body = ""},
	};
	struct seen seen = {.story = *state};
	char digest[VISIT_DIGEST_SIZE];

	assert_int_equal(VISIT(&seen, VISIT_UPDATE, rules), VISIT_CHANGED);
	memcpy(digest, seen.visit.digest, sizeof(digest));
	struct visit again = seen.visit;
	memcpy(again.digest, digest, sizeof(digest));
	seen.ended = 0;
	peer_rewind(&seen.story->peer);
	assert_true(visit_start(seen.story->pusher, &again));
	story_wait(seen.story, &seen.ended);
	assert_int_equal(seen.how, VISIT_REFUSED);
	assert_string_equal(
		again.words,
		"the application has accepted the change of name.familyName, but does not show it");
	assert_int_equal(seen.story->peer.requests, 1);
	assert_string_equal(again.digest, digest);
}

static void unfit_is_not_sent(void **state)
{
	static const struct peer_rule rules[] = {{.when = READ, .status = 200, .body = ADA("Example", "")}};
	struct seen seen = {.story = *state};

	snprintf(seen.story->members[0].person.display_name, NAME_SIZE, "a:b");
	assert_int_equal(VISIT(&seen, VISIT_UPDATE, rules), VISIT_REFUSED);
	assert_non_null(strstr(seen.visit.words, "the attribute displayName is \"a:b\""));
	assert_int_equal(seen.story->peer.requests, 1);
}

static void update_that_goes_wrong(void **state)
{
	static const struct peer_rule gone[] = {
		{.when = READ, .status = 404, .body = STORY_ERROR("404", "no")}};
	static const struct peer_rule page[] = {{.when = READ, .status = 200, .body = "<html>"}};
	static const struct peer_rule other[] = {{.when = READ, .status = 200, .body = "[]"}};
	static const struct peer_rule refused[] = {
		{.when = READ, .status = 200, .body = ADA("Other", "")},
		{.when = PATCH_USER, .status = 400, .body = STORY_ERROR("400", "no")},
	};
	static const struct peer_rule throttled[] = {
		{.when = READ, .status = 429, .body = "", .headers = "Retry-After: 7\r\n"}};
	struct seen seen = {.story = *state};

	assert_int_equal(VISIT(&seen, VISIT_UPDATE, gone), VISIT_GONE);
	assert_int_equal(VISIT(&seen, VISIT_UPDATE, page), VISIT_RETRY);
	assert_true(seen.visit.alien);
	assert_int_equal(VISIT(&seen, VISIT_UPDATE, other), VISIT_RETRY);
	assert_int_equal(VISIT(&seen, VISIT_UPDATE, refused), VISIT_REFUSED);
	assert_string_equal(seen.visit.words, "changing the user: the application answered 400: no");
	assert_int_equal(VISIT(&seen, VISIT_UPDATE, throttled), VISIT_RETRY);
	assert_int_equal(seen.visit.closed_for_ms, 7000);
	assert_false(seen.visit.in_doubt);
}

/* -- ends ------------------------------------------------------------------------------------------------------------- */

#define NO_GROUPS                                                                                            \
	{                                                                                                    \
		.when = GROUPS, .status = 200, .body = STORY_NONE                                            \
	}

static void deactivation_is_read_back(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = READ, .status = 200, .body = ADA("Example", IS_ACTIVE)},
		NO_GROUPS,
		{.when = PATCHED(SET("active", "false")), .status = 200, .body = ""},
		{.when = READ, .status = 200, .body = ADA("Example", IS_INACTIVE)},
	};
	static const struct peer_rule ignored[] = {
		{.when = READ, .status = 200, .body = ADA("Example", IS_ACTIVE)},
		NO_GROUPS,
		{.when = PATCH_USER, .status = 200, .body = ""},
		{.when = READ, .status = 200, .body = ADA("Example", IS_ACTIVE)},
	};
	struct seen seen = {.story = *state};

	assert_int_equal(VISIT(&seen, VISIT_DEACTIVATE, rules), VISIT_CHANGED);
	assert_int_equal(seen.asked, 1);
	assert_true(peer_all_used(&seen.story->peer));
	assert_int_equal(VISIT(&seen, VISIT_DEACTIVATE, ignored), VISIT_RETRY);
	assert_true(seen.visit.in_doubt);
}

static void deletion(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = READ, .status = 200, .body = ADA("Example", IS_INACTIVE)},
		NO_GROUPS,
		{.when = DELETE, .status = 204, .body = ""},
	};
	static const struct peer_rule quicker[] = {
		{.when = READ, .status = 200, .body = ADA("Example", "")},
		NO_GROUPS,
		{.when = DELETE, .status = 404, .body = ""},
	};
	static const struct peer_rule refused[] = {
		{.when = READ, .status = 200, .body = ADA("Example", "")},
		NO_GROUPS,
		{.when = DELETE, .status = 400, .body = STORY_ERROR("400", "no")},
	};
	struct seen seen = {.story = *state};

	assert_int_equal(VISIT(&seen, VISIT_DELETE, rules), VISIT_CHANGED);
	assert_int_equal(VISIT(&seen, VISIT_DELETE, quicker), VISIT_CHANGED);
	assert_int_equal(VISIT(&seen, VISIT_DELETE, refused), VISIT_REFUSED);
	assert_false(seen.visit.in_doubt);
}

static void some_users_are_left_as_they_are(void **state)
{
	static const struct peer_rule shown[] = {
		{.when = READ, .status = 200, .body = ADA("Example", ",\"groups\":[{\"value\":\"g-9\"}]")}};
	static const struct peer_rule found[] = {
		{.when = READ, .status = 200, .body = ADA("Example", IS_ACTIVE)},
		{.when = GROUPS, .status = 200, .body = GROUP("g-9")},
	};
	static const struct peer_rule inactive[] = {
		{.when = READ, .status = 200, .body = ADA("Example", IS_INACTIVE)}};
	static const struct peer_rule unclear[] = {
		{.when = READ, .status = 200, .body = ADA("Example", IS_ACTIVE)},
		{.when = GROUPS, .status = 400, .body = STORY_ERROR("400", "no")},
	};
	struct seen seen = {.story = *state};

	assert_int_equal(VISIT(&seen, VISIT_DELETE, shown), VISIT_KEPT);
	assert_int_equal(VISIT(&seen, VISIT_DELETE, found), VISIT_KEPT);
	assert_string_equal(seen.visit.words, "the user is in groups that the broker did not give");
	assert_int_equal(VISIT(&seen, VISIT_DEACTIVATE, inactive), VISIT_KEPT);
	assert_int_equal(VISIT(&seen, VISIT_DELETE, unclear), VISIT_REFUSED);
	assert_int_equal(seen.asked, 0);
	/* It was the broker's doing, whose answer was lost. */
	seen.again = true;
	assert_int_equal(VISIT(&seen, VISIT_DEACTIVATE, inactive), VISIT_CHANGED);
}

static void end_that_is_not_wanted_any_more(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = READ, .status = 200, .body = ADA("Example", IS_ACTIVE)},
		NO_GROUPS,
	};
	struct seen seen = {.story = *state, .skip = true};

	assert_int_equal(VISIT(&seen, VISIT_DELETE, rules), VISIT_SKIPPED);
	assert_int_equal(seen.story->peer.requests, 2);
}

static void end_without_an_answer(void **state)
{
	static const struct peer_rule lost[] = {
		{.when = READ, .status = 200, .body = ADA("Example", IS_ACTIVE)},
		NO_GROUPS,
		{.when = PATCH_USER, .deed = PEER_CLOSE},
	};
	static const struct peer_rule unseen[] = {
		{.when = READ, .status = 200, .body = ADA("Example", IS_ACTIVE)},
		NO_GROUPS,
		{.when = PATCH_USER, .status = 204, .body = ""},
		{.when = READ, .deed = PEER_CLOSE},
	};
	static const struct peer_rule failed[] = {
		{.when = READ, .status = 200, .body = ADA("Example", "")},
		NO_GROUPS,
		{.when = DELETE, .status = 500, .body = ""},
	};
	struct seen seen = {.story = *state};

	assert_int_equal(VISIT(&seen, VISIT_DEACTIVATE, lost), VISIT_RETRY);
	assert_true(seen.visit.in_doubt);
	assert_true(seen.visit.unanswered);
	assert_int_equal(VISIT(&seen, VISIT_DEACTIVATE, unseen), VISIT_RETRY);
	assert_true(seen.visit.in_doubt);
	assert_int_equal(VISIT(&seen, VISIT_DELETE, failed), VISIT_RETRY);
	assert_true(seen.visit.in_doubt);
}

static void stop_while_deleting(void **state)
{
	static const struct peer_rule rules[] = {{.when = READ, .deed = PEER_HANG}};
	struct seen seen = {.story = *state};

	seen.visit = (struct visit){.target = &seen.story->target,
				    .user_id = "u-1",
				    .aim = VISIT_DELETE,
				    .deadline_ms = clock_mono_ms() + 5000,
				    .on_ready = on_ready,
				    .on_end = on_end,
				    .ctx = &seen};
	peer_script(&seen.story->peer, rules, 1);
	assert_true(visit_start(seen.story->pusher, &seen.visit));
	pusher_abort_all(seen.story->pusher);
	assert_int_equal(seen.ended, 1);
	assert_int_equal(seen.how, VISIT_RETRY);
	assert_string_equal(seen.visit.words, "the broker stops");
	assert_false(seen.visit.in_doubt);
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, story_open, story_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(only_differences_are_sent),
		STORY(unknown_is_not_sent),
		STORY(unheeded_is_not_sent_again),
		STORY(unfit_is_not_sent),
		STORY(update_that_goes_wrong),
		STORY(deactivation_is_read_back),
		STORY(deletion),
		STORY(some_users_are_left_as_they_are),
		STORY(end_that_is_not_wanted_any_more),
		STORY(end_without_an_answer),
		STORY(stop_while_deleting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
