/*
 * What changes, for those who want to know at once: the events of the audit, of all lanes, by whichever broker they were
 * made, as they come. While somebody follows, each lane is read a few times a second, however many follow; otherwise
 * never. The latest changes are kept for those who come back after a short while.
 */
#ifndef ACTIVATION_CHANGES_H
#define ACTIVATION_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "base/id.h"

struct activation;
struct store;

#define CHANGE_WORD_SIZE 32

/* One event of the audit, as far as callers are told of it; "" = it has none. */
struct change {
	int64_t at_ms;                /* when it was made, by Redis' clock */
	int64_t mark_ms;              /* all that was made before then has come before it; 0 = not known */
	char event[CHANGE_WORD_SIZE]; /* its name in the audit */
	char from[CHANGE_WORD_SIZE], to[CHANGE_WORD_SIZE]; /* the states of a request that has moved */
	char request[ID_SIZE], group[ID_SIZE], application[APP_ID_SIZE];
	char principal[NAME_SIZE], user_name[NAME_SIZE];
};

struct changes_options {
	uv_loop_t *loop;
	struct activation *activation; /* both borrowed; they outlive it */
	struct store *store;
	/* It knows where all lanes end, and tells from here on; or why it does not, and it has stopped. */
	void (*begun)(void *ctx, enum err err);
	/* There are more. */
	void (*more)(void *ctx);
	void *ctx;
};

struct changes *changes_new(const struct changes_options *options) MUST_CHECK; /* NULL: no memory */
void changes_free(
	struct changes *changes); /* NULL is legal; run the loop afterwards. When the store is closed. */

/* Begins to follow; `begun` is called once, later. ERR_NOMEM. Nothing when it has begun already. */
enum err changes_start(struct changes *changes) MUST_CHECK;
void changes_stop(struct changes *changes); /* and forgets all that it kept */
bool changes_known(
	const struct changes *changes); /* `begun` has been called with ERR_OK since the last start */

/* Changes have numbers in the order in which they came. The one that comes next has this: */
uint64_t changes_next(const struct changes *changes);
/* The change of that number, below the next; NULL when it is not kept any more, or some before it have been missed.
 * Borrowed until the next turn of the loop. */
const struct change *changes_at(const struct changes *changes, uint64_t number);
/* All that was made before then has come, by Redis' clock; what mark_ms is for the next one. */
int64_t changes_mark_ms(const struct changes *changes);
/* The number of the first change that may have been made at or after that time; false when it is not kept any more. */
bool changes_since(const struct changes *changes, int64_t at_ms, uint64_t *number);

#endif
