/* What operators do by the command `jit`, each against a real broker and a real application. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/clock.h"
#include "command/command.h"
#include "tests/support/scene.h"
#include "tests/support/shell.h"
#include "tests/support/wait.h"

#define REASON "--reason", "the test asks"

struct place {
	struct world world;
	struct shell shell;
};

static int open_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct world_options options = scene_defaults();

	assert_non_null(p);
	options.lanes = 1;
	options.application.scim = "      request_timeout: 1m\n"; /* for what hangs until it is released */
	options.application.more = "    test: {group: canaries, users: [canary-1@example.com, "
				   "canary-2@example.com], required: false}\n";
	*state = p;
	if (!world_start(&p->world, &options))
		return -1;
	snprintf(p->shell.home, sizeof(p->shell.home), "%.400s/home", p->world.dir);
	snprintf(p->shell.server, sizeof(p->shell.server), "%s", p->world.brokers[0].root);
	assert_int_equal(mkdir(p->shell.home, 0700), 0);
	shell_use_token(&p->shell, world_token(&p->world, 0));
	return 0;
}

static int close_place(void **state)
{
	struct place *p = *state;
	bool clean = world_stop(&p->world);

	free(p);
	return clean ? 0 : -1;
}

static void expect_text(const struct shell *shell, const char *text)
{
	if (strstr(shell->output, text) == NULL)
		fail_msg("the command did not print \"%s\" but:\n%s", text, shell->output);
}

/* What the application is, as `jit apps` shows it. */
static void expect_application(struct shell *jit, const char *text)
{
	assert_int_equal(shell_run(jit, "apps", "app", NULL), EXIT_DONE);
	expect_text(jit, text);
}

static void test_pause_and_resume(void **state)
{
	struct place *p = *state;
	struct shell *jit = &p->shell;
	const char *group = world_group_id(&p->world, 0);

	assert_int_equal(shell_run(jit, "pause", "app", NULL), EXIT_DONE);
	expect_application(jit, "paused");
	assert_int_equal(shell_run(jit, "activate", group, REASON, NULL), EXIT_DONE);
	assert_false(sandbox_is_member(&p->world.sandbox, world_group_name(&p->world, 0),
				       world_user_name(&p->world, 0)));
	assert_int_equal(shell_run(jit, "cycle", "app", NULL), EXIT_REFUSED);
	assert_int_equal(shell_run(jit, "resume", "app", NULL), EXIT_DONE);
	assert_int_equal(shell_run(jit, "restart", "app", NULL), EXIT_DONE);
	assert_true(world_wait_member(&p->world, 0, 0, true, SCENE_PATIENCE));
	assert_int_equal(shell_run(jit, "pause", "another", NULL), EXIT_REFUSED);
	assert_int_equal(shell_run(jit, "pause", NULL), EXIT_USAGE);
	world_passed(&p->world);
}

/* The application's only cycle has ended, with the one addition that it found. */
static bool shows_the_cycle(void *ctx)
{
	struct shell *jit = ctx;

	assert_int_equal(shell_run(jit, "cycles", "app", "--json", NULL), EXIT_DONE);
	return strstr(jit->output, "\"total\":1,\"done\":1,\"pushes\":1,\"failures\":0,") != NULL;
}

