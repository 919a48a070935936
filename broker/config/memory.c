/* See memory.h. */
#include "config/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct memory_block {
	struct memory_block *before;
	void (*release)(void *taken);
	max_align_t taken[];
};

void *memory_take_with(struct memory *memory, size_t size, void (*release)(void *taken))
{
	if (size > SIZE_MAX - sizeof(struct memory_block))
		return NULL;
	struct memory_block *block = calloc(1, sizeof(*block) + size);
	if (!block)
		return NULL;
	block->before = memory->last;
	block->release = release;
	memory->last = block;
	return block->taken;
}

void *memory_take(struct memory *memory, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return NULL;
	return memory_take_with(memory, count * size, NULL);
}

char *memory_copy(struct memory *memory, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = memory_take(memory, size, 1);
	if (copy)
		memcpy(copy, text, size);
	return copy;
}

void memory_release(struct memory *memory)
{
	while (memory->last) {
		struct memory_block *block = memory->last;
		memory->last = block->before;
		if (block->release)
			block->release(block->taken);
		free(block);
	}
}
