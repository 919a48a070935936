/* JSON from outside: what is accepted, what is refused and where, and what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Parses a copy of exactly that many bytes, so that a sanitizer sees every byte read behind the end. */
static enum err parse_bytes(const char *bytes, size_t len, cJSON **out, struct errctx *ec)
{
	char *copy = malloc(len > 0 ? len : 1);
	enum err err;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	err = json_parse(copy, len, out, ec);
	free(copy);
	return err;
}

static enum err parse_text(const char *text, cJSON **out, struct errctx *ec)
{
	return parse_bytes(text, strlen(text), out, ec);
}

static void test_accepted(void **state)
{
	static const struct {
		const char *text;
		const char *printed;
	} rows[] = {
		{"{}", "{}"},
		{" [ ] \r\n\t", "[]"},
		{"null", "null"},
		{"true", "true"},
		{"false", "false"},
		{"\"\"", "\"\""},
		{"0", "0"},
		{"-0.5e+1", "-5"},
		{"1e15", "1e+15"},
		{"-1000000000000000", "-1e+15"},
		{"1e-400", "0"},
		{"0.5000000000000000000000000000", "0.5"}, /* 30 characters */
		{"0.1", "0.1"},
		{"{\"a\":1,\"b\":[{},[],{\"a\":2}],\"c\":{\"a\":3}}",
		 "{\"a\":1,\"b\":[{},[],{\"a\":2}],\"c\":{\"a\":3}}"},
		{"[[],[[]],{}]", "[[],[[]],{}]"},
		{"[{\"a\":1},{\"a\":2}]", "[{\"a\":1},{\"a\":2}]"},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
		{"\"\\u00e9\\u20AC\\ud83d\\uDD11\"", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91\""},
		{"\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91\x7F\"",
		 "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91\x7F\""},
		{"\"\\u0001\"", "\"\\u0001\""},
		{"{\"\":1}", "{\"\":1}"},
		{"{\"a\":1,\"\\u00e9\":2,\"\\u00c9\":3}", "{\"a\":1,\"\xC3\xA9\":2,\"\xC3\x89\":3}"},
		{"[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct errctx ec = {.text = ""};
		struct buf b;
		cJSON *root = NULL;

		if (parse_text(rows[i].text, &root, &ec))
			fail_msg("%s: %s", rows[i].text, ec.text);
		buf_init(&b, 1000);
		json_add_value(&b, root);
		assert_string_equal(buf_text(&b), rows[i].printed);
		buf_release(&b);
		cJSON_Delete(root);
	}
}

static const struct {
	const char *text;
	const char *why; /* part of the reason */
} refused[] = {
	{"", "value expected at byte 1"},
	{"   ", "value expected at byte 4"},
	{"\xEF\xBB\xBF{}", "value expected at byte 1"},
	{"{} {}", "something follows the value at byte 4"},
	{"nullx", "something follows"},
	{"nul", "value expected"},
	{"True", "value expected"},
	{"NaN", "value expected"},
	{"'a'", "value expected"},
	{"//x\n1", "value expected"},
	{"\v1", "value expected"},
	{"[1,]", "value expected at byte 4"},
	{"[,1]", "value expected"},
	{"[1 2]", "',' or ']' expected at byte 4"},
	{"[1}", "',' or ']' expected"},
	{"[1", "',' or ']' expected"},
	{"[", "value expected"},
	{"]", "value expected"},
	{"{", "member name expected"},
	{"{\"a\":1,}", "member name expected at byte 8"},
	{"{a:1}", "member name expected"},
	{"{1:1}", "member name expected"},
	{"{\"a\"}", "':' expected"},
	{"{\"a\" 1}", "':' expected"},
	{"{\"a\":}", "value expected"},
	{"{\"a\":1]", "',' or '}' expected"},
	{"{\"a\":1 \"b\":2}", "',' or '}' expected"},
	{"+1", "value expected"},
	{"-", "value expected"},
	{"01", "something follows"},
	{"[01]", "',' or ']' expected"},
	{".5", "value expected"},
	{"1.", "value expected"},
	{"1e", "value expected"},
	{"1e+", "value expected"},
	{"0x10", "something follows"},
	{"1e400", "number is too large"},
	{"-1e16", "number is too large"},
	{"1000000000000001", "number is too large"},
	{"-1000000000000001", "number is too large"},
	{"0.00000000000000000000000000001", "too many digits"}, /* 31 characters */
	{"1.000000000000000000000000000000", "too many digits"},
	{"0.00000000000000000000000000000000000000001", "too many digits"},
	{"\"a", "string does not end"},
	{"\"a\\\"", "string does not end"},
	{"\"\\", "unknown escape"},
	{"\"\\x41\"", "unknown escape"},
	{"\"\\u12", "four hexadecimal digits"},
	{"\"\\u12g4\"", "four hexadecimal digits"},
	{"\"a\nb\"", "control character in a string at byte 3"},
	{"\"\x1f\"", "control character"},
	{"\"\\u0000\"", "\\u0000 is not accepted"},
	{"{\"a\\u0000\":1}", "\\u0000 is not accepted"},
	{"\"\\ud800\"", "lone surrogate"},
	{"\"\\ud800x\"", "lone surrogate"},
	{"\"\\ud800\\n\"", "lone surrogate"},
	{"\"\\ud800\\u0041\"", "lone surrogate"},
	{"\"\\ud800\\ud800\"", "lone surrogate"},
	{"\"\\ud800\\u\"", "lone surrogate"},
	{"\"\\udc00\"", "lone surrogate"},
	{"\"\\udc00\\udc00\"", "lone surrogate"},
	{"\"\\ud800\\ue000\"", "lone surrogate"},
	{"\"\\udc00\\ud800\"", "lone surrogate"},
	{"\"\xC3\"", "invalid UTF-8"},
	{"\"\x80\"", "invalid UTF-8"},
	{"\"\xC0\xAF\"", "invalid UTF-8"},
	{"\"\xED\xA0\x80\"", "invalid UTF-8"},
	{"\"\xF4\x90\x80\x80\"", "invalid UTF-8"},
	{"{\"\xFF\":1}", "invalid UTF-8"},
	{"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "nested too deep at byte 18"},
	{"{\"a\":1,\"a\":1}", "\"a\" comes twice"},
	{"{\"a\":1,\"b\":2,\"A\":3}", "comes twice"},
	{"{\"a\":1,\"\\u0061\":2}", "\"a\" comes twice"},
	{"{\"a\":1,\"\\u0041\":2}", "comes twice"},
	{"{\"\":1,\"\":2}", "\"\" comes twice"},
	{"{\"x\":[1,{\"y\":{\"b\":1,\"c\":{},\"b\":null}}]}", "\"b\" comes twice"},
	{"[[[1]],{\"d\":1,\"d\":2}]", "\"d\" comes twice"},
	{"[{\"a\":{}},{\"d\":{},\"d\":{}}]", "\"d\" comes twice"},
	{"{\"a\":{\"q\":1},\"z\":[[]],\"a\":2}", "\"a\" comes twice"},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct errctx ec = {.text = ""};
		cJSON *root = NULL;
		enum err err = parse_text(refused[i].text, &root, &ec);

		if (err != ERR_BAD_REQUEST || root || !strstr(ec.text, refused[i].why))
			fail_msg("%s: error %d, %s", refused[i].text, (int)err, ec.text);
	}
}

static void test_nul_bytes(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {{"\0", 1},   {"1\0", 2},      {"{}\0", 3}, {"\"a\0\"", 4},
		    {"[\0]", 3}, {"\"\\\0\"", 4}, {"-\0", 2}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cJSON *root = NULL;

		assert_int_equal(parse_bytes(rows[i].bytes, rows[i].len, &root, NULL), ERR_BAD_REQUEST);
		assert_null(root);
	}
}

/* Of a valid text no shorter part is valid, and none is read beyond its end. */
static void test_every_prefix(void **state)
{
	static const char text[] = "{\"a\":[1.5e+3,true,false,null,\"\\ud83d\\udd11\xC3\xA9\\n\"],\"b\":{}}";
	cJSON *root = NULL;

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++)
		assert_int_equal(parse_bytes(text, len, &root, NULL), ERR_BAD_REQUEST);
	assert_int_equal(parse_bytes(text, sizeof(text) - 1, &root, NULL), ERR_OK);
	cJSON_Delete(root);
}

