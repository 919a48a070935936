/*
 * The body of POST /$batch, read into plain values: up to BATCH_MAX requests, each with an id, a method, a relative
 * URL, header fields and a body, and with the ids of those that have to succeed before it. Pure.
 */
#ifndef API_BATCH_H
#define API_BATCH_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "base/err.h"

#define BATCH_MAX         20 /* as in Graph */
#define BATCH_ID_SIZE     65
#define BATCH_HEADERS_MAX 16

struct batch_item {
	char id[BATCH_ID_SIZE];
	const char *method, *url; /* the URL below "/v1.0" or "/beta", with its first '/' or without */
	const cJSON *headers;     /* an object of strings; NULL = none */
	const cJSON *body;        /* an object; NULL = none */
	unsigned after;           /* bits 1 << index of the items that have to succeed before it */
};

/* What the items point to is owned by `json`. */
struct batch {
	cJSON *json;
	size_t count;
	struct batch_item items[BATCH_MAX];
};

/*
 * ERR_BAD_REQUEST when it is no such body, has two items of one id, or items that wait for each other; `ec` says why,
 * and *out is untouched. Release it otherwise.
 */
enum err batch_read(const char *text, size_t len, struct batch *out, struct errctx *ec) MUST_CHECK;
void batch_release(struct batch *batch);

#endif
