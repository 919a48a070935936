/*
 * One HTTP call, waited for. Certificates are verified, redirects are not followed, answers are bounded. A call that
 * found no answer, or one that asks to come again (429, 503, 504), is repeated a few times under its own
 * Idempotency-Key, so that nothing is done twice.
 */
#ifndef COMMAND_CALL_H
#define COMMAND_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/err.h"
#include "command/account.h"

#define CALL_ANSWER_MAX (8 * 1024 * 1024)

struct answer {
	long status;       /* HTTP; 0 = no answer */
	struct buf body;   /* its text */
	cJSON *json;       /* the same, parsed; NULL when it is none */
	struct errctx why; /* without an answer: the reason */
};

/* Begins and ends the use of the network; once in a process. */
bool call_begin(void);
void call_end(void);

/*
 * Calls METHOD server+path as the account's holder; `body` is JSON or NULL. Always release the answer.
 */
void call(const struct account *account, const char *method, const char *path, const char *body,
	  struct answer *out);

/* POSTs a form to any address, without a token: what a provider's endpoints take. `form` NULL = GET. */
void call_form(const char *url, const char *ca, const char *form, struct answer *out);

void answer_release(struct answer *answer);
bool answer_ok(const struct answer *answer); /* 2xx */

/* Percent-encodes a value for a query, with everything but letters, digits and "-._~". */
void call_add_encoded(struct buf *out, const char *value);

#endif
