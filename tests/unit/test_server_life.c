/* Deadlines, limits, ends, sockets and TLS of the HTTP server. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/loop_server.h"
#include "tests/support/proc.h"

#define LEN(a)    (sizeof(a) / sizeof(*(a)))
#define GET(path) "GET " path " HTTP/1.1\r\nHost: jit.test\r\n\r\n"

static struct loop_server server;
static struct client client, other;
static struct answer answer;
static char folder[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_server_XXXXXX");
	assert_non_null(mkdtemp(folder));
	client.fd = other.fd = -1;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = {"socket", "key.pem", "certificate.pem", "log", "plain"};
	char path[128];

	(void)state;
	client_close(&client);
	client_close(&other);
	for (size_t i = 0; i < LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(folder), 0);
	return 0;
}

static const char *in_folder(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
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
		assert_int_equal(server.held_count, i);
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

/* -- sockets ----------------------------------------------------------------------------------------------- */

static void test_unix_socket(void **state)
{
	struct server_options options = loop_server_options();
	struct server *second;
	struct errctx ec;

	(void)state;
	options.host = "unix";
	options.path = in_folder("socket");
	loop_server_start(&server, &options);
	assert_int_equal(server_port(server.server), 0);
	assert_true(client_open_unix(&client, &server, in_folder("socket")));
	client_send(&client, "GET /a HTTP/1.0\r\n\r\n");
	client_read(&client, &answer, false);
	assert_non_null(strstr(answer.body, "from unix\nbase http://localhost\n"));
	second = server_new(&server.loop, &options, &ec);
	assert_null(second);
	assert_non_null(strstr(ec.text, "another process listens there"));
	loop_server_stop(&server);
	assert_int_equal(access(in_folder("socket"), F_OK), -1);
}

static void test_stale_unix_socket(void **state)
{
	struct server_options options = loop_server_options();
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", in_folder("socket"));
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	options.host = "unix";
	options.path = in_folder("socket");
	loop_server_start(&server, &options);
	assert_true(client_open_unix(&client, &server, in_folder("socket")));
	client_send(&client, GET("/a"));
	client_read(&client, &answer, false);
	assert_int_equal(answer.status, 200);
	loop_server_stop(&server);
}

static void test_ipv6(void **state)
{
	struct server_options options = loop_server_options();
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};

	(void)state;
	options.host = "::1";
	loop_server_start(&server, &options);
	memset(&client, 0, sizeof(client));
	client.at = &server;
	client.fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	in6.sin6_port = htons(server_port(server.server));
	assert_int_equal(connect(client.fd, (struct sockaddr *)&in6, sizeof(in6)), 0);
	client_send(&client, "GET /a HTTP/1.0\r\n\r\n");
	client_read(&client, &answer, false);
	assert_non_null(strstr(answer.body, "from ::1\nbase http://[::1]:"));
	loop_server_stop(&server);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void test_what_cannot_be_listened_on(void **state)
{
	static char long_path[200];
	struct {
		const char *host, *path, *certificate, *why;
	} rows[] = {
		{"localhost", NULL, NULL, "no numeric address"},
		{"", NULL, NULL, "no numeric address"},
		{"192.0.2.1", NULL, NULL, "192.0.2.1: "}, /* RFC 5737: nobody's */
		{"unix", NULL, NULL, "no socket path"},
		{"unix", "", NULL, "no socket path"},
		{"unix", long_path, NULL, "no socket path"},
		{"unix", "/nonexistent/socket", NULL, "No such file"},
		{"unix", in_folder("plain"), NULL, "is no socket"},
		{"127.0.0.1", NULL, "/nonexistent.pem", "/nonexistent.pem: cannot be read"},
		{"127.0.0.1", NULL, in_folder("plain"), "the HTTP server does not start: "},
	};
	uv_loop_t loop;

	(void)state;
	memset(long_path, 'a', sizeof(long_path) - 1);
	write_file(in_folder("plain"), "no certificate");
	assert_int_equal(uv_loop_init(&loop), 0);
	for (size_t i = 0; i < LEN(rows); i++) {
		struct server_options options = loop_server_options();
		struct errctx ec = {""};

		options.host = rows[i].host;
		options.path = rows[i].path;
		options.certificate_file = options.key_file = rows[i].certificate;
		assert_null(server_new(&loop, &options, &ec));
		if (!strstr(ec.text, rows[i].why))
			fail_msg("%s: \"%s\"", rows[i].host, ec.text);
	}
	assert_int_equal(uv_loop_close(&loop), 0);
	server_free(NULL);
}

