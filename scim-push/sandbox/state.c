/* The state, from and to JSON. */
#include "scim-push/sandbox/state.h"

#include "base/json.h"

/* -- printing ---------------------------------------------------------------------------------------------------- */

/* A ghost by its id; one who was added twice, twice. */
static void print_member_names(const struct group *group, struct buf *out)
{
	const char *comma = "";

	for (const struct membership *membership = group->memberships; membership != NULL;
	     membership = membership->next_of_group) {
		for (unsigned i = 0; membership->present && i < membership->copies; i++) {
			buf_adds(out, comma);
			json_add_string(out, user_label(membership->user));
			comma = ",";
		}
	}
}

void state_get(const struct control_call *call, struct answer *answer)
{
	const struct directory *dir = &call->control->scim->directory;
	struct buf *out = &answer->body;

	answer->status = 200;
	buf_adds(out, "{\"groups\":{");
	for (size_t i = 0; i < dir->groups.count; i++) {
		const struct group *group = roll_at(&dir->groups, i);

		buf_adds(out, i > 0 ? "," : "");
		json_add_string(out, group->display_name);
		buf_adds(out, ":[");
		print_member_names(group, out);
		buf_adds(out, "]");
	}
	buf_adds(out, "},\"users\":[");
	for (size_t i = 0; i < dir->users.count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		json_add_string(out, user_text(roll_at(&dir->users, i), "userName"));
	}
	buf_adds(out, "]}");
}

/* -- changing ---------------------------------------------------------------------------------------------------- */

/* A whole resource: whatever is in it, as long as there is a userName that is free. */
static enum err make_from_resource(struct scim *scim, const cJSON *resource, int64_t now_ms)
{
	const char *name = json_string(resource, "userName");
	cJSON *attributes;
	struct user *user;

	if (name == NULL || name[0] == '\0' ||
	    (cJSON_HasObjectItem(resource, "externalId") && json_string(resource, "externalId") == NULL))
		return ERR_BAD_REQUEST;
	if (directory_user_named(&scim->directory, name, true) != NULL)
		return ERR_EXISTS;
	attributes = user_attributes_copy(resource);
	user = attributes != NULL ? directory_add_user(&scim->directory, attributes, now_ms) : NULL;
	if (user == NULL) {
		cJSON_Delete(attributes);
		return ERR_NOMEM;
	}
	user->visible_ms = now_ms;
	return ERR_OK;
}

typedef enum err make_function(struct scim *scim, const char *name, int64_t now_ms);

/* The names of an array, or the keys of an object. What exists is no mistake. */
static enum err make_all(struct scim *scim, const cJSON *names, make_function *make, int64_t now_ms)
{
	for (const cJSON *item = names != NULL ? names->child : NULL; item != NULL; item = item->next) {
		const char *name = cJSON_IsObject(names) ? item->string : cJSON_GetStringValue(item);
		enum err err = ERR_BAD_REQUEST;

		if (name != NULL)
			err = make(scim, name, now_ms);
		else if (cJSON_IsObject(item) && make == scim_make_user)
			err = make_from_resource(scim, item, now_ms);
		if (err != ERR_OK && err != ERR_EXISTS)
			return err;
	}
	return ERR_OK;
}

/* Adds or removes the named users; ERR_NOT_FOUND when one does not exist. */
static enum err change_members(struct scim *scim, const char *group_name, const cJSON *names, bool add,
			       int64_t now_ms)
{
	struct directory *dir = &scim->directory;
	struct group *group = directory_group_named(dir, group_name, true);

	if (group == NULL)
		return ERR_NOT_FOUND;
	for (const cJSON *name = cJSON_GetArrayItem(names, 0); name != NULL; name = name->next) {
		struct user *user =
			cJSON_IsString(name) ? directory_user_named(dir, name->valuestring, true) : NULL;

		if (user == NULL)
			return ERR_NOT_FOUND;
		if (directory_reserve(dir, 1) != ERR_OK)
			return ERR_NOMEM;
		if (add)
			directory_join(dir, group, user, false, now_ms);
		else
			directory_leave(dir, group, user, now_ms);
	}
	return ERR_OK;
}

static enum err make_memberships(struct scim *scim, const cJSON *groups, int64_t now_ms)
{
	enum err err = ERR_OK;

	for (const cJSON *group = cJSON_IsObject(groups) ? groups->child : NULL;
	     group != NULL && err == ERR_OK; group = group->next)
		err = change_members(scim, group->string, group, true, now_ms);
	return err;
}

enum err state_change(struct scim *scim, const cJSON *body, int64_t now_ms)
{
	const cJSON *groups = cJSON_GetObjectItemCaseSensitive(body, "groups");
	const char *name = json_string(body, "group");
	enum err err;

	err = make_all(scim, cJSON_GetObjectItemCaseSensitive(body, "users"), scim_make_user, now_ms);
	if (err == ERR_OK)
		err = make_all(scim, groups, scim_make_group, now_ms);
	if (err == ERR_OK)
		err = make_all(scim, cJSON_GetObjectItemCaseSensitive(body, "twins"), scim_make_twin, now_ms);
	if (err == ERR_OK)
		err = make_memberships(scim, groups, now_ms);
	if (err == ERR_OK && name != NULL)
		err = change_members(scim, name, cJSON_GetObjectItemCaseSensitive(body, "add"), true, now_ms);
	if (err == ERR_OK && name != NULL)
		err = change_members(scim, name, cJSON_GetObjectItemCaseSensitive(body, "remove"), false,
				     now_ms);
	return err;
}

void state_post(const struct control_call *call, struct answer *answer)
{
	enum err err = state_change(call->control->scim, call->body, call->now_ms);

	if (err == ERR_OK)
		state_get(call, answer);
	else
		control_error(answer, err_status(err), "an unknown name, or one that is refused");
}

void state_delete_user(const struct control_call *call, struct answer *answer)
{
	struct scim *scim = call->control->scim;
	struct user *user = directory_user_named(&scim->directory, call->name, true);

	if (user == NULL) {
		control_error(answer, 404, "no such user");
		return;
	}
	directory_delete_user(&scim->directory, user, scim->dialect.value[B_DANGLING] != 0);
	answer->status = 204;
}

void state_delete_group(const struct control_call *call, struct answer *answer)
{
	struct directory *dir = &call->control->scim->directory;
	struct group *group = directory_group_named(dir, call->name, true);

	if (group == NULL) {
		control_error(answer, 404, "no such group");
		return;
	}
	directory_delete_group(dir, group);
	answer->status = 204;
}
