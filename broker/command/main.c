/* The command `jit`: its subcommands and options, each in one table, and who is asked. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "command/command.h"
#include "command/login.h"

#define VERSION "0.1.0"

/* -- options ------------------------------------------------------------------------------------------------ */

enum option_kind { OPTION_TEXT, OPTION_FLAG };

struct option_row {
	const char *name, *value, *help;
	enum option_kind kind;
	size_t offset;
};

#define TEXT(name, field, value, help)                                                                       \
	{                                                                                                    \
		name, value, help, OPTION_TEXT, offsetof(struct options, field)                              \
	}
#define FLAG(name, field, help)                                                                              \
	{                                                                                                    \
		name, NULL, help, OPTION_FLAG, offsetof(struct options, field)                               \
	}
static const struct option_row option_rows[] = {
	TEXT("server", server, "URL", "the broker; also JIT_SERVER"),
	TEXT("ca", ca, "FILE", "certificate authorities to trust, in PEM; also JIT_CA"),
	TEXT("token-file", token_file, "FILE", "where the bearer token is; also JIT_TOKEN_FILE"),
	FLAG("json", json, "print the server's answer as it is"),
	TEXT("for", duration, "DURATION", "for how long: 2h, 90m, 1h30m, PT2H"),
	TEXT("start", start, "TIME", "from when on: 2026-11-24T09:00:00+01:00"),
	TEXT("until", until, "TIME", "until when"),
	TEXT("reason", reason, "TEXT", "why"),
	TEXT("ticket", ticket, "NUMBER", "the ticket that this belongs to"),
	TEXT("ticket-system", ticket_system, "NAME", "and its system"),
	FLAG("try", try_only, "only say what would happen"),
	FLAG("break-glass", break_glass, "without approval, where you may; everybody concerned is told"),
	FLAG("wait", wait, "wait until the application has it"),
	TEXT("timeout", timeout, "DURATION", "of --wait; 1h"),
	FLAG("all", everybody, "everybody's; for operators. Of the escrow: whatever its end is"),
	TEXT("status", status, "STATUS", "only these, e.g. Provisioned"),
	TEXT("group", group, "GROUP", "only this group's"),
	TEXT("person", person, "ID", "only this person's"),
	TEXT("app", application, "APPLICATION", "only this application's"),
	TEXT("result", result, "RESULT", "only with this result"),
	TEXT("after", after, "POSITION", "from there on"),
	TEXT("limit", limit, "N", "at most so many"),
	TEXT("config", config, "FILE", "ask no server: do it here, with this configuration of the broker"),
	TEXT("key-file", key_file, "FILE", "the key that sealed it, where a file is checked"),
	TEXT("former-key-file", former_key_file, "FILE", "and the key before"),
	TEXT("redis", redis, "URL", "the Redis that was restored; else the configured one"),
	FLAG("dry-run", try_only, "only say what would be removed"),
	FLAG("without-redis", without_redis, "do not ask whether Redis is lost"),
	FLAG("beside-redis", beside_redis, "Redis was restored: remove what it knows nothing of"),
	TEXT("issuer", issuer, "URL", "the provider to sign in with, where there are several"),
	TEXT("acr-values", acr_values, "VALUES", "how strong a sign-in to ask the provider for"),
};
#undef TEXT
#undef FLAG

#define OPTIONS (sizeof(option_rows) / sizeof(option_rows[0]))

/* -- subcommands -------------------------------------------------------------------------------------------- */

struct command {
	const char *name, *words, *help;
	const char *options; /* beside server, ca, token-file and json */
	size_t least, most;  /* words */
	command_run *run;
};

#define ASK "for start until reason ticket ticket-system try wait timeout"

