/*
 * All users, or all groups, in the order of their numbers, so that a page far behind in a list is found without
 * walking there. Numbers rise with each addition.
 */
#ifndef SANDBOX_ROLL_H
#define SANDBOX_ROLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct roll_entry {
	uint64_t number;
	void *item;
};

struct roll {
	struct roll_entry *entries; /* owned */
	size_t count, room;
};

void roll_release(struct roll *roll);
/* The number must be higher than all others. False: out of memory. */
bool roll_add(struct roll *roll, uint64_t number, void *item);
/* The number must be in the roll. */
void roll_remove(struct roll *roll, uint64_t number);
/* The place of the first entry with a higher number; count when there is none. */
size_t roll_after(const struct roll *roll, uint64_t number);
/* NULL beyond the end. */
void *roll_at(const struct roll *roll, size_t place);

#endif
