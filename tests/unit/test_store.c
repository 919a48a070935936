/* Calls of the store against a real Redis: order, deadlines, breaks, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>

#include "tests/support/redis_server.h"
#include "tests/support/store_fixture.h"

#define MANY 5000

static struct redis_server *redis_of(void **state)
{
	return *state;
}

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

static void open_store(struct store_fixture *f, void **state, int64_t timeout_ms)
{
	struct store_options options = fixture_options(f, redis_of(state)->url);
	options.call_timeout_ms = timeout_ms;
	fixture_open(f, &options);
	fixture_wait(f, &f->times_ready, 1);
}

static struct outcome *send_many(struct store_fixture *f, const char *function, size_t *all)
{
	struct outcome *outcomes = calloc(MANY, sizeof(*outcomes));
	char number[16];
	assert_non_null(outcomes);
	for (size_t i = 0; i < MANY; i++) {
		outcomes[i].all = all;
		(void)snprintf(number, sizeof(number), "n%zu", i);
		fixture_send(f, function, number, &outcomes[i]);
	}
	return outcomes;
}

static int64_t counter_of(void **state)
{
	redisReply *reply = redis_server_command(redis_of(state), "GET %s", "{j3}:n");
	assert_non_null(reply);
	int64_t value = reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0;
	freeReplyObject(reply);
	return value;
}

static void test_values(void **state)
{
	struct store_fixture f;
	open_store(&f, state, 2000);
	assert_string_equal(fixture_ask(&f, "t_echo", "hello").text, "hello");
	assert_string_equal(fixture_ask(&f, "t_echo", "").text, "");
	assert_string_equal(fixture_ask(&f, "t_key", NULL).text, "{j3}:");
	assert_int_equal(fixture_ask(&f, "t_incr", NULL).integer, 1);
	assert_int_equal(fixture_ask(&f, "t_incr", NULL).integer, 2);
	struct outcome big = fixture_ask(&f, "t_big", "3000000");
	assert_int_equal(big.err, ERR_OK);
	assert_int_equal(big.len, 3000000);
	assert_int_equal(store_waiting(f.store), 0);
	fixture_close(&f);
}

static void on_nested(void *ctx, enum err err, const struct reply *reply)
{
	size_t *done = ctx;
	assert_int_equal(err, ERR_OK);
	assert_int_equal(reply_count(reply), 2);
	assert_int_equal(reply_int(reply_at(reply, 0)), 1);
	const struct reply *inner = reply_at(reply_at(reply, 1), 1);
	assert_string_equal(reply_text(reply_at(inner, 0)), "three");
	assert_int_equal(reply_count(reply_at(inner, 1)), 0);
	assert_null(reply_at(inner, 2));
	(*done)++;
}

static void on_bytes(void *ctx, enum err err, const struct reply *reply)
{
	size_t *done = ctx;
	assert_int_equal(err, ERR_OK);
	assert_int_equal(reply_text_len(reply), 3);
	assert_memory_equal(reply_text(reply), "a\0b", 4);
	(*done)++;
}

static void test_nested_and_bytes(void **state)
{
	struct store_fixture f;
	size_t done = 0;
	struct store_call call = {.function = "t_nested", .read_only = true};
	open_store(&f, state, 2000);
	store_call(f.store, &call, on_nested, &done);
	fixture_wait(&f, &done, 1);

	call = (struct store_call){.function = "t_echo", .read_only = true};
	store_arg_bytes(&call, "a\0b", 3);
	store_call(f.store, &call, on_bytes, &done);
	fixture_wait(&f, &done, 2);
	fixture_close(&f);
}

static void on_full(void *ctx, enum err err, const struct reply *reply)
{
	struct outcome *outcome = ctx;
	outcome->times++;
	outcome->err = err;
	outcome->integer = reply_int(reply);
}

static void test_arguments(void **state)
{
	struct store_fixture f;
	struct outcome full = {.times = 0}, over = {.times = 0};
	struct store_call call = {.function = "t_count"};
	open_store(&f, state, 2000);
	for (int i = 0; i < STORE_ARGS_MAX; i++)
		store_arg_bytes(&call, NULL, 0);
	store_call(f.store, &call, on_full, &full);
	store_arg(&call, "one too many");
	store_call(f.store, &call, on_full, &over);
	fixture_wait(&f, &full.times, 1);
	fixture_wait(&f, &over.times, 1);
	assert_int_equal(full.integer, STORE_ARGS_MAX);
	assert_int_equal(over.err, ERR_INTERNAL);
	fixture_close(&f);
}

static void test_errors(void **state)
{
	struct store_fixture f;
	open_store(&f, state, 2000);
	assert_int_equal(fixture_ask(&f, "t_fail", NULL).err, ERR_INTERNAL);
	/* The library is there, the function is not: loading it again does not help, and is tried once. */
	assert_int_equal(fixture_ask(&f, "t_absent", NULL).err, ERR_INTERNAL);
	assert_string_equal(fixture_ask(&f, "t_echo", "still here").text, "still here");
	assert_int_equal(f.times_lost, 0);
	fixture_close(&f);
}

