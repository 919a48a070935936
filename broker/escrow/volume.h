/*
 * One manifest of this broker, as a file: opened, appended to, and written anew when it has grown. Everything here
 * blocks, and is called from one thread at a time. Where the disk is full or the folder cannot be written, a call fails
 * and leaves the file as it was; the next call tries again from the beginning.
 */
#ifndef ESCROW_VOLUME_H
#define ESCROW_VOLUME_H

#include "base/err.h"
#include "escrow/manifest.h"

#define VOLUME_NAME_SIZE 96

struct volume {
	char folder[256];
	char name[VOLUME_NAME_SIZE]; /* of the file, without folder and suffix; "" = not chosen yet */
	struct escrow_keys keys;     /* borrowed */
	int fd, lock_fd;             /* -1 = not open */
	char seal[SHA256_HEX];       /* of the last line that is in the file */
	int64_t size, limit;         /* bytes; beyond the limit it is written anew */
	bool twin_lacks;             /* set by the caller: the file in the other folder is behind */
	bool set_aside;              /* a manifest that was broken was found and kept under another name */
	bool lost;                   /* somebody has changed the file in use, so it may lack lines */
};

/* `folder` is copied, the keys' texts are borrowed. Opens nothing. */
void volume_init(struct volume *volume, const char *folder, const struct escrow_keys *keys);
void volume_close(struct volume *volume);

/*
 * Opens the file, where it is not open: the first HOST-N that no other process holds, which is held until
 * volume_close(). A file that is there is gone on with behind its last good line; one that is broken is kept as
 * NAME-broken-TIME and a new one begun. One that was moved or deleted since it was opened is written anew, which `ec` says
 * with ERR_OK; one that was changed is ERR_IO once. Root's files become the folder's owner's.
 */
enum err volume_open(struct volume *volume, struct errctx *ec) MUST_CHECK;

/* Appends lines, each with a '\n' behind it and not yet sealed; with `sync` they are on the disk afterwards. */
enum err volume_append(struct volume *volume, const char *lines, bool sync, struct errctx *ec) MUST_CHECK;

/*
 * Writes the file anew without what is over, when it has grown beyond its limit; or, with `other`, in any case, and with
 * all that the other one says. Reads all manifests of the folder for that; while one of the others cannot be read, which
 * `ec` then says, or the twin has not caught up, nothing that is over is left out. On failure the old file stays in use.
 */
enum err volume_compact(struct volume *volume, const struct volume *other, struct errctx *ec) MUST_CHECK;

#endif
