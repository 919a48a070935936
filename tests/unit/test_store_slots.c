/* The parts of the store that know Redis Cluster and Redis' errors, without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/answer.h"
#include "store/barrier.h"
#include "store/slots.h"

static const struct address asked = {.host = "10.0.0.9", .port = "7000", .with_tls = true};

/* As CLUSTER KEYSLOT says. */
static void test_slot_of_key(void **state)
{
	static const struct {
		const char *key;
		unsigned slot;
	} rows[] = {
		{"", 0},         {"foo", 12182}, {"{foo}bar", 12182},  {"a{foo}", 12182},
		{"{}foo", 9500}, {"foo{", 7673}, {"123456789", 12739},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(slot_of_key(rows[i].key), rows[i].slot);
	assert_int_equal(slot_of_lane(12), slot_of_key("j12"));
}

/* The reply stays valid until the reader is freed. */
static const struct reply *parse(struct reader *reader, const char *text)
{
	const struct reply *reply = NULL;
	assert_non_null(reader);
	assert_true(reader_feed(reader, text, strlen(text)));
	assert_int_equal(reader_next(reader, &reply), READER_REPLY);
	return reply;
}

#define MASTER(host, port) "*3\r\n" host ":" port "\r\n$2\r\nid\r\n"
#define A                  MASTER("$9\r\n127.0.0.1\r\n", "7001")
#define B                  MASTER("$4\r\nnode\r\n", "7002")

static void test_slots(void **state)
{
	static const char text[] =
		"*4\r\n"
		"*4\r\n:0\r\n:99\r\n" A B                         /* a replica follows */
		"*3\r\n:100\r\n:100\r\n" B                        /* one slot */
		"*3\r\n:101\r\n:16383\r\n" A                      /* the first again */
		"*3\r\n:50\r\n:50\r\n" MASTER("$-1\r\n", "7003"); /* the one that was asked */
	struct reader *reader = reader_new();
	struct slots *slots = calloc(1, sizeof(*slots));
	(void)state;
	assert_non_null(slots);
	assert_true(slots_read(slots, parse(reader, text), &asked));
	assert_int_equal(slots->count, 3);
	assert_string_equal(slots->masters[0].host, "127.0.0.1");
	assert_string_equal(slots->masters[0].port, "7001");
	assert_true(slots->masters[0].with_tls);
	assert_string_equal(slots->masters[1].host, "node");
	assert_string_equal(slots->masters[2].host, "10.0.0.9");
	assert_string_equal(slots->masters[2].port, "7003");
	assert_int_equal(slots->master_of[0], 0);
	assert_int_equal(slots->master_of[50], 2);
	assert_int_equal(slots->master_of[100], 1);
	assert_int_equal(slots->master_of[16383], 0);
	reader_free(reader);
	free(slots);
}

static void test_holes(void **state)
{
	struct reader *reader = reader_new();
	struct slots *slots = calloc(1, sizeof(*slots));
	(void)state;
	assert_non_null(slots);
	assert_true(slots_read(slots,
			       parse(reader, "*2\r\n*3\r\n:5\r\n:6\r\n" A
					     "*3\r\n:7\r\n:9\r\n" MASTER("$1\r\n?\r\n", "7002")),
			       &asked));
	assert_int_equal(slots->master_of[4], MASTER_NONE);
	assert_int_equal(slots->master_of[6], 0);
	assert_int_equal(slots->master_of[7], MASTER_NONE);
	reader_free(reader);
	free(slots);
}

static void test_no_slots(void **state)
{
	static const char *const rows[] = {
		"*0\r\n",
		"+OK\r\n",
		"$-1\r\n",
		"-ERR This instance has cluster support disabled\r\n",
		"*1\r\n+x\r\n",
		"*1\r\n*2\r\n:0\r\n:1\r\n",
		"*1\r\n*3\r\n:0\r\n:1\r\n*0\r\n",
		"*1\r\n*3\r\n:0\r\n:16384\r\n" A,
		"*1\r\n*3\r\n:-1\r\n:5\r\n" A,
		"*1\r\n*3\r\n:6\r\n:5\r\n" A,
		"*1\r\n*3\r\n:0\r\n:5\r\n" MASTER("$1\r\na\r\n", "0"),
		"*1\r\n*3\r\n:0\r\n:5\r\n" MASTER("$1\r\na\r\n", "65536"),
		"*1\r\n*3\r\n:0\r\n:5\r\n" MASTER("$1\r\na\r\n", "-7"),
		"*1\r\n*3\r\n:0\r\n:5\r\n" MASTER("$1\r\n?\r\n", "7000"),
	};
	struct slots *slots = calloc(1, sizeof(*slots));
	(void)state;
	assert_non_null(slots);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reader *reader = reader_new();
		assert_false(slots_read(slots, parse(reader, rows[i]), &asked));
		reader_free(reader);
	}
	free(slots);
}

