/* The calls below /sandbox. */
#include "scim-push/sandbox/control.h"

#include <string.h>

#include "base/json.h"

struct control_call {
	const struct control *control;
	const cJSON *body; /* NULL when there is none */
	const char *name;  /* decoded last segment of users/NAME and groups/NAME */
	int64_t now_ms;
};

void control_error(struct answer *answer, int status, const char *text)
{
	answer->status = status;
	buf_clear(&answer->body);
	buf_adds(&answer->body, "{\"error\":");
	json_add_string(&answer->body, text);
	buf_adds(&answer->body, "}");
}

/* -- faults ------------------------------------------------------------------------------------------------------ */

static void faults_get(const struct control_call *call, struct answer *answer)
{
	const struct faults *faults = call->control->faults;

	answer->status = 200;
	buf_adds(&answer->body, "[");
	for (size_t i = 0; i < faults->count; i++) {
		buf_adds(&answer->body, i > 0 ? ",{\"rule\":" : "{\"rule\":");
		json_add_string(&answer->body, faults->rules[i].text);
		buf_addf(&answer->body, ",\"seen\":%ld}", faults->rules[i].seen);
	}
	buf_adds(&answer->body, "]");
}

static enum err add_rule(struct faults *faults, const cJSON *item, struct errctx *ec)
{
	const char *rule = cJSON_IsString(item) ? item->valuestring : json_string(item, "rule");

	if (rule == NULL)
		return err_set(ec, ERR_BAD_REQUEST, "a rule is {\"rule\":\"…\"}");
	return faults_add(faults, rule, ec);
}

/* One rule or an array of them; all or none. */
static void faults_post(const struct control_call *call, struct answer *answer)
{
	struct faults *faults = call->control->faults;
	size_t before = faults->count;
	struct errctx ec = {""};
	enum err err = ERR_OK;

	if (!cJSON_IsArray(call->body))
		err = add_rule(faults, call->body, &ec);
	else
		for (const cJSON *item = call->body->child; item != NULL && err == ERR_OK; item = item->next)
			err = add_rule(faults, item, &ec);
	if (err == ERR_OK) {
		faults_get(call, answer);
		return;
	}
	faults->count = before;
	control_error(answer, 400, ec.text);
}

static void faults_delete(const struct control_call *call, struct answer *answer)
{
	call->control->faults->count = 0;
	answer->status = 204;
}

/* -- the directory's state ----------------------------------------------------------------------------------------- */

static void print_member_names(const struct group *group, struct buf *out)
{
	const char *comma = "";

	for (const struct membership *membership = group->memberships; membership != NULL;
	     membership = membership->next_of_group) {
		if (!membership->present)
			continue;
		buf_adds(out, comma);
		json_add_string(out, user_text(membership->user, "userName"));
		comma = ",";
	}
}

static void state_get(const struct control_call *call, struct answer *answer)
{
	const struct directory *dir = &call->control->scim->directory;
	struct buf *out = &answer->body;

	answer->status = 200;
	buf_adds(out, "{\"groups\":{");
	for (const struct group *group = dir->first_group; group != NULL; group = group->next) {
		buf_adds(out, group->previous != NULL ? "," : "");
		json_add_string(out, group->display_name);
		buf_adds(out, ":[");
		print_member_names(group, out);
		buf_adds(out, "]");
	}
	buf_adds(out, "},\"users\":[");
	for (const struct user *user = dir->first_user; user != NULL; user = user->next) {
		buf_adds(out, user->previous != NULL ? "," : "");
		json_add_string(out, user_text(user, "userName"));
	}
	buf_adds(out, "]}");
}

typedef enum err make_function(struct scim *scim, const char *name, int64_t now_ms);

static enum err make_all(const struct control_call *call, const cJSON *names, make_function *make)
{
	for (const cJSON *name = cJSON_GetArrayItem(names, 0); name != NULL; name = name->next) {
		enum err err = cJSON_IsString(name)
				       ? make(call->control->scim, name->valuestring, call->now_ms)
				       : ERR_BAD_REQUEST;

		if (err != ERR_OK && err != ERR_EXISTS)
			return err;
	}
	return ERR_OK;
}

