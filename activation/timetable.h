/*
 * What is due: sleeps until the lane's next due time (never longer than the poll interval), has it done by
 * jit_due, and carries on what needs a broker: scheduled starts, applications to pump, cycles to begin, notices.
 */
#ifndef ACTIVATION_TIMETABLE_H
#define ACTIVATION_TIMETABLE_H

#include <stdint.h>

#include "base/err.h"

struct activation;
struct timetable;

struct timetable *timetable_new(struct activation *activation) MUST_CHECK; /* NULL: no memory */
void timetable_free(struct timetable *timetable);                          /* NULL is legal */

/* The lane has something due in `delay_ms` (0 = now); earlier news wins. */
void timetable_note(struct timetable *timetable, unsigned lane, int64_t delay_ms);

/* The store is there (again): look into every lane at once. */
void timetable_start(struct timetable *timetable);
/* Looks into every lane now, not when it is due. */
void timetable_wake(struct timetable *timetable);
void timetable_stop(struct timetable *timetable);

#endif
