/* Key sets: which keys are taken, which are skipped, and which documents are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "sign-in/jwks.h"
#include "sign-in/jwt.h"
#include "tests/support/tokens.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define EC_X        "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU" /* RFC 7515, appendix A.3 */
#define EC_Y        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC          "\"kty\":\"EC\",\"crv\":\"P-256\""
#define EC_POINT    "\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\""
#define ED_X        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" /* RFC 8037, appendix A.2 */
#define ED          "{\"kid\":\"a\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\""

struct keys {
	EVP_PKEY *rsa, *weak_rsa, *ec, *p384, *ed;
};

static int make_keys(void **state)
{
	struct keys *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return -1;
	*k = (struct keys){tokens_rsa(2048), tokens_rsa(1024), tokens_ec("P-256"), tokens_ec("P-384"),
			   tokens_ed25519()};
	*state = k;
	return 0;
}

static int free_keys(void **state)
{
	struct keys *k = *state;

	EVP_PKEY_free(k->rsa);
	EVP_PKEY_free(k->weak_rsa);
	EVP_PKEY_free(k->ec);
	EVP_PKEY_free(k->p384);
	EVP_PKEY_free(k->ed);
	free(k);
	return 0;
}

/* Parses a copy of exactly that many bytes. */
static enum err parse(const char *text, size_t len, struct jwks **set, struct errctx *ec)
{
	char *copy = malloc(len > 0 ? len : 1);
	enum err err;

	assert_non_null(copy);
	memcpy(copy, text, len);
	err = jwks_parse(copy, len, set, ec);
	free(copy);
	return err;
}

static struct jwks *parse_good(const char *text)
{
	struct jwks *set = NULL;
	struct errctx ec = {.text = ""};

	if (parse(text, strlen(text), &set, &ec))
		fail_msg("%s: %s", text, ec.text);
	return set;
}

static void test_kinds(void **state)
{
	const struct keys *k = *state;
	const struct {
		EVP_PKEY *key;
		const char *more;
		unsigned algorithms; /* 0: skipped */
	} rows[] = {
		{k->rsa, "", JWT_RS256 | JWT_PS256},
		{k->rsa, ",\"alg\":\"RS256\"", JWT_RS256},
		{k->rsa, ",\"alg\":\"PS256\",\"use\":\"sig\"", JWT_PS256},
		{k->rsa, ",\"alg\":\"ES256\"", 0},
		{k->rsa, ",\"alg\":\"RS512\"", 0},
		{k->rsa, ",\"alg\":\"RSA-OAEP\"", 0},
		{k->rsa, ",\"alg\":\"none\"", 0},
		{k->rsa, ",\"alg\":5", 0},
		{k->rsa, ",\"use\":\"enc\"", 0},
		{k->rsa, ",\"use\":\"SIG\"", 0},
		{k->rsa, ",\"use\":null", 0},
		{k->rsa, ",\"key_ops\":[\"sign\",\"verify\"]", JWT_RS256 | JWT_PS256},
		{k->rsa, ",\"key_ops\":[\"encrypt\"]", 0},
		{k->rsa, ",\"key_ops\":[]", 0},
		{k->rsa, ",\"key_ops\":\"verify\"", 0},
		{k->rsa, ",\"d\":\"AQAB\",\"p\":7,\"x5c\":[\"MII\"],\"x5t\":\"abc\"", JWT_RS256 | JWT_PS256},
		{k->weak_rsa, "", 0},
		{k->ec, "", JWT_ES256},
		{k->ec, ",\"d\":\"AQAB\"", JWT_ES256},
		{k->ec, ",\"alg\":\"EdDSA\"", 0},
		{k->p384, "", 0},
		{k->ed, "", JWT_EDDSA},
		{k->ed, ",\"alg\":\"Ed25519\"", JWT_EDDSA},
		{k->ed, ",\"alg\":\"RS256\"", 0},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct jwks_key *key;
		struct jwks *set;
		struct buf text;

		buf_init(&text, JWKS_DOCUMENT_MAX);
		buf_adds(&text, "{\"keys\":[");
		tokens_jwk(&text, rows[i].key, "a", rows[i].more);
		buf_adds(&text, "]}");
		set = parse_good(buf_text(&text));
		key = jwks_find(set, "a");
		if ((key ? key->algorithms : 0) != rows[i].algorithms)
			fail_msg("%s", buf_text(&text));
		assert_int_equal(jwks_count(set), key ? 1 : 0);
		assert_int_equal(jwks_skipped(set), key ? 0 : 1);
		if (key)
			assert_int_equal(EVP_PKEY_eq(key->pkey, rows[i].key), 1);
		jwks_free(set);
		buf_release(&text);
	}
}

