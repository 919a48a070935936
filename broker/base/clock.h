/* The only calls to the system's clocks. What happens when is decided by Redis' clock, not by these. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_mono_ms(void); /* monotonic, counts while the process is stopped; for deadlines */
int64_t clock_wall_ms(void); /* Unix time; for log lines and answers only */

#endif
