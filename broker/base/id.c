#include "base/id.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/digest.h"
#include "base/hex.h"

#define ID_BYTES 16

/* Stamps the lane, the version and the variant (RFC 9562, section 5.8) over the bytes and writes them out. */
static void write_id(unsigned lane, unsigned char bytes[ID_BYTES], char out[ID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *p = out;

	assert(lane < LANES_MAX);
	bytes[0] = (unsigned char)(lane >> 8);
	bytes[1] = (unsigned char)(lane & 0xFF);
	bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x80);
	bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
	for (size_t i = 0; i < ID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[bytes[i] >> 4];
		*p++ = digits[bytes[i] & 15];
	}
	*p = '\0';
}

void id_make(unsigned lane, char out[ID_SIZE])
{
	unsigned char bytes[ID_BYTES];
	ssize_t got;

	do
		got = getrandom(bytes, sizeof(bytes), 0);
	while (got < 0 && errno == EINTR);
	/* A read of up to 256 bytes is never short, see getrandom(2). */
	if (got != (ssize_t)sizeof(bytes))
		abort();
	write_id(lane, bytes, out);
}

void id_derive(unsigned lane, const void *bytes, size_t len, char out[ID_SIZE])
{
	unsigned char sum[SHA256_BYTES];

	digest_sha256(bytes, len, sum);
	write_id(lane, sum, out);
}

bool id_valid(const char *text)
{
	for (size_t i = 0; i < ID_SIZE - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		/* The closing NUL of a short text is neither, so nothing behind it is read. */
		if (dash ? text[i] != '-' : hex_value(text[i]) < 0)
			return false;
	}
	return text[ID_SIZE - 1] == '\0';
}

int id_lane(const char *text)
{
	int lane = 0;

	if (!id_valid(text) || strpbrk(text, "ABCDEF"))
		return -1;
	if (text[14] != '8' || !strchr("89ab", text[19]))
		return -1;
	for (size_t i = 0; i < 4; i++)
		lane = lane * 16 + hex_value(text[i]);
	return lane < LANES_MAX ? lane : -1;
}