static void test_order(void **state)
{
	struct store_fixture f;
	size_t all = 0;
	char number[16];
	open_store(&f, state, 10000);
	struct outcome *outcomes = send_many(&f, "t_echo", &all);
	assert_int_equal(store_waiting(f.store), MANY);
	fixture_wait(&f, &all, MANY);
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(number, sizeof(number), "n%zu", i);
		assert_int_equal(outcomes[i].times, 1);
		assert_int_equal(outcomes[i].order, i);
		assert_string_equal(outcomes[i].text, number);
	}
	free(outcomes);
	fixture_close(&f);
}

/* A frozen Redis: in doubt. When it thaws it does what it was told, and no reply reaches the wrong call. */
static void test_frozen(void **state)
{
	struct store_fixture f;
	open_store(&f, state, 300);
	redis_server_freeze(redis_of(state));
	struct outcome first = fixture_ask(&f, "t_incr", NULL);
	assert_int_equal(first.err, ERR_TIMEOUT);
	fixture_wait(&f, &f.times_lost, 1);
	assert_string_equal(f.why, "Redis does not answer");
	assert_false(store_ready(f.store, NULL));
	/* Never written: the connection that was frozen is gone, the next one does not come up. */
	assert_int_equal(fixture_ask(&f, "t_incr", NULL).err, ERR_UNAVAILABLE);
	redis_server_thaw(redis_of(state));
	fixture_wait(&f, &f.times_ready, 2);
	assert_int_equal(counter_of(state), 1);
	assert_string_equal(fixture_ask(&f, "t_echo", "own reply").text, "own reply");
	assert_int_equal(fixture_ask(&f, "t_incr", NULL).integer, 2);
	fixture_close(&f);
}

/*
 * Redis dies with thousands of calls answered or under way and as many that it has not even read, and comes back:
 * each is answered once, in order, none is lost.
 */
static void test_killed_and_restarted(void **state)
{
	struct store_fixture f;
	size_t all = 0;
	open_store(&f, state, 15000);
	struct outcome *outcomes = send_many(&f, "t_incr", &all);
	fixture_wait(&f, &all, 100);
	redis_server_freeze(redis_of(state));
	struct outcome *unread = send_many(&f, "t_incr", &all);
	fixture_run_for(&f, 20);
	redis_server_kill9(redis_of(state));
	fixture_wait(&f, &f.times_lost, 1);
	assert_true(store_waiting(f.store) >= MANY);
	assert_true(redis_server_restart(redis_of(state)));
	fixture_wait(&f, &all, 2 * MANY);
	for (size_t i = 0; i < 2 * MANY; i++) {
		const struct outcome *outcome = i < MANY ? &outcomes[i] : &unread[i - MANY];
		assert_int_equal(outcome->times, 1);
		assert_int_equal(outcome->err, ERR_OK);
		assert_int_equal(outcome->order, i);
		assert_true(outcome->integer >= (int64_t)i + 1);
	}
	/* What was in doubt may have run twice; what was acknowledged has not been forgotten. */
	assert_int_equal(counter_of(state), unread[MANY - 1].integer);
	assert_in_range(counter_of(state), 2 * MANY, 3 * MANY);
	assert_int_equal(f.times_ready, 2);
	free(outcomes);
	free(unread);
	fixture_close(&f);
}

