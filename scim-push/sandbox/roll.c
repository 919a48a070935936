/* A sorted array: additions come at its end, the rest is bisection. */
#include "scim-push/sandbox/roll.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64

void roll_release(struct roll *roll)
{
	free(roll->entries);
	*roll = (struct roll){0};
}

bool roll_add(struct roll *roll, uint64_t number, void *item)
{
	if (roll->count == roll->room) {
		size_t room = roll->room > 0 ? roll->room * 2 : FIRST_ROOM;
		struct roll_entry *longer = realloc(roll->entries, room * sizeof(*longer));

		if (longer == NULL)
			return false;
		roll->entries = longer;
		roll->room = room;
	}
	roll->entries[roll->count++] = (struct roll_entry){number, item};
	return true;
}

size_t roll_after(const struct roll *roll, uint64_t number)
{
	size_t low = 0, high = roll->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (roll->entries[middle].number > number)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void roll_remove(struct roll *roll, uint64_t number)
{
	size_t next = roll_after(roll, number);

	(void)memmove(&roll->entries[next - 1], &roll->entries[next],
		      (roll->count - next) * sizeof(roll->entries[0]));
	roll->count--;
}

void *roll_at(const struct roll *roll, size_t place)
{
	return place < roll->count ? roll->entries[place].item : NULL;
}
