/*
 * Signing in with the command `jit`, by a code that is confirmed at a real OpenID provider: the session that it keeps, and how
 * it gets a stronger one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/office.h"
#include "tests/support/scene.h"
#include "tests/support/shell.h"

enum { EXIT_DONE, EXIT_REFUSED, EXIT_USAGE, EXIT_SIGN_IN };

#define REASON "--reason", "the test asks"

static void open_home(struct shell *shell, const struct world *world)
{
	snprintf(shell->home, sizeof(shell->home), "%.400s/home", world->dir);
	assert_int_equal(mkdir(shell->home, 0700), 0);
	snprintf(shell->server, sizeof(shell->server), "%s", world->brokers[0].root);
}

static void expect_text(const struct shell *shell, const char *text)
{
	if (strstr(shell->output, text) == NULL)
		fail_msg("the command did not print \"%s\" but:\n%s", text, shell->output);
}

static int make_world(void **state)
{
	*state = calloc(1, sizeof(struct world));
	return *state != NULL ? 0 : -1;
}

static int end_world(void **state)
{
	bool clean = world_stop(*state);

	free(*state);
	return clean ? 0 : -1;
}

static void provider_call(const struct office *o, const char *path, const char *body)
{
	struct http_response response;
	char url[160];

	snprintf(url, sizeof(url), "%s%s", o->provider.issuer, path);
	http_call(&(struct http_request){.method = "POST", .url = url, .body = body}, &response);
	assert_int_equal(response.status, 200);
	http_response_release(&response);
}

/* What the person does who reads "confirm the code XXXX-XXXX". */
static void confirm(const struct office *o, struct shell *jit, const char *more)
{
	char line[512], body[256];
	const char *code;

	assert_true(proc_wait_text(&jit->proc, "confirm the code ", 20000, line, sizeof(line)));
	code = strstr(line, "code ") + strlen("code ");
	snprintf(body, sizeof(body), "{\"user_code\":\"%.*s\"%s}", (int)strcspn(code, "\n"), code, more);
	provider_call(o, "/test/confirm", body);
}

static int open_office_home(void **state, struct shell *jit)
{
	struct office *o = *state;

	office_open(o);
	open_home(jit, &o->world);
	return 0;
}

static const char *const login[] = {"login", NULL};

static void somebody_signs_in_by_a_code(void **state)
{
	struct office *o = *state;
	struct shell jit = {.home = ""};
	const char *group;

	open_office_home(state, &jit);
	group = world_group_id(&o->world, OFFICE_GROUP_BY_NAME);
	assert_int_equal(shell_run(&jit, "list", NULL), EXIT_SIGN_IN);
	shell_start(&jit, login);
	confirm(o, &jit, "");
	assert_int_equal(shell_wait(&jit), EXIT_DONE);
	expect_text(&jit, "signed in");
	jit.server[0] = '\0'; /* the session knows it */
	assert_int_equal(shell_run(&jit, "activate", group, REASON, "--wait", NULL), EXIT_DONE);
	expect_text(&jit, "active until ");
	assert_int_equal(shell_run(&jit, "logout", NULL), EXIT_DONE);
	assert_int_equal(shell_run(&jit, "list", NULL), EXIT_USAGE);
	world_passed(&o->world);
}

/* The group wants a stronger sign-in: the command says which, and what it says works as it is written. */
static void who_signed_in_too_weakly_is_told_how_to(void **state)
{
	struct office *o = *state;
	struct shell jit = {.home = ""};
	const char *const issuer = o->provider.issuer;
	const char *group;
	char hint[160];

	open_office_home(state, &jit);
	group = world_group_id(&o->world, OFFICE_GROUP_STRONG);
	shell_start(&jit, (const char *[]){"login", "--issuer", issuer, NULL});
	confirm(o, &jit, "");
	assert_int_equal(shell_wait(&jit), EXIT_DONE);
	assert_int_equal(shell_run(&jit, "activate", group, REASON, NULL), EXIT_REFUSED);
	expect_text(&jit, "MfaRule: allowed mfa, given pwd");
	snprintf(hint, sizeof(hint), "`jit login --issuer '%s' --acr-values 'mfa'`", issuer);
	expect_text(&jit, hint);
	shell_start(&jit, (const char *[]){"login", "--issuer", issuer, "--acr-values", "mfa", NULL});
	confirm(o, &jit, "");
	assert_int_equal(shell_wait(&jit), EXIT_DONE);
	assert_int_equal(shell_run(&jit, "activate", group, REASON, "--wait", NULL), EXIT_DONE);
	/* Another refusal says nothing of it. */
	assert_int_equal(shell_run(&jit, "activate", group, NULL), EXIT_REFUSED);
	assert_null(strstr(jit.output, "jit login"));
	world_passed(&o->world);
}

