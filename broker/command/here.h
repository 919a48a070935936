/* What asks no server: the broker's own program does it, with its configuration. */
#ifndef COMMAND_HERE_H
#define COMMAND_HERE_H

/* Becomes jit-broker with these words (its name first, NULL last): the one beside this program, or else that of the PATH.
 * Returns, with an exit_code, only when there is none. */
int here_run(const char *const *words);

#endif
