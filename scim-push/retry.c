/* Pauses between attempts, and the dates of HTTP. */
#include "scim-push/retry.h"

#include <string.h>
#include <sys/random.h>

#include <curl/curl.h>

#include "base/clock.h"

#define BASE_MS         1000
#define MOST_MS         30000
#define ACTIVATION_MOST 5 /* attempts */

int64_t retry_delay_ms(unsigned attempt, bool removal, uint32_t random)
{
	int64_t ceiling = BASE_MS;

	if (!removal && attempt >= ACTIVATION_MOST)
		return RETRY_WITH_CYCLE;
	for (unsigned failed = 1; failed < attempt && ceiling < MOST_MS; failed++)
		ceiling *= 2;
	if (ceiling > MOST_MS)
		ceiling = MOST_MS;
	return (int64_t)(((uint64_t)ceiling * ((uint64_t)random + 1)) >> 32);
}

uint32_t retry_chance(void)
{
	uint32_t random;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		random = (uint32_t)clock_mono_ms() * 2654435761u;
	return random;
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
	int64_t seconds = read_seconds(value, RETRY_AFTER_MAX_MS);
	time_t date;

	if (seconds >= 0)
		return bounded(seconds * 1000);
	date = curl_getdate(value, NULL);
	return date >= 0 ? bounded((int64_t)date * 1000 - now_ms) : -1;
}

#define LONGEST_RESET 1000000000 /* seconds; a larger number is a date */

int64_t retry_reset_ms(const char *value, int64_t now_ms)
{
	int64_t seconds = read_seconds(value, INT64_C(1000000000000));

	if (seconds < 0)
		return 0;
	return bounded(seconds < LONGEST_RESET ? seconds * 1000 : seconds * 1000 - now_ms);
}
