/* The texts that the sandbox reads, and its fault rules, without HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "scim-push/sandbox/fault.h"
#include "scim-push/sandbox/filter.h"
#include "scim-push/sandbox/query.h"
#include "scim-push/sandbox/text.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* -- filters, targets, texts ------------------------------------------------------------------------------------- */

static void test_filters(void **state)
{
	static const struct {
		const char *text;
		size_t count; /* 0 = refused */
		const char *attribute, *value;
	} rows[] = {
		{"userName eq \"a@b\"", 1, "userName", "a@b"},
		{" displayName   eq  \"a \\\"b\\\" \\u00e9\" ", 1, "displayName", "a \"b\" \xc3\xa9"},
		{"id eq \"g\" and members eq \"u\"", 2, "members", "u"},
		{"members eq \"u\" and id eq \"g\"", 2, "id", "g"},
		{"members eq \"\"", 1, "members", ""},
		{"userName eq \"a\" and", 0, NULL, NULL},
		{"userName eq \"a\" or id eq \"b\"", 0, NULL, NULL},
		{"userName eq \"a\"and id eq \"b\"", 0, NULL, NULL},
		{"a eq \"1\" and b eq \"2\" and c eq \"3\"", 3, "c", "3"},
		{"a eq \"1\" and b eq \"2\" and c eq \"3\" and d eq \"4\" and e eq \"5\"", 0, NULL, NULL},
		{"userName EQ \"a\"", 1, "userName", "a"},
		{"emails[type eq \"work\" and value eq \"x\"]", 2, "emails.value", "x"},
		{"emails[type eq \"work\"].value eq \"x\"", 2, "emails.value", "x"},
		{"members[value eq \"x\"] and id eq \"y\"", 2, "id", "y"},
		{"emails[type eq \"work\"", 0, NULL, NULL},
		{"emails[]", 0, NULL, NULL},
		{"emails[[type eq \"work\"]]", 0, NULL, NULL},
		{"[type eq \"work\"]", 0, NULL, NULL},
		{"emails[type eq \"work\"].", 0, NULL, NULL},
		{"userName ne \"a\"", 0, NULL, NULL},
		{"userName eq a", 0, NULL, NULL},
		{"userName eq 'a'", 0, NULL, NULL},
		{"userName eq \"a", 0, NULL, NULL},
		{"userName eq \"a\\\"", 0, NULL, NULL},
		{"userName eq \"\\x\"", 0, NULL, NULL},
		{"userName eq\"a\"", 0, NULL, NULL},
		{"userName", 0, NULL, NULL},
		{"", 0, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct filter filter;
		bool ok = filter_parse(rows[i].text, &filter, NULL) == ERR_OK;

		if (ok != (rows[i].count > 0))
			fail_msg("filter %s", rows[i].text);
		if (!ok)
			continue;
		assert_int_equal(filter.count, rows[i].count);
		assert_string_equal(filter_value(&filter, rows[i].attribute, true), rows[i].value);
		assert_null(filter_value(&filter, "other", true));
	}
}

static void test_targets(void **state)
{
	static const struct {
		const char *target;
		enum err err;
		const char *resource, *id, *filter;
	} rows[] = {
		{"/Users", ERR_OK, "Users", "", ""},
		{"/Groups/a%2Fb+c", ERR_OK, "Groups", "a/b+c", ""},
		{"/Users?filter=userName%20eq%20%22a%2Bb+c%22", ERR_OK, "Users", "", "userName eq \"a+b c\""},
		{"/Groups?cursor&count=5&filter=x", ERR_OK, "Groups", "", "x"},
		{"/Groups/a/b", ERR_NOT_FOUND, NULL, NULL, NULL},
		{"/Groups/", ERR_NOT_FOUND, NULL, NULL, NULL},
		{"/Groups/%00", ERR_NOT_FOUND, NULL, NULL, NULL},
		{"/Users?filter=userName eq", ERR_BAD_REQUEST, NULL, NULL, NULL},
		{"/Users?filter=\"a\"", ERR_BAD_REQUEST, NULL, NULL, NULL},
		{"/Users?filter=%4", ERR_BAD_REQUEST, NULL, NULL, NULL},
		{"/Users?filter=a&filter=b", ERR_BAD_REQUEST, NULL, NULL, NULL},
		{"/Users?count=x", ERR_BAD_REQUEST, NULL, NULL, NULL},
		{"/Users?sortBy=id", ERR_BAD_REQUEST, NULL, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct query query;

		if (query_parse(rows[i].target, &query, NULL) != rows[i].err)
			fail_msg("target %s", rows[i].target);
		if (rows[i].err != ERR_OK)
			continue;
		assert_string_equal(query.resource, rows[i].resource);
		assert_string_equal(query.id, rows[i].id);
		assert_string_equal(query.filter, rows[i].filter);
	}
}

static void test_texts(void **state)
{
	static const struct {
		enum text_kind kind;
		const char *text;
		bool allowed;
	} rows[] = {
		{TEXT_USER_NAME, "amira@example.com", true},
		{TEXT_USER_NAME, "m\xc3\xbcller+x", true},
		{TEXT_USER_NAME, "", false},
		{TEXT_USER_NAME, "a b", false},
		{TEXT_USER_NAME, "a\xc2\xa0z", false},
		{TEXT_USER_NAME, "a%b", false},
		{TEXT_USER_NAME, "a:b", false},
		{TEXT_EXTERNAL_ID, "a;b", false},
		{TEXT_EXTERNAL_ID, "a\xe2\x80\x8bz", false},
		{TEXT_DISPLAY_NAME, "Amira A", true},
		{TEXT_DISPLAY_NAME, "a \"b\" \\c", true},
		{TEXT_DISPLAY_NAME, "a\tb", false},
		{TEXT_DISPLAY_NAME, "<b>", false},
		{TEXT_OTHER, "50 %: a\nb", true},
		{TEXT_OTHER, "a\x01", false},
		{TEXT_OTHER, "", false},
	};
	char longest[1025 + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (text_allowed(rows[i].kind, rows[i].text) != rows[i].allowed)
			fail_msg("text %zu: %s", i, rows[i].text);
	(void)memset(longest, 'x', sizeof(longest) - 1);
	longest[1025] = '\0';
	assert_false(text_allowed(TEXT_DISPLAY_NAME, longest));
	assert_true(text_allowed(TEXT_DISPLAY_NAME, longest + 1));
	assert_false(text_allowed(TEXT_USER_NAME, longest + 1025 - 129));
	assert_true(text_allowed(TEXT_USER_NAME, longest + 1025 - 128));
	assert_false(text_allowed(TEXT_EXTERNAL_ID, longest + 1025 - 257));
	assert_true(text_allowed(TEXT_EXTERNAL_ID, longest + 1025 - 256));
}

/* -- fault rules ---------------------------------------------------------------------------------------------------- */

static void test_fault_rules(void **state)
{
	static const struct {
		const char *rule;
		bool ok;
	} rows[] = {
		{"PATCH /Groups every 7 -> status 500 after", true},
		{"* * -> close", true},
		{"GET /Users?filter=userName once -> delay 1500 after", true},
		{"PATCH /Groups first 2 -> status 429 retry-after 3", true},
		{"PATCH /Groups nth 2 -> status 503 http-date 3", true},
		{"* * from 3 -> status 401", true},
		{"PATCH * chance 30 7 -> close after", true},
		{"PATCH * chance 30 -> close", false},
		{"PATCH * chance 101 7 -> close", false},
		{"* * -> html 502", true},
		{"* * -> noop 200", true},
		{"* * -> noop 600", false},
		{"* * -> redirect http://127.0.0.1:1/x", true},
		{"* * -> redirect 308 http://127.0.0.1:1/x", true},
		{"* * -> hang after", true},
		{"  *  *  ->  huge ", true},
		{"patch /Groups -> hang", false},
		{"PATCH Groups -> hang", false},
		{"PATCH -> hang", false},
		{"PATCH /Groups every 0 -> hang", false},
		{"PATCH /Groups every -> hang", false},
		{"PATCH /Groups twice -> hang", false},
		{"PATCH /Groups once hang", false},
		{"PATCH /Groups once ->", false},
		{"PATCH /Groups once -> explode", false},
		{"PATCH /Groups once -> delay", false},
		{"PATCH /Groups once -> delay -1", false},
		{"PATCH /Groups once -> status 99", false},
		{"PATCH /Groups once -> status 429 retry-after", false},
		{"PATCH /Groups once -> html after", false},
		{"PATCH /Groups once -> close now", false},
		{"* * -> redirect", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct errctx ec = {""};
		struct fault fault;

		if ((fault_parse(rows[i].rule, &fault, &ec) == ERR_OK) != rows[i].ok)
			fail_msg("rule %s: %s", rows[i].rule, ec.text);
		assert_true(rows[i].ok || ec.text[0] != '\0');
	}
}

/* Plays ten equal requests through the rules: one letter each, '-' where no rule acts. */
static void play(const char *const rules[], const char *method, const char *target, char out[11])
{
	struct faults faults = {0};

	for (size_t i = 0; rules[i] != NULL; i++)
		assert_int_equal(faults_add(&faults, rules[i], NULL), ERR_OK);
	for (int i = 0; i < 10; i++) {
		const struct fault *fault = faults_pick(&faults, method, target);

		out[i] = fault == NULL ? '-' : strrchr(fault->text, ' ')[1];
	}
	out[10] = '\0';
}

static void test_fault_order(void **state)
{
	static const struct {
		const char *rules[4];
		const char *method, *target, *expected;
	} rows[] = {
		{{"PATCH /Groups -> close"}, "PATCH", "/Groups/1", "cccccccccc"},
		{{"PATCH /Groups -> close"}, "GET", "/Groups/1", "----------"},
		{{"PATCH /Groups -> close"}, "PATCH", "/Users/1", "----------"},
		{{"* /Groups?filter=id -> hang"}, "GET", "/Groups?filter=displayName", "----------"},
		{{"* * once -> hang"}, "GET", "/", "h---------"},
		{{"* * first 3 -> hang"}, "GET", "/", "hhh-------"},
		{{"* * nth 3 -> hang"}, "GET", "/", "--h-------"},
		{{"* * every 4 -> hang"}, "GET", "/", "---h---h--"},
		{{"* * from 9 -> hang"}, "GET", "/", "--------hh"},
		{{"* * once -> hang", "* * once -> close", "* * nth 2 -> noop"}, "GET", "/", "hc-n------"},
		{{"* * every 2 -> hang", "* * every 2 -> close"}, "GET", "/", "-hch-hch-h"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char played[11];

		play(rows[i].rules, rows[i].method, rows[i].target, played);
		if (strcmp(played, rows[i].expected) != 0)
			fail_msg("row %zu: %s instead of %s", i, played, rows[i].expected);
	}
}

static void test_fault_answers(void **state)
{
	static const struct {
		const char *rule;
		bool applies;
		int status;
		const char *retry_after, *body;
	} rows[] = {
		{"* * -> delay 1", true, 200, "", "{\"a\":\"b\"}"},
		{"* * -> close", false, 200, "", "{\"a\":\"b\"}"},
		{"* * -> close after", true, 200, "", "{\"a\":\"b\"}"},
		{"* * -> status 429 retry-after 7", false, 429, "7", NULL},
		{"* * -> status 503 http-date 2 after", true, 503, "Thu, 01 Jan 1970 00:00:03 GMT", NULL},
		{"* * -> truncate", true, 200, "", "{\"a\""},
		{"* * -> redirect http://x/", false, 307, "", "{\"a\":\"b\"}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct answer answer;
		struct fault fault;

		assert_int_equal(fault_parse(rows[i].rule, &fault, NULL), ERR_OK);
		answer_init(&answer);
		answer.status = 200;
		buf_adds(&answer.body, "{\"a\":\"b\"}");
		fault_spoil(&fault, &answer, 1999);
		assert_int_equal(fault_applies(&fault), rows[i].applies);
		assert_int_equal(answer.status, rows[i].status);
		assert_string_equal(answer.retry_after, rows[i].retry_after);
		if (rows[i].body != NULL)
			assert_string_equal(buf_text(&answer.body), rows[i].body);
		answer_release(&answer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),     cmocka_unit_test(test_targets),
		cmocka_unit_test(test_texts),       cmocka_unit_test(test_fault_rules),
		cmocka_unit_test(test_fault_order), cmocka_unit_test(test_fault_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
