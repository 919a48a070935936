/*
 * What an application's answer to one request means, by the operation and the HTTP status alone (RFC 7644, 3.12:
 * the status is the only part of an error that all applications agree on). Pure.
 */
#ifndef SCIM_PUSH_OUTCOME_H
#define SCIM_PUSH_OUTCOME_H

enum scim_op {
	OP_FIND_GROUP,     /* GET /Groups?filter=displayName eq … */
	OP_FIND_USER,      /* GET /Users?filter=userName eq … */
	OP_CREATE_USER,    /* POST /Users */
	OP_ADD_MEMBERS,    /* PATCH /Groups/{id}, op add */
	OP_REMOVE_MEMBERS, /* PATCH /Groups/{id}, op remove */
	OP_CONFIRM         /* GET /Groups?filter=id eq … and members eq … */
};

enum outcome {
	OUTCOME_DONE,         /* accepted; for a look-up: the answer can be read */
	OUTCOME_ALREADY,      /* perhaps there is nothing to remove any more: ask whether it is so */
	OUTCOME_LOOK_AGAIN,   /* an id is out of date, or somebody else has just created the user */
	OUTCOME_RETRY,        /* not now */
	OUTCOME_REFUSED,      /* repeated unchanged it would be refused again */
	OUTCOME_UNAUTHORISED, /* the token or the URL is wrong */
	OUTCOME_THROTTLED     /* 429 or 503: nothing more for a while */
};

/* `status` is 0 when no whole answer came (transport error, time out). */
enum outcome outcome_of(enum scim_op op, long status);

/* "looking up the user": for the start of an error text. */
const char *scim_op_words(enum scim_op op);

/* "find_user": for log lines. */
const char *scim_op_name(enum scim_op op);

#endif
