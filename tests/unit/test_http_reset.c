/*
 * An application that answers before it has read the whole request and closes: its kernel then resets the connection.
 * What had come before the reset is the answer all the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/clock.h"
#include "http/http.h"
#include "tests/support/wait.h"

#define WAIT_MS   60000
#define REQUEST   20000 /* bytes of its body */
#define PAGE_MAX  200000
#define READ_ONLY 16 /* bytes of the request that the application looks at */

struct desk {
	uv_loop_t loop;
	struct http_client *client;
	int listener, peer; /* sockets that do not block */
	char request[REQUEST + 1];
	bool done, sent;
	long status;
	size_t len;
	char retry_after[16], words[128];
};

static int open_desk(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));

	*state = d;
	if (d == NULL || uv_loop_init(&d->loop) != 0)
		return -1;
	memset(d->request, 'x', REQUEST);
	d->peer = -1;
	d->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return http_client_new(&d->loop, &d->client, NULL) == ERR_OK ? 0 : -1;
}

static int close_desk(void **state)
{
	struct desk *d = *state;
	int closed;

	http_client_free(d->client);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	closed = uv_loop_close(&d->loop);
	close(d->listener);
	free(d);
	return closed;
}

/* Listens on loopback; the port. */
static int listen_at(const struct desk *d)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);

	assert_int_equal(bind(d->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(d->listener, 1), 0);
	assert_int_equal(getsockname(d->listener, (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin_port);
}

static void on_done(void *ctx, const struct http_answer *answer)
{
	struct desk *d = ctx;

	d->done = true;
	d->sent = answer->sent;
	d->status = answer->status;
	d->len = answer->len;
	snprintf(d->retry_after, sizeof(d->retry_after), "%s", answer->retry_after);
	snprintf(d->words, sizeof(d->words), "%s", answer->words);
}

static bool is_done(void *ctx)
{
	const struct desk *d = ctx;

	return d->done;
}

/* The application has the whole request, but has not read it. */
static bool has_come(void *ctx)
{
	char bytes[REQUEST];
	struct desk *d = ctx;

	if (d->peer < 0)
		d->peer = accept4(d->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return d->peer >= 0 && recv(d->peer, bytes, REQUEST, MSG_PEEK) == REQUEST;
}

static void ask(struct desk *d)
{
	struct http_hook hook = {on_done, d};
	struct http_request *request;
	char url[64];
	struct http_call call = {.method = HTTP_POST,
				 .url = url,
				 .accept = "application/json",
				 .media_type = "application/json",
				 .ca_file = "",
				 .body = d->request,
				 .deadline_ms = clock_mono_ms() + WAIT_MS};

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", listen_at(d));
	assert_int_equal(http_start(d->client, &call, &hook, &request), ERR_OK);
	assert_true(wait_in_loop(&d->loop, has_come, d, WAIT_MS));
}

/* Reads a little, sends this many bytes of its page, and closes; the loop does not run meanwhile. */
static void answer_and_close(struct desk *d, int page, int sent)
{
	char bytes[PAGE_MAX];
	int len = snprintf(bytes, sizeof(bytes),
			   "HTTP/1.1 429 Slow Down\r\nRetry-After: 7\r\nContent-Length: %d\r\n\r\n", page);

	assert_int_equal(recv(d->peer, bytes + len, READ_ONLY, 0), READ_ONLY);
	memset(bytes + len, ' ', (size_t)sent);
	assert_int_equal(send(d->peer, bytes, (size_t)(len + sent), MSG_NOSIGNAL), len + sent);
	close(d->peer);
	assert_true(wait_in_loop(&d->loop, is_done, d, WAIT_MS));
}

static void test_answer_before_reset(void **state)
{
	static const int pages[] = {2, 1000, 60000};

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct desk *d;

		assert_int_equal(i == 0 ? 0 : close_desk(state) + open_desk(state), 0);
		d = *state;
		ask(d);
		answer_and_close(d, pages[i], pages[i]);
		assert_string_equal(d->words, "");
		assert_int_equal(d->status, 429);
		assert_string_equal(d->retry_after, "7");
		assert_int_equal(d->len, pages[i]);
	}
}

/* Half an answer is none, and it is not waited for until the deadline. */
static void test_half_an_answer(void **state)
{
	struct desk *d = *state;

	ask(d);
	answer_and_close(d, 60000, 30000);
	assert_true(d->sent);
	assert_string_not_equal(d->words, "no answer in time");
	assert_int_equal(d->status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answer_before_reset),
		TEST(test_half_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
