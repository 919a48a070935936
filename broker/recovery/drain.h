/*
 * `jit escrow drain`: takes out of the applications what is due, by the manifests of the escrow alone, for when Redis is
 * lost. One process; it keeps each application's throttle by itself, and so must be the only one that pushes, unless
 * Redis is asked. A second drain of the same folders is refused.
 */
#ifndef RECOVERY_DRAIN_H
#define RECOVERY_DRAIN_H

#include "config/config.h"

enum drain_exit {
	DRAIN_DONE = 0,
	DRAIN_LEFT = 1, /* something is, or could not be written down as removed */
	DRAIN_REFUSED = 2,
	DRAIN_BROKEN = 7 /* all that is known is done; but a manifest is not as it was written */
};

struct arguments;

/*
 * What the command line asks of the escrow, as the exit status (enum drain_exit). `drain` prints a line for each membership
 * that is removed (--dry-run: that would be) and a report, both as JSON, on standard output; `show` what is live, one JSON
 * object a line; `verify` whether the manifests are intact. Blocks.
 */
int drain_main(struct config *config, const struct arguments *arguments);

#endif
