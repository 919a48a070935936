#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP ((size_t)64)

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max < SIZE_MAX ? max : SIZE_MAX - 1};
}

void buf_init_secret(struct buf *b, size_t max)
{
	buf_init(b, max);
	b->secret = true;
}

static void give_back(struct buf *b)
{
	if (b->secret && b->data != NULL)
		explicit_bzero(b->data, b->cap);
	free(b->data);
}

void buf_release(struct buf *b)
{
	give_back(b);
	*b = (struct buf){.max = b->max, .secret = b->secret};
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

void buf_fail(struct buf *b)
{
	buf_release(b);
	b->failed = true;
}

/* The content in memory of that size; NULL: there is none, and nothing has changed. */
static char *move_to(struct buf *b, size_t cap)
{
	char *grown;

	if (!b->secret)
		return realloc(b->data, cap);
	grown = malloc(cap);
	if (grown == NULL)
		return NULL;
	if (b->data != NULL)
		memcpy(grown, b->data, b->len + 1);
	give_back(b);
	return grown;
}

/* Makes room for `more` bytes and the NUL; the capacity doubles, so that additions cost constant time. */
static bool reserve(struct buf *b, size_t more)
{
	size_t need, cap;
	char *grown;

	if (b->failed)
		return false;
	if (more > b->max - b->len) {
		buf_fail(b);
		return false;
	}
	need = b->len + more + 1;
	if (need <= b->cap)
		return true;

	cap = b->cap < FIRST_CAP ? FIRST_CAP : b->cap;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	grown = move_to(b, cap);
	if (!grown) {
		buf_fail(b);
		return false;
	}
	b->data = grown;
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len > 0)
		memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_addf(struct buf *b, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0) {
		buf_fail(b);
		return;
	}
	if (!reserve(b, (size_t)len))
		return;
	va_start(args, format);
	vsnprintf(b->data + b->len, (size_t)len + 1, format, args);
	va_end(args);
	b->len += (size_t)len;
}

bool buf_failed(const struct buf *b)
{
	return b->failed;
}

const char *buf_text(const struct buf *b)
{
	return b->data ? b->data : "";
}

char *buf_detach(struct buf *b)
{
	char *text;

	if (!reserve(b, 0))
		return NULL;
	text = b->data;
	text[b->len] = '\0';
	*b = (struct buf){.max = b->max, .secret = b->secret};
	return text;
}
