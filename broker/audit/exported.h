/*
 * The audit as it was exported: is it as it was written? A file of JSON lines is read once, without a broker or Redis.
 * Each lane's events have to be there without a gap, and what seals cover has to be what they were made over, by the key
 * where there is one. What is there twice (each event is written at least once) has to be the same, and lines that a crash
 * has cut off are passed over: the event follows whole.
 */
#ifndef AUDIT_EXPORTED_H
#define AUDIT_EXPORTED_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

struct exported_keys {
	const char *key,
		*former; /* "" = none; borrowed. Without any, only the seals' digests are computed again. */
};

struct exported_report {
	int64_t events, seals, lanes;
	int64_t repeated, cut; /* lines */
	int64_t unsealed;      /* events at the end that wait for a seal */
	int64_t unchecked;     /* events at the beginning whose seal covers others that are not in the file */
	/* The first thing that is wrong; line 0 = nothing is. */
	int64_t line, lane, number;
	struct errctx why;
};

/* ERR_OK also when something is wrong with what is in the file; ERR_IO when it cannot be read, ERR_NOMEM. Blocks. */
enum err exported_check(FILE *in, const struct exported_keys *keys,
			struct exported_report *report) MUST_CHECK;

#endif