static void test_cycles(void **state)
{
	struct place *p = *state;
	struct shell *jit = &p->shell;
	char body[512];
	struct http_response response;

	/* What an administrator assigns is left to the cycle. */
	snprintf(body, sizeof(body),
		 "{\"action\":\"adminAssign\",\"accessId\":\"member\",\"groupId\":\"%s\",\"principalId\":\"%"
		 "s\","
		 "\"scheduleInfo\":{\"expiration\":{\"duration\":\"PT1H\"}}}",
		 world_group_id(&p->world, 0), world_person_id(&p->world, 2));
	broker_call(&p->world.brokers[0],
		    &(struct http_request){.url = PIM "assignmentScheduleRequests",
					   .bearer = world_token(&p->world, 0),
					   .body = body},
		    &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	/* While its only push is on the way one sees how far it is. */
	assert_true(sandbox_add_fault(&p->world.sandbox, "PATCH /Groups once -> hang"));
	assert_int_equal(shell_run(jit, "cycle", "app", NULL), EXIT_DONE);
	expect_text(jit, ": 0 of 1 done, pushes: ");
	scene_wait_hung(&p->world, 1);
	assert_int_equal(shell_run(jit, "cycles", "app", NULL), EXIT_DONE);
	expect_text(jit, ": 0 of 1 done, pushes: 1, failures: 0, estimated end: ");
	expect_text(jit, "No cycle had anything to do yet.");
	assert_int_equal(shell_run(jit, "apps", NULL), EXIT_DONE);
	expect_text(jit, "  DONE    OF      CYCLE ENDS    NEXT CYCLE    TOKEN DAYS\n");
	expect_text(jit, "  0       1       ");
	assert_true(sandbox_release_hung(&p->world.sandbox));
	assert_true(world_wait_member(&p->world, 2, 0, true, SCENE_PATIENCE));
	if (!wait_until(shows_the_cycle, jit, SCENE_PATIENCE))
		fail_msg("the cycles are %s", jit->output);
	assert_int_equal(shell_run(jit, "cycles", "app", NULL), EXIT_DONE);
	expect_text(jit, "no cycle runs\nnext cycle: ");
	expect_text(jit, "1       1       1       0         completed   ");
	assert_int_equal(shell_run(jit, "cycles", "another", NULL), EXIT_REFUSED);
	world_passed(&p->world);
}

static void test_log_and_provision(void **state)
{
	struct place *p = *state;
	struct shell *jit = &p->shell;
	const char *group = world_group_id(&p->world, 0), *person = world_person_id(&p->world, 0);

	assert_int_equal(shell_run(jit, "activate", group, REASON, "--wait", NULL), EXIT_DONE);
	assert_int_equal(shell_run(jit, "log", NULL), EXIT_DONE);
	expect_text(jit, world_user_name(&p->world, 0));
	assert_int_equal(shell_run(jit, "log", "--app", "app", "--limit", "1", "--json", NULL), EXIT_DONE);
	expect_text(jit, "\"value\"");
	assert_int_equal(shell_run(jit, "provision", "app", person, group, NULL), EXIT_DONE);
	assert_int_equal(shell_run(jit, "provision", "app", person, "not-an-id", NULL), EXIT_REFUSED);
	assert_int_equal(shell_run(jit, "provision", "app", NULL), EXIT_USAGE);
	world_passed(&p->world);
}

static void test_connection(void **state)
{
	struct place *p = *state;
	struct shell *jit = &p->shell;

	assert_int_equal(shell_run(jit, "test", "app", NULL), EXIT_REFUSED);
	expect_text(jit, "has no group named");
	assert_true(sandbox_make_group(&p->world.sandbox, "canaries"));
	assert_int_equal(shell_run(jit, "test", "app", NULL), EXIT_DONE);
	expect_text(jit, "\"passed\":true");
	assert_int_equal(shell_run(jit, "test", "another", NULL), EXIT_REFUSED);
	world_passed(&p->world);
}

static void test_cancel(void **state)
{
	struct place *p = *state;
	struct shell *jit = &p->shell;
	const char *at;
	char id[ID_SIZE];

	assert_int_equal(shell_run(jit, "activate", world_group_id(&p->world, 0), REASON, "--start",
				   "2099-01-01T00:00:00Z", NULL),
			 EXIT_REFUSED);
	assert_int_equal(shell_run(jit, "pause", "app", NULL), EXIT_DONE);
	assert_int_equal(shell_run(jit, "activate", world_group_id(&p->world, 0), REASON, NULL), EXIT_DONE);
	at = strstr(jit->output, "request ");
	assert_non_null(at);
	snprintf(id, sizeof(id), "%.36s", at + strlen("request "));
	assert_int_equal(shell_run(jit, "cancel", id, NULL), EXIT_DONE);
	assert_int_equal(shell_run(jit, "show", id, NULL), EXIT_DONE);
	expect_text(jit, "Canceled");
	assert_int_equal(shell_run(jit, "list", "--all", "--group", world_group_id(&p->world, 0), "--status",
				   "Canceled", NULL),
			 EXIT_DONE);
	expect_text(jit, id);
	world_passed(&p->world);
}

static void test_audit_and_sweep(void **state)
{
	struct place *p = *state;
	struct shell *jit = &p->shell;

	assert_int_equal(shell_run(jit, "activate", world_group_id(&p->world, 0), REASON, NULL), EXIT_DONE);
	assert_int_equal(shell_run(jit, "audit", NULL), EXIT_DONE);
	expect_text(jit, "\"why\":\"the test asks\"");
	assert_int_equal(shell_run(jit, "audit", "verify", NULL), EXIT_DONE);
	assert_int_equal(shell_run(jit, "audit", "forget", NULL), EXIT_USAGE);
	assert_int_equal(shell_run(jit, "sweep", NULL), EXIT_DONE);
	/* None of it is for people without a role. */
	shell_use_token(jit, world_token(&p->world, 1));
	assert_int_equal(shell_run(jit, "audit", NULL), EXIT_SIGN_IN);
	assert_int_equal(shell_run(jit, "sweep", NULL), EXIT_SIGN_IN);
	assert_int_equal(shell_run(jit, "log", NULL), EXIT_SIGN_IN);
	assert_int_equal(shell_run(jit, "pause", "app", NULL), EXIT_SIGN_IN);
	assert_int_equal(shell_run(jit, "test", "app", NULL), EXIT_SIGN_IN);
	world_passed(&p->world);
}

/* A broker that cannot do it all says so, and so does the command. */
static void test_sweep_leaves(void **state)
{
	struct place *p = *state;
	struct world_ask ask = {.person = 2, .duration = "PT5S"};
	char id[ID_SIZE];

	scene_activate(&p->world, &ask, id);
	scene_wait(&p->world, &ask, id, "provisioned");
	assert_true(sandbox_add_fault(&p->world.sandbox, "PATCH /Groups always -> status 500"));
	scene_wait_for(clock_wall_ms() + 5 * SECOND);
	assert_int_equal(shell_run(&p->shell, "sweep", NULL), EXIT_REFUSED);
	expect_text(&p->shell, "\"complete\":false");
	world_passed(&p->world);
}

static void test_groups(void **state)
{
	struct place *p = *state;
	struct shell *jit = &p->shell;

	assert_int_equal(shell_run(jit, "groups", NULL), EXIT_DONE);
	expect_text(jit, world_group_name(&p->world, 0));
	/* As --for takes it: usually, and at most; and whether a reason and a ticket are wanted. */
	expect_text(jit, "  1h      8h       yes     no ");
	assert_int_equal(shell_run(jit, "whoami", NULL), EXIT_DONE);
	expect_text(jit, "user     person0@example.com\n");
	expect_text(jit, "\nroles    requester, operator\n");
	assert_int_equal(shell_run(jit, "approvals", NULL), EXIT_DONE);
	assert_int_equal(shell_run(jit, "--version", NULL), EXIT_DONE);
	assert_int_equal(shell_run(jit, "--complete", "audit", NULL), EXIT_DONE);
	expect_text(jit, "--key-file");
	world_passed(&p->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define PLACE(f) cmocka_unit_test_setup_teardown(f, open_place, close_place)
		PLACE(test_pause_and_resume), PLACE(test_cycles), PLACE(test_log_and_provision),
		PLACE(test_connection),       PLACE(test_cancel), PLACE(test_audit_and_sweep),
		PLACE(test_sweep_leaves),     PLACE(test_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
