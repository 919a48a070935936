/*
 * How documents of a provider are fetched: by whoever owns the sign-in, because nothing here speaks HTTP. The owner
 * verifies TLS certificates, follows no redirect, sends no credentials and reads no more than `max_bytes`.
 */
#ifndef SIGN_IN_FETCH_H
#define SIGN_IN_FETCH_H

#include <stddef.h>
#include <stdint.h>

/* What came back. Everything is borrowed for the call. */
struct fetch_answer {
	int status;       /* of HTTP; 0 when there was no whole answer, also when it was too large */
	const char *body; /* `len` bytes */
	size_t len;
	const char *cache_control; /* the header's value, or NULL */
	const char *words;         /* why there was no answer, or NULL; for the log */
};

typedef void fetch_done(void *ctx, const struct fetch_answer *answer);

/* One GET to make. `url` is borrowed for the call of start(). */
struct fetch_order {
	const char *url;
	size_t max_bytes;
	int64_t timeout_ms; /* after this the fetch is cancelled from here; the owner may give up earlier */
	fetch_done *done;   /* called once with `ctx`, from the loop, unless the fetch is cancelled before */
	void *ctx;
};

struct fetcher {
	/* Starts a GET and returns its handle, or NULL when it cannot. Never calls done() before it has returned. */
	void *(*start)(void *ctx, const struct fetch_order *order);
	/* Gives a fetch up: its done() is not called any more, and the handle is not used again. */
	void (*cancel)(void *ctx, void *fetch);
	void *ctx;
};

#endif
