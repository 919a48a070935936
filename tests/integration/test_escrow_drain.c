/*
 * Redis is lost: what is due leaves the applications by the escrow's manifests alone, and nothing else does. Beside a Redis
 * that can be used nothing is done; a manifest that was changed is found, and used up to there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "escrow/volume.h"
#include "tests/support/drained.h"
#include "tests/support/sandbox_log.h"
#include "tests/support/scene.h"
#include "tests/support/vault.h"
#include "tests/support/wait.h"

#define WINDOW_MS 1000                /* of the throttle; five pushes in it */
#define PUSH_MS   1000                /* the longest push */
#define REMOVED   "{\"application\":" /* how the line of a removal begins */

struct test {
	struct world world;
	struct vault vault;
};

static int make_test(void **state)
{
	*state = calloc(1, sizeof(struct test));
	return *state != NULL ? 0 : -1;
}

static int end_test(void **state)
{
	struct test *t = *state;
	bool clean = world_stop(&t->world);

	vault_remove(&t->vault);
	free(t);
	return clean ? 0 : -1;
}

static void start(struct test *t)
{
	struct world_options options = scene_defaults();

	vault_make(&t->vault, NULL);
	options.more = t->vault.config;
	options.application.per_ms = WINDOW_MS;
	options.application.push_timeout_ms = PUSH_MS;
	options.redis_timeout_ms = 1000;
	assert_true(world_start(&t->world, &options));
}

static void give(struct test *t, size_t person, const char *duration)
{
	struct world_ask ask = {.person = person, .duration = duration};
	char id[ID_SIZE];

	scene_activate(&t->world, &ask, id);
	scene_wait(&t->world, &ask, id, "provisioned");
}

/* Brokers and Redis die, and the data with them. */
static void lose_all(struct test *t)
{
	broker_kill9(&t->world.brokers[0]);
	redis_server_kill9(&t->world.redis);
}

static bool is_member(struct test *t, size_t person)
{
	return sandbox_is_member(&t->world.sandbox, world_group_name(&t->world, 0),
				 world_user_name(&t->world, person));
}

/* What the manifests say of somebody. */
static void find(const struct test *t, size_t person, struct vault_entry *entry)
{
	vault_find(t->vault.path, world_person_id(&t->world, person), world_group_id(&t->world, 0), entry);
	assert_true(entry->found);
}

static void what_is_due_goes_and_nothing_else(void **state)
{
	struct test *t = *state;
	struct vault_entry before, after;
	struct drained job;
	int64_t end_ms;

	start(t);
	give(t, 0, "PT5S");
	give(t, 1, "PT5S");
	end_ms = clock_wall_ms() + 5 * SECOND;
	give(t, 2, "PT1H");
	lose_all(t);
	scene_wait_for(end_ms);
	drained_run(&t->world, &job, "--dry-run", NULL);
	assert_int_equal(job.status, 0);
	assert_int_equal(drained_number(&job, "due"), 2);
	assert_true(proc_log_holds(&job.proc, REMOVED));
	assert_true(is_member(t, 0) && is_member(t, 1));
	drained_release(&job);
	find(t, 0, &before);
	drained_run(&t->world, &job, NULL);
	assert_int_equal(job.status, 0);
	assert_int_equal(drained_number(&job, "removed"), 2);
	assert_true(proc_log_holds(&job.proc, REMOVED));
	/* The broker's last push may have begun just before it was killed. */
	assert_true(drained_number(&job, "seconds") >= (PUSH_MS + WINDOW_MS) / SECOND);
	drained_release(&job);
	/* Whatever this machine's clock says: whoever is added later is not gone by this. */
	find(t, 0, &after);
	assert_int_equal(after.kind, ESCROW_GONE);
	assert_int_equal(after.at_ms, before.at_ms + 1);
	assert_false(is_member(t, 0) || is_member(t, 1));
	assert_true(is_member(t, 2));
	/* Whoever is made a member by hand afterwards is left alone by the next one. */
	drained_run(&t->world, &job, "--without-redis", NULL);
	assert_int_equal(job.status, 0);
	assert_int_equal(drained_number(&job, "due"), 0);
	drained_release(&job);
	drained_run(&t->world, &job, "--all", "--without-redis", NULL);
	assert_int_equal(job.status, 0);
	assert_int_equal(drained_number(&job, "removed"), 1);
	drained_release(&job);
	assert_false(is_member(t, 2));
	world_passed(&t->world);
}

