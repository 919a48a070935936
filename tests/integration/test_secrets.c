/* Where secrets must not be: in Redis, in the log, in answers, in what others see of the process, in core dumps. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>
#include <ftw.h>
#include <linux/capability.h>

#include "tests/support/scene.h"
#include "tests/support/shell.h"

#define WRONG "a-bearer-that-nobody-has"   /* refused, and yet not to be written down */
#define WHY   "INC4711: to be found again" /* shows that the search would find what is there */
#define LARGE (16 << 20)

/* Everything that was ever secret in this test. */
static const char *const secrets[] = {SANDBOX_TOKEN, "token-0", "token-1", WRONG};

/* The broker is started where core dumps are allowed, as far as they can be. */
static int open_world(void **state)
{
	struct world_options options = scene_defaults();
	struct rlimit core;

	if (getrlimit(RLIMIT_CORE, &core) != 0)
		return -1;
	core.rlim_cur = core.rlim_max;
	if (setrlimit(RLIMIT_CORE, &core) != 0)
		return -1;
	return scene_open(state, &options);
}

/* -- what is written ---------------------------------------------------------------------------------------- */

/* nftw() passes nothing on. */
static _Thread_local size_t files_read;
static _Thread_local size_t reasons_found;

static char *read_whole(const char *path, size_t *len)
{
	char *bytes = malloc(LARGE + 1);
	FILE *file = fopen(path, "rb");

	assert_non_null(bytes);
	*len = file != NULL ? fread(bytes, 1, LARGE, file) : 0;
	if (file != NULL)
		fclose(file);
	return bytes;
}

static bool holds(const char *bytes, size_t len, const char *text)
{
	return memmem(bytes, len, text, strlen(text)) != NULL;
}

static void expect_none(const char *what, const char *bytes, size_t len)
{
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (holds(bytes, len, secrets[i]))
			fail_msg("%s holds %s", what, secrets[i]);
}

static void expect_none_in_file(const char *path)
{
	size_t len;
	char *bytes = read_whole(path, &len);

	expect_none(path, bytes, len);
	files_read += len > 0;
	reasons_found += holds(bytes, len, WHY);
	free(bytes);
}

static int visit(const char *path, const struct stat *info, int type, struct FTW *where)
{
	(void)where;
	if (type == FTW_F && S_ISREG(info->st_mode))
		expect_none_in_file(path);
	return 0;
}

static void expect_none_in_answer(const struct world *world, const char *bearer, const char *path)
{
	struct http_response response;

	broker_call(&world->brokers[0], &(struct http_request){.url = path, .bearer = bearer}, &response);
	assert_true(response.body.len > 0);
	expect_none(path, buf_text(&response.body), response.body.len);
	http_response_release(&response);
}

static void expect_none_in_answers(const struct world *world)
{
	static const char *const paths[] = {
		"/api/applications",
		"/api/applications/app",
		"/api/provisioning-log",
		"/api/audit",
		"/api/sign-in",
		"/openapi.json",
		"/metrics",
		"/readyz",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		expect_none_in_answer(world, world_token(world, 0), paths[i]);
	expect_none_in_answer(world, WRONG, "/api/applications");
}

/* Redis' append-only file holds each command of a broker as text. */
static void secrets_are_written_nowhere(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1, .duration = "PT1H", .justification = WHY};
	struct http_response response;
	char id[ID_SIZE], path[64];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	world_deactivate(world, &ask, &response);
	http_response_release(&response);
	scene_wait_over(world, &ask, id);
	expect_none_in_answers(world);

	files_read = reasons_found = 0;
	assert_int_equal(nftw(world->redis.dir, visit, 8, FTW_PHYS), 0);
	assert_true(files_read > 0 && reasons_found > 0);
	expect_none_in_file(world->brokers[0].log_path);
	assert_true(proc_log_holds(&world->brokers[0].proc, "event=listening"));
	expect_none_in_file(world->brokers[0].config_path);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)world->brokers[0].proc.pid);
	expect_none_in_file(path);
	world_passed(world);
}

/* -- the process -------------------------------------------------------------------------------------------- */

/* The right to look into every process is laid down, or taken up again. Whoever lacks it keeps what they have. */
static void look_into_all(bool may)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};
	uint32_t bit = 1U << CAP_SYS_PTRACE;

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	data[0].effective = may ? data[0].effective | (data[0].permitted & bit) : data[0].effective & ~bit;
	assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

/* What the kernel says to a look at another process' memory: EFAULT, nothing is there, to those who may. */
static int look_into(pid_t pid)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {NULL, 1};

	return process_vm_readv(pid, &here, 1, &there, 1, 0) < 0 ? errno : 0;
}

static void memory_is_not_shown(void **state)
{
	struct world *world = *state;
	char path[64], *limits, *line;
	size_t len;
	int any, brokers;

	snprintf(path, sizeof(path), "/proc/%d/limits", (int)world->brokers[0].proc.pid);
	limits = read_whole(path, &len);
	limits[len] = '\0';
	line = strstr(limits, "Max core file size");
	assert_non_null(line);
	line += strlen("Max core file size");
	assert_int_equal(line[strspn(line, " ")], '0');
	free(limits);

	look_into_all(false);
	any = look_into(world->redis.pid);
	brokers = look_into(world->brokers[0].proc.pid);
	look_into_all(true);
	if (any != EFAULT)
		print_message("this machine shows no process' memory to anybody\n");
	assert_int_equal(brokers, EPERM);
	world_passed(world);
}

/* The command `jit` while it waits, with a token in its memory. What others may not look into, the kernel dumps no more. */
static void memory_of_the_command_is_not_shown(void **state)
{
	struct world *world = *state;
	struct shell jit = {.home = ""};
	int commands;

	snprintf(jit.home, sizeof(jit.home), "%.400s/home", world->dir);
	snprintf(jit.server, sizeof(jit.server), "%s", world->brokers[0].root);
	assert_int_equal(mkdir(jit.home, 0700), 0);
	shell_use_token(&jit, world_token(world, 0));
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> hang"));
	shell_start(&jit, (const char *const[]){"activate", world_group_id(world, 0), "--reason", WHY,
						"--wait", NULL});
	scene_wait_hung(world, 1);
	look_into_all(false);
	commands = look_into(jit.proc.pid);
	look_into_all(true);
	assert_true(proc_alive(&jit.proc));
	assert_int_equal(commands, EPERM);
	proc_kill9(&jit.proc);
	assert_true(sandbox_release_hung(&world->sandbox));
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(secrets_are_written_nowhere, open_world, scene_close),
		cmocka_unit_test_setup_teardown(memory_is_not_shown, open_world, scene_close),
		cmocka_unit_test_setup_teardown(memory_of_the_command_is_not_shown, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
