/* Chance that a seed repeats: xorshift64. One for each thread. */
#ifndef TORTURE_DICE_H
#define TORTURE_DICE_H

#include <stdint.h>

struct dice {
	uint64_t state; /* not 0 */
};

static inline struct dice dice_new(uint64_t seed, uint64_t which)
{
	return (struct dice){(seed + 1) * UINT64_C(0x9e3779b97f4a7c15) ^
			     (which + 1) * UINT64_C(0xbf58476d1ce4e5b9)};
}

/* 0 to below - 1; 0 for none */
static inline unsigned dice_roll(struct dice *dice, unsigned below)
{
	dice->state ^= dice->state << 13;
	dice->state ^= dice->state >> 7;
	dice->state ^= dice->state << 17;
	return below > 0 ? (unsigned)((dice->state >> 11) % below) : 0;
}

/* from to `to`, both included */
static inline int64_t dice_between(struct dice *dice, int64_t from, int64_t to)
{
	return from + (int64_t)dice_roll(dice, (unsigned)(to - from + 1));
}

#endif
