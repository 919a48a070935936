/*
 * A broker in production that knows its people only by the tokens of a real OpenID provider: who may do what, what
 * is refused, rotation, an outage, and the names that reach the application. All time is real.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "sign-in/provider.h"
#include "tests/support/oidc_provider.h"
#include "tests/support/tokens.h"
#include "tests/support/wait.h"
#include "tests/support/world.h"

#define COUNT(rows)  (sizeof(rows) / sizeof((rows)[0]))
#define WAIT_MS      20000
#define ROTATION_MS  (PROVIDER_INTERVAL_MIN_MS + WAIT_MS)
#define ROUNDS_MAX   7 /* retries after 0.5, 1, 2, 4, 8, 16 s at the soonest: no more within WAIT_MS */
#define MANY         200
#define REQUESTS     PIM "assignmentScheduleRequests"
#define MINE         PIM "assignmentScheduleRequests/filterByCurrentUser(on='principal')"
#define APPLICATIONS "/api/applications"

enum { GROUP_BY_NAME, GROUP_BY_CLAIM, GROUP_STRONG, GROUPS };

struct scene {
	struct oidc_provider provider;
	struct world world;
	char sign_in[512];
};

static void say_sign_in(struct scene *s, const char *audience, const char *operator)
{
	snprintf(s->sign_in, sizeof(s->sign_in),
		 "sign_in:\n  - {issuer: \"%s\", audience: \"%s\"}\n"
		 "operators: {principals: [%s], claims: {groups: [jit-operators]}}\n",
		 s->provider.issuer, audience, operator);
}

static void open_world(struct scene *s)
{
	static const char *const amira[] = {"amira@example.com", NULL};
	static const struct broker_group groups[GROUPS] = {
		[GROUP_BY_NAME] = {.eligible = amira},
		[GROUP_BY_CLAIM] = {.eligible_claims = "{groups: [cloud, network]}"},
		[GROUP_STRONG] = {.eligible = amira, .more = "      authentication: [mfa]\n"},
	};
	struct world_options options = world_defaults();

	say_sign_in(s, OIDC_AUDIENCE, "olga@example.com");
	options.environment = "production";
	options.without_people = true;
	options.each_group = groups;
	options.groups = GROUPS;
	options.more = s->sign_in;
	assert_true(world_start(&s->world, &options));
}

static int open_scene(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	*state = s;
	return s != NULL && oidc_provider_start(&s->provider) ? 0 : -1;
}

static int close_scene(void **state)
{
	struct scene *s = *state;
	bool clean = s != NULL && world_stop(&s->world);

	if (s != NULL)
		oidc_provider_end(&s->provider);
	free(s);
	return clean ? 0 : -1;
}

/* `wanted` is JSON for the provider. The caller frees the token. */
static char *token_of(const struct scene *s, const char *wanted)
{
	char *token = NULL;

	assert_true(oidc_provider_token(&s->provider, wanted, &token));
	return token;
}

/* A token that says it is the provider's, for amira@example.com, signed by somebody else. */
static void forge(const struct scene *s, struct buf *token, const char *header, enum tokens_method method)
{
	EVP_PKEY *key = tokens_ec("P-256");
	char claims[512];

	snprintf(claims, sizeof(claims),
		 "{\"iss\":\"%s\",\"sub\":\"amira\",\"aud\":\"" OIDC_AUDIENCE
		 "\",\"preferred_username\":\"amira@example.com\",\"exp\":%lld}",
		 s->provider.issuer, (long long)(clock_wall_ms() / 1000 + 600));
	buf_init(token, TOKENS_MAX);
	tokens_sign(token, header, claims, key, method);
	EVP_PKEY_free(key);
}

static void get(const struct scene *s, const char *token, const char *url, struct http_response *response)
{
	broker_call(&s->world.brokers[0], &(struct http_request){.url = url, .bearer = token}, response);
}

