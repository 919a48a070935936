/* An approval system decides by signed webhook: as the approver whom it names, once, and only for its groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>

#include "tests/support/hooks.h"
#include "tests/support/world.h"

#define WAIT_MS 20000
#define ANN     3
#define SECRET  HOOK_SECRET
#define OTHER   "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="

struct hook_world {
	struct world world;
	char secret_file[32], slack_file[32], more[1024];
};

static int open_world(void **state)
{
	static struct hook_world w;
	struct world_options options = world_defaults();

	memset(&w, 0, sizeof(w));
	if (!hook_write_secret(w.secret_file, SECRET) || !hook_write_secret(w.slack_file, SLACK_SECRET))
		return -1;
	snprintf(w.more, sizeof(w.more),
		 "auditors: {principals: [person5@example.com]}\n"
		 "timers: {principals: [person6@example.com]}\n"
		 "approval_sources:\n"
		 "  - {name: desk, secret: \"file:%s\"}\n"
		 "  - {name: other, secret: \"file:%s\", groups: [a0000000-0000-4000-8000-000000000001]}\n"
		 "  - {name: chat, kind: slack, secret: \"file:%s\", workspace: T9TK3CUKW, approvers: "
		 "{U1: person1@example.com, U2: Person2@example.com, U3: person3@example.com, U4: "
		 "person4@example.com}}\n",
		 w.secret_file, w.secret_file, w.slack_file);
	options.more = w.more;
	options.brokers = 2;
	options.group.min_ms = 1000;
	options.group.more =
		"      approval: {approvers: [person1@example.com, person2@example.com, person5@example.com, "
		"person6@example.com], timeout: 1h}\n";
	*state = &w;
	return world_start(&w.world, &options) ? 0 : -1;
}

static int close_world(void **state)
{
	struct hook_world *w = *state;

	unlink(w->secret_file);
	unlink(w->slack_file);
	world_passed(&w->world);
	return world_stop(&w->world) ? 0 : -1;
}

static void ask(const struct world *world, char id[ID_SIZE])
{
	struct http_response response;

	world_activate(world, &(struct world_ask){.person = ANN, .duration = "PT20M"}, &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(http_json_text(&response, "status"), "PendingApproval");
	snprintf(id, ID_SIZE, "%s", http_json_text(&response, "id"));
	http_response_release(&response);
}

static void expect_status(const struct world *world, const char *id, const char *status)
{
	struct http_response response;

	world_get_request(world, &(struct world_ask){.person = ANN}, id, &response);
	assert_string_equal(http_json_text(&response, "status"), status);
	http_response_release(&response);
}

static const char *field_of(const redisReply *fields, const char *name)
{
	for (size_t f = 0; f + 1 < fields->elements; f += 2)
		if (strcmp(fields->element[f]->str, name) == 0)
			return fields->element[f + 1]->str;
	return "";
}

/* The audit events by which the request stopped waiting for an approver. */
static size_t decisions_on(const struct world *world, const char *id)
{
	char key[24];
	redisReply *reply;
	size_t count = 0;

	snprintf(key, sizeof(key), "{j%d}:audit", id_lane(id));
	reply = redis_server_command(&world->redis, "XRANGE %s - +", key);
	assert_non_null(reply);
	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *fields = reply->element[i]->element[1];

		count += strcmp(field_of(fields, "r"), id) == 0 &&
			 strcmp(field_of(fields, "f"), "awaiting") == 0 &&
			 strcmp(field_of(fields, "t"), "awaiting") != 0;
	}
	freeReplyObject(reply);
	return count;
}

