/*
 * X-Forwarded-For as anybody may write it, a line for each field: who is believed to call is the peer itself, or an address
 * in its canonical form that is no proxy of ours. Of what stands before a believed address nothing matters.
 */
#include <arpa/inet.h>
#include <string.h>

#include "server/proxies.h"
#include "tests/fuzz/fuzz.h"

#define PEER "10.0.0.1"
#define MORE ", 192.0.2.7, 10.1.2.3"

static const char *const words[] = {"unix", "10.0.0.0/8", "2001:db8::/32", "::1"};

static void check_caller(const struct proxies *proxies, const char caller[PEER_SIZE])
{
	unsigned char bytes[16];
	char again[PEER_SIZE];

	REQUIRE(memchr(caller, '\0', PEER_SIZE) != NULL);
	if (strcmp(caller, PEER) == 0)
		return;
	int family = strchr(caller, ':') != NULL ? AF_INET6 : AF_INET;
	REQUIRE(inet_pton(family, caller, bytes) == 1);
	REQUIRE(inet_ntop(family, bytes, again, sizeof(again)) != NULL && strcmp(again, caller) == 0);
	REQUIRE(!proxies_trust(proxies, caller));
}

/* Follows each line of the text, which is cut up by that. */
static void follow_lines(const struct proxies *proxies, char *text)
{
	char caller[PEER_SIZE] = PEER, *rest = text, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		proxies_follow(proxies, line, PEER, caller);
		check_caller(proxies, caller);
	}
	/* What our own proxies have added stands behind whatever came. */
	proxies_follow(proxies, "192.0.2.7, 10.1.2.3", PEER, caller);
	REQUIRE(strcmp(caller, "192.0.2.7") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxies *proxies = proxies_new(words, sizeof(words) / sizeof(words[0]));
	char *text = malloc(size + sizeof(MORE)), caller[PEER_SIZE] = PEER;

	REQUIRE(proxies != NULL && text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	/* The same in one field. */
	size_t len = strlen(text);
	memcpy(text + len, MORE, sizeof(MORE));
	proxies_follow(proxies, text, PEER, caller);
	REQUIRE(strcmp(caller, "192.0.2.7") == 0);
	text[len] = '\0';
	follow_lines(proxies, text);
	proxies_free(proxies);
	free(text);
	return 0;
}
