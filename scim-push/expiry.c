#include "scim-push/expiry.h"

#include <stddef.h>

#define DAY_MS INT64_C(86400000)

int expiry_warning(int64_t expires_ms, int64_t now_ms)
{
	static const int days[] = {1, 7, 30, 90};
	int64_t left_ms = expires_ms - now_ms;

	if (expires_ms == 0)
		return EXPIRY_NO_WARNING;
	if (left_ms <= 0)
		return 0;
	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++)
		if (left_ms <= days[i] * DAY_MS)
			return days[i];
	return EXPIRY_NO_WARNING;
}

int64_t expiry_days_left(int64_t expires_ms, int64_t now_ms)
{
	return expires_ms > now_ms ? (expires_ms - now_ms) / DAY_MS : 0;
}
