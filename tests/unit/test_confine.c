/* What a broker can and cannot do once it is confined; each in a process of its own, because there is no way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/confine.h"

#define PAGE 4096

/* Runs it in a child that is confined. 0 = it went as it should. */
static int confined(int (*run)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct errctx ec = {""};

		if (confine_calls(&ec) != ERR_OK) {
			fprintf(stderr, "%s\n", ec.text);
			_exit(100);
		}
		_exit(run());
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* -- what is left ------------------------------------------------------------------------------------------- */

static void *answer(void *given)
{
	return given;
}

static int makes_threads(void)
{
	pthread_t thread;
	void *result = NULL;
	int given;

	return pthread_create(&thread, NULL, answer, &given) == 0 && pthread_join(thread, &result) == 0 &&
			       result == &given
		       ? 0
		       : 1;
}

static int finds_names(void)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	int failed = getaddrinfo("localhost", "80", &hints, &list);

	if (failed == 0)
		freeaddrinfo(list);
	return failed == 0 ? 0 : 1;
}

static int talks(void)
{
	int pair[2], fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte = 'x';

	return fd >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && write(pair[0], &byte, 1) == 1 &&
			       read(pair[1], &byte, 1) == 1
		       ? 0
		       : 1;
}

static int reads_and_writes_files(void)
{
	FILE *file = tmpfile();
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && file != NULL && fputs("x", file) >= 0 && fclose(file) == 0 ? 0 : 1;
}

static int takes_memory(void)
{
	char *memory = malloc(64 << 20);

	if (memory == NULL)
		return 1;
	memset(memory, 1, 64 << 20);
	free(memory);
	return 0;
}

static int ends_in_order(void)
{
	raise(SIGABRT);
	return 1;
}

static void what_is_left(void **state)
{
	(void)state;
	assert_int_equal(confined(makes_threads), 0);
	assert_int_equal(confined(finds_names), 0);
	assert_int_equal(confined(talks), 0);
	assert_int_equal(confined(reads_and_writes_files), 0);
	assert_int_equal(confined(takes_memory), 0);
	assert_int_not_equal(confined(ends_in_order), 1);
}

/* -- what is taken ------------------------------------------------------------------------------------------ */

/* With arguments that would do something, or would be refused for another reason than that the call is not there. */
static const struct taken {
	const char *name;
	long number, a, b, c;
	bool needed_by_sanitizers;
} taken[] = {
	{"execve", SYS_execve, 0, 0, 0, false},
	{"execveat", SYS_execveat, -1, 0, 0, false},
	{"fork", SYS_clone, SIGCHLD, 0, 0, true},
	{"clone3", SYS_clone3, 0, 0, 0, false},
	{"ptrace", SYS_ptrace, PTRACE_TRACEME, 0, 0, true},
	{"process_vm_readv", SYS_process_vm_readv, 1, 0, 0, true},
	{"process_vm_writev", SYS_process_vm_writev, 1, 0, 0, false},
	{"kill", SYS_kill, 1, 0, 0, true},
	{"pidfd_open", SYS_pidfd_open, 1, 0, 0, false},
	{"mount", SYS_mount, 0, 0, 0, false},
	{"pivot_root", SYS_pivot_root, 0, 0, 0, false},
	{"chroot", SYS_chroot, 0, 0, 0, false},
	{"unshare", SYS_unshare, 0, 0, 0, false},
	{"setns", SYS_setns, -1, 0, 0, false},
	{"setuid", SYS_setuid, 0, 0, 0, false},
	{"capset", SYS_capset, 0, 0, 0, false},
	{"chown", SYS_fchown, -1, 0, 0, false},
	{"mknodat", SYS_mknodat, -1, 0, 0, false},
	{"symlinkat", SYS_symlinkat, 0, -1, 0, false},
	{"linkat", SYS_linkat, -1, 0, -1, false},
	{"bpf", SYS_bpf, -1, 0, 0, false},
	{"perf_event_open", SYS_perf_event_open, 0, 0, 0, false},
	{"init_module", SYS_init_module, 0, 0, 0, false},
	{"kexec_load", SYS_kexec_load, 0, 0, 0, false},
	{"keyctl", SYS_keyctl, -1, 0, 0, false},
	{"io_uring_setup", SYS_io_uring_setup, 0, 0, 0, false},
	{"userfaultfd", SYS_userfaultfd, 0, 0, 0, false},
	{"memfd_create", SYS_memfd_create, 0, 0, 0, false},
	{"settimeofday", SYS_settimeofday, 0, 0, 0, false},
	{"reboot", SYS_reboot, 0, 0, 0, false},
	{"a packet socket", SYS_socket, AF_PACKET, SOCK_RAW, 0, false},
	{"a netlink socket", SYS_socket, AF_NETLINK, SOCK_RAW, 0, false},
	{"memory to write and run", SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, true},
};

