/* What /readyz and /metrics say of the providers that people sign in with. Nothing is fetched for it. */
#ifndef API_HEALTH_SIGN_IN_H
#define API_HEALTH_SIGN_IN_H

#include <stdbool.h>

#include "base/buf.h"

struct signin;

#define HEALTH_SIGN_IN_MAX 512 /* one warning */

/* Writes what is wrong with the provider of that number (0 to signin_issuer_count() - 1): nobody can sign in with it, or with old keys only. False: nothing. */
bool health_sign_in_trouble(const struct signin *signin, size_t index, char out[HEALTH_SIGN_IN_MAX]);

/* Appends the metrics. A signin of NULL has none: there are no providers. */
void health_sign_in_metrics(const struct signin *signin, struct buf *out);

#endif
