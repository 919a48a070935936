/*
 * The safety net: memberships whose brokers have all died leave the application by one run of a timer job, which is harmless
 * beside a broker that lives, and says what was overdue and what is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "activation/sweep.h"
#include "base/clock.h"
#include "base/json.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define RUN_MS 60000

struct job {
	struct proc proc;
	int status;
	cJSON *report; /* NULL when it printed none */
};

static int make_world(void **state)
{
	*state = calloc(1, sizeof(struct world));
	return *state != NULL ? 0 : -1;
}

static int end_world(void **state)
{
	bool clean = world_stop(*state);

	free(*state);
	return clean ? 0 : -1;
}

static bool has_ended(void *ctx)
{
	return !proc_alive(ctx);
}

/* Runs the program with the first broker's configuration, and a word before or behind that; NULL = none. */
static void run(const struct world *world, const char *name, const char *before, const char *behind,
		struct job *job)
{
	char program[PROC_PATH_SIZE], config[PROC_PATH_SIZE], log[PROC_PATH_SIZE], line[1024] = "";
	const char *argv[6] = {program};
	size_t count = 1;
	FILE *file;

	memset(job, 0, sizeof(*job));
	assert_true(proc_build_path(name, program, sizeof(program)));
	snprintf(config, sizeof(config), "%.400s/broker-0.yaml", world->dir);
	snprintf(log, sizeof(log), "%.400s/sweep.log", world->dir);
	if (before != NULL)
		argv[count++] = before;
	argv[count++] = "--config";
	argv[count++] = config;
	argv[count] = behind;
	remove(log);
	assert_true(proc_start(&job->proc, argv, NULL, log));
	assert_true(wait_until(has_ended, &job->proc, RUN_MS));
	assert_true(WIFEXITED(job->proc.wait_status));
	job->status = WEXITSTATUS(job->proc.wait_status);
	file = fopen(log, "r");
	assert_non_null(file);
	while (job->report == NULL && fgets(line, sizeof(line), file) != NULL)
		if (line[0] == '{' && json_parse(line, strlen(line), &job->report, NULL) != ERR_OK)
			fail_msg("no JSON: %s", line);
	fclose(file);
	if (job->report == NULL)
		proc_print_log(&job->proc, stderr);
}

static void sweep(const struct world *world, const char *patience, struct job *job)
{
	char option[32];

	snprintf(option, sizeof(option), "--sweep=%s", patience);
	run(world, "jit-broker", NULL, option, job);
}

static double number(const struct job *job, const char *name)
{
	assert_true(cJSON_IsNumber(cJSON_GetObjectItem(job->report, name)));
	return cJSON_GetObjectItem(job->report, name)->valuedouble;
}

/* Two members whose end comes while nobody is there. */
static void leave_alone(struct world *world)
{
	struct world_ask ask = {.duration = "PT5S"};
	char id[ID_SIZE];
	int64_t end_ms;

	for (ask.person = 0; ask.person < 2; ask.person++) {
		scene_activate(world, &ask, id);
		scene_wait(world, &ask, id, "provisioned");
	}
	end_ms = clock_wall_ms() + 5 * SECOND;
	broker_kill9(&world->brokers[0]);
	scene_wait_for(end_ms);
}

static void what_no_broker_has_ended_is_ended(void **state)
{
	struct world *world = *state;
	struct world_options options = scene_defaults();
	struct job job;

	assert_true(world_start(world, &options));
	leave_alone(world);
	/* As an operator does it by hand, on a machine where no broker runs, with the time that a sweep has by default. */
	run(world, "jit", "sweep", NULL, &job);
	assert_non_null(job.report);
	/* However long this machine took for it. */
	assert_int_equal(job.status,
			 cJSON_IsTrue(cJSON_GetObjectItem(job.report, "late")) ? SWEEP_LATE : SWEEP_DONE);
	assert_true(number(&job, "due") >= 2);
	assert_true(number(&job, "dueLeft") == 0 && number(&job, "removalsLeft") == 0);
	cJSON_Delete(job.report);
	for (size_t person = 0; person < 2; person++)
		assert_true(world_wait_member(world, person, 0, false, 0));
	sweep(world, "30s", &job);
	assert_int_equal(job.status, 0);
	assert_true(number(&job, "due") == 0 && number(&job, "overdueRemovals") == 0);
	cJSON_Delete(job.report);
	world_passed(world);
}

/* Done now, and yet the job fails: nobody else would have done it. */
static void what_was_late_is_told(void **state)
{
	struct world *world = *state;
	struct world_options options = scene_defaults();
	struct job job;

	assert_true(world_start(world, &options));
	leave_alone(world);
	scene_wait_for(clock_wall_ms() + SWEEP_DUE_LATE_MS);
	run(world, "jit", "sweep", NULL, &job);
	assert_int_equal(job.status, SWEEP_LATE);
	assert_true(number(&job, "due") >= 2 && number(&job, "removalsLeft") == 0);
	assert_true(number(&job, "longestDueSeconds") * 1000 >= SWEEP_DUE_LATE_MS);
	cJSON_Delete(job.report);
	sweep(world, "30s", &job);
	assert_int_equal(job.status, SWEEP_DONE);
	cJSON_Delete(job.report);
	world_passed(world);
}

