/*
 * A folder of its own for tests of whole configurations, with the files that they name. Tests enter it before the
 * first and leave it after the last. What stands here is for the inclusion in one test program each.
 */
#ifndef TEST_CONFIG_FOLDER_H
#define TEST_CONFIG_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

#define TOKEN "s3cr3t-token"
/* base64 of "s3cr3t s3cr3t s3cr3t s3cr3t", and of the same with a digit behind it. */
#define WEBHOOK_SECRET      "whsec_czNjcjN0IHMzY3IzdCBzM2NyM3QgczNjcjN0"
#define WEBHOOK_NEXT_SECRET "whsec_czNjcjN0IHMzY3IzdCBzM2NyM3QgczNjcjN0Mg=="

struct fixture {
	char root[4096]; /* the checkout */
	char folder[64];
};

static inline void write_file(const char *name, const char *text, size_t len, mode_t mode)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(name, mode), 0);
}

/* A secret, for nobody else to read. */
static inline void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text), 0600);
}

static inline char *read_file(const char *name, size_t *len)
{
	FILE *file = fopen(name, "re");
	char *text = NULL;

	if (!file)
		fail_msg("%s cannot be read", name);
	FILE *memory = open_memstream(&text, len);
	assert_non_null(memory);
	for (int c = fgetc(file); c != EOF; c = fgetc(file))
		fputc(c, memory);
	assert_int_equal(fclose(memory), 0);
	fclose(file);
	return text;
}

static inline int enter_folder(void **state)
{
	static const char control[] = "s3cr3t\tx";
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	char xs[4097];

	assert_non_null(fixture);
	assert_non_null(getcwd(fixture->root, sizeof(fixture->root)));
	snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/test_config.XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	assert_int_equal(chdir(fixture->folder), 0);
	memset(xs, 'x', sizeof(xs));
	write_file("good.token", TOKEN "\n", strlen(TOKEN "\n"), 0600);
	write_file("open.token", TOKEN "\n", strlen(TOKEN "\n"), 0644);
	write_file("empty.token", "\n", 1, 0600);
	write_file("long.token", xs, 4096, 0600);
	write_file("longest.token", xs, 4095, 0600);
	write_file("control.token", control, strlen(control), 0600);
	write_text("audit.key", "s3cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3cr3t\n");
	write_text("good.whsec", WEBHOOK_SECRET "\n");
	write_text("next.whsec", WEBHOOK_NEXT_SECRET "\n");
	write_file("open.whsec", WEBHOOK_SECRET, strlen(WEBHOOK_SECRET), 0644);
	write_text("plain.whsec", "s3cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3\n");
	write_text("short.whsec", "whsec_s3cr3ts3cr3t\n");
	write_text("unpadded.whsec", "whsec_s3cr3ts3cr3ts3cr3ts3cr3ts3cr3ts3cr3t0\n");
	write_file("cert.pem", "", 0, 0644);
	write_file("key.pem", "", 0, 0600);
	*state = fixture;
	return 0;
}

static inline int leave_folder(void **state)
{
	struct fixture *fixture = *state;
	glob_t found;

	assert_int_equal(glob("*", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		unlink(found.gl_pathv[i]);
	globfree(&found);
	assert_int_equal(chdir(fixture->root), 0);
	assert_int_equal(rmdir(fixture->folder), 0);
	free(fixture);
	return 0;
}

/* Loads the file; *report is what was written about it, to be freed. NULL when it was refused. */
static inline struct config *load(const char *name, char **report)
{
	size_t len;
	FILE *memory = open_memstream(report, &len);
	struct config *config = NULL;

	assert_non_null(memory);
	enum err err = config_load(name, memory, &config);
	assert_int_equal(fclose(memory), 0);
	assert_int_equal(err, config ? ERR_OK : ERR_CONFIG);
	return config;
}

static inline struct config *load_golden(const struct fixture *fixture, const char *name)
{
	char path[4200], *report;
	size_t len;

	snprintf(path, sizeof(path), "%s/tests/golden/config/%s", fixture->root, name);
	char *text = read_file(path, &len);
	write_file(name, text, len, 0600);
	struct config *config = load(name, &report);
	if (!config)
		fail_msg("%s", report);
	free(report);
	free(text);
	return config;
}

#endif
