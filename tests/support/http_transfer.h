/* What http.c and http_many.c share: one request as a libcurl handle. Private to the client. */
#ifndef SUPPORT_HTTP_TRANSFER_H
#define SUPPORT_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "tests/support/http.h"

struct http_transfer {
	CURL *easy;
	struct curl_slist *headers;
	struct http_response *response; /* borrowed */
};

/* False, with everything released, when there is no memory. */
bool http_transfer_init(struct http_transfer *transfer, const struct http_request *request,
			struct http_response *response);
/* Fills the response in by how the transfer ended. */
void http_transfer_finish(struct http_transfer *transfer, CURLcode result);
void http_transfer_release(struct http_transfer *transfer);

#endif
