/* An application that is quarantined, paused, or that refuses somebody: what people and operators see of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define APP "/api/applications/app"

static struct world_options options_with(size_t brokers, int64_t pushes, int64_t per_ms)
{
	struct world_options options = scene_defaults();

	options.brokers = brokers;
	options.application.pushes = pushes;
	options.application.per_ms = per_ms;
	options.application.cycle_reserve = 0;
	return options;
}

static int open_wide(void **state)
{
	struct world_options options = options_with(2, 20, SECOND);

	return scene_open(state, &options);
}

/* Cycles begin by themselves, and come no less often in quarantine. */
static int open_cycling(void **state)
{
	struct world_options options = options_with(2, 20, SECOND);

	options.application.cycle_ms = 3 * SECOND;
	options.application.more = "    quarantine: {slowest: 3s}\n";
	return scene_open(state, &options);
}

/* One broker, so that it is known which ids it remembers. */
static int open_narrow(void **state)
{
	struct world_options options = options_with(1, 1, 200);

	return scene_open(state, &options);
}

/* POST as that person to that broker; the status. */
static int post(const struct world *world, size_t broker, size_t person, const char *path, const char *body)
{
	struct http_response response;
	int status;

	broker_call(
		&world->brokers[broker],
		&(struct http_request){
			.method = "POST", .url = path, .body = body, .bearer = world_token(world, person)},
		&response);
	status = response.status;
	if (status >= 400)
		print_message("%s: %s\n", path, buf_text(&response.body));
	http_response_release(&response);
	return status;
}

struct awaited {
	const struct world *world;
	const char *health;
};

static bool has_health(void *ctx)
{
	const struct awaited *awaited = ctx;
	struct http_response response;
	bool is;

	scene_application(awaited->world, 1, &response);
	is = strcmp(scene_text(&response, "health"), awaited->health) == 0;
	http_response_release(&response);
	return is;
}

/* The last cycle is over once a broker has seen that it has nothing left to do. */
static bool is_completed(void *ctx)
{
	const struct world *world = ctx;
	struct http_response response;
	const char *result;
	bool completed;

	scene_get(world, 0, APP "/cycles", &response);
	assert_int_equal(response.status, 200);
	result = http_json_text(&response, "value.0.result");
	completed = result != NULL && strcmp(result, "completed") == 0;
	http_response_release(&response);
	return completed;
}

static void wait_health(const struct world *world, const char *health)
{
	struct awaited awaited = {world, health};

	assert_true(wait_until(has_health, &awaited, SCENE_PATIENCE));
}

/* Asks, and is told at once that it has to wait for the cycle, and why. */
static void ask_deferred(const struct world *world, const struct world_ask *ask, const char *why,
			 char id[ID_SIZE])
{
	struct http_response response;

	world_activate(world, ask, &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(scene_text(&response, "provisioning.state"), "deferred");
	assert_non_null(strstr(scene_text(&response, "provisioning.lastError"), why));
	snprintf(id, ID_SIZE, "%s", scene_text(&response, "id"));
	http_response_release(&response);
}

/* The token is refused until it is changed; then an operator restarts. */
static void quarantine_and_restart(void **state)
{
	struct world *world = *state;
	struct world_ask first = {.person = 1}, second = {.person = 2, .broker = 1};
	struct http_response response;
	char id[ID_SIZE], seconds[ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "* * -> status 401"));
	scene_activate(world, &first, id);
	wait_health(world, "quarantined");
	ask_deferred(world, &second, "in quarantine: looking up the group: the application answered 401",
		     seconds);
	scene_wait(world, &first, id, "deferred");
	scene_application(world, 0, &response);
	assert_string_equal(scene_text(&response, "quarantine.reason"), "unauthorised");
	assert_true(scene_time(&response, "quarantine.nextAttemptDateTime") > clock_wall_ms());
	assert_int_equal(scene_number(&response, "deferred"), 2);
	http_response_release(&response);

	assert_true(sandbox_clear_faults(&world->sandbox));
	assert_int_equal(post(world, 1, 1, APP "/restart", NULL), 403);
	assert_int_equal(post(world, 1, 0, APP "/restart", NULL), 200);
	scene_wait(world, &first, id, "provisioned");
	scene_wait(world, &second, seconds, "provisioned");
	wait_health(world, "ok");
	world_passed(world);
}

