/* What was refused, for the audit: who wanted what, and which rule or role was against it. */
#ifndef API_REFUSALS_H
#define API_REFUSALS_H

#include "base/err.h"

struct call;

/*
 * X(name, rule, sentence): whom a call is refused to whatever policy says, and the rule by which programs know it. The roles
 * that a route needs are the router's own (RoleRule, with those roles).
 */
#define REFUSALS(X)                                                                                          \
	X(REFUSAL_LOOKS_ON, "RoleRule",                                                                      \
	  "Auditors, timer jobs and machines ask for nothing and decide nothing.")                           \
	X(REFUSAL_ADMIN, "RoleRule", "Only operators may assign and remove.")                                \
	X(REFUSAL_NO_APPROVER, "ApproverRule", "You are no approver of this request.")                       \
	X(REFUSAL_NO_APPROVER_YET, "ApproverRule", "You are no approver at this stage.")                     \
	X(REFUSAL_CLICKER, "ApproverRule", "The source knows no approver behind that Slack user.")           \
	X(REFUSAL_OWN, "OwnRequestRule", "Nobody decides their own request.") /* ERR_OWN_REQUEST's */        \
	X(REFUSAL_SOURCE, "SourceRule", "This source may not decide for the group.")                         \
	X(REFUSAL_WORKSPACE, "SourceRule", "The click comes from another workspace.")                        \
	X(REFUSAL_SELF, "PrincipalRule",                                                                     \
	  "A self action is for the caller alone: principalId must be yours.")                               \
	X(REFUSAL_LIST, "PrincipalRule", "You may list your own requests.")                                  \
	X(REFUSAL_PROVIDER, "ProviderRule", "The provider of the token may not name that user (user_names).")

#define REFUSAL_ENUM(name, rule, sentence) name,
enum refused_by { REFUSALS(REFUSAL_ENUM) REFUSAL_COUNT };
#undef REFUSAL_ENUM

/* Static. */
const char *refusals_sentence(enum refused_by refusal);

/* ERR_FORBIDDEN, with the sentence in `ec`. */
enum err refusals_set(struct errctx *ec, enum refused_by refusal);

/* The rule of the refusal with that sentence, also of what a decision finds no longer allowed, as the `details` of its
 * answer, in `out`; NULL when it is none. So what was kept of a refusal needs no more than the sentence. */
#define REFUSALS_DETAILS_SIZE 64
const char *refusals_details(const char *sentence, char out[REFUSALS_DETAILS_SIZE]);

/*
 * Writes the refusal into the audit, where it is one: a change that policy or the caller's roles do not allow, or a call
 * in the name of another provider's person. `why` and
 * `rules` (a JSON array) as they are answered; NULL = none. Waits for nothing; what goes wrong is logged. So much
 * of one person in a minute is written, or of one who names people (caller.named_by), and beyond that how much it has
 * become (jit_refused): nobody floods the trail.
 */
void refusals_note(const struct call *call, enum err err, const char *why, const char *rules);

#endif
