/* What goes over one connection: requests, refusals, answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/id.h"
#include "tests/support/loop_server.h"

#define LEN(a)    (sizeof(a) / sizeof(*(a)))
#define GET(path) "GET " path " HTTP/1.1\r\nHost: jit.test\r\n\r\n"

static struct loop_server server;
static struct client client;
static struct answer answer;

static int set_up(void **state)
{
	struct server_options options = loop_server_options();

	(void)state;
	loop_server_start(&server, &options);
	assert_true(client_open(&client, &server));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	client_close(&client);
	loop_server_stop(&server);
	return 0;
}

/* A fresh connection for the next row. */
static void reconnect(void)
{
	client_close(&client);
	assert_true(client_open(&client, &server));
}

static void ask(const char *request)
{
	client_send(&client, request);
	client_read(&client, &answer, false);
}

static void test_headers_of_answers(void **state)
{
	char first[ID_SIZE];

	(void)state;
	ask(GET("/a"));
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer_header(&answer, "Content-Type"), "text/plain");
	assert_string_equal(answer_header(&answer, "Cache-Control"), "no-store");
	assert_string_equal(answer_header(&answer, "X-Content-Type-Options"), "nosniff");
	assert_non_null(answer_header(&answer, "Date"));
	assert_null(answer_header(&answer, "client-request-id"));
	assert_true(id_valid(answer_header(&answer, "request-id")));
	snprintf(first, sizeof(first), "%s", answer_header(&answer, "request-id"));
	ask(GET("/a"));
	assert_string_not_equal(answer_header(&answer, "request-id"), first);
}

static void test_keep_alive(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		ask(i % 2 == 0 ? GET("/a?x=1") : GET("/soon"));
		assert_int_equal(answer.status, 200);
		assert_null(answer_header(&answer, "Connection"));
	}
	assert_int_equal(server.handled, 50);
}

static void test_pipelined(void **state)
{
	static const char *const want[] = {"GET /1\n", "soon", "GET /2\n", "POST /3\n", "soon", "GET /4\n"};

	(void)state;
	client_send(
		&client,
		GET("/1") GET("/soon")
			GET("/2") "POST /3 HTTP/1.1\r\nHost: jit.test\r\nContent-Length: 5\r\n\r\nGET /" GET(
				"/soon") GET("/4"));
	for (size_t i = 0; i < LEN(want); i++) {
		client_read(&client, &answer, false);
		assert_int_equal(answer.status, 200);
		assert_memory_equal(answer.body, want[i], strlen(want[i]));
	}
	loop_wait_open(&server, 0);
}

static void test_deferred(void **state)
{
	(void)state;
	client_send(&client, GET("/hold"));
	loop_wait_held(&server, 1);
	assert_int_equal(server_open_exchanges(server.server), 1);
	/* The connection waits, the server does not. */
	struct client *other = calloc(1, sizeof(*other));

	assert_true(client_open(other, &server));
	client_send(other, GET("/a"));
	client_read(other, &answer, false);
	assert_int_equal(answer.status, 200);
	client_close(other);
	free(other);
	loop_answer_held(&server, 201, "now");
	client_read(&client, &answer, false);
	assert_int_equal(answer.status, 201);
	assert_string_equal(answer.body, "now");
}

static void test_what_handlers_see(void **state)
{
	(void)state;
	ask("POST /v1.0/f(on='x')%20+y?$filter=a+eq+%27b%27&c HTTP/1.1\r\nhost: Jit.Test:8080\r\n"
	    "x-test:  two words \r\nAUTHORIZATION: Bearer t\r\nContent-Length: 4\r\n\r\nbody");
	assert_string_equal(answer.body, "POST /v1.0/f(on='x') +y\nquery $filter=a eq 'b'\nquery c=\n"
					 "header X-Test=two words\nheader Authorization=Bearer t\n"
					 "from 127.0.0.1\nbase http://Jit.Test:8080\n\nbody");
}