static void test_away(void **state)
{
	struct store_fixture f;
	struct outcome outcome = {.times = 0};
	open_store(&f, state, 5000);
	redis_server_kill9(redis_of(state));
	fixture_wait(&f, &f.times_lost, 1);
	/* Within the grace a call waits; after it a new one is refused at once, the old one still waits. */
	fixture_send(&f, "t_incr", NULL, &outcome);
	fixture_run_for(&f, 1100);
	assert_int_equal(outcome.times, 0);
	int64_t began = (int64_t)uv_now(&f.loop);
	assert_int_equal(fixture_ask(&f, "t_incr", NULL).err, ERR_UNAVAILABLE);
	assert_in_range((int64_t)uv_now(&f.loop) - began, 0, 500);
	assert_int_equal(store_waiting(f.store), 1);
	assert_true(redis_server_restart(redis_of(state)));
	fixture_wait(&f, &outcome.times, 1);
	assert_int_equal(outcome.err, ERR_OK);
	assert_int_equal(outcome.integer, 1);
	fixture_close(&f);
}

/* A Redis that is busy with somebody's endless function takes calls again when it is done. */
static void test_busy(void **state)
{
	struct store_fixture f;
	int all_written = 0;
	open_store(&f, state, 15000);
	assert_true(redis_server_do(redis_of(state), "CONFIG SET busy-reply-threshold 10"));
	redisContext *other = redisConnectUnix(redis_of(state)->socket_path);
	assert_non_null(other);
	assert_int_equal(redisAppendCommand(other, "FCALL_RO t_busy 1 x 40000"), REDIS_OK);
	while (!all_written)
		assert_int_equal(redisBufferWrite(other, &all_written), REDIS_OK);
	fixture_run_for(&f, 20);
	assert_int_equal(fixture_ask(&f, "t_incr", NULL).integer, 1);
	assert_in_range(f.times_lost, 1, SIZE_MAX);
	assert_non_null(strstr(f.why, "BUSY"));
	redisFree(other);
	fixture_close(&f);
}

/* The master has become a replica under way: the call waits until it may write again. */
static void test_readonly(void **state)
{
	struct store_fixture f;
	struct outcome outcome = {.times = 0};
	open_store(&f, state, 15000);
	assert_true(redis_server_do(redis_of(state), "REPLICAOF 127.0.0.1 1"));
	fixture_send(&f, "t_incr", NULL, &outcome);
	fixture_wait(&f, &f.times_lost, 2);
	assert_string_equal(f.why, "this Redis is a replica; the broker needs the master");
	assert_int_equal(outcome.times, 0);
	assert_true(redis_server_do(redis_of(state), "REPLICAOF NO ONE"));
	fixture_wait(&f, &outcome.times, 1);
	assert_int_equal(outcome.integer, 1);
	fixture_close(&f);
}

static void test_function_flush(void **state)
{
	struct store_fixture f;
	size_t all = 0;
	open_store(&f, state, 10000);
	assert_true(redis_server_do(redis_of(state), "FUNCTION FLUSH"));
	struct outcome *outcomes = send_many(&f, "t_incr", &all);
	fixture_wait(&f, &all, MANY);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(outcomes[i].err, ERR_OK);
		assert_int_equal(outcomes[i].integer, (int64_t)i + 1);
	}
	assert_int_equal(f.times_lost, 0);
	free(outcomes);
	fixture_close(&f);
}

