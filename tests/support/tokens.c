#include "tests/support/tokens.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define SIGNATURE_MAX 1024
#define HALF          32

#define MUST(holds) must((holds), #holds, __LINE__)

static void must(bool holds, const char *what, int line)
{
	if (holds)
		return;
	fprintf(stderr, "tokens.c:%d: %s\n", line, what);
	abort();
}

EVP_PKEY *tokens_rsa(unsigned bits)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);

	MUST(key != NULL);
	return key;
}

EVP_PKEY *tokens_ec(const char *curve)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve);

	MUST(key != NULL);
	return key;
}

EVP_PKEY *tokens_ed25519(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	MUST(key != NULL);
	return key;
}

void tokens_base64url(struct buf *out, const void *bytes, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i < 3 ? len - i : 3;
		uint32_t group = (uint32_t)p[i] << 16;

		group |= left > 1 ? (uint32_t)p[i + 1] << 8 : 0;
		group |= left > 2 ? p[i + 2] : 0;
		for (size_t k = 0; k <= left; k++)
			buf_add(out, &alphabet[group >> (18 - 6 * k) & 63], 1);
	}
	MUST(!buf_failed(out));
}

static void set_pss(EVP_PKEY_CTX *options, int salt)
{
	MUST(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1);
	MUST(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, salt) == 1);
}

static size_t sign_with(EVP_PKEY *key, enum tokens_method method, const struct buf *text, unsigned char *out)
{
	const EVP_MD *digest = method == SIGN_EDDSA ? NULL : EVP_sha256();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	size_t len = SIGNATURE_MAX;

	MUST(ctx && EVP_DigestSignInit(ctx, &options, digest, NULL, key) == 1);
	if (method == SIGN_PS256 || method == SIGN_PS256_SALT20)
		set_pss(options, method == SIGN_PS256 ? 32 : 20);
	MUST(EVP_DigestSign(ctx, out, &len, (const unsigned char *)text->data, text->len) == 1);
	EVP_MD_CTX_free(ctx);
	return len;
}

/* Replaces a DER signature by r and s. */
static size_t to_raw(unsigned char *signature, size_t len)
{
	const unsigned char *at = signature;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);

	MUST(pair != NULL);
	if (BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, HALF) != HALF ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + HALF, HALF) != HALF)
		memset(signature, 0x55, (size_t)2 * HALF); /* of a longer curve: only the length is right */
	ECDSA_SIG_free(pair);
	return (size_t)2 * HALF;
}

static size_t mac_with_pem(EVP_PKEY *key, const struct buf *text, unsigned char *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	unsigned len = 0;
	char *pem = NULL;
	long pem_len;

	MUST(bio && PEM_write_bio_PUBKEY(bio, key) == 1);
	pem_len = BIO_get_mem_data(bio, &pem);
	MUST(HMAC(EVP_sha256(), pem, (int)pem_len, (const unsigned char *)text->data, text->len, out, &len) !=
	     NULL);
	BIO_free(bio);
	return len;
}

static size_t sign(EVP_PKEY *key, enum tokens_method method, const struct buf *text, unsigned char *out)
{
	switch (method) {
	case SIGN_NOTHING:
		return 0;
	case SIGN_ZEROES:
		memset(out, 0, (size_t)2 * HALF);
		return (size_t)2 * HALF;
	case SIGN_HS256_PUBLIC_KEY:
		return mac_with_pem(key, text, out);
	case SIGN_ES256:
		return to_raw(out, sign_with(key, method, text, out));
	case SIGN_RS256:
	case SIGN_PS256:
	case SIGN_PS256_SALT20:
	case SIGN_ES256_DER:
	case SIGN_EDDSA:
		return sign_with(key, method, text, out);
	}
	return 0;
}

void tokens_sign(struct buf *out, const char *header, const char *claims, EVP_PKEY *key,
		 enum tokens_method method)
{
	unsigned char signature[SIGNATURE_MAX];
	struct buf text;
	size_t len;

	buf_init(&text, TOKENS_MAX);
	tokens_base64url(&text, header, strlen(header));
	buf_adds(&text, ".");
	tokens_base64url(&text, claims, strlen(claims));
	MUST(!buf_failed(&text));
	len = sign(key, method, &text, signature);
	buf_add(out, text.data, text.len);
	buf_adds(out, ".");
	tokens_base64url(out, signature, len);
	buf_release(&text);
}

static void add_number(struct buf *out, EVP_PKEY *key, const char *name, const char *member)
{
	unsigned char bytes[SIGNATURE_MAX];
	BIGNUM *number = NULL;

	MUST(EVP_PKEY_get_bn_param(key, name, &number) == 1);
	buf_addf(out, ",\"%s\":\"", member);
	tokens_base64url(out, bytes, (size_t)BN_bn2bin(number, bytes));
	buf_adds(out, "\"");
	BN_free(number);
}

static void add_ec(struct buf *out, EVP_PKEY *key)
{
	unsigned char point[SIGNATURE_MAX];
	size_t len = 0, half;

	MUST(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len) == 1);
	half = (len - 1) / 2;
	buf_addf(out, ",\"crv\":\"%s\",\"x\":\"", half == HALF ? "P-256" : "P-384");
	tokens_base64url(out, point + 1, half);
	buf_adds(out, "\",\"y\":\"");
	tokens_base64url(out, point + 1 + half, half);
	buf_adds(out, "\"");
}

static void add_ed25519(struct buf *out, EVP_PKEY *key)
{
	unsigned char bytes[HALF];
	size_t len = sizeof(bytes);

	MUST(EVP_PKEY_get_raw_public_key(key, bytes, &len) == 1);
	buf_adds(out, ",\"crv\":\"Ed25519\",\"x\":\"");
	tokens_base64url(out, bytes, len);
	buf_adds(out, "\"");
}

void tokens_jwk(struct buf *out, EVP_PKEY *key, const char *kid, const char *more)
{
	bool is_rsa = EVP_PKEY_is_a(key, "RSA"), is_ec = EVP_PKEY_is_a(key, "EC");

	buf_addf(out, "{\"kid\":\"%s\",\"kty\":\"%s\"", kid, is_rsa ? "RSA" : is_ec ? "EC" : "OKP");
	if (is_rsa) {
		add_number(out, key, OSSL_PKEY_PARAM_RSA_N, "n");
		add_number(out, key, OSSL_PKEY_PARAM_RSA_E, "e");
	} else if (is_ec) {
		add_ec(out, key);
	} else {
		add_ed25519(out, key);
	}
	buf_addf(out, "%s}", more);
	MUST(!buf_failed(out));
}
