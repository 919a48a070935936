/*
 * Hours of the week by the clocks of a time zone. What counts is what those clocks show: an hour that they skip in
 * spring is in no window, and one that they show twice in autumn is in its window both times.
 */
#include "activation/policy.h"

#include <stdio.h>

#define MINUTE_MS INT64_C(60000)
#define DAY_MS    (POLICY_DAY_MINUTES * MINUTE_MS)

static const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

int64_t policy_zone_ahead_ms(const struct policy_zone *zone, int64_t at_ms)
{
	size_t low = 0, high = zone->count; /* offsets[low].at_ms <= at_ms < offsets[high].at_ms */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (zone->offsets[middle].at_ms <= at_ms)
			low = middle;
		else
			high = middle;
	}
	return zone->count > 0 ? zone->offsets[low].ahead_ms : 0;
}

struct wall {
	unsigned day;   /* 0 = Monday */
	int64_t minute; /* since midnight */
};

static struct wall wall_at(const struct policy_zone *zone, int64_t at_ms)
{
	/* Times that no clock shows are cut, so that nothing overflows. */
	int64_t bound = INT64_MAX - DAY_MS;
	if (at_ms > bound || at_ms < -bound)
		at_ms = at_ms < 0 ? -bound : bound;
	int64_t local = at_ms + policy_zone_ahead_ms(zone, at_ms);
	int64_t days = local / DAY_MS, rest = local % DAY_MS;
	if (rest < 0) {
		days--;
		rest += DAY_MS;
	}
	int64_t day = (days + 3) % 7; /* 1970 began on a Thursday */
	return (struct wall){(unsigned)(day < 0 ? day + 7 : day), rest / MINUTE_MS};
}

static bool begins_on(const struct policy_window *window, unsigned day)
{
	return (window->days >> day & 1U) != 0;
}

static bool window_holds(const struct policy_window *window, int64_t at_ms)
{
	struct wall wall = wall_at(window->zone, at_ms);
	bool today = begins_on(window, wall.day), before = begins_on(window, (wall.day + 6) % 7);
	if (window->from < window->to)
		return today && wall.minute >= window->from && wall.minute < window->to;
	return (today && wall.minute >= window->from) || (before && wall.minute < window->to);
}

bool policy_hours_hold(const struct policy_windows *hours, int64_t at_ms)
{
	for (size_t i = 0; i < hours->count; i++)
		if (window_holds(&hours->list[i], at_ms))
			return true;
	return hours->count == 0;
}

static void print_window(const struct policy_window *window, struct buf *out)
{
	const char *separator = "";
	for (unsigned day = 0; day < 7; day++) {
		if (!begins_on(window, day))
			continue;
		buf_addf(out, "%s%s", separator, day_names[day]);
		separator = ",";
	}
	buf_addf(out, " %02d:%02d-%02d:%02d %s", (int)(window->from / 60), (int)(window->from % 60),
		 (int)(window->to / 60), (int)(window->to % 60), window->zone->name);
}

void policy_hours_print(const struct policy_windows *hours, char out[POLICY_TEXT_SIZE])
{
	struct buf text;
	buf_init(&text, 4 * (size_t)POLICY_TEXT_SIZE);
	for (size_t i = 0; i < hours->count && text.len < POLICY_TEXT_SIZE; i++) {
		buf_adds(&text, i ? "; " : "");
		print_window(&hours->list[i], &text);
	}
	snprintf(out, POLICY_TEXT_SIZE, "%s", buf_text(&text));
	buf_release(&text);
}

void policy_hours_print_time(const struct policy_zone *zone, int64_t at_ms, char out[POLICY_TEXT_SIZE])
{
	struct wall wall = wall_at(zone, at_ms);
	snprintf(out, POLICY_TEXT_SIZE, "%s %02d:%02d %s", day_names[wall.day], (int)(wall.minute / 60),
		 (int)(wall.minute % 60), zone->name);
}
