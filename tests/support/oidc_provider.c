#include "tests/support/oidc_provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/http.h"

#define START_MS 60000 /* two RSA keys are made first, on whatever machine this is */

static bool say(const char *what, const struct http_response *response)
{
	fprintf(stderr, "oidc provider: %s: status %d %s %s\n", what, response->status, response->error,
		buf_text(&response->body));
	return false;
}

bool oidc_provider_start(struct oidc_provider *p)
{
	static const char word[] = "listening ";
	char modules[PROC_PATH_SIZE], log[PROC_PATH_SIZE + 16], line[256];
	const char *argv[] = {"node", "tests/oidc/provider.mjs", modules, NULL};

	memset(p, 0, sizeof(*p));
	snprintf(p->folder, sizeof(p->folder), "/tmp/jit-oidc-XXXXXX");
	if (mkdtemp(p->folder) == NULL || !proc_build_path("oidc", modules, sizeof(modules)))
		return false;
	snprintf(log, sizeof(log), "%s/log", p->folder);
	if (!proc_start(&p->proc, argv, NULL, log) ||
	    !proc_wait_text(&p->proc, word, START_MS, line, sizeof(line)))
		return false;
	snprintf(p->issuer, sizeof(p->issuer), "%.*s", (int)strcspn(line + strlen(word), "\r\n"),
		 line + strlen(word));
	return true;
}

void oidc_provider_end(struct oidc_provider *p)
{
	proc_kill9(&p->proc);
	if (p->folder[0] == '\0')
		return;
	unlink(p->proc.log_path);
	rmdir(p->folder);
}

/* Calls and hands over the answer, which the caller releases. */
static bool call(const struct oidc_provider *p, const char *path, struct http_request *request,
		 struct http_response *response)
{
	char url[128];

	snprintf(url, sizeof(url), "%s%s", p->issuer, path);
	request->url = url;
	http_call(request, response);
	request->url = NULL;
	return response->status == 200 || say(path, response);
}

static bool take_token(const struct oidc_provider *p, const char *path, struct http_request *request,
		       char **token)
{
	struct http_response response;
	const char *text;
	bool done = call(p, path, request, &response);

	text = done ? http_json_text(&response, "access_token") : NULL;
	if (text)
		*token = strdup(text);
	else if (done)
		say(path, &response);
	http_response_release(&response);
	return text && *token;
}

bool oidc_provider_token(const struct oidc_provider *p, const char *wanted, char **token)
{
	struct http_request request = {.body = wanted};

	return take_token(p, "/test/token", &request, token);
}

bool oidc_provider_client_token(const struct oidc_provider *p, char **token)
{
	struct http_request request = {
		.body = "grant_type=client_credentials&scope=jit",
		.headers = {"Content-Type: application/x-www-form-urlencoded",
			    "Authorization: Basic am9iczpqb2JzLXNlY3JldA=="},
	};

	return take_token(p, "/token", &request, token);
}

static bool order(const struct oidc_provider *p, const char *path, const char *body)
{
	struct http_request request = {.body = body};
	struct http_response response;
	bool done = call(p, path, &request, &response);

	http_response_release(&response);
	return done;
}

bool oidc_provider_rotate(const struct oidc_provider *p, bool keep)
{
	return order(p, "/test/rotate", keep ? "{\"keep\":true}" : "{}");
}

bool oidc_provider_set_down(const struct oidc_provider *p, bool down)
{
	return order(p, "/test/down", down ? "{\"down\":true}" : "{}");
}

bool oidc_provider_be_entra(const struct oidc_provider *p)
{
	return order(p, "/test/entra", "{\"entra\":true}");
}

static int count(const struct oidc_provider *p, const char *document)
{
	struct http_request request = {.method = NULL};
	struct http_response response;
	const cJSON *fetches = NULL;
	int answer;

	if (call(p, "/test/counts", &request, &response))
		fetches = http_json(&response, document);
	answer = fetches != NULL ? fetches->valueint : -1;
	http_response_release(&response);
	return answer;
}

int oidc_provider_key_fetches(const struct oidc_provider *p)
{
	return count(p, "keys");
}

int oidc_provider_discoveries(const struct oidc_provider *p)
{
	return count(p, "discovery");
}
