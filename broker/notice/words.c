#include "notice/words.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/policy.h"
#include "base/iso8601.h"

#define SECOND_MS INT64_C(1000)
#define DAY_MS    (24 * 3600 * SECOND_MS)

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {{"day", DAY_MS}, {"hour", 3600 * SECOND_MS}, {"minute", 60 * SECOND_MS}, {"second", SECOND_MS}};

#define UNITS (sizeof(units) / sizeof(units[0]))

static int print_unit(char *out, size_t size, int64_t count, const char *name)
{
	return snprintf(out, size, "%lld %s%s", (long long)count, name, count == 1 ? "" : "s");
}

const char *words_duration(int64_t ms, char out[WORDS_SIZE])
{
	size_t i = 0;
	int64_t step, rest;
	int len;

	if (ms < SECOND_MS) {
		snprintf(out, WORDS_SIZE, "less than a second");
		return out;
	}
	while (i < UNITS - 1 && ms < units[i].ms)
		i++;
	/* Rounding may fill the larger unit: 59 minutes 59.9 seconds are an hour. */
	step = units[i + 1 < UNITS ? i + 1 : i].ms;
	ms = (ms + step / 2) / step * step;
	if (i > 0 && ms >= units[i - 1].ms)
		i--;
	len = print_unit(out, WORDS_SIZE, ms / units[i].ms, units[i].name);
	rest = i + 1 < UNITS ? ms % units[i].ms / units[i + 1].ms : 0;
	if (rest > 0) {
		out[len++] = ' ';
		print_unit(out + len, WORDS_SIZE - (size_t)len, rest, units[i + 1].name);
	}
	return out;
}

static const char *const days[] = {"Thu", "Fri", "Sat", "Sun",
				   "Mon", "Tue", "Wed"}; /* 1970 began on a Thursday */
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* A moment taken apart: "2026-11-25T13:40:00Z" as text, and its names. */
struct moment {
	char text[ISO8601_TIME_SIZE];
	const char *day, *month;
	int year, date; /* of the month */
};

static void take_apart(int64_t ms, struct moment *m)
{
	int64_t day = ms >= 0 ? ms / DAY_MS : (ms - DAY_MS + 1) / DAY_MS;
	unsigned long month;

	iso8601_format_time(ms, m->text);
	month = strtoul(m->text + 5, NULL, 10);
	m->day = days[((day % 7) + 7) % 7];
	m->month = months[month >= 1 && month <= 12 ? month - 1 : 0];
	m->year = (int)strtol(m->text, NULL, 10);
	m->date = (int)strtol(m->text + 8, NULL, 10);
}

const char *words_time(const struct policy_zone *zone, int64_t at_ms, char out[WORDS_SIZE])
{
	int64_t ahead = zone != NULL ? policy_zone_ahead_ms(zone, at_ms) : 0;
	int64_t minutes = (ahead < 0 ? -ahead : ahead) / (60 * SECOND_MS);
	struct moment m;

	take_apart(at_ms + ahead, &m);
	if (zone == NULL || strcmp(zone->name, "UTC") == 0)
		snprintf(out, WORDS_SIZE, "%s %d %s %d %.5s (UTC)", m.day, m.date, m.month, m.year,
			 m.text + 11);
	else
		snprintf(out, WORDS_SIZE, "%s %d %s %d %.5s (%s, UTC%s%02d:%02d)", m.day, m.date, m.month,
			 m.year, m.text + 11, zone->name, ahead < 0 ? "-" : "+", (int)(minutes / 60),
			 (int)(minutes % 60));
	return out;
}

const char *words_mail_date(int64_t at_ms, char out[WORDS_SIZE])
{
	struct moment m;

	take_apart(at_ms, &m);
	snprintf(out, WORDS_SIZE, "%s, %d %s %d %.8s +0000", m.day, m.date, m.month, m.year, m.text + 11);
	return out;
}
