/*
 * The command `jit` as people and scripts use it: what it prints, its exit status, and where it sends a token. Against a
 * real broker and a real application.
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

#include <hiredis/hiredis.h>

#include "base/json.h"
#include "tests/support/scene.h"
#include "tests/support/shell.h"
#include "tests/support/wait.h"

enum {
	EXIT_DONE,
	EXIT_REFUSED,
	EXIT_USAGE,
	EXIT_SIGN_IN,
	EXIT_UNAVAILABLE,
	EXIT_NOT_GIVEN,
	EXIT_PENDING,
	EXIT_BROKEN
};

#define REASON "--reason", "the test asks"

static const char approval[] = "      approval: {approvers: [person1@example.com], timeout: 1h}\n";

struct place {
	struct world world;
	struct shell shell;
};

static void open_home(struct shell *shell, const struct world *world)
{
	snprintf(shell->home, sizeof(shell->home), "%.400s/home", world->dir);
	assert_int_equal(mkdir(shell->home, 0700), 0);
	snprintf(shell->server, sizeof(shell->server), "%s", world->brokers[0].root);
}

static void open_place(struct place *p, const struct world_options *options)
{
	assert_true(world_start(&p->world, options));
	open_home(&p->shell, &p->world);
	shell_use_token(&p->shell, world_token(&p->world, 0));
}

static int make_place(void **state)
{
	*state = calloc(1, sizeof(struct place));
	return *state != NULL ? 0 : -1;
}

static int end_place(void **state)
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

/* The id behind "request ". */
static void read_id(const struct shell *shell, char id[ID_SIZE])
{
	const char *at = strstr(shell->output, "request ");

	assert_non_null(at);
	snprintf(id, ID_SIZE, "%.36s", at + strlen("request "));
	assert_true(id_valid(id));
}

static void a_person_takes_a_group_and_gives_it_back(void **state)
{
	struct place *p = *state;
	struct world_options options = scene_defaults();
	struct shell *jit = &p->shell;
	const char *group;
	char id[ID_SIZE];

	open_place(p, &options);
	group = world_group_id(&p->world, 0);
	assert_int_equal(shell_run(jit, "activate", group, "--for", "30m", REASON, "--wait", NULL),
			 EXIT_DONE);
	expect_text(jit, "active until ");
	read_id(jit, id);
	assert_true(world_wait_member(&p->world, 0, 0, true, SCENE_PATIENCE));
	assert_int_equal(shell_run(jit, "list", NULL), EXIT_DONE);
	expect_text(jit, id);
	expect_text(jit, "Provisioned");
	assert_int_equal(shell_run(jit, "show", id, NULL), EXIT_DONE);
	expect_text(jit, "the test asks");
	assert_int_equal(shell_run(jit, "extend", group, "--for", "1h", REASON, NULL), EXIT_DONE);
	assert_int_equal(shell_run(jit, "deactivate", group, NULL), EXIT_DONE);
	assert_true(world_wait_member(&p->world, 0, 0, false, SCENE_PATIENCE));
	assert_int_equal(shell_run(jit, "deactivate", group, NULL), EXIT_REFUSED);
	expect_text(jit, "does not exist");
	world_passed(&p->world);
}

/* More of them than a page of a list has where nobody says how many it is to have. */
static void the_last_of_many_groups_has_a_name(void **state)
{
	struct place *p = *state;
	struct world_options options = scene_defaults();
	struct shell *jit = &p->shell;

	options.groups = 101;
	open_place(p, &options);
	assert_int_equal(shell_run(jit, "activate", world_group_name(&p->world, 100), "--try", REASON, NULL),
			 EXIT_DONE);
	assert_int_equal(shell_run(jit, "groups", NULL), EXIT_DONE);
	expect_text(jit, world_group_id(&p->world, 100));
	world_passed(&p->world);
}

