#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

void digest_sha256(const void *bytes, size_t len, unsigned char out[SHA256_BYTES])
{
	if (EVP_Digest(bytes, len, out, NULL, EVP_sha256(), NULL) != 1)
		abort();
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

	if (EVP_Digest(bytes, len, sum, NULL, EVP_sha1(), NULL) != 1)
		abort();
	to_hex(sum, sizeof(sum), out);
}

void digest_hmac_hex(const char *key, const char *text, char out[SHA256_HEX])
{
	unsigned char sum[SHA256_BYTES];
	unsigned len = sizeof(sum);

	if (HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)text, strlen(text), sum, &len) ==
	    NULL)
		abort();
	to_hex(sum, sizeof(sum), out);
}

bool digest_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void digest_wipe(void *secret, size_t len)
{
	OPENSSL_cleanse(secret, len);
}
