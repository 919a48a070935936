#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

struct err_row {
	int status;
	bool retryable;
	const char *code;
	const char *message;
};

#define ERR_ROW(name, status, retry, code, message) [name] = {status, retry, code, message},
static const struct err_row rows[ERR_COUNT] = {ERR_TABLE(ERR_ROW)};
#undef ERR_ROW

static const struct err_row *row_of(enum err err)
{
	assert((unsigned)err < ERR_COUNT);
	return &rows[err];
}

/* Formats to a copy first: an argument may be the very text that is replaced. */
__attribute__((format(printf, 3, 0))) static void format_cut(char *out, size_t size, const char *format,
							     va_list args)
{
	int len = vsnprintf(out, size, format, args);

	if (len < 0)
		out[0] = '\0';
	else if ((size_t)len >= size)
		out[utf8_cut(out, size - 1)] = '\0';
}

enum err err_set(struct errctx *ec, enum err err, const char *format, ...)
{
	struct errctx made = {.text = ""};
	va_list args;

	if (!ec)
		return err;
	va_start(args, format);
	format_cut(made.text, sizeof(made.text), format, args);
	va_end(args);
	*ec = made;
	return err;
}

void err_prefix(struct errctx *ec, const char *format, ...)
{
	struct errctx made = {.text = ""};
	va_list args;
	size_t used, room, len;

	if (!ec)
		return;
	va_start(args, format);
	format_cut(made.text, sizeof(made.text) - 2, format, args);
	va_end(args);
	used = strlen(made.text);
	memcpy(made.text + used, ": ", 2);
	used += 2;

	room = sizeof(made.text) - 1 - used;
	len = strnlen(ec->text, sizeof(ec->text) - 1);
	if (len > room)
		len = utf8_cut(ec->text, room);
	memcpy(made.text + used, ec->text, len);
	made.text[used + len] = '\0';
	*ec = made;
}

int err_status(enum err err)
{
	return row_of(err)->status;
}

const char *err_code(enum err err)
{
	return row_of(err)->code;
}

const char *err_message(enum err err)
{
	return row_of(err)->message;
}

bool err_retryable(enum err err)
{
	return row_of(err)->retryable;
}
