/* What the command line asks for without a broker that serves. */
#ifndef RECOVERY_OFFLINE_H
#define RECOVERY_OFFLINE_H

#include <stdbool.h>

#include "broker/arguments.h"
#include "config/config.h"
#include "store/store.h"

/* Checks the configuration, drains the escrow, verifies a backup. False: nothing of that was asked for. Blocks. */
bool offline_run(struct config *config, const struct arguments *arguments, int *status);

/* The configured store as such a command asks it. The caller adds queue_max, on_ready and ctx. Texts are the
 * configuration's. */
struct store_options offline_store(const struct config *config);

#endif
