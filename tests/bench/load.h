/*
 * A load generator: some connections, each with one message under way, as fast as the other side answers. One
 * thread with epoll, so that the measured side keeps the cores. Blocking; loopback and Unix sockets only.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct load {
	const char *socket_path; /* of a Unix socket; or NULL and … */
	int port;                /* … a port on 127.0.0.1 */
	size_t connections;
	size_t messages; /* in all */
	/* Appends message number `index`. */
	void (*write)(void *ctx, size_t index, struct buf *out);
	/* The length of the complete answer at the start of `text`, 0 when more is to come; *good: as it should be. */
	size_t (*complete)(void *ctx, const char *text, size_t len, bool *good);
	void *ctx;
};

struct load_result {
	size_t good, bad;
	int64_t took_us;
	int64_t p50_us, p99_us; /* of one message, from sending to its complete answer */
};

/* False, with the reason on standard error, when a connection fails. */
bool load_run(const struct load *load, struct load_result *result);

/* Complete HTTP answers (Content-Length) with status 2xx are good; complete RESP answers that are no errors. */
size_t load_http_complete(void *ctx, const char *text, size_t len, bool *good);
size_t load_resp_complete(void *ctx, const char *text, size_t len, bool *good);

#endif
