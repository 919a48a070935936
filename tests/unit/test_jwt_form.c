/* The compact form of tokens: one spelling for each, bounded in size, and no change that goes unseen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "sign-in/base64url.h"
#include "tests/support/token_judge.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int make_key(void **state)
{
	*state = tokens_ed25519();
	return 0;
}

static int free_key(void **state)
{
	EVP_PKEY_free(*state);
	return 0;
}

static void test_base64url(void **state)
{
	static const struct {
		const char *text;
		const char *bytes; /* NULL: refused */
	} rows[] = {
		{"", ""},
		{"Zg", "f"},
		{"Zm8", "fo"},
		{"Zm9v", "foo"},
		{"Zm9vYg", "foob"},
		{"Zm9vYmE", "fooba"},
		{"_-__", "\xFF\xEF\xFF"},
		{"Z", NULL},
		{"A", NULL},
		{"Zm9vA", NULL},
		{"Zm9vY", NULL},
		{"Zh", NULL},
		{"Zm9", NULL},
		{"Zg==", NULL},
		{"Zm8=", NULL},
		{"+/++", NULL},
		{"Zm 9v", NULL},
		{"Zm9v\n", NULL},
		{"Zm\xC3\xA9", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned char out[16] = {0};
		size_t len = strlen(rows[i].text);
		bool read = base64url_decode(rows[i].text, len, out);

		if (read != (rows[i].bytes != NULL))
			fail_msg("%s", rows[i].text);
		if (read) {
			assert_int_equal(BASE64URL_BYTES(len), strlen(rows[i].bytes));
			assert_memory_equal(out, rows[i].bytes, strlen(rows[i].bytes));
		}
	}
}

/* No prefix, no extension and no other character anywhere makes a good token. */
static void test_every_change(void **state)
{
	static const char others[] = "AB-_=+/. \n\t%";
	EVP_PKEY *key = *state;
	struct errctx ec;
	struct buf token, prefix;

	buf_init(&token, TOKENS_MAX);
	tokens_sign(&token, JUDGE_HEADER("EdDSA"), JUDGE_CLAIMS, key, SIGN_EDDSA);
	assert_int_equal(judge_token(&token, &judge_rules, key, &ec), ERR_OK);
	for (prefix = token; prefix.len > 0;) {
		prefix.len--;
		assert_int_equal(judge_token(&prefix, &judge_rules, key, &ec), ERR_UNAUTHENTICATED);
	}
	for (size_t i = 0; i < token.len; i++) {
		char was = token.data[i];

		for (size_t o = 0; o < sizeof(others); o++) {
			token.data[i] = others[o];
			if (others[o] != was)
				assert_int_equal(judge_token(&token, &judge_rules, key, &ec),
						 ERR_UNAUTHENTICATED);
		}
		token.data[i] = was;
	}
	for (size_t o = 0; o < sizeof(others); o++) {
		buf_add(&token, &others[o], 1);
		assert_int_equal(judge_token(&token, &judge_rules, key, &ec), ERR_UNAUTHENTICATED);
		token.len--;
	}
	buf_release(&token);
}

/* A signature of 64 bytes ends in a character of which four bits count for nothing: only one spelling is accepted. */
static void test_canonical_end(void **state)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	EVP_PKEY *key = *state;
	struct errctx ec;
	struct buf token;
	int accepted = 0, not_canonical = 0;

	buf_init(&token, TOKENS_MAX);
	tokens_sign(&token, JUDGE_HEADER("EdDSA"), JUDGE_CLAIMS, key, SIGN_EDDSA);
	for (size_t i = 0; i < 64; i++) {
		token.data[token.len - 1] = alphabet[i];
		if (judge_token(&token, &judge_rules, key, &ec) == ERR_OK)
			accepted++;
		else if (strcmp(ec.text, "The token is not canonical base64url.") == 0)
			not_canonical++;
	}
	assert_int_equal(accepted, 1);
	assert_int_equal(not_canonical, 60);
	buf_release(&token);
}

