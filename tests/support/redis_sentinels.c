/* Sentinels rewrite their configuration file, so each has one of its own. */
#include "tests/support/redis_sentinels.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "tests/support/wait.h"

#define PATIENCE_MS 20000

static void path_of(const struct redis_sentinels *sentinels, int index, const char *what, char out[96])
{
	(void)snprintf(out, 96, "%s/%d.%s", sentinels->dir, index, what);
}

static bool start_one(struct redis_sentinels *sentinels, int index, int master_port,
		      const struct redis_tls *tls)
{
	char conf[96], log[96];
	const char *engine = getenv(REDIS_SERVER_PROGRAM);
	path_of(sentinels, index, "conf", conf);
	path_of(sentinels, index, "log", log);
	FILE *file = fopen(conf, "w");
	if (file == NULL)
		return false;
	(void)fprintf(file,
		      "port %d\nbind 127.0.0.1\ndir %s\nrequirepass %s\nsentinel sentinel-pass %s\n"
		      "sentinel monitor jit 127.0.0.1 %d 2\nsentinel down-after-milliseconds jit 600\n"
		      "sentinel failover-timeout jit 4000\nsentinel parallel-syncs jit 1\n",
		      sentinels->ports[index], sentinels->dir, REDIS_SENTINEL_PASSWORD,
		      REDIS_SENTINEL_PASSWORD, master_port);
	if (tls != NULL)
		(void)fprintf(file,
			      "tls-port %d\ntls-replication yes\ntls-cert-file %s\ntls-key-file %s\n"
			      "tls-ca-cert-file %s\n",
			      sentinels->tls_ports[index], tls->certificate, tls->key, tls->authority);
	if (fclose(file) != 0)
		return false;
	const char *const argv[] = {engine != NULL ? engine : "redis-server", conf, "--sentinel", NULL};
	(void)snprintf(sentinels->texts[index], sizeof(sentinels->texts[index]), "%s://127.0.0.1:%d",
		       tls != NULL ? "rediss" : "redis",
		       tls != NULL ? sentinels->tls_ports[index] : sentinels->ports[index]);
	sentinels->urls[index] = sentinels->texts[index];
	return proc_start(&sentinels->procs[index], argv, NULL, log);
}

static redisReply *ask(const struct redis_sentinels *sentinels, int index, const char *command)
{
	const struct timeval timeout = {.tv_sec = 2};
	redisContext *context = redisConnectWithTimeout("127.0.0.1", sentinels->ports[index], timeout);
	redisReply *reply = NULL;
	if (context != NULL && context->err == 0 && redisSetTimeout(context, timeout) == REDIS_OK) {
		reply = redisCommand(context, "AUTH %s", REDIS_SENTINEL_PASSWORD);
		if (reply != NULL)
			freeReplyObject(reply);
		reply = redisCommand(context, command);
	}
	if (context != NULL)
		redisFree(context);
	return reply;
}

/* The value of a field in the flat list that SENTINEL MASTER answers. */
static int field(const redisReply *reply, const char *name)
{
	for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2)
		if (strcmp(reply->element[i]->str, name) == 0)
			return (int)strtol(reply->element[i + 1]->str, NULL, 10);
	return -1;
}

struct expected {
	const struct redis_sentinels *sentinels;
	int replicas;
};

static bool all_know(void *ctx)
{
	const struct expected *expected = ctx;
	bool known = true;
	for (int i = 0; known && i < REDIS_SENTINELS; i++) {
		redisReply *reply = ask(expected->sentinels, i, "SENTINEL MASTER jit");
		known = reply != NULL && field(reply, "num-slaves") == expected->replicas &&
			field(reply, "num-other-sentinels") == REDIS_SENTINELS - 1;
		if (reply != NULL)
			freeReplyObject(reply);
	}
	return known;
}

bool redis_sentinels_start(struct redis_sentinels *sentinels, int master_port, int replicas,
			   const struct redis_tls *tls)
{
	struct expected expected = {sentinels, replicas};
	int ports[2 * REDIS_SENTINELS];
	*sentinels = (struct redis_sentinels){.dir = "/tmp/jit-sentinel-XXXXXX"};
	bool good = mkdtemp(sentinels->dir) != NULL && redis_server_ports(ports, 2 * REDIS_SENTINELS);
	for (int i = 0; good && i < REDIS_SENTINELS; i++) {
		sentinels->ports[i] = ports[2 * i];
		sentinels->tls_ports[i] = ports[2 * i + 1];
		good = start_one(sentinels, i, master_port, tls);
	}
	good = good && wait_until(all_know, &expected, PATIENCE_MS);
	if (!good) {
		proc_print_log(&sentinels->procs[0], stderr);
		redis_sentinels_stop(sentinels);
	}
	return good;
}

void redis_sentinels_stop(struct redis_sentinels *sentinels)
{
	char path[96];
	for (int i = 0; i < REDIS_SENTINELS; i++) {
		proc_kill9(&sentinels->procs[i]);
		path_of(sentinels, i, "conf", path);
		(void)unlink(path);
		path_of(sentinels, i, "log", path);
		(void)unlink(path);
	}
	(void)rmdir(sentinels->dir);
}

int redis_sentinels_master(const struct redis_sentinels *sentinels, int index)
{
	redisReply *reply = ask(sentinels, index, "SENTINEL GET-MASTER-ADDR-BY-NAME jit");
	int port = 0;
	if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2)
		port = (int)strtol(reply->element[1]->str, NULL, 10);
	if (reply != NULL)
		freeReplyObject(reply);
	return port;
}
