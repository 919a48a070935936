/*
 * Redis is lost and restored from a backup (deploy/restore.md): the backup is found to be whole, what was given since is
 * known from the escrow and leaves the application, and what the backup knows stays; a backup that is not whole is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/setup.h"
#include "tests/support/drained.h"
#include "tests/support/scene.h"
#include "tests/support/vault.h"
#include "tests/support/wait.h"

struct test {
	struct world world;
	struct vault vault;
	char backup[PROC_PATH_SIZE];
};

static int make_world(void **state, int64_t push_ms)
{
	struct test *t = calloc(1, sizeof(*t));
	struct world_options options = scene_defaults();

	*state = t;
	if (t == NULL)
		return -1;
	vault_make(&t->vault, NULL);
	options.more = t->vault.config;
	options.application.per_ms = 1000;
	options.application.push_timeout_ms = push_ms;
	options.redis_timeout_ms = 1000;
	snprintf(t->backup, sizeof(t->backup), "%.60s/backup.rdb", t->vault.dir);
	return world_start(&t->world, &options) ? 0 : -1;
}

static int make_test(void **state)
{
	return make_world(state, 1000);
}

static int make_long_pushes(void **state)
{
	return make_world(state, 60000);
}

static int end_test(void **state)
{
	struct test *t = *state;
	bool clean = world_stop(&t->world);

	vault_remove(&t->vault);
	free(t);
	return clean ? 0 : -1;
}

static void give(struct test *t, size_t person, const char *duration)
{
	struct world_ask ask = {.person = person, .duration = duration};
	char id[ID_SIZE];

	scene_activate(&t->world, &ask, id);
	scene_wait(&t->world, &ask, id, "provisioned");
}

static bool is_member(struct test *t, size_t person)
{
	return sandbox_is_member(&t->world.sandbox, world_group_name(&t->world, 0),
				 world_user_name(&t->world, person));
}

static void copy(const char *from, const char *to)
{
	char block[4096];
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	size_t len;

	assert_non_null(in);
	assert_non_null(out);
	while ((len = fread(block, 1, sizeof(block), in)) > 0)
		assert_int_equal(fwrite(block, 1, len, out), len);
	assert_int_equal(fclose(in), 0);
	assert_int_equal(fclose(out), 0);
}

static void dump_path(const struct test *t, char out[PROC_PATH_SIZE])
{
	snprintf(out, PROC_PATH_SIZE, "%s/dump.rdb", t->world.redis.dir);
}

static void back_up(struct test *t)
{
	char dump[PROC_PATH_SIZE];

	assert_true(redis_server_do(&t->world.redis, "SAVE"));
	dump_path(t, dump);
	copy(dump, t->backup);
}

/* Its files go, but not the folder itself. */
static int remove_data(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	return where->level == 0 ? 0 : remove(path);
}

/* As deploy/restore.md says: first without an append-only file, which would be taken in the place of the dump. */
static void restore(struct test *t)
{
	char dump[PROC_PATH_SIZE];

	nftw(t->world.redis.dir, remove_data, 16, FTW_DEPTH | FTW_PHYS);
	dump_path(t, dump);
	copy(t->backup, dump);
	t->world.redis.extra[0] = "--appendonly";
	t->world.redis.extra[1] = "no";
	t->world.redis.extra[2] = NULL;
	assert_true(redis_server_restart(&t->world.redis));
	assert_true(redis_server_do(&t->world.redis, "CONFIG SET appendonly %s", "yes"));
}

static int verify(struct test *t, int64_t *live)
{
	const char *const words[] = {"backup", "verify", "--config", t->world.brokers[0].config_path};
	struct drained job;

	drained_jit(&t->world, &job, words, 4);
	*live = job.report != NULL ? drained_number(&job, "live") : -1;
	drained_release(&job);
	return job.status;
}

/* Their removal, done or only meant. */
static bool is_printed(struct test *t, const struct drained *job, size_t person)
{
	char text[192];

	snprintf(text, sizeof(text), "\"userName\":\"%.150s\"", world_user_name(&t->world, person));
	return proc_log_holds(&job->proc, text);
}

