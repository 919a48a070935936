#include "sign-in/jwks_key.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include "sign-in/base64url.h"
#include "sign-in/jwks.h"
#include "sign-in/jwt.h"
#include "sign-in/openssl_errors.h"

#define NUMBER_MAX   (JWKS_RSA_BITS_MAX / 8 + 1) /* bytes; some providers write a leading zero byte */
#define EXPONENT_MAX 8                     /* bytes; OpenSSL verifies with no longer one for large moduli */
#define FIELD_BYTES  32                    /* a coordinate of P-256, a public key of Ed25519 */
#define POINT_BYTES  (1 + 2 * FIELD_BYTES) /* SEC 1, section 2.3.3: 4, x, y */

/* Decodes a member into `out`; the number of bytes, or 0 when it is absent, longer than `size` or not base64url. */
static size_t member_bytes(const cJSON *jwk, const char *name, unsigned char *out, size_t size)
{
	const char *text = json_string(jwk, name);
	size_t len = text ? strlen(text) : 0;

	if (len == 0 || BASE64URL_BYTES(len) > size || !base64url_decode(text, len, out))
		return 0;
	return BASE64URL_BYTES(len);
}

static BIGNUM *member_number(const cJSON *jwk, const char *name, size_t max)
{
	unsigned char bytes[NUMBER_MAX];
	size_t len = member_bytes(jwk, name, bytes, max);

	return len > 0 ? BN_bin2bn(bytes, (int)len, NULL) : NULL;
}

/* Public keys only. */
static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* An even modulus or exponent is no RSA key; an exponent of one would accept any signature. */
static bool rsa_is_sound(const BIGNUM *n, const BIGNUM *e)
{
	int bits = BN_num_bits(n);

	return bits >= JWT_RSA_BITS_MIN && bits <= JWKS_RSA_BITS_MAX && BN_is_odd(n) && BN_is_odd(e) &&
	       !BN_is_one(e);
}

static EVP_PKEY *make_rsa(const cJSON *jwk)
{
	BIGNUM *n = member_number(jwk, "n", NUMBER_MAX);
	BIGNUM *e = member_number(jwk, "e", EXPONENT_MAX);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (n && e && builder && rsa_is_sound(n, e) &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		params = OSSL_PARAM_BLD_to_param(builder);
	if (params)
		key = from_params("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	BN_free(n);
	BN_free(e);
	return key;
}

/* OpenSSL refuses a point that is not on the curve; RFC 7518, section 6.2.1.2, fixes the lengths. */
static EVP_PKEY *make_ec(const cJSON *jwk)
{
	const char *curve = json_string(jwk, "crv");
	char group[] = SN_X9_62_prime256v1;
	unsigned char point[POINT_BYTES] = {4};
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};

	if (curve == NULL || strcmp(curve, "P-256") != 0)
		return NULL;
	if (member_bytes(jwk, "x", point + 1, FIELD_BYTES) != FIELD_BYTES ||
	    member_bytes(jwk, "y", point + 1 + FIELD_BYTES, FIELD_BYTES) != FIELD_BYTES)
		return NULL;
	return from_params("EC", params);
}

static EVP_PKEY *make_ed25519(const cJSON *jwk)
{
	const char *curve = json_string(jwk, "crv");
	unsigned char bytes[FIELD_BYTES];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, bytes, sizeof(bytes)),
		OSSL_PARAM_construct_end(),
	};

	if (curve == NULL || strcmp(curve, "Ed25519") != 0)
		return NULL;
	if (member_bytes(jwk, "x", bytes, sizeof(bytes)) != FIELD_BYTES)
		return NULL;
	return from_params("ED25519", params);
}

static const struct kind {
	const char *kty;
	unsigned algorithms;
	EVP_PKEY *(*make)(const cJSON *jwk);
} kinds[] = {
	{"RSA", JWT_RS256 | JWT_PS256, make_rsa},
	{"EC", JWT_ES256, make_ec},
	{"OKP", JWT_EDDSA, make_ed25519},
};

enum err jwks_key_make(const cJSON *jwk, EVP_PKEY **out, unsigned *algorithms)
{
	const char *kty = json_string(jwk, "kty");
	const cJSON *alg = cJSON_GetObjectItemCaseSensitive(jwk, "alg");
	const struct kind *kind = NULL;
	unsigned allowed;
	bool short_of_memory;

	*out = NULL;
	for (size_t i = 0; kty && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kty, kinds[i].kty) == 0)
			kind = &kinds[i];
	if (kind == NULL)
		return ERR_OK;
	allowed = kind->algorithms;
	if (alg)
		allowed &= cJSON_IsString(alg) ? jwt_alg_bit(alg->valuestring) : 0;
	if (allowed == 0)
		return ERR_OK;
	*out = kind->make(jwk);
	short_of_memory = openssl_errors_take();
	if (*out)
		*algorithms = allowed;
	return *out == NULL && short_of_memory ? ERR_NOMEM : ERR_OK;
}