static const struct command commands[] = {
	{"login", "", "sign in", "issuer acr-values", 0, 0, command_login},
	{"logout", "", "forget the sign-in", "", 0, 0, command_logout},
	{"whoami", "", "as whom you are signed in", "", 0, 0, command_whoami},
	{"groups", "", "the groups that you may activate", "", 0, 0, command_groups},
	{"activate", "GROUP", "ask for a group", ASK " break-glass", 1, 1, command_activate},
	{"extend", "GROUP", "ask for more time", ASK, 1, 1, command_extend},
	{"deactivate", "GROUP", "give it back", "reason try", 1, 1, command_deactivate},
	{"list", "", "your requests", "all status group person limit", 0, 0, command_list},
	{"show", "REQUEST", "one request", "wait timeout", 1, 1, command_show},
	{"cancel", "REQUEST", "withdraw a request that has not given access", "", 1, 1, command_cancel},
	{"approvals", "", "what waits for you to decide", "limit", 0, 0, command_approvals},
	{"approve", "REQUEST", "agree", "reason", 1, 1, command_approve},
	{"deny", "REQUEST", "refuse", "reason", 1, 1, command_deny},
	{"apps", "[APPLICATION]", "the applications and their condition", "", 0, 1, command_apps},
	{"cycle", "APPLICATION", "begin its sync cycle now", "", 1, 1, command_cycle},
	{"cycles", "APPLICATION", "its last cycles", "", 1, 1, command_cycles},
	{"test", "APPLICATION", "test the connection", "", 1, 1, command_test},
	{"pause", "APPLICATION", "stop provisioning", "", 1, 1, command_pause},
	{"resume", "APPLICATION", "and go on", "", 1, 1, command_resume},
	{"restart", "APPLICATION", "end its quarantine and begin anew", "", 1, 1, command_restart},
	{"guard", "APPLICATION remove|keep", "answer what becomes of removals that its guard holds", "", 2, 2,
	 command_guard},
	{"provision", "APPLICATION PERSON GROUP", "provision one membership now", "", 3, 3,
	 command_provision},
	{"log", "", "the provisioning log", "app person group result after limit", 0, 0, command_log},
	{"audit", "[verify [FILE]]", "the audit events", "after limit key-file former-key-file", 0, 2,
	 command_audit},
	{"sweep", "", "do now all that is due", "config", 0, 0, command_sweep},
	{"backup", "verify", "is what Redis was restored from whole?", "config redis", 1, 1, command_backup},
	{"escrow", "drain|show|verify", "Redis is lost: remove what is due; what is in the escrow",
	 "config all dry-run without-redis beside-redis", 1, 1, command_escrow},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *out)
{
	fputs("usage: jit COMMAND [WORDS] [OPTIONS]\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++) {
		char form[48];

		snprintf(form, sizeof(form), "%s %s", commands[i].name, commands[i].words);
		fprintf(out, "  %-34s %s\n", form, commands[i].help);
	}
	fputs("\n`jit COMMAND --help` lists its options. Exit status: 0 done, 1 refused, 2 usage, 3 "
	      "sign-in,\n"
	      "4 no answer, 5 --wait: ended without access, 6 --wait: not yet,\n"
	      "7 audit verify, escrow, backup verify: not as written, or not whole.\n",
	      out);
}

/* Is the option one of those that this subcommand takes? Where the server is may always be said. */
static bool takes(const struct command *command, const char *name)
{
	const char *lists[] = {"server ca token-file json", command->options};
	size_t len = strlen(name);

	for (size_t i = 0; i < 2; i++)
		for (const char *p = lists[i]; *p != '\0'; p += strspn(p, " ")) {
			size_t word = strcspn(p, " ");

			if (word == len && strncmp(p, name, len) == 0)
				return true;
			p += word;
		}
	return false;
}

static void usage_of(const struct command *command, FILE *out)
{
	fprintf(out, "usage: jit %s %s [OPTIONS]: %s\n\n", command->name, command->words, command->help);
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_row *row = &option_rows[i];
		char form[48];

		if (!takes(command, row->name))
			continue;
		snprintf(form, sizeof(form), "--%s %s", row->name, row->value != NULL ? row->value : "");
		fprintf(out, "  %-26s %s\n", form, row->help);
	}
}

/* Prints words for shell completion: the subcommands, or the options of one. */
static int complete(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (name == NULL)
			puts(commands[i].name);
		else if (strcmp(commands[i].name, name) == 0)
			for (size_t k = 0; k < OPTIONS; k++)
				if (takes(&commands[i], option_rows[k].name))
					printf("--%s\n", option_rows[k].name);
	}
	return EXIT_DONE;
}

static void set_option(struct options *options, const struct option_row *row, const char *value)
{
	char *field = (char *)options + row->offset;

	if (row->kind == OPTION_FLAG)
		memcpy(field, &(bool){true}, sizeof(bool));
	else
		memcpy(field, &value, sizeof(value));
}

