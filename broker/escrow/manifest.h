/*
 * Reading manifests: line by line, each against its seal. What stands before the first line that is not as it was
 * written is good, whatever comes behind it.
 */
#ifndef ESCROW_MANIFEST_H
#define ESCROW_MANIFEST_H

#include "base/err.h"
#include "escrow/line.h"

#define MANIFEST_SUFFIX ".escrow"

struct manifest_reader {
	struct escrow_keys keys;
	const char *key; /* the one by which it is sealed; NULL before the head */
	char seal[SHA256_HEX];
	int64_t lines;  /* that were right, the head included */
	bool is_broken; /* at line lines + 1; `why` says how */
	struct errctx why;
};

enum manifest_line { MANIFEST_HEAD, MANIFEST_LINE, MANIFEST_BROKEN };

/* A new manifest, of which nothing has been read. The keys' texts are borrowed. */
void manifest_begin(struct manifest_reader *reader, const struct escrow_keys *keys);

/* The next line, without its end, read in place: *out borrows from it. Once broken, always broken. */
enum manifest_line manifest_next(struct manifest_reader *reader, char *text, struct escrow_line *out);

/* What became of a file. */
struct manifest_file {
	struct manifest_reader reader;
	int64_t good_size; /* bytes up to the end of the last line that was right */
	int64_t size;
	bool is_cut; /* its last line has no end: the writer died, or the disk was full, while it was written */
};

/* `file` counts from 0 over those that are read; the line is borrowed for the call. False: no memory. */
typedef bool manifest_take(void *ctx, size_t file, const struct escrow_line *line);

struct manifest_to {
	manifest_take *take;
	void *ctx;
	size_t file;
};

/* Reads one file. A broken one is ERR_OK: `out` says so. ERR_NOT_FOUND, ERR_IO, ERR_NOMEM. Blocks. */
enum err manifest_read(const char *path, const struct escrow_keys *keys, const struct manifest_to *to,
		       struct manifest_file *out, struct errctx *ec) MUST_CHECK;

/* The names of the manifests in a folder, sorted; released by manifest_names_release(). ERR_IO, ERR_NOMEM. Blocks. */
struct manifest_names {
	size_t count;
	char **list;
};

enum err manifest_names(const char *folder, struct manifest_names *out, struct errctx *ec) MUST_CHECK;
void manifest_names_release(struct manifest_names *names);

#endif
