#include "broker/issuers.h"

#include <stdio.h>

static const char *claim_or_default(const char *name)
{
	return name[0] != '\0' ? name : NULL;
}

void issuers_from(const struct config *config, struct signin_issuer out[SIGNIN_ISSUERS_MAX])
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
