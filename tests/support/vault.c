#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escrow/manifest.h"
#include "tests/support/vault.h"
#include "tests/support/wait.h"

#define PATIENCE_MS 5000

void vault_make(struct vault *vault, const char *more)
{
	char key[PROC_PATH_SIZE];
	FILE *file;

	memset(vault, 0, sizeof(*vault));
	snprintf(vault->dir, sizeof(vault->dir), "/tmp/jit-vault-XXXXXX");
	assert_non_null(mkdtemp(vault->dir));
	snprintf(vault->path, sizeof(vault->path), "%s/one", vault->dir);
	snprintf(vault->second, sizeof(vault->second), "%s/two", vault->dir);
	assert_int_equal(mkdir(vault->path, 0700), 0);
	assert_int_equal(mkdir(vault->second, 0700), 0);
	snprintf(key, sizeof(key), "%s/key", vault->dir);
	file = fopen(key, "w");
	assert_non_null(file);
	assert_true(fputs(VAULT_KEY "\n", file) >= 0 && fclose(file) == 0 && chmod(key, 0600) == 0);
	snprintf(vault->config, sizeof(vault->config), "escrow:\n  path: %s\n  key: file:%s\n%s", vault->path,
		 key, more != NULL ? more : "");
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

void vault_remove(struct vault *vault)
{
	if (vault->dir[0] != '\0')
		nftw(vault->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	vault->dir[0] = '\0';
}

struct ledger *vault_read(const char *folder, bool *intact)
{
	static const struct escrow_keys keys = {VAULT_KEY, ""};
	struct ledger *ledger = ledger_new();
	struct manifest_to to = {ledger_take, ledger, 0};
	struct manifest_names names;
	struct manifest_file file;
	struct errctx ec = {""};
	char path[PROC_PATH_SIZE];

	assert_non_null(ledger);
	*intact = true;
	if (manifest_names(folder, &names, &ec) != ERR_OK)
		fail_msg("%s", ec.text);
	for (; to.file < names.count; to.file++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names.list[to.file]);
		if (manifest_read(path, &keys, &to, &file, &ec) != ERR_OK)
			fail_msg("%s", ec.text);
		*intact = *intact && !file.reader.is_broken;
	}
	manifest_names_release(&names);
	return ledger;
}

static void copy_entry(const struct escrow_line *line, struct vault_entry *out)
{
	out->found = true;
	out->kind = line->kind;
	out->at_ms = line->at_ms;
	out->end_ms = line->end_ms;
	snprintf(out->group_name, sizeof(out->group_name), "%s", line->group_name);
	snprintf(out->group_id, sizeof(out->group_id), "%s", line->group_id);
	snprintf(out->user_name, sizeof(out->user_name), "%s", line->user_name);
	snprintf(out->user_id, sizeof(out->user_id), "%s", line->user_id);
	snprintf(out->assignment, sizeof(out->assignment), "%s", line->assignment);
}

void vault_find(const char *folder, const char *principal, const char *group, struct vault_entry *out)
{
	bool intact;
	struct ledger *ledger = vault_read(folder, &intact);

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < ledger_count(ledger); i++) {
		const struct escrow_line *line = &ledger_at(ledger, i)->line;

		if (strcmp(line->principal, principal) == 0 && strcmp(line->group, group) == 0)
			copy_entry(line, out);
	}
	ledger_free(ledger);
}

struct wish {
	const char *folder, *principal, *group;
	enum escrow_kind kind;
};

static bool is_so(void *ctx)
{
	const struct wish *wish = ctx;
	struct vault_entry entry;

	vault_find(wish->folder, wish->principal, wish->group, &entry);
	return entry.found && entry.kind == wish->kind;
}

bool vault_wait(const char *folder, const char *principal, const char *group, enum escrow_kind kind)
{
	struct wish wish = {folder, principal, group, kind};

	return wait_until(is_so, &wish, PATIENCE_MS);
}

bool vault_file(const char *folder, char out[PROC_PATH_SIZE])
{
	struct manifest_names names;
	bool any;

	if (manifest_names(folder, &names, NULL) != ERR_OK)
		return false;
	any = names.count > 0;
	if (any)
		snprintf(out, PROC_PATH_SIZE, "%s/%s", folder, names.list[0]);
	manifest_names_release(&names);
	return any;
}
