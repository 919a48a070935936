#include "api/health_sign_in.h"

#include <stdio.h>

#include "base/clock.h"
#include "sign-in/signin.h"

/* Since when its keys are known, in seconds; -1 = they never were. */
static long long age_s(const struct provider_status *status)
{
	return status->fetched_ms < 0 ? -1 : (long long)(clock_mono_ms() - status->fetched_ms) / 1000;
}

bool health_sign_in_trouble(const struct signin *signin, size_t index, char out[HEALTH_SIGN_IN_MAX])
{
	struct provider_status status;
	const char *issuer = signin_issuer_status(signin, index, &status);

	if (!status.is_usable)
		snprintf(out, HEALTH_SIGN_IN_MAX, "Nobody can sign in with %s: %s", issuer,
			 status.failures > 0 ? status.error : "its keys are not known yet.");
	else if (status.failures > 0)
		snprintf(out, HEALTH_SIGN_IN_MAX,
			 "Sign-in with %s goes by keys that are %lld seconds old: %s", issuer, age_s(&status),
			 status.error);
	return !status.is_usable || status.failures > 0;
}

enum figure { USABLE, FAILURES, AGE };

static void add_gauge(const struct signin *signin, enum figure figure, const char *name, struct buf *out)
{
	buf_addf(out, "# TYPE %s gauge\n", name);
	for (size_t i = 0; i < signin_issuer_count(signin); i++) {
		struct provider_status status;
		const char *issuer = signin_issuer_status(signin, i, &status);
		const long long values[] = {status.is_usable, status.failures, age_s(&status)};

		/* An issuer's address has neither quotes nor backslashes (value_read_issuer_url()). */
		buf_addf(out, "%s{issuer=\"%s\"} %lld\n", name, issuer, values[figure]);
	}
}

void health_sign_in_metrics(const struct signin *signin, struct buf *out)
{
	if (signin == NULL)
		return;
	buf_adds(out, "# HELP jit_sign_in_usable Can tokens of the provider be verified now?\n");
	add_gauge(signin, USABLE, "jit_sign_in_usable", out);
	buf_adds(out,
		 "# HELP jit_sign_in_failures Fetches of its keys that failed since the last good one.\n");
	add_gauge(signin, FAILURES, "jit_sign_in_failures", out);
	buf_adds(out,
		 "# HELP jit_sign_in_keys_seconds Age of the keys that are known; -1: there are none.\n");
	add_gauge(signin, AGE, "jit_sign_in_keys_seconds", out);
	buf_addf(out,
		 "# HELP jit_sign_in_remembered Verified tokens in memory.\n"
		 "# TYPE jit_sign_in_remembered gauge\njit_sign_in_remembered %zu\n"
		 "# HELP jit_sign_in_waiting Tokens that wait for keys.\n"
		 "# TYPE jit_sign_in_waiting gauge\njit_sign_in_waiting %zu\n",
		 signin_remembered(signin), signin_waiting(signin));
}
