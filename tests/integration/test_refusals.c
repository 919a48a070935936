/*
 * What was refused is in the audit, with who wanted it, how and from where they called, what it was, and the rule that
 * was against it; nobody floods the trail with it; and an approval is there, also when it is the last one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/hooks.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

enum { OPERATOR = 0, LEAD = 1, AUDITOR = 2, ANN = 3, NOBODY = 4, FLOODER = 5 };

struct refused_world {
	struct world world;
	char hook_file[HOOK_FILE_SIZE], more[512];
};

static int open_world(void **state)
{
	static struct refused_world w;
	struct world_options options = scene_defaults();

	memset(&w, 0, sizeof(w));
	if (!hook_write_secret(w.hook_file, HOOK_SECRET))
		return -1;
	snprintf(w.more, sizeof(w.more),
		 "auditors: {principals: [person2@example.com]}\n"
		 "approval_sources:\n"
		 "  - {name: desk, secret: \"file:%s\"}\n"
		 "  - {name: other, secret: \"file:%s\", groups: [a0000000-0000-4000-8000-000000000001]}\n",
		 w.hook_file, w.hook_file);
	options.more = w.more;
	options.group.max_ms = 3600 * SECOND;
	options.group.more = "      approval: {approvers: [person1@example.com], timeout: 1h}\n";
	*state = &w;
	return world_start(&w.world, &options) ? 0 : -1;
}

static int close_world(void **state)
{
	struct refused_world *w = *state;

	unlink(w->hook_file);
	world_passed(&w->world);
	return world_stop(&w->world) ? 0 : -1;
}

/* -- the trail -------------------------------------------------------------------------------------------------- */

/* The events of that name by that caller (NULL = anybody), oldest first, as a JSON array; to be deleted. */
static cJSON *events_of(const struct world *world, const char *event, const char *by)
{
	struct http_response response;
	cJSON *found = cJSON_CreateArray();
	char *text, *line, *rest;

	scene_get(world, AUDITOR, "/api/audit?limit=1000", &response);
	assert_int_equal(response.status, 200);
	text = strdup(buf_text(&response.body));
	assert_non_null(text);
	http_response_release(&response);
	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		cJSON *one = cJSON_Parse(line);
		const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(one, "event"));
		const char *who = cJSON_GetStringValue(cJSON_GetObjectItem(one, "by"));

		assert_non_null(name);
		if (strcmp(name, event) == 0 && (by == NULL || (who != NULL && strcmp(who, by) == 0)))
			cJSON_AddItemToArray(found, one);
		else
			cJSON_Delete(one);
	}
	free(text);
	return found;
}

static const char *text_in(const cJSON *event, const char *object, const char *name)
{
	const cJSON *in = object != NULL ? cJSON_GetObjectItem(event, object) : event;
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(in, name));

	return text != NULL ? text : "";
}

/* Fire and forget: the event may come a moment after the answer. */
struct awaited {
	const struct world *world;
	const char *event, *by;
	int count;
};

static bool has_come(void *ctx)
{
	struct awaited *awaited = ctx;
	cJSON *events = events_of(awaited->world, awaited->event, awaited->by);
	bool enough = cJSON_GetArraySize(events) >= awaited->count;

	cJSON_Delete(events);
	return enough;
}

/* Waits until there are so many, and no fewer; the last one. To be deleted is the array, into *all. */
static const cJSON *last_event(const struct world *world, const char *event, const char *by, int count,
			       cJSON **all)
{
	assert_true(wait_until(has_come, &(struct awaited){world, event, by, count}, SCENE_PATIENCE));
	*all = events_of(world, event, by);
	assert_int_equal(cJSON_GetArraySize(*all), count);
	return cJSON_GetArrayItem(*all, count - 1);
}

