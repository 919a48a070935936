/*
 * A broker whose memory runs out while it is asked: each of its handlers, and its pushes, without one allocation after the
 * other. It answers right, or 5xx, or closes the connection; what it did not acknowledge can be asked again; afterwards it
 * works as ever, and it ends without a leak (the sanitizer tells).
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

#include "tests/support/scene.h"
#include "tests/support/starve.h"

#define REQUESTS        PIM "assignmentScheduleRequests"
#define PEOPLE          16
#define ASKER           1
#define APPROVER        2
#define ALLOCATIONS_MAX 3000 /* of one call */

enum group { PLAIN, APPROVED, FULL };

struct starved {
	struct world world;
	char file[64];
};

static int open_world(void **state)
{
	static const char *eligible[PEOPLE + 1];
	static char names[PEOPLE][32];
	static const struct broker_group groups[] = {
		[PLAIN] = {.eligible = eligible, .min_ms = SECOND, .more = "      max_active: 1000\n"},
		[APPROVED] = {.eligible = eligible,
			      .min_ms = SECOND,
			      .more = "      approval: {approvers: [person2@example.com]}\n"},
		[FULL] = {.eligible = eligible, .more = "      max_active: 1\n"},
	};
	struct starved *s = calloc(1, sizeof(*s));
	struct world_options options = scene_defaults();

	if (s == NULL)
		return -1;
	*state = &s->world;
	snprintf(s->file, sizeof(s->file), "/tmp/jit-starve-%d", (int)getpid());
	if (!starve_others(s->file))
		return -1;
	for (size_t i = 0; i < PEOPLE; i++) {
		snprintf(names[i], sizeof(names[i]), "person%zu@example.com", i);
		eligible[i] = names[i];
	}
	options.program = "tests/starved/jit-broker";
	options.people = PEOPLE;
	options.each_group = groups;
	options.groups = 3;
	options.application.pushes = 1000;
	options.application.per_ms = SECOND;
	options.application.push_timeout_ms =
		3 * SECOND; /* so that what is not heard of again is taken up soon */
	return world_start(&s->world, &options) ? 0 : -1;
}

static int close_world(void **state)
{
	struct starved *s = *state;
	bool clean = world_stop(&s->world);

	unlink(s->file);
	free(s);
	return clean ? 0 : -1;
}

/* -- one call after the other ------------------------------------------------------------------------------- */

/* Makes the call that is tested, or one that goes before or after it; the status of the answer. */
typedef int step(const struct world *world, long n);

struct sweep {
	const char *name;
	step *before, *call; /* `before` NULL = nothing */
	step *after;         /* asks again what was not answered, and undoes it; NULL = nothing. 0 = well */
	int wanted, also;    /* `also` is as good where memory was short */
};

static bool is_refusal(int status)
{
	return status == 0 || status == 500 || status == 503;
}

/* False when the call has no n-th allocation. */
static bool without(const struct world *world, const struct sweep *sweep, long n)
{
	long failed;
	int status, then;

	if (sweep->before != NULL && (then = sweep->before(world, n)) != 0)
		fail_msg("%s: before the call without allocation %ld: %d", sweep->name, n, then);
	starve_from(n, STARVE_ONE);
	status = sweep->call(world, n);
	failed = starve_end();
	if (status != sweep->wanted && (failed == 0 || (!is_refusal(status) && status != sweep->also)))
		fail_msg("%s: without allocation %ld: %d", sweep->name, n, status);
	if (sweep->after != NULL && (then = sweep->after(world, n)) != 0)
		fail_msg("%s: after the call without allocation %ld: %d", sweep->name, n, then);
	return failed > 0;
}

static void run(const struct world *world, const struct sweep *sweep)
{
	long n = 1;

	while (without(world, sweep, n))
		if (++n > ALLOCATIONS_MAX)
			fail_msg("%s: there is no end", sweep->name);
	print_message("%s: %ld allocations\n", sweep->name, n - 1);
	assert_true(n > 5);
	assert_true(broker_wait_ready(&world->brokers[0], SECOND));
}

static int call_as(const struct world *world, size_t person, const struct http_request *request)
{
	struct http_request whole = *request;
	struct http_response response;
	int status;

	whole.bearer = world_token(world, person);
	broker_call(&world->brokers[0], &whole, &response);
	status = response.status;
	/* What is answered is whole. */
	if (status == 200 && response.json == NULL && strncmp(request->url, "/metrics", 8) != 0 &&
	    strcmp(request->url, "/") != 0 && strncmp(request->url, "/page", 5) != 0 &&
	    strncmp(request->url, "/api/audit?", 11) != 0)
		fail_msg("%s: %s", request->url, buf_text(&response.body));
	http_response_release(&response);
	return status;
}

/* -- what is read ------------------------------------------------------------------------------------------- */

static const char *read_path;
static size_t reader;

