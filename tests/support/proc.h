/*
 * A program that a test starts, signals and ends. Its output goes to a file; it dies with the test (also when the
 * test crashes). Functions that fail say why on standard error and return false.
 */
#ifndef SUPPORT_PROC_H
#define SUPPORT_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define PROC_PATH_SIZE 512

struct proc {
	pid_t pid;                     /* 0 when it is not running */
	char log_path[PROC_PATH_SIZE]; /* its standard output and error, appended over restarts */
	off_t log_start;               /* where the output of this run begins */
	int wait_status;               /* of waitpid, once it has ended */
};

/*
 * Starts argv[0] (found by PATH when it has no slash) with the NULL-terminated `argv`, and with the NULL-terminated
 * "NAME=value" of `env` (may be NULL) besides this process' environment. Does not wait for anything but the fork.
 */
bool proc_start(struct proc *proc, const char *const *argv, const char *const *env, const char *log_path);

/* Is it running? Collects it when it has ended. */
bool proc_alive(struct proc *proc);

/*
 * Waits until a line of this run's log holds `text`, and copies that line (cut at `size`) to `line`, which may be
 * NULL. False when `timeout_ms` passes or the program ends without it; then the log is printed.
 */
bool proc_wait_text(struct proc *proc, const char *text, int64_t timeout_ms, char *line, size_t size);

/* Does this run's log hold `text` by now? */
bool proc_log_holds(const struct proc *proc, const char *text);

void proc_kill9(struct proc *proc); /* and waits for its end; nothing when it is not running */
void proc_stop(struct proc *proc);  /* SIGSTOP; returns when it stands still */
void proc_cont(struct proc *proc);  /* SIGCONT */

/*
 * Sends the signal (and SIGCONT, should it stand still; 0 = sends nothing) and waits for the end: the exit status, 128 + n when signal
 * n ended it, -1 when it did not end within `timeout_ms` (then it is killed). For a program that was not running:
 * how it ended before; 0 when the test itself killed it or never started it.
 */
int proc_end(struct proc *proc, int signal_number, int64_t timeout_ms);

/* Prints the end of the log, indented, under its name. */
void proc_print_log(const struct proc *proc, FILE *out);

/* The build folder of the running test, "…/build/debug": the programs under test are there. */
bool proc_build_path(const char *name, char *out, size_t size);

#endif
