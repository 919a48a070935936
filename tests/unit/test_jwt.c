/* Tokens whose form is right: which header, claims, dates, algorithm and key are accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "tests/support/token_judge.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Made once: keys of RSA take their time. */
struct keys {
	EVP_PKEY *rsa, *other_rsa, *weak_rsa, *ec, *other_ec, *p384, *ed;
};

static int make_keys(void **state)
{
	struct keys *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return -1;
	*k = (struct keys){tokens_rsa(2048),   tokens_rsa(2048),   tokens_rsa(1024), tokens_ec("P-256"),
			   tokens_ec("P-256"), tokens_ec("P-384"), tokens_ed25519()};
	*state = k;
	return 0;
}

static int free_keys(void **state)
{
	struct keys *k = *state;

	EVP_PKEY_free(k->rsa);
	EVP_PKEY_free(k->other_rsa);
	EVP_PKEY_free(k->weak_rsa);
	EVP_PKEY_free(k->ec);
	EVP_PKEY_free(k->other_ec);
	EVP_PKEY_free(k->p384);
	EVP_PKEY_free(k->ed);
	free(k);
	return 0;
}

static void test_algorithms(void **state)
{
	const struct keys *k = *state;
	const struct {
		const char *header;
		EVP_PKEY *key;
		enum tokens_method method;
		const char *said;
	} rows[] = {
		{JUDGE_HEADER("RS256"), k->rsa, SIGN_RS256, ""},
		{JUDGE_HEADER("PS256"), k->rsa, SIGN_PS256, ""},
		{JUDGE_HEADER("ES256"), k->ec, SIGN_ES256, ""},
		{JUDGE_HEADER("EdDSA"), k->ed, SIGN_EDDSA, ""},
		{JUDGE_HEADER("Ed25519"), k->ed, SIGN_EDDSA, ""},
		/* The signature is good, but of another algorithm than the header says. */
		{JUDGE_HEADER("PS256"), k->rsa, SIGN_RS256, "The token's signature is wrong."},
		{JUDGE_HEADER("RS256"), k->rsa, SIGN_PS256, "The token's signature is wrong."},
		{JUDGE_HEADER("PS256"), k->rsa, SIGN_PS256_SALT20, "The token's signature is wrong."},
		{JUDGE_HEADER("ES256"), k->ec, SIGN_ES256_DER, "The token's signature is wrong."},
		{JUDGE_HEADER("ES256"), k->ec, SIGN_ZEROES, "The token's signature is wrong."},
		{JUDGE_HEADER("EdDSA"), k->ed, SIGN_ZEROES, "The token's signature is wrong."},
		{JUDGE_HEADER("RS256"), k->rsa, SIGN_ZEROES, "The token's signature is wrong."},
		{JUDGE_HEADER("RS256"), k->rsa, SIGN_HS256_PUBLIC_KEY, "The token's signature is wrong."},
		/* The key is of another kind. */
		{JUDGE_HEADER("RS256"), k->ec, SIGN_ES256, "The token's algorithm does not fit its key."},
		{JUDGE_HEADER("PS256"), k->ed, SIGN_EDDSA, "The token's algorithm does not fit its key."},
		{JUDGE_HEADER("ES256"), k->rsa, SIGN_RS256, "The token's algorithm does not fit its key."},
		{JUDGE_HEADER("ES256"), k->p384, SIGN_ES256, "The token's algorithm does not fit its key."},
		{JUDGE_HEADER("EdDSA"), k->ec, SIGN_ES256, "The token's algorithm does not fit its key."},
		{JUDGE_HEADER("RS256"), k->weak_rsa, SIGN_RS256,
		 "The token's algorithm does not fit its key."},
		/* Algorithms that are none of ours. */
		{JUDGE_HEADER("none"), k->rsa, SIGN_RS256, "The token's algorithm is not accepted."},
		{JUDGE_HEADER("nOnE"), k->rsa, SIGN_RS256, "The token's algorithm is not accepted."},
		{JUDGE_HEADER("NONE"), k->rsa, SIGN_RS256, "The token's algorithm is not accepted."},
		{JUDGE_HEADER("none"), k->rsa, SIGN_NOTHING, "The token does not have three parts."},
		{JUDGE_HEADER("RS256"), k->rsa, SIGN_NOTHING, "The token does not have three parts."},
		{JUDGE_HEADER("HS256"), k->rsa, SIGN_HS256_PUBLIC_KEY,
		 "The token's algorithm is not accepted."},
		{JUDGE_HEADER("rs256"), k->rsa, SIGN_RS256, "The token's algorithm is not accepted."},
		{JUDGE_HEADER("RS384"), k->rsa, SIGN_RS256, "The token's algorithm is not accepted."},
		{JUDGE_HEADER("ES256K"), k->ec, SIGN_ES256, "The token's algorithm is not accepted."},
	};
	struct errctx ec;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *said =
			judge_signed(rows[i].header, JUDGE_CLAIMS, rows[i].key, rows[i].method, &ec);

		if (strcmp(said, rows[i].said) != 0)
			fail_msg("row %zu, %s: %s", i, rows[i].header, said);
	}
}