static void test_moved(void **state)
{
	static const struct {
		const char *text;
		unsigned slot;
		const char *host, *port; /* NULL: not usable */
	} rows[] = {
		{"MOVED 3999 127.0.0.1:6381", 3999, "127.0.0.1", "6381"},
		{"MOVED 0 node.example.com:1", 0, "node.example.com", "1"},
		{"MOVED 16383 ::1:65535", 16383, "::1", "65535"},
		{"MOVED 7 :6381", 7, "10.0.0.9", "6381"},
		{"MOVED 16384 a:1", 0, NULL, NULL},
		{"MOVED 99999999999999999999 a:1", 0, NULL, NULL},
		{"MOVED -1 a:1", 0, NULL, NULL},
		{"MOVED  a:1", 0, NULL, NULL},
		{"MOVED 7", 0, NULL, NULL},
		{"MOVED 7 a", 0, NULL, NULL},
		{"MOVED 7 a:", 0, NULL, NULL},
		{"MOVED 7 a:0", 0, NULL, NULL},
		{"MOVED 7 a:1x", 0, NULL, NULL},
		{"MOVED ", 0, NULL, NULL},
		{"ASK 7 a:1", 0, NULL, NULL},
		{"", 0, NULL, NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct address to = {.host = "untouched"};
		unsigned slot = 0;
		bool good = slots_read_moved(rows[i].text, &asked, &slot, &to);
		assert_int_equal(good, rows[i].host != NULL);
		assert_string_equal(to.host, good ? rows[i].host : "untouched");
		if (!good)
			continue;
		assert_int_equal(slot, rows[i].slot);
		assert_string_equal(to.port, rows[i].port);
		assert_true(to.with_tls);
	}
}

static void test_answers(void **state)
{
	static const struct {
		const char *text;
		enum answer answer;
	} rows[] = {
		{"ERR Function not found", ANSWER_NO_FUNCTION},
		{"ERR unknown command", ANSWER_ERROR},
		{"LOADING Redis is loading the dataset in memory", ANSWER_LATER},
		{"BUSY Redis is busy running a script.", ANSWER_LATER},
		{"READONLY You can't write against a read only replica.", ANSWER_LATER},
		{"MASTERDOWN Link with MASTER is down", ANSWER_LATER},
		{"CLUSTERDOWN Hash slot not served", ANSWER_LATER},
		{"NOAUTH Authentication required.", ANSWER_LATER},
		{"MOVED 3999 127.0.0.1:6381", ANSWER_MOVED},
		{"ASK 3999 127.0.0.1:6381", ANSWER_OPEN},
		{"TRYAGAIN Multiple keys request during rehashing of slot", ANSWER_OPEN},
		{"OOM command not allowed when used memory > 'maxmemory'.", ANSWER_FULL},
		{"MISCONF Errors writing to the AOF file: No space left on device", ANSWER_FULL},
		{"NOREPLICAS Not enough good replicas to write.", ANSWER_FULL},
		{"NOPERM this user has no permissions", ANSWER_ERROR},
		{"WRONGTYPE Operation against a key", ANSWER_ERROR},
		{"NOSCRIPT No matching script.", ANSWER_ERROR},
		{"MOVEDX", ANSWER_ERROR},
		{"loading ", ANSWER_ERROR},
		{"", ANSWER_ERROR},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct reply reply = {
			.kind = REPLY_ERROR, .text = rows[i].text, .len = strlen(rows[i].text)};
		assert_int_equal(answer_of(&reply), rows[i].answer);
	}
	assert_int_equal(answer_of(&(struct reply){.kind = REPLY_TEXT, .text = "LOADING "}), ANSWER_VALUE);
}

/* What comes after a batch, and which answers to it let the batch go. */
static void test_barrier(void **state)
{
	static const struct {
		const char *mark, *wait;
		bool has_waitaof;
		enum barrier_verdict verdict;
	} rows[] = {
		{"+OK\r\n", ":2\r\n", false, BARRIER_SAFE},
		{"+OK\r\n", ":3\r\n", false, BARRIER_SAFE},
		{"+OK\r\n", ":1\r\n", false, BARRIER_AGAIN},
		{"+OK\r\n", "*2\r\n:1\r\n:2\r\n", true, BARRIER_SAFE},
		{"+OK\r\n", "*2\r\n:0\r\n:2\r\n", true, BARRIER_AGAIN},
		{"+OK\r\n", "*2\r\n:1\r\n:1\r\n", true, BARRIER_AGAIN},
		{"+OK\r\n", "-ERR unknown command 'WAITAOF'\r\n", true, BARRIER_SHORT},
		{"-MOVED 1 a:1\r\n", ":2\r\n", false, BARRIER_SHORT},
		{"-NOPERM no\r\n", ":2\r\n", false, BARRIER_SHORT},
	};
	const struct barrier_wish wish = {.replicas = 2, .timeout_ms = 750};
	const struct call write = {.lane = 12};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct barrier barrier = {.writes = 0};
		struct reader *reader = reader_new();
		barrier_sent(&barrier, &write);
		struct call *wait = barrier_raise(&barrier, &wish, rows[i].has_waitaof, 100);
		assert_string_equal(wait->text,
				    rows[i].has_waitaof
					    ? "*3\r\n$3\r\nSET\r\n$10\r\n{j12}:mark\r\n$1\r\n1\r\n"
					      "*4\r\n$7\r\nWAITAOF\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n4\r\n"
					    : "*3\r\n$3\r\nSET\r\n$10\r\n{j12}:mark\r\n$1\r\n1\r\n"
					      "*3\r\n$4\r\nWAIT\r\n$1\r\n2\r\n$1\r\n4\r\n");
		assert_int_equal(wait->len, strlen(wait->text));
		assert_true(barrier.is_out);
		assert_int_equal(barrier_reply(&barrier, &wish, parse(reader, rows[i].mark), 101),
				 BARRIER_MORE);
		assert_int_equal(barrier_reply(&barrier, &wish, parse(reader, rows[i].wait), 104),
				 rows[i].verdict);
		assert_int_equal(barrier.is_out, rows[i].verdict == BARRIER_AGAIN);
		reader_free(reader);
	}
}

