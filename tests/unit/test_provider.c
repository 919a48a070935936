/*
 * A provider's keys over time: the clock is a number, and the provider's answers are the test's. Also the documents and
 * headers that steer it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sign-in/discovery.h"
#include "sign-in/max_age.h"
#include "sign-in/provider.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define ISSUER      "https://issuer/tenant"
#define DISCOVERY   "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://keys/jwks\"}"
#define ED_X        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" /* RFC 8037, appendix A.2 */
#define KEY(kid)    "{\"kid\":\"" kid "\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\"}"
#define KEYS(list)  "{\"keys\":[" list "]}"
#define START_MS    1000000

/* The world of one provider: what was asked of it, and the clock. */
struct world {
	struct provider *provider;
	int64_t now_ms;
	char url[256];    /* of the fetch that is under way; "" when there is none */
	unsigned fetches; /* started */
	unsigned cancelled;
	bool refuses_to_start;
};

static void *start(void *ctx, const struct fetch_order *order)
{
	struct world *w = ctx;

	/* One at a time, with bounds. */
	assert_string_equal(w->url, "");
	assert_true(order->max_bytes > 0 && order->timeout_ms > 0);
	if (w->refuses_to_start)
		return NULL;
	snprintf(w->url, sizeof(w->url), "%s", order->url);
	w->fetches++;
	return w;
}

static void cancel(void *ctx, void *fetch)
{
	struct world *w = ctx;

	assert_ptr_equal(fetch, w);
	assert_string_not_equal(w->url, "");
	w->url[0] = '\0';
	w->cancelled++;
}

/* The provider's owner hands on the answer itself. */
static void never_called(void *ctx, const struct fetch_answer *answer)
{
	(void)ctx;
	(void)answer;
	fail();
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct provider_options options = {.issuer = ISSUER, .on_answer = never_called};

	if (w == NULL)
		return -1;
	options.fetcher = (struct fetcher){start, cancel, w};
	w->now_ms = START_MS;
	w->provider = provider_new(&options);
	*state = w;
	return w->provider ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	provider_free(w->provider);
	/* What was under way was given up. */
	assert_string_equal(w->url, "");
	free(w);
	return 0;
}

static void answer_with(struct world *w, const char *url, int status, const char *body,
			const char *cache_control)
{
	struct fetch_answer answer = {.status = status, .body = body, .cache_control = cache_control};

	answer.len = strlen(body);
	assert_string_equal(w->url, url);
	w->url[0] = '\0';
	provider_fetched(w->provider, &answer, w->now_ms);
}

static void answer_discovery(struct world *w, const char *body)
{
	answer_with(w, ISSUER "/.well-known/openid-configuration", 200, body, NULL);
}

static void answer_keys(struct world *w, const char *body, const char *cache_control)
{
	answer_with(w, "https://keys/jwks", 200, body, cache_control);
}

/* The answer to whatever is asked, and no good one. */
static void answer_failure(struct world *w)
{
	char url[256];

	memcpy(url, w->url, sizeof(url));
	answer_with(w, url, 503, "", NULL);
}

static void pass(struct world *w, int64_t ms)
{
	w->now_ms += ms;
	provider_tick(w->provider, w->now_ms);
}

static enum provider_verdict ask(struct world *w, const char *kid)
{
	const struct jwks_key *key = NULL;
	enum provider_verdict verdict = provider_key(w->provider, kid, w->now_ms, &key);

	assert_int_equal(verdict == PROVIDER_KEY, key != NULL);
	if (key)
		assert_string_equal(key->kid, kid);
	return verdict;
}

/* The first round, with a key named "a". */
static void begin(struct world *w, const char *cache_control)
{
	pass(w, 0);
	answer_discovery(w, DISCOVERY);
	answer_keys(w, KEYS(KEY("a")), cache_control);
	assert_int_equal(w->fetches, 2);
	assert_int_equal(ask(w, "a"), PROVIDER_KEY);
}

/* The round that comes by itself. */
static void next_round(struct world *w, const char *keys)
{
	pass(w, provider_next_ms(w->provider) - w->now_ms);
	answer_keys(w, keys, NULL);
}

