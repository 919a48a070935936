/* Sign-in as a whole: issuers, remembered tokens, keys that come and go, configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "api/health_sign_in.h"
#include "tests/support/signin_scene.h"
#include "tests/support/wait.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void test_two_issuers(void **state)
{
	struct signin_scene *s = *state;
	struct provider_status status;

	signin_scene_pass(s, 0);
	assert_string_equal(signin_scene_verify_made(s, ONE, "k", s->first), "");
	assert_string_equal(s->said.subject, "amira");
	assert_string_equal(s->said.groups, "a;b;");
	assert_string_equal(signin_scene_verify_made(s, TWO, "k", s->second), "");
	assert_string_equal(s->said.groups, "r;");
	/* The other issuer's key of the same name. */
	assert_string_equal(signin_scene_verify_made(s, ONE, "k", s->second),
			    "The token's algorithm does not fit its key.");
	assert_string_equal(signin_scene_verify_made(s, TWO, "k", s->first),
			    "The token's algorithm is not accepted.");
	assert_int_equal(s->said.err, ERR_UNAUTHENTICATED);
	assert_string_equal(signin_scene_verify_made(s, "https://three", "k", s->first),
			    "The token's issuer is not accepted here.");
	assert_string_equal(signin_scene_verify_made(s, ONE, "n", s->first), TOO_EARLY);
	assert_int_equal(signin_issuer_count(s->signin), 2);
	assert_string_equal(signin_issuer_status(s->signin, 1, &status), TWO);
	assert_true(status.is_usable);
	assert_int_equal(status.keys, 1);
}

/* What operators hear of a provider: before its keys have come, while they are fresh, when they cannot be fetched again, and when
 * they are too old. */
static void test_troubles(void **state)
{
	struct signin_scene *s = *state;
	char text[HEALTH_SIGN_IN_MAX];

	assert_true(health_sign_in_trouble(s->signin, 0, text));
	assert_string_equal(text, "Nobody can sign in with " ONE ": its keys are not known yet.");
	signin_scene_pass(s, 0);
	assert_false(health_sign_in_trouble(s->signin, 0, text));
	s->peers[0].is_down = true;
	signin_scene_pass(s, PROVIDER_AGE_MAX_MS);
	assert_true(health_sign_in_trouble(s->signin, 0, text));
	assert_non_null(strstr(text, "Sign-in with " ONE " goes by keys that are "));
	assert_false(health_sign_in_trouble(s->signin, 1, text));
	signin_scene_pass(s, PROVIDER_STALE_MAX_MS);
	assert_true(health_sign_in_trouble(s->signin, 0, text));
	assert_non_null(strstr(text, "Nobody can sign in with " ONE ": "));
}

/* A key that its provider publishes for one algorithm verifies no other that its type could. */
static void test_key_of_one_algorithm(void **state)
{
	struct signin_scene *s = *state;
	struct buf keys;

	buf_init(&keys, TOKENS_MAX);
	buf_adds(&keys, "{\"keys\":[");
	tokens_jwk(&keys, s->first, "k", ",\"alg\":\"PS256\"");
	buf_adds(&keys, "]}");
	s->peers[0].keys = buf_text(&keys);
	signin_scene_pass(s, 0);
	assert_string_equal(signin_scene_verify_made(s, ONE, "k", s->first),
			    "The token's algorithm does not fit its key.");
	buf_release(&keys);
}

/* Texts that are no tokens, and what is said of them holds nothing of theirs. */
static void test_garbage(void **state)
{
	static const char *const rows[] = {"", "secret", "secret.secret.secret", "a b c", "\xFF\xFE.x.y"};
	struct signin_scene *s = *state;
	char *large = malloc(100001);
	struct buf text;

	signin_scene_pass(s, 0);
	buf_init(&text, TOKENS_MAX);
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_clear(&text);
		buf_adds(&text, rows[i]);
		assert_string_not_equal(signin_scene_verify(s, &text), "");
		assert_int_equal(s->said.err, ERR_UNAUTHENTICATED);
		assert_null(strstr(s->said.text, "secret"));
	}
	assert_non_null(large);
	memset(large, 'a', 100000);
	buf_clear(&text);
	buf_add(&text, large, 100000);
	assert_string_equal(signin_scene_verify(s, &text), "The token is too long.");
	buf_release(&text);
	free(large);
}

