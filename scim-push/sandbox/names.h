/*
 * A hash index from text to items. Keys compare without regard to the case of ASCII letters and need not be
 * unique; whoever needs an exact match compares again. The nodes are embedded in the items, so that adding never
 * fails.
 */
#ifndef SANDBOX_NAMES_H
#define SANDBOX_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct names_node {
	const char *key; /* borrowed from the item for as long as the node is in the index */
	void *item;
	uint64_t hash;
	struct names_node *next;
};

struct names {
	struct names_node **buckets; /* owned; a power of two of them */
	size_t size;
	size_t count;
};

bool names_init(struct names *names); /* false: out of memory */
void names_release(struct names *names);
void names_add(struct names *names, struct names_node *node, const char *key, void *item);
/* The node must be in the index. */
void names_remove(struct names *names, struct names_node *node);
/* The first node with that key, then the next one; NULL when there is none. */
struct names_node *names_find(const struct names *names, const char *key);
struct names_node *names_next(const struct names_node *node);
/* Has another item than `self` (may be NULL) that key; `exact`: in the same case, too? */
bool names_have_other(const struct names *names, const char *key, bool exact, const void *self);

#endif
