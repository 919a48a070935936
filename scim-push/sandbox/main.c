/* scim-sandbox: the command line. Everything else is in the server (server.h) and the service (scim.h). */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "scim-push/sandbox/server.h"

#define VERSION    "1.0.0"
#define FILE_MAX   (64U << 10) /* a token or a PEM file */
#define NAMES_MAX  10000
#define EXIT_USAGE 2

static const char help[] =
	"Usage: scim-sandbox [OPTION]...\n"
	"A SCIM 2.0 server with AWS IAM Identity Center's documented limits, in memory, to try clients "
	"against.\n"
	"\n"
	"  --listen HOST:PORT        numeric address and port (127.0.0.1:0 = any free port)\n"
	"  --token TOKEN             the bearer token; this or --token-file is required\n"
	"  --token-file FILE         the same, from a file\n"
	"  --log FILE                append one JSON line for each SCIM request\n"
	"  --group NAME              make this group at the start (repeatable)\n"
	"  --user USERNAME           make this user at the start (repeatable)\n"
	"  --fault RULE              add a fault rule (repeatable)\n"
	"  --tls-cert FILE           serve https with this certificate chain (PEM)\n"
	"  --tls-key FILE            and this key (PEM)\n"
	"  --help, --version\n"
	"\n"
	"What AWS does not document (the first value is the default):\n"
	"  --unknown-member 404|400         adding an unknown user to a group\n"
	"  --remove-absent 404|400|204      removing somebody who is no member\n"
	"  --members-lag MS                 filters over members see a change only after so long (0)\n"
	"  --case-sensitive-names yes|no|mixed\n"
	"                                   userName and displayName; mixed: filters match exactly, but "
	"names that\n"
	"                                   differ only in case are duplicates\n"
	"  --filter-remove no|yes           accept remove with path members[value eq \"ID\"]\n"
	"  --count-repeats yes|no           a member named twice in one PATCH counts twice towards the 100\n"
	"  --unsupported-parameters refuse|ignore\n"
	"                                   startIndex, attributes, excludedAttributes\n"
	"  --show-members no|yes            GET of one group lists its members (AWS never does)\n"
	"  --page 100|50                    resources in one page\n"
	"\n"
	"Fault rules: METHOD PATH [WHEN] -> ACTION\n"
	"  METHOD  GET, POST, PUT, PATCH, DELETE or *\n"
	"  PATH    prefix of the target below /scim/v2 as it is sent, query included, or *\n"
	"  WHEN    always (default), once, first N, nth N, every N, from N\n"
	"  ACTION  delay MS [after]      hang [after]      close [after]\n"
	"          status CODE [retry-after SECONDS | http-date SECONDS] [after]\n"
	"          noop   html   truncate   huge   redirect [CODE] URL\n"
	"  With `after` the change is applied first: `close after` is a lost reply. The first rule that "
	"holds acts;\n"
	"  rules behind it do not count the request. Example: 'PATCH /Groups every 7 -> status 500 after'\n"
	"\n"
	"Control, from this machine, without a token:\n"
	"  GET|POST|DELETE /sandbox/faults         list; add {\"rule\":\"...\"} or an array of them; clear\n"
	"  GET /sandbox/hung, POST /sandbox/release  held requests; let them go on\n"
	"  GET /sandbox/state                      {\"groups\":{NAME:[userName,...]},\"users\":[...]}\n"
	"  POST /sandbox/state                     {\"group\":NAME,\"add\":[...],\"remove\":[...]},\n"
	"                                          {\"users\":[...],\"groups\":[...]} to make them\n"
	"  DELETE /sandbox/users/NAME, /sandbox/groups/NAME\n";

struct options {
	char host[64];
	char port[16];
	const char *log;
	char *token;       /* owned */
	char *certificate; /* owned */
	char *key;         /* owned */
	const char **users, **groups;
	size_t user_count, group_count;
	struct dialect dialect;
	struct faults *faults; /* borrowed from the server */
};

