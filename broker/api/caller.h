/*
 * Who calls: the seam where sign-in goes. Today a person's static token, which the configuration accepts in its
 * demo and test environments only; everything behind this header is the same for every way of signing in.
 */
#ifndef API_CALLER_H
#define API_CALLER_H

#include <stdbool.h>

#include "base/err.h"
#include "base/id.h"
#include "broker/config.h"

struct exchange;

struct caller {
	char id[NAME_SIZE]; /* principalId */
	struct scim_person names;
	bool is_operator; /* may see everybody's requests and the applications */
	/* What policy looks at besides the name; owned by whoever signed the caller in, for the life of the call. */
	const struct policy_attribute *claims;
	size_t claim_count;
	const char *const *methods;
	size_t method_count;
};

/* Reads the Authorization header. ERR_UNAUTHENTICATED with the reason when it is missing or not known. */
enum err caller_identify(const struct config *config, const struct exchange *exchange, struct caller *caller,
			 struct errctx *ec) MUST_CHECK;

/* As policy sees the caller; borrowed. */
struct policy_person caller_for_policy(const struct caller *caller);

#endif