/* Keys that are none: skipped, and the good one beside them is taken. */
static void test_unusable_keys(void **state)
{
	static const char *const rows[] = {
		"{}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\"}",
		"{\"kid\":\"\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\"}",
		"{\"kid\":7,\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\"}",
		"{\"kid\":\"b\"}",
		"{\"kid\":\"b\",\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}",
		"{\"kid\":\"b\",\"kty\":\"AKP\",\"alg\":\"ML-DSA-44\",\"pub\":\"AA\"}",
		"{\"kid\":\"b\",\"kty\":[\"EC\"]}",
		"{\"kid\":\"b\",\"kty\":\"ec\",\"crv\":\"P-256\"," EC_POINT "}",
		"{\"kid\":\"b\",\"kty\":\"EC\"," EC_POINT "}",
		"{\"kid\":\"b\",\"kty\":\"EC\",\"crv\":\"secp256k1\"," EC_POINT "}",
		"{\"kid\":\"b\"," EC ",\"x\":\"" EC_X "\"}",
		"{\"kid\":\"b\"," EC ",\"x\":\"" EC_X "\",\"y\":\"" EC_X "\"}", /* not on the curve */
		"{\"kid\":\"b\"," EC ",\"x\":\"AA\",\"y\":\"" EC_Y "\"}",
		"{\"kid\":\"b\"," EC ",\"x\":\"" EC_X "=\",\"y\":\"" EC_Y "\"}",
		"{\"kid\":\"b\"," EC ",\"x\":\"AAAA" EC_X "\",\"y\":\"" EC_Y "\"}",
		"{\"kid\":\"b\"," EC ",\"x\":12,\"y\":\"" EC_Y "\"}",
		"{\"kid\":\"b\",\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" ED_X "\"}",
		"{\"kid\":\"b\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
		"{\"kid\":\"b\",\"kty\":\"OKP\",\"crv\":\"Ed25519\"}",
		"{\"kid\":\"b\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
		"{\"kid\":\"b\",\"kty\":\"RSA\",\"e\":\"AQAB\"}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct jwks *set;
		struct buf text;

		buf_init(&text, JWKS_DOCUMENT_MAX);
		buf_addf(&text, "{\"keys\":[%s," ED "}]}", rows[i]);
		set = parse_good(buf_text(&text));
		if (jwks_count(set) != 1 || jwks_skipped(set) != 1 || !jwks_find(set, "a") ||
		    jwks_find(set, "b") || jwks_find(set, ""))
			fail_msg("%s", rows[i]);
		jwks_free(set);
		buf_release(&text);
	}
}

/* The point that the rows above break is itself a good one. */
static void test_the_point_is_good(void **state)
{
	struct jwks *set = parse_good("{\"keys\":[{\"kid\":\"b\"," EC "," EC_POINT "}]}");

	(void)state;
	assert_non_null(jwks_find(set, "b"));
	jwks_free(set);
}

