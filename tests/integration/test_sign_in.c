/*
 * Sign-in against a real OpenID provider over HTTP: each algorithm, rotation while running, the provider down, tokens
 * that are wrong. The clock by which sign-in counts stands still but for when it is put forward, and a fetch may take
 * as long as it takes: on a busy machine the same things happen, later.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "broker/issuers.h"
#include "sign-in/signin.h"
#include "tests/support/oidc_provider.h"
#include "tests/support/tokens.h"
#include "tests/support/wait.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define WAIT_MS     60000
#define TOO_EARLY   "The token's key is not known, and the provider was asked a moment ago."
#define NOT_KNOWN   "The token's key is not known."

struct desk {
	uv_loop_t loop;
	struct http_client *http;
	struct fetch_source source;
	struct fetcher by_http;
	struct oidc_provider provider;
	struct signin *signin;
	int64_t opened_ms, ahead_ms; /* how far the clock was put forward */
	unsigned answers;
	enum err err;
	char text[256], subject[64], user[64], group[64], client[64];
};

static int64_t mono_ahead(void *ctx)
{
	const struct desk *d = ctx;

	return d->opened_ms + d->ahead_ms;
}

static int64_t wall_ahead(void *ctx)
{
	const struct desk *d = ctx;

	return clock_wall_ms() + d->ahead_ms;
}

/* The provider's tests have the time limit of a fetch; here it would measure the machine. */
static void *start_patiently(void *ctx, const struct fetch_order *order)
{
	const struct desk *d = ctx;
	struct fetch_order patient = *order;

	patient.timeout_ms = WAIT_MS;
	return d->by_http.start(d->by_http.ctx, &patient);
}

static void cancel_fetch(void *ctx, void *fetch)
{
	const struct desk *d = ctx;

	d->by_http.cancel(d->by_http.ctx, fetch);
}

static int open_desk(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));
	struct signin_issuer issuer = {.audience = OIDC_AUDIENCE};
	struct signin_options options = {.issuers = &issuer, .issuer_count = 1};

	*state = d;
	if (d == NULL || uv_loop_init(&d->loop) != 0 || !oidc_provider_start(&d->provider))
		return -1;
	if (http_client_new(&d->loop, &d->http, NULL) != ERR_OK)
		return -1;
	d->source = (struct fetch_source){.http = d->http, .ca_file = ""};
	d->by_http = fetch_by_http(&d->source);
	d->opened_ms = clock_mono_ms();
	issuer.issuer = d->provider.issuer;
	options.loop = &d->loop;
	options.fetcher = (struct fetcher){start_patiently, cancel_fetch, d};
	options.clock = (struct signin_clock){mono_ahead, wall_ahead, d};
	return signin_new(&options, &d->signin, NULL) == ERR_OK ? 0 : -1;
}

static int close_desk(void **state)
{
	struct desk *d = *state;

	signin_free(d->signin);
	http_client_free(d->http);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&d->loop), 0);
	oidc_provider_end(&d->provider);
	free(d);
	return 0;
}

static void on_done(void *ctx, enum err err, const struct identity *who, const struct errctx *ec)
{
	struct desk *d = ctx;

	d->answers++;
	d->err = err;
	snprintf(d->text, sizeof(d->text), "%s", err ? ec->text : "");
	snprintf(d->subject, sizeof(d->subject), "%s", who ? who->subject : "");
	snprintf(d->user, sizeof(d->user), "%s", who ? who->user_name : "");
	snprintf(d->client, sizeof(d->client), "%s", who ? who->client_id : "");
	snprintf(d->group, sizeof(d->group), "%s", who && who->groups.count == 1 ? who->groups.texts[0] : "");
}

static bool is_answered(void *ctx)
{
	const struct desk *d = ctx;

	return d->answers > 0;
}

/* Signs in and runs the loop until the answer is there: "" or the sentence. */
static const char *verify(struct desk *d, const char *token)
{
	d->answers = 0;
	signin_verify(d->signin, token, on_done, d);
	assert_true(wait_in_loop(&d->loop, is_answered, d, WAIT_MS));
	assert_int_equal(d->answers, 1);
	return d->text;
}

static char *token_of(struct desk *d, const char *wanted)
{
	char *token = NULL;

	assert_true(oidc_provider_token(&d->provider, wanted, &token));
	return token;
}

