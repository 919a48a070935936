#include "server/proxies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "base/prefix.h"

struct proxies {
	bool socket;
	size_t count;
	struct prefix list[];
};

static bool is_socket(const char *word)
{
	return strcmp(word, "unix") == 0;
}

struct proxies *proxies_new(const char *const *words, size_t count)
{
	struct proxies *proxies = calloc(1, sizeof(*proxies) + count * sizeof(proxies->list[0]));

	if (proxies == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (is_socket(words[i]))
			proxies->socket = true;
		else if (prefix_read(words[i], &proxies->list[proxies->count]))
			proxies->count++;
	}
	return proxies;
}

void proxies_free(struct proxies *proxies)
{
	free(proxies);
}

static bool holds(const struct proxies *proxies, const unsigned char bytes[ADDRESS_BYTES])
{
	for (size_t i = 0; i < proxies->count; i++)
		if (prefix_holds(&proxies->list[i], bytes))
			return true;
	return false;
}

bool proxies_trust(const struct proxies *proxies, const char *peer)
{
	unsigned char bytes[ADDRESS_BYTES];

	return is_socket(peer) ? proxies->socket : address_read(peer, bytes) && holds(proxies, bytes);
}

/* Takes away what some write around an address: a port, and the brackets that it needs. */
static void strip_port(char *text)
{
	char *colon = strchr(text, ':'), *bracket = strchr(text, ']');

	if (text[0] == '[' && bracket != NULL) {
		*bracket = '\0';
		memmove(text, text + 1, strlen(text + 1) + 1);
	} else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
		*colon = '\0';
	}
}

static void follow_one(const struct proxies *proxies, char *text, const char *peer, char caller[PEER_SIZE])
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	unsigned char bytes[ADDRESS_BYTES];

	strip_port(text);
	if (!address_read(text, bytes)) {
		snprintf(caller, PEER_SIZE, "%s", peer);
	} else if (!holds(proxies, bytes)) {
		bool four = memcmp(bytes, mapped, sizeof(mapped)) == 0;
		inet_ntop(four ? AF_INET : AF_INET6, bytes + (four ? sizeof(mapped) : 0), caller, PEER_SIZE);
	}
}

void proxies_follow(const struct proxies *proxies, const char *field, const char *peer,
		    char caller[PEER_SIZE])
{
	char text[PEER_SIZE + sizeof("[]:65535")];

	while (field != NULL) {
		field += strspn(field, " \t");
		size_t len = strcspn(field, ",");
		while (len > 0 && (field[len - 1] == ' ' || field[len - 1] == '\t'))
			len--;
		/* What is longer is cut, and then no address. */
		snprintf(text, sizeof(text), "%.*s", (int)(len < sizeof(text) ? len : 0), field);
		follow_one(proxies, text, peer, caller);
		field = strchr(field, ',');
		field = field != NULL ? field + 1 : NULL;
	}
}
