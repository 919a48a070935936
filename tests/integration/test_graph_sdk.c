/*
 * Microsoft Graph's own SDK pointed at a broker, over TLS: what its callers do, told in tests/graph/client.mjs. Each
 * test is one of its cases, in a world of its own.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene.h"

#define CASE_MS 120000 /* node starts slowly on a busy machine */

/* Groups: everybody may; the same, and persons 6 and 7 approve; nobody of the story may. */
static int open_world(void **state)
{
	static const char *const all[] = {
		"person1@example.com", "person2@example.com", "person3@example.com", "person4@example.com",
		"person5@example.com", "person8@example.com", "person9@example.com", NULL};
	static const char *const other[] = {"person11@example.com", NULL};
	static const struct broker_group groups[] = {
		{.eligible = all},
		{.eligible = all,
		 .more = "      approval: {approvers: [person6@example.com, person7@example.com], timeout: "
			 "1h}\n"},
		{.eligible = other},
	};
	struct world_options options = scene_defaults();

	options.tls = true;
	options.each_group = groups;
	options.groups = sizeof(groups) / sizeof(groups[0]);
	options.redis_timeout_ms = SECOND;
	/* The push of an answer that was lost is taken up again after that. */
	options.application.push_timeout_ms = 2 * SECOND;
	return scene_open(state, &options);
}

static void run_case(const struct world *world, const char *name)
{
	const struct broker *broker = &world->brokers[0];
	char modules[PROC_PATH_SIZE], log[PROC_PATH_SIZE + 16], base[160], authority[PROC_PATH_SIZE + 32];
	char redis[32];
	const char *argv[] = {"node", "tests/graph/client.mjs", modules, base, name, NULL};
	const char *env[] = {authority, redis, NULL};
	struct proc node;
	int status;

	memset(&node, 0, sizeof(node));
	assert_true(proc_build_path("graph", modules, sizeof(modules)));
	snprintf(base, sizeof(base), "%s/", broker->root);
	snprintf(authority, sizeof(authority), "NODE_EXTRA_CA_CERTS=%s", broker->ca_file);
	snprintf(redis, sizeof(redis), "REDIS_PID=%d", (int)world->redis.pid);
	snprintf(log, sizeof(log), "%s/client.log", world->dir);
	assert_true(proc_start(&node, argv, env, log));
	status = proc_end(&node, 0, CASE_MS);
	if (status != 0)
		proc_print_log(&node, stderr);
	assert_int_equal(status, 0);
}

#define CASE(name)                                                                                           \
	static void the_sdk_##name(void **state)                                                             \
	{                                                                                                    \
		run_case(*state, #name);                                                                     \
		world_passed(*state);                                                                        \
	}
CASE(activate)
CASE(pages)
CASE(errors)
CASE(retry)
CASE(approve)
CASE(eligibility)
CASE(batch)

#define TEST(name) cmocka_unit_test_setup_teardown(the_sdk_##name, open_world, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(activate), TEST(pages),       TEST(errors), TEST(retry),
		TEST(approve),  TEST(eligibility), TEST(batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