static const char *verify_new(struct desk *d, const char *wanted)
{
	char *token = token_of(d, wanted);
	const char *said = verify(d, token);

	free(token);
	return said;
}

static void put_forward(struct desk *d, int64_t ms)
{
	d->ahead_ms += ms;
	signin_tick(d->signin);
}

struct failing {
	const struct desk *desk;
	unsigned failures;
};

static bool has_failed(void *ctx)
{
	const struct failing *wanted = ctx;
	struct provider_status status;

	signin_issuer_status(wanted->desk->signin, 0, &status);
	return status.failures == wanted->failures;
}

/* Lets the loop run until so many rounds have failed, one after another. */
static void settle(struct desk *d, unsigned failures)
{
	struct failing wanted = {d, failures};

	assert_true(wait_in_loop(&d->loop, has_failed, &wanted, WAIT_MS));
}

static void test_each_algorithm(void **state)
{
	static const char *const algorithms[] = {"RS256", "PS256", "ES256", "EdDSA"};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNT(algorithms); i++) {
		char wanted[64];

		snprintf(wanted, sizeof(wanted), "{\"alg\":\"%s\",\"sub\":\"%s\"}", algorithms[i],
			 algorithms[i]);
		assert_string_equal(verify_new(d, wanted), "");
		assert_string_equal(d->subject, algorithms[i]);
		assert_string_equal(d->user, "amira@example.com");
		assert_string_equal(d->group, "cloud");
		assert_string_equal(d->client, "jobs");
	}
	assert_int_equal(oidc_provider_key_fetches(&d->provider), 1);
	assert_int_equal(signin_remembered(d->signin), COUNT(algorithms));
}

static void test_client_credentials(void **state)
{
	struct desk *d = *state;
	char *token = NULL;

	assert_true(oidc_provider_client_token(&d->provider, &token));
	assert_string_equal(verify(d, token), "");
	assert_string_equal(d->client, "jobs");
	assert_string_equal(d->group, "timers");
	assert_string_equal(d->user, "");
	free(token);
}

/* New keys are found by the first token that names one; old ones go when the provider lets them go. */
static void test_rotation(void **state)
{
	struct desk *d = *state;
	char *old = token_of(d, "{\"ttl\":86400}");
	char *new;

	assert_string_equal(verify(d, old), "");
	assert_true(oidc_provider_rotate(&d->provider, true));
	new = token_of(d, "{\"ttl\":86400}");
	assert_string_equal(verify(d, new), TOO_EARLY);
	put_forward(d, PROVIDER_INTERVAL_MIN_MS);
	assert_string_equal(verify(d, new), "");
	assert_string_equal(verify(d, old), "");
	assert_true(oidc_provider_rotate(&d->provider, false));
	assert_string_equal(verify(d, old), "");
	put_forward(d, PROVIDER_AGE_MAX_MS);
	assert_string_equal(verify(d, old), NOT_KNOWN);
	assert_string_equal(verify(d, new), TOO_EARLY);
	assert_string_equal(verify_new(d, "{}"),
			    "The token has expired."); /* the clock is ahead of the provider's */
	assert_string_equal(verify_new(d, "{\"ttl\":86400}"), "");
	free(old);
	free(new);
}

static void test_no_storm(void **state)
{
	struct desk *d = *state;
	EVP_PKEY *key = tokens_ec("P-256");
	char claims[256], header[64];

	assert_string_equal(verify_new(d, "{}"), "");
	put_forward(d, PROVIDER_INTERVAL_MIN_MS);
	snprintf(claims, sizeof(claims),
		 "{\"iss\":\"%s\",\"sub\":\"a\",\"aud\":\"" OIDC_AUDIENCE "\",\"exp\":%lld}",
		 d->provider.issuer, (long long)(wall_ahead(d) / 1000 + 600));
	for (int i = 0; i < 300; i++) {
		struct buf token;

		snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"made-up-%d\"}", i);
		buf_init(&token, TOKENS_MAX);
		tokens_sign(&token, header, claims, key, SIGN_ES256);
		assert_string_equal(verify(d, buf_text(&token)), i == 0 ? NOT_KNOWN : TOO_EARLY);
		buf_release(&token);
	}
	assert_int_equal(oidc_provider_key_fetches(&d->provider), 2);
	EVP_PKEY_free(key);
}

