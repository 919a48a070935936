#include "tests/torture/history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"

bool history_open(struct history *history, const char *path)
{
	history->file = fopen(path, "wbe");
	if (history->file == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	return pthread_mutex_init(&history->lock, NULL) == 0;
}

bool history_close(struct history *history)
{
	bool good;

	if (history->file == NULL)
		return true;
	good = ferror(history->file) == 0;
	good = fclose(history->file) == 0 && good;
	history->file = NULL;
	pthread_mutex_destroy(&history->lock);
	return good;
}

void history_note(struct history *history, const char *kind, const char *format, ...)
{
	va_list args;

	pthread_mutex_lock(&history->lock);
	fprintf(history->file, "{\"t\":%" PRId64 ",\"k\":\"%s\",", clock_wall_ms(), kind);
	va_start(args, format);
	vfprintf(history->file, format, args);
	va_end(args);
	fputs("}\n", history->file);
	pthread_mutex_unlock(&history->lock);
}
