/* Values that need nothing but their own text. Messages name the setting, what was found and what is accepted. */
#include "config/values.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "config/config.h"

bool value_has_control(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if (*at < 0x20 || *at == 0x7f)
			return true;
		if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) /* C1, U+0080 to U+009F */
			return true;
	}
	return false;
}

bool value_store_text(const struct reading *reading, const struct setting *setting, const struct value *value,
		      void *base)
{
	size_t len = strlen(value->text);
	if (len == 0 && setting->min > 0)
		report_error(reading->report, value->place, "%s must not be empty", setting->path);
	else if (len >= setting->size)
		report_error(reading->report, value->place, "%s is too long: at most %zu bytes",
			     setting->path, setting->size - 1);
	else if (value_has_control(value->text))
		report_error(reading->report, value->place, "%s holds a control character", setting->path);
	else if (len && (value->text[0] == ' ' || value->text[len - 1] == ' '))
		report_error(reading->report, value->place, "%s begins or ends with a blank", setting->path);
	else {
		memcpy((char *)base + setting->offset, value->text, len + 1);
		return true;
	}
	return false;
}

static void expected(const struct reading *reading, const struct setting *setting, const struct value *value,
		     const char *what)
{
	char quoted[REPORT_QUOTE_SIZE];
	report_error(reading->report, value->place, "%s is %s, but must be %s", setting->path,
		     report_quote(value->text, quoted), what);
}

static void read_bool(const struct reading *reading, const struct setting *setting, const struct value *value,
		      void *base)
{
	bool is_true = strcmp(value->text, "true") == 0;
	if (is_true || strcmp(value->text, "false") == 0)
		memcpy((char *)base + setting->offset, &is_true, sizeof(is_true));
	else
		expected(reading, setting, value, "true or false");
}

static void store_number(const struct setting *setting, int64_t number, void *base)
{
	memcpy((char *)base + setting->offset, &number, sizeof(number));
}

/* Decimal only: YAML 1.1 would read 010 as 8 and 1_000 as 1000, which nobody means. */
static bool parse_count(const char *text, int64_t *count)
{
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || text[digits] != '\0' || (digits > 1 && text[0] == '0'))
		return false;
	*count = 0;
	for (size_t i = 0; i < digits && digits <= 18; i++)
		*count = *count * 10 + (text[i] - '0');
	if (digits > 18)
		*count = INT64_MAX;
	return true;
}

static void read_count(const struct reading *reading, const struct setting *setting,
		       const struct value *value, void *base)
{
	int64_t count;
	char quoted[REPORT_QUOTE_SIZE];
	if (!parse_count(value->text, &count))
		expected(reading, setting, value, "a whole number, without sign or leading zeros");
	else if (count < setting->min || count > setting->max)
		report_error(reading->report, value->place, "%s is %s, but must be from %lld to %lld %s",
			     setting->path, report_quote(value->text, quoted), (long long)setting->min,
			     (long long)setting->max, setting->unit);
	else
		store_number(setting, count, base);
}

static void read_duration(const struct reading *reading, const struct setting *setting,
			  const struct value *value, void *base)
{
	int64_t ms;
	char quoted[REPORT_QUOTE_SIZE], min[DURATION_TEXT_SIZE], max[DURATION_TEXT_SIZE];
	if (!duration_parse(value->text, &ms))
		expected(reading, setting, value,
			 "a duration: a whole number and ms, s, m, h or d, such as 90s");
	else if (ms < setting->min || ms > setting->max)
		report_error(reading->report, value->place, "%s is %s, but must be from %s to %s",
			     setting->path, report_quote(value->text, quoted),
			     duration_print(setting->min, min), duration_print(setting->max, max));
	else
		store_number(setting, ms, base);
}

/* The position of the text among "a|b|c", or -1. */
static int choice_index(const char *choices, const char *text)
{
	size_t len = strlen(text);
	int index = 0;
	for (const char *at = choices; *at; index++) {
		size_t word = strcspn(at, "|");
		if (word == len && memcmp(at, text, len) == 0)
			return index;
		at += word + (at[word] == '|');
	}
	return -1;
}

