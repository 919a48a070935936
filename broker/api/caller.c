#include "api/caller.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/server.h"

enum err caller_identify(const struct config *config, const struct exchange *exchange, struct caller *caller,
			 struct errctx *ec)
{
	const char *header = exchange_header(exchange, "Authorization");
	const struct config_person *person;

	if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0)
		return err_set(ec, ERR_UNAUTHENTICATED, "Send a token: Authorization: Bearer ...");
	header += 7;
	header += strspn(header, " ");
	person = config->environment == ENV_PRODUCTION ? NULL : config_person_by_token(config, header);
	if (person == NULL)
		return err_set(ec, ERR_UNAUTHENTICATED, "The token is not known here.");
	memset(caller, 0, sizeof(*caller));
	snprintf(caller->id, sizeof(caller->id), "%s", person->id);
	caller->names = person->names;
	caller->is_operator = person->is_operator;
	return ERR_OK;
}

struct policy_person caller_for_policy(const struct caller *caller)
{
	return (struct policy_person){
		.user_name = caller->names.user_name,
		.attributes = caller->claims,
		.attribute_count = caller->claim_count,
		.methods = caller->methods,
		.method_count = caller->method_count,
	};
}
