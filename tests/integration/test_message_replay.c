/*
 * A signed message is answered like the first time when it comes again, at whatever broker, and although policy or the list
 * of who clicks is another one by now; and it changes nothing. A new message is judged by what holds then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "base/err.h"
#include "tests/support/hooks.h"
#include "tests/support/scene.h"

#define ANN  3
#define TEAM "T9TK3CUKW"

static const char approved_by_one[] =
	"      approval: {approvers: [person1@example.com, person9@example.com], needed: 2, timeout: 1h}\n";
static const char approved_by_two[] =
	"      approval: {approvers: [person1@example.com, person2@example.com, "
	"person9@example.com], needed: 2, timeout: 1h}\n";

struct replay_world {
	struct world world;
	char hook_file[HOOK_FILE_SIZE], slack_file[HOOK_FILE_SIZE], first[1024], then[1024];
};

static void write_more(const struct replay_world *w, const char *approvers, char out[1024])
{
	snprintf(out, 1024,
		 "approval_sources:\n"
		 "  - {name: desk, secret: \"file:%s\"}\n"
		 "  - {name: chat, kind: slack, secret: \"file:%s\", workspace: " TEAM ", approvers: {%s}}\n",
		 w->hook_file, w->slack_file, approvers);
}

static int open_world(void **state)
{
	static struct replay_world w;
	struct world_options options = scene_defaults();

	memset(&w, 0, sizeof(w));
	if (!hook_write_secret(w.hook_file, HOOK_SECRET) || !hook_write_secret(w.slack_file, SLACK_SECRET))
		return -1;
	write_more(&w, "U1: person1@example.com", w.first);
	write_more(&w, "U1: person1@example.com, U2: person2@example.com", w.then);
	options.more = w.first;
	options.brokers = 2;
	options.group.more = approved_by_one;
	*state = &w;
	return world_start(&w.world, &options) ? 0 : -1;
}

static int close_world(void **state)
{
	struct replay_world *w = *state;

	unlink(w->hook_file);
	unlink(w->slack_file);
	world_passed(&w->world);
	return world_stop(&w->world) ? 0 : -1;
}

/* From now on person 2 is an approver too, and the Slack user U2 is known to be them; nobody has the group for longer than
 * `max_ms` (0: as before). */
static void allow_more(struct replay_world *w, int64_t max_ms)
{
	struct broker_group *groups = (struct broker_group *)(uintptr_t)w->world.config.groups;

	for (size_t i = 0; i < w->world.config.group_count; i++) {
		groups[i].more = approved_by_two;
		if (max_ms > 0)
			groups[i].max_ms = max_ms;
	}
	w->world.config.more = w->then;
	assert_true(scene_reload(&w->world, 0));
	assert_true(scene_reload(&w->world, 1));
}

/* An answer of a call that was refused. */
struct said {
	int status;
	char code[64], message[256];
};

static void take(struct http_response *response, struct said *said)
{
	said->status = response->status;
	snprintf(said->code, sizeof(said->code), "%s",
		 response->status >= 400 ? http_json_text(response, "error.code") : "");
	snprintf(said->message, sizeof(said->message), "%s",
		 response->status >= 400 ? http_json_text(response, "error.message") : "");
	http_response_release(response);
}

static void expect_same(const struct said *first, const struct said *again)
{
	assert_int_equal(first->status, again->status);
	assert_string_equal(first->code, again->code);
	assert_string_equal(first->message, again->message);
}

static void ask(const struct world *world, char id[ID_SIZE])
{
	struct http_response response;

	world_activate(world, &(struct world_ask){.person = ANN, .duration = "PT20M"}, &response);
	assert_int_equal(response.status, 201);
	snprintf(id, ID_SIZE, "%s", http_json_text(&response, "id"));
	http_response_release(&response);
}

static void by_webhook(const struct world *world, const struct hook *hook, const char *id, struct said *said)
{
	struct http_response response;

	hook_call(world, hook, id, &response);
	take(&response, said);
}

static void by_click(const struct world *world, const struct click *click, const char *id, char at[24],
		     struct said *said)
{
	struct http_response response;

	hook_click_call(world, click, id, at, &response);
	take(&response, said);
}

