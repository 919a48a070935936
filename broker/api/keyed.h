/*
 * Idempotency-Key: the same key and body get the same answer again. Every POST of somebody who has signed in goes through
 * here when it has one, before its handler and before its answer. Signed messages (/hooks) know their repetitions by
 * themselves.
 */
#ifndef API_KEYED_H
#define API_KEYED_H

#include <stdbool.h>

#include "activation/key.h"
#include "base/buf.h"

#define KEYED_MAX 255 /* characters of a key */

struct call;

/* Calls the route's handler: at once when there is no key, and otherwise when the store has said that nobody has done
 * this yet. Answers the call in the handler's place when somebody has, or is about to, or the key means something else. */
void keyed_run(struct call *call);

/* Keeps a good answer before it is given: then call_answer() is called again later, with the same; the body's content is
 * taken. False: there is nothing to be kept. */
bool keyed_keep(struct call *call, int status, struct buf *body);

/* The call fails: what it was to do may be tried again. */
void keyed_drop(struct call *call);

#endif
