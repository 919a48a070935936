/* What the tests of the store share. */
#include "tests/support/store_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/wait.h"

static const char library[] =
	"#!lua name=jit\n"
	"local function reading(name, f)\n"
	"  redis.register_function{function_name=name, callback=f, flags={'no-writes'}}\n"
	"end\n"
	"reading('jit_version', function() return %d end)\n"
	"reading('jit_denied', function() return redis.acl_check_cmd('SADD', '{j0}:', 'x') and '' or 'SADD' "
	"end)\n"
	"reading('t_version_%d', function() return 1 end)\n"
	"reading('t_echo', function(keys, args) return args[1] end)\n"
	"reading('t_key', function(keys, args) return keys[1] end)\n"
	"reading('t_count', function(keys, args) return #args end)\n"
	"reading('t_fail', function() return redis.error_reply('EBAD this is refused') end)\n"
	"reading('t_nested', function() return {1, {2, {'three', {}}}} end)\n"
	"reading('t_big', function(keys, args) return string.rep('x', tonumber(args[1])) end)\n"
	"reading('t_busy', function(keys, args)\n"
	"  local n = 0\n"
	"  for i = 1, tonumber(args[1]) * 1000 do n = n + i end\n"
	"  return 1\n"
	"end)\n"
	"redis.register_function('t_incr', function(keys, args)\n"
	"  return redis.call('INCR', keys[1] .. 'n')\n"
	"end)\n"
	/* Two keys that are always written together: the difference between them. */
	"redis.register_function('t_pair', function(keys, args)\n"
	"  local a = tonumber(redis.call('GET', keys[1] .. 'a') or 0)\n"
	"  local b = tonumber(redis.call('GET', keys[1] .. 'b') or 0)\n"
	"  redis.call('SET', keys[1] .. 'a', a + 1)\n"
	"  redis.call('SET', keys[1] .. 'b', b + 1)\n"
	"  return a - b\n"
	"end)\n"
	/* Notes something, which is there later or not. */
	"redis.register_function('t_note', function(keys, args)\n"
	"  redis.call('SADD', keys[1] .. 'notes', args[1])\n"
	"  return args[1]\n"
	"end)\n"
	"reading('t_noted', function(keys, args)\n"
	"  return redis.call('SISMEMBER', keys[1] .. 'notes', args[1])\n"
	"end)\n";

void fixture_library(char *text, size_t size, int version)
{
	int len = snprintf(text, size, library, version, version);
	assert_true(len > 0 && (size_t)len < size);
}

struct store_options fixture_options(struct store_fixture *f, const char *url)
{
	*f = (struct store_fixture){.times_ready = 0};
	fixture_library(f->library, sizeof(f->library), 7);
	return (struct store_options){.place = {.url = url},
				      .library = f->library,
				      .library_len = strlen(f->library),
				      .library_version = 7,
				      .schema = 1,
				      .lanes = 16,
				      .call_timeout_ms = 2000,
				      .queue_max = 50000};
}

static void on_ready(void *ctx, bool ready, const char *why)
{
	struct store_fixture *f = ctx;
	if (ready) {
		assert_null(why);
		f->times_ready++;
		return;
	}
	f->times_lost++;
	(void)snprintf(f->why, sizeof(f->why), "%s", why);
}

void fixture_prepare(struct store_fixture *f)
{
	/* As in the broker: libuv writes to a connection that the other side has closed. */
	assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(uv_timer_init(&f->loop, &f->guard), 0);
	f->guard.data = f;
	f->has_loop = true;
}

bool fixture_try(struct store_fixture *f, struct store_options *options)
{
	struct errctx ec = {.text = ""};
	options->on_ready = on_ready;
	options->ctx = f;
	f->store = store_new(&f->loop, options, &ec);
	if (f->store == NULL)
		snprintf(f->why, sizeof(f->why), "%s", ec.text);
	return f->store != NULL;
}

void fixture_open(struct store_fixture *f, struct store_options *options)
{
	if (!f->has_loop)
		fixture_prepare(f);
	if (!fixture_try(f, options))
		fail_msg("%s", f->why);
}

void fixture_close(struct store_fixture *f)
{
	store_close(f->store);
	uv_close((uv_handle_t *)&f->guard, NULL);
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&f->loop), 0);
}

static void on_guard(uv_timer_t *guard)
{
	struct store_fixture *f = guard->data;
	f->is_late = true;
}

struct counting {
	const size_t *counter;
	size_t wanted;
};

static bool is_counted(void *ctx)
{
	const struct counting *counting = ctx;

	return *counting->counter >= counting->wanted;
}

void fixture_wait(struct store_fixture *f, const size_t *counter, size_t wanted)
{
	struct counting counting = {counter, wanted};
	bool is_there = wait_in_loop(&f->loop, is_counted, &counting, FIXTURE_WAIT_MS);

	if (!is_there)
		print_error("waited in vain for %zu, have %zu; the store last said: %s\n", wanted, *counter,
			    f->why);
	assert_true(is_there);
}

void fixture_run_for(struct store_fixture *f, int64_t ms)
{
	f->is_late = false;
	uv_update_time(&f->loop);
	(void)uv_timer_start(&f->guard, on_guard, (uint64_t)ms, 0);
	while (!f->is_late)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
}

static void on_done(void *ctx, enum err err, const struct reply *reply)
{
	struct outcome *outcome = ctx;
	assert_true((err == ERR_OK) == (reply != NULL));
	outcome->times++;
	outcome->err = err;
	outcome->integer = reply_int(reply);
	outcome->len = reply_text_len(reply);
	(void)snprintf(outcome->text, sizeof(outcome->text), "%s", reply_text(reply));
	if (outcome->all != NULL)
		outcome->order = (*outcome->all)++;
}

void fixture_send(struct store_fixture *f, const char *function, const char *arg, struct outcome *outcome)
{
	fixture_send_in(f, 3, function, arg, outcome);
}

void fixture_send_in(struct store_fixture *f, unsigned lane, const char *function, const char *arg,
		     struct outcome *outcome)
{
	/* As the library's flags: a call that only reads is not kept waiting for replicas. */
	bool read_only = strcmp(function, "t_noted") == 0;
	struct store_call call = {.function = function, .lane = lane, .read_only = read_only};
	size_t before = outcome->times;
	if (arg != NULL)
		store_arg(&call, arg);
	store_call(f->store, &call, on_done, outcome);
	assert_int_equal(outcome->times, before);
}

struct outcome fixture_ask(struct store_fixture *f, const char *function, const char *arg)
{
	struct outcome outcome = {.times = 0};
	fixture_send(f, function, arg, &outcome);
	fixture_wait(f, &outcome.times, 1);
	return outcome;
}
