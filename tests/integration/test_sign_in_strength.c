/*
 * How a token is signed, and how strong the sign-in was: what a broker that knows its people by a real OpenID provider
 * accepts, and what it keeps of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/office.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void test_algorithms(void **state)
{
	static const char *const algorithms[] = {"RS256", "PS256", "ES256", "EdDSA"};
	struct office *o = *state;

	office_open(o);
	for (size_t i = 0; i < COUNT(algorithms); i++) {
		char wanted[256], user_name[64];
		char *token;

		snprintf(user_name, sizeof(user_name), "%s@example.com", algorithms[i]);
		snprintf(wanted, sizeof(wanted),
			 "{\"alg\":\"%s\",\"sub\":\"%s\",\"claims\":{\"preferred_username\":\"%s\"}}",
			 algorithms[i], algorithms[i], user_name);
		token = office_token(o, wanted);
		office_expect_member(o, token, OFFICE_GROUP_BY_CLAIM, user_name);
		free(token);
	}
	assert_int_equal(oidc_provider_key_fetches(&o->provider), 1);
	world_passed(&o->world);
}

/* What the issuer's tokens must not be signed by is refused, though the provider has such a key. */
static void test_algorithms_of_the_issuer(void **state)
{
	struct office *o = *state;
	char *refused, *accepted;

	o->algorithms = "[ES256, PS256]";
	office_open(o);
	refused = office_token(o, "{\"alg\":\"RS256\"}");
	accepted = office_token(o, "{\"alg\":\"ES256\"}");
	office_expect_401(o, refused, "The token's algorithm is not accepted.");
	assert_int_equal(office_status(o, accepted, OFFICE_MINE), 200);
	free(refused);
	free(accepted);
	world_passed(&o->world);
}

/* The audit says with what they signed in, as far as a policy asks for it: "pwd" is in no policy. */
static void expect_strengths(const struct office *o)
{
	struct http_response response;
	char *token = office_token(o, "{\"claims\":{\"groups\":[\"jit-operators\"]}}");
	const char *body;

	office_get(o, token, "/api/audit", &response);
	assert_int_equal(response.status, 200);
	body = buf_text(&response.body);
	if (strstr(body, "\"event\":\"push\"") == NULL || strstr(body, "\"strengths\":[\"mfa\"]") == NULL)
		fail_msg("%s", body);
	http_response_release(&response);
	free(token);
}

static void test_strengths(void **state)
{
	struct office *o = *state;
	char *token;

	office_open(o);
	token = office_token(o, "{\"claims\":{\"amr\":[\"pwd\",\"mfa\"]}}");
	office_expect_member(o, token, OFFICE_GROUP_STRONG, "amira@example.com");
	free(token);
	expect_strengths(o);
	world_passed(&o->world);
}

/* A refusal for want of strength tells any OAuth client (RFC 9470) and any program how to get there; others say nothing of it. */
static void test_challenge(void **state)
{
	static const struct {
		const char *claims;
		enum office_group group;
		const char *challenge, *given;
	} rows[] = {
		{"{}", OFFICE_GROUP_STRONG,
		 "Bearer error=\"insufficient_user_authentication\", acr_values=\"mfa\"", "none"},
		{"{\"claims\":{\"amr\":[\"pwd\"]}}", OFFICE_GROUP_STRONG,
		 "Bearer error=\"insufficient_user_authentication\", acr_values=\"mfa\"", "pwd"},
		{"{\"claims\":{\"groups\":[]}}", OFFICE_GROUP_BY_CLAIM, NULL, NULL},
	};
	struct office *o = *state;

	office_open(o);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *token = office_token(o, rows[i].claims), challenge[256];
		struct http_response response;

		office_activate(o, token, rows[i].group, &response);
		assert_int_equal(response.status, 400);
		assert_string_equal(http_json_text(&response, "error.code"),
				    "RoleAssignmentRequestPolicyValidationFailed");
		if (rows[i].challenge == NULL) {
			assert_false(
				http_header(&response, "WWW-Authenticate", challenge, sizeof(challenge)));
			assert_null(strstr(buf_text(&response.body), "acrValues"));
		} else {
			assert_true(http_header(&response, "WWW-Authenticate", challenge, sizeof(challenge)));
			assert_string_equal(challenge, rows[i].challenge);
			assert_string_equal(http_json_text(&response, "error.details.0.acrValues"), "mfa");
			assert_string_equal(http_json_text(&response, "error.details.0.given"),
					    rows[i].given);
		}
		http_response_release(&response);
		free(token);
	}
	world_passed(&o->world);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_setup, office_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_algorithms),
		TEST(test_algorithms_of_the_issuer),
		TEST(test_strengths),
		TEST(test_challenge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
