/*
 * Who calls: a person or program with a bearer token of a provider that the configuration names, a machine
 * with its static token or, in the demo and test environments only, a person with one. What is behind this header is the
 * same for all.
 */
#ifndef API_CALLER_H
#define API_CALLER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/id.h"
#include "config/config.h"

struct call;
struct identity;

struct caller {
	char id[NAME_SIZE]; /* principalId: that of `people`, where they know the user name; else the token's */
	struct scim_person names;
	bool is_operator; /* may see everybody's requests and the applications, assign and remove */
	bool is_auditor;  /* may read everything, and change nothing */
	bool is_timer;    /* may call what timer jobs call */
	bool is_machine;  /* signed in with a machine's static token */
	struct policy_attribute *claims; /* owned; their texts are the identity's */
	size_t claim_count;
	const char *const *methods; /* how they authenticated; the identity's */
	size_t method_count;
	const struct identity *identity; /* one reference; NULL for a static token */
	const char *zone;                /* the time zone that the token names; the identity's. NULL = none */
	/* Who names them, without their having proved who they are: a source of messages, or a provider that may not. NULL =
	 * nobody. Borrowed from the call's configuration or from the identity. */
	const char *named_by;
};

/* `why` is set when err is not ERR_OK, and borrowed for the call. */
typedef void caller_done(struct call *call, enum err err, const char *why);

/*
 * Reads the Authorization header of the call and fills call->caller. `done` is called exactly once: mostly within
 * this call, later when a provider's keys have to be fetched first. ERR_UNAUTHENTICATED, ERR_FORBIDDEN (the provider
 * may not name that user: call->actor is written then, for the audit), ERR_UNAVAILABLE (the provider
 * cannot be reached), ERR_NOMEM.
 */
void caller_identify(struct call *call, caller_done *done);

/* Fills the caller with whom a signed message names: known by that name alone, with the roles that it has. */
void caller_take_name(struct caller *caller, const struct config *config, const char *name);

/* May ask for access and decide about others'. Who only looks on or only does what is due may not. */
bool caller_takes_part(const struct caller *caller);

/* Writes call->actor for the audit. `how` they have proved who they are; NULL = as caller_identify() found it. ERR_NOMEM. */
enum err caller_name(struct call *call, const char *how) MUST_CHECK;

/* May see what is others'. */
bool caller_sees_all(const struct caller *caller);

/* Did the provider leave out of the token the groups that one of these sets of people is named by? */
bool caller_lacks_groups(const struct call *call, const struct policy_eligibilities *entries);

/* Frees what it holds; its texts are gone then. NULL members are legal. */
void caller_release(struct caller *caller);

/* As policy sees the caller; borrowed. */
struct policy_person caller_for_policy(const struct caller *caller);

#endif
