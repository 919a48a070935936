/* Lists of requests, newest first, over all lanes. */
#ifndef ACTIVATION_LIST_H
#define ACTIVATION_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "activation/activation.h"

#define LIST_TOP_MAX   999 /* Graph's largest page */
#define LIST_FROM_SIZE 96

struct list_query {
	bool eligibilities; /* instead of requests: what administrators gave (activation_make_eligible) */
	bool with_count;
	bool awaiting; /* those that wait for an approver, whoever asked */
	/* Otherwise one of the two names the index that is read; both given means both must match. "" = any. */
	char principal[NAME_SIZE];
	char group[ID_SIZE];
	char created_by
		[NAME_SIZE]; /* those that this one made, for whomever; then the other two must match too */
	unsigned states;     /* bits 1 << enum state; 0 = any */
	char action[ACTION_SIZE]; /* "" = any */
	char id[ID_SIZE];         /* that one, if it is among them; "" = any */
	char maker[NAME_SIZE];    /* those that this one made, of the others; "" = whoever did */
	size_t top;
	char from[LIST_FROM_SIZE]; /* where the page before ended; "" = from the newest */
};

struct list_page {
	size_t count;
	const struct request *requests;
	char next[LIST_FROM_SIZE]; /* for the following page; "" = there is none */
	int64_t total;             /* with_count: how many all pages have … */
	bool total_whole; /* … or, when false, at least: a lane looks at a bounded number of entries */
};

/* `page` is valid during the call; NULL unless err is ERR_OK. */
typedef void list_done(void *ctx, enum err err, const struct list_page *page);

/* A page may hold fewer than `top` although more follow: only `next` tells. ERR_BAD_REQUEST for a `from` that
 * no page gave out. */
void list_requests(struct activation *activation, const struct list_query *query, list_done *done, void *ctx);

#endif
