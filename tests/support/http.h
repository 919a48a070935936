/* A plain HTTP client for tests: one request, or many at once. Blocking. */
#ifndef SUPPORT_HTTP_H
#define SUPPORT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/buf.h"

#define HTTP_HEADERS_MAX 8

/* What is NULL is not sent. All texts are borrowed for the call. */
struct http_request {
	const char *method; /* NULL = GET, or POST when there is a body */
	const char *url;
	const char *bearer;  /* token for the Authorization header */
	const char *ca_file; /* whom an https server is believed by; PEM */
	const char *body;    /* sent as application/json, unless `headers` has a Content-Type */
	const char *headers[HTTP_HEADERS_MAX]; /* "Name: value" */
	int64_t timeout_ms;                    /* 0 = 20 s */
};

struct http_response {
	int status;         /* 0 = no complete answer came; `error` says why */
	struct buf headers; /* the final header lines as they came, with their CR LF */
	struct buf body;
	cJSON *json; /* the body, where it is JSON; otherwise NULL */
	bool any_case; /* names in it match in any case, as those of SCIM do; set by the caller after the call */
	char error[256];
	int64_t sent_ms, ended_ms; /* clock_mono_ms() */
};

/* Sends the request and waits for the whole answer. Release `response` afterwards, whatever came. */
void http_call(const struct http_request *request, struct http_response *response);

/*
 * Sends `count` requests over as many connections as needed, at most `at_once` of them at a time, and waits for all.
 * responses[i] answers requests[i]; release each. False when the client itself fails (no memory).
 */
bool http_many(const struct http_request *requests, size_t count, size_t at_once,
	       struct http_response *responses);

/* A plain connection to the server of that root URL, which is on loopback; reading from it gives up after 10 s. The caller
 * closes it. -1, with the reason on standard error, when it does not come about. */
int http_dial(const char *root);

void http_response_release(struct http_response *response);

/* Copies the value of the first header of that name (any case). False when there is none. */
bool http_header(const struct http_response *response, const char *name, char *value, size_t size);

/* The string at a path of member names and array indexes, "error.code" or "value.0.id"; NULL when it is not there. */
const char *http_json_text(const struct http_response *response, const char *path);
const cJSON *http_json(const struct http_response *response, const char *path);

#endif
