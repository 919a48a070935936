/*
 * Who is in a group of an application, by the dialect's own way: all members, one page at a time; or, where none can be
 * listed, of some users whether they are. For finding what somebody has added or removed by hand. Bounded in pages and in
 * memory: each page is handed on before the next is asked for. A listing that does not come to its end proves nothing
 * about who was not in it; nor does it say anything about health: who may push need not be allowed to list.
 */
#ifndef SCIM_PUSH_LISTING_H
#define SCIM_PUSH_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scim-push/outcome.h"
#include "scim-push/push.h"
#include "scim-push/scim.h"

#define LISTING_PAGES_MAX 1000 /* of 100 users each with AWS */

enum listing_end {
	LISTING_WHOLE,  /* all members were shown, or all users asked for */
	LISTING_BROKEN, /* it was not: try again later; `words` says why */
	LISTING_GONE,   /* the application has no such group (any more) */
	LISTING_ABORTED /* the broker stops */
};

struct listing {
	/* In; borrowed until on_end: */
	const struct scim_target *target;
	/* The group: by its id, or "" and by its names ("" = none), as a push looks it up. */
	char group_id[PUSH_ID_SIZE]; /* out, too: the id that was found */
	const char *group_name, *group_external_id;
	const char *const *users; /* LISTING_SINGLE: ids of those who are asked for */
	size_t user_count;
	int64_t deadline_ms; /* clock_mono_ms() */
	/* One member, perhaps more than once: pages may shift while they are read. */
	void (*on_member)(void *ctx, const char *user_id);
	/* Exactly once, from the loop, or from pusher_abort_all(). */
	void (*on_end)(void *ctx, struct listing *listing, enum listing_end end);
	void *ctx;

	/* Out: */
	char words[TEXT_SIZE];
	size_t pages;          /* requests that were answered */
	size_t asked;          /* users of whom it is known, the first ones, whatever the end */
	int64_t closed_for_ms; /* the application asks for silence */
	bool unanswered;       /* the last request may still be running in the application */

	/* This module's own: */
	struct pusher *pusher;
	struct http_request *request;
	struct listing *next;
	enum scim_op op;       /* of the request under way */
	bool members_by_name;  /* the group left them out */
	struct scim_page page; /* the latest */
	size_t shown;          /* users on all pages so far */
};

/* A listing counts as one push: the caller has taken a token for it. False when it cannot even be begun: on_end is then
 * not called, and `words` says why. */
bool listing_start(struct pusher *pusher, struct listing *listing);

#endif
