/*
 * A JSON Web Token in compact form (RFC 7519, RFC 7515), read strictly. Pure: no clock, no log, no memory between
 * calls. The order of use is jwt_read(), jwt_check(), the key that jwt_kid() names, jwt_verify(); nothing that the
 * token says is true before all three have returned ERR_OK.
 *
 * All refusals are ERR_UNAUTHENTICATED with a fixed sentence in `ec` that holds no part of the token and no
 * character that RFC 6750 forbids in error_description.
 */
#ifndef SIGN_IN_JWT_H
#define SIGN_IN_JWT_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/err.h"
#include "base/json.h"

#define JWT_TOKEN_MAX     8192 /* characters; a request header of common servers holds no more */
#define JWT_HEADER_MAX    2048 /* characters of the first part */
#define JWT_SIGNATURE_MAX 1024 /* bytes: RSA of 8192 bits */
#define JWT_KID_SIZE      257  /* with its NUL; the longest seen in the wild is a hash in hexadecimal */
#define JWT_SUBJECT_MAX   255  /* bytes; OpenID Connect Core, section 2 */
#define JWT_AUDIENCES_MAX 64
#define JWT_RSA_BITS_MIN  2048 /* RFC 7518, section 3.3 */

/* Signature algorithms as bits, so that a set of them is an unsigned. */
enum jwt_alg {
	JWT_RS256 = 1, /* RSASSA-PKCS1-v1_5 with SHA-256 */
	JWT_PS256 = 2, /* RSASSA-PSS with SHA-256 and a salt of 32 bytes */
	JWT_ES256 = 4, /* ECDSA with P-256 and SHA-256 */
	JWT_EDDSA = 8, /* Ed25519; in headers "EdDSA" or "Ed25519" (RFC 9864) */
};
#define JWT_ALGS_ALL (JWT_RS256 | JWT_PS256 | JWT_ES256 | JWT_EDDSA)

struct jwt; /* owns copies of all that it holds */

/* What one issuer's tokens must satisfy. Borrowed. */
struct jwt_rules {
	const char *issuer;   /* equal to `iss`, byte by byte */
	const char *audience; /* equal to `aud` or one of its elements */
	unsigned algorithms;  /* set of enum jwt_alg */
	int64_t skew_ms;      /* how far the issuer's clock may differ from ours */
};

/* The bit of an algorithm's name, or 0 when it is none of ours. Names match exactly. */
unsigned jwt_alg_bit(const char *name);

/*
 * Reads `len` bytes: three parts of canonical base64url, header and claims each one strict JSON object.
 * Header: `alg` one of ours, `kid` present, `typ` absent, JWT or at+jwt; `crit`, and keys that a token brings
 * along (`jwk`, `jku`, `x5u`, `x5c`), are refused. Claims: `iss`, `sub` and `exp` present, dates are numbers between
 * 1970 and 9999; a token that is bound to a key of its sender (`cnf`) is refused, because nothing here proves that.
 * On ERR_OK the caller frees *out with jwt_free(). ERR_UNAUTHENTICATED or ERR_NOMEM otherwise.
 */
enum err jwt_read(const char *token, size_t len, struct jwt **out, struct errctx *ec) MUST_CHECK;
void jwt_free(struct jwt *jwt);

/*
 * The rules that need no key: algorithm, issuer, audience, and that `now_ms` (Unix time) is not before `nbf` or `iat`
 * less the skew, and before `exp` plus the skew.
 */
enum err jwt_check(const struct jwt *jwt, const struct jwt_rules *rules, int64_t now_ms,
		   struct errctx *ec) MUST_CHECK;

/*
 * Is the signature made with this key's private half? The key's type must fit the token's algorithm: RSA of at
 * least JWT_RSA_BITS_MIN bits, P-256, Ed25519. ERR_UNAUTHENTICATED when not, ERR_NOMEM when that cannot be told.
 */
enum err jwt_verify(const struct jwt *jwt, EVP_PKEY *key, struct errctx *ec) MUST_CHECK;

/* Borrowed until jwt_free(). */
const char *jwt_kid(const struct jwt *jwt);
const char *jwt_issuer(const struct jwt *jwt);
const cJSON *jwt_claims(const struct jwt *jwt); /* an object */
enum jwt_alg jwt_alg(const struct jwt *jwt);
int64_t jwt_expires_ms(const struct jwt *jwt); /* `exp` as Unix milliseconds, without the skew */

#endif
