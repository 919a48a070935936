/*
 * One command to one server over a connection of its own: how the store asks a sentinel for the master and a node of
 * a cluster for the slots. One question at a time. Internal to the store.
 */
#ifndef STORE_QUESTION_H
#define STORE_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "store/address.h"
#include "store/connection.h"

struct question {
	/* Filled in by the owner before question_init(). */
	uv_loop_t *loop;
	const struct tls *tls;
	const char *user, *password; /* NULL where there is none; borrowed */
	int64_t timeout_ms;
	/* Told once for each question; `reply` is borrowed for the call and NULL when there is none, then `why` says why.
	 * The next question may be asked from here. */
	void (*answered)(void *ctx, const struct address *asked, const struct reply *reply, const char *why);
	void *ctx;

	struct address address;
	struct connection *connection; /* NULL while nothing is asked */
	uv_timer_t timer;              /* the end of the attempt; its data is the question */
	unsigned turn;                 /* of the host's addresses */
	unsigned to_come;              /* replies: to AUTH and to the command */
	char *parts[2];                /* AUTH and the command, as they go over the wire; from hiredis */
	size_t lens[2];
	size_t part, sent; /* what goes out next */
};

/* Not open; with its first members filled in by the owner. */
void question_init(struct question *question);
bool question_is_open(const struct question *question);

/* Asks; `argv` is NULL-terminated. Must not be open. */
void question_ask(struct question *question, const struct address *address, const char *const *argv);

/* Tells nothing more; `closed` gets the timer. */
void question_close(struct question *question, uv_close_cb closed);

#endif
