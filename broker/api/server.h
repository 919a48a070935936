/*
 * The HTTP server: libmicrohttpd on the broker's libuv loop. This file hides everything about connections; a
 * handler sees one complete, length-limited request and answers it once, now or later. Only server.c includes
 * <microhttpd.h>.
 */
#ifndef API_SERVER_H
#define API_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"

#define BODY_MAX       (64 * 1024)
#define RESPONSE_MAX   (8 * 1024 * 1024)
#define URL_MAX        4096

struct exchange; /* one request and its answer */

struct server_options {
	const char *host; /* numeric IPv4 or IPv6, or "unix" */
	uint16_t port;
	const char *path; /* of the socket, when host is "unix" */
	const char *certificate_file, *key_file; /* "" = no TLS */
	unsigned connections, connections_per_address;
	int64_t idle_timeout_ms;     /* of a connection on which nothing moves */
	int64_t request_deadline_ms; /* a suspended request is answered ERR_TIMEOUT after that */
	/* Called on the loop with every complete request (or one refused early: see exchange_refused). */
	void (*handle)(void *ctx, struct exchange *exchange);
	void *ctx;
};

struct server;

struct server *server_new(uv_loop_t *loop, const struct server_options *options, struct errctx *ec) MUST_CHECK;
uint16_t server_port(const struct server *server);     /* the one that the kernel chose */
size_t server_open_exchanges(const struct server *server);
void server_quiesce(struct server *server); /* no new connections; what is under way goes on */
/* Answers what is suspended with 503, stops, closes its handles. */
void server_free(struct server *server);

/* The request. All texts are borrowed for the life of the exchange. */
const char *exchange_method(const struct exchange *e);
const char *exchange_path(const struct exchange *e);  /* percent-decoded, no query, begins with '/' */
const char *exchange_query(const struct exchange *e, const char *name); /* decoded; e.g. "$filter"; NULL = absent */
const char *exchange_header(const struct exchange *e, const char *name); /* any case; NULL = absent */
const char *exchange_body(const struct exchange *e, size_t *len);
const char *exchange_address(const struct exchange *e); /* the peer's, without port */
const char *exchange_request_id(const struct exchange *e); /* ours, a UUID; answered as request-id */
const char *exchange_base_url(const struct exchange *e); /* "https://host[:port]" as the caller named it, checked */
/* ERR_OK, or why the request is refused before any handler looks at it (too big, bad encoding, smuggling). */
enum err exchange_refused(const struct exchange *e);

/* Response headers; before exchange_answer. Values are checked: a control character drops the header. */
void exchange_set_header(struct exchange *e, const char *name, const char *value);

/*
 * Answers, exactly once, and ends the exchange: the pointer is not valid afterwards. `body` is borrowed.
 * `content_type` NULL means application/json. May be called from within `handle` or any time later; when the
 * deadline has answered already this does nothing but free (the exchange stays valid until it is answered).
 */
void exchange_answer(struct exchange *e, int status, const char *content_type, const char *body, size_t len);

#endif