static void read_choice(const struct reading *reading, const struct setting *setting,
			const struct value *value, void *base)
{
	int index = choice_index(setting->choices, value->text);
	char choices[CHOICES_TEXT_SIZE];
	if (index < 0) {
		expected(reading, setting, value, choices_print(setting->choices, choices));
		return;
	}
	bool second = index == 1;
	unsigned position = (unsigned)index; /* every enum of choices is stored as wide as this */
	if (setting->size == sizeof(bool))
		memcpy((char *)base + setting->offset, &second, sizeof(second));
	else
		memcpy((char *)base + setting->offset, &position, sizeof(position));
}

static void store_lower(const struct setting *setting, const char *text, void *base)
{
	char *field = (char *)base + setting->offset;
	size_t i = 0;
	for (; text[i]; i++)
		field[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
	field[i] = '\0';
}

static void read_uuid(const struct reading *reading, const struct setting *setting, const struct value *value,
		      void *base)
{
	if (id_valid(value->text))
		store_lower(setting, value->text, base);
	else
		expected(reading, setting, value, "a UUID, such as 11111111-2222-3333-4444-555555555555");
}

/* The text is not repeated: somebody may have put the token itself here. */
static void read_sha256(const struct reading *reading, const struct setting *setting,
			const struct value *value, void *base)
{
	size_t digits = strspn(value->text, "0123456789abcdefABCDEF");
	if (digits == setting->size - 1 && value->text[digits] == '\0')
		store_lower(setting, value->text, base);
	else
		report_error(reading->report, value->place,
			     "%s must be a SHA-256 in 64 hexadecimal digits (printf %%s TOKEN | sha256sum)",
			     setting->path);
}

static void read_app_id(const struct reading *reading, const struct setting *setting,
			const struct value *value, void *base)
{
	size_t allowed =
		strspn(value->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
	if (allowed && allowed < setting->size && value->text[allowed] == '\0')
		memcpy((char *)base + setting->offset, value->text, allowed + 1);
	else
		expected(reading, setting, value, "1 to 63 letters, digits, '.', '_' and '-'");
}

static void read_text(const struct reading *reading, const struct setting *setting, const struct value *value,
		      void *base)
{
	(void)value_store_text(reading, setting, value, base);
}

static void read_listen(const struct reading *reading, const struct setting *setting,
			const struct value *value, void *base)
{
	(void)setting;
	value_read_listen(reading, value, base);
}

/* By type; those without an entry are read by those who see nodes. */
static void (*const readers[])(const struct reading *reading, const struct setting *setting,
			       const struct value *value, void *base) = {
	[TYPE_BOOL] = read_bool,
	[TYPE_COUNT] = read_count,
	[TYPE_DURATION] = read_duration,
	[TYPE_CHOICE] = read_choice,
	[TYPE_TEXT] = read_text,
	[TYPE_UUID] = read_uuid,
	[TYPE_APP_ID] = read_app_id,
	[TYPE_SHA256] = read_sha256,
	[TYPE_ATTRIBUTE] = value_read_attribute,
	[TYPE_TIME] = value_read_time,
	[TYPE_DAY_TIME] = value_read_day_time,
	[TYPE_ZONE] = value_read_zone,
	[TYPE_PATTERN] = value_read_pattern,
	[TYPE_FILE] = value_read_file,
	[TYPE_PATH] = value_read_path,
	[TYPE_SECRET] = value_read_secret,
	[TYPE_WEBHOOK_SECRET] = value_read_secret,
	[TYPE_LISTEN] = read_listen,
	[TYPE_REDIS_URL] = value_read_redis_url,
	[TYPE_ISSUER_URL] = value_read_issuer_url,
	[TYPE_HOOK_URL] = value_read_hook_url,
	[TYPE_MAIL_URL] = value_read_mail_url,
	[TYPE_MAIL_ADDRESS] = value_read_mail_address,
	[TYPE_SCIM_URL] = value_read_scim_url,
};

void value_read(const struct reading *reading, const struct setting *setting, const struct value *value,
		void *base)
{
	if (setting->type < sizeof(readers) / sizeof(readers[0]) && readers[setting->type])
		readers[setting->type](reading, setting, value, base);
}
