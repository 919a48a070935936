/*
 * A broker in production that knows its people only by the tokens of a real OpenID provider: who may do what, what
 * is refused, and the names that reach the application.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/hooks.h"
#include "tests/support/office.h"
#include "tests/support/scene.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Activates in vain: 400 with `rule` as the only detail. */
static void expect_refusal(const struct office *o, const char *wanted, size_t group, const char *rule)
{
	struct http_response response;
	char *token = office_token(o, wanted);

	office_activate(o, token, group, &response);
	assert_int_equal(response.status, 400);
	assert_string_equal(http_json_text(&response, "error.code"),
			    "RoleAssignmentRequestPolicyValidationFailed");
	assert_string_equal(http_json_text(&response, "error.details.0.rule"), rule);
	assert_null(http_json(&response, "error.details.1"));
	http_response_release(&response);
	free(token);
}

static void test_eligibility(void **state)
{
	struct office *o = *state;
	char *token;

	office_open(o);
	token = office_token(o, "{\"claims\":{\"groups\":[]}}");
	office_expect_member(o, token, OFFICE_GROUP_BY_NAME, "amira@example.com");
	free(token);
	token = office_token(o, "{\"sub\":\"bo\",\"claims\":{\"preferred_username\":\"bo@example.com\","
				"\"groups\":[\"sales\",\"network\"]}}");
	office_expect_member(o, token, OFFICE_GROUP_BY_CLAIM, "bo@example.com");
	free(token);
	expect_refusal(o, "{\"claims\":{\"groups\":[\"sales\"]}}", OFFICE_GROUP_BY_CLAIM, "EligibilityRule");
	expect_refusal(o, "{\"claims\":{\"preferred_username\":\"bo@example.com\"}}", OFFICE_GROUP_BY_NAME,
		       "EligibilityRule");
	world_passed(&o->world);
}

#define PLATFORM "\"groups\":[],\"department\":[\"it\",\"platform\"],\"level\":3"
#define LEAD                                                                                                 \
	"{\"sub\":\"bo\",\"claims\":{\"preferred_username\":\"bo@example.com\",\"groups\":[],\"roles\":%s}}"

/* Approves the request with a token of somebody else's, who has these roles; the status. */
static int approve(const struct office *o, const char *id, const char *roles)
{
	char wanted[256], url[256], stage[ID_SIZE];
	struct http_response response;
	char *token;
	int status;

	snprintf(wanted, sizeof(wanted), LEAD, roles);
	token = office_token(o, wanted);
	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s", id);
	office_get(o, token, url, &response);
	status = response.status;
	if (status == 200) {
		snprintf(stage, sizeof(stage), "%s", http_json_text(&response, "stages.0.id"));
		http_response_release(&response);
		snprintf(url, sizeof(url), PIM "assignmentApprovals/%s/stages/%s", id, stage);
		broker_call(&o->world.brokers[0],
			    &(struct http_request){.method = "PATCH",
						   .url = url,
						   .bearer = token,
						   .body = "{\"reviewResult\":\"Approve\"}"},
			    &response);
		status = response.status;
	}
	http_response_release(&response);
	free(token);
	return status;
}

/* A message names somebody, and has no claims of theirs. */
static void expect_no_decision_by_message(struct office *o, const char *id)
{
	const struct hook hook = {"desk", HOOK_SECRET, "m1", "bo@example.com", "Approve", 0, 0};
	size_t used = strlen(o->sign_in);
	char secret[HOOK_FILE_SIZE];

	assert_true(hook_write_secret(secret, HOOK_SECRET));
	snprintf(o->sign_in + used, sizeof(o->sign_in) - used,
		 "approval_sources: [{name: desk, secret: \"file:%s\"}]\n", secret);
	assert_true(scene_reload(&o->world, 0));
	unlink(secret);
	assert_int_equal(hook_send(&o->world, &hook, id), 403);
}

