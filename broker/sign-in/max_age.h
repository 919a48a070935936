/* How long an answer stays fresh by its Cache-Control header (RFC 9111, section 5.2.2). Pure. */
#ifndef SIGN_IN_MAX_AGE_H
#define SIGN_IN_MAX_AGE_H

#include <stdint.h>

/*
 * Milliseconds of max-age; 0 where no-store or no-cache is said, or max-age is no number; `otherwise` where the header
 * is absent (NULL) or says nothing about it. Never more than some 30 years.
 */
int64_t max_age_ms(const char *cache_control, int64_t otherwise);

#endif
