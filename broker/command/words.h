/* How the command speaks: lookups in answers, times and durations as people write them, tables, and errors. */
#ifndef COMMAND_WORDS_H
#define COMMAND_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "command/call.h"

/* The value at "a.b.c", or NULL. Borrowed. */
const cJSON *words_at(const cJSON *json, const char *path);
/* Its text; "" when it is absent or no text. Control characters never reach the terminal: print with words_safe(). */
const char *words_text(const cJSON *json, const char *path);

#define WORDS_SIZE 256

/* The text with control characters replaced, cut to fit: an answer cannot take the terminal over. Returns `out`. */
const char *words_safe(const char *text, char out[WORDS_SIZE]);

/* A time of an answer in the zone of this terminal: "14:40" today, else "27 Nov 14:40"; "" for none. Returns `out`. */
const char *words_time(const char *iso8601, char out[WORDS_SIZE]);

/* "2h", "90m", "1h30m", "2d" or ISO 8601 to the latter. False when it is neither. */
bool words_duration(const char *text, char out[64]);
/* The same in milliseconds; -1 when it is not one. */
int64_t words_duration_ms(const char *text);

/* "8h" or "1h30m" of an answer's "PT8H" or "PT1H30M", as --for takes it; "" for none. Returns `out`. */
const char *words_length(const char *iso8601, char out[WORDS_SIZE]);

/* How a column shows what it finds. */
enum shows { AS_TEXT, AS_TIME, AS_LENGTH };

/* One line of a table: texts padded to the widths; the last column is not padded. */
struct column {
	const char *title, *path;
	int width;
	enum shows shows;
};

/* A title line and one line for each object of the array, or `none` when it is empty. */
void words_table(const cJSON *array, const struct column *columns, size_t count, const char *none);

/* The object itself, a line for each of the columns that it has. */
void words_lines(const cJSON *object, const struct column *columns, size_t count);

/* Says on standard error why an answer is none, or a refusal, with the failed rules. Returns the exit status. */
int words_error(const struct answer *answer);

/* Prints the answer as it came, for --json; but for control characters, which become the escapes that JSON has for them. */
void words_json(const struct answer *answer);

#endif
