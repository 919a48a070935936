/* The table of calls, and what holds for all of them: the token, the media type, strict JSON, the parameters. */
#include "scim-push/sandbox/scim.h"

#include <string.h>

#include "base/json.h"
#include "scim-push/sandbox/text.h"

#define LIST_HEAD                                                                                            \
	"{\"totalResults\":%d,\"itemsPerPage\":%d,\"startIndex\":1,"                                         \
	"\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],\"Resources\":["

static void provider_config(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	(void)request;
	answer->status = 200;
	buf_addf(&answer->body,
		 "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig\"],"
		 "\"documentationUri\":\"https://docs.aws.amazon.com/singlesignon/latest/userguide/"
		 "manage-your-identity-source-idp.html\","
		 "\"authenticationSchemes\":[{\"type\":\"oauthbearertoken\",\"name\":\"OAuth Bearer Token\","
		 "\"description\":\"Authentication scheme using the OAuth Bearer Token Standard\","
		 "\"specUri\":\"https://www.rfc-editor.org/info/rfc6750\",\"primary\":true}],"
		 "\"patch\":{\"supported\":true},\"bulk\":{\"supported\":false,\"maxOperations\":0,"
		 "\"maxPayloadSize\":0},\"filter\":{\"supported\":true,\"maxResults\":%d},"
		 "\"changePassword\":{\"supported\":false},\"sort\":{\"supported\":false},"
		 "\"etag\":{\"supported\":false}}",
		 scim->dialect.page);
}

static void resource_types(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	(void)scim;
	(void)request;
	answer->status = 200;
	buf_addf(&answer->body, LIST_HEAD, 2, 2);
	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "User" : "Group";

		buf_addf(&answer->body,
			 "%s{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:ResourceType\"],\"id\":\"%"
			 "s\","
			 "\"name\":\"%s\",\"endpoint\":\"/%ss\",\"schema\":"
			 "\"urn:ietf:params:scim:schemas:core:2.0:%s\"}",
			 i == 0 ? "" : ",", name, name, name, name);
	}
	buf_adds(&answer->body, "]}");
}

/* Names only: no client of a sandbox reads attribute definitions. */
static void schemas(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	static const char *const list[][2] = {
		{"urn:ietf:params:scim:schemas:core:2.0:User", "User"},
		{"urn:ietf:params:scim:schemas:core:2.0:Group", "Group"},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "EnterpriseUser"},
	};

	(void)scim;
	(void)request;
	answer->status = 200;
	buf_addf(&answer->body, LIST_HEAD, 3, 3);
	for (size_t i = 0; i < 3; i++)
		buf_addf(&answer->body, "%s{\"id\":\"%s\",\"name\":\"%s\"}", i == 0 ? "" : ",", list[i][0],
			 list[i][1]);
	buf_adds(&answer->body, "]}");
}

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
	{"Groups", "DELETE", true, false, groups_delete},
	{"ServiceProviderConfig", "GET", false, false, provider_config},
	{"ResourceTypes", "GET", false, false, resource_types},
	{"Schemas", "GET", false, false, schemas},
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
	struct scim_request request = {.query = query, .now_ms = call->now_ms};
	cJSON *body = NULL;

	if (route->with_body) {
		if (!call->media_type_ok || json_parse(call->body, call->body_len, &body, NULL) != ERR_OK ||
		    !cJSON_IsObject(body)) {
			cJSON_Delete(body);
			answer_error(answer, 400, DETAIL_UNPARSABLE, call->now_ms);
			return;
		}
		request.body = body;
	}
	route->handle(scim, &request, answer);
	cJSON_Delete(body);
	if (buf_failed(&answer->body) || answer->status == 500)
		answer_error(answer, 500, "Internal server error.", call->now_ms);
}

void scim_handle(struct scim *scim, const struct scim_call *call, struct answer *answer)
{
	const struct route *route;
	struct query query;
	bool known;
	enum err err;

	if (!call->authorised) {
		answer_error(answer, 401, "Unauthorized.", call->now_ms);
		return;
	}
	err = query_parse(call->target, &query, NULL);
	route = err == ERR_OK ? route_of(call->method, &query, &known) : NULL;
	if (err == ERR_NOT_FOUND || (err == ERR_OK && route == NULL && !known))
		answer_error(answer, 404, DETAIL_NOT_FOUND, call->now_ms);
	else if (route == NULL || (query.refused_parameters && !scim->dialect.ignore_parameters))
		answer_error(answer, 400, DETAIL_UNPARSABLE, call->now_ms);
	else
		run(scim, call, route, &query, answer);
}

enum err scim_make_user(struct scim *scim, const char *user_name, int64_t now_ms)
{
	cJSON *attributes, *name;

	if (!text_allowed(TEXT_USER_NAME, user_name))
		return ERR_BAD_REQUEST;
	if (directory_user_named(&scim->directory, user_name, scim->dialect.exact_names) != NULL)
		return ERR_EXISTS;
	attributes = cJSON_CreateObject();
	name = cJSON_AddObjectToObject(attributes, "name");
	if (cJSON_AddStringToObject(attributes, "userName", user_name) != NULL &&
	    cJSON_AddStringToObject(attributes, "displayName", user_name) != NULL &&
	    cJSON_AddStringToObject(name, "givenName", "Sandbox") != NULL &&
	    cJSON_AddStringToObject(name, "familyName", user_name) != NULL &&
	    cJSON_AddTrueToObject(attributes, "active") != NULL &&
	    directory_add_user(&scim->directory, attributes, now_ms) != NULL)
		return ERR_OK;
	cJSON_Delete(attributes);
	return ERR_NOMEM;
}

enum err scim_make_group(struct scim *scim, const char *display_name, int64_t now_ms)
{
	if (!text_allowed(TEXT_DISPLAY_NAME, display_name))
		return ERR_BAD_REQUEST;
	if (group_is_duplicate(scim, NULL, display_name, NULL))
		return ERR_EXISTS;
	return directory_add_group(&scim->directory, display_name, NULL, now_ms) != NULL ? ERR_OK : ERR_NOMEM;
}
