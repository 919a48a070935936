/* What a token of one known issuer is judged to be, and the sentence that its sender reads. For cmocka tests. */
#ifndef SUPPORT_TOKEN_JUDGE_H
#define SUPPORT_TOKEN_JUDGE_H

#include <stdint.h>

#include "sign-in/jwt.h"
#include "tests/support/tokens.h"

/* Unix time at which tokens are judged; JUDGE_EXP lies 300 s behind it. */
#define JUDGE_NOW_MS 1700000000000LL
#define JUDGE_EXP    "1700000300"

#define JUDGE_WHO    "\"iss\":\"https://issuer\",\"sub\":\"amira\""
#define JUDGE_REST   JUDGE_WHO ",\"aud\":\"api://jit\""
#define JUDGE_CLAIMS "{" JUDGE_REST ",\"exp\":" JUDGE_EXP "}"

/* The header of a good token of that algorithm. */
#define JUDGE_HEADER(alg) "{\"alg\":\"" alg "\",\"kid\":\"k\",\"typ\":\"JWT\"}"

extern const struct jwt_rules judge_rules; /* of the claims above, with a tolerance of 60 s */

/*
 * Reads, checks and verifies a copy of exactly that many bytes, so that a sanitizer sees every byte read behind the end.
 * Each refusal is asserted to be ERR_UNAUTHENTICATED with a sentence that RFC 6750, section 3, allows in a header.
 */
enum err judge_token(const struct buf *token, const struct jwt_rules *rules, EVP_PKEY *key,
		     struct errctx *ec);

/* Signs and judges by judge_rules: "" or the sentence, which lives in `ec`. */
const char *judge_signed(const char *header, const char *claims, EVP_PKEY *key, enum tokens_method method,
			 struct errctx *ec);

#endif
