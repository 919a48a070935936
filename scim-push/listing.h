/*
 * Who is in a group of an application, by the dialect's own way, one page at a time: for finding what somebody has
 * added or removed by hand. Bounded in pages and in memory: each page is handed on before the next is asked for. A
 * listing that does not come to its end proves nothing about who was not in it.
 */
#ifndef SCIM_PUSH_LISTING_H
#define SCIM_PUSH_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scim-push/push.h"

#define LISTING_PAGES_MAX   1000 /* of 100 users each with AWS */
#define LISTING_CURSOR_SIZE 512

enum listing_end {
	LISTING_WHOLE,  /* all members were shown */
	LISTING_BROKEN, /* it was not: try again later; `words` says why */
	LISTING_GONE,   /* the application has no such group any more */
	LISTING_UNABLE  /* the dialect has no way to list members */
};

struct listing {
	/* In; borrowed until on_end: */
	const struct scim_target *target;
	const char *group_id;
	int64_t deadline_ms; /* clock_mono_ms() */
	/* One member, perhaps more than once: pages may shift while they are read. */
	void (*on_member)(void *ctx, const char *user_id);
	/* Exactly once, from the loop, or from pusher_abort_all(). */
	void (*on_end)(void *ctx, struct listing *listing, enum listing_end end);
	void *ctx;

	/* Out: */
	char words[TEXT_SIZE];
	size_t pages;
	int64_t closed_for_ms; /* the application asks for silence */
	bool misconfigured, sick;

	/* This module's own: */
	struct pusher *pusher;
	struct http_request *request;
	struct listing *next;
	char cursor[LISTING_CURSOR_SIZE];
};

/* A listing counts as one push: the caller has taken a token for it. False when it cannot even be begun: on_end is then
 * not called, and `words` says why. */
bool listing_start(struct pusher *pusher, struct listing *listing);

#endif
