/* Standard Webhooks: secrets, signatures, and every reason to refuse one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "webhook/standard.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

/* The example that the reference libraries of Standard Webhooks test with. */
#define SECRET    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID        "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define AT        "1614265330"
#define AT_MS     INT64_C(1614265330000)
#define BODY      "{\"test\": 2432232314}"
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

/* Made with `openssl dgst -sha256 -mac HMAC`: keys of 24 and of 64 bytes, a body of UTF-8 and an empty one. */
#define SECRET_24    "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"
#define SIGNATURE_24 "v1,mDLbhN2U8XoaF9lMBg/0r6uC4ATS3MPOhWtcXjyVz3E="
#define SECRET_64                                                                                            \
	"whsec_a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2traw=="
#define SIGNATURE_64 "v1,0XD53NAGnh+498xKm71GGwZcpKb1p6bj2g9Grsgld+o="

#define OTHER   "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define WRONG   "v1,h0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
#define TEN(s)  s " " s " " s " " s " " s " " s " " s " " s " " s " " s
#define FIVE(s) s " " s " " s " " s " " s

static struct signing_keys keys_of(const char *first, const char *second)
{
	struct signing_keys keys = {.count = 0};

	assert_int_equal(webhook_key_add(&keys, first, NULL), ERR_OK);
	if (second != NULL)
		assert_int_equal(webhook_key_add(&keys, second, NULL), ERR_OK);
	return keys;
}

static void test_known_signatures(void **state)
{
	static const struct {
		const char *secret, *id, *timestamp, *body, *signature;
	} rows[] = {
		{SECRET, ID, AT, BODY, SIGNATURE},
		{SECRET_24, "m-1", "1700000000", "{\"a\":\"\xc3\xa4\"}", SIGNATURE_24},
		{SECRET_64, "m-1", "1700000000", "", SIGNATURE_64},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct webhook_message m = {rows[i].id, rows[i].timestamp, rows[i].body,
					    strlen(rows[i].body)};
		struct signing_keys keys = keys_of(rows[i].secret, NULL);
		int64_t now_ms = signing_seconds(rows[i].timestamp) * 1000;
		char header[WEBHOOK_HEADER_SIZE];

		assert_int_equal(webhook_sign(&keys, &m, header), ERR_OK);
		assert_string_equal(header, rows[i].signature);
		assert_int_equal(webhook_verify(&keys, &m, rows[i].signature, now_ms), SIGNING_VALID);
	}
}

static void test_empty_body_may_be_null(void **state)
{
	struct signing_keys keys = keys_of(SECRET_64, NULL);
	struct webhook_message m = {"m-1", "1700000000", NULL, 0};
	char header[WEBHOOK_HEADER_SIZE];

	(void)state;
	assert_int_equal(webhook_sign(&keys, &m, header), ERR_OK);
	assert_string_equal(header, SIGNATURE_64);
}

