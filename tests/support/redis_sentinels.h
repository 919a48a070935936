/*
 * Three sentinels that watch a master called "jit", for tests. They ask for a password. Blocking; tests only.
 */
#ifndef TESTS_SUPPORT_REDIS_SENTINELS_H
#define TESTS_SUPPORT_REDIS_SENTINELS_H

#include <stdbool.h>

#include "tests/support/proc.h"
#include "tests/support/redis_server.h"

#define REDIS_SENTINELS         3
#define REDIS_SENTINEL_PASSWORD "sentinels-only"

struct redis_sentinels {
	char dir[40];
	struct proc procs[REDIS_SENTINELS];
	int ports[REDIS_SENTINELS], tls_ports[REDIS_SENTINELS];
	char texts[REDIS_SENTINELS][40];
	const char *urls[REDIS_SENTINELS]; /* redis://127.0.0.1:port, or rediss:// */
};

/* Starts them and waits until each knows the others and so many replicas of the master at this port. With `tls` they speak
 * it with the servers, among themselves and to whoever comes by `urls`, with certificates on both sides; NULL = not. */
bool redis_sentinels_start(struct redis_sentinels *sentinels, int master_port, int replicas,
			   const struct redis_tls *tls);
void redis_sentinels_stop(struct redis_sentinels *sentinels);

/* The port of the master in the eyes of that sentinel; 0 when it does not answer. */
int redis_sentinels_master(const struct redis_sentinels *sentinels, int index);

#endif
