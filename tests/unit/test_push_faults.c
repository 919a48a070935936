/* Pushes against an application that is away, slow, closed, confused or hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/deaf.h"
#include "tests/support/push_story.h"
#include "tests/support/wait.h"

#define GROUP_RULE                                                                                           \
	{                                                                                                    \
		.when = "GET /t/scim/v2/Groups?filter=displayName", .status = 200,                           \
		.body = STORY_LIST("1", STORY_GROUP("g-1"))                                                  \
	}
#define USER_RULE                                                                                            \
	{                                                                                                    \
		.when = "GET /t/scim/v2/Users", .status = 200,                                               \
		.body = STORY_LIST("1", STORY_USER("u-1", "ada@example.com"))                                \
	}
#define PATCH_RULE                                                                                           \
	{                                                                                                    \
		.when = "PATCH ", .status = 204, .body = ""                                                  \
	}

/* What is expected of a push whose PATCH is answered like this. */
struct patch_row {
	struct peer_rule patch;
	const char *words;
	enum push_verdict verdict;
	bool in_doubt, misconfigured;
	int64_t closed_for_ms;
};

static void check_patch_row(struct story *story, const struct patch_row *row)
{
	struct peer_rule rules[] = {GROUP_RULE, USER_RULE, row->patch};

	STORY_RUN(story, rules);
	assert_int_equal(story->peer.requests, 3); /* and no PATCH is repeated behind our back */
	assert_string_equal(story->members[0].error, row->words);
	assert_int_equal(story->members[0].verdict, row->verdict);
	assert_int_equal(story->members[0].in_doubt, row->in_doubt);
	assert_int_equal(story->push.misconfigured, row->misconfigured);
	assert_int_equal(story->push.closed_for_ms, row->closed_for_ms);
	assert_false(story->push.nothing_reached);
	assert_int_equal(story->push.unanswered, row->patch.deed != PEER_ANSWER);
}

#define ADDING "adding to the group: the application "

static const struct patch_row patch_rows[] = {
	{.patch = {"PATCH ", 400, STORY_ERROR("400", "No.\\u0007\\n <b>"), NULL, PEER_ANSWER},
	 .words = ADDING "answered 400: No.   <b>",
	 .verdict = PUSH_REFUSED},
	{.patch = {"PATCH ", 401, STORY_ERROR("401", "Token " STORY_TOKEN " is bad"), NULL, PEER_ANSWER},
	 .words = ADDING "answered 401: Token [token] is bad",
	 .verdict = PUSH_RETRY,
	 .misconfigured = true},
	{.patch = {"PATCH ", 403, "<html>no</html>", NULL, PEER_ANSWER},
	 .words = ADDING "answered 403",
	 .verdict = PUSH_RETRY,
	 .misconfigured = true},
	{.patch = {"PATCH ", 409, "", NULL, PEER_ANSWER},
	 .words = ADDING "answered 409",
	 .verdict = PUSH_RETRY},
	{.patch = {"PATCH ", 429, "", "retry-AFTER:   7 \r\n", PEER_ANSWER},
	 .words = ADDING "answered 429",
	 .verdict = PUSH_RETRY,
	 .closed_for_ms = 7000},
	{.patch = {"PATCH ", 429, "", NULL, PEER_ANSWER},
	 .words = ADDING "answered 429",
	 .verdict = PUSH_RETRY},
	{.patch = {"PATCH ", 503, "", "Retry-After: 99999\r\n", PEER_ANSWER},
	 .words = ADDING "answered 503",
	 .verdict = PUSH_RETRY,
	 .in_doubt = true,
	 .closed_for_ms = 3600000},
	{.patch = {"PATCH ", 500, STORY_ERROR("500", "Oops"), NULL, PEER_ANSWER},
	 .words = ADDING "answered 500: Oops",
	 .verdict = PUSH_RETRY,
	 .in_doubt = true},
	{.patch = {"PATCH ", 202, "{}", NULL, PEER_ANSWER},
	 .words = ADDING "answered 202",
	 .verdict = PUSH_RETRY,
	 .in_doubt = true},
	{.patch = {"PATCH ", 307, "", "Location: http://127.0.0.1:1/t/scim/v2/Elsewhere\r\n", PEER_ANSWER},
	 .words = ADDING "answered 307: a redirect, which is not followed",
	 .verdict = PUSH_RETRY},
	{.patch = {"PATCH ", 0, "HTTP/1.1 204 No Content\r\nX: y", NULL, PEER_RAW},
	 .words = ADDING "did not answer: its answer is cut off",
	 .verdict = PUSH_RETRY,
	 .in_doubt = true},
	{.patch = {"PATCH ", 0, "", NULL, PEER_CLOSE},
	 .words = ADDING "did not answer: it closed the connection",
	 .verdict = PUSH_RETRY,
	 .in_doubt = true},
	{.patch = {"PATCH ", 0, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", NULL, PEER_RAW},
	 .words = ADDING "did not answer: its answer is cut off",
	 .verdict = PUSH_RETRY,
	 .in_doubt = true},
};

static void answers_to_the_patch(void **state)
{
	for (size_t i = 0; i < sizeof(patch_rows) / sizeof(patch_rows[0]); i++) {
		void *story = NULL;
		print_message("row %zu: %d %s\n", i, patch_rows[i].patch.status, patch_rows[i].words);
		assert_int_equal(story_open(&story), 0);
		check_patch_row(story, &patch_rows[i]);
		assert_int_equal(story_close(&story), 0);
	}
	(void)state;
}

/* Look-ups whose answers prove nothing. */
static void answers_to_the_group_look_up(void **state)
{
	static const struct {
		struct peer_rule rule;
		const char *words;
	} rows[] = {
		/* First, because libcurl repeats a GET when an old connection is closed under it. */
		{{"Groups", 0, "", NULL, PEER_CLOSE},
		 "looking up the group: the application did not answer: it closed the connection"},
		{{"Groups", 200, "<html>Sign in</html>", NULL, PEER_ANSWER},
		 "looking up the group: the application answered 200: a page that is no SCIM"},
		{{"Groups", 200, "{\"totalResults\":1,\"Resources\":[{\"id\":", NULL, PEER_ANSWER},
		 "looking up the group: the answer is no complete SCIM list"},
		{{"Groups", 200, STORY_LIST("250", STORY_GROUP("g-1")), NULL, PEER_ANSWER},
		 "looking up the group: the answer is no complete SCIM list"},
		{{"Groups", 200, "{}", NULL, PEER_ANSWER},
		 "looking up the group: the answer is no complete SCIM list"},
		{{"Groups", 404, "", NULL, PEER_ANSWER},
		 "looking up the group: the application answered 404"},
	};
	struct story *story = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("row %zu\n", i);
		/* For a removal a wrong "there is none" would mean that access stays. */
		story->push.add = i % 2 == 0;
		story_run(story, &rows[i].rule, 1);
		assert_string_equal(story->members[0].error, rows[i].words);
		assert_int_equal(story->members[0].verdict, PUSH_RETRY);
		assert_false(story->members[0].in_doubt);
		assert_int_equal(story->ready, 0);
		assert_int_equal(story->peer.requests, 1);
	}
}

