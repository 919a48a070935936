/*
 * The SCIM service of the sandbox: one call in, one answer out, over a directory in memory. It knows no HTTP
 * server, no socket and no clock. How it behaves is a dialect.
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
#include "scim-push/sandbox/rate.h"

struct scim {
	struct directory directory;
	struct dialect dialect; /* changed by scim_use() only */
	struct rates rates;
};

struct scim_call {
	const char *method;
	const char *target; /* below /scim/v2, as it came: "/Groups/ID?filter=…" */
	const char *base;   /* "http://HOST/scim/v2", for absolute locations; may be "" */
	bool authorised;    /* the bearer token is right */
	bool media_type_ok; /* application/scim+json or application/json */
	bool names_version; /* there is an If-Match */
	const char *body;
	size_t body_len;
	int64_t now_ms; /* Unix time */
};

/* Behaves so from now on. */
void scim_use(struct scim *scim, const struct dialect *dialect);
/* Takes that dialect's rates instead of what there is. */
void scim_use_rates(struct scim *scim, const struct dialect_row *row);

/* Answers the call and applies it. `answer` is initialised by the caller. */
void scim_handle(struct scim *scim, const struct scim_call *call, struct answer *answer);

/* Users and groups made at the start or by hand. ERR_BAD_REQUEST: refused characters; ERR_EXISTS. */
enum err scim_make_user(struct scim *scim, const char *user_name, int64_t now_ms) MUST_CHECK;
enum err scim_make_group(struct scim *scim, const char *display_name, int64_t now_ms) MUST_CHECK;
/* A group of that name even if there is one. ERR_BAD_REQUEST. */
enum err scim_make_twin(struct scim *scim, const char *display_name, int64_t now_ms) MUST_CHECK;

/*
 * From here on the parts of the service, each for its own file. A handler gets the parsed target and body; what
 * it has not set in the answer stays a 500.
 */
struct scim_request {
	const struct query *query;
	const cJSON *body; /* an object; NULL for GET and DELETE */
	const char *base;
	int64_t now_ms;
};

typedef void scim_handler(struct scim *scim, const struct scim_request *request, struct answer *answer);

scim_handler users_list, users_get, users_create, users_put, users_patch, users_delete;
scim_handler groups_list, groups_get, groups_create, groups_patch, groups_put, groups_delete;
scim_handler about_config, about_resource_types, about_schemas;

/* The user who is meant by a member's value: by id, or by name in such a dialect. NULL when there is none yet. */
struct user *scim_member(const struct scim *scim, const char *value, int64_t now_ms);

/* The parsed filter of the request, if it has one, after what the dialect says to its form. 0, or the status of the
 * error; `nothing`: the answer is an empty list. */
int scim_filter(const struct scim *scim, const struct scim_request *request, struct filter *out,
		bool *nothing);

/* Do these attributes (a whole resource) keep the dialect's rules? */
bool user_attributes_valid(const struct scim *scim, const cJSON *resource);
/* Is there such an attribute? `name` may be "emails.value". */
bool user_attribute_known(const char *name);
/* The attributes that are kept: a copy without id, meta and schemas. NULL: out of memory. */
cJSON *user_attributes_copy(const cJSON *resource);
/* Applies one operation of a PATCH. False: the path is not understood, or does not fit. */
bool user_set_path(cJSON *attributes, const char *path, const cJSON *value);
/* A resource as it is sent. */
void user_print(const struct scim *scim, const struct user *user, const struct scim_request *request,
		struct buf *out);

/* A resource as it is sent; `single`: not in a list. */
void group_print(const struct scim *scim, const struct group *group, const struct scim_request *request,
		 bool single, struct buf *out);
/* The group of the target's id, or NULL with the 404 already in the answer. */
struct group *group_of(struct scim *scim, const struct scim_request *request, struct answer *answer);
/* Has another group this name or external id? `self` may be NULL; `external_id` may be NULL. */
bool group_is_duplicate(const struct scim *scim, const struct group *self, const char *display_name,
			const char *external_id);

/* What users and groups have in common. */
struct scim_head {
	const char *type; /* "User" */
	const char *id;
	int64_t created_ms, modified_ms;
};

/* "id" (unless it is hidden) and "meta", with the opening brace before and a comma behind. */
void scim_print_head(const struct scim *scim, const struct scim_request *request,
		     const struct scim_head *head, struct buf *out);
/* The Location header of a resource. */
void scim_set_location(const struct scim *scim, const struct scim_request *request,
		       const struct scim_head *head, struct answer *answer);

#endif