static int status_of(const struct scene *s, const char *token, const char *url)
{
	struct http_response response;
	int status;

	get(s, token, url, &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

static void activate(const struct scene *s, const char *token, size_t group, struct http_response *response)
{
	char body[512];

	snprintf(body, sizeof(body),
		 "{\"accessId\":\"member\",\"action\":\"selfActivate\",\"groupId\":\"%s\","
		 "\"justification\":\"the test asks\"}",
		 world_group_id(&s->world, group));
	broker_call(&s->world.brokers[0],
		    &(struct http_request){.url = REQUESTS, .bearer = token, .body = body}, response);
}

/* Activates and waits until the application has the member. */
static void expect_member(const struct scene *s, const char *token, size_t group, const char *user_name)
{
	struct http_response response;

	activate(s, token, group, &response);
	if (response.status != 201)
		fprintf(stderr, "%d %s\n", response.status, buf_text(&response.body));
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	assert_true(sandbox_wait_member(&s->world.sandbox, world_group_name(&s->world, group), user_name,
					true, WAIT_MS));
}

/* Activates in vain: 400 with `rule` as the only detail. */
static void expect_refusal(const struct scene *s, const char *wanted, size_t group, const char *rule)
{
	struct http_response response;
	char *token = token_of(s, wanted);

	activate(s, token, group, &response);
	assert_int_equal(response.status, 400);
	assert_string_equal(http_json_text(&response, "error.code"),
			    "RoleAssignmentRequestPolicyValidationFailed");
	assert_string_equal(http_json_text(&response, "error.details.0.rule"), rule);
	assert_null(http_json(&response, "error.details.1"));
	http_response_release(&response);
	free(token);
}

static void test_algorithms(void **state)
{
	static const char *const algorithms[] = {"RS256", "PS256", "ES256", "EdDSA"};
	struct scene *s = *state;

	open_world(s);
	for (size_t i = 0; i < COUNT(algorithms); i++) {
		char wanted[256], user_name[64];
		char *token;

		snprintf(user_name, sizeof(user_name), "%s@example.com", algorithms[i]);
		snprintf(wanted, sizeof(wanted),
			 "{\"alg\":\"%s\",\"sub\":\"%s\",\"claims\":{\"preferred_username\":\"%s\"}}",
			 algorithms[i], algorithms[i], user_name);
		token = token_of(s, wanted);
		expect_member(s, token, GROUP_BY_CLAIM, user_name);
		free(token);
	}
	assert_int_equal(oidc_provider_key_fetches(&s->provider), 1);
	world_passed(&s->world);
}

static void test_eligibility(void **state)
{
	struct scene *s = *state;
	char *token;

	open_world(s);
	token = token_of(s, "{\"claims\":{\"groups\":[]}}");
	expect_member(s, token, GROUP_BY_NAME, "amira@example.com");
	free(token);
	token = token_of(s, "{\"sub\":\"bo\",\"claims\":{\"preferred_username\":\"bo@example.com\","
			    "\"groups\":[\"sales\",\"network\"]}}");
	expect_member(s, token, GROUP_BY_CLAIM, "bo@example.com");
	free(token);
	expect_refusal(s, "{\"claims\":{\"groups\":[\"sales\"]}}", GROUP_BY_CLAIM, "EligibilityRule");
	expect_refusal(s, "{\"claims\":{\"preferred_username\":\"bo@example.com\"}}", GROUP_BY_NAME,
		       "EligibilityRule");
	world_passed(&s->world);
}

static void test_authentication(void **state)
{
	struct scene *s = *state;
	char *token;

	open_world(s);
	expect_refusal(s, "{}", GROUP_STRONG, "MfaRule");
	expect_refusal(s, "{\"claims\":{\"amr\":[\"pwd\"]}}", GROUP_STRONG, "MfaRule");
	token = token_of(s, "{\"claims\":{\"amr\":[\"pwd\",\"mfa\"]}}");
	expect_member(s, token, GROUP_STRONG, "amira@example.com");
	free(token);
	world_passed(&s->world);
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
	struct scene *s = *state;

	open_world(s);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *token = token_of(s, rows[i].wanted);

		assert_int_equal(status_of(s, token, APPLICATIONS), rows[i].status);
		assert_int_equal(status_of(s, token, MINE), 200);
		free(token);
	}
	world_passed(&s->world);
}

/* A program signs in by client credentials. */
static void test_program(void **state)
{
	struct scene *s = *state;
	char *token = NULL;

	open_world(s);
	assert_true(oidc_provider_client_token(&s->provider, &token));
	assert_int_equal(status_of(s, token, MINE), 200);
	assert_int_equal(status_of(s, token, APPLICATIONS), 403);
	free(token);
	world_passed(&s->world);
}

static void expect_401(const struct scene *s, const char *token, const char *why)
{
	struct http_response response;
	char challenge[256];

	get(s, token, MINE, &response);
	assert_int_equal(response.status, 401);
	assert_true(http_header(&response, "WWW-Authenticate", challenge, sizeof(challenge)));
	assert_int_equal(strncmp(challenge, "Bearer", strlen("Bearer")), 0);
	assert_string_equal(http_json_text(&response, "error.message"), why);
	if (token != NULL && token[0] != '\0')
		assert_null(strstr(buf_text(&response.body), token));
	http_response_release(&response);
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
	struct scene *s = *state;

	open_world(s);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *token = token_of(s, rows[i].wanted);

		expect_401(s, token, rows[i].why);
		free(token);
	}
	world_passed(&s->world);
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
		{"{\"alg\":\"ES256\",\"kid\":\"made-up\"}", SIGN_ES256, "The token's key is not known."},
	};
	struct scene *s = *state;

	open_world(s);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf token;

		forge(s, &token, rows[i].header, rows[i].method);
		expect_401(s, buf_text(&token), rows[i].why);
		buf_release(&token);
	}
	expect_401(s, NULL, "Send a token: Authorization: Bearer ...");
	world_passed(&s->world);
}

