/* Many HTTP requests at once, by libcurl's multi handle. */
#include <stdlib.h>

#include "tests/support/http_transfer.h"

struct crowd {
	CURLM *multi;
	struct http_transfer *transfers;
	const struct http_request *requests;
	struct http_response *responses;
	size_t count, started, running;
};

static bool start_next(struct crowd *crowd)
{
	size_t i = crowd->started++;
	struct http_transfer *transfer = &crowd->transfers[i];

	if (!http_transfer_init(transfer, &crowd->requests[i], &crowd->responses[i]))
		return false;
	curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
	if (curl_multi_add_handle(crowd->multi, transfer->easy) != CURLM_OK)
		return false;
	crowd->running++;
	return true;
}

/* How many have ended since the last call. */
static size_t collect_ended(struct crowd *crowd)
{
	struct http_transfer *transfer = NULL;
	size_t ended = 0;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(crowd->multi, &left)) != NULL) {
		CURLcode result = message->data.result;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		http_transfer_finish(transfer, result);
		curl_multi_remove_handle(crowd->multi, transfer->easy);
		http_transfer_release(transfer);
		crowd->running--;
		ended++;
	}
	return ended;
}

static bool run(struct crowd *crowd, size_t at_once)
{
	int still;

	while (crowd->started < crowd->count || crowd->running > 0) {
		while (crowd->started < crowd->count && crowd->running < at_once)
			if (!start_next(crowd))
				return false;
		if (curl_multi_perform(crowd->multi, &still) != CURLM_OK)
			return false;
		if (collect_ended(crowd) == 0 &&
		    curl_multi_poll(crowd->multi, NULL, 0, 1000, NULL) != CURLM_OK)
			return false;
	}
	return true;
}

bool http_many(const struct http_request *requests, size_t count, size_t at_once,
	       struct http_response *responses)
{
	struct crowd crowd = {.requests = requests, .responses = responses, .count = count};
	bool ok = false;

	crowd.multi = curl_multi_init();
	crowd.transfers = calloc(count + 1, sizeof(*crowd.transfers));
	for (size_t i = 0; i < count; i++)
		responses[i] = (struct http_response){0};
	if (crowd.multi != NULL && crowd.transfers != NULL)
		ok = run(&crowd, at_once > 0 ? at_once : 1);
	for (size_t i = 0; crowd.transfers != NULL && i < crowd.started; i++) {
		if (crowd.transfers[i].easy != NULL)
			curl_multi_remove_handle(crowd.multi, crowd.transfers[i].easy);
		http_transfer_release(&crowd.transfers[i]);
	}
	free(crowd.transfers);
	curl_multi_cleanup(crowd.multi);
	return ok;
}
