/* The providers of the configuration, as sign-in/ takes them, and how it fetches their documents: by GETs of http/. */
#ifndef BROKER_ISSUERS_H
#define BROKER_ISSUERS_H

#include <uv.h>

#include "config/config.h"
#include "http/http.h"
#include "sign-in/fetch.h"
#include "sign-in/signin.h"

struct fetch_source {
	struct http_client *http; /* borrowed */
	const char *ca_file;      /* borrowed; "" = the system's certificate authorities */
};

/* One fetcher for all issuers. `source` must stay where it is for as long as the fetcher is used. */
struct fetcher fetch_by_http(struct fetch_source *source);

/* Sign-in by the configured providers, and what it fetches their documents with. Must stay where it is. */
struct issuers {
	struct http_client *http;
	struct fetch_source fetches;
	char ca_file[256];
	struct signin *signin; /* NULL when none is configured: only static tokens are left */
};

/* On zeroed memory; texts of `config` are not kept. Does not block. ERR_CONFIG's reason, or short memory, in `ec`. */
bool issuers_start(struct issuers *issuers, uv_loop_t *loop, const struct config *config,
		   struct errctx *ec) MUST_CHECK;
/* Legal on what was not started. */
void issuers_stop(struct issuers *issuers);

#endif
