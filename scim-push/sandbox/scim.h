/*
 * The SCIM service of the sandbox: one call in, one answer out, over a directory in memory. It knows no HTTP
 * server, no socket and no clock. Its errors are AWS IAM Identity Center's.
 */
#ifndef SANDBOX_SCIM_H
#define SANDBOX_SCIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scim-push/sandbox/answer.h"
#include "scim-push/sandbox/dialect.h"
#include "scim-push/sandbox/directory.h"
#include "scim-push/sandbox/filter.h"
#include "scim-push/sandbox/query.h"

#define MEMBER_CHANGES_MAX 100 /* AWS: in one PATCH, and members in one POST */

struct scim {
	struct directory directory;
	struct dialect dialect;
};

struct scim_call {
	const char *method;
	const char *target; /* below /scim/v2, as it came: "/Groups/ID?filter=…" */
	bool authorised;    /* the bearer token is right */
	bool media_type_ok; /* application/scim+json or application/json */
	const char *body;
	size_t body_len;
	int64_t now_ms; /* Unix time */
};

/* Answers the call and applies it. `answer` is initialised by the caller. */
void scim_handle(struct scim *scim, const struct scim_call *call, struct answer *answer);

/* Users and groups made at the start or by hand. ERR_BAD_REQUEST: characters that AWS refuses; ERR_EXISTS. */
enum err scim_make_user(struct scim *scim, const char *user_name, int64_t now_ms) MUST_CHECK;
enum err scim_make_group(struct scim *scim, const char *display_name, int64_t now_ms) MUST_CHECK;

/*
 * From here on the parts of the service, each for its own file. A handler gets the parsed target and body; what
 * it has not set in the answer stays a 500.
 */
struct scim_request {
	const struct query *query;
	const cJSON *body; /* an object; NULL for GET and DELETE */
	int64_t now_ms;
};

typedef void scim_handler(struct scim *scim, const struct scim_request *request, struct answer *answer);

scim_handler users_list, users_get, users_create, users_put, users_patch, users_delete;
scim_handler groups_list, groups_get, groups_create, groups_patch, groups_delete;

/* Users: do these attributes (a whole resource) keep AWS' rules? */
bool user_attributes_valid(const cJSON *resource);
/* The attributes that are kept: a copy without id, meta and schemas. NULL: out of memory. */
cJSON *user_attributes_copy(const cJSON *resource);
/* A resource as it is sent. */
void user_print(const struct user *user, struct buf *out);

/* The group of the target's id, or NULL with the 404 already in the answer. */
struct group *group_of(struct scim *scim, const struct scim_request *request, struct answer *answer);
/* Has another group this name or external id? `self` may be NULL; `external_id` may be NULL. */
bool group_is_duplicate(const struct scim *scim, const struct group *self, const char *display_name,
			const char *external_id);

#endif