/* The same identity a second time: neither the signature nor the claims were looked at again. */
static void test_remembered(void **state)
{
	struct signin_scene *s = *state;
	struct buf token = signin_scene_token(ONE, "k", s->first, 100);
	const struct identity *first;

	signin_scene_pass(s, 0);
	assert_int_equal(signin_remembered(s->signin), 0);
	assert_string_equal(signin_scene_verify(s, &token), "");
	assert_int_equal(signin_remembered(s->signin), 1);
	first = s->said.identity;
	assert_string_equal(signin_scene_verify(s, &token), "");
	assert_ptr_equal(s->said.identity, first);
	assert_string_equal(s->said.groups, "a;b;");
	assert_int_equal(signin_remembered(s->signin), 1);
	/* Its end, with the tolerance of 60 s. */
	s->passed_ms = 159999;
	assert_string_equal(signin_scene_verify(s, &token), "");
	s->passed_ms = 160000;
	assert_string_equal(signin_scene_verify(s, &token), "The token has expired.");
	assert_int_equal(signin_remembered(s->signin), 0);
	buf_release(&token);
}

static void test_swept(void **state)
{
	struct signin_scene *s = *state;
	struct buf token = signin_scene_token(ONE, "k", s->first, 10);

	signin_scene_pass(s, 0);
	assert_string_equal(signin_scene_verify(s, &token), "");
	signin_scene_pass(s, 60000);
	assert_int_equal(signin_remembered(s->signin), 1);
	signin_scene_pass(s, 60000);
	assert_int_equal(signin_remembered(s->signin), 0);
	buf_release(&token);
}

/* Bad tokens are not remembered. */
static void test_refused_is_not_remembered(void **state)
{
	struct signin_scene *s = *state;

	signin_scene_pass(s, 0);
	assert_string_not_equal(signin_scene_verify_made(s, ONE, "k", s->second), "");
	assert_int_equal(signin_remembered(s->signin), 0);
}

static void test_withdrawn_key(void **state)
{
	struct signin_scene *s = *state;
	struct buf token = signin_scene_token(ONE, "k", s->first, 86400);

	signin_scene_pass(s, 0);
	assert_string_equal(signin_scene_verify(s, &token), "");
	s->peers[0].keys = buf_text(&s->keys_other);
	assert_string_equal(signin_scene_verify(s, &token), "");
	signin_scene_pass(s, PROVIDER_AGE_MAX_MS);
	assert_string_equal(signin_scene_verify(s, &token), TOO_EARLY);
	assert_int_equal(signin_remembered(s->signin), 0);
	assert_string_equal(signin_scene_verify_made(s, ONE, "n", s->second), "");
	buf_release(&token);
}

/* The provider gives the kid to another key: what the old one signed is remembered no more. */
static void test_replaced_key(void **state)
{
	struct signin_scene *s = *state;
	struct buf token = signin_scene_token(ONE, "k", s->first, 86400);

	signin_scene_pass(s, 0);
	assert_string_equal(signin_scene_verify(s, &token), "");
	s->peers[0].keys = buf_text(&s->keys_two);
	signin_scene_pass(s, PROVIDER_AGE_MAX_MS);
	assert_string_equal(signin_scene_verify(s, &token), "The token's algorithm does not fit its key.");
	assert_string_equal(signin_scene_verify_made(s, ONE, "k", s->second), "");
	buf_release(&token);
}

/* A new key is found as soon as somebody brings a token of it. */
static void test_rotation(void **state)
{
	struct signin_scene *s = *state;
	struct buf token = signin_scene_token(ONE, "n", s->second, 86400);

	signin_scene_pass(s, 0);
	s->peers[0].keys = buf_text(&s->keys_other);
	signin_scene_pass(s, 1);
	assert_string_equal(signin_scene_verify(s, &token), TOO_EARLY);
	assert_int_equal(s->said.err, ERR_UNAVAILABLE);
	assert_int_equal(signin_again_ms(s->signin), PROVIDER_INTERVAL_MIN_MS - 1);
	/* Others' tokens are as good as before. */
	assert_string_equal(signin_scene_verify_made(s, ONE, "k", s->first), "");
	signin_scene_pass(s, PROVIDER_INTERVAL_MIN_MS - 1);
	signin_verify(s->signin, buf_text(&token), signin_scene_done, &s->said);
	assert_int_equal(signin_waiting(s->signin), 1);
	signin_scene_pass(s, 0);
	assert_int_equal(signin_waiting(s->signin), 0);
	assert_int_equal(s->said.err, ERR_OK);
	assert_int_equal(signin_again_ms(s->signin), 0);
	buf_release(&token);
}

/* Once the provider has been asked, what it does not know is refused; who comes after that is told when to come again. */
static void test_made_up_key(void **state)
{
	struct signin_scene *s = *state;
	struct buf token = signin_scene_token(ONE, "n", s->second, 86400);
	unsigned fetches;

	signin_scene_pass(s, 0);
	signin_scene_pass(s, PROVIDER_INTERVAL_MIN_MS);
	fetches = s->peers[0].fetches;
	signin_verify(s->signin, buf_text(&token), signin_scene_done, &s->said);
	signin_scene_pass(s, 0);
	assert_int_equal(s->said.err, ERR_UNAUTHENTICATED);
	assert_string_equal(s->said.text, NOT_KNOWN);
	assert_int_equal(s->peers[0].fetches, fetches + 1);
	assert_string_equal(signin_scene_verify(s, &token), TOO_EARLY);
	assert_string_equal(signin_scene_verify_made(s, ONE, "k", s->first), "");
	assert_int_equal(s->peers[0].fetches, fetches + 1);
	buf_release(&token);
}

