/*
 * `jit backup verify`: is what a Redis holds, restored from a backup, whole and usable by this version? Nothing is changed,
 * but that the function library is loaded where it is missing or older.
 */
#ifndef RECOVERY_BACKUP_H
#define RECOVERY_BACKUP_H

#include "config/config.h"

/*
 * Asks the Redis at that URL, or the configured one when it is "". Prints each problem and then the figures as JSON on
 * standard output. The exit status: 0 whole, 1 it could not be asked, or not by this version, 7 not whole. Blocks.
 */
int backup_verify(struct config *config, const char *url);

#endif
