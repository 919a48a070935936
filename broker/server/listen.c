#include "server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static bool is_unix(const struct server_options *options)
{
	return strcmp(options->host, "unix") == 0;
}

static enum err fail(struct errctx *ec, const char *what)
{
	return err_set(ec, ERR_IO, "%s: %s", what, strerror(errno));
}

static int open_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Fills the address; its length, or 0 when the options name none. */
static socklen_t make_address(const struct server_options *options, union address *a)
{
	*a = (union address){0};
	if (is_unix(options)) {
		size_t len = options->path ? strlen(options->path) : 0;

		if (len == 0 || len >= sizeof(a->un.sun_path))
			return 0;
		a->un.sun_family = AF_UNIX;
		memcpy(a->un.sun_path, options->path, len);
		return sizeof(a->un);
	}
	if (inet_pton(AF_INET, options->host, &a->in.sin_addr) == 1) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons(options->port);
		return sizeof(a->in);
	}
	if (inet_pton(AF_INET6, options->host, &a->in6.sin6_addr) == 1) {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons(options->port);
		return sizeof(a->in6);
	}
	return 0;
}

/* Removes the socket file of a process that is gone; anything else at that place is an error. */
static enum err remove_stale(const union address *a, struct errctx *ec)
{
	struct stat st;
	int fd, result, why;

	if (lstat(a->un.sun_path, &st) < 0)
		return errno == ENOENT ? ERR_OK : fail(ec, a->un.sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(ec, ERR_IO, "%s: exists and is no socket", a->un.sun_path);
	fd = open_socket(AF_UNIX);
	if (fd < 0)
		return fail(ec, "socket");
	result = connect(fd, &a->any, sizeof(a->un));
	why = errno;
	close(fd);
	if (result == 0 || why != ECONNREFUSED)
		return err_set(ec, ERR_IO, "%s: another process listens there", a->un.sun_path);
	if (unlink(a->un.sun_path) < 0 && errno != ENOENT)
		return fail(ec, a->un.sun_path);
	return ERR_OK;
}

/*
 * SO_REUSEPORT lets several brokers of one machine share a port; IPV6_V6ONLY keeps "::" from taking IPv4, for
 * which a broker has its own listener.
 */
static bool set_options(int fd, int family)
{
	int on = 1;

	if (family == AF_UNIX)
		return true;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
		return false;
	return family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0;
}

enum err listen_open(const struct server_options *options, int *out, struct errctx *ec)
{
	union address a;
	socklen_t len = make_address(options, &a);
	enum err err;
	int fd;

	if (len == 0)
		return err_set(ec, ERR_IO,
			       "listen: \"%s\" is no numeric address and no socket path that fits",
			       is_unix(options) && options->path ? options->path : options->host);
	if (a.any.sa_family == AF_UNIX) {
		err = remove_stale(&a, ec);
		if (err != ERR_OK)
			return err;
	}
	fd = open_socket(a.any.sa_family);
	if (fd < 0)
		return fail(ec, "socket");
	if (!set_options(fd, a.any.sa_family) || bind(fd, &a.any, len) < 0 || listen(fd, SOMAXCONN) < 0) {
		fail(ec, is_unix(options) ? options->path : options->host);
		err_prefix(ec, "listen");
		close(fd);
		return ERR_IO;
	}
	*out = fd;
	return ERR_OK;
}

uint16_t listen_port(int fd)
{
	union address a = {0};
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.any, &len) < 0)
		return 0;
	if (a.any.sa_family == AF_INET)
		return ntohs(a.in.sin_port);
	return a.any.sa_family == AF_INET6 ? ntohs(a.in6.sin6_port) : 0;
}

void listen_authority(const struct server_options *options, int fd, char out[AUTHORITY_SIZE])
{
	if (is_unix(options))
		snprintf(out, AUTHORITY_SIZE, "localhost");
	else if (strchr(options->host, ':'))
		snprintf(out, AUTHORITY_SIZE, "[%.45s]:%u", options->host, (unsigned)listen_port(fd));
	else
		snprintf(out, AUTHORITY_SIZE, "%.15s:%u", options->host, (unsigned)listen_port(fd));
}
