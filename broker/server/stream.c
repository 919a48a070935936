/* Answers without an end: said piece by piece, asleep in between, and cut off where nobody takes them. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "server/exchange.h"

#define PIECE_MAX  ((size_t)16 * 1024)
#define BLOCK      128         /* libmicrohttpd's own buffer for clients without chunks */
#define UNACKED_MS 30000U      /* a peer that has died without a word is noticed so late */
#define ROOM       (16 * 1024) /* of the kernel for what the client has not taken */

static int socket_of(const struct exchange *e)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(e->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

/* libmicrohttpd's reader: some of what is said, or what there is to say next. */
static ssize_t read_stream(void *ctx, uint64_t position, char *out, size_t most)
{
	struct exchange *e = ctx;
	bool ends = e->ending || server_quiesced(e->server);
	size_t len;

	(void)position;
	e->stirred = false;
	if (e->streamed == e->body.len) {
		buf_release(&e->body);
		e->streamed = 0;
		if (!ends)
			e->stream.give(e->stream.ctx, &e->body);
		if (buf_failed(&e->body))
			return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	len = e->body.len - e->streamed;
	if (len == 0 && ends)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (len == 0) {
		server_sleep(e);
		return 0;
	}
	if (len > most)
		len = most;
	memcpy(out, buf_text(&e->body) + e->streamed, len);
	e->streamed += len;
	return (ssize_t)len;
}

/* A Unix socket has no such options, and needs none. */
static void bound_socket(int fd)
{
	const unsigned unacked_ms = UNACKED_MS;
	const int room = ROOM;

	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked_ms, sizeof(unacked_ms));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

void exchange_stream(struct exchange *e, const struct stream *stream)
{
	e->held = false;
	e->stirred = true;
	e->stream = *stream;
	e->status = MHD_HTTP_OK;
	e->response =
		e->is_head ? MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT)
			   : MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, e, NULL);
	exchange_set_header(e, "Connection", "close");
	exchange_set_header(e, "X-Accel-Buffering", "no"); /* some balancers keep what they pass on */
	exchange_finish_response(e, stream->content_type);
	/* It stays for long: the caller's token and whatever else is not needed goes now. */
	buf_release(&e->headers);
	buf_release(&e->answer_headers);
	buf_release(&e->body);
	buf_init(&e->body, PIECE_MAX);
	bound_socket(socket_of(e));
	if (e->suspended)
		server_wake(e);
}

void exchange_stir(struct exchange *e)
{
	if (!e->suspended)
		return;
	e->stirred = true;
	server_wake(e);
}

void exchange_end(struct exchange *e)
{
	e->ending = true;
	if (e->suspended)
		exchange_stir(e);
	else if (!e->stirred)
		shutdown(socket_of(e), SHUT_RDWR);
}

bool exchange_left(const struct exchange *e)
{
	struct pollfd poll_fd = {.fd = socket_of(e), .events = POLLIN | POLLRDHUP};

	return poll(&poll_fd, 1, 0) > 0;
}
