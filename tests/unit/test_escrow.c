/*
 * The escrow on its loop: who waits for lines is told the truth about each of them, and what was noted before the end is
 * written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escrow/escrow.h"
#include "tests/support/vault.h"

#define LONG_NAME 6000 /* so that few lines are much */
#define TOO_MANY  3000 /* of them are more than may wait */

struct test {
	uv_loop_t loop;
	struct vault vault;
	struct escrow *escrow;
	bool told, makes_folder;
	enum err err;
	char name[LONG_NAME + 1];
};

static int make_test(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct escrow_options options = {.second_path = "", .key = VAULT_KEY, .former_key = ""};

	*state = t;
	if (t == NULL || uv_loop_init(&t->loop) != 0)
		return -1;
	memset(t->name, 'x', LONG_NAME);
	vault_make(&t->vault, NULL);
	options.loop = &t->loop;
	options.path = t->vault.path;
	t->escrow = escrow_new(&options);
	return t->escrow != NULL ? 0 : -1;
}

static int end_test(void **state)
{
	struct test *t = *state;
	int closed;

	escrow_stop(t->escrow);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	escrow_free(t->escrow);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	closed = uv_loop_close(&t->loop);
	vault_remove(&t->vault);
	free(t);
	return closed;
}

static void note(struct test *t, const char *person, const char *name)
{
	const struct escrow_line line = {.kind = ESCROW_ADD,
					 .at_ms = 10,
					 .end_ms = 1000,
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

static void what_waits_at_the_end_is_written(void **state)
{
	struct test *t = *state;

	note(t, "ann", "");
	escrow_stop(t->escrow);
	assert_true(escrow_busy(t->escrow));
	uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_true(is_written(t, "ann"));
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

#define ROW(test) cmocka_unit_test_setup_teardown(test, make_test, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(a_dropped_line_is_told),
		ROW(what_waits_at_the_end_is_written),
		ROW(what_was_not_tried_is_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