static struct provider_status status_of(struct world *w)
{
	struct provider_status status;

	provider_status(w->provider, w->now_ms, &status);
	return status;
}

static void test_first_round(void **state)
{
	struct world *w = *state;

	assert_int_equal(status_of(w).fetched_ms, -1);
	assert_false(status_of(w).is_usable);
	assert_true(provider_next_ms(w->provider) <= w->now_ms);
	pass(w, 0);
	assert_int_equal(ask(w, "a"), PROVIDER_WAIT);
	answer_discovery(w, DISCOVERY);
	assert_int_equal(ask(w, "a"), PROVIDER_WAIT);
	assert_true(provider_is_fetching(w->provider));
	answer_keys(w, KEYS(KEY("a") ",{}"), NULL);
	assert_false(provider_is_fetching(w->provider));
	assert_int_equal(ask(w, "a"), PROVIDER_KEY);
	assert_int_equal(status_of(w).keys, 1);
	assert_int_equal(status_of(w).skipped, 1);
	assert_int_equal(status_of(w).fetched_ms, START_MS);
	assert_true(status_of(w).is_usable);
	assert_int_equal(w->fetches, 2);
}

/* A token that comes before the first tick begins the first round. */
static void test_asked_before_the_first_tick(void **state)
{
	struct world *w = *state;

	assert_int_equal(ask(w, "a"), PROVIDER_WAIT);
	assert_int_equal(w->fetches, 1);
	assert_int_equal(ask(w, "b"), PROVIDER_WAIT);
	assert_int_equal(w->fetches, 1);
}

static void test_freed_while_fetching(void **state)
{
	struct world *w = *state;

	pass(w, 0);
	assert_int_equal(w->fetches, 1); /* tear_down() sees that it is cancelled */
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
		struct world *w;
		int64_t due_ms;

		if (i > 0)
			tear_down(state);
		if (i > 0 && set_up(state) != 0)
			fail();
		w = *state;
		begin(w, rows[i].cache_control);
		due_ms = provider_next_ms(w->provider) - START_MS;
		/* Between 72 % and 90 % of the time that they are fresh. */
		if (due_ms < rows[i].fresh_ms * 72 / 100 - 1 || due_ms > rows[i].fresh_ms * 90 / 100)
			fail_msg("%s: %lld", rows[i].cache_control, (long long)due_ms);
		pass(w, due_ms - 1);
		assert_int_equal(w->fetches, 2);
		pass(w, 1);
		assert_int_equal(w->fetches, 3);
		assert_string_equal(w->url, "https://keys/jwks");
		/* The old ones go on meanwhile, to the end of their time and no longer. */
		assert_int_equal(ask(w, "a"), PROVIDER_KEY);
	}
}

static void test_withdrawn_key(void **state)
{
	struct world *w = *state;

	begin(w, NULL);
	next_round(w, KEYS(KEY("b")));
	assert_int_equal(ask(w, "a"), PROVIDER_NO_KEY);
	assert_int_equal(ask(w, "b"), PROVIDER_KEY);
	next_round(w, KEYS(""));
	assert_int_equal(ask(w, "b"), PROVIDER_NO_KEY);
	assert_true(status_of(w).is_usable);
}

/* The process slept over the refresh: nothing is verified with keys whose time has passed before a round has ended. */
static void test_overslept(void **state)
{
	struct world *w = *state;

	begin(w, NULL);
	w->now_ms = START_MS + PROVIDER_AGE_MAX_MS;
	assert_int_equal(ask(w, "a"), PROVIDER_WAIT);
	assert_int_equal(w->fetches, 3);
	answer_keys(w, KEYS(KEY("b")), NULL);
	assert_int_equal(ask(w, "a"), PROVIDER_NO_KEY);
	assert_int_equal(ask(w, "b"), PROVIDER_KEY);
}

