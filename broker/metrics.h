/* What the broker counts, and how Prometheus reads it (text format 0.0.4). One broker's own figures, since its
 * start; what lies in Redis is asked for when the metrics are read. */
#ifndef BROKER_METRICS_H
#define BROKER_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct store_counts;

enum metrics_push {
	METRICS_DONE,
	METRICS_RETRY,
	METRICS_REFUSED,
	METRICS_SKIPPED,
	METRICS_SPLIT,
	METRICS_RESULTS
};

enum metrics_drift { METRICS_MISSING, METRICS_RETURNED, METRICS_FOREIGN, METRICS_DRIFTS };

enum metrics_user { METRICS_CREATED, METRICS_UPDATED, METRICS_DEACTIVATED, METRICS_DELETED, METRICS_USERS };

struct metrics {
	uint64_t requests[6];                 /* HTTP answers by first digit of their status */
	uint64_t pushes[2];                   /* ended; [1] = adding, [0] = removing */
	uint64_t members[2][METRICS_RESULTS]; /* what came of their members */
	uint64_t drift[METRICS_DRIFTS];       /* memberships that somebody else has changed */
	uint64_t users[METRICS_USERS];        /* users of applications that it has changed */
	uint64_t push_ms[2];                  /* time they took, in all */
	uint64_t pushed, deferred, waited, scheduled, joined, awaiting,
		refused;                             /* activations, by their first answer */
	uint64_t glass_broken;                       /* activations without approval and at any hour */
	uint64_t notices_sent[2], notices_failed[2]; /* attempts; [1] = mail, [0] = webhooks */
	uint64_t notices_held;                       /* mails that a digest tells of instead */
};

/* What is asked for while the metrics are read. */
struct metrics_state {
	int ready;
	uint64_t open_exchanges, streams, calls_waiting, orders;
	const struct store_counts *store;
	bool known; /* what follows up to audit_unexported; false: Redis, or one of its lanes, could not be asked */
	int64_t ahead_s; /* Redis' clock, of this broker's; below 0 = behind. Where they differ most */
	int64_t timetable, removals, oldest_removal_s;
	int64_t due, oldest_due_s; /* entries of the timetable that are due and that nobody has taken up */
	int64_t set_aside, oldest_aside_s; /* what cannot be worked on, and is tried again and again */
	int64_t held;                      /* removals that guards hold */
	int64_t stranded;                  /* those in applications that no broker knows any more */
	int64_t notices, oldest_notice_s, parked_notices;
	int64_t audit_events, audit_unsealed, audit_unexported;
	uint64_t audit_seals, audit_exported, audit_failures; /* of this broker */
	bool has_escrow;
	uint64_t escrow_lines, escrow_syncs, escrow_failures; /* the same */
	int64_t escrow_bytes, escrow_ok;
};

void metrics_render(const struct metrics *metrics, const struct metrics_state *state, struct buf *out);

#endif
