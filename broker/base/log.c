/* Formats a line on the stack; what a value may look like in it is decided here and nowhere else. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/iso8601.h"
#include "base/utf8.h"

#define CUT_FIELD " cut=true"
#define BUG_FIELD " log_bug=true"

struct line {
	char bytes[LOG_LINE_MAX];
	size_t len;
	bool full; /* something did not fit */
};

struct value {
	char bytes[LOG_VALUE_MAX];
	size_t len;
	bool cut;
};

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_ERROR:
		return "error";
	case LOG_WARN:
		return "warn";
	case LOG_INFO:
		return "info";
	}
	return "unknown";
}

/* Room for the mark of a cut line and for the newline is always kept. */
static void line_add(struct line *line, const char *bytes, size_t len)
{
	size_t room = sizeof(line->bytes) - sizeof(CUT_FIELD) - line->len;

	if (line->full || len > room) {
		line->full = true;
		return;
	}
	memcpy(line->bytes + line->len, bytes, len);
	line->len += len;
}

static void value_add(struct value *v, const char *bytes, size_t len)
{
	size_t room = sizeof(v->bytes) - v->len;

	if (v->cut)
		return;
	if (len > room) {
		v->cut = true;
		len = utf8_cut(bytes, room);
	}
	memcpy(v->bytes + v->len, bytes, len);
	v->len += len;
}

/* The length of a character that may be written as it is, or 0. */
static size_t plain_char(const char *bytes, size_t left)
{
	size_t len = utf8_char(bytes, left);

	return utf8_is_control(bytes, len) ? 0 : len;
}

static bool needs_quotes(const struct value *v)
{
	size_t step;

	for (size_t i = 0; i < v->len; i += step) {
		step = plain_char(v->bytes + i, v->len - i);
		if (step == 0 || strchr(" \"=\\", v->bytes[i]))
			return true;
	}
	return v->len == 0;
}

static void add_escaped(struct line *line, unsigned char byte)
{
	char text[8];
	int len;

	switch (byte) {
	case '\n':
		line_add(line, "\\n", 2);
		return;
	case '\r':
		line_add(line, "\\r", 2);
		return;
	case '\t':
		line_add(line, "\\t", 2);
		return;
	case '"':
	case '\\':
		text[0] = '\\';
		text[1] = (char)byte;
		line_add(line, text, 2);
		return;
	}
	len = snprintf(text, sizeof(text), "\\x%02x", byte);
	line_add(line, text, (size_t)len);
}

static void add_value(struct line *line, const struct value *v)
{
	bool quoted = needs_quotes(v);
	size_t step;

	if (quoted)
		line_add(line, "\"", 1);
	for (size_t i = 0; i < v->len; i += step) {
		step = plain_char(v->bytes + i, v->len - i);
		if (step > 0 && v->bytes[i] != '"' && v->bytes[i] != '\\') {
			line_add(line, v->bytes + i, step);
			continue;
		}
		step = 1;
		add_escaped(line, (unsigned char)v->bytes[i]);
	}
	if (v->cut)
		line_add(line, "...", 3);
	if (quoted)
		line_add(line, "\"", 1);
}

static void add_field(struct line *line, const char *key, size_t key_len, const struct value *v)
{
	size_t start = line->len;

	if (line->full)
		return;
	line_add(line, " ", 1);
	line_add(line, key, key_len);
	line_add(line, "=", 1);
	add_value(line, v);
	/* Half a field would be read as a whole one. */
	if (line->full)
		line->len = start;
}

static void add_text_field(struct line *line, const char *key, const char *text)
{
	struct value v = {.len = 0};

	value_add(&v, text, strlen(text));
	add_field(line, key, strlen(key), &v);
}

static void convert_float(struct value *v, int precision, double number)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%.*f", precision, number);

	if (len > 0 && (size_t)len < sizeof(text))
		value_add(v, text, (size_t)len);
	else
		value_add(v, "?", 1);
}

static void convert_signed(struct value *v, long long number)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%lld", number);

	value_add(v, text, (size_t)len);
}

static void convert_unsigned(struct value *v, unsigned long long number)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%llu", number);

	value_add(v, text, (size_t)len);
}

static void convert_string(struct value *v, const char *text)
{
	value_add(v, text ? text : "-", text ? strlen(text) : 1);
}

