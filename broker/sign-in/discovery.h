/* Addresses of a provider and its discovery document (OpenID Connect Discovery 1.0). Pure. */
#ifndef SIGN_IN_DISCOVERY_H
#define SIGN_IN_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define DISCOVERY_URL_MAX 1024 /* characters of an issuer or of jwks_uri */

/*
 * May keys be fetched from this address? https with a host, or http where `loopback` and the host is localhost, ::1 or
 * in 127.0.0.0/8. Printable ASCII, no user name or fragment, not longer than DISCOVERY_URL_MAX.
 */
bool discovery_url_valid(const char *url, bool loopback);

/* As discovery_url_valid() with loopback, and without a query, which the specification does not allow. */
bool discovery_issuer_valid(const char *issuer);

/* The document's address (section 4.1). The caller frees it; NULL when there is no memory. */
char *discovery_address(const char *issuer);

/*
 * Reads a document of `len` bytes: its `issuer` must equal the configured one byte by byte (section 4.3), its `jwks_uri`
 * must be https, or http on loopback where the issuer is that itself. On ERR_OK the caller frees *jwks_uri.
 * ERR_BAD_REQUEST with a sentence that follows "the discovery document: ", or ERR_NOMEM.
 */
enum err discovery_parse(const char *text, size_t len, const char *issuer, char **jwks_uri,
			 struct errctx *ec) MUST_CHECK;

#endif
