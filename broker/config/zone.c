/*
 * Time zones from the system's database, turned into tables while a configuration is read, so that nothing looks
 * at TZ later. The C library knows one zone at a time, the process's: TZ is switched for the length of one call, and
 * put back.
 */
#include "config/values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "activation/policy.h"
#include "config/config.h"

#define DATABASE "/usr/share/zoneinfo/"

#define STEP_MS     INT64_C(432000000) /* five days: no clocks have changed twice within it since FIRST_MS */
#define FIRST_MS    INT64_C(946684800000)  /* 2000: older activations do not exist */
#define LAST_MS     INT64_C(4102444800000) /* 2100: what holds then is taken to hold later */
#define CHANGES_MAX 1000                   /* two a year, and four where the clocks follow the moon */

/* Letters, digits and what stands between them: nothing that would leave the database's folder. */
static bool is_zone_name(const char *name)
{
	size_t len = strlen(name);
	size_t known = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/");
	return len > 0 && known == len && len < sizeof(((struct policy_zone *)0)->name) && name[0] != '/';
}

static bool is_in_database(const char *name)
{
	char path[128], magic[4] = "";
	snprintf(path, sizeof(path), "%s%s", DATABASE, name);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	size_t got = fread(magic, 1, sizeof(magic), file);
	fclose(file);
	return got == sizeof(magic) && memcmp(magic, "TZif", sizeof(magic)) == 0;
}

static int64_t ahead_at(int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	return localtime_r(&seconds, &tm) ? (int64_t)tm.tm_gmtoff * 1000 : 0;
}

/* The second, in (low, high], from which on the clocks differ from those at `low`. */
static int64_t change_between(int64_t low, int64_t high)
{
	int64_t before = ahead_at(low);
	while (high - low > 1000) {
		int64_t middle = low + (high - low) / 2000 * 1000;
		if (ahead_at(middle) == before)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* What the clocks of TZ do from FIRST_MS to LAST_MS. Returns how many entries there are. */
static size_t collect(struct policy_offset *out)
{
	size_t count = 1;
	out[0] = (struct policy_offset){INT64_MIN, ahead_at(FIRST_MS)};
	for (int64_t at = FIRST_MS; at < LAST_MS && count < CHANGES_MAX; at += STEP_MS) {
		int64_t ahead = ahead_at(at + STEP_MS);
		if (ahead != out[count - 1].ahead_ms)
			out[count++] = (struct policy_offset){change_between(at, at + STEP_MS), ahead};
	}
	return count;
}

/* collect() with TZ set to that zone; 0 when memory is short. */
static size_t collect_in(const char *name, struct policy_offset *out)
{
	char value[128];
	const char *given = getenv("TZ");
	char *before = given ? strdup(given) : NULL;
	size_t count = 0;
	snprintf(value, sizeof(value), ":%s%s", DATABASE, name);
	if ((!given || before) && setenv("TZ", value, 1) == 0) {
		tzset();
		count = collect(out);
		if (before ? setenv("TZ", before, 1) : unsetenv("TZ"))
			count = 0;
		tzset();
	}
	free(before);
	return count;
}

static struct policy_zone *new_zone(struct memory *memory, const char *name)
{
	struct policy_offset *all = calloc(CHANGES_MAX, sizeof(*all));
	struct policy_zone *zone = memory_take(memory, 1, sizeof(*zone));
	size_t count = 1; /* UTC is known without a database: its one offset is zero */
	if (!all || !zone) {
		free(all);
		return NULL;
	}
	all[0].at_ms = INT64_MIN;
	if (strcmp(name, "UTC") != 0)
		count = collect_in(name, all);
	zone->offsets = count ? memory_take(memory, count, sizeof(*all)) : NULL;
	if (zone->offsets) {
		memcpy(zone->offsets, all, count * sizeof(*all));
		memcpy(zone->name, name, strlen(name) + 1);
		zone->count = count;
	}
	free(all);
	return zone->offsets ? zone : NULL;
}

const struct policy_zone *zone_load(const struct reading *reading, const char *name)
{
	for (struct policy_zone *zone = *reading->zones; zone; zone = zone->next)
		if (strcmp(zone->name, name) == 0)
			return zone;
	if (!is_zone_name(name) || (strcmp(name, "UTC") != 0 && !is_in_database(name))) {
		errno = ENOENT;
		return NULL;
	}
	struct policy_zone *zone = new_zone(reading->memory, name);
	if (!zone) {
		errno = ENOMEM;
		return NULL;
	}
	zone->next = *reading->zones;
	*reading->zones = zone;
	return zone;
}

const struct policy_zone *config_zone(const struct config *config, const char *name)
{
	const struct policy_zone *zone = config->zones;
	while (zone && strcmp(zone->name, name) != 0)
		zone = zone->next;
	return zone;
}