static void test_unknown_kids(void **state)
{
	struct world *w = *state;
	char kid[32];

	begin(w, NULL);
	/* The last round is too young. */
	assert_int_equal(ask(w, "b"), PROVIDER_NO_KEY);
	pass(w, PROVIDER_INTERVAL_MIN_MS - 1);
	assert_int_equal(ask(w, "b"), PROVIDER_NO_KEY);
	pass(w, 1);
	assert_int_equal(w->fetches, 2);
	for (int i = 0; i < 1000; i++) {
		snprintf(kid, sizeof(kid), "made-up-%d", i);
		assert_int_equal(ask(w, kid), PROVIDER_WAIT);
	}
	assert_int_equal(w->fetches, 3);
	/* Who names a known key does not wait. */
	assert_int_equal(ask(w, "a"), PROVIDER_KEY);
	answer_keys(w, KEYS(KEY("a") "," KEY("b")), NULL);
	assert_int_equal(ask(w, "b"), PROVIDER_KEY);
	for (int i = 0; i < 1000; i++) {
		snprintf(kid, sizeof(kid), "made-up-%d", i);
		assert_int_equal(ask(w, kid), PROVIDER_NO_KEY);
	}
	assert_int_equal(w->fetches, 3);
}

/* An hour of made-up kids, ten a second: never two rounds within the interval. */
static void test_storm(void **state)
{
	struct world *w = *state;
	unsigned fetches;
	char kid[32];

	begin(w, NULL);
	fetches = w->fetches;
	for (int i = 0; i < 36000; i++) {
		pass(w, 100);
		snprintf(kid, sizeof(kid), "made-up-%d", i);
		(void)ask(w, kid);
		if (w->url[0] != '\0')
			answer_keys(w, KEYS(KEY("a")), NULL);
	}
	assert_in_range(w->fetches - fetches, 100, 120);
}

/* An unknown kid cannot speed up the retries of a provider that is down. */
static void test_storm_while_down(void **state)
{
	struct world *w = *state;
	char kid[32];

	begin(w, NULL);
	for (int i = 0; i < 36000; i++) {
		pass(w, 100);
		snprintf(kid, sizeof(kid), "made-up-%d", i);
		(void)ask(w, kid);
		if (w->url[0] != '\0')
			answer_failure(w);
	}
	/* 1, 2, 4, … 256, 300, 300, … seconds, each less up to a half. */
	assert_in_range(w->fetches, 10, 40);
	assert_int_equal(ask(w, "a"), PROVIDER_KEY);
	assert_int_equal(ask(w, "b"), PROVIDER_DOWN);
}

static void test_down_from_the_start(void **state)
{
	struct world *w = *state;

	pass(w, 0);
	for (unsigned i = 1; i <= 20; i++) {
		int64_t most_ms = i <= 9 ? (int64_t)PROVIDER_RETRY_MIN_MS << (i - 1) : PROVIDER_RETRY_MAX_MS;
		int64_t wait_ms;

		if (most_ms > PROVIDER_RETRY_MAX_MS)
			most_ms = PROVIDER_RETRY_MAX_MS;
		answer_failure(w);
		assert_int_equal(ask(w, "a"), PROVIDER_DOWN);
		assert_int_equal(status_of(w).failures, i);
		assert_string_equal(status_of(w).error, "the discovery document: status 503");
		assert_false(status_of(w).is_usable);
		wait_ms = provider_next_ms(w->provider) - w->now_ms;
		assert_in_range(wait_ms, most_ms / 2, most_ms);
		pass(w, wait_ms - 1);
		assert_int_equal(w->fetches, i);
		pass(w, 1);
		assert_int_equal(w->fetches, i + 1);
		assert_int_equal(ask(w, "a"), PROVIDER_WAIT);
	}
	answer_discovery(w, DISCOVERY);
	answer_keys(w, KEYS(KEY("a")), NULL);
	assert_int_equal(ask(w, "a"), PROVIDER_KEY);
	assert_int_equal(status_of(w).failures, 0);
	assert_string_equal(status_of(w).error, "");
}

