/* Times and durations as people say them. Pure. */
#ifndef NOTICE_WORDS_H
#define NOTICE_WORDS_H

#include <stdint.h>

struct policy_zone;

#define WORDS_SIZE 128

/* The two largest units, rounded: "2 hours", "1 hour 30 minutes", "45 seconds", "less than a second". Returns `out`. */
const char *words_duration(int64_t ms, char out[WORDS_SIZE]);

/* "Wed 25 Nov 2026 14:40 (Europe/Zurich, UTC+01:00)", by the clocks of the zone; NULL = UTC. Returns `out`. */
const char *words_time(const struct policy_zone *zone, int64_t at_ms, char out[WORDS_SIZE]);

/* "Wed, 25 Nov 2026 13:40:00 +0000", as RFC 5322 writes it. Returns `out`. */
const char *words_mail_date(int64_t at_ms, char out[WORDS_SIZE]);

#endif
