/* The parts of the store that need no Redis: its URL, the parser of replies, the readers of values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/address.h"
#include "store/backoff.h"
#include "store/call.h"
#include "store/reader.h"

/* -- addresses -------------------------------------------------------------------------------------------- */

struct url_row {
	const char *url;
	const char *path;
	const char *host;
	const char *port;
	unsigned db;
};

static const struct url_row good_urls[] = {
	{"unix:/run/jit/redis.sock", "/run/jit/redis.sock", "", "", 0},
	{"unix:/s", "/s", "", "", 0},
	{"redis://localhost", "", "localhost", "6379", 0},
	{"redis://localhost/", "", "localhost", "6379", 0},
	{"redis://redis.example.com:6380/3", "", "redis.example.com", "6380", 3},
	{"redis://10.0.0.7:1", "", "10.0.0.7", "1", 0},
	{"redis://[::1]", "", "::1", "6379", 0},
	{"redis://[fe80::1]:65535/15", "", "fe80::1", "65535", 15},
	{"rediss://redis.example.com/2", "", "redis.example.com", "6379", 2},
};

static void test_good_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good_urls) / sizeof(good_urls[0]); i++) {
		const struct url_row *row = &good_urls[i];
		struct address address = {.db = 99};
		assert_int_equal(address_parse(row->url, &address, NULL), ERR_OK);
		assert_string_equal(address.path, row->path);
		assert_string_equal(address.host, row->host);
		assert_string_equal(address.port, row->port);
		assert_int_equal(address.db, row->db);
		assert_int_equal(address.with_tls, strncmp(row->url, "rediss:", 7) == 0);
	}
}

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char *const bad_urls[] = {
	"",
	"localhost:6379",
	"http://localhost",
	"unix:",
	"unix:relative/path",
	"unix:/" A50 A50 "1234567",
	"redis://",
	"redis://:6379",
	"redis:///1",
	"redis://host:",
	"redis://host:0",
	"redis://host:65536",
	"redis://host:99999999999999999999",
	"redis://host:6379x",
	"redis://host:1:2",
	"redis://host/x",
	"redis://host/-1",
	"redis://host/65536",
	"redis://host/1/2",
	"redis://[::1",
	"redis://[]",
	"redis://[::1]6379",
	"redis://" A50 A50 A50 A50 A50 "1234",
	"rediss://",
	"rediss://host:0",
	"rediss://user:secret@host",
	"redis://user:secret@host",
};

static void test_bad_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_urls) / sizeof(bad_urls[0]); i++) {
		struct address address = {.db = 99};
		struct errctx ec = {.text = ""};
		assert_int_equal(address_parse(bad_urls[i], &address, &ec), ERR_CONFIG);
		assert_int_equal(address.db, 99);
		assert_string_not_equal(ec.text, "");
		assert_null(strstr(ec.text, "secret"));
	}
}

/* -- replies ---------------------------------------------------------------------------------------------- */

/* Feeds the text in pieces of `step` bytes and expects exactly one reply, at the last piece. */
static const struct reply *parse(struct reader *reader, const char *text, size_t step)
{
	const struct reply *reply = NULL;
	size_t len = strlen(text);
	for (size_t at = 0; at < len; at += step) {
		size_t part = len - at < step ? len - at : step;
		assert_true(reader_feed(reader, text + at, part));
		enum reader_result wanted = at + part == len ? READER_REPLY : READER_MORE;
		assert_int_equal(reader_next(reader, &reply), wanted);
	}
	return reply;
}

static void check_values(const struct reply *reply)
{
	assert_int_equal(reply_count(reply), 6);
	assert_int_equal(reply_int(reply_at(reply, 0)), -5);
	assert_false(reply_is_text(reply_at(reply, 0)));
	assert_string_equal(reply_text(reply_at(reply, 1)), "a\r\nb");
	assert_int_equal(reply_text_len(reply_at(reply, 1)), 4);
	assert_string_equal(reply_text(reply_at(reply, 2)), "OK");
	assert_true(reply_is_text(reply_at(reply, 2)));
	assert_non_null(reply_at(reply, 3));
	assert_false(reply_is_text(reply_at(reply, 3)));
	assert_int_equal(reply_int(reply_at(reply, 3)), 0);
	assert_int_equal(reply_count(reply_at(reply, 4)), 1);
	assert_int_equal(reply_int(reply_at(reply_at(reply, 4), 0)), 12);
	assert_true(reply_is_error(reply_at(reply, 5)));
	assert_string_equal(reply_text(reply_at(reply, 5)), "");
	assert_null(reply_at(reply, 6));
}

static void test_pieces(void **state)
{
	static const char text[] = "*6\r\n:-5\r\n$4\r\na\r\nb\r\n+OK\r\n$-1\r\n*1\r\n$2\r\n12\r\n-ERR no\r\n";
	(void)state;
	struct reader *reader = reader_new();
	assert_non_null(reader);
	for (size_t step = 1; step < sizeof(text); step++)
		check_values(parse(reader, text, step));
	reader_free(reader);
}

/* Many replies in one piece, some of them larger than the first block of the arena. */
static void test_many_replies(void **state)
{
	static char large[100000];
	const struct reply *reply;
	(void)state;
	struct reader *reader = reader_new();
	assert_non_null(reader);
	memset(large, 'y', sizeof(large));
	for (size_t i = 0; i < 50; i++) {
		assert_true(reader_feed(reader, "$100000\r\n", 9));
		assert_true(reader_feed(reader, large, sizeof(large)));
		assert_true(reader_feed(reader, "\r\n:1\r\n", 6));
	}
	for (size_t i = 0; i < 50; i++) {
		assert_int_equal(reader_next(reader, &reply), READER_REPLY);
		assert_int_equal(reply_text_len(reply), sizeof(large));
		assert_memory_equal(reply_text(reply), large, sizeof(large));
		assert_int_equal(reader_next(reader, &reply), READER_REPLY);
		assert_int_equal(reply_int(reply), 1);
	}
	assert_int_equal(reader_next(reader, &reply), READER_MORE);
	reader_free(reader);
}

