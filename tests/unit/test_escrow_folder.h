/*
 * A folder of manifests, and what tests write into it and read from it. What stands here is for the inclusion in one test
 * program each.
 */
#ifndef TEST_ESCROW_FOLDER_H
#define TEST_ESCROW_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escrow/ledger.h"
#include "escrow/volume.h"

#define KEY    "0123456789abcdef0123456789abcdef"
#define FORMER "fedcba9876543210fedcba9876543210"

static const struct escrow_keys keys = {KEY, ""};

struct folder {
	char path[32];
	char file[160]; /* of the only manifest */
};

static inline struct escrow_line line_of(enum escrow_kind kind, const char *person, int64_t at, int64_t end)
{
	return (struct escrow_line){.kind = kind,
				    .at_ms = at,
				    .end_ms = end,
				    .application = "aws",
				    .group = "g1",
				    .principal = person,
				    .group_name = kind == ESCROW_ADD ? "Admins \\ \t of\nall" : "",
				    .group_id = kind == ESCROW_ADD ? "G-1" : "",
				    .user_name = kind == ESCROW_ADD ? person : "",
				    .user_id = kind == ESCROW_ADD ? "U-1" : "",
				    .assignment = kind == ESCROW_ADD ? "r1" : ""};
}

static inline void append(struct volume *volume, const struct escrow_line *line)
{
	struct errctx ec = {""};
	struct buf lines;

	buf_init(&lines, ESCROW_LINE_MAX);
	escrow_line_print(line, &lines);
	buf_adds(&lines, "\n");
	if (volume_append(volume, buf_text(&lines), false, &ec) != ERR_OK)
		fail_msg("%s", ec.text);
	buf_release(&lines);
}

static inline void open_volume(struct volume *volume, const struct folder *folder)
{
	struct errctx ec = {""};

	volume_init(volume, folder->path, &keys);
	if (volume_open(volume, &ec) != ERR_OK)
		fail_msg("%s", ec.text);
}

static inline int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	snprintf(folder->path, sizeof(folder->path), "/tmp/jit-escrow-XXXXXX");
	*state = folder;
	return mkdtemp(folder->path) != NULL ? 0 : -1;
}

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

static inline int remove_folder(void **state)
{
	struct folder *folder = *state;

	nftw(folder->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(folder);
	return 0;
}

/* Three people are added, the second gets another end, the third is gone. */
static inline void write_story(struct folder *folder)
{
	struct volume volume;
	struct escrow_line lines[] = {
		line_of(ESCROW_ADD, "ann", 10, 1000), line_of(ESCROW_ADD, "ben", 20, 1000),
		line_of(ESCROW_ADD, "cay", 30, 1000), line_of(ESCROW_END, "ben", 40, 5000),
		line_of(ESCROW_GONE, "cay", 1100, 0),
	};

	open_volume(&volume, folder);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		append(&volume, &lines[i]);
	snprintf(folder->file, sizeof(folder->file), "%s/%s%s", folder->path, volume.name, MANIFEST_SUFFIX);
	volume_close(&volume);
}

static inline struct ledger *read_file(const struct folder *folder, struct manifest_file *file)
{
	struct ledger *ledger = ledger_new();
	struct manifest_to to = {ledger_take, ledger, 0};
	struct errctx ec = {""};

	assert_non_null(ledger);
	if (manifest_read(folder->file, &keys, &to, file, &ec) != ERR_OK)
		fail_msg("%s", ec.text);
	return ledger;
}

static inline const struct escrow_line *entry(const struct ledger *ledger, const char *person)
{
	for (size_t i = 0; i < ledger_count(ledger); i++)
		if (strcmp(ledger_at(ledger, i)->line.principal, person) == 0)
			return &ledger_at(ledger, i)->line;
	fail_msg("nothing about %s", person);
	return NULL;
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

#endif
