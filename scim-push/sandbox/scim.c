/* The table of calls, and what holds for all of them: the rates, the token, the media type, strict JSON. */
#include "scim-push/sandbox/scim.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "scim-push/sandbox/text.h"

static const struct route {
	const char *resource;
	const char *method;
	bool with_id;
	bool with_body;
	scim_handler *handle;
} routes[] = {
	{"Users", "GET", false, false, users_list},
	{"Users", "POST", false, true, users_create},
	{"Users", "GET", true, false, users_get},
	{"Users", "PUT", true, true, users_put},
	{"Users", "PATCH", true, true, users_patch},
	{"Users", "DELETE", true, false, users_delete},
	{"Groups", "GET", false, false, groups_list},
	{"Groups", "POST", false, true, groups_create},
	{"Groups", "GET", true, false, groups_get},
	{"Groups", "PATCH", true, true, groups_patch},
	{"Groups", "PUT", true, true, groups_put},
	{"Groups", "DELETE", true, false, groups_delete},
	{"ServiceProviderConfig", "GET", false, false, about_config},
	{"ResourceTypes", "GET", false, false, about_resource_types},
	{"Schemas", "GET", false, false, about_schemas},
};

/* NULL: no such call. `known`: the endpoint has other methods. */
static const struct route *route_of(const char *method, const struct query *query, bool *known)
{
	bool with_id = query->id[0] != '\0';

	*known = false;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].resource, query->resource) != 0 || routes[i].with_id != with_id)
			continue;
		*known = true;
		if (strcmp(routes[i].method, method) == 0)
			return &routes[i];
	}
	return NULL;
}

static void run(struct scim *scim, const struct scim_call *call, const struct route *route,
		const struct query *query, struct answer *answer)
{
	struct scim_request request = {.query = query, .base = call->base, .now_ms = call->now_ms};
	cJSON *body = NULL;

	if (route->with_body) {
		if (!call->media_type_ok || json_parse(call->body, call->body_len, &body, NULL) != ERR_OK ||
		    !cJSON_IsObject(body)) {
			cJSON_Delete(body);
			answer_error(answer, 400, PROBLEM_SYNTAX, call->now_ms);
			return;
		}
		request.body = body;
	}
	route->handle(scim, &request, answer);
	cJSON_Delete(body);
	if (buf_failed(&answer->body) || (answer->status == 500 && answer->body.len == 0))
		answer_error(answer, 500, PROBLEM_INTERNAL, call->now_ms);
}

/* What is said before the target is looked at; false: the answer stands. */
static bool admit(struct scim *scim, const struct scim_call *call, struct answer *answer)
{
	struct rate_request request = {call->method, call->target, call->body_len, call->now_ms};
	int64_t wait_ms = rates_wait(&scim->rates, &request);

	if (wait_ms > 0) {
		answer_error(answer, 429, PROBLEM_THROTTLED, call->now_ms);
		answer_retry(answer, (enum retry_after)scim->dialect.value[B_RETRY_AFTER],
			     (wait_ms + 999) / 1000, call->now_ms);
	} else if (!call->authorised) {
		answer_error(answer, 401, PROBLEM_UNAUTHORISED, call->now_ms);
	} else if (dialect_exceeds(&scim->dialect, B_MAX_BODY, call->body_len)) {
		answer_error(answer, 413, PROBLEM_TOO_LARGE, call->now_ms);
	} else if (call->names_version && scim->dialect.value[B_IF_MATCH] != 0) {
		answer_error(answer, 412, PROBLEM_VERSION, call->now_ms);
	} else {
		return true;
	}
	return false;
}

void scim_handle(struct scim *scim, const struct scim_call *call, struct answer *answer)
{
	const struct route *route;
	struct query query;
	bool known;
	enum err err;

	answer_speak(answer, &scim->dialect);
	if (!admit(scim, call, answer))
		return;
	err = query_parse(call->target, &query, NULL);
	route = err == ERR_OK ? route_of(call->method, &query, &known) : NULL;
	if (err == ERR_NOT_FOUND || (err == ERR_OK && route == NULL && !known))
		answer_error(answer, 404, PROBLEM_NOT_FOUND, call->now_ms);
	else if (route == NULL ||
		 (query.rfc_parameters && scim->dialect.value[B_PARAMETERS] == PARAMETERS_REFUSED))
		answer_error(answer, 400, PROBLEM_SYNTAX, call->now_ms);
	else
		run(scim, call, route, &query, answer);
}

