/* The listening socket: TCP or Unix. Only the server uses this. */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include <stdint.h>

#include "server/server.h"
#include "base/err.h"

#define AUTHORITY_SIZE 64 /* "[", an IPv6 address, "]:", a port */

/*
 * Binds and listens as the options say; on success *out is the caller's descriptor (non-blocking, not inherited).
 * A socket file that nobody listens on any more is replaced. ERR_IO with the reason otherwise; *out untouched.
 */
enum err listen_open(const struct server_options *options, int *out, struct errctx *ec) MUST_CHECK;

/* The port that a TCP socket is bound to; 0 for others. */
uint16_t listen_port(int fd);

/* "127.0.0.1:8080", "[::1]:8080"; "localhost" for a Unix socket. */
void listen_authority(const struct server_options *options, int fd, char out[AUTHORITY_SIZE]);

#endif
