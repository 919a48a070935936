/* `jit audit verify FILE`: an exported audit is checked here, and no server is asked. */
#ifndef COMMAND_AUDIT_FILE_H
#define COMMAND_AUDIT_FILE_H

#include "command/command.h"

/* An exit_code; options->words[1] is the file. */
int audit_verify_file(const struct options *options);

#endif