/* Two brokers of one machine share a port. */
static void test_shared_port(void **state)
{
	static struct loop_server second;
	struct server_options options = loop_server_options();

	(void)state;
	loop_server_start(&server, &options);
	options.port = server_port(server.server);
	loop_server_start(&second, &options);
	assert_int_equal(server_port(second.server), options.port);
	loop_server_stop(&second);
	client_open(&client, &server);
	client_send(&client, GET("/a"));
	client_read(&client, &answer, false);
	assert_int_equal(answer.status, 200);
	loop_server_stop(&server);
}

/* -- TLS --------------------------------------------------------------------------------------------------- */

/* Turns the loop until the program ends; its exit status. */
static int finish(struct proc *proc)
{
	int64_t deadline = clock_mono_ms() + LOOP_WAIT_MS;

	while (proc_alive(proc) && clock_mono_ms() < deadline)
		loop_turn(&server, -1);
	return proc_end(proc, 15, 1000);
}

static void make_certificate(void)
{
	const char *argv[] = {"openssl",
			      "req",
			      "-x509",
			      "-newkey",
			      "ec",
			      "-pkeyopt",
			      "ec_paramgen_curve:prime256v1",
			      "-nodes",
			      "-subj",
			      "/CN=jit.test",
			      "-addext",
			      "subjectAltName=IP:127.0.0.1",
			      "-days",
			      "2",
			      "-keyout",
			      in_folder("key.pem"),
			      "-out",
			      in_folder("certificate.pem"),
			      NULL};
	struct proc openssl = {0};

	assert_true(proc_start(&openssl, argv, NULL, in_folder("log")));
	assert_int_equal(proc_end(&openssl, 0, LOOP_WAIT_MS), 0);
}

/* Asks by TLS of that version; the whole answer is in the log. */
static int ask_by_tls(const char *version)
{
	char url[64], resolved[64];
	const char *argv[] = {"curl",
			      "--silent",
			      "--show-error",
			      "--max-time",
			      "10",
			      "--cacert",
			      in_folder("certificate.pem"),
			      version,
			      "--tls-max",
			      version + 5,
			      "--include",
			      url,
			      url,
			      NULL};
	struct proc curl = {0};

	snprintf(url, sizeof(url), "https://127.0.0.1:%d/a?b=c", server_port(server.server));
	snprintf(resolved, sizeof(resolved), "base https://127.0.0.1:%d", server_port(server.server));
	assert_true(proc_start(&curl, argv, NULL, in_folder("log")));
	if (finish(&curl) != 0)
		return -1;
	assert_true(proc_log_holds(&curl, resolved));
	assert_true(proc_log_holds(&curl, "query b=c"));
	return 0;
}

static void test_tls(void **state)
{
	struct server_options options = loop_server_options();

	(void)state;
	make_certificate();
	options.certificate_file = in_folder("certificate.pem");
	options.key_file = in_folder("key.pem");
	loop_server_start(&server, &options);
	assert_int_equal(ask_by_tls("--tlsv1.3"), 0);
	assert_int_equal(ask_by_tls("--tlsv1.2"), 0);
	assert_int_equal(server.handled, 4);
	assert_int_equal(ask_by_tls("--tlsv1.1"), -1);
	/* Who does not speak TLS gets nothing. */
	client_open(&client, &server);
	client_send(&client, GET("/a"));
	client_read_end(&client);
	assert_int_equal(server.handled, 4);
	loop_server_stop(&server);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_deadline),
		TEST(test_deadline_after_answer),
		TEST(test_answer_right_after_deadline),
		TEST(test_free_with_suspended),
		TEST(test_client_gone),
		TEST(test_quiesce),
		TEST(test_connections_per_address),
		TEST(test_connections),
		TEST(test_idle_connection),
		TEST(test_trickling_body),
		TEST(test_unix_socket),
		TEST(test_stale_unix_socket),
		TEST(test_ipv6),
		TEST(test_what_cannot_be_listened_on),
		TEST(test_shared_port),
		TEST(test_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