/* Each row's token is well signed: only what the row shows is wrong. */
static void test_headers(void **state)
{
	static const char strict[] = "The token's header is not a strict JSON object.";
	static const struct {
		const char *header;
		const char *said;
	} rows[] = {
		{"{\"alg\":\"ES256\",\"kid\":\"k\"}", ""},
		{"{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"at+jwt\"}", ""},
		{"{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"AT+JWT\"}", ""},
		{"{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"application/at+jwt\"}", ""},
		{"{\"alg\":\"ES256\",\"kid\":\"k\",\"x5t\":\"abc\",\"nonce\":\"n\"}", ""},
		{"{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"logout+jwt\"}",
		 "The token is of a type that is not for signing in."},
		{"{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":\"dpop+jwt\"}",
		 "The token is of a type that is not for signing in."},
		{"{\"alg\":\"ES256\",\"kid\":\"k\",\"typ\":1}",
		 "The token is of a type that is not for signing in."},
		{"{\"alg\":\"ES256\"}", "The token does not name its key."},
		{"{\"alg\":\"ES256\",\"kid\":\"\"}", "The token does not name its key."},
		{"{\"alg\":\"ES256\",\"kid\":1}", "The token does not name its key."},
		{"{\"alg\":\"ES256\",\"kid\":null}", "The token does not name its key."},
		{"{\"alg\":\"ES256\",\"kid\":\"a\\nb\"}", "The name of the token's key is not usable."},
		{"{\"alg\":\"ES256\",\"kid\":\"k\\u0000\"}", strict},
		{"{\"alg\":\"ES256\",\"kid\":\"k\",\"kid\":\"k\"}", strict},
		{"{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"k\"}", strict},
		{"{\"ALG\":\"none\",\"alg\":\"ES256\",\"kid\":\"k\"}", strict},
		{"{\"alg\":\"ES256\",\"kid\":\"k\"}x", strict},
		{"{\"alg\":\"ES256\",\"kid\":\"k\"", strict},
		{"{\"alg\":\"ES256\",\"kid\":\"\xFF\"}", strict},
		{"[\"alg\",\"ES256\"]", strict},
		{"\"ES256\"", strict},
		{"null", strict},
		{"{\"kid\":\"k\"}", "The token's algorithm is not accepted."},
		{"{\"alg\":[\"ES256\"],\"kid\":\"k\"}", "The token's algorithm is not accepted."},
		{"{\"alg\":\"ES256\\u0020\",\"kid\":\"k\"}", "The token's algorithm is not accepted."},
		{"{\"alg\":\"ES256\",\"kid\":\"k\",\"crit\":[\"exp\"]}",
		 "The token demands an extension that is not known here."},
		{"{\"alg\":\"ES256\",\"kid\":\"k\",\"crit\":[],\"b64\":false}",
		 "The token demands an extension that is not known here."},
		{"{\"alg\":\"ES256\",\"kid\":\"k\",\"jku\":\"https://evil\"}",
		 "The token brings its own key."},
		{"{\"alg\":\"ES256\",\"kid\":\"k\",\"x5u\":\"https://evil\"}",
		 "The token brings its own key."},
		{"{\"alg\":\"ES256\",\"kid\":\"k\",\"x5c\":[\"MII\"]}", "The token brings its own key."},
		{"{\"alg\":\"ES256\",\"kid\":\"k\",\"jwk\":{\"kty\":\"EC\"}}",
		 "The token brings its own key."},
	};
	const struct keys *k = *state;
	struct errctx ec;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *said = judge_signed(rows[i].header, JUDGE_CLAIMS, k->ec, SIGN_ES256, &ec);

		if (strcmp(said, rows[i].said) != 0)
			fail_msg("%s: %s", rows[i].header, said);
	}
}

