/*
 * A provider's side of signing in: keys, tokens in compact form, JSON Web Keys, all as a test wants them, right or
 * wrong. What cannot be made ends the process.
 */
#ifndef SUPPORT_TOKENS_H
#define SUPPORT_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

#include "base/buf.h"

#define TOKENS_MAX ((size_t)1 << 20)

/* Freed by the caller with EVP_PKEY_free(). */
EVP_PKEY *tokens_rsa(unsigned bits);
EVP_PKEY *tokens_ec(const char *curve); /* "P-256" */
EVP_PKEY *tokens_ed25519(void);

/* How a token is signed. */
enum tokens_method {
	SIGN_RS256,
	SIGN_PS256,
	SIGN_PS256_SALT20, /* a salt of another length than the standard's */
	SIGN_ES256,        /* also SHA-256 with other curves */
	SIGN_ES256_DER,    /* ASN.1 instead of r and s */
	SIGN_EDDSA,
	SIGN_HS256_PUBLIC_KEY, /* a MAC whose key is the PEM of the public key */
	SIGN_ZEROES,           /* 64 bytes of zero */
	SIGN_NOTHING,          /* an empty third part */
};

/* Appends base64url without padding. */
void tokens_base64url(struct buf *out, const void *bytes, size_t len);

/* Appends header and claims, both given as JSON, and the signature: header.claims.signature. */
void tokens_sign(struct buf *out, const char *header, const char *claims, EVP_PKEY *key,
		 enum tokens_method method);

/* Appends the public key as a JWK with that kid; `more` ("" or `,"use":"sig"`) goes before its closing brace. */
void tokens_jwk(struct buf *out, EVP_PKEY *key, const char *kid, const char *more);

#endif
