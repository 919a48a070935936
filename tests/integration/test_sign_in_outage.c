/*
 * A broker in production while its OpenID provider changes its keys, is away, or is replaced in the configuration. All
 * time is real.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sign-in/provider.h"
#include "tests/support/office.h"
#include "tests/support/wait.h"

#define ROTATION_MS (PROVIDER_INTERVAL_MIN_MS + OFFICE_WAIT_MS)
#define ROUNDS_MAX  7 /* retries after 0.5, 1, 2, 4, 8, 16 s at the soonest: no more within OFFICE_WAIT_MS */
#define MANY        200

/* 503 with that sentence; gives after how many seconds one is to come again. */
static long expect_503_saying(const struct office *o, const char *token, const char *why)
{
	struct http_response response;
	char later[32];

	office_get(o, token, OFFICE_MINE, &response);
	assert_int_equal(response.status, 503);
	assert_true(http_header(&response, "Retry-After", later, sizeof(later)));
	assert_string_equal(http_json_text(&response, "error.message"), why);
	http_response_release(&response);
	return strtol(later, NULL, 10);
}

static void expect_503(const struct office *o, const char *token)
{
	(void)expect_503_saying(o, token, "The sign-in provider cannot be reached.");
}

/* The key may be a new one: it can be asked for when the interval is over, and no sooner. */
static void expect_later(const struct office *o, const char *token)
{
	long seconds = expect_503_saying(
		o, token, "The token's key is not known, and the provider was asked a moment ago.");

	assert_in_range(seconds, 2, PROVIDER_INTERVAL_MIN_MS / 1000);
}

struct rotation {
	struct office *office;
	const char *token;
	int polls, refused;
};

/* Does the token of the new key work? Until then it is to come again, not thrown away; so are those with kids that nobody
 * has, but for the one for which the provider is asked. */
static bool is_taken(void *ctx)
{
	struct rotation *r = ctx;
	struct buf forged;
	char header[64];
	int status;

	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"made-up-%d\"}", r->polls++);
	office_forge(r->office, &forged, header, SIGN_ES256);
	status = office_status(r->office, buf_text(&forged), OFFICE_MINE);
	r->refused += status == 401;
	if (status != 401)
		assert_int_equal(status, 503);
	buf_release(&forged);
	status = office_status(r->office, r->token, OFFICE_MINE);
	if (status != 200)
		assert_int_equal(status, 503);
	return status == 200;
}

/* The provider throws its keys away: the new ones are found without a restart, by one fetch, and the old ones are gone. */
static void test_rotation(void **state)
{
	struct office *o = *state;
	struct rotation rotation = {.office = o};
	char *old, *new;

	office_open(o);
	old = office_token(o, "{\"ttl\":3600}");
	assert_int_equal(office_status(o, old, OFFICE_MINE), 200);
	assert_true(oidc_provider_rotate(&o->provider, false));
	new = office_token(o, "{}");
	rotation.token = new;
	assert_int_equal(office_status(o, old, OFFICE_MINE), 200);
	assert_true(wait_until(is_taken, &rotation, ROTATION_MS));
	assert_true(rotation.polls > MANY);
	assert_int_equal(rotation.refused, 1);
	assert_int_equal(oidc_provider_key_fetches(&o->provider), 2);
	assert_int_equal(oidc_provider_discoveries(&o->provider), 1);
	expect_later(o, old);
	office_expect_member(o, new, OFFICE_GROUP_BY_NAME, "amira@example.com");
	free(old);
	free(new);
	world_passed(&o->world);
}

struct question {
	const struct office *office;
	const char *token;
};

static bool is_signed_in(void *ctx)
{
	const struct question *question = ctx;

	return office_status(question->office, question->token, OFFICE_MINE) == 200;
}

struct told {
	const struct office *office;
	const char *path, *text;
	bool is_gone;
};

static bool ready_says(void *ctx)
{
	const struct told *told = ctx;
	struct http_response response;
	bool found;

	broker_call(&told->office->world.brokers[0],
		    &(struct http_request){.method = "GET", .url = told->path}, &response);
	assert_int_equal(response.status, 200);
	found = strstr(buf_text(&response.body), told->text) != NULL;
	http_response_release(&response);
	return found == !told->is_gone;
}

