#include "throttle/throttle.h"

enum err throttle_check(const struct throttle *throttle, struct errctx *ec)
{
	if (throttle->pushes < 1)
		return err_set(ec, ERR_CONFIG, "a bucket without tokens would never let a push through");
	if (throttle->per_ms < 1)
		return err_set(ec, ERR_CONFIG, "a token that comes back at once would throttle nothing");
	if (throttle->cycle_reserve < 0)
		return err_set(ec, ERR_CONFIG, "the cycle's reserve cannot be negative");
	/* The cycle takes a token only while more than the reserve are free, so all of them in reserve is none. */
	if (throttle->cycle_reserve >= throttle->pushes)
		return err_set(
			ec, ERR_CONFIG,
			"a cycle_reserve of %lld out of %lld pushes would never leave the sync cycle a "
			"token; at most %lld",
			(long long)throttle->cycle_reserve, (long long)throttle->pushes,
			(long long)throttle->pushes - 1);
	if (throttle->overflow_wait_ms < 0)
		return err_set(ec, ERR_CONFIG, "an activation cannot wait for less than no time");
	if (throttle->cycle_ms < 1)
		return err_set(ec, ERR_CONFIG, "sync cycles need time between them");
	return ERR_OK;
}
