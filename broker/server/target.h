/*
 * The texts of a request's head, read strictly: request target (RFC 9112, section 3.2), query, Host, field names
 * and values. Pure.
 */
#ifndef SERVER_TARGET_H
#define SERVER_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#define QUERY_MAX 16  /* parameters; no call of the API knows more than ten */
#define HOST_MAX  262 /* a DNS name, a colon and a port */

struct query_param {
	const char *name, *value; /* decoded; value "" when there was none */
};

struct target {
	const char *authority; /* of an absolute-form target, not yet checked; NULL otherwise */
	const char *path;      /* decoded, begins with '/' */
	struct query_param params[QUERY_MAX];
	size_t count;
};

/*
 * Takes a request target apart in place; the pointers in `t` point into `text`. Percent sequences are decoded
 * once; '+' is a space in the query and itself in the path. Refused: bad percent sequences, control characters
 * (NUL above all), invalid UTF-8, characters that must be encoded, an encoded '/' (it would move the borders of
 * segments), a parameter given twice, too many parameters.
 * Returns NULL, or one sentence saying why the target is refused; `t` then has the path "/" and no parameters.
 */
const char *target_parse(char *text, struct target *t);

/* Is this a host name, IPv4 address or [IPv6 address] with an optional port, and nothing else? */
bool target_host_valid(const char *host);

/* A token of RFC 9110, section 5.6.2: what methods and field names are made of. */
bool target_token_valid(const char *bytes, size_t len);

/* A field value without control characters other than the tab (RFC 9110, section 5.5). */
bool target_value_valid(const char *bytes, size_t len);

#endif