/* Signing in goes on for a day while the provider is down, with tokens old and new. */
static void test_provider_is_down(void **state)
{
	struct signin_scene *s = *state;
	struct buf token = signin_scene_token(ONE, "k", s->first, 200000);

	signin_scene_pass(s, 0);
	assert_string_equal(signin_scene_verify(s, &token), "");
	s->peers[0].is_down = true;
	while (s->passed_ms < PROVIDER_STALE_MAX_MS - 600000) {
		signin_scene_pass(s, 600000);
		assert_string_equal(signin_scene_verify(s, &token), "");
	}
	s->passed_ms = PROVIDER_STALE_MAX_MS - 1;
	signin_scene_pass(s, 0);
	assert_string_equal(signin_scene_verify(s, &token), "");
	signin_scene_pass(s, 1);
	assert_string_equal(signin_scene_verify(s, &token), DOWN);
	assert_int_equal(s->said.err, ERR_UNAVAILABLE);
	s->peers[0].is_down = false;
	signin_scene_pass(s, PROVIDER_RETRY_MAX_MS);
	assert_string_equal(signin_scene_verify(s, &token), "");
	buf_release(&token);
}

static void test_configuration(void **state)
{
	static const struct {
		struct signin_issuer issuers[2];
		size_t count;
		int64_t skew_ms;
		const char *said;
	} rows[] = {
		{{{.issuer = NULL}}, 0, 0, "between 1 and 32 issuers can be configured"},
		{{{.issuer = "http://i", .audience = "a"}},
		 1,
		 0,
		 "an issuer must be an https address without query (http on loopback only)"},
		{{{.issuer = NULL, .audience = "a"}},
		 1,
		 0,
		 "an issuer must be an https address without query (http on loopback only)"},
		{{{.issuer = "https://i"}}, 1, 0, "issuer https://i: the audience is missing"},
		{{{.issuer = "https://i", .audience = ""}},
		 1,
		 0,
		 "issuer https://i: the audience is missing"},
		{{{.issuer = "https://i", .audience = "a", .algorithms = 16}},
		 1,
		 0,
		 "issuer https://i: an algorithm is not known"},
		{{{.issuer = "https://i", .audience = "a", .claims = {.id = ""}}},
		 1,
		 0,
		 "issuer https://i: the claim that names the principal is missing"},
		{{{.issuer = "https://i", .audience = "a"}, {.issuer = "https://i", .audience = "b"}},
		 2,
		 0,
		 "issuer https://i comes twice"},
		{{{.issuer = "https://i", .audience = "a"}},
		 1,
		 SIGNIN_SKEW_MAX_MS + 1,
		 "the clocks' difference may be 300000 ms at most"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct signin_options options = {.issuers = rows[i].issuers, .skew_ms = rows[i].skew_ms};
		struct errctx ec = {.text = ""};
		struct signin *made = NULL;

		options.issuer_count = rows[i].count;
		assert_int_equal(signin_new(&options, &made, &ec), ERR_CONFIG);
		assert_null(made);
		assert_string_equal(ec.text, rows[i].said);
	}
	signin_free(NULL);
}

static bool has_retried(void *ctx)
{
	const struct signin_scene *s = ctx;

	return s->peers[0].fetches == 2;
}

/* With a loop and the system's clocks: the timer begins the rounds by itself. */
static void test_on_a_loop(void **state)
{
	struct signin_scene *s = *state;
	struct signin_options options = {.issuers = signin_scene_issuers, .issuer_count = 1};
	struct signin *signin = NULL;
	uv_loop_t loop;

	assert_int_equal(uv_loop_init(&loop), 0);
	options.loop = &loop;
	options.fetcher = (struct fetcher){signin_scene_start, signin_scene_cancel, s};
	s->peers[0].is_down = true;
	assert_int_equal(signin_new(&options, &signin, NULL), ERR_OK);
	assert_int_equal(s->peers[0].fetches, 1); /* at once */
	signin_scene_answer(&s->peers[0]);
	assert_true(wait_in_loop(&loop, has_retried, s, 60000));
	signin_free(signin);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, signin_scene_set_up, signin_scene_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_two_issuers),
		TEST(test_troubles),
		TEST(test_key_of_one_algorithm),
		TEST(test_garbage),
		TEST(test_remembered),
		TEST(test_swept),
		TEST(test_refused_is_not_remembered),
		TEST(test_withdrawn_key),
		TEST(test_replaced_key),
		TEST(test_rotation),
		TEST(test_made_up_key),
		TEST(test_provider_is_down),
		cmocka_unit_test(test_configuration),
		TEST(test_on_a_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
