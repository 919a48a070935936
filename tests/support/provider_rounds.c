#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/provider_rounds.h"

static void *start(void *ctx, const struct fetch_order *order)
{
	struct rounds *r = ctx;

	/* One at a time, with bounds. */
	assert_string_equal(r->url, "");
	assert_true(order->max_bytes > 0 && order->timeout_ms > 0);
	if (r->refuses_to_start)
		return NULL;
	snprintf(r->url, sizeof(r->url), "%s", order->url);
	r->fetches++;
	return r;
}

static void cancel(void *ctx, void *fetch)
{
	struct rounds *r = ctx;

	assert_ptr_equal(fetch, r);
	assert_string_not_equal(r->url, "");
	r->url[0] = '\0';
	r->cancelled++;
}

/* The provider's owner hands on the answer itself. */
static void never_called(void *ctx, const struct fetch_answer *answer)
{
	(void)ctx;
	(void)answer;
	fail();
}

int rounds_set_up(void **state)
{
	struct rounds *r = calloc(1, sizeof(*r));
	struct provider_options options = {.issuer = ISSUER, .on_answer = never_called};

	if (r == NULL)
		return -1;
	options.fetcher = (struct fetcher){start, cancel, r};
	r->now_ms = START_MS;
	r->provider = provider_new(&options);
	*state = r;
	return r->provider ? 0 : -1;
}

int rounds_tear_down(void **state)
{
	struct rounds *r = *state;

	provider_free(r->provider);
	/* What was under way was given up. */
	assert_string_equal(r->url, "");
	free(r);
	return 0;
}

void rounds_answer_with(struct rounds *r, const char *url, int status, const char *body,
			const char *cache_control)
{
	struct fetch_answer answer = {.status = status, .body = body, .cache_control = cache_control};

	answer.len = strlen(body);
	assert_string_equal(r->url, url);
	r->url[0] = '\0';
	provider_fetched(r->provider, &answer, r->now_ms);
}

void rounds_answer_discovery(struct rounds *r, const char *body)
{
	rounds_answer_with(r, ISSUER "/.well-known/openid-configuration", 200, body, NULL);
}

void rounds_answer_keys(struct rounds *r, const char *body, const char *cache_control)
{
	rounds_answer_with(r, "https://keys/jwks", 200, body, cache_control);
}

/* The answer to whatever is asked, and no good one. */
void rounds_answer_failure(struct rounds *r)
{
	char url[256];

	memcpy(url, r->url, sizeof(url));
	rounds_answer_with(r, url, 503, "", NULL);
}

void rounds_pass(struct rounds *r, int64_t ms)
{
	r->now_ms += ms;
	provider_tick(r->provider, r->now_ms);
}

static enum provider_verdict ask(struct rounds *r, const char *kid, unsigned before)
{
	const struct jwks_key *key = NULL;
	enum provider_verdict verdict = provider_key(r->provider, kid, before, r->now_ms, &key);

	assert_int_equal(verdict == PROVIDER_KEY, key != NULL);
	if (key)
		assert_string_equal(key->kid, kid);
	return verdict;
}

enum provider_verdict rounds_ask(struct rounds *r, const char *kid)
{
	return ask(r, kid, provider_rounds(r->provider));
}

enum provider_verdict rounds_ask_again(struct rounds *r, const char *kid)
{
	return ask(r, kid, provider_rounds(r->provider) - 1);
}

/* The first round, with a key named "a". */
void rounds_begin(struct rounds *r, const char *cache_control)
{
	rounds_pass(r, 0);
	rounds_answer_discovery(r, DISCOVERY);
	rounds_answer_keys(r, KEYS(KEY("a")), cache_control);
	assert_int_equal(r->fetches, 2);
	assert_int_equal(rounds_ask(r, "a"), PROVIDER_KEY);
}

/* The round that comes by itself. */
void rounds_next_round(struct rounds *r, const char *keys)
{
	rounds_pass(r, provider_next_ms(r->provider) - r->now_ms);
	rounds_answer_keys(r, keys, NULL);
}

struct provider_status rounds_status(struct rounds *r)
{
	struct provider_status status;

	provider_status(r->provider, r->now_ms, &status);
	return status;
}
