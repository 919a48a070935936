/*
 * The users, groups and memberships of the sandbox, in memory. Users and groups are listed in the order of their
 * creation; a membership stands in the list of its user and of its group. Nothing here checks AWS' rules.
 */
#ifndef SANDBOX_DIRECTORY_H
#define SANDBOX_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/err.h"
#include "scim-push/sandbox/names.h"

#define SCIM_ID_SIZE 48 /* AWS: an optional "9067729b3d-" and a UUID */

/*
 * A membership that ended is kept while filters may still show it: `present` is the truth, `shown_before` is
 * what filters showed at changed_ms and go on showing until the lag has passed.
 */
struct membership {
	struct user *user;
	struct group *group;
	bool present;
	bool shown_before;
	int64_t changed_ms;
	struct membership *next_of_user;
	struct membership *next_of_group;
};

struct user {
	char id[SCIM_ID_SIZE];
	uint64_t number;   /* rises with each creation; the order of listings */
	cJSON *attributes; /* owned: the resource without id, meta, groups and schemas */
	int64_t created_ms;
	int64_t modified_ms;
	struct membership *memberships;
	struct user *next, *previous;
	struct names_node by_id, by_name;
};

struct group {
	char id[SCIM_ID_SIZE];
	uint64_t number;
	char *display_name; /* owned */
	char *external_id;  /* owned; NULL = none */
	int64_t created_ms;
	int64_t modified_ms;
	struct membership *memberships;
	struct group *next, *previous;
	struct names_node by_id, by_name;
};

struct directory {
	int64_t lag_ms; /* membership changes become visible to filters after that */
	uint64_t last_number;
	struct user *first_user, *last_user;
	struct group *first_group, *last_group;
	struct names users_by_id, users_by_name, groups_by_id, groups_by_name;
	struct membership *spare; /* reserved, see directory_reserve() */
	size_t spare_count;
};

enum err directory_init(struct directory *dir, int64_t lag_ms) MUST_CHECK; /* ERR_NOMEM */
void directory_release(struct directory *dir);

/* Ids match exactly. NULL when there is none. */
struct user *directory_user(const struct directory *dir, const char *id);
struct group *directory_group(const struct directory *dir, const char *id);
/* The first one with that name; `exact`: case-sensitively. */
struct user *directory_user_named(const struct directory *dir, const char *user_name, bool exact);
struct group *directory_group_named(const struct directory *dir, const char *display_name, bool exact);

/* The user's string attribute, e.g. "userName", or NULL. Borrowed. */
const char *user_text(const struct user *user, const char *attribute);

/* Takes `attributes` (which hold a userName) on success. NULL: out of memory, the caller keeps them. */
struct user *directory_add_user(struct directory *dir, cJSON *attributes, int64_t now_ms);
/* Replaces and frees the old attributes; takes the new ones, which hold a userName. */
void directory_set_user(struct directory *dir, struct user *user, cJSON *attributes, int64_t now_ms);
void directory_delete_user(struct directory *dir, struct user *user);

/* `external_id` may be NULL. NULL: out of memory. */
struct group *directory_add_group(struct directory *dir, const char *display_name, const char *external_id,
				  int64_t now_ms);
/* Both values are set; ERR_NOMEM leaves the group as it was. */
enum err directory_set_group(struct directory *dir, struct group *group, const char *display_name,
			     const char *external_id) MUST_CHECK;
void directory_delete_group(struct directory *dir, struct group *group);

/* Sets memory aside so that the next `count` calls of directory_join() cannot fail. ERR_NOMEM. */
enum err directory_reserve(struct directory *dir, size_t count) MUST_CHECK;
/* Makes the user a member; nothing happens when they are one. Needs a reservation. */
void directory_join(struct directory *dir, struct group *group, struct user *user, int64_t now_ms);
/* Ends the membership; nothing happens when there is none. */
void directory_leave(struct directory *dir, struct group *group, struct user *user, int64_t now_ms);
bool directory_is_member(const struct group *group, const struct user *user);
/* What a filter over members sees at that time. */
bool directory_shows_member(const struct directory *dir, const struct group *group, const struct user *user,
			    int64_t now_ms);

#endif