/* What an operator's token says under the signature of another, and a provider that is not ours with the same kids. */
static void test_tampered(void **state)
{
	struct scene *s = *state;
	struct oidc_provider other;
	char *mine, *theirs, *token = NULL;
	char mixed[4096];

	open_world(s);
	mine = token_of(s, "{}");
	theirs = token_of(s, "{\"claims\":{\"groups\":[\"jit-operators\"]}}");
	assert_int_equal(status_of(s, theirs, APPLICATIONS), 200);
	snprintf(mixed, sizeof(mixed), "%.*s%s", (int)(strrchr(theirs, '.') - theirs), theirs,
		 strrchr(mine, '.'));
	expect_401(s, mixed, "The token's signature is wrong.");
	assert_true(oidc_provider_start(&other));
	assert_true(oidc_provider_token(&other, "{}", &token));
	expect_401(s, token, "The token's issuer is not accepted here.");
	oidc_provider_end(&other);
	free(mine);
	free(theirs);
	free(token);
	world_passed(&s->world);
}

struct rotation {
	struct scene *scene;
	const char *token;
	int polls;
};

/* Does the token of the new key work? Until then it is refused, and so are those with kids that nobody has. */
static bool is_taken(void *ctx)
{
	struct rotation *r = ctx;
	struct buf forged;
	char header[64];
	int status;

	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"made-up-%d\"}", r->polls++);
	forge(r->scene, &forged, header, SIGN_ES256);
	assert_int_equal(status_of(r->scene, buf_text(&forged), MINE), 401);
	buf_release(&forged);
	status = status_of(r->scene, r->token, MINE);
	if (status != 200)
		assert_int_equal(status, 401);
	return status == 200;
}

/* The provider throws its keys away: the new ones are found without a restart, by one fetch, and the old ones are gone. */
static void test_rotation(void **state)
{
	struct scene *s = *state;
	struct rotation rotation = {.scene = s};
	char *old, *new;

	open_world(s);
	old = token_of(s, "{\"ttl\":3600}");
	assert_int_equal(status_of(s, old, MINE), 200);
	assert_true(oidc_provider_rotate(&s->provider, false));
	new = token_of(s, "{}");
	rotation.token = new;
	assert_int_equal(status_of(s, old, MINE), 200);
	assert_true(wait_until(is_taken, &rotation, ROTATION_MS));
	assert_true(rotation.polls > MANY);
	assert_int_equal(oidc_provider_key_fetches(&s->provider), 2);
	assert_int_equal(oidc_provider_discoveries(&s->provider), 1);
	expect_401(s, old, "The token's key is not known.");
	expect_member(s, new, GROUP_BY_NAME, "amira@example.com");
	free(old);
	free(new);
	world_passed(&s->world);
}

struct question {
	const struct scene *scene;
	const char *token;
};

static bool is_signed_in(void *ctx)
{
	const struct question *question = ctx;

	return status_of(question->scene, question->token, MINE) == 200;
}

static void expect_503(const struct scene *s, const char *token)
{
	struct http_response response;
	char later[32];

	get(s, token, MINE, &response);
	assert_int_equal(response.status, 503);
	assert_true(http_header(&response, "Retry-After", later, sizeof(later)));
	assert_string_equal(http_json_text(&response, "error.message"),
			    "The sign-in provider cannot be reached.");
	http_response_release(&response);
}

/* The broker starts all the same; it does not ask more often because more people come. */
static void test_down_from_the_start(void **state)
{
	struct scene *s = *state;
	struct question question = {.scene = s};
	int64_t begun_ms = clock_mono_ms();
	char *token;

	assert_true(oidc_provider_set_down(&s->provider, true));
	open_world(s);
	token = token_of(s, "{\"ttl\":3600}");
	question.token = token;
	for (int i = 0; i < MANY; i++)
		expect_503(s, token);
	assert_int_equal(oidc_provider_key_fetches(&s->provider), 0);
	assert_in_range(oidc_provider_discoveries(&s->provider), 1, ROUNDS_MAX);
	assert_true(clock_mono_ms() - begun_ms < WAIT_MS); /* what ROUNDS_MAX takes for granted */
	assert_true(oidc_provider_set_down(&s->provider, false));
	assert_true(wait_until(is_signed_in, &question, WAIT_MS));
	assert_int_equal(oidc_provider_key_fetches(&s->provider), 1);
	free(token);
	world_passed(&s->world);
}

