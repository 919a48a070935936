/*
 * One Redis server: its connection, the calls that go over it, and the decisions about when to connect, to set up,
 * to repeat and to give up. Which server that is, and what becomes of a call that another one must answer, is the
 * owner's concern. Internal to the store.
 */
#ifndef STORE_NODE_H
#define STORE_NODE_H

#include <uv.h>

#include "store/address.h"
#include "store/answer.h"
#include "store/barrier.h"
#include "store/call.h"
#include "store/connection.h"
#include "store/setup.h"

struct node;

/* Told to the owner, from the loop. */
struct node_events {
	/* Where is the server? Asked before each attempt; the owner answers node_found() or node_not_found(), at once or
	 * later. NULL: always at the address that the node was made with. */
	void (*seek)(void *ctx, struct node *node);
	/* ready, or not and why; why is borrowed for the call */
	void (*changed)(void *ctx, struct node *node, bool ready, const char *why);
	/* The server has not executed this call because its lane is elsewhere or open. The owner has the call now. NULL:
	 * that is an error like others. */
	void (*turned_away)(void *ctx, struct node *node, struct call *call, const struct reply *reply);
	/* a call has ended: told and freed by the owner; reply is borrowed and NULL unless err is ERR_OK */
	void (*ended)(void *ctx, struct call *call, enum err err, const struct reply *reply);
};

/* What all nodes of a store share; outlives them. */
struct node_shared {
	uv_loop_t *loop;
	const struct node_events *events;
	void *ctx;
	const struct tls *tls;
	struct setup_wish wish;
	struct barrier_wish barrier;
	int64_t call_timeout_ms;
	size_t queue_max; /* calls of one node */
	struct store_counts *counts;
};

enum node_state {
	NODE_WAITING,    /* no connection; the timer starts the next attempt */
	NODE_SEEKING,    /* the owner looks for the address; the timer ends the attempt */
	NODE_CONNECTING, /* the timer ends the attempt */
	NODE_SETUP,      /* the start-up conversation is under way; each question has the time of a call */
	NODE_READY,
	NODE_DRAINING, /* Redis cannot take calls: nothing more is sent until all replies are there */
	NODE_CLOSED
};

/*
 * A call goes queue -> flight -> freed. From flight it goes to `ghosts` when its deadline passes, to `held` when
 * Redis cannot take it now, to the barrier when its answer waits for replicas, and back to the queue when the
 * connection breaks. What is in flight is answered in its order, ghosts first.
 */
struct node {
	struct node_shared *shared;
	struct address address;

	enum node_state state;
	uv_timer_t timer; /* of the next attempt, of this one's end, or of a look at the library */
	struct connection *connection; /* NULL in NODE_WAITING, NODE_SEEKING and NODE_CLOSED */
	struct setup setup;
	unsigned attempts; /* since the node was ready for a while; sets the pause before the next */
	unsigned turn;     /* of the host's addresses */
	bool failed;       /* the last attempt did not end in NODE_READY */
	int64_t ready_ms;  /* when it became ready */
	int64_t lost_ms;   /* when it stopped being ready; when it was made */
	int64_t heard_ms;  /* last sign of life: a reply, or the first call sent after all were answered */
	bool reload; /* draining because a function was missing, or may be: no new connection is needed */
	struct errctx trouble; /* what Redis said when draining began */
	int64_t logged_ms;     /* last line about an error reply */
	size_t unlogged;       /* error replies since that were not worth a line each */

	struct calls ghosts;
	struct calls flight;
	struct calls held;
	struct calls queue;
	struct barrier barrier;
	struct call *sending;     /* in flight or a ghost, not all of its bytes copied yet */
	struct call conversation; /* the current command of the setup */
	size_t sent;              /* bytes copied of `sending` */
};

/* Starts connecting. The owner has filled in `shared`, which it may write on, and `address`. ERR_NOMEM; the node must
 * still be closed then. */
enum err node_start(struct node *node) MUST_CHECK;

/* The owner's answers to `seek`. */
void node_found(struct node *node, const struct address *address);
void node_not_found(struct node *node, const char *why);

/* May a new call be queued, or is Redis known to be away or the queue full? */
bool node_accepts(const struct node *node);

bool node_is_ready(const struct node *node); /* does it take calls, or will so in a moment? */

void node_add(struct node *node, struct call *call); /* takes the call; sends nothing yet */
void node_flush(struct node *node);                  /* sends what is queued */

/* Ends the calls whose deadline has passed and drops a connection that gives no sign of life. Returns when to
 * call this again, INT64_MAX for not before the next node_add(). */
int64_t node_expire(struct node *node);

/* Holds the start-up conversation again with a node that is ready, as soon as what is under way is answered. */
void node_review(struct node *node);

/* Takes the calls that were not sent, or are in doubt, out of a node that is not ready. */
void node_give_up(struct node *node, struct calls *to);

/* The server is gone for good: takes all calls, in doubt where they were sent; the node can only be closed then. */
void node_retire(struct node *node, struct calls *to);

size_t node_waiting(const struct node *node); /* calls not ended yet */

/* Drops the connection, ends all calls (ERR_TIMEOUT where they were sent, else ERR_UNAVAILABLE) and closes the timer,
 * whose data is the node. */
void node_close(struct node *node, uv_close_cb closed);

/* Gives the connection up and connects again after a pause; for the files of the node itself. */
void node_lose(struct node *node, const char *why);

#endif
