#include "broker/restart.h"

#include <string.h>

static bool issuers_differ(const struct config *a, const struct config *b)
{
	if (a->issuer_count != b->issuer_count)
		return true;
	for (size_t i = 0; i < a->issuer_count; i++) {
		const struct config_issuer *x = &a->issuers[i], *y = &b->issuers[i];

		if (strcmp(x->issuer, y->issuer) != 0 || strcmp(x->audience, y->audience) != 0 ||
		    strcmp(x->ca_file, y->ca_file) != 0 || strcmp(x->id_claim, y->id_claim) != 0 ||
		    strcmp(x->user_name_claim, y->user_name_claim) != 0 ||
		    strcmp(x->groups_claim, y->groups_claim) != 0 ||
		    strcmp(x->authentication_claim, y->authentication_claim) != 0)
			return true;
	}
	return false;
}

bool needs_restart(const struct config *a, const struct config *b)
{
	return strcmp(a->listen_host, b->listen_host) != 0 || a->listen_port != b->listen_port ||
	       strcmp(a->listen_path, b->listen_path) != 0 ||
	       strcmp(a->tls_certificate, b->tls_certificate) != 0 || strcmp(a->tls_key, b->tls_key) != 0 ||
	       !config_redis_same(a, b) || a->connections != b->connections ||
	       a->connections_per_address != b->connections_per_address || issuers_differ(a, b);
}
