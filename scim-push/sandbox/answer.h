/* One HTTP answer of the sandbox, and the shapes of error bodies. */
#ifndef SANDBOX_ANSWER_H
#define SANDBOX_ANSWER_H

#include <stdint.h>

#include "base/buf.h"
#include "scim-push/sandbox/dialect.h"

#define ANSWER_MAX (32U << 20) /* the `huge` fault and a whole page of large users fit */

/* What is wrong: X(constant, AWS' words, the plain server's, scimType or ""). */
#define UNPARSABLE "Request is unparsable, syntactically incorrect, or violates schema."
#define PROBLEMS(X)                                                                                          \
	X(PROBLEM_SYNTAX, UNPARSABLE, "The body is not what the schema says.", "invalidSyntax")              \
	X(PROBLEM_VALUE, UNPARSABLE, "A value is missing, or not allowed.", "invalidValue")                  \
	X(PROBLEM_PATH, UNPARSABLE, "The path is not understood.", "invalidPath")                            \
	X(PROBLEM_FILTER, UNPARSABLE, "The filter is not understood.", "invalidFilter")                      \
	X(PROBLEM_TOO_MANY, UNPARSABLE, "That is too much at once.", "tooMany")                              \
	X(PROBLEM_MUTABILITY, UNPARSABLE, "This cannot be changed.", "mutability")                           \
	X(PROBLEM_NO_MEMBER, "Resource not found.", "There is no such member.", "noTarget")                  \
	X(PROBLEM_NO_USER, "Resource not found.", "There is no such user.", "invalidValue")                  \
	X(PROBLEM_NOT_FOUND, "Resource not found.", "There is no such resource.", "")                        \
	X(PROBLEM_DUPLICATE, "Refused to create a new, duplicate resource.",                                 \
	  "There is such a resource already.", "uniqueness")                                                 \
	X(PROBLEM_CONFLICT, "The resource was modified by a concurrent request.",                            \
	  "The resource was modified by somebody else.", "")                                                 \
	X(PROBLEM_ONE_ATTRIBUTE,                                                                             \
	  "Current PATCH support allows omitting \"path\" attribute only for Add and Replace operations "    \
	  "modifying a single attribute.",                                                                   \
	  "A path is missing.", "invalidPath")                                                               \
	X(PROBLEM_REPLACE_MEMBERS, "Replacing group memberships is not supported.",                          \
	  "Members cannot be replaced.", "mutability")                                                       \
	X(PROBLEM_UNAUTHORISED, "Unauthorized.", "The token is not accepted.", "")                           \
	X(PROBLEM_QUOTA, "Quota exceeded.", "There is room for no more.", "tooMany")                         \
	X(PROBLEM_TOO_LARGE, UNPARSABLE, "The body is too large.", "tooMany")                                \
	X(PROBLEM_THROTTLED, "Rate exceeded.", "Too many requests.", "")                                     \
	X(PROBLEM_VERSION, UNPARSABLE, "The version is out of date.", "invalidVers")                         \
	X(PROBLEM_UNSUPPORTED, UNPARSABLE, "This is not supported.", "")                                     \
	X(PROBLEM_INTERNAL, "Internal server error.", "Something went wrong.", "")                           \
	X(PROBLEM_TOLD, "The sandbox was told to fail.", "The sandbox was told to fail.", "")

#define PROBLEM_ENUM(constant, aws, plain, type) constant,
enum problem { PROBLEMS(PROBLEM_ENUM) PROBLEM_COUNT };
#undef PROBLEM_ENUM

struct answer {
	int status;
	struct buf body;
	enum errors errors;   /* the shape of error bodies */
	bool scim_type;       /* in the plain shape */
	const char *type;     /* Content-Type; a literal */
	char location[512];   /* "" = no such header */
	char retry_after[40]; /* "" = no such header */
};

void answer_init(struct answer *answer); /* 500, empty, AWS' errors */
void answer_release(struct answer *answer);
/* From here on in that dialect: media type and errors. */
void answer_speak(struct answer *answer, const struct dialect *dialect);
/* Replaces what is there with an error body. */
void answer_error(struct answer *answer, int status, enum problem problem, int64_t now_ms);
/* Sets Retry-After (RFC 9110 section 10.2.3). */
void answer_retry(struct answer *answer, enum retry_after form, int64_t seconds, int64_t now_ms);

#endif