/* Adds or removes the named users; ERR_NOT_FOUND when one does not exist. */
static enum err change_members(const struct control_call *call, struct group *group, const cJSON *names,
			       bool add)
{
	struct directory *dir = &call->control->scim->directory;

	for (const cJSON *name = cJSON_GetArrayItem(names, 0); name != NULL; name = name->next) {
		struct user *user =
			cJSON_IsString(name) ? directory_user_named(dir, name->valuestring, true) : NULL;

		if (user == NULL)
			return ERR_NOT_FOUND;
		if (directory_reserve(dir, 1) != ERR_OK)
			return ERR_NOMEM;
		if (add)
			directory_join(dir, group, user, call->now_ms);
		else
			directory_leave(dir, group, user, call->now_ms);
	}
	return ERR_OK;
}

/* {"users":[…],"groups":[…]} are created where they are missing; {"group":…,"add":[…],"remove":[…]}. */
static enum err change_state(const struct control_call *call)
{
	const char *name = json_string(call->body, "group");
	struct group *group;
	enum err err;

	err = make_all(call, cJSON_GetObjectItemCaseSensitive(call->body, "users"), scim_make_user);
	if (err == ERR_OK)
		err = make_all(call, cJSON_GetObjectItemCaseSensitive(call->body, "groups"), scim_make_group);
	if (err != ERR_OK || name == NULL)
		return err;
	group = directory_group_named(&call->control->scim->directory, name, true);
	if (group == NULL)
		return ERR_NOT_FOUND;
	err = change_members(call, group, cJSON_GetObjectItemCaseSensitive(call->body, "add"), true);
	if (err == ERR_OK)
		err = change_members(call, group, cJSON_GetObjectItemCaseSensitive(call->body, "remove"),
				     false);
	return err;
}

static void state_post(const struct control_call *call, struct answer *answer)
{
	enum err err = change_state(call);

	if (err == ERR_OK)
		state_get(call, answer);
	else
		control_error(answer, err_status(err), "an unknown name, or one that AWS refuses");
}

static void users_remove(const struct control_call *call, struct answer *answer)
{
	struct directory *dir = &call->control->scim->directory;
	struct user *user = directory_user_named(dir, call->name, true);

	if (user == NULL) {
		control_error(answer, 404, "no such user");
		return;
	}
	directory_delete_user(dir, user);
	answer->status = 204;
}

static void groups_remove(const struct control_call *call, struct answer *answer)
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

static const struct route {
	const char *resource;
	const char *method;
	bool with_name;
	bool with_body;
	void (*handle)(const struct control_call *call, struct answer *answer);
} routes[] = {
	{"faults", "GET", false, false, faults_get},       {"faults", "POST", false, true, faults_post},
	{"faults", "DELETE", false, false, faults_delete}, {"state", "GET", false, false, state_get},
	{"state", "POST", false, true, state_post},        {"users", "DELETE", true, false, users_remove},
	{"groups", "DELETE", true, false, groups_remove},
};

void control_handle(const struct control *control, const struct scim_call *call, struct answer *answer)
{
	struct control_call inner = {.control = control, .now_ms = call->now_ms};
	struct errctx ec = {""};
	struct query query;
	cJSON *body = NULL;

	if (query_parse(call->target, &query, &ec) != ERR_OK) {
		control_error(answer, 400, ec.text);
		return;
	}
	inner.name = query.id;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].resource, query.resource) != 0 ||
		    strcmp(routes[i].method, call->method) != 0 ||
		    routes[i].with_name != (query.id[0] != '\0'))
			continue;
		if (routes[i].with_body && json_parse(call->body, call->body_len, &body, &ec) != ERR_OK) {
			control_error(answer, 400, ec.text);
			return;
		}
		inner.body = body;
		routes[i].handle(&inner, answer);
		cJSON_Delete(body);
		return;
	}
	control_error(answer, 404, "no such call");
}
