/*
 * Callers who hold connections open cannot take the descriptors that pushes need. Broken on purpose: as many connections
 * as are configured, whatever the limit; as many of one address; the soft limit not raised.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define LIMIT     256
#define CROWD     400
#define QUIET     48 /* a broker without callers has fewer descriptors */
#define PER_GUEST 10

static int crowd[CROWD];

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.without_brokers = true;
	for (size_t i = 0; i < CROWD; i++)
		crowd[i] = -1;
	return scene_open(state, &options);
}

static void leave(void)
{
	for (size_t i = 0; i < CROWD; i++) {
		if (crowd[i] >= 0)
			close(crowd[i]);
		crowd[i] = -1;
	}
}

static int close_world(void **state)
{
	leave();
	return scene_close(state);
}

/* A broker that may have so many descriptors, and had fewer when it was started. */
static void start(struct world *world, int soft, int hard)
{
	char under[64];

	snprintf(under, sizeof(under), "prlimit --nofile=%d:%d", soft, hard);
	world->broker_count = 1;
	assert_int_equal(setenv(BROKER_UNDER, under, 1), 0);
	bool started = broker_start(&world->brokers[0], world->dir, "broker", &world->config);
	assert_int_equal(unsetenv(BROKER_UNDER), 0);
	assert_true(started);
}

/* Connects from addresses of this machine that nobody else here comes from, so many connections from each. */
static void come(const struct world *world, size_t from_each)
{
	struct sockaddr_in to = {.sin_family = AF_INET};

	to.sin_port = htons((uint16_t)strtoul(strrchr(world->brokers[0].root, ':') + 1, NULL, 10));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (size_t i = 0; i < CROWD; i++) {
		struct sockaddr_in from = {.sin_family = AF_INET};

		from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(i / from_each));
		crowd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_true(crowd[i] >= 0);
		assert_int_equal(bind(crowd[i], (struct sockaddr *)&from, sizeof(from)), 0);
		assert_int_equal(connect(crowd[i], (struct sockaddr *)&to, sizeof(to)), 0);
	}
}

static size_t descriptors(const struct world *world)
{
	size_t count = 0;

	for (int i = 0; i < LIMIT; i++) {
		char name[80];

		snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)world->brokers[0].proc.pid, i);
		count += faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	}
	return count;
}

static bool is_quiet(void *ctx)
{
	return descriptors(ctx) < QUIET;
}

static bool is_full(void *ctx)
{
	return descriptors(ctx) >= LIMIT / 2;
}

static void one_address(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT1H"};
	char id[ID_SIZE];

	start(world, LIMIT, LIMIT);
	assert_true(proc_log_holds(&world->brokers[0].proc,
				   "event=descriptors limit=256 connections=128 wanted=10000"));
	come(world, CROWD);
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	world_passed(world);
}

/* All that callers may have is taken: what has been granted is pushed all the same, and when they leave others come in. */
static void many_addresses(void **state)
{
	struct world *world = *state;
	char when[32], id[ID_SIZE];
	struct world_ask ask = {.person = 1, .duration = "PT1H", .start = when};

	start(world, LIMIT, LIMIT);
	scene_from_now(3 * SECOND, when);
	scene_activate(world, &ask, id);
	come(world, PER_GUEST);
	assert_true(wait_until(is_full, world, SCENE_PATIENCE));
	scene_wait_members(world, 0, 1);
	leave();
	scene_wait(world, &ask, id, "provisioned");
	assert_true(wait_until(is_quiet, world, SCENE_PATIENCE));
	world_passed(world);
}

/* What the system allows is taken. */
static void the_limit_is_raised(void **state)
{
	struct world *world = *state;
	struct rlimit limit;

	start(world, 64, LIMIT);
	assert_int_equal(prlimit(world->brokers[0].proc.pid, RLIMIT_NOFILE, NULL, &limit), 0);
	assert_int_equal(limit.rlim_cur, LIMIT);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_address, open_world, close_world),
		cmocka_unit_test_setup_teardown(many_addresses, open_world, close_world),
		cmocka_unit_test_setup_teardown(the_limit_is_raised, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
