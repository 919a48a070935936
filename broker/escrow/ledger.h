/*
 * What manifests come to when they are read together: each membership once, with its end. The statement made last (by
 * Redis' clock) counts; of two made in the same millisecond by different brokers, the one with the later end. Within one
 * manifest the later line is the later statement.
 */
#ifndef ESCROW_LEDGER_H
#define ESCROW_LEDGER_H

#include "base/err.h"
#include "escrow/line.h"

/* As a file: ours (0) as it is in the other folder, which may lack what ours has. */
#define LEDGER_TWIN SIZE_MAX

struct ledger_entry {
	struct escrow_line
		line; /* as of now, its texts owned by the ledger; kind ESCROW_END: nobody said how it was added */
	size_t file;      /* whose statement counts */
	int64_t named_ms; /* when what is said of group and person was so */
	bool is_ours;     /* file 0, or its twin, has said anything of it */
	bool is_theirs; /* any but file 0 has said that it is to be removed: it needs to hear when it is over */
};

struct ledger;

struct ledger *ledger_new(void) MUST_CHECK; /* NULL: no memory */
void ledger_free(struct ledger *ledger);    /* NULL is legal */

/* As manifest_take: ctx is the ledger. */
bool ledger_take(void *ctx, size_t file, const struct escrow_line *line);

size_t ledger_count(const struct ledger *ledger);
/* In the order of their first lines. Borrowed until the next line is taken. */
const struct ledger_entry *ledger_at(const struct ledger *ledger, size_t index);

#endif
