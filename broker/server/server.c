/*
 * When things happen to a connection: libmicrohttpd's callbacks, its place in the uv loop, deadlines, the end.
 * What is in a request and in its answer is exchange.c's.
 */
#include "server/server.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/log.h"
#include "server/exchange.h"
#include "server/listen.h"
#include "server/pace.h"
#include "server/pem.h"

/*
 * Request head, answer head and what libmicrohttpd notes about them share this. Room for a bearer token of
 * 12 KiB, and less than 16 KiB for an open connection in all.
 */
#define CONNECTION_MEMORY ((size_t)14 * 1024)
#define STOP_ROUNDS       8                    /* of libmicrohttpd, in which the last answers go out */
#define SLOWEST_READER    ((int64_t)16 * 1024) /* bytes a second; a modem is faster than half of it */
#define TLS_PRIORITIES    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

uint16_t server_port(const struct server *s)
{
	return s->port;
}

size_t server_open_exchanges(const struct server *s)
{
	return s->open;
}

bool server_quiesced(const struct server *s)
{
	return s->listener < 0;
}

const struct proxies *server_proxies(const struct server *s)
{
	return s->options.proxies;
}

bool server_has_tls(const struct server *s)
{
	return s->tls;
}

const char *server_authority(const struct server *s)
{
	return s->authority;
}

/* -- exchanges --------------------------------------------------------------------------------------------- */

void server_wake(struct exchange *e)
{
	exchange_list_remove(e);
	e->suspended = false;
	e->server->resumed = true;
	MHD_resume_connection(e->connection);
}

void server_sleep(struct exchange *e)
{
	MHD_suspend_connection(e->connection);
	e->suspended = true;
	exchange_list_append(&e->server->sleeping, e);
}

/* Answers a suspended exchange in the handler's place; the handler keeps the pointer until it answers too. */
static void answer_instead(struct exchange *e, enum err err)
{
	struct server *s = e->server;

	exchange_fail(e, err);
	server_wake(e);
	e->late = true;
	exchange_list_append(&s->late, e);
}

static void arm_deadline(struct server *s);

static void on_deadline(uv_timer_t *timer)
{
	struct server *s = timer->data;
	int64_t now = (int64_t)uv_now(s->loop);

	while (s->waiting.first && s->waiting.first->deadline_ms <= now) {
		log_warn("request_deadline", "req=%s path=%s", s->waiting.first->request_id,
			 exchange_path(s->waiting.first));
		answer_instead(s->waiting.first, ERR_TIMEOUT);
	}
	arm_deadline(s);
}

static void arm_deadline(struct server *s)
{
	int64_t left;

	if (!s->waiting.first)
		return;
	left = s->waiting.first->deadline_ms - (int64_t)uv_now(s->loop);
	uv_timer_start(&s->deadline, on_deadline, left > 0 ? (uint64_t)left : 0, 0);
}

void server_await(struct exchange *e)
{
	struct server *s = e->server;

	exchange_list_remove(e);
	e->deadline_ms =
		(int64_t)uv_now(s->loop) + (e->within_ms > 0 ? e->within_ms : s->options.request_deadline_ms);
	exchange_list_insert(&s->waiting, e);
	if (s->waiting.first == e || !uv_is_active((uv_handle_t *)&s->deadline))
		arm_deadline(s);
}

static void suspend(struct exchange *e)
{
	MHD_suspend_connection(e->connection);
	e->suspended = true;
	server_await(e);
}

/* -- libmicrohttpd's callbacks ----------------------------------------------------------------------------- */

