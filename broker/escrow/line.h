/*
 * One line of an escrow manifest: what has to be removed from which application when. Tabs separate the fields, control
 * characters and '\' are written as \xHH, and the last field seals the line: HMAC-SHA-256 over the seal of the line
 * before and this one, so that lines can neither be made nor changed, moved or left out (but for the last ones) without
 * the key. The first line is a head that names the key. Pure.
 */
#ifndef ESCROW_LINE_H
#define ESCROW_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"

#define ESCROW_LINE_MAX 8192 /* every field at its longest, each byte of the names escaped, and room */
#define ESCROW_KEY_NAME 9    /* the key's name in a head: the beginning of a hash of it */

enum escrow_kind {
	ESCROW_ADD,  /* is about to be added, with all that a removal needs */
	ESCROW_END,  /* its end is another one now; it may be the present */
	ESCROW_GONE, /* the application has confirmed that it is gone, or never got it */
	ESCROW_KINDS
};

/* All texts are borrowed, "" = not known. The last five are those of ESCROW_ADD. */
struct escrow_line {
	enum escrow_kind kind;
	int64_t at_ms;  /* when this was so, by Redis' clock */
	int64_t end_ms; /* when the access ends; ESCROW_GONE: 0 */
	const char *application, *group, *principal;
	const char *group_name, *group_id; /* displayName, and id in the application */
	const char *user_name, *user_id;
	const char *assignment; /* id of the request that grants it until then */
};

struct escrow_keys {
	const char *key, *former; /* former "" = none; borrowed */
};

/* Appends the line, without its seal and its end. */
void escrow_line_print(const struct escrow_line *line, struct buf *out);

/* Reads one such text, in place. False when it is none; `line` is then undefined. */
bool escrow_line_read(char *text, struct escrow_line *line);

/* The name of a key. */
void escrow_key_name(const char *key, char out[ESCROW_KEY_NAME]);

/* Appends the first line of a new manifest, without seal and end; `name` says whose it is. */
void escrow_head_print(const char *name, const char *key, struct buf *out);
/* Is this a head? Then the name of its key. In place. */
bool escrow_head_read(char *text, char key[ESCROW_KEY_NAME]);

/* The seal of a line behind the one whose seal is `seal` ("" = it is the first), which is replaced. Takes no memory. */
void escrow_seal(const char *key, const char *text, char seal[SHA256_HEX]);

#endif