static int read_it(const struct world *world, long n)
{
	(void)n;
	return call_as(world, reader, &(struct http_request){.url = read_path});
}

static void reads(void **state)
{
	static const char *const paths[] = {
		"/healthz",
		"/readyz",
		"/metrics",
		"/",
		"/api/applications",
		"/api/applications/app",
		"/api/applications/app/cycles/current",
		"/api/provisioning-log",
		"/api/notices",
		"/api/audit?lane=0",
		"/api/audit/verify",
		REQUESTS "?$filter=groupId%20eq%20'a0000000-0000-4000-8000-000000000000'&$count=true",
		REQUESTS "/filterByCurrentUser(on='createdBy')?$select=id,status&$expand=group,principal",
		REQUESTS "/filterByCurrentUser(on='approver')",
		PIM "assignmentScheduleInstances/filterByCurrentUser(on='principal')",
		PIM "eligibilitySchedules/filterByCurrentUser(on='principal')",
	};
	const struct world *world = *state;
	char id[ID_SIZE], path[256];

	scene_activate(world, &(struct world_ask){.person = 0, .group = PLAIN, .duration = "PT1H"}, id);
	scene_activate(world, &(struct world_ask){.person = 0, .group = APPROVED, .duration = "PT1H"}, id);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		read_path = paths[i];
		run(world, &(struct sweep){.name = paths[i], .call = read_it, .wanted = 200});
	}
	read_path = path;
	snprintf(path, sizeof(path), REQUESTS "/%s?$expand=group,principal,targetSchedule", id);
	run(world, &(struct sweep){.name = "one request", .call = read_it, .wanted = 200});
	reader = APPROVER;
	snprintf(path, sizeof(path), PIM "assignmentApprovals/%s", id);
	/* Whose request it is cannot be told without memory, and nobody decides their own. */
	run(world, &(struct sweep){.name = "one approval", .call = read_it, .wanted = 200, .also = 403});
	reader = 0;
	world_passed(*state);
}

/* -- what is changed ---------------------------------------------------------------------------------------- */

static char pending[ID_SIZE],
	stage[ID_SIZE]; /* the request that the call is about, and the stage of its approval */

static int post(const struct world *world, size_t person, const char *path, const char *body)
{
	return call_as(world, person, &(struct http_request){.method = "POST", .url = path, .body = body});
}

static int ask_for(const struct world *world, enum group group, const char *key, bool only_try)
{
	struct world_ask ask = {.person = ASKER,
				.group = group,
				.duration = "PT1H",
				.idempotency_key = key,
				.only_try = only_try};
	struct http_response response;
	const char *id;
	int status;

	world_activate(world, &ask, &response);
	status = response.status;
	id = http_json_text(&response, "id");
	if (status == 201 && id != NULL)
		snprintf(pending, sizeof(pending), "%s", id);
	http_response_release(&response);
	return status;
}

