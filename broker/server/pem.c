#include "server/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"

/* The number of bytes in the file, up to PEM_MAX + 1; -1 with errno. */
static ssize_t read_all(int fd, char *text)
{
	size_t len = 0;
	ssize_t got;

	do {
		got = read(fd, text + len, PEM_MAX + 1 - len);
		if (got < 0)
			return -1;
		len += (size_t)got;
	} while (got > 0 && len <= PEM_MAX);
	return (ssize_t)len;
}

char *pem_load(const char *path, struct errctx *ec)
{
	/* One block of fixed size: growing would leave copies of the key in freed memory. */
	char *text = calloc(1, PEM_MAX + 2);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = text && fd >= 0 ? read_all(fd, text) : -1;

	if (len < 0)
		err_set(ec, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
	else if (len == 0)
		err_set(ec, ERR_IO, "%s: is empty", path);
	else if (len > PEM_MAX)
		err_set(ec, ERR_IO, "%s: is too large for a certificate or key", path);
	if (fd >= 0)
		close(fd);
	if (len > 0 && len <= PEM_MAX)
		return text;
	pem_free(text);
	return NULL;
}

void pem_free(char *text)
{
	if (text)
		digest_wipe(text, PEM_MAX + 2);
	free(text);
}
