#include "server/pace.h"

#include <stdlib.h>
#include <sys/socket.h>

#define LOOKS 4 /* in the time of a request: nobody gets more than a quarter of it on top */

struct paced {
	struct pace *pace;
	struct paced *prev, *next;
	int fd;
	int64_t until_ms; /* the loop's time; 0 = no limit */
};

/*
 * The connection belongs to libmicrohttpd, which sees the end of it in its next round and closes. Nothing is lost
 * by a second shutdown, should it not have come to that before the next look.
 */
static void look(uv_timer_t *timer)
{
	struct pace *pace = timer->data;
	int64_t now = (int64_t)uv_now(pace->loop);

	for (struct paced *paced = pace->first; paced; paced = paced->next)
		if (paced->until_ms > 0 && paced->until_ms <= now)
			shutdown(paced->fd, SHUT_RDWR);
}

void pace_init(struct pace *pace, uv_loop_t *loop, int64_t patience_ms, int64_t bytes_per_second)
{
	pace->loop = loop;
	pace->first = NULL;
	pace->patience_ms = patience_ms;
	pace->bytes_per_second = bytes_per_second;
	uv_timer_init(loop, &pace->timer);
	pace->timer.data = pace;
}

struct paced *pace_enter(struct pace *pace, int fd)
{
	struct paced *paced = calloc(1, sizeof(*paced));
	uint64_t every = (uint64_t)pace->patience_ms / LOOKS;

	if (!paced)
		return NULL;
	paced->pace = pace;
	paced->fd = fd;
	paced->next = pace->first;
	if (paced->next)
		paced->next->prev = paced;
	else if (every > 0)
		uv_timer_start(&pace->timer, look, every, every);
	pace->first = paced;
	pace_request(paced);
	return paced;
}

void pace_leave(struct paced *paced)
{
	struct pace *pace;

	if (!paced)
		return;
	pace = paced->pace;
	if (paced->prev)
		paced->prev->next = paced->next;
	else
		pace->first = paced->next;
	if (paced->next)
		paced->next->prev = paced->prev;
	if (!pace->first && !uv_is_closing((uv_handle_t *)&pace->timer))
		uv_timer_stop(&pace->timer);
	free(paced);
}

static void limit(struct paced *paced, int64_t ms)
{
	if (paced && paced->pace->patience_ms > 0)
		paced->until_ms = (int64_t)uv_now(paced->pace->loop) + ms;
}

/* Twice: a request may begin in the last moment before an idle connection would have been closed. */
void pace_request(struct paced *paced)
{
	if (paced)
		limit(paced, 2 * paced->pace->patience_ms);
}

void pace_ours(struct paced *paced)
{
	if (paced)
		paced->until_ms = 0;
}

void pace_answer(struct paced *paced, size_t len)
{
	if (paced)
		limit(paced, paced->pace->patience_ms + (int64_t)len * 1000 / paced->pace->bytes_per_second);
}
