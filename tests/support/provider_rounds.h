/*
 * One provider with a clock that is a number and with answers that a test gives by hand. At most one fetch may be under
 * way at a time; that and the state at the end are asserted. For cmocka tests.
 */
#ifndef SUPPORT_PROVIDER_ROUNDS_H
#define SUPPORT_PROVIDER_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

#include "sign-in/provider.h"

#define ISSUER     "https://issuer/tenant"
#define DISCOVERY  "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://keys/jwks\"}"
#define ED_X       "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" /* RFC 8037, appendix A.2 */
#define KEY(kid)   "{\"kid\":\"" kid "\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\"}"
#define KEYS(list) "{\"keys\":[" list "]}"
#define START_MS   1000000

struct rounds {
	struct provider *provider;
	int64_t now_ms;
	char url[256];    /* of the fetch that is under way; "" when there is none */
	unsigned fetches; /* started */
	unsigned cancelled;
	bool refuses_to_start;
};

int rounds_set_up(void **state); /* *state is a struct rounds * */
int rounds_tear_down(void **state);

/* Answers the fetch that is under way, which must be one of `url`. */
void rounds_answer_with(struct rounds *r, const char *url, int status, const char *body,
			const char *cache_control);
void rounds_answer_discovery(struct rounds *r, const char *body);
void rounds_answer_keys(struct rounds *r, const char *body, const char *cache_control);
void rounds_answer_failure(struct rounds *r); /* to whatever is asked: status 503 */

void rounds_pass(struct rounds *r, int64_t ms); /* moves the clock and ticks */
enum provider_verdict rounds_ask(struct rounds *r, const char *kid);
enum provider_verdict rounds_ask_again(struct rounds *r,
				       const char *kid); /* for a token older than the last round */

void rounds_begin(struct rounds *r, const char *cache_control); /* the first round, with a key named "a" */
void rounds_next_round(struct rounds *r, const char *keys);     /* the round that comes by itself */

struct provider_status rounds_status(struct rounds *r);

#endif
