/* Request targets, hosts, names and values of fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/target.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

static void test_paths(void **state)
{
	static const struct {
		const char *target, *path; /* NULL = refused */
	} rows[] = {
		{"/", "/"},
		{"/v1.0/me", "/v1.0/me"},
		{"/a%20b", "/a b"},
		{"/a+b", "/a+b"},
		{"/f(on='principal')", "/f(on='principal')"},
		{"/f%28on%3D%27principal%27%29", "/f(on='principal')"},
		{"/%C3%A4", "/\xc3\xa4"},
		{"/%2e%2E", "/.."},
		{"/%2541", "/%41"}, /* decoded once */
		{"/a?b=/", "/a"},
		{"http://host/x", "/x"},
		{"HTTPS://host:8443/x?y=1", "/x"},
		{"http://host", "/"},
		{"http://host?x=1", "/"},
		{"", NULL},
		{"*", NULL},
		{"host:443", NULL},
		{"a/b", NULL},
		{"?x=1", NULL},
		{"ftp://host/x", NULL},
		{"/%00", NULL},
		{"/a%0", NULL},
		{"/a%", NULL},
		{"/a%zz", NULL},
		{"/a%4", NULL},
		{"/a%g0", NULL},
		{"/a%2Fb", NULL},
		{"/a%2fb", NULL},
		{"/a%0Ab", NULL},
		{"/a%7F", NULL},
		{"/a b", NULL},
		{"/a#b", NULL},
		{"/\xc3\xa4", NULL},
		{"/%C3", NULL},
		{"/%C0%AF", NULL},
		{"/%ED%A0%80", NULL},
		{"/%FF", NULL},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct target t;
		char text[128];
		const char *why;

		snprintf(text, sizeof(text), "%s", rows[i].target);
		why = target_parse(text, &t);
		if ((why == NULL) != (rows[i].path != NULL))
			fail_msg("\"%s\": %s", rows[i].target, why ? why : "accepted");
		assert_string_equal(t.path, rows[i].path ? rows[i].path : "/");
	}
}

static void test_authority(void **state)
{
	char absolute[] = "http://Host.example:8080/x?a=b", plain[] = "/http://host/";
	struct target t;

	(void)state;
	assert_null(target_parse(absolute, &t));
	assert_string_equal(t.authority, "Host.example:8080");
	assert_string_equal(t.path, "/x");
	assert_int_equal(t.count, 1);
	assert_null(target_parse(plain, &t));
	assert_null(t.authority);
}

/* What a query comes to, as "name=value;name=value;", or "refused". */
static void print_query(const char *query, char *out, size_t size)
{
	struct target t;
	char text[512];
	size_t at = 0;

	snprintf(text, sizeof(text), "/?%s", query);
	out[0] = '\0';
	if (target_parse(text, &t)) {
		assert_int_equal(t.count, 0);
		snprintf(out, size, "refused");
		return;
	}
	for (size_t i = 0; i < t.count; i++)
		at += (size_t)snprintf(out + at, size - at, "%s=%s;", t.params[i].name, t.params[i].value);
}

static void test_queries(void **state)
{
	static const struct {
		const char *query, *want;
	} rows[] = {
		{"", ""},
		{"a=1", "a=1;"},
		{"a=1&b=2", "a=1;b=2;"},
		{"a", "a=;"},
		{"a=", "a=;"},
		{"a==b", "a==b;"},
		{"&&a=1&", "a=1;"},
		{"a=x+y%2Bz", "a=x y+z;"},
		{"a+b=1", "a b=1;"},
		{"$filter=groupId%20eq%20%27g%26h%27&$top=5", "$filter=groupId eq 'g&h';$top=5;"},
		{"%24top=5", "$top=5;"},
		{"a=%2F?", "a=/?;"},
		{"a=%C3%A4", "a=\xc3\xa4;"},
		{"a=1&a=2", "refused"},
		{"a=1&%61=2", "refused"},
		{"=1", "refused"},
		{"a=%00", "refused"},
		{"a%00b=1", "refused"},
		{"a=%0D%0A", "refused"},
		{"a=%", "refused"},
		{"a=%FF", "refused"},
		{"a=\xff", "refused"},
		{"a=b c", "refused"},
		{"a1&a2&a3&a4&a5&a6&a7&a8&a9&b1&b2&b3&b4&b5&b6&b7",
		 "a1=;a2=;a3=;a4=;a5=;a6=;a7=;a8=;a9=;b1=;b2=;b3=;b4=;b5=;b6=;b7=;"},
		{"a1&a2&a3&a4&a5&a6&a7&a8&a9&b1&b2&b3&b4&b5&b6&b7&b8", "refused"},
	};
	char got[512];

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		print_query(rows[i].query, got, sizeof(got));
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("\"%s\" gives \"%s\"", rows[i].query, got);
	}
}

static void test_hosts(void **state)
{
	static const struct {
		const char *host;
		bool valid;
	} rows[] = {
		{"localhost", true},
		{"jit.example.com:8443", true},
		{"127.0.0.1:80", true},
		{"[::1]", true},
		{"[::1]:8080", true},
		{"a_b-c.d~", true},
		{"", false},
		{":80", false},
		{"a:", false},
		{"a:80a", false},
		{"a:123456", false},
		{"a b", false},
		{"a/b", false},
		{"user@host", false},
		{"a,b", false},
		{"[::1", false},
		{"[]", false},
		{"[zz]", false},
		{"a\"b", false},
		{"a\n", false},
		{"\xc3\xa4", false},
		{"[::1]x", false},
		{"a<b>", false},
		{"::1", false},
	};
	char large[HOST_MAX + 2];

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		if (target_host_valid(rows[i].host) != rows[i].valid)
			fail_msg("\"%s\"", rows[i].host);
	}
	memset(large, 'a', sizeof(large));
	large[HOST_MAX + 1] = '\0';
	assert_false(target_host_valid(large));
	large[HOST_MAX] = '\0';
	assert_true(target_host_valid(large));
}

static void test_names_and_values(void **state)
{
	(void)state;
	assert_true(target_token_valid("Content-Length", 14));
	assert_true(target_token_valid("X_a.b~!", 7));
	assert_false(target_token_valid("", 0));
	assert_false(target_token_valid("Content-Length ", 15));
	assert_false(target_token_valid("a\0b", 3));
	assert_false(target_token_valid("a:b", 3));
	assert_false(target_token_valid("\xc3\xa4", 2));
	assert_true(target_value_valid("", 0));
	assert_true(target_value_valid("a\tb \xc3\xa4", 6));
	assert_false(target_value_valid("a\nb", 3));
	assert_false(target_value_valid("a\rb", 3));
	assert_false(target_value_valid("a\0b", 3));
	assert_false(target_value_valid("a\x7f", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_authority),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_names_and_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
