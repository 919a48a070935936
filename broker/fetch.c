#include "broker/fetch.h"

#include <stdlib.h>

#include "base/clock.h"

struct fetching {
	struct http_request *request;
	fetch_done *done;
	void *ctx;
	size_t max_bytes;
};

static void on_answer(void *ctx, const struct http_answer *answer)
{
	struct fetching *fetching = ctx;
	bool too_large = answer->len > fetching->max_bytes;
	struct fetch_answer given = {
		.status = too_large ? 0 : (int)answer->status,
		.body = answer->body,
		.len = answer->len,
		.cache_control = answer->cache_control[0] != '\0' ? answer->cache_control : NULL,
		.words = too_large ? "its answer is too large" : answer->words,
	};
	fetch_done *done = fetching->done;
	void *done_ctx = fetching->ctx;

	free(fetching);
	done(done_ctx, &given);
}

static void *start(void *ctx, const struct fetch_order *order)
{
	struct fetch_source *source = ctx;
	struct http_call call = {
		.method = HTTP_GET,
		.url = order->url,
		.accept = "application/json",
		.ca_file = source->ca_file,
		.deadline_ms = clock_mono_ms() + order->timeout_ms,
	};
	struct fetching *fetching = calloc(1, sizeof(*fetching));
	struct http_hook hook = {.done = on_answer, .ctx = fetching};

	if (fetching == NULL)
		return NULL;
	fetching->done = order->done;
	fetching->ctx = order->ctx;
	fetching->max_bytes = order->max_bytes;
	if (http_start(source->http, &call, &hook, &fetching->request) != ERR_OK) {
		free(fetching);
		return NULL;
	}
	return fetching;
}

static void cancel(void *ctx, void *fetch)
{
	struct fetching *fetching = fetch;

	(void)ctx;
	http_cancel(fetching->request);
	free(fetching);
}

struct fetcher fetch_by_http(struct fetch_source *source)
{
	return (struct fetcher){.start = start, .cancel = cancel, .ctx = source};
}