static const struct verify_row {
	const char *what, *id, *timestamp, *body, *signature;
	int64_t now_ms;
	enum signing_verdict want;
} verify_rows[] = {
	{"valid", ID, AT, BODY, SIGNATURE, AT_MS, SIGNING_VALID},
	{"no id", NULL, AT, BODY, SIGNATURE, AT_MS, SIGNING_ID_MISSING},
	{"empty id", "", AT, BODY, SIGNATURE, AT_MS, SIGNING_ID_MISSING},
	{"full stop", "msg.1", AT, BODY, SIGNATURE, AT_MS, SIGNING_ID_INVALID},
	{"blank", "msg 1", AT, BODY, SIGNATURE, AT_MS, SIGNING_ID_INVALID},
	{"line", ID "\n", AT, BODY, SIGNATURE, AT_MS, SIGNING_ID_INVALID},
	{"not ASCII", "msg\xc3\xa4", AT, BODY, SIGNATURE, AT_MS, SIGNING_ID_INVALID},
	{"delete", "msg\x7f", AT, BODY, SIGNATURE, AT_MS, SIGNING_ID_INVALID},
	{"other id", ID "x", AT, BODY, SIGNATURE, AT_MS, SIGNING_WRONG},
	{"no time", ID, NULL, BODY, SIGNATURE, AT_MS, SIGNING_TIME_MISSING},
	{"empty time", ID, "", BODY, SIGNATURE, AT_MS, SIGNING_TIME_MISSING},
	{"word", ID, "now", BODY, SIGNATURE, AT_MS, SIGNING_TIME_INVALID},
	{"sign", ID, "+" AT, BODY, SIGNATURE, AT_MS, SIGNING_TIME_INVALID},
	{"negative", ID, "-" AT, BODY, SIGNATURE, AT_MS, SIGNING_TIME_INVALID},
	{"fraction", ID, AT ".0", BODY, SIGNATURE, AT_MS, SIGNING_TIME_INVALID},
	{"leading zero", ID, "0" AT, BODY, SIGNATURE, AT_MS, SIGNING_TIME_INVALID},
	{"leading blank", ID, " " AT, BODY, SIGNATURE, AT_MS, SIGNING_TIME_INVALID},
	{"milliseconds", ID, AT "000", BODY, SIGNATURE, AT_MS, SIGNING_TIME_INVALID},
	{"12 digits", ID, "999999999999", BODY, SIGNATURE, AT_MS, SIGNING_TOO_NEW},
	{"too long", ID, "99999999999999999999999", BODY, SIGNATURE, AT_MS, SIGNING_TIME_INVALID},
	{"old enough", ID, AT, BODY, SIGNATURE, AT_MS + 300999, SIGNING_VALID},
	{"too old", ID, AT, BODY, SIGNATURE, AT_MS + 301000, SIGNING_TOO_OLD},
	{"new enough", ID, AT, BODY, SIGNATURE, AT_MS - 300000, SIGNING_VALID},
	{"too new", ID, AT, BODY, SIGNATURE, AT_MS - 300001, SIGNING_TOO_NEW},
	{"other time", ID, "1614265331", BODY, SIGNATURE, AT_MS, SIGNING_WRONG},
	{"other body", ID, AT, BODY " ", SIGNATURE, AT_MS, SIGNING_WRONG},
	{"empty body", ID, AT, "", SIGNATURE, AT_MS, SIGNING_WRONG},
	{"no signature", ID, AT, BODY, NULL, AT_MS, SIGNING_MISSING},
	{"empty", ID, AT, BODY, "", AT_MS, SIGNING_MISSING},
	{"blanks", ID, AT, BODY, "   ", AT_MS, SIGNING_MISSING},
	{"wrong", ID, AT, BODY, WRONG, AT_MS, SIGNING_WRONG},
	{"second", ID, AT, BODY, WRONG " " SIGNATURE, AT_MS, SIGNING_VALID},
	{"first", ID, AT, BODY, SIGNATURE " " WRONG, AT_MS, SIGNING_VALID},
	{"many blanks", ID, AT, BODY, "  " WRONG "   " SIGNATURE "  ", AT_MS, SIGNING_VALID},
	{"other versions", ID, AT, BODY, "v1a,x v2,y v0 " SIGNATURE, AT_MS, SIGNING_VALID},
	{"no known version", ID, AT, BODY, "v1a,AAAA v2,AAAA", AT_MS, SIGNING_UNKNOWN_VERSION},
	{"upper case", ID, AT, BODY, "V1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", AT_MS,
	 SIGNING_UNKNOWN_VERSION},
	{"bare", ID, AT, BODY, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", AT_MS,
	 SIGNING_UNKNOWN_VERSION},
	{"version only", ID, AT, BODY, "v1,", AT_MS, SIGNING_WRONG},
	{"cut", ID, AT, BODY, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE", AT_MS, SIGNING_WRONG},
	{"more", ID, AT, BODY, SIGNATURE "=", AT_MS, SIGNING_WRONG},
	{"list inside", ID, AT, BODY, SIGNATURE ",v1", AT_MS, SIGNING_WRONG},
	{"comma for blank", ID, AT, BODY, WRONG "," SIGNATURE, AT_MS, SIGNING_WRONG},
	{"tab for blank", ID, AT, BODY, WRONG "\t" SIGNATURE, AT_MS, SIGNING_WRONG},
	/* The bits that base64's last character leaves unused. */
	{"not canonical", ID, AT, BODY, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=", AT_MS,
	 SIGNING_WRONG},
	{"base64url", ID, AT, BODY, "v1,g0hM9SsE-OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE=", AT_MS, SIGNING_WRONG},
	{"sixteen", ID, AT, BODY, TEN(WRONG) " " FIVE("v9,x") " " SIGNATURE, AT_MS, SIGNING_VALID},
	{"seventeen", ID, AT, BODY, TEN(WRONG) " " FIVE("v9,x") " " SIGNATURE " " SIGNATURE, AT_MS,
	 SIGNING_TOO_LONG},
};

static void test_verify(void **state)
{
	struct signing_keys keys = keys_of(SECRET, NULL);

	(void)state;
	for (size_t i = 0; i < LEN(verify_rows); i++) {
		const struct verify_row *r = &verify_rows[i];
		struct webhook_message m = {r->id, r->timestamp, r->body, strlen(r->body)};
		enum signing_verdict got = webhook_verify(&keys, &m, r->signature, r->now_ms);

		if (got != r->want)
			fail_msg("%s: %s", r->what, signing_reason(got));
	}
}

static void test_bounds(void **state)
{
	static char body[SIGNING_BODY_MAX + 1], list[WEBHOOK_LIST_MAX + 2];
	struct signing_keys keys = keys_of(SECRET, NULL);
	char id[WEBHOOK_ID_SIZE + 1], header[WEBHOOK_HEADER_SIZE];
	struct webhook_message m = {id, AT, body, SIGNING_BODY_MAX};

	(void)state;
	memset(id, 'i', sizeof(id));
	id[WEBHOOK_ID_SIZE - 1] = '\0';
	assert_int_equal(webhook_sign(&keys, &m, header), ERR_OK);
	assert_int_equal(webhook_verify(&keys, &m, header, AT_MS), SIGNING_VALID);
	m.len++;
	assert_int_equal(webhook_verify(&keys, &m, header, AT_MS), SIGNING_BODY_TOO_BIG);
	m.len--;

	/* The signature, a blank, and one of an unknown version that fills the rest. */
	memset(list, '0', WEBHOOK_LIST_MAX);
	memcpy(list, header, WEBHOOK_SIGNATURE_LEN);
	memcpy(list + WEBHOOK_SIGNATURE_LEN, " v9,", 4);
	assert_int_equal(strlen(list), WEBHOOK_LIST_MAX);
	assert_int_equal(webhook_verify(&keys, &m, list, AT_MS), SIGNING_VALID);
	memcpy(list + WEBHOOK_LIST_MAX, "0", 2);
	assert_int_equal(webhook_verify(&keys, &m, list, AT_MS), SIGNING_TOO_LONG);

	id[WEBHOOK_ID_SIZE - 1] = 'i';
	id[WEBHOOK_ID_SIZE] = '\0';
	assert_int_equal(webhook_verify(&keys, &m, header, AT_MS), SIGNING_ID_INVALID);
	assert_int_equal(webhook_sign(&keys, &m, header), ERR_INTERNAL);
}

static void test_rotation(void **state)
{
	struct webhook_message m = {ID, AT, BODY, strlen(BODY)};
	struct signing_keys before = keys_of(SECRET, NULL), during = keys_of(OTHER, SECRET),
			    after = keys_of(OTHER, NULL), none = {.count = 0};
	char header[WEBHOOK_HEADER_SIZE];

	(void)state;
	assert_int_equal(webhook_verify(&during, &m, SIGNATURE, AT_MS), SIGNING_VALID);
	assert_int_equal(webhook_verify(&after, &m, SIGNATURE, AT_MS), SIGNING_WRONG);
	assert_int_equal(webhook_verify(&none, &m, SIGNATURE, AT_MS), SIGNING_NO_KEY);

	assert_int_equal(webhook_sign(&during, &m, header), ERR_OK);
	assert_int_equal(strlen(header), 2 * WEBHOOK_SIGNATURE_LEN + 1);
	assert_string_equal(header + WEBHOOK_SIGNATURE_LEN, " " SIGNATURE);
	assert_int_equal(webhook_verify(&before, &m, header, AT_MS), SIGNING_VALID);
	assert_int_equal(webhook_verify(&after, &m, header, AT_MS), SIGNING_VALID);
	assert_int_equal(webhook_sign(&none, &m, header), ERR_INTERNAL);
}

static void test_most_keys(void **state)
{
	struct webhook_message m = {ID, AT, BODY, strlen(BODY)};
	struct signing_keys keys = {.count = 0};
	char header[WEBHOOK_HEADER_SIZE];
	struct errctx ec;

	(void)state;
	for (int i = 0; i < SIGNING_KEYS_MAX; i++)
		assert_int_equal(webhook_key_add(&keys, i == 0 ? SECRET : OTHER, &ec), ERR_OK);
	assert_int_equal(webhook_key_add(&keys, OTHER, &ec), ERR_CONFIG);
	assert_int_equal(keys.count, SIGNING_KEYS_MAX);
	assert_int_equal(webhook_sign(&keys, &m, header), ERR_OK);
	assert_int_equal(strlen(header), sizeof(header) - 1);
	assert_int_equal(webhook_verify(&keys, &m, header, AT_MS), SIGNING_VALID);
}

static void test_what_cannot_be_signed(void **state)
{
	static const struct webhook_message rows[] = {
		{"", AT, BODY, 1}, {"a.b", AT, BODY, 1}, {"a b", AT, BODY, 1},
		{ID, "", BODY, 1}, {ID, "x", BODY, 1},   {ID, "0", BODY, 1},
	};
	struct signing_keys keys = keys_of(SECRET, NULL);
	char header[WEBHOOK_HEADER_SIZE];

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		assert_int_equal(webhook_sign(&keys, &rows[i], header), ERR_INTERNAL);
}

static void test_secrets(void **state)
{
	static const struct {
		const char *secret;
		size_t len; /* 0 = refused */
	} rows[] = {
		{SECRET, 24},
		{SECRET_64, 64},
		{"whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ==", 25},
		{"whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=", 26},
		{"", 0},
		{"whsec_", 0},
		{"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0},
		{"WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0},
		{" whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0},
		{"whsec_ MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0},
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", 0},
		{"whsec_   \nMfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0},
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", 0},  /* not whole */
		{"whsec_a2tra2tra2tra2tra2tra2tra2tra2s=", 0}, /* 23 bytes */
		{"whsec_"
		 "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2traw="
		 "=",
		 0},                                               /* 67 bytes */
		{"whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ", 0},   /* not padded */
		{"whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQR==", 0}, /* not canonical */
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw====", 0},
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_", 0},
		{"whsec_MfKQ9r8GKYqrTwj=PD8ILPZIo2LaLaSw", 0},
		{"whsec_"
		 "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s"
		 "=",
		 0}, /* 65 bytes */
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct signing_keys keys = {.count = 0};
		struct errctx ec = {""};
		enum err err = webhook_key_add(&keys, rows[i].secret, &ec);

		if (rows[i].len == 0 && (err != ERR_CONFIG || keys.count != 0 || ec.text[0] == '\0'))
			fail_msg("\"%s\" is taken", rows[i].secret);
		if (rows[i].len > 0 && (err != ERR_OK || keys.keys[0].len != rows[i].len))
			fail_msg("\"%s\": %s", rows[i].secret, ec.text);
		if (strlen(rows[i].secret) > 30)
			assert_null(strstr(ec.text, rows[i].secret + 8));
	}
}

/* Far more than there is room for. */
static void test_endless_secret(void **state)
{
	static char secret[64 * 1024];
	struct signing_keys keys = {.count = 0};
	struct errctx ec;

	(void)state;
	memset(secret, 'A', sizeof(secret) - 1);
	memcpy(secret, "whsec_", 6);
	assert_int_equal(webhook_key_add(&keys, secret, &ec), ERR_CONFIG);
	secret[6 + 4 * 1024] = '\0';
	assert_int_equal(webhook_key_add(&keys, secret, &ec), ERR_CONFIG);
	assert_int_equal(keys.count, 0);
}

static void test_key_sizes(void **state)
{
	static const unsigned char bytes[SIGNING_KEY_BYTES + 1];
	struct signing_keys keys = {.count = 0};
	struct errctx ec;

	(void)state;
	assert_int_equal(signing_add(&keys, bytes, 0, &ec), ERR_CONFIG);
	assert_int_equal(signing_add(&keys, bytes, SIGNING_KEY_BYTES + 1, &ec), ERR_CONFIG);
	assert_int_equal(keys.count, 0);
	assert_int_equal(signing_add(&keys, bytes, 1, &ec), ERR_OK);
	assert_int_equal(signing_add(&keys, bytes, SIGNING_KEY_BYTES, &ec), ERR_OK);
	assert_int_equal(keys.count, 2);
}

static void test_wipe(void **state)
{
	static const struct signing_keys zero;
	struct signing_keys keys = keys_of(SECRET, OTHER);

	(void)state;
	assert_memory_not_equal(&keys, &zero, sizeof(keys));
	signing_wipe(&keys);
	assert_memory_equal(&keys, &zero, sizeof(keys));
}

static void test_reasons(void **state)
{
	(void)state;
	for (int i = 0; i < SIGNING_VERDICT_COUNT; i++) {
		const char *reason = signing_reason((enum signing_verdict)i);

		assert_true(strlen(reason) > 10 && reason[strlen(reason) - 1] == '.');
		for (int j = 0; j < i; j++)
			assert_string_not_equal(reason, signing_reason((enum signing_verdict)j));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_signatures),
		cmocka_unit_test(test_empty_body_may_be_null),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_most_keys),
		cmocka_unit_test(test_what_cannot_be_signed),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_endless_secret),
		cmocka_unit_test(test_key_sizes),
		cmocka_unit_test(test_wipe),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
