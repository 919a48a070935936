/*
 * A notice that a broker of a later version has told, of a kind that this one knows nothing of: it stays for those who do,
 * and others do not wait for it; after a day it is parked, where operators see it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "tests/support/hooks.h"
#include "tests/support/receivers.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define HOUR (3600LL * SECOND)

struct later_world {
	struct world world;
	struct receiver receiver;
	char secret[HOOK_FILE_SIZE], more[512];
};

static int open_world(void **state)
{
	static const char *const secrets[] = {HOOK_SECRET, NULL};
	struct later_world *w = calloc(1, sizeof(*w));
	struct world_options options = scene_defaults();

	*state = w;
	assert_non_null(w);
	assert_true(hook_write_secret(w->secret, HOOK_SECRET));
	assert_true(receiver_start(&w->receiver, secrets));
	snprintf(w->more, sizeof(w->more),
		 "notices:\n  webhooks:\n"
		 "    - {name: desk, url: \"%s/hook/desk\", secret: \"file:%s\", allow_private: true}\n",
		 w->receiver.url, w->secret);
	options.more = w->more;
	options.lanes = 1;
	return world_start(&w->world, &options) ? 0 : -1;
}

static int close_world(void **state)
{
	struct later_world *w = *state;
	bool clean = world_stop(&w->world);

	receiver_end(&w->receiver);
	unlink(w->secret);
	free(w);
	return clean ? 0 : -1;
}

/* One of a later version's, told so long ago, in the outbox; not yet in the timetable. */
static void tell_later(const struct later_world *w, int64_t ago_ms)
{
	static const char script[] =
		"local now = redis.call('TIME')[1] * 1000 local i = redis.call('INCR', '{j0}:ni') "
		"redis.call('DEL', '{j0}:no') "
		"redis.call('ZADD', '{j0}:no', i, cmsgpack.pack({i = i, k = 'something.later', t = now - "
		"ARGV[1], "
		"r = {ap = 'app', er = 'something'}})) return 1";

	assert_true(redis_server_do(&w->world.redis, "EVAL %s 0 %lld", script, (long long)ago_ms));
}

static long long count(const struct later_world *w, const char *key)
{
	redisReply *reply = redis_server_command(&w->world.redis, "ZCARD %s", key);
	long long n;

	assert_non_null(reply);
	n = reply->integer;
	freeReplyObject(reply);
	return n;
}

static bool only_that_is_left(void *ctx)
{
	return count(ctx, "{j0}:no") == 1;
}

static bool only_that_is_queued(void *ctx)
{
	return count(ctx, "{j0}:nq:hook:desk") == 1;
}

static bool is_parked(void *ctx)
{
	return count(ctx, "{j0}:np") == 1;
}

static void expect_attempts(const struct world *world, const char *result, int wanted)
{
	struct http_response response;
	char line[128];

	snprintf(line, sizeof(line), "\njit_notice_attempts_total{way=\"webhook\",result=\"%s\"} %d\n",
		 result, wanted);
	scene_get(world, 0, "/metrics", &response);
	if (strstr(buf_text(&response.body), line) == NULL)
		fail_msg("no %s in\n%s", line, buf_text(&response.body));
	http_response_release(&response);
}

static void test_later(void **state)
{
	struct later_world *w = *state;
	struct world_ask ask = {.person = 3};
	char id[ID_SIZE];

	tell_later(w, 0);
	scene_activate(&w->world, &ask, id);
	/* What comes behind it goes out at once. */
	assert_true(receiver_wait(&w->receiver, 1, SCENE_PATIENCE));
	assert_true(wait_until(only_that_is_left, w, SCENE_PATIENCE));
	/* It comes up again, and stays. */
	assert_true(notices_pass(&w->world, HOUR));
	scene_wait(&w->world, &ask, id, "provisioned");
	assert_int_equal(count(w, "{j0}:no"), 1);
	assert_int_equal(count(w, "{j0}:nq:hook:desk"), 0);
	expect_attempts(&w->world, "failed", 0);
	tell_later(w, 24 * HOUR);
	assert_true(notices_pass(&w->world, HOUR));
	assert_true(wait_until(is_parked, w, SCENE_PATIENCE));
	assert_int_equal(count(w, "{j0}:no"), 0);
	expect_attempts(&w->world, "sent", 1);
	expect_attempts(&w->world, "failed", 1);
	world_passed(&w->world);
}

/* Another broker has spread it, to whom it is for: the delivery is left to that one too. */
static void test_later_delivery(void **state)
{
	static const char script[] =
		"local now = redis.call('TIME')[1] * 1000 "
		"local d = {t = 'hook:desk', to = '', n = 0, c = now, no = {i = 1, k = 'something.later', t "
		"= now, "
		"r = {ap = 'app', er = 'something'}}} "
		"redis.call('SET', '{j0}:nd:' .. ARGV[1], cmsgpack.pack(d)) "
		"redis.call('SADD', '{j0}:nt', 'hook:desk') redis.call('ZADD', '{j0}:na', now, ARGV[1]) "
		"redis.call('ZADD', '{j0}:nq:hook:desk', now, ARGV[1]) "
		"redis.call('ZADD', '{j0}:tt', 0, 'd:hook:desk') return 1";
	struct later_world *w = *state;
	struct world_ask ask = {.person = 3};
	char id[ID_SIZE], delivery[ID_SIZE];

	id_make(0, delivery);
	assert_true(redis_server_do(&w->world.redis, "EVAL %s 0 %s", script, delivery));
	scene_activate(&w->world, &ask, id);
	assert_true(receiver_wait(&w->receiver, 1, SCENE_PATIENCE));
	/* What was delivered is taken from the queue when the broker has said so. */
	assert_true(wait_until(only_that_is_queued, w, SCENE_PATIENCE));
	assert_int_equal(count(w, "{j0}:np"), 0);
	expect_attempts(&w->world, "failed", 0);
	world_passed(&w->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_later, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_later_delivery, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
