/*
 * A person as a user of an application: the attributes that the mapping gives, whether the application's dialect
 * takes them, the body that creates the user, and what differs from what the application has. Pure.
 */
#ifndef SCIM_PUSH_USER_H
#define SCIM_PUSH_USER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "scim-push/dialect.h"
#include "scim-push/mapping.h"

struct user_value {
	const struct attribute *attribute; /* borrowed from the mapping */
	char *text;                        /* owned; never empty */
};

struct user {
	size_t count;
	struct user_value values[MAPPING_RULES_MAX]; /* in the mapping's order; empty ones are left out */
};

/* Evaluates the whole mapping. ERR_CONFIG with a sentence that names the attribute, or ERR_NOMEM; nothing to release
 * then. */
enum err user_make(struct user *user, const struct mapping *mapping, const struct mapping_source *source,
		   struct errctx *why) MUST_CHECK;
/* The same of those attributes only of which everything is known (mapping_is_known()): for a user who is there. */
enum err user_make_known(struct user *user, const struct mapping *mapping,
			 const struct mapping_source *source, struct errctx *why) MUST_CHECK;
void user_release(struct user *user);

/* The attribute's value, or NULL when the user has none. Borrowed. */
const char *user_text(const struct user *user, const char *path);

/* Would the application take these values of anybody? Otherwise a sentence that names the attribute and its value: one
 * that holds a single value has two, or a text is too long or holds what is refused. */
bool user_fits(const struct user *user, const struct scim_dialect *dialect, struct errctx *why) MUST_CHECK;

/* Are all there that a new user must have? Otherwise a sentence that names the one that is missing. */
bool user_is_complete(const struct user *user, const struct scim_dialect *dialect,
		      struct errctx *why) MUST_CHECK;

/* Appends the body of the user's creation; the user is active. */
void user_body(struct buf *body, const struct user *user);

/*
 * Appends the PATCH that gives the application's user (its resource as JSON) these attributes, and answers with the
 * number of its operations: 0 = nothing differs and nothing was appended; -1 = the resource cannot be read, or memory
 * was short. What the mapping leaves out, and what it does not name, is not touched.
 */
int user_differences(struct buf *body, const struct user *user, const struct scim_dialect *dialect,
		     const char *resource, size_t len);

/* Appends the names of the attributes that the PATCH is about: "displayName, title". */
void user_differing(struct buf *names, const struct user *user, const char *resource, size_t len);

/* Appends the PATCH that activates or deactivates a user. */
void user_active_body(struct buf *body, const struct scim_dialect *dialect, bool active);

#endif
