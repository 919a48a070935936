/*
 * A provider's public keys: a JSON Web Key Set (RFC 7517), read once into OpenSSL's keys. Pure; never changed after
 * it was made.
 *
 * Only what can verify a token here is taken: keys with a `kid`, for signatures (`use` absent or sig, `key_ops` absent
 * or with verify), of RSA with 2048 to 8192 bits, P-256 or Ed25519, whose `alg` is absent or one of ours that fits.
 * Everything else in the document is skipped, as the RFC asks (section 5), and so is a kid that names more than one
 * such key: which of them is meant cannot be told. Private members are not looked at.
 */
#ifndef SIGN_IN_JWKS_H
#define SIGN_IN_JWKS_H

#include <stddef.h>

#include <openssl/types.h>

#include "base/digest.h"
#include "base/err.h"

#define JWKS_DOCUMENT_MAX 65536 /* bytes, also of a discovery document: common ones have under 10,000 */
#define JWKS_KEYS_MAX     64    /* keys in the document, usable or not */
#define JWKS_RSA_BITS_MAX 8192  /* a larger one would make each verification slow */

struct jwks;

struct jwks_key {
	char *kid;           /* owned by the set */
	unsigned algorithms; /* set of enum jwt_alg that this key may verify */
	EVP_PKEY *pkey;      /* owned by the set; public half only */
	unsigned char
		fingerprint[SHA256_BYTES]; /* of the public key: the same key in a later set has the same */
};

/*
 * ERR_BAD_REQUEST with a sentence in `ec` when the document is too large, not strict JSON, or not a key set with at most
 * JWKS_KEYS_MAX keys; ERR_NOMEM. A set without any usable key is good: its provider has withdrawn them all.
 * On ERR_OK the caller frees *out with jwks_free().
 */
enum err jwks_parse(const char *text, size_t len, struct jwks **out, struct errctx *ec) MUST_CHECK;
void jwks_free(struct jwks *set);

const struct jwks_key *jwks_find(const struct jwks *set,
				 const char *kid); /* borrowed; NULL when there is none */
size_t jwks_count(const struct jwks *set);         /* usable keys */
size_t jwks_skipped(const struct jwks *set);       /* keys of the document that are not used */

#endif
