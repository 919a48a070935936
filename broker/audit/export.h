/* Lines appended to a file by a worker thread, so that the loop never waits for a disk. */
#ifndef AUDIT_EXPORT_H
#define AUDIT_EXPORT_H

#include <uv.h>

#include "base/buf.h"
#include "base/err.h"

typedef void export_done(void *ctx, enum err err, const struct errctx *ec);

/*
 * Appends the lines and syncs the file, which is opened anew each time, so that it may be renamed away at any time. The
 * buffer is taken over. Several processes may append to the same file: their lines do not mix. A line that was cut off
 * by a full disk or a crash is ended before. ERR_UNAVAILABLE when not all is safely there; then nothing must be believed
 * to be.
 */
void export_append(uv_loop_t *loop, const char *path, struct buf *lines, export_done *done, void *ctx);

#endif