/* RESP3 was not asked for. */
static void test_foreign_types(void **state)
{
	static const char *const foreign[] = {",1.5\r\n",       "#t\r\n",       "%1\r\n+a\r\n+b\r\n",
					      "~1\r\n+a\r\n",   ">1\r\n+a\r\n", "(12345\r\n",
					      "=5\r\ntxt:a\r\n"};
	(void)state;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		const struct reply *reply;
		struct reader *reader = reader_new();
		assert_non_null(reader);
		assert_true(reader_feed(reader, foreign[i], strlen(foreign[i])));
		assert_int_equal(reader_next(reader, &reply), READER_BROKEN);
		assert_string_not_equal(reader_why(reader), "");
		reader_free(reader);
	}
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} rows[] = {
		{"0", 0},
		{"-1", -1},
		{"9223372036854775807", INT64_MAX},
		{"-9223372036854775807", -INT64_MAX},
		{"9223372036854775808", 0},
		{"99999999999999999999", 0},
		{"", 0},
		{"-", 0},
		{"12x", 0},
		{" 12", 0},
		{"1e3", 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct reply reply = {
			.kind = REPLY_TEXT, .text = rows[i].text, .len = strlen(rows[i].text)};
		assert_int_equal(reply_int(&reply), rows[i].value);
	}
	assert_int_equal(reply_int(NULL), 0);
	assert_int_equal(reply_count(NULL), 0);
	assert_null(reply_at(NULL, 0));
	assert_string_equal(reply_text(NULL), "");
	assert_int_equal(reply_text_len(NULL), 0);
	assert_false(reply_is_text(NULL));
}

static void check_copy(const struct reply *reply)
{
	struct reply *copy = reply_copy(reply);
	assert_non_null(copy);
	check_values(copy);
	free(copy);
}

static void test_copies(void **state)
{
	static const char text[] = "*6\r\n:-5\r\n$4\r\na\r\nb\r\n+OK\r\n$-1\r\n*1\r\n$2\r\n12\r\n-ERR no\r\n";
	struct reader *reader = reader_new();
	(void)state;
	assert_non_null(reader);
	check_copy(parse(reader, text, sizeof(text)));
	reader_free(reader);
}

/* -- lists ------------------------------------------------------------------------------------------------ */

static void push_numbers(struct calls *list, struct call *calls, const char *numbers)
{
	for (; *numbers != '\0'; numbers++) {
		struct call *call = &calls[*numbers - '0'];
		call->number = (uint64_t)(*numbers - '0');
		calls_push(list, call);
	}
}

static void test_merge(void **state)
{
	static const struct {
		const char *to, *a, *b, *merged;
	} rows[] = {
		{"", "", "", ""},
		{"78", "", "", "78"},
		{"", "13", "", "13"},
		{"", "", "13", "13"},
		{"78", "14", "235", "1234578"},
		{"789", "46", "5", "456789"},
		{"9", "1234", "5678", "123456789"},
		{"19", "8", "3", "1389"},
		{"5", "213", "987", "1235789"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct call calls[10] = {{.number = 0}};
		struct calls to = {.head = NULL}, a = {.head = NULL}, b = {.head = NULL};
		const char *merged = rows[i].merged;
		struct call *call;
		push_numbers(&to, calls, rows[i].to);
		push_numbers(&a, calls, rows[i].a);
		push_numbers(&b, calls, rows[i].b);
		calls_merge(&to, &a);
		calls_merge(&to, &b);
		assert_int_equal(to.count, strlen(merged));
		assert_int_equal(a.count + b.count, 0);
		while ((call = calls_pop(&to)) != NULL)
			assert_int_equal(call->number, *merged++ - '0');
		assert_int_equal(*merged, '\0');
		/* The list still takes more at its end. */
		push_numbers(&to, calls, "12");
		assert_int_equal(calls_pop(&to)->number, 1);
		assert_int_equal(calls_pop(&to)->number, 2);
	}
}

/* -- pauses ----------------------------------------------------------------------------------------------- */

static void test_backoff(void **state)
{
	static const struct {
		unsigned attempts;
		uint64_t ceiling_ms;
	} rows[] = {{0, 10},  {1, 20},   {2, 40},   {3, 80},    {4, 160},           {5, 320},
		    {6, 640}, {7, 1000}, {8, 1000}, {64, 1000}, {4294967295u, 1000}};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned attempts = rows[i].attempts;
		uint64_t ceiling = rows[i].ceiling_ms;
		assert_int_equal(backoff_ms(attempts, UINT32_MAX), ceiling);
		/* Spread over the whole of it, each part as likely as another. */
		assert_int_equal(backoff_ms(attempts, 0), 1);
		for (uint32_t part = 1; part < 4; part++)
			assert_int_equal(backoff_ms(attempts, part << 30), 1 + ceiling * part / 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_urls),     cmocka_unit_test(test_bad_urls),
		cmocka_unit_test(test_pieces),        cmocka_unit_test(test_many_replies),
		cmocka_unit_test(test_foreign_types), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_merge),         cmocka_unit_test(test_copies),
		cmocka_unit_test(test_backoff),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