static void refusals_name_their_rules_and_mistakes_their_place(void **state)
{
	struct place *p = *state;
	struct world_options options = scene_defaults();
	struct shell *jit = &p->shell;
	const char *group;

	open_place(p, &options);
	group = world_group_id(&p->world, 0);
	assert_int_equal(shell_run(jit, "activate", group, "--for", "400d", REASON, NULL), EXIT_REFUSED);
	expect_text(jit, "ExpirationRule: allowed ");
	assert_int_equal(shell_run(jit, "activate", group, "--for", "1h", NULL), EXIT_REFUSED);
	expect_text(jit, "JustificationRule");
	assert_int_equal(shell_run(jit, "activate", group, "--for", "soon", REASON, NULL), EXIT_USAGE);
	expect_text(jit, "--for soon");
	assert_int_equal(shell_run(jit, "activate", NULL), EXIT_USAGE);
	assert_int_equal(shell_run(jit, "activate", group, "--all", NULL), EXIT_USAGE);
	expect_text(jit, "takes no --all");
	assert_int_equal(shell_run(jit, "show", "not-an-id", NULL), EXIT_USAGE);
	assert_int_equal(shell_run(jit, "dance", NULL), EXIT_USAGE);
	assert_int_equal(shell_run(jit, "activate", group, "--try", REASON, NULL), EXIT_DONE);
	expect_text(jit, "would be allowed");
	assert_int_equal(shell_run(jit, "list", NULL), EXIT_DONE);
	expect_text(jit, "There are no requests.");
	world_passed(&p->world);
}

static void json_is_the_answer_itself(void **state)
{
	struct place *p = *state;
	struct world_options options = scene_defaults();
	struct shell *jit = &p->shell;
	cJSON *json = NULL;

	open_place(p, &options);
	assert_int_equal(
		shell_run(jit, "activate", world_group_id(&p->world, 0), REASON, "--wait", "--json", NULL),
		EXIT_DONE);
	assert_int_equal(json_parse(jit->output, strlen(jit->output), &json, NULL), ERR_OK);
	assert_string_equal(json_string(json, "status"), "Provisioned");
	cJSON_Delete(json);
	json = NULL;
	assert_int_equal(shell_run(jit, "list", "--json", "--limit", "1", NULL), EXIT_DONE);
	assert_int_equal(json_parse(jit->output, strlen(jit->output), &json, NULL), ERR_OK);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "value")), 1);
	cJSON_Delete(json);
	world_passed(&p->world);
}

static void an_approver_decides(void **state)
{
	struct place *p = *state;
	struct world_options options = scene_defaults();
	struct shell *jit = &p->shell;
	const char *group;
	char id[ID_SIZE];

	options.group.more = approval;
	open_place(p, &options);
	group = world_group_id(&p->world, 0);
	assert_int_equal(shell_run(jit, "activate", group, REASON, NULL), EXIT_DONE);
	expect_text(jit, "waiting for an approver");
	read_id(jit, id);
	assert_int_equal(shell_run(jit, "approve", id, REASON, NULL), EXIT_SIGN_IN);
	assert_null(strstr(jit->output, "allowed ,")); /* the rule has no limit that could be named */
	assert_int_equal(shell_run(jit, "show", id, "--wait", "--timeout", "1s", NULL), EXIT_PENDING);
	shell_use_token(jit, world_token(&p->world, 1));
	assert_int_equal(shell_run(jit, "approvals", NULL), EXIT_DONE);
	expect_text(jit, id);
	assert_int_equal(shell_run(jit, "approve", id, "--reason", "seen", NULL), EXIT_DONE);
	expect_text(jit, "approved");
	assert_int_equal(shell_run(jit, "deny", id, "--reason", "seen", NULL), EXIT_REFUSED);
	expect_text(jit, "person1@example.com said Approve at ");
	assert_true(world_wait_member(&p->world, 0, 0, true, SCENE_PATIENCE));
	world_passed(&p->world);
}

/* Who waits for a request that is denied is told by the exit status. */
static void waiting_ends_when_it_is_denied(void **state)
{
	struct place *p = *state;
	struct world_options options = scene_defaults();
	struct shell *jit = &p->shell, approver = {.home = ""};
	char id[ID_SIZE];
	const char *words[] = {"show", id, "--wait", NULL};

	options.group.more = approval;
	open_place(p, &options);
	assert_int_equal(shell_run(jit, "activate", world_group_id(&p->world, 0), REASON, NULL), EXIT_DONE);
	read_id(jit, id);
	shell_start(jit, words);
	approver = (struct shell){.home = ""};
	snprintf(approver.home, sizeof(approver.home), "%.400s/approver", p->world.dir);
	assert_int_equal(mkdir(approver.home, 0700), 0);
	snprintf(approver.server, sizeof(approver.server), "%s", jit->server);
	shell_use_token(&approver, world_token(&p->world, 1));
	assert_int_equal(shell_run(&approver, "deny", id, "--reason", "not now", NULL), EXIT_DONE);
	assert_int_equal(shell_wait(jit), EXIT_NOT_GIVEN);
	expect_text(jit, "Denied");
	world_passed(&p->world);
}

