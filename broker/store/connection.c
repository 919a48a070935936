/* The stream below the store. Bytes in, bytes out; it never decides whether to connect again. */
#include "store/connection.h"

#include <stdlib.h>

#include <openssl/crypto.h>

#include "store/tls.h"

#define CHUNK       ((size_t)64 << 10) /* bytes of one read or write: a few hundred calls */
#define TLS_CHUNK   ((size_t)16 << 10) /* of plain text at once: with all that TLS adds it fits into a chunk */
#define KEEPALIVE_S 60

struct connection {
	uv_loop_t *loop;
	const struct connection_events *events;
	void *ctx;
	unsigned turn;
	union {
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	} handle;
	uv_getaddrinfo_t resolve;
	uv_connect_t connect;
	uv_write_t write;
	struct reader *reader;
	struct tls_session *tls; /* NULL without TLS */
	bool is_open;            /* the owner has been told */
	bool resolving;          /* the callback of `resolve` is still to come: not to be freed before it */
	bool writing;            /* `out` is in use by libuv */
	bool closing;
	bool handle_closed;
	char in[CHUNK];
	char out[CHUNK];
};

static void free_when_done(struct connection *connection)
{
	if (connection->resolving || !connection->handle_closed)
		return;
	reader_free(connection->reader);
	tls_session_free(connection->tls);
	connection_wipe(connection);
	free(connection);
}

void connection_wipe(struct connection *connection)
{
	if (!connection->writing)
		OPENSSL_cleanse(connection->out, sizeof(connection->out));
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;
	connection->handle_closed = true;
	free_when_done(connection);
}

void connection_close(struct connection *connection)
{
	if (connection == NULL || connection->closing)
		return;
	connection->closing = true;
	if (connection->resolving)
		(void)uv_cancel((uv_req_t *)&connection->resolve);
	uv_close((uv_handle_t *)&connection->handle.stream, on_closed);
}

static void lose(struct connection *connection, const char *why)
{
	if (!connection->closing)
		connection->events->lost(connection->ctx, why);
}

/* -- reading ---------------------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct connection *connection = handle->data;
	(void)suggested;
	*buf = uv_buf_init(connection->in, sizeof(connection->in));
}

static void hand_over_replies(struct connection *connection)
{
	const struct reply *reply;
	while (!connection->closing) {
		switch (reader_next(connection->reader, &reply)) {
		case READER_REPLY:
			connection->events->reply(connection->ctx, reply);
			break;
		case READER_MORE:
			return;
		case READER_BROKEN:
			lose(connection, reader_why(connection->reader));
			return;
		}
	}
}

static void parse(struct connection *connection, const char *bytes, size_t len)
{
	if (reader_feed(connection->reader, bytes, len))
		hand_over_replies(connection);
	else
		lose(connection, "there is no memory for a reply");
}

static void open_up(struct connection *connection)
{
	connection->is_open = true;
	connection->events->opened(connection->ctx);
}

/* Takes all that TLS makes of what has come; what TLS has to say itself is sent by the flush. */
static void decrypt(struct connection *connection)
{
	const char *bytes;
	size_t len;
	while (!connection->closing) {
		enum tls_result result = tls_read(connection->tls, &bytes, &len);
		if (result == TLS_BROKEN)
			lose(connection, tls_why(connection->tls));
		else if (result == TLS_CLOSED)
			lose(connection, "Redis closed the connection");
		else if (!connection->is_open && tls_is_established(connection->tls))
			open_up(connection);
		if (result != TLS_BYTES || connection->closing)
			break;
		parse(connection, bytes, len);
	}
	connection_flush(connection);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct connection *connection = stream->data;
	if (count == 0 || connection->closing)
		return;
	if (count == UV_EOF)
		lose(connection, "Redis closed the connection");
	else if (count < 0)
		lose(connection, uv_strerror((int)count));
	else if (connection->tls == NULL)
		parse(connection, buf->base, (size_t)count);
	else if (!tls_take(connection->tls, buf->base, (size_t)count))
		lose(connection, "there is no memory for TLS");
	else
		decrypt(connection);
}

/* -- writing ---------------------------------------------------------------------------------------------- */

static void on_written(uv_write_t *request, int status)
{
	struct connection *connection = request->data;
	connection->writing = false;
	if (connection->closing)
		return;
	if (status < 0)
		lose(connection, uv_strerror(status));
	else
		connection_flush(connection);
}

