/* A provider's keys over time: the clock is a number, and the provider's answers are the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/provider_rounds.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void test_first_round(void **state)
{
	struct rounds *r = *state;

	assert_int_equal(rounds_status(r).fetched_ms, -1);
	assert_false(rounds_status(r).is_usable);
	assert_true(provider_next_ms(r->provider) <= r->now_ms);
	rounds_pass(r, 0);
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_WAIT);
	rounds_answer_discovery(r, DISCOVERY);
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_WAIT);
	assert_true(provider_is_fetching(r->provider));
	rounds_answer_keys(r, KEYS(KEY("a") ",{}"), NULL);
	assert_false(provider_is_fetching(r->provider));
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_KEY);
	assert_int_equal(rounds_status(r).keys, 1);
	assert_int_equal(rounds_status(r).skipped, 1);
	assert_int_equal(rounds_status(r).fetched_ms, START_MS);
	assert_true(rounds_status(r).is_usable);
	assert_int_equal(r->fetches, 2);
}

/* A token that comes before the first tick begins the first round. */
static void test_asked_before_the_first_tick(void **state)
{
	struct rounds *r = *state;

	assert_int_equal(rounds_ask(r, "a"), PROVIDER_WAIT);
	assert_int_equal(r->fetches, 1);
	assert_int_equal(rounds_ask(r, "b"), PROVIDER_WAIT);
	assert_int_equal(r->fetches, 1);
}

static void test_freed_while_fetching(void **state)
{
	struct rounds *r = *state;

	rounds_pass(r, 0);
	assert_int_equal(r->fetches, 1); /* rounds_tear_down() sees that it is cancelled */
}

static void test_refresh_times(void **state)
{
	static const struct {
		const char *cache_control;
		int64_t fresh_ms;
	} rows[] = {
		{NULL, PROVIDER_AGE_MAX_MS},
		{"public", PROVIDER_AGE_MAX_MS},
		{"max-age=1800", 1800000},
		{"public, max-age=1800, must-revalidate", 1800000},
		{"max-age=86400", PROVIDER_AGE_MAX_MS},
		{"max-age=5", PROVIDER_AGE_MIN_MS},
		{"no-store", PROVIDER_AGE_MIN_MS},
		{"max-age=99999999999999999999", PROVIDER_AGE_MAX_MS},
		{"max-age=-1", PROVIDER_AGE_MIN_MS},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct rounds *r;
		int64_t due_ms;

		if (i > 0)
			rounds_tear_down(state);
		if (i > 0 && rounds_set_up(state) != 0)
			fail();
		r = *state;
		rounds_begin(r, rows[i].cache_control);
		due_ms = provider_next_ms(r->provider) - START_MS;
		/* Between 72 % and 90 % of the time that they are fresh. */
		if (due_ms < rows[i].fresh_ms * 72 / 100 - 1 || due_ms > rows[i].fresh_ms * 90 / 100)
			fail_msg("%s: %lld", rows[i].cache_control, (long long)due_ms);
		rounds_pass(r, due_ms - 1);
		assert_int_equal(r->fetches, 2);
		rounds_pass(r, 1);
		assert_int_equal(r->fetches, 3);
		assert_string_equal(r->url, "https://keys/jwks");
		/* The old ones go on meanwhile, to the end of their time and no longer. */
		assert_int_equal(rounds_ask(r, "a"), PROVIDER_KEY);
	}
}

static void test_withdrawn_key(void **state)
{
	struct rounds *r = *state;

	rounds_begin(r, NULL);
	rounds_next_round(r, KEYS(KEY("b")));
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_LATER);
	assert_int_equal(rounds_ask(r, "b"), PROVIDER_KEY);
	rounds_next_round(r, KEYS(""));
	assert_int_equal(rounds_ask(r, "b"), PROVIDER_LATER);
	assert_true(rounds_status(r).is_usable);
}

/* The process slept over the refresh: nothing is verified with keys whose time has passed before a round has ended. */
static void test_overslept(void **state)
{
	struct rounds *r = *state;

	rounds_begin(r, NULL);
	r->now_ms = START_MS + PROVIDER_AGE_MAX_MS;
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_WAIT);
	assert_int_equal(r->fetches, 3);
	rounds_answer_keys(r, KEYS(KEY("b")), NULL);
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_LATER);
	assert_int_equal(rounds_ask(r, "b"), PROVIDER_KEY);
}

