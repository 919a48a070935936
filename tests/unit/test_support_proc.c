/* The children of the integration tests: started, watched, signalled, and gone at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/proc.h"

struct fixture {
	char log[64];
	struct proc proc;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd;

	if (f == NULL)
		return -1;
	snprintf(f->log, sizeof(f->log), "/tmp/jit-test-XXXXXX");
	fd = mkstemp(f->log);
	*state = f;
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	proc_kill9(&f->proc);
	unlink(f->log);
	free(f);
	return 0;
}

static void run_shell(struct fixture *f, const char *script)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	const char *env[] = {"COLOUR=green", NULL};

	assert_true(proc_start(&f->proc, argv, env, f->log));
}

static void waits_for_a_line(void **state)
{
	struct fixture *f = *state;
	char line[64];

	run_shell(f, "echo one; echo the $COLOUR line >&2");
	assert_true(proc_wait_text(&f->proc, "green", 5000, line, sizeof(line)));
	assert_string_equal(line, "the green line");
	assert_true(proc_log_holds(&f->proc, "one"));
	assert_false(proc_log_holds(&f->proc, "two"));
}

static void stops_waiting_when_the_program_ends(void **state)
{
	struct fixture *f = *state;

	run_shell(f, "echo one");
	assert_false(proc_wait_text(&f->proc, "two", 60000, NULL, 0));
	assert_false(proc_alive(&f->proc));
}

static void sees_only_this_run(void **state)
{
	struct fixture *f = *state;

	run_shell(f, "echo first");
	assert_true(proc_wait_text(&f->proc, "first", 5000, NULL, 0));
	proc_kill9(&f->proc);
	run_shell(f, "echo second");
	assert_true(proc_wait_text(&f->proc, "second", 5000, NULL, 0));
	assert_false(proc_log_holds(&f->proc, "first"));
}

static void tells_how_it_ended(void **state)
{
	struct fixture *f = *state;

	run_shell(f, "exit 3");
	assert_false(proc_wait_text(&f->proc, "never", 5000, NULL, 0));
	assert_int_equal(proc_end(&f->proc, SIGTERM, 5000), 3);
	run_shell(f, "trap 'exit 7' TERM; echo ready; while :; do :; done");
	assert_true(proc_wait_text(&f->proc, "ready", 5000, NULL, 0));
	proc_kill9(&f->proc);
	assert_int_equal(proc_end(&f->proc, SIGTERM, 5000), 0);
	run_shell(f, "kill -SEGV $$");
	assert_int_equal(proc_end(&f->proc, 0, 5000), 128 + SIGSEGV);
	run_shell(f, "/nonexistent/program");
	assert_int_equal(proc_end(&f->proc, 0, 5000), 127);
}

static void kills_what_does_not_end(void **state)
{
	struct fixture *f = *state;

	run_shell(f, "trap '' TERM; echo ready; while :; do :; done");
	assert_true(proc_wait_text(&f->proc, "ready", 5000, NULL, 0));
	assert_int_equal(proc_end(&f->proc, SIGTERM, 100), -1);
	assert_false(proc_alive(&f->proc));
}

static void freezes_and_thaws(void **state)
{
	struct fixture *f = *state;

	run_shell(f, "trap 'exit 5' TERM; echo ready; while :; do :; done");
	assert_true(proc_wait_text(&f->proc, "ready", 5000, NULL, 0));
	proc_stop(&f->proc);
	assert_true(proc_alive(&f->proc));
	proc_cont(&f->proc);
	proc_stop(&f->proc);
	/* Ending one that stands still thaws it first. */
	assert_int_equal(proc_end(&f->proc, SIGTERM, 5000), 5);
}

static void finds_the_build_folder(void **state)
{
	char path[PROC_PATH_SIZE];

	(void)state;
	assert_true(proc_build_path("tests/unit/test_support_proc", path, sizeof(path)));
	assert_int_equal(access(path, X_OK), 0);
	assert_false(proc_build_path("x", path, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(waits_for_a_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stops_waiting_when_the_program_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sees_only_this_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tells_how_it_ended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kills_what_does_not_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(freezes_and_thaws, set_up, tear_down),
		cmocka_unit_test(finds_the_build_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