/* Refusals first, with the request untouched; then the decision, and its repetition answered alike. */
static void test_webhook(void **state)
{
	static const struct {
		struct hook hook;
		int status;
	} rows[] = {
		{{"desk", OTHER, "m1", "person1@example.com", "Approve", 0}, 401},
		{{"desk", SECRET, "m2", "person1@example.com", "Approve", 301}, 401},
		{{"nobody", SECRET, "m3", "person1@example.com", "Approve", 0}, 404},
		{{"desk", SECRET, "m4", "person1@example.com", "Perhaps", 0}, 400},
		{{"desk", SECRET, "m5", "person4@example.com", "Approve", 0}, 403},
		{{"desk", SECRET, "m6", "person3@example.com", "Approve", 0}, 403},
		{{"other", SECRET, "m7", "person1@example.com", "Approve", 0}, 403},
		/* As when they call themselves: auditors and timer jobs decide nothing. */
		{{"desk", SECRET, "m10", "person5@example.com", "Approve", 0}, 403},
		{{"desk", SECRET, "m11", "person6@example.com", "Approve", 0}, 403},
	};
	struct hook_world *w = *state;
	struct hook good = {"desk", SECRET, "m8", "Person1@Example.com", "approved", 0};
	struct hook late = {"desk", SECRET, "m9", "person2@example.com", "Deny", 0};
	struct hook reused = {"desk", SECRET, "m8", "person2@example.com", "Deny", 0};
	char id[ID_SIZE];

	ask(&w->world, id);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int status = hook_send(&w->world, &rows[i].hook, id);

		if (status != rows[i].status)
			fail_msg("%s: %d", rows[i].hook.id, status);
		expect_status(&w->world, id, "PendingApproval");
	}
	assert_int_equal(hook_send(&w->world, &good, "000f0000-0000-8000-8000-000000000000"), 404);
	assert_int_equal(hook_send(&w->world, &good, id), 204);
	assert_int_equal(hook_send(&w->world, &good, id), 204);
	good.broker = 1;
	assert_int_equal(hook_send(&w->world, &good, id), 204);
	assert_int_equal(hook_send(&w->world, &late, id), 409);
	assert_int_equal(hook_send(&w->world, &reused, id), 409);
	assert_int_equal(decisions_on(&w->world, id), 1);
	assert_true(
		world_wait_state(&w->world, &(struct world_ask){.person = ANN}, id, "provisioned", WAIT_MS));
	assert_int_equal(hook_send(&w->world, &good, id), 204);
}

#define CHAT "slack/chat"
#define TEAM "T9TK3CUKW"

static void test_slack(void **state)
{
	static const struct click rows[] = {
		{SECRET, CHAT, TEAM, "U1", "Approve", 0, 0, 401},
		{SLACK_SECRET, CHAT, TEAM, "U1", "Approve", 302, 0, 401},
		{SLACK_SECRET, CHAT, TEAM, "U1", "Approve", -302, 0, 401},
		{SLACK_SECRET, "slack/nobody", TEAM, "U1", "Approve", 0, 0, 404},
		{SLACK_SECRET, "slack/desk", TEAM, "U1", "Approve", 0, 0, 404},
		{SLACK_SECRET, "approvals/chat", TEAM, "U1", "Approve", 0, 0, 404},
		{SLACK_SECRET, CHAT, "T9TK3CUKX", "U1", "Approve", 0, 0, 403},
		{SLACK_SECRET, CHAT, TEAM, "U9", "Approve", 0, 0, 403}, /* nobody is behind it */
		{SLACK_SECRET, CHAT, TEAM, "u1", "Approve", 0, 0, 403},
		{SLACK_SECRET, CHAT, TEAM, "U4", "Approve", 0, 0, 403}, /* no approver of the group */
		{SLACK_SECRET, CHAT, TEAM, "U3", "Approve", 0, 0, 403}, /* it is their own */
		{SLACK_SECRET, CHAT, TEAM, "U1", "Perhaps", 0, 0, 400},
	};
	static const struct click deny = {SLACK_SECRET, CHAT, TEAM, "U2", "Deny", 0, 1, 200};
	static const struct click late = {SLACK_SECRET, CHAT, TEAM, "U1", "Approve", 0, 0, 409};
	struct hook_world *w = *state;
	struct click again = deny;
	char id[ID_SIZE], at[24], other[24] = "";

	ask(&w->world, id);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int status = hook_click(&w->world, &rows[i], id, memset(at, 0, sizeof(at)));

		if (status != rows[i].status)
			fail_msg("row %zu: %d", i, status);
		expect_status(&w->world, id, "PendingApproval");
	}
	assert_int_equal(hook_click(&w->world, &deny, id, memset(at, 0, sizeof(at))), 200);
	expect_status(&w->world, id, "Denied");
	/* The very same message, also to the other broker. */
	assert_int_equal(hook_click(&w->world, &deny, id, at), 200);
	again.broker = 0;
	assert_int_equal(hook_click(&w->world, &again, id, at), 200);
	assert_int_equal(hook_click(&w->world, &late, id, other), 409);
	assert_int_equal(decisions_on(&w->world, id), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_webhook, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_slack, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
