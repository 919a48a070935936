/* Starts, breaks and stops a redis-server of one's own. */
#include "tests/support/redis_server.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"

#define START_MS   10000
#define COMMAND_S  5
#define POLL_MS    2
#define FIXED_ARGS 13

static const char *program(void)
{
	const char *named = getenv(REDIS_SERVER_PROGRAM);
	return named != NULL ? named : "redis-server";
}

static bool is_installed(const char *name)
{
	char paths[4096], path[512];
	char *rest = paths;
	const char *folder;
	(void)snprintf(paths, sizeof(paths), "%s", getenv("PATH") != NULL ? getenv("PATH") : "/usr/bin");
	while ((folder = strsep(&rest, ":")) != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

const char *redis_server_engine(size_t index)
{
	static const char *const engines[] = {"redis-server", "valkey-server"};
	size_t found = 0;
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
		if (is_installed(engines[i]) && found++ == index)
			return engines[i];
	return NULL;
}

bool redis_server_ports(int *ports, size_t count)
{
	int sockets[64];
	size_t made = 0;
	for (; made < count && made < sizeof(sockets) / sizeof(sockets[0]); made++) {
		struct sockaddr_in address = {.sin_family = AF_INET,
					      .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
		socklen_t size = sizeof(address);
		sockets[made] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (bind(sockets[made], (const struct sockaddr *)&address, size) != 0 ||
		    getsockname(sockets[made], (struct sockaddr *)&address, &size) != 0) {
			perror("a port");
			(void)close(sockets[made]);
			break;
		}
		ports[made] = ntohs(address.sin_port);
	}
	/* All are closed together: so they are different ones. */
	for (size_t i = 0; i < made; i++)
		(void)close(sockets[i]);
	return made == count;
}

/* In the child: nothing but exec and its preparation. */
static void run_server(const struct redis_server *server, pid_t parent)
{
	const char *argv[FIXED_ARGS + REDIS_SERVER_EXTRA_MAX + 1] = {program(),
								     "--port",
								     "0",
								     "--unixsocket",
								     server->socket_path,
								     "--dir",
								     server->dir,
								     "--appendonly",
								     "yes",
								     "--appendfsync",
								     "always",
								     "--save",
								     ""};
	for (size_t i = 0; server->extra[i] != NULL; i++)
		argv[FIXED_ARGS + i] = server->extra[i];
	int log = open("redis.log", O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
		_exit(127);
	/* A test that dies takes its server along; one that died before this line has another parent now. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(127);
	char *args[FIXED_ARGS + REDIS_SERVER_EXTRA_MAX + 1];
	memcpy(args, argv, sizeof(args));
	execvp(program(), args);
	_exit(127);
}

static void reap(struct redis_server *server)
{
	if (server->pid > 0)
		(void)waitpid(server->pid, NULL, 0);
	server->pid = 0;
}

static void show_log(const struct redis_server *server)
{
	char path[sizeof(server->dir) + sizeof("/redis.log")];
	char line[512];
	(void)snprintf(path, sizeof(path), "%s/redis.log", server->dir);
	FILE *log = fopen(path, "r");
	if (log == NULL)
		return;
	while (fgets(line, sizeof(line), log) != NULL)
		(void)fputs(line, stderr);
	(void)fclose(log);
}

static bool answers(const struct redis_server *server)
{
	struct redisReply *reply = redis_server_command(server, "PING");
	bool pong = reply != NULL && reply->type == REDIS_REPLY_STATUS;
	if (reply != NULL)
		freeReplyObject(reply);
	return pong;
}

static bool launch(struct redis_server *server)
{
	pid_t parent = getpid();
	int64_t until = clock_mono_ms() + START_MS;
	server->pid = fork();
	if (server->pid == 0) {
		if (chdir(server->dir) != 0)
			_exit(127);
		run_server(server, parent);
	}
	while (server->pid > 0 && clock_mono_ms() < until) {
		if (answers(server))
			return true;
		if (waitpid(server->pid, NULL, WNOHANG) == server->pid)
			server->pid = 0;
		(void)poll(NULL, 0, POLL_MS);
	}
	show_log(server);
	redis_server_kill9(server);
	return false;
}

bool redis_server_start(struct redis_server *server, const char *const *extra)
{
	*server = (struct redis_server){.dir = "/tmp/jit-redis-XXXXXX"};
	for (size_t i = 0; extra != NULL && extra[i] != NULL && i < REDIS_SERVER_EXTRA_MAX; i++)
		server->extra[i] = extra[i];
	if (mkdtemp(server->dir) == NULL)
		return false;
	(void)snprintf(server->socket_path, sizeof(server->socket_path), "%s/s", server->dir);
	(void)snprintf(server->url, sizeof(server->url), "unix:%s", server->socket_path);
	if (launch(server))
		return true;
	redis_server_stop(server);
	return false;
}

void redis_server_kill9(struct redis_server *server)
{
	if (server->pid > 0)
		(void)kill(server->pid, SIGKILL);
	reap(server);
}

bool redis_server_restart(struct redis_server *server)
{
	redis_server_kill9(server);
	return launch(server);
}

void redis_server_freeze(struct redis_server *server)
{
	int status;
	(void)kill(server->pid, SIGSTOP);
	(void)waitpid(server->pid, &status, WUNTRACED);
}

void redis_server_thaw(struct redis_server *server)
{
	(void)kill(server->pid, SIGCONT);
}

/* Files only, and one level of directories: that is all redis-server makes. */
static void empty_directory(const char *path, bool with_directories)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		char name[512];
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (unlink(name) == 0 || !with_directories)
			continue;
		empty_directory(name, false);
		(void)rmdir(name);
	}
	(void)closedir(dir);
}

void redis_server_stop(struct redis_server *server)
{
	redis_server_kill9(server);
	if (server->dir[0] == '\0')
		return;
	empty_directory(server->dir, true);
	(void)rmdir(server->dir);
	server->dir[0] = '\0';
}

static struct redisReply *command(const struct redis_server *server, const char *format, va_list args)
{
	const struct timeval timeout = {.tv_sec = COMMAND_S};
	redisContext *context = redisConnectUnixWithTimeout(server->socket_path, timeout);
	struct redisReply *reply = NULL;
	if (context != NULL && context->err == 0 && redisSetTimeout(context, timeout) == REDIS_OK)
		reply = redisvCommand(context, format, args);
	if (context != NULL)
		redisFree(context);
	return reply;
}

struct redisReply *redis_server_command(const struct redis_server *server, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct redisReply *reply = command(server, format, args);
	va_end(args);
	return reply;
}

bool redis_server_do(const struct redis_server *server, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct redisReply *reply = command(server, format, args);
	va_end(args);
	bool done = reply != NULL && reply->type != REDIS_REPLY_ERROR;
	if (reply != NULL)
		freeReplyObject(reply);
	return done;
}
