/*
 * `jit escrow drain`: takes out of the applications what is due, by the manifests of the escrow alone, for when Redis is
 * lost. One process; it keeps each application's throttle by itself, and so must be the only one that pushes, unless
 * Redis is asked.
 */
#ifndef BROKER_DRAIN_H
#define BROKER_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

enum drain_redis {
	DRAIN_REFUSE,  /* Redis can be used: then the sweep is right, and nothing is done */
	DRAIN_WITHOUT, /* it is not asked */
	DRAIN_BESIDE   /* it is asked of each membership; only what it knows nothing of is removed */
};

struct drain_options {
	enum drain_redis redis;
	bool all;            /* whatever its end is */
	bool dry_run;        /* only say what would be removed */
	int64_t patience_ms; /* what is not done by then is left */
};

enum drain_exit {
	DRAIN_DONE = 0,
	DRAIN_LEFT = 1,
	DRAIN_REFUSED = 2,
	DRAIN_BROKEN = 7 /* all that is known is done; but a manifest is not as it was written */
};

/* Prints a line for each membership and a report, both as JSON, on standard output. Blocks. */
enum drain_exit drain_run(struct config *config, const struct drain_options *options);

/* `jit escrow show` and `verify`: what is live, one JSON object a line; whether the manifests are intact. */
enum drain_exit drain_show(const struct config *config);
enum drain_exit drain_verify(const struct config *config);

struct arguments;

/* What the command line asks of the escrow, as the exit status. */
int drain_main(struct config *config, const struct arguments *arguments);

#endif
