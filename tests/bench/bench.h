/* The rows of the benchmark that have a file of their own. Each prints its rows and is false when it could not be measured. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>

bool bench_live(
	void); /* with a million assignments, or BENCH_LIVE of them: memory, and removals at their time */
bool bench_idle(void); /* ten thousand applications, or BENCH_IDLE of them, with nothing to do */

#endif
