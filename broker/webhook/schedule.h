/*
 * When a webhook is sent again, after the schedule of Standard Webhooks 1.0.0, and what the receiver's HTTP status
 * means for it. Pure: chance and time are arguments, nothing is kept.
 */
#ifndef WEBHOOK_SCHEDULE_H
#define WEBHOOK_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_ATTEMPTS   10 /* over 75 h 35 min and 5 s, without jitter */
#define SCHEDULE_JITTER_MAX 5  /* a pause grows by up to a fifth */
#define SCHEDULE_THROTTLE_MS                                                                                 \
	(60 * 1000) /* a receiver that is overloaded is left alone for so long at least */
#define SCHEDULE_DELAY_MAX_MS (INT64_C(24) * 60 * 60 * 1000) /* the longest a Retry-After can ask for */

/*
 * The pause in milliseconds before attempt `attempt` (0 = the first: at once), counted from the end of the one
 * before: 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h. `random` (any value, evenly spread) makes it
 * longer by less than a fifth, so that messages that failed together do not come back together. -1 when there
 * are no more attempts.
 */
int64_t schedule_delay_ms(unsigned attempt, uint32_t random);

/* What is to be done with a message that was sent. */
enum schedule_action {
	SCHEDULE_DONE,    /* delivered */
	SCHEDULE_AGAIN,   /* send it again after delay_ms */
	SCHEDULE_PARK,    /* all attempts are used up: keep it where operators see it */
	SCHEDULE_DISABLE, /* the receiver is gone (410): send it nothing more until the configuration changes */
};

struct schedule_step {
	enum schedule_action action;
	bool throttle;    /* with AGAIN and PARK: send this receiver nothing else either, for delay_ms */
	int64_t delay_ms; /* 0 unless AGAIN or throttle */
};

/* One attempt that has ended. */
struct schedule_try {
	unsigned made;          /* attempts so far, this one included */
	int status;             /* HTTP status; 0 when there was no answer */
	int64_t retry_after_ms; /* from now; -1 when the answer asked for nothing */
	uint32_t random;
};

/*
 * 2xx: delivered. 410: disable. Everything else is a failure, redirects too (they are never followed); 429, 502
 * and 504 throttle the receiver. A Retry-After with any failure makes the pause longer, never shorter.
 */
struct schedule_step schedule_next(const struct schedule_try *tried);

#endif
