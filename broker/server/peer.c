/* Where a request comes from: the connection's other end, or whom a balancer there speaks for. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <arpa/inet.h>
#include <microhttpd.h>

#include "server/exchange.h"

static void read_peer(struct exchange *e)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(e->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;
	const void *bytes = NULL;

	if (address && address->sa_family == AF_INET)
		bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
	else if (address && address->sa_family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	if (!bytes || !inet_ntop(address->sa_family, bytes, e->address, sizeof(e->address)))
		snprintf(e->address, sizeof(e->address), "unix");
}

/* Whose request it is, where one of our balancers has brought it, and whether it came to that over TLS. */
static void read_forwarded(struct exchange *e, bool *secure)
{
	const struct proxies *proxies = server_proxies(e->server);
	const char *at = buf_text(&e->headers), *end = at + e->headers.len;
	char peer[PEER_SIZE];

	if (proxies == NULL || !proxies_trust(proxies, e->address))
		return;
	memcpy(peer, e->address, sizeof(peer));
	while (at < end) {
		const char *value = at + strlen(at) + 1;

		if (strcasecmp(at, "X-Forwarded-For") == 0)
			proxies_follow(proxies, value, peer, e->address);
		else if (strcasecmp(at, "X-Forwarded-Proto") == 0)
			*secure = strcasecmp(value, "https") == 0;
		at = value + strlen(value) + 1;
	}
}

void exchange_read_caller(struct exchange *e, bool *secure)
{
	*secure = server_has_tls(e->server);
	read_peer(e);
	read_forwarded(e, secure);
}
