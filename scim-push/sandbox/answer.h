/* One HTTP answer of the sandbox, and the shape of AWS' error bodies. */
#ifndef SANDBOX_ANSWER_H
#define SANDBOX_ANSWER_H

#include <stdint.h>

#include "base/buf.h"

#define ANSWER_MAX (32U << 20) /* the `huge` fault and a whole page of large users fit */

#define DETAIL_UNPARSABLE "Request is unparsable, syntactically incorrect, or violates schema."
#define DETAIL_ONE_ATTRIBUTE                                                                                 \
	"Current PATCH support allows omitting \"path\" attribute only for Add and Replace operations "      \
	"modifying a single attribute."
#define DETAIL_REPLACE_MEMBERS "Replacing group memberships is not supported."
#define DETAIL_DUPLICATE       "Refused to create a new, duplicate resource."
#define DETAIL_NOT_FOUND       "Resource not found."

struct answer {
	int status;
	struct buf body;
	const char *type;     /* Content-Type; a literal */
	char location[512];   /* "" = no such header */
	char retry_after[40]; /* "" = no such header */
};

void answer_init(struct answer *answer); /* 500, empty */
void answer_release(struct answer *answer);
/* Replaces what is there with AWS' error body: `schema` and `schemas`, no scimType, status as a string. */
void answer_error(struct answer *answer, int status, const char *detail, int64_t now_ms);
/* Adds one resource's "meta" member. */
void answer_add_meta(struct buf *body, const char *type, int64_t created_ms, int64_t modified_ms);

#endif
