#include "base/digest.h"

#include <string.h>

/* OpenSSL's newer calls take memory for each digest, and fail without; these are deprecated for no other fault. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>

#define BLOCK SHA256_CBLOCK /* bytes that SHA-256 takes at a time: the length of HMAC's key */

void digest_sha256(const void *bytes, size_t len, unsigned char out[SHA256_BYTES])
{
	SHA256_CTX sha;

	SHA256_Init(&sha);
	SHA256_Update(&sha, bytes, len);
	SHA256_Final(out, &sha);
}

static void to_hex(const unsigned char *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
}

void digest_sha256_hex(const void *bytes, size_t len, char out[SHA256_HEX])
{
	unsigned char sum[SHA256_BYTES];

	digest_sha256(bytes, len, sum);
	to_hex(sum, sizeof(sum), out);
}

void digest_sha1_hex(const void *bytes, size_t len, char out[SHA1_HEX])
{
	unsigned char sum[SHA1_HEX / 2];
	SHA_CTX sha;

	SHA1_Init(&sha);
	SHA1_Update(&sha, bytes, len);
	SHA1_Final(sum, &sha);
	to_hex(sum, sizeof(sum), out);
}

/* The hash's first block of RFC 2104: the key, its every byte changed by `pad`. */
static void begin_padded(SHA256_CTX *sha, const unsigned char key[BLOCK], unsigned char pad)
{
	unsigned char block[BLOCK];

	for (size_t i = 0; i < BLOCK; i++)
		block[i] = key[i] ^ pad;
	SHA256_Init(sha);
	SHA256_Update(sha, block, sizeof(block));
	digest_wipe(block, sizeof(block));
}

void digest_hmac(const void *key, size_t key_len, const struct digest_piece *pieces, size_t count,
		 unsigned char out[SHA256_BYTES])
{
	unsigned char whole[BLOCK] = {0};
	SHA256_CTX sha;

	if (key_len > BLOCK)
		digest_sha256(key, key_len, whole);
	else if (key_len > 0)
		memcpy(whole, key, key_len);
	begin_padded(&sha, whole, 0x36);
	for (size_t i = 0; i < count; i++)
		if (pieces[i].len > 0)
			SHA256_Update(&sha, pieces[i].bytes, pieces[i].len);
	SHA256_Final(out, &sha);
	begin_padded(&sha, whole, 0x5c);
	SHA256_Update(&sha, out, SHA256_BYTES);
	SHA256_Final(out, &sha);
	digest_wipe(whole, sizeof(whole));
	digest_wipe(&sha, sizeof(sha));
}

void digest_hmac_hex(const char *key, const char *text, char out[SHA256_HEX])
{
	const struct digest_piece piece = {text, strlen(text)};
	unsigned char sum[SHA256_BYTES];

	digest_hmac(key, strlen(key), &piece, 1, sum);
	to_hex(sum, sizeof(sum), out);
}

void digest_hex(const unsigned char sum[SHA256_BYTES], char out[SHA256_HEX])
{
	to_hex(sum, SHA256_BYTES, out);
}

bool digest_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void digest_wipe(void *secret, size_t len)
{
	OPENSSL_cleanse(secret, len);
}
