/* Where people sign in: what a page or the command has to know before anybody is known. Nothing of it is secret. */
#include "api/api.h"
#include "api/handlers.h"
#include "base/json.h"

void sign_in_list(struct call *call)
{
	const struct config *config = call->config;
	struct buf body;

	buf_init(&body, RESPONSE_MAX);
	buf_adds(&body, "{\"value\":[");
	for (size_t i = 0; i < config->issuer_count; i++) {
		const struct config_issuer *issuer = &config->issuers[i];

		buf_addf(&body, "%s{\"issuer\":", i > 0 ? "," : "");
		json_add_string(&body, issuer->issuer);
		buf_adds(&body, ",\"audience\":");
		json_add_string(&body, issuer->audience);
		buf_adds(&body, ",\"clientId\":");
		json_add_string(&body, issuer->client_id);
		buf_adds(&body, ",\"scopes\":");
		json_add_string(&body, issuer->scopes);
		buf_addf(&body, ",\"stepUp\":\"%s\"}",
			 issuer->step_up == STEP_UP_CLAIMS ? "claims" : "acr_values");
	}
	buf_addf(&body, "],\"staticTokens\":%s}", config->environment == ENV_PRODUCTION ? "false" : "true");
	call_answer(call, 200, NULL, &body);
}
