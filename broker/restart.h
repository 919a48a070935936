/* Which settings a running broker cannot take up. */
#ifndef BROKER_RESTART_H
#define BROKER_RESTART_H

#include <stdbool.h>

#include "broker/config.h"

/* Do the two differ in settings that are read once, when the broker starts? */
bool needs_restart(const struct config *a, const struct config *b);

#endif
