/* The life of one Redis as the broker sees it. What a call means is not known here. */
#include "store/node.h"

#include <string.h>

#include <openssl/crypto.h>

#include "base/log.h"
#include "store/backoff.h"
#include "store/store.h"

#define GRACE_MS     1000 /* a Redis that restarts within this is not missed */
#define STEADY_MS    1000 /* ready for this long: the next attempt comes at once again */
#define LOG_EVERY_MS 1000
#define BATCH_MAX    512 /* writes that wait for replicas together */

static const struct connection_events events;

static int64_t now_ms(const struct node *node)
{
	return (int64_t)uv_now(node->shared->loop);
}

bool node_is_ready(const struct node *node)
{
	return node->state == NODE_READY || node->state == NODE_DRAINING;
}

/* -- losing and regaining the connection ------------------------------------------------------------------ */

static uint64_t next_pause_ms(struct node *node)
{
	uint32_t random = 0;
	(void)uv_random(NULL, NULL, &random, sizeof(random), 0, NULL);
	return backoff_ms(node->attempts++, random);
}

static void attempt(struct node *node);

static void drain(struct node *node)
{
	node->state = NODE_DRAINING;
	node->lost_ms = now_ms(node);
	node->reload = true;
}

static void on_timer(uv_timer_t *timer)
{
	struct node *node = timer->data;
	if (node->state == NODE_WAITING)
		attempt(node);
	else if (!node_is_ready(node))
		node_lose(node, "Redis did not answer in time");
	else if (node->state == NODE_READY)
		node_review(node);
}

static void limit_attempt(struct node *node, enum node_state state)
{
	node->state = state;
	(void)uv_timer_start(&node->timer, on_timer, (uint64_t)node->shared->call_timeout_ms, 0);
}

static enum err try_connecting(struct node *node)
{
	struct connection_target target = {.address = &node->address,
					   .tls = node->shared->tls,
					   .turn = node->turn++,
					   .events = &events,
					   .ctx = node};
	node->connection = connection_new(node->shared->loop, &target);
	if (node->connection == NULL)
		return ERR_NOMEM;
	limit_attempt(node, NODE_CONNECTING);
	return ERR_OK;
}

static void attempt(struct node *node)
{
	if (node->shared->events->seek != NULL) {
		limit_attempt(node, NODE_SEEKING);
		node->shared->events->seek(node->shared->ctx, node);
	} else if (try_connecting(node) != ERR_OK) {
		node_lose(node, "there is no memory for a connection");
	}
}

void node_found(struct node *node, const struct address *address)
{
	if (node->state != NODE_SEEKING)
		return;
	node->address = *address;
	if (try_connecting(node) != ERR_OK)
		node_lose(node, "there is no memory for a connection");
}

void node_not_found(struct node *node, const char *why)
{
	if (node->state == NODE_SEEKING)
		node_lose(node, why);
}

static void end_call(struct node *node, struct call *call, enum err err, const struct reply *reply)
{
	node->shared->events->ended(node->shared->ctx, call, err, reply);
}

static void free_ghosts(struct node *node)
{
	struct call *ghost;
	while ((ghost = calls_pop(&node->ghosts)) != NULL)
		end_call(node, ghost, ERR_TIMEOUT, NULL);
}

/* What Redis has been asked to say, which may hold the password. */
static void forget_conversation(struct node *node)
{
	if (node->conversation.text != NULL)
		OPENSSL_cleanse(node->conversation.text, node->conversation.len);
	call_release(&node->conversation);
}

/* What was in flight is in doubt and goes first, in its old order, over the next connection. */
static void drop_connection(struct node *node)
{
	struct calls sent = {.head = NULL};
	struct call *call;
	connection_close(node->connection);
	node->connection = NULL;
	node->sending = NULL;
	forget_conversation(node);
	while ((call = calls_pop(&node->flight)) != NULL) {
		if (call == &node->barrier.wait)
			continue;
		call->in_doubt = true;
		calls_push(&sent, call);
	}
	calls_merge(&node->queue, &node->held);
	calls_merge(&node->queue, &sent);
	barrier_drop(&node->barrier, &node->queue);
	free_ghosts(node);
}

