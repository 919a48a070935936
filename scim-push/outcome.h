/*
 * What an application's answer to one request means: by the operation, the HTTP status (RFC 7644, 3.12: the only part
 * of an error that all applications agree on), and where that leaves it open by the body and by Retry-After. Also the
 * table of the operations. Pure: time is an argument.
 */
#ifndef SCIM_PUSH_OUTCOME_H
#define SCIM_PUSH_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "http/http.h"

enum scim_op {
	OP_FIND_GROUP,     /* GET /Groups?filter=… */
	OP_READ_GROUP,     /* GET /Groups/{id}: is it still there, and what is it called? */
	OP_CREATE_GROUP,   /* POST /Groups */
	OP_RENAME_GROUP,   /* PATCH /Groups/{id}, displayName */
	OP_FIND_USER,      /* GET /Users?filter=… */
	OP_CREATE_USER,    /* POST /Users */
	OP_ADD_MEMBERS,    /* PATCH /Groups/{id}, op add */
	OP_REMOVE_MEMBERS, /* PATCH /Groups/{id}, op remove */
	OP_CONFIRM,        /* GET /Groups?filter=id eq … and members eq … */
	OP_READ_MEMBERS,   /* GET /Groups/{id} with its members */
	OP_READ_USER,      /* GET /Users/{id} */
	OP_CHANGE_USER,    /* PATCH /Users/{id} */
	OP_DELETE_USER,    /* DELETE /Users/{id} */
	OP_LIST_MEMBERS,   /* one page of a group's members */
	OP_READ_CONFIG,    /* GET /ServiceProviderConfig */
	OP_COUNT
};

enum outcome {
	OUTCOME_DONE,          /* accepted; for a look-up: the answer can be read */
	OUTCOME_ALREADY,       /* perhaps there is nothing to remove any more: ask whether it is so */
	OUTCOME_LOOK_AGAIN,    /* an id is out of date, or somebody else has just created it */
	OUTCOME_RETRY,         /* not now, and no fault of anybody: a concurrent modification */
	OUTCOME_THROTTLED,     /* nothing more for a while */
	OUTCOME_REFUSED,       /* repeated unchanged it would be refused again */
	OUTCOME_MISCONFIGURED, /* the token or the URL is wrong */
	OUTCOME_SICK,          /* no answer, or one that no healthy application gives */
	OUTCOME_COUNT
};

struct scim_result {
	enum outcome outcome;
	int64_t wait_ms; /* the application asks not to be called earlier; 0 = it says nothing of it */
};

/* What an answer to that request means. `now_ms` is Unix time, for dates in Retry-After. Pure. */
struct scim_result outcome_of(enum scim_op op, const struct http_answer *answer, int64_t now_ms);

/* Is the answer's body a page for people (of a proxy, of a sign-in)? Such an answer says nothing of what was done. */
bool answer_is_page(const struct http_answer *answer);

/* "throttled": for logs and for people. */
const char *outcome_name(enum outcome outcome);

enum http_method scim_op_method(enum scim_op op);

/* Is it about one member of a push, and not about the push's group? */
bool scim_op_is_for_seat(enum scim_op op);

/* Does it change a group's members? */
bool scim_op_is_patch(enum scim_op op);

/* "looking up the user": for the start of an error text. */
const char *scim_op_words(enum scim_op op);

/* "find_user": for log lines. */
const char *scim_op_name(enum scim_op op);

#endif
