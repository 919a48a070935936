/*
 * Sign-in with two issuers: fetches that the test answers, a clock that is a number, tokens for "amira". The first
 * issuer has a key of RSA, the second one of P-256, both named "k". For cmocka tests.
 */
#ifndef SUPPORT_SIGNIN_SCENE_H
#define SUPPORT_SIGNIN_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "sign-in/signin.h"
#include "tests/support/tokens.h"

#define WALL_MS   1700000000000LL /* at the start; so is the monotonic clock at MONO_MS */
#define MONO_MS   5000000LL
#define ONE       "https://one"
#define TWO       "https://two"
#define NOT_KNOWN "The token's key is not known."
#define TOO_EARLY "The token's key is not known, and the provider was asked a moment ago."
#define DOWN      "The sign-in provider cannot be reached."

/* One of the two providers: its keys, and what was asked of it. */
struct signin_scene_peer {
	const char *issuer;
	const char *keys; /* the document; borrowed */
	bool is_down;
	bool is_silent;           /* answers only when told to */
	struct fetch_order order; /* of the fetch that is under way */
	char url[256];            /* "" when there is none */
	unsigned fetches;
};

/* What was said of the last token, and how often anything was said. */
struct signin_scene_said {
	unsigned times;
	enum err err;
	const struct identity *identity; /* only to be compared */
	char subject[64], groups[64];
	char text[256];
};

struct signin_scene {
	struct signin *signin;
	struct signin_scene_peer peers[2];
	int64_t passed_ms;
	EVP_PKEY *first, *second; /* keys named "k" and "n", of RSA and P-256 */
	struct buf keys_one, keys_two, keys_other;
	struct signin_scene_said said;
};

extern const struct signin_issuer signin_scene_issuers[2];

int signin_scene_set_up(void **state); /* *state is a struct signin_scene * */
int signin_scene_tear_down(void **state);

/* The fetcher, with the scene as its context. */
void *signin_scene_start(void *ctx, const struct fetch_order *order);
void signin_scene_cancel(void *ctx, void *fetch);

void signin_scene_answer(struct signin_scene_peer *peer); /* what is under way there */
void signin_scene_pass(struct signin_scene *s,
		       int64_t ms); /* moves the clock, ticks, and lets all but silent ones answer */

/* A signin_done whose context is a struct signin_scene_said. */
void signin_scene_done(void *ctx, enum err err, const struct identity *identity, const struct errctx *ec);

/* A token of that issuer which ends `ttl_s` from the start of the test; the caller releases it. */
struct buf signin_scene_token(const char *issuer, const char *kid, EVP_PKEY *key, long ttl_s);

/* Verifies and expects exactly one answer at once: "" or the sentence of the refusal. */
const char *signin_scene_verify(struct signin_scene *s, const struct buf *token);
const char *signin_scene_verify_made(struct signin_scene *s, const char *issuer, const char *kid,
				     EVP_PKEY *key);

#endif