static void on_message(void *ctx, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

static void on_message(void *ctx, const char *format, va_list args)
{
	struct server *s = ctx;

	vsnprintf(s->last_message, sizeof(s->last_message), format, args);
	s->last_message[strcspn(s->last_message, "\n")] = '\0';
}

/* The request line is read. What is returned comes back as *request to the other callbacks. */
static void *on_target(void *ctx, const char *uri, struct MHD_Connection *connection)
{
	struct server *s = ctx;
	struct exchange *e = exchange_new(s, connection, uri);

	if (e)
		e->started_ms = (int64_t)uv_now(s->loop);
	return e;
}

/* Leaves texts as they are: target.c decodes, and refuses what libmicrohttpd would let pass. */
static size_t on_unescape(void *ctx, struct MHD_Connection *connection, char *text)
{
	(void)ctx;
	(void)connection;
	return strlen(text);
}

static enum MHD_Result hand_over(struct exchange *e)
{
	struct server *s = e->server;

	e->phase = PHASE_DONE;
	s->open++;
	if (s->stopping) {
		exchange_fail(e, ERR_UNAVAILABLE);
		return exchange_queue(e);
	}
	e->held = true;
	pace_ours(exchange_paced(e));
	s->options.handle(s->options.ctx, e);
	if (!e->held)
		return exchange_queue(e);
	suspend(e);
	return MHD_YES;
}

static enum MHD_Result take_body(struct exchange *e, const char *bytes, size_t *len)
{
	const struct server *s = e->server;
	int64_t limit = s->options.idle_timeout_ms;

	exchange_add_body(e, bytes, *len);
	*len = 0;
	/* A body that comes byte by byte never is idle, but it is no honest body either. */
	if (limit > 0 && (int64_t)uv_now(s->loop) - e->started_ms > limit)
		return MHD_NO;
	return e->cut ? MHD_NO : MHD_YES;
}

/* Called once with the header, once for each piece of the body, once at its end, once more after a resume. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *bytes, size_t *len,
				  void **request)
{
	struct exchange *e = *request;

	(void)ctx;
	(void)connection;
	(void)url;
	if (!e)
		return MHD_NO;
	switch (e->phase) {
	case PHASE_HEAD:
		e->phase = PHASE_BODY;
		exchange_read_head(e, method, version);
		return e->cut ? hand_over(e) : MHD_YES;
	case PHASE_BODY:
		return *len > 0 ? take_body(e, bytes, len) : hand_over(e);
	case PHASE_DONE:
		return exchange_queue(e);
	}
	return MHD_NO;
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **request,
			 enum MHD_RequestTerminationCode code)
{
	struct server *s = ctx;
	struct exchange *e = *request;

	(void)connection;
	(void)code;
	if (!e)
		return;
	pace_request(exchange_paced(e));
	*request = NULL;
	e->connection = NULL;
	if (e->phase == PHASE_DONE)
		s->open--;
	if (e->stream.gone)
		e->stream.gone(e->stream.ctx);
	if (!e->held)
		exchange_free(e);
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct server *s = ctx;
	const union MHD_ConnectionInfo *info;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		pace_leave(*socket_context);
		*socket_context = NULL;
		return;
	}
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	*socket_context = info ? pace_enter(&s->pace, info->connect_fd) : NULL;
}

/* -- in the loop ------------------------------------------------------------------------------------------- */

static unsigned count_connections(struct server *s)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info ? info->num_connections : 0;
}

/*
 * At its limit (or out of descriptors) libmicrohttpd stops listening, and after a connection has gone it listens
 * again only in the next MHD_run, for which nothing would wake it.
 */
static void run(struct server *s)
{
	unsigned before = s->connections;

	s->resumed = false;
	MHD_run(s->daemon);
	s->connections = count_connections(s);
	if (s->connections < before)
		s->resumed = true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run(poll->data);
}

static void on_wake(uv_timer_t *timer)
{
	run(timer->data);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct server *s = prepare->data;
	MHD_UNSIGNED_LONG_LONG timeout = 0;

	if (s->resumed)
		run(s);
	if (s->resumed)
		uv_timer_start(&s->wake, on_wake, 0, 0);
	else if (MHD_get_timeout(s->daemon, &timeout) == MHD_YES)
		uv_timer_start(&s->wake, on_wake, timeout, 0);
	else
		uv_timer_stop(&s->wake);
}

static void on_closed(uv_handle_t *handle)
{
	struct server *s = handle->data;

	if (--s->handles == 0) {
		free(s->path);
		free(s);
	}
}

static enum err enter_loop(struct server *s, struct errctx *ec)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int result = info ? uv_poll_init(s->loop, &s->poll, info->epoll_fd) : UV_EINVAL;

	if (result < 0)
		return err_set(ec, ERR_IO, "epoll: %s", uv_strerror(result));
	uv_prepare_init(s->loop, &s->prepare);
	uv_timer_init(s->loop, &s->wake);
	uv_timer_init(s->loop, &s->deadline);
	pace_init(&s->pace, s->loop, s->options.idle_timeout_ms,
		  s->options.slowest_reader > 0 ? s->options.slowest_reader : SLOWEST_READER);
	s->handles = 5;
	s->poll.data = s;
	s->prepare.data = s;
	s->wake.data = s;
	s->deadline.data = s;
	uv_prepare_start(&s->prepare, on_prepare);
	result = uv_poll_start(&s->poll, UV_READABLE, on_readable);
	return result < 0 ? err_set(ec, ERR_IO, "poll: %s", uv_strerror(result)) : ERR_OK;
}

