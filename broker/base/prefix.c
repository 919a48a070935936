#include "base/prefix.h"

#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#define BITS_MOST     (8U * ADDRESS_BYTES)
#define EMBEDDED_AT   12 /* bytes before an IPv4 address */
#define EMBEDDED_BITS (8U * EMBEDDED_AT)

bool address_read(const char *text, unsigned char bytes[ADDRESS_BYTES])
{
	static const unsigned char mapped[EMBEDDED_AT] = {[10] = 0xff, [11] = 0xff};

	if (inet_pton(AF_INET6, text, bytes) == 1)
		return true;
	memcpy(bytes, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, bytes + EMBEDDED_AT) == 1;
}

/* "0" to `most`, digits only. */
static bool read_bits(const char *text, unsigned most, unsigned *bits)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 3 || text[digits] != '\0')
		return false;
	*bits = (unsigned)strtoul(text, NULL, 10);
	return *bits <= most;
}

static bool bit(const unsigned char *bytes, unsigned at)
{
	return (bytes[at / 8] >> (7 - at % 8)) & 1;
}

bool prefix_read(const char *text, struct prefix *prefix)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	unsigned before = strchr(address, ':') == NULL ? EMBEDDED_BITS : 0;
	prefix->bits = BITS_MOST - before;
	if (!address_read(address, prefix->bytes) ||
	    (slash != NULL && !read_bits(slash + 1, BITS_MOST - before, &prefix->bits)))
		return false;
	if (slash != NULL)
		prefix->bits += before;
	else
		prefix->bits = BITS_MOST;
	for (unsigned at = prefix->bits; at < BITS_MOST; at++)
		if (bit(prefix->bytes, at))
			return false;
	return true;
}

bool prefix_holds(const struct prefix *prefix, const unsigned char bytes[ADDRESS_BYTES])
{
	unsigned whole = prefix->bits / 8;

	if (memcmp(prefix->bytes, bytes, whole) != 0)
		return false;
	for (unsigned at = 8 * whole; at < prefix->bits; at++)
		if (bit(prefix->bytes, at) != bit(bytes, at))
			return false;
	return true;
}
