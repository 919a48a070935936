/*
 * The store: the only code that speaks to Redis: one server, the master that sentinels name, or a Redis Cluster. One
 * pipelined connection to each server, on the broker's own libuv loop; hiredis formats commands and parses replies,
 * everything else (stream, TLS, deadlines, reconnecting, following masters and slots, loading the function library)
 * is here. Nothing blocks. Every call is one Redis function (FCALL), which runs atomically.
 *
 * A call whose connection breaks before its reply is *in doubt*: the store sends it again on the next connection
 * until its deadline, which is why each function must be harmless when it runs twice with the same arguments.
 *
 * The process must ignore SIGPIPE: libuv writes also to a connection that the other side has just closed.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"

#define STORE_ARGS_MAX 720 /* the end of a push of 100 members takes five arguments each */

struct store;
struct reply; /* one value of a Redis reply; borrowed, valid only during the callback */

/* Why it is not ready when the data is not what it was; it comes back by itself with the data. */
#define STORE_LOST                                                                                           \
	"Redis has lost its data, or holds other data than before: restore it, or carry out the escrow and " \
	"restart the brokers, as deploy/restore.md says"

#define STORE_SERVERS_MAX 32 /* sentinels, or seeds of a cluster */

/* Where Redis is. All texts are borrowed for the call; NULL or "" where there is none. */
struct store_place {
	const char *url;            /* unix:/path or redis[s]://host:port[/db]; not with the next two */
	const char *const *cluster; /* URLs of some nodes of a Redis Cluster */
	size_t cluster_count;
	const char *const *sentinels; /* URLs of some sentinels that know ... */
	size_t sentinel_count;
	const char *master; /* ... the master of this name */
	const char *user, *password;
	const char *sentinel_user, *sentinel_password;
	const char *ca_file, *certificate_file, *key_file; /* for rediss:// */
};

struct store_options {
	struct store_place place;
	const char *library; /* text of the function library (Lua); copied */
	size_t library_len;
	int library_version;     /* what its function jit_version returns */
	unsigned schema;         /* of the keys that it reads and writes; from 1 on */
	unsigned lanes;          /* wanted number of lanes, if this store is used for the first time */
	int64_t call_timeout_ms; /* deadline of each call, reconnecting included */
	size_t queue_max;        /* calls that may wait for a reply; more fail at once with ERR_UNAVAILABLE */
	bool allow_volatile;     /* run on a Redis that may forget (tests, trials) */
	int64_t look_ms; /* how often to see that the data is still what it was; 0 = after a new connection only */
	/* A write is answered only when so many replicas have it; not in this time: ERR_TIMEOUT. */
	unsigned replicas;
	int64_t replicas_timeout_ms;
	/* Told, from the loop, when the store becomes ready (why is NULL), when it stops being so, and, while it is
	 * not, whenever the reason changes. Each setting that is wrong is named there with what to set. */
	void (*on_ready)(void *ctx, bool ready, const char *why);
	/* Told once, from the loop, when store_lanes() is known, before on_ready(); NULL = not. On a cluster the lanes of the
	 * nodes that are there can be used from then on, whatever is away. */
	void (*on_lanes)(void *ctx);
	void *ctx;
};

/* What has happened since the store was made. */
struct store_counts {
	uint64_t connected;    /* connections that became ready */
	uint64_t in_doubt;     /* calls that ended so */
	uint64_t redirected;   /* calls that a node of a cluster sent elsewhere */
	uint64_t unreplicated; /* calls whose write did not reach enough replicas in time */
};

/* `reply` is NULL unless err is ERR_OK. ERR_UNAVAILABLE: not executed. ERR_TIMEOUT: in doubt.
 * ERR_INTERNAL: Redis answered with an error, which the store has logged. */
typedef void store_done(void *ctx, enum err err, const struct reply *reply);

struct store_call {
	const char *function; /* e.g. "jit_submit" */
	unsigned lane;        /* becomes KEYS[1] = "{jN}:" */
	bool read_only;       /* FCALL_RO */
	bool at_once; /* answered also while the replicas do not have what it writes: nothing is acknowledged by that */
	int argc; /* arguments after the key */
	const char *argv[STORE_ARGS_MAX];
	size_t lens[STORE_ARGS_MAX]; /* 0 together with a non-NULL argv means strlen(argv) */
};

/* Starts connecting; options are copied. NULL and `ec` when the URL or a number is wrong (ERR_CONFIG) or memory is
 * short; the loop must still run once then, to close what was opened. */
struct store *store_new(uv_loop_t *loop, const struct store_options *options, struct errctx *ec) MUST_CHECK;

/* Fails all waiting calls (ERR_TIMEOUT where they were sent) before it returns, closes, and frees the store once the
 * loop has run the close callbacks. May be called from a callback of the store. Calls made after it fail likewise, from the
 * loop, before the store is freed. */
void store_close(struct store *store);

bool store_ready(const struct store *store, const char **why); /* `why` borrowed, set when not ready */
unsigned store_lanes(const struct store *store); /* fixed when the store was first used; 0 before ready */
/* When the lane's data was begun, Unix ms by the clock of the broker that did; 0 before that is known. */
int64_t store_born_ms(const struct store *store, unsigned lane);
size_t store_waiting(const struct store *store); /* calls without a reply yet */
const struct store_counts *store_counts(const struct store *store);

/* The lane of an application: a hash of its id over the number of lanes. Needs a ready store. */
unsigned store_lane_of(const struct store *store, const char *app_id);

/*
 * Copies the arguments. `done` is always called exactly once, from the loop, never from within this call. While
 * Redis is away for more than a second, calls fail at once; before that they wait for it until their deadline.
 * All calls of one round of the loop go out in one write, in their order.
 */
void store_call(struct store *store, const struct store_call *call, store_done *done, void *ctx);

/* Convenience for building calls: each appends one argument. The text is borrowed until store_call returns. */
void store_arg(struct store_call *call, const char *text);
void store_arg_bytes(struct store_call *call, const char *bytes, size_t len);

/* Readers of a reply. Wrong types read as nil: 0, NULL, or the empty array. */
size_t reply_count(const struct reply *reply);                         /* elements of an array */
const struct reply *reply_at(const struct reply *reply, size_t index); /* NULL beyond the end */
int64_t reply_int(const struct reply *reply);                          /* also reads digits in a string */
const char *reply_text(const struct reply *reply);                     /* NUL-terminated, "" when no string */
size_t reply_text_len(const struct reply *reply);
bool reply_is_text(const struct reply *reply);

#endif
