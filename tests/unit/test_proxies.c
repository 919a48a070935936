/*
 * Whose request it is, when a balancer has brought it. Broken on purpose: the first address of the list instead of the last
 * unknown one, a list believed from anybody, what stands before a word that is no address.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/proxies.h"
#include "base/prefix.h"
#include "tests/support/loop_server.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static void prefixes(void **state)
{
	static const struct {
		const char *prefix, *inside, *outside; /* no inside: it is no prefix */
	} rows[] = {
		{"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
		{"10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"},
		{"192.0.2.4", "192.0.2.4", "192.0.2.5"},
		{"192.0.2.4/30", "192.0.2.7", "192.0.2.8"},
		{"192.0.2.4/31", "192.0.2.5", "192.0.2.6"},
		{"192.0.2.4/32", "192.0.2.4", "192.0.2.5"},
		{"0.0.0.0/0", "255.1.2.3", "2001:db8::1"},
		{"::/0", "1.2.3.4", NULL},
		{"2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"},
		{"2001:db8::1", "2001:db8::1", "2001:db8::2"},
		{"2001:db8::1/128", "2001:db8:0::1", "2001:db8::"},
		{"10.0.0.1/8", NULL, NULL},
		{"10.0.0.0/", NULL, NULL},
		{"10.0.0.0/33", NULL, NULL},
		{"10.0.0.0/0008", NULL, NULL},
		{"10.0.0.0/+8", NULL, NULL},
		{"10.0.0.0/8 ", NULL, NULL},
		{"10.0.0/8", NULL, NULL},
		{"010.0.0.0/8", NULL, NULL},
		{"::/129", NULL, NULL},
		{"::1/64", NULL, NULL},
		{"/8", NULL, NULL},
		{"", NULL, NULL},
		{"balancer", NULL, NULL},
		{"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa/8", NULL, NULL},
	};
	unsigned char bytes[ADDRESS_BYTES];
	struct prefix prefix;

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		if (prefix_read(rows[i].prefix, &prefix) != (rows[i].inside != NULL))
			fail_msg("%s", rows[i].prefix);
		if (rows[i].inside != NULL &&
		    (!address_read(rows[i].inside, bytes) || !prefix_holds(&prefix, bytes)))
			fail_msg("%s in %s", rows[i].inside, rows[i].prefix);
		if (rows[i].outside != NULL &&
		    (!address_read(rows[i].outside, bytes) || prefix_holds(&prefix, bytes)))
			fail_msg("%s not in %s", rows[i].outside, rows[i].prefix);
	}
}

struct row {
	const char *fields, *from, *base;
};

/* Sends each row's fields to a server before which these proxies stand. */
static void ask(const char *const *words, size_t count, const struct row *rows, size_t row_count)
{
	static struct loop_server server;
	static struct client client;
	static struct answer answer;
	struct server_options options = loop_server_options();
	struct proxies *proxies = proxies_new(words, count);
	char text[1024];

	assert_non_null(proxies);
	options.proxies = proxies;
	loop_server_start(&server, &options);
	for (size_t i = 0; i < row_count; i++) {
		snprintf(text, sizeof(text), "GET /a HTTP/1.1\r\nHost: jit.test\r\n%s\r\n", rows[i].fields);
		client_open(&client, &server);
		client_send(&client, text);
		client_read(&client, &answer, false);
		assert_int_equal(answer.status, 200);
		snprintf(text, sizeof(text), "from %s\nbase %s\n", rows[i].from, rows[i].base);
		if (strstr(answer.body, text) == NULL)
			fail_msg("%s is not %s, but %s", rows[i].fields, text, answer.body);
		client_close(&client);
	}
	loop_server_stop(&server);
	proxies_free(proxies);
}

#define HTTP  "http://jit.test"
#define HTTPS "https://jit.test"
#define FOR   "X-Forwarded-For: "

static void behind_balancers(void **state)
{
	static const char *const words[] = {"10.0.0.0/8", "127.0.0.1", "2001:db8:1::/48"};
	static const struct row rows[] = {
		{"", "127.0.0.1", HTTP},
		{FOR "192.0.2.7\r\n", "192.0.2.7", HTTP},
		{FOR "192.0.2.7\r\nX-Forwarded-Proto: https\r\n", "192.0.2.7", HTTPS},
		{FOR "192.0.2.7\r\nX-Forwarded-Proto: http\r\n", "192.0.2.7", HTTP},
		/* The caller's own words stand first. */
		{FOR "198.51.100.1, 192.0.2.7\r\n", "192.0.2.7", HTTP},
		{FOR "198.51.100.1\r\n" FOR "192.0.2.7\r\n", "192.0.2.7", HTTP},
		{"x-forwarded-for:  198.51.100.1 ,\t192.0.2.7 , 10.1.2.3\r\n", "192.0.2.7", HTTP},
		{FOR "192.0.2.7\r\n" FOR "10.1.2.3, 2001:db8:1::5\r\n", "192.0.2.7", HTTP},
		{FOR "2001:db8:2::1\r\n", "2001:db8:2::1", HTTP},
		{FOR "[2001:DB8:2::1]:443\r\n", "2001:db8:2::1", HTTP},
		{FOR "192.0.2.7:50123\r\n", "192.0.2.7", HTTP},
		{FOR "::ffff:192.0.2.7\r\n", "192.0.2.7", HTTP},
		{FOR "10.1.2.3\r\n", "127.0.0.1", HTTP},
		/* Nothing before what cannot be read is believed. */
		{FOR "192.0.2.7, unknown\r\n", "127.0.0.1", HTTP},
		{FOR "192.0.2.7,\r\n", "127.0.0.1", HTTP},
		{FOR "192.0.2.7 192.0.2.8\r\n", "127.0.0.1", HTTP},
		{FOR "\r\n", "127.0.0.1", HTTP},
		{FOR "192.0.2.7, 1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd\r\n",
		 "127.0.0.1", HTTP},
		{FOR "unknown, 192.0.2.7\r\n", "192.0.2.7", HTTP},
	};

	(void)state;
	ask(words, LEN(words), rows, LEN(rows));
}

static void from_anybody(void **state)
{
	static const char *const words[] = {"10.0.0.0/8", "unix"};
	static const struct row rows[] = {
		{FOR "192.0.2.7\r\nX-Forwarded-Proto: https\r\n", "127.0.0.1", HTTP},
	};

	(void)state;
	ask(words, LEN(words), rows, LEN(rows));
	ask(NULL, 0, rows, LEN(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes),
		cmocka_unit_test(behind_balancers),
		cmocka_unit_test(from_anybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
