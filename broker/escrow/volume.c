#include "escrow/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "escrow/ledger.h"

#define LIMIT_LEAST (256 * 1024)
#define SLOTS       64 /* brokers of one host */
#define PATH_SIZE   400
#define SEALED_MAX  (64 * 1024 * 1024)

void volume_init(struct volume *volume, const char *folder, const struct escrow_keys *keys)
{
	memset(volume, 0, sizeof(*volume));
	snprintf(volume->folder, sizeof(volume->folder), "%s", folder);
	volume->keys = *keys;
	volume->fd = volume->lock_fd = -1;
	volume->limit = LIMIT_LEAST;
}

static void close_file(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void volume_close(struct volume *volume)
{
	close_file(&volume->fd);
	close_file(&volume->lock_fd);
}

static void path_of(const struct volume *volume, const char *name, const char *suffix, char out[PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "%s/%s%s", volume->folder, name, suffix);
}

static enum err failed(const char *path, const char *what, struct errctx *ec)
{
	return err_set(ec, ERR_IO, "%s: %s: %s", path, what, strerror(errno));
}

/*
 * What root makes, or finds to be its own, becomes the folder's owner's: a drain by root must leave nothing that the brokers
 * cannot open. A confined broker that stays root may not, and need not. Never a file with another name elsewhere.
 */
static void give_to_owner(const struct volume *volume, int fd)
{
	struct stat folder, file;

	if (geteuid() != 0 || stat(volume->folder, &folder) != 0 || fstat(fd, &file) != 0 ||
	    !S_ISREG(file.st_mode) || file.st_nlink != 1 || file.st_uid != 0)
		return;
	(void)!fchown(fd, folder.st_uid, folder.st_gid);
}

/* -- the name ---------------------------------------------------------------------------------------------- */

/* ERR_BUSY: another process holds it. */
static enum err hold(struct volume *volume, struct errctx *ec)
{
	char path[PATH_SIZE];
	int fd;

	path_of(volume, volume->name, ".lock", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return failed(path, "open", ec);
	give_to_owner(volume, fd);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		enum err err = errno == EWOULDBLOCK ? ERR_BUSY : failed(path, "flock", ec);

		close(fd);
		return err;
	}
	volume->lock_fd = fd;
	return ERR_OK;
}

static enum err take_name(struct volume *volume, struct errctx *ec)
{
	char host[65] = "";
	enum err err = ERR_BUSY;

	if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0' || strchr(host, '/') != NULL)
		snprintf(host, sizeof(host), "host");
	for (unsigned slot = 0; slot < SLOTS && err == ERR_BUSY; slot++) {
		snprintf(volume->name, sizeof(volume->name), "%s-%u", host, slot);
		err = hold(volume, ec);
	}
	if (err != ERR_OK)
		volume->name[0] = '\0';
	if (err == ERR_BUSY)
		err_set(ec, ERR_IO, "%s: %d processes of this host write here already", volume->folder,
			SLOTS);
	return err == ERR_BUSY ? ERR_IO : err;
}

/* -- appending --------------------------------------------------------------------------------------------- */

/* Appends the seals; `seal` goes on behind the last of the lines. */
static void seal_lines(const char *key, const char *lines, char seal[SHA256_HEX], struct buf *out)
{
	struct buf line;

	buf_init(&line, ESCROW_LINE_MAX);
	for (const char *end = strchr(lines, '\n'); end != NULL; end = strchr(lines, '\n')) {
		buf_clear(&line);
		buf_add(&line, lines, (size_t)(end - lines));
		escrow_seal(key, buf_text(&line), seal);
		buf_addf(out, "%s\t%s\n", buf_text(&line), seal);
		if (buf_failed(&line))
			buf_fail(out);
		lines = end + 1;
	}
	buf_release(&line);
}

static bool write_all(int fd, const char *bytes, size_t len, int64_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, bytes, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
		at += n;
	}
	return true;
}

enum err volume_append(struct volume *volume, const char *lines, bool sync, struct errctx *ec)
{
	char seal[SHA256_HEX];
	struct buf out;
	enum err err = ERR_OK;

