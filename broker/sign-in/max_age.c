#include "sign-in/max_age.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define SECONDS_MAX 1000000000 /* more need not be told apart */

/* Is the directive of `len` characters this one? Names do not depend on case. */
static bool is_directive(const char *text, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(text, name, len) == 0;
}

static int64_t seconds_of(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	int64_t seconds = 0;

	for (size_t i = 0; i < digits && seconds < SECONDS_MAX; i++)
		seconds = seconds * 10 + (text[i] - '0');
	return seconds < SECONDS_MAX ? seconds : SECONDS_MAX;
}

int64_t max_age_ms(const char *cache_control, int64_t otherwise)
{
	int64_t age_ms = otherwise;
	const char *at = cache_control;

	while (at && *at != '\0') {
		size_t name;

		at += strspn(at, ", \t");
		name = strcspn(at, "=, \t");
		if (is_directive(at, name, "no-store") || is_directive(at, name, "no-cache"))
			return 0;
		if (is_directive(at, name, "max-age") && at[name] == '=')
			age_ms = seconds_of(at + name + 1 + strspn(at + name + 1, "\"")) * 1000;
		at += strcspn(at, ",");
	}
	return age_ms;
}
