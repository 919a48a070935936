/* Child processes of a test. Only this file forks and signals. */
#include "tests/support/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/wait.h"

#define LOG_MAX   (8 * 1024 * 1024) /* of a log that is searched or printed */
#define LOG_SHOWN 16384

/* Runs in the child; only returns when the program cannot be started. */
static void become(const char *const *argv, const char *const *env, int log_fd, pid_t parent)
{
	int null_fd = open("/dev/null", O_RDONLY);

	/* The program must not outlive the test, not even one that crashed before this line. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return;
	dup2(null_fd, STDIN_FILENO);
	dup2(log_fd, STDOUT_FILENO);
	dup2(log_fd, STDERR_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	for (; env != NULL && *env != NULL; env++) {
		char *pair = strdup(*env);
		if (pair == NULL || putenv(pair) != 0)
			return;
	}
	/* execvp promises not to change what argv points to. */
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	perror(argv[0]);
}

bool proc_start(struct proc *proc, const char *const *argv, const char *const *env, const char *log_path)
{
	pid_t parent = getpid();
	struct stat st;
	int fd;

	memset(proc, 0, sizeof(*proc));
	snprintf(proc->log_path, sizeof(proc->log_path), "%s", log_path);
	fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) != 0) {
		fprintf(stderr, "%s: %s\n", log_path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	proc->log_start = st.st_size;
	proc->pid = fork();
	if (proc->pid == 0) {
		become(argv, env, fd, parent);
		_exit(127);
	}
	close(fd);
	if (proc->pid < 0) {
		fprintf(stderr, "fork: %s\n", strerror(errno));
		proc->pid = 0;
		return false;
	}
	return true;
}

bool proc_alive(struct proc *proc)
{
	if (proc->pid == 0)
		return false;
	if (waitpid(proc->pid, &proc->wait_status, WNOHANG) == 0)
		return true;
	proc->pid = 0;
	return false;
}

/* The log from `from` on, as text that the caller frees; NULL when it cannot be read. */
static char *read_log(const struct proc *proc, off_t from)
{
	char *text = NULL;
	FILE *file = fopen(proc->log_path, "rb");

	if (file == NULL)
		return NULL;
	if (fseeko(file, from, SEEK_SET) == 0 && (text = malloc(LOG_MAX + 1)) != NULL)
		text[fread(text, 1, LOG_MAX, file)] = '\0';
	fclose(file);
	return text;
}

/* Finds `text` in a finished line of this run's log and copies the line. */
static bool find_line(const struct proc *proc, const char *text, char *line, size_t size)
{
	char *log = read_log(proc, proc->log_start);
	char *at = log == NULL ? NULL : strstr(log, text);
	char *end = at == NULL ? NULL : strchr(at, '\n');

	if (end != NULL && line != NULL) {
		*end = '\0';
		while (at > log && at[-1] != '\n')
			at--;
		snprintf(line, size, "%s", at);
	}
	free(log);
	return end != NULL;
}

bool proc_log_holds(const struct proc *proc, const char *text)
{
	return find_line(proc, text, NULL, 0);
}

bool proc_wait_text(struct proc *proc, const char *text, int64_t timeout_ms, char *line, size_t size)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	bool alive = true;

	/* One more look after its end, for what it wrote last. */
	while (!find_line(proc, text, line, size)) {
		if (!alive || clock_mono_ms() >= deadline) {
			fprintf(stderr, "%s without \"%s\"\n", alive ? "time passed" : "the program ended",
				text);
			proc_print_log(proc, stderr);
			return false;
		}
		wait_a_little(5);
		alive = proc_alive(proc);
	}
	return true;
}

void proc_kill9(struct proc *proc)
{
	if (proc->pid == 0)
		return;
	kill(proc->pid, SIGKILL);
	while (waitpid(proc->pid, &proc->wait_status, 0) < 0 && errno == EINTR)
		;
	proc->pid = 0;
	proc->wait_status = 0;
}

void proc_stop(struct proc *proc)
{
	if (proc->pid == 0)
		return;
	kill(proc->pid, SIGSTOP);
	while (waitpid(proc->pid, &proc->wait_status, WUNTRACED) < 0 && errno == EINTR)
		;
	if (!WIFSTOPPED(proc->wait_status))
		proc->pid = 0;
}

void proc_cont(struct proc *proc)
{
	if (proc->pid != 0)
		kill(proc->pid, SIGCONT);
}

static bool has_ended(void *ctx)
{
	return !proc_alive(ctx);
}

int proc_end(struct proc *proc, int signal_number, int64_t timeout_ms)
{
	if (signal_number != 0 && proc_alive(proc)) {
		/* In this order: a SIGCONT during the leak check at a sanitized program's end would stop that check for
		 * good. That is also why a program that ends by itself gets none. */
		kill(proc->pid, SIGCONT);
		kill(proc->pid, signal_number);
	}
	if (!wait_until(has_ended, proc, timeout_ms)) {
		fprintf(stderr, "process %d did not end by signal %d\n", (int)proc->pid, signal_number);
		proc_kill9(proc);
		return -1;
	}
	return WIFSIGNALED(proc->wait_status) ? 128 + WTERMSIG(proc->wait_status)
					      : WEXITSTATUS(proc->wait_status);
}

void proc_print_log(const struct proc *proc, FILE *out)
{
	char *log = read_log(proc, 0);
	char *line = log, *next;

	fprintf(out, "--- %s\n", proc->log_path);
	if (log != NULL && strlen(log) > LOG_SHOWN)
		line = log + strlen(log) - LOG_SHOWN;
	for (; line != NULL && *line != '\0'; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		fprintf(out, "    %s\n", line);
	}
	free(log);
}

/* build/VARIANT, three names above build/VARIANT/tests/KIND/test_x. */
static bool find_build(char *out, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", out, size - 1);

	if (len <= 0)
		return false;
	out[len] = '\0';
	for (int up = 0; up < 3; up++) {
		char *slash = strrchr(out, '/');

		if (slash == NULL)
			return false;
		*slash = '\0';
	}
	return true;
}

bool proc_build_path(const char *name, char *out, size_t size)
{
	/* Asked once: a program that has mounts of its own since then is told of a path within the old ones. */
	static char build[PROC_PATH_SIZE];
	int n;

	if (build[0] == '\0' && !find_build(build, sizeof(build)))
		return false;
	n = snprintf(out, size, "%s/%s", build, name);
	return n > 0 && (size_t)n < size;
}
