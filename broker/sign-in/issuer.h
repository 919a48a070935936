/* A configured issuer with copies of its texts, and its provider. */
#ifndef SIGN_IN_ISSUER_H
#define SIGN_IN_ISSUER_H

#include "sign-in/signin.h"

#define ISSUER_TEXTS 10 /* issuer, audience and the claims' names */

struct issuer {
	struct jwt_rules rules;
	struct identity_claims claims;
	char *texts[ISSUER_TEXTS]; /* owned; what rules and claims point to */
	struct provider *provider; /* owned */
	struct signin *signin;
};

/*
 * Copies and checks the settings; the provider is the caller's next step. ERR_CONFIG with the reason, or ERR_NOMEM;
 * issuer_release() frees what there is in either case.
 */
enum err issuer_init(struct issuer *issuer, const struct signin_issuer *from, int64_t skew_ms,
		     struct errctx *ec) MUST_CHECK;
void issuer_release(struct issuer *issuer);

#endif
