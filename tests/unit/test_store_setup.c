/* The start-up conversation against a real Redis: durability, functions, lanes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "store/setup.h"
#include "tests/support/redis_gate.h"
#include "tests/support/redis_server.h"
#include "tests/support/store_fixture.h"

static int start_redis(void **state)
{
	struct redis_server *redis = calloc(1, sizeof(*redis));
	if (redis == NULL || !redis_server_start(redis, NULL)) {
		free(redis);
		return -1;
	}
	*state = redis;
	return 0;
}

static int stop_redis(void **state)
{
	redis_server_stop(*state);
	free(*state);
	return 0;
}

static void assert_value(const struct redis_server *redis, const char *key, const char *wanted)
{
	redisReply *reply = redis_server_command(redis, "GET %s", key);
	assert_non_null(reply);
	assert_int_equal(reply->type, REDIS_REPLY_STRING);
	assert_string_equal(reply->str, wanted);
	freeReplyObject(reply);
}

static void load(const struct redis_server *redis, int version)
{
	char library[FIXTURE_LIBRARY_SIZE];
	fixture_library(library, sizeof(library), version);
	assert_true(redis_server_do(redis, "FUNCTION LOAD REPLACE %s", library));
}

static long long version(const struct redis_server *redis)
{
	redisReply *reply = redis_server_command(redis, "FCALL_RO jit_version 0");
	long long number;
	assert_non_null(reply);
	assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
	number = reply->integer;
	freeReplyObject(reply);
	return number;
}

/* Ends all connections, so that the conversation is held again. */
static void disconnect(const struct redis_server *redis)
{
	assert_true(redis_server_do(redis, "CLIENT KILL TYPE normal"));
}

static void open_ready(struct store_fixture *f, const struct redis_server *redis, unsigned lanes)
{
	struct store_options options = fixture_options(f, redis->url);
	options.lanes = lanes;
	fixture_open(f, &options);
	const char *why = "";
	assert_false(store_ready(f->store, &why));
	assert_string_equal(why, "the store is still connecting");
	fixture_wait(f, &f->times_ready, 1);
	assert_true(store_ready(f->store, NULL));
}

static void test_first_use(void **state)
{
	const struct redis_server *redis = *state;
	struct store_fixture f;
	open_ready(&f, redis, 32);
	assert_int_equal(store_lanes(f.store), 32);
	assert_value(redis, "{jit}:lanes", "32");
	assert_int_equal(fixture_ask(&f, "t_version_7", NULL).integer, 1);
	assert_int_equal(f.times_lost, 0);
	fixture_close(&f);
}

struct volatile_row {
	const char *settings[7];
	const char *why;
};

static const struct volatile_row volatile_rows[] = {
	{{"appendonly", "no"}, "Redis may forget what it has acknowledged: appendonly is no, set it to yes"},
	{{"appendfsync", "everysec"},
	 "Redis may forget what it has acknowledged: appendfsync is everysec, set it to always"},
	{{"maxmemory-policy", "allkeys-lru"},
	 "Redis may forget what it has acknowledged: maxmemory-policy is allkeys-lru, set it to noeviction"},
	{{"appendonly", "no", "appendfsync", "no", "maxmemory-policy", "volatile-ttl"},
	 "Redis may forget what it has acknowledged: appendonly is no, set it to yes; appendfsync is no, set "
	 "it to "
	 "always; maxmemory-policy is volatile-ttl, set it to noeviction"},
};

/* Each wrong setting is named; setting it right at run time is enough. */
static void test_volatile_is_refused(void **state)
{
	const struct redis_server *redis = *state;
	for (size_t i = 0; i < sizeof(volatile_rows) / sizeof(volatile_rows[0]); i++) {
		const struct volatile_row *row = &volatile_rows[i];
		struct store_fixture f;
		struct store_options options = fixture_options(&f, redis->url);
		for (size_t s = 0; row->settings[s] != NULL; s += 2)
			assert_true(redis_server_do(redis, "CONFIG SET %s %s", row->settings[s],
						    row->settings[s + 1]));
		fixture_open(&f, &options);
		fixture_wait(&f, &f.times_lost, 1);
		assert_string_equal(f.why, row->why);
		assert_int_equal(f.times_ready, 0);
		assert_true(redis_server_do(redis, "CONFIG SET appendonly yes"));
		assert_true(redis_server_do(redis, "CONFIG SET appendfsync always"));
		assert_true(redis_server_do(redis, "CONFIG SET maxmemory-policy noeviction"));
		fixture_wait(&f, &f.times_ready, 1);
		assert_string_equal(fixture_ask(&f, "t_echo", "healed").text, "healed");
		fixture_close(&f);
	}
}

