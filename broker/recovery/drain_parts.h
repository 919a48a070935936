/* Inside of the drain: what drain.c (its life), drain_push.c (its pushes) and drain_redis.c (what Redis knows) share. */
#ifndef RECOVERY_DRAIN_PARTS_H
#define RECOVERY_DRAIN_PARTS_H

#include <uv.h>

#include "escrow/escrow.h"
#include "escrow/survey.h"
#include "recovery/drain.h"
#include "scim-push/push.h"
#include "store/store.h"

enum drain_redis {
	DRAIN_REFUSE,  /* Redis can be used: then the sweep is right, and nothing is done */
	DRAIN_WITHOUT, /* it is not asked */
	DRAIN_BESIDE   /* it is asked of each membership; only what it knows nothing of is removed */
};

struct drain_options {
	enum drain_redis redis;
	bool all;            /* whatever its end is */
	bool dry_run;        /* only say what would be removed; Redis is asked with DRAIN_BESIDE only */
	int64_t patience_ms; /* what is not done by then is left */
};

enum item_state {
	ITEM_WAITS,
	ITEM_FLIES,
	ITEM_REMOVED,
	ITEM_HELD, /* Redis knows of it: the brokers see to it */
	ITEM_STUCK /* it cannot be removed: `why` */
};

struct item {
	struct escrow_line line; /* its texts are the survey's, or the configuration's */
	const struct config_application *app;
	enum item_state state;
	unsigned failures;
	int64_t not_before_ms; /* clock_mono_ms() */
	size_t most;           /* members in the next push that it is part of */
	char why[160];
};

/* An application's tokens. */
struct bucket {
	const struct config_application *app;
	int64_t *back_ms; /* throttle.pushes: when each is there again, clock_mono_ms() */
	int64_t closed_until_ms;
};

struct drain {
	struct drain_options options;
	struct config *config;
	uv_loop_t loop;
	uv_timer_t timer;
	struct pusher *pusher;
	struct escrow *escrow; /* notes what is gone; NULL: a dry run */
	struct store *store;   /* NULL: Redis is not asked, or no longer */
	struct survey survey;
	struct item *items; /* what is to be removed */
	size_t count;
	struct bucket *buckets; /* one for each application of the configuration */
	size_t flights;         /* pushes under way */
	size_t asked;           /* questions to Redis under way */
	int64_t begun_ms, till_ms;
	bool begun;
	enum drain_exit exit;
};

/* drain_push.c: begins all pushes for which there are tokens. */
void drain_push(struct drain *drain);

/* drain_redis.c: is Redis there? Calls drain_decided() once that is known. False: `ec` says why not. */
bool drain_ask(struct drain *drain, struct errctx *ec);
/* Does it know of that membership? `done` gets false where it cannot say. */
typedef void drain_told(void *ctx, size_t item, bool can_say, bool is_held);
void drain_ask_one(struct drain *drain, size_t item, drain_told *done, void *ctx);

/* drain.c: Redis is there, or is not. */
void drain_decided(struct drain *drain, bool is_there);
/* One membership that is removed, or would be, on standard output. */
void drain_print(const struct escrow_line *line);

#endif