static bool is_tried(void *ctx)
{
	struct http_response response;

	scene_application(ctx, 0, &response);
	bool is = scene_number(&response, "quarantine.trials") > 0 &&
		  cJSON_IsNull(http_json(&response, "cycle.current"));
	http_response_release(&response);
	return is;
}

/* A cycle tries one push; when it succeeds the rest follows, without anybody's doing. */
static void quarantine_ends_by_itself(void **state)
{
	struct world *world = *state;
	struct world_ask asks[3] = {{.person = 1}, {.person = 2, .group = 1}, {.person = 3}};
	struct http_response response;
	char ids[3][ID_SIZE];

	assert_true(sandbox_add_fault(&world->sandbox, "GET /Groups -> html 200"));
	scene_activate(world, &asks[0], ids[0]);
	wait_health(world, "quarantined");
	for (size_t i = 1; i < 3; i++)
		ask_deferred(world, &asks[i], "in quarantine", ids[i]);
	/* Who does not speak SCIM now is still tried by a cycle, once. */
	assert_true(wait_until(is_tried, world, SCENE_PATIENCE));
	scene_wait(world, &asks[0], ids[0], "deferred");
	scene_application(world, 0, &response);
	assert_string_equal(scene_text(&response, "quarantine.reason"), "alien");
	http_response_release(&response);
	assert_true(sandbox_clear_faults(&world->sandbox));
	for (size_t i = 0; i < 3; i++)
		scene_wait(world, &asks[i], ids[i], "provisioned");
	assert_true(wait_until(is_completed, world, SCENE_PATIENCE));
	world_passed(world);
}

/* Removals go on while nobody is added, and their success ends the quarantine. */
static void removals_go_on_in_quarantine(void **state)
{
	struct world *world = *state;
	struct world_ask ann = {.person = 1, .duration = "PT3S"}, ben = {.person = 2, .group = 1};
	char anns[ID_SIZE], bens[ID_SIZE];

	scene_activate(world, &ann, anns);
	scene_wait(world, &ann, anns, "provisioned");
	assert_true(sandbox_add_fault(&world->sandbox, "GET /Users once -> status 403"));
	scene_activate(world, &ben, bens);
	wait_health(world, "quarantined");
	scene_wait(world, &ann, anns, "removed");
	wait_health(world, "ok");
	scene_wait(world, &ben, bens, "provisioned");
	world_passed(world);
}

static void paused_and_resumed(void **state)
{
	struct world *world = *state;
	struct world_ask ann = {.person = 1, .duration = "PT2S"}, ben = {.person = 2, .broker = 1};
	char anns[ID_SIZE], bens[ID_SIZE];

	scene_activate(world, &ann, anns);
	scene_wait(world, &ann, anns, "provisioned");
	assert_int_equal(post(world, 0, 0, APP "/pause", "{\"removals\":7}"), 400);
	assert_int_equal(post(world, 0, 0, APP "/pause", NULL), 200);
	/* The other broker follows at once. */
	ask_deferred(world, &ben, "paused", bens);
	assert_int_equal(post(world, 1, 0, APP "/cycles", NULL), 409);
	scene_wait(world, &ann, anns, "removed");
	assert_false(scene_mentions(world, ben.person));
	assert_int_equal(post(world, 1, 0, APP "/resume", NULL), 200);
	assert_int_equal(post(world, 1, 0, APP "/cycles", NULL), 202);
	scene_wait(world, &ben, bens, "provisioned");
	world_passed(world);
}

static bool is_overdue(void *ctx)
{
	struct http_response response;
	bool overdue;

	scene_application(ctx, 1, &response);
	overdue = scene_number(&response, "removalsWaiting") == 1;
	http_response_release(&response);
	return overdue;
}

