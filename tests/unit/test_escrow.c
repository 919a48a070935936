/*
 * The escrow on its loop: who waits for lines is told the truth about each of them, what was noted before the end is
 * written, and two folders come to say the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escrow/escrow.h"
#include "tests/support/vault.h"

#define LONG_NAME 6000 /* so that few lines are much */
#define TOO_MANY  3000 /* of them are more than may wait */
#define MANY      60   /* of them are more than a file may have grown by when it is written anew */

struct test {
	uv_loop_t loop;
	struct vault vault;
	struct escrow *escrow;
	bool told, makes_folder;
	enum err err;
	char name[LONG_NAME + 1];
};

static void begin(struct test *t, const char *second)
{
	const struct escrow_options options = {.loop = &t->loop,
					       .path = t->vault.path,
					       .second_path = second,
					       .key = VAULT_KEY,
					       .former_key = ""};

	t->escrow = escrow_new(&options);
}

static int make_test(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	*state = t;
	if (t == NULL || uv_loop_init(&t->loop) != 0)
		return -1;
	memset(t->name, 'x', LONG_NAME);
	vault_make(&t->vault, NULL);
	begin(t, "");
	return t->escrow != NULL ? 0 : -1;
}

static void end(struct test *t)
{
	escrow_stop(t->escrow);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	escrow_free(t->escrow);
	uv_run(&t->loop, UV_RUN_DEFAULT);
}

static int end_test(void **state)
{
	struct test *t = *state;
	int closed;

	end(t);
	closed = uv_loop_close(&t->loop);
	vault_remove(&t->vault);
	free(t);
	return closed;
}

static void note_at(struct test *t, const char *person, const char *name, int64_t at)
{
	const struct escrow_line line = {.kind = ESCROW_ADD,
					 .at_ms = at,
					 .end_ms = at + 1000,
					 .application = "aws",
					 .group = "g1",
					 .principal = person,
					 .group_name = name,
					 .group_id = "G-1",
					 .user_name = person,
					 .user_id = "U-1",
					 .assignment = "r1"};

	escrow_note(t->escrow, &line);
}

static void note(struct test *t, const char *person, const char *name)
{
	note_at(t, person, name, 10);
}

static void note_gone(struct test *t, const char *person, int64_t at)
{
	const struct escrow_line line = {.kind = ESCROW_GONE,
					 .at_ms = at,
					 .application = "aws",
					 .group = "g1",
					 .principal = person,
					 .group_name = "",
					 .group_id = "",
					 .user_name = "",
					 .user_id = "",
					 .assignment = ""};

	escrow_note(t->escrow, &line);
}

static void on_saved(void *ctx, enum err err)
{
	struct test *t = ctx;

	t->told = true;
	t->err = err;
	if (t->makes_folder)
		assert_int_equal(mkdir(t->vault.path, 0700), 0);
	t->makes_folder = false;
}

static enum err save(struct test *t)
{
	t->told = false;
	assert_true(escrow_save(t->escrow, on_saved, t));
	while (!t->told)
		uv_run(&t->loop, UV_RUN_ONCE);
	return t->err;
}

static bool is_written(const struct test *t, const char *person)
{
	struct vault_entry entry;

	vault_find(t->vault.path, person, "g1", &entry);
	return entry.found;
}

static void a_dropped_line_is_told(void **state)
{
	struct test *t = *state;

	assert_int_equal(rmdir(t->vault.path), 0);
	for (int i = 0; i < TOO_MANY; i++)
		note(t, "ann", t->name);
	note(t, "ben", t->name);
	assert_int_equal(mkdir(t->vault.path, 0700), 0);
	assert_int_equal(save(t), ERR_IO);
	assert_true(is_written(t, "ann"));
	assert_false(is_written(t, "ben"));
	assert_non_null(escrow_trouble(t->escrow));
	/* Nobody pays for another's line. */
	note(t, "cay", "");
	assert_int_equal(save(t), ERR_OK);
	assert_true(is_written(t, "cay"));
}

/* One was dropped while nobody waited: whoever asks next, whether all is on the disk, is told. */
static void a_line_dropped_earlier_is_told(void **state)
{
	struct test *t = *state;

	assert_int_equal(rmdir(t->vault.path), 0);
	for (int i = 0; i < TOO_MANY; i++)
		note(t, "ann", t->name);
	assert_int_equal(mkdir(t->vault.path, 0700), 0);
	while (escrow_busy(t->escrow))
		uv_run(&t->loop, UV_RUN_ONCE);
	assert_true(is_written(t, "ann"));
	assert_int_equal(save(t), ERR_IO);
	assert_int_equal(save(t), ERR_OK);
}

static void what_waits_at_the_end_is_written(void **state)
{
	struct test *t = *state;

	note(t, "ann", "");
	escrow_stop(t->escrow);
	assert_true(escrow_busy(t->escrow));
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_true(is_written(t, "ann"));
	/* What was under way when the end began is over now. */
	note(t, "ben", "");
	assert_true(escrow_busy(t->escrow));
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_true(is_written(t, "ben"));
	assert_false(escrow_busy(t->escrow));
}

/* A batch fails while the process ends; what was noted behind it has not been tried yet. */
static void what_was_not_tried_is_tried(void **state)
{
	struct test *t = *state;

	assert_int_equal(rmdir(t->vault.path), 0);
	t->makes_folder = true;
	note(t, "ann", "");
	assert_true(escrow_save(t->escrow, on_saved, t));
	note(t, "ben", "");
	escrow_stop(t->escrow);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(t->err, ERR_IO);
	assert_true(is_written(t, "ann") && is_written(t, "ben"));
}

