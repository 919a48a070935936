/*
 * What became of a request that waited for approvers is told as it is, whoever had said yes before: to a webhook, and to
 * the approver whose word was the last one.
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
#include "tests/support/receivers.h"
#include "tests/support/scene.h"

#define LEAD     1
#define ANN      3
#define BEN      4
#define CID      5
#define OUTCOMES 7 /* in the first story */
#define STAGE    "      approval: {approvers: [person1@example.com], timeout: 1h}\n"

/* Groups, by what ends their requests. */
enum { BY_LEAD, BY_TIME, BY_LIMIT, BY_POLICY, GROUPS };

struct outcome_world {
	struct world world;
	struct receiver receiver;
	char secret[HOOK_FILE_SIZE], more[1024];
};

static const char *const people[] = {"person3@example.com", "person4@example.com", "person5@example.com",
				     NULL};

static const struct broker_group groups[GROUPS] = {
	[BY_LEAD] = {.eligible = people, .min_ms = SECOND, .more = STAGE},
	[BY_TIME] = {.eligible = people,
		     .min_ms = SECOND,
		     .more = "      approval: {stages: [{approvers: [person1@example.com], timeout: 1h}, "
			     "{approvers: [person2@example.com], timeout: 1s}]}\n"},
	[BY_LIMIT] = {.eligible = people, .min_ms = SECOND, .more = STAGE "      max_active: 1\n"},
	[BY_POLICY] = {.eligible = people, .min_ms = SECOND, .more = STAGE},
};

static int open_world(void **state)
{
	static const char *const secrets[] = {HOOK_SECRET, NULL};
	struct outcome_world *w = calloc(1, sizeof(*w));
	struct world_options options = scene_defaults();

	*state = w;
	assert_non_null(w);
	assert_true(hook_write_secret(w->secret, HOOK_SECRET));
	assert_true(receiver_start(&w->receiver, secrets));
	snprintf(w->more, sizeof(w->more),
		 "approval_sources:\n  - {name: desk, secret: \"file:%s\"}\n"
		 "notices:\n  webhooks:\n    - {name: desk, url: \"%s/hook/desk\", secret: \"file:%s\", "
		 "allow_private: true, events: [approval.requested, approval.decided]}\n",
		 w->secret, w->receiver.url, w->secret);
	options.more = w->more;
	options.groups = GROUPS;
	options.each_group = groups;
	return world_start(&w->world, &options) ? 0 : -1;
}

static int close_world(void **state)
{
	struct outcome_world *w = *state;
	bool clean = world_stop(&w->world);

	receiver_end(&w->receiver);
	unlink(w->secret);
	free(w);
	return clean ? 0 : -1;
}

static void ask(const struct world *world, size_t person, size_t group, char id[ID_SIZE])
{
	scene_activate(world, &(struct world_ask){.person = person, .group = group, .duration = "PT20M"}, id);
}

/* The lead's word; its answer is for the caller to release. */
static void decide(const struct world *world, const char *id, const char *result,
		   struct http_response *response)
{
	char url[256], body[128];

	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s/stages", id);
	scene_get(world, LEAD, url, response);
	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s/stages/%s", id,
		 http_json_text(response, "value.0.id"));
	http_response_release(response);
	snprintf(body, sizeof(body), "{\"reviewResult\":\"%s\",\"justification\":\"as agreed\"}", result);
	broker_call(&world->brokers[0],
		    &(struct http_request){
			    .method = "PATCH", .url = url, .bearer = world_token(world, LEAD), .body = body},
		    response);
}

static void expect_decided(const struct world *world, const char *id, const char *result)
{
	struct http_response response;

	decide(world, id, result, &response);
	assert_int_equal(response.status, 204);
	http_response_release(&response);
}

/* With the rule as data, too. */
static void expect_refused(const struct http_response *response, const char *code, const char *message,
			   const char *rule)
{
	if (response->status != 400)
		fail_msg("%d %s", response->status, buf_text(&response->body));
	assert_string_equal(scene_text(response, "error.code"), code);
	assert_string_equal(scene_text(response, "error.message"), message);
	assert_string_equal(scene_text(response, "error.details.0.rule"), rule);
	assert_string_equal(scene_text(response, "error.details.0.result"), "refused");
}

/* "decision decidedBy reason" of the event of that request; what is not in it is "-". */
static void print_event(const struct http_response *received, const char *id, char out[256])
{
	static const char *const names[] = {"decision", "decidedBy", "reason"};
	size_t used = 0;

	out[0] = '\0';
	for (int i = 0; i < cJSON_GetArraySize(http_json(received, "messages")); i++) {
		char path[64];
		const char *text;

		snprintf(path, sizeof(path), "messages.%d.body.type", i);
		text = http_json_text(received, path);
		if (text == NULL || strcmp(text, "approval.decided") != 0)
			continue;
		snprintf(path, sizeof(path), "messages.%d.body.data.requestId", i);
		text = http_json_text(received, path);
		for (size_t k = 0; k < 3 && text != NULL && strcmp(text, id) == 0; k++) {
			const char *value;

			snprintf(path, sizeof(path), "messages.%d.body.data.%s", i, names[k]);
			value = http_json_text(received, path);
			used += (size_t)snprintf(out + used, 256 - used, "%s%s", k > 0 ? " " : "",
						 value != NULL ? value : "-");
		}
	}
}

/* `asked`: how often approvers are asked besides. */
static void expect_events(const struct outcome_world *w, char ids[][ID_SIZE], const char *const *events,
			  size_t asked)
{
	struct http_response received;
	char seen[256];

	assert_true(receiver_wait(&w->receiver, OUTCOMES + asked, SCENE_PATIENCE));
	receiver_received(&w->receiver, &received);
	for (size_t i = 0; i < OUTCOMES; i++) {
		print_event(&received, ids[i], seen);
		assert_string_equal(seen, events[i]);
	}
	http_response_release(&received);
}

