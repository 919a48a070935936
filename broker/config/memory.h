/* Memory that belongs to one configuration and goes with it: parts may be shared between its values, and none is freed
 * alone. */
#ifndef BROKER_CONFIG_MEMORY_H
#define BROKER_CONFIG_MEMORY_H

#include <stddef.h>

struct memory_block;

/* All zero at the start. */
struct memory {
	struct memory_block *last;
};

/* `count` zeroed elements of `size` bytes; NULL when memory is short. */
void *memory_take(struct memory *memory, size_t count, size_t size);

/* As memory_take(); `release` is called for it before it is freed. */
void *memory_take_with(struct memory *memory, size_t size, void (*release)(void *taken));

/* NULL when memory is short. */
char *memory_copy(struct memory *memory, const char *text);

/* Frees all of it. */
void memory_release(struct memory *memory);

#endif
