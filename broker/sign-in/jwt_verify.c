/* The signature of a token, by OpenSSL. */
#include "sign-in/jwt.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/rsa.h>

#include "sign-in/jwt_parts.h"
#include "sign-in/openssl_errors.h"

#define ES256_HALF 32 /* bytes of r and of s; RFC 7518, section 3.4 */
#define ES256_DER  80 /* more than the 72 bytes that the longest DER form takes */
#define PS256_SALT 32 /* RFC 7518, section 3.5 */

/* 1: yes, 0: no, -1: cannot be told, as below. The curve's name is looked up with memory of the heap. */
static int is_p256(const EVP_PKEY *key)
{
	char group[32];
	size_t len;

	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
		return 0;
	if (EVP_PKEY_get_group_name(key, group, sizeof(group), &len) != 1)
		return -1;
	return strcmp(group, SN_X9_62_prime256v1) == 0;
}

/* The algorithm is the token's word, the type is the provider's: only both together say how to verify. Types are compared by
 * number: looking up their names takes memory, and want of it would look like another type. */
static int key_fits(enum jwt_alg alg, const EVP_PKEY *key)
{
	switch (alg) {
	case JWT_RS256:
	case JWT_PS256:
		return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
		       EVP_PKEY_get_bits(key) >= JWT_RSA_BITS_MIN;
	case JWT_ES256:
		return is_p256(key);
	case JWT_EDDSA:
		return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
	}
	return 0;
}

/* Turns r and s, each of 32 bytes, into the DER form that OpenSSL reads. The length, or 0. */
static size_t es256_to_der(const unsigned char raw[2 * ES256_HALF], unsigned char der[ES256_DER])
{
	ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, ES256_HALF, NULL);
	BIGNUM *s = BN_bin2bn(raw + ES256_HALF, ES256_HALF, NULL);
	int len = 0;

	if (signature && r && s && ECDSA_SIG_set0(signature, r, s) == 1) {
		r = s = NULL; /* the signature owns them now */
		if (i2d_ECDSA_SIG(signature, NULL) <= ES256_DER)
			len = i2d_ECDSA_SIG(signature, &der);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(signature);
	return len > 0 ? (size_t)len : 0;
}

static bool start(EVP_MD_CTX *ctx, enum jwt_alg alg, EVP_PKEY *key)
{
	const EVP_MD *digest = alg == JWT_EDDSA ? NULL : EVP_sha256();
	EVP_PKEY_CTX *options = NULL;

	if (EVP_DigestVerifyInit(ctx, &options, digest, NULL, key) != 1)
		return false;
	if (alg != JWT_PS256)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(options, digest) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, PS256_SALT) == 1;
}

/* 1: good, 0: bad, -1: cannot be told. */
static int verify(const struct jwt *jwt, EVP_PKEY *key)
{
	const unsigned char *signature = jwt->signature;
	size_t len = jwt->signature_len;
	unsigned char der[ES256_DER];
	EVP_MD_CTX *ctx;
	int result;

	if (jwt->alg == JWT_ES256) {
		if (len != 2 * (size_t)ES256_HALF)
			return 0;
		len = es256_to_der(jwt->signature, der);
		if (len == 0)
			return -1;
		signature = der;
	}
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL || !start(ctx, jwt->alg, key)) {
		EVP_MD_CTX_free(ctx);
		return -1;
	}
	/* A malformed signature is answered with a negative number: not good is bad. */
	result = EVP_DigestVerify(ctx, signature, len, (const unsigned char *)jwt->signed_text,
				  jwt->signed_len) == 1;
	EVP_MD_CTX_free(ctx);
	return result;
}

enum err jwt_verify(const struct jwt *jwt, EVP_PKEY *key, struct errctx *ec)
{
	int result = key_fits(jwt->alg, key);

	if (result == 0)
		return err_set(ec, ERR_UNAUTHENTICATED, "The token's algorithm does not fit its key.");
	if (result > 0)
		result = verify(jwt, key);
	/* What fails inside of OpenSSL for want of memory looks like a wrong signature. */
	if (openssl_errors_take() && result == 0)
		result = -1;
	if (result < 0)
		return err_set(ec, ERR_NOMEM, "No memory to check the token's signature.");
	if (result == 0)
		return err_set(ec, ERR_UNAUTHENTICATED, "The token's signature is wrong.");
	return ERR_OK;
}