/* Those who come with known keys do not notice, be their tokens old or new. */
static void test_down_later(void **state)
{
	struct scene *s = *state;
	char *seen, *unseen;

	open_world(s);
	seen = token_of(s, "{}");
	unseen = token_of(s, "{\"alg\":\"PS256\",\"sub\":\"bo\"}");
	assert_int_equal(status_of(s, seen, MINE), 200);
	assert_true(oidc_provider_set_down(&s->provider, true));
	for (int i = 0; i < MANY; i++) {
		struct buf forged;
		char header[64];

		snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"made-up-%d\"}", i);
		forge(s, &forged, header, SIGN_ES256);
		/* 503 once a round for such a kid was due and has failed. */
		int status = status_of(s, buf_text(&forged), MINE);
		assert_true(status == 401 || status == 503);
		buf_release(&forged);
	}
	assert_int_equal(status_of(s, seen, MINE), 200);
	expect_member(s, unseen, GROUP_BY_NAME, "amira@example.com");
	assert_in_range(oidc_provider_key_fetches(&s->provider), 1, 2);
	assert_in_range(oidc_provider_discoveries(&s->provider), 1, ROUNDS_MAX);
	free(seen);
	free(unseen);
	world_passed(&s->world);
}

/* What the application got to know of the new user. */
static void expect_user(const struct scene *s, const char *user_name, const char *display, const char *given,
			const char *family, const char *email)
{
	struct http_response response;
	char path[128];

	snprintf(path, sizeof(path), "/Users?filter=userName%%20eq%%20%%22%s%%22", user_name);
	sandbox_scim(&s->world.sandbox, "GET", path, NULL, &response);
	assert_int_equal(response.status, 200);
	assert_string_equal(http_json_text(&response, "Resources.0.userName"), user_name);
	assert_string_equal(http_json_text(&response, "Resources.0.displayName"), display);
	assert_string_equal(http_json_text(&response, "Resources.0.name.givenName"), given);
	assert_string_equal(http_json_text(&response, "Resources.0.name.familyName"), family);
	if (email != NULL)
		assert_string_equal(http_json_text(&response, "Resources.0.emails.0.value"), email);
	else
		assert_null(http_json(&response, "Resources.0.emails.0"));
	http_response_release(&response);
}

static void test_names(void **state)
{
	struct scene *s = *state;
	char *token;

	open_world(s);
	token = token_of(s, "{\"claims\":{\"name\":\"Amira Zoë Haddad\",\"given_name\":\"Amira Zoë\","
			    "\"family_name\":\"Haddad\",\"email\":\"a.haddad@example.org\"}}");
	expect_member(s, token, GROUP_BY_CLAIM, "amira@example.com");
	expect_user(s, "amira@example.com", "Amira Zoë Haddad", "Amira Zoë", "Haddad",
		    "a.haddad@example.org");
	free(token);
	token = token_of(s, "{\"sub\":\"bo\",\"claims\":{\"preferred_username\":\"bo@example.com\"}}");
	expect_member(s, token, GROUP_BY_CLAIM, "bo@example.com");
	expect_user(s, "bo@example.com", "bo@example.com", "bo@example.com", "bo@example.com", NULL);
	free(token);
	world_passed(&s->world);
}

static void reload(struct scene *s)
{
	struct broker *broker = &s->world.brokers[0];

	assert_true(broker_config_write(&s->world.config, broker->config_path));
	assert_int_equal(kill(broker->proc.pid, SIGHUP), 0);
}

/* Operators change with the file; issuers do not, and the broker says so. */
static void test_reload(void **state)
{
	struct scene *s = *state;
	struct proc *proc;
	char *token;

	open_world(s);
	proc = &s->world.brokers[0].proc;
	token = token_of(s, "{}");
	assert_int_equal(status_of(s, token, APPLICATIONS), 403);
	say_sign_in(s, OIDC_AUDIENCE, "amira@example.com");
	reload(s);
	assert_true(proc_wait_text(proc, "result=taken", WAIT_MS, NULL, 0));
	assert_int_equal(status_of(s, token, APPLICATIONS), 200);
	assert_false(proc_log_holds(proc, "taken up by a restart only"));
	say_sign_in(s, "api://other", "amira@example.com");
	reload(s);
	assert_true(proc_wait_text(proc, "taken up by a restart only", WAIT_MS, NULL, 0));
	assert_int_equal(status_of(s, token, APPLICATIONS), 200);
	free(token);
	world_passed(&s->world);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_algorithms), TEST(test_eligibility), TEST(test_authentication),
		TEST(test_operators),  TEST(test_program),     TEST(test_refused_by_claims),
		TEST(test_forged),     TEST(test_tampered),    TEST(test_rotation),
		TEST(test_names),      TEST(test_down_later),  TEST(test_down_from_the_start),
		TEST(test_reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
