/* Starting and asking the servers in tests/scim. */
#include "tests/support/foreign_scim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/http.h"
#include "tests/support/sandbox_proc.h"
#include "tests/support/wait.h"

#define START_MS 60000
#define WAIT_MS  30000

#define USER                                                                                                 \
	"{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"%s\","                 \
	"\"displayName\":\"%s\",\"name\":{\"givenName\":\"Given\",\"familyName\":\"Family\"},"               \
	"\"emails\":[{\"value\":\"%s\",\"type\":\"work\",\"primary\":true}],\"active\":true}"
#define GROUP  "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:Group\"],\"displayName\":\"%s\"}"
#define PATCH  "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[{\"op\":"
#define JOIN   PATCH "\"add\",\"path\":\"members\",\"value\":[{\"value\":\"%s\"}]}]}"
#define LEAVE  PATCH "\"remove\",\"path\":\"members[value eq \\\"%s\\\"]\"}]}"
#define CHANGE PATCH "\"replace\",\"path\":\"%s\",\"value\":\"%s\"}]}"

static bool start(struct foreign_scim *f, const char *name)
{
	static const char word[] = "listening ";
	char script[PROC_PATH_SIZE], log[PROC_PATH_SIZE + 16], line[256];
	const char *argv[] = {"node", script, name, f->requests_path, NULL};

	if (!proc_build_path("scim/server.mjs", script, sizeof(script)))
		return false;
	snprintf(log, sizeof(log), "%s/log", f->folder);
	snprintf(f->requests_path, sizeof(f->requests_path), "%s/requests", f->folder);
	if (!proc_start(&f->proc, argv, NULL, log) ||
	    !proc_wait_text(&f->proc, word, START_MS, line, sizeof(line)))
		return false;
	snprintf(f->url, sizeof(f->url), "%.*s", (int)strcspn(line + strlen(word), "\r\n"),
		 line + strlen(word));
	return true;
}

bool foreign_scim_start(struct foreign_scim *f, const char *name)
{
	memset(f, 0, sizeof(*f));
	snprintf(f->folder, sizeof(f->folder), "/tmp/jit-scim-XXXXXX");
	return mkdtemp(f->folder) != NULL && start(f, name);
}

void foreign_scim_end(struct foreign_scim *f)
{
	proc_kill9(&f->proc);
	if (f->folder[0] == '\0')
		return;
	unlink(f->proc.log_path);
	unlink(f->requests_path);
	rmdir(f->folder);
}

/* -- by SCIM ----------------------------------------------------------------------------------------------------- */

static void call(const struct foreign_scim *f, const char *method, const char *path, const char *body,
		 struct http_response *response)
{
	char url[1024];
	struct http_request request = {.method = method,
				       .url = url,
				       .bearer = SANDBOX_TOKEN,
				       .body = body,
				       .headers = {"Content-Type: application/scim+json"}};

	snprintf(url, sizeof(url), "%s%s", f->url, path);
	http_call(&request, response);
}

static bool expect_2xx(const char *what, struct http_response *response)
{
	bool ok = response->status >= 200 && response->status < 300;

	if (!ok)
		fprintf(stderr, "foreign SCIM server: %s: %d %s %s\n", what, response->status,
			response->error, buf_text(&response->body));
	http_response_release(response);
	return ok;
}

bool foreign_scim_make_user(const struct foreign_scim *f, const char *user_name)
{
	struct http_response response;
	char body[2048];

	snprintf(body, sizeof(body), USER, user_name, user_name, user_name);
	call(f, "POST", "/Users", body, &response);
	return expect_2xx(user_name, &response);
}

bool foreign_scim_make_group(const struct foreign_scim *f, const char *display_name)
{
	struct http_response response;
	char body[1024];

	snprintf(body, sizeof(body), GROUP, display_name);
	call(f, "POST", "/Groups", body, &response);
	return expect_2xx(display_name, &response);
}

/* The id of the one with that name: the names of tests need no encoding but for the @. */
static bool find(const struct foreign_scim *f, const char *kind, const char *attribute, const char *name,
		 char id[128])
{
	struct http_response response;
	char path[512];
	const char *text;
	bool found;

	snprintf(path, sizeof(path), "/%s?filter=%s%%20eq%%20%%22%s%%22", kind, attribute, name);
	call(f, "GET", path, NULL, &response);
	text = http_json_text(&response, "Resources.0.id");
	found = text != NULL && strlen(text) < 128;
	snprintf(id, 128, "%s", found ? text : "");
	http_response_release(&response);
	if (!found)
		fprintf(stderr, "foreign SCIM server: there is no %s\n", name);
	return found;
}

