/* Addresses, discovery documents and headers of providers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sign-in/discovery.h"
#include "sign-in/max_age.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void test_discovery_documents(void **state)
{
	static const char other[] = "it names another issuer than the configured one";
	static const char address[] = "its jwks_uri is not an https address";
	static const struct {
		const char *issuer, *document, *said; /* said NULL: any refusal */
	} rows[] = {
		{"https://i", "{\"issuer\":\"https://i\",\"jwks_uri\":\"https://k/?a=b\"}", ""},
		{"https://i", "{\"issuer\":\"https://i/\",\"jwks_uri\":\"https://k\"}", other},
		{"https://i/", "{\"issuer\":\"https://i\",\"jwks_uri\":\"https://k\"}", other},
		{"https://i", "{\"issuer\":\"https://evil\",\"jwks_uri\":\"https://k\"}", other},
		{"https://i", "{\"issuer\":[\"https://i\"],\"jwks_uri\":\"https://k\"}", other},
		{"https://i", "{\"jwks_uri\":\"https://k\"}", other},
		{"https://i", "[]", other},
		{"https://i", "{\"issuer\":\"https://i\"}", "it has no jwks_uri"},
		{"https://i", "{\"issuer\":\"https://i\",\"jwks_uri\":1}", "it has no jwks_uri"},
		{"https://i", "{\"issuer\":\"https://i\",\"jwks_uri\":\"http://k\"}", address},
		{"https://i", "{\"issuer\":\"https://i\",\"jwks_uri\":\"http://127.0.0.1/k\"}", address},
		{"https://i", "{\"issuer\":\"https://i\",\"jwks_uri\":\"file:///etc/passwd\"}", address},
		{"https://i", "{\"issuer\":\"https://i\",\"jwks_uri\":\"https://u:p@k\"}", address},
		{"http://[::1]:1", "{\"issuer\":\"http://[::1]:1\",\"jwks_uri\":\"http://127.0.0.1/k\"}", ""},
		{"http://[::1]:1", "{\"issuer\":\"http://[::1]:1\",\"jwks_uri\":\"http://10.0.0.1/k\"}",
		 address},
		{"https://i",
		 "{\"issuer\":\"https://i\",\"issuer\":\"https://i\",\"jwks_uri\":\"https://k\"}", NULL},
		{"https://i", "<html>", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct errctx ec = {.text = ""};
		char *uri = NULL;
		enum err err = discovery_parse(rows[i].document, strlen(rows[i].document), rows[i].issuer,
					       &uri, &ec);

		if ((err == ERR_OK) != (uri != NULL) ||
		    (rows[i].said && strcmp(ec.text, rows[i].said) != 0) ||
		    (err == ERR_OK) != (ec.text[0] == '\0'))
			fail_msg("%s: %s", rows[i].document, ec.text);
		free(uri);
	}
}

static const struct {
	const char *url;
	bool valid, valid_with_loopback;
} addresses[] = {
	{"https://issuer", true, true},
	{"https://issuer:8443/a/b?c=d", true, true},
	{"https://[2001:db8::1]:443/", true, true},
	{"https://issuer:", false, false},
	{"https://issuer:1x", false, false},
	{"https://issuer:123456", false, false},
	{"https://", false, false},
	{"https:///path", false, false},
	{"https://?a", false, false},
	{"https://:80", false, false},
	{"https://user@issuer", false, false},
	{"https://user:word@issuer", false, false},
	{"https://issuer/#part", false, false},
	{"https://issuer/a b", false, false},
	{"https://issuer/\xC3\xA9", false, false},
	{"https://issuer/\x7F", false, false},
	{"https://issuer\\evil", false, false},
	{"HTTPS://issuer", false, false},
	{"ftp://issuer", false, false},
	{"issuer", false, false},
	{"", false, false},
	{"http://issuer", false, false},
	{"http://localhost", false, true},
	{"http://localhost:80/a", false, true},
	{"http://localhost.evil", false, false},
	{"http://127.0.0.1", false, true},
	{"http://127.255.0.1:1", false, true},
	{"http://127.0.0.1.evil", false, false},
	{"http://127.0.0.", false, false},
	{"http://127..0.1", false, false},
	{"http://127.1", false, false},
	{"http://128.0.0.1", false, false},
	{"http://[::1]/", false, true},
	{"http://[::1]:80", false, true},
	{"http://[::1", false, false},
	{"http://[::2]", false, false},
	{"http://localhost@evil", false, false},
	{"http://127.0.0.1:80@evil", false, false},
};

static void test_addresses(void **state)
{
	char long_url[DISCOVERY_URL_MAX + 2];

	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++)
		if (discovery_url_valid(addresses[i].url, false) != addresses[i].valid ||
		    discovery_url_valid(addresses[i].url, true) != addresses[i].valid_with_loopback)
			fail_msg("%s", addresses[i].url);
	snprintf(long_url, sizeof(long_url), "https://%01017d", 0);
	assert_false(discovery_url_valid(long_url, true));
	long_url[DISCOVERY_URL_MAX] = '\0';
	assert_true(discovery_url_valid(long_url, true));
	assert_true(discovery_issuer_valid("https://issuer/tenant"));
	assert_true(discovery_issuer_valid("http://localhost:1"));
	assert_false(discovery_issuer_valid("https://issuer/tenant?a"));
	assert_false(discovery_issuer_valid("http://issuer"));
}

static void test_discovery_address(void **state)
{
	static const struct {
		const char *issuer, *address;
	} rows[] = {
		{"https://i", "https://i/.well-known/openid-configuration"},
		{"https://i/", "https://i/.well-known/openid-configuration"},
		{"https://i/a/v2.0", "https://i/a/v2.0/.well-known/openid-configuration"},
		{"https://i/a/", "https://i/a/.well-known/openid-configuration"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *address = discovery_address(rows[i].issuer);

		assert_string_equal(address, rows[i].address);
		free(address);
	}
}

static void test_max_age(void **state)
{
	static const struct {
		const char *header;
		int64_t ms;
	} rows[] = {
		{NULL, 7},
		{"", 7},
		{",, ,", 7},
		{"public", 7},
		{"max-age=60", 60000},
		{"MAX-AGE=60", 60000},
		{"max-age=\"60\"", 60000},
		{"public,max-age=60", 60000},
		{"max-age=0", 0},
		{"max-age=", 0},
		{"max-age=x", 0},
		{"max-age", 7},
		{"s-maxage=60", 7},
		{"x-max-age=60", 7},
		{"max-age=60, no-cache", 0},
		{"No-Store", 0},
		{"no-cache=\"set-cookie\"", 0},
		{"max-age=99999999999999999999999", 1000000000000},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (max_age_ms(rows[i].header, 7) != rows[i].ms)
			fail_msg("%s", rows[i].header);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_discovery_documents),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_discovery_address),
		cmocka_unit_test(test_max_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