/* {"<prefix>0":0,"<prefix>1":0,…}, with `last` as the last name. */
static void write_members(struct buf *b, size_t count, const char *prefix, const char *last)
{
	buf_adds(b, "{");
	for (size_t i = 0; i + 1 < count; i++)
		buf_addf(b, "\"%s%zu\":0,", prefix, i);
	buf_addf(b, "\"%s\":0}", last);
	assert_false(buf_failed(b));
}

static void test_number_of_values(void **state)
{
	struct errctx ec = {.text = ""};
	struct buf b;
	cJSON *root = NULL;

	(void)state;
	buf_init(&b, 1 << 20);
	write_members(&b, JSON_VALUES - 1, "m", "last");
	assert_int_equal(parse_bytes(b.data, b.len, &root, &ec), ERR_OK);
	assert_int_equal(cJSON_GetArraySize(root), JSON_VALUES - 1);
	cJSON_Delete(root);
	root = NULL;

	buf_clear(&b);
	write_members(&b, JSON_VALUES, "m", "last");
	assert_int_equal(parse_bytes(b.data, b.len, &root, &ec), ERR_BAD_REQUEST);
	assert_non_null(strstr(ec.text, "too many values"));
	assert_null(root);
	buf_release(&b);
}

/* Comparing each name with each other would take more than ten seconds of the processor here. */
static void test_many_members_take_no_long_time(void **state)
{
	struct errctx ec = {.text = ""};
	char prefix[301];
	struct buf b;
	cJSON *root = NULL;
	clock_t start;

	(void)state;
	memset(prefix, 'p', sizeof(prefix) - 1);
	prefix[sizeof(prefix) - 1] = '\0';
	buf_init(&b, 10 << 20);
	write_members(&b, JSON_VALUES - 1, prefix, "M0");
	start = clock();
	assert_int_equal(parse_bytes(b.data, b.len, &root, &ec), ERR_OK);
	assert_true((clock() - start) / CLOCKS_PER_SEC < 5);
	cJSON_Delete(root);
	root = NULL;

	buf_clear(&b);
	write_members(&b, JSON_VALUES - 1, "m", "M19");
	assert_int_equal(parse_bytes(b.data, b.len, &root, &ec), ERR_BAD_REQUEST);
	assert_non_null(strstr(ec.text, "comes twice"));
	buf_release(&b);
}

