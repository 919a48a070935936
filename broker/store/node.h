/*
 * One Redis: its connection, the calls that go over it, and the decisions about when to connect, to set up, to
 * repeat and to give up. The store has one node; on Redis Cluster it would have several. Internal to the store.
 */
#ifndef STORE_NODE_H
#define STORE_NODE_H

#include <uv.h>

#include "store/address.h"
#include "store/call.h"
#include "store/connection.h"
#include "store/setup.h"

enum node_state {
	NODE_WAITING,    /* no connection; the timer starts the next attempt */
	NODE_CONNECTING, /* the timer ends the attempt */
	NODE_SETUP,      /* the start-up conversation is under way; the timer ends it */
	NODE_READY,
	NODE_DRAINING, /* Redis cannot take calls: nothing more is sent until all replies are there */
	NODE_CLOSED
};

/*
 * A call goes queue -> flight -> freed. From flight it goes to `ghosts` when its deadline passes, to `held` when
 * Redis cannot take it now, and back to the front of the queue when the connection breaks. In the order of their
 * numbers: ghosts < flight < queue, held < queue.
 */
struct node {
	uv_loop_t *loop;
	struct address address;
	struct setup_wish wish;
	int64_t call_timeout_ms;
	size_t queue_max;
	/* ready, or not and why; why is borrowed for the call */
	void (*changed)(void *ctx, bool ready, const char *why);
	/* a call has ended: told and freed by the owner; reply is borrowed and NULL unless err is ERR_OK */
	void (*ended)(void *ctx, struct call *call, enum err err, const struct reply *reply);
	void *ctx;

	enum node_state state;
	uv_timer_t timer;              /* of the next attempt, or of this one's end */
	struct connection *connection; /* NULL in NODE_WAITING and NODE_CLOSED */
	struct setup setup;
	unsigned attempts; /* since the node was ready for a while; sets the pause before the next */
	unsigned turn;     /* of the host's addresses */
	bool failed;       /* the last attempt did not end in NODE_READY */
	int64_t ready_ms;  /* when it became ready */
	int64_t lost_ms;   /* when it stopped being ready; when it was made */
	int64_t heard_ms;  /* last sign of life: a reply, or the first call sent after all were answered */
	bool reload;       /* draining because a function was missing: no new connection is needed */
	struct errctx trouble; /* what Redis said when draining began */
	int64_t logged_ms;     /* last line about an error reply */
	size_t unlogged;       /* error replies since that were not worth a line each */

	struct calls ghosts;
	struct calls flight;
	struct calls held;
	struct calls queue;
	struct call *sending;     /* in flight or a ghost, not all of its bytes copied yet */
	struct call conversation; /* the current command of the setup */
	size_t sent;              /* bytes copied of `sending` */
};

/* Starts connecting. The owner has filled everything down to `ctx`. ERR_NOMEM. */
enum err node_start(struct node *node) MUST_CHECK;

/* May a new call be queued, or is Redis known to be away or the queue full? */
bool node_accepts(const struct node *node);

void node_add(struct node *node, struct call *call); /* takes the call; sends nothing yet */
void node_flush(struct node *node);                  /* sends what is queued */

/* Ends the calls whose deadline has passed and drops a connection that gives no sign of life. Returns when to
 * call this again, INT64_MAX for not before the next node_add(). */
int64_t node_expire(struct node *node);

size_t node_waiting(const struct node *node); /* calls not ended yet */

/* Drops the connection, ends all calls with ERR_UNAVAILABLE and closes the timer, whose data is the node. */
void node_close(struct node *node, uv_close_cb closed);

#endif
