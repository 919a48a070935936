/* curl says which sockets and how long; libuv watches; the owner is told. */
#include "http/http_watch.h"

#include <stdlib.h>

struct watch { /* one socket of curl's */
	uv_poll_t poll;
	int events; /* that curl wants to know of */
	struct http_watcher *watcher;
	curl_socket_t socket;
};

static void watch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	int flags = 0;

	/*
	 * libuv hides a socket's readability behind its error and watches it no more, but a connection that was reset
	 * may still hold the whole answer. Without flags curl looks for itself; told of the error alone it would not.
	 */
	if (status < 0)
		uv_poll_start(poll, watch->events, on_poll);
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	/* curl may take the watch away while it acts. */
	watch->watcher->drive(watch->watcher->ctx, watch->socket, flags);
}

static struct watch *watch_new(struct http_watcher *watcher, curl_socket_t socket)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL)
		return NULL;
	watch->watcher = watcher;
	watch->socket = socket;
	if (uv_poll_init_socket(watcher->loop, &watch->poll, socket) != 0) {
		free(watch);
		return NULL;
	}
	watch->poll.data = watch;
	curl_multi_assign(watcher->multi, socket, watch);
	return watch;
}

static void watch_end(struct watch *watch)
{
	uv_poll_stop(&watch->poll);
	uv_close((uv_handle_t *)&watch->poll, watch_closed);
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *ctx, void *socket_ctx)
{
	struct http_watcher *watcher = ctx;
	struct watch *watch = socket_ctx;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch != NULL)
			watch_end(watch);
		return 0;
	}
	if (watch == NULL && watcher->multi != NULL)
		watch = watch_new(watcher, socket);
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	/* Without memory for a watch this one request runs into its deadline; -1 would end the whole multi handle. */
	if (watch != NULL) {
		watch->events = events;
		uv_poll_start(&watch->poll, events, on_poll);
	}
	return 0;
}

static void on_timer(uv_timer_t *timer)
{
	struct http_watcher *watcher = timer->data;

	watcher->drive(watcher->ctx, CURL_SOCKET_TIMEOUT, 0);
}

/* curl calls this from within its own functions: nothing but the timer may be touched. */
static int on_timeout_change(CURLM *multi, long timeout_ms, void *ctx)
{
	struct http_watcher *watcher = ctx;

	(void)multi;
	if (timeout_ms < 0)
		uv_timer_stop(&watcher->timer);
	else
		uv_timer_start(&watcher->timer, on_timer, (uint64_t)timeout_ms, 0);
	return 0;
}

void http_watch(struct http_watcher *watcher, uv_loop_t *loop)
{
	watcher->loop = loop;
	uv_timer_init(loop, &watcher->timer);
	watcher->timer.data = watcher;
}

void http_watch_multi(struct http_watcher *watcher, CURLM *multi)
{
	watcher->multi = multi;
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, watcher);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout_change);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, watcher);
}

void http_watch_forget(struct http_watcher *watcher)
{
	curl_multi_setopt(watcher->multi, CURLMOPT_TIMERFUNCTION, NULL);
	uv_timer_stop(&watcher->timer);
	watcher->multi = NULL;
}

static void timer_closed(uv_handle_t *handle)
{
	struct http_watcher *watcher = handle->data;

	watcher->closed(watcher->ctx);
}

void http_watch_close(struct http_watcher *watcher, void (*closed)(void *ctx))
{
	watcher->closed = closed;
	uv_close((uv_handle_t *)&watcher->timer, timer_closed);
}
