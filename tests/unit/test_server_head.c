/* Where a request ends: what two readers of one connection could understand differently is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/loop_server.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

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

/* Each of these is answered 400, by the handler or by the library, and nothing behind it is read as a request. */
#define SMUGGLED "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
static const char *const refused_messages[] = {
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: "
	"chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: "
	"5\r\n\r\n0\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 38\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 38\r\ncontent-length: 0\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0, 38\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: +0\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0x0\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length : 38\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
	"chunked\r\n\r\n"
	"0\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\nTransfer-Encoding: "
	"chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n" SMUGGLED,
	"GET /a HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n" SMUGGLED,
	"GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer a\r\nAuthorization: Bearer "
	"b\r\n\r\n" SMUGGLED,
	"GET /a HTTP/1.1\r\nHost: h/i\r\n\r\n" SMUGGLED,
	"GET /a HTTP/1.1\r\nHost:\r\n\r\n" SMUGGLED,
	"GET /a HTTP/1.1\r\n\r\n" SMUGGLED,
	"GET http://a@b/a HTTP/1.1\r\nHost: h\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding:\r\n "
	"chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\tchunked\r\nContent-Length: "
	"4\r\n\r\n0\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n 38\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n 8\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: \r\n 3\r\n 8\r\nX-Test: a\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\nContent-Length: 0\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\nHost: h\r\nContent-Length: 0\r\n\r\n" SMUGGLED,
	"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\n" SMUGGLED,
	"GET /a HTTP/1.1\r\nHost: h\r\n X-Folded: first\r\n\r\n" SMUGGLED,
	"GET /a HTTP/1.1\r\nHost: h\r\nX-Folded: first\r\n second\r\nX-Test: a\r\n\r\n" SMUGGLED,
	"GET /a HTTP/1.1\r\n X-Test: a\r\nHost: h\r\n\r\n" SMUGGLED,
	"GET /a HTTP/1.1\r\nHost: h\r\nX-Test: a\x01\r\n\r\n" SMUGGLED,
	"GET /a HTTP/1.1\r\nHost: h\r\nX-Test: a\rX-Other: b\r\n\r\n" SMUGGLED,
	"GET /a HTTP/1.1\r\nHost: h\r\nX(Test): a\r\n\r\n" SMUGGLED,
	"GET /a HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n" SMUGGLED,
	"G(T /a HTTP/1.1\r\nHost: h\r\n\r\n" SMUGGLED,
	"AVERYLONGMETHODINDEED /a HTTP/1.1\r\nHost: h\r\n\r\n" SMUGGLED,
	"GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n" SMUGGLED,
	"GET /a%2Fb HTTP/1.1\r\nHost: h\r\n\r\n" SMUGGLED,
	"GET /a?x=1&x=2 HTTP/1.1\r\nHost: h\r\n\r\n" SMUGGLED,
	"GET /a?x=%zz HTTP/1.1\r\nHost: h\r\n\r\n" SMUGGLED,
	"GET * HTTP/1.1\r\nHost: h\r\n\r\n" SMUGGLED,
	"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n" SMUGGLED,
};

/* The same with a NUL, at which a text in C ends. */
#define MESSAGE(text)                                                                                        \
	{                                                                                                    \
		text, sizeof(text) - 1                                                                       \
	}
static const struct {
	const char *bytes;
	size_t len;
} refused_nuls[] = {
	MESSAGE("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\0 38\r\n\r\n" SMUGGLED),
	MESSAGE("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\0\r\n\r\n" SMUGGLED),
	MESSAGE("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\0\0\0\0\r\nX-Test: a\r\n\r\n" SMUGGLED),
	MESSAGE("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length\0: 38\r\n\r\n" SMUGGLED),
	MESSAGE("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: \00038\r\n\r\n" SMUGGLED),
	MESSAGE("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\0x\r\n\r\n0\r\n\r\n" SMUGGLED),
	MESSAGE("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \0chunked\r\n\r\n0\r\n\r\n" SMUGGLED),
	MESSAGE("GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer tok\0zzz\r\nX-Test: a\r\n\r\n" SMUGGLED),
	MESSAGE("GET /a HTTP/1.1\r\nHost: h\0i\r\n\r\n" SMUGGLED),
	MESSAGE("GET /a HTTP/1.1\r\nHost: h\r\nX-Te\0st: a\r\n\r\n" SMUGGLED),
	MESSAGE("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\0\0\0\0 38\r\n\r\n" SMUGGLED),
	MESSAGE("GET /a HTTP/1.1\r\n\0Host: h\r\n\r\n" SMUGGLED),
};
#undef MESSAGE