void node_lose(struct node *node, const char *why)
{
	int64_t now = now_ms(node);
	if (node->state == NODE_CLOSED)
		return;
	if (node->state == NODE_READY)
		node->lost_ms = now;
	if (!node_is_ready(node))
		node->failed = true;
	else if (now - node->ready_ms >= STEADY_MS)
		node->attempts = 0;
	node->state = NODE_WAITING;
	drop_connection(node);
	(void)uv_timer_start(&node->timer, on_timer, next_pause_ms(node), 0);
	node->shared->events->changed(node->shared->ctx, node, false, why);
}

static void on_lost(void *ctx, const char *why)
{
	node_lose(ctx, why);
}

/* -- the start-up conversation ---------------------------------------------------------------------------- */

static void converse(struct node *node)
{
	limit_attempt(node, NODE_SETUP);
	if (setup_command(&node->setup, &node->conversation.text, &node->conversation.len) != ERR_OK) {
		node_lose(node, "there is no memory for a command");
		return;
	}
	node->sending = &node->conversation;
	node->sent = 0;
	connection_flush(node->connection);
}

static void begin_setup(struct node *node)
{
	setup_begin(&node->setup, &node->shared->wish);
	converse(node);
}

static void on_opened(void *ctx)
{
	begin_setup(ctx);
}

static void become_ready(struct node *node)
{
	(void)uv_timer_stop(&node->timer);
	/* Is ours still there? An older broker may have seen what we replaced; its conversation is over by then. */
	if (node->setup.has_replaced)
		(void)uv_timer_start(&node->timer, on_timer, 2 * (uint64_t)node->shared->call_timeout_ms, 0);
	if (node->setup.is_volatile)
		log_warn("store_volatile", "why=%s", node->setup.why.text);
	node->state = NODE_READY;
	node->failed = false;
	node->ready_ms = now_ms(node);
	node->shared->counts->connected++;
	calls_merge(&node->queue, &node->held);
	barrier_drop(&node->barrier, &node->queue);
	node->shared->events->changed(node->shared->ctx, node, true, NULL);
	node_flush(node);
}

static void take_setup_reply(struct node *node, const struct reply *reply)
{
	if (node->sending != NULL || node->conversation.text == NULL) {
		node_lose(node, "Redis sent a reply that nothing asked for");
		return;
	}
	forget_conversation(node);
	connection_wipe(node->connection);
	switch (setup_reply(&node->setup, reply)) {
	case SETUP_MORE:
		converse(node);
		break;
	case SETUP_READY:
		become_ready(node);
		break;
	case SETUP_REFUSED:
		node_lose(node, node->setup.why.text);
		break;
	}
}

/* -- calls ------------------------------------------------------------------------------------------------ */

/* A Redis that is out of memory refuses every call: one line a second tells it as well as a thousand. */
static void log_refusal(struct node *node, const struct call *call, const struct reply *reply)
{
	int64_t now = now_ms(node);
	struct errctx answer; /* bounds the text */
	if (node->logged_ms != 0 && now - node->logged_ms < LOG_EVERY_MS) {
		node->unlogged++;
		return;
	}
	(void)err_set(&answer, ERR_INTERNAL, "%s", reply->text);
	log_error("store_call_refused", "function=%s unlogged=%zu answer=%s", call->function, node->unlogged,
		  answer.text);
	node->logged_ms = now;
	node->unlogged = 0;
}

/* The call was not executed and waits until this Redis, or its successor, can take it. */
static void hold(struct node *node, struct call *call, bool reload, const struct reply *reply)
{
	calls_push(&node->held, call);
	if (node->state == NODE_READY)
		drain(node);
	node->reload = node->reload && reload;
	if (!reload)
		(void)err_set(&node->trouble, ERR_UNAVAILABLE, "Redis answered: %s", reply->text);
}

