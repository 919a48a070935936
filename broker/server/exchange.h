/*
 * The inside of the server and of an exchange, shared by server.c (when things happen), exchange.c (what was asked,
 * what is answered) and the small files beside them. Nobody else includes this.
 *
 * Life: made when the request line is read, given to the handler when the request is complete (`held`), freed
 * when both are done with it: libmicrohttpd (`connection` is NULL then) and the handler (`held` is false then).
 */
#ifndef SERVER_EXCHANGE_H
#define SERVER_EXCHANGE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <microhttpd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "server/listen.h"
#include "server/pace.h"
#include "server/proxies.h"
#include "server/server.h"
#include "server/target.h"

#define METHOD_SIZE 16 /* longer ones exist in no standard */
#define DRAIN_MAX                                                                                            \
	((size_t)512 * 1024) /* of a refused body; read so that the client gets to read the answer */
#define BASE_URL_SIZE (sizeof("https://") + HOST_MAX)

enum exchange_phase {
	PHASE_HEAD, /* the request line is read */
	PHASE_BODY, /* the header is checked, the body comes */
	PHASE_DONE, /* complete: the handler has it, or had it */
};

struct exchange_list {
	struct exchange *first, *last;
};

/*
 * One uv_poll watches libmicrohttpd's epoll descriptor; before the loop blocks, `prepare` lets libmicrohttpd go
 * on with what was answered meanwhile and sets `wake` to its next time-out.
 */
struct server {
	struct server_options options; /* the texts in it are NULL */
	bool tls, unix_socket;
	uv_loop_t *loop;
	struct MHD_Daemon *daemon;
	int listener; /* ours; -1 when closed */
	char *path;   /* of the socket file; owned */
	uint16_t port;
	char authority[AUTHORITY_SIZE];

	uv_poll_t poll;
	uv_prepare_t prepare;
	uv_timer_t wake;     /* libmicrohttpd's next time-out */
	uv_timer_t deadline; /* that of waiting.first, or earlier */
	struct pace pace;
	int handles;  /* not closed yet; the server is freed with the last */
	bool resumed; /* libmicrohttpd has something to do that no descriptor tells */
	unsigned connections;
	bool stopping;

	struct exchange_list waiting;  /* suspended, oldest deadline first */
	struct exchange_list sleeping; /* answers without an end that have nothing to say now */
	struct exchange_list late;     /* answered by the server, still held by the handler */
	size_t open;
	char last_message[160]; /* of libmicrohttpd; while starting it is the reason of a failure */
};

struct exchange {
	struct server *server;             /* NULL when it is gone */
	struct MHD_Connection *connection; /* NULL when the request is over */
	struct MHD_Response *response;     /* what is to be queued; owned until then */
	unsigned status;
	size_t answer_len; /* of its body */
	enum exchange_phase phase;
	bool held;      /* the handler has not answered yet */
	bool suspended; /* libmicrohttpd does not look at the connection */
	bool cut;       /* answered without reading the body: it is too large, or its end is unknown */
	bool late; /* the server has answered in the handler's place; what the handler answers goes nowhere */
	bool is_head;
	enum err refused;
	const char *why;                 /* of `refused`; a constant */
	int64_t started_ms, deadline_ms; /* the loop's time */
	int64_t within_ms;               /* the handler wants it answered so soon; 0 = as usual */
	size_t body_seen;                /* bytes, those dropped included */

	struct stream stream; /* the answer has no end; what it says next is in `body` */
	size_t streamed;      /* bytes of that which libmicrohttpd has */
	bool stirred, ending; /* it has been woken and not said anything yet; it is to end */

	void (*answered)(void *ctx, const struct inner_answer *answer); /* of a request inside a request */
	void *answered_ctx;

	struct exchange_list *list; /* where it is a member; NULL = nowhere */
	struct exchange *prev, *next;

	const char *asked; /* the request target in libmicrohttpd's buffer; valid until the head is read */
	size_t asked_len;
	struct target target;
	struct buf headers; /* name NUL value NUL ... */
	struct buf body;
	struct buf answer_headers; /* the same form */
	char method[METHOD_SIZE];
	char request_id[ID_SIZE];
	char address[PEER_SIZE];
	char base_url[BASE_URL_SIZE];
	char text[]; /* the request target, taken apart in place */
};

/* NULL when there is no memory. `uri` may be NULL: an empty target. */
struct exchange *exchange_new(struct server *server, struct MHD_Connection *connection, const char *uri);
void exchange_free(struct exchange *e);

/* What the server has noted about its connection; may be NULL. */
struct paced *exchange_paced(const struct exchange *e);
/* The header of its response. Without memory the response is gone, and the connection is closed instead. */
void exchange_finish_response(struct exchange *e, const char *content_type);
/* Gives the response to libmicrohttpd to send. MHD_NO, where there is none, closes the connection. */
enum MHD_Result exchange_queue(struct exchange *e);

/* In head.c: reads method and header; marks the exchange refused where they are not in order. */
void exchange_read_head(struct exchange *e, const char *method, const char *version);

/* In peer.c: sets the caller's address from the connection and the fields kept; was it over TLS to there? */
void exchange_read_caller(struct exchange *e, bool *secure);

/* Appends to the body what still fits, and drops the rest. */
void exchange_add_body(struct exchange *e, const char *bytes, size_t len);

/* Refuses it, unless it is refused already. `why` is a constant. */
void exchange_refuse(struct exchange *e, enum err err, const char *why);
/* The same, and nothing more is read from its connection. */
void exchange_refuse_and_cut(struct exchange *e, enum err err, const char *why);
/* Keeps a field of the request's header. */
void exchange_keep_header(struct exchange *e, const char *name, const char *value);

/* Hands the answer of an inner one to its callback. The exchange is freed by the caller. */
void exchange_answer_inner(struct exchange *e, struct inner_answer answer, const char *content_type);

/* Makes the response of that error without regard to the handler. */
void exchange_fail(struct exchange *e, enum err err);

/* At the end. It must be in no list. */
void exchange_list_append(struct exchange_list *list, struct exchange *e);
/* Behind all whose deadline is not later: mostly at the end. */
void exchange_list_insert(struct exchange_list *list, struct exchange *e);
void exchange_list_remove(struct exchange *e); /* nothing when it is in no list */

/* In server.c: the handler's answer is waited for, from now on and as long as the exchange says. */
void server_await(struct exchange *e);
/* In server.c: the response is there; lets a suspended connection go on. */
void server_wake(struct exchange *e);
/* In server.c: suspends an answer without an end, until server_wake(). */
void server_sleep(struct exchange *e);
/* In server.c. */
bool server_quiesced(const struct server *server);
const struct proxies *server_proxies(const struct server *server); /* NULL = none */
bool server_has_tls(const struct server *server);
const char *server_authority(const struct server *server); /* "address:port" that it listens on */

#endif