static void test_unknown_kids(void **state)
{
	struct rounds *r = *state;
	char kid[32];

	rounds_begin(r, NULL);
	/* The last round is too young, and older than the token. */
	assert_int_equal(rounds_ask(r, "b"), PROVIDER_LATER);
	assert_int_equal(provider_again_ms(r->provider, r->now_ms), PROVIDER_INTERVAL_MIN_MS);
	rounds_pass(r, PROVIDER_INTERVAL_MIN_MS - 1);
	assert_int_equal(rounds_ask(r, "b"), PROVIDER_LATER);
	assert_int_equal(provider_again_ms(r->provider, r->now_ms), 1);
	rounds_pass(r, 1);
	assert_int_equal(r->fetches, 2);
	for (int i = 0; i < 1000; i++) {
		snprintf(kid, sizeof(kid), "made-up-%d", i);
		assert_int_equal(rounds_ask(r, kid), PROVIDER_WAIT);
	}
	assert_int_equal(r->fetches, 3);
	/* Who names a known key does not wait. */
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_KEY);
	rounds_answer_keys(r, KEYS(KEY("a") "," KEY("b")), NULL);
	assert_int_equal(rounds_ask(r, "b"), PROVIDER_KEY);
	for (int i = 0; i < 1000; i++) {
		snprintf(kid, sizeof(kid), "made-up-%d", i);
		assert_int_equal(rounds_ask(r, kid), PROVIDER_LATER);
		assert_int_equal(rounds_ask_again(r, kid), PROVIDER_NO_KEY);
	}
	assert_int_equal(r->fetches, 3);
}

/* An hour of made-up kids, ten a second: never two rounds within the interval. */
static void test_storm(void **state)
{
	struct rounds *r = *state;
	unsigned fetches;
	char kid[32];

	rounds_begin(r, NULL);
	fetches = r->fetches;
	for (int i = 0; i < 36000; i++) {
		rounds_pass(r, 100);
		snprintf(kid, sizeof(kid), "made-up-%d", i);
		(void)rounds_ask(r, kid);
		if (r->url[0] != '\0')
			rounds_answer_keys(r, KEYS(KEY("a")), NULL);
	}
	assert_in_range(r->fetches - fetches, 100, 120);
}

/* An unknown kid cannot speed up the retries of a provider that is down. */
static void test_storm_while_down(void **state)
{
	struct rounds *r = *state;
	char kid[32];

	rounds_begin(r, NULL);
	for (int i = 0; i < 36000; i++) {
		rounds_pass(r, 100);
		snprintf(kid, sizeof(kid), "made-up-%d", i);
		(void)rounds_ask(r, kid);
		if (r->url[0] != '\0')
			rounds_answer_failure(r);
	}
	/* 1, 2, 4, … 256, 300, 300, … seconds, each less up to a half. */
	assert_in_range(r->fetches, 10, 40);
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_KEY);
	assert_int_equal(rounds_ask(r, "b"), PROVIDER_DOWN);
}

static void test_down_from_the_start(void **state)
{
	struct rounds *r = *state;

	rounds_pass(r, 0);
	for (unsigned i = 1; i <= 20; i++) {
		int64_t most_ms = i <= 9 ? (int64_t)PROVIDER_RETRY_MIN_MS << (i - 1) : PROVIDER_RETRY_MAX_MS;
		int64_t wait_ms;

		if (most_ms > PROVIDER_RETRY_MAX_MS)
			most_ms = PROVIDER_RETRY_MAX_MS;
		rounds_answer_failure(r);
		assert_int_equal(rounds_ask(r, "a"), PROVIDER_DOWN);
		assert_int_equal(rounds_status(r).failures, i);
		assert_string_equal(rounds_status(r).error, "the discovery document: status 503");
		assert_false(rounds_status(r).is_usable);
		wait_ms = provider_next_ms(r->provider) - r->now_ms;
		assert_in_range(wait_ms, most_ms / 2, most_ms);
		rounds_pass(r, wait_ms - 1);
		assert_int_equal(r->fetches, i);
		rounds_pass(r, 1);
		assert_int_equal(r->fetches, i + 1);
		assert_int_equal(rounds_ask(r, "a"), PROVIDER_WAIT);
	}
	rounds_answer_discovery(r, DISCOVERY);
	rounds_answer_keys(r, KEYS(KEY("a")), NULL);
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_KEY);
	assert_int_equal(rounds_status(r).failures, 0);
	assert_string_equal(rounds_status(r).error, "");
}

/* The provider fails for a day: the last good keys go on, and then they do not. */
static void test_stale_keys(void **state)
{
	struct rounds *r = *state;

	rounds_begin(r, NULL);
	while (r->now_ms < START_MS + PROVIDER_STALE_MAX_MS - PROVIDER_RETRY_MAX_MS) {
		rounds_pass(r, provider_next_ms(r->provider) - r->now_ms);
		assert_int_equal(rounds_ask(r, "a"), PROVIDER_KEY);
		rounds_answer_failure(r);
		assert_int_equal(rounds_ask(r, "a"), PROVIDER_KEY);
		assert_int_equal(rounds_ask(r, "b"), PROVIDER_DOWN);
	}
	r->now_ms = START_MS + PROVIDER_STALE_MAX_MS - 1;
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_KEY);
	if (r->url[0] != '\0')
		rounds_answer_failure(r);
	r->now_ms = START_MS + PROVIDER_STALE_MAX_MS;
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_DOWN);
	assert_false(rounds_status(r).is_usable);
	rounds_pass(r, provider_next_ms(r->provider) - r->now_ms);
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_WAIT);
	rounds_answer_discovery(r, DISCOVERY);
	rounds_answer_keys(r, KEYS(KEY("a")), NULL);
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_KEY);
}

