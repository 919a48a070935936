#include "broker/issuers.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

/* -- how the providers' documents are fetched -------------------------------------------------------------- */

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

/* -- who they are ------------------------------------------------------------------------------------------ */

static const char *claim_or_default(const char *name)
{
	return name[0] != '\0' ? name : NULL;
}

static void issuers_from(const struct config *config, struct signin_issuer out[SIGNIN_ISSUERS_MAX])
{
	for (size_t i = 0; i < config->issuer_count && i < SIGNIN_ISSUERS_MAX; i++) {
		const struct config_issuer *from = &config->issuers[i];

		out[i].issuer = from->issuer;
		out[i].audience = from->audience;
		for (size_t k = 0; k < from->algorithms.count; k++)
			out[i].algorithms |= jwt_alg_bit(from->algorithms.list[k]);
		out[i].claims.id = claim_or_default(from->id_claim);
		out[i].claims.user_name = claim_or_default(from->user_name_claim);
		out[i].claims.groups = claim_or_default(from->groups_claim);
		out[i].claims.authentication = claim_or_default(from->authentication_claim);
	}
}

bool issuers_start(struct issuers *issuers, uv_loop_t *loop, const struct config *config, struct errctx *ec)
{
	struct signin_issuer list[SIGNIN_ISSUERS_MAX] = {0};
	struct signin_options options = {.issuers = list, .issuer_count = config->issuer_count, .loop = loop};

	if (config->issuer_count == 0)
		return true;
	if (http_client_new(loop, &issuers->http, ec) != ERR_OK)
		return false;
	issuers_from(config, list);
	snprintf(issuers->ca_file, sizeof(issuers->ca_file), "%s", config->issuers[0].ca_file);
	issuers->fetches = (struct fetch_source){.http = issuers->http, .ca_file = issuers->ca_file};
	options.fetcher = fetch_by_http(&issuers->fetches);
	return signin_new(&options, &issuers->signin, ec) == ERR_OK;
}

void issuers_stop(struct issuers *issuers)
{
	signin_free(issuers->signin);
	http_client_free(issuers->http);
}
