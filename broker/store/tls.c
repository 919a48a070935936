/* A thin layer over OpenSSL. Its error queue is emptied at each failure, so that no other module finds our errors. */
#include "store/tls.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "store/address.h"

#define PLAIN_SIZE ((size_t)16 << 10) /* the largest record */
#define WHY_SIZE   200

struct tls {
	SSL_CTX *context;
};

struct tls_session {
	SSL *ssl;
	BIO *in;  /* from the network; owned by ssl */
	BIO *out; /* to the network; owned by ssl */
	char why[WHY_SIZE];
	char plain[PLAIN_SIZE];
};

static bool is_given(const char *path)
{
	return path != NULL && path[0] != '\0';
}

/* The newest error in OpenSSL's words. */
static const char *last_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	ERR_clear_error();
	return reason != NULL ? reason : "not usable";
}

static bool load(SSL_CTX *context, const struct tls_files *files, struct errctx *ec)
{
	const char *wrong = NULL;
	int trusted = is_given(files->ca) ? SSL_CTX_load_verify_locations(context, files->ca, NULL)
					  : SSL_CTX_set_default_verify_paths(context);
	if (trusted != 1)
		wrong = is_given(files->ca) ? files->ca : "the system's authorities";
	else if (is_given(files->certificate) &&
		 SSL_CTX_use_certificate_chain_file(context, files->certificate) != 1)
		wrong = files->certificate;
	else if (is_given(files->certificate) &&
		 (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1 ||
		  SSL_CTX_check_private_key(context) != 1))
		wrong = files->key;
	if (wrong != NULL)
		(void)err_set(ec, ERR_CONFIG, "TLS with Redis: %s: %s", wrong, last_reason());
	return wrong == NULL;
}

struct tls *tls_new(const struct tls_files *files, struct errctx *ec)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	if (tls != NULL)
		tls->context = SSL_CTX_new(TLS_client_method());
	if (tls == NULL || tls->context == NULL) {
		(void)err_set(ec, ERR_NOMEM, "there is no memory for TLS");
		tls_free(tls);
		return NULL;
	}
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
	(void)SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
	/* Sessions are not resumed: each connection verifies the peer anew. */
	(void)SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
	if (!load(tls->context, files, ec)) {
		tls_free(tls);
		return NULL;
	}
	return tls;
}

void tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->context);
	free(tls);
}

/* A certificate names hosts and IP addresses apart, and so does OpenSSL. */
static bool expect_host(SSL *ssl, const char *host)
{
	unsigned char binary[sizeof(struct in6_addr)];
	char name[ADDRESS_HOST_SIZE]; /* OpenSSL's macro takes no const */
	bool is_address = inet_pton(AF_INET, host, binary) == 1 || inet_pton(AF_INET6, host, binary) == 1;
	if (is_address)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	(void)snprintf(name, sizeof(name), "%s", host);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

struct tls_session *tls_session_new(const struct tls *tls, const char *host)
{
	struct tls_session *session = calloc(1, sizeof(*session));
	if (session == NULL)
		return NULL;
	session->ssl = SSL_new(tls->context);
	session->in = BIO_new(BIO_s_mem());
	session->out = BIO_new(BIO_s_mem());
	if (session->ssl == NULL || session->in == NULL || session->out == NULL ||
	    !expect_host(session->ssl, host)) {
		BIO_free(session->in);
		BIO_free(session->out);
		SSL_free(session->ssl);
		free(session);
		ERR_clear_error();
		return NULL;
	}
	SSL_set_bio(session->ssl, session->in, session->out);
	SSL_set_connect_state(session->ssl);
	return session;
}

void tls_session_free(struct tls_session *session)
{
	if (session == NULL)
		return;
	SSL_free(session->ssl);
	OPENSSL_cleanse(session->plain, sizeof(session->plain));
	free(session);
}

static enum tls_result fail(struct tls_session *session)
{
	long verdict = SSL_get_verify_result(session->ssl);
	const char *reason = last_reason();
	if (verdict != X509_V_OK)
		reason = X509_verify_cert_error_string(verdict);
	(void)snprintf(session->why, sizeof(session->why), "TLS with Redis failed: %s", reason);
	return TLS_BROKEN;
}

/* What a call of OpenSSL that did not get through is waiting for. */
static enum tls_result judge(struct tls_session *session, int result)
{
	switch (SSL_get_error(session->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return TLS_MORE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_CLOSED;
	default:
		return fail(session);
	}
}

bool tls_take(struct tls_session *session, const char *bytes, size_t len)
{
	return len <= INT_MAX && BIO_write(session->in, bytes, (int)len) == (int)len;
}

enum tls_result tls_read(struct tls_session *session, const char **bytes, size_t *len)
{
	ERR_clear_error();
	if (!tls_is_established(session)) {
		int result = SSL_do_handshake(session->ssl);
		if (result != 1)
			return judge(session, result);
	}
	int result = SSL_read(session->ssl, session->plain, (int)sizeof(session->plain));
	if (result <= 0)
		return judge(session, result);
	*bytes = session->plain;
	*len = (size_t)result;
	return TLS_BYTES;
}

bool tls_is_established(const struct tls_session *session)
{
	return SSL_is_init_finished(session->ssl) != 0;
}

bool tls_write(struct tls_session *session, const char *bytes, size_t len)
{
	ERR_clear_error();
	bool written = len <= INT_MAX && SSL_write(session->ssl, bytes, (int)len) == (int)len;
	if (!written)
		(void)fail(session);
	return written;
}

size_t tls_give(struct tls_session *session, char *to, size_t room)
{
	int given = BIO_read(session->out, to, room <= INT_MAX ? (int)room : INT_MAX);
	return given > 0 ? (size_t)given : 0;
}

const char *tls_why(const struct tls_session *session)
{
	return session->why;
}
