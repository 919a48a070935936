/* Whole cycles: ten thousand that were deferred, and a cycle that outlives its broker. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define APP      "/api/applications/app"
#define PATIENCE (240 * SECOND) /* a loaded machine and a sanitizer */

/* Ten thousand over two hundred groups: forty large ones, of two batches each, and the rest. */
#define LARGE_GROUPS  40
#define LARGE_MEMBERS 125
#define GROUPS        200
#define TOTAL         10000
#define PUSHES        (2 * LARGE_GROUPS + GROUPS - LARGE_GROUPS)

static int open_large(void **state)
{
	struct world_options options = scene_defaults();

	options.people = LARGE_MEMBERS + 2;
	options.groups = GROUPS;
	options.application.pushes = 50;
	options.application.per_ms = 500;
	options.application.cycle_reserve = 10;
	return scene_open(state, &options);
}

static int open_two(void **state)
{
	struct world_options options = scene_defaults();

	options.brokers = 2;
	options.people = 31;
	options.groups = 12;
	options.application.pushes = 3;
	options.application.per_ms = 200;
	options.application.cycle_reserve = 1;
	options.application.push_timeout_ms = 3 * SECOND;
	return scene_open(state, &options);
}

/* POST by the operator to that broker; the status. */
static int post(const struct world *world, size_t broker, const char *path)
{
	struct http_response response;
	int status;

	broker_call(&world->brokers[broker],
		    &(struct http_request){.method = "POST", .url = path, .bearer = world_token(world, 0)},
		    &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

/* Everybody from person 1 to `count` asks for the group; all are deferred. */
static void defer(const struct world *world, size_t group, size_t count)
{
	struct world_ask asks[SCENE_CROWD] = {{0}};

	for (size_t i = 0; i < count; i++) {
		asks[i].person = i + 1;
		asks[i].group = group;
		asks[i].duration = "PT8H";
	}
	scene_activate_many(world, asks, count, NULL);
}

static size_t members_of(size_t group)
{
	size_t small = GROUPS - LARGE_GROUPS, rest = TOTAL - LARGE_GROUPS * LARGE_MEMBERS;

	return group < LARGE_GROUPS ? LARGE_MEMBERS : rest / small + (group - LARGE_GROUPS < rest % small);
}

/* Progress as it was read last. */
struct watch {
	const struct world *world;
	size_t broker;
	int64_t total, done, pushes, looks;
	bool over;
};

/* Looks once: nothing may have gone back, and the end is estimated while there is something left. */
static void look(struct watch *watch)
{
	struct http_response response;

	broker_call(
		&watch->world->brokers[watch->broker],
		&(struct http_request){.url = APP "/cycles/current", .bearer = world_token(watch->world, 0)},
		&response);
	assert_int_equal(response.status, 200);
	watch->over = cJSON_IsNull(http_json(&response, "current"));
	if (!watch->over) {
		int64_t done = scene_number(&response, "current.done");
		int64_t pushes = scene_number(&response, "current.pushes");

		assert_int_equal(scene_number(&response, "current.total"), watch->total);
		assert_true(done >= watch->done && done <= watch->total);
		assert_true(pushes >= watch->pushes);
		assert_true(scene_time(&response, "current.estimatedEndDateTime") > 0);
		watch->looks += done > 0 && done < watch->total;
		watch->done = done;
		watch->pushes = pushes;
	}
	http_response_release(&response);
}

static bool is_over(void *ctx)
{
	struct watch *watch = ctx;

	look(watch);
	return watch->over;
}

static bool is_half_done(void *ctx)
{
	struct watch *watch = ctx;

	look(watch);
	return watch->done >= watch->total / 4;
}

static void expect_record(const struct world *world, size_t broker, int64_t total, int64_t pushes)
{
	struct http_response response;

	broker_call(&world->brokers[broker],
		    &(struct http_request){.url = APP "/cycles", .bearer = world_token(world, 0)}, &response);
	assert_int_equal(response.status, 200);
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "value")), 1);
	assert_string_equal(scene_text(&response, "value.0.result"), "completed");
	assert_string_equal(scene_text(&response, "value.0.startedBy"), world_user_name(world, 0));
	assert_int_equal(scene_number(&response, "value.0.total"), total);
	assert_int_equal(scene_number(&response, "value.0.done"), total);
	if (pushes > 0) {
		assert_int_equal(scene_number(&response, "value.0.pushes"), pushes);
		assert_int_equal(scene_number(&response, "value.0.failures"), 0);
	}
	http_response_release(&response);
}