static enum err read_file(const char *path, char **out, struct errctx *ec)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, FILE_MAX + 1);
	size_t len = file != NULL && text != NULL ? fread(text, 1, FILE_MAX, file) : 0;
	bool failed = file == NULL || text == NULL || ferror(file) != 0;

	if (failed)
		(void)err_set(ec, ERR_CONFIG, "%s: %s", path, strerror(errno));
	if (file != NULL)
		(void)fclose(file);
	if (failed) {
		free(text);
		return ERR_CONFIG;
	}
	text[len] = '\0';
	free(*out);
	*out = text;
	return ERR_OK;
}

static enum err read_token(const char *path, char **out, struct errctx *ec)
{
	enum err err = read_file(path, out, ec);

	if (err == ERR_OK)
		(*out)[strcspn(*out, "\r\n")] = '\0';
	return err;
}

static enum err set_token(const char *token, char **out)
{
	free(*out);
	*out = strdup(token);
	return *out != NULL ? ERR_OK : ERR_NOMEM;
}

/* "127.0.0.1:0" or "[::1]:0" */
static enum err set_listen(const char *text, struct options *out, struct errctx *ec)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;

	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(out->host) || strlen(colon + 1) >= sizeof(out->port) ||
	    colon[1] == '\0')
		return err_set(ec, ERR_CONFIG, "--listen: HOST:PORT is wanted");
	(void)memcpy(out->host, text, len);
	out->host[len] = '\0';
	(void)memcpy(out->port, colon + 1, strlen(colon + 1) + 1);
	return ERR_OK;
}

/* The place of `text` among the choices "a|b|c", or -1. */
static int choice(const char *text, const char *choices)
{
	size_t len = strlen(text);

	for (int i = 0;; i++) {
		size_t end = strcspn(choices, "|");

		if (end == len && memcmp(text, choices, len) == 0)
			return i;
		if (choices[end] == '\0')
			return -1;
		choices += end + 1;
	}
}

/* -- the table of options -------------------------------------------------------------------------------------- */

enum flag {
	FLAG_LISTEN,
	FLAG_TOKEN,
	FLAG_TOKEN_FILE,
	FLAG_LOG,
	FLAG_GROUP,
	FLAG_USER,
	FLAG_FAULT,
	FLAG_TLS_CERT,
	FLAG_TLS_KEY,
	FLAG_MEMBERS_LAG,
	FLAG_UNKNOWN_MEMBER, /* from here on: one of the choices */
	FLAG_REMOVE_ABSENT,
	FLAG_CASE,
	FLAG_FILTER_REMOVE,
	FLAG_COUNT_REPEATS,
	FLAG_PARAMETERS,
	FLAG_SHOW_MEMBERS,
	FLAG_PAGE,
	FLAG_HELP,
	FLAG_VERSION
};

static const struct option flags[] = {
	{"listen", required_argument, NULL, FLAG_LISTEN},
	{"token", required_argument, NULL, FLAG_TOKEN},
	{"token-file", required_argument, NULL, FLAG_TOKEN_FILE},
	{"log", required_argument, NULL, FLAG_LOG},
	{"group", required_argument, NULL, FLAG_GROUP},
	{"user", required_argument, NULL, FLAG_USER},
	{"fault", required_argument, NULL, FLAG_FAULT},
	{"tls-cert", required_argument, NULL, FLAG_TLS_CERT},
	{"tls-key", required_argument, NULL, FLAG_TLS_KEY},
	{"members-lag", required_argument, NULL, FLAG_MEMBERS_LAG},
	{"unknown-member", required_argument, NULL, FLAG_UNKNOWN_MEMBER},
	{"remove-absent", required_argument, NULL, FLAG_REMOVE_ABSENT},
	{"case-sensitive-names", required_argument, NULL, FLAG_CASE},
	{"filter-remove", required_argument, NULL, FLAG_FILTER_REMOVE},
	{"count-repeats", required_argument, NULL, FLAG_COUNT_REPEATS},
	{"unsupported-parameters", required_argument, NULL, FLAG_PARAMETERS},
	{"show-members", required_argument, NULL, FLAG_SHOW_MEMBERS},
	{"page", required_argument, NULL, FLAG_PAGE},
	{"help", no_argument, NULL, FLAG_HELP},
	{"version", no_argument, NULL, FLAG_VERSION},
	{NULL, 0, NULL, 0},
};