/* An operator wants to see that membership pushed. */
static int provision(struct test *t, size_t person)
{
	struct http_response response;
	char body[256];
	int status;

	snprintf(body, sizeof(body), "{\"principalId\":\"%s\",\"groupId\":\"%s\"}",
		 world_person_id(&t->world, person), world_group_id(&t->world, 0));
	broker_call(&t->world.brokers[0],
		    &(struct http_request){.url = "/api/applications/app/provision",
					   .body = body,
					   .bearer = world_token(&t->world, 0)},
		    &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

/* They were a member before, and keep that whatever they ask for: an end of it is nobody's to carry out. */
static void a_standing_member_stays(void **state)
{
	struct test *t = *state;
	struct world_ask ask = {.person = 1, .duration = "PT5M"};
	struct drained job;
	char id[ID_SIZE];

	start(t);
	assert_true(sandbox_make_user(&t->world.sandbox, world_user_name(&t->world, 1)));
	assert_true(sandbox_change_by_hand(&t->world.sandbox, world_group_name(&t->world, 0),
					   world_user_name(&t->world, 1), true));
	give(t, 0, "PT1H");
	give(t, 1, "PT2M");
	/* Longer, then shown to an operator: none of it makes it the broker's. */
	scene_activate(&t->world, &ask, id);
	assert_int_equal(provision(t, 1), 200);
	lose_all(t);
	drained_run(&t->world, &job, "--all", "--without-redis", NULL);
	assert_int_equal(job.status, 0);
	assert_int_equal(drained_number(&job, "due"), 1);
	assert_int_equal(drained_number(&job, "removed"), 1);
	drained_release(&job);
	assert_false(is_member(t, 0));
	assert_true(is_member(t, 1));
	world_passed(&t->world);
}

/* Whom the broker found in a group that is its own, it never added: without it nobody decides about them. */
static void a_stranger_stays(void **state)
{
	struct test *t = *state;
	struct world_options options = scene_defaults();
	struct ledger *ledger;
	struct drained job;
	bool intact;

	vault_make(&t->vault, NULL);
	options.more = t->vault.config;
	options.application.checks_drift = true;
	options.group.exclusive = "remove";
	assert_true(world_start(&t->world, &options));
	assert_true(sandbox_make_user(&t->world.sandbox, "stranger"));
	assert_true(
		sandbox_change_by_hand(&t->world.sandbox, world_group_name(&t->world, 0), "stranger", true));
	assert_true(sandbox_add_fault(&t->world.sandbox, "PATCH /Groups always -> status 500"));
	scene_begin_cycle(&t->world);
	assert_true(proc_wait_text(&t->world.brokers[0].proc, "op=remove", SCENE_PATIENCE, NULL, 0));
	lose_all(t);
	ledger = vault_read(t->vault.path, &intact);
	assert_int_equal(ledger_count(ledger), 0);
	ledger_free(ledger);
	drained_run(&t->world, &job, "--all", "--without-redis", NULL);
	assert_int_equal(job.status, 0);
	assert_int_equal(drained_number(&job, "due"), 0);
	drained_release(&job);
	assert_int_equal(scene_members(&t->world, 0), 1);
	world_passed(&t->world);
}

static bool is_hung(void *ctx)
{
	return sandbox_hung(ctx) == 1;
}

/* The broker dies while the addition is on its way, applied already or not: either way it is gone afterwards. */
static void an_addition_on_its_way_goes(void **state)
{
	static const char *const faults[] = {"PATCH /Groups once -> hang",
					     "PATCH /Groups once -> hang after"};
	struct test *t = *state;
	struct drained job;

	start(t);
	for (size_t i = 0; i < 2; i++) {
		struct world_ask ask = {.person = i, .duration = "PT1H"};
		char id[ID_SIZE];

		assert_true(sandbox_add_fault(&t->world.sandbox, faults[i]));
		scene_activate(&t->world, &ask, id);
		assert_true(wait_until(is_hung, &t->world.sandbox, SCENE_PATIENCE));
		broker_kill9(&t->world.brokers[0]);
		sandbox_release_hung(&t->world.sandbox);
		assert_true(sandbox_clear_faults(&t->world.sandbox));
		if (i == 0)
			assert_true(broker_restart(&t->world.brokers[0]));
	}
	redis_server_kill9(&t->world.redis);
	drained_run(&t->world, &job, "--all", "--without-redis", NULL);
	assert_int_equal(job.status, 0);
	assert_int_equal(drained_number(&job, "removed"), 2);
	drained_release(&job);
	assert_false(is_member(t, 0) || is_member(t, 1));
	world_passed(&t->world);
}

static void beside_a_good_redis_it_refuses(void **state)
{
	struct test *t = *state;
	struct drained job;

	start(t);
	give(t, 0, "PT1H");
	drained_run(&t->world, &job, "--all", NULL);
	assert_int_equal(job.status, 2);
	drained_release(&job);
	assert_true(is_member(t, 0));
	/* What Redis knows of is its brokers' business. */
	for (size_t i = 0; i < 2; i++) {
		drained_run(&t->world, &job, "--all", "--beside-redis", i == 0 ? "--dry-run" : NULL, NULL);
		assert_int_equal(job.status, 0);
		assert_int_equal(drained_number(&job, "known"), 1);
		assert_int_equal(drained_number(&job, "removed"), 0);
		assert_false(proc_log_holds(&job.proc, REMOVED));
		drained_release(&job);
	}
	assert_true(is_member(t, 0));
	drained_run(&t->world, &job, "--all", "--without-redis", NULL);
	assert_int_equal(job.status, 0);
	drained_release(&job);
	assert_false(is_member(t, 0));
	world_passed(&t->world);
}

/* What Redis knows cannot be said once it is away. */
static void beside_no_redis_it_says_nothing(void **state)
{
	struct test *t = *state;
	struct drained job;

	start(t);
	give(t, 0, "PT1H");
	lose_all(t);
	drained_run(&t->world, &job, "--all", "--beside-redis", "--dry-run", NULL);
	assert_int_equal(job.status, 2);
	assert_false(proc_log_holds(&job.proc, REMOVED));
	drained_release(&job);
	world_passed(&t->world);
}

/* More than fit into the throttle, one by one because each is in another group of the application. */
static void the_throttle_is_kept(void **state)
{
	struct test *t = *state;
	struct world_options options = scene_defaults();
	struct sandbox_log log;
	struct drained job;

	vault_make(&t->vault, NULL);
	options.more = t->vault.config;
	options.groups = 12;
	options.application.per_ms = WINDOW_MS;
	options.application.push_timeout_ms = PUSH_MS;
	options.redis_timeout_ms = 1000;
	options.application.overflow_wait_ms = 60 * SECOND;
	assert_true(world_start(&t->world, &options));
	for (size_t group = 0; group < 12; group++) {
		struct world_ask ask = {.group = group, .duration = "PT1H"};
		char id[ID_SIZE];

		scene_activate(&t->world, &ask, id);
	}
	for (size_t group = 0; group < 12; group++)
		assert_true(world_wait_member(&t->world, 0, group, true, SCENE_PATIENCE));
	lose_all(t);
	drained_run(&t->world, &job, "--all", NULL);
	assert_int_equal(job.status, 0);
	assert_int_equal(drained_number(&job, "removed"), 12);
	drained_release(&job);
	assert_true(sandbox_log_read(t->world.sandbox.requests_path, &log));
	assert_in_range(sandbox_log_max_pushes(&log, WINDOW_MS), 1, 5);
	sandbox_log_release(&log);
	world_passed(&t->world);
}

/* Changes one byte in the last line of the only manifest. */
static void tamper(const struct test *t)
{
	char path[PROC_PATH_SIZE];
	FILE *file;

	assert_true(vault_file(t->vault.path, path));
	file = fopen(path, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, -80, SEEK_END), 0);
	assert_int_equal(fputc('Z', file), 'Z');
	assert_int_equal(fclose(file), 0);
}

static void a_changed_manifest_is_found(void **state)
{
	struct test *t = *state;
	struct drained job;

	start(t);
	give(t, 0, "PT1H");
	give(t, 1, "PT1H");
	lose_all(t);
	drained_command(&t->world, &job, "verify", NULL);
	assert_int_equal(job.status, 0);
	drained_release(&job);
	tamper(t);
	drained_command(&t->world, &job, "verify", NULL);
	assert_int_equal(job.status, 7);
	assert_true(proc_log_holds(&job.proc, "BROKEN at line 3"));
	drained_release(&job);
	drained_run(&t->world, &job, "--all", "--without-redis", NULL);
	assert_int_equal(job.status, 7);
	assert_int_equal(drained_number(&job, "removed"), 1);
	drained_release(&job);
	assert_false(is_member(t, 0));
	assert_true(is_member(t, 1));
	world_passed(&t->world);
}

/* The disk gives one manifest back, and another not. */
static void an_unreadable_manifest_is_passed_over(void **state)
{
	struct test *t = *state;
	char path[PROC_PATH_SIZE];
	struct drained job;

	start(t);
	give(t, 0, "PT1H");
	lose_all(t);
	snprintf(path, sizeof(path), "%s/another.escrow", t->vault.path);
	assert_int_equal(mkdir(path, 0700), 0);
	drained_command(&t->world, &job, "verify", NULL);
	assert_int_equal(job.status, 7);
	assert_true(proc_log_holds(&job.proc, "UNREADABLE"));
	drained_release(&job);
	drained_run(&t->world, &job, "--all", "--without-redis", NULL);
	assert_int_equal(job.status, 7);
	assert_int_equal(drained_number(&job, "removed"), 1);
	assert_int_equal(drained_number(&job, "broken"), 1);
	drained_release(&job);
	assert_false(is_member(t, 0));
	world_passed(&t->world);
}

/* The manifest with the addition is lost: where the configuration has names, they do, and nobody passes for removed. */
static void an_end_alone_is_carried_out_or_told(void **state)
{
	static const struct escrow_keys keys = {VAULT_KEY, ""};
	struct test *t = *state;
	char lines[512];
	struct errctx ec = {""};
	struct volume volume;
	struct drained job;

	start(t);
	give(t, 0, "PT1H");
	lose_all(t);
	assert_true(vault_file(t->vault.path, lines));
	assert_int_equal(unlink(lines), 0);
	snprintf(lines, sizeof(lines), "end\t1\t2\tapp\t%s\t%s\nend\t1\t2\tapp\t%s\tnobody\n",
		 world_group_id(&t->world, 0), world_person_id(&t->world, 0), world_group_id(&t->world, 0));
	volume_init(&volume, t->vault.path, &keys);
	assert_int_equal(volume_open(&volume, &ec), ERR_OK);
	assert_int_equal(volume_append(&volume, lines, true, &ec), ERR_OK);
	volume_close(&volume);
	drained_run(&t->world, &job, "--dry-run", "--without-redis", NULL);
	assert_int_equal(job.status, 1);
	assert_int_equal(drained_number(&job, "left"), 2);
	assert_true(proc_log_holds(&job.proc, world_user_name(&t->world, 0)));
	assert_true(proc_log_holds(&job.proc, "escrow_left"));
	drained_release(&job);
	drained_run(&t->world, &job, "--without-redis", NULL);
	assert_int_equal(job.status, 1);
	assert_int_equal(drained_number(&job, "removed"), 1);
	assert_int_equal(drained_number(&job, "left"), 1);
	drained_release(&job);
	assert_false(is_member(t, 0));
	world_passed(&t->world);
}

/* An application that does not do it leaves something, and that is told. */
static void what_cannot_be_done_is_told(void **state)
{
	struct test *t = *state;
	struct drained job;

	start(t);
	give(t, 0, "PT1H");
	lose_all(t);
	assert_true(sandbox_add_fault(&t->world.sandbox, "PATCH /Groups always -> status 500"));
	drained_run(&t->world, &job, "--all", "--without-redis", "--sweep=4s", NULL);
	assert_int_equal(job.status, 1);
	assert_int_equal(drained_number(&job, "left"), 1);
	assert_true(proc_log_holds(&job.proc, "escrow_left"));
	drained_release(&job);
	world_passed(&t->world);
}

/* All is removed, and that cannot be written down: it ends, and says so. */
static void an_escrow_that_cannot_be_written_is_told(void **state)
{
	struct test *t = *state;
	char path[PROC_PATH_SIZE];
	struct drained job;

	start(t);
	give(t, 0, "PT1H");
	lose_all(t);
	/* Something else is where the lock of the manifest was. */
	assert_true(vault_file(t->vault.path, path));
	memcpy(strrchr(path, '.'), ".lock", sizeof(".lock"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	drained_run(&t->world, &job, "--all", "--without-redis", NULL);
	assert_int_equal(job.status, 1);
	assert_int_equal(drained_number(&job, "removed"), 1);
	assert_true(proc_log_holds(&job.proc, "could not be written down"));
	drained_release(&job);
	assert_false(is_member(t, 0));
	world_passed(&t->world);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, make_test, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(what_is_due_goes_and_nothing_else),
		ROW(a_standing_member_stays),
		ROW(a_stranger_stays),
		ROW(an_addition_on_its_way_goes),
		ROW(beside_a_good_redis_it_refuses),
		ROW(the_throttle_is_kept),
		ROW(a_changed_manifest_is_found),
		ROW(an_unreadable_manifest_is_passed_over),
		ROW(beside_no_redis_it_says_nothing),
		ROW(what_cannot_be_done_is_told),
		ROW(an_end_alone_is_carried_out_or_told),
		ROW(an_escrow_that_cannot_be_written_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