/* Operators are told, and told no more. */
static void expect_told(const struct office *o, const char *path, const char *text, bool is_gone)
{
	struct told told = {o, path, text, is_gone};

	if (!wait_until(ready_says, &told, OFFICE_WAIT_MS))
		fail_msg("%s: \"%s\"", path, text);
}

/* The broker starts all the same; it does not ask more often because more people come. */
static void test_down_from_the_start(void **state)
{
	struct office *o = *state;
	struct question question = {.office = o};
	int64_t begun_ms = clock_mono_ms();
	char *token;

	assert_true(oidc_provider_set_down(&o->provider, true));
	office_open(o);
	token = office_token(o, "{\"ttl\":3600}");
	question.token = token;
	for (int i = 0; i < MANY; i++)
		expect_503(o, token);
	assert_int_equal(oidc_provider_key_fetches(&o->provider), 0);
	expect_told(o, "/readyz", "\"Nobody can sign in with http://", false);
	expect_told(o, "/metrics", "\njit_sign_in_usable{issuer=\"http://", false);
	expect_told(o, "/metrics", "\"} -1\n", false);
	assert_in_range(oidc_provider_discoveries(&o->provider), 1, ROUNDS_MAX);
	assert_true(clock_mono_ms() - begun_ms < OFFICE_WAIT_MS); /* what ROUNDS_MAX takes for granted */
	assert_true(oidc_provider_set_down(&o->provider, false));
	assert_true(wait_until(is_signed_in, &question, OFFICE_WAIT_MS));
	assert_int_equal(oidc_provider_key_fetches(&o->provider), 1);
	expect_told(o, "/readyz", "sign in with", true);
	expect_told(o, "/metrics", "\"} -1\n", true);
	free(token);
	world_passed(&o->world);
}

/* Those who come with known keys do not notice, be their tokens old or new. */
static void test_down_later(void **state)
{
	struct office *o = *state;
	char *seen, *unseen;

	office_open(o);
	seen = office_token(o, "{}");
	unseen = office_token(o, "{\"alg\":\"PS256\",\"sub\":\"bo\"}");
	assert_int_equal(office_status(o, seen, OFFICE_MINE), 200);
	assert_true(oidc_provider_set_down(&o->provider, true));
	for (int i = 0; i < MANY; i++) {
		struct buf forged;
		char header[64];

		snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"made-up-%d\"}", i);
		office_forge(o, &forged, header, SIGN_ES256);
		/* 503 once a round for such a kid was due and has failed. */
		int status = office_status(o, buf_text(&forged), OFFICE_MINE);
		assert_true(status == 401 || status == 503);
		buf_release(&forged);
	}
	assert_int_equal(office_status(o, seen, OFFICE_MINE), 200);
	office_expect_member(o, unseen, OFFICE_GROUP_BY_NAME, "amira@example.com");
	assert_in_range(oidc_provider_key_fetches(&o->provider), 1, 2);
	assert_in_range(oidc_provider_discoveries(&o->provider), 1, ROUNDS_MAX);
	free(seen);
	free(unseen);
	world_passed(&o->world);
}

static void reload(struct office *o)
{
	struct broker *broker = &o->world.brokers[0];

	assert_true(broker_config_write(&o->world.config, broker->config_path));
	assert_int_equal(kill(broker->proc.pid, SIGHUP), 0);
}

/* Operators change with the file; issuers do not, and the broker says so. */
static void test_reload(void **state)
{
	struct office *o = *state;
	struct proc *proc;
	char *token;

	office_open(o);
	proc = &o->world.brokers[0].proc;
	token = office_token(o, "{}");
	assert_int_equal(office_status(o, token, OFFICE_APPLICATIONS), 403);
	office_say(o, OIDC_AUDIENCE, "amira@example.com");
	reload(o);
	assert_true(proc_wait_text(proc, "result=taken", OFFICE_WAIT_MS, NULL, 0));
	assert_int_equal(office_status(o, token, OFFICE_APPLICATIONS), 200);
	assert_false(proc_log_holds(proc, "taken up by a restart only"));
	office_say(o, "api://other", "amira@example.com");
	reload(o);
	assert_true(proc_wait_text(proc, "taken up by a restart only", OFFICE_WAIT_MS, NULL, 0));
	assert_int_equal(office_status(o, token, OFFICE_APPLICATIONS), 200);
	free(token);
	world_passed(&o->world);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_setup, office_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rotation),
		TEST(test_down_from_the_start),
		TEST(test_down_later),
		TEST(test_reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
