/* Certificates for tests: an authority of one's own and what it signs. Asserts by cmocka. */
#ifndef TESTS_SUPPORT_CERTIFICATES_H
#define TESTS_SUPPORT_CERTIFICATES_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#define CERTIFICATE_PATH_SIZE 128

struct authority {
	EVP_PKEY *key;
	X509 *certificate;
	char path[CERTIFICATE_PATH_SIZE]; /* PEM */
};

struct certificate_files {
	char certificate[CERTIFICATE_PATH_SIZE];
	char key[CERTIFICATE_PATH_SIZE];
};

/* A new authority of this name; its certificate is written into the folder. */
void authority_make(struct authority *authority, const char *dir, const char *name);
void authority_release(struct authority *authority); /* and removes the file */

/* A certificate for these names ("DNS:localhost,IP:127.0.0.1"), valid until so many seconds from now, which may be
 * past; with its key it is written into the folder under `name`. */
void certificate_make(const struct authority *authority, const char *names, long valid_s, const char *name,
		      struct certificate_files *files);
void certificate_remove(const struct certificate_files *files);

#endif
