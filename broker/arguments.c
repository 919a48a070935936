#include "broker/arguments.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>

#include "config/settings.h"

#define SWEEP_FOR_MS  (5 * 60 * 1000) /* a bucket of five lets 150 pushes through in that time */
#define SWEEP_MOST_MS (24 * 3600 * 1000)

void arguments_usage(FILE *out)
{
	fputs("usage: jit-broker --config FILE [--check | --sweep[=DURATION]]\n"
	      "       jit-broker --config FILE --escrow=drain [--dry-run] [--all] [--without-redis | "
	      "--beside-redis]\n"
	      "       jit-broker --config FILE --escrow=show | --escrow=verify | "
	      "--verify-backup[=URL]\n"
	      "       jit-broker --example | --version | --help\n"
	      "\n"
	      "  -c, --config FILE  the configuration (YAML)\n"
	      "      --check        read it, name every mistake with its place, and exit\n"
	      "      --sweep        serve nobody: do all that is due, for 5m or so long at most, print what "
	      "was\n"
	      "                     overdue, and exit: 0 when nothing is left\n"
	      "      --escrow=drain  Redis is lost: remove what is due by the escrow's manifests alone, and "
	      "exit\n"
	      "          --dry-run, --all         only say it; whatever its end is\n"
	      "          --without-redis          do not ask whether Redis is lost\n"
	      "          --beside-redis           Redis was restored: remove what it knows nothing of\n"
	      "      --escrow=show, --escrow=verify  print what is in it; whether it is as it was written\n"
	      "      --verify-backup[=URL]  is what that Redis, or the configured one, was restored from "
	      "whole?\n"
	      "      --example      print an example of all settings with their limits\n"
	      "      --version      print the version\n"
	      "\n"
	      "SIGTERM ends the broker once what is under way has ended; SIGHUP reads the configuration "
	      "again.\n",
	      out);
}

static bool read_patience(const char *text, int64_t *ms)
{
	*ms = SWEEP_FOR_MS;
	return text == NULL || (duration_parse(text, ms) && *ms > 0 && *ms <= SWEEP_MOST_MS);
}

static bool escrow_makes_sense(const struct arguments *a)
{
	bool has_option = a->all || a->dry_run || a->without_redis || a->beside_redis;

	if (a->escrow == NULL)
		return !has_option;
	if (strcmp(a->escrow, "show") == 0 || strcmp(a->escrow, "verify") == 0)
		return !has_option;
	return strcmp(a->escrow, "drain") == 0 && !(a->without_redis && a->beside_redis);
}

bool arguments_read(int argc, char **argv, struct arguments *a)
{
	const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, &a->check, 1},
		{"example", no_argument, &a->example, 1},
		{"version", no_argument, &a->version, 1},
		{"help", no_argument, &a->help, 1},
		{"sweep", optional_argument, NULL, 's'},
		{"escrow", required_argument, NULL, 'e'},
		{"verify-backup", optional_argument, NULL, 'b'},
		{"all", no_argument, &a->all, 1},
		{"dry-run", no_argument, &a->dry_run, 1},
		{"without-redis", no_argument, &a->without_redis, 1},
		{"beside-redis", no_argument, &a->beside_redis, 1},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1)
		if (option == 'c')
			a->config = optarg;
		else if (option == 'e')
			a->escrow = optarg;
		else if (option == 'b')
			a->backup = optarg != NULL ? optarg : "";
		else if (option != 's' ? option != 0 : !read_patience(optarg, &a->sweep_for_ms))
			return false;
	return optind == argc && escrow_makes_sense(a) &&
	       (a->config != NULL || a->example || a->version || a->help);
}
