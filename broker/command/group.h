/* Groups by the names that people know. */
#ifndef COMMAND_GROUP_H
#define COMMAND_GROUP_H

#include "base/id.h"
#include "command/command.h"

/*
 * The id of the group: as it is when it is an id, otherwise that of the one group of this name among those that the
 * caller may activate. Returns EXIT_DONE, or another exit code having said why.
 */
int group_find(const struct session *session, const char *name, char out[ID_SIZE]);

#endif
