/*
 * HTTP requests on the event loop: libcurl's multi handle driven by libuv. The only file that knows libcurl.
 * TLS is always verified; no redirect leads to another server; answers are bounded; no request goes out after its
 * deadline, not even when the process was stopped meanwhile and is woken up after it.
 */
#ifndef BROKER_HTTP_H
#define BROKER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"

#define HTTP_BODY_MAX        (1024 * 1024) /* a page of 100 SCIM users has about 100 KiB */
#define HTTP_HEADERS_MAX     (64 * 1024)
#define HTTP_CONNECTIONS_MAX 256 /* open connections, to all applications together */
#define HTTP_TOKEN_MAX       4096

struct http_client;
struct http_request; /* one that is under way; the client's own, gone once its `done` was called or it was cancelled */

enum http_method { HTTP_GET, HTTP_POST, HTTP_PATCH, HTTP_DELETE };

struct http_call { /* all pointers are borrowed during http_start() only */
	enum http_method method;
	const char *url;
	const char *token;          /* bearer token: goes into one header and nowhere else; NULL = none */
	const char *accept;         /* media types for the Accept header */
	const char *media_type;     /* of the body */
	const char *ca_file;        /* "" = the system's certificate authorities; else these alone */
	const char *body;           /* JSON text; NULL = none */
	const char *const *headers; /* further "Name: value" lines, NULL-terminated; NULL = none */
	size_t answer_max;          /* bytes of the answer's body; 0 = HTTP_BODY_MAX */
	bool public_only;           /* refuse addresses that are not in the public network; no proxy */
	bool status_only;           /* the answer's body does not matter */
	bool one_redirect;          /* where 307 or 308 sends it on the same server, it is sent once more */
	int64_t deadline_ms;        /* clock_mono_ms(); given up and never sent afterwards */
};

struct http_answer {      /* borrowed during `done` */
	long status;      /* 0: no whole answer came; `words` says why */
	bool sent;        /* bytes of the request have left, so that the application may act on it */
	const char *body; /* never NULL */
	size_t len;
	const char *retry_after;      /* the header's value; "" when absent */
	const char *rate_limit_reset; /* X-Rate-Limit-Reset, the same */
	const char *cache_control;    /* the same */
	const char *words;            /* why there is no answer, in plain words; "" when there is one */
};

struct http_hook {
	/* Called exactly once unless the request is cancelled; never from within http_start(). */
	void (*done)(void *ctx, const struct http_answer *answer);
	void *ctx;
};

/* ERR_NOMEM or ERR_IO with the reason in `ec`. The loop must outlive the client. */
enum err http_client_new(uv_loop_t *loop, struct http_client **out, struct errctx *ec) MUST_CHECK;

/* Nothing may be under way. The memory is given back when the loop has run once more. NULL is legal. */
void http_client_free(struct http_client *client);

/* ERR_TIMEOUT when the deadline has passed (nothing is sent), ERR_NOMEM. */
enum err http_start(struct http_client *client, const struct http_call *call, const struct http_hook *hook,
		    struct http_request **out) MUST_CHECK;

/* Gives the request up without calling `done`. Returns http_answer.sent as it stands. */
bool http_cancel(struct http_request *request);

#endif