static void test_base_urls(void **state)
{
	static const struct {
		const char *request, *base;
	} rows[] = {
		{"GET /a HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "base http://[::1]:80\n"},
		{"GET http://other:1/a HTTP/1.1\r\nHost: jit.test\r\n\r\n", "base http://other:1\n"},
		{"GET /a HTTP/1.0\r\nHost: old\r\n\r\n", "base http://old\n"},
		{"GET /a HTTP/1.0\r\n\r\n", "base http://127.0.0.1:"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		reconnect();
		ask(rows[i].request);
		assert_int_equal(answer.status, 200);
		if (!strstr(answer.body, rows[i].base))
			fail_msg("%s", answer.body);
	}
}

static void test_client_request_id(void **state)
{
#define ID "2B2BD6F2-6A8A-4F0E-9C1A-0123456789AB"
	(void)state;
	ask("GET /a HTTP/1.1\r\nHost: h\r\nclient-request-id: " ID "\r\n\r\n");
	assert_string_equal(answer_header(&answer, "client-request-id"), ID);
	ask("GET /a HTTP/1.1\r\nHost: h\r\nclient-request-id: no-uuid\r\n\r\n");
	assert_int_equal(answer.status, 200);
	assert_null(answer_header(&answer, "client-request-id"));
	ask("GET /%00 HTTP/1.1\r\nHost: h\r\nclient-request-id: " ID "\r\n\r\n");
	assert_int_equal(answer.status, 400);
	assert_non_null(strstr(answer.body, "\"client-request-id\":\"" ID "\""));
#undef ID
}

static void test_head(void **state)
{
	size_t len;

	(void)state;
	ask(GET("/a"));
	len = answer.body_len;
	client_send(&client, "HEAD /a HTTP/1.1\r\nHost: jit.test\r\n\r\n");
	client_read(&client, &answer, true);
	assert_int_equal(answer.status, 200);
	assert_int_equal(strtoul(answer_header(&answer, "Content-Length"), NULL, 10), len);
	ask(GET("/b"));
	assert_memory_equal(answer.body, "GET /b\n", 7);
}

static void test_set_header(void **state)
{
	(void)state;
	ask(GET("/drop"));
	assert_int_equal(answer.status, 204);
	assert_string_equal(answer_header(&answer, "X-Good"), "yes");
	assert_null(strstr(answer.head, "Bad"));
	assert_null(strstr(answer.head, "Forged"));
	assert_null(answer_header(&answer, "Content-Type"));
	ask(GET("/cache"));
	assert_string_equal(answer_header(&answer, "Cache-Control"), "max-age=60");
	assert_string_equal(answer.body, "a{}");
}

/* -- bodies ------------------------------------------------------------------------------------------------ */

static void test_chunked_and_slow_bodies(void **state)
{
	static const char request[] = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
				      "4\r\nslow\r\n5\r\n body\r\n0\r\nX-Trailer: t\r\n\r\n";

	(void)state;
	ask(request);
	assert_non_null(strstr(answer.body, "\n\nslow body"));
	reconnect();
	for (const char *p = request; *p; p++)
		client_send_bytes(&client, p, 1);
	client_read(&client, &answer, false);
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "\n\nslow body"));
}

static void test_continue(void **state)
{
	(void)state;
	ask("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
	assert_int_equal(answer.status, 100);
	ask("ok");
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body, "\n\nok"));
	/* Too large: the answer comes instead of the invitation to send. */
	ask("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\nExpect: 100-continue\r\n\r\n");
	assert_int_equal(answer.status, 413);
	client_read_end(&client);
}

static void send_body(const char *head, size_t len)
{
	char *bytes = malloc(len);

	assert_non_null(bytes);
	memset(bytes, 'x', len);
	client_send(&client, head);
	client_send_bytes(&client, bytes, len);
	free(bytes);
}

static void test_largest_body(void **state)
{
	(void)state;
	send_body("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n\r\n", 65536);
	client_read(&client, &answer, false);
	assert_int_equal(answer.status, 200);
	assert_int_equal(strlen(strstr(answer.body, "\n\n") + 2), 65536);
	client_send(&client, "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	send_body("10000\r\n", 65536);
	ask("\r\n0\r\n\r\n");
	assert_int_equal(answer.status, 200);
	assert_int_equal(strlen(strstr(answer.body, "\n\n") + 2), 65536);
}

static void test_too_large_bodies(void **state)
{
	static const struct {
		const char *head, *tail;
		size_t len;
	} rows[] = {
		{"Content-Length: 65537\r\n\r\n", "", 65537},
		{"Content-Length: 500000\r\n\r\n", "", 500000},
		{"Content-Length: 10000000\r\n\r\n", "", 0},
		{"Transfer-Encoding: chunked\r\n\r\n10001\r\n", "\r\n0\r\n\r\n", 65537},
	};
	char head[256];

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		reconnect();
		snprintf(head, sizeof(head), "POST /a HTTP/1.1\r\nHost: h\r\n%s", rows[i].head);
		send_body(head, rows[i].len);
		ask(rows[i].tail);
		assert_int_equal(answer.status, 413);
		assert_non_null(strstr(answer.body, "\"code\":\"RequestEntityTooLarge\""));
		assert_string_equal(answer_header(&answer, "Connection"), "close");
		client_read_end(&client);
	}
}