static void paused_with_removals(void **state)
{
	struct world *world = *state;
	struct world_ask ann = {.person = 1, .duration = "PT2S"};
	char id[ID_SIZE];

	scene_activate(world, &ann, id);
	scene_wait(world, &ann, id, "provisioned");
	assert_int_equal(post(world, 0, 0, APP "/pause", "{\"removals\":true}"), 200);
	assert_true(wait_until(is_overdue, world, SCENE_PATIENCE));
	assert_true(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	assert_int_equal(post(world, 1, 0, APP "/resume", NULL), 200);
	scene_wait(world, &ann, id, "removed");
	world_passed(world);
}

/* Five at once, of whom one is refused for good: the application sees the batch halved until that one is alone. */
static void a_batch_is_split(void **state)
{
	/* The batches are 5 | 3, 2, 2 again with fresh ids | 1 | 1, 1 again; which are refused, counted by each rule. */
	static const char *const faults[] = {
		"PATCH /Groups nth 1 -> status 400", "PATCH /Groups nth 2 -> status 400",
		"PATCH /Groups nth 2 -> status 400", "PATCH /Groups nth 3 -> status 400",
		"PATCH /Groups nth 3 -> status 400",
	};
	static const size_t sizes[] = {5, 3, 2, 2, 1, 1, 1};
	struct world *world = *state;
	struct scene_changes changes;
	struct http_response response;
	char ids[5][ID_SIZE];

	assert_int_equal(post(world, 0, 0, APP "/pause", NULL), 200);
	for (size_t i = 0; i < 5; i++)
		ask_deferred(world, &(struct world_ask){.person = i + 1}, "paused", ids[i]);
	for (size_t i = 0; i < 5; i++)
		assert_true(sandbox_add_fault(&world->sandbox, faults[i]));
	assert_int_equal(post(world, 0, 0, APP "/restart", NULL), 200);
	for (size_t i = 0; i < 4; i++)
		scene_wait(world, &(struct world_ask){.person = i + 1}, ids[i], "provisioned");
	scene_wait(world, &(struct world_ask){.person = 5}, ids[4], "failed");
	scene_changes(world, &changes);
	assert_int_equal(changes.count, 7);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(changes.all[i].members, sizes[i]);
	assert_int_equal(scene_members(world, 0), 4);
	scene_get(world, 0, "/api/provisioning-log?result=refused", &response);
	assert_string_equal(scene_text(&response, "value.0.userName"), world_user_name(world, 5));
	assert_null(http_json(&response, "value.1"));
	http_response_release(&response);
	world_passed(world);
}

/* -- the log ------------------------------------------------------------------------------------------------- */

static size_t count_of(const struct world *world, const char *query, char next[512])
{
	struct http_response response;
	char path[600];
	size_t count;

	snprintf(path, sizeof(path), "%s%s", query[0] == '/' ? "" : "/api/provisioning-log?", query);
	scene_get(world, 0, path, &response);
	if (response.status != 200)
		print_message("%s: %s\n", path, buf_text(&response.body));
	assert_int_equal(response.status, 200);
	count = (size_t)cJSON_GetArraySize(http_json(&response, "value"));
	if (next != NULL) {
		const cJSON *link = cJSON_GetObjectItem(response.json, "@odata.nextLink");

		snprintf(next, 512, "%s", link != NULL ? strstr(cJSON_GetStringValue(link), "/api/") : "");
	}
	http_response_release(&response);
	return count;
}

static void the_log(void **state)
{
	struct world *world = *state;
	struct world_ask ann = {.person = 1}, ben = {.person = 2, .group = 1};
	struct http_response response;
	char id[ID_SIZE], next[512], query[512];
	size_t pages = 0, seen = 0;

	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> status 500"));
	scene_activate(world, &ann, id);
	scene_wait(world, &ann, id, "provisioned");
	scene_activate(world, &ben, id);
	scene_wait(world, &ben, id, "provisioned");
	scene_get(world, 0, "/api/provisioning-log?application=app", &response);
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "value")), 3);
	assert_string_equal(scene_text(&response, "value.0.result"), "done");
	assert_int_equal(scene_number(&response, "value.0.applicationStatus") / 100, 2);
	assert_int_equal(scene_number(&response, "value.1.applicationStatus") / 100, 2);
	assert_string_equal(scene_text(&response, "value.0.initiatedBy"), "activation");
	assert_string_equal(scene_text(&response, "value.1.initiatedBy"), "retry");
	assert_int_equal(scene_number(&response, "value.1.attempt"), 2);
	assert_string_equal(scene_text(&response, "value.2.result"), "retry");
	assert_int_equal(scene_number(&response, "value.2.applicationStatus"), 500);
	assert_non_null(strstr(scene_text(&response, "value.2.reason"), "answered 500"));
	assert_string_equal(scene_text(&response, "value.2.userName"), world_user_name(world, 1));
	assert_true(scene_time(&response, "value.2.activityDateTime") <= clock_wall_ms());
	http_response_release(&response);

	assert_int_equal(count_of(world, "", NULL), 3);
	assert_int_equal(count_of(world, "result=retry", NULL), 1);
	snprintf(query, sizeof(query), "person=%s", world_person_id(world, 2));
	assert_int_equal(count_of(world, query, NULL), 1);
	snprintf(query, sizeof(query), "group=%s&result=done", world_group_id(world, 0));
	assert_int_equal(count_of(world, query, NULL), 1);
	assert_int_equal(count_of(world, "from=2099-01-01T00:00:00Z", NULL), 0);
	assert_int_equal(count_of(world, "to=2020-01-01T00:00:00Z", NULL), 0);
	assert_int_equal(count_of(world, "from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z", NULL), 3);
	/* What somebody else has written into the address does not come back in the answer. */
	snprintf(next, sizeof(next), "%s", "$top=1&from=2020-01-01T00:00:00Z&a%22b=%22");
	do {
		snprintf(query, sizeof(query), "%s", next);
		seen += count_of(world, query, next);
		pages++;
	} while (next[0] != '\0' && pages < 10);
	assert_int_equal(seen, 3);
	scene_get(world, 1, "/api/provisioning-log", &response);
	assert_int_equal(response.status, 403);
	http_response_release(&response);
	scene_get(world, 0, "/api/provisioning-log?$skiptoken=nonsense", &response);
	assert_int_equal(response.status, 400);
	http_response_release(&response);
	world_passed(world);
}

