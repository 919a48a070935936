#include "http/http_guard.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

/* The IANA registries of special-purpose addresses (RFC 6890), as far as they are not reachable from everywhere. */
static const struct range4 {
	uint32_t first;
	unsigned bits;
} ranges4[] = {
	{0x00000000, 8},  /* 0.0.0.0: this host */
	{0x0a000000, 8},  /* 10: private */
	{0x64400000, 10}, /* 100.64: carriers' shared */
	{0x7f000000, 8},  /* 127: loopback */
	{0xa9fe0000, 16}, /* 169.254: link-local, clouds' metadata */
	{0xac100000, 12}, /* 172.16: private */
	{0xc0000000, 24}, /* 192.0.0: protocol assignments */
	{0xc0000200, 24}, /* 192.0.2: documentation */
	{0xc0a80000, 16}, /* 192.168: private */
	{0xc6120000, 15}, /* 198.18: benchmarks */
	{0xc6336400, 24}, /* 198.51.100: documentation */
	{0xcb007100, 24}, /* 203.0.113: documentation */
	{0xe0000000, 4},  /* 224: multicast */
	{0xf0000000, 4},  /* 240: reserved, broadcast */
};

static bool is_public4(uint32_t address)
{
	for (size_t i = 0; i < sizeof(ranges4) / sizeof(ranges4[0]); i++)
		if ((address ^ ranges4[i].first) >> (32 - ranges4[i].bits) == 0)
			return false;
	return true;
}

static uint32_t embedded4(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool is_public6(const struct in6_addr *address)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	static const unsigned char translated[12] = {0x00, 0x64, 0xff, 0x9b};
	const unsigned char *b = address->s6_addr;

	if (memcmp(b, mapped, sizeof(mapped)) == 0 || memcmp(b, translated, sizeof(translated)) == 0)
		return is_public4(embedded4(b + 12));
	if (b[0] == 0x20 && b[1] == 0x02) /* 6to4 */
		return is_public4(embedded4(b + 2));
	if (b[0] == 0x20 && b[1] == 0x01 && b[2] < 0x02) /* Teredo and other protocols' */
		return false;
	if (b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8) /* documentation */
		return false;
	return b[0] >= 0x20 && b[0] < 0x40; /* 2000::/3, all that is given out */
}

bool http_guard_is_public(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return is_public4(
			ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr));
	if (address->sa_family == AF_INET6)
		return is_public6(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
	return false;
}
