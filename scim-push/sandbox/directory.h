/*
 * The users, groups and memberships of the sandbox, in memory. Users and groups are listed in the order of their
 * creation; a membership stands in the list of its user and of its group. Nothing here knows a dialect's rules.
 */
#ifndef SANDBOX_DIRECTORY_H
#define SANDBOX_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/err.h"
#include "scim-push/sandbox/dialect.h"
#include "scim-push/sandbox/names.h"
#include "scim-push/sandbox/roll.h"

#define SCIM_ID_SIZE 264 /* a UUID, AWS' with a prefix, or a name in servers whose ids are names */

/*
 * A membership that ended is kept while reads may still show it: `present` is the truth, `shown_before` is what
 * reads showed at changed_ms and go on showing until the lag has passed.
 */
struct membership {
	struct user *user;
	struct group *group;
	bool present;
	bool shown_before;
	unsigned copies; /* entries in the list of members: servers exist that add somebody twice */
	int64_t changed_ms;
	struct membership *next_of_user, **place_of_user;
	struct membership *next_of_group, **place_of_group;
};

/*
 * A ghost is an id that is a member although no such user exists, in servers that allow it: it has no attributes, is in
 * no list, and is freed with its last membership.
 */
struct user {
	char id[SCIM_ID_SIZE];
	uint64_t number;   /* rises with each creation; the order of listings */
	cJSON *attributes; /* owned: the resource without id, meta, groups and schemas; NULL = a ghost */
	int64_t created_ms;
	int64_t modified_ms;
	int64_t visible_ms; /* SCIM finds it from then on */
	struct membership *memberships;
	uint64_t mark; /* scratch of one PATCH: what it would make of the membership, see group_patch.c */
	bool mark_member;
	unsigned pins; /* a ghost that is needed is not freed */
	struct names_node by_id, by_name, by_external_id;
};

struct group {
	char id[SCIM_ID_SIZE];
	uint64_t number;
	char *display_name; /* owned */
	char *external_id;  /* owned; NULL = none */
	int64_t created_ms;
	int64_t modified_ms;
	int64_t visible_ms;
	size_t member_count; /* present ones */
	struct membership *memberships;
	struct names_node by_id, by_name, by_external_id;
};

struct directory {
	int64_t members_lag_ms; /* membership changes become visible to reads after that */
	int64_t created_lag_ms; /* and users and groups created by SCIM */
	enum user_ids user_ids;
	bool group_ids_are_names;
	uint64_t last_number, last_mark;
	struct roll users, groups;
	struct names users_by_id, users_by_name, users_by_external_id;
	struct names groups_by_id, groups_by_name, groups_by_external_id;
	struct names ghosts_by_id;
	struct membership *spare; /* reserved, see directory_reserve() */
	size_t spare_count;
};

enum err directory_init(struct directory *dir) MUST_CHECK; /* ERR_NOMEM */
void directory_release(struct directory *dir);

/* Ids match exactly. NULL when there is none. */
struct user *directory_user(const struct directory *dir, const char *id);
struct group *directory_group(const struct directory *dir, const char *id);
/* The first one with that name; `exact`: case-sensitively. */
struct user *directory_user_named(const struct directory *dir, const char *user_name, bool exact);
struct group *directory_group_named(const struct directory *dir, const char *display_name, bool exact);

/* The user's string attribute, e.g. "userName", or NULL. Borrowed. */
const char *user_text(const struct user *user, const char *attribute);
/* The userName, or the id of a ghost. Borrowed. */
const char *user_label(const struct user *user);

/* Takes `attributes` (which hold a userName) on success. NULL: out of memory, the caller keeps them. */
struct user *directory_add_user(struct directory *dir, cJSON *attributes, int64_t now_ms);
/* Replaces and frees the old attributes; takes the new ones, which hold a userName. */
void directory_set_user(struct directory *dir, struct user *user, cJSON *attributes, int64_t now_ms);
/* `keep_memberships`: they stay, with a ghost. */
void directory_delete_user(struct directory *dir, struct user *user, bool keep_memberships);

/* `external_id` may be NULL. NULL: out of memory. */
struct group *directory_add_group(struct directory *dir, const char *display_name, const char *external_id,
				  int64_t now_ms);
/* Both values are set; ERR_NOMEM leaves the group as it was. */
enum err directory_set_group(struct directory *dir, struct group *group, const char *display_name,
			     const char *external_id) MUST_CHECK;
void directory_delete_group(struct directory *dir, struct group *group);

/* The ghost of that id, made when there is none. NULL: out of memory, or the id is too long. */
struct user *directory_ghost(struct directory *dir, const char *id);
struct user *directory_find_ghost(const struct directory *dir, const char *id);
/* Frees it if it is a ghost without memberships that nobody has pinned. */
void directory_drop_ghost(struct directory *dir, struct user *user);

/* Sets memory aside so that the next `count` calls of directory_join() cannot fail. ERR_NOMEM. */
enum err directory_reserve(struct directory *dir, size_t count) MUST_CHECK;
/* Makes the user a member; one who is a member already gets a further entry if `again`. Needs a reservation. */
void directory_join(struct directory *dir, struct group *group, struct user *user, bool again,
		    int64_t now_ms);
/* Ends the membership, with all its entries; nothing happens when there is none. */
void directory_leave(struct directory *dir, struct group *group, struct user *user, int64_t now_ms);
bool directory_is_member(const struct group *group, const struct user *user);
/* How many entries a reading of the members shows at that time. */
unsigned directory_shows(const struct directory *dir, const struct membership *membership, int64_t now_ms);
bool directory_shows_member(const struct directory *dir, const struct group *group, const struct user *user,
			    int64_t now_ms);

#endif