static int post(const struct world *world, size_t person, const char *url, const char *body)
{
	struct http_response response;
	int status;

	broker_call(&world->brokers[0],
		    &(struct http_request){
			    .method = "POST", .url = url, .body = body, .bearer = world_token(world, person)},
		    &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

static int ask(const struct world *world, size_t person, const char *duration, bool only_try,
	       char id[ID_SIZE])
{
	struct http_response response;
	const char *text;
	int status;

	world_activate(world,
		       &(struct world_ask){.person = person, .duration = duration, .only_try = only_try},
		       &response);
	status = response.status;
	text = status == 201 ? http_json_text(&response, "id") : "";
	snprintf(id, ID_SIZE, "%s", text != NULL ? text : "");
	http_response_release(&response);
	return status;
}

static int decide(const struct world *world, size_t person, const char *id)
{
	struct http_response response;
	char url[256], stage[ID_SIZE];
	int status;

	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s", id);
	scene_get(world, LEAD, url, &response);
	assert_int_equal(response.status, 200);
	snprintf(stage, sizeof(stage), "%s", http_json_text(&response, "stages.0.id"));
	http_response_release(&response);
	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s/stages/%s", id, stage);
	broker_call(
		&world->brokers[0],
		&(struct http_request){.method = "PATCH",
				       .url = url,
				       .body = "{\"reviewResult\":\"Approve\",\"justification\":\"seen\"}",
				       .bearer = world_token(world, person)},
		&response);
	status = response.status;
	http_response_release(&response);
	return status;
}

/* -- stories ---------------------------------------------------------------------------------------------------- */

/* By policy, by a role, by the approvers, by the webhook's name: each with who, how, from where, what and why. */
static void test_each_refusal(void **state)
{
	const struct refused_world *w = *state;
	const struct world *world = &w->world;
	static const struct hook hook = {"desk", HOOK_SECRET, "m1", "person4@example.com", "Approve", 0, 0};
	const char *ann = world_person_id(world, ANN), *nobody = world_person_id(world, NOBODY);
	const cJSON *event;
	char id[ID_SIZE], other[ID_SIZE], url[256];
	cJSON *all;

	/* A try changes nothing, and is no event. */
	assert_int_equal(ask(world, ANN, "PT9H", true, id), 400);
	assert_int_equal(ask(world, ANN, "PT9H", false, id), 400);
	event = last_event(world, "refused", ann, 1, &all);
	assert_string_equal(text_in(event, NULL, "userName"), "person3@example.com");
	assert_string_equal(text_in(event, "actor", "userName"), "person3@example.com");
	assert_string_equal(text_in(event, "actor", "how"), "token");
	assert_string_equal(text_in(event, "actor", "address"), "127.0.0.1");
	assert_string_equal(text_in(event, NULL, "action"), "selfActivate");
	assert_string_equal(text_in(event, NULL, "group"), world_group_id(world, 0));
	assert_non_null(strstr(text_in(event, NULL, "why"), "ExpirationRule"));
	assert_string_equal(text_in(event, "details", "code"), "RoleAssignmentRequestPolicyValidationFailed");
	cJSON_Delete(all);

	assert_int_equal(ask(world, ANN, "PT20M", false, id), 201);
	assert_int_equal(decide(world, NOBODY, id), 403);
	event = last_event(world, "refused", nobody, 1, &all);
	assert_string_equal(text_in(event, NULL, "request"), id);
	assert_string_equal(text_in(event, NULL, "action"), "Approve");
	assert_string_equal(text_in(event, NULL, "why"), "You are no approver of this request.");
	cJSON_Delete(all);

	assert_int_equal(post(world, NOBODY, "/api/applications/app/pause", "{}"), 403);
	event = last_event(world, "refused", nobody, 2, &all);
	assert_string_equal(text_in(event, "details", "path"), "/api/applications/app/pause");
	assert_string_equal(text_in(event, NULL, "why"), "Only operators may do that.");
	cJSON_Delete(all);

	/* Callers are told that there is no such request; auditors know better. */
	snprintf(url, sizeof(url), PIM "assignmentScheduleRequests/%s/cancel", id);
	assert_int_equal(post(world, NOBODY, url, NULL), 404);
	event = last_event(world, "refused", nobody, 3, &all);
	assert_string_equal(text_in(event, NULL, "action"), "cancel");
	assert_string_equal(text_in(event, NULL, "request"), id);
	cJSON_Delete(all);

	assert_int_equal(hook_send(world, &hook, id), 403);
	event = last_event(world, "refused", "person4@example.com", 1, &all);
	assert_string_equal(text_in(event, "actor", "how"), "webhook:desk");
	assert_string_equal(text_in(event, NULL, "request"), id);
	cJSON_Delete(all);

	assert_int_equal(ask(world, LEAD, "PT20M", false, other), 201);
	assert_int_equal(decide(world, LEAD, other), 403);
	event = last_event(world, "refused", world_person_id(world, LEAD), 1, &all);
	assert_string_equal(text_in(event, NULL, "why"), "Nobody decides their own request.");
	cJSON_Delete(all);
}

static void expect_rule(struct http_response *response, const char *rule)
{
	if (response->status != 403)
		fail_msg("%d %s", response->status, buf_text(&response->body));
	assert_string_equal(scene_text(response, "error.details.0.rule"), rule);
	http_response_release(response);
}

static void expect_hook_rule(const struct world *world, const struct hook *hook, const char *id,
			     const char *rule)
{
	struct http_response response;

	/* Its repetition is answered from what was kept. */
	for (int i = 0; i < 2; i++) {
		hook_call(world, hook, id, &response);
		expect_rule(&response, rule);
	}
}

/* Programs need not read sentences: a 403 has its rule as data, whoever refuses, and so has the audit. */
static void test_rules(void **state)
{
	static const struct hook hooks[] = {
		{"desk", HOOK_SECRET, "r1", "person4@example.com", "Approve", 0, 0},
		{"desk", HOOK_SECRET, "r2", "person3@example.com", "Approve", 0, 0},
		{"desk", HOOK_SECRET, "r3", "person2@example.com", "Approve", 0, 0},
		{"other", HOOK_SECRET, "r4", "person1@example.com", "Approve", 0, 0},
	};
	static const char *const rules[] = {"ApproverRule", "OwnRequestRule", "RoleRule", "SourceRule"};
	const struct world *world = &((struct refused_world *)*state)->world;
	struct http_response response;
	char id[ID_SIZE], url[256], body[256];
	const cJSON *event;
	cJSON *all;

	assert_int_equal(ask(world, ANN, "PT20M", false, id), 201);
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		expect_hook_rule(world, &hooks[i], id, rules[i]);
	event = last_event(world, "refused", "person1@example.com", 2, &all);
	assert_string_equal(
		text_in(cJSON_GetArrayItem(
				cJSON_GetObjectItem(cJSON_GetObjectItem(event, "details"), "rules"), 0),
			NULL, "rule"),
		"SourceRule");
	cJSON_Delete(all);
	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s", id);
	scene_get(world, NOBODY, url, &response);
	expect_rule(&response, "ApproverRule");
	snprintf(url, sizeof(url), PIM "assignmentScheduleRequests?$filter=principalId%%20eq%%20'%s'",
		 world_person_id(world, ANN));
	scene_get(world, NOBODY, url, &response);
	expect_rule(&response, "PrincipalRule");
	snprintf(body, sizeof(body),
		 "{\"action\":\"adminRemove\",\"accessId\":\"member\",\"groupId\":\"%s\",\"principalId\":\"%"
		 "s\"}",
		 world_group_id(world, 0), world_person_id(world, ANN));
	broker_call(&world->brokers[0],
		    &(struct http_request){.url = PIM "assignmentScheduleRequests",
					   .body = body,
					   .bearer = world_token(world, NOBODY)},
		    &response);
	expect_rule(&response, "RoleRule");
}

#define FLOOD 240

/* So many refusals within a moment leave a bounded number of events, and the trail says that there were more. */
static void test_flood(void **state)
{
	const struct refused_world *w = *state;
	const struct world *world = &w->world;
	const char *flooder = world_person_id(world, FLOODER);
	const cJSON *event;
	bool counted = false;
	char id[ID_SIZE];
	cJSON *all;
	int count;

	for (int i = 0; i < FLOOD; i++)
		assert_int_equal(ask(world, FLOODER, "PT9H", false, id), 400);
	/* Two minutes at most were begun: in each twenty, the one that says that the rest is counted, and the hundredth. */
	all = events_of(world, "refused", flooder);
	count = cJSON_GetArraySize(all);
	assert_in_range(count, 22, 44);
	cJSON_ArrayForEach(event, all)
		counted |= cJSON_GetObjectItem(cJSON_GetObjectItem(event, "details"), "thisMinute") != NULL;
	assert_true(counted);
	cJSON_Delete(all);
}

/* A source that names one approver after another, whom nobody knows, is one who floods. */
static void test_flood_of_names(void **state)
{
	const struct refused_world *w = *state;
	const struct world *world = &w->world;
	char id[ID_SIZE], approver[64], message[16];
	struct hook hook = {"desk", HOOK_SECRET, message, approver, "Approve", 0, 0};
	struct awaited awaited = {world, "refused", NULL, 20};
	const cJSON *event;
	int count = 0;
	cJSON *all;

	assert_int_equal(ask(world, ANN, "PT20M", false, id), 201);
	for (int i = 0; i < FLOOD; i++) {
		snprintf(message, sizeof(message), "f%d", i);
		snprintf(approver, sizeof(approver), "invented%d@example.com", i);
		assert_int_equal(hook_send(world, &hook, id), 403);
	}
	assert_true(wait_until(has_come, &awaited, SCENE_PATIENCE));
	all = events_of(world, "refused", NULL);
	cJSON_ArrayForEach(event, all)
		count += strcmp(text_in(event, "actor", "how"), "webhook:desk") == 0;
	cJSON_Delete(all);
	assert_in_range(count, 20, 44);
}

/* The last approval is an event of the approver's, with their reason; then comes what it brought. */
static void test_last_approval(void **state)
{
	const struct refused_world *w = *state;
	const struct world *world = &w->world;
	const cJSON *event;
	char id[ID_SIZE];
	cJSON *all;

	assert_int_equal(ask(world, ANN, "PT20M", false, id), 201);
	assert_int_equal(decide(world, LEAD, id), 204);
	event = last_event(world, "approve", world_person_id(world, LEAD), 1, &all);
	assert_string_equal(text_in(event, NULL, "request"), id);
	assert_string_equal(text_in(event, NULL, "why"), "seen");
	assert_string_equal(text_in(event, "actor", "userName"), "person1@example.com");
	assert_int_equal(cJSON_GetObjectItem(cJSON_GetObjectItem(event, "details"), "stage")->valueint, 1);
	cJSON_Delete(all);
	event = last_event(world, "push", world_person_id(world, LEAD), 1, &all);
	assert_string_equal(text_in(event, NULL, "request"), id);
	cJSON_Delete(all);
	scene_wait(world, &(struct world_ask){.person = ANN}, id, "provisioned");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_refusal, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_rules, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_flood, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_flood_of_names, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_last_approval, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
