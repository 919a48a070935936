/* Looks for secrets in the memory of a process that a test has started. Only root can; others see nothing. */
#ifndef SUPPORT_SOUGHT_H
#define SUPPORT_SOUGHT_H

#include <stddef.h>
#include <sys/types.h>

struct sought {
	const char *bytes; /* NULL ends a list of them */
	size_t len;        /* 0 = a text */
	size_t count;      /* how often it was found; added up */
};

/* In all that the process may write to, in one go, because a sanitizer has much of it. Fails the test where the memory
 * cannot be read. */
void sought_count(pid_t pid, struct sought *all);

#endif
