/*
 * Internet addresses and the networks that they are in. Both families are one: 192.0.2.1 is ::ffff:192.0.2.1 (RFC 4291, section
 * 2.5.5.2), as a socket that serves both shows it. Pure.
 */
#ifndef BASE_PREFIX_H
#define BASE_PREFIX_H

#include <stdbool.h>

#define ADDRESS_BYTES 16

struct prefix {
	unsigned char bytes[ADDRESS_BYTES];
	unsigned bits; /* how many of them count, from the first */
};

/* "192.0.2.1", "2001:db8::1". False when it is none. */
bool address_read(const char *text, unsigned char bytes[ADDRESS_BYTES]);
/* "10.0.0.0/8", "2001:db8::/32", or an address, which is then alone (RFC 4632, section 3.1; RFC 4291, section 2.3).
 * False when it is none, or says bits behind the prefix. */
bool prefix_read(const char *text, struct prefix *prefix);
bool prefix_holds(const struct prefix *prefix, const unsigned char bytes[ADDRESS_BYTES]);

#endif