/* The provider fails for a day: the last good keys go on, and then they do not. */
static void test_stale_keys(void **state)
{
	struct world *w = *state;

	begin(w, NULL);
	while (w->now_ms < START_MS + PROVIDER_STALE_MAX_MS - PROVIDER_RETRY_MAX_MS) {
		pass(w, provider_next_ms(w->provider) - w->now_ms);
		assert_int_equal(ask(w, "a"), PROVIDER_KEY);
		answer_failure(w);
		assert_int_equal(ask(w, "a"), PROVIDER_KEY);
		assert_int_equal(ask(w, "b"), PROVIDER_DOWN);
	}
	w->now_ms = START_MS + PROVIDER_STALE_MAX_MS - 1;
	assert_int_equal(ask(w, "a"), PROVIDER_KEY);
	if (w->url[0] != '\0')
		answer_failure(w);
	w->now_ms = START_MS + PROVIDER_STALE_MAX_MS;
	assert_int_equal(ask(w, "a"), PROVIDER_DOWN);
	assert_false(status_of(w).is_usable);
	pass(w, provider_next_ms(w->provider) - w->now_ms);
	assert_int_equal(ask(w, "a"), PROVIDER_WAIT);
	answer_discovery(w, DISCOVERY);
	answer_keys(w, KEYS(KEY("a")), NULL);
	assert_int_equal(ask(w, "a"), PROVIDER_KEY);
}

/* After a failure the address of the keys is looked up again: it may have moved. */
static void test_keys_moved(void **state)
{
	struct world *w = *state;

	begin(w, NULL);
	pass(w, provider_next_ms(w->provider) - w->now_ms);
	answer_with(w, "https://keys/jwks", 404, "", NULL);
	assert_string_equal(status_of(w).error, "the keys: status 404");
	pass(w, provider_next_ms(w->provider) - w->now_ms);
	answer_discovery(w, "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://moved/\"}");
	answer_with(w, "https://moved/", 200, KEYS(KEY("b")), NULL);
	assert_int_equal(ask(w, "b"), PROVIDER_KEY);
	assert_int_equal(ask(w, "a"), PROVIDER_NO_KEY);
}

/* The discovery document is read anew once a day, also when nothing fails. */
static void test_daily_discovery(void **state)
{
	struct world *w = *state;
	unsigned discoveries = 0;

	begin(w, NULL);
	while (w->now_ms < START_MS + 2 * (int64_t)86400000) {
		pass(w, provider_next_ms(w->provider) - w->now_ms);
		if (strstr(w->url, "well-known")) {
			discoveries++;
			answer_discovery(w, DISCOVERY);
		}
		answer_keys(w, KEYS(KEY("a")), NULL);
	}
	assert_in_range(discoveries, 1, 2);
}

static void test_no_answer_in_time(void **state)
{
	struct world *w = *state;

	begin(w, NULL);
	pass(w, provider_next_ms(w->provider) - w->now_ms);
	assert_int_equal(provider_next_ms(w->provider), w->now_ms + PROVIDER_FETCH_TIMEOUT_MS);
	pass(w, PROVIDER_FETCH_TIMEOUT_MS - 1);
	assert_int_equal(w->cancelled, 0);
	pass(w, 1);
	assert_int_equal(w->cancelled, 1);
	assert_string_equal(status_of(w).error, "the keys: no answer in time");
	assert_int_equal(ask(w, "a"), PROVIDER_KEY);
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
	struct world *w = *state;

	begin(w, NULL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fetch_answer answer = {.status = rows[i].status, .body = rows[i].body};

		answer.len = strlen(rows[i].body);
		answer.words = rows[i].words;
		pass(w, provider_next_ms(w->provider) - w->now_ms);
		if (strstr(w->url, "well-known"))
			answer_discovery(w, DISCOVERY);
		w->url[0] = '\0';
		provider_fetched(w->provider, &answer, w->now_ms);
		assert_string_equal(status_of(w).error, rows[i].error);
		assert_int_equal(ask(w, "a"), PROVIDER_KEY);
		assert_int_equal(ask(w, "b"), PROVIDER_DOWN);
	}
}

static void test_fetch_cannot_start(void **state)
{
	struct world *w = *state;

	w->refuses_to_start = true;
	assert_int_equal(ask(w, "a"), PROVIDER_DOWN);
	assert_string_equal(status_of(w).error, "the discovery document: the fetch could not be started");
	w->refuses_to_start = false;
	pass(w, PROVIDER_RETRY_MIN_MS);
	w->refuses_to_start = true;
	answer_discovery(w, DISCOVERY);
	assert_string_equal(status_of(w).error, "the keys: the fetch could not be started");
	assert_int_equal(ask(w, "a"), PROVIDER_DOWN);
}

