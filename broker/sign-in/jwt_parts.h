/* The inside of a token, shared by the files that read it and check its signature. */
#ifndef SIGN_IN_JWT_PARTS_H
#define SIGN_IN_JWT_PARTS_H

#include "sign-in/jwt.h"

struct jwt {
	char *signed_text; /* header and claims as they came, with the dot between them; owned */
	size_t signed_len;
	unsigned char signature[JWT_SIGNATURE_MAX];
	size_t signature_len;
	enum jwt_alg alg;
	char kid[JWT_KID_SIZE];
	cJSON *claims;                  /* owned */
	int64_t exp_ms, nbf_ms, iat_ms; /* the latter two are 0 when the token has none */
};

#endif
