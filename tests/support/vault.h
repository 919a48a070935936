/* The escrow of a test: its folders, its key, the lines of the configuration, and what is in it now. */
#ifndef SUPPORT_VAULT_H
#define SUPPORT_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "escrow/ledger.h"
#include "tests/support/proc.h"

#define VAULT_KEY "00112233445566778899aabbccddeeff"

struct vault {
	char dir[64];                    /* removed at the end */
	char path[96], second[96];       /* the folders */
	char config[2 * PROC_PATH_SIZE]; /* for world_options.more */
};

/* Makes the folders and the key. `more` are further lines of the section, indented by two; NULL = none. */
void vault_make(struct vault *vault, const char *more);
void vault_remove(struct vault *vault);

/* All manifests of a folder together, and whether each was as it was written. Owned by the caller. */
struct ledger *vault_read(const char *folder, bool *intact);

/* What the manifests of both folders say of that person and group; all of it 0 or "" when nothing. Texts are cut. */
struct vault_entry {
	enum escrow_kind kind;
	bool found;
	int64_t at_ms, end_ms;
	char group_name[128], group_id[128], user_name[128], user_id[128], assignment[ID_SIZE];
};

void vault_find(const char *folder, const char *principal, const char *group, struct vault_entry *out);

/* Waits until what is said of them is of that kind. */
bool vault_wait(const char *folder, const char *principal, const char *group, enum escrow_kind kind);

/* The path of the first manifest of the folder. False when there is none. */
bool vault_file(const char *folder, char out[PROC_PATH_SIZE]);

#endif