enum conversion { CV_STRING, CV_INT, CV_UINT, CV_LONG, CV_ULONG, CV_LLONG, CV_ULLONG, CV_SIZE, CV_NONE };

/* The conversion behind a '%'; `*p` is moved behind its end. The floating ones, of which one digit counts, apart. */
static enum conversion read_conversion(const char **p)
{
	static const struct {
		const char *spelled;
		enum conversion conversion;
	} known[] = {
		{"s", CV_STRING}, {"d", CV_INT},     {"i", CV_INT},      {"u", CV_UINT},  {"ld", CV_LONG},
		{"lu", CV_ULONG}, {"lld", CV_LLONG}, {"llu", CV_ULLONG}, {"zu", CV_SIZE},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t len = strlen(known[i].spelled);

		if (strncmp(*p, known[i].spelled, len) != 0)
			continue;
		*p += len;
		return known[i].conversion;
	}
	return CV_NONE;
}

static bool is_float(const char *p)
{
	return p[0] == '.' && p[1] >= '0' && p[1] <= '9' && p[2] == 'f';
}

/* False when it is not a known conversion. */
static bool convert(const char **p, va_list *args, struct value *v)
{
	if (is_float(*p)) {
		convert_float(v, (*p)[1] - '0', va_arg(*args, double));
		*p += 3;
		return true;
	}
	switch (read_conversion(p)) {
	case CV_STRING:
		convert_string(v, va_arg(*args, const char *));
		return true;
	case CV_INT:
		convert_signed(v, va_arg(*args, int));
		return true;
	case CV_UINT:
		convert_unsigned(v, va_arg(*args, unsigned));
		return true;
	case CV_LONG:
		convert_signed(v, va_arg(*args, long));
		return true;
	case CV_ULONG:
		convert_unsigned(v, va_arg(*args, unsigned long));
		return true;
	case CV_LLONG:
		convert_signed(v, va_arg(*args, long long));
		return true;
	case CV_ULLONG:
		convert_unsigned(v, va_arg(*args, unsigned long long));
		return true;
	case CV_SIZE:
		convert_unsigned(v, va_arg(*args, size_t));
		return true;
	case CV_NONE:
		break;
	}
	return false;
}

/* One value: up to the next blank of the format, which itself stays. */
static bool read_value(const char **p, va_list *args, struct value *v)
{
	while (**p != '\0' && **p != ' ') {
		if (**p != '%') {
			value_add(v, *p, 1);
			(*p)++;
			continue;
		}
		(*p)++;
		if (!convert(p, args, v))
			return false;
	}
	return true;
}

/* False when the format is not a list of fields as log.h wants it; the arguments behind are then unknown. */
static bool add_fields(struct line *line, const char *format, va_list *args)
{
	const char *p = format;

	while (*p != '\0') {
		size_t key_len = strcspn(p, "= %");
		const char *key = p;
		struct value v;

		if (key_len == 0 || p[key_len] != '=')
			return false;
		v.len = 0;
		v.cut = false;
		p += key_len + 1;
		if (!read_value(&p, args, &v))
			return false;
		add_field(line, key, key_len, &v);
		if (*p == ' ')
			p++;
	}
	return true;
}

static void write_line(struct line *line)
{
	ssize_t done;

	if (line->full) {
		memcpy(line->bytes + line->len, CUT_FIELD, sizeof(CUT_FIELD) - 1);
		line->len += sizeof(CUT_FIELD) - 1;
	}
	line->bytes[line->len++] = '\n';
	do
		done = write(STDERR_FILENO, line->bytes, line->len);
	while (done < 0 && errno == EINTR);
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	struct line line = {.len = 0};
	char now[ISO8601_TIME_SIZE];
	int saved_errno = errno;
	va_list args;

	iso8601_format_time(clock_wall_ms(), now);
	line_add(&line, "ts=", 3);
	line_add(&line, now, strlen(now));
	add_text_field(&line, "level", level_name(level));
	add_text_field(&line, "event", event);

	va_start(args, format);
	if (!add_fields(&line, format, &args))
		line_add(&line, BUG_FIELD, sizeof(BUG_FIELD) - 1);
	va_end(args);

	write_line(&line);
	errno = saved_errno;
}
