/* Approvals: who decides, once, and what the request becomes. Real Redis, real broker, real application. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/iso8601.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"
#include "tests/support/world.h"

#define WAIT_MS 20000
#define ANN     3 /* who asks */
#define LEAD    1 /* who may decide … */
#define DEPUTY  2 /* … and who else */
#define NOBODY  4

#define STAGE_SIZE (2 * ID_SIZE + 8)

static const char one_stage[] =
	"      approval: {approvers: [person1@example.com, person2@example.com], timeout: 1h}\n";
static const char two_needed[] =
	"      approval: {approvers: [person1@example.com, person2@example.com], needed: 2, timeout: 1h}\n";
static const char two_stages[] = "      approval: {stages: [{approvers: [person1@example.com], timeout: 1h}, "
				 "{approvers: [person2@example.com], timeout: 1h}]}\n";
static const char without_lead[] = "      approval: {approvers: [person2@example.com], timeout: 1h}\n";
static const char escalating[] =
	"      approval: {approvers: [person1@example.com], timeout: 10m, escalation: "
	"{after: 9m, approvers: [person2@example.com]}}\n";
static const char escalating_later[] = "      approval: {approvers: [person1@example.com], timeout: 24h, "
				       "escalation: {after: 9m, approvers: [person2@example.com]}}\n";
static const char short_time[] = "      approval: {approvers: [person1@example.com], timeout: 1s}\n";

static void open_world(struct world *world, const char *approval, size_t brokers)
{
	struct world_options options = world_defaults();

	memset(world, 0, sizeof(*world));
	options.group.more = approval;
	options.group.min_ms = 1000;
	options.brokers = brokers;
	assert_true(world_start(world, &options));
}

static void close_world(struct world *world)
{
	world_passed(world);
	assert_true(world_stop(world));
}

