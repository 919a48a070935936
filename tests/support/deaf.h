/* A port of loopback where nobody takes up connections: who asks for one is not refused, and waits in vain. */
#ifndef SUPPORT_DEAF_H
#define SUPPORT_DEAF_H

#include <stdbool.h>

struct deaf {
	int listener, waiting; /* the one connection that is kept waiting leaves no room for another */
	unsigned port;
};

/* False, with the reason on standard error, when it cannot be had. */
bool deaf_open(struct deaf *deaf);
/* From now on the port is free. */
void deaf_close(struct deaf *deaf);

#endif
