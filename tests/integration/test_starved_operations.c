/*
 * Each route of the API by which others than Graph's callers change something, while the broker's memory runs out
 * (tests/support/starved.h): operators, approval systems, timer jobs, batches. The routes are those of the broker's own table:
 * there is none that is left out.
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
#include "tests/support/starved.h"
#include "tests/support/wait.h"

#define OPERATE(word) "POST /api/applications/*/" word
#define APP           "/api/applications/app/"
#define TEAM          "T9TK3CUKW"

enum person { OPERATOR, ASKER, APPROVER, PEOPLE };
enum group { PLAIN, APPROVED, GROUPS };

/* A secret for each way in from outside. */
static char hook_file[HOOK_FILE_SIZE], slack_file[HOOK_FILE_SIZE], more[1024];

/* Whoever wants to know of requests is never there. */
static int open_world(void **state)
{
	static const char *const eligible[] = {"person1@example.com", NULL};
	static const struct broker_group groups[GROUPS] = {
		[PLAIN] = {.eligible = eligible, .min_ms = SECOND},
		[APPROVED] = {.eligible = eligible,
			      .min_ms = SECOND,
			      .more = "      approval: {approvers: [person2@example.com]}\n"},
	};
	struct world_options options = starved_options();

	if (!hook_write_secret(hook_file, HOOK_SECRET) || !hook_write_secret(slack_file, SLACK_SECRET))
		return -1;
	snprintf(
		more, sizeof(more),
		"approval_sources:\n"
		"  - {name: desk, secret: \"file:%s\"}\n"
		"  - {name: chat, kind: slack, secret: \"file:%s\", workspace: " TEAM
		", approvers: {U2: person2@example.com}}\n"
		"notices:\n  webhooks:\n"
		"    - {name: gone, url: \"http://127.0.0.1:9/\", secret: \"file:%s\", allow_private: true,\n"
		"       events: [approval.requested]}\n",
		hook_file, slack_file, hook_file);
	options.more = more;
	options.application.more =
		"    test: {group: canaries, users: [canary-1@example.com, canary-2@example.com]}\n";
	options.people = PEOPLE;
	options.each_group = groups;
	options.groups = GROUPS;
	return starved_open(state, &options);
}

static int close_world(void **state)
{
	unlink(hook_file);
	unlink(slack_file);
	return starved_close(state);
}

static int post(const struct world *world, const char *path, const char *body)
{
	return starved_call(world, OPERATOR,
			    &(struct http_request){.method = "POST", .url = path, .body = body});
}

/* -- approval systems --------------------------------------------------------------------------------------- */

static char pending[ID_SIZE]; /* the request that the call is about */
static char clicked[24];      /* the time of the click */

static int ask_approver(const struct world *world, long n)
{
	struct world_ask ask = {.person = ASKER, .group = APPROVED, .duration = "PT1H"};

	(void)n;
	clicked[0] = '\0';
	return world_activate_ok(world, &ask, pending) ? 0 : -1;
}

/* Nothing is pushed here, so that it is gone at once. */
static int give_back(const struct world *world)
{
	struct http_response response;
	int status;

	world_deactivate(world, &(struct world_ask){.person = ASKER, .group = APPROVED}, &response);
	status = response.status;
	http_response_release(&response);
	return status == 201 ? 0 : status;
}

static int hook(const struct world *world, long n)
{
	char id[32];
	struct hook decision = {"desk", HOOK_SECRET, id, "person2@example.com", "Approve", 0, 0};

	snprintf(id, sizeof(id), "message-%ld", n);
	return hook_send(world, &decision, pending);
}

/* The very same message is answered as if it came for the first time. */
static int hook_again(const struct world *world, long n)
{
	int status = hook(world, n);

	return status == 204 ? give_back(world) : status;
}

static int click(const struct world *world, long n)
{
	static const struct click decision = {SLACK_SECRET, "slack/chat", TEAM, "U2", "Approve", 0, 0, 200};

	(void)n;
	return hook_click(world, &decision, pending, clicked);
}

static int click_again(const struct world *world, long n)
{
	int status = click(world, n);

	return status == 200 ? give_back(world) : status;
}

/* -- notices ------------------------------------------------------------------------------------------------ */

static char delivery[ID_SIZE];

static bool has_delivery(void *ctx)
{
	struct http_response response;
	const char *id;

	scene_get(ctx, OPERATOR, "/api/notices", &response);
	id = http_json_text(&response, "value.0.id");
	snprintf(delivery, sizeof(delivery), "%s", id != NULL ? id : "");
	http_response_release(&response);
	return delivery[0] != '\0';
}

/* There is one that waits. */
static int notify(const struct world *world, long n)
{
	struct world copy = *world;

	if (has_delivery(&copy))
		return 0;
	if (ask_approver(world, n) != 0 || scene_cancel(world, ASKER, pending) != 204)
		return -1;
	return wait_until(has_delivery, &copy, SCENE_PATIENCE) ? 0 : -1;
}

static int order(const struct world *world, const char *word)
{
	char path[96];

	snprintf(path, sizeof(path), "/api/notices/%s/%s", delivery, word);
	return post(world, path, NULL);
}

static int send_notice(const struct world *world, long n)
{
	(void)n;
	return order(world, "send");
}

static int discard_notice(const struct world *world, long n)
{
	(void)n;
	return order(world, "discard");
}

static int discard_again(const struct world *world, long n)
{
	int status = discard_notice(world, n);

	return status == 204 || status == 404 ? 0 : status;
}