static void find(const char *folder, const char *person, struct vault_entry *entry)
{
	vault_find(folder, person, "g1", entry);
}

/* While the second folder is away somebody gets another end, and somebody is gone; and then it is back. */
static void both_folders_say_the_same(void **state)
{
	struct test *t = *state;
	struct vault_entry entry;
	char away[sizeof(t->vault.second) + 8];

	snprintf(away, sizeof(away), "%s-away", t->vault.second);
	end(t);
	begin(t, t->vault.second);
	note(t, "ann", "");
	note(t, "ben", "");
	assert_int_equal(save(t), ERR_OK);
	end(t);
	assert_int_equal(rename(t->vault.second, away), 0);
	begin(t, t->vault.second);
	note_at(t, "ann", "", 20);
	note_gone(t, "ben", 20);
	for (int i = 0; i < MANY; i++)
		note(t, "cay", t->name);
	assert_int_equal(save(t), ERR_OK);
	assert_true(escrow_figures(t->escrow)->bytes < MANY * LONG_NAME); /* written anew */
	end(t);
	assert_int_equal(rename(away, t->vault.second), 0);
	begin(t, t->vault.second);
	assert_int_equal(save(t), ERR_OK);
	for (int i = 0; i < 2; i++) {
		const char *folder = i == 0 ? t->vault.path : t->vault.second;

		find(folder, "ann", &entry);
		assert_int_equal(entry.end_ms, 1020);
		find(folder, "ben", &entry);
		assert_true(!entry.found || entry.kind == ESCROW_GONE);
		find(folder, "cay", &entry);
		assert_true(entry.found);
	}
	assert_null(escrow_trouble(t->escrow));
}

static void file_of(const struct test *t, const char *suffix, char out[PROC_PATH_SIZE])
{
	assert_true(vault_file(t->vault.path, out));
	snprintf(strrchr(out, '.'), 16, "%s", suffix);
}

/* By whoever rotates files, tidies up, or puts a folder in the place of another. */
static void a_manifest_that_is_taken_away_comes_back(void **state)
{
	struct test *t = *state;
	char path[PROC_PATH_SIZE], away[PROC_PATH_SIZE + 8];
	int other;

	note(t, "ann", "");
	assert_int_equal(save(t), ERR_OK);
	file_of(t, ".escrow", path);
	snprintf(away, sizeof(away), "%s.1", path);
	assert_int_equal(rename(path, away), 0);
	note(t, "ben", "");
	assert_int_equal(save(t), ERR_OK);
	assert_true(is_written(t, "ann") && is_written(t, "ben"));
	assert_non_null(escrow_trouble(t->escrow));
	assert_int_equal(unlink(path), 0);
	note(t, "cay", "");
	assert_int_equal(save(t), ERR_OK);
	assert_true(is_written(t, "ann") && is_written(t, "ben") && is_written(t, "cay"));
	snprintf(away, sizeof(away), "%s-away", t->vault.path);
	assert_int_equal(rename(t->vault.path, away), 0);
	note(t, "dan", "");
	assert_int_equal(save(t), ERR_IO);
	assert_int_equal(mkdir(t->vault.path, 0700), 0);
	assert_int_equal(save(t), ERR_OK);
	assert_true(is_written(t, "ann") && is_written(t, "ben") && is_written(t, "cay") &&
		    is_written(t, "dan"));
	/* Its name is its own in there, too. */
	file_of(t, ".lock", path);
	other = open(path, O_RDWR | O_CLOEXEC);
	assert_true(other >= 0);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	close(other);
	note(t, "eve", "");
	assert_int_equal(save(t), ERR_OK);
	assert_null(escrow_trouble(t->escrow));
}

/* What is lost of it is told until the end; what is written afterwards is whole. */
static void a_manifest_that_is_cut_is_told(void **state)
{
	struct test *t = *state;
	char path[PROC_PATH_SIZE];

	note(t, "ann", "");
	assert_int_equal(save(t), ERR_OK);
	file_of(t, ".escrow", path);
	assert_int_equal(truncate(path, 0), 0);
	note(t, "ben", "");
	assert_int_equal(save(t), ERR_IO);
	assert_int_equal(save(t), ERR_OK);
	assert_false(is_written(t, "ann"));
	assert_true(is_written(t, "ben"));
	assert_int_equal(save(t), ERR_OK);
	assert_non_null(escrow_trouble(t->escrow));
}

/* With a second folder nothing is. */
static void a_manifest_that_is_cut_has_a_twin(void **state)
{
	struct test *t = *state;
	char path[PROC_PATH_SIZE];

	end(t);
	begin(t, t->vault.second);
	note(t, "ann", "");
	assert_int_equal(save(t), ERR_OK);
	file_of(t, ".escrow", path);
	assert_int_equal(truncate(path, 0), 0);
	note(t, "ben", "");
	assert_int_equal(save(t), ERR_OK);
	assert_int_equal(save(t), ERR_OK);
	assert_true(is_written(t, "ann") && is_written(t, "ben"));
	assert_null(escrow_trouble(t->escrow));
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, make_test, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_dropped_line_is_told),           ROW(a_line_dropped_earlier_is_told),
		ROW(what_waits_at_the_end_is_written), ROW(what_was_not_tried_is_tried),
		ROW(both_folders_say_the_same),        ROW(a_manifest_that_is_taken_away_comes_back),
		ROW(a_manifest_that_is_cut_is_told),   ROW(a_manifest_that_is_cut_has_a_twin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
