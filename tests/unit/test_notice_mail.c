/* Mails: addresses that are taken, headers that hold whatever they are given, bodies that survive the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "notice/mail.h"

#define ID     "00030000-0000-8000-8000-000000000001"
#define THREAD "00030000-0000-8000-8000-000000000002"

static void test_addresses(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} rows[] = {
		{"amira@example.com", true},
		{"a.b+c_d-e@sub.example.com", true},
		{"O'Neill@example.com", true},
		{"a@localhost", true},
		{"", false},
		{"amira", false},
		{"@example.com", false},
		{"amira@", false},
		{".a@example.com", false},
		{"a.@example.com", false},
		{"a..b@example.com", false},
		{"a@exa mple.com", false},
		{"a@.example.com", false},
		{"a@example.com.", false},
		{"a@-example.com", false},
		{"a@b@c", false},
		{"a@b>", false},
		{"<a@b>", false},
		{"a b@c", false},
		{"\"a b\"@c", false},
		{"a@b\r\nRCPT TO:<eve@evil>", false},
		{"a\r\n@b", false},
		{"a@b,c@d", false},
		{"a@b;c", false},
		{"j\xc3\xbcrg@example.com", false},
		{"a@[127.0.0.1]", false},
		{"1234567890123456789012345678901234567890123456789012345678901234@e.x", true},
		{"12345678901234567890123456789012345678901234567890123456789012345@e.x", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (mail_address_valid(rows[i].text) != rows[i].valid)
			fail_msg("%s", rows[i].text);
}

static void write(struct buf *out, const char *subject, const char *body)
{
	const struct mail mail = {.from = "jit@example.com",
				  .to = "lead@example.org",
				  .subject = subject,
				  .body = body,
				  .id = ID,
				  .thread = THREAD,
				  .at_ms = INT64_C(1795614060000)};

	buf_init(out, MAIL_MAX);
	assert_int_equal(mail_write(&mail, out), ERR_OK);
}

static void test_whole(void **state)
{
	struct buf out;

	(void)state;
	write(&out, "Approval wanted", "Hello,\n50 % = half \ndone");
	assert_string_equal(buf_text(&out), "Date: Wed, 25 Nov 2026 13:41:00 +0000\r\n"
					    "From: <jit@example.com>\r\n"
					    "To: <lead@example.org>\r\n"
					    "Subject: Approval wanted\r\n"
					    "Message-ID: <" ID "@example.com>\r\n"
					    "In-Reply-To: <request-" THREAD "@example.com>\r\n"
					    "References: <request-" THREAD "@example.com>\r\n"
					    "List-Id: <jit-broker.example.com>\r\n"
					    "Auto-Submitted: auto-generated\r\n"
					    "X-Auto-Response-Suppress: All\r\n"
					    "MIME-Version: 1.0\r\n"
					    "Content-Type: text/plain; charset=utf-8\r\n"
					    "Content-Transfer-Encoding: quoted-printable\r\n"
					    "\r\n"
					    "Hello,\r\n50 % =3D half=20\r\ndone\r\n");
	buf_release(&out);
}

/* The subject's line as it was written, folded lines included. */
static void expect_subject(const char *subject, const char *line)
{
	struct buf out;
	const char *at;

	write(&out, subject, "");
	at = strstr(buf_text(&out), "\r\nSubject: ");
	assert_non_null(at);
	at += strlen("\r\nSubject: ");
	if (strncmp(at, line, strlen(line)) != 0 ||
	    strncmp(at + strlen(line), "\r\nMessage-ID", strlen("\r\nMessage-ID")) != 0)
		fail_msg("%.*s", 400, at);
	buf_release(&out);
}

static void test_subjects(void **state)
{
	char long_one[400];

	(void)state;
	expect_subject("plain", "plain");
	expect_subject("Z\xc3\xbcrich", "=?UTF-8?B?WsO8cmljaA==?=");
	expect_subject("a\r\nBcc: eve@evil.example", "a  Bcc: eve@evil.example");
	expect_subject("a\nb\tc\x7f", "a b c ");
	expect_subject("=?UTF-8?B?YQ==?=", "=?UTF-8?B?PT9VVEYtOD9CP1lRPT0/PQ==?=");
	expect_subject("\xff\xfe", "=?UTF-8?B?//4=?=");
	/* 23 two-byte characters and one byte: the word ends before the 23rd. */
	expect_subject("x\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
		       "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
		       "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc",
		       "=?UTF-8?B?eMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8w7zDvMO8?=\r\n"
		       " =?UTF-8?B?w7zDvA==?=");
	memset(long_one, 'a', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	char cut[MAIL_SUBJECT_MAX + 1];
	memset(cut, 'a', MAIL_SUBJECT_MAX);
	cut[MAIL_SUBJECT_MAX] = '\0';
	expect_subject(long_one, cut);
}

static int hex(char c)
{
	return c <= '9' ? c - '0' : c - 'A' + 10;
}

/* Decodes a quoted-printable body into `out`; fails on lines that are too long. */
static void decode(const char *at, char *out)
{
	size_t column = 0;

	while (*at != '\0') {
		if (at[0] == '=' && at[1] == '\r') {
			at += 3;
			column = 0;
		} else if (at[0] == '\r') {
			*out++ = '\n';
			at += 2;
			column = 0;
		} else if (at[0] == '=') {
			*out++ = (char)(hex(at[1]) * 16 + hex(at[2]));
			at += 3;
			column += 3;
		} else {
			*out++ = *at++;
			column++;
		}
		assert_true(column <= 75);
	}
	*out = '\0';
}

/* Any bytes but NUL come out as they went in, and nothing of them looks like the end of a message. */
static void test_bodies(void **state)
{
	uint64_t seed = 7;
	char body[600], back[700];

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct buf out;
		size_t len = 0;

		for (; len < (size_t)round % 500; len++) {
			static const char often[] = "\n. =\r";

			seed = seed * UINT64_C(6364136223846793005) + 1;
			body[len] = (seed >> 40) % 3 == 0 ? often[(seed >> 50) % 5]
							  : (char)(1 + (seed >> 33) % 255);
		}
		body[len] = '\0';
		write(&out, "s", body);
		for (const char *c = buf_text(&out); *c != '\0'; c++)
			assert_true((*c >= ' ' && *c <= '~') || *c == '\r' || *c == '\n');
		decode(strstr(buf_text(&out), "\r\n\r\n") + 4, back);
		assert_int_equal(strncmp(back, body, len), 0);
		assert_string_equal(back + len, "\n");
		buf_release(&out);
	}
}

static void test_refused(void **state)
{
	struct mail good = {
		.from = "jit@example.com", .to = "a@b", .subject = "s", .body = "b", .id = ID, .thread = ""};
	struct mail mail = good;
	struct buf out;

	(void)state;
	buf_init(&out, MAIL_MAX);
	mail.to = "a@b\r\nBcc: c@d";
	assert_int_equal(mail_write(&mail, &out), ERR_INTERNAL);
	mail = good;
	mail.id = "1>\r\nBcc: c@d";
	assert_int_equal(mail_write(&mail, &out), ERR_INTERNAL);
	mail = good;
	mail.thread = "x";
	assert_int_equal(mail_write(&mail, &out), ERR_INTERNAL);
	assert_int_equal(mail_write(&good, &out), ERR_OK);
	assert_null(strstr(buf_text(&out), "References"));
	buf_release(&out);
	buf_init(&out, 300);
	assert_int_equal(mail_write(&good, &out), ERR_NOMEM);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_whole),
		cmocka_unit_test(test_subjects),  cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