/* Bodies in chunks, whose ends two readers may see in different places: the first request at most is read. */
#define CHUNKED "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
static const char *const last_messages[] = {
	CHUNKED "2\r\nok\r\n0\r\n\r\n" SMUGGLED, CHUNKED "0\r\nX-Trailer: t\r\n\r\n" SMUGGLED,
	CHUNKED "2\nok\r\n0\r\n\r\n" SMUGGLED,   CHUNKED "2\r\nok\n0\r\n\r\n" SMUGGLED,
	CHUNKED "2\r\nok\r\n0\n\r\n" SMUGGLED,   CHUNKED "2\r\nok\r\n0\r\n\n" SMUGGLED,
	CHUNKED "2\nok\n0\n\n" SMUGGLED,         CHUNKED "2;a=b\nok\r\n0\r\nX-Trailer: t\n\n" SMUGGLED,
};
#undef CHUNKED
#undef SMUGGLED

static void refused(const char *bytes, size_t len)
{
	size_t before = server.handled;

	reconnect();
	client_send_bytes(&client, bytes, len);
	client_read(&client, &answer, false);
	client_read_end(&client);
	/* 0.9.75 writes the head of its own answers to a bad Content-Length twice, then closes. */
	if (answer.status != 400 || server.handled > before + 1 || strstr(client.in, "smuggled"))
		fail_msg("%d and \"%s\" to\n%.*s", answer.status, client.in, (int)len, bytes);
}

static void test_refused_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(refused_messages); i++)
		refused(refused_messages[i], strlen(refused_messages[i]));
	for (size_t i = 0; i < LEN(refused_nuls); i++)
		refused(refused_nuls[i].bytes, refused_nuls[i].len);
}

static void expect_last(const char *message)
{
	size_t before = server.handled;

	client_read(&client, &answer, false);
	if (answer.status == 200)
		assert_non_null(answer_header(&answer, "Connection"));
	client_read_end(&client);
	/* What a later version refuses it may have refused without asking the handler. */
	if (server.handled > before + 1 || strstr(client.in, "smuggled"))
		fail_msg("\"%s\" to\n%s", client.in, message);
}

/* In one piece, and with what is behind the body sent while it is answered. */
static void test_nothing_behind_chunks(void **state)
{
	size_t taken = 0;

	(void)state;
	for (size_t i = 0; i < LEN(last_messages); i++) {
		const char *behind = strstr(last_messages[i], "GET /smuggled");

		reconnect();
		client_send(&client, last_messages[i]);
		expect_last(last_messages[i]);
		taken += answer.status == 200;
		reconnect();
		client_send_bytes(&client, last_messages[i], (size_t)(behind - last_messages[i]));
		client_send(&client, behind);
		expect_last(last_messages[i]);
	}
	assert_in_range(taken, 2, LEN(last_messages));
}

/* Later versions close some of them without an answer. */
static void test_nul_in_request_lines(void **state)
{
	static const char *const lines[] = {"GET /a@b HTTP/1.1", "GET@ /a HTTP/1.1", "GET /a HTTP/1.1@",
					    "GET /a@ HTTP/1.1", "GET /a?b@c=d HTTP/1.1"};
	char message[128];

	(void)state;
	for (size_t i = 0; i < LEN(lines); i++) {
		int len = snprintf(message, sizeof(message), "%s\r\nHost: h\r\n\r\n", lines[i]);

		*strchr(message, '@') = '\0';
		reconnect();
		client_send_bytes(&client, message, (size_t)len);
		client_read_end(&client);
		if (client.len > 0 && strncmp(client.in, "HTTP/1.1 400", 12) != 0)
			fail_msg("\"%s\" to %s", client.in, lines[i]);
	}
}

/* What is unusual and yet in order, in one piece and byte by byte. */
static void test_taken_messages(void **state)
{
	static const char *const taken[] = {
		"POST /a HTTP/1.1\r\nHost:h\r\nContent-Length: \t 2\r\n\r\nok",
		"POST /a HTTP/1.1\r\nHost: h\r\nX-Empty:\r\nX-Blank:  \r\nX-Test: a:b \t "
		"c\r\nContent-Length: "
		"002\r\nX-Empty:\r\n\r\nok",
		"POST /a HTTP/1.1\r\nContent-Length: 2\r\nCookie: a=b; c=d\r\nHost: h\r\n\r\nok",
		"POST /a?x=1 HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
	};

	(void)state;
	for (size_t i = 0; i < LEN(taken); i++) {
		reconnect();
		ask(taken[i]);
		assert_int_equal(answer.status, 200);
		for (const char *p = taken[i]; *p; p++)
			client_send_bytes(&client, p, 1);
		client_read(&client, &answer, false);
		assert_int_equal(answer.status, 200);
		assert_non_null(strstr(answer.body, "\n\nok"));
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_refused_messages),
		TEST(test_nothing_behind_chunks),
		TEST(test_nul_in_request_lines),
		TEST(test_taken_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
