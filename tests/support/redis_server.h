/*
 * A private redis-server for tests: its own directory under /tmp, a Unix socket and no port, append-only file with
 * appendfsync always. It dies with the test program, however that ends. Blocking; tests only.
 *
 *	struct redis_server redis;
 *	assert_true(redis_server_start(&redis, NULL));
 *	... store_options.url = redis.url ...
 *	redis_server_stop(&redis);
 */
#ifndef TESTS_SUPPORT_REDIS_SERVER_H
#define TESTS_SUPPORT_REDIS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct redisReply;

/* The program that is started: the value of this environment variable, or redis-server. So all tests can be run on
 * another engine, and some run themselves on each that is installed. */
#define REDIS_SERVER_PROGRAM "JIT_TEST_REDIS"

/* The index-th of the engines that are installed here, beginning with redis-server; NULL beyond the last. */
const char *redis_server_engine(size_t index);

#define REDIS_SERVER_EXTRA_MAX 32

/* What servers, sentinels and their clients show each other, and whom they trust: PEM files; borrowed. */
struct redis_tls {
	const char *certificate, *key, *authority;
};

struct redis_server {
	pid_t pid; /* 0 when it does not run */
	char dir[32];
	char socket_path[64]; /* path of the Unix socket, the same after a restart */
	char url[80];         /* unix:/path */
	const char *extra[REDIS_SERVER_EXTRA_MAX + 1];
};

/*
 * Starts a server and waits until it answers. `extra` is NULL or a NULL-terminated list of further command line
 * arguments, borrowed until redis_server_stop(); they win over the ones above ("--appendonly", "no"). False, with
 * the server's log on standard error, when it does not start within ten seconds.
 */
bool redis_server_start(struct redis_server *server, const char *const *extra);

void redis_server_kill9(struct redis_server *server); /* SIGKILL and reap; directory and data stay */
bool redis_server_restart(
	struct redis_server *server);                  /* after kill9: same directory, socket and arguments */
void redis_server_freeze(struct redis_server *server); /* SIGSTOP, and waits until it has stopped */
void redis_server_thaw(struct redis_server *server);   /* SIGCONT */
void redis_server_stop(struct redis_server *server);   /* kills if it runs, removes the directory */

/* So many ports of loopback that were free a moment ago, chosen by the kernel. False, having said so, when not. */
bool redis_server_ports(int *ports, size_t count);

/* One command over a connection of its own, e.g. ("CONFIG SET appendonly %s", "yes"). The caller frees the reply
 * with freeReplyObject(). NULL when the server does not answer within five seconds. */
struct redisReply *redis_server_command(const struct redis_server *server, const char *format, ...);

/* The same for commands whose answer does not matter; false for NULL and for an error reply. */
bool redis_server_do(const struct redis_server *server, const char *format, ...);

#endif
