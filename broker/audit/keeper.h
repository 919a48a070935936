/*
 * What this broker does with the audit when the timetable says so: seals what is new, exports it, forgets what is old.
 * Another broker does the same for other lanes, or for this one when this broker dies.
 */
#ifndef AUDIT_KEEPER_H
#define AUDIT_KEEPER_H

#include <uv.h>

#include "audit/verify.h"
#include "config/config.h"

struct keeper_figures {
	uint64_t seals, exported, failures; /* seals made, events exported, exports that failed */
};

struct keeper;

/* The configuration is held as long as it is used. NULL: no memory. */
struct keeper *keeper_new(uv_loop_t *loop, struct activation *activation, struct config *config) MUST_CHECK;
void keeper_free(struct keeper *keeper); /* NULL is legal; not while keeper_busy() */

/* Plans all lanes: once the store is ready, and after a change of the configuration. */
void keeper_plan(struct keeper *keeper, unsigned lanes);
void keeper_reload(struct keeper *keeper, struct config *config);

/* Writes into the audit which configuration is in use from now on: `event` is "start" or "reload". */
void keeper_note_config(struct keeper *keeper, const char *event);

/* struct activation_options: the lane is to be sealed or exported. */
void keeper_due(void *keeper, unsigned lane, const char *what);

/* Takes up nothing more; what is being written is finished. */
void keeper_stop(struct keeper *keeper);
bool keeper_busy(const struct keeper *keeper); /* something is being written */

/* Why the export does not get on, or NULL. Borrowed. */
const char *keeper_trouble(const struct keeper *keeper);
const struct keeper_figures *keeper_figures(const struct keeper *keeper);
const struct audit_witness *keeper_witness(const struct keeper *keeper, unsigned lane);

#endif