static void test_down_and_back(void **state)
{
	struct desk *d = *state;
	char *token = token_of(d, "{\"ttl\":86400}"),
	     *other = token_of(d, "{\"alg\":\"RS256\",\"ttl\":86400}");

	assert_string_equal(verify(d, token), "");
	assert_true(oidc_provider_set_down(&d->provider, true));
	put_forward(d, PROVIDER_AGE_MAX_MS);
	settle(d, 1);
	/* Tokens seen before and tokens never seen, with the last good keys. */
	assert_string_equal(verify(d, token), "");
	assert_string_equal(verify(d, other), "");
	put_forward(d, PROVIDER_STALE_MAX_MS - PROVIDER_AGE_MAX_MS - 3600000);
	assert_string_equal(verify(d, other), "");
	settle(d, 2);
	assert_true(oidc_provider_rotate(&d->provider, false));
	assert_true(oidc_provider_set_down(&d->provider, false));
	put_forward(d, PROVIDER_RETRY_MAX_MS);
	assert_string_equal(verify_new(d, "{\"ttl\":172800}"), "");
	assert_string_equal(verify(d, other), TOO_EARLY);
	free(token);
	free(other);
}

static void test_gone(void **state)
{
	struct desk *d = *state;
	char *token = token_of(d, "{}");

	proc_kill9(&d->provider.proc);
	assert_string_equal(verify(d, token), "The sign-in provider cannot be reached.");
	assert_int_equal(d->err, ERR_UNAVAILABLE);
	free(token);
}

static void test_wrong_tokens(void **state)
{
	struct desk *d = *state;
	char *token = token_of(d, "{\"alg\":\"EdDSA\"}");
	size_t len = strlen(token);
	char longer[4096];

	assert_string_equal(verify_new(d, "{\"audience\":\"api://other\"}"),
			    "The token is meant for another audience.");
	snprintf(longer, sizeof(longer), "%s=", token);
	assert_string_equal(verify(d, longer), "The token is not canonical base64url.");
	snprintf(longer, sizeof(longer), "%s.e30", token);
	assert_string_equal(verify(d, longer), "The token does not have three parts.");
	token[len - 1] = (char)(token[len - 1] + 1); /* A, Q, g, w are canonical; B, R, h, x are not */
	assert_string_equal(verify(d, token), "The token is not canonical base64url.");
	token[len - 1] = (char)(token[len - 1] - 1);
	token[len - 10] = token[len - 10] == 'A' ? 'B' : 'A';
	assert_string_equal(verify(d, token), "The token's signature is wrong.");
	free(token);
	token = token_of(d, "{\"ttl\":1}");
	assert_string_equal(verify(d, token), "");
	put_forward(d, 1000 + SIGNIN_SKEW_MS);
	assert_string_equal(verify(d, token), "The token has expired.");
	free(token);
}

/* Another issuer with keys of the same names, and whoever claims to be this one. */
static void test_other_issuer(void **state)
{
	struct desk *d = *state;
	EVP_PKEY *key = tokens_ec("P-256");
	struct oidc_provider other;
	struct buf forged;
	char claims[256];
	char *token = NULL;

	assert_true(oidc_provider_start(&other));
	assert_true(oidc_provider_token(&other, "{}", &token));
	assert_string_equal(verify(d, token), "The token's issuer is not accepted here.");
	snprintf(claims, sizeof(claims),
		 "{\"iss\":\"%s\",\"sub\":\"a\",\"aud\":\"" OIDC_AUDIENCE "\",\"exp\":%lld}",
		 d->provider.issuer, (long long)(clock_wall_ms() / 1000 + 600));
	buf_init(&forged, TOKENS_MAX);
	tokens_sign(&forged, "{\"alg\":\"ES256\",\"kid\":\"ES256-1\"}", claims, key, SIGN_ES256);
	assert_string_equal(verify(d, buf_text(&forged)), "The token's signature is wrong.");
	buf_clear(&forged);
	tokens_sign(&forged, "{\"alg\":\"ES256\",\"kid\":\"RS256-1\"}", claims, key, SIGN_ES256);
	assert_string_equal(verify(d, buf_text(&forged)), "The token's algorithm does not fit its key.");
	free(token);
	buf_release(&forged);
	EVP_PKEY_free(key);
	oidc_provider_end(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_algorithm), TEST(test_client_credentials), TEST(test_rotation),
		TEST(test_no_storm),       TEST(test_down_and_back),      TEST(test_gone),
		TEST(test_wrong_tokens),   TEST(test_other_issuer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
