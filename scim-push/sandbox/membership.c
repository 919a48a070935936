/* Memberships, and the deletion of users and groups, which takes their memberships along. */
#include <stdlib.h>

#include "scim-push/sandbox/directory.h"

enum err directory_reserve(struct directory *dir, size_t count)
{
	while (dir->spare_count < count) {
		struct membership *membership = calloc(1, sizeof(*membership));

		if (membership == NULL)
			return ERR_NOMEM;
		membership->next_of_user = dir->spare;
		dir->spare = membership;
		dir->spare_count++;
	}
	return ERR_OK;
}

/* A user is in few groups, a group may have many members: so the user's list is searched. */
static struct membership *find(const struct group *group, const struct user *user)
{
	struct membership *membership = user->memberships;

	while (membership != NULL && membership->group != group)
		membership = membership->next_of_user;
	return membership;
}

static bool shown(const struct directory *dir, const struct membership *membership, int64_t now_ms)
{
	if (now_ms - membership->changed_ms < dir->members_lag_ms)
		return membership->shown_before;
	return membership->present;
}

static void set_present(const struct directory *dir, struct membership *membership, bool present,
			int64_t now_ms)
{
	membership->shown_before = shown(dir, membership, now_ms);
	if (present && !membership->present)
		membership->group->member_count++;
	if (!present && membership->present)
		membership->group->member_count--;
	membership->present = present;
	membership->changed_ms = now_ms;
}

static void link_to_both(struct membership *membership)
{
	struct user *user = membership->user;
	struct group *group = membership->group;

	membership->next_of_user = user->memberships;
	membership->place_of_user = &user->memberships;
	if (user->memberships != NULL)
		user->memberships->place_of_user = &membership->next_of_user;
	user->memberships = membership;
	membership->next_of_group = group->memberships;
	membership->place_of_group = &group->memberships;
	if (group->memberships != NULL)
		group->memberships->place_of_group = &membership->next_of_group;
	group->memberships = membership;
}

/* The ghost goes with its last membership. */
static void end(struct directory *dir, struct membership *membership)
{
	if (membership->present)
		membership->group->member_count--;
	*membership->place_of_user = membership->next_of_user;
	if (membership->next_of_user != NULL)
		membership->next_of_user->place_of_user = membership->place_of_user;
	*membership->place_of_group = membership->next_of_group;
	if (membership->next_of_group != NULL)
		membership->next_of_group->place_of_group = membership->place_of_group;
	directory_drop_ghost(dir, membership->user);
	free(membership);
}

void directory_drop_ghost(struct directory *dir, struct user *user)
{
	if (user->attributes != NULL || user->memberships != NULL || user->pins > 0)
		return;
	names_remove(&dir->ghosts_by_id, &user->by_id);
	free(user);
}

void directory_join(struct directory *dir, struct group *group, struct user *user, bool again, int64_t now_ms)
{
	struct membership *membership = find(group, user);

	if (membership != NULL) {
		if (!membership->present)
			set_present(dir, membership, true, now_ms);
		else if (again)
			membership->copies++;
		return;
	}
	membership = dir->spare;
	dir->spare = membership->next_of_user;
	dir->spare_count--;
	*membership = (struct membership){
		.user = user,
		.group = group,
		.present = true,
		.copies = 1,
		.changed_ms = now_ms,
	};
	group->member_count++;
	link_to_both(membership);
}

void directory_leave(struct directory *dir, struct group *group, struct user *user, int64_t now_ms)
{
	struct membership *membership = find(group, user);

	if (membership == NULL || !membership->present)
		return;
	membership->copies = 1;
	if (dir->members_lag_ms > 0)
		set_present(dir, membership, false, now_ms);
	else
		end(dir, membership);
}

bool directory_is_member(const struct group *group, const struct user *user)
{
	const struct membership *membership = find(group, user);

	return membership != NULL && membership->present;
}

unsigned directory_shows(const struct directory *dir, const struct membership *membership, int64_t now_ms)
{
	return shown(dir, membership, now_ms) ? membership->copies : 0;
}

bool directory_shows_member(const struct directory *dir, const struct group *group, const struct user *user,
			    int64_t now_ms)
{
	const struct membership *membership = find(group, user);

	return membership != NULL && shown(dir, membership, now_ms);
}

/* From now on an id without a user. */
static void become_ghost(struct directory *dir, struct user *user)
{
	user->attributes = NULL;
	names_add(&dir->ghosts_by_id, &user->by_id, user->id, user);
	directory_drop_ghost(dir, user);
}

void directory_delete_user(struct directory *dir, struct user *user, bool keep_memberships)
{
	cJSON *attributes = user->attributes;
	struct membership *next;

	for (struct membership *membership = keep_memberships ? NULL : user->memberships; membership != NULL;
	     membership = next) {
		next = membership->next_of_user;
		end(dir, membership);
	}
	roll_remove(&dir->users, user->number);
	names_remove(&dir->users_by_id, &user->by_id);
	names_remove(&dir->users_by_name, &user->by_name);
	if (user_text(user, "externalId") != NULL)
		names_remove(&dir->users_by_external_id, &user->by_external_id);
	become_ghost(dir, user);
	cJSON_Delete(attributes);
}

void directory_delete_group(struct directory *dir, struct group *group)
{
	struct membership *next;

	for (struct membership *membership = group->memberships; membership != NULL; membership = next) {
		next = membership->next_of_group;
		end(dir, membership);
	}
	roll_remove(&dir->groups, group->number);
	names_remove(&dir->groups_by_id, &group->by_id);
	names_remove(&dir->groups_by_name, &group->by_name);
	if (group->external_id != NULL)
		names_remove(&dir->groups_by_external_id, &group->by_external_id);
	free(group->display_name);
	free(group->external_id);
	free(group);
}
