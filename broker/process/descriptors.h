/* How many descriptors there are, and how many of them callers may have: pushes, Redis and files go before. */
#ifndef PROCESS_DESCRIPTORS_H
#define PROCESS_DESCRIPTORS_H

#include <stddef.h>

/* Raises the limit of this process to what it may be, and returns what it is. Before the process is confined. */
size_t descriptors_raise(void);

/* Callers' connections for which that limit leaves room, at most `wanted`; a connection has one descriptor. Pure. */
size_t descriptors_for_callers(size_t limit, size_t wanted);

#endif
