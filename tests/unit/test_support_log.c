/* The measure of "five in ten" must itself be right: logs made by hand, with the number of pushes they hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/sandbox_log.h"

#define GROUP "/scim/v2/Groups/1"

struct line {
	const char *method, *path;
	long received_ms, answered_ms;
};

/* Writes the lines, reads them as a log, and leaves no file behind. */
static void read_lines(const struct line *lines, size_t count, const char *tail, struct sandbox_log *log)
{
	char path[] = "/tmp/jit-test-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "wb");
	bool read;

	assert_non_null(file);
	for (size_t i = 0; i < count; i++)
		fprintf(file,
			"{\"received_ms\":%ld,\"answered_ms\":%ld,\"method\":\"%s\",\"path\":\"%s\","
			"\"status\":204,"
			"\"client_gone\":false,\"body\":{\"n\":%zu}}\n",
			lines[i].received_ms, lines[i].answered_ms, lines[i].method, lines[i].path, i);
	fputs(tail, file);
	fclose(file);
	read = sandbox_log_read(path, log);
	unlink(path);
	assert_true(read);
}

static size_t most(const struct line *lines, size_t count)
{
	struct sandbox_log log;
	size_t pushes;

	read_lines(lines, count, "", &log);
	pushes = sandbox_log_max_pushes(&log, 10000);
	sandbox_log_release(&log);
	return pushes;
}

#define MOST(lines) most(lines, sizeof(lines) / sizeof((lines)[0]))

static void counts_pushes_and_nothing_else(void **state)
{
	const struct line lines[] = {
		{"GET", GROUP, 1000, 1001},
		{"PATCH", "/scim/v2/Users/1", 1000, 1001},
		{"PATCH", GROUP, 1000, 1001},
		{"POST", "/scim/v2/Groups", 1000, 1001},
	};

	(void)state;
	assert_int_equal(MOST(lines), 1);
	assert_int_equal(most(NULL, 0), 0);
}

static void finds_a_window_that_straddles(void **state)
{
	/* No full ten seconds hold six when they start at a multiple of ten, but 5 s … 15 s do. */
	const struct line lines[] = {
		{"PATCH", GROUP, 6000, 6001},   {"PATCH", GROUP, 7000, 7001},
		{"PATCH", GROUP, 8000, 8001},   {"PATCH", GROUP, 12000, 12001},
		{"PATCH", GROUP, 13000, 13001}, {"PATCH", GROUP, 14000, 14001},
	};

	(void)state;
	assert_int_equal(MOST(lines), 6);
}

static void counts_a_push_by_its_end_too(void **state)
{
	/* The first begins long before the window and ends inside it. */
	const struct line ends_inside[] = {{"PATCH", GROUP, 1000, 30000}, {"PATCH", GROUP, 39999, 40050}};
	const struct line ends_before[] = {{"PATCH", GROUP, 1000, 30000}, {"PATCH", GROUP, 40000, 40050}};
	/* One that begins and ends in the same window is one. */
	const struct line both[] = {{"PATCH", GROUP, 1000, 9000}, {"PATCH", GROUP, 2000, 8000}};

	(void)state;
	assert_int_equal(MOST(ends_inside), 2);
	assert_int_equal(MOST(ends_before), 1);
	assert_int_equal(MOST(both), 2);
}

static void sorts_by_arrival(void **state)
{
	const struct line lines[] = {{"PATCH", GROUP, 2000, 2001}, {"GET", "/scim/v2/Users", 1000, 9000}};
	struct sandbox_log log;

	(void)state;
	read_lines(lines, 2, "", &log);
	assert_int_equal(log.count, 2);
	assert_string_equal(log.entries[0].method, "GET");
	assert_int_equal(log.entries[0].answered_ms, 9000);
	assert_int_equal(log.entries[1].status, 204);
	assert_int_equal(cJSON_GetObjectItem(log.entries[1].body, "n")->valueint, 0);
	assert_int_equal(sandbox_log_count(&log, "GET", "/scim/v2/Users"), 1);
	assert_int_equal(sandbox_log_count(&log, "GET", "/scim/v2/Groups"), 0);
	sandbox_log_release(&log);
}

static void leaves_a_half_written_line_for_later(void **state)
{
	const struct line lines[] = {{"PATCH", GROUP, 1, 2}};
	struct sandbox_log log;

	(void)state;
	read_lines(lines, 1, "{\"received_ms\":5,\"answ", &log);
	assert_int_equal(log.count, 1);
	sandbox_log_release(&log);
}

static void reads_many_lines(void **state)
{
	struct line lines[1000];
	struct sandbox_log log;

	(void)state;
	for (long i = 0; i < 1000; i++)
		lines[i] = (struct line){"PATCH", GROUP, i, i};
	read_lines(lines, 1000, "", &log);
	assert_int_equal(log.count, 1000);
	assert_int_equal(log.entries[999].received_ms, 999);
	assert_int_equal(sandbox_log_max_pushes(&log, 10), 10);
	sandbox_log_release(&log);
}

static void refuses_what_is_no_log(void **state)
{
	struct sandbox_log log;

	(void)state;
	assert_false(sandbox_log_read("/nonexistent/file", &log));
	assert_int_equal(log.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_pushes_and_nothing_else),
		cmocka_unit_test(finds_a_window_that_straddles),
		cmocka_unit_test(counts_a_push_by_its_end_too),
		cmocka_unit_test(sorts_by_arrival),
		cmocka_unit_test(leaves_a_half_written_line_for_later),
		cmocka_unit_test(reads_many_lines),
		cmocka_unit_test(refuses_what_is_no_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
