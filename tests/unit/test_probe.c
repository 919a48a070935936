/* Test Connection against applications that do right, and against those that do harm while they answer success. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scim-push/probe.h"
#include "tests/support/push_story.h"

#define DESCRIBE   "GET /t/scim/v2/ServiceProviderConfig"
#define READ_GROUP "GET /t/scim/v2/Groups/g-1"
#define FIND_CANARIES                                                                                        \
	"GET /t/scim/v2/Groups?excludedAttributes=members&filter=displayName%20eq%20%22canaries%22"
#define CANARIES(members) "{\"id\":\"g-1\",\"displayName\":\"canaries\",\"members\":[" members "]}"

struct test {
	struct probe probe;
	struct pusher *pusher;
	int turns, ended;
	int stop_at; /* the turn that gets no token; 0 = none */
};

static void on_turn(void *ctx, struct probe *probe)
{
	struct test *test = ctx;

	test->turns++;
	probe_go(probe, test->turns != test->stop_at, "no push is free");
}

static void on_end(void *ctx, struct probe *probe)
{
	struct test *test = ctx;

	assert_ptr_equal(probe, &test->probe);
	test->ended++;
}

static void run(struct story *story, struct test *test, const struct peer_rule *rules, size_t count)
{
	peer_script(&story->peer, rules, count);
	test->probe.target = &story->target;
	test->probe.group_name = "canaries";
	test->probe.group_external_id = "";
	test->probe.users[0] = "ada@example.com";
	test->probe.users[1] = "bob@example.com";
	test->probe.stage_timeout_ms = 2000;
	test->probe.on_turn = on_turn;
	test->probe.on_end = on_end;
	test->probe.ctx = test;
	test->turns = test->ended = 0;
	probe_start(story->pusher, &test->probe);
	story_wait(story, &test->ended);
	uv_run(&story->loop, UV_RUN_NOWAIT);
	assert_int_equal(test->ended, 1);
}
#define RUN(story, test, rules) run((story), (test), (rules), sizeof(rules) / sizeof((rules)[0]))

static void assert_stage(const struct test *test, enum probe_stage stage, enum probe_verdict verdict,
			 const char *words)
{
	const struct probe_result *result = &test->probe.results[stage];

	assert_string_equal(result->words, words);
	assert_int_equal(result->verdict, verdict);
}

/* What every application answers until the first removal. */
#define BEGINNING                                                                                            \
	{.when = DESCRIBE,                                                                                   \
	 .status = 200,                                                                                      \
	 .body = "{\"patch\":{\"supported\":true},\"filter\":{\"supported\":false},\"bulk\":7}"},            \
		{.when = FIND_CANARIES,                                                                      \
		 .status = 200,                                                                              \
		 .body = STORY_LIST("1", "{\"id\":\"g-1\",\"displayName\":\"canaries\"}")},                  \
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},                      \
		{.when = FIND_USER("bob"), .status = 200, .body = FOUND("bob", "u-2")},                      \
		{.when = PATCH("g-1"), .status = 204, .body = ""},                                           \
	{                                                                                                    \
		.when = READ_GROUP, .status = 200, .body = CANARIES(MEMBER("u-1") "," MEMBER("u-2"))         \
	}

static void good_application(void **state)
{
	static const struct peer_rule rules[] = {
		BEGINNING,
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = READ_GROUP, .status = 200, .body = CANARIES(MEMBER("u-1"))},
		{.when = READ_GROUP, .status = 200, .body = CANARIES(MEMBER("u-1"))},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = READ_GROUP, .status = 200, .body = CANARIES("")},
	};
	struct story *story = *state;
	static struct test test;

	story->target.dialect = *dialect_row(DIALECT_RFC7644);
	RUN(story, &test, rules);
	assert_stage(&test, STAGE_DESCRIBE, PROBE_NOTED,
		     "it says of itself: patch yes, filter no, bulk not said, etag not said");
	assert_stage(&test, STAGE_ADD, PROBE_PASSED, "both canary users are members");
	assert_stage(&test, STAGE_REMOVE, PROBE_PASSED, "the form of removal works");
	assert_stage(&test, STAGE_OTHERS, PROBE_PASSED, "and removes nobody else");
	assert_stage(&test, STAGE_CLEAN, PROBE_PASSED, "the canary users are out of the group again");
	assert_true(test.probe.passed && test.probe.proved);
	assert_int_equal(test.turns, 3); /* a push for each change */
	assert_true(peer_all_used(&story->peer));
	/* Every request is shown, without the token. */
	assert_int_equal(test.probe.step_count, 11);
	assert_string_equal(test.probe.steps[0].path, "/ServiceProviderConfig");
	assert_string_equal(test.probe.steps[4].method, "PATCH");
	assert_string_equal(test.probe.steps[4].path, "/Groups/g-1");
	assert_string_equal(test.probe.steps[4].body, MEMBERS("add", MEMBER("u-1") "," MEMBER("u-2")));
	assert_int_equal(test.probe.steps[4].status, 204);
	assert_string_equal(test.probe.steps[4].outcome, "done");
	assert_int_equal(test.probe.results[STAGE_REMOVE].first, 6);
	assert_int_equal(test.probe.results[STAGE_REMOVE].count, 2);
}

/* scim2-server with the other form: 204, and the group is empty. No second removal follows. */
static void application_that_empties_the_group(void **state)
{
	static const struct peer_rule rules[] = {
		BEGINNING,
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = READ_GROUP, .status = 200, .body = CANARIES("")},
		{.when = READ_GROUP, .status = 200, .body = CANARIES("")},
	};
	struct story *story = *state;
	static struct test test;

	story->target.dialect = *dialect_row(DIALECT_RFC7644);
	RUN(story, &test, rules);
	assert_stage(&test, STAGE_OTHERS, PROBE_FAILED,
		     "the removal of one canary user has removed the other one as well: this form of removal "
		     "empties groups here; set scim.removal to the other one");
	assert_false(test.probe.passed || test.probe.proved);
	assert_int_equal(test.probe.results[STAGE_CLEAN].verdict, PROBE_NOT_RUN);
	assert_true(peer_all_used(&story->peer));
	assert_int_equal(story->peer.requests, 9);
}

