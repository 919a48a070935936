#include "tests/support/shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/wait.h"

#define END_MS 60000

void shell_use_token(struct shell *shell, const char *token)
{
	FILE *file;

	snprintf(shell->token_file, sizeof(shell->token_file), "%.400s/token", shell->home);
	file = fopen(shell->token_file, "w");
	assert_non_null(file);
	assert_int_equal(chmod(shell->token_file, 0600), 0);
	fprintf(file, "%s\n", token);
	assert_int_equal(fclose(file), 0);
}

void shell_start(struct shell *shell, const char *const *words)
{
	char program[PROC_PATH_SIZE], log[PROC_PATH_SIZE];
	char home[PROC_PATH_SIZE + 16], config[PROC_PATH_SIZE + 32], server[160], token[PROC_PATH_SIZE + 32];
	const char *argv[SHELL_WORDS + 2] = {program};
	const char *const env[] = {home, config, server, token, "TZ=UTC", NULL};
	size_t count = 1;

	assert_true(proc_build_path("jit", program, sizeof(program)));
	for (; words[count - 1] != NULL; count++) {
		assert_in_range(count, 1, SHELL_WORDS);
		argv[count] = words[count - 1];
	}
	snprintf(home, sizeof(home), "HOME=%s", shell->home);
	snprintf(config, sizeof(config), "XDG_CONFIG_HOME=%s/config", shell->home);
	snprintf(server, sizeof(server), "JIT_SERVER=%s", shell->server);
	snprintf(token, sizeof(token), "JIT_TOKEN_FILE=%s", shell->token_file);
	snprintf(log, sizeof(log), "%.400s/output", shell->home);
	unlink(log);
	assert_true(proc_start(&shell->proc, argv, env, log));
}

static bool has_ended(void *ctx)
{
	return !proc_alive(ctx);
}

int shell_wait(struct shell *shell)
{
	FILE *file;
	size_t len;

	assert_true(wait_until(has_ended, &shell->proc, END_MS));
	file = fopen(shell->proc.log_path, "r");
	assert_non_null(file);
	len = fread(shell->output, 1, sizeof(shell->output) - 1, file);
	shell->output[len] = '\0';
	fclose(file);
	assert_true(WIFEXITED(shell->proc.wait_status));
	return WEXITSTATUS(shell->proc.wait_status);
}

int shell_run(struct shell *shell, ...)
{
	const char *words[SHELL_WORDS + 1];
	size_t count = 0;
	va_list list;

	va_start(list, shell);
	do {
		assert_in_range(count, 0, SHELL_WORDS);
		words[count] = va_arg(list, const char *);
	} while (words[count++] != NULL);
	va_end(list);
	shell_start(shell, words);
	return shell_wait(shell);
}
