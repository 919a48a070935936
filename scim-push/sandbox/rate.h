/*
 * Rates that the sandbox enforces with 429. A rate is one line of text:
 *
 *     METHOD PATH COUNT per MS [burst COUNT] [below BYTES | from BYTES]
 *
 * METHOD and PATH are as in fault rules (fault.h). COUNT requests come back evenly over MS milliseconds; `burst` (COUNT
 * where it is not given) may come at once. `below` and `from` restrict it to bodies of that size. A request needs room in
 * every rate that it falls under. Pure.
 */
#ifndef SANDBOX_RATE_H
#define SANDBOX_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "scim-push/sandbox/words.h"

#define RATES_MAX 16

struct rate {
	char text[RULE_TEXT]; /* as it was given */
	char method[16];
	char path[512];
	long count, per_ms, burst;
	long least_bytes, most_bytes;
	bool begun;
	int64_t full_ms; /* when the whole burst would be there again, in thousandths of a millisecond */
	uint64_t refused;
};

struct rates {
	size_t count;
	struct rate list[RATES_MAX];
};

struct rate_request {
	const char *method;
	const char *target; /* below /scim/v2 */
	size_t body_len;
	int64_t now_ms;
};

/* ERR_BAD_REQUEST with the reason in `ec`; ERR_TOO_MANY when the list is full. */
enum err rates_add(struct rates *rates, const char *text, struct errctx *ec) MUST_CHECK;
/* 0: there is room, and it is used. Otherwise the milliseconds until there would be. */
int64_t rates_wait(struct rates *rates, const struct rate_request *request);

#endif