/* After such an answer to one look-up the others are not tried. */
static void throttled_look_up_ends_the_push(void **state)
{
	static const struct peer_rule rules[] = {
		GROUP_RULE,
		{.when = "GET /t/scim/v2/Users", .status = 429, .body = "", .headers = "Retry-After: 3\r\n"},
		{.when = "GET /t/scim/v2/Users", .deed = PEER_HANG},
	};
	struct story *story = *state;

	story_member(story, "bob");
	STORY_RUN(story, rules);
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
	assert_int_equal(story->members[1].verdict, PUSH_RETRY);
	assert_int_equal(story->push.closed_for_ms, 3000);
	assert_false(story->members[0].in_doubt);
	assert_int_equal(story->ready, 0);
}

static void huge_answers_are_not_read(void **state)
{
	size_t size = 2 << 20;
	char *text = malloc(size);
	struct peer_rule rule = {.when = "Groups", .status = 200, .body = text};
	struct story *story = *state;

	assert_non_null(text);
	/* Its size ends it, however long it takes to come. */
	story->target.request_timeout_ms = 600000;
	story->push.deadline_ms = clock_mono_ms() + 600000;
	memset(text, 'x', size - 1);
	text[size - 1] = '\0';
	story_run(story, &rule, 1);
	assert_string_equal(story->members[0].error, "looking up the group: the application did not answer: "
						     "its answer is larger than the broker reads");
	/* As many bytes of headers, a kilobyte each. */
	for (size_t i = 0; i + 1024 < size; i += 1024)
		memcpy(text + i, i == 0 ? "HTTP/1.1 200 OK\r\n" : "X-More: ", i == 0 ? 17 : 8);
	for (size_t i = 1022; i + 2 < size; i += 1024)
		memcpy(text + i, "\r\n", 2);
	memcpy(text + 17, "X: ", 3);
	rule.deed = PEER_RAW;
	story_run(story, &rule, 1);
	assert_string_equal(story->members[0].error, "looking up the group: the application did not answer: "
						     "its answer is larger than the broker reads");
	free(text);
}

