/* The store's public face: calls in, batches out, one timer for all deadlines. The topology does the rest. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "store/topology.h"

#define RESERVE 256 /* calls that can still be refused in order when there is no memory */
#define HANDLES 5   /* idle, check, deadline, look, and the topology as one */

struct store {
	uv_loop_t *loop;
	struct topology topology;
	char *library; /* owned */
	void (*on_ready)(void *ctx, bool ready, const char *why);
	void (*on_lanes)(void *ctx);
	void *ctx;
	bool ready, told_lanes;
	bool closing;
	struct errctx why; /* why it is not ready */
	uint64_t last_number;

	/*
	 * While there is something to send or to tell, `idle` keeps the loop from sleeping and `check` runs after
	 * it has polled: what the callbacks of one round call goes out in one write.
	 */
	uv_idle_t idle;
	uv_check_t check;
	/*
	 * Runs at the earliest deadline. The calls are ended by `check`, after the loop has read what is there: a
	 * broker that was stopped for a while finds its replies, not its deadlines. `deadline_ms` is when it runs, or has run
	 * while that has not been worked on; INT64_MAX = it does not. libuv itself does not tell: in 1.50 a timer whose
	 * callback is due in this round counts as inactive already, and who starts it anew puts it off.
	 */
	uv_timer_t deadline;
	int64_t deadline_ms;
	bool deadline_passed;
	uv_timer_t look; /* at the data, while it is ready */
	int64_t look_ms;
	unsigned handles_open;

	struct calls refused; /* told their `err` in the next round */
	struct calls reserve;
	struct call reserve_calls[RESERVE];
};

/* -- calls' memory ---------------------------------------------------------------------------------------- */

/* Never fails: without memory it takes from the reserve, and a broker whose reserve is gone too is at its end. */
static struct call *call_new(struct store *store, store_done *done, void *ctx)
{
	struct call *call = malloc(sizeof(*call));
	bool is_reserve = call == NULL;
	if (is_reserve)
		call = calls_pop(&store->reserve);
	if (call == NULL)
		abort();
	*call = (struct call){.done = done, .ctx = ctx, .is_reserve = is_reserve};
	return call;
}

static void call_free(struct store *store, struct call *call)
{
	call_release(call);
	if (call->is_reserve)
		calls_push(&store->reserve, call);
	else
		free(call);
}

static void on_ended(void *ctx, struct call *call, enum err err, const struct reply *reply)
{
	store_done *done = call->done;
	void *done_ctx = call->ctx;
	call_free(ctx, call);
	if (done != NULL)
		done(done_ctx, err, reply);
}

/* -- the loop's rounds ------------------------------------------------------------------------------------ */

static void on_deadline(uv_timer_t *timer);

/* Only ever to an earlier time. */
static void schedule_deadline(struct store *store, int64_t at_ms)
{
	int64_t now = (int64_t)uv_now(store->loop);
	if (at_ms >= store->deadline_ms || store->closing)
		return;
	store->deadline_ms = at_ms;
	(void)uv_timer_start(&store->deadline, on_deadline, at_ms > now ? (uint64_t)(at_ms - now) : 0, 0);
}

/* Only those that were refused before this round: a callback may call again and be refused again. */
static void tell_refused(struct store *store)
{
	struct calls refused = store->refused;
	struct call *call;
	store->refused = (struct calls){.head = NULL};
	while ((call = calls_pop(&refused)) != NULL)
		on_ended(store, call, call->err, NULL);
}

static void work(struct store *store)
{
	if (store->refused.head == NULL && !store->deadline_passed) {
		(void)uv_idle_stop(&store->idle);
		(void)uv_check_stop(&store->check);
	}
	topology_flush(&store->topology);
}

static void on_idle(uv_idle_t *idle)
{
	work(idle->data);
}

static void on_check(uv_check_t *check)
{
	struct store *store = check->data;
	tell_refused(store);
	if (store->deadline_passed && !store->closing) {
		store->deadline_passed = false;
		store->deadline_ms = INT64_MAX;
		schedule_deadline(store, topology_expire(&store->topology));
	}
	if (!store->closing)
		work(store);
}

static void wake(struct store *store)
{
	if (store->closing)
		return;
	(void)uv_idle_start(&store->idle, on_idle);
	(void)uv_check_start(&store->check, on_check);
}