static void refuse(struct node *node, struct call *call, enum err err, const struct reply *reply)
{
	log_refusal(node, call, reply);
	end_call(node, call, err, NULL);
}

/* The call was carried out; with replicas, its answer waits for them. */
static void fulfil(struct node *node, struct call *call, const struct reply *reply)
{
	if (node->shared->barrier.replicas == 0 || call->at_once)
		end_call(node, call, ERR_OK, reply);
	else if (!barrier_keep(&node->barrier, call, reply))
		end_call(node, call, ERR_TIMEOUT, NULL);
}

static void settle(struct node *node, struct call *call, const struct reply *reply)
{
	switch (answer_of(reply)) {
	case ANSWER_VALUE:
		fulfil(node, call, reply);
		break;
	case ANSWER_LATER:
		hold(node, call, false, reply);
		break;
	case ANSWER_NO_FUNCTION:
		if (call->repeated) {
			refuse(node, call, ERR_INTERNAL, reply);
			break;
		}
		call->repeated = true;
		hold(node, call, true, reply);
		break;
	case ANSWER_MOVED:
	case ANSWER_OPEN:
		if (node->shared->events->turned_away != NULL)
			node->shared->events->turned_away(node->shared->ctx, node, call, reply);
		else
			refuse(node, call, ERR_INTERNAL, reply);
		break;
	case ANSWER_FULL:
		refuse(node, call, ERR_UNAVAILABLE, reply);
		break;
	case ANSWER_ERROR:
		refuse(node, call, ERR_INTERNAL, reply);
		break;
	}
}

/* An answer to the WAIT. Those that it was for are told; a call whose write the replicas do not have is in doubt:
 * they may get it yet, or lose it with this server. */
static void settle_barrier(struct node *node, const struct reply *reply)
{
	enum barrier_verdict verdict =
		barrier_reply(&node->barrier, &node->shared->barrier, reply, now_ms(node));
	struct calls kept = node->barrier.kept;
	struct call *call;
	if (verdict == BARRIER_MORE)
		return;
	(void)calls_pop(&node->flight);
	if (verdict == BARRIER_AGAIN && node->state == NODE_READY) {
		node_flush(node);
		return;
	}
	node->barrier.kept = (struct calls){.head = NULL};
	node->barrier.is_out = false;
	node->barrier.is_short = false;
	if (verdict != BARRIER_SAFE && kept.count > 0) {
		node->shared->counts->unreplicated += kept.count;
		log_warn("store_replicas", "calls=%zu wanted=%u why=%s", kept.count,
			 node->shared->barrier.replicas, "too few replicas have them in time");
	}
	while ((call = calls_pop(&kept)) != NULL) {
		struct reply *answer = call->kept;
		call->kept = NULL;
		if (verdict == BARRIER_SAFE)
			end_call(node, call, ERR_OK, answer);
		else
			end_call(node, call, ERR_TIMEOUT, NULL);
		free(answer);
	}
	/* What has come meanwhile goes out as the next batch. */
	node_flush(node);
}

static void finish_draining(struct node *node)
{
	if (node->state != NODE_DRAINING || node->flight.head != NULL || node->ghosts.head != NULL)
		return;
	if (node->reload)
		begin_setup(node);
	else
		node_lose(node, node->trouble.text);
}

static void on_reply(void *ctx, const struct reply *reply)
{
	struct node *node = ctx;
	node->heard_ms = now_ms(node);
	if (node->state == NODE_SETUP) {
		take_setup_reply(node, reply);
		return;
	}
	struct calls *from = node->ghosts.head != NULL ? &node->ghosts : &node->flight;
	if (from->head == NULL || from->head == node->sending) {
		node_lose(node, "Redis sent a reply that nothing asked for");
		return;
	}
	if (from->head == &node->barrier.wait)
		settle_barrier(node, reply);
	else if (from == &node->ghosts)
		end_call(node, calls_pop(from), ERR_TIMEOUT, NULL);
	else
		settle(node, calls_pop(from), reply);
	finish_draining(node);
}

