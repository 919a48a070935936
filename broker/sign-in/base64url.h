/* Base64 with the URL alphabet and without padding (RFC 4648, section 5), as RFC 7515 uses it. Pure. */
#ifndef SIGN_IN_BASE64URL_H
#define SIGN_IN_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>

/* How many bytes `len` characters hold. */
#define BASE64URL_BYTES(len) ((len) / 4 * 3 + ((len) % 4) * 3 / 4)

/*
 * Decodes exactly `len` characters into `out`, which has room for BASE64URL_BYTES(len). Only the canonical form is
 * read: no padding, no blanks, no other alphabet, no unused bits set in the last character, so that every byte
 * string has one text. False otherwise; `out` may then hold a part.
 */
bool base64url_decode(const char *text, size_t len, unsigned char *out);

#endif
