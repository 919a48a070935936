/*
 * What no client may notice: answers that say the same in every other way that RFC 7643, RFC 7644, RFC 8259 and RFC
 * 9110 allow. Names of attributes in another case and order, unknown ones, null for unassigned, further schemas,
 * white space and escapes, shorter pages, 204 instead of a 200 with a body, other spellings of the media type, unknown
 * headers, pieces of odd lengths, a delay, a connection that is closed afterwards. Drawn by the behaviour `quirks` and
 * the number of the request: the same again for the same requests in the same order. Pure.
 */
#ifndef SANDBOX_QUIRK_H
#define SANDBOX_QUIRK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scim-push/sandbox/answer.h"
#include "scim-push/sandbox/dialect.h"

struct quirk {
	bool on;
	uint64_t state;
};

/* `seed`: the behaviour's number, 0 = none; then all of these leave everything as it is. */
struct quirk quirk_begin(int64_t seed, uint64_t request);

/* A number below `below`; 0 where there are none. */
unsigned quirk_draw(struct quirk *quirk, unsigned below);

/* How late this request is dealt with, in ms; mostly 0. */
long quirk_delay_ms(struct quirk *quirk);

/* What may be otherwise for this one request. */
void quirk_dialect(struct quirk *quirk, struct dialect *dialect);

/* Says the same otherwise. Bodies that are no JSON object, or large, stay as they are. */
void quirk_answer(struct quirk *quirk, const char *method, struct answer *answer);

/* The name of a header in some case. */
void quirk_header(struct quirk *quirk, char *name);

/* How long the next piece of `left` bytes is. */
size_t quirk_piece(struct quirk *quirk, size_t left);

#endif
