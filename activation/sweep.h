/*
 * The safety net that timer jobs call: all that is due, in every lane, is done now instead of at the next look. It takes
 * the same steps as the timetable, under the same claims, and so is safe beside any number of brokers.
 */
#ifndef ACTIVATION_SWEEP_H
#define ACTIVATION_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct activation;

/* Brokers that live claim what is due at once, and have removals confirmed soon: later than that, something is wrong. */
#define SWEEP_DUE_LATE_MS     5000
#define SWEEP_REMOVAL_LATE_MS 60000

enum sweep_status {
	SWEEP_DONE = 0,
	SWEEP_LEFT = 1, /* something is left, or nothing could be asked */
	SWEEP_LATE = 8  /* all is done, and was late */
};

struct sweep_report {
	int64_t due;                     /* entries of the timetable that were due when it began */
	int64_t due_late_ms;             /* for how long the oldest of them had been */
	int64_t removals;                /* memberships that should have been gone already */
	int64_t removal_late_ms;         /* for how long the oldest of them had outlived its end */
	int64_t due_left, removals_left; /* when it ended */
	int64_t unknown; /* the caller's: memberships that have to go, and the store does not know of */
	int64_t took_ms;
	bool complete; /* nothing was left, and no push is under way */
	bool late;     /* what there was to do should long have been done: is there a broker? */
};

/* `report` is NULL when the store could not be asked. */
typedef void sweep_done(void *ctx, enum err err, const struct sweep_report *report);

/*
 * Begins at once and ends when nothing is due, no removal is open and no push of this process is under way, or after
 * `patience_ms`: an application that does not answer, or has no token free, cannot be waited for without end. Does not
 * block. ERR_NOMEM, ERR_UNAVAILABLE and the store's errors.
 */
void activation_sweep(struct activation *activation, int64_t patience_ms, sweep_done *done, void *ctx);

/* The exit status of a job; NULL is legal. */
enum sweep_status sweep_status(const struct sweep_report *report);

/* The report as a JSON object. */
void sweep_print(const struct sweep_report *report, struct buf *out);

#endif
