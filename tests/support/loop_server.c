#include "tests/support/loop_server.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/error.h"
#include "server/target.h"
#include "base/clock.h"

/* -- the handler ------------------------------------------------------------------------------------------- */

static void echo(struct exchange *e)
{
	static const char *const shown[] = {"X-Test", "Authorization"};
	size_t len, count;
	const char *body = exchange_body(e, &len);
	const struct query_param *params = exchange_query_list(e, &count);
	struct buf out;

	buf_init(&out, RESPONSE_MAX);
	buf_addf(&out, "%s %s\n", exchange_method(e), exchange_path(e));
	for (size_t i = 0; i < count; i++)
		buf_addf(&out, "query %s=%s\n", params[i].name, exchange_query(e, params[i].name));
	for (size_t i = 0; i < 2; i++) {
		if (exchange_header(e, shown[i]))
			buf_addf(&out, "header %s=%s\n", shown[i], exchange_header(e, shown[i]));
	}
	buf_addf(&out, "from %s\nbase %s\n\n", exchange_address(e), exchange_base_url(e));
	buf_add(&out, body, len);
	exchange_answer(e, 200, "text/plain", buf_text(&out), out.len);
	buf_release(&out);
}

static void on_soon(uv_timer_t *timer)
{
	struct loop_server *s = timer->data;

	for (size_t i = 0; i < s->soon_count; i++)
		exchange_answer(s->soon_list[i], 200, "text/plain", "soon", 4);
	s->soon_count = 0;
}

static void give(void *ctx, struct buf *out)
{
	struct loop_server *s = ctx;

	buf_add(out, buf_text(&s->say), s->say.len);
	buf_clear(&s->say);
	if (s->talks)
		buf_adds(out, "and so on");
}

static void on_gone(void *ctx)
{
	struct loop_server *s = ctx;

	s->gone++;
	s->stream = NULL;
}

static void handle(void *ctx, struct exchange *e)
{
	struct loop_server *s = ctx;
	const char *path = exchange_path(e);

	s->handled++;
	if (exchange_refused(e) != ERR_OK) {
		exchange_error(e, exchange_refused(e), exchange_refused_reason(e), NULL);
	} else if (strcmp(path, "/stream") == 0) {
		const struct stream stream = {"text/plain", give, on_gone, s};

		s->stream = e;
		exchange_stream(e, &stream);
	} else if (strcmp(path, "/hold") == 0) {
		assert_true(s->held_count < LOOP_HELD_MAX);
		s->held[s->held_count++] = e;
	} else if (strcmp(path, "/soon") == 0) {
		assert_true(s->soon_count < LOOP_HELD_MAX);
		s->soon_list[s->soon_count++] = e;
		uv_timer_start(&s->soon, on_soon, 1, 0);
	} else if (strcmp(path, "/drop") == 0) {
		exchange_set_header(e, "X-Good", "yes");
		exchange_set_header(e, "X-Bad", "a\r\nX-Forged: yes");
		exchange_set_header(e, "X-Bad\r\nX-Forged", "yes");
		exchange_answer(e, 204, NULL, "", 0);
	} else if (strcmp(path, "/cache") == 0) {
		exchange_set_header(e, "Cache-Control", "max-age=60");
		exchange_set_header(e, "cache-control", "max-age=61");
		exchange_answer(e, 200, "text/css", "a{}", 3);
	} else if (strcmp(path, "/denied") == 0) {
		exchange_error(e, ERR_UNAUTHENTICATED, "Who is \"this\"?", NULL);
	} else if (strcmp(path, "/busy") == 0) {
		exchange_set_header(e, "Retry-After", "30");
		exchange_error(e, ERR_UNAVAILABLE, NULL, "[{\"rule\":\"r\"}]");
	} else if (strcmp(path, "/full") == 0) {
		exchange_error(e, ERR_THROTTLED, NULL, NULL);
	} else {
		echo(e);
	}
}

/* -- the server -------------------------------------------------------------------------------------------- */

struct server_options loop_server_options(void)
{
	return (struct server_options){.host = "127.0.0.1",
				       .connections = 200,
				       .idle_timeout_ms = 30000,
				       .request_deadline_ms = 30000,
				       .handle = handle};
}

void loop_server_start(struct loop_server *s, const struct server_options *options)
{
	struct server_options own = *options;
	struct errctx ec = {""};

	memset(s, 0, sizeof(*s));
	assert_int_equal(uv_loop_init(&s->loop), 0);
	uv_timer_init(&s->loop, &s->soon);
	s->soon.data = s;
	buf_init(&s->say, LOOP_SAY_MAX);
	own.ctx = s;
	s->server = server_new(&s->loop, &own, &ec);
	if (!s->server)
		fail_msg("%s", ec.text);
}

void loop_server_free_server(struct loop_server *s)
{
	server_free(s->server);
	s->server = NULL;
}

void loop_server_stop(struct loop_server *s)
{
	loop_server_free_server(s);
	loop_answer_held(s, 200, "too late");
	buf_release(&s->say);
	uv_close((uv_handle_t *)&s->soon, NULL);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&s->loop), 0);
}

