/* Log lines as they leave the process: standard error is a socket that keeps each write apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/iso8601.h"
#include "base/log.h"

#define HEAD "level=info event=e"

struct capture {
	int reader;
	int old_stderr;
	char line[2 * LOG_LINE_MAX];
};

static void capture_start(struct capture *c)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
	c->old_stderr = dup(STDERR_FILENO);
	assert_true(c->old_stderr >= 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	c->reader = ends[0];
}

/* Gives standard error back and keeps what the first write(2) wrote; returns how many there were. */
static int capture_end(struct capture *c)
{
	char more[16];
	int writes = 0;
	ssize_t len;

	assert_int_equal(dup2(c->old_stderr, STDERR_FILENO), STDERR_FILENO);
	close(c->old_stderr);
	len = read(c->reader, c->line, sizeof(c->line) - 1);
	c->line[len > 0 ? len : 0] = '\0';
	for (; len > 0; writes++)
		len = read(c->reader, more, sizeof(more));
	close(c->reader);
	return writes;
}

/* The line behind its time stamp. */
static const char *after_stamp(const struct capture *c)
{
	const char *space = strchr(c->line, ' ');

	assert_non_null(space);
	assert_memory_equal(c->line, "ts=", 3);
	return space + 1;
}

#define ASSERT_LINE(want, ...)                                                                               \
	do {                                                                                                 \
		struct capture c_;                                                                           \
                                                                                                             \
		capture_start(&c_);                                                                          \
		log_event(LOG_INFO, "e", __VA_ARGS__);                                                       \
		assert_int_equal(capture_end(&c_), 1);                                                       \
		assert_string_equal(after_stamp(&c_), HEAD want "\n");                                       \
	} while (0)

static void test_conversions(void **state)
{
	const char *volatile none = NULL; /* the compiler must not see it */

	(void)state;
	ASSERT_LINE(" app=aws ms=12", "app=%s ms=%d", "aws", 12);
	ASSERT_LINE(" d=-2147483648 i=7 u=4294967295", "d=%d i=%i u=%u", INT32_MIN, 7, UINT32_MAX);
	ASSERT_LINE(" a=-5 b=6", "a=%ld b=%lu", -5L, 6UL);
	ASSERT_LINE(" a=-9223372036854775808 b=18446744073709551615", "a=%lld b=%llu", (long long)INT64_MIN,
		    (unsigned long long)UINT64_MAX);
	ASSERT_LINE(" n=42 s=after", "n=%zu s=%s", (size_t)42, "after");
	ASSERT_LINE(" r=0.50 z=2", "r=%.2f z=%.0f", 0.5, 2.0);
	ASSERT_LINE(" s=- t=x", "s=%s t=%s", none, "x");
	ASSERT_LINE(" why=closed peer=127.0.0.1:80", "why=closed peer=%s:%u", "127.0.0.1", 80U);
}

