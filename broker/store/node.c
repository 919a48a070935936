/* The life of one Redis as the broker sees it. What a call means is not known here. */
#include "store/node.h"

#include <string.h>

#include "base/log.h"

#define BACKOFF_FIRST_MS 10   /* longest pause before the second attempt */
#define BACKOFF_MAX_MS   1000 /* longest pause at all: how long after Redis the broker may come back */
#define BACKOFF_DOUBLES  7    /* 10 ms << 7 is beyond the maximum */
#define GRACE_MS         1000 /* a Redis that restarts within this is not missed */
#define STEADY_MS        1000 /* ready for this long: the next attempt comes at once again */
#define LOG_EVERY_MS     1000

static const struct connection_events events;

static int64_t now_ms(const struct node *node)
{
	return (int64_t)uv_now(node->loop);
}

static bool is_open(const struct node *node)
{
	return node->state == NODE_READY || node->state == NODE_DRAINING;
}

/* -- losing and regaining the connection ------------------------------------------------------------------ */

static void lose(struct node *node, const char *why);

/* Full jitter: many brokers that lost the same Redis do not come back in step. */
static uint64_t backoff_ms(struct node *node)
{
	uint32_t random = 0;
	unsigned longest = (unsigned)BACKOFF_FIRST_MS << node->attempts;
	if (longest > BACKOFF_MAX_MS)
		longest = BACKOFF_MAX_MS;
	if (node->attempts < BACKOFF_DOUBLES)
		node->attempts++;
	(void)uv_random(NULL, NULL, &random, sizeof(random), 0, NULL);
	return 1 + random % longest;
}

static enum err try_connecting(struct node *node);

static void on_timer(uv_timer_t *timer)
{
	struct node *node = timer->data;
	if (node->state != NODE_WAITING)
		lose(node, "Redis did not answer in time");
	else if (try_connecting(node) != ERR_OK)
		lose(node, "there is no memory for a connection");
}

static enum err try_connecting(struct node *node)
{
	struct connection_target target = {
		.address = &node->address, .turn = node->turn++, .events = &events, .ctx = node};
	node->connection = connection_new(node->loop, &target);
	if (node->connection == NULL)
		return ERR_NOMEM;
	node->state = NODE_CONNECTING;
	(void)uv_timer_start(&node->timer, on_timer, (uint64_t)node->call_timeout_ms, 0);
	return ERR_OK;
}

static void free_ghosts(struct node *node)
{
	struct call *ghost;
	while ((ghost = calls_pop(&node->ghosts)) != NULL)
		node->ended(node->ctx, ghost, ERR_TIMEOUT, NULL);
}

/* What was in flight is in doubt and goes first, in its old order, over the next connection. */
static void drop_connection(struct node *node)
{
	connection_close(node->connection);
	node->connection = NULL;
	node->sending = NULL;
	call_release(&node->conversation);
	for (struct call *call = node->flight.head; call != NULL; call = call->next)
		call->in_doubt = true;
	calls_put_back(&node->queue, &node->held, &node->flight);
	free_ghosts(node);
}

static void lose(struct node *node, const char *why)
{
	int64_t now = now_ms(node);
	if (node->state == NODE_CLOSED)
		return;
	if (node->state == NODE_READY)
		node->lost_ms = now;
	if (!is_open(node))
		node->failed = true;
	else if (now - node->ready_ms >= STEADY_MS)
		node->attempts = 0;
	node->state = NODE_WAITING;
	drop_connection(node);
	(void)uv_timer_start(&node->timer, on_timer, backoff_ms(node), 0);
	node->changed(node->ctx, false, why);
}

static void on_lost(void *ctx, const char *why)
{
	lose(ctx, why);
}

/* -- the start-up conversation ---------------------------------------------------------------------------- */

static void converse(struct node *node)
{
	if (setup_command(&node->setup, &node->conversation.text, &node->conversation.len) != ERR_OK) {
		lose(node, "there is no memory for a command");
		return;
	}
	node->sending = &node->conversation;
	node->sent = 0;
	connection_flush(node->connection);
}

static void begin_setup(struct node *node)
{
	node->state = NODE_SETUP;
	(void)uv_timer_start(&node->timer, on_timer, (uint64_t)node->call_timeout_ms, 0);
	setup_begin(&node->setup, &node->wish);
	converse(node);
}

static void on_opened(void *ctx)
{
	begin_setup(ctx);
}

static void become_ready(struct node *node)
{
	(void)uv_timer_stop(&node->timer);
	if (node->setup.is_volatile)
		log_warn("store_volatile", "why=%s", node->setup.why.text);
	node->state = NODE_READY;
	node->failed = false;
	node->ready_ms = now_ms(node);
	node->wish.known_lanes = node->setup.lanes;
	/* What was held back is older than all that is queued. */
	calls_put_back(&node->queue, &node->held, &node->flight);
	node->changed(node->ctx, true, NULL);
	node_flush(node);
}

static void take_setup_reply(struct node *node, const struct reply *reply)
{
	if (node->sending != NULL || node->conversation.text == NULL) {
		lose(node, "Redis sent a reply that nothing asked for");
		return;
	}
	call_release(&node->conversation);
	switch (setup_reply(&node->setup, reply)) {
	case SETUP_MORE:
		converse(node);
		break;
	case SETUP_READY:
		become_ready(node);
		break;
	case SETUP_REFUSED:
		lose(node, node->setup.why.text);
		break;
	}
}

/* -- calls ------------------------------------------------------------------------------------------------ */

enum answer {
	ANSWER_VALUE,
	ANSWER_NO_FUNCTION, /* not executed: the library is gone */
	ANSWER_LATER,       /* not executed: this Redis cannot do it now */
	ANSWER_ERROR
};

