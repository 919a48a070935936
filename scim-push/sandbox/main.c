/* scim-sandbox: the command line. Everything else is in the server (server.h) and the service (scim.h). */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "scim-push/sandbox/server.h"
#include "scim-push/sandbox/state.h"

#define VERSION    "1.0.0"
#define FILE_MAX   (64U << 10) /* a token or a PEM file */
#define SEED_MAX   (64U << 20)
#define TEXT_MAX   (256U << 10)
#define NAMES_MAX  10000
#define EXIT_USAGE 2

static const char help[] =
	"Usage: scim-sandbox [OPTION]...\n"
	"A SCIM 2.0 server in memory, to try clients against: as strict as AWS IAM Identity Center, or in "
	"another "
	"dialect.\n"
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
	"  --dialect NAME            behave like that product (aws)\n"
	"  --behaviour NAME=VALUE    and differ from it in this (repeatable)\n"
	"  --rate RULE               answer 429 beyond a rate (repeatable):\n"
	"                            METHOD PATH COUNT per MS [burst COUNT] [below BYTES | from BYTES]\n"
	"  --seed FILE               users, groups and members to begin with, as GET /sandbox/state prints "
	"them\n"
	"  --behaviours              print all dialects and behaviours\n"
	"  --help, --version\n"
	"\n"
	"Fault rules: METHOD PATH [WHEN] -> ACTION\n"
	"  METHOD  GET, POST, PUT, PATCH, DELETE or *\n"
	"  PATH    prefix of the target below /scim/v2 as it is sent, query included, or *\n"
	"  WHEN    always (default), once, first N, nth N, every N, from N, chance PERCENT SEED\n"
	"  ACTION  delay MS [after]      hang [after]      close [after]\n"
	"          status CODE [retry-after SECONDS | http-date SECONDS] [after]\n"
	"          noop [CODE]   html [CODE]   truncate   huge   redirect [CODE] URL\n"
	"  With `after` the change is applied first: `close after` is a lost reply. The first rule that "
	"holds acts;\n"
	"  rules behind it do not count the request. Example: 'PATCH /Groups every 7 -> status 500 after'\n"
	"\n"
	"Control, from this machine, without a token:\n"
	"  GET|POST|DELETE /sandbox/faults         list; add {\"rule\":\"...\"} or an array of them; clear\n"
	"  GET /sandbox/hung, POST /sandbox/release  held requests; let them go on\n"
	"  GET|POST /sandbox/behaviours            {\"dialect\":NAME,\"behaviours\":[\"NAME=VALUE\",...]}\n"
	"  GET|POST|DELETE /sandbox/rates          list; add {\"rate\":\"...\"}; clear\n"
	"  GET /sandbox/state                      {\"groups\":{NAME:[userName,...]},\"users\":[...]}\n"
	"  POST /sandbox/state                     {\"group\":NAME,\"add\":[...],\"remove\":[...]},\n"
	"                                          {\"users\":[...],\"groups\":[...] or {NAME:[...]}} to "
	"make "
	"them,\n"
	"                                          {\"twins\":[NAME]} for another of that name\n"
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
	const char *seed;
	bool dialect_differs; /* a behaviour or a rate was named */
	struct dialect dialect;
	struct server *server; /* borrowed */
};

static enum err read_file(const char *path, size_t most, char **out, struct errctx *ec)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, most + 1);
	size_t len = file != NULL && text != NULL ? fread(text, 1, most, file) : 0;
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
	enum err err = read_file(path, FILE_MAX, out, ec);

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
	FLAG_DIALECT,
	FLAG_BEHAVIOUR,
	FLAG_RATE,
	FLAG_SEED,
	FLAG_BEHAVIOURS,
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
	{"dialect", required_argument, NULL, FLAG_DIALECT},
	{"behaviour", required_argument, NULL, FLAG_BEHAVIOUR},
	{"rate", required_argument, NULL, FLAG_RATE},
	{"seed", required_argument, NULL, FLAG_SEED},
	{"behaviours", no_argument, NULL, FLAG_BEHAVIOURS},
	{"help", no_argument, NULL, FLAG_HELP},
	{"version", no_argument, NULL, FLAG_VERSION},
	{NULL, 0, NULL, 0},
};

