/*
 * What keeps an answer back until enough replicas have what was written: after a batch of writing calls a WAIT (or
 * WAITAOF, where the server has it) goes over the same connection, and only its answer lets the answers of the
 * batch go. Pure but for memory. Internal to the store.
 */
#ifndef STORE_BARRIER_H
#define STORE_BARRIER_H

#include <stdbool.h>
#include <stdint.h>

#include "store/call.h"
#include "store/reader.h"

#define BARRIER_TEXT_SIZE 192

/* What is asked for; no replicas: nothing is kept back. */
struct barrier_wish {
	unsigned replicas;
	int64_t timeout_ms; /* how long they have */
};

struct barrier {
	struct calls kept; /* answered, but not yet known to be safe: each with its copied answer */
	unsigned lane;     /* of a writing call that was sent since the last WAIT */
	size_t writes;     /* sent since then */
	struct call wait;  /* the WAIT itself, as it lies among the calls in flight */
	bool is_out;       /* it is sent and not yet answered */
	bool marked;       /* the first of its two answers has come, and was good */
	bool is_short;     /* not enough yet: it has to be asked once more */
	bool has_waitaof;
	unsigned replies; /* of these two */
	int64_t until_ms, step_ms;
	char text[BARRIER_TEXT_SIZE];
};

/* A writing call has been sent. */
void barrier_sent(struct barrier *barrier, const struct call *call);

/* Makes the WAIT for all that was sent; the caller sends it, and nothing after it before it is answered. */
struct call *barrier_raise(struct barrier *barrier, const struct barrier_wish *wish, bool has_waitaof,
			   int64_t now_ms);

/* Makes the WAIT that asks for the same once more, after BARRIER_AGAIN. */
struct call *barrier_repeat(struct barrier *barrier, const struct barrier_wish *wish, int64_t now_ms);

/* Keeps the call with a copy of its answer. False without memory: then the call is in doubt. */
bool barrier_keep(struct barrier *barrier, struct call *call, const struct reply *reply) MUST_CHECK;

enum barrier_verdict {
	BARRIER_MORE,  /* another answer belongs to it */
	BARRIER_SAFE,  /* enough replicas have it */
	BARRIER_AGAIN, /* not enough of them yet; there is time to ask once more */
	BARRIER_SHORT  /* not enough of them, or not in time */
};

/* Takes an answer that belongs to the WAIT; the caller then ends what is kept. */
enum barrier_verdict barrier_reply(struct barrier *barrier, const struct barrier_wish *wish,
				   const struct reply *reply, int64_t now_ms) MUST_CHECK;

/* The connection is gone: hands the kept calls over, in doubt, to be sent again. */
void barrier_drop(struct barrier *barrier, struct calls *to);

#endif
