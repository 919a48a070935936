/* A client of GET /api/events that reads when it is told to. What goes wrong in opening it fails the test. */
#ifndef SUPPORT_LISTENER_H
#define SUPPORT_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "tests/support/broker_proc.h"

struct listener {
	void *multi, *easy, *headers; /* libcurl's */
	struct buf text;              /* all that has come */
	int status;                   /* 0 = no answer yet */
	long retry_after;             /* seconds; 0 = not said */
	bool ended, cleanly;          /* it is over; by the server's word, and not in the middle */
};

/* Listens as the token's holder and waits until the answer begins or it is refused. `last_id` NULL = from now on. */
void listener_open(struct listener *l, const struct broker *broker, const char *token, const char *last_id);
/* Reads until the text has come, anywhere; false when it does not within `timeout_ms`. */
bool listener_wait(struct listener *l, const char *text, int64_t timeout_ms);
/* The same for the end of the stream. */
bool listener_wait_end(struct listener *l, int64_t timeout_ms);
bool listener_has(const struct listener *l, const char *text); /* without reading */
/* The last id that came. */
void listener_last_id(const struct listener *l, char out[32]);
void listener_forget(struct listener *l); /* what has come so far */
void listener_close(struct listener *l);  /* legal on one that was never opened (all zero) */

#endif