/* The dialect's rates take the place of those before it; so --rate comes behind --dialect, and says so if not. */
static enum err set_dialect(const char *name, struct options *out, struct errctx *ec)
{
	const struct dialect_row *row = dialect_find(name);

	if (row == NULL)
		return err_set(ec, ERR_CONFIG, "--dialect: there is no %s; see --behaviours", name);
	if (out->dialect_differs)
		return err_set(ec, ERR_CONFIG, "--dialect comes before --behaviour and --rate");
	out->dialect = dialect_of(row);
	scim_use_rates(&out->server->scim, row);
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
		return faults_add(&out->server->faults, value, ec);
	case FLAG_TLS_CERT:
		return read_file(value, FILE_MAX, &out->certificate, ec);
	case FLAG_TLS_KEY:
		return read_file(value, FILE_MAX, &out->key, ec);
	case FLAG_DIALECT:
		return set_dialect(value, out, ec);
	case FLAG_BEHAVIOUR:
		out->dialect_differs = true;
		return dialect_set(&out->dialect, value, ec);
	case FLAG_RATE:
		out->dialect_differs = true;
		return rates_add(&out->server->scim.rates, value, ec);
	case FLAG_SEED:
		out->seed = value;
		break;
	case FLAG_BEHAVIOURS:
	case FLAG_HELP:
	case FLAG_VERSION:
		break;
	}
	return ERR_OK;
}

static int print(int flag)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	buf_adds(&text, flag == FLAG_VERSION ? "scim-sandbox " VERSION "\n" : "");
	buf_adds(&text, flag == FLAG_HELP ? help : "");
	if (flag == FLAG_BEHAVIOURS)
		dialect_explain(&text);
	(void)fputs(buf_text(&text), stdout);
	buf_release(&text);
	return EXIT_SUCCESS;
}

/* -1: go on. Otherwise the exit code. */
static int read_options(int argc, char **argv, struct options *out)
{
	struct errctx ec = {""};
	int flag;

	while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
		if (flag == '?')
			return EXIT_USAGE;
		if (flag == FLAG_HELP || flag == FLAG_VERSION || flag == FLAG_BEHAVIOURS)
			return print(flag);
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
			return err_set(ec, ERR_CONFIG, "--user %s: this name is refused, or there twice",
				       options->users[i]);
	for (size_t i = 0; i < options->group_count; i++)
		if (scim_make_group(scim, options->groups[i], clock_wall_ms()) != ERR_OK)
			return err_set(ec, ERR_CONFIG, "--group %s: this name is refused, or there twice",
				       options->groups[i]);
	return ERR_OK;
}

static enum err seed(struct scim *scim, const char *path, struct errctx *ec)
{
	char *text = NULL;
	cJSON *json = NULL;
	enum err err = path != NULL ? read_file(path, SEED_MAX, &text, ec) : ERR_OK;

	if (path == NULL || err != ERR_OK)
		return err;
	/* Not json_parse(): its bounds are those of a request, and this is one's own file. */
	json = cJSON_Parse(text);
	err = cJSON_IsObject(json) ? state_change(scim, json, clock_wall_ms()) : ERR_BAD_REQUEST;
	if (err != ERR_OK)
		err = err_set(ec, ERR_CONFIG, "%s: no JSON, an unknown user, or a name that is refused",
			      path);
	cJSON_Delete(json);
	free(text);
	return err;
}

static enum err serve(struct server *server, const struct options *options, struct errctx *ec)
{
	struct server_options listen = {options->host, options->port, options->certificate, options->key};
	bool is_v6 = strchr(options->host, ':') != NULL;
	unsigned port;
	enum err err = make_names(&server->scim, options, ec);

	if (err == ERR_OK)
		err = seed(&server->scim, options->seed, ec);
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

	server->token = options->token;
	err = directory_init(&server->scim.directory);
	if (err == ERR_OK) {
		scim_use(&server->scim, &options->dialect);
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
	struct options options = {.host = "127.0.0.1", .port = "0", .log = "", .server = server};
	int code = EXIT_FAILURE;

	options.users = calloc(NAMES_MAX, sizeof(*options.users));
	options.groups = calloc(NAMES_MAX, sizeof(*options.groups));
	if (server != NULL && options.users != NULL && options.groups != NULL) {
		options.dialect = dialect_of(dialect_find("aws"));
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
