/*
 * The command `jit`: what every one of its subcommands gets, and what it may return. It is a client of the API and
 * knows no more of the broker than any other client does.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "command/account.h"
#include "command/call.h"

#define PIM "/v1.0/identityGovernance/privilegedAccess/group/"

/* The exit status; scripts rely on these numbers, the man page lists them. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,     /* the broker has said no: policy, state, an unknown id */
	EXIT_USAGE = 2,       /* the command line is wrong */
	EXIT_SIGN_IN = 3,     /* not signed in, or not allowed */
	EXIT_UNAVAILABLE = 4, /* no answer, or none that helps: try again later */
	EXIT_NOT_GIVEN = 5,   /* --wait: the request ended without access */
	EXIT_PENDING = 6,     /* --wait: its time ran out first */
	EXIT_BROKEN = 7,      /* audit verify: it is not as it was written */
	EXIT_LATE = 8         /* sweep: all is done, and was late */
};

/* What stood on the command line; NULL or false = not given. All is borrowed from argv. */
struct options {
	const char *server, *ca, *token_file;                     /* who is asked, as whom */
	const char *duration, *start, *until;                     /* for how long */
	const char *reason, *ticket, *ticket_system;              /* why */
	const char *application, *group, *person, *result, *user; /* which */
	const char *status, *issuer, *acr_values, *after, *limit;
	bool json, wait, try_only, break_glass, everybody;
	const char *timeout;                    /* of --wait */
	const char *config;                     /* of what asks no server: the sweep, the escrow, a backup */
	const char *redis;                      /* of a backup */
	bool without_redis, beside_redis;       /* of the escrow's drain */
	const char *key_file, *former_key_file; /* of an audit that is checked without one */
	const char *words[3];
	size_t word_count; /* what stood besides the options */
};

struct session {
	struct options options;
	struct account account;
};

/* One subcommand: returns an exit_code. What it has to say went to standard output, errors to standard error. */
typedef int command_run(struct session *session);

command_run command_activate, command_extend, command_deactivate, command_cancel, command_show;
command_run command_list, command_groups, command_approvals;
command_run command_approve, command_deny;
command_run command_apps, command_cycle, command_cycles, command_test, command_pause, command_resume,
	command_restart, command_guard, command_provision, command_log, command_audit, command_sweep,
	command_escrow, command_backup;
command_run command_login, command_logout, command_whoami;

#endif