/* A port that was free a moment ago: nothing listens there. */
static void refused_connection_reaches_nothing(void **state)
{
	struct story *story = *state;
	uv_tcp_t unheard;
	struct sockaddr_in address;
	struct sockaddr_storage bound;
	int len = sizeof(bound);

	uv_tcp_init(&story->loop, &unheard);
	uv_ip4_addr("127.0.0.1", 0, &address);
	assert_int_equal(uv_tcp_bind(&unheard, (const struct sockaddr *)&address, 0), 0);
	assert_int_equal(uv_tcp_getsockname(&unheard, (struct sockaddr *)&bound, &len), 0);
	memcpy(&address, &bound, sizeof(address));
	snprintf(story->target.url, sizeof(story->target.url), "http://127.0.0.1:%d/scim/v2",
		 ntohs(address.sin_port));
	story_run(story, NULL, 0);
	uv_close((uv_handle_t *)&unheard, NULL);
	uv_run(&story->loop, UV_RUN_NOWAIT);
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
	assert_non_null(
		strstr(story->members[0].error, "looking up the group: the application cannot be reached: "));
	assert_true(story->push.nothing_reached);
	assert_false(story->push.unanswered);
	assert_false(story->members[0].in_doubt);
}

/* Long before the request's own time is over the connection is given up; nothing was sent. */
static void connection_that_does_not_come(void **state)
{
	struct story *story = *state;
	int64_t begun_ms = clock_mono_ms();
	struct deaf deaf;

	assert_true(deaf_open(&deaf));
	snprintf(story->target.url, sizeof(story->target.url), "http://127.0.0.1:%u/scim/v2", deaf.port);
	story->target.request_timeout_ms = 600000;
	story->push.deadline_ms = begun_ms + 600000;
	story_run(story, NULL, 0);
	assert_true(clock_mono_ms() - begun_ms >= 4900);
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
	assert_string_equal(story->members[0].error,
			    "looking up the group: the application cannot be reached: no answer in time");
	assert_true(story->push.nothing_reached);
	assert_true(story->push.sick);
	assert_false(story->push.unanswered);
	assert_false(story->members[0].in_doubt);
	deaf_close(&deaf);
}

/* The peer speaks no TLS: the request itself never leaves. */
static void failed_handshake_reaches_nothing(void **state)
{
	static const struct peer_rule rule = {.when = "GET", .deed = PEER_HANG};
	struct story *story = *state;

	snprintf(story->target.url, sizeof(story->target.url), "https://127.0.0.1:%d/scim/v2",
		 story->peer.port);
	story->push.deadline_ms = clock_mono_ms() + 200;
	story_run(story, &rule, 1);
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
	assert_true(story->push.nothing_reached);
	assert_int_equal(story->peer.requests, 0);
}

static void other_protocols_are_refused(void **state)
{
	struct story *story = *state;

	snprintf(story->target.url, sizeof(story->target.url), "file:///etc");
	story_run(story, NULL, 0);
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
	assert_true(story->push.nothing_reached);
}

static void deadline_ends_a_hanging_patch(void **state)
{
	static const struct peer_rule rules[] = {
		GROUP_RULE, USER_RULE, {.when = "PATCH ", .deed = PEER_HANG}};
	struct story *story = *state;

	story->push.deadline_ms = clock_mono_ms() + 150;
	STORY_RUN(story, rules);
	assert_true(clock_mono_ms() >= story->push.deadline_ms - 1);
	assert_true(clock_mono_ms() < story->push.deadline_ms + 1000);
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
	assert_true(story->members[0].in_doubt);
	assert_true(story->push.unanswered);
	assert_false(story->push.nothing_reached);
}

/* The request's own time-out comes long before the push's deadline. */
static void request_timeout_ends_a_hanging_patch(void **state)
{
	static const struct peer_rule rules[] = {
		GROUP_RULE, USER_RULE, {.when = "PATCH ", .deed = PEER_HANG}};
	struct story *story = *state;

	story->target.request_timeout_ms = 100;
	STORY_RUN(story, rules);
	assert_string_equal(story->members[0].error, ADDING "did not answer: no answer in time");
	assert_true(clock_mono_ms() < story->push.deadline_ms);
	assert_true(story->members[0].in_doubt);
	assert_true(story->push.unanswered);
}

static void lost_look_up_is_not_in_doubt(void **state)
{
	static const struct peer_rule rules[] = {GROUP_RULE, {.when = "GET ", .deed = PEER_HANG}};
	struct story *story = *state;

	story->target.request_timeout_ms = 100;
	STORY_RUN(story, rules);
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
	assert_false(story->members[0].in_doubt);
	assert_true(story->push.unanswered);
}

static void confirmation_that_hangs(void **state)
{
	static const struct peer_rule rules[] = {
		GROUP_RULE,
		USER_RULE,
		PATCH_RULE,
		{.when = "GET /t/scim/v2/Groups?filter=id", .deed = PEER_HANG}};
	struct story *story = *state;

	story->push.deadline_ms = clock_mono_ms() + 150;
	STORY_RUN(story, rules);
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
	assert_true(story->members[0].in_doubt);
	assert_true(story->push.unanswered);
}

