/* The mistakes found while a configuration is read: collected, put into the order of the file, printed. */
#ifndef BROKER_CONFIG_REPORT_H
#define BROKER_CONFIG_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define REPORT_MAX 1000 /* lines kept; a file with more mistakes than that is not a configuration */

/* Both count from 1; columns are characters. */
struct place {
	size_t line, column;
};

struct mistake {
	struct place place;
	size_t sequence; /* of two at one place, the one found first is printed first */
	bool is_warning;
	char text[512];
};

struct report {
	const char *file; /* as the user named it; borrowed */
	struct mistake *mistakes;
	size_t count, capacity;
	size_t dropped; /* found, but beyond REPORT_MAX */
	size_t errors;  /* found, warnings not counted */
	bool out_of_memory;
};

/* `file` is borrowed until report_release(). */
void report_init(struct report *report, const char *file);
void report_release(struct report *report);

/* Adds one sentence, without a full stop. Too long ones are cut. */
void report_error(struct report *report, struct place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void report_warning(struct report *report, struct place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Notes that memory was short; counts as an error. */
void report_no_memory(struct report *report);

/* "FILE:LINE:COLUMN: message" (warnings: "…: warning: message"), one a line, in the order of the file. */
void report_print(struct report *report, FILE *out);

#define REPORT_QUOTE_SIZE 64

/* Text from the file made fit for a message: in quotes, shortened, control characters shown as '?'. Returns `out`. */
const char *report_quote(const char *text, char out[REPORT_QUOTE_SIZE]);

#endif
