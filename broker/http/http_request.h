/* One transfer under way, whatever its protocol. Private to broker/http/. */
#ifndef BROKER_HTTP_REQUEST_H
#define BROKER_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "http/http.h"
#include "http/http_watch.h"

#define HTTP_PASSED_OVER_MAX (64 * 1024)
#define CONNECT_TIMEOUT_MS   5000
#define LOCATION_SIZE        2048
#define HEADER_VALUE_SIZE    128 /* of those headers that are looked at; a longer one is not understood anyway */

struct http_client {
	CURLM *multi; /* NULL = none yet, or it was given up */
	struct http_watcher watcher;
	struct http_request *requests; /* all that are under way */
	struct http_request *ended;    /* given back when drive() is through */
	int64_t earliest_ms;           /* no deadline of `requests` is before this */
};

struct http_request {
	struct http_request *next, **link; /* `link` is what points to this one */
	struct http_client *client;
	struct http_hook hook;
	int64_t deadline_ms;
	CURL *easy;
	CURLM *multi;               /* which carries it out */
	struct curl_slist *headers; /* holds the token: wiped */
	struct buf body;            /* of the answer */
	char *sending;              /* the request's body; owned */
	size_t sending_len, sending_at;
	size_t header_bytes, passed_over; /* of the answer */
	bool status_only;
	bool is_mail, is_private;     /* SMTP; a guarded call would have gone to an address of ours */
	bool one_redirect;            /* may still follow one */
	bool headers_whole;           /* the empty line behind the answer's headers was read */
	char location[LOCATION_SIZE]; /* with one_redirect */
	char retry_after[HEADER_VALUE_SIZE];
	char rate_limit_reset[HEADER_VALUE_SIZE];
	char cache_control[HEADER_VALUE_SIZE];
	char words[CURL_ERROR_SIZE];
};

/* A request with its handle and its hook, not begun; NULL when memory is short. */
struct http_request *http_request_new(struct http_client *client, const struct http_hook *hook,
				      int64_t deadline_ms);
void http_request_free(struct http_request *r);

/* What is sent: a copy of the text, handed over by http_on_upload(). */
bool http_request_send(struct http_request *r, const char *text);

/* What all transfers have in common: bounds, TLS, where the answer goes. False when curl does not take it. */
bool http_request_limits(struct http_request *r, const char *ca_file);

/* Its end, which is told: with what curl says of it, or without an answer, and why. It is freed when drive() is through. */
void http_request_finish(struct http_request *r, CURLcode result);
void http_request_give_up(struct http_request *r, const char *words);

/* The handle that carries out what begins now; NULL when memory is short. */
CURLM *http_client_multi(struct http_client *client);

/* Begins it; the request is freed when that cannot be. */
enum err http_request_begin(struct http_request *r, struct http_request **out) MUST_CHECK;

#endif