/* Any claim that a policy names counts: for who may ask, when it is looked at again, and for who decides. */
static void test_other_claims(void **state)
{
	struct office *o = *state;
	struct http_response response;
	char id[ID_SIZE];
	char *token;

	office_open(o);
	expect_refusal(o, "{\"claims\":{\"department\":\"platform\"}}", OFFICE_GROUP_BY_OTHERS,
		       "EligibilityRule");
	expect_refusal(o, "{\"claims\":{\"department\":\"platform\",\"level\":4}}", OFFICE_GROUP_BY_OTHERS,
		       "EligibilityRule");
	expect_refusal(o, "{\"claims\":{\"department\":{\"platform\":1},\"level\":3}}",
		       OFFICE_GROUP_BY_OTHERS, "EligibilityRule");
	token = office_token(o, "{\"claims\":{" PLATFORM "}}");
	office_activate(o, token, OFFICE_GROUP_BY_OTHERS, &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(http_json_text(&response, "status"), "PendingApproval");
	snprintf(id, sizeof(id), "%s", http_json_text(&response, "id"));
	http_response_release(&response);
	free(token);
	assert_int_equal(approve(o, id, "[\"leader\"]"), 403);
	expect_no_decision_by_message(o, id);
	assert_int_equal(approve(o, id, "[\"x\",\"lead\"]"), 204);
	assert_true(sandbox_wait_member(&o->world.sandbox,
					world_group_name(&o->world, OFFICE_GROUP_BY_OTHERS),
					"amira@example.com", true, OFFICE_WAIT_MS));
	world_passed(&o->world);
}

static void test_authentication(void **state)
{
	struct office *o = *state;
	char *token;

	office_open(o);
	expect_refusal(o, "{}", OFFICE_GROUP_STRONG, "MfaRule");
	expect_refusal(o, "{\"claims\":{\"amr\":[\"pwd\"]}}", OFFICE_GROUP_STRONG, "MfaRule");
	token = office_token(o, "{\"claims\":{\"amr\":[\"pwd\",\"mfa\"]}}");
	office_expect_member(o, token, OFFICE_GROUP_STRONG, "amira@example.com");
	free(token);
	world_passed(&o->world);
}

static void test_operators(void **state)
{
	static const struct {
		const char *wanted;
		int status;
	} rows[] = {
		{"{\"claims\":{\"groups\":[\"cloud\",\"jit-operators\"]}}", 200},
		{"{\"claims\":{\"preferred_username\":\"Olga@example.com\",\"groups\":[]}}", 200},
		{"{\"claims\":{\"groups\":[\"cloud\"]}}", 403},
		{"{\"claims\":{\"groups\":[],\"roles\":[\"jit-operators\"]}}", 403},
	};
	struct office *o = *state;

	office_open(o);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *token = office_token(o, rows[i].wanted);

		assert_int_equal(office_status(o, token, OFFICE_APPLICATIONS), rows[i].status);
		assert_int_equal(office_status(o, token, OFFICE_MINE), 200);
		free(token);
	}
	world_passed(&o->world);
}

/* A program signs in by client credentials. */
static void test_program(void **state)
{
	struct office *o = *state;
	char *token = NULL;

	office_open(o);
	assert_true(oidc_provider_client_token(&o->provider, &token));
	assert_int_equal(office_status(o, token, OFFICE_MINE), 200);
	assert_int_equal(office_status(o, token, OFFICE_APPLICATIONS), 403);
	free(token);
	world_passed(&o->world);
}

/* The same configuration with a line more, taken up by the running broker. */
static void say_more(struct office *o, const char *line)
{
	size_t len;

	office_say(o, OIDC_AUDIENCE, "olga@example.com");
	len = strlen(o->sign_in);
	snprintf(o->sign_in + len, sizeof(o->sign_in) - len, "%s\n", line);
	assert_true(scene_reload(&o->world, 0));
}

/* A program goes by its client's id, or has a role by a claim; what it may is that role's, and nothing else. */
static void test_program_with_a_role(void **state)
{
	struct office *o = *state;
	char *token = NULL;

	office_open(o);
	assert_true(oidc_provider_client_token(&o->provider, &token));
	assert_int_equal(office_status(o, token, "/api/audit"), 403);
	say_more(o, "timers: {principals: [jobs]}");
	assert_int_equal(office_status(o, token, OFFICE_MINE), 403);
	assert_int_equal(office_status(o, token, "/api/audit"), 403);
	say_more(o, "auditors: {claims: {groups: [timers]}}");
	assert_int_equal(office_status(o, token, OFFICE_MINE), 200);
	assert_int_equal(office_status(o, token, OFFICE_APPLICATIONS), 200);
	assert_int_equal(office_status(o, token, "/api/audit"), 200);
	assert_int_equal(office_status(o, token, "/api/audit/verify"), 200);
	free(token);
	world_passed(&o->world);
}

