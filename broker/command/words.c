#include "command/words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/iso8601.h"
#include "base/utf8.h"
#include "command/command.h"

const cJSON *words_at(const cJSON *json, const char *path)
{
	char name[64];

	while (json != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(name))
			return NULL;
		memcpy(name, path, len);
		name[len] = '\0';
		json = cJSON_GetObjectItemCaseSensitive(json, name);
		path += len + (path[len] == '.' ? 1 : 0);
	}
	return json;
}

const char *words_text(const cJSON *json, const char *path)
{
	const cJSON *value = words_at(json, path);

	return cJSON_IsString(value) ? value->valuestring : "";
}

const char *words_safe(const char *text, char out[WORDS_SIZE])
{
	size_t n = 0, left = strlen(text), len;

	for (; left > 0 && n + 4 < WORDS_SIZE; text += len, left -= len) {
		len = utf8_char(text, left);
		if (len == 0 || utf8_is_control(text, len)) {
			len += len == 0;
			out[n++] = '?';
		} else {
			memcpy(out + n, text, len);
			n += len;
		}
	}
	out[n] = '\0';
	return out;
}

const char *words_time(const char *iso8601, char out[WORDS_SIZE])
{
	struct tm then, today;
	int64_t ms;
	time_t at, now = (time_t)(clock_wall_ms() / 1000);

	out[0] = '\0';
	if (iso8601[0] == '\0' || iso8601_parse_time(iso8601, &ms, NULL) != ERR_OK)
		return out;
	at = (time_t)(ms / 1000);
	if (localtime_r(&at, &then) == NULL || localtime_r(&now, &today) == NULL)
		return out;
	if (then.tm_year == today.tm_year && then.tm_yday == today.tm_yday)
		strftime(out, WORDS_SIZE, "%H:%M:%S", &then);
	else
		strftime(out, WORDS_SIZE, then.tm_year == today.tm_year ? "%e %b %H:%M" : "%e %b %Y %H:%M",
			 &then);
	return out;
}

/* "1h30m": whole numbers, each with its unit. */
static int64_t plain_duration_ms(const char *text)
{
	static const char units[] = "dhms";
	static const int64_t lengths[] = {86400000, 3600000, 60000, 1000};
	int64_t sum = 0;

	while (*text != '\0') {
		int64_t n = 0;
		const char *unit;
		int digits = 0;

		for (; isdigit((unsigned char)*text) && digits < 9; text++, digits++)
			n = n * 10 + (*text - '0');
		unit = *text != '\0' ? strchr(units, *text) : NULL;
		if (digits == 0 || unit == NULL)
			return -1;
		sum += n * lengths[unit - units];
		text++;
	}
	return sum > 0 ? sum : -1;
}

int64_t words_duration_ms(const char *text)
{
	int64_t ms;

	if (text[0] == 'P' || text[0] == 'p')
		return iso8601_parse_duration(text, &ms, NULL) == ERR_OK ? ms : -1;
	return plain_duration_ms(text);
}

bool words_duration(const char *text, char out[64])
{
	int64_t ms = words_duration_ms(text);

	if (ms > 0)
		iso8601_format_duration(ms, out);
	return ms > 0;
}

const char *words_length(const char *iso8601, char out[WORDS_SIZE])
{
	size_t n = 0;

	for (const char *p = words_safe(iso8601, out); *p != '\0'; p++)
		if (*p != 'P' && *p != 'T')
			out[n++] = (char)tolower((unsigned char)*p);
	out[n] = '\0';
	return out;
}

/* How many columns of the terminal a UTF-8 text takes, near enough: one for each character. */
static int columns_of(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xC0) != 0x80;
	return n;
}

static void cell(const char *text, int width, bool is_last)
{
	fputs(text, stdout);
	if (!is_last)
		printf("%*s  ", width > columns_of(text) ? width - columns_of(text) : 0, "");
}

