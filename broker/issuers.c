#include "broker/issuers.h"

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
		out[i].claims.id = claim_or_default(from->id_claim);
		out[i].claims.user_name = claim_or_default(from->user_name_claim);
		out[i].claims.groups = claim_or_default(from->groups_claim);
		out[i].claims.authentication = claim_or_default(from->authentication_claim);
	}
}
