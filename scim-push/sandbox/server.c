/* The listening socket, libmicrohttpd's daemon and the loop around it. */
#include "scim-push/sandbox/server.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scim-push/sandbox/exchange.h"

#define HELD_CHECK_MS 5
#define CONNECTIONS   4096U
#define STOP_ROUNDS   200 /* of at most HELD_CHECK_MS: resumed connections may take so long to end */

static int bind_to(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, 1024) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static enum err listen_on(const struct server_options *options, int *out, struct errctx *ec)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
	struct addrinfo *address = NULL;
	int code = getaddrinfo(options->host, options->port, &hints, &address);

	if (code != 0)
		return err_set(ec, ERR_CONFIG, "%s:%s: %s", options->host, options->port, gai_strerror(code));
	*out = bind_to(address);
	freeaddrinfo(address);
	if (*out < 0)
		return err_set(ec, ERR_IO, "%s:%s: %s", options->host, options->port, strerror(errno));
	return ERR_OK;
}

static unsigned port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = {0};
	socklen_t len = sizeof(address);

	if (getsockname(fd, &address.any, &len) != 0)
		return 0;
	return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* Signals arrive in the loop, so that no handler is needed. */
static int open_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static struct MHD_Daemon *start_daemon(struct server *server, const struct server_options *options, int fd)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
	struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, NULL},
				       {MHD_OPTION_HTTPS_MEM_KEY, 0, NULL},
				       {MHD_OPTION_END, 0, NULL}};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

	if (options->certificate != NULL) {
		flags |= MHD_USE_TLS;
		tls[0].ptr_value = (void *)(uintptr_t)options->certificate;
		tls[1].ptr_value = (void *)(uintptr_t)options->key;
	}
	return MHD_start_daemon(flags, 0, NULL, NULL, exchange_handle, server, MHD_OPTION_LISTEN_SOCKET, fd,
				MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, MHD_OPTION_URI_LOG_CALLBACK,
				exchange_begin, server, MHD_OPTION_NOTIFY_COMPLETED, exchange_end, server,
				MHD_OPTION_ARRAY, options->certificate != NULL ? tls : none, MHD_OPTION_END);
}

enum err server_open(struct server *server, const struct server_options *options, unsigned *port,
		     struct errctx *ec)
{
	int fd = -1;
	enum err err = listen_on(options, &fd, ec);

	if (err != ERR_OK)
		return err;
	server->is_tls = options->certificate != NULL;
	server->control = (struct control){.scim = &server->scim, .faults = &server->faults};
	server->signals = open_signals();
	if (server->signals >= 0)
		server->daemon = start_daemon(server, options, fd);
	if (server->daemon == NULL) {
		(void)close(fd);
		if (server->signals >= 0)
			(void)close(server->signals);
		return err_set(ec, ERR_IO,
			       "the HTTP server does not start; check the certificate and its key");
	}
	*port = port_of(fd);
	return ERR_OK;
}

static int epoll_of(const struct server *server)
{
	return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

/* How long the loop may sleep; -1 = until something happens. */
static int patience(const struct server *server)
{
	int most = server->first_held != NULL || server->stopping ? HELD_CHECK_MS : -1;
	MHD_UNSIGNED_LONG_LONG wait;

	if (server->run_again)
		return 0;
	if (MHD_get_timeout(server->daemon, &wait) != MHD_YES)
		return most;
	if (most >= 0 && wait > (unsigned)most)
		return most;
	return wait > INT_MAX ? INT_MAX : (int)wait;
}

/* false: a signal has come. */
static bool loop_once(struct server *server)
{
	struct pollfd fds[] = {{.fd = epoll_of(server), .events = POLLIN},
			       {.fd = server->signals, .events = POLLIN}};

	/* While it stops, only the connections count: the signal stays there unread. */
	(void)poll(fds, server->stopping ? 1 : 2, patience(server));
	server->run_again = false;
	(void)MHD_run(server->daemon);
	exchange_check_held(server);
	return fds[1].revents == 0;
}

void server_run(struct server *server)
{
	while (loop_once(server))
		;
	/* libmicrohttpd 1.0.1 aborts when it is stopped with a suspended connection. */
	server->stopping = true;
	exchange_drop_held(server);
	for (int i = 0; i < STOP_ROUNDS && server->resuming > 0; i++)
		(void)loop_once(server);
	MHD_stop_daemon(server->daemon);
	(void)close(server->signals);
	server->daemon = NULL;
}