static void what_the_backup_does_not_know_leaves(void **state)
{
	struct test *t = *state;
	struct drained job;
	int64_t live, end_ms;

	give(t, 0, "PT1H");
	back_up(t);
	give(t, 1, "PT1H");
	give(t, 2, "PT5S");
	end_ms = clock_wall_ms() + 5 * SECOND;
	broker_kill9(&t->world.brokers[0]);
	redis_server_kill9(&t->world.redis);
	restore(t);
	assert_int_equal(verify(t, &live), 0);
	assert_int_equal(live, 1);
	scene_wait_for(end_ms);
	drained_run(&t->world, &job, "--all", "--beside-redis", "--dry-run", NULL);
	assert_int_equal(job.status, 0);
	assert_int_equal(drained_number(&job, "known"), 1);
	assert_false(is_printed(t, &job, 0));
	assert_true(is_printed(t, &job, 1) && is_printed(t, &job, 2));
	drained_release(&job);
	assert_true(is_member(t, 1) && is_member(t, 2));
	drained_run(&t->world, &job, "--all", "--beside-redis", NULL);
	assert_int_equal(job.status, 0);
	assert_int_equal(drained_number(&job, "known"), 1);
	assert_int_equal(drained_number(&job, "removed"), 2);
	assert_false(is_printed(t, &job, 0));
	assert_true(is_printed(t, &job, 1) && is_printed(t, &job, 2));
	drained_release(&job);
	assert_true(is_member(t, 0));
	assert_false(is_member(t, 1) || is_member(t, 2));
	/* And the brokers go on with what was restored. */
	assert_true(broker_restart(&t->world.brokers[0]));
	struct world_ask ask = {.person = 0};
	struct http_response response;
	world_deactivate(&t->world, &ask, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	assert_true(world_wait_member(&t->world, 0, 0, false, SCENE_PATIENCE));
	world_passed(&t->world);
}

/* The only membership's key, and its lane's key of that name; "" = the membership itself, "tx:" = its application's
 * ends. */
static void find_key(struct test *t, const char *name, char *out, size_t size)
{
	bool is_whole = name[0] == '\0' || name[strlen(name) - 1] == ':';
	redisReply *reply = redis_server_command(&t->world.redis, "KEYS {j*}:%s*",
						 name[0] == '\0' || !is_whole ? "m:" : name);
	const char *key;

	assert_non_null(reply);
	assert_true(reply->type == REDIS_REPLY_ARRAY && reply->elements == 1);
	key = reply->element[0]->str;
	if (is_whole)
		snprintf(out, size, "%s", key);
	else
		snprintf(out, size, "%.*s%s", (int)(strstr(key, ":m:") + 1 - key), key, name);
	freeReplyObject(reply);
}

static void a_backup_that_is_not_whole_is_found(void **state)
{
	static const struct {
		const char *name, *command;
	} rows[] = {
		{"tt", "DEL %s"},              /* nobody looks for an end */
		{"tx:", "DEL %s"},             /* no end for anybody */
		{"", "DEL %s"},                /* a request without its membership */
		{"audit", "XTRIM %s MAXLEN 1"} /* events are missing */
	};
	struct test *t = *state;
	char key[256];
	int64_t live;

	give(t, 0, "PT1H");
	back_up(t);
	broker_kill9(&t->world.brokers[0]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		redis_server_kill9(&t->world.redis);
		restore(t);
		assert_int_equal(verify(t, &live), 0);
		find_key(t, rows[i].name, key, sizeof(key));
		assert_true(redis_server_do(&t->world.redis, rows[i].command, key));
		if (verify(t, &live) != 7)
			fail_msg("%s is not found", rows[i].name);
	}
	redis_server_kill9(&t->world.redis);
	restore(t);
	world_passed(&t->world);
}

static bool says_two_are_lost(void *ctx)
{
	struct test *t = ctx;
	struct http_response response;
	bool it_does;

	broker_call(&t->world.brokers[0], &(struct http_request){.url = "/readyz"}, &response);
	it_does = strstr(buf_text(&response.body), "holds 2 removals that Redis does not know") != NULL;
	http_response_release(&response);
	return it_does;
}

/* As where an older version has begun the data, which did not note when. */
static void begin_notes_anew(struct test *t)
{
	for (unsigned lane = 0; lane < 16; lane++)
		assert_true(redis_server_do(&t->world.redis, "DEL " SETUP_STORE_KEY, lane));
}

/* Nobody has stopped the brokers. What others have removed, who do not write into this folder, is not lost. */
static void what_is_lost_under_a_broker_is_told(void **state)
{
	struct test *t = *state;
	struct world_ask ask = {.broker = 1};
	struct broker_config other = t->world.config;
	struct http_response response;
	struct drained job;

	other.more = NULL;
	assert_true(broker_start(&t->world.brokers[1], t->world.dir, "other", &other));
	t->world.broker_count = 2;
	give(t, 0, "PT1H");
	give(t, 2, "PT1H");
	world_deactivate(&t->world, &ask, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	assert_true(world_wait_member(&t->world, 0, 0, false, SCENE_PATIENCE));
	assert_true(broker_stop(&t->world.brokers[1]) && broker_stop(&t->world.brokers[0]));
	begin_notes_anew(t);
	assert_true(broker_restart(&t->world.brokers[0]));
	back_up(t);
	give(t, 1, "PT1H");
	give(t, 3, "PT1H");
	redis_server_kill9(&t->world.redis);
	restore(t);
	assert_true(wait_until(says_two_are_lost, t, SCENE_PATIENCE));
	assert_true(broker_stop(&t->world.brokers[0]));
	assert_true(proc_log_holds(&t->world.brokers[0].proc, "event=escrow_unknown"));
	drained_run(&t->world, &job, "--all", "--beside-redis", NULL);
	assert_int_equal(job.status, 0);
	drained_release(&job);
	assert_false(is_member(t, 1) || is_member(t, 3));
	assert_true(is_member(t, 2));
	world_passed(&t->world);
}

/* Each would keep the throttle for itself, and the application would get twice as much. */
static void a_second_drain_is_refused(void **state)
{
	struct test *t = *state;
	struct drained job;
	int other;

	give(t, 0, "PT1H");
	broker_kill9(&t->world.brokers[0]);
	redis_server_kill9(&t->world.redis);
	other = open(t->vault.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	drained_run(&t->world, &job, "--all", "--without-redis", NULL);
	assert_int_equal(job.status, 2);
	assert_true(proc_log_holds(&job.proc, "Another drain"));
	assert_true(is_member(t, 0));
	drained_release(&job);
	/* Whoever only looks is in nobody's way. */
	drained_run(&t->world, &job, "--all", "--dry-run", NULL);
	assert_int_equal(job.status, 0);
	drained_release(&job);
	close(other);
	drained_run(&t->world, &job, "--all", "--without-redis", NULL);
	assert_int_equal(job.status, 0);
	assert_false(is_member(t, 0));
	drained_release(&job);
	world_passed(&t->world);
}

/* Before the first token there is time to wait for it: and then it is no matter for a drain. */
static void a_slow_redis_is_not_lost(void **state)
{
	struct test *t = *state;
	struct drained job;

	give(t, 0, "PT1H");
	assert_true(redis_server_do(&t->world.redis, "CLIENT PAUSE %d ALL", 3000));
	drained_run(&t->world, &job, "--all", NULL);
	assert_int_equal(job.status, 2);
	assert_true(proc_log_holds(&job.proc, "Redis can be used"));
	drained_release(&job);
	assert_true(is_member(t, 0));
	world_passed(&t->world);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, make_test, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(what_the_backup_does_not_know_leaves),
		ROW(a_backup_that_is_not_whole_is_found),
		ROW(what_is_lost_under_a_broker_is_told),
		ROW(a_second_drain_is_refused),
		cmocka_unit_test_setup_teardown(a_slow_redis_is_not_lost, make_long_pushes, end_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