/* Writes a chunk. False when it could not be written at once, or not at all. */
static bool write_chunk(struct connection *connection, size_t len)
{
	uv_stream_t *stream = &connection->handle.stream;
	uv_buf_t buf = uv_buf_init(connection->out, (unsigned)len);
	int written = uv_try_write(stream, &buf, 1);
	if (written >= 0 && (size_t)written == len)
		return true;
	if (written < 0 && written != UV_EAGAIN) {
		lose(connection, uv_strerror(written));
		return false;
	}
	size_t done = written > 0 ? (size_t)written : 0;
	buf = uv_buf_init(connection->out + done, (unsigned)(len - done));
	connection->write.data = connection;
	int status = uv_write(&connection->write, stream, &buf, 1, on_written);
	if (status < 0)
		lose(connection, uv_strerror(status));
	else
		connection->writing = true;
	return false;
}

/* The next bytes for the network, at most a chunk: the owner's, or what TLS makes of them. */
static size_t next_bytes(struct connection *connection)
{
	char *out = connection->out;
	if (connection->tls == NULL)
		return connection->events->fill(connection->ctx, out, CHUNK);
	size_t len = tls_give(connection->tls, out, CHUNK);
	if (len > 0 || !connection->is_open)
		return len;
	len = connection->events->fill(connection->ctx, out, TLS_CHUNK);
	if (len > 0 && !tls_write(connection->tls, out, len)) {
		lose(connection, tls_why(connection->tls));
		return 0;
	}
	return tls_give(connection->tls, out, CHUNK);
}

void connection_flush(struct connection *connection)
{
	while (!connection->closing && !connection->writing) {
		size_t len = next_bytes(connection);
		if (len == 0 || !write_chunk(connection, len))
			return;
	}
}

/* -- connecting ------------------------------------------------------------------------------------------- */

static void on_connected(uv_connect_t *request, int status)
{
	struct connection *connection = request->data;
	if (connection->closing)
		return;
	if (status == 0)
		status = uv_read_start(&connection->handle.stream, on_alloc, on_read);
	if (status < 0)
		lose(connection, uv_strerror(status));
	else if (connection->tls != NULL)
		decrypt(connection);
	else
		open_up(connection);
}

/* Goes round: after a refused address the next attempt, with the next turn, tries the next one. */
static const struct addrinfo *choose(const struct addrinfo *list, unsigned turn)
{
	unsigned count = 0;
	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next)
		count++;
	if (count == 0)
		return NULL;
	const struct addrinfo *chosen = list;
	for (unsigned skip = turn % count; skip > 0; skip--)
		chosen = chosen->ai_next;
	return chosen;
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct connection *connection = request->data;
	connection->resolving = false;
	if (connection->closing) {
		uv_freeaddrinfo(list);
		free_when_done(connection);
		return;
	}
	const struct addrinfo *chosen = choose(list, connection->turn);
	if (status == 0 && chosen == NULL)
		status = UV_EAI_NODATA;
	if (status == 0) {
		uv_tcp_t *tcp = &connection->handle.tcp;
		connection->connect.data = connection;
		status = uv_tcp_connect(&connection->connect, tcp, chosen->ai_addr, on_connected);
	}
	uv_freeaddrinfo(list);
	if (status < 0)
		lose(connection, uv_strerror(status));
}

static int start_tcp(struct connection *connection, const struct address *address)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	uv_tcp_t *tcp = &connection->handle.tcp;
	int status = uv_tcp_init(connection->loop, tcp);
	if (status < 0)
		return status;
	/* libuv remembers both for the socket that it makes when it connects. */
	(void)uv_tcp_nodelay(tcp, 1);
	(void)uv_tcp_keepalive(tcp, 1, KEEPALIVE_S);
	connection->resolve.data = connection;
	status = uv_getaddrinfo(connection->loop, &connection->resolve, on_resolved, address->host,
				address->port, &hints);
	connection->resolving = status == 0;
	return 0;
}

static int start_unix(struct connection *connection, const struct address *address)
{
	int status = uv_pipe_init(connection->loop, &connection->handle.pipe, 0);
	if (status < 0)
		return status;
	connection->connect.data = connection;
	uv_pipe_connect(&connection->connect, &connection->handle.pipe, address->path, on_connected);
	return 0;
}

struct connection *connection_new(uv_loop_t *loop, const struct connection_target *target)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	if (connection == NULL)
		return NULL;
	connection->loop = loop;
	connection->events = target->events;
	connection->ctx = target->ctx;
	connection->turn = target->turn;
	connection->reader = reader_new();
	const struct address *address = target->address;
	bool unix_socket = address->path[0] != '\0';
	if (address->with_tls)
		connection->tls = tls_session_new(target->tls, address->host);
	if (connection->reader == NULL || (address->with_tls && connection->tls == NULL) ||
	    (unix_socket ? start_unix : start_tcp)(connection, address) < 0) {
		reader_free(connection->reader);
		tls_session_free(connection->tls);
		free(connection);
		return NULL;
	}
	connection->handle.stream.data = connection;
	if (!unix_socket && !connection->resolving) {
		connection_close(connection);
		return NULL;
	}
	return connection;
}
