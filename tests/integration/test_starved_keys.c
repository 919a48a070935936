/*
 * The keys of a real OpenID provider are fetched, and a token is verified with them, while memory runs out: nobody is let in
 * or kept out for longer than memory is short.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "broker/issuers.h"
#include "sign-in/signin.h"
#include "tests/support/oidc_provider.h"
#include "tests/support/starve.h"
#include "tests/support/wait.h"

#define WAIT_MS         60000
#define PATIENCE_MS     300
#define ALLOCATIONS_MAX 20000
#define REST_EACH       8 /* of so many allocations one is followed by no other */
#define FETCHED                                                                                              \
	600 /* so many until the documents are there; those of reading them test_starved_inputs fails ... */
#define EACH 17 /* ... one by one, and this one in so many */

struct desk {
	uv_loop_t loop;
	struct http_client *http;
	struct fetch_source source;
	struct fetcher by_http;
	struct oidc_provider provider;
	struct signin *signin;
	char *token;
	int64_t opened_ms, ahead_ms; /* how far the clock was put forward */
	size_t answers;
	enum err err;
	char text[256];
};

static int64_t mono_ahead(void *ctx)
{
	const struct desk *d = ctx;

	return clock_mono_ms() + d->ahead_ms;
}

static int64_t wall_now(void *ctx)
{
	(void)ctx;
	return clock_wall_ms();
}

static int start_provider(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));

	*state = d;
	return d != NULL && oidc_provider_start(&d->provider) &&
			       oidc_provider_token(&d->provider, "{\"sub\":\"amira\"}", &d->token)
		       ? 0
		       : -1;
}

static int end_provider(void **state)
{
	struct desk *d = *state;

	oidc_provider_end(&d->provider);
	free(d->token);
	free(d);
	return 0;
}

/* What is there of it is closed by close_desk(), also when this is false. */
static bool open_desk(struct desk *d)
{
	struct signin_issuer issuer = {.issuer = d->provider.issuer, .audience = OIDC_AUDIENCE};
	struct signin_options options = {.issuers = &issuer, .issuer_count = 1, .loop = &d->loop};

	d->ahead_ms = 0;
	if (http_client_new(&d->loop, &d->http, NULL) != ERR_OK)
		return false;
	d->source = (struct fetch_source){.http = d->http, .ca_file = ""};
	options.fetcher = fetch_by_http(&d->source);
	options.clock = (struct signin_clock){mono_ahead, wall_now, d};
	return signin_new(&options, &d->signin, NULL) == ERR_OK;
}

static void close_desk(struct desk *d)
{
	signin_free(d->signin);
	http_client_free(d->http);
	d->signin = NULL;
	d->http = NULL;
	uv_run(&d->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&d->loop), 0);
}

static void on_done(void *ctx, enum err err, const struct identity *who, const struct errctx *ec)
{
	struct desk *d = ctx;

	d->answers++;
	d->err = err;
	if (err == ERR_OK)
		assert_string_equal(who->subject, "amira");
	snprintf(d->text, sizeof(d->text), "%s", err ? ec->text : "");
}

static bool is_answered(void *ctx)
{
	const struct desk *d = ctx;

	return d->answers > 0;
}

static void put_forward(struct desk *d, int64_t ms)
{
	d->ahead_ms += ms;
	signin_tick(d->signin);
}

/* What goes on without memory for a socket's watch ends when its time is over, which is put forward. */
static enum err verify(struct desk *d)
{
	d->answers = 0;
	signin_verify(d->signin, d->token, on_done, d);
	if (!wait_in_loop(&d->loop, is_answered, d, PATIENCE_MS) && starve_failed() > 0)
		put_forward(d, SIGNIN_WAIT_MS);
	assert_true(wait_in_loop(&d->loop, is_answered, d, WAIT_MS));
	assert_int_equal(d->answers, 1);
	return d->err;
}

/* False when there is no n-th allocation. */
static bool sign_in_without(struct desk *d, long n, enum starve_how how)
{
	enum err err = ERR_NOMEM;
	bool is_open;
	long failed;

	assert_int_equal(uv_loop_init(&d->loop), 0);
	starve_from(n, how);
	is_open = open_desk(d);
	if (is_open)
		err = verify(d);
	failed = starve_end();
	/* OpenSSL does not always tell want of memory from a key or a signature that is wrong. */
	if (err != ERR_OK &&
	    (failed == 0 || (err != ERR_NOMEM && err != ERR_UNAVAILABLE && err != ERR_UNAUTHENTICATED)))
		fail_msg("without allocation %ld: %s", n, d->text);
	/* The first time may end what was under way without memory; the next round is made with enough. */
	for (int i = 0; is_open && err != ERR_OK; i++) {
		if (i == 2)
			fail_msg("again after allocation %ld: %s", n, d->text);
		put_forward(d, PROVIDER_RETRY_MAX_MS);
		err = verify(d);
	}
	close_desk(d);
	return failed > 0;
}

static void keys_are_fetched(void **state)
{
	struct desk *d = *state;
	long n = 1;

	for (; sign_in_without(d, n, STARVE_ONE); n += n < FETCHED ? 1 : EACH) {
		if (n % REST_EACH == 0)
			sign_in_without(d, n, STARVE_REST);
		assert_true(n < ALLOCATIONS_MAX);
	}
	print_message("the keys and the first token: %ld allocations\n", n - 1);
	assert_true(n > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_are_fetched, start_provider, end_provider),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
