/*
 * A visit to one user of an application: it is read, and then, where that is needed, changed once: its attributes are
 * brought in line with the mapping, or it is deactivated or deleted because nobody needs it any more. What was changed
 * is read back where the end depends on it.
 */
#ifndef SCIM_PUSH_VISIT_H
#define SCIM_PUSH_VISIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scim-push/push.h"

enum visit_aim { VISIT_UPDATE, VISIT_DEACTIVATE, VISIT_DELETE };

enum visit_end {
	VISIT_SAME, /* there was nothing to change */
	VISIT_CHANGED,
	VISIT_GONE,    /* the application has no such user any more */
	VISIT_KEPT,    /* the user is not to be ended: `words` says why */
	VISIT_SKIPPED, /* the caller did not want it any more */
	VISIT_RETRY,   /* not now */
	VISIT_REFUSED
};

#define VISIT_DIGEST_SIZE 17
#define VISIT_NAMES_SIZE  256

struct visit {
	/* In; borrowed until on_end: */
	const struct scim_target *target;
	const char *user_id;
	enum visit_aim aim;
	struct mapping_source source; /* of an update: what is known of the person */
	char digest
		[VISIT_DIGEST_SIZE]; /* in: of the update that was accepted last; "" = none. Out: of the present one */
	bool again;                  /* of an end: an earlier attempt has had no answer */
	int64_t deadline_ms; /* clock_mono_ms() */
	/* Before the change: the caller calls visit_go(), at once or later. */
	void (*on_ready)(void *ctx, struct visit *visit);
	/* Exactly once, from the loop, from visit_go(), or from pusher_abort_all(). */
	void (*on_end)(void *ctx, struct visit *visit, enum visit_end end);
	void *ctx;

	/* Out: */
	char words[TEXT_SIZE];          /* plain words with the application's own answer */
	char changed[VISIT_NAMES_SIZE]; /* the attributes of an update, "displayName, title" */
	bool in_doubt;                  /* the user may have been ended although there is no VISIT_CHANGED */
	bool unanswered;                /* the last request may still be running in the application */
	bool reached;                   /* some request has reached the application */
	int64_t closed_for_ms;          /* the application asks for silence */
	bool misconfigured, sick, alien;
	long status; /* of the answer that decided, or 0 */

	/* This module's own: */
	struct pusher *pusher;
	struct http_request *request;
	struct visit *next, **link;
	int step;
	char *body; /* of the update */
};

/* A change counts as one push: the caller has taken a token for it. False when it cannot even be begun: on_end is then not
 * called, and `words` says why. */
bool visit_start(struct pusher *pusher, struct visit *visit);

/* The answer to on_ready. The visit may end within this call. */
void visit_go(struct visit *visit, bool go);

#endif
