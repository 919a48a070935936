/*
 * One connection to one Redis: name resolution, the libuv stream, TLS, batching of what is written, parsing of what
 * comes back. It knows no calls: it asks its owner for bytes and hands over replies. A connection is used once;
 * to connect again make another. Internal to the store.
 */
#ifndef STORE_CONNECTION_H
#define STORE_CONNECTION_H

#include <stddef.h>

#include <uv.h>

#include "store/address.h"
#include "store/reader.h"

struct connection;
struct tls;

/* Told to the owner, always from the loop or from connection_flush(). After each of them the owner may have
 * called connection_close(); nothing more is told then. */
struct connection_events {
	void (*opened)(void *ctx);
	/* Copies at most `room` bytes that are to be sent next; returns how many, 0 when there is nothing. */
	size_t (*fill)(void *ctx, char *to, size_t room);
	void (*reply)(void *ctx, const struct reply *reply); /* borrowed for the call */
	void (*lost)(void *ctx, const char *why);            /* the owner must connection_close() */
};

/* What to connect to; copied. */
struct connection_target {
	const struct address *address;
	const struct tls *tls;                  /* where the address asks for TLS; outlives the connection */
	unsigned turn;                          /* which of the host's addresses to try, counted round */
	const struct connection_events *events; /* must outlive the connection */
	void *ctx;
};

/* Starts connecting; NULL without memory. */
struct connection *connection_new(uv_loop_t *loop, const struct connection_target *target) MUST_CHECK;

/* Sends what `fill` gives, in as few writes as possible; does nothing while an earlier write is under way. */
void connection_flush(struct connection *connection);

/* Forgets the bytes that were sent last, a password perhaps; not while they may still be under way. */
void connection_wipe(struct connection *connection);

/* Tells the owner nothing more and frees the connection once the loop has closed it. NULL is fine. */
void connection_close(struct connection *connection);

#endif