static void ask(const struct world *world, size_t person, const char *duration, char id[ID_SIZE])
{
	struct http_response response;

	world_activate(world, &(struct world_ask){.person = person, .duration = duration}, &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(http_json_text(&response, "status"), "PendingApproval");
	assert_string_equal(http_json_text(&response, "approvalId"), http_json_text(&response, "id"));
	snprintf(id, ID_SIZE, "%s", http_json_text(&response, "id"));
	http_response_release(&response);
}

static void call(const struct world *world, size_t person, const struct http_request *request,
		 struct http_response *response)
{
	struct http_request with_token = *request;

	with_token.bearer = world_token(world, person);
	broker_call(&world->brokers[0], &with_token, response);
}

/* The path of the stage that is in progress, "ID/stages/STAGE", as the person sees the approval. */
static void open_stage(const struct world *world, size_t person, const char *id, char stage[STAGE_SIZE])
{
	struct http_response response;
	char url[512], path[64];

	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s", id);
	call(world, person, &(struct http_request){.url = url}, &response);
	assert_int_equal(response.status, 200);
	stage[0] = '\0';
	for (int i = 0; i < 4 && stage[0] == '\0'; i++) {
		snprintf(path, sizeof(path), "stages.%d.status", i);
		const char *status = http_json_text(&response, path);
		snprintf(path, sizeof(path), "stages.%d.id", i);
		if (status != NULL && strcmp(status, "InProgress") == 0)
			snprintf(stage, STAGE_SIZE, "%s/stages/%s", id, http_json_text(&response, path));
	}
	http_response_release(&response);
	assert_string_not_equal(stage, "");
}

/* `stage` is the path below assignmentApprovals: "ID/stages/STAGE". */
static void decide(const struct world *world, size_t person, const char *stage, const char *result,
		   struct http_response *response)
{
	char url[512], body[128];

	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s", stage);
	snprintf(body, sizeof(body), "{\"reviewResult\":\"%s\",\"justification\":\"seen\"}", result);
	call(world, person, &(struct http_request){.method = "PATCH", .url = url, .body = body}, response);
}

static void expect_decision(const struct world *world, size_t person, const char *id, const char *result,
			    int status)
{
	struct http_response response;
	char stage[STAGE_SIZE];

	open_stage(world, LEAD, id, stage);
	decide(world, person, stage, result, &response);
	if (response.status != status)
		fprintf(stderr, "%s\n", buf_text(&response.body));
	assert_int_equal(response.status, status);
	http_response_release(&response);
}

static void expect_status(const struct world *world, size_t person, const char *id, const char *status)
{
	struct http_response response;

	world_get_request(world, &(struct world_ask){.person = person}, id, &response);
	assert_int_equal(response.status, 200);
	assert_string_equal(http_json_text(&response, "status"), status);
	http_response_release(&response);
}

static size_t inbox(const struct world *world, size_t person)
{
	struct http_response response;
	size_t count;

	call(world, person,
	     &(struct http_request){.url = PIM
				    "assignmentScheduleRequests/filterByCurrentUser(on='approver')"},
	     &response);
	assert_int_equal(response.status, 200);
	count = (size_t)cJSON_GetArraySize(http_json(&response, "value"));
	http_response_release(&response);
	return count;
}

/* Nothing is pushed before somebody agrees, and then at once; the time counts from the approval. */
static void test_approve(void **state)
{
	struct world world;
	char id[ID_SIZE];

	(void)state;
	open_world(&world, one_stage, 1);
	ask(&world, ANN, "PT20M", id);
	assert_false(
		sandbox_is_member(&world.sandbox, world_group_name(&world, 0), world_user_name(&world, ANN)));
	assert_int_equal(inbox(&world, LEAD), 1);
	assert_int_equal(inbox(&world, DEPUTY), 1);
	assert_int_equal(inbox(&world, NOBODY), 0);
	assert_int_equal(inbox(&world, ANN), 0);
	expect_decision(&world, LEAD, id, "Approve", 204);
	assert_true(world_wait_state(&world, &(struct world_ask){.person = ANN}, id, "provisioned", WAIT_MS));
	assert_true(
		sandbox_is_member(&world.sandbox, world_group_name(&world, 0), world_user_name(&world, ANN)));
	assert_int_equal(inbox(&world, LEAD), 0);
	close_world(&world);
}

static void test_deny(void **state)
{
	struct world world;
	char id[ID_SIZE];

	(void)state;
	open_world(&world, one_stage, 1);
	ask(&world, ANN, "PT20M", id);
	expect_decision(&world, LEAD, id, "Deny", 204);
	expect_status(&world, ANN, id, "Denied");
	assert_false(
		sandbox_is_member(&world.sandbox, world_group_name(&world, 0), world_user_name(&world, ANN)));
	close_world(&world);
}

/* The second one is told; saying the same again is harmless. */
static void test_second_decision(void **state)
{
	struct world world;
	struct http_response response;
	char id[ID_SIZE], stage[STAGE_SIZE];

	(void)state;
	open_world(&world, one_stage, 1);
	ask(&world, ANN, "PT20M", id);
	open_stage(&world, LEAD, id, stage);
	decide(&world, LEAD, stage, "approve", &response);
	assert_int_equal(response.status, 204);
	http_response_release(&response);
	decide(&world, LEAD, stage, "Approve", &response);
	assert_int_equal(response.status, 204);
	http_response_release(&response);
	decide(&world, DEPUTY, stage, "Deny", &response);
	assert_int_equal(response.status, 409);
	assert_non_null(
		strstr(http_json_text(&response, "error.message"), "person1@example.com said Approve at 20"));
	http_response_release(&response);
	assert_true(world_wait_state(&world, &(struct world_ask){.person = ANN}, id, "provisioned", WAIT_MS));
	close_world(&world);
}

/* Nobody decides their own request, and nobody decides who is no approver. */
static void test_who_may(void **state)
{
	struct http_response response;
	struct world world;
	char id[ID_SIZE], url[256];

	(void)state;
	open_world(&world, one_stage, 1);
	ask(&world, LEAD, "PT20M", id);
	assert_int_equal(inbox(&world, LEAD), 0);
	expect_decision(&world, LEAD, id, "Approve", 403);
	expect_decision(&world, NOBODY, id, "Approve", 403);
	expect_decision(&world, NOBODY, id, "Perhaps", 400);
	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s", id);
	call(&world, NOBODY, &(struct http_request){.url = url}, &response);
	assert_int_equal(response.status, 403);
	assert_string_equal(http_json_text(&response, "error.message"),
			    "You are no approver of this request.");
	http_response_release(&response);
	expect_status(&world, LEAD, id, "PendingApproval");
	expect_decision(&world, DEPUTY, id, "Approve", 204);
	assert_true(
		world_wait_state(&world, &(struct world_ask){.person = LEAD}, id, "provisioned", WAIT_MS));
	close_world(&world);
}

static void expect_read(const struct world *world, size_t person, const char *id, int status)
{
	struct http_response response;

	world_get_request(world, &(struct world_ask){.person = person}, id, &response);
	assert_int_equal(response.status, status);
	http_response_release(&response);
}

/* Who may decide about a request may read it, and who has decided may still do so when they are no approver any more. */
static void test_who_reads(void **state)
{
	struct world world;
	char id[ID_SIZE];

	(void)state;
	open_world(&world, one_stage, 1);
	ask(&world, ANN, "PT20M", id);
	expect_read(&world, LEAD, id, 200);
	expect_read(&world, NOBODY, id, 404);
	expect_decision(&world, LEAD, id, "Deny", 204);
	expect_read(&world, LEAD, id, 200);
	((struct broker_group *)(uintptr_t)world.config.groups)[0].more = without_lead;
	assert_true(scene_reload(&world, 0));
	expect_read(&world, LEAD, id, 200);
	expect_read(&world, NOBODY, id, 404);
	close_world(&world);
}

static void test_two_needed(void **state)
{
	struct world world;
	char id[ID_SIZE];

	(void)state;
	open_world(&world, two_needed, 1);
	ask(&world, ANN, "PT20M", id);
	expect_decision(&world, LEAD, id, "Approve", 204);
	expect_decision(&world, LEAD, id, "Approve", 204);
	expect_status(&world, ANN, id, "PendingApproval");
	expect_decision(&world, DEPUTY, id, "Approve", 204);
	assert_true(world_wait_state(&world, &(struct world_ask){.person = ANN}, id, "provisioned", WAIT_MS));
	close_world(&world);
}

/* The deputy's word is the last one: Ann gets what she has asked for. */
static void approve_last(const struct world *world, const char *id)
{
	struct http_response response;
	char stage[STAGE_SIZE];

	open_stage(world, DEPUTY, id, stage);
	decide(world, DEPUTY, stage, "Approve", &response);
	assert_int_equal(response.status, 204);
	http_response_release(&response);
	assert_true(world_wait_state(world, &(struct world_ask){.person = ANN}, id, "provisioned", WAIT_MS));
}

static void test_two_stages(void **state)
{
	struct world world;
	char id[ID_SIZE];

	(void)state;
	open_world(&world, two_stages, 1);
	ask(&world, ANN, "PT20M", id);
	assert_int_equal(inbox(&world, DEPUTY), 0);
	expect_decision(&world, DEPUTY, id, "Approve", 403);
	expect_decision(&world, LEAD, id, "Approve", 204);
	expect_status(&world, ANN, id, "PendingApproval");
	assert_int_equal(inbox(&world, LEAD), 0);
	assert_int_equal(inbox(&world, DEPUTY), 1);
	approve_last(&world, id);
	close_world(&world);
}

/* What policy is against for now, the hour say, does not end a request before the last approval. */
static void test_policy_at_the_last_one(void **state)
{
	struct world world;
	struct broker_group *groups;
	char id[ID_SIZE];

	(void)state;
	open_world(&world, two_stages, 1);
	groups = (struct broker_group *)(uintptr_t)world.config.groups;
	ask(&world, ANN, "PT9M", id);
	groups[0].max_ms = 5 * 60 * SECOND;
	assert_true(scene_reload(&world, 0));
	expect_decision(&world, LEAD, id, "Approve", 204);
	groups[0].max_ms = 10 * 60 * SECOND;
	assert_true(scene_reload(&world, 0));
	approve_last(&world, id);
	close_world(&world);
}

struct watched {
	const struct world *world;
	const char *id, *status;
};

static bool has_status(void *ctx)
{
	struct watched *watched = ctx;
	struct http_response response;
	const char *status;
	bool has;

	world_get_request(watched->world, &(struct world_ask){.person = ANN}, watched->id, &response);
	status = http_json_text(&response, "status");
	has = status != NULL && strcmp(status, watched->status) == 0;
	http_response_release(&response);
	return has;
}

static void test_time_out(void **state)
{
	struct world world;
	struct http_response response;
	char id[ID_SIZE];

	(void)state;
	open_world(&world, short_time, 1);
	ask(&world, ANN, "PT20M", id);
	assert_true(wait_until(has_status, &(struct watched){&world, id, "Denied"}, WAIT_MS));
	world_get_request(&world, &(struct world_ask){.person = ANN}, id, &response);
	assert_string_equal(http_json_text(&response, "provisioning.lastError"), "Nobody decided in time.");
	http_response_release(&response);
	close_world(&world);
}

/* The escalation comes so long after the asking, whatever has become of the time-out since. */
static void test_escalation_after_reload(void **state)
{
	struct world world;
	struct broker_group *groups;
	char id[ID_SIZE];

	(void)state;
	open_world(&world, escalating, 1);
	groups = (struct broker_group *)(uintptr_t)world.config.groups;
	ask(&world, ANN, "PT20M", id);
	expect_decision(&world, DEPUTY, id, "Approve", 403);
	groups[0].more = escalating_later;
	assert_true(scene_reload(&world, 0));
	expect_decision(&world, DEPUTY, id, "Approve", 403);
	expect_decision(&world, LEAD, id, "Approve", 204);
	close_world(&world);
}

/* An administrator's assignment starts although people's own rules would refuse it: longer than they allow, unapproved. */
static void test_admin_assigns_ahead(void **state)
{
	struct world world;
	struct http_response response;
	char id[ID_SIZE], body[512], start[ISO8601_TIME_SIZE];

	(void)state;
	open_world(&world, one_stage, 1);
	iso8601_format_time(clock_wall_ms() + 1500, start);
	snprintf(body, sizeof(body),
		 "{\"action\":\"adminAssign\",\"accessId\":\"member\",\"groupId\":\"%s\",\"principalId\":\"%"
		 "s\","
		 "\"scheduleInfo\":{\"startDateTime\":\"%s\",\"expiration\":{\"duration\":\"P9D\"}}}",
		 world_group_id(&world, 0), world_person_id(&world, ANN), start);
	call(&world, 0, &(struct http_request){.url = PIM "assignmentScheduleRequests", .body = body},
	     &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(http_json_text(&response, "status"), "Granted");
	snprintf(id, ID_SIZE, "%s", http_json_text(&response, "id"));
	http_response_release(&response);
	assert_true(wait_until(has_status, &(struct watched){&world, id, "PendingProvisioning"}, WAIT_MS));
	close_world(&world);
}

static void test_cancel(void **state)
{
	struct world world;
	struct http_response response;
	char id[ID_SIZE], stage[STAGE_SIZE], url[256];

	(void)state;
	open_world(&world, one_stage, 1);
	ask(&world, ANN, "PT20M", id);
	open_stage(&world, LEAD, id, stage);
	snprintf(url, sizeof(url), PIM "assignmentScheduleRequests/%s/cancel", id);
	call(&world, ANN, &(struct http_request){.method = "POST", .url = url}, &response);
	assert_int_equal(response.status, 204);
	http_response_release(&response);
	decide(&world, LEAD, stage, "Approve", &response);
	assert_int_equal(response.status, 409);
	http_response_release(&response);
	expect_status(&world, ANN, id, "Canceled");
	close_world(&world);
}

/* Two approvers at two brokers at the same moment, again and again: one outcome, one of them is told. */
static void test_race(void **state)
{
	struct world world;
	bool was_denied;

	(void)state;
	open_world(&world, one_stage, 2);
	for (int round = 0; round < 20; round++) {
		struct http_request requests[2];
		struct http_response responses[2], response;
		char id[ID_SIZE], stage[STAGE_SIZE], urls[2][512];

		ask(&world, ANN, "PT20M", id);
		open_stage(&world, LEAD, id, stage);
		for (size_t i = 0; i < 2; i++) {
			snprintf(urls[i], sizeof(urls[i]), "%s" PIM "assignmentApprovals/%s",
				 world.brokers[i].root, stage);
			requests[i] = (struct http_request){
				.method = "PATCH",
				.url = urls[i],
				.bearer = world_token(&world, i == 0 ? LEAD : DEPUTY),
				.body = i == 0 ? "{\"reviewResult\":\"Approve\"}"
					       : "{\"reviewResult\":\"Deny\"}",
			};
		}
		assert_true(http_many(requests, 2, 2, responses));
		assert_int_equal(responses[0].status + responses[1].status, 204 + 409);
		was_denied = responses[1].status == 204;
		http_response_release(&responses[0]);
		http_response_release(&responses[1]);
		world_get_request(&world, &(struct world_ask){.person = ANN}, id, &response);
		assert_int_equal(strcmp(http_json_text(&response, "status"), "Denied") == 0, was_denied);
		http_response_release(&response);
		if (!was_denied) {
			world_deactivate(&world, &(struct world_ask){.person = ANN}, &response);
			assert_int_equal(response.status, 201);
			http_response_release(&response);
		}
	}
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_approve),
		cmocka_unit_test(test_deny),
		cmocka_unit_test(test_second_decision),
		cmocka_unit_test(test_who_may),
		cmocka_unit_test(test_who_reads),
		cmocka_unit_test(test_two_needed),
		cmocka_unit_test(test_two_stages),
		cmocka_unit_test(test_policy_at_the_last_one),
		cmocka_unit_test(test_time_out),
		cmocka_unit_test(test_escalation_after_reload),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_admin_assigns_ahead),
		cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
