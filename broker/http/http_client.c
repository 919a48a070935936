/* The requests that are under way: one multi handle of curl's, driven by the loop. */
#include "http/http.h"

#include <stdlib.h>

#include "base/clock.h"
#include "http/http_redirect.h"
#include "http/http_request.h"
#include "http/http_watch.h"

static struct http_request *first_overdue(const struct http_client *client, int64_t now)
{
	struct http_request *r = client->requests;

	while (r != NULL && r->deadline_ms > now)
		r = r->next;
	return r;
}

/* Gives up all whose deadline has passed. `done` may start and cancel others, so the list is read anew. */
static void expire(struct http_client *client)
{
	int64_t now = clock_mono_ms();

	if (now < client->earliest_ms)
		return;
	for (struct http_request *r = first_overdue(client, now); r != NULL; r = first_overdue(client, now))
		http_request_give_up(r, "no answer in time");
	client->earliest_ms = INT64_MAX;
	for (const struct http_request *r = client->requests; r != NULL; r = r->next) {
		if (r->deadline_ms < client->earliest_ms)
			client->earliest_ms = r->deadline_ms;
	}
}

static void reap(struct http_client *client)
{
	int left;
	CURLMsg *message = curl_multi_info_read(client->multi, &left);

	while (message != NULL) {
		if (message->msg == CURLMSG_DONE) {
			struct http_request *r = NULL;
			CURLcode result = message->data.result;
			curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &r);
			if (result != CURLE_OK || !http_redirect_follow(r))
				http_request_finish(r, result);
		}
		message = curl_multi_info_read(client->multi, &left);
	}
}

/* The next request that this handle carries out, or NULL. */
static struct http_request *first_of(const struct http_client *client, const CURLM *multi)
{
	struct http_request *r = client->requests;

	while (r != NULL && r->multi != multi)
		r = r->next;
	return r;
}

/*
 * A handle that had no memory is not used again: libcurl may have lost track of its sockets, and 7.88 divides by zero with the
 * next event of one of them. What was under way is in doubt. `done` may start others, which get a new handle.
 */
static void abandon(struct http_client *client)
{
	CURLM *multi = client->multi;

	client->multi = NULL;
	http_watch_forget(&client->watcher);
	for (struct http_request *r = first_of(client, multi); r != NULL; r = first_of(client, multi))
		http_request_give_up(r, "the broker is out of memory");
	curl_multi_cleanup(multi);
}

/*
 * Everything that curl does happens in here. A process that was stopped (SIGSTOP, a suspended machine) is woken
 * in the middle of its loop: what is overdue by then must be gone before curl may write to a socket.
 */
static void drive(void *ctx, curl_socket_t socket, int flags)
{
	struct http_client *client = ctx;
	int running;

	expire(client);
	if (curl_multi_socket_action(client->multi, socket, flags, &running) == CURLM_OK)
		reap(client);
	else
		abandon(client);
	while (client->ended != NULL) {
		struct http_request *r = client->ended;
		client->ended = r->next;
		http_request_free(r);
	}
}

/* -- the client -------------------------------------------------------------------------------------------- */

CURLM *http_client_multi(struct http_client *client)
{
	CURLM *multi = client->multi != NULL ? client->multi : curl_multi_init();

	if (multi == NULL || multi == client->multi)
		return multi;
	client->multi = multi;
	http_watch_multi(&client->watcher, multi);
	curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)HTTP_CONNECTIONS_MAX);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)HTTP_CONNECTIONS_MAX);
	return multi;
}

enum err http_client_new(uv_loop_t *loop, struct http_client **out, struct errctx *ec)
{
	struct http_client *client;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(ec, ERR_IO, "libcurl cannot be initialised");
	client = calloc(1, sizeof(*client));
	if (client == NULL) {
		curl_global_cleanup();
		return err_set(ec, ERR_NOMEM, "no memory for the HTTP client");
	}
	client->earliest_ms = INT64_MAX;
	client->watcher.drive = drive;
	client->watcher.ctx = client;
	http_watch(&client->watcher, loop);
	*out = client;
	return ERR_OK;
}

static void client_closed(void *ctx)
{
	free(ctx);
}

void http_client_free(struct http_client *client)
{
	if (client == NULL)
		return;
	if (client->multi != NULL)
		curl_multi_cleanup(client->multi);
	curl_global_cleanup();
	http_watch_close(&client->watcher, client_closed);
}
