/* `jit escrow` run with a broker's configuration, as an operator runs it, and what it reported. */
#ifndef SUPPORT_DRAINED_H
#define SUPPORT_DRAINED_H

#include "tests/support/world.h"

struct drained {
	struct proc proc;
	int status;
	cJSON *report; /* NULL when it printed none */
};

/* `jit escrow WORD --config … OPTION …`; the list ends with NULL. Waits for its end. */
void drained_command(const struct world *world, struct drained *out, ...) __attribute__((sentinel));

/* The same by the broker's own program: jit-broker --escrow=drain OPTION … */
void drained_run(const struct world *world, struct drained *out, ...) __attribute__((sentinel));
/* jit WORD …, so many of them; for what reports alike. */
void drained_jit(const struct world *world, struct drained *out, const char *const *words, size_t count);
void drained_release(struct drained *job);

/* Of the report. */
int64_t drained_number(const struct drained *job, const char *name);

#endif
