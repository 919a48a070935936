/*
 * Two OpenID providers: none speaks for the other's people, and the claims of the second are not those of the first,
 * whatever they are called.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/oidc_provider.h"
#include "tests/support/wait.h"
#include "tests/support/world.h"

#define PATIENCE 10000 /* ms, for an event that nobody waits for */

enum { BY_NAME, BY_GROUPS, BY_PARTNER, GROUPS };

struct two {
	struct oidc_provider home, partner;
	struct world world;
	char sign_in[1024];
};

static int open_world(void **state)
{
	static struct two t;
	static const char *const amira[] = {"amira@example.com", NULL};
	static const struct broker_group groups[GROUPS] = {
		[BY_NAME] = {.eligible = amira},
		[BY_GROUPS] = {.eligible_claims = "{groups: [cloud]}"},
		[BY_PARTNER] = {.eligible_claims = "{partner/groups: [cloud]}"},
	};
	struct world_options options = world_defaults();

	memset(&t, 0, sizeof(t));
	if (!oidc_provider_start(&t.home) || !oidc_provider_start(&t.partner))
		return -1;
	snprintf(t.sign_in, sizeof(t.sign_in),
		 "sign_in:\n"
		 "  - {issuer: \"%s\", audience: \"" OIDC_AUDIENCE "\", user_names: [\"*@example.com\"]}\n"
		 "  - {issuer: \"%s\", audience: \"" OIDC_AUDIENCE
		 "\", user_names: [\"*@partner.example\"], claim_prefix: partner/}\n"
		 "operators: {principals: [olga@example.com], claims: {groups: [jit-operators]}}\n",
		 t.home.issuer, t.partner.issuer);
	options.environment = "production";
	options.without_people = true;
	options.each_group = groups;
	options.groups = GROUPS;
	options.more = t.sign_in;
	*state = &t;
	return world_start(&t.world, &options) ? 0 : -1;
}

static int close_world(void **state)
{
	struct two *t = *state;
	bool clean;

	world_passed(&t->world);
	clean = world_stop(&t->world);
	oidc_provider_end(&t->home);
	oidc_provider_end(&t->partner);
	return clean ? 0 : -1;
}

/* The status of an activation of that group by somebody whom that provider names so. */
static int activate(const struct two *t, const struct oidc_provider *provider, const char *wanted,
		    size_t group)
{
	struct http_response response;
	char body[512], *token = NULL;
	int status;

	assert_true(oidc_provider_token(provider, wanted, &token));
	snprintf(body, sizeof(body),
		 "{\"accessId\":\"member\",\"action\":\"selfActivate\",\"groupId\":\"%s\",\"justification\":"
		 "\"x\"}",
		 world_group_id(&t->world, group));
	broker_call(&t->world.brokers[0],
		    &(struct http_request){
			    .url = PIM "assignmentScheduleRequests", .bearer = token, .body = body},
		    &response);
	status = response.status;
	http_response_release(&response);
	free(token);
	return status;
}

static int see_applications(const struct two *t, const struct oidc_provider *provider, const char *wanted)
{
	struct http_response response;
	char *token = NULL;
	int status;

	assert_true(oidc_provider_token(provider, wanted, &token));
	broker_call(&t->world.brokers[0], &(struct http_request){.url = "/api/applications", .bearer = token},
		    &response);
	status = response.status;
	http_response_release(&response);
	free(token);
	return status;
}

#define AMIRA "{\"sub\":\"a\",\"claims\":{\"preferred_username\":\"amira@example.com\"}}"
#define EVE   "{\"sub\":\"e\",\"claims\":{\"preferred_username\":\"eve@example.com\"}}"
#define OLGA  "{\"sub\":\"o\",\"claims\":{\"preferred_username\":\"olga@example.com\"}}"
#define BO(domain, group)                                                                                    \
	"{\"sub\":\"b\",\"claims\":{\"preferred_username\":\"bo@" domain "\",\"groups\":[\"" group "\"]}}"

static void test_names(void **state)
{
	const struct two *t = *state;

	assert_int_equal(activate(t, &t->home, AMIRA, BY_NAME), 201);
	assert_int_equal(activate(t, &t->partner, AMIRA, BY_NAME), 403);
	assert_int_equal(see_applications(t, &t->home, OLGA), 200);
	assert_int_equal(see_applications(t, &t->partner, OLGA), 403);
	/* Nor does the first provider speak for the partner's people. */
	assert_int_equal(activate(t, &t->home, BO("partner.example", "cloud"), BY_GROUPS), 403);
}

/* The trail as one text; to be freed. */
static char *audit_text(const struct two *t)
{
	struct http_response response;
	char *token = NULL, *text;

	assert_true(oidc_provider_token(&t->home, OLGA, &token));
	broker_call(&t->world.brokers[0],
		    &(struct http_request){.url = "/api/audit?limit=1000", .bearer = token}, &response);
	assert_int_equal(response.status, 200);
	text = strdup(buf_text(&response.body));
	assert_non_null(text);
	http_response_release(&response);
	free(token);
	return text;
}

struct trace {
	const struct two *t;
	char words[2][1024]; /* of one event, in this order */
};

static bool is_there(void *ctx)
{
	const struct trace *trace = ctx;
	char *text = audit_text(trace->t), *line, *rest;
	bool found = false;

	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		const char *at = strstr(line, trace->words[0]);

		found |= strstr(line, "\"event\":\"refused\"") != NULL && at != NULL &&
			 strstr(at, trace->words[1]) != NULL;
	}
	free(text);
	return found;
}

/* Whoever names another provider's person is in the audit, with the provider and its id of them, also when they only look. */
static void test_audit(void **state)
{
	const struct two *t = *state;
	struct trace trace = {.t = t};

	assert_int_equal(see_applications(t, &t->partner, EVE), 403);
	snprintf(
		trace.words[0], sizeof(trace.words[0]),
		"\"userName\":\"eve@example.com\",\"subject\":\"e\",\"how\":\"%s\",\"address\":\"127.0.0.1\"",
		t->partner.issuer);
	snprintf(trace.words[1], sizeof(trace.words[1]), "\"path\":\"/api/applications\"");
	assert_true(wait_until(is_there, &trace, PATIENCE));
}

static void test_claims(void **state)
{
	const struct two *t = *state;

	assert_int_equal(activate(t, &t->home, BO("example.com", "cloud"), BY_GROUPS), 201);
	assert_int_equal(activate(t, &t->home, BO("example.com", "cloud"), BY_PARTNER), 400);
	assert_int_equal(activate(t, &t->partner, BO("partner.example", "cloud"), BY_PARTNER), 201);
	assert_int_equal(activate(t, &t->partner, BO("partner.example", "cloud"), BY_GROUPS), 400);
	assert_int_equal(see_applications(t, &t->home, BO("example.com", "jit-operators")), 200);
	assert_int_equal(see_applications(t, &t->partner, BO("partner.example", "jit-operators")), 403);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_audit),
		cmocka_unit_test(test_claims),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
