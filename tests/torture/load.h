/*
 * The people: they activate, extend, give back, schedule and withdraw, each with a will of their own, and repeat a
 * call under its Idempotency-Key until it is answered, as a good client does. Several threads; each has its own people,
 * so that the calls of one person come one after the other. Who needs an approver's word asks for it, looks whether it has
 * come, sometimes withdraws meanwhile, and sometimes tries to decide for themselves.
 */
#ifndef TORTURE_LOAD_H
#define TORTURE_LOAD_H

#include <stdatomic.h>

#include "tests/torture/dice.h"
#include "tests/torture/ground.h"

#define LOAD_WORKERS 4

/* What a person knows of their own access. */
struct load_person {
	size_t number;
	int64_t end_ms;   /* of what was granted; 0 = nothing */
	int64_t start_ms; /* of what is scheduled */
	char scheduled[ID_SIZE];
	char pending[ID_SIZE]; /* waits for an approver */
	int64_t next_ms;       /* when they come again */
	bool in_doubt;         /* a call of theirs was never answered */
};

struct load_worker {
	struct load *load;
	pthread_t thread;
	struct dice dice;
	size_t people;
	struct load_person person[GROUND_PEOPLE];
};

struct load {
	struct ground *ground;
	struct history *history;
	struct load_worker workers[LOAD_WORKERS];
	size_t started;
	atomic_bool stop;
	atomic_long ops;
	atomic_long acknowledged;
};

/* False when a thread cannot be started. */
bool load_begin(struct load *load, struct ground *ground, struct history *history, uint64_t seed);
/* Nobody begins anything new; waits until every call is answered or given up, and what waits for an approver is decided
 * or has timed out. */
void load_end(struct load *load);
/* Is that person to be a member now, as far as they know? After load_end(). */
bool load_wants(const struct load *load, size_t person, int64_t now_ms);
/* Was a call of theirs never answered? */
bool load_in_doubt(const struct load *load, size_t person);

#endif