static void unanswered_consent_ends_at_the_deadline(void **state)
{
	static const struct peer_rule rules[] = {GROUP_RULE, USER_RULE};
	struct story *story = *state;
	bool wanted = true;

	story->consent = CONSENT_NEVER;
	story->push.deadline_ms = clock_mono_ms() + 100;
	STORY_RUN(story, rules);
	assert_string_equal(story->members[0].error, "the push ran out of time before it was sent");
	assert_false(story->members[0].in_doubt);
	assert_false(story->push.unanswered);
	/* An answer that comes too late has no effect. */
	push_send(&story->push, &wanted);
	assert_int_equal(pusher_running(story->pusher), 0);
	assert_int_equal(story->peer.requests, 2);
}

/* The process stands still (SIGSTOP) between the decision to send and the sending, until after the deadline. */
static void nothing_leaves_after_the_deadline(void **state)
{
	static const struct peer_rule rules[] = {GROUP_RULE, USER_RULE, PATCH_RULE};
	struct story *story = *state;

	story->consent = CONSENT_STALL;
	story->push.deadline_ms = clock_mono_ms() + 100;
	STORY_RUN(story, rules);
	assert_int_equal(story->ready, 1);
	assert_int_equal(story->peer.requests, 2);
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
	assert_false(story->members[0].in_doubt);
}

static void push_that_begins_too_late(void **state)
{
	struct story *story = *state;

	story->push.deadline_ms = clock_mono_ms() + 1;
	while (clock_mono_ms() <= story->push.deadline_ms)
		continue;
	push_start(story->pusher, &story->push);
	story_wait(story, &story->ended);
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
	assert_true(story->push.nothing_reached);
	assert_int_equal(story->peer.requests, 0);
}

static bool has_patch(void *ctx)
{
	const struct story *story = ctx;

	return story->peer.requests == 3;
}

/* The end of the process while a PATCH is under way. */
static void abort_leaves_it_in_doubt(void **state)
{
	static const struct peer_rule rules[] = {
		GROUP_RULE, USER_RULE, {.when = "PATCH ", .deed = PEER_HANG}};
	struct story *story = *state;

	peer_script(&story->peer, rules, 3);
	story->push.deadline_ms = clock_mono_ms() + 5000;
	push_start(story->pusher, &story->push);
	assert_true(wait_in_loop(&story->loop, has_patch, story, 60000));
	assert_int_equal(pusher_running(story->pusher), 1);
	pusher_abort_all(story->pusher);
	assert_int_equal(story->ended, 1);
	assert_int_equal(pusher_running(story->pusher), 0);
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
	assert_true(story->members[0].in_doubt);
	assert_true(story->push.unanswered);
	assert_string_equal(story->members[0].error, "the broker stops");
}

static void addition_of_a_user_who_is_gone(void **state)
{
	static const struct peer_rule rules[] = {
		GROUP_RULE,
		USER_RULE,
		PATCH_RULE,
		{.when = "members%20eq%20%22u-1",
		 .status = 404,
		 .body = STORY_ERROR("404", "USER not found.")},
	};
	struct story *story = *state;

	STORY_RUN(story, rules);
	assert_string_equal(story->members[0].error,
			    "the application no longer knows this user; it is looked up again");
	assert_int_equal(story->members[0].verdict, PUSH_RETRY);
	assert_true(story->members[0].in_doubt);
	/* With another id next time. */
	peer_rewind(&story->peer);
	story_again(story);
	assert_non_null(strstr(buf_text(&story->peer.seen), "GET /t/scim/v2/Users"));
}

static void push_for_nobody_ends(void **state)
{
	struct story *story = *state;

	story->push.count = 0;
	story_run(story, NULL, 0);
	assert_int_equal(story->ended, 1);
	assert_int_equal(story->peer.requests, 0);
	assert_true(story->push.nothing_reached);
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, story_open, story_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_to_the_patch),
		STORY(answers_to_the_group_look_up),
		STORY(throttled_look_up_ends_the_push),
		STORY(huge_answers_are_not_read),
		STORY(refused_connection_reaches_nothing),
		STORY(connection_that_does_not_come),
		STORY(failed_handshake_reaches_nothing),
		STORY(other_protocols_are_refused),
		STORY(deadline_ends_a_hanging_patch),
		STORY(request_timeout_ends_a_hanging_patch),
		STORY(lost_look_up_is_not_in_doubt),
		STORY(confirmation_that_hangs),
		STORY(unanswered_consent_ends_at_the_deadline),
		STORY(nothing_leaves_after_the_deadline),
		STORY(push_that_begins_too_late),
		STORY(abort_leaves_it_in_doubt),
		STORY(addition_of_a_user_who_is_gone),
		STORY(push_for_nobody_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
