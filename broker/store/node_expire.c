/* A node's deadlines: what has waited for too long is told, and a server that gives no sign of life is given up. */
#include "store/node.h"
#include "store/store.h"

static void end_call(struct node *node, struct call *call, enum err err)
{
	node->shared->events->ended(node->shared->ctx, call, err, NULL);
}

/* Deadlines rise along the list, so the calls that are due are at its front. */
static struct call *pop_due(struct calls *calls, int64_t now)
{
	return calls->head != NULL && calls->head->deadline_ms <= now ? calls_pop(calls) : NULL;
}

/* In the barrier they are answered, but not safe. */
static void expire_kept(struct node *node, int64_t now)
{
	struct call *call;
	while ((call = pop_due(&node->barrier.kept, now)) != NULL)
		end_call(node, call, ERR_TIMEOUT);
}

static void expire_unsent(struct node *node, struct calls *calls, int64_t now)
{
	struct call *call;
	while ((call = pop_due(calls, now)) != NULL)
		end_call(node, call, call->in_doubt ? ERR_TIMEOUT : ERR_UNAVAILABLE);
}

static void earlier(int64_t *next, int64_t candidate)
{
	if (candidate < *next)
		*next = candidate;
}

int64_t node_expire(struct node *node)
{
	int64_t now = (int64_t)uv_now(node->shared->loop);
	int64_t next = INT64_MAX;
	struct call *call;
	while ((call = pop_due(&node->flight, now)) != NULL) {
		store_done *done = call->done;
		call->done = NULL;
		calls_push(&node->ghosts, call);
		node->shared->counts->in_doubt++;
		if (done != NULL)
			done(call->ctx, ERR_TIMEOUT, NULL);
	}
	bool silent = node->flight.head != NULL || node->ghosts.head != NULL;
	if (silent && now - node->heard_ms >= node->shared->call_timeout_ms)
		node_lose(node, "Redis does not answer");
	expire_unsent(node, &node->held, now);
	expire_unsent(node, &node->queue, now);
	expire_kept(node, now);
	if (node->flight.head != NULL || node->ghosts.head != NULL)
		earlier(&next, node->heard_ms + node->shared->call_timeout_ms);
	const struct calls *lists[] = {&node->flight, &node->held, &node->queue, &node->barrier.kept};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (lists[i]->head != NULL)
			earlier(&next, lists[i]->head->deadline_ms);
	return next;
}
