/* Which addresses belong to the public network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "http/http_guard.h"

static bool is_public(const char *text)
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
		return http_guard_is_public((struct sockaddr *)&four);
	assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
	return http_guard_is_public((struct sockaddr *)&six);
}

static void test_addresses(void **state)
{
	static const char *const ours[] = {
		"0.0.0.0",
		"10.0.0.1",
		"10.255.255.255",
		"100.64.0.1",
		"100.127.255.255",
		"127.0.0.1",
		"127.255.255.255",
		"169.254.169.254",
		"172.16.0.1",
		"172.31.255.255",
		"192.0.0.170",
		"192.0.2.1",
		"192.168.1.1",
		"198.18.0.1",
		"198.19.255.255",
		"198.51.100.1",
		"203.0.113.5",
		"224.0.0.1",
		"239.255.255.255",
		"240.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"fc00::1",
		"fdff::1",
		"fe80::1",
		"fec0::1",
		"ff02::1",
		"::ffff:10.0.0.1",
		"::ffff:127.0.0.1",
		"64:ff9b::10.0.0.1",
		"2002:7f00:1::",
		"2002:a00:1::",
		"2001::1",
		"2001:db8::1",
		"::127.0.0.1",
		"4000::1",
	};
	static const char *const theirs[] = {
		"1.1.1.1",        "9.255.255.255",    "11.0.0.0",        "100.63.255.255", "100.128.0.0",
		"126.0.0.1",      "128.0.0.1",        "169.253.255.255", "169.255.0.0",    "172.15.255.255",
		"172.32.0.0",     "192.0.1.1",        "192.167.255.255", "192.169.0.0",    "198.17.255.255",
		"198.20.0.0",     "223.255.255.255",  "2001:4860::8888", "2600::1",        "2a00::1",
		"::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::",  "3fff:1::1",
	};
	struct sockaddr_un local = {.sun_family = AF_UNIX};

	(void)state;
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (is_public(ours[i]))
			fail_msg("%s", ours[i]);
	for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++)
		if (!is_public(theirs[i]))
			fail_msg("%s", theirs[i]);
	assert_false(http_guard_is_public((struct sockaddr *)&local));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_addresses)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
