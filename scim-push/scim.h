/*
 * SCIM 2.0 (RFC 7643, RFC 7644) on the wire: what is written into URLs and bodies, in the application's dialect, and
 * what its answers say. Pure. An answer is never believed further than it can be checked: a look-up's hits are
 * compared with what was asked for, and a list that is not whole proves no absence.
 */
#ifndef SCIM_PUSH_SCIM_H
#define SCIM_PUSH_SCIM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "scim-push/attribute.h"
#include "scim-push/push.h"

#define SCIM_ID_SIZE       PUSH_ID_SIZE
#define SCIM_URL_MAX       8192 /* base of 511 bytes and two names, escaped and percent-encoded */
#define SCIM_BODY_MAX      65536
#define SCIM_MEMBERS_MAX   ((size_t)8 * 1024 * 1024) /* an answer with a group's members, some 60,000 */
#define SCIM_MEMBER_VALUES 400000                    /* JSON values in it */
#define SCIM_DETAIL_SIZE   401                       /* what is kept of the application's own words */

/* A look-up: the one resource whose attribute has this value. All borrowed. */
struct scim_find {
	const char *endpoint; /* "Users", "Groups" */
	const struct attribute *attribute;
	const char *value;
	bool hide_members;
};

/* Request URLs, appended to `url`. `base` has no closing slash. */
void scim_url_find(struct buf *url, const char *base, const struct scim_find *find);
void scim_url_endpoint(struct buf *url, const char *base, const char *endpoint);
/* One resource by its id, which is always one segment of the path. */
void scim_url_resource(struct buf *url, const char *base, const char *endpoint, const char *id);
/* A group with its members; `by_name`: where it left them out, they are asked for by their name. */
void scim_url_members(struct buf *url, const char *base, const char *group_id, bool by_name);
/* Is this user a member of this group? AWS never shows members; it answers this filter. */
void scim_url_confirm(struct buf *url, const char *base, const char *group_id, const char *user_id);
/* The users who are in this group, from `cursor` on: "" = the first page. AWS only. */
void scim_url_users_of(struct buf *url, const char *base, const char *group_id, const char *cursor);

/* The groups that this user is in. AWS only. */
void scim_url_groups_of(struct buf *url, const char *base, const char *user_id);

struct scim_member {
	const char *id, *name; /* borrowed */
};

/* Request bodies, appended to `body`. */
void scim_body_group(struct buf *body, const char *display_name, const char *external_id);
void scim_body_rename(struct buf *body, const struct scim_dialect *dialect, const char *display_name);
/* The PATCH that adds or removes these members. `count` > 0: a removal of nobody would mean everybody. */
void scim_body_members(struct buf *body, const struct scim_dialect *dialect, bool add,
		       const struct scim_member members[], size_t count);
/* Begins a PATCH, up to its first operation. */
void scim_begin_patch(struct buf *body, const struct scim_dialect *dialect);
/* Begins an operation: {"op":"add" */
void scim_add_op(struct buf *body, const struct scim_dialect *dialect, const char *op);

enum scim_hit {
	HIT_NONE, /* the application has no such resource */
	HIT_ONE,
	HIT_SEVERAL,   /* more than one resource of exactly this name */
	HIT_UNREADABLE /* no list, a list that is cut off, or a hit without a usable id */
};

/* Reads a ListResponse. `id` is written with HIT_ONE only. The attribute is compared with what was asked for, as
 * attribute_is() compares: what an application takes for equal is no proof. */
enum scim_hit scim_read_found(const char *body, size_t len, const struct scim_find *find,
			      char id[SCIM_ID_SIZE]);

/* Has the one resource that the look-up finds in this list that other attribute as well? */
bool scim_found_has(const char *body, size_t len, const struct scim_find *find,
		    const struct scim_find *other);

/* The id in the answer to a creation. False when it holds none or is about another resource. */
bool scim_read_created(const char *body, size_t len, const struct scim_find *find, char id[SCIM_ID_SIZE]);

/* Is this the resource of that id, and what is its attribute? False when it is not. */
bool scim_read_resource(const char *body, size_t len, const char *id, const struct attribute *attribute,
			char value[NAME_SIZE]);

enum scim_membership { MEMBERSHIP_UNCLEAR, MEMBERSHIP_PRESENT, MEMBERSHIP_ABSENT };

/* The answer to scim_url_confirm(). */
enum scim_membership scim_read_membership(const char *body, size_t len, const char *group_id);

struct scim_shown {
	const char *user_id;             /* in */
	enum scim_membership membership; /* out */
};

enum scim_members {
	MEMBERS_UNREADABLE, /* it is not this group, or its `members` are no list */
	MEMBERS_LEFT_OUT, /* there is no `members`: an empty group, or one that is not shown whole unless that is asked for */
	MEMBERS_SHOWN
};

/* A group with its members: for each of these users, are they one? Nobody is where they are left out. */
enum scim_members scim_read_members(const char *body, size_t len, const char *group_id,
				    struct scim_shown shown[], size_t count);

/* Called for each user's id. */
typedef void scim_on_id(void *ctx, const char *id);

struct scim_page {
	char cursor[512]; /* of the next page; "" = this is the last one */
	size_t shown;     /* users in it */
	double total;     /* totalResults, as the application says it; 0 = it says nothing */
};

/* One page of users: their ids are told. False when it is no page, or holds a user without a usable id; `out` is
 * untouched then. */
bool scim_read_page(const char *body, size_t len, scim_on_id *on_id, void *ctx, struct scim_page *out);

/* All users in a group; groups within it are not told. */
enum scim_members scim_read_member_list(const char *body, size_t len, const char *group_id, scim_on_id *on_id,
					void *ctx);

/* A user with their groups: is this one of them? */
enum scim_membership scim_read_groups(const char *body, size_t len, const char *user_id,
				      const char *group_id);

enum scim_active { ACTIVE_UNSAID, ACTIVE_YES, ACTIVE_NO };

/* A user, as somebody else may have left it. */
struct scim_account {
	enum scim_active active;
	bool in_groups; /* it shows groups that the user is in */
};

/* False when it is not this user. */
bool scim_read_account(const char *body, size_t len, const char *user_id, struct scim_account *out);

/* The answer to scim_url_groups_of(): is the user in any group at all? */
enum scim_membership scim_read_any(const char *body, size_t len);

/*
 * The application's own words out of an error body (`detail`; "" when there are none), cut to fit, without control
 * characters, and with `secret` blotted out should it have been echoed.
 */
void scim_read_detail(const char *body, size_t len, const char *secret, char detail[SCIM_DETAIL_SIZE]);

/* The same cleaning for any text from outside. */
void scim_clean_text(const char *text, const char *secret, char *out, size_t size);

#endif
