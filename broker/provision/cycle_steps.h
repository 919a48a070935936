/* What a sync cycle does besides pushing what was deferred: the steps of activation/piece.h, as one table. */
#ifndef PROVISION_CYCLE_STEPS_H
#define PROVISION_CYCLE_STEPS_H

#include "activation/piece.h"
#include "broker/metrics.h"
#include "config/config.h"
#include "scim-push/push.h"

/* What a step works with. */
struct step_tools {
	struct pusher *pusher;
	struct config *config; /* the current one; a step that goes on after its call takes a reference */
	struct metrics *metrics;
};

/* The steps of the application's cycle that have work, and how much. */
void cycle_steps_print(const struct config *config, const char *application, char out[STEPS_SIZE]);

/* Carries the piece out and ends it, at once or later. */
void cycle_steps_take(const struct step_tools *tools, struct piece *piece);

#endif
