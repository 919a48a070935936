/* What stands on the broker's command line. */
#ifndef BROKER_ARGUMENTS_H
#define BROKER_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct arguments {
	const char *config;   /* borrowed from argv */
	int64_t sweep_for_ms; /* 0 = serve */
	int check, example, version, help;
	const char *escrow; /* "drain", "show" or "verify"; NULL = serve */
	const char *backup; /* verify it: the address of a Redis, or ""; NULL = serve */
	int all, dry_run, without_redis, beside_redis; /* of the drain */
};

/* False when it makes no sense: then the usage is to be printed. */
bool arguments_read(int argc, char **argv, struct arguments *a);
void arguments_usage(FILE *out);

#endif
