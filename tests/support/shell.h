/* The command `jit`, run as a person runs it: in a home of its own, its output read whole. */
#ifndef SUPPORT_SHELL_H
#define SUPPORT_SHELL_H

#include <stddef.h>

#include "tests/support/proc.h"

#define SHELL_WORDS 24

struct shell {
	char home[PROC_PATH_SIZE];       /* a folder that is there */
	char server[128];                /* "" = JIT_SERVER is not set */
	char token_file[PROC_PATH_SIZE]; /* "" = JIT_TOKEN_FILE is not set */
	char output[65536];              /* of the last command: standard output and error */
	struct proc proc;
};

/* Writes the token into a file of the home that only its owner can read, and uses it from now on. */
void shell_use_token(struct shell *shell, const char *token);

/* Starts the command with these words (NULL-terminated) and does not wait. */
void shell_start(struct shell *shell, const char *const *words);

/* Waits for its end, reads shell->output, and gives the exit status. Fails the test when it does not end. */
int shell_wait(struct shell *shell);

/* Both: jit WORD … ; the list ends with NULL. */
int shell_run(struct shell *shell, ...) __attribute__((sentinel));

#endif