static void operators_see_the_applications(void **state)
{
	struct place *p = *state;
	struct world_options options = scene_defaults();
	struct shell *jit = &p->shell;

	open_place(p, &options);
	assert_int_equal(shell_run(jit, "apps", NULL), EXIT_DONE);
	expect_text(jit, "APPLICATION");
	expect_text(jit, "app ");
	assert_int_equal(shell_run(jit, "apps", "app", NULL), EXIT_DONE);
	assert_int_equal(shell_run(jit, "apps", "another", NULL), EXIT_REFUSED);
	assert_int_equal(shell_run(jit, "guard", "app", "remove", NULL), EXIT_REFUSED);
	expect_text(jit, "holds nothing");
	assert_int_equal(shell_run(jit, "guard", "app", "perhaps", NULL), EXIT_USAGE);
	shell_use_token(jit, world_token(&p->world, 1));
	assert_int_equal(shell_run(jit, "apps", NULL), EXIT_SIGN_IN);
	world_passed(&p->world);
}

/* Part by part to the end, and a status that a timer job can go by. */
static void the_audit_is_verified_to_its_end(void **state)
{
	struct place *p = *state;
	struct world_options options = scene_defaults();
	struct shell *jit = &p->shell;
	redisReply *reply;

	options.lanes = 1;
	open_place(p, &options);
	assert_true(world_activate_ok(&p->world, &(struct world_ask){.person = 1}, (char[ID_SIZE]){""}));
	assert_int_equal(shell_run(jit, "audit", "verify", NULL), EXIT_DONE);
	expect_text(jit, "as they were written");
	expect_text(jit, "No key seals them");
	assert_int_equal(shell_run(jit, "audit", "verify", "--limit", "1", NULL), EXIT_DONE);
	assert_int_equal(shell_run(jit, "audit", "verify", "--limit", "0", NULL), EXIT_REFUSED);
	reply = redis_server_command(&p->world.redis, "XDEL {j0}:audit 2-0");
	assert_non_null(reply);
	assert_int_equal(reply->integer, 1);
	freeReplyObject(reply);
	assert_int_equal(shell_run(jit, "audit", "verify", "--limit", "1", NULL), EXIT_BROKEN);
	expect_text(jit, "lane 0, event 2. This event is missing.");
	assert_int_equal(shell_run(jit, "audit", "verify", "--json", NULL), EXIT_BROKEN);
	expect_text(jit, "\"intact\":false");
	world_passed(&p->world);
}

static void tokens_are_kept_in_and_sent_where_they_belong(void **state)
{
	struct place *p = *state;
	struct world_options options = scene_defaults();
	struct shell *jit = &p->shell;
	char file[PROC_PATH_SIZE];

	open_place(p, &options);
	snprintf(file, sizeof(file), "%s", jit->token_file);
	shell_use_token(jit, "not-a-token");
	assert_int_equal(shell_run(jit, "list", NULL), EXIT_SIGN_IN);
	expect_text(jit, "jit login");
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(shell_run(jit, "list", NULL), EXIT_USAGE);
	expect_text(jit, "can be read by others");
	assert_int_equal(shell_run(jit, "list", "--server", "http://example.com", NULL), EXIT_USAGE);
	shell_use_token(jit, world_token(&p->world, 0));
	assert_true(broker_stop(&p->world.brokers[0]));
	assert_int_equal(shell_run(jit, "list", NULL), EXIT_UNAVAILABLE);
	expect_text(jit, "no answer");
	world_passed(&p->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define PLACE(f) cmocka_unit_test_setup_teardown(f, make_place, end_place)
		PLACE(a_person_takes_a_group_and_gives_it_back),
		PLACE(the_last_of_many_groups_has_a_name),
		PLACE(refusals_name_their_rules_and_mistakes_their_place),
		PLACE(json_is_the_answer_itself),
		PLACE(an_approver_decides),
		PLACE(waiting_ends_when_it_is_denied),
		PLACE(operators_see_the_applications),
		PLACE(the_audit_is_verified_to_its_end),
		PLACE(tokens_are_kept_in_and_sent_where_they_belong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