#define FULL   "As many people as the group may have at once have it."
#define POLICY "Policy no longer allows it: EligibilityRule."

static void the_event_tells_the_outcome(void **state)
{
	static const char *const events[OUTCOMES] = {
		"Approve person1@example.com -",
		"Deny person1@example.com Denied by person1@example.com.",
		"Timeout - Nobody decided in time.",
		"Approve person1@example.com -",
		"Refuse - " FULL,
		"Refuse - " POLICY,
		"Withdraw - -",
	};
	struct outcome_world *w = *state;
	struct world *world = &w->world;
	const char *nobody[] = {"nobody@example.com", NULL};
	struct http_response response;
	char ids[OUTCOMES][ID_SIZE];

	ask(world, ANN, BY_LEAD, ids[0]);
	ask(world, BEN, BY_LEAD, ids[1]);
	ask(world, ANN, BY_TIME, ids[2]);
	ask(world, ANN, BY_LIMIT, ids[3]);
	ask(world, BEN, BY_LIMIT, ids[4]);
	ask(world, ANN, BY_POLICY, ids[5]);
	ask(world, CID, BY_LEAD, ids[6]);
	/* What is withdrawn before it was told is not asked any more. */
	assert_true(receiver_wait(&w->receiver, OUTCOMES, SCENE_PATIENCE));
	assert_int_equal(scene_cancel(world, CID, ids[6]), 204);
	expect_decided(world, ids[0], "Approve");
	expect_decided(world, ids[1], "Deny");
	expect_decided(world, ids[2], "Approve");
	expect_decided(world, ids[3], "Approve");
	decide(world, ids[4], "Approve", &response);
	expect_refused(&response, "RoleAssignmentLimitReached", FULL, "MaxActiveRule");
	http_response_release(&response);
	((struct broker_group *)(uintptr_t)world->config.groups)[BY_POLICY].eligible = nobody;
	assert_true(scene_reload(world, 0));
	decide(world, ids[5], "Approve", &response);
	expect_refused(&response, "RoleAssignmentRequestPolicyValidationFailed", POLICY, "EligibilityRule");
	http_response_release(&response);
	/* The second stage of one asks anew. */
	expect_events(w, ids, events, OUTCOMES + 1);
	world_passed(world);
}

/* An approval that could grant nothing is answered with that, however often it comes. */
static void a_repetition_is_refused_alike(void **state)
{
	struct outcome_world *w = *state;
	struct world *world = &w->world;
	const struct hook hook = {"desk", HOOK_SECRET, "m1", "person1@example.com", "Approve", 0, 0};
	struct http_response response;
	char first[ID_SIZE], second[ID_SIZE];

	ask(world, ANN, BY_LIMIT, first);
	ask(world, BEN, BY_LIMIT, second);
	expect_decided(world, first, "Approve");
	for (int i = 0; i < 2; i++) {
		hook_call(world, &hook, second, &response);
		expect_refused(&response, "RoleAssignmentLimitReached", FULL, "MaxActiveRule");
		http_response_release(&response);
	}
	decide(world, second, "Approve", &response);
	expect_refused(&response, "RoleAssignmentLimitReached", FULL, "MaxActiveRule");
	http_response_release(&response);
	decide(world, second, "Deny", &response);
	assert_int_equal(response.status, 409);
	http_response_release(&response);
	expect_decided(world, first, "Approve");
	world_passed(world);
}

/* What an approval system needs to decide. */
static void the_event_tells_what_is_asked(void **state)
{
	struct outcome_world *w = *state;
	struct world *world = &w->world;
	struct http_response response;
	char body[512], start[32];

	scene_from_now(3600 * SECOND, start);
	snprintf(
		body, sizeof(body),
		"{\"action\":\"selfActivate\",\"accessId\":\"member\",\"groupId\":\"%s\",\"justification\":"
		"\"the secret reason\",\"ticketInfo\":{\"ticketNumber\":\"INC42\",\"ticketSystem\":\"desk\"},"
		"\"scheduleInfo\":{\"startDateTime\":\"%s\",\"expiration\":{\"duration\":\"PT20M\"}}}",
		world_group_id(world, BY_LEAD), start);
	broker_call(&world->brokers[0],
		    &(struct http_request){.url = PIM "assignmentScheduleRequests",
					   .bearer = world_token(world, ANN),
					   .body = body},
		    &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	assert_true(receiver_wait(&w->receiver, 1, SCENE_PATIENCE));
	receiver_received(&w->receiver, &response);
	assert_string_equal(scene_text(&response, "messages.0.body.type"), "approval.requested");
	assert_string_equal(scene_text(&response, "messages.0.body.data.action"), "selfActivate");
	assert_string_equal(scene_text(&response, "messages.0.body.data.ticketNumber"), "INC42");
	assert_string_equal(scene_text(&response, "messages.0.body.data.ticketSystem"), "desk");
	assert_int_equal(scene_number(&response, "messages.0.body.data.stage"), 1);
	assert_string_equal(scene_text(&response, "messages.0.body.data.duration"), "PT20M");
	assert_string_equal(scene_text(&response, "messages.0.body.data.startDateTime"), start);
	assert_null(strstr(buf_text(&response.body), "the secret reason"));
	http_response_release(&response);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_event_tells_the_outcome, open_world, close_world),
		cmocka_unit_test_setup_teardown(a_repetition_is_refused_alike, open_world, close_world),
		cmocka_unit_test_setup_teardown(the_event_tells_what_is_asked, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
