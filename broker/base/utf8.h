/* UTF-8 of RFC 3629, one character at a time. Pure. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The number of bytes (1 to 4) of the valid character at the start of `bytes`, or 0 when there is none within
 * `left` bytes: overlong forms, surrogates, values above U+10FFFF and cut sequences are not valid.
 */
size_t utf8_char(const void *bytes, size_t left);

/* Does that valid character of `len` bytes move the cursor, end the line or turn the direction of writing? C0, DEL, C1,
 * U+2028 to U+202E, U+2066 to U+2069: what is shown to somebody must not hold it. */
bool utf8_is_control(const void *bytes, size_t len);

/* `len`, or less where the text would otherwise end in the middle of a character. For cutting valid UTF-8. */
size_t utf8_cut(const char *text, size_t len);

#endif
