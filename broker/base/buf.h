/*
 * A growing text buffer with a hard maximum. Any failed call (maximum passed, no memory) marks the buffer as
 * failed, frees its content and makes all later additions no-ops, so that a long series of additions is checked
 * once, at its end, with buf_failed(). The text is always NUL-terminated; NUL bytes inside are kept.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data; /* owned; NULL until something is added */
	size_t len; /* bytes, without the closing NUL */
	size_t cap;
	size_t max; /* len never passes this */
	bool failed;
	bool secret; /* what it held is wiped before its memory is given back */
};

void buf_init(struct buf *b, size_t max);        /* allocates nothing */
void buf_init_secret(struct buf *b, size_t max); /* the same, for what nobody may find in memory afterwards */
void buf_release(struct buf *b); /* frees; the buffer can be used again with the same maximum */
void buf_clear(struct buf *b);   /* empties, keeps the memory, clears a failure */
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *text);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_fail(struct buf *b); /* for writers that fail themselves: as if an addition had failed */
bool buf_failed(const struct buf *b);
const char *buf_text(const struct buf *b); /* never NULL; "" when empty; borrowed until the next change */
/* Hands the text to the caller, who frees it with free(), and wipes it if it is secret; leaves the buffer empty. NULL when
 * failed. */
char *buf_detach(struct buf *b);

#endif