static void test_quoting(void **state)
{
	static const struct {
		const char *value;
		const char *written;
	} rows[] = {
		{"plain-value_1/2:3", "plain-value_1/2:3"},
		{"", "\"\""},
		{"two words", "\"two words\""},
		{"a=b", "\"a=b\""},
		{"say \"x\"", "\"say \\\"x\\\"\""},
		{"back\\slash", "\"back\\\\slash\""},
		{"x\nts=1 level=error event=forged", "\"x\\nts=1 level=error event=forged\""},
		{"cr\rtab\t", "\"cr\\rtab\\t\""},
		{"esc\x1b[31m\x7f", "\"esc\\x1b[31m\\x7f\""},
		{"J\xC3\xBCrgen", "J\xC3\xBCrgen"},
		{"J\xC3\xBCrgen M", "\"J\xC3\xBCrgen M\""},
		{"bad\xC3", "\"bad\\xc3\""},
		{"c1\xC2\x9B", "\"c1\\xc2\\x9b\""},
		{"line\xE2\x80\xA8", "\"line\\xe2\\x80\\xa8\""},
		{"turn\xE2\x80\xAE", "\"turn\\xe2\\x80\\xae\""},
		{"isolate\xE2\x81\xA6", "\"isolate\\xe2\\x81\\xa6\""},
		{"euro\xE2\x82\xAC", "euro\xE2\x82\xAC"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct capture c;
		char want[128];

		capture_start(&c);
		log_info("e", "v=%s w=%d", rows[i].value, 1);
		assert_int_equal(capture_end(&c), 1);
		snprintf(want, sizeof(want), HEAD " v=%s w=1\n", rows[i].written);
		assert_string_equal(after_stamp(&c), want);
	}
}

static void test_event_is_quoted(void **state)
{
	struct capture c;

	(void)state;
	capture_start(&c);
	log_warn("two words", "a=%d", 1);
	assert_int_equal(capture_end(&c), 1);
	assert_string_equal(after_stamp(&c), "level=warn event=\"two words\" a=1\n");
}

static void test_time_stamp(void **state)
{
	struct capture c;
	int64_t before, after, stamp;
	char *end;

	(void)state;
	capture_start(&c);
	before = clock_wall_ms();
	log_info("e", "a=%d", 1);
	after = clock_wall_ms();
	assert_int_equal(capture_end(&c), 1);
	end = strchr(c.line, ' ');
	assert_non_null(end);
	*end = '\0';
	assert_int_equal(iso8601_parse_time(c.line + 3, &stamp, NULL), ERR_OK);
	assert_true(before <= stamp && stamp <= after);
}

static void test_levels(void **state)
{
	static const char *const names[] = {"error", "warn", "info"};

	(void)state;
	for (int level = LOG_ERROR; level <= LOG_INFO; level++) {
		struct capture c;
		char want[64];

		capture_start(&c);
		log_event((enum log_level)level, "e", "a=%d", 1);
		assert_int_equal(capture_end(&c), 1);
		snprintf(want, sizeof(want), "level=%s event=e a=1\n", names[level]);
		assert_string_equal(after_stamp(&c), want);
	}
}

/* A value of any length is cut between two characters and marked; the next field is whole. */
static void test_long_value(void **state)
{
	static char text[3 * LOG_VALUE_MAX];
	struct capture c;
	const char *at;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "\xC3\xA9", 2);
	for (size_t start = 0; start < 2; start++) {
		text[0] = start ? 'x' : '\xC3';
		text[1] = start ? 'y' : '\xA9';
		text[sizeof(text) - 1] = '\0';
		capture_start(&c);
		log_info("e", "v=%s w=%d", text + start, 1);
		assert_int_equal(capture_end(&c), 1);
		at = strstr(c.line, " v=");
		assert_non_null(at);
		assert_int_equal(strcspn(at + 3, " "), LOG_VALUE_MAX - start + 3);
		assert_string_equal(strchr(at + 3, ' ') - 3, "... w=1\n");
		assert_null(strstr(c.line, "\\x"));
	}
}

/* Fields that do not fit are left out whole, and the line says so. */
static void test_long_line(void **state)
{
	char text[LOG_VALUE_MAX];
	struct capture c;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t len = 700; len < LOG_VALUE_MAX; len++) {
		const char *tail = text + sizeof(text) - 1 - len;
		bool cut = false;

		capture_start(&c);
		log_info("e", "a=%s b=%s c=%s d=%s e=%s", text, text, text, tail, "last");
		assert_int_equal(capture_end(&c), 1);
		assert_true(strlen(c.line) <= LOG_LINE_MAX);
		cut = strstr(c.line, " cut=true\n") != NULL;
		assert_int_equal(cut, strstr(c.line, " e=last\n") == NULL);
		assert_int_equal(c.line[strlen(c.line) - 1], '\n');
		if (len == 700)
			assert_false(cut);
		if (len == LOG_VALUE_MAX - 1) {
			assert_true(cut);
			assert_null(strstr(c.line, " d="));
		}
	}
}

/* Called through a pointer without the compiler's check, as only a mistake could. */
static void test_bad_formats(void **state)
{
	static const char *const formats[] = {"a=%x b=%s", "a=%", "a=%5d", "%s", "a", "=%s", " a=%s"};
	void (*log_unchecked)(enum log_level, const char *, const char *, ...) = log_event;

	(void)state;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct capture c;

		capture_start(&c);
		log_unchecked(LOG_INFO, "e", formats[i], 1, NULL);
		assert_int_equal(capture_end(&c), 1);
		assert_string_equal(after_stamp(&c), HEAD " log_bug=true\n");
	}
}

static void test_errno_is_kept(void **state)
{
	struct capture c;
	int kept;

	(void)state;
	capture_start(&c);
	close(STDERR_FILENO);
	errno = ENOTTY;
	log_info("e", "a=%d", 1);
	kept = errno;
	capture_end(&c);
	assert_int_equal(kept, ENOTTY);
}

static void test_clocks(void **state)
{
	int64_t mono = clock_mono_ms();

	(void)state;
	assert_true(mono > 0);
	assert_true(clock_mono_ms() >= mono);
	assert_true(clock_mono_ms() < mono + 60000);
	assert_true(clock_wall_ms() > INT64_C(1700000000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversions),     cmocka_unit_test(test_quoting),
		cmocka_unit_test(test_event_is_quoted), cmocka_unit_test(test_time_stamp),
		cmocka_unit_test(test_levels),          cmocka_unit_test(test_long_value),
		cmocka_unit_test(test_long_line),       cmocka_unit_test(test_bad_formats),
		cmocka_unit_test(test_errno_is_kept),   cmocka_unit_test(test_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
