/*
 * What a fuzz target tests/fuzz/fuzz_x.c offers. libFuzzer calls it with bytes of its own making; replay.c calls
 * it with the files of tests/fuzz/corpus/x/, so that every known input is tried again without libFuzzer.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Returns 0. A property that does not hold, like a fault that a sanitizer finds, ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(property) fuzz_require((property), #property, __FILE__, __LINE__)

static inline void fuzz_require(int holds, const char *property, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, property);
	abort();
}

#endif