#define TO(dest)  "{" JUDGE_WHO ",\"aud\":" dest ",\"exp\":1700000300}"
#define END(exp)  "{" JUDGE_REST ",\"exp\":" exp "}"
#define AND(more) "{" JUDGE_REST ",\"exp\":1700000300," more "}"

struct row {
	const char *claims;
	const char *said;
};

static void judge_rows(const struct row *rows, size_t count, EVP_PKEY *key)
{
	for (size_t i = 0; i < count; i++) {
		struct errctx ec;
		const char *said = judge_signed(JUDGE_HEADER("ES256"), rows[i].claims, key, SIGN_ES256, &ec);

		if (strcmp(said, rows[i].said) != 0)
			fail_msg("%s: %s", rows[i].claims, said);
	}
}

static void test_names_in_claims(void **state)
{
	static const char audience[] = "The token is meant for another audience.";
	static const char issuer[] = "The token's issuer is not accepted here.";
	static const struct row rows[] = {
		{TO("\"api://jit\""), ""},
		{TO("[\"x\",\"api://jit\"]"), ""},
		{TO("\"api://ji\""), audience},
		{TO("\"api://jit/\""), audience},
		{TO("\"API://JIT\""), audience},
		{TO("\"x api://jit\""), audience},
		{TO("[]"), audience},
		{TO("[\"x\"]"), audience},
		{TO("[1,\"api://jit\"]"), audience},
		{TO("{\"api://jit\":1}"), audience},
		{TO("null"), audience},
		{"{" JUDGE_WHO ",\"exp\":1700000300}", audience},
		{"{\"sub\":\"a\",\"aud\":\"api://jit\",\"exp\":1700000300}",
		 "The token does not name its issuer."},
		{"{\"iss\":[\"https://issuer\"],\"sub\":\"a\",\"aud\":\"api://jit\",\"exp\":1700000300}",
		 "The token does not name its issuer."},
		{"{\"iss\":\"https://issuer/\",\"sub\":\"a\",\"aud\":\"api://jit\",\"exp\":1700000300}",
		 issuer},
		{"{\"iss\":\"https://issuer.evil\",\"sub\":\"a\",\"aud\":\"api://jit\",\"exp\":1700000300}",
		 issuer},
		{"{\"iss\":\"https://issuer\",\"aud\":\"api://jit\",\"exp\":1700000300}",
		 "The token does not name its subject."},
		{"{\"iss\":\"https://issuer\",\"sub\":\"\",\"aud\":\"api://jit\",\"exp\":1700000300}",
		 "The token does not name its subject."},
		{"{\"iss\":\"https://issuer\",\"sub\":7,\"aud\":\"api://jit\",\"exp\":1700000300}",
		 "The token does not name its subject."},
		{"{\"iss\":\"https://issuer\",\"sub\":\"a\\tb\",\"aud\":\"api://jit\",\"exp\":1700000300}",
		 "The token's subject is not usable."},
	};
	const struct keys *k = *state;

	judge_rows(rows, COUNT(rows), k->ec);
}