static void test_replays(void **state)
{
	struct replay_world *w = *state;
	struct hook hook = {"desk", HOOK_SECRET, "m1", "person2@example.com", "Approve", 0, 0};
	struct hook fresh = {"desk", HOOK_SECRET, "m2", "person2@example.com", "Approve", 0, 0};
	struct click click = {SLACK_SECRET, "slack/chat", TEAM, "U2", "Approve", 0, 0, 0};
	struct said hooked, clicked, again;
	char id[ID_SIZE], at[24] = "";

	ask(&w->world, id);
	by_webhook(&w->world, &hook, id, &hooked);
	assert_int_equal(hooked.status, 403);
	by_click(&w->world, &click, id, at, &clicked);
	assert_int_equal(clicked.status, 403);
	allow_more(w, 0);
	for (size_t broker = 0; broker < 2; broker++) {
		hook.broker = click.broker = broker;
		by_webhook(&w->world, &hook, id, &again);
		expect_same(&hooked, &again);
		by_click(&w->world, &click, id, at, &again);
		expect_same(&clicked, &again);
	}
	/* The replays have not counted: two are needed, and this is the first. */
	by_webhook(&w->world, &fresh, id, &again);
	assert_int_equal(again.status, 204);
	hook.id = "m3";
	hook.approver = "person1@example.com";
	by_webhook(&w->world, &hook, id, &again);
	assert_int_equal(again.status, 204);
	scene_wait(&w->world, &(struct world_ask){.person = ANN}, id, "provisioned");
}

/* What came too late is answered so again, and not taken for a word on the stage that has its turn by then. */
static void test_late_replay(void **state)
{
	struct replay_world *w = *state;
	struct hook approve = {"desk", HOOK_SECRET, "n1", "person1@example.com", "Approve", 0, 0};
	struct hook deny = {"desk", HOOK_SECRET, "n2", "person1@example.com", "Deny", 0, 1};
	struct said first, again;
	char id[ID_SIZE];

	ask(&w->world, id);
	by_webhook(&w->world, &approve, id, &first);
	assert_int_equal(first.status, 204);
	by_webhook(&w->world, &deny, id, &first);
	assert_int_equal(first.status, 409);
	assert_int_equal(scene_cancel(&w->world, ANN, id), 204);
	/* The request has become something else since; the answer is what it was. */
	deny.broker = 0;
	by_webhook(&w->world, &deny, id, &again);
	expect_same(&first, &again);
	by_webhook(&w->world, &approve, id, &again);
	assert_int_equal(again.status, 204);
}

static void expect_status(const struct world *world, const char *id, const char *status)
{
	struct http_response response;
	char url[256];

	snprintf(url, sizeof(url), PIM "assignmentScheduleRequests/%s", id);
	scene_get(world, ANN, url, &response);
	assert_string_equal(scene_text(&response, "status"), status);
	http_response_release(&response);
}

/* Neither what was accepted nor what was refused ends the request when it comes again after policy has forbidden that. */
static void test_forbidden_since(void **state)
{
	struct replay_world *w = *state;
	struct hook accepted = {"desk", HOOK_SECRET, "p1", "person1@example.com", "Approve", 0, 0};
	struct hook refused = {"desk", HOOK_SECRET, "p2", "person2@example.com", "Approve", 0, 0};
	struct hook fresh = {"desk", HOOK_SECRET, "p3", "person2@example.com", "Approve", 0, 0};
	struct said first, again;
	char id[ID_SIZE];

	ask(&w->world, id);
	by_webhook(&w->world, &accepted, id, &again);
	assert_int_equal(again.status, 204);
	by_webhook(&w->world, &refused, id, &first);
	assert_int_equal(first.status, 403);
	allow_more(w, 600 * SECOND);
	for (size_t broker = 0; broker < 2; broker++) {
		accepted.broker = refused.broker = broker;
		by_webhook(&w->world, &accepted, id, &again);
		assert_int_equal(again.status, 204);
		by_webhook(&w->world, &refused, id, &again);
		expect_same(&first, &again);
	}
	expect_status(&w->world, id, "PendingApproval");
	/* A new word has policy looked at, which ends the request. */
	by_webhook(&w->world, &fresh, id, &first);
	assert_int_equal(first.status, 400);
	expect_status(&w->world, id, "Denied");
	by_webhook(&w->world, &fresh, id, &again);
	expect_same(&first, &again);
}

/* Redis holds what no broker has written there. */
static void test_foreign_text(void **state)
{
	const struct replay_world *w = *state;
	struct hook hook = {"desk", HOOK_SECRET, "q1", "person2@example.com", "Approve", 0, 0};
	struct said said;
	char id[ID_SIZE];
	redisReply *reply;

	ask(&w->world, id);
	reply = redis_server_command(&w->world.redis, "SET {j%d}:wr:desk:q1 %s", id_lane(id), "403");
	assert_non_null(reply);
	freeReplyObject(reply);
	by_webhook(&w->world, &hook, id, &said);
	assert_int_equal(said.status, 403);
	assert_string_equal(said.message, err_message(ERR_FORBIDDEN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_replays, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_late_replay, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_forbidden_since, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_foreign_text, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
