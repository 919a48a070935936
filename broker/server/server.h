/*
 * The HTTP server: libmicrohttpd on the broker's libuv loop. This file hides everything about connections; a
 * handler sees one complete, length-limited request and answers it once, now or later. Only the files
 * beside it include <microhttpd.h>. Requests that libmicrohttpd itself cannot read (no HTTP, header too
 * large) it answers itself, with 400, 414 or 431 and a short page, and closes the connection.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"

#define BODY_MAX     (64 * 1024)
#define RESPONSE_MAX (8 * 1024 * 1024)
#define URL_MAX      4096

struct exchange;    /* one request and its answer */
struct query_param; /* server/target.h */
struct proxies;     /* server/proxies.h */

struct server_options {
	const char *host;                              /* numeric IPv4 or IPv6, or "unix" */
	uint16_t port;                                 /* 0 = the kernel chooses */
	const char *path;                              /* of the socket, when host is "unix" */
	const char *certificate_file, *key_file;       /* PEM; "" or NULL = no TLS */
	unsigned connections, connections_per_address; /* per address 0 = no limit; a Unix socket has none */
	const struct proxies *
		proxies; /* whom X-Forwarded-For and -Proto are believed; outlives the server; NULL = nobody */
	/*
	 * A connection on which nothing moves for so long is closed, and a body has to arrive within it, a whole
	 * request within twice of it, whatever trickles. Rounded up to seconds; 0 = no limit.
	 */
	int64_t idle_timeout_ms;
	int64_t slowest_reader; /* who takes an answer more slowly is cut off; bytes a second, 0 = 16 KiB */
	int64_t request_deadline_ms; /* > 0; a request not answered so long after `handle` is answered ERR_TIMEOUT */
	/*
	 * Called on the loop with every complete request, and with those refused early (see exchange_refused). Must
	 * answer the exchange exactly once, now or later, also after the deadline and after server_free.
	 */
	void (*handle)(void *ctx, struct exchange *exchange);
	void *ctx;
};

struct server;

/*
 * Listens and serves on the loop. The texts of `options` are not kept. NULL with the reason in `ec` when the
 * address, the certificate or memory is not to be had. The process should ignore SIGPIPE.
 */
struct server *server_new(uv_loop_t *loop, const struct server_options *options,
			  struct errctx *ec) MUST_CHECK;
uint16_t server_port(const struct server *server); /* the one that the kernel chose; 0 for a Unix socket */
/* Requests given to `handle` whose answers are not sent yet. */
size_t server_open_exchanges(const struct server *server);
/* No new connections; what is under way goes on, and its connections close with their next answer. */
void server_quiesce(struct server *server);
/*
 * Answers what is suspended with 503, stops, closes its handles; run the loop afterwards so that they go. Not to
 * be called from within `handle`. NULL is fine.
 */
void server_free(struct server *server);

/* The request. All texts are borrowed for the life of the exchange. */
const char *
exchange_method(const struct exchange *e);           /* "GET" also for HEAD: the server leaves the body out */
const char *exchange_path(const struct exchange *e); /* percent-decoded, no query, begins with '/' */
const char *exchange_query(const struct exchange *e,
			   const char *name); /* decoded; e.g. "$filter"; NULL = absent */
const struct query_param *exchange_query_list(const struct exchange *e,
					      size_t *count);            /* all, as they came */
const char *exchange_header(const struct exchange *e, const char *name); /* any case; NULL = absent */
const char *exchange_body(const struct exchange *e, size_t *len);
const char *exchange_address(const struct exchange *e);           /* the caller's, without port; "unix" */
const char *exchange_request_id(const struct exchange *e);        /* ours, a UUID; answered as request-id */
const char *exchange_client_request_id(const struct exchange *e); /* the caller's, a UUID; NULL = absent */
const char *
exchange_base_url(const struct exchange *e); /* "https://host[:port]" as the caller named it, checked */
/* ERR_OK, or why the request is refused before any handler looks at it (too big, bad encoding, smuggling). */
enum err exchange_refused(const struct exchange *e);
const char *exchange_refused_reason(const struct exchange *e); /* one sentence, or NULL */

/*
 * Response headers; before exchange_answer. Values are checked: a control character drops the header. A name set
 * twice keeps its first value (but not Set-Cookie). Replaces the server's own Cache-Control: no-store.
 */
void exchange_set_header(struct exchange *e, const char *name, const char *value);

/* The caller waits no longer than so many ms from now. */
void exchange_answer_within(struct exchange *e, int64_t ms);

/*
 * An answer without an end. `give` appends what there is to say now, a few KiB at most; nothing = it sleeps until
 * exchange_stir(). It is called when the client has taken all that was said before, so that nothing heaps up for one who
 * takes little; who takes nothing for the idle time-out is cut off. `gone` is called once, when the connection is over for
 * whatever reason; the exchange is not valid afterwards.
 */
struct stream {
	const char *content_type;
	void (*give)(void *ctx, struct buf *out);
	void (*gone)(void *ctx);
	void *ctx;
};

/* Answers with 200 and the stream; not where the exchange is abandoned. What the request was is not known any more. */
void exchange_stream(struct exchange *e, const struct stream *stream);
void exchange_stir(struct exchange *e); /* there may be something to say */
/* Ends it once what is being said has been said; one whose client does not take that is cut off at once. */
void exchange_end(struct exchange *e);
/* Has the client gone, or said something where it has nothing to say? The next thing said to it would find out too. */
bool exchange_left(const struct exchange *e);

/*
 * A request inside another one, which goes to a handler like any other: same caller, same host, its own method, target
 * and body. `answered` is called once, with what exchange_answer was told; what it gets is valid during the call only.
 */
struct inner_answer {
	int status;
	const char *headers; /* name NUL value NUL ... */
	size_t headers_len;
	const char *body;
	size_t len;
};

struct inner {
	const char *method, *target; /* borrowed for the call */
	const char *body;
	size_t len;
	void (*answered)(void *ctx, const struct inner_answer *answer);
	void *ctx;
};

struct exchange *exchange_inner(const struct exchange *outer,
				const struct inner *inner); /* NULL: no memory */
/* A field of its header. One that is malformed or given twice makes the request a refused one; what only the outer
 * request can say (who calls, the host, how its bytes came) is passed over. */
void exchange_add_header(struct exchange *e, const char *name, const char *value);
bool exchange_is_inner(const struct exchange *e);
/* Nobody reads an answer any more: the connection is gone, or the deadline has answered. */
bool exchange_abandoned(const struct exchange *e);

/*
 * Answers, exactly once, and ends the exchange: the pointer is not valid afterwards. `body` is borrowed and at
 * most RESPONSE_MAX long. `content_type` NULL means application/json. May be called from within `handle` or any
 * time later; when the deadline or server_free has answered already this does nothing but free (the exchange
 * stays valid until it is answered).
 */
void exchange_answer(struct exchange *e, int status, const char *content_type, const char *body, size_t len);

#endif