/* An answer that nobody waits for changes nothing. */
static void test_unasked_answer(void **state)
{
	struct fetch_answer answer = {.status = 200, .body = KEYS(KEY("b"))};
	struct world *w = *state;

	begin(w, NULL);
	answer.len = strlen(answer.body);
	provider_fetched(w->provider, &answer, w->now_ms);
	assert_int_equal(ask(w, "b"), PROVIDER_NO_KEY);
	assert_int_equal(ask(w, "a"), PROVIDER_KEY);
}

static void test_discovery_documents(void **state)
{
	static const char other[] = "it names another issuer than the configured one";
	static const char address[] = "its jwks_uri is not an https address";
	static const struct {
		const char *issuer, *document, *said; /* said NULL: any refusal */
	} rows[] = {
		{"https://i", "{\"issuer\":\"https://i\",\"jwks_uri\":\"https://k/?a=b\"}", ""},
		{"https://i", "{\"issuer\":\"https://i/\",\"jwks_uri\":\"https://k\"}", other},
		{"https://i/", "{\"issuer\":\"https://i\",\"jwks_uri\":\"https://k\"}", other},
		{"https://i", "{\"issuer\":\"https://evil\",\"jwks_uri\":\"https://k\"}", other},
		{"https://i", "{\"issuer\":[\"https://i\"],\"jwks_uri\":\"https://k\"}", other},
		{"https://i", "{\"jwks_uri\":\"https://k\"}", other},
		{"https://i", "[]", other},
		{"https://i", "{\"issuer\":\"https://i\"}", "it has no jwks_uri"},
		{"https://i", "{\"issuer\":\"https://i\",\"jwks_uri\":1}", "it has no jwks_uri"},
		{"https://i", "{\"issuer\":\"https://i\",\"jwks_uri\":\"http://k\"}", address},
		{"https://i", "{\"issuer\":\"https://i\",\"jwks_uri\":\"http://127.0.0.1/k\"}", address},
		{"https://i", "{\"issuer\":\"https://i\",\"jwks_uri\":\"file:///etc/passwd\"}", address},
		{"https://i", "{\"issuer\":\"https://i\",\"jwks_uri\":\"https://u:p@k\"}", address},
		{"http://[::1]:1", "{\"issuer\":\"http://[::1]:1\",\"jwks_uri\":\"http://127.0.0.1/k\"}", ""},
		{"http://[::1]:1", "{\"issuer\":\"http://[::1]:1\",\"jwks_uri\":\"http://10.0.0.1/k\"}",
		 address},
		{"https://i",
		 "{\"issuer\":\"https://i\",\"issuer\":\"https://i\",\"jwks_uri\":\"https://k\"}", NULL},
		{"https://i", "<html>", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct errctx ec = {.text = ""};
		char *uri = NULL;
		enum err err = discovery_parse(rows[i].document, strlen(rows[i].document), rows[i].issuer,
					       &uri, &ec);

		if ((err == ERR_OK) != (uri != NULL) ||
		    (rows[i].said && strcmp(ec.text, rows[i].said) != 0) ||
		    (err == ERR_OK) != (ec.text[0] == '\0'))
			fail_msg("%s: %s", rows[i].document, ec.text);
		free(uri);
	}
}

static void test_addresses(void **state)
{
	static const struct {
		const char *url;
		bool valid, valid_with_loopback;
	} rows[] = {
		{"https://issuer", true, true},
		{"https://issuer:8443/a/b?c=d", true, true},
		{"https://[2001:db8::1]:443/", true, true},
		{"https://issuer:", false, false},
		{"https://issuer:1x", false, false},
		{"https://issuer:123456", false, false},
		{"https://", false, false},
		{"https:///path", false, false},
		{"https://?a", false, false},
		{"https://:80", false, false},
		{"https://user@issuer", false, false},
		{"https://user:word@issuer", false, false},
		{"https://issuer/#part", false, false},
		{"https://issuer/a b", false, false},
		{"https://issuer/\xC3\xA9", false, false},
		{"https://issuer/\x7F", false, false},
		{"https://issuer\\evil", false, false},
		{"HTTPS://issuer", false, false},
		{"ftp://issuer", false, false},
		{"issuer", false, false},
		{"", false, false},
		{"http://issuer", false, false},
		{"http://localhost", false, true},
		{"http://localhost:80/a", false, true},
		{"http://localhost.evil", false, false},
		{"http://127.0.0.1", false, true},
		{"http://127.255.0.1:1", false, true},
		{"http://127.0.0.1.evil", false, false},
		{"http://127.0.0.", false, false},
		{"http://127..0.1", false, false},
		{"http://127.1", false, false},
		{"http://128.0.0.1", false, false},
		{"http://[::1]/", false, true},
		{"http://[::1]:80", false, true},
		{"http://[::1", false, false},
		{"http://[::2]", false, false},
		{"http://localhost@evil", false, false},
		{"http://127.0.0.1:80@evil", false, false},
	};
	char long_url[DISCOVERY_URL_MAX + 2];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (discovery_url_valid(rows[i].url, false) != rows[i].valid ||
		    discovery_url_valid(rows[i].url, true) != rows[i].valid_with_loopback)
			fail_msg("%s", rows[i].url);
	snprintf(long_url, sizeof(long_url), "https://%01017d", 0);
	assert_false(discovery_url_valid(long_url, true));
	long_url[DISCOVERY_URL_MAX] = '\0';
	assert_true(discovery_url_valid(long_url, true));
	assert_true(discovery_issuer_valid("https://issuer/tenant"));
	assert_true(discovery_issuer_valid("http://localhost:1"));
	assert_false(discovery_issuer_valid("https://issuer/tenant?a"));
	assert_false(discovery_issuer_valid("http://issuer"));
}

static void test_discovery_address(void **state)
{
	static const struct {
		const char *issuer, *address;
	} rows[] = {
		{"https://i", "https://i/.well-known/openid-configuration"},
		{"https://i/", "https://i/.well-known/openid-configuration"},
		{"https://i/a/v2.0", "https://i/a/v2.0/.well-known/openid-configuration"},
		{"https://i/a/", "https://i/a/.well-known/openid-configuration"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *address = discovery_address(rows[i].issuer);

		assert_string_equal(address, rows[i].address);
		free(address);
	}
}

static void test_max_age(void **state)
{
	static const struct {
		const char *header;
		int64_t ms;
	} rows[] = {
		{NULL, 7},
		{"", 7},
		{",, ,", 7},
		{"public", 7},
		{"max-age=60", 60000},
		{"MAX-AGE=60", 60000},
		{"max-age=\"60\"", 60000},
		{"public,max-age=60", 60000},
		{"max-age=0", 0},
		{"max-age=", 0},
		{"max-age=x", 0},
		{"max-age", 7},
		{"s-maxage=60", 7},
		{"x-max-age=60", 7},
		{"max-age=60, no-cache", 0},
		{"No-Store", 0},
		{"no-cache=\"set-cookie\"", 0},
		{"max-age=99999999999999999999999", 1000000000000},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (max_age_ms(rows[i].header, 7) != rows[i].ms)
			fail_msg("%s", rows[i].header);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_first_round),
		TEST(test_asked_before_the_first_tick),
		TEST(test_freed_while_fetching),
		TEST(test_refresh_times),
		TEST(test_withdrawn_key),
		TEST(test_overslept),
		TEST(test_unknown_kids),
		TEST(test_storm),
		TEST(test_storm_while_down),
		TEST(test_down_from_the_start),
		TEST(test_stale_keys),
		TEST(test_keys_moved),
		TEST(test_daily_discovery),
		TEST(test_no_answer_in_time),
		TEST(test_bad_answers),
		TEST(test_fetch_cannot_start),
		TEST(test_unasked_answer),
		cmocka_unit_test(test_discovery_documents),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_discovery_address),
		cmocka_unit_test(test_max_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
