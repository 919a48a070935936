/* Values of policies that need nothing but their own text: times, times of day, patterns and time zones. */
#include "config/values.h"

#include <errno.h>
#include <regex.h>
#include <string.h>

#include "activation/policy.h"
#include "base/iso8601.h"

/* Repetitions multiply the size of a compiled pattern: {100}{100} is ten thousand copies. */
#define PATTERN_REPEATS_MAX 1000

static void store_number(const struct setting *setting, int64_t number, void *base)
{
	memcpy((char *)base + setting->offset, &number, sizeof(number));
}

static void store_pointer(const struct setting *setting, const void *pointer, void *base)
{
	memcpy((char *)base + setting->offset, &pointer, sizeof(pointer));
}

void value_read_time(const struct reading *reading, const struct setting *setting, const struct value *value,
		     void *base)
{
	int64_t ms;
	struct errctx ec = {""};
	char quoted[REPORT_QUOTE_SIZE];
	if (iso8601_parse_time(value->text, &ms, &ec) == ERR_OK)
		store_number(setting, ms, base);
	else
		report_error(
			reading->report, value->place,
			"%s is %s, but must be a time with its offset, such as 2026-01-31T18:00:00+01:00",
			setting->path, report_quote(value->text, quoted));
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

void value_read_day_time(const struct reading *reading, const struct setting *setting,
			 const struct value *value, void *base)
{
	const char *t = value->text;
	char quoted[REPORT_QUOTE_SIZE];
	if (strlen(t) == 5 && is_digit(t[0]) && is_digit(t[1]) && t[2] == ':' && is_digit(t[3]) &&
	    is_digit(t[4])) {
		int64_t hour = (t[0] - '0') * 10 + (t[1] - '0'), minute = (t[3] - '0') * 10 + (t[4] - '0');
		int64_t minutes = hour * 60 + minute;
		if (minute < 60 && minutes <= POLICY_DAY_MINUTES) {
			store_number(setting, minutes, base);
			return;
		}
	}
	report_error(reading->report, value->place, "%s is %s, but must be a time of day from 00:00 to 24:00",
		     setting->path, report_quote(t, quoted));
}

/* The greatest number within the braces that begin here. */
static unsigned long repeats_at(const char *brace)
{
	unsigned long most = 0, number = 0;
	for (const char *at = brace + 1; is_digit(*at) || *at == ','; at++) {
		number = *at == ',' ? 0 : number * 10 + (unsigned long)(*at - '0');
		if (number > PATTERN_REPEATS_MAX)
			return number;
		most = number > most ? number : most;
	}
	return most;
}

/* The reason why this pattern could take more memory or time than a ticket's number is worth, or NULL. */
static const char *refuse_pattern(const char *text)
{
	unsigned long repeats = 1;
	for (const char *at = text; *at; at++) {
		if (*at == '\\' && is_digit(at[1]))
			return "must not refer back (\\1)";
		if (*at == '\\' && at[1]) {
			at++;
		} else if (*at == '{' && repeats_at(at) > 1) {
			repeats *= repeats_at(at);
			if (repeats > PATTERN_REPEATS_MAX)
				return "repeats more than a thousand times";
		}
	}
	return NULL;
}

static void free_pattern(void *taken)
{
	struct policy_pattern *pattern = taken;
	if (pattern->text)
		regfree(&pattern->compiled);
}

static void compile(const struct reading *reading, const struct setting *setting, const struct value *value,
		    void *base)
{
	char quoted[REPORT_QUOTE_SIZE], why[128];
	struct policy_pattern *pattern = memory_take_with(reading->memory, sizeof(*pattern), free_pattern);
	char *copy = memory_copy(reading->memory, value->text);
	if (!pattern || !copy) {
		report_no_memory(reading->report);
		return;
	}
	int wrong = regcomp(&pattern->compiled, copy, REG_EXTENDED | REG_NOSUB);
	if (wrong) {
		regerror(wrong, &pattern->compiled, why, sizeof(why));
		report_error(reading->report, value->place,
			     "%s is %s, but must be a POSIX extended regular expression: %s", setting->path,
			     report_quote(value->text, quoted), why);
		return;
	}
	pattern->text = copy;
	store_pointer(setting, pattern, base);
}

void value_read_pattern(const struct reading *reading, const struct setting *setting,
			const struct value *value, void *base)
{
	const char *refused = refuse_pattern(value->text);
	if (value->text[0] == '\0')
		store_pointer(setting, NULL, base);
	else if (strlen(value->text) > (size_t)setting->max)
		report_error(reading->report, value->place, "%s is too long: at most %lld bytes",
			     setting->path, (long long)setting->max);
	else if (value_has_control(value->text))
		report_error(reading->report, value->place, "%s holds a control character", setting->path);
	else if (refused)
		report_error(reading->report, value->place, "%s %s", setting->path, refused);
	else
		compile(reading, setting, value, base);
}

const struct policy_zone *value_find_zone(const struct reading *reading, const struct setting *setting,
					  const struct value *value)
{
	char quoted[REPORT_QUOTE_SIZE];
	const struct policy_zone *zone = zone_load(reading, value->text);
	if (!zone && errno == ENOMEM)
		report_no_memory(reading->report);
	else if (!zone)
		report_error(
			reading->report, value->place,
			"%s is %s, but must be a time zone that this machine knows, such as Europe/Zurich "
			"(package tzdata)",
			setting->path, report_quote(value->text, quoted));
	return zone;
}

void value_read_zone(const struct reading *reading, const struct setting *setting, const struct value *value,
		     void *base)
{
	const struct policy_zone *zone = value_find_zone(reading, setting, value);
	if (zone)
		store_pointer(setting, zone, base);
}
