/*
 * GET /api/events: who listens, and what each of them is told of what changes. An event says which object has changed and
 * little more; whoever wants to know the rest reads the object. Nobody is told of what they could not read.
 */
#ifndef API_EVENTS_H
#define API_EVENTS_H

#include <stddef.h>

#include "base/err.h"

struct api;
struct events;
struct changes_options;

/* At most `most` listeners in all. `from` has loop, activation and store. NULL: no memory. */
struct events *events_new(const struct changes_options *from, size_t most) MUST_CHECK;
void events_free(
	struct events *
		events); /* NULL is legal; when the server is gone and the store closed. Run the loop afterwards. */

/* Ends all streams: the configuration is another one, or the broker stops. Who comes again is looked at anew. NULL is legal. */
void events_end_all(struct events *events);

size_t events_open(const struct events *events); /* streams now, those included that are about to begin */

#endif
