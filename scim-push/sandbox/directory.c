/* Users and groups: creation, change, look-up and deletion. Memberships are in membership.c. */
#include "scim-push/sandbox/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/json.h"

enum err directory_init(struct directory *dir, int64_t lag_ms)
{
	*dir = (struct directory){.lag_ms = lag_ms};
	if (names_init(&dir->users_by_id) && names_init(&dir->users_by_name) &&
	    names_init(&dir->groups_by_id) && names_init(&dir->groups_by_name))
		return ERR_OK;
	directory_release(dir);
	return ERR_NOMEM;
}

void directory_release(struct directory *dir)
{
	while (dir->first_user != NULL)
		directory_delete_user(dir, dir->first_user);
	while (dir->first_group != NULL)
		directory_delete_group(dir, dir->first_group);
	while (dir->spare != NULL) {
		struct membership *membership = dir->spare;

		dir->spare = membership->next_of_user;
		free(membership);
	}
	names_release(&dir->users_by_id);
	names_release(&dir->users_by_name);
	names_release(&dir->groups_by_id);
	names_release(&dir->groups_by_name);
}

struct user *directory_user(const struct directory *dir, const char *id)
{
	struct names_node *node = names_find(&dir->users_by_id, id);

	return node != NULL && strcmp(node->key, id) == 0 ? node->item : NULL;
}

struct group *directory_group(const struct directory *dir, const char *id)
{
	struct names_node *node = names_find(&dir->groups_by_id, id);

	return node != NULL && strcmp(node->key, id) == 0 ? node->item : NULL;
}

static void *named(const struct names *names, const char *name, bool exact)
{
	struct names_node *node = names_find(names, name);

	while (node != NULL && exact && strcmp(node->key, name) != 0)
		node = names_next(node);
	return node != NULL ? node->item : NULL;
}

struct user *directory_user_named(const struct directory *dir, const char *user_name, bool exact)
{
	return named(&dir->users_by_name, user_name, exact);
}

struct group *directory_group_named(const struct directory *dir, const char *display_name, bool exact)
{
	return named(&dir->groups_by_name, display_name, exact);
}

const char *user_text(const struct user *user, const char *attribute)
{
	return json_string(user->attributes, attribute);
}

struct user *directory_add_user(struct directory *dir, cJSON *attributes, int64_t now_ms)
{
	struct user *user = calloc(1, sizeof(*user));
	char id[ID_SIZE];

	if (user == NULL)
		return NULL;
	/* Both shapes of AWS ids occur at once: users have the old one, with a prefix; groups the new one. */
	id_make(0, id);
	(void)snprintf(user->id, sizeof(user->id), "9067729b3d-%s", id);
	user->number = ++dir->last_number;
	user->attributes = attributes;
	user->created_ms = user->modified_ms = now_ms;
	user->previous = dir->last_user;
	*(dir->last_user != NULL ? &dir->last_user->next : &dir->first_user) = user;
	dir->last_user = user;
	names_add(&dir->users_by_id, &user->by_id, user->id, user);
	names_add(&dir->users_by_name, &user->by_name, user_text(user, "userName"), user);
	return user;
}

void directory_set_user(struct directory *dir, struct user *user, cJSON *attributes, int64_t now_ms)
{
	names_remove(&dir->users_by_name, &user->by_name);
	cJSON_Delete(user->attributes);
	user->attributes = attributes;
	user->modified_ms = now_ms;
	names_add(&dir->users_by_name, &user->by_name, user_text(user, "userName"), user);
}

struct group *directory_add_group(struct directory *dir, const char *display_name, const char *external_id,
				  int64_t now_ms)
{
	struct group *group = calloc(1, sizeof(*group));

	if (group == NULL)
		return NULL;
	group->display_name = strdup(display_name);
	group->external_id = external_id != NULL ? strdup(external_id) : NULL;
	if (group->display_name == NULL || (external_id != NULL && group->external_id == NULL)) {
		free(group->display_name);
		free(group->external_id);
		free(group);
		return NULL;
	}
	id_make(0, group->id);
	group->number = ++dir->last_number;
	group->created_ms = group->modified_ms = now_ms;
	group->previous = dir->last_group;
	*(dir->last_group != NULL ? &dir->last_group->next : &dir->first_group) = group;
	dir->last_group = group;
	names_add(&dir->groups_by_id, &group->by_id, group->id, group);
	names_add(&dir->groups_by_name, &group->by_name, group->display_name, group);
	return group;
}

enum err directory_set_group(struct directory *dir, struct group *group, const char *display_name,
			     const char *external_id)
{
	char *name = strdup(display_name);
	char *external = external_id != NULL ? strdup(external_id) : NULL;

	if (name == NULL || (external_id != NULL && external == NULL)) {
		free(name);
		free(external);
		return ERR_NOMEM;
	}
	names_remove(&dir->groups_by_name, &group->by_name);
	free(group->display_name);
	free(group->external_id);
	group->display_name = name;
	group->external_id = external;
	names_add(&dir->groups_by_name, &group->by_name, group->display_name, group);
	return ERR_OK;
}
