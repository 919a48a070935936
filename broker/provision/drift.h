/* The drift check: what an application's groups hold, compared with what they should. */
#ifndef PROVISION_DRIFT_H
#define PROVISION_DRIFT_H

#include "provision/cycle_steps.h"

/* How many groups of the application are compared. */
int64_t drift_work(const struct config *config, const struct config_application *application);

/* Takes the piece over, and ends it when a group (or a page of those who are asked for one by one) is compared, or could
 * not be. Does not block. */
void drift_take(const struct step_tools *tools, struct piece *piece);

#endif
