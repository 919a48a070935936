/* Deadlines, limits and ends of the HTTP server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/loop_server.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: jit.test\r\n\r\n"

static struct loop_server server;
static struct client client, other;
static struct answer answer;

static int set_up(void **state)
{
	(void)state;
	client.fd = other.fd = -1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	client_close(&client);
	client_close(&other);
	return 0;
}

/* -- deadlines and ends ------------------------------------------------------------------------------------ */

static void test_deadline(void **state)
{
	struct server_options options = loop_server_options();

	(void)state;
	options.request_deadline_ms = 20;
	loop_server_start(&server, &options);
	client_open(&client, &server);
	client_send(&client, GET("/hold") GET("/hold") GET("/a"));
	for (size_t i = 1; i <= 2; i++) {
		client_read(&client, &answer, false);
		/* libmicrohttpd 1.0.1 begins with the second before the first answer has been read. */
		assert_true(server.held_count >= i);
		assert_int_equal(answer.status, 504);
		assert_string_equal(answer_header(&answer, "Retry-After"), "1");
		assert_non_null(strstr(answer.body, "\"code\":\"GatewayTimeout\""));
		assert_non_null(strstr(answer.body, answer_header(&answer, "request-id")));
	}
	client_read(&client, &answer, false);
	assert_int_equal(answer.status, 200);
	loop_wait_open(&server, 0);
	/* What the handler asks of the request still is there, and its late answer goes nowhere. */
	assert_string_equal(exchange_path(server.held[0]), "/hold");
	assert_string_equal(exchange_header(server.held[1], "Host"), "jit.test");
	loop_answer_held(&server, 200, "late");
	client_send(&client, GET("/a"));
	client_read(&client, &answer, false);
	assert_memory_equal(answer.body, "GET /a\n", 7);
	loop_server_stop(&server);
}

/* One that is answered in time does not let the deadline of those behind it pass. */
static void test_deadline_after_answer(void **state)
{
	struct server_options options = loop_server_options();

	(void)state;
	options.request_deadline_ms = 50;
	loop_server_start(&server, &options);
	client_open(&client, &server);
	client_open(&other, &server);
	client_send(&client, GET("/soon"));
	client_read(&client, &answer, false);
	assert_int_equal(answer.status, 200);
	client_send(&other, GET("/hold"));
	client_read(&other, &answer, false);
	assert_int_equal(answer.status, 504);
	loop_server_stop(&server);
}

/* A handler that says late how long it takes is waited for so long; what has been answered in its place stays so. */
static void test_deadline_said_later(void **state)
{
	struct server_options options = loop_server_options();

	(void)state;
	options.request_deadline_ms = 60000;
	loop_server_start(&server, &options);
	client_open(&client, &server);
	client_send(&client, GET("/hold"));
	loop_wait_held(&server, 1);
	exchange_answer_within(server.held[0], 1);
	client_read(&client, &answer, false);
	assert_int_equal(answer.status, 504);
	exchange_answer_within(server.held[0], 1);
	loop_wait_open(&server, 0);
	loop_answer_held(&server, 200, "late");
	client_send(&client, GET("/a"));
	client_read(&client, &answer, false);
	assert_int_equal(answer.status, 200);
	loop_server_stop(&server);
}

/* The handler answers while the deadline's answer is being sent. */
static void test_answer_right_after_deadline(void **state)
{
	struct server_options options = loop_server_options();

	(void)state;
	options.request_deadline_ms = 1;
	loop_server_start(&server, &options);
	client_open(&client, &server);
	for (int i = 0; i < 20; i++) {
		int64_t end;

		client_send(&client, GET("/hold"));
		loop_wait_held(&server, 1);
		/* The time passes without the loop; then deadline and answer come in one turn. */
		for (end = clock_mono_ms() + 3; clock_mono_ms() < end;)
			;
		uv_run(&server.loop, UV_RUN_NOWAIT);
		loop_answer_held(&server, 200, "late");
		client_read(&client, &answer, false);
		assert_int_equal(answer.status, 504);
	}
	loop_server_stop(&server);
}