static bool is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#else
	return false;
#endif
}

static int is_taken(const struct taken *t)
{
	errno = 0;
	if (syscall(t->number, t->a, t->b, t->c, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -1 && errno == ENOSYS)
		return 0;
	fprintf(stderr, "%s: %s\n", t->name, strerror(errno));
	return 1;
}

static int all_are_taken(void)
{
	int left = 0;

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (!is_sanitized() || !taken[i].needed_by_sanitizers)
			left += is_taken(&taken[i]);
	return left;
}

/* What was written is not run, by the other way either. */
static int memory_stays_data(void)
{
	void *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return 1;
	return is_sanitized() || (mprotect(memory, PAGE, PROT_READ | PROT_EXEC) == -1 && errno == ENOSYS) ? 0
													  : 1;
}

/* A thread that was there before, and one that comes after. */
static void *runs_nothing(void *ready)
{
	static char program[] = "/bin/false";
	char *const words[] = {program, NULL};

	if (ready != NULL)
		pthread_barrier_wait(ready);
	execv(program, words);
	return errno == ENOSYS ? NULL : ready;
}

static int threads_are_confined(void)
{
	struct errctx ec = {""};
	pthread_barrier_t ready;
	pthread_t before, after;
	void *failed = &ec, *later = &ec;

	pthread_barrier_init(&ready, NULL, 2);
	if (pthread_create(&before, NULL, runs_nothing, &ready) != 0 || confine_calls(&ec) != ERR_OK)
		return 1;
	pthread_barrier_wait(&ready);
	pthread_join(before, &failed);
	if (pthread_create(&after, NULL, runs_nothing, NULL) != 0)
		return 1;
	pthread_join(after, &later);
	return failed == NULL && later == NULL ? 0 : 1;
}

static void what_is_taken(void **state)
{
	pid_t child;
	int status;

	(void)state;
	assert_int_equal(confined(all_are_taken), 0);
	assert_int_equal(confined(memory_stays_data), 0);
	child = fork();
	if (child == 0)
		_exit(threads_are_confined());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* -- the user ----------------------------------------------------------------------------------------------- */

static int become(const char *name)
{
	const struct passwd *user = getpwnam(name);
	struct errctx ec = {""};
	gid_t groups[64];

	if (user == NULL || confine_user(name, &ec) != ERR_OK)
		return 1;
	for (int i = getgroups(64, groups); i > 0; i--)
		if (groups[i - 1] == 0)
			return 2;
	return getuid() == user->pw_uid && geteuid() == user->pw_uid && getgid() == user->pw_gid &&
			       setuid(0) == -1 && open("/etc/shadow", O_RDONLY | O_CLOEXEC) == -1
		       ? 0
		       : 3;
}

static void the_user(void **state)
{
	struct errctx ec = {""};
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0)
		_exit(become("nobody"));
	assert_int_equal(waitpid(child, &status, 0), child);
	/* Only root can. */
	assert_int_equal(WEXITSTATUS(status), getuid() == 0 ? 0 : 1);
	assert_int_equal(confine_user("", &ec), ERR_OK);
	assert_int_equal(confine_user("nobody-of-that-name", &ec), ERR_CONFIG);
	assert_string_equal(ec.text, "user: there is no user nobody-of-that-name");
}

/* Said before the change of user it would not last: the kernel goes back to what fs.suid_dumpable says. */
static int forbids_core_dumps(void)
{
	const struct rlimit some = {PAGE, PAGE};
	struct rlimit left;
	struct errctx ec = {""};

	if (setrlimit(RLIMIT_CORE, &some) != 0 && getuid() == 0)
		return 1;
	if (prctl(PR_SET_DUMPABLE, 1) != 0 || confine("nobody-of-that-name", true, &ec) != ERR_CONFIG ||
	    prctl(PR_GET_DUMPABLE) != 1)
		return 2;
	if (confine(getuid() == 0 ? "nobody" : "", true, &ec) != ERR_OK)
		return 3;
	return getrlimit(RLIMIT_CORE, &left) == 0 && left.rlim_cur == 0 && left.rlim_max == 0 &&
			       prctl(PR_GET_DUMPABLE) == 0
		       ? 0
		       : 4;
}

static void no_core_dumps(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0)
		_exit(forbids_core_dumps());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left),
		cmocka_unit_test(what_is_taken),
		cmocka_unit_test(the_user),
		cmocka_unit_test(no_core_dumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
