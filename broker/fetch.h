/* How sign-in fetches a provider's documents: GETs of broker/http, one fetcher for all issuers of a configuration. */
#ifndef BROKER_FETCH_H
#define BROKER_FETCH_H

#include "http/http.h"
#include "sign-in/fetch.h"

struct fetch_source {
	struct http_client *http; /* borrowed */
	const char *ca_file;      /* borrowed; "" = the system's certificate authorities */
};

/* `source` must stay where it is for as long as the fetcher is used. */
struct fetcher fetch_by_http(struct fetch_source *source);

#endif