static void test_free_with_suspended(void **state)
{
	struct server_options options = loop_server_options();

	(void)state;
	loop_server_start(&server, &options);
	client_open(&client, &server);
	client_open(&other, &server);
	client_send(&client, GET("/hold") GET("/hold"));
	client_send(&other, GET("/hold"));
	loop_wait_held(&server, 2);
	loop_server_free_server(&server);
	client_read(&client, &answer, false);
	assert_int_equal(answer.status, 503);
	assert_non_null(strstr(answer.body, "\"code\":\"ServiceUnavailable\""));
	client_read_end(&client);
	client_read(&other, &answer, false);
	assert_int_equal(answer.status, 503);
	assert_string_equal(exchange_path(server.held[0]), "/hold");
	loop_server_stop(&server); /* answers what is held */
}

static void test_client_gone(void **state)
{
	struct server_options options = loop_server_options();

	(void)state;
	loop_server_start(&server, &options);
	client_open(&client, &server);
	client_send(&client, GET("/hold"));
	loop_wait_held(&server, 1);
	client_close(&client);
	loop_answer_held(&server, 200, "to nobody");
	loop_wait_open(&server, 0);
	loop_server_stop(&server);
}

static void test_quiesce(void **state)
{
	struct server_options options = loop_server_options();
	struct loop_server *at = &server;
	uint16_t port;

	(void)state;
	loop_server_start(&server, &options);
	port = server_port(server.server);
	client_open(&client, &server);
	client_send(&client, GET("/hold"));
	loop_wait_held(&server, 1);
	server_quiesce(server.server);
	server_quiesce(server.server);
	assert_int_equal(server_port(server.server), port);
	assert_false(client_open(&other, at));
	loop_answer_held(&server, 200, "still");
	client_read(&client, &answer, false);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_header(&answer, "Connection"), "close");
	client_read_end(&client);
	loop_server_stop(&server);
}

/* -- limits ------------------------------------------------------------------------------------------------ */

static void test_connections_per_address(void **state)
{
	struct server_options options = loop_server_options();
	int64_t deadline = clock_mono_ms() + LOOP_WAIT_MS;

	(void)state;
	options.connections_per_address = 1;
	loop_server_start(&server, &options);
	client_open(&client, &server);
	client_send(&client, GET("/a"));
	client_read(&client, &answer, false);
	client_open(&other, &server);
	client_send(&other, GET("/a"));
	client_read_end(&other);
	assert_int_equal(other.len, 0);
	client_close(&client);
	/* The place is free as soon as the server has seen the first one go. */
	do {
		client_close(&other);
		client_open(&other, &server);
		client_send(&other, GET("/a"));
		loop_turn(&server, other.fd);
		loop_turn(&server, other.fd);
	} while (recv(other.fd, other.in, 9, MSG_DONTWAIT) != 9 && clock_mono_ms() < deadline);
	assert_memory_equal(other.in, "HTTP/1.1 ", 9);
	loop_server_stop(&server);
}

static void test_connections(void **state)
{
	struct server_options options = loop_server_options();

	(void)state;
	options.connections = 1;
	loop_server_start(&server, &options);
	client_open(&client, &server);
	client_send(&client, GET("/a"));
	client_read(&client, &answer, false);
	/* The second waits in the kernel's queue until the first has gone. */
	client_open(&other, &server);
	client_send(&other, GET("/b"));
	for (int i = 0; i < 20; i++)
		loop_turn(&server, other.fd);
	assert_int_equal(server.handled, 1);
	client_close(&client);
	client_read(&other, &answer, false);
	assert_int_equal(answer.status, 200);
	loop_server_stop(&server);
}

