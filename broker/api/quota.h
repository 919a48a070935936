/*
 * How much one caller may ask of this broker: a bucket each, which leaks. Bounded in memory, however many callers there
 * are: where room is needed, the bucket that is nearest to empty is forgotten, which is the one whose caller is owed the least.
 */
#ifndef API_QUOTA_H
#define API_QUOTA_H

#include <stdint.h>

#define QUOTA_PER_MS 10000 /* the time that the number of requests is for */

struct quota;

/* NULL without memory. */
struct quota *quota_new(void);
void quota_free(struct quota *quota); /* NULL is fine */

/*
 * One more request of that caller, at that time (clock_mono_ms()), of `most` within QUOTA_PER_MS. 0, or after how many
 * ms there is room for it; it is then not counted. NULL stands for no limit.
 */
int64_t quota_take(struct quota *quota, const char *caller, unsigned most, int64_t now_ms);

#endif