/* -- what several calls share ------------------------------------------------------------------------------------ */

void scim_use(struct scim *scim, const struct dialect *dialect)
{
	struct directory *dir = &scim->directory;

	scim->dialect = *dialect;
	dir->members_lag_ms = dialect->value[B_MEMBERS_LAG];
	dir->created_lag_ms = dialect->value[B_CREATED_LAG];
	dir->user_ids = (enum user_ids)dialect->value[B_USER_IDS];
	dir->group_ids_are_names = dialect->value[B_GROUP_IDS] != 0;
}

void scim_use_rates(struct scim *scim, const struct dialect_row *row)
{
	scim->rates.count = 0;
	for (size_t i = 0; i < DIALECT_RATES && row->rates[i] != NULL; i++) {
		enum err err = rates_add(&scim->rates, row->rates[i], NULL);

		assert(err == ERR_OK);
		(void)err;
	}
}

struct user *scim_member(const struct scim *scim, const char *value, int64_t now_ms)
{
	struct user *user = scim->dialect.value[B_MEMBER_VALUE] == 0
				    ? directory_user(&scim->directory, value)
				    : directory_user_named(&scim->directory, value, false);

	return user != NULL && user->visible_ms <= now_ms ? user : NULL;
}

/* 0, or the status of the error. */
static int judge_form(enum does does, bool *nothing)
{
	if (does == DOES_APPLY)
		return 0;
	*nothing = does == DOES_IGNORE;
	if (*nothing)
		return 0;
	return does == DOES_ERROR ? 500 : 400;
}

int scim_filter(const struct scim *scim, const struct scim_request *request, struct filter *out,
		bool *nothing)
{
	int status = 0;

	*nothing = false;
	out->count = 0;
	if (!request->query->has_filter)
		return 0;
	if (filter_parse(request->query->filter, out, NULL) != ERR_OK)
		return 400;
	if (out->upper)
		status = judge_form((enum does)scim->dialect.value[B_UPPER_EQ], nothing);
	if (status == 0 && out->escaped)
		status = judge_form((enum does)scim->dialect.value[B_ESCAPED_QUOTES], nothing);
	return status;
}

/* -- made by hand -------------------------------------------------------------------------------------------------- */

static bool name_allowed(const struct scim *scim, enum text_kind kind, const char *name)
{
	return name[0] != '\0' &&
	       (scim->dialect.value[B_CHARACTERS] != RULES_AWS || text_allowed(kind, name));
}

enum err scim_make_user(struct scim *scim, const char *user_name, int64_t now_ms)
{
	cJSON *attributes, *name;
	struct user *user = NULL;

	if (!name_allowed(scim, TEXT_USER_NAME, user_name))
		return ERR_BAD_REQUEST;
	if (directory_user_named(&scim->directory, user_name, scim->dialect.value[B_NAMES] != 0) != NULL)
		return ERR_EXISTS;
	attributes = cJSON_CreateObject();
	name = cJSON_AddObjectToObject(attributes, "name");
	if (cJSON_AddStringToObject(attributes, "userName", user_name) != NULL &&
	    cJSON_AddStringToObject(attributes, "displayName", user_name) != NULL &&
	    cJSON_AddStringToObject(name, "givenName", "Sandbox") != NULL &&
	    cJSON_AddStringToObject(name, "familyName", user_name) != NULL &&
	    cJSON_AddTrueToObject(attributes, "active") != NULL)
		user = directory_add_user(&scim->directory, attributes, now_ms);
	if (user == NULL) {
		cJSON_Delete(attributes);
		return ERR_NOMEM;
	}
	/* The lag is that of what a client has created. */
	user->visible_ms = now_ms;
	return ERR_OK;
}

enum err scim_make_twin(struct scim *scim, const char *display_name, int64_t now_ms)
{
	struct group *group;

	if (!name_allowed(scim, TEXT_DISPLAY_NAME, display_name))
		return ERR_BAD_REQUEST;
	group = directory_add_group(&scim->directory, display_name, NULL, now_ms);
	if (group == NULL)
		return ERR_NOMEM;
	group->visible_ms = now_ms;
	return ERR_OK;
}

enum err scim_make_group(struct scim *scim, const char *display_name, int64_t now_ms)
{
	if (directory_group_named(&scim->directory, display_name, scim->dialect.value[B_NAMES] != 0) != NULL)
		return ERR_EXISTS;
	return scim_make_twin(scim, display_name, now_ms);
}
