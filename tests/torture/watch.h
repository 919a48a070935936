/*
 * Looks at what happens all the time, in a thread of its own: how many tokens each application has free, as a broker
 * says, and whether the machine itself stood still.
 */
#ifndef TORTURE_WATCH_H
#define TORTURE_WATCH_H

#include <stdatomic.h>

#include "tests/torture/ground.h"

struct watch {
	struct ground *ground;
	struct history *history;
	pthread_t thread;
	bool runs;
	atomic_bool stop;
};

bool watch_begin(struct watch *watch, struct ground *ground, struct history *history);
void watch_end(struct watch *watch);

#endif
