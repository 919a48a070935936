/*
 * Removals of the escrow that the store knows nothing of, so no broker will make them: Redis was lost and begun anew, or goes
 * on from an older state (a backup, a replica that was behind). Somebody has to be told, loudly, until `jit escrow drain`
 * has carried them out.
 */
#ifndef ESCROW_FORGOTTEN_H
#define ESCROW_FORGOTTEN_H

#include <uv.h>

#include "config/config.h"
#include "store/store.h"

struct forgotten;

/*
 * Reads the manifests in libuv's thread pool and asks the `store`, which must be ready, for what is in them; again every minute
 * as long as there is anything to tell. Borrows the store until forgotten_free(); takes a reference of `config`, which has
 * an escrow. NULL: no memory.
 */
struct forgotten *forgotten_new(uv_loop_t *loop, struct config *config, struct store *store) MUST_CHECK;

/* The store is ready again, perhaps with other data: looks anew. */
void forgotten_look(struct forgotten *forgotten);

/* The memory is given back when the loop has run. NULL is legal. */
void forgotten_free(struct forgotten *forgotten);

/* How many there are, as far as is known. NULL is legal: none. */
size_t forgotten_count(const struct forgotten *forgotten);

/* Is that all of them? Not before the first look has ended, nor when the last one could not read a folder, or not ask for
 * each of them. NULL is legal: yes. */
bool forgotten_is_known(const struct forgotten *forgotten);

/* Calls `done` from within, or from the loop once the look that is under way has ended. One at a time; not after
 * forgotten_free(). */
typedef void forgotten_known(void *ctx);
void forgotten_when_known(struct forgotten *forgotten, forgotten_known *done, void *ctx);

/* What is wrong, or NULL. Borrowed until the loop goes on. NULL is legal. */
const char *forgotten_trouble(const struct forgotten *forgotten);

#endif
