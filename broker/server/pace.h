/*
 * Who is too slow. libmicrohttpd closes a connection on which nothing moves; one on which a byte moves now and then
 * it keeps for ever. Here each connection has a time until which the client must have sent its next request whole,
 * or taken its answer. No more than that is known about HTTP here.
 */
#ifndef SERVER_PACE_H
#define SERVER_PACE_H

#include <stddef.h>
#include <stdint.h>

#include <uv.h>

/* One connection; made and freed by pace_enter and pace_leave. */
struct paced;

/* All connections of one server; embedded in it. */
struct pace {
	uv_timer_t timer; /* runs while there are connections; the owner closes it */
	uv_loop_t *loop;
	struct paced *first;
	int64_t patience_ms;      /* for a request; and for an answer, besides its length; 0 = for ever */
	int64_t bytes_per_second; /* an answer is to be taken at least so fast */
};

void pace_init(struct pace *pace, uv_loop_t *loop, int64_t patience_ms, int64_t bytes_per_second);
/* NULL without memory: that connection is not looked after. All functions below take NULL. */
struct paced *pace_enter(struct pace *pace, int fd);
void pace_leave(struct paced *paced);

void pace_request(struct paced *paced);            /* the client's turn: its next request */
void pace_ours(struct paced *paced);               /* the server's turn: no limit */
void pace_answer(struct paced *paced, size_t len); /* the client's turn: to take so many bytes */

#endif
