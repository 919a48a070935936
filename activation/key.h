/*
 * Idempotency-Keys: what was asked under one, and the answer that it got (activation/key.lua). For what cannot be
 * repeated by itself; requests for access have an id that follows from the key, and are found by it.
 */
#ifndef ACTIVATION_KEY_H
#define ACTIVATION_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/id.h"

struct activation;

#define KEY_ANSWER_MAX                                                                                       \
	((size_t)128 * 1024) /* a longer answer is not kept: what is asked again is done again */
#define KEY_LEASE_MS 120000  /* longer than whoever does what is asked may take */

struct key {
	char name[SHA256_HEX];   /* of whose it is and what they call it: a digest */
	char digest[SHA256_HEX]; /* of all that is asked under it */
	char owner[ID_SIZE]; /* who does it now; "" = it can be repeated by itself, by anybody at any time */
};

/* The answer of the first time; `body` is NUL-terminated, and borrowed for the call. */
struct key_answer {
	int status;
	const char *body;
	size_t len;
};

/* ERR_OK: do it, or with an answer: it was done, and answered so. ERR_KEY_REUSED: something else was asked under the key.
 * ERR_KEY_BUSY: somebody else is doing it. And the store's errors, with which nobody may do it. */
typedef void key_done(void *ctx, enum err err, const struct key_answer *answer);

/* Somebody is about to do what is asked under the key. */
void key_take(struct activation *activation, const struct key *key, key_done *done, void *ctx);

/* It was done, and is going to be answered so, as soon as `done` is called, with whatever error: then it is answered all
 * the same, and a repetition after KEY_LEASE_MS does it again. */
void key_keep(struct activation *activation, const struct key *key, const struct key_answer *answer,
	      key_done *done, void *ctx);

/* Nothing was done: it may be done again at once. Nobody waits for that. */
void key_drop(struct activation *activation, const struct key *key);

#endif