static const char *choices_of(enum flag flag)
{
	static const char *const choices[] = {
		[FLAG_UNKNOWN_MEMBER] = "404|400", [FLAG_REMOVE_ABSENT] = "404|400|204",
		[FLAG_CASE] = "yes|no|mixed",      [FLAG_FILTER_REMOVE] = "no|yes",
		[FLAG_COUNT_REPEATS] = "yes|no",   [FLAG_PARAMETERS] = "refuse|ignore",
		[FLAG_SHOW_MEMBERS] = "no|yes",    [FLAG_PAGE] = "100|50",
	};

	return choices[flag];
}

/* `chosen` is the place of the value among the flag's choices; 0 is the default. */
static void set_dialect(enum flag flag, int chosen, struct dialect *out)
{
	static const int absent[] = {404, 400, 204};

	if (flag == FLAG_UNKNOWN_MEMBER)
		out->unknown_member = chosen == 0 ? 404 : 400;
	else if (flag == FLAG_REMOVE_ABSENT)
		out->absent_member = absent[chosen];
	else if (flag == FLAG_FILTER_REMOVE)
		out->filter_remove = chosen == 1;
	else if (flag == FLAG_COUNT_REPEATS)
		out->repeats_count = chosen == 0;
	else if (flag == FLAG_PARAMETERS)
		out->ignore_parameters = chosen == 1;
	else if (flag == FLAG_SHOW_MEMBERS)
		out->show_members = chosen == 1;
	else if (flag == FLAG_PAGE)
		out->page = chosen == 0 ? 100 : 50;
	if (flag == FLAG_CASE) {
		out->exact_filters = chosen != 1;
		out->exact_names = chosen == 0;
	}
}

static enum err set_choice(enum flag flag, const char *value, struct dialect *out, struct errctx *ec)
{
	int chosen = choice(value, choices_of(flag));

	if (chosen < 0)
		return err_set(ec, ERR_CONFIG, "--%s: %s is wanted", flags[flag].name, choices_of(flag));
	set_dialect(flag, chosen, out);
	return ERR_OK;
}

static enum err set_lag(const char *value, struct dialect *out, struct errctx *ec)
{
	char *end;
	long ms = strtol(value, &end, 10);

	if (*value == '\0' || *end != '\0' || ms < 0 || ms > 86400000)
		return err_set(ec, ERR_CONFIG, "--members-lag: milliseconds, 0 to 86400000");
	out->members_lag_ms = ms;
	return ERR_OK;
}

static enum err add_name(const char *name, const char **names, size_t *count, struct errctx *ec)
{
	if (*count == NAMES_MAX)
		return err_set(ec, ERR_CONFIG, "more than %d names", NAMES_MAX);
	names[(*count)++] = name;
	return ERR_OK;
}

static enum err set_option(enum flag flag, const char *value, struct options *out, struct errctx *ec)
{
	switch (flag) {
	case FLAG_LISTEN:
		return set_listen(value, out, ec);
	case FLAG_TOKEN:
		return set_token(value, &out->token);
	case FLAG_TOKEN_FILE:
		return read_token(value, &out->token, ec);
	case FLAG_LOG:
		out->log = value;
		break;
	case FLAG_GROUP:
		return add_name(value, out->groups, &out->group_count, ec);
	case FLAG_USER:
		return add_name(value, out->users, &out->user_count, ec);
	case FLAG_FAULT:
		return faults_add(out->faults, value, ec);
	case FLAG_TLS_CERT:
		return read_file(value, &out->certificate, ec);
	case FLAG_TLS_KEY:
		return read_file(value, &out->key, ec);
	case FLAG_MEMBERS_LAG:
		return set_lag(value, &out->dialect, ec);
	case FLAG_UNKNOWN_MEMBER:
	case FLAG_REMOVE_ABSENT:
	case FLAG_CASE:
	case FLAG_FILTER_REMOVE:
	case FLAG_COUNT_REPEATS:
	case FLAG_PARAMETERS:
	case FLAG_SHOW_MEMBERS:
	case FLAG_PAGE:
		return set_choice(flag, value, &out->dialect, ec);
	case FLAG_HELP:
	case FLAG_VERSION:
		break;
	}
	return ERR_OK;
}