static void on_deadline(uv_timer_t *timer)
{
	struct store *store = timer->data;
	store->deadline_passed = true;
	wake(store);
}

/* -- readiness -------------------------------------------------------------------------------------------- */

static void on_seen(void *ctx, enum err err, const struct reply *reply)
{
	struct store *store = ctx;
	if (err == ERR_OK && !store->closing && reply_int(reply) == 0)
		topology_doubt(&store->topology, STORE_LOST);
}

/* Data may go while the connection stays: FLUSHALL. */
static void on_look(uv_timer_t *timer)
{
	struct store *store = timer->data;
	for (unsigned lane = 0; lane < topology_stores(&store->topology); lane++) {
		struct store_call call = {.function = "jit_store", .lane = lane, .read_only = true};
		store_arg(&call, topology_store(&store->topology, lane));
		store_call(store, &call, on_seen, store);
	}
}

int64_t store_born_ms(const struct store *store, unsigned lane)
{
	const char *born = strchr(topology_store(&store->topology, lane), ' ');
	return born != NULL ? strtoll(born, NULL, 10) : 0;
}

static void on_changed(void *ctx, bool ready, const char *why)
{
	struct store *store = ctx;
	struct errctx now = {.text = ""};
	if (why != NULL)
		(void)err_set(&now, ERR_UNAVAILABLE, "%s", why);
	if (!store->told_lanes && store_lanes(store) > 0 && store->on_lanes != NULL)
		store->on_lanes(store->ctx);
	store->told_lanes = store_lanes(store) > 0;
	if (ready == store->ready && (ready || strcmp(now.text, store->why.text) == 0))
		return;
	store->ready = ready;
	store->why = now;
	if (ready && store->look_ms > 0)
		(void)uv_timer_start(&store->look, on_look, (uint64_t)store->look_ms,
				     (uint64_t)store->look_ms);
	else if (!store->closing)
		(void)uv_timer_stop(&store->look);
	if (store->on_ready != NULL)
		store->on_ready(store->ctx, ready, ready ? NULL : store->why.text);
}

bool store_ready(const struct store *store, const char **why)
{
	if (!store->ready && why != NULL)
		*why = store->why.text;
	return store->ready;
}

/* -- lanes ------------------------------------------------------------------------------------------------ */

unsigned store_lanes(const struct store *store)
{
	return topology_lanes(&store->topology);
}

