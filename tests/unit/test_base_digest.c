/* SHA-256, comparison, wiping, and the characters of UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/utf8.h"

static void test_sha256(void **state)
{
	/* FIPS 180-4's examples. */
	static const struct {
		const char *text;
		const char *hex;
	} rows[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	char hex[SHA256_HEX];
	unsigned char sum[SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		digest_sha256_hex(rows[i].text, strlen(rows[i].text), hex);
		assert_string_equal(hex, rows[i].hex);
	}
	digest_sha256("abc", 3, sum);
	assert_memory_equal(sum, "\xba\x78\x16\xbf", 4);
}

/* RFC 4231, cases 1, 2 and 7, in pieces; a key of just one block, and nothing at all. */
static void test_hmac(void **state)
{
	static const struct {
		unsigned char byte; /* the key, so many times; 0 = "Jefe" */
		size_t key_len;
		const char *text, *hex;
	} rows[] = {
		{0x0b, 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{0, 4, "what do ya want for nothing?",
		 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{0xaa, 131,
		 "This is a test using a larger than block-size key and a larger than block-size data. The "
		 "key needs to be hashed before being used by the HMAC algorithm.",
		 "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
		{0xaa, 64, "", "db2cf93f633fcdfd9bb7f3b99763a63725cb8e38b4fa60a87d0e94b71d8b5970"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].text), first = len / 3;
		const struct digest_piece pieces[] = {
			{rows[i].text, first}, {NULL, 0}, {rows[i].text + first, len - first}};
		unsigned char key[131], sum[SHA256_BYTES];
		char hex[SHA256_HEX];

		memset(key, rows[i].byte, sizeof(key));
		if (rows[i].byte == 0)
			memcpy(key, "Jefe", 4);
		digest_hmac(key, rows[i].key_len, pieces, 3, sum);
		for (size_t k = 0; k < sizeof(sum); k++)
			snprintf(hex + 2 * k, 3, "%02x", sum[k]);
		assert_string_equal(hex, rows[i].hex);
	}
}

static void test_equal(void **state)
{
	(void)state;
	assert_true(digest_equal("secret", "secret", 6));
	assert_true(digest_equal("secreX", "secreY", 5));
	assert_false(digest_equal("secret", "Secret", 6));
	assert_false(digest_equal("secret", "secreT", 6));
	assert_true(digest_equal("a", "b", 0));
}

static void test_wipe(void **state)
{
	char secret[] = "--hush--";

	(void)state;
	digest_wipe(secret + 2, 4);
	assert_memory_equal(secret, "--\0\0\0\0--", 8);
}

static void test_utf8_char(void **state)
{
	static const struct {
		const char *bytes;
		size_t left;
		size_t want;
	} rows[] = {
		{"a", 1, 1},
		{"\x7F", 1, 1},
		{"\0", 1, 1},
		{"\xC3\xA9", 2, 2},
		{"\xC2\x80", 2, 2},
		{"\xE2\x82\xAC", 3, 3},
		{"\xED\x9F\xBF", 3, 3},
		{"\xEE\x80\x80", 3, 3},
		{"\xEF\xBF\xBF", 3, 3},
		{"\xF0\x90\x80\x80", 4, 4},
		{"\xF4\x8F\xBF\xBF", 4, 4},
		{"a", 0, 0},
		{"\xC3", 1, 0},
		{"\xE2\x82", 2, 0},
		{"\xF0\x90\x80", 3, 0},
		{"\x80", 1, 0},
		{"\xBF", 1, 0},
		{"\xC0\x80", 2, 0}, /* overlong NUL */
		{"\xC1\xBF", 2, 0},
		{"\xE0\x9F\xBF", 3, 0},     /* overlong */
		{"\xF0\x8F\xBF\xBF", 4, 0}, /* overlong */
		{"\xED\xA0\x80", 3, 0},     /* surrogate */
		{"\xF4\x90\x80\x80", 4, 0}, /* above U+10FFFF */
		{"\xF5\x80\x80\x80", 4, 0},
		{"\xFF", 1, 0},
		{"\xC3(", 2, 0},
		{"\xE2\x82(", 3, 0},
		{"\xF0\x90\x80(", 4, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (utf8_char(rows[i].bytes, rows[i].left) != rows[i].want)
			fail_msg("row %zu gives %zu", i, utf8_char(rows[i].bytes, rows[i].left));
}

static void test_utf8_cut(void **state)
{
	/* a, U+00E9, U+20AC, U+1F511: cut at each length. */
	static const char text[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91";
	static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};

	(void)state;
	for (size_t len = 0; len < sizeof(want) / sizeof(want[0]); len++)
		assert_int_equal(utf8_cut(text, len), want[len]);
	assert_int_equal(utf8_cut("\x80\x80\x80\x80\x80", 5), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),    cmocka_unit_test(test_equal),
		cmocka_unit_test(test_hmac),      cmocka_unit_test(test_wipe),
		cmocka_unit_test(test_utf8_char), cmocka_unit_test(test_utf8_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
