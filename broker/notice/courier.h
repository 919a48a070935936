/*
 * Carries notices to those who want to know. What is due it is told by the timetable: the lane's outbox, which it spreads
 * to the audience, and targets that have deliveries waiting. Each target has a few deliveries under way at once and no
 * more, so that one that is slow or dead delays nothing but its own.
 */
#ifndef NOTICE_COURIER_H
#define NOTICE_COURIER_H

#include <stddef.h>

#include <uv.h>

#include "base/err.h"

struct activation;
struct config;
struct courier;
struct metrics;

struct courier_options {
	uv_loop_t *loop;
	struct activation *activation; /* borrowed; outlives the courier */
	struct metrics *metrics;
	struct config *config; /* takes a reference */
};

/* ERR_NOMEM or ERR_IO. */
enum err courier_new(const struct courier_options *options, struct courier **out,
		     struct errctx *ec) MUST_CHECK;

/* The configuration has changed. */
void courier_configure(struct courier *courier, struct config *config);

/* The lane's outbox (target "") or its deliveries to that target are due. */
void courier_due(struct courier *courier, unsigned lane, const char *target);

/* Begins nothing more; what is under way ends by itself, or is given up by the second. */
void courier_stop(struct courier *courier);
void courier_abort_all(struct courier *courier);
size_t courier_busy(const struct courier *courier); /* deliveries and calls under way */

/* Nothing may be under way. The memory is given back when the loop has run once more. NULL is legal. */
void courier_free(struct courier *courier);

#endif