/* A million brackets are refused at the seventeenth. */
static void test_deep_nesting(void **state)
{
	struct errctx ec = {.text = ""};
	size_t len = 1000000;
	char *text = malloc(len);
	cJSON *root = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, '[', len);
	assert_int_equal(json_parse(text, len, &root, &ec), ERR_BAD_REQUEST);
	assert_string_equal(ec.text, "JSON: nested too deep at byte 18");
	free(text);
}

static void test_string_member(void **state)
{
	cJSON *root = NULL;

	(void)state;
	assert_int_equal(parse_text("{\"a\":\"x\",\"n\":1,\"z\":null,\"o\":{\"a\":\"y\"}}", &root, NULL),
			 ERR_OK);
	assert_string_equal(json_string(root, "a"), "x");
	assert_null(json_string(root, "A"));
	assert_null(json_string(root, "n"));
	assert_null(json_string(root, "z"));
	assert_null(json_string(root, "missing"));
	assert_null(json_string(NULL, "a"));
	cJSON_Delete(root);
}

static void test_written_strings(void **state)
{
	static const struct {
		const char *text;
		const char *written;
	} rows[] = {
		{"", "\"\""},
		{"plain", "\"plain\""},
		{"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
		{"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
		{"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
		{"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91\""},
		{"a\xFFz", "\"a\xEF\xBF\xBDz\""},
		{"\xC3", "\"\xEF\xBF\xBD\""},
		{"\xC3\"", "\"\xEF\xBF\xBD\\\"\""},
		{"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf b;

		buf_init(&b, 100);
		json_add_string(&b, rows[i].text);
		assert_string_equal(buf_text(&b), rows[i].written);
		buf_release(&b);
	}
}

/* Every byte that may stand in a C string is written so that it can be read again. */
static void test_every_byte(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char text[3] = {'x', (char)c, '\0'};
		struct buf b;
		cJSON *root = NULL;

		buf_init(&b, 100);
		json_add_string(&b, text);
		assert_int_equal(json_parse(b.data, b.len, &root, NULL), ERR_OK);
		assert_string_equal(root->valuestring, c < 128 ? text : "x\xEF\xBF\xBD");
		cJSON_Delete(root);
		buf_release(&b);
	}
}

/* -- failing memory ---------------------------------------------------------------------------------------- */

static int allocations_left;

static void *failing_malloc(size_t size)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	return malloc(size);
}

static void fail_after(int allocations)
{
	cJSON_Hooks hooks = {.malloc_fn = failing_malloc, .free_fn = free};

	allocations_left = allocations;
	cJSON_InitHooks(&hooks);
}

/* The first, second, … allocation fails; nothing may leak, and only then may the error be ERR_NOMEM. */
static void test_no_memory_for_parsing(void **state)
{
	static const char text[] = "{\"a\":[1,\"two\",{\"b\":null}],\"c\":{\"d\":\"e\"}}";
	int failed = 0;
	enum err err;

	(void)state;
	for (;; failed++) {
		cJSON *root = NULL;

		fail_after(failed);
		err = json_parse(text, sizeof(text) - 1, &root, NULL);
		cJSON_InitHooks(NULL);
		if (err == ERR_OK) {
			cJSON_Delete(root);
			break;
		}
		assert_int_equal(err, ERR_NOMEM);
		assert_null(root);
	}
	assert_in_range(failed, 10, 30);
}

static void test_no_memory_for_printing(void **state)
{
	cJSON *root = NULL;
	struct buf b;

	(void)state;
	assert_int_equal(parse_text("[\"text\"]", &root, NULL), ERR_OK);
	buf_init(&b, 100);
	fail_after(0);
	json_add_value(&b, root);
	cJSON_InitHooks(NULL);
	assert_true(buf_failed(&b));
	buf_clear(&b);
	json_add_value(&b, root);
	assert_string_equal(buf_text(&b), "[\"text\"]");
	buf_release(&b);

	buf_init(&b, 7);
	json_add_value(&b, root);
	assert_true(buf_failed(&b));
	buf_release(&b);
	cJSON_Delete(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nul_bytes),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_number_of_values),
		cmocka_unit_test(test_many_members_take_no_long_time),
		cmocka_unit_test(test_deep_nesting),
		cmocka_unit_test(test_string_member),
		cmocka_unit_test(test_written_strings),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_no_memory_for_parsing),
		cmocka_unit_test(test_no_memory_for_printing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