static void test_idle_connection(void **state)
{
	struct server_options options = loop_server_options();
	int64_t start;

	(void)state;
	options.idle_timeout_ms = 1000;
	loop_server_start(&server, &options);
	client_open(&client, &server);
	client_open(&other, &server);
	client_send(&other, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Le");
	client_send(&client, GET("/a"));
	client_read(&client, &answer, false);
	start = clock_mono_ms();
	client_read_end(&client);
	client_read_end(&other);
	assert_true(clock_mono_ms() - start >= 900);
	loop_server_stop(&server);
}

static void test_trickling_body(void **state)
{
	struct server_options options = loop_server_options();
	int64_t deadline = clock_mono_ms() + LOOP_WAIT_MS;
	char byte;

	(void)state;
	options.idle_timeout_ms = 1000;
	loop_server_start(&server, &options);
	client_open(&client, &server);
	client_send(&client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n");
	while (recv(client.fd, &byte, 1, MSG_DONTWAIT) < 0 && clock_mono_ms() < deadline) {
		client_send(&client, "x");
		loop_turn(&server, client.fd);
	}
	assert_true(clock_mono_ms() < deadline);
	assert_int_equal(server.handled, 0);
	loop_server_stop(&server);
}

/* A header that comes byte by byte never is idle either. */
static void test_trickling_head(void **state)
{
	struct server_options options = loop_server_options();
	int64_t deadline = clock_mono_ms() + LOOP_WAIT_MS;
	char byte;

	(void)state;
	options.idle_timeout_ms = 1000;
	loop_server_start(&server, &options);
	client_open(&client, &server);
	client_send(&client, "GET /a HTTP/1.1\r\nHost: h\r\nX-Test: ");
	while (recv(client.fd, &byte, 1, MSG_DONTWAIT) < 0 && clock_mono_ms() < deadline) {
		client_send(&client, "x");
		for (int i = 0; i < 10; i++)
			loop_turn(&server, client.fd);
	}
	assert_true(clock_mono_ms() < deadline);
	assert_int_equal(server.handled, 0);
	loop_server_stop(&server);
}

/*
 * A reader who takes a piece now and then is not idle, but holds the answer's memory. By a Unix socket: what the
 * kernel keeps of the answer is bounded there.
 */
static void test_slow_reader(void **state)
{
	enum { LARGE = 4 << 20, PIECE = 64 << 10 };
	struct server_options options = loop_server_options();
	char *body = malloc(LARGE + 1), path[64];
	int64_t deadline, next = 0;

	(void)state;
	assert_non_null(body);
	memset(body, 'x', LARGE);
	body[LARGE] = '\0';
	snprintf(path, sizeof(path), "/tmp/jit-slow-%d.sock", (int)getpid());
	options.host = "unix";
	options.path = path;
	options.idle_timeout_ms = 1000;
	options.slowest_reader = LARGE; /* it has two seconds in all; at its own pace it would take sixteen */
	loop_server_start(&server, &options);
	assert_true(client_open_unix(&client, &server, path));
	client_send(&client, GET("/hold"));
	loop_wait_held(&server, 1);
	loop_answer_held(&server, 200, body);
	deadline = clock_mono_ms() + LOOP_WAIT_MS;
	while (server_open_exchanges(server.server) > 0 && clock_mono_ms() < deadline) {
		if (clock_mono_ms() >= next) {
			recv(client.fd, client.in, PIECE, MSG_DONTWAIT);
			next = clock_mono_ms() + 250;
		}
		loop_turn(&server, -1);
	}
	assert_true(clock_mono_ms() < deadline);
	loop_server_stop(&server);
	free(body);
}

/* Neither limit counts while the server itself takes its time. */
static void test_patient_client(void **state)
{
	struct server_options options = loop_server_options();
	int64_t end = clock_mono_ms() + 2500;

	(void)state;
	options.idle_timeout_ms = 1000;
	loop_server_start(&server, &options);
	client_open(&client, &server);
	client_send(&client, GET("/hold"));
	loop_wait_held(&server, 1);
	while (clock_mono_ms() < end)
		loop_turn(&server, -1);
	loop_answer_held(&server, 200, "at last");
	client_read(&client, &answer, false);
	assert_string_equal(answer.body, "at last");
	loop_server_stop(&server);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_deadline),
		TEST(test_deadline_after_answer),
		TEST(test_deadline_said_later),
		TEST(test_answer_right_after_deadline),
		TEST(test_free_with_suspended),
		TEST(test_client_gone),
		TEST(test_quiesce),
		TEST(test_connections_per_address),
		TEST(test_connections),
		TEST(test_idle_connection),
		TEST(test_trickling_body),
		TEST(test_trickling_head),
		TEST(test_slow_reader),
		TEST(test_patient_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
