/*
 * Sign-in by OpenID Connect bearer tokens of several issuers. The only header of this folder that others need, besides
 * identity.h and fetch.h.
 *
 * A token passes when its signature, issuer, audience, algorithm and dates are right (jwt.h) and its key is one that the
 * issuer's provider publishes at present (provider.h). It is then remembered until it ends or its key is withdrawn.
 * Nothing blocks. No token, and no part of one, is ever logged or put into an error, but for whom it
 * names where the provider has left out their groups.
 */
#ifndef SIGN_IN_SIGNIN_H
#define SIGN_IN_SIGNIN_H

#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "sign-in/fetch.h"
#include "sign-in/identity.h"
#include "sign-in/jwt.h"
#include "sign-in/provider.h"

#define SIGNIN_SKEW_MS     60000 /* how far a provider's clock may differ from ours */
#define SIGNIN_SKEW_MAX_MS 300000
#define SIGNIN_WAIT_MS     8000 /* longer than one fetch, for whose keys a token waits; shorter than a request */
#define SIGNIN_WAITING_MAX 256 /* tokens that wait; each takes up to some 30 KiB */
#define SIGNIN_ISSUERS_MAX 32

struct signin;

/* Texts are borrowed for signin_new(). */
struct signin_issuer {
	const char *issuer;            /* as in `iss`: https, or http on loopback */
	const char *audience;          /* as in `aud`; not empty */
	unsigned algorithms;           /* set of enum jwt_alg; 0 means JWT_ALGS_ALL */
	struct identity_claims claims; /* which claim is what; NULL members take the defaults */
};

/* NULL members take the system's clocks of base/clock.h. */
struct signin_clock {
	int64_t (*mono_ms)(void *ctx); /* for ages and deadlines */
	int64_t (*wall_ms)(void *ctx); /* Unix time, for the dates of tokens */
	void *ctx;
};

struct signin_options {
	const struct signin_issuer *issuers; /* at least one, no issuer twice; copied */
	size_t issuer_count;
	struct fetcher fetcher;
	int64_t skew_ms; /* 0 means SIGNIN_SKEW_MS; negative means none */
	uv_loop_t *loop; /* where the timer lives; NULL: the owner calls signin_tick() */
	struct signin_clock clock;
};

/*
 * `identity` is set when `err` is ERR_OK, and borrowed for the call: identity_hold() keeps it. Otherwise `ec` says why:
 * ERR_UNAUTHENTICATED (fit for error_description of WWW-Authenticate), ERR_UNAVAILABLE (the provider cannot be reached or
 * too many tokens wait; the same token may pass later), ERR_NOMEM.
 */
typedef void signin_done(void *ctx, enum err err, const struct identity *identity, const struct errctx *ec);

/* ERR_CONFIG with the reason in `ec`, or ERR_NOMEM. The first fetches begin at once with a loop, else at the first tick. */
enum err signin_new(const struct signin_options *options, struct signin **out, struct errctx *ec) MUST_CHECK;

/*
 * Cancels all fetches and answers every token that waits with ERR_UNAVAILABLE. The loop must run once more before it is
 * closed. NULL is legal. Not to be called from within a signin_done.
 */
void signin_free(struct signin *s);

/*
 * Verifies a token, the text behind "Bearer ". `done` is called exactly once: mostly before this returns, later
 * when keys have to be fetched first, at most SIGNIN_WAIT_MS later. The token is not needed any more after the return.
 */
void signin_verify(struct signin *s, const char *token, signin_done *done, void *ctx);

/* Within a signin_done that is told ERR_UNAVAILABLE: the token may be good, and its key can be asked for after that time; 0 =
 * nobody knows. */
int64_t signin_again_ms(const struct signin *s);

/* Without a loop: does what is due, to be called at signin_next_ms() of the monotonic clock or earlier. */
void signin_tick(struct signin *s);
int64_t signin_next_ms(const struct signin *s);

/* The state of each issuer, in the order of the options, for readiness and metrics. `issuer` is borrowed. */
size_t signin_issuer_count(const struct signin *s);
const char *signin_issuer_status(const struct signin *s, size_t index, struct provider_status *out);
size_t signin_remembered(const struct signin *s); /* verified tokens in memory */
size_t signin_waiting(const struct signin *s);

#endif
