/* SHA-256, SHA-1 (what Redis has), HMAC and comparison in constant time, by OpenSSL. None takes memory, so none fails. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#define SHA256_BYTES 32
#define SHA256_HEX   65
#define SHA1_HEX     41

/* The sum of the bytes; in hexadecimal lower case, and NUL-terminated. SHA-1 is what Redis can make, for the
 * links of the audit. */
void digest_sha256(const void *bytes, size_t len, unsigned char out[SHA256_BYTES]);
void digest_sha256_hex(const void *bytes, size_t len, char out[SHA256_HEX]);
void digest_sha1_hex(const void *bytes, size_t len, char out[SHA1_HEX]);

/* One part of a text. `bytes` may be NULL when `len` is 0. */
struct digest_piece {
	const void *bytes;
	size_t len;
};

/* HMAC-SHA-256 (RFC 2104) of the pieces, one behind the other, under the key; the second of one text, as
 * hexadecimal, which the third makes of a sum. */
void digest_hmac(const void *key, size_t key_len, const struct digest_piece *pieces, size_t count,
		 unsigned char out[SHA256_BYTES]);
void digest_hmac_hex(const char *key, const char *text, char out[SHA256_HEX]);
void digest_hex(const unsigned char sum[SHA256_BYTES], char out[SHA256_HEX]);
/* Equal without telling by its time where the first difference is. */
bool digest_equal(const void *a, const void *b, size_t len);
/* Overwrites a secret; the compiler cannot remove it. */
void digest_wipe(void *secret, size_t len);

#endif
