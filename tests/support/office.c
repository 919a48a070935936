/* Starts the provider and the world, and asks the broker as people of the provider. */
#include "tests/support/office.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "base/clock.h"

#define REQUESTS PIM "assignmentScheduleRequests"

void office_say(struct office *o, const char *audience, const char *operator)
{
	snprintf(o->sign_in, sizeof(o->sign_in),
		 "sign_in:\n  - {issuer: \"%s\", audience: \"%s\", client_id: %s, step_up: %s%s%s}\n"
		 "operators: {principals: [%s], claims: {groups: [jit-operators]}}\n",
		 o->provider.issuer, audience, o->client != NULL ? o->client : "desk",
		 o->step_up != NULL ? o->step_up : "acr_values",
		 o->algorithms != NULL ? ", algorithms: " : "",
		 o->algorithms != NULL ? o->algorithms : "", operator);
}

void office_open(struct office *o)
{
	static const char *const amira[] = {"amira@example.com", NULL};
	static const struct broker_group groups[OFFICE_GROUPS] = {
		[OFFICE_GROUP_BY_NAME] = {.eligible = amira},
		[OFFICE_GROUP_BY_CLAIM] = {.eligible_claims = "{groups: [cloud, network]}"},
		[OFFICE_GROUP_BY_OTHERS] = {.eligible_claims = "{department: [platform], level: [\"3\"]}",
					    .more = "      approval: {approver_claims: {roles: [lead]}}\n"},
		[OFFICE_GROUP_STRONG] = {.eligible = amira, .more = "      authentication: [mfa]\n"},
	};
	struct world_options options = world_defaults();

	office_say(o, OIDC_AUDIENCE, "olga@example.com");
	options.environment = "production";
	options.without_people = true;
	options.each_group = groups;
	options.groups = OFFICE_GROUPS;
	options.program = o->program;
	options.more = o->sign_in;
	assert_true(world_start(&o->world, &options));
}

int office_setup(void **state)
{
	struct office *o = calloc(1, sizeof(*o));

	*state = o;
	return o != NULL && oidc_provider_start(&o->provider) ? 0 : -1;
}

int office_teardown(void **state)
{
	struct office *o = *state;
	bool clean = o != NULL && world_stop(&o->world);

	if (o != NULL)
		oidc_provider_end(&o->provider);
	free(o);
	return clean ? 0 : -1;
}

char *office_token(const struct office *o, const char *wanted)
{
	char *token = NULL;

	assert_true(oidc_provider_token(&o->provider, wanted, &token));
	return token;
}

void office_forge(const struct office *o, struct buf *token, const char *header, enum tokens_method method)
{
	EVP_PKEY *key = tokens_ec("P-256");
	char claims[512];

	snprintf(claims, sizeof(claims),
		 "{\"iss\":\"%s\",\"sub\":\"amira\",\"aud\":\"" OIDC_AUDIENCE
		 "\",\"preferred_username\":\"amira@example.com\",\"exp\":%lld}",
		 o->provider.issuer, (long long)(clock_wall_ms() / 1000 + 600));
	buf_init(token, TOKENS_MAX);
	tokens_sign(token, header, claims, key, method);
	EVP_PKEY_free(key);
}

void office_get(const struct office *o, const char *token, const char *url, struct http_response *response)
{
	broker_call(&o->world.brokers[0], &(struct http_request){.url = url, .bearer = token}, response);
}

int office_status(const struct office *o, const char *token, const char *url)
{
	struct http_response response;
	int status;

	office_get(o, token, url, &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

void office_activate(const struct office *o, const char *token, size_t group, struct http_response *response)
{
	char body[512];

	snprintf(body, sizeof(body),
		 "{\"accessId\":\"member\",\"action\":\"selfActivate\",\"groupId\":\"%s\","
		 "\"justification\":\"the test asks\"}",
		 world_group_id(&o->world, group));
	broker_call(&o->world.brokers[0],
		    &(struct http_request){.url = REQUESTS, .bearer = token, .body = body}, response);
}

void office_expect_member(const struct office *o, const char *token, size_t group, const char *user_name)
{
	struct http_response response;

	office_activate(o, token, group, &response);
	if (response.status != 201)
		fprintf(stderr, "%d %s\n", response.status, buf_text(&response.body));
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	assert_true(sandbox_wait_member(&o->world.sandbox, world_group_name(&o->world, group), user_name,
					true, OFFICE_WAIT_MS));
}

void office_expect_401(const struct office *o, const char *token, const char *why)
{
	struct http_response response;
	char challenge[256];

	office_get(o, token, OFFICE_MINE, &response);
	assert_int_equal(response.status, 401);
	assert_true(http_header(&response, "WWW-Authenticate", challenge, sizeof(challenge)));
	/* RFC 6750, 3.1: who has sent no token is told of no error. */
	assert_string_equal(challenge, token != NULL ? "Bearer error=\"invalid_token\"" : "Bearer");
	assert_string_equal(http_json_text(&response, "error.message"), why);
	if (token != NULL && token[0] != '\0')
		assert_null(strstr(buf_text(&response.body), token));
	http_response_release(&response);
}