void loop_turn(struct loop_server *s, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	uv_run(&s->loop, UV_RUN_NOWAIT);
	poll(&p, 1, 1);
}

void loop_wait_held(struct loop_server *s, size_t count)
{
	int64_t deadline = clock_mono_ms() + LOOP_WAIT_MS;

	while (s->held_count < count && clock_mono_ms() < deadline)
		loop_turn(s, -1);
	assert_int_equal(s->held_count, count);
}

void loop_wait_open(struct loop_server *s, size_t count)
{
	int64_t deadline = clock_mono_ms() + LOOP_WAIT_MS;

	while (server_open_exchanges(s->server) != count && clock_mono_ms() < deadline)
		loop_turn(s, -1);
	assert_int_equal(server_open_exchanges(s->server), count);
}

void loop_answer_held(struct loop_server *s, int status, const char *body)
{
	for (size_t i = 0; i < s->held_count; i++)
		exchange_answer(s->held[i], status, "text/plain", body, strlen(body));
	s->held_count = 0;
}

/* -- clients ----------------------------------------------------------------------------------------------- */

static bool open_at(struct client *c, struct loop_server *s, const struct sockaddr *address, socklen_t len)
{
	memset(c, 0, sizeof(*c));
	c->at = s;
	c->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(c->fd >= 0);
	if (connect(c->fd, address, len) == 0)
		return true;
	client_close(c);
	return false;
}

bool client_open(struct client *c, struct loop_server *s)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	in.sin_port = htons(server_port(s->server));
	return open_at(c, s, (const struct sockaddr *)&in, sizeof(in));
}

bool client_open_unix(struct client *c, struct loop_server *s, const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	return open_at(c, s, (const struct sockaddr *)&un, sizeof(un));
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

void client_send(struct client *c, const char *text)
{
	client_send_bytes(c, text, strlen(text));
}

void client_send_bytes(struct client *c, const char *bytes, size_t len)
{
	int64_t deadline = clock_mono_ms() + LOOP_WAIT_MS;

	while (len > 0) {
		ssize_t sent = send(c->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0) {
			bytes += sent;
			len -= (size_t)sent;
		} else if (errno != EAGAIN) {
			return; /* the server has closed; its answer is what the test looks at */
		}
		assert_true(clock_mono_ms() < deadline);
		loop_turn(c->at, -1);
	}
}

static void pump(struct client *c)
{
	ssize_t got;

	loop_turn(c->at, c->fd);
	got = recv(c->fd, c->in + c->len, sizeof(c->in) - 1 - c->len, MSG_DONTWAIT);
	if (got > 0) {
		c->len += (size_t)got;
		c->in[c->len] = '\0';
	} else if (got == 0 || errno != EAGAIN) {
		c->ended = true;
	}
}

/* Copies one complete answer out of c->in and removes it there; false when more has to come. */
static bool take_answer(struct client *c, struct answer *a, bool head_only)
{
	char *end = c->len > 0 ? strstr(c->in, "\r\n\r\n") : NULL;
	size_t head_len = end ? (size_t)(end - c->in) + 4 : 0;
	const char *length;

	if (!end)
		return false;
	assert_true(head_len < sizeof(a->head));
	memcpy(a->head, c->in, head_len);
	a->head[head_len] = '\0';
	assert_memory_equal(a->head, "HTTP/1.1 ", 9);
	a->status = (int)strtol(a->head + 9, NULL, 10);
	length = answer_header(a, "Content-Length");
	a->body_len = length && !head_only ? strtoul(length, NULL, 10) : 0;
	assert_true(a->body_len < sizeof(a->body));
	if (c->len < head_len + a->body_len)
		return false;
	memcpy(a->body, c->in + head_len, a->body_len);
	a->body[a->body_len] = '\0';
	c->len -= head_len + a->body_len;
	memmove(c->in, c->in + head_len + a->body_len, c->len + 1);
	return true;
}

void client_read(struct client *c, struct answer *answer, bool head_only)
{
	int64_t deadline = clock_mono_ms() + LOOP_WAIT_MS;

	while (!take_answer(c, answer, head_only)) {
		if (c->ended || clock_mono_ms() > deadline)
			fail_msg("no answer, but %zu bytes: %.200s", c->len, c->len > 0 ? c->in : "");
		pump(c);
	}
}

void client_read_end(struct client *c)
{
	int64_t deadline = clock_mono_ms() + LOOP_WAIT_MS;

	while (!c->ended) {
		if (clock_mono_ms() > deadline)
			fail_msg("the server does not close; it sent %zu bytes", c->len);
		pump(c);
	}
}

const char *answer_header(const struct answer *answer, const char *name)
{
	static _Thread_local char value[512];
	size_t len = strlen(name);

	for (const char *p = strstr(answer->head, "\r\n"); p && p[2] != '\r'; p = strstr(p + 2, "\r\n")) {
		if (strncasecmp(p + 2, name, len) == 0 && p[2 + len] == ':') {
			const char *text = p + 2 + len + 1;

			text += strspn(text, " ");
			snprintf(value, sizeof(value), "%.*s", (int)strcspn(text, "\r"), text);
			return value;
		}
	}
	return NULL;
}
