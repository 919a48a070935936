/*
 * Every error the broker can answer with, in one table: the code and message that a Microsoft Graph client
 * reads, the HTTP status, and whether the same call may succeed later. Functions return `enum err`; those that
 * touch the outside world also fill a `struct errctx` with one sentence, prefixed on the way up.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))

/*
 * X(name, HTTP status, may be repeated unchanged, Graph code, default message)
 *
 * Whatever rule of policy refuses, the code is RoleAssignmentRequestPolicyValidationFailed, as Graph has it for groups.
 * ActiveDurationTooShort and RoleAssignmentRequestAcrsValidationFailed have been seen where PIM is asked about roles, not
 * about groups. The second one tells a client to come again with `claims=` of Conditional Access, which stands in its
 * way unless the broker's provider understands that; `acrValues` in `details`, and the challenge of RFC 9470, say which
 * sign-in is wanted.
 */
#define ERR_TABLE(X)                                                                                         \
	X(ERR_OK, 200, false, "ok", "success")                                                               \
	X(ERR_BAD_REQUEST, 400, false, "BadRequest", "The request is malformed.")                            \
	X(ERR_INVALID_REQUEST, 400, false, "InvalidRoleAssignmentRequest",                                   \
	  "The role assignment request is invalid.")                                                         \
	X(ERR_INVALID_FILTER, 400, false, "BadRequest", "The query is not supported.")                       \
	X(ERR_POLICY, 400, false, "RoleAssignmentRequestPolicyValidationFailed",                             \
	  "The following policy rules failed.")                                                              \
	X(ERR_EXISTS, 400, false, "RoleAssignmentExists", "The Role assignment already exists.")             \
	X(ERR_PENDING, 400, false, "PendingRoleAssignmentRequest", "An equal request is already pending.")   \
	X(ERR_NO_ASSIGNMENT, 400, false, "RoleAssignmentDoesNotExist",                                       \
	  "The Role assignment does not exist.")                                                             \
	X(ERR_START_IN_PAST, 400, false, "InvalidRoleAssignmentRequestSchedule",                             \
	  "The assignment would end before it starts.")                                                      \
	X(ERR_TOO_MANY, 400, false, "TooManyRoleAssignments",                                                \
	  "This membership already has as many assignments as one membership may have.")                     \
	X(ERR_WRONG_STATE, 400, false, "InvalidRoleAssignmentRequestState",                                  \
	  "The request is not in a state that allows this.")                                                 \
	X(ERR_SUBJECT, 400, false, "SubjectNotFound", "Nothing is known of that person yet.")                \
	X(ERR_FULL, 400, false, "RoleAssignmentLimitReached",                                                \
	  "As many people as the group may have at once have it.")                                           \
	X(ERR_EXCLUDED, 400, false, "RoleAssignmentExcluded",                                                \
	  "The person holds a group that excludes this one.")                                                \
	X(ERR_OWN_REQUEST, 403, false, "Authorization_RequestDenied", "Nobody decides their own request.")   \
	X(ERR_KEY_BUSY, 409, true, "IdempotencyKeyInUse",                                                    \
	  "What was asked under this Idempotency-Key is still being done.")                                  \
	X(ERR_BUSY, 409, false, "ProvisioningUnderWay", "A push is under way for this membership.")          \
	X(ERR_UNPROVED, 409, false, "ConnectionNotTested",                                                   \
	  "The application has not passed Test Connection with its present settings.")                       \
	X(ERR_PAUSED, 409, false, "ProvisioningPaused", "Provisioning of this application is paused.")       \
	X(ERR_NOTHING_HELD, 409, false, "NothingHeld", "The guard of this application holds nothing.")       \
	X(ERR_DECIDED, 409, false, "RoleAssignmentRequestAlreadyApproved",                                   \
	  "The request has been decided already.")                                                           \
	X(ERR_UNAUTHENTICATED, 401, false, "InvalidAuthenticationToken", "Sign in to call this.")            \
	X(ERR_FORBIDDEN, 403, false, "Authorization_RequestDenied", "You may not do this.")                  \
	X(ERR_NOT_FOUND, 404, false, "ResourceNotFound", "There is no such object.")                         \
	X(ERR_METHOD, 405, false, "MethodNotAllowed", "The method is not allowed here.")                     \
	X(ERR_TOO_BIG, 413, false, "RequestEntityTooLarge",                                                  \
	  "The request is larger than the broker accepts.")                                                  \
	X(ERR_MEDIA_TYPE, 415, false, "UnsupportedMediaType", "The body must be application/json.")          \
	X(ERR_KEY_REUSED, 422, false, "IdempotencyKeyReused",                                                \
	  "The Idempotency-Key was used before with another request.")                                       \
	X(ERR_DEPENDENCY, 424, false, "FailedDependency",                                                    \
	  "A request of the batch that this one depends on has failed.")                                     \
	X(ERR_THROTTLED, 429, true, "TooManyRequests", "Too many requests.")                                 \
	X(ERR_HEADERS_TOO_BIG, 431, false, "RequestHeaderFieldsTooLarge",                                    \
	  "The request's headers are too large.")                                                            \
	X(ERR_INTERNAL, 500, true, "InternalServerError", "The broker made a mistake.")                      \
	X(ERR_NOMEM, 503, true, "ServiceUnavailable", "The broker is out of memory.")                        \
	X(ERR_UNAVAILABLE, 503, true, "ServiceUnavailable", "The broker's store cannot be reached.")         \
	X(ERR_TIMEOUT, 504, true, "GatewayTimeout",                                                          \
	  "The store did not answer in time; whether the change was made is not known. Repeat the call.")    \
	X(ERR_IO, 500, true, "InternalServerError", "An input or output operation failed.")                  \
	X(ERR_CONFIG, 500, false, "InvalidConfiguration", "The configuration is not usable.")

#define ERR_ENUM(name, status, retry, code, message) name,
enum err { ERR_TABLE(ERR_ENUM) ERR_COUNT };
#undef ERR_ENUM

/* One sentence about what went wrong, for people; cut at the end when it does not fit. Never holds a secret. */
struct errctx {
	char text[256];
};

/* Replaces the text. `ec` may be NULL. Returns `err`, so that a caller can write: return err_set(ec, ERR_X, …). */
enum err err_set(struct errctx *ec, enum err err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the text, as the error travels up. `ec` may be NULL. */
void err_prefix(struct errctx *ec, const char *format, ...) __attribute__((format(printf, 2, 3)));

int err_status(enum err err);          /* HTTP status */
const char *err_code(enum err err);    /* Graph's code, e.g. "RoleAssignmentExists" */
const char *err_message(enum err err); /* default sentence */
bool err_retryable(enum err err);      /* the same call may succeed later */

#endif
