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
	if (now_ms - membership->changed_ms < dir->lag_ms)
		return membership->shown_before;
	return membership->present;
}

static void set_present(const struct directory *dir, struct membership *membership, bool present,
			int64_t now_ms)
{
	membership->shown_before = shown(dir, membership, now_ms);
	membership->present = present;
	membership->changed_ms = now_ms;
}

static void unlink_from_user(struct membership *membership)
{
	struct membership **place = &membership->user->memberships;

	while (*place != membership)
		place = &(*place)->next_of_user;
	*place = membership->next_of_user;
}

static void unlink_from_group(struct membership *membership)
{
	struct membership **place = &membership->group->memberships;

	while (*place != membership)
		place = &(*place)->next_of_group;
	*place = membership->next_of_group;
}

void directory_join(struct directory *dir, struct group *group, struct user *user, int64_t now_ms)
{
	struct membership *membership = find(group, user);

	if (membership != NULL) {
		if (!membership->present)
			set_present(dir, membership, true, now_ms);
		return;
	}
	membership = dir->spare;
	dir->spare = membership->next_of_user;
	dir->spare_count--;
	*membership = (struct membership){
		.user = user,
		.group = group,
		.present = true,
		.changed_ms = now_ms,
		.next_of_user = user->memberships,
		.next_of_group = group->memberships,
	};
	user->memberships = membership;
	group->memberships = membership;
}

void directory_leave(struct directory *dir, struct group *group, struct user *user, int64_t now_ms)
{
	struct membership *membership = find(group, user);

	if (membership == NULL || !membership->present)
		return;
	if (dir->lag_ms > 0) {
		set_present(dir, membership, false, now_ms);
		return;
	}
	unlink_from_user(membership);
	unlink_from_group(membership);
	free(membership);
}

bool directory_is_member(const struct group *group, const struct user *user)
{
	const struct membership *membership = find(group, user);

	return membership != NULL && membership->present;
}

bool directory_shows_member(const struct directory *dir, const struct group *group, const struct user *user,
			    int64_t now_ms)
{
	const struct membership *membership = find(group, user);

	return membership != NULL && shown(dir, membership, now_ms);
}

void directory_delete_user(struct directory *dir, struct user *user)
{
	struct membership *next;

	for (struct membership *membership = user->memberships; membership != NULL; membership = next) {
		next = membership->next_of_user;
		unlink_from_group(membership);
		free(membership);
	}
	*(user->previous != NULL ? &user->previous->next : &dir->first_user) = user->next;
	*(user->next != NULL ? &user->next->previous : &dir->last_user) = user->previous;
	names_remove(&dir->users_by_id, &user->by_id);
	names_remove(&dir->users_by_name, &user->by_name);
	cJSON_Delete(user->attributes);
	free(user);
}

void directory_delete_group(struct directory *dir, struct group *group)
{
	struct membership *next;

	for (struct membership *membership = group->memberships; membership != NULL; membership = next) {
		next = membership->next_of_group;
		unlink_from_user(membership);
		free(membership);
	}
	*(group->previous != NULL ? &group->previous->next : &dir->first_group) = group->next;
	*(group->next != NULL ? &group->next->previous : &dir->last_group) = group->previous;
	names_remove(&dir->groups_by_id, &group->by_id);
	names_remove(&dir->groups_by_name, &group->by_name);
	free(group->display_name);
	free(group->external_id);
	free(group);
}
