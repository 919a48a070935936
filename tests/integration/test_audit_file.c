/*
 * `jit audit verify FILE`: what a broker has exported is checked without one. Untouched files hold, and everything that
 * somebody could do to one is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "command/command.h"
#include "tests/support/scene.h"
#include "tests/support/shell.h"
#include "tests/support/wait.h"

#define KEY       "0123456789abcdef0123456789abcdef"
#define OTHER_KEY "fedcba9876543210fedcba9876543210"
#define LINES     512

struct kept {
	struct world world;
	struct shell shell;
	char dir[64], file[96], copy[96], key[96], other_key[96], more[512];
	char *lines[LINES]; /* of one lane alone: the application's */
	size_t count;
};

static void write_key(const char *path, const char *key)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "%s\n", key);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	fclose(file);
}

static int open_world(void **state)
{
	struct kept *k = calloc(1, sizeof(*k));
	struct world_options options = scene_defaults();

	assert_non_null(k);
	snprintf(k->dir, sizeof(k->dir), "/tmp/jit-audit-file-%d", (int)getpid());
	assert_int_equal(mkdir(k->dir, 0700), 0);
	snprintf(k->file, sizeof(k->file), "%s/audit.jsonl", k->dir);
	snprintf(k->copy, sizeof(k->copy), "%s/copy.jsonl", k->dir);
	snprintf(k->key, sizeof(k->key), "%s/key", k->dir);
	snprintf(k->other_key, sizeof(k->other_key), "%s/other-key", k->dir);
	write_key(k->key, KEY);
	write_key(k->other_key, OTHER_KEY);
	snprintf(k->more, sizeof(k->more), "audit: {key: \"file:%s\", seal: 100ms, file: \"%s\"}\n", k->key,
		 k->file);
	options.more = k->more;
	*state = &k->world;
	snprintf(k->shell.home, sizeof(k->shell.home), "%s", k->dir);
	return world_start(&k->world, &options) ? 0 : -1;
}

static int close_world(void **state)
{
	struct kept *k = *state;
	const char *const files[] = {k->file, k->copy, k->key, k->other_key};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(files[i]);
	for (size_t i = 0; i < k->count; i++)
		free(k->lines[i]);
	rmdir(k->dir);
	return scene_close(state);
}

static int64_t head(const struct kept *k, unsigned lane, const char *field)
{
	redisReply *reply = redis_server_command(&k->world.redis, "HGET {j%u}:audit:head %s", lane, field);
	int64_t value;

	assert_non_null(reply);
	value = reply->str != NULL ? atoll(reply->str) : 0;
	freeReplyObject(reply);
	return value;
}

struct awaited {
	const struct kept *k;
	unsigned lane;
	int64_t number;
};

/* All that was there is sealed, and the file has it. */
static bool is_kept(void *ctx)
{
	const struct awaited *a = ctx;

	return head(a->k, a->lane, "zt") >= a->number && head(a->k, a->lane, "x") >= head(a->k, a->lane, "n");
}

static void read_lane(struct kept *k, unsigned lane)
{
	FILE *file = fopen(k->file, "r");
	char *line = NULL, begin[32];
	size_t size = 0;
	ssize_t len;

	assert_non_null(file);
	snprintf(begin, sizeof(begin), "{\"lane\":%u,", lane);
	while ((len = getline(&line, &size, file)) > 0)
		if (strncmp(line, begin, strlen(begin)) == 0 && k->count < LINES) {
			line[len - 1] = '\0';
			k->lines[k->count++] = strdup(line);
		}
	free(line);
	fclose(file);
}

/* What becomes of a copy of the file, and what is said of it. */
enum tampering {
	LEAVE,
	ALTER,   /* one character of the third event */
	REMOVE,  /* the third event */
	SWAP,    /* the third and the fourth */
	REPEAT,  /* the third comes again, as it was */
	FORGE,   /* the third comes again, as another one */
	CUT,     /* half of the third line stands before it */
	RENAMED, /* the file begins with the third event */
	NO_EVENT /* a line that is JSON, but no event */
};