static void what_cannot_be_done_is_told(void **state)
{
	struct world *world = *state;
	struct world_options options = scene_defaults();
	struct job job;

	assert_true(world_start(world, &options));
	leave_alone(world);
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups always -> status 500"));
	sweep(world, "2s", &job);
	assert_int_equal(job.status, 1);
	assert_true(number(&job, "removalsLeft") == 2);
	cJSON_Delete(job.report);
	redis_server_kill9(&world->redis);
	sweep(world, "1s", &job);
	assert_int_equal(job.status, 1);
	assert_null(job.report);
	assert_true(redis_server_restart(&world->redis));
	world_passed(world);
}

/* Redis takes no change: ends are due, no removal has begun, and that is no success. */
static void what_is_refused_is_told(void **state)
{
	struct world *world = *state;
	struct world_options options = scene_defaults();
	struct job job;

	assert_true(world_start(world, &options));
	leave_alone(world);
	assert_true(redis_server_do(&world->redis, "CONFIG SET min-replicas-to-write 1"));
	sweep(world, "2s", &job);
	assert_int_equal(job.status, 1);
	assert_true(number(&job, "dueLeft") >= 2 && number(&job, "removalsLeft") == 0);
	cJSON_Delete(job.report);
	assert_true(redis_server_do(&world->redis, "CONFIG SET min-replicas-to-write 0"));
	sweep(world, "30s", &job);
	assert_int_equal(job.status, 0);
	cJSON_Delete(job.report);
	world_passed(world);
}

/* The broker died in the middle of the addition: what it did is known once its time is over, and not before. */
static void a_push_of_the_dead_is_waited_for(void **state)
{
	struct world *world = *state;
	struct world_options options = scene_defaults();
	struct world_ask ask = {.duration = "PT5S"};
	char id[ID_SIZE];
	struct job job;
	int64_t end_ms;

	options.application.push_timeout_ms = 8 * SECOND;
	assert_true(world_start(world, &options));
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> hang after"));
	scene_activate(world, &ask, id);
	end_ms = clock_wall_ms() + 5 * SECOND;
	assert_true(world_wait_member(world, 0, 0, true, SCENE_PATIENCE));
	broker_kill9(&world->brokers[0]);
	scene_wait_for(end_ms);
	sweep(world, "1s", &job);
	assert_int_equal(job.status, 1);
	assert_true(number(&job, "removalsLeft") == 1);
	cJSON_Delete(job.report);
	sweep(world, "30s", &job);
	assert_int_equal(job.status, 0);
	cJSON_Delete(job.report);
	assert_true(world_wait_member(world, 0, 0, false, 0));
	world_passed(world);
}

static int post_sweep(const struct world *world, size_t person, struct http_response *response)
{
	broker_call(&world->brokers[0],
		    &(struct http_request){
			    .method = "POST", .url = "/api/sweep", .bearer = world_token(world, person)},
		    response);
	return response->status;
}

/* By the running broker, and by a process beside it: each removal is pushed once. */
static void beside_a_broker_it_is_harmless(void **state)
{
	struct world *world = *state;
	struct world_options options = scene_defaults();
	struct http_response response;
	struct scene_changes changes;
	struct world_ask ask = {.duration = "PT5S"};
	char id[ID_SIZE];
	struct job job;

	options.poll_ms = 5000; /* the sweep is what looks */
	assert_true(world_start(world, &options));
	scene_activate(world, &ask, id);
	assert_int_equal(post_sweep(world, 1, &response), 403);
	http_response_release(&response);
	assert_int_equal(post_sweep(world, 0, &response), 200);
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(response.json, "complete")));
	http_response_release(&response);
	assert_true(world_wait_member(world, 0, 0, true, SCENE_PATIENCE));
	scene_wait_for(clock_wall_ms() + 5 * SECOND);
	sweep(world, "30s", &job);
	assert_int_equal(job.status, 0);
	cJSON_Delete(job.report);
	assert_true(world_wait_member(world, 0, 0, false, SCENE_PATIENCE));
	scene_wait_over(world, &ask, id);
	scene_changes(world, &changes);
	assert_int_equal(changes.removes, 1);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_no_broker_has_ended_is_ended, make_world, end_world),
		cmocka_unit_test_setup_teardown(what_was_late_is_told, make_world, end_world),
		cmocka_unit_test_setup_teardown(what_cannot_be_done_is_told, make_world, end_world),
		cmocka_unit_test_setup_teardown(what_is_refused_is_told, make_world, end_world),
		cmocka_unit_test_setup_teardown(a_push_of_the_dead_is_waited_for, make_world, end_world),
		cmocka_unit_test_setup_teardown(beside_a_broker_it_is_harmless, make_world, end_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