/* FNV-1a of 64 bits, folded. Applications live where this says: it must never change. */
unsigned store_lane_of(const struct store *store, const char *app_id)
{
	unsigned lanes = store_lanes(store);
	uint64_t hash = 14695981039346656037u;
	for (const char *c = app_id; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * 1099511628211u;
	hash ^= hash >> 32;
	return lanes > 0 ? (unsigned)(hash % lanes) : 0;
}

/* -- opening and closing ---------------------------------------------------------------------------------- */

static enum err check_options(const struct store_options *options, struct errctx *ec)
{
	if (options->lanes < 1 || options->lanes > LANES_MAX)
		return err_set(ec, ERR_CONFIG, "the number of lanes must be from 1 to %d", LANES_MAX);
	if (options->call_timeout_ms < 1 || options->queue_max < 1)
		return err_set(ec, ERR_CONFIG, "the store's timeout and queue must be at least 1");
	if (options->schema < 1)
		return err_set(ec, ERR_CONFIG, "the schema of the keys must be at least 1");
	if (options->replicas > 0 && options->replicas_timeout_ms < 1)
		return err_set(ec, ERR_CONFIG, "the replicas must have some time");
	return ERR_OK;
}

static void on_topology_closed(void *ctx);

static const struct topology_events events = {
	.changed = on_changed,
	.ended = on_ended,
	.closed = on_topology_closed,
};

/* Everything that can be filled in before the loop knows the store. */
static enum err fill(struct store *store, const struct store_options *options, struct errctx *ec)
{
	store->library = malloc(options->library_len + 1);
	if (store->library == NULL)
		return err_set(ec, ERR_NOMEM, "there is no memory for the store");
	memcpy(store->library, options->library, options->library_len);
	store->library[options->library_len] = '\0';
	for (size_t i = 0; i < RESERVE; i++)
		calls_push(&store->reserve, &store->reserve_calls[i]);
	store->on_ready = options->on_ready;
	store->on_lanes = options->on_lanes;
	store->look_ms = options->look_ms;
	store->ctx = options->ctx;
	(void)err_set(&store->why, ERR_UNAVAILABLE, "the store is still connecting");
	store->topology.events = &events;
	store->topology.ctx = store;
	enum err err = topology_init(&store->topology, store->loop, options, ec);
	store->topology.shared.wish.library = store->library;
	store->topology.shared.wish.library_len = options->library_len;
	return err;
}

static void free_store(struct store *store)
{
	topology_release(&store->topology);
	free(store->library);
	free(store);
}

/* The last handle is closed: calls made after store_close() are told now. */
static void closed_one(struct store *store)
{
	if (--store->handles_open > 0)
		return;
	while (store->refused.head != NULL)
		tell_refused(store);
	free_store(store);
}

static void on_closed(uv_handle_t *handle)
{
	closed_one(handle->data);
}

static void on_topology_closed(void *ctx)
{
	closed_one(ctx);
}

struct store *store_new(uv_loop_t *loop, const struct store_options *options, struct errctx *ec)
{
	if (check_options(options, ec) != ERR_OK)
		return NULL;
	struct store *store = calloc(1, sizeof(*store));
	if (store == NULL) {
		(void)err_set(ec, ERR_NOMEM, "there is no memory for the store");
		return NULL;
	}
	store->loop = loop;
	store->deadline_ms = INT64_MAX;
	if (fill(store, options, ec) != ERR_OK) {
		free_store(store);
		return NULL;
	}
	/* libuv's own initialisers of these handles cannot fail. */
	(void)uv_idle_init(loop, &store->idle);
	(void)uv_check_init(loop, &store->check);
	(void)uv_timer_init(loop, &store->deadline);
	(void)uv_timer_init(loop, &store->look);
	store->idle.data = store;
	store->check.data = store;
	store->deadline.data = store;
	store->look.data = store;
	store->handles_open = HANDLES;
	if (topology_start(&store->topology, ec) != ERR_OK) {
		store_close(store);
		return NULL;
	}
	return store;
}

void store_close(struct store *store)
{
	if (store == NULL || store->closing)
		return;
	store->closing = true;
	store->ready = false;
	(void)err_set(&store->why, ERR_UNAVAILABLE, "the store is closed");
	uv_close((uv_handle_t *)&store->idle, on_closed);
	uv_close((uv_handle_t *)&store->check, on_closed);
	uv_close((uv_handle_t *)&store->deadline, on_closed);
	uv_close((uv_handle_t *)&store->look, on_closed);
	topology_close(&store->topology);
}

/* -- calls ------------------------------------------------------------------------------------------------ */

size_t store_waiting(const struct store *store)
{
	return topology_waiting(&store->topology) + store->refused.count;
}

const struct store_counts *store_counts(const struct store *store)
{
	return &store->topology.counts;
}

static enum err prepare(struct store *store, struct call *call, const struct store_call *wanted)
{
	if (store->closing || !topology_accepts(&store->topology, slot_of_lane(wanted->lane)))
		return ERR_UNAVAILABLE;
	if (call->is_reserve)
		return ERR_NOMEM;
	return call_format(call, wanted);
}

void store_call(struct store *store, const struct store_call *wanted, store_done *done, void *ctx)
{
	struct call *call = call_new(store, done, ctx);
	call->err = prepare(store, call, wanted);
	wake(store);
	if (call->err != ERR_OK) {
		if (call->err == ERR_INTERNAL)
			log_error("store_call_invalid", "function=%s", wanted->function);
		calls_push(&store->refused, call);
		return;
	}
	call->number = ++store->last_number;
	call->deadline_ms = (int64_t)uv_now(store->loop) + store->topology.shared.call_timeout_ms;
	topology_add(&store->topology, call);
	schedule_deadline(store, call->deadline_ms);
}

void store_arg_bytes(struct store_call *call, const char *bytes, size_t len)
{
	/* One too many is counted, so that the call is refused rather than cut. */
	if (call->argc >= STORE_ARGS_MAX) {
		call->argc = STORE_ARGS_MAX + 1;
		return;
	}
	call->argv[call->argc] = len > 0 ? bytes : "";
	call->lens[call->argc] = len;
	call->argc++;
}

void store_arg(struct store_call *call, const char *text)
{
	store_arg_bytes(call, text, strlen(text));
}
