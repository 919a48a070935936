/* All manifests of the configured folders read together: what they come to, and whether they are as they were written. */
#ifndef ESCROW_SURVEY_H
#define ESCROW_SURVEY_H

#include <stdio.h>

#include "base/err.h"
#include "escrow/ledger.h"

struct survey {
	struct ledger *ledger;
	size_t manifests;
	size_t broken; /* or cannot be read, files and folders; what stands before the break is in the ledger */
	int64_t lines;
};

struct survey_place {
	const char *path, *second_path; /* folders; second_path "" = none */
	struct escrow_keys keys;
};

/*
 * Says of each manifest, in one line on `report`, how it is. One that cannot be read is told and passed over; so is a
 * folder that is away, as long as the other one is there. ERR_IO, ERR_NOMEM. On success the survey is to be released. Blocks.
 */
enum err survey_read(const struct survey_place *place, FILE *report, struct survey *out,
		     struct errctx *ec) MUST_CHECK;
void survey_release(struct survey *survey);

/* The line as a JSON object; `now_ms` says what is due. */
void survey_print(const struct escrow_line *line, int64_t now_ms, struct buf *out);

#endif