/* Of more applications than one list can show nothing is left out in silence. */
static void a_log_of_many_applications_is_refused(void **state)
{
	enum { MANY = 201 };
	static struct broker_application applications[MANY];
	static char ids[MANY][16];
	struct world *world = *state;
	struct http_response response;

	for (size_t i = 0; i < MANY; i++) {
		applications[i] = world->application;
		snprintf(ids[i], sizeof(ids[i]), i == 0 ? "app" : "app-%zu", i);
		applications[i].id = ids[i];
	}
	world->config.applications = applications;
	world->config.application_count = MANY - 1;
	assert_true(scene_reload(world, 0));
	scene_get(world, 0, "/api/provisioning-log", &response);
	assert_int_equal(response.status, 200);
	http_response_release(&response);
	world->config.application_count = MANY;
	assert_true(scene_reload(world, 0));
	scene_get(world, 0, "/api/provisioning-log", &response);
	assert_int_equal(response.status, 400);
	assert_string_equal(
		scene_text(&response, "error.message"),
		"The log of 200 applications at most is shown as one list, and there are 201: name one "
		"as `application`.");
	http_response_release(&response);
	scene_get(world, 0, "/api/provisioning-log?application=app-7", &response);
	assert_int_equal(response.status, 200);
	http_response_release(&response);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(quarantine_and_restart, open_wide, scene_close),
		cmocka_unit_test_setup_teardown(quarantine_ends_by_itself, open_cycling, scene_close),
		cmocka_unit_test_setup_teardown(removals_go_on_in_quarantine, open_wide, scene_close),
		cmocka_unit_test_setup_teardown(paused_and_resumed, open_wide, scene_close),
		cmocka_unit_test_setup_teardown(paused_with_removals, open_wide, scene_close),
		cmocka_unit_test_setup_teardown(a_batch_is_split, open_narrow, scene_close),
		cmocka_unit_test_setup_teardown(the_log, open_wide, scene_close),
		cmocka_unit_test_setup_teardown(a_log_of_many_applications_is_refused, open_wide,
						scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
