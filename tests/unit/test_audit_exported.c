/*
 * An exported file that begins anywhere in a lane, as one does that was rotated: all that it can be is checked, and what
 * somebody has taken away at its beginning is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audit/exported.h"
#include "audit/seal.h"

#define KEY  "0123456789abcdef0123456789abcdef"
#define LANE 3
#define LAST 10

/* Event 5 seals 1 and 2, event 8 seals 3 to 6, event 10 seals 7 to 9: what came while a seal was made is before it. */
static const struct {
	int64_t at, from, to;
} seals[] = {{5, 1, 2}, {8, 3, 6}, {10, 7, 9}};

static char lines[LAST + 1][SEAL_DETAILS_SIZE + 128]; /* by number */

static void make_seal(size_t which, char digest[SHA256_HEX])
{
	const struct seal_keys keys = {KEY, ""};
	struct seal seal = {.from = seals[which].from, .to = seals[which].to};
	char details[SEAL_DETAILS_SIZE];
	struct buf covered;

	seal_lines_begin(&covered, digest);
	for (int64_t n = seal.from; n <= seal.to; n++)
		buf_addf(&covered, "%s\n", lines[n]);
	assert_true(seal_lines_end(&covered, digest));
	memcpy(seal.digest, digest, SHA256_HEX);
	seal_make(&seal, LANE, &keys);
	seal_print(&seal, details);
	snprintf(lines[seals[which].at], sizeof(lines[0]),
		 "{\"lane\":%d,\"number\":%d,\"event\":\"seal\",\"details\":%s}", LANE, (int)seals[which].at,
		 details);
}

static int make_lines(void **state)
{
	char digest[SHA256_HEX] = "";
	size_t which = 0;

	(void)state;
	for (int n = 1; n <= LAST; n++) {
		if (n == seals[which].at)
			make_seal(which++, digest);
		else
			snprintf(lines[n], sizeof(lines[n]), "{\"lane\":%d,\"number\":%d,\"event\":\"note\"}",
				 LANE, n);
	}
	return 0;
}

/* What is said of a file that begins with that event, and in which `other` (if any) stands for the event `instead`. */
static void check(int begin, int instead, const char *other, struct exported_report *report)
{
	const struct exported_keys keys = {KEY, ""};
	FILE *file = tmpfile();

	assert_non_null(file);
	for (int n = begin; n <= LAST; n++)
		fprintf(file, "%s\n", n == instead ? other : lines[n]);
	rewind(file);
	assert_int_equal(exported_check(file, &keys, report), ERR_OK);
	fclose(file);
}

static void test_beginnings(void **state)
{
	/* Of a file that begins there: how many no seal can be checked over, because it covers what was before the file. */
	static const int unchecked[LAST + 1] = {0, 0, 1, 0, 3, 2, 1, 0, 2, 1, 0};

	(void)state;
	for (int begin = 1; begin <= LAST; begin++) {
		struct exported_report report;

		check(begin, 0, NULL, &report);
		if (report.line != 0 || report.unchecked != unchecked[begin])
			fail_msg("from %d on: %lld unchecked, line %lld: %s", begin,
				 (long long)report.unchecked, (long long)report.line, report.why.text);
		assert_int_equal(report.unsealed, 1);
	}
}

#define NOTE(n) "{\"lane\":3,\"number\":" #n ",\"event\":\"note\",\"by\":\"somebody\"}"
#define SEAL(n, range)                                                                                       \
	"{\"lane\":3,\"number\":" #n ",\"event\":\"seal\",\"details\":{" range                               \
	",\"digest\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"key\":"          \
	"\"01234567\",\"mac\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}}"

static void test_tampering(void **state)
{
	static const struct {
		int begin, instead;
		const char *other;
		int number; /* of the event at which it is found */
		const char *why;
	} rows[] = {
		/* A seal that is no seal any more, so that what it covered could be anything. */
		{1, 5, NOTE(5), 8, "The seal does not begin behind the one before."},
		{2, 5, NOTE(5), 8, "Seals before this one are missing."},
		{4, 8, NOTE(8), 10, "Seals before this one are missing."},
		{6, 8, NOTE(8), 10, "Seals before this one are missing."},
		/* Behind the first seal that is known everything is checked. */
		{3, 4, NOTE(4), 8, "What the seal covers is not what it was made over."},
		{4, 9, NOTE(9), 10, "What the seal covers is not what it was made over."},
		{8, 10, SEAL(10, "\"first\":1,\"last\":9"), 10,
		 "The seal: it is not by a key that this broker has"},
		/* The largest numbers that JSON may hold here. */
		{2, 5, SEAL(5, "\"first\":1,\"last\":1e15"), 5, "The seal cannot be read."},
		{2, 5, SEAL(5, "\"first\":-1e15,\"last\":-1e15"), 5,
		 "The seal: it is not by a key that this broker has"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exported_report report;

		check(rows[i].begin, rows[i].instead, rows[i].other, &report);
		if (report.number != rows[i].number || strcmp(report.why.text, rows[i].why) != 0)
			fail_msg("row %zu: event %lld: %s", i, (long long)report.number, report.why.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_beginnings),
		cmocka_unit_test(test_tampering),
	};

	return cmocka_run_group_tests(tests, make_lines, NULL);
}
