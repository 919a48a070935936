/*
 * Fails each allocation of a piece of work once, alone, and many of them with all after it. Whatever fails, the work either says
 * that memory was short, or does what it does with memory enough: never a crash, a leak (the sanitizer tells), or a
 * third result. For cmocka tests in programs that are linked with $(STARVED).
 */
#ifndef SUPPORT_SWEEP_H
#define SUPPORT_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

/* What came of the work, as text that two runs can be compared by. It takes no memory of the heap. */
struct seen {
	char text[16384];
	size_t len;
};

void seen_add(struct seen *seen, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Does the work and notes what came of it. False when it said that memory was short; the note does not matter then. */
typedef bool sweep_work(const void *input, struct seen *seen);

/* Fails the test where the promise above is broken, naming `name` and the allocation. How many allocations there are. */
long sweep(const char *name, sweep_work *work, const void *input);

#endif
