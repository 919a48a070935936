/* A broker as an attacker would find it: not root's, without the calls that it does not need. And it works so. */
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/scene.h"

/* Who a test that root runs makes the broker; anybody else cannot make it somebody. */
static const char *somebody(void)
{
	static char name[64];
	const struct passwd *own = getpwuid(getuid());

	snprintf(name, sizeof(name), "%s", getuid() == 0 || own == NULL ? "nobody" : own->pw_name);
	return name;
}

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.without_brokers = true;
	return scene_open(state, &options);
}

/* The value of a line of /proc/PID/status, "2" of "Seccomp:\t2". */
static void status_of(const struct broker *broker, const char *name, char out[64])
{
	char path[64], line[256];
	size_t len = strlen(name);
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)broker->proc.pid);
	file = fopen(path, "re");
	assert_non_null(file);
	out[0] = '\0';
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			snprintf(out, 64, "%.*s", (int)strcspn(line + len + 2, "\n"), line + len + 2);
	fclose(file);
}

static void expect_status(const struct broker *broker, const char *name, const char *value)
{
	char found[64];

	status_of(broker, name, found);
	assert_string_equal(found, value);
}

static void start(struct world *world, const char *more)
{
	world->broker_count = 1;
	world->config.more = more;
	assert_true(broker_start(&world->brokers[0], world->dir, "broker-0", &world->config));
}

/* Of a process whose memory nobody else may read, and which leaves no core dump, the files in /proc are root's. */
static void expect_undumpable(const struct broker *broker)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)broker->proc.pid);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

/* What the broker opens after its start must be open to whom it becomes. */
static void let_in(const struct world *world)
{
	assert_int_equal(chmod(world->redis.dir, 0711), 0);
	assert_int_equal(chmod(world->redis.socket_path, 0777), 0);
}

static void confined_it_works(void **state)
{
	struct world *world = *state;
	const struct world_ask ask = {.person = 1, .group = 0, .duration = "PT1H"};
	const struct passwd *user = getpwnam(somebody());
	char more[128], wanted[64], id[ID_SIZE];

	assert_non_null(user);
	let_in(world);
	snprintf(more, sizeof(more), "user: %s\n", user->pw_name);
	snprintf(wanted, sizeof(wanted), "%d\t%d\t%d\t%d", (int)user->pw_uid, (int)user->pw_uid,
		 (int)user->pw_uid, (int)user->pw_uid);
	start(world, more);
	expect_status(&world->brokers[0], "Seccomp", "2");
	expect_status(&world->brokers[0], "NoNewPrivs", "1");
	expect_status(&world->brokers[0], "Uid", wanted);
	expect_status(&world->brokers[0], "CapEff", "0000000000000000");
	expect_undumpable(&world->brokers[0]);
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	world_passed(world);
}

/* For a kernel or a library that wants what nobody thought of. */
static void the_filter_can_be_left_out(void **state)
{
	struct world *world = *state;

	start(world, "system_calls: all\n");
	expect_status(&world->brokers[0], "Seccomp", "0");
	world_passed(world);
}

static void a_user_who_is_none_ends_the_start(void **state)
{
	struct world *world = *state;

	world->broker_count = 1;
	world->config.more = "user: nobody-of-that-name\n";
	(void)broker_start_unready(&world->brokers[0], world->dir, "broker-0", &world->config);
	assert_int_equal(proc_end(&world->brokers[0].proc, 0, SCENE_PATIENCE), 1);
	assert_true(proc_log_holds(&world->brokers[0].proc, "there is no user nobody-of-that-name"));
	world->broker_count = 0;
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(confined_it_works, open_world, scene_close),
		cmocka_unit_test_setup_teardown(the_filter_can_be_left_out, open_world, scene_close),
		cmocka_unit_test_setup_teardown(a_user_who_is_none_ends_the_start, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