/* -1: go on. Otherwise the exit code. */
static int read_options(int argc, char **argv, struct options *out)
{
	struct errctx ec = {""};
	int flag;

	while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
		if (flag == '?')
			return EXIT_USAGE;
		if (flag == FLAG_HELP || flag == FLAG_VERSION) {
			(void)fputs(flag == FLAG_HELP ? help : "scim-sandbox " VERSION "\n", stdout);
			return EXIT_SUCCESS;
		}
		if (set_option((enum flag)flag, optarg, out, &ec) != ERR_OK) {
			(void)fprintf(stderr, "scim-sandbox: %s\n", ec.text);
			return EXIT_USAGE;
		}
	}
	if (optind == argc && out->token != NULL && out->token[0] != '\0' &&
	    (out->certificate == NULL) == (out->key == NULL))
		return -1;
	(void)fputs(optind < argc ? "scim-sandbox: there are no arguments besides options\n"
				  : "scim-sandbox: a token is needed; --tls-cert and --tls-key go together\n",
		    stderr);
	return EXIT_USAGE;
}

/* -- running ----------------------------------------------------------------------------------------------------- */

static enum err make_names(struct scim *scim, const struct options *options, struct errctx *ec)
{
	for (size_t i = 0; i < options->user_count; i++)
		if (scim_make_user(scim, options->users[i], clock_wall_ms()) != ERR_OK)
			return err_set(ec, ERR_CONFIG,
				       "--user %s: AWS refuses this name, or it is there twice",
				       options->users[i]);
	for (size_t i = 0; i < options->group_count; i++)
		if (scim_make_group(scim, options->groups[i], clock_wall_ms()) != ERR_OK)
			return err_set(ec, ERR_CONFIG,
				       "--group %s: AWS refuses this name, or it is there twice",
				       options->groups[i]);
	return ERR_OK;
}

static enum err serve(struct server *server, const struct options *options, struct errctx *ec)
{
	struct server_options listen = {options->host, options->port, options->certificate, options->key};
	bool is_v6 = strchr(options->host, ':') != NULL;
	unsigned port;
	enum err err = make_names(&server->scim, options, ec);

	if (err == ERR_OK)
		err = server_open(server, &listen, &port, ec);
	if (err != ERR_OK)
		return err;
	(void)printf("listening on %s://%s%s%s:%u/scim/v2\n", options->certificate != NULL ? "https" : "http",
		     is_v6 ? "[" : "", options->host, is_v6 ? "]" : "", port);
	(void)fflush(stdout);
	server_run(server);
	return ERR_OK;
}

static int run(struct server *server, const struct options *options)
{
	struct errctx ec = {"out of memory"};
	enum err err;

	server->scim.dialect = options->dialect;
	server->token = options->token;
	err = directory_init(&server->scim.directory, options->dialect.members_lag_ms);
	if (err == ERR_OK) {
		err = journal_open(&server->journal, options->log, &ec);
		if (err == ERR_OK) {
			err = serve(server, options, &ec);
			journal_close(&server->journal);
		}
		directory_release(&server->scim.directory);
	}
	if (err == ERR_OK)
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "scim-sandbox: %s\n", ec.text);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct server *server = calloc(1, sizeof(*server));
	struct options options = {.host = "127.0.0.1", .port = "0", .log = "", .dialect = dialect_aws()};
	int code = EXIT_FAILURE;

	options.users = calloc(NAMES_MAX, sizeof(*options.users));
	options.groups = calloc(NAMES_MAX, sizeof(*options.groups));
	if (server != NULL && options.users != NULL && options.groups != NULL) {
		options.faults = &server->faults;
		code = read_options(argc, argv, &options);
		if (code < 0)
			code = run(server, &options);
	}
	free(options.token);
	free(options.certificate);
	free(options.key);
	free(options.users);
	free(options.groups);
	free(server);
	return code;
}