	memcpy(seal, volume->seal, sizeof(seal));
	buf_init(&out, SEALED_MAX);
	seal_lines(volume->keys.key, lines, seal, &out);
	if (buf_failed(&out))
		err = err_set(ec, ERR_NOMEM, "%s: %s", volume->folder, err_message(ERR_NOMEM));
	else if (!write_all(volume->fd, buf_text(&out), out.len, volume->size))
		err = failed(volume->folder, "write", ec);
	else if (sync && fdatasync(volume->fd) != 0)
		err = failed(volume->folder, "fdatasync", ec);
	if (err == ERR_OK) {
		volume->size += (int64_t)out.len;
		memcpy(volume->seal, seal, sizeof(seal));
	} else {
		/* What is behind the last good line is written over next time, or is found to be cut. */
		if (ftruncate(volume->fd, (off_t)volume->size) != 0)
			err_prefix(ec, "it may end within a line");
		close_file(&volume->fd);
	}
	buf_release(&out);
	return err;
}

/* -- writing anew ------------------------------------------------------------------------------------------ */

static enum err sync_folder(const struct volume *volume, struct errctx *ec)
{
	int fd = open(volume->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok ? ERR_OK : failed(volume->folder, "fsync", ec);
}

#define CHUNK (256 * 1024)

/* What the folder's manifests say. */
struct known {
	struct ledger *ledger;
	bool is_all; /* each of them could be read, and the other folder's is no older */
};

/* What is ours and is not over; and that something is over which other manifests speak of, or may speak of. */
static enum err append_live(struct volume *volume, const struct known *known, struct errctx *ec)
{
	const struct ledger *ledger = known->ledger;
	enum err err = ERR_OK;
	struct buf lines;

	buf_init(&lines, 2 * CHUNK);
	for (size_t i = 0; i < ledger_count(ledger) && err == ERR_OK; i++) {
		const struct ledger_entry *entry = ledger_at(ledger, i);

		if (!entry->is_ours ||
		    (entry->line.kind == ESCROW_GONE && !entry->is_theirs && known->is_all))
			continue;
		escrow_line_print(&entry->line, &lines);
		buf_adds(&lines, "\n");
		if (lines.len < CHUNK && !buf_failed(&lines))
			continue;
		err = buf_failed(&lines) ? err_set(ec, ERR_NOMEM, "%s", err_message(ERR_NOMEM))
					 : volume_append(volume, buf_text(&lines), false, ec);
		buf_clear(&lines);
	}
	if (err == ERR_OK)
		err = volume_append(volume, buf_text(&lines), true, ec);
	buf_release(&lines);
	return err;
}

static enum err append_head(struct volume *volume, struct errctx *ec)
{
	struct buf head;
	enum err err;

	buf_init(&head, ESCROW_LINE_MAX);
	escrow_head_print(volume->name, volume->keys.key, &head);
	buf_adds(&head, "\n");
	err = buf_failed(&head) ? err_set(ec, ERR_NOMEM, "%s", err_message(ERR_NOMEM))
				: volume_append(volume, buf_text(&head), true, ec);
	buf_release(&head);
	return err;
}

/* A new manifest with what is live, in the place of the old one. `known` NULL = nothing is. */
static enum err write_new(struct volume *volume, const struct known *known, struct errctx *ec)
{
	char path[PATH_SIZE], fresh_path[PATH_SIZE];
	struct volume fresh = *volume;
	enum err err;

