/*
 * The store finds its way to Redis while memory runs out: to one server, past sentinels, into a cluster, and back when it was
 * cut off. Whatever allocation fails, it is ready in the end, and a call is then answered right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/redis_cluster.h"
#include "tests/support/redis_sentinels.h"
#include "tests/support/redis_server.h"
#include "tests/support/starve.h"
#include "tests/support/store_fixture.h"

#define ALLOCATIONS_MAX 5000
#define REST_EACH                                                                                            \
	16 /* of so many allocations one is followed by no other, for as long as the store is sought */

static const char *const no_file[] = {"--appendonly", "no", NULL};

/* Asks until it is answered, which may be refused while memory is short. */
static void expect_served(struct store_fixture *f)
{
	struct outcome outcome = fixture_ask(f, "t_echo", "here");

	assert_int_equal(outcome.err, ERR_OK);
	assert_string_equal(outcome.text, "here");
}

/* A store that is opened without its n-th allocation; false when there is none. */
static bool open_without(const struct store_place *place, long n, enum starve_how how)
{
	struct store_fixture f;
	struct store_options options = fixture_options(&f, NULL);
	long failed;

	options.place = *place;
	options.allow_volatile = true;
	fixture_prepare(&f);
	starve_from(n, how);
	if (!fixture_try(&f, &options)) {
		assert_true(starve_end() > 0);
		fixture_close(&f);
		return true;
	}
	/* The first verdict, whatever it is; with memory enough again it is found. */
	while (f.times_lost + f.times_ready == 0)
		(void)uv_run(&f.loop, UV_RUN_ONCE);
	failed = starve_end();
	if (f.times_ready == 0)
		fixture_wait(&f, &f.times_ready, 1);
	expect_served(&f);
	fixture_close(&f);
	return failed > 0;
}

static void sweep_opening(const char *name, const struct store_place *place)
{
	long n = 1;

	while (open_without(place, n, STARVE_ONE)) {
		if (n % REST_EACH == 0)
			open_without(place, n, STARVE_REST);
		assert_true(++n < ALLOCATIONS_MAX);
	}
	print_message("%s: %ld allocations\n", name, n - 1);
	assert_true(n > 3);
}

/* Cut off without the n-th allocation of the way back; false when there is none. */
static bool cut_off_without(struct store_fixture *f, const struct redis_server *redis, long n)
{
	size_t ready = f->times_ready, lost = f->times_lost;
	long failed;

	assert_true(redis_server_do(redis, "CLIENT KILL TYPE normal SKIPME yes"));
	starve_from(n, STARVE_ONE);
	fixture_wait(f, &f->times_lost, lost + 1);
	while (f->times_ready == ready && f->times_lost == lost + 1)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	failed = starve_end();
	if (f->times_ready == ready)
		fixture_wait(f, &f->times_ready, ready + 1);
	expect_served(f);
	return failed > 0;
}

/* From this server, which the place leads to. */
static void sweep_way_back(const char *name, const struct store_place *place,
			   const struct redis_server *redis)
{
	struct store_fixture f;
	struct store_options options = fixture_options(&f, NULL);
	long n = 1;

	options.place = *place;
	options.allow_volatile = true;
	fixture_open(&f, &options);
	fixture_wait(&f, &f.times_ready, 1);
	while (cut_off_without(&f, redis, n))
		assert_true(++n < ALLOCATIONS_MAX);
	print_message("%s, the way back: %ld allocations\n", name, n - 1);
	assert_true(n > 3);
	fixture_close(&f);
}

static void sweep(const char *name, const struct store_place *place, const struct redis_server *redis)
{
	sweep_opening(name, place);
	sweep_way_back(name, place, redis);
}

static void to_one_server(void **state)
{
	struct redis_server redis;

	(void)state;
	assert_true(redis_server_start(&redis, no_file));
	sweep("one server", &(struct store_place){.url = redis.url}, &redis);
	redis_server_stop(&redis);
}

static void past_sentinels(void **state)
{
	struct redis_server redis;
	struct redis_sentinels sentinels;
	int port;
	char text[8];
	const char *extra[] = {"--port", text, "--bind", "127.0.0.1", "--appendonly", "no", NULL};

	(void)state;
	assert_true(redis_server_ports(&port, 1));
	snprintf(text, sizeof(text), "%d", port);
	assert_true(redis_server_start(&redis, extra));
	assert_true(redis_sentinels_start(&sentinels, port, 0, NULL));
	sweep("sentinels",
	      &(struct store_place){.sentinels = sentinels.urls,
				    .sentinel_count = REDIS_SENTINELS,
				    .master = "jit",
				    .sentinel_password = REDIS_SENTINEL_PASSWORD},
	      &redis);
	redis_sentinels_stop(&sentinels);
	redis_server_stop(&redis);
}

static void into_a_cluster(void **state)
{
	struct redis_cluster cluster;

	(void)state;
	assert_true(redis_cluster_start(&cluster, 3, 0, no_file, NULL));
	sweep("a cluster", &(struct store_place){.cluster = cluster.urls, .cluster_count = cluster.count},
	      &cluster.nodes[1]);
	redis_cluster_stop(&cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_one_server),
		cmocka_unit_test(past_sentinels),
		cmocka_unit_test(into_a_cluster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