static void test_volatile_is_allowed(void **state)
{
	const struct redis_server *redis = *state;
	struct store_fixture f;
	struct store_options options = fixture_options(&f, redis->url);
	assert_true(redis_server_do(redis, "CONFIG SET appendonly no"));
	options.allow_volatile = true;
	fixture_open(&f, &options);
	fixture_wait(&f, &f.times_ready, 1);
	assert_int_equal(f.times_lost, 0);
	fixture_close(&f);
}

/* Where CONFIG GET is not permitted INFO tells what it knows, which is not all: nothing unseen is taken for good. */
static void test_config_is_refused(void **state)
{
	static const struct {
		const char *setting, *value, *back, *why;
	} rows[] = {
		{"appendonly", "yes", "yes",
		 "whether Redis is durable cannot be verified, because its user may not CONFIG GET (INFO "
		 "says that "
		 "appendonly is yes, but does not tell appendfsync); allow it with +config|get"},
		{"appendonly", "no", "yes",
		 "whether Redis is durable cannot be verified, because its user may not CONFIG GET (INFO "
		 "says that "
		 "appendonly is no, set it to yes); allow it with +config|get"},
		{"maxmemory-policy", "allkeys-lru", "noeviction",
		 "whether Redis is durable cannot be verified, because its user may not CONFIG GET (INFO "
		 "says that "
		 "maxmemory-policy is not noeviction, set it to that); allow it with +config|get"},
	};
	const struct redis_server *redis = *state;
	struct store_fixture f;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store_options options = fixture_options(&f, redis->url);
		assert_true(redis_server_do(redis, "CONFIG SET %s %s", rows[i].setting, rows[i].value));
		assert_true(redis_server_do(redis, "ACL SETUSER default -config"));
		fixture_open(&f, &options);
		fixture_wait(&f, &f.times_lost, 1);
		assert_string_equal(f.why, rows[i].why);
		fixture_close(&f);
		assert_true(redis_server_do(redis, "ACL SETUSER default +@all"));
		assert_true(redis_server_do(redis, "CONFIG SET %s %s", rows[i].setting, rows[i].back));
	}
	struct store_options options = fixture_options(&f, redis->url);
	assert_true(redis_server_do(redis, "ACL SETUSER default -config"));
	options.allow_volatile = true;
	fixture_open(&f, &options);
	fixture_wait(&f, &f.times_ready, 1);
	fixture_close(&f);
}

static void test_replica_is_refused(void **state)
{
	const struct redis_server *redis = *state;
	struct store_fixture f;
	struct store_options options = fixture_options(&f, redis->url);
	assert_true(redis_server_do(redis, "REPLICAOF 127.0.0.1 1"));
	fixture_open(&f, &options);
	fixture_wait(&f, &f.times_lost, 1);
	assert_string_equal(f.why, "this Redis is a replica; the broker needs the master");
	assert_true(redis_server_do(redis, "REPLICAOF NO ONE"));
	fixture_wait(&f, &f.times_ready, 1);
	fixture_close(&f);
}

static void test_older_library_is_replaced(void **state)
{
	struct store_fixture f;
	load(*state, 3);
	open_ready(&f, *state, 16);
	assert_int_equal(fixture_ask(&f, "t_version_7", NULL).err, ERR_OK);
	assert_int_equal(fixture_ask(&f, "t_version_3", NULL).err, ERR_INTERNAL);
	fixture_close(&f);
}

/* A broker that is older than ours and slower has read the version that we have replaced, and replaces ours. */
static void test_replaced_library_comes_back(void **state)
{
	struct store_fixture f;
	struct store_options options = fixture_options(&f, ((struct redis_server *)*state)->url);
	load(*state, 3);
	options.call_timeout_ms = 500;
	fixture_open(&f, &options);
	fixture_wait(&f, &f.times_ready, 1);
	assert_int_equal(version(*state), 7);
	load(*state, 5);
	/* Nothing is called meanwhile: a function that is missing would be noticed anyway. */
	for (int i = 0; i < 1000 && version(*state) == 5; i++)
		fixture_run_for(&f, 20);
	assert_int_equal(version(*state), 7);
	assert_int_equal(fixture_ask(&f, "t_echo", NULL).err, ERR_OK);
	assert_int_equal(f.times_lost, 0);
	fixture_close(&f);
}

