#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/json.h"
#include "tests/support/drained.h"
#include "tests/support/wait.h"

#define RUN_MS    60000
#define WORDS_MAX 16

static bool has_ended(void *ctx)
{
	return !proc_alive(ctx);
}

static void read_report(struct drained *job, const char *log)
{
	char line[4096];
	FILE *file = fopen(log, "r");

	assert_non_null(file);
	while (job->report == NULL && fgets(line, sizeof(line), file) != NULL)
		if ((strncmp(line, "{\"due\":", 7) == 0 || strncmp(line, "{\"lanes\":", 9) == 0) &&
		    json_parse(line, strlen(line), &job->report, NULL) != ERR_OK)
			fail_msg("no JSON: %s", line);
	fclose(file);
}

static void run(const struct world *world, struct drained *job, const char **words, size_t count)
{
	char program[PROC_PATH_SIZE], log[PROC_PATH_SIZE];

	job->report = NULL;
	assert_true(proc_build_path(words[0], program, sizeof(program)));
	words[0] = program;
	words[count] = NULL;
	snprintf(log, sizeof(log), "%.400s/escrow.log", world->dir);
	remove(log);
	memset(&job->proc, 0, sizeof(job->proc));
	assert_true(proc_start(&job->proc, words, NULL, log));
	assert_true(wait_until(has_ended, &job->proc, RUN_MS));
	assert_true(WIFEXITED(job->proc.wait_status));
	job->status = WEXITSTATUS(job->proc.wait_status);
	read_report(job, log);
	if (job->status != 0)
		proc_print_log(&job->proc, stderr);
}

static size_t add_options(const char **words, size_t count, va_list options)
{
	for (const char *word = va_arg(options, const char *); word != NULL;
	     word = va_arg(options, const char *)) {
		assert_true(count < WORDS_MAX);
		words[count++] = word;
	}
	return count;
}

void drained_command(const struct world *world, struct drained *out, ...)
{
	const char *words[WORDS_MAX + 1] = {"jit", "escrow", "--config", world->brokers[0].config_path};
	va_list options;
	size_t count;

	va_start(options, out);
	count = add_options(words, 4, options);
	va_end(options);
	run(world, out, words, count);
}

void drained_run(const struct world *world, struct drained *out, ...)
{
	const char *words[WORDS_MAX + 1] = {"jit-broker", "--config", world->brokers[0].config_path,
					    "--escrow=drain"};
	va_list options;
	size_t count;

	va_start(options, out);
	count = add_options(words, 4, options);
	va_end(options);
	run(world, out, words, count);
}

void drained_jit(const struct world *world, struct drained *out, const char *const *words, size_t count)
{
	const char *all[WORDS_MAX + 1] = {"jit"};

	assert_true(count < WORDS_MAX);
	for (size_t i = 0; i < count; i++)
		all[i + 1] = words[i];
	run(world, out, all, count + 1);
}

void drained_release(struct drained *job)
{
	cJSON_Delete(job->report);
	job->report = NULL;
}

int64_t drained_number(const struct drained *job, const char *name)
{
	const cJSON *value = cJSON_GetObjectItem(job->report, name);

	assert_true(cJSON_IsNumber(value));
	return (int64_t)value->valuedouble;
}