static void test_dates_and_form_of_claims(void **state)
{
	static const char strict[] = "The token's claims are not a strict JSON object.";
	static const char date[] = "A date of the token is not a number of seconds since 1970.";
	static const struct row rows[] = {
		{"{" JUDGE_REST "}", "The token does not say when it ends."},
		{"{" JUDGE_REST ",\"EXP\":1700000300}", "The token does not say when it ends."},
		{END("\"1700000300\""), date},
		{END("null"), date},
		{END("true"), date},
		{END("[1700000300]"), date},
		{END("-1"), date},
		{END("253402300800"), date},
		{END("1e400"), strict},
		{END("1e16"), strict},
		{END("NaN"), strict},
		{END("Infinity"), strict},
		{END("017"), strict},
		{END("99999999999999999999"), strict},
		{END("1.7000003e9"), ""},
		{END("1700000300.5"), ""},
		{END("253402300799"), ""},
		{AND("\"nbf\":\"0\""), date},
		{AND("\"nbf\":null"), date},
		{AND("\"iat\":-5"), date},
		{AND("\"iat\":\"yesterday\""), date},
		{AND("\"exp\":1800000000"), strict},
		{AND("\"sub\":\"admin\""), strict},
		{AND("\"Sub\":\"admin\""), strict},
		{AND("\"a\":\"\\u0000\""), strict},
		{AND("\"a\":\"\\ud800\""), strict},
		{AND("\"a\":1") " ", ""},
		{AND("\"a\":1") "{}", strict},
		{AND("\"cnf\":{\"jkt\":\"x\"}"),
		 "The token is bound to a key of its sender, which cannot be checked here."},
		{"[]", strict},
		{"7", strict},
	};
	const struct keys *k = *state;

	judge_rows(rows, COUNT(rows), k->ec);
}

/* To the millisecond, with and without tolerance. */
static void test_dates(void **state)
{
	static const struct {
		const char *claims;
		int64_t skew_ms, now_ms;
		const char *said;
	} rows[] = {
		{END("1700000000"), 0, JUDGE_NOW_MS - 1, ""},
		{END("1700000000"), 0, JUDGE_NOW_MS, "The token has expired."},
		{END("1700000000"), 60000, JUDGE_NOW_MS + 59999, ""},
		{END("1700000000"), 60000, JUDGE_NOW_MS + 60000, "The token has expired."},
		{END("1699999999"), 0, JUDGE_NOW_MS, "The token has expired."},
		{END("0"), 60000, JUDGE_NOW_MS, "The token has expired."},
		{END("1700000000.5"), 0, JUDGE_NOW_MS + 499, ""},
		{END("1700000000.5"), 0, JUDGE_NOW_MS + 500, "The token has expired."},
		{AND("\"nbf\":1700000000"), 0, JUDGE_NOW_MS, ""},
		{AND("\"nbf\":1700000000"), 0, JUDGE_NOW_MS - 1, "The token is not valid yet."},
		{AND("\"nbf\":1700000000"), 60000, JUDGE_NOW_MS - 60000, ""},
		{AND("\"nbf\":1700000000"), 60000, JUDGE_NOW_MS - 60001, "The token is not valid yet."},
		{AND("\"iat\":1700000000"), 0, JUDGE_NOW_MS, ""},
		{AND("\"iat\":1700000000"), 0, JUDGE_NOW_MS - 1, "The token was issued in the future."},
		{AND("\"iat\":1700000000"), 60000, JUDGE_NOW_MS - 60000, ""},
	};
	const struct keys *k = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct jwt_rules by = judge_rules;
		struct errctx ec = {.text = ""};
		struct jwt *jwt = NULL;
		struct buf token;

		by.skew_ms = rows[i].skew_ms;
		buf_init(&token, TOKENS_MAX);
		tokens_sign(&token, JUDGE_HEADER("EdDSA"), rows[i].claims, k->ed, SIGN_EDDSA);
		assert_int_equal(jwt_read(token.data, token.len, &jwt, &ec), ERR_OK);
		if (jwt_check(jwt, &by, rows[i].now_ms, &ec) !=
			    (*rows[i].said ? ERR_UNAUTHENTICATED : ERR_OK) ||
		    strcmp(ec.text, rows[i].said) != 0)
			fail_msg("%s: %s", rows[i].claims, ec.text);
		jwt_free(jwt);
		buf_release(&token);
	}
}

