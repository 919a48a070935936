/* One call on its way through the store, and the first-in-first-out lists that it passes. Internal to the store. */
#ifndef STORE_CALL_H
#define STORE_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

#define CALL_NAME_SIZE 40 /* a function's name as it is logged; cut when longer */

struct reply;

/*
 * Born in store_call() and freed when its reply has been read or can no longer come. `done` is called once and
 * then cleared: a call without it is a ghost, whose late reply must still be read past. The timeout is the same
 * for all calls, so deadlines rise in the order of `number`, in which every list is kept; only what is in flight is
 * in the order in which it was sent, where a call that came from another node may be the older one.
 */
struct call {
	struct call *next;
	uint64_t number;
	int64_t deadline_ms; /* on the loop's clock */
	char *text;          /* the command as it goes over the wire; owned, from hiredis */
	size_t len;
	store_done *done;
	void *ctx;
	enum err err;    /* what a call that fails before it is queued will be told */
	bool in_doubt;   /* was sent over a connection that broke before the reply */
	bool repeated;   /* was sent again because Redis did not know the function */
	bool is_reserve; /* belongs to the store, not to the heap */
	bool at_once;    /* the replicas are not waited for */
	unsigned lane;
	unsigned slot;      /* of the lane, on a cluster */
	unsigned moves;     /* how often a node sent it on to another */
	struct reply *kept; /* its answer, until enough replicas have what it wrote; owned */
	char function[CALL_NAME_SIZE];
};

struct calls {
	struct call *head;
	struct call *tail; /* meaningless while head is NULL */
	size_t count;
};

void calls_push(struct calls *calls, struct call *call);
struct call *calls_pop(struct calls *calls); /* NULL when empty */

/* Moves all of `from` into `to`, in the order of their numbers. Linear where `from` is in that order, too. */
void calls_merge(struct calls *to, struct calls *from);

/* Formats FCALL or FCALL_RO into the call, all but its deadline and number. ERR_NOMEM, or ERR_INTERNAL with more than
 * STORE_ARGS_MAX arguments. */
enum err call_format(struct call *call, const struct store_call *wanted) MUST_CHECK;

/* Frees what call_format() made, and the kept answer. */
void call_release(struct call *call);

#endif
