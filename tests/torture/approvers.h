/*
 * Those who agree or do not, each a thread: they look at what waits for them over one broker and decide over another.
 * What one of them has decided the other one decides, too, in ignorance; each says some of it twice, and every fifth
 * request is left alone by both.
 */
#ifndef TORTURE_APPROVERS_H
#define TORTURE_APPROVERS_H

#include <stdatomic.h>

#include "tests/torture/dice.h"
#include "tests/torture/ground.h"

struct approver {
	struct ground *ground;
	const struct ground_person *who;
	struct dice dice;
	const atomic_bool *stop;
	pthread_t thread;
};

struct approvers {
	struct approver all[GROUND_APPROVERS];
	size_t started;
	atomic_bool stop;
};

/* False when a thread cannot be started. */
bool approvers_begin(struct approvers *approvers, struct ground *ground, uint64_t seed);
/* Waits until every decision is answered or given up. */
void approvers_end(struct approvers *approvers);

#endif