	path_of(volume, volume->name, MANIFEST_SUFFIX, path);
	path_of(volume, volume->name, ".new", fresh_path);
	fresh.fd = open(fresh_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fresh.fd < 0)
		return failed(fresh_path, "open", ec);
	give_to_owner(volume, fresh.fd);
	fresh.seal[0] = '\0';
	fresh.size = 0;
	err = append_head(&fresh, ec);
	if (err == ERR_OK && known != NULL)
		err = append_live(&fresh, known, ec);
	if (err == ERR_OK && rename(fresh_path, path) != 0)
		err = failed(path, "rename", ec);
	if (err != ERR_OK) {
		close_file(&fresh.fd);
		unlink(fresh_path);
		return err;
	}
	close_file(&volume->fd);
	*volume = fresh;
	volume->limit = 2 * fresh.size > LIMIT_LEAST ? 2 * fresh.size : LIMIT_LEAST;
	return sync_folder(volume, ec);
}

/* Another's manifest. One that cannot be read is said in `ec`, and is no reason for ours to grow for ever. */
static enum err read_theirs(const struct volume *volume, const char *path, size_t number, struct known *known,
			    struct errctx *ec)
{
	const struct manifest_to to = {ledger_take, known->ledger, number};
	struct manifest_file file;
	struct errctx why = {""};
	enum err err = manifest_read(path, &volume->keys, &to, &file, &why);

	if (err == ERR_OK || err == ERR_NOT_FOUND) /* not found: somebody has tidied up */
		return ERR_OK;
	known->is_all = false;
	err_set(ec, err, "%s", why.text);
	return err == ERR_IO ? ERR_OK : err;
}

/* All manifests of the folder, ours, which is at `ours` now, as the first. What is broken counts up to where it breaks. */
static enum err read_folder(const struct volume *volume, const char *ours, struct known *known,
			    struct errctx *ec)
{
	const struct manifest_to to = {ledger_take, known->ledger, 0};
	struct manifest_names names = {0};
	struct manifest_file file;
	char path[PATH_SIZE], own[VOLUME_NAME_SIZE + sizeof(MANIFEST_SUFFIX)];
	enum err err;

	snprintf(own, sizeof(own), "%s%s", volume->name, MANIFEST_SUFFIX);
	err = manifest_read(ours, &volume->keys, &to, &file, ec);
	if (err == ERR_OK)
		err = manifest_names(volume->folder, &names, ec);
	for (size_t i = 0; i < names.count && err == ERR_OK; i++) {
		if (strcmp(names.list[i], own) == 0)
			continue;
		path_of(volume, names.list[i], "", path);
		err = read_theirs(volume, path, i + 1, known, ec);
	}
	manifest_names_release(&names);
	return err;
}

/* What the other one says is ours as well, but no later than ours for being read later. */
static enum err read_other(const struct volume *other, struct ledger *ledger, struct errctx *ec)
{
	const struct manifest_to to = {ledger_take, ledger, LEDGER_TWIN};
	struct manifest_file file;
	char path[PATH_SIZE];

	path_of(other, other->name, MANIFEST_SUFFIX, path);
	return manifest_read(path, &other->keys, &to, &file, ec);
}

static enum err write_anew(struct volume *volume, const char *ours, const struct volume *other,
			   struct errctx *ec)
{
	struct known known = {.ledger = ledger_new(), .is_all = !volume->twin_lacks};
	enum err err;

	if (known.ledger == NULL)
		return err_set(ec, ERR_NOMEM, "%s", err_message(ERR_NOMEM));
	err = read_folder(volume, ours, &known, ec);
	if (err == ERR_OK && other != NULL && other != volume)
		err = read_other(other, known.ledger, ec);
	if (err == ERR_OK)
		err = write_new(volume, &known, ec);
	if (err != ERR_OK)
		volume->limit = 2 * volume->size; /* not at each line again */
	ledger_free(known.ledger);
	return err;
}

enum err volume_compact(struct volume *volume, const struct volume *other, struct errctx *ec)
{
	char path[PATH_SIZE];

	if (other == NULL && volume->size <= volume->limit)
		return ERR_OK;
	path_of(volume, volume->name, MANIFEST_SUFFIX, path);
	return write_anew(volume, path, other, ec);
}

/* -- opening ----------------------------------------------------------------------------------------------- */

/* That there is none yet is no mistake. */
static enum err begin_new(struct volume *volume, struct errctx *ec)
{
	err_set(ec, ERR_OK, "%s", "");
	return write_new(volume, NULL, ec);
}

static enum err set_aside(struct volume *volume, const char *path, struct errctx *ec)
{
	char aside[PATH_SIZE];

