/*
 * The disk takes its time, or fails, when it is told to keep what was written: nobody is told that a line is on the disk
 * before it is. A filter of system calls hands each fdatasync() of the escrow's thread to the test, which answers it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include <seccomp.h>

#include "escrow/escrow.h"
#include "tests/support/vault.h"

enum disk { DISK_KEEPS, DISK_FAILS, DISK_HANGS };

struct test {
	uv_loop_t loop;
	uv_poll_t calls;
	struct vault vault;
	struct escrow *escrow;
	enum disk disk;
	bool hangs;
	uint64_t hanging; /* the call that is not answered yet */
	size_t synced;    /* answered */
	bool told;
	enum err err;
};

static int listener = -1; /* the filter is the process's, and stays */

static void answer(struct test *t, uint64_t id, bool keeps)
{
	struct seccomp_notif *call;
	struct seccomp_notif_resp *response;

	assert_int_equal(seccomp_notify_alloc(&call, &response), 0);
	response->id = id;
	response->flags = keeps ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
	response->error = keeps ? 0 : -EIO;
	assert_int_equal(seccomp_notify_respond(listener, response), 0);
	seccomp_notify_free(call, response);
	t->synced++;
}

static void on_call(uv_poll_t *calls, int status, int events)
{
	struct test *t = calls->data;
	struct seccomp_notif *call;
	struct seccomp_notif_resp *response;
	uint64_t id;

	(void)events;
	assert_int_equal(status, 0);
	assert_int_equal(seccomp_notify_alloc(&call, &response), 0);
	assert_int_equal(seccomp_notify_receive(listener, call), 0);
	id = call->id;
	seccomp_notify_free(call, response);
	if (t->disk != DISK_HANGS) {
		answer(t, id, t->disk == DISK_KEEPS);
		return;
	}
	t->hangs = true;
	t->hanging = id;
}

static void go_on(struct test *t)
{
	t->disk = DISK_KEEPS;
	t->hangs = false;
	answer(t, t->hanging, true);
}

/* Before the loop has its threads, which inherit it. */
static int watch_calls(void **state)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	(void)state;
	if (filter != NULL && seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(fdatasync), 0) == 0 &&
	    seccomp_load(filter) == 0)
		listener = seccomp_notify_fd(filter);
	seccomp_release(filter);
	return listener >= 0 ? 0 : -1;
}

static int make_test(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct escrow_options options = {.second_path = "", .key = VAULT_KEY, .former_key = ""};

	*state = t;
	if (t == NULL || uv_loop_init(&t->loop) != 0 || uv_poll_init(&t->loop, &t->calls, listener) != 0 ||
	    uv_poll_start(&t->calls, UV_READABLE, on_call) != 0)
		return -1;
	t->calls.data = t;
	uv_unref((uv_handle_t *)&t->calls);
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

	if (t->hangs)
		go_on(t);
	t->disk = DISK_KEEPS;
	escrow_stop(t->escrow);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	escrow_free(t->escrow);
	uv_close((uv_handle_t *)&t->calls, NULL);
	uv_run(&t->loop, UV_RUN_DEFAULT);
	closed = uv_loop_close(&t->loop);
	vault_remove(&t->vault);
	free(t);
	return closed;
}

static void on_saved(void *ctx, enum err err)
{
	struct test *t = ctx;

	t->told = true;
	t->err = err;
}

static void begin_saving(struct test *t, const char *person)
{
	const struct escrow_line line = {.kind = ESCROW_ADD,
					 .at_ms = 10,
					 .end_ms = 1000,
					 .application = "aws",
					 .group = "g1",
					 .principal = person,
					 .group_name = "Admins",
					 .group_id = "G-1",
					 .user_name = person,
					 .user_id = "U-1",
					 .assignment = "r1"};

	escrow_note(t->escrow, &line);
	t->told = false;
	assert_true(escrow_save(t->escrow, on_saved, t));
}

static enum err save(struct test *t, const char *person)
{
	begin_saving(t, person);
	while (!t->told)
		uv_run(&t->loop, UV_RUN_ONCE);
	return t->err;
}

static bool is_in_the_file(const struct test *t, const char *person)
{
	struct vault_entry entry;

	vault_find(t->vault.path, person, "g1", &entry);
	return entry.found;
}

static void nobody_is_told_before_it_is_kept(void **state)
{
	struct test *t = *state;

	assert_int_equal(save(t, "ann"), ERR_OK);
	t->disk = DISK_HANGS;
	begin_saving(t, "ben");
	while (!t->hangs && !t->told)
		uv_run(&t->loop, UV_RUN_ONCE);
	assert_true(t->hangs);
	assert_false(t->told);
	/* It is written, and a power cut would lose it. */
	assert_true(is_in_the_file(t, "ben"));
	go_on(t);
	while (!t->told)
		uv_run(&t->loop, UV_RUN_ONCE);
	assert_int_equal(t->err, ERR_OK);
}

static void a_disk_that_does_not_keep_it_is_told(void **state)
{
	struct test *t = *state;
	size_t synced;

	assert_int_equal(save(t, "ann"), ERR_OK);
	t->disk = DISK_FAILS;
	synced = t->synced;
	assert_int_equal(save(t, "ben"), ERR_IO);
	assert_true(t->synced > synced);
	assert_non_null(escrow_trouble(t->escrow));
	assert_false(is_in_the_file(t, "ben"));
	t->disk = DISK_KEEPS;
	assert_int_equal(save(t, "cay"), ERR_OK);
	assert_true(is_in_the_file(t, "ben") && is_in_the_file(t, "cay"));
	assert_null(escrow_trouble(t->escrow));
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, make_test, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(nobody_is_told_before_it_is_kept),
		ROW(a_disk_that_does_not_keep_it_is_told),
	};

	return cmocka_run_group_tests(tests, watch_calls, NULL);
}