/* -- operators and timer jobs ------------------------------------------------------------------------------- */

static int pause_application(const struct world *world, long n)
{
	(void)n;
	return post(world, APP "pause", "{\"removals\":true}");
}

static int resume_application(const struct world *world, long n)
{
	(void)n;
	return post(world, APP "resume", NULL);
}

static int restart_application(const struct world *world, long n)
{
	(void)n;
	return post(world, APP "restart", NULL);
}

static int paused(const struct world *world, long n)
{
	return pause_application(world, n) == 200 ? 0 : -1;
}

static int resumed(const struct world *world, long n)
{
	return resume_application(world, n) == 200 ? 0 : -1;
}

/* There is no question. */
static int answer_guard(const struct world *world, long n)
{
	(void)n;
	return post(world, APP "guard", "{\"answer\":\"keep\"}");
}

static int begin_cycle(const struct world *world, long n)
{
	(void)n;
	return post(world, APP "cycles", NULL);
}

static int test_connection(const struct world *world, long n)
{
	(void)n;
	return post(world, APP "test", NULL);
}

static int provision(const struct world *world, long n)
{
	char body[256];

	(void)n;
	snprintf(body, sizeof(body), "{\"principalId\":\"%s\",\"groupId\":\"%s\"}",
		 world_person_id(world, ASKER), world_group_id(world, PLAIN));
	return post(world, APP "provision", body);
}

static bool is_answered(void *ctx)
{
	return provision(ctx, 0) == 200;
}

/* What was given up without memory is over: two pushes of one membership are never under way at once. */
static int provisioned(const struct world *world, long n)
{
	struct world copy = *world;

	(void)n;
	return wait_until(is_answered, &copy, SCENE_PATIENCE) ? 0 : -1;
}

static int sweep_all(const struct world *world, long n)
{
	(void)n;
	return post(world, "/api/sweep", NULL);
}

/* -- batches ------------------------------------------------------------------------------------------------ */

#define BATCH                                                                                                \
	"{\"requests\":[{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/identityGovernance/privilegedAccess/"    \
	"group/assignmentScheduleInstances/filterByCurrentUser(on='principal')\"},{\"id\":\"2\","            \
	"\"dependsOn\":[\"1\"],\"method\":\"POST\",\"url\":\"/nothing\",\"body\":{\"a\":1},\"headers\":"     \
	"{\"Content-Type\":\"application/json\"}}]}"

static int batch(const struct world *world, long n)
{
	(void)n;
	return post(world, "/v1.0/$batch", BATCH);
}

static int batch_beta(const struct world *world, long n)
{
	(void)n;
	return post(world, "/beta/$batch", BATCH);
}

/* -- all of them -------------------------------------------------------------------------------------------- */

#define SWEEP(route_, before_, call_, after_, wanted_)                                                       \
	{                                                                                                    \
		.route = (route_), .before = (before_), .call = (call_), .after = (after_),                  \
		.wanted = (wanted_)                                                                          \
	}
/* A push has some hundred allocations of its own, which test_starved_push fails one by one. */
#define PUSHING(route_, before_, call_)                                                                      \
	{                                                                                                    \
		.route = (route_), .before = (before_), .call = (call_), .wanted = 200, .each_after = 30,    \
		.each = 31                                                                                   \
	}

/* The first ones while nothing is pushed. */
static const struct starved_sweep sweeps[] = {
	SWEEP(OPERATE("pause"), resumed, pause_application, NULL, 200),
	SWEEP("POST /hooks/approvals/*", ask_approver, hook, hook_again, 204),
	SWEEP("POST /hooks/slack/*", ask_approver, click, click_again, 200),
	SWEEP("POST /api/notices/*/send", notify, send_notice, NULL, 204),
	SWEEP("POST /api/notices/*/discard", notify, discard_notice, discard_again, 204),
	SWEEP("POST /v1.0/$batch", NULL, batch, NULL, 200),
	SWEEP("POST /beta/$batch", NULL, batch_beta, NULL, 200),
	SWEEP(OPERATE("guard"), NULL, answer_guard, NULL, 409),
	SWEEP("POST /api/sweep", NULL, sweep_all, NULL, 200),
	SWEEP(OPERATE("resume"), paused, resume_application, NULL, 200),
	SWEEP(OPERATE("restart"), paused, restart_application, resumed, 200),
	SWEEP(OPERATE("cycles"), resumed, begin_cycle, NULL, 202),
	PUSHING(OPERATE("provision"), provisioned, provision),
	PUSHING(OPERATE("test"), NULL, test_connection),
};

#define SWEEPS (sizeof(sweeps) / sizeof(sweeps[0]))

static void routes_swept(void **state)
{
	struct world *world = *state;
	char id[ID_SIZE];

	assert_true(sandbox_make_group(&world->sandbox, "canaries"));
	assert_int_equal(test_connection(world, 0), 200);
	scene_activate(world, &(struct world_ask){.person = ASKER, .group = PLAIN, .duration = "PT1H"}, id);
	assert_true(world_wait_member(world, ASKER, PLAIN, true, SCENE_PATIENCE));
	for (size_t i = 0; i < SWEEPS; i++)
		starved_run(world, &sweeps[i]);
	world_passed(world);
}

static bool is_change(const struct route *route)
{
	return !route->graph && strcmp(route->method, "GET") != 0;
}

static void no_route_is_left_out(void **state)
{
	(void)state;
	starved_expect_routes(sweeps, SWEEPS, is_change);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_route_is_left_out),
		cmocka_unit_test_setup_teardown(routes_swept, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
