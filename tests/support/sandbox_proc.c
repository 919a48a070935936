/* Starting, steering and asking the sandbox application. */
#include "tests/support/sandbox_proc.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "tests/support/wait.h"

#define START_MS      10000
#define STOP_MS       10000
#define ARGUMENTS_MAX 32
#define BODY_SIZE     4096

/* Reads "listening on http://127.0.0.1:PORT/scim/v2". */
static bool read_url(struct sandbox *sandbox)
{
	char line[512];
	const char *url;
	size_t root_len;

	if (!proc_wait_text(&sandbox->proc, "listening on http://", START_MS, line, sizeof(line)))
		return false;
	url = strstr(line, "http://");
	snprintf(sandbox->url, sizeof(sandbox->url), "%.*s", (int)strcspn(url, " \r\n"), url);
	root_len = strlen("http://") + strcspn(url + strlen("http://"), "/");
	snprintf(sandbox->root, sizeof(sandbox->root), "%.*s", (int)root_len, url);
	return true;
}

bool sandbox_start(struct sandbox *sandbox, const char *dir, const char *name, const char *const *more)
{
	char program[PROC_PATH_SIZE], output[PROC_PATH_SIZE];
	const char *argv[ARGUMENTS_MAX] = {program,       "--listen", "127.0.0.1:0",         "--token",
					   SANDBOX_TOKEN, "--log",    sandbox->requests_path};
	size_t argc = 7;

	memset(sandbox, 0, sizeof(*sandbox));
	for (; more != NULL && *more != NULL && argc < ARGUMENTS_MAX - 1; more++)
		argv[argc++] = *more;
	snprintf(sandbox->requests_path, sizeof(sandbox->requests_path), "%s/%s.jsonl", dir, name);
	snprintf(output, sizeof(output), "%s/%s.log", dir, name);
	return proc_build_path("scim-sandbox", program, sizeof(program)) &&
	       proc_start(&sandbox->proc, argv, NULL, output) && read_url(sandbox);
}

bool sandbox_stop(struct sandbox *sandbox)
{
	int status = proc_end(&sandbox->proc, SIGTERM, STOP_MS);

	if (status != 0)
		fprintf(stderr, "the sandbox exited with %d\n", status);
	return status == 0;
}

void sandbox_scim(const struct sandbox *sandbox, const char *method, const char *path, const char *body,
		  struct http_response *response)
{
	char url[BODY_SIZE];
	struct http_request request = {.method = method, .url = url, .bearer = SANDBOX_TOKEN, .body = body};

	snprintf(url, sizeof(url), "%s%s", sandbox->url, path);
	http_call(&request, response);
	response->any_case = true;
}

void sandbox_control(const struct sandbox *sandbox, const char *method, const char *path, const char *body,
		     struct http_response *response)
{
	char url[BODY_SIZE];
	struct http_request request = {.method = method, .url = url, .body = body};

	snprintf(url, sizeof(url), "%s%s", sandbox->root, path);
	http_call(&request, response);
}

/* Says what went wrong, unless it was a success, and releases the response. */
static bool expect_2xx(const char *what, struct http_response *response)
{
	bool ok = response->status >= 200 && response->status < 300;

	if (!ok)
		fprintf(stderr, "sandbox: %s: %d %s %s\n", what, response->status, response->error,
			buf_text(&response->body));
	http_response_release(response);
	return ok;
}

bool sandbox_add_fault(const struct sandbox *sandbox, const char *rule)
{
	struct http_response response;
	struct buf body;

	buf_init(&body, BODY_SIZE);
	buf_adds(&body, "{\"rule\":");
	json_add_string(&body, rule);
	buf_adds(&body, "}");
	sandbox_control(sandbox, "POST", "/sandbox/faults", buf_text(&body), &response);
	buf_release(&body);
	return expect_2xx(rule, &response);
}

