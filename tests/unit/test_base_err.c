/* The table of errors and the text that travels up with one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

#define SIZE sizeof(((struct errctx *)NULL)->text)

static void test_every_row_has_text(void **state)
{
	(void)state;
	for (int i = 0; i < ERR_COUNT; i++) {
		enum err err = (enum err)i;

		assert_true(strlen(err_code(err)) >= 2);
		assert_null(strpbrk(err_code(err), " \"\n"));
		assert_true(strlen(err_message(err)) >= 7);
		assert_true(err_status(err) == 200 || (err_status(err) >= 400 && err_status(err) < 600));
		assert_int_equal(err == ERR_OK, err_status(err) == 200);
	}
}

static void test_rows(void **state)
{
	static const struct {
		enum err err;
		int status;
		bool retryable;
		const char *code;
	} rows[] = {
		{ERR_OK, 200, false, "ok"},
		{ERR_EXISTS, 400, false, "RoleAssignmentExists"},
		{ERR_POLICY, 400, false, "RoleAssignmentRequestPolicyValidationFailed"},
		{ERR_UNAUTHENTICATED, 401, false, "InvalidAuthenticationToken"},
		{ERR_KEY_BUSY, 409, true, "IdempotencyKeyInUse"},
		{ERR_THROTTLED, 429, true, "TooManyRequests"},
		{ERR_UNAVAILABLE, 503, true, "ServiceUnavailable"},
		{ERR_CONFIG, 500, false, "InvalidConfiguration"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(err_status(rows[i].err), rows[i].status);
		assert_int_equal(err_retryable(rows[i].err), rows[i].retryable);
		assert_string_equal(err_code(rows[i].err), rows[i].code);
	}
}

/* Nothing that the caller did wrong gets better by asking again; what comes too early, and what the broker lacks for a
 * while, does. */
static void test_client_errors_are_not_retryable(void **state)
{
	(void)state;
	for (int i = 0; i < ERR_COUNT; i++) {
		enum err err = (enum err)i;

		if (err_status(err) < 500)
			assert_int_equal(err_retryable(err), err == ERR_THROTTLED || err == ERR_KEY_BUSY);
		if (err_status(err) > 500)
			assert_true(err_retryable(err));
	}
}

static void test_set_and_prefix(void **state)
{
	struct errctx ec = {.text = "old"};

	(void)state;
	assert_int_equal(err_set(&ec, ERR_IO, "connect: %s", "timed out"), ERR_IO);
	assert_string_equal(ec.text, "connect: timed out");
	err_prefix(&ec, "push group g-%d", 17);
	assert_string_equal(ec.text, "push group g-17: connect: timed out");
	assert_int_equal(err_set(&ec, ERR_CONFIG, "%s (%s)", ec.text, ec.text), ERR_CONFIG);
	assert_string_equal(ec.text,
			    "push group g-17: connect: timed out (push group g-17: connect: timed out)");
	assert_int_equal(err_set(&ec, ERR_OK, "%s", ""), ERR_OK);
	assert_string_equal(ec.text, "");
	err_prefix(&ec, "%s", "alone");
	assert_string_equal(ec.text, "alone: ");
}

static void test_without_context(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_TIMEOUT, "nobody reads %d", 1), ERR_TIMEOUT);
	err_prefix(NULL, "nobody reads %d", 1);
}

static void test_long_text_is_cut(void **state)
{
	struct errctx ec;
	char text[400];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&ec, ERR_IO, "%s", text);
	assert_int_equal(strlen(ec.text), SIZE - 1);
	err_prefix(&ec, "where");
	assert_int_equal(strlen(ec.text), SIZE - 1);
	assert_memory_equal(ec.text, "where: xxx", 10);
	err_prefix(&ec, "%s", text);
	assert_int_equal(strlen(ec.text), SIZE - 1);
	assert_string_equal(ec.text + SIZE - 5, "xx: ");
}

/* A cut never leaves half a character behind, wherever it falls. */
static void test_cut_keeps_characters_whole(void **state)
{
	(void)state;
	for (int before = 0; before < 8; before++) {
		struct errctx ec;
		char text[400];
		size_t at = (size_t)before, step;

		memset(text, 'x', (size_t)before);
		for (; at + 4 < sizeof(text); at += 4)
			memcpy(text + at, "\xF0\x9F\x94\x91", 4);
		text[at] = '\0';
		err_set(&ec, ERR_IO, "%s", text);
		err_prefix(&ec, "p");
		assert_true(strlen(ec.text) > SIZE - 8);
		for (const char *p = ec.text; *p; p += step) {
			step = utf8_char(p, strlen(p));
			assert_int_not_equal(step, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_has_text),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_client_errors_are_not_retryable),
		cmocka_unit_test(test_set_and_prefix),
		cmocka_unit_test(test_without_context),
		cmocka_unit_test(test_long_text_is_cut),
		cmocka_unit_test(test_cut_keeps_characters_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
