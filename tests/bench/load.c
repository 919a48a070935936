#include "tests/bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX (1024 * 1024)

struct connection {
	int fd;
	size_t index;
	int64_t sent_us;
	struct buf in;
};

struct running {
	const struct load *load;
	struct connection *connections;
	int epoll;
	size_t next, ended;
	int64_t *times_us;
	struct load_result *result;
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int open_connection(const struct load *load)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->port)};
	int one = 1, fd;

	if (load->socket_path != NULL) {
		snprintf(local.sun_path, sizeof(local.sun_path), "%s", load->socket_path);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, (struct sockaddr *)&local, sizeof(local)) == 0)
			return fd;
	} else {
		loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, (struct sockaddr *)&loopback, sizeof(loopback)) == 0) {
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
			return fd;
		}
	}
	perror("connect");
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool send_next(struct running *running, struct connection *connection)
{
	struct buf message;
	size_t at = 0;

	if (running->next >= running->load->messages)
		return true;
	buf_init(&message, ANSWER_MAX);
	connection->index = running->next++;
	running->load->write(running->load->ctx, connection->index, &message);
	connection->sent_us = now_us();
	while (!buf_failed(&message) && at < message.len) {
		ssize_t n = send(connection->fd, message.data + at, message.len - at, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	if (buf_failed(&message) || at < message.len)
		perror("send");
	bool sent = !buf_failed(&message) && at == message.len;
	buf_release(&message);
	return sent;
}

static bool receive(struct running *running, struct connection *connection)
{
	char bytes[65536];
	ssize_t n = recv(connection->fd, bytes, sizeof(bytes), 0);
	size_t whole;
	bool good = false;

	if (n <= 0) {
		fprintf(stderr, "a connection ended after %zu answers\n", running->ended);
		return false;
	}
	buf_add(&connection->in, bytes, (size_t)n);
	whole = running->load->complete(running->load->ctx, buf_text(&connection->in), connection->in.len,
					&good);
	if (whole == 0)
		return !buf_failed(&connection->in);
	running->times_us[running->ended++] = now_us() - connection->sent_us;
	if (good)
		running->result->good++;
	else
		running->result->bad++;
	buf_clear(&connection->in);
	return send_next(running, connection);
}

static bool start(struct running *running)
{
	const struct load *load = running->load;

	for (size_t i = 0; i < load->connections; i++) {
		struct connection *connection = &running->connections[i];
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

		connection->fd = open_connection(load);
		if (connection->fd < 0 ||
		    epoll_ctl(running->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
			return false;
	}
	for (size_t i = 0; i < load->connections; i++)
		if (!send_next(running, &running->connections[i]))
			return false;
	return true;
}

static bool loop(struct running *running)
{
	struct epoll_event events[64];

	while (running->ended < running->load->messages) {
		int n = epoll_wait(running->epoll, events, 64, 20000);

		if (n == 0)
			fprintf(stderr, "no answer for 20 seconds\n");
		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		for (int i = 0; i < n; i++)
			if (!receive(running, events[i].data.ptr))
				return false;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

bool load_run(const struct load *load, struct load_result *result)
{
	struct running running = {.load = load, .epoll = epoll_create1(EPOLL_CLOEXEC), .result = result};
	int64_t begun = now_us();
	bool done = false;

	memset(result, 0, sizeof(*result));
	running.connections = calloc(load->connections, sizeof(*running.connections));
	running.times_us = calloc(load->messages, sizeof(*running.times_us));
	if (running.connections == NULL || running.times_us == NULL || running.epoll < 0)
		goto out;
	for (size_t i = 0; i < load->connections; i++) {
		running.connections[i].fd = -1;
		buf_init(&running.connections[i].in, ANSWER_MAX);
	}
	done = start(&running) && loop(&running);
	result->took_us = now_us() - begun;
	qsort(running.times_us, running.ended, sizeof(*running.times_us), compare);
	result->p50_us = running.times_us[running.ended / 2];
	result->p99_us = running.times_us[running.ended * 99 / 100];
out:
	for (size_t i = 0; running.connections != NULL && i < load->connections; i++) {
		if (running.connections[i].fd >= 0)
			close(running.connections[i].fd);
		buf_release(&running.connections[i].in);
	}
	if (running.epoll >= 0)
		close(running.epoll);
	free(running.connections);
	free(running.times_us);
	return done;
}

size_t load_http_complete(void *ctx, const char *text, size_t len, bool *good)
{
	const char *end = len > 0 ? strstr(text, "\r\n\r\n") : NULL;
	const char *length = end != NULL ? strcasestr(text, "\r\nContent-Length:") : NULL;
	size_t whole;

	(void)ctx;
	if (length == NULL || length > end)
		return 0;
	whole = (size_t)(end + 4 - text) + strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
	*good = strncmp(text, "HTTP/1.1 2", 10) == 0;
	return len >= whole ? whole : 0;
}

/* The end of one RESP value that starts at `at`, or 0 when it is not complete. Depth is bounded by the answers. */
static size_t resp_end(const char *text, size_t len, size_t at)
{
	const char *line_end = at < len ? memchr(text + at, '\n', len - at) : NULL;
	size_t next, count;

	if (line_end == NULL)
		return 0;
	next = (size_t)(line_end + 1 - text);
	switch (text[at]) {
	case '$':
		if (text[at + 1] == '-')
			return next;
		next += strtoul(text + at + 1, NULL, 10) + 2;
		return next <= len ? next : 0;
	case '*':
		count = text[at + 1] == '-' ? 0 : strtoul(text + at + 1, NULL, 10);
		for (size_t i = 0; i < count && next != 0; i++)
			next = resp_end(text, len, next);
		return next;
	default:
		return next;
	}
}

size_t load_resp_complete(void *ctx, const char *text, size_t len, bool *good)
{
	(void)ctx;
	*good = len > 0 && text[0] != '-';
	return resp_end(text, len, 0);
}