static void test_forms(void **state)
{
	static const char parts[] = "The token does not have three parts.";
	static const char canonical[] = "The token is not canonical base64url.";
	static const struct {
		const char *before, *after;
		const char *said;
	} rows[] = {
		{"", "=", canonical},  {"", "==", canonical},
		{"", "\n", canonical}, {"", "AAAA", "The token's signature is wrong."},
		{"", ".", parts},      {"", ".AAAA", parts},
		{".", "", parts},      {"AAAA.", "", parts},
		{" ", "", canonical},  {"", " ", canonical},
	};
	EVP_PKEY *key = *state;
	struct errctx ec;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf token;

		buf_init(&token, TOKENS_MAX);
		buf_adds(&token, rows[i].before);
		tokens_sign(&token, JUDGE_HEADER("EdDSA"), JUDGE_CLAIMS, key, SIGN_EDDSA);
		buf_adds(&token, rows[i].after);
		assert_int_equal(judge_token(&token, &judge_rules, key, &ec), ERR_UNAUTHENTICATED);
		assert_string_equal(ec.text, rows[i].said);
		buf_release(&token);
	}
}

/* Texts that are no tokens. */
static void test_no_tokens(void **state)
{
	static const char *const rows[] = {"",    ".",     "..",        "...",      "a",
					   "a.b", "a.b.c", "a.b.c.d.e", "e30.e30.", "e30.e30.e30"};
	EVP_PKEY *key = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct errctx ec;
		struct buf token;

		buf_init(&token, TOKENS_MAX);
		buf_adds(&token, rows[i]);
		assert_int_equal(judge_token(&token, &judge_rules, key, &ec), ERR_UNAUTHENTICATED);
		buf_release(&token);
	}
}

/* A token whose header or claims are filled up with `fill` characters. */
static const char *judge_filled(EVP_PKEY *key, bool in_header, size_t fill, struct errctx *ec)
{
	struct buf filled;
	const char *said;

	buf_init(&filled, TOKENS_MAX);
	buf_adds(&filled, in_header ? "{\"alg\":\"EdDSA\",\"kid\":\"k\",\"x\":\""
				    : "{" JUDGE_REST ",\"exp\":1700000300,\"x\":\"");
	for (size_t i = 0; i < fill; i++)
		buf_adds(&filled, "x");
	buf_adds(&filled, "\"}");
	said = judge_signed(in_header ? filled.data : JUDGE_HEADER("EdDSA"),
			    in_header ? JUDGE_CLAIMS : filled.data, key, SIGN_EDDSA, ec);
	buf_release(&filled);
	return said;
}

static void test_sizes(void **state)
{
	EVP_PKEY *key = *state;
	struct errctx ec;
	char kid[JWT_KID_SIZE + 1];
	char header[JWT_KID_SIZE + 64];

	assert_string_equal(judge_filled(key, true, 1400, &ec), "");
	assert_string_equal(judge_filled(key, true, 1600, &ec), "The token's header is too long.");
	assert_string_equal(judge_filled(key, false, 5800, &ec), "");
	assert_string_equal(judge_filled(key, false, 6200, &ec), "The token is too long.");
	assert_string_equal(judge_filled(key, false, 500000, &ec), "The token is too long.");

	memset(kid, 'k', sizeof(kid));
	for (size_t len = JWT_KID_SIZE - 1; len <= JWT_KID_SIZE; len++) {
		snprintf(header, sizeof(header), "{\"alg\":\"EdDSA\",\"kid\":\"%.*s\"}", (int)len, kid);
		assert_string_equal(judge_signed(header, JUDGE_CLAIMS, key, SIGN_EDDSA, &ec),
				    len < JWT_KID_SIZE ? "" : "The name of the token's key is not usable.");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64url),     cmocka_unit_test(test_every_change),
		cmocka_unit_test(test_canonical_end), cmocka_unit_test(test_forms),
		cmocka_unit_test(test_no_tokens),     cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, make_key, free_key);
}