/* A chunked body without an end is cut off at some point, without the handler being asked. */
static void test_endless_body(void **state)
{
	(void)state;
	client_send(&client, "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 200 && !client.ended; i++)
		send_body("10000\r\n", 65536), client_send(&client, "\r\n");
	client_read_end(&client);
	assert_int_equal(server.handled, 0);
}

/* -- refusals ---------------------------------------------------------------------------------------------- */

/* A request with a header field of that many bytes. */
static void send_large_header(const char *path, size_t len)
{
	char *value = malloc(len + 1);

	assert_non_null(value);
	memset(value, 'a', len);
	value[len] = '\0';
	client_send(&client, "GET ");
	client_send(&client, path);
	client_send(&client, " HTTP/1.1\r\nHost: h\r\nAuthorization: ");
	client_send(&client, value);
	client_send(&client, "\r\n\r\n");
	free(value);
}

static void test_large_headers(void **state)
{
	static const size_t refused[] = {16 * 1024, 40 * 1024, 200 * 1024};

	(void)state;
	send_large_header("/cache", 12 * 1024); /* a token with many groups */
	client_read(&client, &answer, false);
	assert_int_equal(answer.status, 200);
	for (size_t i = 0; i < LEN(refused); i++) {
		reconnect();
		send_large_header("/cache", refused[i]);
		client_read(&client, &answer, false);
		assert_int_equal(answer.status, 431);
		client_read_end(&client);
	}
	assert_int_equal(server.handled, 1);
}

static void test_long_urls(void **state)
{
	static const struct {
		int len, status;
	} rows[] = {{URL_MAX, 200}, {URL_MAX + 1, 431}, {30000, 414}};
	char request[32000];

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		reconnect();
		snprintf(request, sizeof(request), "GET /%0*d HTTP/1.1\r\nHost: h\r\n\r\n", rows[i].len - 1,
			 0);
		ask(request);
		assert_int_equal(answer.status, rows[i].status);
	}
}

static void test_error_shape(void **state)
{
	(void)state;
	ask("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_string_equal(answer_header(&answer, "Content-Type"), "application/json");
	assert_non_null(
		strstr(answer.body, "{\"error\":{\"code\":\"BadRequest\",\"message\":\"A percent sign"));
	assert_non_null(strstr(answer.body, ",\"innerError\":{\"date\":\"20"));
	assert_non_null(strstr(answer.body, answer_header(&answer, "request-id")));
	assert_null(strstr(answer.body, "details"));
	assert_null(answer_header(&answer, "Retry-After"));
}

static void test_headers_of_errors(void **state)
{
	(void)state;
	ask(GET("/denied"));
	assert_int_equal(answer.status, 401);
	assert_string_equal(answer_header(&answer, "WWW-Authenticate"), "Bearer");
	assert_non_null(strstr(
		answer.body, "\"code\":\"InvalidAuthenticationToken\",\"message\":\"Who is \\\"this\\\"?\""));
	ask(GET("/busy"));
	assert_int_equal(answer.status, 503);
	assert_string_equal(answer_header(&answer, "Retry-After"), "30");
	assert_non_null(strstr(answer.body, ",\"details\":[{\"rule\":\"r\"}],\"innerError\":{"));
	ask(GET("/full"));
	assert_int_equal(answer.status, 429);
	assert_string_equal(answer_header(&answer, "Retry-After"), "1");
	assert_null(answer_header(&answer, "WWW-Authenticate"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_headers_of_answers), TEST(test_keep_alive),
		TEST(test_pipelined),          TEST(test_deferred),
		TEST(test_what_handlers_see),  TEST(test_base_urls),
		TEST(test_client_request_id),  TEST(test_head),
		TEST(test_set_header),         TEST(test_chunked_and_slow_bodies),
		TEST(test_continue),           TEST(test_largest_body),
		TEST(test_too_large_bodies),   TEST(test_endless_body),
		TEST(test_large_headers),      TEST(test_long_urls),
		TEST(test_error_shape),        TEST(test_headers_of_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
