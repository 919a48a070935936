/*
 * The HTTP server on a loop of the test's own, and clients that speak to it byte by byte, all in one thread: a
 * client that waits runs the loop. Every wait ends after WAIT_MS and then fails the test.
 */
#ifndef SUPPORT_LOOP_SERVER_H
#define SUPPORT_LOOP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "server/server.h"

#define LOOP_WAIT_MS   10000
#define LOOP_HELD_MAX  64
#define LOOP_SAY_MAX   16000
#define CLIENT_IN_SIZE (256 * 1024)
#define ANSWER_SIZE    (80 * 1024)

/*
 * The handler, by path: /stream begins an answer without an end, which says what the test has put into `say` (one at a
 * time; `gone` counts those that are over); /hold keeps the exchange for the test to answer; /soon answers from a timer; /drop and
 * /cache set headers; /denied, /busy and /full are errors; everything else answers 200 at once with what was
 * asked, as text. What is refused is answered as an error.
 */
struct loop_server {
	uv_loop_t loop;
	uv_timer_t soon;
	struct server *server;
	struct exchange *held[LOOP_HELD_MAX], *soon_list[LOOP_HELD_MAX];
	size_t held_count, soon_count;
	struct exchange *stream;
	struct buf say;
	bool talks; /* there is always something to say */
	size_t gone;
	size_t handled; /* requests that the handler saw, refused ones included */
};

struct client {
	struct loop_server *at;
	int fd;
	bool ended; /* the server has closed */
	size_t len;
	char in[CLIENT_IN_SIZE]; /* read and not yet consumed */
};

struct answer {
	int status;
	char head[4096]; /* status line and header, with CR LF */
	char body[ANSWER_SIZE];
	size_t body_len;
};

/* Loopback, kernel's port, generous limits; for tests to change before loop_server_start. */
struct server_options loop_server_options(void);
void loop_server_start(struct loop_server *s, const struct server_options *options);
/* Answers what is held, frees the server (unless the test has) and the loop. */
void loop_server_stop(struct loop_server *s);
/* Frees only the server, as the broker does at its end; s->server is NULL then. */
void loop_server_free_server(struct loop_server *s);

/* One turn of the loop; waits a millisecond for `fd` (may be -1) when there is nothing to do. */
void loop_turn(struct loop_server *s, int fd);
void loop_wait_held(struct loop_server *s, size_t count);
void loop_wait_open(struct loop_server *s, size_t count); /* until so many exchanges are open */
void loop_answer_held(struct loop_server *s, int status, const char *body);

/* False when the connection is refused. */
bool client_open(struct client *c, struct loop_server *s);
bool client_open_unix(struct client *c, struct loop_server *s, const char *path);
void client_close(struct client *c);
void client_send(struct client *c, const char *text);
void client_send_bytes(struct client *c, const char *bytes, size_t len);
/* Reads one answer; `head_only` for the answer to HEAD. Fails the test when none comes. */
void client_read(struct client *c, struct answer *answer, bool head_only);
/* Waits until the server has closed; the bytes that came before are in c->in. */
void client_read_end(struct client *c);

/* The value of a header of the answer; NULL when it is absent. Good until the next call. */
const char *answer_header(const struct answer *answer, const char *name);

#endif
