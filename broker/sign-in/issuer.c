#include "sign-in/issuer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sign-in/discovery.h"

static enum err check(const struct signin_issuer *from, struct errctx *ec)
{
	if (from->issuer == NULL || !discovery_issuer_valid(from->issuer))
		return err_set(ec, ERR_CONFIG,
			       "an issuer must be an https address without query (http on loopback only)");
	if (from->audience == NULL || *from->audience == '\0')
		return err_set(ec, ERR_CONFIG, "issuer %s: the audience is missing", from->issuer);
	if ((from->algorithms & ~(unsigned)JWT_ALGS_ALL) != 0)
		return err_set(ec, ERR_CONFIG, "issuer %s: an algorithm is not known", from->issuer);
	if (from->claims.id && *from->claims.id == '\0')
		return err_set(ec, ERR_CONFIG, "issuer %s: the claim that names the principal is missing",
			       from->issuer);
	return ERR_OK;
}

/* Sets *to to a copy of what it points to, kept in *copy. NULL stays NULL. */
static bool own(const char **to, char **copy)
{
	if (*to == NULL)
		return true;
	*copy = strdup(*to);
	*to = *copy;
	return *copy != NULL;
}

enum err issuer_init(struct issuer *issuer, const struct signin_issuer *from, int64_t skew_ms,
		     struct errctx *ec)
{
	struct identity_claims *c = &issuer->claims;
	const char **texts[ISSUER_TEXTS] = {
		&issuer->rules.issuer, &issuer->rules.audience, &c->id,         &c->user_name,   &c->groups,
		&c->authentication,    &c->display_name,        &c->given_name, &c->family_name, &c->email,
	};
	enum err err = check(from, ec);

	if (err)
		return err;
	issuer->rules = (struct jwt_rules){
		.issuer = from->issuer,
		.audience = from->audience,
		.algorithms = from->algorithms ? from->algorithms : JWT_ALGS_ALL,
		.skew_ms = skew_ms,
	};
	issuer->claims = from->claims;
	for (size_t i = 0; i < ISSUER_TEXTS; i++)
		if (!own(texts[i], &issuer->texts[i]))
			return err_set(ec, ERR_NOMEM, "no memory for the issuers");
	return ERR_OK;
}

void issuer_release(struct issuer *issuer)
{
	provider_free(issuer->provider);
	for (size_t i = 0; i < ISSUER_TEXTS; i++)
		free(issuer->texts[i]);
}