/* Reads what follows the subcommand. Returns -1, or the exit status when there is nothing left to do. */
static int read_options(int argc, char **argv, const struct command *command, struct options *out)
{
	struct option list[OPTIONS + 2] = {{0}};
	int found;

	for (size_t i = 0; i < OPTIONS; i++)
		list[i] =
			(struct option){option_rows[i].name,
					option_rows[i].kind == OPTION_FLAG ? no_argument : required_argument,
					NULL, (int)i + 256};
	list[OPTIONS] = (struct option){"help", no_argument, NULL, 'h'};
	while ((found = getopt_long(argc, argv, "h", list, NULL)) != -1) {
		if (found == 'h') {
			usage_of(command, stdout);
			return EXIT_DONE;
		}
		if (found < 256)
			return EXIT_USAGE;
		if (!takes(command, option_rows[found - 256].name)) {
			fprintf(stderr, "jit %s: takes no --%s\n", command->name,
				option_rows[found - 256].name);
			return EXIT_USAGE;
		}
		set_option(out, &option_rows[found - 256], optarg);
	}
	for (; optind < argc && out->word_count < 3; optind++)
		out->words[out->word_count++] = argv[optind];
	if (optind == argc && out->word_count >= command->least && out->word_count <= command->most)
		return -1;
	usage_of(command, stderr);
	return EXIT_USAGE;
}

/* -- who is asked ------------------------------------------------------------------------------------------- */

static const char *either(const char *option, const char *variable)
{
	const char *value = option != NULL ? option : getenv(variable);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* An option goes before the environment, that before the session. A session's token is for its own server alone. */
static enum err choose_account(struct session *session, bool signing_in, struct errctx *ec)
{
	struct account *account = &session->account;
	const char *server = either(session->options.server, "JIT_SERVER");
	const char *ca = either(session->options.ca, "JIT_CA");
	const char *file = either(session->options.token_file, "JIT_TOKEN_FILE");
	char before[ACCOUNT_TEXT_SIZE];

	if (account_read(account, ec) != ERR_OK)
		return ERR_CONFIG;
	snprintf(before, sizeof(before), "%s", account->server);
	if (server != NULL && account_set_server(account, server, ec) != ERR_OK)
		return ERR_CONFIG;
	if (account->server[0] == '\0')
		return err_set(ec, ERR_CONFIG, "name the broker with --server, JIT_SERVER or `jit login`");
	if (strcmp(before, account->server) != 0) {
		account_wipe(account);
		account->token_file[0] = account->refresh_token[0] = '\0';
	}
	if (ca != NULL)
		snprintf(account->ca, sizeof(account->ca), "%s", ca);
	if (signing_in)
		return ERR_OK;
	if (file == NULL && account->token_file[0] != '\0')
		file = account->token_file;
	if (file != NULL)
		return account_read_token(account, file, ec);
	login_renew(session);
	if (account->token[0] == '\0')
		return err_set(ec, ERR_UNAUTHENTICATED, "sign in with `jit login`");
	return ERR_OK;
}

static int run(struct session *session, const struct command *command)
{
	struct errctx ec = {""};
	bool offline = command->run == command_logout || command->run == command_escrow ||
		       command->run == command_backup || session->options.config != NULL ||
		       (command->run == command_audit && session->options.word_count > 1);
	enum err err;
	int code;

	if (!call_begin()) {
		fputs("jit: libcurl cannot be used\n", stderr);
		return EXIT_UNAVAILABLE;
	}
	err = offline ? ERR_OK : choose_account(session, command->run == command_login, &ec);
	if (err == ERR_OK)
		code = command->run(session);
	else
		code = err == ERR_UNAUTHENTICATED ? EXIT_SIGN_IN : EXIT_USAGE;
	if (ec.text[0] != '\0')
		fprintf(stderr, "jit: %s\n", ec.text);
	call_end();
	account_wipe(&session->account);
	return code;
}

int main(int argc, char **argv)
{
	static struct session session;
	const char *name = argc > 1 ? argv[1] : NULL;
	int code;

	prctl(PR_SET_DUMPABLE, 0); /* tokens are in this process's memory */
	if (name == NULL) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
		usage(stdout);
		return EXIT_DONE;
	}
	if (strcmp(name, "--version") == 0) {
		puts("jit " VERSION);
		return EXIT_DONE;
	}
	if (strcmp(name, "--complete") == 0)
		return complete(argc > 2 ? argv[2] : NULL);
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0) {
			code = read_options(argc - 1, argv + 1, &commands[i], &session.options);
			return code >= 0 ? code : run(&session, &commands[i]);
		}
	fprintf(stderr, "jit: there is no command %.40s; `jit --help` lists them\n", name);
	return EXIT_USAGE;
}