static const struct {
	const char *prefix;
	enum answer answer;
} error_replies[] = {
	{"ERR Function not found", ANSWER_NO_FUNCTION},
	{"LOADING ", ANSWER_LATER},
	{"BUSY ", ANSWER_LATER},
	{"MASTERDOWN ", ANSWER_LATER},
	{"READONLY ", ANSWER_LATER},
};

static enum answer classify(const struct reply *reply)
{
	if (!reply_is_error(reply))
		return ANSWER_VALUE;
	for (size_t i = 0; i < sizeof(error_replies) / sizeof(error_replies[0]); i++)
		if (strncmp(reply->text, error_replies[i].prefix, strlen(error_replies[i].prefix)) == 0)
			return error_replies[i].answer;
	return ANSWER_ERROR;
}

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
	if (node->state == NODE_READY) {
		node->state = NODE_DRAINING;
		node->lost_ms = now_ms(node);
		node->reload = true;
	}
	node->reload = node->reload && reload;
	if (!reload)
		(void)err_set(&node->trouble, ERR_UNAVAILABLE, "Redis answered: %s", reply->text);
}

static void settle(struct node *node, struct call *call, const struct reply *reply)
{
	enum answer answer = classify(reply);
	if (answer == ANSWER_LATER) {
		hold(node, call, false, reply);
	} else if (answer == ANSWER_NO_FUNCTION && !call->repeated) {
		call->repeated = true;
		hold(node, call, true, reply);
	} else if (answer == ANSWER_VALUE) {
		node->ended(node->ctx, call, ERR_OK, reply);
	} else {
		log_refusal(node, call, reply);
		node->ended(node->ctx, call, ERR_INTERNAL, NULL);
	}
}

static void finish_draining(struct node *node)
{
	if (node->state != NODE_DRAINING || node->flight.head != NULL || node->ghosts.head != NULL)
		return;
	if (node->reload)
		begin_setup(node);
	else
		lose(node, node->trouble.text);
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
		lose(node, "Redis sent a reply that nothing asked for");
		return;
	}
	struct call *call = calls_pop(from);
	if (from == &node->ghosts)
		node->ended(node->ctx, call, ERR_TIMEOUT, NULL);
	else
		settle(node, call, reply);
	finish_draining(node);
}

static struct call *next_to_send(struct node *node)
{
	if (node->state != NODE_READY || node->queue.head == NULL)
		return NULL;
	if (node->flight.head == NULL && node->ghosts.head == NULL)
		node->heard_ms = now_ms(node);
	struct call *call = calls_pop(&node->queue);
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

/* -- deadlines -------------------------------------------------------------------------------------------- */

/* Deadlines rise along the list, so the calls that are due are at its front. */
static struct call *pop_due(struct calls *calls, int64_t now)
{
	return calls->head != NULL && calls->head->deadline_ms <= now ? calls_pop(calls) : NULL;
}

static void expire_unsent(struct node *node, struct calls *calls, int64_t now)
{
	struct call *call;
	while ((call = pop_due(calls, now)) != NULL)
		node->ended(node->ctx, call, call->in_doubt ? ERR_TIMEOUT : ERR_UNAVAILABLE, NULL);
}

static void earlier(int64_t *next, int64_t candidate)
{
	if (candidate < *next)
		*next = candidate;
}

int64_t node_expire(struct node *node)
{
	int64_t now = now_ms(node);
	int64_t next = INT64_MAX;
	struct call *call;
	while ((call = pop_due(&node->flight, now)) != NULL) {
		store_done *done = call->done;
		call->done = NULL;
		calls_push(&node->ghosts, call);
		if (done != NULL)
			done(call->ctx, ERR_TIMEOUT, NULL);
	}
	bool silent = node->flight.head != NULL || node->ghosts.head != NULL;
	if (silent && now - node->heard_ms >= node->call_timeout_ms)
		lose(node, "Redis does not answer");
	expire_unsent(node, &node->held, now);
	expire_unsent(node, &node->queue, now);
	if (node->flight.head != NULL || node->ghosts.head != NULL)
		earlier(&next, node->heard_ms + node->call_timeout_ms);
	const struct calls *lists[] = {&node->flight, &node->held, &node->queue};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (lists[i]->head != NULL)
			earlier(&next, lists[i]->head->deadline_ms);
	return next;
}

/* -- the owner's calls ------------------------------------------------------------------------------------ */

enum err node_start(struct node *node)
{
	if (uv_timer_init(node->loop, &node->timer) != 0)
		return ERR_NOMEM;
	node->timer.data = node;
	node->lost_ms = now_ms(node);
	return try_connecting(node);
}

size_t node_waiting(const struct node *node)
{
	return node->flight.count + node->held.count + node->queue.count;
}

bool node_accepts(const struct node *node)
{
	if (node->state == NODE_CLOSED || node_waiting(node) + node->ghosts.count >= node->queue_max)
		return false;
	return node->state == NODE_READY || !node->failed || now_ms(node) - node->lost_ms < GRACE_MS;
}

void node_add(struct node *node, struct call *call)
{
	calls_push(&node->queue, call);
}

void node_flush(struct node *node)
{
	if (node->state == NODE_READY)
		connection_flush(node->connection);
}

void node_close(struct node *node, uv_close_cb closed)
{
	struct call *call;
	node->state = NODE_CLOSED;
	drop_connection(node);
	uv_close((uv_handle_t *)&node->timer, closed);
	while ((call = calls_pop(&node->queue)) != NULL)
		node->ended(node->ctx, call, ERR_UNAVAILABLE, NULL);
}
