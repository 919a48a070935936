/* One JSON Web Key made into OpenSSL's. Pure. */
#ifndef SIGN_IN_JWKS_KEY_H
#define SIGN_IN_JWKS_KEY_H

#include <openssl/types.h>

#include "base/err.h"
#include "base/json.h"

/*
 * The public key out of a JWK's members, and in *algorithms the set of enum jwt_alg that it may verify. *out is NULL when
 * the key is of a kind, size or form that is not used here, or OpenSSL refuses it; otherwise the caller frees it.
 * ERR_NOMEM is the only failure.
 */
enum err jwks_key_make(const cJSON *jwk, EVP_PKEY **out, unsigned *algorithms) MUST_CHECK;

#endif
