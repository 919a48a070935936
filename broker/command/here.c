#include "command/here.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"

int here_run(const char *const *words)
{
	char path[ACCOUNT_TEXT_SIZE];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - sizeof("jit-broker"));
	char *const *argv = (char *const *)(uintptr_t)words;
	char *slash;

	if (len > 0) {
		path[len] = '\0';
		slash = strrchr(path, '/');
		if (slash != NULL) {
			memcpy(slash + 1, "jit-broker", sizeof("jit-broker"));
			execv(path, argv);
		}
	}
	execvp("jit-broker", argv);
	perror("jit: jit-broker");
	return EXIT_UNAVAILABLE;
}

int command_backup(struct session *session)
{
	const struct options *o = &session->options;
	char verify[ACCOUNT_TEXT_SIZE];

	if (o->config == NULL || strcmp(o->words[0], "verify") != 0) {
		fputs("jit: `jit backup verify --config FILE [--redis URL]`\n", stderr);
		return EXIT_USAGE;
	}
	snprintf(verify, sizeof(verify), "--verify-backup=%s", o->redis != NULL ? o->redis : "");
	return here_run((const char *[]){"jit-broker", "--config", o->config, verify, NULL});
}

int command_escrow(struct session *session)
{
	const struct options *o = &session->options;
	const char *words[10] = {"jit-broker", "--config", o->config, "--escrow", o->words[0]};
	size_t count = 5;

	if (o->config == NULL) {
		fputs("jit: `jit escrow` needs --config FILE\n", stderr);
		return EXIT_USAGE;
	}
	if (o->everybody)
		words[count++] = "--all";
	if (o->try_only)
		words[count++] = "--dry-run";
	if (o->without_redis)
		words[count++] = "--without-redis";
	if (o->beside_redis)
		words[count++] = "--beside-redis";
	return here_run(words);
}
