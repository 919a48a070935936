#include "base/iso8601.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define WEEK_MS   (7 * DAY_MS)

#define YEAR_MIN        1970
#define YEAR_MAX        9999
#define OFFSET_MAX_MIN  (14 * 60) /* Kiribati */
#define FRACTION_DIGITS 7         /* Graph counts in ticks of 100 ns */
#define DURATION_MAX_MS (36525 * DAY_MS)
#define TIME_END_MS     (INT64_C(253402300800) * SECOND_MS) /* 10000-01-01T00:00:00Z */

/* Exactly `count` digits; false, and `*p` where it was, when they are not there. */
static bool read_number(const char **p, int count, int *number)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		char c = (*p)[i];

		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	*p += count;
	*number = value;
	return true;
}

static bool read_char(const char **p, char wanted)
{
	if (**p != wanted)
		return false;
	(*p)++;
	return true;
}

/* The digits behind a decimal point, at least one; what is finer than a millisecond is cut. */
static bool read_fraction(const char **p, int *millisecond)
{
	int weight = 100, digits = 0, value = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++, digits++) {
		value += (**p - '0') * weight;
		weight /= 10;
	}
	if (digits < 1 || digits > FRACTION_DIGITS)
		return false;
	*millisecond = value;
	return true;
}

/* -- times ------------------------------------------------------------------------------------------------- */

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 0001-01-01 to the first of January of that year, in the calendar of today. */
static int64_t days_before_year(int year)
{
	int64_t past = year - 1;

	return past * 365 + past / 4 - past / 100 + past / 400;
}

static int64_t unix_days(int year, int month, int day)
{
	int64_t days = days_before_year(year) - days_before_year(1970);

	for (int m = 1; m < month; m++)
		days += days_in_month(year, m);
	return days + day - 1;
}

static const char *read_date(const char **p, int64_t *ms)
{
	int year, month, day;

	if (!read_number(p, 4, &year) || !read_char(p, '-') || !read_number(p, 2, &month) ||
	    !read_char(p, '-') || !read_number(p, 2, &day))
		return "is not written like 2026-11-24T09:00:00Z";
	if (year < YEAR_MIN || year > YEAR_MAX)
		return "has a year before 1970";
	if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return "names a day that does not exist";
	*ms = unix_days(year, month, day) * DAY_MS;
	return NULL;
}

static const char *read_clock(const char **p, int64_t *ms)
{
	int hour, minute, second, millisecond = 0;

	if (!read_char(p, 'T') || !read_number(p, 2, &hour) || !read_char(p, ':') ||
	    !read_number(p, 2, &minute) || !read_char(p, ':') || !read_number(p, 2, &second))
		return "is not written like 2026-11-24T09:00:00Z";
	if (hour > 23 || minute > 59 || second > 59)
		return "names a time of day that does not exist";
	if (read_char(p, '.') && !read_fraction(p, &millisecond))
		return "needs 1 to 7 digits behind the decimal point";
	*ms = hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + millisecond;
	return NULL;
}

/* What has to be taken away from the written time to make it UTC. */
static const char *read_offset(const char **p, int64_t *ms)
{
	int hours, minutes, sign;

	*ms = 0;
	if (read_char(p, 'Z'))
		return NULL;
	if (**p == '\0')
		return "lacks its offset from UTC ('Z' or ±hh:mm)";
	sign = **p == '-' ? -1 : 1;
	if ((!read_char(p, '+') && !read_char(p, '-')) || !read_number(p, 2, &hours) || !read_char(p, ':') ||
	    !read_number(p, 2, &minutes))
		return "does not end in 'Z' or an offset ±hh:mm";
	if (minutes > 59 || hours * 60 + minutes > OFFSET_MAX_MIN)
		return "has an offset from UTC that does not exist";
	*ms = sign * (hours * HOUR_MS + minutes * MINUTE_MS);
	return NULL;
}

enum err iso8601_parse_time(const char *text, int64_t *ms, struct errctx *ec)
{
	int64_t date = 0, clock = 0, offset = 0, sum;
	const char *p = text;
	const char *wrong = read_date(&p, &date);

	if (!wrong)
		wrong = read_clock(&p, &clock);
	if (!wrong)
		wrong = read_offset(&p, &offset);
	if (!wrong && *p != '\0')
		wrong = "goes on behind its offset from UTC";
	sum = date + clock - offset;
	if (!wrong && (sum < 0 || sum >= TIME_END_MS))
		wrong = "is not within the years 1970 to 9999";
	if (wrong)
		return err_set(ec, ERR_BAD_REQUEST, "the time %s", wrong);
	*ms = sum;
	return ERR_OK;
}

