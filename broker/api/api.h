/*
 * The HTTP API: what every handler works with. A handler is called with a route's parameters and a known caller;
 * it validates, asks activation/ once, and a second function answers with what came back.
 */
#ifndef API_API_H
#define API_API_H

#include <stdbool.h>

#include "activation/activation.h"
#include "activation/key.h"
#include "activation/policy.h"
#include "api/caller.h"
#include "api/odata.h"
#include "api/route.h"
#include "broker/metrics.h"
#include "config/config.h"
#include "server/server.h"
#include "store/store.h"

struct signin;
struct pusher;
struct keeper;
struct provisioner;
struct escrow;
struct forgotten;
struct quota;
struct events;
struct change;

struct reading;

/* What the lanes have said, for /readyz and /metrics: one look serves all who ask within a short while. */
struct health {
	struct metrics_state state; /* only what the lanes know of it */
	int64_t read_ms;            /* when they had said it, on the clock that never jumps; 0 = never */
	unsigned lanes_left;        /* of a look that is under way */
	int64_t now_ms, oldest_ms, oldest_due_ms, oldest_aside_ms, oldest_notice_ms;
	struct reading *waiting; /* for its end */
};

struct api {
	struct config *config; /* the current one; replaced on reload */
	struct activation *activation;
	struct store *store;
	struct server *server;
	struct metrics *metrics;
	struct pusher *pusher;
	const struct provisioner *provisioner;
	struct escrow *escrow;       /* NULL = none */
	struct forgotten *forgotten; /* NULL = nothing is known of it */
	struct keeper *keeper;       /* of the audit */
	struct signin *signin;       /* NULL when no provider is configured */
	struct quota *quota;         /* NULL = callers are not counted */
	struct events *events;       /* those who listen */
	struct health health;
	bool stopping;
};

/* One call: an exchange with what the router has found out. Freed by call_answer() and call_error(). */
struct call {
	struct api *api;
	struct exchange *exchange;
	struct config *config; /* one reference: the configuration under which the call began */
	const struct route *route;
	struct about about; /* the route's */
	struct caller caller;
	struct buf actor;       /* who calls, for the audit: actor_write() */
	char param[NAME_SIZE];  /* the route's variable segment; "" = none */
	char param2[NAME_SIZE]; /* its second one */
	bool beta;              /* asked under /beta */
	struct key key;         /* its Idempotency-Key, while nobody else may do what is asked under it */

	/* What it is about, for the audit of a refusal; "" and NULL = not known (yet). */
	struct {
		const char *action; /* static */
		char group[ID_SIZE], request[ID_SIZE];
	} subject;

	/* Kept between asking and answering: */
	bool only_try;
	const struct policy
		*policy; /* that has its word in the answer; NULL = none, or it has refused by itself */
	struct policy_verdict verdict; /* what it said */
	bool starts_later;             /* the store's limits are looked at then */
	bool stages_only;              /* an approval's stages without the approval */
	struct odata_query query;
};

/* The server's handler; `ctx` is the struct api. */
void api_handle(void *ctx, struct exchange *exchange);

/* Answers and frees the call. The body is released too; when it failed the answer is ERR_NOMEM. */
void call_answer(struct call *call, int status, const char *content_type, struct buf *body);
void call_error(struct call *call, enum err err, const char *message, const char *details_json);

/* Answers with the stream and frees the call; its caller (caller_release()) and its configuration are the callee's now. */
void call_stream(struct call *call, const struct stream *stream, struct caller *caller,
		 struct config **config);

/* Does the call say that its body is JSON? */
bool call_is_json(const struct call *call);

/* The "@odata.context" member that opens an answer: "https://host/v1.0/$metadata#what". */
void call_context(const struct call *call, struct buf *out, const char *what);

#endif
