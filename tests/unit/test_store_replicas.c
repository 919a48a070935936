/* Writes that are answered only when a replica has them: one master and one replica, on each engine installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>

#include "tests/support/redis_server.h"
#include "tests/support/store_fixture.h"
#include "tests/support/wait.h"

struct pair {
	struct redis_server master, replica;
	char port[8];
};

/* It has what the master had, and has begun its own append-only file with that. */
static bool is_attached(void *ctx)
{
	const struct pair *pair = ctx;
	redisReply *reply = redis_server_command(&pair->replica, "INFO everything");
	bool attached = reply != NULL && strstr(reply->str, "master_link_status:up") != NULL &&
			strstr(reply->str, "aof_rewrite_in_progress:0") != NULL &&
			strstr(reply->str, "aof_rewrite_scheduled:0") != NULL;
	if (reply != NULL)
		freeReplyObject(reply);
	return attached;
}

static int start_pair(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	int port;
	if (pair == NULL || !redis_server_ports(&port, 1))
		return -1;
	(void)snprintf(pair->port, sizeof(pair->port), "%d", port);
	const char *const of_master[] = {
		"--port", pair->port, "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0", NULL};
	const char *const of_replica[] = {"--replicaof", "127.0.0.1", pair->port, NULL};
	*state = pair;
	return redis_server_start(&pair->master, of_master) &&
			       redis_server_start(&pair->replica, of_replica) &&
			       wait_until(is_attached, pair, 10000)
		       ? 0
		       : -1;
}

static int stop_pair(void **state)
{
	struct pair *pair = *state;
	redis_server_stop(&pair->replica);
	redis_server_stop(&pair->master);
	free(pair);
	return 0;
}

/* Waits for the replica for so long at most. */
static void open_pair(struct store_fixture *f, const struct pair *pair, int64_t timeout_ms)
{
	struct store_options options = fixture_options(f, pair->master.url);
	options.replicas = 1;
	options.replicas_timeout_ms = timeout_ms;
	options.call_timeout_ms = 10000;
	fixture_open(f, &options);
	fixture_wait(f, &f->times_ready, 1);
}

static bool has_note(const struct redis_server *server, const char *note)
{
	redisReply *reply = redis_server_command(server, "SISMEMBER {j3}:notes %s", note);
	bool has = reply != NULL && reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
	if (reply != NULL)
		freeReplyObject(reply);
	return has;
}

/* A replica that was away comes back after a while of its own. */
static enum err ask_until_safe(struct store_fixture *f, const char *note)
{
	enum err err = ERR_TIMEOUT;
	for (int i = 0; i < 60 && err == ERR_TIMEOUT; i++)
		err = fixture_ask(f, "t_note", note).err;
	return err;
}

/* Many calls go out with one WAIT; each has its own answer, and the replica has them all when they are told. */
static void test_many(void **state)
{
	struct pair *pair = *state;
	static struct outcome outcomes[2000];
	struct store_fixture f;
	size_t all = 0;
	open_pair(&f, pair, 5000);
	memset(outcomes, 0, sizeof(outcomes));
	for (size_t i = 0; i < 2000; i++) {
		char text[24];
		(void)snprintf(text, sizeof(text), "many-%zu", i);
		outcomes[i].all = &all;
		fixture_send(&f, "t_note", text, &outcomes[i]);
	}
	fixture_wait(&f, &all, 2000);
	redis_server_freeze(&pair->master);
	for (size_t i = 0; i < 2000; i++) {
		char text[24];
		(void)snprintf(text, sizeof(text), "many-%zu", i);
		assert_int_equal(outcomes[i].err, ERR_OK);
		assert_string_equal(outcomes[i].text, text);
		assert_true(i % 100 != 0 || has_note(&pair->replica, text));
	}
	redis_server_thaw(&pair->master);
	assert_int_equal(store_counts(f.store)->unreplicated, 0);
	fixture_close(&f);
}

/* The replica stands still: what is written is in doubt, what is read is answered, and nothing is held up for good. */
static void test_replica_away(void **state)
{
	struct pair *pair = *state;
	struct store_fixture f;
	open_pair(&f, pair, 300);
	redis_server_freeze(&pair->replica);
	assert_int_equal(fixture_ask(&f, "t_note", "alone").err, ERR_TIMEOUT);
	assert_true(has_note(&pair->master, "alone"));
	assert_int_equal(fixture_ask(&f, "t_noted", "alone").integer, 1);
	assert_int_equal(fixture_ask(&f, "t_fail", NULL).err, ERR_INTERNAL);
	assert_int_equal(store_counts(f.store)->unreplicated, 1);
	assert_int_equal(store_counts(f.store)->in_doubt, 1);
	redis_server_thaw(&pair->replica);
	assert_int_equal(ask_until_safe(&f, "alone"), ERR_OK);
	assert_true(has_note(&pair->replica, "alone"));
	assert_int_equal(f.times_lost, 0);
	fixture_close(&f);
}

/* A repetition over a new connection finds its work done and writes nothing: that is not yet safe either. */
static void test_repetition(void **state)
{
	struct pair *pair = *state;
	struct store_fixture f;
	open_pair(&f, pair, 300);
	redis_server_freeze(&pair->replica);
	assert_int_equal(fixture_ask(&f, "t_note", "twice").err, ERR_TIMEOUT);
	fixture_close(&f);
	open_pair(&f, pair, 300);
	assert_int_equal(fixture_ask(&f, "t_note", "twice").err, ERR_TIMEOUT);
	redis_server_thaw(&pair->replica);
	assert_int_equal(ask_until_safe(&f, "twice"), ERR_OK);
	fixture_close(&f);
}

/* The master dies before the replica has answered: what was kept back is sent again, and told once. */
static void test_master_dies_meanwhile(void **state)
{
	struct pair *pair = *state;
	struct outcome outcome = {.times = 0};
	struct store_fixture f;
	open_pair(&f, pair, 300);
	redis_server_freeze(&pair->replica);
	fixture_send(&f, "t_note", "kept", &outcome);
	while (!has_note(&pair->master, "kept"))
		fixture_run_for(&f, 5);
	assert_int_equal(outcome.times, 0);
	redis_server_kill9(&pair->master);
	fixture_wait(&f, &f.times_lost, 1);
	redis_server_thaw(&pair->replica);
	assert_true(redis_server_restart(&pair->master));
	fixture_wait(&f, &outcome.times, 1);
	assert_true(outcome.err == ERR_OK || outcome.err == ERR_TIMEOUT);
	assert_int_equal(ask_until_safe(&f, "kept"), ERR_OK);
	assert_true(has_note(&pair->replica, "kept"));
	assert_int_equal(outcome.times, 1);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_many, start_pair, stop_pair),
		cmocka_unit_test_setup_teardown(test_replica_away, start_pair, stop_pair),
		cmocka_unit_test_setup_teardown(test_repetition, start_pair, stop_pair),
		cmocka_unit_test_setup_teardown(test_master_dies_meanwhile, start_pair, stop_pair),
	};
	const char *engine;
	int failed = 0;
	for (size_t i = 0; (engine = redis_server_engine(i)) != NULL; i++) {
		(void)setenv(REDIS_SERVER_PROGRAM, engine, 1);
		failed += cmocka_run_group_tests_name(engine, tests, NULL, NULL);
	}
	return failed;
}
