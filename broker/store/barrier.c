/* WAIT counts the replicas that have the connection's own last write. */
#include "store/barrier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_STEP_MS 4 /* about what a sync takes */

void barrier_sent(struct barrier *barrier, const struct call *call)
{
	barrier->lane = call->lane;
	barrier->writes++;
}

/*
 * A replica says what it has synced when it is asked, which is before it has synced what came with the question, and
 * then once a second. So the question is short at first and is repeated, twice as long each time.
 */
static struct call *ask(struct barrier *barrier, const struct barrier_wish *wish, int64_t now_ms)
{
	char replicas[16], timeout[24];
	int64_t left_ms = barrier->until_ms - now_ms;
	size_t used = strlen(barrier->text), room = sizeof(barrier->text) - used;
	if (left_ms > barrier->step_ms)
		left_ms = barrier->step_ms;
	(void)snprintf(replicas, sizeof(replicas), "%u", wish->replicas);
	(void)snprintf(timeout, sizeof(timeout), "%lld",
		       (long long)(left_ms > 0 ? left_ms : 1)); /* 0: for ever */
	(void)snprintf(barrier->text + used, room, "*%d\r\n%s%zu\r\n%s\r\n$%zu\r\n%s\r\n",
		       barrier->has_waitaof ? 4 : 3,
		       barrier->has_waitaof ? "$7\r\nWAITAOF\r\n$1\r\n1\r\n$" : "$4\r\nWAIT\r\n$",
		       strlen(replicas), replicas, strlen(timeout), timeout);
	barrier->step_ms *= 2;
	barrier->is_out = true;
	barrier->is_short = false;
	barrier->wait =
		(struct call){.deadline_ms = INT64_MAX, .text = barrier->text, .len = strlen(barrier->text)};
	return &barrier->wait;
}

/*
 * A call that is repeated over a new connection may find its work done and write nothing; the WAIT would then count
 * replicas that have none of it. So each batch ends with a write of its own, which comes after all that its calls
 * have found or done.
 */
struct call *barrier_raise(struct barrier *barrier, const struct barrier_wish *wish, bool has_waitaof,
			   int64_t now_ms)
{
	char key[32];
	(void)snprintf(key, sizeof(key), "{j%u}:mark", barrier->lane);
	(void)snprintf(barrier->text, sizeof(barrier->text), "*3\r\n$3\r\nSET\r\n$%zu\r\n%s\r\n$1\r\n1\r\n",
		       strlen(key), key);
	barrier->has_waitaof = has_waitaof;
	barrier->marked = false;
	barrier->replies = 0;
	barrier->writes = 0;
	barrier->until_ms = now_ms + wish->timeout_ms;
	barrier->step_ms = FIRST_STEP_MS;
	return ask(barrier, wish, now_ms);
}

struct call *barrier_repeat(struct barrier *barrier, const struct barrier_wish *wish, int64_t now_ms)
{
	barrier->text[0] = '\0';
	return ask(barrier, wish, now_ms);
}

bool barrier_keep(struct barrier *barrier, struct call *call, const struct reply *reply)
{
	call->kept = reply_copy(reply);
	if (call->kept == NULL)
		return false;
	calls_push(&barrier->kept, call);
	return true;
}

enum barrier_verdict barrier_reply(struct barrier *barrier, const struct barrier_wish *wish,
				   const struct reply *reply, int64_t now_ms)
{
	if (barrier->replies++ == 0) {
		barrier->marked = reply_is_text(reply);
		return BARRIER_MORE;
	}
	/* WAIT answers a number, WAITAOF two: has this server synced, and how many replicas have. */
	bool of_two = reply_count(reply) == 2;
	int64_t replicas = reply_int(of_two ? reply_at(reply, 1) : reply);
	bool here = !of_two || reply_int(reply_at(reply, 0)) >= 1;
	if (barrier->marked && here && replicas >= (int64_t)wish->replicas) {
		barrier->is_out = false;
		return BARRIER_SAFE;
	}
	bool is_number = of_two || reply->kind == REPLY_INTEGER;
	barrier->is_short = barrier->marked && is_number && now_ms < barrier->until_ms;
	barrier->is_out = barrier->is_short;
	return barrier->is_short ? BARRIER_AGAIN : BARRIER_SHORT;
}

void barrier_drop(struct barrier *barrier, struct calls *to)
{
	for (struct call *call = barrier->kept.head; call != NULL; call = call->next) {
		free(call->kept);
		call->kept = NULL;
		call->in_doubt = true;
	}
	calls_merge(to, &barrier->kept);
	barrier->is_out = false;
	barrier->is_short = false;
	barrier->writes = 0;
}
