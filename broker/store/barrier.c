/* WAIT counts the replicas that have the connection's own last write. */
#include "store/barrier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void barrier_sent(struct barrier *barrier, const struct call *call)
{
	barrier->lane = call->lane;
	barrier->writes++;
}

/*
 * A call that is repeated over a new connection may find its work done and write nothing; the WAIT would then count
 * replicas that have none of it. So each batch ends with a write of its own, which comes after all that its calls
 * have found or done.
 */
struct call *barrier_raise(struct barrier *barrier, const struct barrier_wish *wish, bool has_waitaof)
{
	char key[32], replicas[16], timeout[24];
	struct call *wait = &barrier->wait;
	(void)snprintf(key, sizeof(key), "{j%u}:mark", barrier->lane);
	(void)snprintf(replicas, sizeof(replicas), "%u", wish->replicas);
	(void)snprintf(timeout, sizeof(timeout), "%lld", (long long)wish->timeout_ms);
	int len = snprintf(barrier->text, sizeof(barrier->text),
			   "*3\r\n$3\r\nSET\r\n$%zu\r\n%s\r\n$1\r\n1\r\n*%d\r\n%s%zu\r\n%s\r\n$%zu\r\n%s\r\n",
			   strlen(key), key, has_waitaof ? 4 : 3,
			   has_waitaof ? "$7\r\nWAITAOF\r\n$1\r\n1\r\n$" : "$4\r\nWAIT\r\n$",
			   strlen(replicas), replicas, strlen(timeout), timeout);
	*wait = (struct call){.deadline_ms = INT64_MAX, .text = barrier->text, .len = (size_t)len};
	barrier->is_out = true;
	barrier->marked = false;
	barrier->replies = 0;
	barrier->writes = 0;
	return wait;
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
				   const struct reply *reply)
{
	if (barrier->replies++ == 0) {
		barrier->marked = reply_is_text(reply);
		return BARRIER_MORE;
	}
	/* WAIT answers a number, WAITAOF two: has this server synced, and how many replicas have. */
	bool of_two = reply_count(reply) == 2;
	int64_t replicas = reply_int(of_two ? reply_at(reply, 1) : reply);
	bool here = !of_two || reply_int(reply_at(reply, 0)) >= 1;
	barrier->is_out = false;
	return barrier->marked && here && replicas >= (int64_t)wish->replicas ? BARRIER_SAFE : BARRIER_SHORT;
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
	barrier->writes = 0;
}
