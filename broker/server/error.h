/* Errors as Microsoft Graph writes them (Graph's error resource type). */
#ifndef SERVER_ERROR_H
#define SERVER_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct exchange;

struct error_body {
	enum err err;
	const char *message;      /* NULL = the table's sentence */
	const char *details_json; /* the text of a JSON array, written as it is; NULL = no such member */
	const char *request_id, *client_request_id; /* NULL = absent */
};

/* Appends {"error":{"code","message","details","innerError":{"date","request-id","client-request-id"}}}. */
void error_render(struct buf *out, const struct error_body *body);

/* Does an answer with that error carry Retry-After? With 429, 503 and 504 Graph clients wait and repeat; so should whoever
 * repeats a call while the first one is under way. */
bool error_retry_later(enum err err);

/* Sets Retry-After, in whole seconds, before the answer. */
void exchange_retry_after(struct exchange *e, int64_t ms);

/*
 * Answers the exchange with that error and ends it (exchange_answer): the table's status, WWW-Authenticate with
 * 401, Retry-After where error_retry_later. `message` and `details_json` may be NULL as above. Other headers (Allow,
 * a longer Retry-After of the caller's own) are set by the caller before this.
 */
void exchange_error(struct exchange *e, enum err err, const char *message, const char *details_json);

#endif