void iso8601_format_time(int64_t ms, char out[ISO8601_TIME_SIZE])
{
	int part = (int)(ms % SECOND_MS);
	time_t seconds = (time_t)(ms / SECOND_MS);
	struct tm tm = {.tm_mday = 1};
	size_t len;

	if (part < 0) {
		part += (int)SECOND_MS;
		seconds--;
	}
	/* Every year that fits into 64 bits of milliseconds also fits into tm_year and into `out`. */
	gmtime_r(&seconds, &tm);
	len = strftime(out, ISO8601_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + len, ISO8601_TIME_SIZE - len, ".%03dZ", part);
}

/* -- durations --------------------------------------------------------------------------------------------- */

/* The parts of a duration in the only order in which they may come. */
static const struct unit {
	char letter;
	bool in_time; /* behind the 'T' */
	int64_t ms;
} units[] = {
	{'W', false, WEEK_MS},  {'D', false, DAY_MS},   {'H', true, HOUR_MS},
	{'M', true, MINUTE_MS}, {'S', true, SECOND_MS},
};
#define UNITS (sizeof(units) / sizeof(units[0]))

struct amount {
	int64_t whole;
	int millisecond;
	bool has_fraction;
};

static const char *read_amount(const char **p, struct amount *amount)
{
	const char *start = *p;

	*amount = (struct amount){.whole = 0};
	for (; **p >= '0' && **p <= '9'; (*p)++) {
		/* Also keeps the sum of all parts far from the end of 64 bits. */
		if (amount->whole > DURATION_MAX_MS / SECOND_MS)
			return "is longer than 100 years";
		amount->whole = amount->whole * 10 + (**p - '0');
	}
	if (*p == start)
		return "is not written like PT2H30M";
	if (!read_char(p, '.'))
		return NULL;
	amount->has_fraction = true;
	return read_fraction(p, &amount->millisecond) ? NULL : "needs 1 to 7 digits behind the decimal point";
}

/* Reads one part; `*next` is the first unit that may still come. */
static const char *read_part(const char **p, bool in_time, size_t *next, int64_t *sum)
{
	struct amount amount;
	const char *wrong = read_amount(p, &amount);
	char letter = **p;

	if (wrong)
		return wrong;
	if (letter == 'Y' || (letter == 'M' && !in_time))
		return "counts in years or months, whose length is not fixed";
	while (*next < UNITS && (units[*next].letter != letter || units[*next].in_time != in_time))
		(*next)++;
	if (*next == UNITS)
		return "is not written like PT2H30M";
	if (amount.has_fraction && letter != 'S')
		return "has a fraction of something else than seconds";
	if (amount.whole > DURATION_MAX_MS / units[*next].ms)
		return "is longer than 100 years";
	*sum += amount.whole * units[*next].ms + amount.millisecond;
	(*next)++;
	(*p)++;
	return NULL;
}

static const char *read_duration(const char *p, int64_t *sum)
{
	bool in_time = false;
	const char *wrong;
	size_t next = 0;

	if (*p == '-' || *p == '+')
		return "has a sign";
	if (!read_char(&p, 'P') || *p == '\0')
		return "is not written like PT2H30M";
	while (*p != '\0') {
		if (!in_time && read_char(&p, 'T'))
			in_time = true;
		wrong = read_part(&p, in_time, &next, sum);
		if (wrong)
			return wrong;
	}
	if (*sum <= 0)
		return "is zero";
	return *sum > DURATION_MAX_MS ? "is longer than 100 years" : NULL;
}

enum err iso8601_parse_duration(const char *text, int64_t *ms, struct errctx *ec)
{
	int64_t sum = 0;
	const char *wrong = read_duration(text, &sum);

	if (wrong)
		return err_set(ec, ERR_BAD_REQUEST, "the duration %s", wrong);
	*ms = sum;
	return ERR_OK;
}

/* Writes the milliseconds of a second as a decimal fraction without closing zeros. */
static void format_fraction(int millisecond, char out[5])
{
	size_t len;

	if (millisecond == 0) {
		out[0] = '\0';
		return;
	}
	len = (size_t)snprintf(out, 5, ".%03d", millisecond);
	while (out[len - 1] == '0')
		out[--len] = '\0';
}

void iso8601_format_duration(int64_t ms, char out[ISO8601_DURATION_SIZE])
{
	int64_t hours = ms / HOUR_MS, minutes = ms % HOUR_MS / MINUTE_MS,
		seconds = ms % MINUTE_MS / SECOND_MS;
	char h[24] = "", m[8] = "", s[16] = "", fraction[5];
	int part = (int)(ms % SECOND_MS);

	format_fraction(part, fraction);
	if (hours > 0)
		snprintf(h, sizeof(h), "%lldH", (long long)hours);
	if (minutes > 0)
		snprintf(m, sizeof(m), "%dM", (int)minutes);
	if (seconds > 0 || part > 0 || ms == 0)
		snprintf(s, sizeof(s), "%d%sS", (int)seconds, fraction);
	snprintf(out, ISO8601_DURATION_SIZE, "PT%s%s%s", h, m, s);
}
