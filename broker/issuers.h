/* The providers of the configuration, as sign-in/ takes them. */
#ifndef BROKER_ISSUERS_H
#define BROKER_ISSUERS_H

#include <uv.h>

#include "broker/fetch.h"
#include "config/config.h"
#include "sign-in/signin.h"

/* All texts are the configuration's. */
void issuers_from(const struct config *config, struct signin_issuer out[SIGNIN_ISSUERS_MAX]);

/* Sign-in by the configured providers, and what it fetches their documents with. Must stay where it is. */
struct issuers {
	struct http_client *http;
	struct fetch_source fetches;
	char ca_file[256];
	struct signin *signin; /* NULL when none is configured: only static tokens are left */
};

/* On zeroed memory. */
bool issuers_start(struct issuers *issuers, uv_loop_t *loop, const struct config *config,
		   struct errctx *ec) MUST_CHECK;
/* Legal on what was not started. */
void issuers_stop(struct issuers *issuers);

#endif
