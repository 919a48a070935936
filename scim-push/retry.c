/* Pauses between attempts, and the dates of HTTP. */
#include "scim-push/retry.h"

#include <stddef.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

#define BASE_MS           1000
#define REMOVAL_MAX_MS    30000
#define ACTIVATION_MAX_MS 60000

int64_t retry_delay_ms(unsigned attempt, bool removal, uint32_t random)
{
	int64_t most = removal ? REMOVAL_MAX_MS : ACTIVATION_MAX_MS;
	int64_t ceiling = BASE_MS;

	for (unsigned failed = 1; failed < attempt && ceiling < most; failed++)
		ceiling *= 2;
	if (ceiling > most)
		ceiling = most;
	return (int64_t)(((uint64_t)ceiling * ((uint64_t)random + 1)) >> 32);
}

uint32_t retry_chance(void)
{
	uint32_t random;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		random = (uint32_t)clock_mono_ms() * 2654435761u;
	return random;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar; years are counted from March. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

struct http_date {
	int year, month, day, hour, minute, second;
};

/* Reads `width` digits into *out and moves on. */
static bool take_number(const char **at, int width, int *out)
{
	int value = 0;

	for (int i = 0; i < width; i++) {
		char c = (*at)[i];
		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	*at += width;
	*out = value;
	return true;
}

static bool take_text(const char **at, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

static bool take_month(const char **at, int *out)
{
	static const char names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	for (int i = 0; i < 12; i++) {
		if (take_text(at, names[i])) {
			*out = i + 1;
			return true;
		}
	}
	return false;
}

static bool take_clock(const char **at, struct http_date *d)
{
	return take_number(at, 2, &d->hour) && take_text(at, ":") && take_number(at, 2, &d->minute) &&
	       take_text(at, ":") && take_number(at, 2, &d->second);
}

/* After "Sun, ": 06 Nov 1994 08:49:37 GMT */
static bool read_fixdate(const char *at, struct http_date *d)
{
	return take_number(&at, 2, &d->day) && take_text(&at, " ") && take_month(&at, &d->month) &&
	       take_text(&at, " ") && take_number(&at, 4, &d->year) && take_text(&at, " ") &&
	       take_clock(&at, d) && take_text(&at, " GMT") && *at == '\0';
}

/* After "Sunday, ": 06-Nov-94 08:49:37 GMT. The century is the one that the date is nearest in: RFC 9110, 5.6.7. */
static bool read_rfc850(const char *at, struct http_date *d, int64_t now_ms)
{
	int64_t this_year = 1970 + now_ms / INT64_C(31556952000);

	if (!(take_number(&at, 2, &d->day) && take_text(&at, "-") && take_month(&at, &d->month) &&
	      take_text(&at, "-") && take_number(&at, 2, &d->year) && take_text(&at, " ") &&
	      take_clock(&at, d) && take_text(&at, " GMT") && *at == '\0'))
		return false;
	d->year += (int)(this_year / 100 * 100);
	if (d->year > this_year + 50)
		d->year -= 100;
	return true;
}

/* After "Sun ": Nov  6 08:49:37 1994 */
static bool read_asctime(const char *at, struct http_date *d)
{
	if (!take_month(&at, &d->month) || !take_text(&at, " "))
		return false;
	bool day = take_text(&at, " ") ? take_number(&at, 1, &d->day) : take_number(&at, 2, &d->day);
	return day && take_text(&at, " ") && take_clock(&at, d) && take_text(&at, " ") &&
	       take_number(&at, 4, &d->year) && *at == '\0';
}

static bool read_date(const char *value, int64_t now_ms, int64_t *ms)
{
	struct http_date d = {0};
	const char *comma = strstr(value, ", ");
	bool ok;

	if (comma == NULL)
		ok = strlen(value) > 4 && value[3] == ' ' && read_asctime(value + 4, &d);
	else if (comma - value == 3)
		ok = read_fixdate(comma + 2, &d);
	else
		ok = read_rfc850(comma + 2, &d, now_ms);
	/* A leap second is written as 60. */
	if (!ok || d.day < 1 || d.day > 31 || d.hour > 23 || d.minute > 59 || d.second > 60)
		return false;
	int64_t seconds =
		days_from_civil(d.year, d.month, d.day) * 86400 + d.hour * 3600 + d.minute * 60 + d.second;
	*ms = seconds * 1000;
	return true;
}

static int64_t bounded(int64_t ms)
{
	if (ms < 0)
		return 0;
	return ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : ms;
}

/* The number that the text is, no larger than `most`; -1 when it is none. */
static int64_t read_seconds(const char *value, int64_t most)
{
	size_t digits = strspn(value, "0123456789");
	int64_t seconds = 0;

	if (digits == 0 || value[digits] != '\0')
		return -1;
	for (size_t i = 0; i < digits && seconds < most; i++)
		seconds = seconds * 10 + (value[i] - '0');
	return seconds < most ? seconds : most;
}

int64_t retry_after_ms(const char *value, int64_t now_ms)
{
	int64_t ms = 0;
	int64_t seconds = read_seconds(value, RETRY_AFTER_MAX_MS);

	if (seconds >= 0)
		return bounded(seconds * 1000);
	return read_date(value, now_ms, &ms) ? bounded(ms - now_ms) : -1;
}

#define LONGEST_RESET 1000000000 /* seconds; a larger number is a date */

int64_t retry_reset_ms(const char *value, int64_t now_ms)
{
	int64_t seconds = read_seconds(value, INT64_C(1000000000000));

	if (seconds < 0)
		return 0;
	return bounded(seconds < LONGEST_RESET ? seconds * 1000 : seconds * 1000 - now_ms);
}
