/*
 * The keys of one issuer: found through its discovery document, fetched, kept fresh, and kept alive while the
 * provider is down. A state machine without clock and timer: each call is told the time, `now_ms` of a monotonic clock,
 * and provider_next_ms() says when provider_tick() wants to be called again.
 *
 * A round is one fetch of the discovery document (left out while the last one is younger than a day and nothing has
 * failed since) and one of the keys. At most one round is under way.
 * - Keys are fresh for as long as the provider's Cache-Control says, within PROVIDER_AGE_MIN and _MAX; a round begins
 *   before that ends. Past it, nothing is verified with them until a round has ended: a key that was withdrawn
 *   works no longer than that.
 * - Only when that round fails do the old keys go on, until PROVIDER_STALE_MAX after they were fetched.
 * - A failed round is repeated after PROVIDER_RETRY_MIN, doubled each time up to _MAX, less up to a half by chance.
 * - A kid that fresh keys do not have begins a round, but never sooner than PROVIDER_INTERVAL_MIN after the last began:
 *   however many tokens with made-up kids come, the provider sees one round. Until then nobody can tell whether the kid
 *   is a new one: that is said of a kid only when a round has ended since its token came.
 */
#ifndef SIGN_IN_PROVIDER_H
#define SIGN_IN_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sign-in/fetch.h"
#include "sign-in/jwks.h"

#define PROVIDER_AGE_MAX_MS       3600000  /* 1 h: the longest that a withdrawn key may go on */
#define PROVIDER_AGE_MIN_MS       300000   /* 5 min: no provider can make us ask more often */
#define PROVIDER_STALE_MAX_MS     86400000 /* 24 h: the longest outage that people do not notice */
#define PROVIDER_INTERVAL_MIN_MS  30000    /* between rounds for unknown kids */
#define PROVIDER_RETRY_MIN_MS     1000
#define PROVIDER_RETRY_MAX_MS     300000 /* 5 min: a provider that is back is noticed by then */
#define PROVIDER_FETCH_TIMEOUT_MS 6000

struct provider;

/* Zero means the constant above; texts are copied. */
struct provider_options {
	const char *issuer; /* passes discovery_issuer_valid() */
	struct fetcher fetcher;
	fetch_done
		*on_answer; /* what each order carries as done(); it hands the answer to provider_fetched() */
	void *on_answer_ctx;
	int64_t age_max_ms, age_min_ms, stale_max_ms, interval_min_ms;
};

enum provider_verdict {
	PROVIDER_KEY,    /* here it is */
	PROVIDER_NO_KEY, /* the provider has no such key, and has said so since the token came */
	PROVIDER_LATER,  /* the key is unknown, and it is too early to ask: provider_again_ms() */
	PROVIDER_WAIT,   /* a round is under way; ask again when it has ended */
	PROVIDER_DOWN, /* there are no usable keys, or the key is unknown and the provider does not answer */
};

struct provider_status {
	size_t keys, skipped; /* of the last good document */
	int64_t fetched_ms;   /* when the last good keys were asked for; -1: never */
	unsigned failures;    /* rounds that failed since */
	bool is_usable;       /* tokens can be verified now */
	char error[256];      /* why the last round failed; "" when it did not */
};

/* NULL when there is no memory. Nothing is fetched before the first tick. */
struct provider *provider_new(const struct provider_options *options);
void provider_free(struct provider *p); /* cancels what is under way */

/* Does what is due: begins a round, gives one up whose time has passed. */
void provider_tick(struct provider *p, int64_t now_ms);

/* When the next tick has something to do. */
int64_t provider_next_ms(const struct provider *p);

/* The answer to the fetch that is under way. Tokens that wait may be asked for again afterwards. */
void provider_fetched(struct provider *p, const struct fetch_answer *answer, int64_t now_ms);

/* Is a round under way? */
bool provider_is_fetching(const struct provider *p);

/* Rounds that brought keys. */
unsigned provider_rounds(const struct provider *p);

/* `before` is provider_rounds() when the token came. On PROVIDER_KEY, *key is borrowed until the next call but
 * provider_status(). May begin a round. */
enum provider_verdict provider_key(struct provider *p, const char *kid, unsigned before, int64_t now_ms,
				   const struct jwks_key **key);

/* How long until an unknown kid may begin a round. */
int64_t provider_again_ms(const struct provider *p, int64_t now_ms);

void provider_status(const struct provider *p, int64_t now_ms, struct provider_status *out);

#endif