	snprintf(aside, sizeof(aside), "%s/%s-broken-%lld%s", volume->folder, volume->name,
		 (long long)clock_wall_ms(), MANIFEST_SUFFIX);
	if (rename(path, aside) != 0)
		return failed(path, "rename", ec);
	volume->set_aside = true;
	return write_new(volume, NULL, ec);
}

static enum err go_on(struct volume *volume, const char *path, const struct manifest_file *file,
		      struct errctx *ec)
{
	volume->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (volume->fd < 0)
		return failed(path, "open", ec);
	give_to_owner(volume, volume->fd);
	if (file->good_size < file->size && ftruncate(volume->fd, (off_t)file->good_size) != 0) {
		close_file(&volume->fd);
		return failed(path, "ftruncate", ec);
	}
	volume->size = file->good_size;
	memcpy(volume->seal, file->reader.seal, sizeof(volume->seal));
	/* One that the former key has sealed goes on under the new one. */
	return file->reader.key != volume->keys.key ? volume_compact(volume, volume, ec) : ERR_OK;
}

/* Is that open file the one that is found by its name? */
static bool is_in_place(const struct volume *volume, const char *suffix, int fd)
{
	struct stat ours, named;
	char path[PATH_SIZE];

	path_of(volume, volume->name, suffix, path);
	return fd >= 0 && fstat(fd, &ours) == 0 && stat(path, &named) == 0 && named.st_dev == ours.st_dev &&
	       named.st_ino == ours.st_ino;
}

/* What is good of a file that somebody has written into, or cut, is found by reading it. */
static enum err begin_again(struct volume *volume, struct errctx *ec)
{
	volume_close(volume);
	volume->lost = true;
	return err_set(ec, ERR_IO, "%s/%s%s was changed while it was in use", volume->folder, volume->name,
		       MANIFEST_SUFFIX);
}

/* All that is in a file that was moved or deleted is written to where it belongs. Where its lock is not there any more,
 * another process may have taken the name. */
static enum err put_back(struct volume *volume, struct errctx *ec)
{
	char open_file[64];
	enum err err = ERR_OK;

	if (!is_in_place(volume, ".lock", volume->lock_fd)) {
		close_file(&volume->lock_fd);
		err = hold(volume, ec);
	}
	if (err == ERR_BUSY)
		return begin_again(volume, ec);
	snprintf(open_file, sizeof(open_file), "/proc/self/fd/%d", volume->fd);
	if (err == ERR_OK)
		err = write_anew(volume, open_file, NULL, ec);
	if (err == ERR_OK)
		err_set(ec, ERR_OK, "%s/%s%s was moved or deleted while it was in use, and is written anew",
			volume->folder, volume->name, MANIFEST_SUFFIX);
	return err;
}

static enum err open_named(struct volume *volume, struct errctx *ec)
{
	struct manifest_file file;
	char path[PATH_SIZE];
	enum err err = volume->lock_fd >= 0 ? ERR_OK : take_name(volume, ec);

	if (err != ERR_OK)
		return err;
	path_of(volume, volume->name, MANIFEST_SUFFIX, path);
	err = manifest_read(path, &volume->keys, NULL, &file, ec);
	if (err == ERR_NOT_FOUND || (err == ERR_OK && file.reader.lines == 0 && !file.reader.is_broken))
		return begin_new(volume, ec);
	if (err != ERR_OK)
		return err;
	return file.reader.is_broken ? set_aside(volume, path, ec) : go_on(volume, path, &file, ec);
}

enum err volume_open(struct volume *volume, struct errctx *ec)
{
	struct stat open_file;

	if (volume->fd < 0)
		return open_named(volume, ec);
	if (fstat(volume->fd, &open_file) != 0 || open_file.st_size != volume->size)
		return begin_again(volume, ec);
	/* Lines that went on into a file without this name would be lost without a word. */
	return is_in_place(volume, MANIFEST_SUFFIX, volume->fd) ? ERR_OK : put_back(volume, ec);
}
