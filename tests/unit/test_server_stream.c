/* Answers without an end: said, slept through, left, not taken, ended. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/loop_server.h"

static struct loop_server server;
static struct client client;
static struct answer answer;

static int set_up(void **state)
{
	(void)state;
	client.fd = -1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	client_close(&client);
	return 0;
}

static void open_stream(const char *request, int64_t idle_ms)
{
	struct server_options options = loop_server_options();
	int64_t till = clock_mono_ms() + LOOP_WAIT_MS;

	if (idle_ms > 0)
		options.idle_timeout_ms = idle_ms;
	loop_server_start(&server, &options);
	assert_true(client_open(&client, &server));
	client_send(&client, request);
	while (server.handled == 0 && clock_mono_ms() < till)
		loop_turn(&server, -1);
	assert_int_equal(server.handled, 1);
}

/* Reads until that has come. */
static void hear(const char *text)
{
	int64_t till = clock_mono_ms() + LOOP_WAIT_MS;

	while (memmem(client.in, client.len, text, strlen(text)) == NULL) {
		ssize_t got;

		loop_turn(&server, client.fd);
		got = recv(client.fd, client.in + client.len, sizeof(client.in) - client.len, MSG_DONTWAIT);
		if (got > 0)
			client.len += (size_t)got;
		if (clock_mono_ms() > till)
			fail_msg("not heard: %s", text);
	}
}

static void say(const char *text)
{
	buf_adds(&server.say, text);
	exchange_stir(server.stream);
}

static void wait_gone(void)
{
	int64_t till = clock_mono_ms() + LOOP_WAIT_MS;

	while (server.gone == 0 && clock_mono_ms() < till)
		loop_turn(&server, -1);
	assert_int_equal(server.gone, 1);
	assert_int_equal(server_open_exchanges(server.server), 0);
}

#define GET "GET /stream HTTP/1.1\r\nHost: jit.test\r\n\r\n"

static void test_said(void **state)
{
	(void)state;
	open_stream(GET, 0);
	hear("\r\n\r\n");
	hear("Transfer-Encoding: chunked\r\n");
	hear("Content-Type: text/plain\r\n");
	hear("Connection: close\r\n");
	hear("Cache-Control: no-store\r\n");
	say("one");
	hear("3\r\none\r\n");
	say("two");
	say(" and three");
	hear("two and three");
	exchange_end(server.stream);
	hear("0\r\n\r\n");
	wait_gone();
	client_read_end(&client);
	loop_server_stop(&server);
}

/* What is said last is heard, although the end comes at once. */
static void test_said_before_the_end(void **state)
{
	(void)state;
	open_stream(GET, 0);
	hear("\r\n\r\n");
	say("one");
	loop_turn(&server, -1);
	exchange_end(server.stream);
	hear("one");
	wait_gone();
	loop_server_stop(&server);
}

static void test_without_chunks(void **state)
{
	(void)state;
	open_stream("GET /stream HTTP/1.0\r\n\r\n", 0);
	hear("\r\n\r\n");
	say("one");
	hear("\r\n\r\none");
	exchange_end(server.stream);
	client_read_end(&client);
	wait_gone();
	loop_server_stop(&server);
}

static void test_head(void **state)
{
	(void)state;
	open_stream("HEAD /stream HTTP/1.1\r\nHost: jit.test\r\n\r\n", 0);
	client_read(&client, &answer, true);
	assert_int_equal(answer.status, 200);
	wait_gone();
	loop_server_stop(&server);
}

static void test_client_gone(void **state)
{
	int64_t till = clock_mono_ms() + LOOP_WAIT_MS;

	(void)state;
	open_stream(GET, 0);
	hear("\r\n\r\n");
	assert_false(exchange_left(server.stream));
	client_close(&client);
	while (!exchange_left(server.stream) && clock_mono_ms() < till)
		loop_turn(&server, -1);
	assert_true(exchange_left(server.stream));
	exchange_end(server.stream);
	wait_gone();
	loop_server_stop(&server);
}

/* Says more and more to a client that does not read, until nothing was asked for in so many turns, or it is gone. */
static void say_much(int turns)
{
	int64_t till = clock_mono_ms() + LOOP_WAIT_MS;
	char text[LOOP_SAY_MAX];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < turns && server.gone == 0 && clock_mono_ms() < till; i++) {
		if (server.say.len == 0) {
			say(text);
			i = 0;
		}
		loop_turn(&server, -1);
	}
}

static void block(void)
{
	say_much(100);
	assert_int_equal(server.gone, 0);
}

static void test_not_taken(void **state)
{
	(void)state;
	open_stream(GET, 1000);
	say_much(INT_MAX);
	wait_gone();
	loop_server_stop(&server);
}

/* There is more to say all the time, and it is taken. */
static void test_taken(void **state)
{
	int64_t till = clock_mono_ms() + 3000;

	(void)state;
	open_stream(GET, 1000);
	hear("\r\n\r\n");
	server.talks = true;
	say("one");
	while (clock_mono_ms() < till) {
		client.len = 0;
		hear("and so on");
	}
	server.talks = false;
	assert_int_equal(server.gone, 0);
	exchange_end(server.stream);
	wait_gone();
	loop_server_stop(&server);
}

/* One that is asleep may sleep for long. */
static void test_asleep(void **state)
{
	int64_t till = clock_mono_ms() + 3000;

	(void)state;
	open_stream(GET, 1000);
	hear("\r\n\r\n");
	while (clock_mono_ms() < till)
		loop_turn(&server, -1);
	say("one");
	hear("one");
	exchange_end(server.stream);
	wait_gone();
	loop_server_stop(&server);
}

static void test_end_of_one_that_is_not_taken(void **state)
{
	(void)state;
	open_stream(GET, 0);
	block();
	exchange_end(server.stream);
	wait_gone();
	loop_server_stop(&server);
}

static void test_free_server(void **state)
{
	for (int blocked = 0; blocked < 2; blocked++) {
		open_stream(GET, 0);
		if (blocked)
			block();
		else
			hear("\r\n\r\n");
		loop_server_free_server(&server);
		assert_int_equal(server.gone, 1);
		loop_server_stop(&server);
		client_close(&client);
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(test_said),
		TEST(test_said_before_the_end),
		TEST(test_without_chunks),
		TEST(test_head),
		TEST(test_client_gone),
		TEST(test_not_taken),
		TEST(test_taken),
		TEST(test_asleep),
		TEST(test_end_of_one_that_is_not_taken),
		TEST(test_free_server),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
