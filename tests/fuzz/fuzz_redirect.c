/*
 * Where a redirect leads: the input is the value of a Location header, as it stands. What is followed begins with this
 * server's own scheme, host and port, and names no user: the token goes nowhere else. That is judged by the text alone,
 * not by another reading of the address.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "http/http_redirect.h"
#include "tests/fuzz/fuzz.h"

static const struct {
	const char *url;      /* of the request */
	const char *roots[3]; /* what every address on that server begins with */
} servers[] = {
	{"https://scim.example.com/scim/v2/Users?filter=a", {"https://scim.example.com", NULL}},
	{"https://scim.example.com:8443/v2/Groups/1", {"https://scim.example.com:8443", NULL}},
	{"http://127.0.0.1:8080/Users", {"http://127.0.0.1:8080", NULL}},
	{"https://[::1]:8443/Users", {"https://[::1]:8443", NULL}},
	{"https://[fe80::1%25one]/Users", {"https://[fe80::1%25one]", NULL}},
	{"http://scim.example.com:80/Users", {"http://scim.example.com:80", "http://scim.example.com", NULL}},
};

/* The path, the query or nothing follows; a port that is the scheme's may stand there. */
static int ends_there(const char *rest, const char *scheme)
{
	const char *port = strncasecmp(scheme, "https", 5) == 0 ? ":443" : ":80";

	if (strncmp(rest, port, strlen(port)) == 0)
		rest += strlen(port);
	return *rest == '\0' || *rest == '/' || *rest == '?';
}

static int is_on(const char *const *roots, const char *target)
{
	for (; *roots != NULL; roots++)
		if (strncasecmp(target, *roots, strlen(*roots)) == 0 &&
		    ends_there(target + strlen(*roots), *roots))
			return 1;
	return 0;
}

static void check(const char *const *roots, const char *url, const char *location)
{
	char *target = http_redirect_target(url, location);

	if (target == NULL)
		return;
	REQUIRE(is_on(roots, target));
	REQUIRE(strchr(target, '#') == NULL);
	for (const char *c = target; *c != '\0'; c++)
		REQUIRE(!iscntrl((unsigned char)*c) && *c != ' ');
	free(target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *location = malloc(size + 1);

	REQUIRE(location != NULL);
	if (size > 0)
		memcpy(location, data, size);
	location[size] = '\0';
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		check(servers[i].roots, servers[i].url, location);
	free(location);
	return 0;
}