bool sandbox_clear_faults(const struct sandbox *sandbox)
{
	struct http_response response;

	sandbox_control(sandbox, "DELETE", "/sandbox/faults", NULL, &response);
	return expect_2xx("clear the faults", &response);
}

bool sandbox_release_hung(const struct sandbox *sandbox)
{
	struct http_response response;

	sandbox_control(sandbox, "POST", "/sandbox/release", "{}", &response);
	return expect_2xx("release", &response);
}

int sandbox_hung(const struct sandbox *sandbox)
{
	struct http_response response;
	const cJSON *count;
	int hung = -1;

	sandbox_control(sandbox, "GET", "/sandbox/hung", NULL, &response);
	count = http_json(&response, "hung");
	if (response.status == 200 && cJSON_IsNumber(count))
		hung = count->valueint;
	http_response_release(&response);
	return hung;
}

cJSON *sandbox_state(const struct sandbox *sandbox)
{
	struct http_response response;
	cJSON *state;

	sandbox_control(sandbox, "GET", "/sandbox/state", NULL, &response);
	state = response.json;
	response.json = NULL;
	http_response_release(&response);
	return state;
}

/* Creates what the list of the directory's state holds: {"groups":["…"]}. */
static bool make_one(const struct sandbox *sandbox, const char *list, const char *name)
{
	struct http_response response;
	struct buf body;

	buf_init(&body, BODY_SIZE);
	buf_addf(&body, "{\"%s\":[", list);
	json_add_string(&body, name);
	buf_adds(&body, "]}");
	sandbox_control(sandbox, "POST", "/sandbox/state", buf_text(&body), &response);
	buf_release(&body);
	return expect_2xx(name, &response);
}

bool sandbox_make_group(const struct sandbox *sandbox, const char *display_name)
{
	return make_one(sandbox, "groups", display_name);
}

bool sandbox_make_user(const struct sandbox *sandbox, const char *user_name)
{
	return make_one(sandbox, "users", user_name);
}

bool sandbox_change_by_hand(const struct sandbox *sandbox, const char *group_name, const char *user_name,
			    bool member)
{
	struct http_response response;
	struct buf body;

	buf_init(&body, BODY_SIZE);
	buf_adds(&body, "{\"group\":");
	json_add_string(&body, group_name);
	buf_adds(&body, member ? ",\"add\":[" : ",\"remove\":[");
	json_add_string(&body, user_name);
	buf_adds(&body, "]}");
	sandbox_control(sandbox, "POST", "/sandbox/state", buf_text(&body), &response);
	buf_release(&body);
	return expect_2xx(user_name, &response);
}

bool sandbox_is_member(const struct sandbox *sandbox, const char *group_name, const char *user_name)
{
	cJSON *state = sandbox_state(sandbox);
	const cJSON *groups = cJSON_GetObjectItemCaseSensitive(state, "groups");
	const cJSON *member;
	bool found = false;

	cJSON_ArrayForEach(member, cJSON_GetObjectItemCaseSensitive(groups, group_name))
		found = found || (cJSON_IsString(member) && strcmp(member->valuestring, user_name) == 0);
	cJSON_Delete(state);
	return found;
}

struct wanted {
	const struct sandbox *sandbox;
	const char *group_name, *user_name;
	bool member;
};

static bool is_as_wanted(void *ctx)
{
	const struct wanted *w = ctx;

	return sandbox_is_member(w->sandbox, w->group_name, w->user_name) == w->member;
}

bool sandbox_wait_member(const struct sandbox *sandbox, const char *group_name, const char *user_name,
			 bool wanted, int64_t timeout_ms)
{
	struct wanted w = {sandbox, group_name, user_name, wanted};

	if (wait_until(is_as_wanted, &w, timeout_ms))
		return true;
	fprintf(stderr, "%s did not %s %s\n", user_name, wanted ? "become a member of" : "leave", group_name);
	return false;
}
