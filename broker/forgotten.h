/*
 * Removals of the escrow that are older than the store's data: Redis was lost and begun anew, so no broker will make them.
 * Somebody has to be told, loudly, until `jit escrow drain` has carried them out.
 */
#ifndef BROKER_FORGOTTEN_H
#define BROKER_FORGOTTEN_H

#include <uv.h>

#include "config/config.h"
#include "store/store.h"

struct forgotten;

/*
 * Reads the manifests in libuv's thread pool, and again every minute as long as there is anything to tell; which data the
 * `store` has, which must be ready, is read before this returns. Takes a reference of `config`, which has an escrow. NULL: no
 * memory.
 */
struct forgotten *forgotten_new(uv_loop_t *loop, struct config *config, const struct store *store) MUST_CHECK;

/* The memory is given back when the loop has run. NULL is legal. */
void forgotten_free(struct forgotten *forgotten);

/* What is wrong, or NULL. Borrowed until the loop goes on. NULL is legal. */
const char *forgotten_trouble(const struct forgotten *forgotten);

#endif