/* A role counts by a claim that nobody else looks at, too: whom it makes an auditor or a timer job takes no part. */
static void test_roles_by_claims_of_their_own(void **state)
{
	static const struct {
		const char *wanted;
		int reads, audit, takes_part;
	} rows[] = {
		{"{\"claims\":{\"duty\":\"watch\"}}", 200, 200, 403},
		{"{\"claims\":{\"duty\":\"other\"}}", 403, 403, 201},
		{"{\"claims\":{\"shift\":[\"late\",\"night\"]}}", 403, 403, 403},
	};
	struct office *o = *state;

	office_open(o);
	say_more(o, "auditors: {claims: {duty: [watch]}}\ntimers: {claims: {shift: [night]}}");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_response response;
		char *token = office_token(o, rows[i].wanted);

		assert_int_equal(office_status(o, token, OFFICE_APPLICATIONS), rows[i].reads);
		assert_int_equal(office_status(o, token, "/api/audit"), rows[i].audit);
		office_activate(o, token, OFFICE_GROUP_BY_NAME, &response);
		assert_int_equal(response.status, rows[i].takes_part);
		http_response_release(&response);
		free(token);
	}
	world_passed(&o->world);
}

#define PERSON "7d1a3c52-95a1-4a0c-9a63-0d1b2c3d4e5f"

static void expect_principal(const struct office *o, const char *wanted, const char *principal)
{
	struct http_response response;
	char *token = office_token(o, wanted);

	office_activate(o, token, OFFICE_GROUP_BY_CLAIM, &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(http_json_text(&response, "principalId"), principal);
	http_response_release(&response);
	free(token);
}

/* Asks as the operator for the person of the file; the status. */
static int ask_as_operator(const struct office *o, const char *action, const char *schedule)
{
	struct http_response response;
	char body[512], *token = office_token(o, "{\"claims\":{\"groups\":[\"jit-operators\"],"
						 "\"preferred_username\":\"olga@example.com\"}}");
	int status;

	snprintf(body, sizeof(body),
		 "{\"accessId\":\"member\",\"action\":\"%s\",\"groupId\":\"%s\",\"principalId\":\"" PERSON
		 "\"%s}",
		 action, world_group_id(&o->world, OFFICE_GROUP_BY_CLAIM), schedule);
	broker_call(&o->world.brokers[0],
		    &(struct http_request){
			    .url = PIM "assignmentScheduleRequests", .bearer = token, .body = body},
		    &response);
	status = response.status;
	http_response_release(&response);
	free(token);
	return status;
}

/* One user of the applications is one principal: what is given to one of two would be taken away with the other. */
static void test_people_are_one_principal(void **state)
{
	struct office *o = *state;
	const char *group;

	office_open(o);
	group = world_group_name(&o->world, OFFICE_GROUP_BY_CLAIM);
	say_more(o, "people: [{id: " PERSON ", user_name: amira@example.com}]");
	expect_principal(o, "{\"sub\":\"s1\",\"claims\":{\"preferred_username\":\"Amira@Example.com\"}}",
			 PERSON);
	assert_true(sandbox_wait_member(&o->world.sandbox, group, "Amira@Example.com", true, OFFICE_WAIT_MS));
	/* She has it already, and what the operator takes away is hers. */
	assert_int_equal(ask_as_operator(o, "adminAssign",
					 ",\"scheduleInfo\":{\"expiration\":{\"type\":\"afterDuration\","
					 "\"duration\":\"PT5M\"}}"),
			 400);
	assert_int_equal(ask_as_operator(o, "adminRemove", ""), 201);
	assert_true(
		sandbox_wait_member(&o->world.sandbox, group, "Amira@Example.com", false, OFFICE_WAIT_MS));
	/* Whom the file does not know goes by the token. */
	expect_principal(o, "{\"sub\":\"s2\",\"claims\":{\"preferred_username\":\"bo@example.com\"}}", "s2");
	world_passed(&o->world);
}

static void test_refused_by_claims(void **state)
{
	static const struct {
		const char *wanted, *why;
	} rows[] = {
		{"{\"audience\":\"api://other\"}", "The token is meant for another audience."},
		{"{\"age\":3600}", "The token has expired."},
		{"{\"age\":-3600}", "The token was issued in the future."},
		{"{\"claims\":{\"preferred_username\":7}}",
		 "A claim of the token that must be a text is not one."},
	};
	struct office *o = *state;

	office_open(o);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *token = office_token(o, rows[i].wanted);

		office_expect_401(o, token, rows[i].why);
		free(token);
	}
	world_passed(&o->world);
}