/* After a failure the address of the keys is looked up again: it may have moved. */
static void test_keys_moved(void **state)
{
	struct rounds *r = *state;

	rounds_begin(r, NULL);
	rounds_pass(r, provider_next_ms(r->provider) - r->now_ms);
	rounds_answer_with(r, "https://keys/jwks", 404, "", NULL);
	assert_string_equal(rounds_status(r).error, "the keys: status 404");
	rounds_pass(r, provider_next_ms(r->provider) - r->now_ms);
	rounds_answer_discovery(r, "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://moved/\"}");
	rounds_answer_with(r, "https://moved/", 200, KEYS(KEY("b")), NULL);
	assert_int_equal(rounds_ask(r, "b"), PROVIDER_KEY);
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_LATER);
}

/* The discovery document is read anew once a day, also when nothing fails. */
static void test_daily_discovery(void **state)
{
	struct rounds *r = *state;
	unsigned discoveries = 0;

	rounds_begin(r, NULL);
	while (r->now_ms < START_MS + 2 * (int64_t)86400000) {
		rounds_pass(r, provider_next_ms(r->provider) - r->now_ms);
		if (strstr(r->url, "well-known")) {
			discoveries++;
			rounds_answer_discovery(r, DISCOVERY);
		}
		rounds_answer_keys(r, KEYS(KEY("a")), NULL);
	}
	assert_in_range(discoveries, 1, 2);
}

static void test_no_answer_in_time(void **state)
{
	struct rounds *r = *state;

	rounds_begin(r, NULL);
	rounds_pass(r, provider_next_ms(r->provider) - r->now_ms);
	assert_int_equal(provider_next_ms(r->provider), r->now_ms + PROVIDER_FETCH_TIMEOUT_MS);
	rounds_pass(r, PROVIDER_FETCH_TIMEOUT_MS - 1);
	assert_int_equal(r->cancelled, 0);
	rounds_pass(r, 1);
	assert_int_equal(r->cancelled, 1);
	assert_string_equal(rounds_status(r).error, "the keys: no answer in time");
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_KEY);
}

static void test_bad_answers(void **state)
{
	static const struct {
		int status;
		const char *body, *words, *error;
	} rows[] = {
		{0, "", "connection refused", "the keys: connection refused"},
		{0, "", NULL, "the keys: no answer"},
		{302, KEYS(KEY("b")), NULL, "the keys: status 302"},
		{201, KEYS(KEY("b")), NULL, "the keys: status 201"},
		{200, "<html>", NULL, "the keys: JSON: value expected at byte 1"},
		{200, "{}", NULL, "the keys: it has no list of keys"},
		{200, "", NULL, "the keys: JSON: value expected at byte 1"},
	};
	struct rounds *r = *state;

	rounds_begin(r, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fetch_answer answer = {.status = rows[i].status, .body = rows[i].body};

		answer.len = strlen(rows[i].body);
		answer.words = rows[i].words;
		rounds_pass(r, provider_next_ms(r->provider) - r->now_ms);
		if (strstr(r->url, "well-known"))
			rounds_answer_discovery(r, DISCOVERY);
		r->url[0] = '\0';
		provider_fetched(r->provider, &answer, r->now_ms);
		assert_string_equal(rounds_status(r).error, rows[i].error);
		assert_int_equal(rounds_ask(r, "a"), PROVIDER_KEY);
		assert_int_equal(rounds_ask(r, "b"), PROVIDER_DOWN);
	}
}

static void test_fetch_cannot_start(void **state)
{
	struct rounds *r = *state;

	r->refuses_to_start = true;
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_DOWN);
	assert_string_equal(rounds_status(r).error, "the discovery document: the fetch could not be started");
	r->refuses_to_start = false;
	rounds_pass(r, PROVIDER_RETRY_MIN_MS);
	r->refuses_to_start = true;
	rounds_answer_discovery(r, DISCOVERY);
	assert_string_equal(rounds_status(r).error, "the keys: the fetch could not be started");
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_DOWN);
}

/* An answer that nobody waits for changes nothing. */
static void test_unasked_answer(void **state)
{
	struct fetch_answer answer = {.status = 200, .body = KEYS(KEY("b"))};
	struct rounds *r = *state;

	rounds_begin(r, NULL);
	answer.len = strlen(answer.body);
	provider_fetched(r->provider, &answer, r->now_ms);
	assert_int_equal(rounds_ask(r, "b"), PROVIDER_LATER);
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_KEY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rounds_set_up, rounds_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_first_round),          TEST(test_asked_before_the_first_tick),
		TEST(test_freed_while_fetching), TEST(test_refresh_times),
		TEST(test_withdrawn_key),        TEST(test_overslept),
		TEST(test_unknown_kids),         TEST(test_storm),
		TEST(test_storm_while_down),     TEST(test_down_from_the_start),
		TEST(test_stale_keys),           TEST(test_keys_moved),
		TEST(test_daily_discovery),      TEST(test_no_answer_in_time),
		TEST(test_bad_answers),          TEST(test_fetch_cannot_start),
		TEST(test_unasked_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