/* What the column shows of the item; "" = it has nothing there. */
static void show(const cJSON *item, const struct column *column, char out[WORDS_SIZE])
{
	const cJSON *value = words_at(item, column->path);

	if (cJSON_IsNumber(value))
		snprintf(out, WORDS_SIZE, "%.0f", value->valuedouble);
	else if (cJSON_IsBool(value))
		snprintf(out, WORDS_SIZE, "%s", cJSON_IsTrue(value) ? "yes" : "no");
	else if (column->shows == AS_TIME)
		words_time(words_text(item, column->path), out);
	else if (column->shows == AS_LENGTH)
		words_length(words_text(item, column->path), out);
	else
		words_safe(words_text(item, column->path), out);
}

static void row(const cJSON *item, const struct column *columns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char out[WORDS_SIZE];

		show(item, &columns[i], out);
		cell(out[0] != '\0' ? out : "-", columns[i].width, i + 1 == count);
	}
	putchar('\n');
}

void words_table(const cJSON *array, const struct column *columns, size_t count, const char *none)
{
	const cJSON *item;

	if (cJSON_GetArraySize(array) == 0) {
		puts(none);
		return;
	}
	for (size_t i = 0; i < count; i++)
		cell(columns[i].title, columns[i].width, i + 1 == count);
	putchar('\n');
	cJSON_ArrayForEach(item, array) {
		row(item, columns, count);
	}
}

void words_lines(const cJSON *object, const struct column *columns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char out[WORDS_SIZE];

		show(object, &columns[i], out);
		if (out[0] != '\0')
			printf("%-8s %s\n", columns[i].title, out);
	}
}

static void say_rules(const cJSON *error)
{
	const cJSON *detail;

	cJSON_ArrayForEach(detail, cJSON_GetObjectItemCaseSensitive(error, "details")) {
		char rule[WORDS_SIZE], limit[WORDS_SIZE], given[WORDS_SIZE];

		/* Of some there is no more to say than the sentence has said. */
		if (words_text(detail, "limit")[0] == '\0')
			continue;
		fprintf(stderr, "  %s: allowed %s, given %s\n", words_safe(words_text(detail, "rule"), rule),
			words_safe(words_text(detail, "limit"), limit),
			words_safe(words_text(detail, "given"), given));
	}
}

int words_error(const struct answer *answer)
{
	const cJSON *error = words_at(answer->json, "error");
	const char *message = words_text(error, "message");
	char text[WORDS_SIZE];

	if (answer->status == 0) {
		fprintf(stderr, "jit: no answer: %s\n", answer->why.text);
		return EXIT_UNAVAILABLE;
	}
	if (message[0] == '\0')
		fprintf(stderr, "jit: the server answered %ld\n", answer->status);
	else
		fprintf(stderr, "jit: %s\n", words_safe(message, text));
	say_rules(error);
	if (answer->status == 401)
		fputs("jit: sign in with `jit login`\n", stderr);
	if (answer->status == 401 || answer->status == 403)
		return EXIT_SIGN_IN;
	return answer->status == 429 || answer->status >= 500 ? EXIT_UNAVAILABLE : EXIT_REFUSED;
}

/* As JSON has it: all of these characters are below U+10000. */
static void print_escaped(const unsigned char *p, size_t len)
{
	unsigned code = len == 3 ? (p[0] & 0xFU) << 12 | (p[1] & 0x3FU) << 6 | (p[2] & 0x3FU) : p[len - 1];

	printf("\\u%04x", code);
}

void words_json(const struct answer *answer)
{
	const char *bytes = buf_text(&answer->body);
	size_t len, left = answer->body.len;

	for (const char *p = bytes; left > 0; p += len, left -= len) {
		len = utf8_char(p, left);
		if (len == 0) {
			putchar('?');
			len = 1;
		} else if (utf8_is_control(p, len) && *p != '\t' && *p != '\n' && *p != '\r') {
			print_escaped((const unsigned char *)p, len);
		} else {
			fwrite(p, 1, len, stdout);
		}
	}
	if (answer->body.len > 0 && bytes[answer->body.len - 1] != '\n')
		putchar('\n');
}