/* Longer than what a socket takes at once, both ways. */
static void test_large_argument(void **state)
{
	struct store_fixture f;
	struct outcome small = {.times = 0};
	const size_t size = (size_t)3 << 20;
	char *text = malloc(size + 1);
	assert_non_null(text);
	memset(text, 'y', size);
	text[size] = '\0';
	open_store(&f, state, 15000);
	struct outcome large = fixture_ask(&f, "t_echo", text);
	fixture_send(&f, "t_echo", "after", &small);
	fixture_wait(&f, &small.times, 1);
	assert_int_equal(large.len, size);
	assert_string_equal(small.text, "after");
	free(text);
	fixture_close(&f);
}

static void test_queue_max(void **state)
{
	struct store_fixture f;
	struct outcome outcomes[11] = {{.times = 0}};
	size_t all = 0;
	struct store_options options = fixture_options(&f, redis_of(state)->url);
	options.queue_max = 10;
	fixture_open(&f, &options);
	for (size_t i = 0; i < 11; i++) {
		outcomes[i].all = &all;
		fixture_send(&f, "t_echo", "x", &outcomes[i]);
	}
	fixture_wait(&f, &all, 11);
	/* The one too many did not have to wait for the others. */
	assert_int_equal(outcomes[10].order, 0);
	assert_int_equal(outcomes[10].err, ERR_UNAVAILABLE);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(outcomes[i].err, ERR_OK);
	assert_int_equal(fixture_ask(&f, "t_echo", "again").err, ERR_OK);
	fixture_close(&f);
}

struct resubmit {
	struct store_fixture *f;
	struct outcome *second;
	size_t times;
};

static void call_again(void *ctx, enum err err, const struct reply *reply)
{
	struct resubmit *resubmit = ctx;
	assert_int_equal(err, ERR_UNAVAILABLE);
	assert_null(reply);
	resubmit->times++;
	fixture_send(resubmit->f, "t_echo", "late", resubmit->second);
}

/* Closing ends what is in flight, what is queued, and what the callbacks of these add. */
static void test_close(void **state)
{
	struct store_fixture f;
	size_t all = 0;
	struct outcome late = {.times = 0};
	struct resubmit resubmit = {.f = &f, .second = &late};
	struct store_call call = {.function = "t_echo"};
	open_store(&f, state, 5000);
	redis_server_freeze(redis_of(state));
	struct outcome *flying = send_many(&f, "t_echo", &all);
	fixture_run_for(&f, 20);
	store_call(f.store, &call, call_again, &resubmit);
	assert_int_equal(all, 0);
	assert_int_equal(store_waiting(f.store), MANY + 1);
	fixture_close(&f);
	assert_int_equal(all, MANY);
	/* What was sent may be carried out yet. */
	for (size_t i = 0; i < MANY; i++)
		assert_true(flying[i].err == ERR_TIMEOUT || flying[i].err == ERR_UNAVAILABLE);
	assert_int_equal(flying[0].err, ERR_TIMEOUT);
	assert_int_equal(resubmit.times, 1);
	assert_int_equal(late.times, 1);
	assert_int_equal(late.err, ERR_UNAVAILABLE);
	redis_server_thaw(redis_of(state));
	free(flying);
}

static void close_store(void *ctx, enum err err, const struct reply *reply)
{
	struct store_fixture *f = ctx;
	assert_int_equal(err, ERR_OK);
	assert_non_null(reply);
	store_close(f->store);
}

static void test_close_from_callback(void **state)
{
	struct store_fixture f;
	struct outcome outcome = {.times = 0};
	struct store_call call = {.function = "t_echo"};
	open_store(&f, state, 2000);
	store_arg(&call, "x");
	store_call(f.store, &call, close_store, &f);
	fixture_send(&f, "t_echo", "y", &outcome);
	fixture_wait(&f, &outcome.times, 1);
	assert_int_equal(outcome.err, ERR_TIMEOUT);
	f.store = NULL;
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_values, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_nested_and_bytes, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_arguments, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_errors, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_order, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_frozen, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_killed_and_restarted, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_away, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_busy, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_readonly, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_large_argument, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_function_flush, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_queue_max, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_close, start_redis, stop_redis),
		cmocka_unit_test_setup_teardown(test_close_from_callback, start_redis, stop_redis),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
