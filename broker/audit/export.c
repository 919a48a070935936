#include "audit/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct appending {
	uv_work_t work;
	char path[256];
	struct buf lines; /* begins with an end of line, which is left out where it is not needed */
	enum err err;
	struct errctx ec;
	export_done *done;
	void *ctx;
};

static enum err failed(struct appending *a, const char *what)
{
	return err_set(&a->ec, ERR_UNAVAILABLE, "%s: %s: %s", a->path, what, strerror(errno));
}

/* Does the file end within a line? */
static bool is_cut(int fd)
{
	struct stat st;
	char last = '\n';

	return fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 &&
	       last != '\n';
}

/* All in one write, so that the lines of others cannot come between. */
static enum err append(struct appending *a, int fd)
{
	size_t skip = is_cut(fd) ? 0 : 1;
	ssize_t written = write(fd, buf_text(&a->lines) + skip, a->lines.len - skip);

	if (written < 0)
		return failed(a, "write");
	if ((size_t)written != a->lines.len - skip)
		return err_set(&a->ec, ERR_UNAVAILABLE, "%s: only a part could be written", a->path);
	return fdatasync(fd) != 0 ? failed(a, "fdatasync") : ERR_OK;
}

static void work(uv_work_t *request)
{
	struct appending *a = request->data;
	int fd = open(a->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);

	if (fd < 0) {
		a->err = failed(a, "open");
		return;
	}
	a->err = append(a, fd);
	if (close(fd) != 0 && a->err == ERR_OK)
		a->err = failed(a, "close");
}

static void on_worked(uv_work_t *request, int status)
{
	struct appending *a = request->data;

	if (status != 0)
		a->err = err_set(&a->ec, ERR_UNAVAILABLE, "%s: %s", a->path, uv_strerror(status));
	a->done(a->ctx, a->err, &a->ec);
	buf_release(&a->lines);
	free(a);
}

void export_append(uv_loop_t *loop, const char *path, struct buf *lines, export_done *done, void *ctx)
{
	struct appending *a = calloc(1, sizeof(*a));
	struct errctx ec = {""};

	if (a == NULL || buf_failed(lines)) {
		free(a);
		buf_release(lines);
		err_set(&ec, ERR_NOMEM, "%s", err_message(ERR_NOMEM));
		done(ctx, ERR_NOMEM, &ec);
		return;
	}
	snprintf(a->path, sizeof(a->path), "%s", path);
	a->lines = *lines;
	*lines = (struct buf){.max = lines->max};
	a->done = done;
	a->ctx = ctx;
	a->work.data = a;
	uv_queue_work(loop, &a->work, work, on_worked);
}