static void test_newer_library_stays(void **state)
{
	struct store_fixture f;
	load(*state, 9);
	open_ready(&f, *state, 16);
	assert_int_equal(fixture_ask(&f, "t_version_9", NULL).err, ERR_OK);
	assert_int_equal(fixture_ask(&f, "t_version_7", NULL).err, ERR_INTERNAL);
	/* Also when a function turns out to be missing. */
	assert_int_equal(fixture_ask(&f, "t_version_9", NULL).err, ERR_OK);
	fixture_close(&f);
}

static void test_broken_library(void **state)
{
	const struct redis_server *redis = *state;
	struct store_fixture f;
	struct store_options options = fixture_options(&f, redis->url);
	options.library = "#!lua name=jit\nthis is not Lua";
	options.library_len = strlen(options.library);
	fixture_open(&f, &options);
	fixture_wait(&f, &f.times_lost, 1);
	const char *begin =
		"the function library cannot be loaded: Redis answered: ERR Error compiling function";
	assert_memory_equal(f.why, begin, strlen(begin));
	fixture_close(&f);
}

/* What a newer broker has written is not touched; of an older one only what can be taken over. */
static void test_schema(void **state)
{
	static const struct {
		const char *in_store;
		unsigned ours;
		const char *why;
	} rows[] = {
		{"1", 1, NULL},
		{"3", 2,
		 "the store was written by a newer broker (key schema 3, this one knows 2): start that "
		 "version or a "
		 "newer one"},
		{"1", 2,
		 "the store was written by an older broker (key schema 1, this one knows 2) and this version "
		 "cannot "
		 "take it over: start the version before it first"},
		{"many", 1, "the key {jit}:schema must hold a number from 1 on"},
	};
	const struct redis_server *redis = *state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store_fixture f;
		struct store_options options = fixture_options(&f, redis->url);
		assert_true(redis_server_do(redis, "FUNCTION FLUSH"));
		assert_true(redis_server_do(redis, "SET {jit}:schema %s", rows[i].in_store));
		options.schema = rows[i].ours;
		fixture_open(&f, &options);
		if (rows[i].why == NULL) {
			fixture_wait(&f, &f.times_ready, 1);
		} else {
			fixture_wait(&f, &f.times_lost, 1);
			assert_string_equal(f.why, rows[i].why);
			/* Its functions are not replaced either. */
			assert_false(redis_server_do(redis, "FCALL_RO jit_version 0"));
		}
		fixture_close(&f);
		assert_value(redis, "{jit}:schema", rows[i].in_store);
	}
}

static void test_lanes_stay(void **state)
{
	const struct redis_server *redis = *state;
	struct store_fixture f;
	open_ready(&f, redis, 5);
	fixture_close(&f);
	open_ready(&f, redis, 16);
	assert_int_equal(store_lanes(f.store), 5);

	/* Another number under way would send applications to other lanes: not used. */
	assert_true(redis_server_do(redis, "SET {jit}:lanes 8"));
	disconnect(redis);
	fixture_wait(&f, &f.times_lost, 2);
	assert_string_equal(f.why,
			    "the number of lanes in Redis has changed from 5 to 8: this is another store, "
			    "restart the broker to use it");
	/* A Redis that lost the number gets it back, not the one of the configuration. */
	assert_true(redis_server_do(redis, "DEL {jit}:lanes"));
	fixture_wait(&f, &f.times_ready, 2);
	assert_int_equal(store_lanes(f.store), 5);
	assert_value(redis, "{jit}:lanes", "5");
	fixture_close(&f);
}

/* Data that is gone is not begun anew by whoever knew it, nor is other data taken for it. Restored, it is what it was. */
static void test_lost_data(void **state)
{
	const struct redis_server *redis = *state;
	struct store_fixture f;
	char mark[128];
	redisReply *reply;

	open_ready(&f, redis, 5);
	assert_in_range(clock_wall_ms() - store_born_ms(f.store, 4), 0, 60000);
	reply = redis_server_command(redis, "GET " SETUP_STORE_KEY, 0u);
	assert_non_null(reply);
	(void)snprintf(mark, sizeof(mark), "%s", reply->str);
	freeReplyObject(reply);
	for (size_t i = 0; i < 2; i++) {
		struct store_fixture newcomer;

		assert_true(redis_server_do(redis, "FLUSHALL"));
		if (i == 1) {
			open_ready(&newcomer, redis, 5);
			fixture_close(&newcomer);
		}
		disconnect(redis);
		fixture_wait(&f, &f.times_lost, 2 * i + 2);
		assert_string_equal(f.why, STORE_LOST);
		reply = redis_server_command(redis, "DBSIZE");
		assert_int_equal(reply->integer,
				 i == 0 ? 2 : 3); /* what it has of its own: the lanes, the schema */
		freeReplyObject(reply);
		assert_true(redis_server_do(redis, "SET " SETUP_STORE_KEY " %s", 0u, mark));
		fixture_wait(&f, &f.times_ready, i + 2);
	}
	fixture_close(&f);
}

