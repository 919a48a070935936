#include "process/confine.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <seccomp.h>

#include "base/log.h"
#include "process/core_dump.h"

/* -- the user ----------------------------------------------------------------------------------------------- */

enum err confine_user(const char *name, struct errctx *ec)
{
	const struct passwd *user;

	if (name[0] == '\0')
		return ERR_OK;
	user = getpwnam(name);
	if (user == NULL)
		return err_set(ec, ERR_CONFIG, "user: there is no user %s", name);
	if (geteuid() == user->pw_uid && getuid() == user->pw_uid)
		return ERR_OK;
	if (geteuid() != 0)
		return err_set(ec, ERR_CONFIG, "user: only root can become %s", name);
	if (initgroups(name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
		return err_set(ec, ERR_CONFIG, "user: %s: %s", name, strerror(errno));
	if (user->pw_uid != 0 && setuid(0) == 0)
		return err_set(ec, ERR_CONFIG, "user: the system gives root back");
	return ERR_OK;
}

/* -- system calls ------------------------------------------------------------------------------------------- */

/* What a broker asks for, directly or through its libraries and the C library of Debian 12 and 13. A name that this
 * machine's kernel interface does not have is passed over. */
static const char *const calls[] = {
	/* memory and threads */
	"brk",
	"futex",
	"futex_waitv",
	"get_robust_list",
	"madvise",
	"membarrier",
	"mremap",
	"munmap",
	"rseq",
	"sched_getaffinity",
	"sched_getparam",
	"sched_getscheduler",
	"sched_yield",
	"set_robust_list",
	"set_tid_address",
	"arch_prctl",
	/* time, chance, who and how much */
	"clock_getres",
	"clock_gettime",
	"clock_nanosleep",
	"getcpu",
	"getegid",
	"geteuid",
	"getgid",
	"getpid",
	"getppid",
	"getrandom",
	"getrlimit",
	"getrusage",
	"gettid",
	"gettimeofday",
	"getuid",
	"nanosleep",
	"prlimit64",
	"sysinfo",
	"time",
	"times",
	"uname",
	/* signals and the end */
	"exit",
	"exit_group",
	"restart_syscall",
	"rt_sigaction",
	"rt_sigpending",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigsuspend",
	"rt_sigtimedwait",
	"sigaltstack",
	"tgkill",
	/* descriptors and waiting */
	"close",
	"close_range",
	"dup",
	"dup2",
	"dup3",
	"epoll_create",
	"epoll_create1",
	"epoll_ctl",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_wait",
	"eventfd2",
	"fcntl",
	"ioctl",
	"pipe2",
	"poll",
	"ppoll",
	"pselect6",
	"select",
	"timerfd_create",
	"timerfd_gettime",
	"timerfd_settime",
	/* files: the configuration and what it names, certificates, the export of the audit, the escrow, a socket of its own */
	"access",
	"chmod",
	"faccessat",
	"faccessat2",
	"fadvise64",
	"fchmod",
	"fdatasync",
	"flock",
	"fstat",
	"fstatfs",
	"fsync",
	"ftruncate",
	"getcwd",
	"getdents64",
	"lseek",
	"lstat",
	"newfstatat",
	"open",
	"openat",
	"pread64",
	"pwrite64",
	"read",
	"readlink",
	"readlinkat",
	"readv",
	"rename",
	"renameat",
	"renameat2",
	"stat",
	"statfs",
	"statx",
	"umask",
	"unlink",
	"unlinkat",
	"write",
	"writev",
	/* the network */
	"accept",
	"accept4",
	"bind",
	"connect",
	"getpeername",
	"getsockname",
	"getsockopt",
	"listen",
	"recvfrom",
	"recvmmsg",
	"recvmsg",
	"sendfile",
	"sendmmsg",
	"sendmsg",
	"sendto",
	"setsockopt",
	"shutdown",
#ifdef __SANITIZE_ADDRESS__
	/* The search for leaks looks into the process from a helper of its own. */
	"clone",
	"fork",
	"getdents",
	"kill",
	"mmap",
	"mprotect",
	"personality",
	"prctl",
	"process_vm_readv",
	"ptrace",
	"setrlimit",
	"wait4",
#endif
#ifdef __SANITIZE_THREAD__
	"mmap",
	"mprotect",
	"personality",
	"prctl",
#endif
};

/* Adds a rule for a call whose arguments matter; true where this machine does not have the call. */
static bool permit(scmp_filter_ctx filter, const char *name, unsigned count,
		   const struct scmp_arg_cmp *arguments)
{
	int number = seccomp_syscall_resolve_name(name);

	return number < 0 || seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, count, arguments) == 0;
}

/* Threads, but no processes: clone3 hides its flags, and the C library does without it. */
static bool permit_threads(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);

	return permit(filter, "clone", 1, &thread);
}

/* Memory is written or executed, never both; libraries may still be loaded (those of the name service are late). */
static bool permit_memory(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp data = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC);

	return permit(filter, "mmap", 1, &data) && permit(filter, "mmap", 1, &code) &&
	       permit(filter, "mprotect", 1, &data);
}

static bool permit_sockets(scmp_filter_ctx filter)
{
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6};
	bool ok = true;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const struct scmp_arg_cmp family = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]);

		ok = ok && permit(filter, "socket", 1, &family) && permit(filter, "socketpair", 1, &family);
	}
	return ok;
}

static bool permit_all(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!permit(filter, calls[i], 0, NULL))
			return false;
	return permit_threads(filter) && permit_memory(filter) && permit_sockets(filter);
}

enum err confine_calls(struct errctx *ec)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int result;

	if (filter == NULL)
		return err_set(ec, ERR_NOMEM, "no memory for the filter of system calls");
	if (seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) != 0 || !permit_all(filter)) {
		seccomp_release(filter);
		return err_set(ec, ERR_UNAVAILABLE, "the filter of system calls cannot be made");
	}
	result = seccomp_load(filter);
	seccomp_release(filter);
	if (result != 0)
		return err_set(ec, ERR_UNAVAILABLE, "the kernel takes no filter of system calls: %s",
			       strerror(-result));
	return ERR_OK;
}

void confine_prepare(bool all_calls)
{
	scmp_filter_ctx filter = all_calls ? NULL : seccomp_init(SCMP_ACT_ALLOW);

	if (filter == NULL)
		return;
	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup), 0) == 0)
		(void)seccomp_load(filter);
	seccomp_release(filter);
}

enum err confine(const char *user, bool all_calls, struct errctx *ec)
{
	enum err err = confine_user(user, ec);

	if (err != ERR_OK)
		return err;
	/* The kernel takes a change of user for a reason to go back to what fs.suid_dumpable says. */
	core_dump_forbid();
	if (geteuid() == 0)
		log_warn("root", "note=%s", "the broker runs as root: see the setting user");
	err = all_calls ? ERR_OK : confine_calls(ec);
	if (err != ERR_UNAVAILABLE)
		return err;
	log_warn("system_calls", "note=%s", ec->text);
	return ERR_OK;
}