#define OWN_KEY   "The token brings its own key."
#define NO_HEADER "The token's header is not a strict JSON object."

/* The keys have just been fetched: whether there is such a key by now is asked a little later, and nobody is let in before. */
static void expect_made_up_key_waits(const struct office *o)
{
	struct http_response response;
	struct buf token;
	char seconds[16];

	office_forge(o, &token, "{\"alg\":\"ES256\",\"kid\":\"made-up\"}", SIGN_ES256);
	office_get(o, buf_text(&token), OFFICE_MINE, &response);
	assert_int_equal(response.status, 503);
	assert_true(http_header(&response, "Retry-After", seconds, sizeof(seconds)));
	assert_in_range(strtol(seconds, NULL, 10), 1, 30);
	http_response_release(&response);
	buf_release(&token);
}

static void test_forged(void **state)
{
	static const struct {
		const char *header;
		enum tokens_method method;
		const char *why;
	} rows[] = {
		{"{\"alg\":\"ES256\",\"kid\":\"ES256-1\"}", SIGN_ES256, "The token's signature is wrong."},
		{"{\"alg\":\"ES256\",\"kid\":\"ES256-1\"}", SIGN_ZEROES, "The token's signature is wrong."},
		{"{\"alg\":\"ES256\",\"kid\":\"RS256-1\"}", SIGN_ES256,
		 "The token's algorithm does not fit its key."},
		{"{\"alg\":\"none\",\"kid\":\"ES256-1\"}", SIGN_NOTHING,
		 "The token does not have three parts."},
		{"{\"alg\":\"none\",\"kid\":\"ES256-1\"}", SIGN_ZEROES,
		 "The token's algorithm is not accepted."},
		{"{\"alg\":\"HS256\",\"kid\":\"ES256-1\"}", SIGN_HS256_PUBLIC_KEY,
		 "The token's algorithm is not accepted."},
		{"{\"alg\":\"ES256\"}", SIGN_ES256, "The token does not name its key."},
		{"{\"alg\":\"ES256\",\"kid\":\"ES256-1\",\"jwk\":{\"kty\":\"EC\"}}", SIGN_ES256, OWN_KEY},
		{"{\"alg\":\"ES256\",\"kid\":\"ES256-1\",\"jku\":\"https://evil.example.com/keys\"}",
		 SIGN_ES256, OWN_KEY},
		{"{\"alg\":\"ES256\",\"kid\":\"ES256-1\",\"x5u\":\"https://evil.example.com/c\"}", SIGN_ES256,
		 OWN_KEY},
		{"{\"alg\":\"ES256\",\"kid\":\"ES256-1\",\"x5c\":[\"MIIB\"]}", SIGN_ES256, OWN_KEY},
		{"{\"alg\":\"ES256\",\"kid\":\"ES256-1\",\"crit\":[\"b64\"],\"b64\":false}", SIGN_ES256,
		 "The token demands an extension that is not known here."},
		{"{\"alg\":\"ES256\",\"kid\":\"ES256-1\",\"typ\":\"logout+jwt\"}", SIGN_ES256,
		 "The token is of a type that is not for signing in."},
		{"{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"ES256-1\"}", SIGN_ES256, NO_HEADER},
		{"{\"alg\":\"ES256\",\"kid\":\"ES256-1\"} {}", SIGN_ES256, NO_HEADER},
		{"[\"ES256\"]", SIGN_ES256, NO_HEADER},
	};
	struct office *o = *state;

	office_open(o);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf token;

		office_forge(o, &token, rows[i].header, rows[i].method);
		office_expect_401(o, buf_text(&token), rows[i].why);
		buf_release(&token);
	}
	office_expect_401(o, NULL, "Send a token: Authorization: Bearer ...");
	expect_made_up_key_waits(o);
	world_passed(&o->world);
}

