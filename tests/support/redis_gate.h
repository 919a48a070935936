/*
 * A gate between a broker and its Redis: a Unix socket that passes bytes on both ways until it is told to keep one
 * way back from a certain call on. So a broker can be killed when Redis has carried out its call and it has not
 * seen the answer, or when it has made a call that Redis has not seen. A thread of the test's own does the passing.
 *
 *	assert_true(redis_gate_start(&gate, world->dir, world->redis.socket_path));
 *	... broker_config.redis_url = gate.url ...
 *	redis_gate_hold(&gate, GATE_REPLIES, "jit_push_check");
 *	assert_true(redis_gate_wait_held(&gate, 5000));
 */
#ifndef SUPPORT_REDIS_GATE_H
#define SUPPORT_REDIS_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gate_way { GATE_REQUESTS, GATE_REPLIES };

struct gate_work; /* the thread's */

struct redis_gate {
	char path[96]; /* of the socket */
	char url[104]; /* unix:/path, for the broker */
	struct gate_work *work;
};

/* Listens in `dir`; each connection gets one of its own to the socket `target`. False, with the reason on standard
 * error, when that cannot be. */
bool redis_gate_start(struct redis_gate *gate, const char *dir, const char *target);
void redis_gate_stop(struct redis_gate *gate); /* legal on an all-zero gate */

/*
 * From the first call on in which `text` (a function's name, an id) occurs, over whichever connection, keeps back
 * the requests, that call included, or the replies, those to it included. Replaces what was told before.
 */
void redis_gate_hold(struct redis_gate *gate, enum gate_way way, const char *text);

/* Waits until something is kept back: of replies, so that Redis has carried out the call. */
bool redis_gate_wait_held(struct redis_gate *gate, int64_t timeout_ms);

/* Hands over what was kept back and passes everything on again. What was kept back for a broker that has gone is
 * gone, too. */
void redis_gate_release(struct redis_gate *gate);

/* Closes all connections, and what was kept back with them; new ones are passed on. */
void redis_gate_cut(struct redis_gate *gate);

#endif
