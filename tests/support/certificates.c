/* Short-lived certificates on an elliptic curve, made in a moment. */
#include "tests/support/certificates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define HOUR_S 3600

static void add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static X509 *begin(EVP_PKEY *key, const char *name, long valid_s)
{
	X509 *certificate = X509_new();
	uint32_t serial = 0;
	assert_non_null(certificate);
	assert_int_equal(getentropy(&serial, sizeof(serial)), 0);
	(void)X509_set_version(certificate, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(certificate), (long)(serial >> 1));
	(void)X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * HOUR_S);
	(void)X509_gmtime_adj(X509_getm_notAfter(certificate), valid_s);
	(void)X509_set_pubkey(certificate, key);
	(void)X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
					 (const unsigned char *)name, -1, -1, 0);
	return certificate;
}

static void write_certificate(X509 *certificate, const char *path)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	assert_int_equal(fclose(file), 0);
}

void authority_make(struct authority *authority, const char *dir, const char *name)
{
	authority->key = EVP_EC_gen("P-256");
	assert_non_null(authority->key);
	authority->certificate = begin(authority->key, name, HOUR_S);
	(void)X509_set_issuer_name(authority->certificate, X509_get_subject_name(authority->certificate));
	add_extension(authority->certificate, NID_basic_constraints, "critical,CA:TRUE");
	assert_true(X509_sign(authority->certificate, authority->key, EVP_sha256()) > 0);
	(void)snprintf(authority->path, sizeof(authority->path), "%s/%s.pem", dir, name);
	write_certificate(authority->certificate, authority->path);
}

void authority_release(struct authority *authority)
{
	X509_free(authority->certificate);
	EVP_PKEY_free(authority->key);
	(void)unlink(authority->path);
}

void certificate_make(const struct authority *authority, const char *names, long valid_s, const char *name,
		      struct certificate_files *files)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	assert_non_null(key);
	X509 *certificate = begin(key, name, valid_s);
	(void)X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate));
	if (names != NULL)
		add_extension(certificate, NID_subject_alt_name, names);
	assert_true(X509_sign(certificate, authority->key, EVP_sha256()) > 0);
	size_t folder = (size_t)(strrchr(authority->path, '/') - authority->path);
	(void)snprintf(files->certificate, sizeof(files->certificate), "%.*s/%s.crt", (int)folder,
		       authority->path, name);
	(void)snprintf(files->key, sizeof(files->key), "%.*s/%s.key", (int)folder, authority->path, name);
	write_certificate(certificate, files->certificate);
	FILE *file = fopen(files->key, "w");
	assert_non_null(file);
	assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(file), 0);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

void certificate_remove(const struct certificate_files *files)
{
	(void)unlink(files->certificate);
	(void)unlink(files->key);
}
