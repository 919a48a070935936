/*
 * libcurl's sockets and its one timer on a libuv loop. Private to broker/http/. curl itself is called by the owner alone,
 * from `drive`.
 */
#ifndef BROKER_HTTP_WATCH_H
#define BROKER_HTTP_WATCH_H

#include <curl/curl.h>
#include <uv.h>

struct http_watcher {
	/* Set by the owner: something happened that curl_multi_socket_action() is to be told. */
	void (*drive)(void *ctx, curl_socket_t socket, int flags);
	void *ctx;

	void (*closed)(void *ctx);
	CURLM *multi; /* NULL = none */
	uv_loop_t *loop;
	uv_timer_t timer;
};

/* The watcher must stay where it is. */
void http_watch(struct http_watcher *watcher, uv_loop_t *loop);

/* Watches what this handle asks for; one at a time. */
void http_watch_multi(struct http_watcher *watcher, CURLM *multi);
/* The handle's sockets are watched until it closes them; of the time it is not asked any more. */
void http_watch_forget(struct http_watcher *watcher);

/* After curl_multi_cleanup(). `closed` is called with ctx from the loop, when the watcher's memory is free to go. */
void http_watch_close(struct http_watcher *watcher, void (*closed)(void *ctx));

#endif
