/* See report.h. Nothing here knows what a configuration holds. */
#include "config/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void report_init(struct report *report, const char *file)
{
	*report = (struct report){.file = file};
}

void report_release(struct report *report)
{
	free(report->mistakes);
	report->mistakes = NULL;
	report->count = report->capacity = 0;
}

void report_no_memory(struct report *report)
{
	report->out_of_memory = true;
	report->errors++;
}

/* The next free entry, or NULL when there are enough of them or memory is short. */
static struct mistake *new_mistake(struct report *report)
{
	if (report->count == REPORT_MAX) {
		report->dropped++;
		return NULL;
	}
	if (report->count == report->capacity) {
		size_t capacity = report->capacity ? report->capacity * 2 : 16;
		struct mistake *bigger = realloc(report->mistakes, capacity * sizeof(*bigger));
		if (!bigger) {
			report_no_memory(report);
			return NULL;
		}
		report->mistakes = bigger;
		report->capacity = capacity;
	}
	return &report->mistakes[report->count];
}

static void add(struct report *report, struct mistake head, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

static void add(struct report *report, struct mistake head, const char *format, va_list args)
{
	struct mistake *mistake = new_mistake(report);
	if (!mistake)
		return;
	mistake->place = head.place;
	mistake->is_warning = head.is_warning;
	mistake->sequence = report->count++;
	vsnprintf(mistake->text, sizeof(mistake->text), format, args);
}

void report_error(struct report *report, struct place place, const char *format, ...)
{
	va_list args;
	report->errors++;
	va_start(args, format);
	add(report, (struct mistake){.place = place}, format, args);
	va_end(args);
}

void report_warning(struct report *report, struct place place, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add(report, (struct mistake){.place = place, .is_warning = true}, format, args);
	va_end(args);
}

static int compare_sizes(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int compare_mistakes(const void *left, const void *right)
{
	const struct mistake *a = left, *b = right;
	int order = compare_sizes(a->place.line, b->place.line);
	if (!order)
		order = compare_sizes(a->place.column, b->place.column);
	return order ? order : compare_sizes(a->sequence, b->sequence);
}

void report_print(struct report *report, FILE *out)
{
	if (report->count)
		qsort(report->mistakes, report->count, sizeof(*report->mistakes), compare_mistakes);
	for (size_t i = 0; i < report->count; i++) {
		const struct mistake *m = &report->mistakes[i];
		fprintf(out, "%s:%zu:%zu: %s%s\n", report->file, m->place.line, m->place.column,
			m->is_warning ? "warning: " : "", m->text);
	}
	if (report->dropped)
		fprintf(out, "%s:1:1: %zu more mistakes are not shown\n", report->file, report->dropped);
	if (report->out_of_memory)
		fprintf(out, "%s:1:1: out of memory\n", report->file);
}

/* C0 controls, DEL, and C1 controls (U+0080 to U+009F), which some terminals obey too. */
static size_t control_length(const unsigned char *at)
{
	if (at[0] < 0x20 || at[0] == 0x7f)
		return 1;
	return at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0 ? 2 : 0;
}

const char *report_quote(const char *text, char out[REPORT_QUOTE_SIZE])
{
	const unsigned char *at = (const unsigned char *)text;
	const size_t end =
		REPORT_QUOTE_SIZE - sizeof("\u2026\""); /* the ellipsis and the closing quote fit */
	size_t used = 0;
	out[used++] = '"';
	while (*at && used < end) {
		size_t control = control_length(at);
		out[used++] = control ? '?' : (char)*at;
		at += control ? control : 1;
	}
	if (*at) { /* cut before a character, not inside one */
		while ((*at & 0xc0) == 0x80) {
			at--;
			used--;
		}
		memcpy(out + used, "\u2026", strlen("\u2026"));
		used += strlen("\u2026");
	}
	out[used++] = '"';
	out[used] = '\0';
	return out;
}
