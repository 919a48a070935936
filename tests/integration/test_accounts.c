/*
 * Several accounts of one person: whatever account asks, none of them decides, and together they have one voice, by
 * whatever way they speak; what one of them holds, the person holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/hooks.h"
#include "tests/support/world.h"

#define WAIT_MS 20000
#define TEAM    "T9TK3CUKW"

/* Person 4 is the second account of 3, and 2 that of 1. */
enum { LEAD = 1, LEAD_TOO = 2, ANN = 3, ANN_TOO = 4, OTHER = 5 };

struct accounts_world {
	struct world world;
	char hook_file[HOOK_FILE_SIZE], slack_file[HOOK_FILE_SIZE], more[1024];
};

static int open_world(void **state)
{
	static struct accounts_world w;
	struct world_options options = world_defaults();

	memset(&w, 0, sizeof(w));
	if (!hook_write_secret(w.hook_file, HOOK_SECRET) || !hook_write_secret(w.slack_file, SLACK_SECRET))
		return -1;
	snprintf(w.more, sizeof(w.more),
		 "accounts: {Person4@Example.com: person3@example.com, person2@example.com: "
		 "PERSON1@example.com}\n"
		 "approval_sources:\n"
		 "  - {name: desk, secret: \"file:%s\"}\n"
		 "  - {name: chat, kind: slack, secret: \"file:%s\", workspace: " TEAM ", approvers: "
		 "{U1: person1@example.com, U2: person2@example.com, U3: person3@example.com, U4: "
		 "person4@example.com}}\n",
		 w.hook_file, w.slack_file);
	options.more = w.more;
	options.group.min_ms = 1000;
	options.group.more = "      approval: {approvers: [person1@example.com, person2@example.com, "
			     "person3@example.com, person4@example.com, person5@example.com], needed: 2, "
			     "timeout: 1h}\n";
	*state = &w;
	return world_start(&w.world, &options) ? 0 : -1;
}

static int close_world(void **state)
{
	struct accounts_world *w = *state;

	unlink(w->hook_file);
	unlink(w->slack_file);
	world_passed(&w->world);
	return world_stop(&w->world) ? 0 : -1;
}

#define GROUP(n)    "a0000000-0000-4000-8000-00000000000" n
#define ONE_AT_ONCE 0
#define EITHER      1 /* or the next one, or the one behind it */
#define OR          2
#define OR_APPROVED 3

static int open_limited(void **state)
{
	static const char *const all[] = {"person1@example.com", "person3@example.com", "person4@example.com",
					  "person5@example.com", NULL};
	static const struct broker_group groups[] = {
		{.eligible = all, .more = "      max_active: 1\n"},
		{.eligible = all, .more = "      exclusive_with: [" GROUP("2") ", " GROUP("3") "]\n"},
		{.eligible = all},
		{.eligible = all, .more = "      approval: {approvers: [person5@example.com]}\n"},
	};
	static struct accounts_world w;
	struct world_options options = world_defaults();

	memset(&w, 0, sizeof(w));
	options.more = "accounts: {PERSON4@example.com: person3@example.com}\n";
	options.groups = 4;
	options.each_group = groups;
	*state = &w;
	return world_start(&w.world, &options) ? 0 : -1;
}