static void ten_thousand(void **state)
{
	struct world *world = *state;
	struct watch watch = {.world = world, .total = TOTAL};
	struct world_ask late = {.person = LARGE_MEMBERS + 1, .group = 3};
	struct scene_changes changes;
	struct http_response response;
	char id[ID_SIZE];

	/* So many questions at once that the same one would fail again and again. */
	assert_true(sandbox_clear_faults(&world->sandbox));
	assert_int_equal(post(world, 0, APP "/pause"), 200);
	for (size_t g = 0; g < GROUPS; g++)
		defer(world, g, members_of(g));
	scene_application(world, 0, &response);
	assert_int_equal(scene_number(&response, "deferred"), TOTAL);
	http_response_release(&response);
	assert_int_equal(post(world, 0, APP "/resume"), 200);
	assert_int_equal(post(world, 0, APP "/cycles"), 202);
	assert_true(wait_until(is_half_done, &watch, PATIENCE));
	/* Who asks meanwhile finds a token all the same. */
	world_activate(world, &late, &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(scene_text(&response, "provisioning.state"), "pushing");
	snprintf(id, sizeof(id), "%s", scene_text(&response, "id"));
	http_response_release(&response);
	scene_wait(world, &late, id, "provisioned");
	assert_true(wait_until(is_over, &watch, PATIENCE));
	assert_true(watch.looks > 2);
	expect_record(world, 0, TOTAL, PUSHES);
	scene_changes(world, &changes);
	assert_int_equal(changes.count, PUSHES + 1);
	for (size_t g = 0; g < GROUPS; g += 13)
		assert_int_equal(scene_members(world, g), members_of(g) + (g == late.group));
	world_passed(world);
}

/* -- memory ---------------------------------------------------------------------------------------------------------- */

#define MOST_KIB                                                                                             \
	8192 /* that the many may take beyond the few: each of them has 1.2 to 1.3 KiB, as the sanitizer is */
#define FULL_GROUPS  50
#define FULL_MEMBERS 100
#define FEW          5

static int open_idle(void **state)
{
	struct world_options options = scene_defaults();

	options.people = FULL_MEMBERS + 1;
	options.groups = FULL_GROUPS + 1;
	/* Few pushes at a time: each has its members in memory. */
	options.application.pushes = 6;
	options.application.per_ms = 200;
	options.application.cycle_reserve = 4;
	options.application.checks_drift = true;
	return scene_open(state, &options);
}

/* The most that the process has had in memory so far. */
static long peak_kib(const struct broker *broker)
{
	char path[64], line[256];
	long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)broker->proc.pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (kib == 0 && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	fclose(file);
	assert_true(kib > 0);
	return kib;
}

/* A cycle that has to bring the `members` first people into each of these groups, by a broker that has done nothing else
 * since its start. */
static long peak_of_a_cycle(struct world *world, size_t first, size_t groups, size_t members)
{
	/* What a sanitizer keeps of what was given back would be most of it. */
	static const char *const variables[] = {
		"ASAN_OPTIONS=quarantine_size_mb=1:thread_local_quarantine_size_kb=64", NULL};
	struct broker *broker = &world->brokers[0];

	assert_int_equal(post(world, 0, APP "/pause"), 200);
	for (size_t g = first; g < first + groups; g++)
		defer(world, g, members);
	assert_true(broker_stop(broker));
	world->config.variables = variables;
	assert_true(broker_start(broker, world->dir, groups > 1 ? "many" : "few", &world->config));
	assert_int_equal(post(world, 0, APP "/resume"), 200);
	scene_begin_cycle(world);
	scene_wait_no_cycle(world, PATIENCE);
	for (size_t g = first; g < first + groups; g++)
		assert_int_equal(scene_members(world, g), members);
	return peak_kib(broker);
}

static void memory_of_a_first_cycle_is_bounded(void **state)
{
	struct world *world = *state;
	long few = peak_of_a_cycle(world, FULL_GROUPS, 1, FEW);
	long many = peak_of_a_cycle(world, 0, FULL_GROUPS, FULL_MEMBERS);

	printf("%d memberships: %ld KiB; %d: %ld KiB\n", FEW, few, FULL_GROUPS * FULL_MEMBERS, many);
	assert_true(many - few <= MOST_KIB);
	world_passed(world);
}

/* The broker that makes the cycle dies in the middle; another goes on where it was, and nothing begins anew. */
static void it_outlives_its_broker(void **state)
{
	struct world *world = *state;
	struct watch watch = {.world = world, .broker = 1, .total = 12LL * 30};

	assert_int_equal(post(world, 0, APP "/pause"), 200);
	for (size_t g = 0; g < 12; g++)
		defer(world, g, 30);
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups -> delay 150"));
	assert_int_equal(post(world, 0, APP "/resume"), 200);
	/* Whoever asks, and however often: it is one. */
	assert_int_equal(post(world, 0, APP "/cycles"), 202);
	assert_int_equal(post(world, 1, APP "/cycles"), 202);
	assert_true(wait_until(is_half_done, &watch, PATIENCE));
	assert_false(watch.over);
	broker_kill9(&world->brokers[0]);
	assert_true(wait_until(is_over, &watch, PATIENCE));
	expect_record(world, 1, watch.total, 0);
	for (size_t g = 0; g < 12; g++)
		scene_wait_members(world, g, 30);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ten_thousand, open_large, scene_close),
		cmocka_unit_test_setup_teardown(memory_of_a_first_cycle_is_bounded, open_idle, scene_close),
		cmocka_unit_test_setup_teardown(it_outlives_its_broker, open_two, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