/* The next of the queue, and after the last one the WAIT for those that write. */
static struct call *next_to_send(struct node *node)
{
	struct barrier *barrier = &node->barrier;
	const struct barrier_wish *wish = &node->shared->barrier;
	bool full = barrier->writes >= BATCH_MAX;
	if (node->state == NODE_READY && barrier->is_short) {
		struct call *again = barrier_repeat(barrier, wish, now_ms(node));
		calls_push(&node->flight, again);
		return again;
	}
	if (node->state != NODE_READY || barrier->is_out ||
	    (node->queue.head == NULL && barrier->writes == 0))
		return NULL;
	if (node->flight.head == NULL && node->ghosts.head == NULL)
		node->heard_ms = now_ms(node);
	struct call *call = node->queue.head == NULL || full
				    ? barrier_raise(barrier, wish, node->setup.has_waitaof, now_ms(node))
				    : calls_pop(&node->queue);
	if (call != &barrier->wait && wish->replicas > 0 && !call->at_once)
		barrier_sent(barrier, call);
	calls_push(&node->flight, call);
	return call;
}

static size_t on_fill(void *ctx, char *to, size_t room)
{
	struct node *node = ctx;
	size_t filled = 0;
	while (filled < room) {
		if (node->sending == NULL) {
			node->sending = next_to_send(node);
			node->sent = 0;
		}
		if (node->sending == NULL)
			break;
		size_t left = node->sending->len - node->sent;
		size_t part = left < room - filled ? left : room - filled;
		memcpy(to + filled, node->sending->text + node->sent, part);
		filled += part;
		node->sent += part;
		if (part == left)
			node->sending = NULL;
	}
	return filled;
}

static const struct connection_events events = {
	.opened = on_opened,
	.fill = on_fill,
	.reply = on_reply,
	.lost = on_lost,
};

/* -- the owner's calls ------------------------------------------------------------------------------------ */

enum err node_start(struct node *node)
{
	(void)uv_timer_init(node->shared->loop, &node->timer); /* cannot fail */
	node->timer.data = node;
	node->lost_ms = now_ms(node);
	if (node->shared->events->seek == NULL)
		return try_connecting(node);
	node->state = NODE_WAITING;
	(void)uv_timer_start(&node->timer, on_timer, 0, 0);
	return ERR_OK;
}

size_t node_waiting(const struct node *node)
{
	return node->flight.count + node->held.count + node->queue.count + node->barrier.kept.count;
}

bool node_accepts(const struct node *node)
{
	if (node->state == NODE_CLOSED || node_waiting(node) + node->ghosts.count >= node->shared->queue_max)
		return false;
	return node->state == NODE_READY || !node->failed || now_ms(node) - node->lost_ms < GRACE_MS;
}

void node_add(struct node *node, struct call *call)
{
	struct calls one = {.head = NULL};
	/* One that comes from another node may be older than what is queued here. */
	if (node->queue.head == NULL || node->queue.tail->number < call->number) {
		calls_push(&node->queue, call);
	} else {
		calls_push(&one, call);
		calls_merge(&node->queue, &one);
	}
}

void node_flush(struct node *node)
{
	if (node->state == NODE_READY)
		connection_flush(node->connection);
}

void node_review(struct node *node)
{
	drain(node);
	finish_draining(node);
}

void node_give_up(struct node *node, struct calls *to)
{
	if (!node_is_ready(node))
		calls_merge(to, &node->queue);
}

void node_retire(struct node *node, struct calls *to)
{
	drop_connection(node);
	node->state = NODE_CLOSED;
	calls_merge(to, &node->queue);
}

void node_close(struct node *node, uv_close_cb closed)
{
	struct call *call;
	node->state = NODE_CLOSED;
	drop_connection(node);
	uv_close((uv_handle_t *)&node->timer, closed);
	while ((call = calls_pop(&node->queue)) != NULL)
		end_call(node, call, call->in_doubt ? ERR_TIMEOUT : ERR_UNAVAILABLE, NULL);
}