static void test_wrong_lanes(void **state)
{
	static const char *const wrong[] = {"0", "-3", "1025", "sixteen", ""};
	const struct redis_server *redis = *state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct store_fixture f;
		struct store_options options = fixture_options(&f, redis->url);
		assert_true(redis_server_do(redis, "SET {jit}:lanes %s", wrong[i]));
		fixture_open(&f, &options);
		fixture_wait(&f, &f.times_lost, 1);
		assert_string_equal(f.why, "the key {jit}:lanes must hold a number from 1 to 1024");
		fixture_close(&f);
	}
}

/* Redis is full, which refuses also what changes nothing: it is used where its keys are there, and not where they are not. */
static void test_full(void **state)
{
	const struct redis_server *redis = *state;
	struct store_fixture f;
	struct store_options options = fixture_options(&f, redis->url);

	load(redis, fixture_options(&f, redis->url).library_version);
	assert_true(redis_server_do(redis, "CONFIG SET maxmemory 1"));
	fixture_open(&f, &options);
	fixture_wait(&f, &f.times_lost, 1);
	assert_non_null(strstr(f.why, "the schema of the keys cannot be written: Redis answered: OOM "));
	assert_true(redis_server_do(redis, "CONFIG SET maxmemory 0"));
	fixture_wait(&f, &f.times_ready, 1);
	assert_true(redis_server_do(redis, "CONFIG SET maxmemory 1"));
	disconnect(redis);
	fixture_wait(&f, &f.times_ready, 2);
	fixture_close(&f);
}

/* Pinned: applications would lose their data if the hash changed. */
static void test_lane_of(void **state)
{
	struct store_fixture f;
	size_t used[16] = {0};
	char id[16];
	open_ready(&f, *state, 16);
	assert_int_equal(store_lane_of(f.store, "aws"), 15);
	assert_int_equal(store_lane_of(f.store, "payroll"), 2);
	assert_int_equal(store_lane_of(f.store, ""), 1);
	for (int i = 0; i < 1600; i++) {
		(void)snprintf(id, sizeof(id), "app-%d", i);
		unsigned lane = store_lane_of(f.store, id);
		assert_in_range(lane, 0, 15);
		used[lane]++;
	}
	for (size_t i = 0; i < 16; i++)
		assert_in_range(used[i], 60, 140);
	fixture_close(&f);
}

/* Redis that is not there when the broker starts is waited for. */
static void test_late_redis(void **state)
{
	struct redis_server *redis = *state;
	struct store_fixture f;
	struct store_options options = fixture_options(&f, redis->url);
	redis_server_kill9(redis);
	fixture_open(&f, &options);
	fixture_wait(&f, &f.times_lost, 1);
	assert_string_equal(f.why, "connection refused");
	assert_true(redis_server_restart(redis));
	fixture_wait(&f, &f.times_ready, 1);
	fixture_close(&f);
}

/* Each answer comes in the time that a call has, all of them together do not. */
static void test_slow_redis(void **state)
{
	static const char *const questions[] = {"CONFIG", "jit_version", "jit_denied"};
	struct redis_server *redis = *state;
	struct redis_gate gate;
	struct store_fixture f;
	struct store_options options = fixture_options(&f, NULL);
	assert_true(redis_gate_start(&gate, redis->dir, redis->socket_path));
	options.place.url = gate.url;
	fixture_open(&f, &options);
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		redis_gate_hold(&gate, GATE_REPLIES, questions[i]);
		fixture_run_for(&f, options.call_timeout_ms / 2);
		assert_int_equal(f.times_ready, 0);
	}
	redis_gate_release(&gate);
	fixture_wait(&f, &f.times_ready, 1);
	assert_int_equal(f.times_lost, 0);
	fixture_close(&f);
	redis_gate_stop(&gate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first_use, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_volatile_is_refused, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_volatile_is_allowed, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_config_is_refused, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_replica_is_refused, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_older_library_is_replaced, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_replaced_library_comes_back, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_newer_library_stays, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_broken_library, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_schema, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_lanes_stay, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_lost_data, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_wrong_lanes, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_full, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_lane_of, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_late_redis, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_slow_redis, start_redis, stop_redis),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
