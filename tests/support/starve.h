/*
 * Memory that runs out when a test says so. A program that is linked with $(STARVED) in the Makefile allocates through
 * this file: its own malloc, calloc, realloc, strdup and strndup, and those of cJSON, libyaml, OpenSSL and libcurl.
 * The n-th allocation from a chosen moment on fails.
 *
 *	for (long n = 1; ; n++) {
 *		starve_from(n, STARVE_ONE);
 *		... what is tested ...
 *		if (starve_end() == 0)
 *			break;          all of its allocations have failed once
 *	}
 *
 * A broker that is linked so (build/VARIANT/tests/starved/jit-broker) is told by its test through a file that both have
 * mapped, named by the environment variable STARVE_FILE.
 */
#ifndef SUPPORT_STARVE_H
#define SUPPORT_STARVE_H

#include <stdbool.h>

#define STARVE_FILE "JIT_TEST_STARVE"

enum starve_how {
	STARVE_ONE, /* only the n-th fails */
	STARVE_REST /* the n-th and all after it */
};

/* The n-th allocation from now on fails; n is at least 1. */
void starve_from(long n, enum starve_how how);
/* How many allocations have failed so far. */
long starve_failed(void);
/* Memory is back. How many allocations failed since starve_from(). */
long starve_end(void);

/* Makes the file, says so to programs that are started from now on, and steers them from now on instead of this
 * process. False, having said why, when it cannot. */
bool starve_others(const char *path);

#endif
