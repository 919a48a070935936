/*
 * Turns the bytes that Redis sends into replies. hiredis parses; the values are built here, in one arena that is
 * used again for each reply, so that a reply costs no allocation and its size and depth are bounded whatever
 * the peer claims. Internal to the store.
 */
#ifndef STORE_READER_H
#define STORE_READER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

#define REPLY_BYTES_MAX ((size_t)16 << 20) /* memory one reply may take, unparsed bytes included */
#define REPLY_DEPTH_MAX 7                  /* arrays within arrays; hiredis 0.14 ends at 8 */

enum reply_kind { REPLY_NIL, REPLY_INTEGER, REPLY_TEXT, REPLY_ERROR, REPLY_ARRAY };

struct reply {
	enum reply_kind kind;
	unsigned depth;       /* of an array: 1 for the outermost */
	int64_t integer;      /* REPLY_INTEGER */
	const char *text;     /* REPLY_TEXT (bulk and status) and REPLY_ERROR, NUL-terminated */
	size_t len;           /* of the text */
	struct reply **items; /* REPLY_ARRAY, `count` of them */
	size_t count;
};

struct reader;

enum reader_result {
	READER_REPLY, /* a whole reply is there */
	READER_MORE,  /* feed more bytes */
	READER_BROKEN /* the peer does not keep to the protocol or to the bounds: give the connection up */
};

struct reader *reader_new(void) MUST_CHECK; /* NULL without memory */
void reader_free(struct reader *reader);    /* NULL is fine */

/* Copies the bytes. False without memory. */
bool reader_feed(struct reader *reader, const char *bytes, size_t len) MUST_CHECK;

/* The next whole reply; *reply is borrowed until the next call. After READER_BROKEN only reader_why() and
 * reader_free() may be called. */
enum reader_result reader_next(struct reader *reader, const struct reply **reply);

const char *reader_why(const struct reader *reader); /* why it is broken, in a few words */

bool reply_is_error(const struct reply *reply);

/* A copy in one piece of memory, to be freed with free(). NULL without memory. */
struct reply *reply_copy(const struct reply *reply) MUST_CHECK;

#endif
