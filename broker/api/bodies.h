/* The small bodies of the API, read into plain values: an approver's word, and what operators say of an application. Pure. */
#ifndef API_BODIES_H
#define API_BODIES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/id.h"

/*
 * Each reads a whole text. ERR_BAD_REQUEST when it is no JSON, or not of this form, or ERR_INVALID_REQUEST when an approver's
 * word is none; `ec` says which, and nothing in *out counts then. ERR_NOMEM.
 */

/* {"reviewResult": "Approve"|"Deny", "justification": "…"}; Graph's read-only members are passed over. */
struct body_review {
	bool approve;
	char justification[TEXT_SIZE]; /* "" = none */
};
enum err body_read_review(const char *text, size_t len, struct body_review *out,
			  struct errctx *ec) MUST_CHECK;

/* {"principalId": "…", "groupId": "…"}; ids in lower case. */
struct body_membership {
	char principal[NAME_SIZE];
	char group[ID_SIZE];
};
enum err body_read_membership(const char *text, size_t len, struct body_membership *out,
			      struct errctx *ec) MUST_CHECK;

/* {"removals": true}: they rest as well. No body, or an empty object, is false. */
enum err body_read_pause(const char *text, size_t len, bool *removals, struct errctx *ec) MUST_CHECK;

/* {"answer": "remove"} or {"answer": "keep"}: to the guard's question. */
enum err body_read_guard(const char *text, size_t len, bool *remove, struct errctx *ec) MUST_CHECK;

#endif
