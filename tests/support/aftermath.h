/*
 * What a run with faults has left behind: the whole pushes as the application saw them, the way of every request
 * through its states as the audit events tell it, and the calls that a repetition needs.
 */
#ifndef SUPPORT_AFTERMATH_H
#define SUPPORT_AFTERMATH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/world.h"

/* -- pushes ------------------------------------------------------------------------------------------------- */

/* One push from its first request to the end of its last one, in Unix ms. */
struct push_seen {
	size_t who; /* person and group */
	int64_t begun_ms, ended_ms;
	size_t patches;  /* 0: it did not get beyond its look-ups */
	bool changed;    /* its PATCH was not refused because of ids that are out of date */
	int last_status; /* of its last request; 0 = no answer */
};

struct pushes_seen {
	size_t count;
	struct push_seen *all; /* owned */
	size_t overlaps; /* requests for a membership that arrived while another for it was unanswered */
};

/*
 * Puts the sandbox's log together to pushes. Only for worlds in which person I is pushed into group I and into no
 * other: then every request names the one membership that it is for. Where it cannot tell, it takes two pushes for
 * one, never one for two. False, with the reason on standard error, when the log cannot be read. Release `out`.
 */
bool pushes_seen_read(const struct world *world, struct pushes_seen *out);
void pushes_seen_release(struct pushes_seen *pushes);

/* The most pushes of which the beginning or the end lies in one window, wherever it starts, of those with
 * who % every == which; every 1, which 0 = all. */
size_t pushes_seen_most(const struct pushes_seen *pushes, int64_t window_ms, size_t every, size_t which);

/* -- audit -------------------------------------------------------------------------------------------------- */

/*
 * Follows every request through the audit events: each begins in "new", and each event goes on from the state in
 * which the one before it left the request, so that none is missing and none is there twice. The number of
 * requests, or -1 with the breach on standard error.
 */
int audit_check(const struct world *world);

/* -- calls -------------------------------------------------------------------------------------------------- */

/* An activation as an HTTP request of its own, for http_many() or to be repeated. Must stay where it is. */
struct post {
	struct http_request request;
	char url[256], body[512], key[96];
};

void post_fill(struct post *post, const struct world *world, const struct world_ask *ask);

/* Many of them at once, from a thread of their own, while the test does something else. */
struct posting {
	size_t count, at_once;
	struct post *posts;              /* owned, as all below */
	struct http_request *requests;   /* of the posts */
	struct http_response *responses; /* responses[i] answers posts[i]; complete after posting_wait() */
	pthread_t thread;
	bool done; /* the client itself did not fail */
};

/* False when there is no memory or no thread. */
bool posting_begin(struct posting *posting, const struct world *world, const struct world_ask *asks,
		   size_t count, size_t at_once);
bool posting_wait(struct posting *posting); /* until all are answered, or have failed */
void posting_release(struct posting *posting);

/* How many requests the person has made, as that broker lists them; -1 when it does not answer with 200. */
int count_requests(const struct world *world, size_t broker, size_t person);

#endif
