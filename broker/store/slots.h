/*
 * Which master of a Redis Cluster has which slot, as its nodes tell it. Pure: takes replies, gives addresses.
 * Internal to the store.
 */
#ifndef STORE_SLOTS_H
#define STORE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/address.h"
#include "store/reader.h"

#define SLOTS       16384
#define MASTERS_MAX 128 /* a cluster of more has lanes on these or on none */
#define MASTER_NONE 255 /* nobody is known to have the slot */

struct slots {
	size_t count;
	struct address masters[MASTERS_MAX];
	uint8_t master_of[SLOTS]; /* index of its master, or MASTER_NONE */
};

/* The slot of a key, which is that of its hash tag where it has one. */
unsigned slot_of_key(const char *key);
unsigned slot_of_lane(unsigned lane);

/* Reads the answer of `asked` to CLUSTER SLOTS. False when it is nothing of the kind or names no master; then *slots
 * is not to be used. */
bool slots_read(struct slots *slots, const struct reply *reply, const struct address *asked) MUST_CHECK;

/* Reads "MOVED slot host:port", as `from` has answered it. False when it is something else. */
bool slots_read_moved(const char *text, const struct address *from, unsigned *slot,
		      struct address *to) MUST_CHECK;

#endif