/* authentik's source with the filter form: 200, and nothing is done. */
static void application_that_ignores_the_form(void **state)
{
	static const struct peer_rule rules[] = {
		BEGINNING,
		{.when = PATCH("g-1"), .status = 200, .body = "{}"},
		{.when = READ_GROUP, .status = 200, .body = CANARIES(MEMBER("u-1") "," MEMBER("u-2"))},
		{.when = READ_GROUP, .status = 200, .body = CANARIES(MEMBER("u-1") "," MEMBER("u-2"))},
		{.when = READ_GROUP, .status = 200, .body = CANARIES(MEMBER("u-1") "," MEMBER("u-2"))},
		{.when = READ_GROUP, .status = 200, .body = CANARIES(MEMBER("u-1") "," MEMBER("u-2"))},
	};
	struct story *story = *state;
	static struct test test;

	story->target.dialect = *dialect_row(DIALECT_RFC7644);
	RUN(story, &test, rules);
	assert_stage(&test, STAGE_REMOVE, PROBE_FAILED,
		     "the application accepted the change but still shows the membership (canary user "
		     "bob@example.com)");
	assert_false(test.probe.passed || test.probe.proved);
}

/* What shows nothing proves nothing, and that is said. */
static void application_that_shows_nothing(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = DESCRIBE, .status = 404, .body = ""},
		{.when = FIND_CANARIES,
		 .status = 200,
		 .body = STORY_LIST("1", "{\"id\":\"g-1\",\"displayName\":\"canaries\"}")},
		{.when = FIND_USER("ada"), .status = 200, .body = FOUND("ada", "u-1")},
		{.when = FIND_USER("bob"), .status = 200, .body = FOUND("bob", "u-2")},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
		{.when = PATCH("g-1"), .status = 204, .body = ""},
	};
	struct story *story = *state;
	static struct test test;

	story->target.dialect = *dialect_row(DIALECT_RFC7644);
	story->target.dialect.verify = VERIFY_NONE;
	RUN(story, &test, rules);
	assert_stage(&test, STAGE_DESCRIBE, PROBE_NOTED,
		     "the application does not describe itself, which is no fault");
	assert_int_equal(test.probe.results[STAGE_REMOVE].verdict, PROBE_NOTED);
	assert_int_equal(test.probe.results[STAGE_OTHERS].verdict, PROBE_NOTED);
	assert_true(test.probe.passed);
	assert_false(test.probe.proved);
	assert_true(peer_all_used(&story->peer));
}

static void wrong_token(void **state)
{
	static const struct peer_rule rules[] = {
		{.when = DESCRIBE, .status = 401, .body = STORY_ERROR("401", "Token " STORY_TOKEN " is bad")},
		{.when = FIND_CANARIES,
		 .status = 401,
		 .body = STORY_ERROR("401", "Token " STORY_TOKEN " is bad")},
	};
	struct story *story = *state;
	static struct test test;

	story->target.dialect = *dialect_row(DIALECT_RFC7644);
	RUN(story, &test, rules);
	assert_stage(&test, STAGE_ADD, PROBE_FAILED,
		     "looking up the group: the application answered 401: Token [token] is bad (canary user "
		     "ada@example.com)");
	for (size_t i = 0; i < test.probe.step_count; i++) {
		assert_null(strstr(test.probe.steps[i].words, STORY_TOKEN));
		assert_null(strstr(test.probe.steps[i].path, STORY_TOKEN));
		assert_null(strstr(test.probe.steps[i].body, STORY_TOKEN));
	}
	assert_string_equal(test.probe.steps[1].outcome, "misconfigured");
}

static void no_push_is_free(void **state)
{
	static const struct peer_rule rules[] = {BEGINNING};
	struct story *story = *state;
	static struct test test;

	story->target.dialect = *dialect_row(DIALECT_RFC7644);
	test.stop_at = 2;
	RUN(story, &test, rules);
	assert_stage(&test, STAGE_REMOVE, PROBE_FAILED, "no push is free");
	assert_int_equal(story->peer.requests, 6);
	test.stop_at = 0;
}

/* What was proved holds only for the same address and form. */
static void fingerprints(void **state)
{
	struct scim_target target, same;
	char a[PROBE_FINGERPRINT_SIZE], b[PROBE_FINGERPRINT_SIZE];

	story_target(&target, DIALECT_AWS);
	same = target;
	probe_fingerprint(&target, a);
	assert_int_equal(strlen(a), 32);
	target.token[0] = 'x';
	target.dialect.settle_ms = 7;
	probe_fingerprint(&target, b);
	assert_string_equal(a, b);
	target.dialect.removal = REMOVE_BY_FILTER;
	probe_fingerprint(&target, b);
	assert_string_not_equal(a, b);
	target = same;
	target.dialect.verify = VERIFY_MEMBERS;
	probe_fingerprint(&target, b);
	assert_string_not_equal(a, b);
	target = same;
	target.url[0] = 'x';
	probe_fingerprint(&target, b);
	assert_string_not_equal(a, b);
	(void)state;
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, story_open, story_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(good_application),
		STORY(application_that_empties_the_group),
		STORY(application_that_ignores_the_form),
		STORY(application_that_shows_nothing),
		STORY(wrong_token),
		STORY(no_push_is_free),
		cmocka_unit_test(fingerprints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
