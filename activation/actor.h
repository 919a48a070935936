/* Who causes a change, as the audit keeps it: written once for a call and passed along with all that it changes. Pure. */
#ifndef ACTIVATION_ACTOR_H
#define ACTIVATION_ACTOR_H

#include <stddef.h>

#include "base/buf.h"

#define ACTOR_MAX 8192 /* bytes; all of a caller's bounded texts, each character escaped, are shorter */

#define ACTOR_STRENGTHS_MAX 8 /* of one sign-in, that policies name */

/* All texts are borrowed; NULL or "" = not known. */
struct actor {
	const char *id;      /* principalId */
	const char *name;    /* user name */
	const char *subject; /* what the provider calls them, where that is not the id */
	const char *how;     /* how they signed in: the provider's issuer, "token", "webhook:NAME" */
	const char *const
		*strengths; /* of the sign-in: values of amr, acr and acrs; at most ACTOR_STRENGTHS_MAX */
	size_t strength_count;
	const char *address; /* the peer's */
	const char *call;    /* the request-id of the call */
};

/* Appends the JSON object without its empty members. `out` may have ACTOR_MAX bytes; failed: no memory. */
void actor_write(const struct actor *actor, struct buf *out);

#endif
