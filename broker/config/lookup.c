/* Finding settings by their keys, and the one notation of durations. Pure. */
#include "config/settings.h"

#include <stdio.h>
#include <string.h>

const char *setting_key(const struct setting *setting)
{
	const char *dot = strrchr(setting->path, '.');
	return dot ? dot + 1 : setting->path;
}

#define GROUP_PREFIX "groups[]."

/* A layer holds what groups inherit, under the names that it has there. */
static bool is_layer(const char *prefix)
{
	return strcmp(prefix, "policy.defaults.") == 0 || strcmp(prefix, "applications[].policy.") == 0;
}

const char *setting_path_in(const struct setting *setting, const char *layer, char out[PATH_SIZE])
{
	bool inherited = layer[0] && strncmp(setting->path, GROUP_PREFIX, strlen(GROUP_PREFIX)) == 0;
	snprintf(out, PATH_SIZE, "%s%s", inherited ? layer : "",
		 setting->path + (inherited ? strlen(GROUP_PREFIX) : 0));
	return out;
}

bool setting_within(const struct setting *setting, const char *prefix)
{
	if (is_layer(prefix))
		return setting == &settings[SET_GROUP_ELIGIBLE] || setting == &settings[SET_GROUP_ACTIVATION];
	size_t len = strlen(prefix);
	return strncmp(setting->path, prefix, len) == 0 && setting_key(setting) == setting->path + len;
}

const struct setting *setting_find(const char *prefix, const char *key)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (setting_within(&settings[i], prefix) && strcmp(setting_key(&settings[i]), key) == 0)
			return &settings[i];
	return NULL;
}

#define KEY_MAX 32 /* longer than any key of the table */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edits (insert, delete, replace, swap neighbours) between two keys, both shorter than KEY_MAX. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[KEY_MAX + 1][KEY_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);
	for (size_t i = 0; i <= a_len; i++)
		rows[i][0] = i;
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			size_t replace = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			size_t best = least(replace, least(rows[i - 1][j], rows[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = least(best, rows[i - 2][j - 2] + 1);
			rows[i][j] = best;
		}
	}
	return rows[a_len][b_len];
}

const char *setting_nearest(const char *prefix, const char *key)
{
	size_t len = strlen(key);
	if (len >= KEY_MAX)
		return NULL;
	/* Close means: most of the shorter word is right. */
	size_t best = len / 3 + 1;
	const char *nearest = NULL;
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		if (!setting_within(&settings[i], prefix))
			continue;
		const char *known = setting_key(&settings[i]);
		size_t edits = distance(key, known);
		if (edits > best || edits >= strlen(known) || (edits == best && nearest))
			continue;
		best = edits;
		nearest = known;
	}
	return nearest;
}

const char *choices_print(const char *choices, char out[CHOICES_TEXT_SIZE])
{
	const char *separator = "";
	size_t used = 0;
	for (const char *at = choices; *at && used < CHOICES_TEXT_SIZE - 1;) {
		size_t word = strcspn(at, "|");
		used += (size_t)snprintf(out + used, CHOICES_TEXT_SIZE - used, "%s%.*s", separator, (int)word,
					 at);
		at += word + (at[word] == '|');
		separator = strchr(at, '|') ? ", " : " or ";
	}
	return out;
}

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

#define UNITS (sizeof(units) / sizeof(units[0]))

bool duration_parse(const char *text, int64_t *ms)
{
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || (digits > 1 && text[0] == '0'))
		return false;
	for (size_t u = 0; u < UNITS; u++) {
		if (strcmp(text + digits, units[u].name) != 0)
			continue;
		int64_t number = 0;
		for (size_t i = 0; i < digits && digits <= 18; i++)
			number = number * 10 + (text[i] - '0');
		bool fits = digits <= 18 && number <= INT64_MAX / units[u].ms;
		*ms = fits ? number * units[u].ms : INT64_MAX;
		return true;
	}
	return false;
}

const char *duration_print(int64_t ms, char out[DURATION_TEXT_SIZE])
{
	size_t u = 0;
	while (ms % units[u].ms != 0)
		u++;
	if (ms == 0)
		u = 3; /* 0s */
	snprintf(out, DURATION_TEXT_SIZE, "%lld%s", (long long)(ms / units[u].ms), units[u].name);
	return out;
}