/* Asked again for twice as long each time, never past the time that replicas have, and then no more. */
static void test_barrier_asks_again(void **state)
{
	static const struct {
		int64_t now_ms;
		const char *ask;
	} rows[] = {
		{104, "*4\r\n$7\r\nWAITAOF\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n8\r\n"},
		{112, "*4\r\n$7\r\nWAITAOF\r\n$1\r\n1\r\n$1\r\n2\r\n$2\r\n16\r\n"},
		{127, "*4\r\n$7\r\nWAITAOF\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n"},
	};
	const struct barrier_wish wish = {.replicas = 2, .timeout_ms = 30};
	const struct call write = {.lane = 12};
	struct barrier barrier = {.writes = 0};
	struct reader *reader = reader_new();
	(void)state;
	barrier_sent(&barrier, &write);
	(void)barrier_raise(&barrier, &wish, true, 100);
	assert_int_equal(barrier_reply(&barrier, &wish, parse(reader, "+OK\r\n"), 100), BARRIER_MORE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			barrier_reply(&barrier, &wish, parse(reader, "*2\r\n:1\r\n:1\r\n"), rows[i].now_ms),
			BARRIER_AGAIN);
		assert_true(barrier.is_short);
		assert_string_equal(barrier_repeat(&barrier, &wish, rows[i].now_ms)->text, rows[i].ask);
		assert_false(barrier.is_short);
	}
	assert_int_equal(barrier_reply(&barrier, &wish, parse(reader, "*2\r\n:1\r\n:1\r\n"), 130),
			 BARRIER_SHORT);
	assert_false(barrier.is_out);
	reader_free(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slot_of_key), cmocka_unit_test(test_slots),
		cmocka_unit_test(test_holes),       cmocka_unit_test(test_no_slots),
		cmocka_unit_test(test_moved),       cmocka_unit_test(test_answers),
		cmocka_unit_test(test_barrier),     cmocka_unit_test(test_barrier_asks_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
