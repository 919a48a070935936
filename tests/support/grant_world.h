/*
 * Two brokers with rules of their own before one lane of the function library, and the oracle beside them: what the walk of
 * tests/unit/test_grants.c is made of.
 */
#ifndef TESTS_SUPPORT_GRANT_WORLD_H
#define TESTS_SUPPORT_GRANT_WORLD_H

#include "activation/policy.h"
#include "tests/support/grant_oracle.h"
#include "tests/support/lane_snapshot.h"

#define GRANT_TERMS    "aws 50 500 5 0 20000 0 2 3000 4000"
#define GRANT_BROKERS  2
#define GRANT_FLIGHTS  16
#define GRANT_GRACE_MS 1200

/* The rules as a broker has them: for the oracle, and as policies. */
struct grant_file {
	char name[16];
	int64_t told_ms; /* when a broker last told that it goes by them */
	struct grant_rules rules[GRANT_GROUPS];
	struct policy policy[GRANT_GROUPS];
	struct policy_eligibility eligible[GRANT_GROUPS], glass[GRANT_GROUPS];
	struct policy_stage stage[GRANT_GROUPS];
	char *names[GRANT_GROUPS][3][GRANT_PEOPLE], *exclusive[GRANT_GROUPS][GRANT_GROUPS];
};

struct grant_flight {
	bool used, add, checked;
	char id[16];
	unsigned group;
	int64_t begin_ms;
	size_t count;
	unsigned person[GRANT_PEOPLE];
	bool wanted[GRANT_PEOPLE];
};

struct grants {
	struct lane *lane;
	struct snapshot snapshot;
	struct grant_oracle oracle;
	struct grant_file file[GRANT_BROKERS], newest;
	unsigned broker; /* who acts in this step */
	uint64_t seed;
	size_t step, pushes, files;
	struct grant_flight flight[GRANT_FLIGHTS];
	/* That it was no idle walk: */
	size_t adds, refused, approved, started, glasses, lost, disputed, withdrawn, extended, updated, words,
		by_word, beyond;
};

uint32_t grants_pick(struct grants *g, uint32_t bound); /* by chance, below the bound */
char *grants_name(unsigned person);                     /* "p0" */
const char *grants_person(unsigned person);       /* whose account it is; NULL = they have no other one */
struct grant_file *grants_mine(struct grants *g); /* that of the broker who acts */

/* The broker reads the newest file, in which something may have been changed before. */
void grants_reload(struct grants *g);

/* A call of the broker's, and its answer; now and then it is made twice. */
void grants_begin(struct grants *g, const char *function);
redisReply *grants_call(struct grants *g);

/* What the store says of that: an administrator has made the person eligible at that time. */
bool grants_has_word(struct grants *g, unsigned group, unsigned person, int64_t at_ms);

/* Fails the test unless the oracle knows of a grant. */
void grants_expect(struct grants *g, unsigned group, unsigned person, const char *what);

/* The order of an answer becomes a push under way, … */
void grants_take_up(struct grants *g, const redisReply *order);
/* … to one of which the next thing happens: asked, ended, or its broker dies. */
void grants_fly(struct grants *g);

#endif
