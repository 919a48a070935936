/*
 * The sandbox's HTTP server: one thread, one poll loop around libmicrohttpd. Requests that a fault holds are
 * suspended; every HELD_CHECK_MS it is looked whether their time or their client has gone.
 */
#ifndef SANDBOX_SERVER_H
#define SANDBOX_SERVER_H

#include <stdbool.h>

#include "base/err.h"
#include "scim-push/sandbox/control.h"
#include "scim-push/sandbox/fault.h"
#include "scim-push/sandbox/journal.h"
#include "scim-push/sandbox/scim.h"

#define BODY_MAX (1U << 20) /* 100 members take about 8 KiB; Miro takes 800,000 bytes */

struct MHD_Daemon;
struct exchange;

struct server {
	struct scim scim;
	struct faults faults;
	struct journal journal;
	struct control control;
	const char *token; /* borrowed; what must follow "Bearer " */
	bool is_tls;
	struct MHD_Daemon *daemon;
	int signals;                 /* signalfd of SIGTERM and SIGINT */
	struct exchange *first_held; /* oldest first */
	struct exchange *last_held;
	uint64_t requests; /* of SCIM, so far */
	size_t resuming;   /* resumed, but not yet ended */
	bool run_again;    /* something was resumed, which libmicrohttpd itself does not count as work */
	bool stopping;
};

struct server_options {
	const char *host; /* numeric address */
	const char *port;
	const char *certificate; /* PEM text; NULL = no TLS */
	const char *key;
};

/* Listens; *port is the one chosen. The caller has filled the members down to `token`. ERR_IO, ERR_CONFIG. */
enum err server_open(struct server *server, const struct server_options *options, unsigned *port,
		     struct errctx *ec) MUST_CHECK;
/* Serves until SIGTERM or SIGINT, then closes everything that server_open() made. */
void server_run(struct server *server);

#endif
