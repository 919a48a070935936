/* Where a Redis is: the `redis.url` of the configuration, taken apart. Pure. */
#ifndef STORE_ADDRESS_H
#define STORE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define ADDRESS_PATH_SIZE 108 /* sun_path of struct sockaddr_un, with its NUL */
#define ADDRESS_HOST_SIZE 254 /* a DNS name, with its NUL */

struct address {
	char path[ADDRESS_PATH_SIZE]; /* the Unix socket; empty when host and port count */
	char host[ADDRESS_HOST_SIZE];
	char port[6];
	unsigned db;   /* for SELECT; 0 selects nothing */
	bool with_tls; /* rediss:// */
};

/*
 * Reads unix:/path, redis://host[:port][/db] or, with TLS, rediss://host[:port][/db]; an IPv6 host stands in brackets.
 * ERR_CONFIG otherwise, with the reason in `ec`, which never repeats the URL (it may hold a password).
 */
enum err address_parse(const char *url, struct address *address, struct errctx *ec) MUST_CHECK;

/* Fills in host and port as a server names another one, db and TLS as in `like`. False when they are not usable. */
bool address_make(struct address *address, const char *host, const char *port, const struct address *like);

bool address_same(const struct address *a, const struct address *b); /* do they name the same server? */

#define ADDRESS_TEXT_SIZE (ADDRESS_HOST_SIZE + 10)

/* "host:port", "[::1]:port" or the path, for people. Returns `out`. */
const char *address_print(const struct address *address, char out[ADDRESS_TEXT_SIZE]);

#endif
