/* Where the HTTP server listens, and TLS. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/loop_server.h"
#include "tests/support/proc.h"

#define LEN(a)    (sizeof(a) / sizeof(*(a)))
#define GET(path) "GET " path " HTTP/1.1\r\nHost: jit.test\r\n\r\n"

static struct loop_server server;
static struct client client;
static struct answer answer;
static char folder[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_server_XXXXXX");
	assert_non_null(mkdtemp(folder));
	client.fd = -1;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = {"socket", "key.pem", "certificate.pem", "log", "plain"};
	char path[128];

	(void)state;
	client_close(&client);
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
			      version + 6,
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
		TEST(test_unix_socket), TEST(test_stale_unix_socket),
		TEST(test_ipv6),        TEST(test_what_cannot_be_listened_on),
		TEST(test_shared_port), TEST(test_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
