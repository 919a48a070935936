/*
 * What can go wrong on the ground, as a table: each kind with its weight, whom it strikes, how long it lasts, how it is
 * begun and healed. The class is what the judge goes by (judge.h).
 */
#ifndef TORTURE_FAULT_H
#define TORTURE_FAULT_H

#include "tests/torture/dice.h"
#include "tests/torture/ground.h"

enum fault_scope {
	SCOPE_APP,    /* one application */
	SCOPE_CLOCK,  /* the clock of one broker's machine */
	SCOPE_BROKER, /* one broker */
	SCOPE_REDIS,  /* the store, or a node of it */
	SCOPE_ALL     /* everything: no other fault of brokers or the store at that time */
};

struct fault;

struct fault_kind {
	const char *name, *class;
	enum fault_scope scope;
	unsigned weight;
	int64_t shortest_ms, longest_ms;
	bool (*begin)(struct ground *ground, struct fault *fault); /* false: not now; nothing was done */
	bool (*heal)(struct ground *ground, struct fault *fault);  /* false: the run cannot go on */
	const char *rule; /* of the application; "%u" in it is a number by chance */
	bool (*is_possible)(const struct ground *ground); /* NULL = always */
	enum island_cut cut;
};

struct fault {
	const struct fault_kind *kind; /* NULL = none */
	size_t target;                 /* application, broker, or node */
	int64_t heal_at_ms;            /* clock_mono_ms() */
	unsigned chance;               /* of its own */
	long number;                   /* in the history */
};

#define FAULTS_AT_ONCE 24

struct faults {
	struct ground *ground;
	struct history *history;
	struct dice dice;
	struct fault active[FAULTS_AT_ONCE];
	const struct fault_kind *wish; /* one that waits until nothing else strikes brokers and store */
	long count;                    /* so far */
};

void faults_new(struct faults *faults, struct ground *ground, struct history *history, uint64_t seed);
/* One more, of a kind and at a place by chance; nothing when it would come upon another one at that place. Brokers and
 * the store are struck in a storm only. */
void faults_add(struct faults *faults, bool is_storm);
/* Heals what is due; everything, with `all`. False when something cannot be healed. */
bool faults_heal(struct faults *faults, bool all);

/* In the order of the table; ends with one without a name. */
extern const struct fault_kind fault_kinds[];

#endif
