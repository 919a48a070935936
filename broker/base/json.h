/*
 * JSON from outside, read strictly with cJSON behind a pre-scan: cJSON alone accepts duplicate members (first
 * wins), cuts strings at \u0000 and turns 1e400 into null. Refused here: invalid UTF-8, \u0000, lone surrogates,
 * duplicate member names (also when they differ only in case, because Graph's clients may), nesting deeper than
 * JSON_DEPTH, more than JSON_VALUES values, numbers outside ±1e15 range or with more than 30 characters, and
 * anything after the value. The time is n log n in the length of the text, the stack does not depend on it.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/err.h"

#define JSON_DEPTH  16
#define JSON_VALUES 20000

/*
 * Parses exactly one value out of `len` bytes (no NUL needed). On success *out is owned by the caller, who
 * frees it with cJSON_Delete(). ERR_BAD_REQUEST or ERR_NOMEM otherwise, *out untouched, `ec` says why and where.
 */
enum err json_parse(const char *text, size_t len, cJSON **out, struct errctx *ec) MUST_CHECK;

/* The same with another limit than JSON_VALUES, for what is known to be large. */
enum err json_parse_large(const char *text, size_t len, size_t values_max, cJSON **out,
			  struct errctx *ec) MUST_CHECK;

/* The member's string, or NULL when it is absent or no string. Borrowed. Member names match exactly. */
const char *json_string(const cJSON *object, const char *name);

/* Appends `text` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
void json_add_string(struct buf *b, const char *text);

/* Appends the printed value, without white space. */
void json_add_value(struct buf *b, const cJSON *value);

#endif
