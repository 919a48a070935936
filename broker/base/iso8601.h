/* Dates, times and durations of ISO 8601 as Microsoft Graph writes them. Pure. */
#ifndef BASE_ISO8601_H
#define BASE_ISO8601_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ISO8601_TIME_SIZE     32 /* "2026-11-24T09:00:00.123Z" and its NUL, with room for five-digit years */
#define ISO8601_DURATION_SIZE 48

/*
 * "2026-11-24T09:00:00Z", with 0 to 7 digits of fraction (cut to milliseconds) and 'Z' or an offset ±hh:mm, to
 * Unix milliseconds. A time without an offset is refused: Graph refuses it too. Years 1970 to 9999.
 * ERR_BAD_REQUEST with the reason in `ec` otherwise.
 */
enum err iso8601_parse_time(const char *text, int64_t *ms, struct errctx *ec) MUST_CHECK;

/*
 * "PT2H30M", "P1DT12H", "PT0.5S", "P1W" to milliseconds. Years and months are refused (their length is not
 * fixed), so are zero, negative and more than 100 years. ERR_BAD_REQUEST otherwise.
 */
enum err iso8601_parse_duration(const char *text, int64_t *ms, struct errctx *ec) MUST_CHECK;

/* Writes UTC with milliseconds and 'Z'. */
void iso8601_format_time(int64_t ms, char out[ISO8601_TIME_SIZE]);

/* Writes the shortest form in hours, minutes and seconds: PT8H, PT1H30M, PT20S, PT0.25S. `ms` >= 0. */
void iso8601_format_duration(int64_t ms, char out[ISO8601_DURATION_SIZE]);

#endif