/* RSA numbers out of bounds: a modulus or exponent that makes verification worthless or slow. */
static void test_rsa_bounds(void **state)
{
	static const struct {
		size_t modulus_bytes;
		unsigned char first, last;
		const char *exponent;
		size_t keys;
	} rows[] = {
		{256, 0x80, 1, "AQAB", 1},  {256, 0x80, 1, "Aw", 1}, /* 3 */
		{256, 0x80, 1, "AQ", 0},                             /* 1: any signature would verify */
		{256, 0x80, 1, "AA", 0},    {256, 0x80, 1, "Ag", 0}, /* even */
		{256, 0x80, 1, "", 0},      {256, 0x80, 1, "AQAAAAAAAAAB", 0}, /* 9 bytes */
		{256, 0x80, 2, "AQAB", 0},  {256, 0x7F, 1, "AQAB", 0},         /* 2047 bits */
		{257, 0x00, 1, "AQAB", 0}, /* a zero byte before 2041 bits */
		{1024, 0x80, 1, "AQAB", 1}, {1025, 0x01, 1, "AQAB", 0},        {4096, 0x80, 1, "AQAB", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned char modulus[4096] = {0};
		struct jwks *set;
		struct buf text;

		modulus[0] = rows[i].first;
		modulus[1] = 1;
		modulus[rows[i].modulus_bytes - 1] = rows[i].last;
		buf_init(&text, JWKS_DOCUMENT_MAX);
		buf_adds(&text, "{\"keys\":[{\"kid\":\"a\",\"kty\":\"RSA\",\"n\":\"");
		tokens_base64url(&text, modulus, rows[i].modulus_bytes);
		buf_addf(&text, "\",\"e\":\"%s\"}]}", rows[i].exponent);
		set = parse_good(buf_text(&text));
		if (jwks_count(set) != rows[i].keys)
			fail_msg("row %zu", i);
		jwks_free(set);
		buf_release(&text);
	}
}

/* A kid that names two keys names none; keys that are skipped anyway do not make it ambiguous. */
static void test_ambiguous(void **state)
{
	const struct keys *k = *state;
	struct jwks *set;
	struct buf text;

	buf_init(&text, JWKS_DOCUMENT_MAX);
	buf_adds(&text, "{\"keys\":[");
	tokens_jwk(&text, k->ec, "twice", "");
	buf_adds(&text, ",");
	tokens_jwk(&text, k->ed, "once", "");
	buf_adds(&text, ",");
	tokens_jwk(&text, k->rsa, "twice", "");
	buf_adds(&text, ",");
	tokens_jwk(&text, k->rsa, "once", ",\"use\":\"enc\"");
	buf_adds(&text, ",");
	tokens_jwk(&text, k->rsa, "last", "");
	buf_adds(&text, "]}");
	set = parse_good(buf_text(&text));
	assert_int_equal(jwks_count(set), 2);
	assert_int_equal(jwks_skipped(set), 3);
	assert_null(jwks_find(set, "twice"));
	assert_int_equal(jwks_find(set, "once")->algorithms, JWT_EDDSA);
	assert_int_equal(EVP_PKEY_eq(jwks_find(set, "last")->pkey, k->rsa), 1);
	jwks_free(set);
	buf_release(&text);
}

static void test_fingerprints(void **state)
{
	const struct keys *k = *state;
	struct jwks *first, *second;
	struct buf text;

	buf_init(&text, JWKS_DOCUMENT_MAX);
	buf_adds(&text, "{\"keys\":[");
	tokens_jwk(&text, k->ec, "a", "");
	buf_adds(&text, ",");
	tokens_jwk(&text, k->rsa, "b", "");
	buf_adds(&text, "]}");
	first = parse_good(buf_text(&text));
	second = parse_good(buf_text(&text));
	assert_memory_equal(jwks_find(first, "a")->fingerprint, jwks_find(second, "a")->fingerprint,
			    SHA256_BYTES);
	assert_memory_not_equal(jwks_find(first, "a")->fingerprint, jwks_find(first, "b")->fingerprint,
				SHA256_BYTES);
	jwks_free(first);
	jwks_free(second);
	jwks_free(NULL);
	buf_release(&text);
}

static void test_refused_documents(void **state)
{
	static const char *const rows[] = {
		"",
		"<html>",
		"null",
		"[]",
		"{}",
		"{\"keys\":{}}",
		"{\"keys\":null}",
		"{\"Keys\":[]}",
		"{\"keys\":[1]}",
		"{\"keys\":[" ED "},\"x\"]}",
		"{\"keys\":[" ED "}]",
		"{\"keys\":[" ED "}]} x",
		"{\"keys\":[],\"keys\":[" ED "}]}",
		"{\"keys\":[" ED ",\"kid\":\"b\"}]}",
		"{\"keys\":[" ED ",\"y\":\"\\u0000\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct jwks *set = NULL;
		struct errctx ec = {.text = ""};

		if (parse(rows[i], strlen(rows[i]), &set, &ec) != ERR_BAD_REQUEST || set ||
		    ec.text[0] == '\0')
			fail_msg("%s", rows[i]);
	}
}

/* No key at all is an answer: the provider has withdrawn them. */
static void test_empty_set(void **state)
{
	struct jwks *set = parse_good("{\"keys\":[]}");

	(void)state;
	assert_int_equal(jwks_count(set), 0);
	assert_null(jwks_find(set, "a"));
	jwks_free(set);
}

/* A document of `keys` keys that is filled up with blanks to `size` bytes. */
static enum err parse_many(size_t keys, size_t size, struct errctx *ec)
{
	struct jwks *set = NULL;
	struct buf text;
	enum err err;

	buf_init(&text, TOKENS_MAX);
	buf_adds(&text, "{\"keys\":[");
	for (size_t i = 0; i < keys; i++)
		buf_addf(&text, "%s{\"kid\":\"k%zu\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\"}",
			 i > 0 ? "," : "", i);
	buf_adds(&text, "]}");
	while (text.len < size)
		buf_adds(&text, " ");
	assert_false(buf_failed(&text));
	err = parse(text.data, text.len, &set, ec);
	if (!err)
		assert_int_equal(jwks_count(set), keys);
	jwks_free(set);
	buf_release(&text);
	return err;
}

static void test_sizes(void **state)
{
	struct errctx ec = {.text = ""};

	(void)state;
	assert_int_equal(parse_many(JWKS_KEYS_MAX, 0, &ec), ERR_OK);
	assert_int_equal(parse_many(JWKS_KEYS_MAX + 1, 0, &ec), ERR_BAD_REQUEST);
	assert_string_equal(ec.text, "it has more than 64 keys");
	assert_int_equal(parse_many(2, JWKS_DOCUMENT_MAX, &ec), ERR_OK);
	assert_int_equal(parse_many(2, JWKS_DOCUMENT_MAX + 1, &ec), ERR_BAD_REQUEST);
	assert_string_equal(ec.text, "it is larger than 65536 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_unusable_keys),
		cmocka_unit_test(test_the_point_is_good),
		cmocka_unit_test(test_rsa_bounds),
		cmocka_unit_test(test_ambiguous),
		cmocka_unit_test(test_fingerprints),
		cmocka_unit_test(test_refused_documents),
		cmocka_unit_test(test_empty_set),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
