/* The end of an application's secret token, of which nothing is heard over SCIM: it is configured. Pure. */
#ifndef SCIM_PUSH_EXPIRY_H
#define SCIM_PUSH_EXPIRY_H

#include <stdint.h>

#define EXPIRY_NO_WARNING (-1)

/*
 * Which warning is due: 90, 30, 7 or 1, the least of these that is not fewer than the days left; 0 when the token has
 * ended; EXPIRY_NO_WARNING before that, and when its end is not known (`expires_ms` 0).
 */
int expiry_warning(int64_t expires_ms, int64_t now_ms);

/* Whole days left, rounded down; 0 when it has ended. */
int64_t expiry_days_left(int64_t expires_ms, int64_t now_ms);

#endif