static bool patch(const struct foreign_scim *f, const char *path, const char *body)
{
	struct http_response response;

	call(f, "PATCH", path, body, &response);
	return expect_2xx(body, &response);
}

static bool change_member(const struct foreign_scim *f, const char *group, const char *user_name, bool join)
{
	char group_id[128], user_id[128], path[256], body[512];

	if (!find(f, "Groups", "displayName", group, group_id) ||
	    !find(f, "Users", "userName", user_name, user_id))
		return false;
	snprintf(path, sizeof(path), "/Groups/%s", group_id);
	if (join)
		snprintf(body, sizeof(body), JOIN, user_id);
	else
		snprintf(body, sizeof(body), LEAVE, user_id);
	return patch(f, path, body);
}

bool foreign_scim_join(const struct foreign_scim *f, const char *group, const char *user_name)
{
	return change_member(f, group, user_name, true);
}

bool foreign_scim_leave(const struct foreign_scim *f, const char *group, const char *user_name)
{
	return change_member(f, group, user_name, false);
}

bool foreign_scim_change_user(const struct foreign_scim *f, const char *user_name, const char *attribute,
			      const char *value)
{
	char id[128], path[256], body[512];

	if (!find(f, "Users", "userName", user_name, id))
		return false;
	snprintf(path, sizeof(path), "/Users/%s", id);
	snprintf(body, sizeof(body), CHANGE, attribute, value);
	return patch(f, path, body);
}

void foreign_scim_user_text(const struct foreign_scim *f, const char *user_name, const char *attribute,
			    char out[128])
{
	struct http_response response;
	char path[512], at[96];
	const cJSON *value;

	snprintf(path, sizeof(path), "/Users?filter=userName%%20eq%%20%%22%s%%22", user_name);
	snprintf(at, sizeof(at), "Resources.0.%s", attribute);
	call(f, "GET", path, NULL, &response);
	value = http_json(&response, at);
	if (cJSON_IsBool(value))
		snprintf(out, 128, "%s", cJSON_IsTrue(value) ? "true" : "false");
	else
		snprintf(out, 128, "%s", cJSON_IsString(value) ? value->valuestring : "");
	http_response_release(&response);
}

/* -- past SCIM --------------------------------------------------------------------------------------------------- */

/* Owned by the caller; NULL when it does not answer. */
static cJSON *state(const struct foreign_scim *f)
{
	char url[256];
	struct http_request request = {.url = url};
	struct http_response response;
	size_t root = strlen("http://") + strcspn(f->url + strlen("http://"), "/");
	cJSON *json;

	snprintf(url, sizeof(url), "%.*s/test/state", (int)root, f->url);
	http_call(&request, &response);
	json = response.json;
	response.json = NULL;
	http_response_release(&response);
	return json;
}

static int count(const cJSON *list, const char *name)
{
	const cJSON *item;
	int found = 0;

	cJSON_ArrayForEach(item, list)
		found += cJSON_IsString(item) && (name == NULL || strcmp(item->valuestring, name) == 0);
	return found;
}

static int entries(const struct foreign_scim *f, const char *group, const char *user_name)
{
	cJSON *json = state(f);
	const cJSON *groups = cJSON_GetObjectItemCaseSensitive(json, "groups");
	const cJSON *members = cJSON_GetObjectItemCaseSensitive(groups, group);
	int found = cJSON_IsArray(members) ? count(members, user_name) : -1;

	cJSON_Delete(json);
	return found;
}

int foreign_scim_entries(const struct foreign_scim *f, const char *group, const char *user_name)
{
	return entries(f, group, user_name);
}

int foreign_scim_members(const struct foreign_scim *f, const char *group)
{
	return entries(f, group, NULL);
}

bool foreign_scim_has_user(const struct foreign_scim *f, const char *user_name)
{
	cJSON *json = state(f);
	bool found = count(cJSON_GetObjectItemCaseSensitive(json, "users"), user_name) > 0;

	cJSON_Delete(json);
	return found;
}

struct wanted {
	const struct foreign_scim *f;
	const char *group, *user_name;
	bool member;
};

static bool is_as_wanted(void *ctx)
{
	const struct wanted *w = ctx;

	return (entries(w->f, w->group, w->user_name) > 0) == w->member;
}

bool foreign_scim_wait(const struct foreign_scim *f, const char *group, const char *user_name, bool wanted)
{
	struct wanted w = {f, group, user_name, wanted};

	if (wait_until(is_as_wanted, &w, WAIT_MS))
		return true;
	fprintf(stderr, "%s did not %s %s\n", user_name, wanted ? "become a member of" : "leave", group);
	return false;
}
