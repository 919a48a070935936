/* What the escrow is told of orders and pushes: the place where what is to be removed gets its names and ids. */
#ifndef PROVISION_DEPOSIT_H
#define PROVISION_DEPOSIT_H

#include "activation/activation.h"
#include "config/config.h"
#include "escrow/escrow.h"
#include "scim-push/push.h"

/* Opens the one that is configured; NULL where none is. Everything but short memory is told later (escrow_trouble). */
bool deposit_open(uv_loop_t *loop, const struct config *config, struct escrow **out,
		  struct errctx *ec) MUST_CHECK;

/*
 * Notes those who are about to be sent, so that they can be removed: `checks` as order_check() gave them, `sent` whom the
 * push is told to send. True when there is anybody: then it is to be on the disk before they are sent.
 */
bool deposit_addition(struct escrow *escrow, const struct order *order, const struct push *push,
		      const struct order_check *checks, const bool *sent) MUST_CHECK;

/* A removal begins: nothing grants this access any more as of `now_ms`, whatever was noted before. Strangers are left out. */
void deposit_removal(struct escrow *escrow, const struct order *order, int64_t now_ms);

/* The push is over: notes who is gone, and who was not added after all. */
void deposit_outcome(struct escrow *escrow, const struct order *order, const struct push *push,
		     int64_t now_ms);

/* The access has another end. `escrow` NULL is legal. */
void deposit_end(struct escrow *escrow, const struct access_end *end);

#endif
