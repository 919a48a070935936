/*
 * The expiry escrow: beside Redis, and readable without it, a sealed manifest of what has to be removed from which
 * application when (escrow/line.h). An addition is in it, on the disk, before it is sent; so whatever is lost, access that
 * was given can be taken away. What comes after that (another end, a confirmed removal) follows soon.
 *
 * Lines are gathered on the loop and written by libuv's thread pool, one batch at a time: whatever comes while a batch is
 * being written shares the next one's fsync. A line that cannot be written is kept, and tried again.
 */
#ifndef ESCROW_ESCROW_H
#define ESCROW_ESCROW_H

#include <uv.h>

#include "base/err.h"
#include "escrow/line.h"

struct escrow_options {
	uv_loop_t *loop;
	const char *path, *second_path; /* folders; second_path "" = none; copied */
	const char *key, *former_key;   /* the same */
};

struct escrow_figures {
	uint64_t lines, syncs, failures; /* written; fsyncs; batches that could not be written to a folder */
	int64_t bytes;                   /* of the manifest */
};

struct escrow;

/* Begins to open the manifest. NULL: no memory. Everything else that goes wrong is escrow_trouble(). */
struct escrow *escrow_new(const struct escrow_options *options) MUST_CHECK;
/* Not while escrow_busy(). NULL is legal. The memory is given back when the loop has run once more. */
void escrow_free(struct escrow *escrow);

/*
 * Takes the line down; it will be written soon. Where there is no memory, or too much waits already, it is dropped:
 * escrow_trouble() says so from then on, and whoever calls escrow_save() behind it gets ERR_IO.
 */
void escrow_note(struct escrow *escrow, const struct escrow_line *line);

/*
 * Calls `done` from the loop once all lines noted so far are on the disk in one of the folders, or could not be written
 * (ERR_IO; then they are tried again, but nobody is told), or one was dropped of which nobody has been told yet (ERR_IO as
 * well). False: no memory, it is not called.
 */
typedef void escrow_saved(void *ctx, enum err err);
bool escrow_save(struct escrow *escrow, escrow_saved *done, void *ctx) MUST_CHECK;

/* Something is being written, or waits for that. */
bool escrow_busy(const struct escrow *escrow);
/* The process ends: what waits, or is noted afterwards, is tried once more, and not again. */
void escrow_stop(struct escrow *escrow);

/* What is wrong, or NULL. Borrowed until the loop goes on. */
const char *escrow_trouble(const struct escrow *escrow);
const struct escrow_figures *escrow_figures(const struct escrow *escrow);

#endif