static void write_copy(const struct kept *k, enum tampering how)
{
	FILE *file = fopen(k->copy, "w");

	assert_non_null(file);
	for (size_t i = 0; i < k->count; i++) {
		const char *line = k->lines[how == SWAP && i == 2 ? 3 : how == SWAP && i == 3 ? 2 : i];
		const char *reason = strstr(line, "\"by\":\"");

		if ((how == REMOVE && i == 2) || (how == RENAMED && i < 2))
			continue;
		if (how == CUT && i == 2)
			fprintf(file, "%.40s\n", line);
		if (how == NO_EVENT && i == 2)
			fputs("{}\n", file);
		if (how == ALTER && i == 2) {
			assert_non_null(reason);
			fprintf(file, "%.*sX%s\n", (int)(reason + 6 - line), line, reason + 7);
			continue;
		}
		fprintf(file, "%s\n", line);
		if ((how == REPEAT || how == FORGE) && i == 3)
			fprintf(file, "%.*s%s\n", (int)strlen(k->lines[2]) - (how == FORGE), k->lines[2],
				how == FORGE ? " }" : "");
	}
	fclose(file);
}

static void test_file(void **state)
{
	static const struct {
		enum tampering how;
		const char *key; /* "k": the right one, "o": another, "": none */
		int code;
		const char *said;
	} rows[] = {
		{LEAVE, "k", EXIT_DONE, "As it was written: "},
		{LEAVE, "", EXIT_DONE, "without a key"},
		{LEAVE, "o", EXIT_BROKEN, "The seal: it is not by a key"},
		{ALTER, "k", EXIT_BROKEN, "What the seal covers is not what it was made over."},
		{ALTER, "", EXIT_BROKEN, "What the seal covers is not what it was made over."},
		{REMOVE, "k", EXIT_BROKEN, "Events before this one are missing."},
		{SWAP, "k", EXIT_BROKEN, "Events before this one are missing."},
		{REPEAT, "k", EXIT_DONE, "As it was written: "},
		{FORGE, "k", EXIT_BROKEN, "The event is there already, and is another one."},
		{CUT, "k", EXIT_DONE, "1 lines were cut off"},
		{RENAMED, "k", EXIT_DONE, "are covered by seals over events before the file"},
		{NO_EVENT, "k", EXIT_BROKEN, "The line is no event."},
	};
	struct kept *k = *state;
	struct awaited awaited = {.k = k};
	char id[ID_SIZE];

	for (size_t person = 1; person < 4; person++) {
		scene_activate(&k->world, &(struct world_ask){.person = person}, id);
		scene_wait(&k->world, &(struct world_ask){.person = person}, id, "provisioned");
	}
	awaited.lane = (unsigned)id_lane(id);
	awaited.number = head(k, awaited.lane, "n");
	assert_true(wait_until(is_kept, &awaited, 2 * SCENE_PATIENCE));
	read_lane(k, awaited.lane);
	assert_true(k->count >= 8);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int code;

		write_copy(k, rows[i].how);
		code = rows[i].key[0] == '\0'
			       ? shell_run(&k->shell, "audit", "verify", k->copy, NULL)
			       : shell_run(&k->shell, "audit", "verify", k->copy, "--key-file",
					   rows[i].key[0] == 'k' ? k->key : k->other_key, NULL);
		if (code != rows[i].code || strstr(k->shell.output, rows[i].said) == NULL)
			fail_msg("row %zu: %d %s", i, code, k->shell.output);
	}
	/* The whole file, of all lanes; by the former key; as JSON. */
	assert_int_equal(shell_run(&k->shell, "audit", "verify", k->file, "--key-file", k->other_key,
				   "--former-key-file", k->key, "--json", NULL),
			 EXIT_DONE);
	assert_non_null(strstr(k->shell.output, "\"intact\":true,\"sealed\":true"));
	assert_int_equal(shell_run(&k->shell, "audit", "verify", "/nowhere", NULL), EXIT_USAGE);
	world_passed(&k->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
