/* Two steps of the sync cycle: users whom nobody needs any more, and the attributes of the others. */
#ifndef PROVISION_USERS_H
#define PROVISION_USERS_H

#include "provision/cycle_steps.h"

/* Is there anything to do in this application? How much, the store knows. */
int64_t users_leavers_work(const struct config *config, const struct config_application *application);
int64_t users_attributes_work(const struct config *config, const struct config_application *application);

/* Either of them. */
void users_take_step(const struct step_tools *tools, struct piece *piece);

#endif