static int give_back(const struct world *world, enum group group)
{
	struct http_response response;
	int status;

	world_deactivate(world, &(struct world_ask){.person = ASKER, .group = group}, &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

static int try_to_activate(const struct world *world, long n)
{
	(void)n;
	return ask_for(world, PLAIN, NULL, true);
}

static int activate(const struct world *world, long n)
{
	char key[32];

	snprintf(key, sizeof(key), "key-%ld", n);
	return ask_for(world, PLAIN, key, false);
}

static int activate_full(const struct world *world, long n)
{
	(void)n;
	return ask_for(world, FULL, NULL, false);
}

/* The same call again gets the request that there is, or makes it. */
static int activate_again(const struct world *world, long n)
{
	int status = activate(world, n);

	return status != 201 ? status : give_back(world, PLAIN) == 201 ? 0 : -1;
}

static int activate_well(const struct world *world, long n)
{
	(void)n;
	return ask_for(world, PLAIN, NULL, false) == 201 ? 0 : -1;
}

static int deactivate(const struct world *world, long n)
{
	(void)n;
	return give_back(world, PLAIN);
}

/* It is over by now, or is by this. */
static int deactivate_again(const struct world *world, long n)
{
	int status = give_back(world, PLAIN);

	(void)n;
	return status == 201 || status == 400 ? 0 : status;
}

static int ask_approver(const struct world *world, long n)
{
	struct http_response response;
	char path[256];

	(void)n;
	if (ask_for(world, APPROVED, NULL, false) != 201)
		return -1;
	snprintf(path, sizeof(path), PIM "assignmentApprovals/%s", pending);
	scene_get(world, APPROVER, path, &response);
	snprintf(stage, sizeof(stage), "%s", scene_text(&response, "stages.0.id"));
	http_response_release(&response);
	return 0;
}

static int approve(const struct world *world, long n)
{
	struct http_request request = {.method = "PATCH", .body = "{\"reviewResult\":\"Approve\"}"};
	char path[256];

	(void)n;
	snprintf(path, sizeof(path), PIM "assignmentApprovals/%s/stages/%s", pending, stage);
	request.url = path;
	return call_as(world, APPROVER, &request);
}

/* It is approved, by that call or by this one, and is given back. */
static int approve_again(const struct world *world, long n)
{
	int status = approve(world, n);

	if (status != 204 && status != 409)
		return status;
	return give_back(world, APPROVED) == 201 ? 0 : -1;
}

static int cancel(const struct world *world, long n)
{
	char path[256];

	(void)n;
	snprintf(path, sizeof(path), REQUESTS "/%s/cancel", pending);
	return post(world, ASKER, path, NULL);
}

static int cancel_again(const struct world *world, long n)
{
	int status = cancel(world, n);

	return status == 204 || status == 400 ? 0 : status;
}

static int pause_application(const struct world *world, long n)
{
	(void)n;
	return post(world, 0, "/api/applications/app/pause", "{}");
}

static int resume_application(const struct world *world, long n)
{
	(void)n;
	return post(world, 0, "/api/applications/app/resume", NULL) == 200 ? 0 : -1;
}

/* There is no question. */
static int answer_guard(const struct world *world, long n)
{
	(void)n;
	return post(world, 0, "/api/applications/app/guard", "{\"answer\":\"keep\"}");
}

static int sweep_all(const struct world *world, long n)
{
	(void)n;
	return post(world, 0, "/api/sweep", NULL);
}

static int batch(const struct world *world, long n)
{
	(void)n;
	return post(
		world, 0, "/v1.0/$batch",
		"{\"requests\":[{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/identityGovernance/"
		"privilegedAccess/group/assignmentScheduleInstances/filterByCurrentUser(on='principal')\"},"
		"{\"id\":\"2\",\"dependsOn\":[\"1\"],\"method\":\"POST\",\"url\":\"/nothing\",\"body\":"
		"{\"a\":1},\"headers\":{\"Content-Type\":\"application/json\"}}]}");
}

/* Nothing is pushed meanwhile, so that what is given back is gone at once. */
static void changes(void **state)
{
	static const struct sweep sweeps[] = {
		{"pause", resume_application, pause_application, NULL, 200, 0},
		{"a trial", NULL, try_to_activate, NULL, 201, 0},
		{"an activation", NULL, activate, activate_again, 201, 0},
		{"one that the group has no room for", NULL, activate_full, NULL, 400, 0},
		{"a deactivation", activate_well, deactivate, deactivate_again, 201, 0},
		{"an approval", ask_approver, approve, approve_again, 204, 403},
		{"a withdrawal", ask_approver, cancel, cancel_again, 204, 0},
		{"an answer to the guard", NULL, answer_guard, NULL, 409, 0},
		{"a sweep", NULL, sweep_all, NULL, 200, 0},
		{"a batch", NULL, batch, NULL, 200, 0},
	};
	const struct world *world = *state;
	char id[ID_SIZE];

	scene_activate(world, &(struct world_ask){.person = 0, .group = FULL, .duration = "PT1H"}, id);
	for (size_t i = 0; i < sizeof(sweeps) / sizeof(sweeps[0]); i++)
		run(world, &sweeps[i]);
	world_passed(*state);
}

/* -- what goes on by itself --------------------------------------------------------------------------------- */

/* The n-th allocation after each acknowledgement fails, while the push is on its way. */
static void pushes(void **state)
{
	const struct world *world = *state;
	struct http_response response;
	char ids[PEOPLE][ID_SIZE];
	long failed = 0;

	for (size_t i = 0; i < PEOPLE; i++) {
		struct world_ask ask = {.person = i, .group = PLAIN, .duration = "PT1H"};

		scene_activate(world, &ask, ids[i]);
		starve_from((long)(1 + 25 * i), i % 8 == 0 ? STARVE_REST : STARVE_ONE);
		world_wait_member(world, i, PLAIN, true, 100);
		failed += starve_end() > 0;
	}
	for (size_t i = 0; i < PEOPLE; i++)
		scene_wait(world, &(struct world_ask){.person = i, .group = PLAIN}, ids[i], "provisioned");
	for (size_t i = 0; i < PEOPLE; i++) {
		world_deactivate(world, &(struct world_ask){.person = i, .group = PLAIN}, &response);
		assert_int_equal(response.status, 201);
		http_response_release(&response);
		starve_from((long)(1 + 25 * i), i % 8 == 0 ? STARVE_REST : STARVE_ONE);
		world_wait_member(world, i, PLAIN, false, 100);
		failed += starve_end() > 0;
	}
	scene_wait_empty(world);
	print_message("memory was short in %ld of %d pushes\n", failed, 2 * PEOPLE);
	assert_true(failed > PEOPLE);
	world_passed(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads, open_world, close_world),
		cmocka_unit_test_setup_teardown(changes, open_world, close_world),
		cmocka_unit_test_setup_teardown(pushes, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