/* Of several values one does; the provider takes them as Entra ID does. */
static void a_stronger_sign_in_is_asked_for_by_claims(void **state)
{
	struct office *o = *state;
	struct shell jit = {.home = ""};

	o->step_up = "claims";
	assert_true(oidc_provider_be_entra(&o->provider));
	open_office_home(state, &jit);
	shell_start(&jit, (const char *[]){"login", "--acr-values", "c1 mfa", NULL});
	confirm(o, &jit, "");
	assert_int_equal(shell_wait(&jit), EXIT_DONE);
	assert_int_equal(shell_run(&jit, "activate", world_group_id(&o->world, OFFICE_GROUP_STRONG), REASON,
				   "--wait", NULL),
			 EXIT_DONE);
	world_passed(&o->world);
}

static void a_refused_code_signs_nobody_in(void **state)
{
	struct office *o = *state;
	struct shell jit = {.home = ""};

	open_office_home(state, &jit);
	shell_start(&jit, login);
	confirm(o, &jit, ",\"deny\":true");
	assert_int_equal(shell_wait(&jit), EXIT_REFUSED);
	assert_int_equal(shell_run(&jit, "list", NULL), EXIT_SIGN_IN);
	world_passed(&o->world);
}

/* A session as `jit login` writes it, with a static token of the test's. */
static void write_session(struct shell *jit, const char *token)
{
	char path[PROC_PATH_SIZE];
	FILE *file;

	jit->token_file[0] = '\0';
	snprintf(path, sizeof(path), "%.400s/config", jit->home);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%.400s/config/jit", jit->home);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%.400s/config/jit/session.json", jit->home);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	fprintf(file, "{\"server\":\"%s\",\"accessToken\":\"%s\",\"clientId\":\"desk\"}", jit->server, token);
	assert_int_equal(fclose(file), 0);
}

/* A line to be copied into a shell holds nothing that a shell would run, whatever the server says. */
static void no_hint_ends_its_quotes(void **state)
{
	static const char *const person[] = {"person0@example.com", NULL};
	static const struct broker_group groups[] = {
		{.eligible = person, .more = "      authentication: [c1]\n"},
		{.eligible = person, .more = "      authentication: [\"c1';reboot;'\"]\n"},
	};
	struct world *world = *state;
	struct world_options options = scene_defaults();
	struct shell shell = {.home = ""}, *jit = &shell;

	options.each_group = groups;
	options.groups = 2;
	assert_true(world_start(world, &options));
	open_home(jit, world);
	shell_use_token(jit, world_token(world, 0));
	/* Whose token was not signed in for cannot do so. */
	assert_int_equal(shell_run(jit, "activate", world_group_id(world, 0), REASON, NULL), EXIT_REFUSED);
	assert_null(strstr(jit->output, "jit login"));
	write_session(jit, world_token(world, 0));
	assert_int_equal(shell_run(jit, "activate", world_group_id(world, 0), REASON, NULL), EXIT_REFUSED);
	expect_text(jit, "`jit login --acr-values 'c1'`");
	assert_int_equal(shell_run(jit, "activate", world_group_id(world, 1), REASON, NULL), EXIT_REFUSED);
	expect_text(jit, "AcrsRule");
	assert_null(strstr(jit->output, "jit login"));
	world_passed(world);
}

static char *read_session(const struct shell *jit, char path[PROC_PATH_SIZE])
{
	char *text = calloc(1, 65536);
	FILE *file;

	snprintf(path, PROC_PATH_SIZE, "%.400s/config/jit/session.json", jit->home);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

/* The session's token has ended: it is renewed, and the new one kept. */
static void an_old_session_is_renewed(void **state)
{
	struct office *o = *state;
	struct shell jit = {.home = ""};
	char path[PROC_PATH_SIZE], *before, *after, *expires;
	struct stat st;
	FILE *file;

	open_office_home(state, &jit);
	shell_start(&jit, login);
	confirm(o, &jit, "");
	assert_int_equal(shell_wait(&jit), EXIT_DONE);
	before = read_session(&jit, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	expires = strstr(before, "\"expires\":");
	assert_non_null(expires);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%.*s\"expires\":1}", (int)(expires - before), before);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(shell_run(&jit, "list", NULL), EXIT_DONE);
	after = read_session(&jit, path);
	assert_null(strstr(after, "\"expires\":1}"));
	assert_string_not_equal(before, after);
	free(before);
	free(after);
	world_passed(&o->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define OFFICE(f) cmocka_unit_test_setup_teardown(f, office_setup, office_teardown)
		OFFICE(somebody_signs_in_by_a_code),
		OFFICE(who_signed_in_too_weakly_is_told_how_to),
		OFFICE(a_stronger_sign_in_is_asked_for_by_claims),
		OFFICE(a_refused_code_signs_nobody_in),
		OFFICE(an_old_session_is_renewed),
		cmocka_unit_test_setup_teardown(no_hint_ends_its_quotes, make_world, end_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
