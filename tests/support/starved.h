/*
 * A broker whose memory runs out while it is called: one call after the other without its first allocation, its second, and
 * so on, until there is none to fail. It answers right, or 5xx, or closes the connection; what it did not acknowledge can be
 * asked again; it does not end by it, and at its end nothing has leaked (the sanitizer tells). For cmocka tests in programs
 * that are linked with $(STARVED).
 */
#ifndef SUPPORT_STARVED_H
#define SUPPORT_STARVED_H

#include <stdbool.h>
#include <stddef.h>

#include "api/route.h"
#include "tests/support/scene.h"

/* The options of such a world: nothing waits for a disk, and pushes are soon taken up again where they were lost. */
struct world_options starved_options(void);

/* cmocka: the world in *state, whose broker is tests/starved/jit-broker; its teardown. */
int starved_open(void **state, const struct world_options *options);
int starved_close(void **state);

/* Makes the call that is tested, or one that goes before or after it, for the n-th time. */
typedef int starved_step(const struct world *world, long n);

struct starved_sweep {
	const char *route;    /* of the API that it is about: method, blank, path as in the table of routes */
	const char *name;     /* NULL = the route */
	starved_step *before; /* 0 = well; NULL = nothing is to be done */
	starved_step *call;   /* the status of the answer, 0 = none came */
	starved_step *after;  /* asks again what was not answered, and undoes it. 0 = well; NULL = nothing */
	int wanted, also;     /* `also` is as good where memory was short; 0 = nothing is */
	long each_after, each; /* beyond allocation `each_after` only one in `each`; 0 = all */
};

void starved_run(const struct world *world, const struct starved_sweep *sweep);

/* A call as that person; the status. Fails the test where a 200 is cut short. */
int starved_call(const struct world *world, size_t person, const struct http_request *request);

/* Fails the test unless all of the API's routes for which `concerned` is true are in the table, and it has no others. */
void starved_expect_routes(const struct starved_sweep *sweeps, size_t count,
			   bool (*concerned)(const struct route *route));

#endif