static void test_only_listed_algorithms(void **state)
{
	const struct keys *k = *state;
	struct jwt_rules by = judge_rules;
	struct errctx ec = {.text = ""};
	struct buf token;

	buf_init(&token, TOKENS_MAX);
	tokens_sign(&token, JUDGE_HEADER("RS256"), JUDGE_CLAIMS, k->rsa, SIGN_RS256);
	by.algorithms = JWT_RS256 | JWT_ES256;
	assert_int_equal(judge_token(&token, &by, k->rsa, &ec), ERR_OK);
	by.algorithms = JWT_PS256 | JWT_ES256 | JWT_EDDSA;
	assert_int_equal(judge_token(&token, &by, k->rsa, &ec), ERR_UNAUTHENTICATED);
	assert_string_equal(ec.text, "The token's algorithm is not accepted.");
	buf_release(&token);
}

static void test_another_key(void **state)
{
	const struct keys *k = *state;
	struct errctx ec = {.text = ""};
	struct buf token;

	buf_init(&token, TOKENS_MAX);
	tokens_sign(&token, JUDGE_HEADER("RS256"), JUDGE_CLAIMS, k->other_rsa, SIGN_RS256);
	assert_int_equal(judge_token(&token, &judge_rules, k->rsa, &ec), ERR_UNAUTHENTICATED);
	assert_string_equal(ec.text, "The token's signature is wrong.");
	buf_clear(&token);
	tokens_sign(&token, JUDGE_HEADER("ES256"), JUDGE_CLAIMS, k->other_ec, SIGN_ES256);
	assert_int_equal(judge_token(&token, &judge_rules, k->ec, &ec), ERR_UNAUTHENTICATED);
	assert_string_equal(ec.text, "The token's signature is wrong.");
	buf_release(&token);
}

static void test_what_is_read(void **state)
{
	const struct keys *k = *state;
	struct jwt *jwt = NULL;
	struct buf token;

	buf_init(&token, TOKENS_MAX);
	tokens_sign(&token, JUDGE_HEADER("PS256"), AND("\"jti\":\"t1\""), k->rsa, SIGN_PS256);
	assert_int_equal(jwt_read(token.data, token.len, &jwt, NULL), ERR_OK);
	assert_string_equal(jwt_kid(jwt), "k");
	assert_string_equal(jwt_issuer(jwt), "https://issuer");
	assert_string_equal(json_string(jwt_claims(jwt), "jti"), "t1");
	assert_int_equal(jwt_alg(jwt), JWT_PS256);
	assert_true(jwt_expires_ms(jwt) == JUDGE_NOW_MS + 300000);
	jwt_free(jwt);
	jwt_free(NULL);
	buf_release(&token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_algorithms),      cmocka_unit_test(test_headers),
		cmocka_unit_test(test_names_in_claims), cmocka_unit_test(test_dates_and_form_of_claims),
		cmocka_unit_test(test_dates),           cmocka_unit_test(test_only_listed_algorithms),
		cmocka_unit_test(test_another_key),     cmocka_unit_test(test_what_is_read),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
