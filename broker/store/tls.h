/*
 * TLS for a stream of somebody else's: bytes from the network go in, bytes for it come out (OpenSSL's memory BIOs).
 * The peer's chain and its name are always verified, TLS is 1.2 or newer. Internal to the store.
 */
#ifndef STORE_TLS_H
#define STORE_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct tls;         /* what all connections share: whom we trust, our certificate */
struct tls_session; /* of one connection */

/* Paths of PEM files; "" or NULL: the system's authorities, no certificate of our own. */
struct tls_files {
	const char *ca;
	const char *certificate;
	const char *key;
};

/* Reads the files; blocks for that. NULL and `ec` with the file that is wrong. */
struct tls *tls_new(const struct tls_files *files, struct errctx *ec) MUST_CHECK;
void tls_free(struct tls *tls); /* NULL is fine; not while sessions are open */

/* A client's session with the server of this name or IP address; NULL without memory. */
struct tls_session *tls_session_new(const struct tls *tls, const char *host) MUST_CHECK;
void tls_session_free(struct tls_session *session); /* NULL is fine */

enum tls_result {
	TLS_BYTES,  /* there are bytes */
	TLS_MORE,   /* not before more has come from the network */
	TLS_CLOSED, /* the peer has ended the session as one should */
	TLS_BROKEN  /* see tls_why() */
};

/* Copies what has come from the network. False without memory. */
bool tls_take(struct tls_session *session, const char *bytes, size_t len) MUST_CHECK;

/* The next bytes of the peer, good until the next call. Goes on with the handshake while it is under way. */
enum tls_result tls_read(struct tls_session *session, const char **bytes, size_t *len);

bool tls_is_established(const struct tls_session *session); /* the handshake is over, the peer is verified */

/* Encrypts; only after tls_is_established(). False when the session is broken. */
bool tls_write(struct tls_session *session, const char *bytes, size_t len) MUST_CHECK;

/* Copies what is to be sent to the network next; 0 when there is nothing. */
size_t tls_give(struct tls_session *session, char *to, size_t room);

const char *tls_why(const struct tls_session *session); /* why it is broken, in a few words */

#endif
