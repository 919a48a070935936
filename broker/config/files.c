/* Values that name files: certificates, which are only looked for, and secrets, which are read. */
#include "config/values.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"

bool path_resolve(const struct reading *reading, const char *path, char *out, size_t size)
{
	size_t folder = path[0] == '/' ? 0 : strlen(reading->folder), len = strlen(path);
	if (folder + len >= size)
		return false;
	memcpy(out, reading->folder, folder);
	memcpy(out + folder, path, len + 1);
	return true;
}

/* Opens a regular file for reading; -1 when that is not possible, which is reported with the place of `value`. */
static int open_file(const struct reading *reading, const struct setting *setting, const struct value *value,
		     const char *path)
{
	struct stat st;
	char quoted[REPORT_QUOTE_SIZE];
	/* Not blocking, because the name may turn out to be a pipe's. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		report_error(reading->report, value->place, "%s: %s cannot be read: %s", setting->path,
			     report_quote(path, quoted), strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		report_error(reading->report, value->place, "%s: %s is not a regular file", setting->path,
			     report_quote(path, quoted));
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static void warn_if_public(const struct reading *reading, const struct setting *setting,
			   const struct value *value, int fd)
{
	struct stat st;
	if (fstat(fd, &st) == 0 && (st.st_mode & S_IROTH))
		report_warning(reading->report, value->place,
			       "%s: everybody on this machine may read that file; its mode should be 0600",
			       setting->path);
}

/* The path of the value, resolved into the setting's field. NULL when it was reported. */
static const char *store_path(const struct reading *reading, const struct setting *setting,
			      const struct value *value, void *base)
{
	char *field = (char *)base + setting->offset;
	if (value->text[0] == '\0')
		report_error(reading->report, value->place, "%s must name a file", setting->path);
	else if (value_has_control(value->text))
		report_error(reading->report, value->place, "%s holds a control character", setting->path);
	else if (!path_resolve(reading, value->text, field, setting->size))
		report_error(reading->report, value->place, "%s is too long: at most %zu bytes",
			     setting->path, setting->size - 1);
	else
		return field;
	return NULL;
}

void value_read_path(const struct reading *reading, const struct setting *setting, const struct value *value,
		     void *base)
{
	(void)store_path(reading, setting, value, base);
}

void value_read_file(const struct reading *reading, const struct setting *setting, const struct value *value,
		     void *base)
{
	const char *path = store_path(reading, setting, value, base);
	if (!path || reading->skip_files)
		return;
	int fd = open_file(reading, setting, value, path);
	if (fd < 0)
		return;
	if (setting == &settings[SET_TLS_KEY])
		warn_if_public(reading, setting, value, fd);
	close(fd);
}

/* Reads until the end of the file or `size` bytes. -1 on error. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
	size_t len = 0;
	while (len < size) {
		ssize_t got = read(fd, bytes + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

/* What goes into an Authorization header unchanged: visible ASCII (RFC 6750 section 2.1 allows less still). */
static bool is_header_value(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] <= 0x20 || bytes[i] >= 0x7f)
			return false;
	return true;
}

/* The reason why these bytes are no secret of that size, or NULL; then they are cut to the secret. */
static const char *check_secret(char *bytes, ssize_t len, const struct setting *setting)
{
	bool is_token = setting->type == TYPE_SECRET;
	if (len < 0)
		return "that file cannot be read";
	size_t end = (size_t)len;
	if (end && bytes[end - 1] == '\n')
		end--;
	if (end && bytes[end - 1] == '\r')
		end--;
	if (end == 0)
		return "that file is empty";
	if (end >= setting->size)
		return is_token ? "the token in that file is too long: at most 4095 bytes"
				: "the secret in that file is too long: at most 255 bytes";
	if (!is_header_value(bytes, end))
		return is_token ? "the token in that file holds a blank, a control or a non-ASCII character"
				: "the secret in that file holds a blank, a control or a non-ASCII character";
	bytes[end] = '\0';
	return NULL;
}

static void read_bytes(const struct reading *reading, const struct setting *setting,
		       const struct value *value, int fd, void *base)
{
	char bytes[4096 + 2]; /* the longest secret, its line end, and one byte that would be too many */
	ssize_t len = read_all(fd, bytes, sizeof(bytes));
	const char *wrong = check_secret(bytes, len, setting);
	if (wrong)
		report_error(reading->report, value->place, "%s: %s", setting->path, wrong);
	else
		memcpy((char *)base + setting->offset, bytes, strlen(bytes) + 1);
	digest_wipe(bytes, sizeof(bytes));
}

/* "file:PATH", or "credential:NAME" for a file of that name in the folder where systemd puts a unit's credentials. */
static bool secret_path(const struct reading *reading, const char *text, char *out, size_t size)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	const char *name = text + strcspn(text, ":") + 1;

	if (name[0] == '\0' || value_has_control(name))
		return false;
	if (strncmp(text, "file:", 5) == 0)
		return path_resolve(reading, name, out, size);
	return strchr(name, '/') == NULL && name[0] != '.' &&
	       snprintf(out, size, "%s/%s", folder != NULL ? folder : "", name) < (int)size;
}

void value_read_secret(const struct reading *reading, const struct setting *setting,
		       const struct value *value, void *base)
{
	char path[4096];

	if (strncmp(value->text, "file:", 5) != 0 && strncmp(value->text, "credential:", 11) != 0) {
		report_error(
			reading->report, value->place,
			"%s must name a file, file:PATH: a secret written here could be read by everybody "
			"who may read this configuration, its copies and its history",
			setting->path);
		return;
	}
	if (!secret_path(reading, value->text, path, sizeof(path))) {
		report_error(reading->report, value->place,
			     "%s must name a file, file:PATH, or a credential of systemd, credential:NAME",
			     setting->path);
		return;
	}
	if (reading->skip_files)
		return;
	if (strncmp(value->text, "credential:", 11) == 0 && getenv("CREDENTIALS_DIRECTORY") == NULL) {
		report_error(reading->report, value->place,
			     "%s: credentials are there only in a unit of systemd's that loads them; "
			     "jit-broker(8) says how to check this file in one",
			     setting->path);
		return;
	}
	int fd = open_file(reading, setting, value, path);
	if (fd < 0)
		return;
	warn_if_public(reading, setting, value, fd);
	read_bytes(reading, setting, value, fd, base);
	close(fd);
}
