#include "escrow/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void manifest_begin(struct manifest_reader *reader, const struct escrow_keys *keys)
{
	memset(reader, 0, sizeof(*reader));
	reader->keys = *keys;
}

static enum manifest_line broken(struct manifest_reader *reader, const char *why)
{
	reader->is_broken = true;
	err_set(&reader->why, ERR_INTERNAL, "%s", why);
	return MANIFEST_BROKEN;
}

/* The key of that name, or NULL. */
static const char *find_key(const struct escrow_keys *keys, const char *name)
{
	const char *const all[] = {keys->key, keys->former};
	char known[ESCROW_KEY_NAME];

	for (size_t i = 0; i < 2; i++) {
		if (all[i] == NULL || all[i][0] == '\0')
			continue;
		escrow_key_name(all[i], known);
		if (strcmp(known, name) == 0)
			return all[i];
	}
	return NULL;
}

/* Cuts the seal off the line and compares it. */
static bool seal_holds(struct manifest_reader *reader, char *text, char *seal)
{
	char wanted[SHA256_HEX];

	memcpy(wanted, reader->seal, sizeof(wanted));
	escrow_seal(reader->key, text, wanted);
	if (strlen(seal) != SHA256_HEX - 1 || !digest_equal(seal, wanted, SHA256_HEX - 1))
		return false;
	memcpy(reader->seal, wanted, sizeof(wanted));
	return true;
}

enum manifest_line manifest_next(struct manifest_reader *reader, char *text, struct escrow_line *out)
{
	char name[ESCROW_KEY_NAME];
	char *seal = strrchr(text, '\t');
	bool is_head = reader->lines == 0;

	if (reader->is_broken)
		return MANIFEST_BROKEN;
	if (seal == NULL)
		return broken(reader, "it has no seal");
	*seal++ = '\0';
	if (is_head) {
		if (!escrow_head_read(text, name))
			return broken(reader, "it is not the head of a manifest");
		reader->key = find_key(&reader->keys, name);
		if (reader->key == NULL)
			return broken(reader, "it is not by a key that is configured");
	}
	if (!seal_holds(reader, text, seal))
		return broken(reader,
			      "its seal does not fit: it, or a line before it, is not as it was written");
	if (!is_head && !escrow_line_read(text, out))
		return broken(reader, "it is sealed, but it says nothing that this version knows");
	reader->lines++;
	return is_head ? MANIFEST_HEAD : MANIFEST_LINE;
}

/* One line of the file, as much of it as there is room for. */
static enum err take_line(FILE *file, char *text, const struct manifest_to *to, struct manifest_file *out)
{
	struct escrow_line line;
	size_t len = strlen(text);
	bool has_end = len > 0 && text[len - 1] == '\n';

	out->size += (int64_t)len;
	if (out->reader.is_broken)
		return ERR_OK;
	if (!has_end && len < ESCROW_LINE_MAX - 1 && feof(file)) {
		out->is_cut = true;
		return ERR_OK;
	}
	if (!has_end) {
		broken(&out->reader, "it is too long, or holds a NUL");
		return ERR_OK;
	}
	text[len - 1] = '\0';
	switch (manifest_next(&out->reader, text, &line)) {
	case MANIFEST_BROKEN:
		return ERR_OK;
	case MANIFEST_LINE:
		if (to != NULL && !to->take(to->ctx, to->file, &line))
			return ERR_NOMEM;
		break;
	case MANIFEST_HEAD:
		break;
	}
	out->good_size += (int64_t)len;
	return ERR_OK;
}

enum err manifest_read(const char *path, const struct escrow_keys *keys, const struct manifest_to *to,
		       struct manifest_file *out, struct errctx *ec)
{
	char text[ESCROW_LINE_MAX];
	FILE *file = fopen(path, "rbe");
	enum err err = ERR_OK;
	bool failed;

	if (file == NULL)
		return err_set(ec, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
	memset(out, 0, sizeof(*out));
	manifest_begin(&out->reader, keys);
	while (err == ERR_OK && fgets(text, sizeof(text), file) != NULL)
		err = take_line(file, text, to, out);
	failed = ferror(file) != 0;
	fclose(file);
	if (failed)
		return err_set(ec, ERR_IO, "%s: it cannot be read", path);
	return err != ERR_OK ? err_set(ec, err, "%s: %s", path, err_message(err)) : ERR_OK;
}

static bool is_manifest(const char *name)
{
	size_t len = strlen(name), suffix = sizeof(MANIFEST_SUFFIX) - 1;

	return len > suffix && name[0] != '.' && strcmp(name + len - suffix, MANIFEST_SUFFIX) == 0;
}

static bool add_name(struct manifest_names *names, const char *name)
{
	char **grown = realloc(names->list, (names->count + 1) * sizeof(*grown));
	char *copy = strdup(name);

	if (grown != NULL)
		names->list = grown;
	if (grown == NULL || copy == NULL) {
		free(copy);
		return false;
	}
	names->list[names->count++] = copy;
	return true;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

enum err manifest_names(const char *folder, struct manifest_names *out, struct errctx *ec)
{
	DIR *dir = opendir(folder);
	struct manifest_names names = {0};
	bool ok = true;

	if (dir == NULL)
		return err_set(ec, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", folder,
			       strerror(errno));
	for (const struct dirent *e = readdir(dir); e != NULL && ok; e = readdir(dir))
		ok = !is_manifest(e->d_name) || add_name(&names, e->d_name);
	closedir(dir);
	if (!ok) {
		manifest_names_release(&names);
		return err_set(ec, ERR_NOMEM, "%s", err_message(ERR_NOMEM));
	}
	if (names.count > 1)
		qsort(names.list, names.count, sizeof(*names.list), compare_names);
	*out = names;
	return ERR_OK;
}

void manifest_names_release(struct manifest_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct manifest_names){0};
}
