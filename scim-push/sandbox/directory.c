/* Users and groups: creation, change and look-up. Memberships and deletion are in membership.c. */
#include "scim-push/sandbox/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/json.h"

static struct names *const *indexes(struct directory *dir, struct names *out[8])
{
	out[0] = &dir->users_by_id;
	out[1] = &dir->users_by_name;
	out[2] = &dir->users_by_external_id;
	out[3] = &dir->groups_by_id;
	out[4] = &dir->groups_by_name;
	out[5] = &dir->groups_by_external_id;
	out[6] = &dir->ghosts_by_id;
	out[7] = NULL;
	return out;
}

enum err directory_init(struct directory *dir)
{
	struct names *list[8];
	bool ok = true;

	*dir = (struct directory){0};
	for (struct names *const *index = indexes(dir, list); *index != NULL; index++)
		ok = names_init(*index) && ok;
	if (ok)
		return ERR_OK;
	directory_release(dir);
	return ERR_NOMEM;
}

void directory_release(struct directory *dir)
{
	struct names *list[8];

	/* The last ghosts go with the last groups. */
	while (dir->groups.count > 0)
		directory_delete_group(dir, roll_at(&dir->groups, dir->groups.count - 1));
	while (dir->users.count > 0)
		directory_delete_user(dir, roll_at(&dir->users, dir->users.count - 1), false);
	while (dir->spare != NULL) {
		struct membership *membership = dir->spare;

		dir->spare = membership->next_of_user;
		free(membership);
	}
	for (struct names *const *index = indexes(dir, list); *index != NULL; index++)
		names_release(*index);
	roll_release(&dir->users);
	roll_release(&dir->groups);
}

static void *exactly(const struct names *names, const char *key)
{
	struct names_node *node = names_find(names, key);

	while (node != NULL && strcmp(node->key, key) != 0)
		node = names_next(node);
	return node != NULL ? node->item : NULL;
}

struct user *directory_user(const struct directory *dir, const char *id)
{
	return exactly(&dir->users_by_id, id);
}

struct group *directory_group(const struct directory *dir, const char *id)
{
	return exactly(&dir->groups_by_id, id);
}

struct user *directory_find_ghost(const struct directory *dir, const char *id)
{
	return exactly(&dir->ghosts_by_id, id);
}

static void *named(const struct names *names, const char *name, bool exact)
{
	struct names_node *node = exact ? NULL : names_find(names, name);

	if (exact)
		return exactly(names, name);
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

const char *user_label(const struct user *user)
{
	return user->attributes != NULL ? user_text(user, "userName") : user->id;
}

/* -- ids --------------------------------------------------------------------------------------------------------- */

static void make_user_id(const struct directory *dir, const char *user_name, char out[SCIM_ID_SIZE])
{
	char id[ID_SIZE];

	id_make(0, id);
	switch (dir->user_ids) {
	case USER_IDS_UUID:
		(void)snprintf(out, SCIM_ID_SIZE, "%s", id);
		break;
	case USER_IDS_PREFIXED:
		/* Both shapes of AWS ids occur at once: users have the old one, with a prefix; groups the new one. */
		(void)snprintf(out, SCIM_ID_SIZE, "9067729b3d-%s", id);
		break;
	case USER_IDS_SHORT:
		(void)snprintf(out, SCIM_ID_SIZE, "%.8s%.4s", id, id + 24);
		break;
	case USER_IDS_NAME:
		(void)snprintf(out, SCIM_ID_SIZE, "%s", user_name);
		break;
	}
}

/* A name that is an id has to be short enough for one. */
static bool fits_id(const char *name)
{
	return strlen(name) < SCIM_ID_SIZE;
}

/* -- users ------------------------------------------------------------------------------------------------------- */

static void index_user(struct directory *dir, struct user *user)
{
	const char *external = user_text(user, "externalId");

	names_add(&dir->users_by_name, &user->by_name, user_text(user, "userName"), user);
	if (external != NULL)
		names_add(&dir->users_by_external_id, &user->by_external_id, external, user);
}

struct user *directory_add_user(struct directory *dir, cJSON *attributes, int64_t now_ms)
{
	const char *name = json_string(attributes, "userName");
	struct user *user = fits_id(name) ? calloc(1, sizeof(*user)) : NULL;

	if (user == NULL || !roll_add(&dir->users, dir->last_number + 1, user)) {
		free(user);
		return NULL;
	}
	make_user_id(dir, name, user->id);
	user->number = ++dir->last_number;
	user->attributes = attributes;
	user->created_ms = user->modified_ms = now_ms;
	user->visible_ms = now_ms + dir->created_lag_ms;
	names_add(&dir->users_by_id, &user->by_id, user->id, user);
	index_user(dir, user);
	return user;
}

void directory_set_user(struct directory *dir, struct user *user, cJSON *attributes, int64_t now_ms)
{
	names_remove(&dir->users_by_name, &user->by_name);
	if (user_text(user, "externalId") != NULL)
		names_remove(&dir->users_by_external_id, &user->by_external_id);
	cJSON_Delete(user->attributes);
	user->attributes = attributes;
	user->modified_ms = now_ms;
	index_user(dir, user);
}

struct user *directory_ghost(struct directory *dir, const char *id)
{
	struct user *ghost = directory_find_ghost(dir, id);

	if (ghost != NULL || !fits_id(id))
		return ghost;
	ghost = calloc(1, sizeof(*ghost));
	if (ghost == NULL)
		return NULL;
	(void)memcpy(ghost->id, id, strlen(id) + 1);
	names_add(&dir->ghosts_by_id, &ghost->by_id, ghost->id, ghost);
	return ghost;
}

/* -- groups ------------------------------------------------------------------------------------------------------ */

static void index_group(struct directory *dir, struct group *group)
{
	names_add(&dir->groups_by_name, &group->by_name, group->display_name, group);
	if (group->external_id != NULL)
		names_add(&dir->groups_by_external_id, &group->by_external_id, group->external_id, group);
}

struct group *directory_add_group(struct directory *dir, const char *display_name, const char *external_id,
				  int64_t now_ms)
{
	struct group *group = calloc(1, sizeof(*group));
	char *name = strdup(display_name), *external = external_id != NULL ? strdup(external_id) : NULL;

	if (group == NULL || name == NULL || (external_id != NULL && external == NULL) ||
	    (dir->group_ids_are_names && !fits_id(display_name)) ||
	    !roll_add(&dir->groups, dir->last_number + 1, group)) {
		free(name);
		free(external);
		free(group);
		return NULL;
	}
	group->display_name = name;
	group->external_id = external;
	id_make(0, group->id);
	if (dir->group_ids_are_names)
		(void)memcpy(group->id, display_name, strlen(display_name) + 1);
	group->number = ++dir->last_number;
	group->created_ms = group->modified_ms = now_ms;
	group->visible_ms = now_ms + dir->created_lag_ms;
	names_add(&dir->groups_by_id, &group->by_id, group->id, group);
	index_group(dir, group);
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
	if (group->external_id != NULL)
		names_remove(&dir->groups_by_external_id, &group->by_external_id);
	free(group->display_name);
	free(group->external_id);
	group->display_name = name;
	group->external_id = external;
	index_group(dir, group);
	return ERR_OK;
}