/* What an operator's token says under the signature of another, and a provider that is not ours with the same kids. */
static void test_tampered(void **state)
{
	struct office *o = *state;
	struct oidc_provider other;
	char *mine, *theirs, *token = NULL;
	char mixed[4096];

	office_open(o);
	mine = office_token(o, "{}");
	theirs = office_token(o, "{\"claims\":{\"groups\":[\"jit-operators\"]}}");
	assert_int_equal(office_status(o, theirs, OFFICE_APPLICATIONS), 200);
	snprintf(mixed, sizeof(mixed), "%.*s%s", (int)(strrchr(theirs, '.') - theirs), theirs,
		 strrchr(mine, '.'));
	office_expect_401(o, mixed, "The token's signature is wrong.");
	assert_true(oidc_provider_start(&other));
	assert_true(oidc_provider_token(&other, "{}", &token));
	office_expect_401(o, token, "The token's issuer is not accepted here.");
	oidc_provider_end(&other);
	free(mine);
	free(theirs);
	free(token);
	world_passed(&o->world);
}

struct user {
	const char *user_name, *display, *given, *family, *email;
};

/* What the application got to know of the new user; `email` NULL = none. */
static void expect_user(const struct office *o, const struct user *user)
{
	struct http_response response;
	char path[128];

	snprintf(path, sizeof(path), "/Users?filter=userName%%20eq%%20%%22%s%%22", user->user_name);
	sandbox_scim(&o->world.sandbox, "GET", path, NULL, &response);
	assert_int_equal(response.status, 200);
	assert_string_equal(http_json_text(&response, "Resources.0.userName"), user->user_name);
	assert_string_equal(http_json_text(&response, "Resources.0.displayName"), user->display);
	assert_string_equal(http_json_text(&response, "Resources.0.name.givenName"), user->given);
	assert_string_equal(http_json_text(&response, "Resources.0.name.familyName"), user->family);
	if (user->email != NULL)
		assert_string_equal(http_json_text(&response, "Resources.0.emails.0.value"), user->email);
	else
		assert_null(http_json(&response, "Resources.0.emails.0"));
	http_response_release(&response);
}

static void test_names(void **state)
{
	static const struct {
		const char *wanted;
		struct user user;
	} rows[] = {
		{"{\"claims\":{\"name\":\"Amira Zoë Haddad\",\"given_name\":\"Amira Zoë\","
		 "\"family_name\":\"Haddad\",\"email\":\"a.haddad@example.org\"}}",
		 {"amira@example.com", "Amira Zoë Haddad", "Amira Zoë", "Haddad", "a.haddad@example.org"}},
		{"{\"sub\":\"bo\",\"claims\":{\"preferred_username\":\"bo@example.com\"}}",
		 {"bo@example.com", "bo@example.com", "bo@example.com", "bo@example.com", NULL}},
	};
	struct office *o = *state;

	office_open(o);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *token = office_token(o, rows[i].wanted);

		office_expect_member(o, token, OFFICE_GROUP_BY_CLAIM, rows[i].user.user_name);
		expect_user(o, &rows[i].user);
		free(token);
	}
	world_passed(&o->world);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_setup, office_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_eligibility),
		TEST(test_other_claims),
		TEST(test_authentication),
		TEST(test_operators),
		TEST(test_program),
		TEST(test_program_with_a_role),
		TEST(test_roles_by_claims_of_their_own),
		TEST(test_people_are_one_principal),
		TEST(test_refused_by_claims),
		TEST(test_forged),
		TEST(test_tampered),
		TEST(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