static void ask_for(const struct world *world, size_t person, size_t group, char id[ID_SIZE])
{
	struct http_response response;

	world_activate(world, &(struct world_ask){.person = person, .group = group, .duration = "PT20M"},
		       &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(http_json_text(&response, "status"), "PendingApproval");
	snprintf(id, ID_SIZE, "%s", http_json_text(&response, "id"));
	http_response_release(&response);
}

static void ask(const struct world *world, size_t person, char id[ID_SIZE])
{
	ask_for(world, person, 0, id);
}

/* Requests that wait for that person's word. */
static size_t inbox(const struct world *world, size_t person)
{
	struct http_response response;
	size_t count;

	broker_call(&world->brokers[0],
		    &(struct http_request){.url = PIM
					   "assignmentScheduleRequests/filterByCurrentUser(on='approver')",
					   .bearer = world_token(world, person)},
		    &response);
	assert_int_equal(response.status, 200);
	count = (size_t)cJSON_GetArraySize(http_json(&response, "value"));
	http_response_release(&response);
	return count;
}

/* The id of the only stage, as person 5 sees it. */
static void stage_of(const struct world *world, const char *id, char stage[ID_SIZE])
{
	struct http_response response;
	char url[256];

	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s", id);
	broker_call(&world->brokers[0],
		    &(struct http_request){.url = url, .bearer = world_token(world, OTHER)}, &response);
	assert_int_equal(response.status, 200);
	snprintf(stage, ID_SIZE, "%s", http_json_text(&response, "stages.0.id"));
	http_response_release(&response);
}

/* The status, and what the answer says when it is not a good one. */
static int decide(const struct world *world, size_t person, const char *id, const char *result, char why[256])
{
	struct http_response response;
	char stage[ID_SIZE], url[256], body[64];
	const char *text;
	int status;

	stage_of(world, id, stage);
	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s/stages/%s", id, stage);
	snprintf(body, sizeof(body), "{\"reviewResult\":\"%s\"}", result);
	broker_call(
		&world->brokers[0],
		&(struct http_request){
			.method = "PATCH", .url = url, .body = body, .bearer = world_token(world, person)},
		&response);
	status = response.status;
	text = status == 204 ? "" : http_json_text(&response, "error.code");
	snprintf(why, 256, "%s", text != NULL ? text : "");
	http_response_release(&response);
	return status;
}

static int by_webhook(const struct world *world, const char *approver, const char *id, const char *result)
{
	struct hook hook = {"desk", HOOK_SECRET, "", approver, result, 0, 0};
	char message[128];

	/* A message of its own each time: what is seen is no repetition. */
	snprintf(message, sizeof(message), "%s-%.7s-%s", id, approver, result);
	hook.id = message;
	return hook_send(world, &hook, id);
}

static int by_click(const struct world *world, const char *user, const char *id, const char *result)
{
	struct click click = {SLACK_SECRET, "slack/chat", TEAM, user, result, 0, 0, 0};
	char at[24] = "";

	return hook_click(world, &click, id, at);
}

static void expect_status(const struct world *world, size_t person, const char *id, const char *status)
{
	struct http_response response;

	world_get_request(world, &(struct world_ask){.person = person}, id, &response);
	assert_string_equal(http_json_text(&response, "status"), status);
	http_response_release(&response);
}

/* Whichever account asks: the other one decides nothing, by no way. */
static void test_own_request(void **state)
{
	static const struct {
		size_t asks, decides;
		const char *user_name, *slack;
	} rows[] = {
		{ANN, ANN_TOO, "person4@example.com", "U4"},
		{ANN_TOO, ANN, "person3@example.com", "U3"},
		{ANN, ANN, "person3@example.com", "U3"},
	};
	struct accounts_world *w = *state;
	char id[ID_SIZE], why[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask(&w->world, rows[i].asks, id);
		assert_int_equal(inbox(&w->world, rows[i].decides), 0);
		assert_int_equal(decide(&w->world, rows[i].decides, id, "Approve", why), 403);
		assert_string_equal(why, "Authorization_RequestDenied");
		assert_int_equal(by_webhook(&w->world, rows[i].user_name, id, "Approve"), 403);
		assert_int_equal(by_webhook(&w->world, rows[i].user_name, id, "Deny"), 403);
		assert_int_equal(by_click(&w->world, rows[i].slack, id, "Approve"), 403);
		expect_status(&w->world, rows[i].asks, id, "PendingApproval");
		assert_int_equal(decide(&w->world, OTHER, id, "Deny", why), 204);
	}
}

/* Two are needed, and two accounts of one person are not two. */
static void test_one_voice(void **state)
{
	struct accounts_world *w = *state;
	char id[ID_SIZE], why[256];

	ask(&w->world, ANN, id);
	assert_int_equal(decide(&w->world, LEAD, id, "Approve", why), 204);
	assert_int_equal(decide(&w->world, LEAD_TOO, id, "Approve", why), 204);
	assert_int_equal(by_webhook(&w->world, "PERSON2@example.com", id, "Approve"), 204);
	assert_int_equal(by_click(&w->world, "U2", id, "Approve"), 200);
	expect_status(&w->world, ANN, id, "PendingApproval");
	/* Nor does the second one take back what the first one said. */
	assert_int_equal(decide(&w->world, LEAD_TOO, id, "Deny", why), 409);
	expect_status(&w->world, ANN, id, "PendingApproval");
	assert_int_equal(decide(&w->world, OTHER, id, "Approve", why), 204);
	assert_true(
		world_wait_state(&w->world, &(struct world_ask){.person = ANN}, id, "provisioned", WAIT_MS));
}

/* The code of the answer's error, or its status. */
static void expect_asked(const struct world *world, struct world_ask ask, const char *wanted)
{
	struct http_response response;

	world_activate(world, &ask, &response);
	assert_string_equal(http_json_text(&response, response.status == 201 ? "status" : "error.code"),
			    wanted);
	http_response_release(&response);
}

/* As many people as the group may have, not as many accounts. */
static void test_one_place(void **state)
{
	struct accounts_world *w = *state;
	struct http_response response;

	expect_asked(&w->world, (struct world_ask){.person = ANN, .group = ONE_AT_ONCE},
		     "PendingProvisioning");
	expect_asked(&w->world, (struct world_ask){.person = OTHER, .group = ONE_AT_ONCE},
		     "RoleAssignmentLimitReached");
	expect_asked(&w->world, (struct world_ask){.person = ANN_TOO, .group = ONE_AT_ONCE},
		     "PendingProvisioning");
	assert_true(world_wait_member(&w->world, ANN, ONE_AT_ONCE, true, WAIT_MS));
	world_deactivate(&w->world, &(struct world_ask){.person = ANN, .group = ONE_AT_ONCE}, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	expect_asked(&w->world, (struct world_ask){.person = OTHER, .group = ONE_AT_ONCE},
		     "RoleAssignmentLimitReached");
	world_passed(&w->world);
}

/* What excludes what one account holds is not to be had by another one: neither at once nor by an approver's word. */
static void test_no_two(void **state)
{
	struct accounts_world *w = *state;
	char id[ID_SIZE], why[256];

	ask_for(&w->world, ANN_TOO, OR_APPROVED, id);
	expect_asked(&w->world, (struct world_ask){.person = ANN, .group = EITHER}, "PendingProvisioning");
	expect_asked(&w->world, (struct world_ask){.person = ANN_TOO, .group = OR}, "RoleAssignmentExcluded");
	expect_asked(&w->world, (struct world_ask){.person = LEAD, .group = OR}, "PendingProvisioning");
	expect_asked(&w->world, (struct world_ask){.person = ANN_TOO, .group = OR, .only_try = true},
		     "RoleAssignmentExcluded");
	assert_int_equal(decide(&w->world, OTHER, id, "Approve", why), 400);
	assert_string_equal(why, "RoleAssignmentExcluded");
	expect_status(&w->world, ANN_TOO, id, "Denied");
	world_passed(&w->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_own_request, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_one_voice, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_one_place, open_limited, close_world),
		cmocka_unit_test_setup_teardown(test_no_two, open_limited, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
