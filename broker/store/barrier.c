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

/* Appends one command; `count` counts its words. */
static size_t add_command(char *text, size_t used, const char *const *words, size_t count)
{
	used += (size_t)snprintf(text + used, BARRIER_TEXT_SIZE - used, "*%zu\r\n", count);
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, BARRIER_TEXT_SIZE - used, "$%zu\r\n%s\r\n",
					 strlen(words[i]), words[i]);
	return used;
}

/*
 * A call that is repeated over a new connection may find its work done and write nothing; the WAIT would then count
 * replicas that have none of it. So each batch ends with a write of its own, which comes after all that its calls
 * have found or done. WAITAOF comes after WAIT and not in its place: a replica that gets the question together with
 * the writes answers before it has synced them, and again only a second later.
 */
struct call *barrier_raise(struct barrier *barrier, const struct barrier_wish *wish, bool has_waitaof)
{
	char key[32], replicas[16], timeout[24];
	const char *const mark[] = {"SET", key, "1"};
	const char *const wait[] = {"WAIT", replicas, timeout};
	const char *const sync[] = {"WAITAOF", "1", replicas, timeout};
	int64_t share_ms = has_waitaof ? (wish->timeout_ms + 1) / 2 : wish->timeout_ms;
	(void)snprintf(key, sizeof(key), "{j%u}:mark", barrier->lane);
	(void)snprintf(replicas, sizeof(replicas), "%u", wish->replicas);
	(void)snprintf(timeout, sizeof(timeout), "%lld", (long long)share_ms);
	size_t len = add_command(barrier->text, 0, mark, 3);
	len = add_command(barrier->text, len, wait, 3);
	if (has_waitaof)
		len = add_command(barrier->text, len, sync, 4);
	barrier->wait = (struct call){.deadline_ms = INT64_MAX, .text = barrier->text, .len = len};
	barrier->is_out = true;
	barrier->syncs = has_waitaof;
	barrier->good = true;
	barrier->replies = 0;
	barrier->writes = 0;
	return &barrier->wait;
}

bool barrier_keep(struct barrier *barrier, struct call *call, const struct reply *reply)
{
	call->kept = reply_copy(reply);
	if (call->kept == NULL)
		return false;
	calls_push(&barrier->kept, call);
	return true;
}

/* WAITAOF answers two numbers: has this server synced, and how many replicas have. */
static bool has_synced(const struct reply *reply, int64_t replicas)
{
	return reply_count(reply) == 2 && reply_int(reply_at(reply, 0)) >= 1 &&
	       reply_int(reply_at(reply, 1)) >= replicas;
}

enum barrier_verdict barrier_reply(struct barrier *barrier, const struct barrier_wish *wish,
				   const struct reply *reply)
{
	unsigned last = barrier->syncs ? 2 : 1;
	if (barrier->replies == 0)
		barrier->good = reply_is_text(reply);
	else if (barrier->replies == 1)
		barrier->good = barrier->good && reply_int(reply) >= (int64_t)wish->replicas;
	else
		barrier->good = barrier->good && has_synced(reply, (int64_t)wish->replicas);
	if (barrier->replies++ < last)
		return BARRIER_MORE;
	barrier->is_out = false;
	return barrier->good ? BARRIER_SAFE : BARRIER_SHORT;
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