static void leave_loop(struct server *s)
{
	uv_close((uv_handle_t *)&s->poll, on_closed);
	uv_close((uv_handle_t *)&s->prepare, on_closed);
	uv_close((uv_handle_t *)&s->wake, on_closed);
	uv_close((uv_handle_t *)&s->deadline, on_closed);
	s->pace.timer.data = s; /* for on_closed; it does not run any more */
	uv_close((uv_handle_t *)&s->pace.timer, on_closed);
}

/* -- start and end ----------------------------------------------------------------------------------------- */

#if MHD_VERSION >= 0x00097701
#define STRICT_OPTION MHD_OPTION_CLIENT_DISCIPLINE_LVL
#else
#define STRICT_OPTION MHD_OPTION_STRICT_FOR_CLIENT
#endif

static enum err start_daemon(struct server *s, struct MHD_OptionItem *tls_options, struct errctx *ec)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	unsigned idle_s = (unsigned)((s->options.idle_timeout_ms + 999) / 1000);

	if (s->tls)
		flags |= MHD_USE_TLS;
	s->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_message, s,
		MHD_OPTION_LISTEN_SOCKET, s->listener, MHD_OPTION_CONNECTION_LIMIT, s->options.connections,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, s->options.connections_per_address,
		MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
		STRICT_OPTION, 1, MHD_OPTION_URI_LOG_CALLBACK, on_target, s, MHD_OPTION_UNESCAPE_CALLBACK,
		on_unescape, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_ARRAY, tls_options,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
	if (!s->daemon)
		return err_set(ec, ERR_IO, "the HTTP server does not start: %s", s->last_message);
	return ERR_OK;
}

/* The key is in memory only as long as the library needs to read it. */
static enum err start(struct server *s, const struct server_options *options, struct errctx *ec)
{
	struct MHD_OptionItem items[4] = {{MHD_OPTION_END, 0, NULL}};
	char *certificate = NULL, *key = NULL;
	enum err err = ERR_IO;

	if (s->tls) {
		certificate = pem_load(options->certificate_file, ec);
		key = certificate ? pem_load(options->key_file, ec) : NULL;
		if (!key)
			goto out;
		items[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, certificate};
		items[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, key};
		items[2] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
						   (void *)(uintptr_t)TLS_PRIORITIES};
		items[3] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	}
	err = start_daemon(s, items, ec);
out:
	pem_free(certificate);
	pem_free(key);
	return err;
}

static struct server *make_server(uv_loop_t *loop, const struct server_options *options)
{
	struct server *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->loop = loop;
	s->options = *options;
	s->options.host = s->options.path = s->options.certificate_file = s->options.key_file = NULL;
	s->tls = options->certificate_file && options->certificate_file[0] != '\0';
	s->unix_socket = strcmp(options->host, "unix") == 0;
	s->listener = -1;
	if (s->unix_socket && options->path) {
		s->path = strdup(options->path);
		if (!s->path) {
			free(s);
			return NULL;
		}
	}
	return s;
}

struct server *server_new(uv_loop_t *loop, const struct server_options *options, struct errctx *ec)
{
	struct server *s = make_server(loop, options);

	if (!s) {
		err_set(ec, ERR_NOMEM, "%s", err_message(ERR_NOMEM));
		return NULL;
	}
	if (listen_open(options, &s->listener, ec) == ERR_OK) {
		s->port = listen_port(s->listener);
		listen_authority(options, s->listener, s->authority);
		if (start(s, options, ec) == ERR_OK && enter_loop(s, ec) == ERR_OK)
			return s;
	}
	server_free(s);
	return NULL;
}

void server_quiesce(struct server *s)
{
	if (s->listener < 0)
		return;
	if (s->daemon)
		MHD_quiesce_daemon(s->daemon);
	/* Before the socket is closed: afterwards the name may belong to the next broker. */
	if (s->unix_socket)
		unlink(s->path);
	close(s->listener);
	s->listener = -1;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	s->stopping = true;
	server_quiesce(s);
	while (s->waiting.first)
		answer_instead(s->waiting.first, ERR_UNAVAILABLE);
	while (s->sleeping.first)
		exchange_end(s->sleeping.first);
	for (int i = 0; i < STOP_ROUNDS && s->open > 0; i++)
		run(s);
	if (s->handles > 0)
		leave_loop(s);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	while (s->late.first) {
		s->late.first->server = NULL;
		exchange_list_remove(s->late.first);
	}
	if (s->handles == 0) {
		free(s->path);
		free(s);
	}
}
