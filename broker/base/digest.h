/* SHA-256, SHA-1 (what Redis has), HMAC and comparison in constant time, by OpenSSL. A digest that cannot be made (no memory) aborts. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#define SHA256_BYTES 32
#define SHA256_HEX   65
#define SHA1_HEX     41

void digest_sha256(const void *bytes, size_t len, unsigned char out[SHA256_BYTES]);
void digest_sha256_hex(const void *bytes, size_t len, char out[SHA256_HEX]);
void digest_sha1_hex(const void *bytes, size_t len, char out[SHA1_HEX]);
/* HMAC-SHA-256 of the text under the key. */
void digest_hmac_hex(const char *key, const char *text, char out[SHA256_HEX]);
/* Equal without telling by its time where the first difference is. */
bool digest_equal(const void *a, const void *b, size_t len);
/* Overwrites a secret; the compiler cannot remove it. */
void digest_wipe(void *secret, size_t len);

#endif
