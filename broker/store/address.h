/* Where a Redis is: the `redis.url` of the configuration, taken apart. Pure. */
#ifndef STORE_ADDRESS_H
#define STORE_ADDRESS_H

#include "base/err.h"

#define ADDRESS_PATH_SIZE 108 /* sun_path of struct sockaddr_un, with its NUL */
#define ADDRESS_HOST_SIZE 254 /* a DNS name, with its NUL */

struct address {
	char path[ADDRESS_PATH_SIZE]; /* the Unix socket; empty when host and port count */
	char host[ADDRESS_HOST_SIZE];
	char port[6];
	unsigned db; /* for SELECT; 0 selects nothing */
};

/*
 * Reads unix:/path or redis://host[:port][/db]; an IPv6 host stands in brackets. ERR_CONFIG otherwise, with the
 * reason in `ec`, which never repeats the URL (it may hold a password).
 */
enum err address_parse(const char *url, struct address *address, struct errctx *ec) MUST_CHECK;

#endif
