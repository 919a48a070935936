/* Joins redis-servers to a cluster by its own commands, without redis-cli. */
#include "tests/support/redis_cluster.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "tests/support/wait.h"

#define PATIENCE_MS 20000
#define ID_SIZE     48

static bool text_of(const struct redis_server *server, const char *command, char *out, size_t size)
{
	redisReply *reply = redis_server_command(server, command);
	bool good = reply != NULL && reply->type == REDIS_REPLY_STRING;
	(void)snprintf(out, size, "%s", good ? reply->str : "");
	if (reply != NULL)
		freeReplyObject(reply);
	return good;
}

/* -- starting ----------------------------------------------------------------------------------------------- */

static bool start_node(struct redis_cluster *cluster, size_t index, const int *ports,
		       const char *const *extra)
{
	static const char *const fixed[] = {"--cluster-enabled",
					    "yes",
					    "--bind",
					    "127.0.0.1",
					    "--cluster-node-timeout",
					    "800",
					    "--repl-diskless-sync-delay",
					    "0",
					    "--cluster-replica-validity-factor",
					    "0"};
	const char **arguments = cluster->arguments[index];
	size_t count = sizeof(fixed) / sizeof(fixed[0]);
	memcpy(arguments, fixed, sizeof(fixed));
	char(*texts)[48] = cluster->texts[index];
	(void)snprintf(texts[0], sizeof(texts[0]), "%d", ports[0]);
	(void)snprintf(texts[1], sizeof(texts[1]), "%d", ports[1]);
	(void)snprintf(texts[2], sizeof(texts[2]), "redis://127.0.0.1:%d", ports[0]);
	const char *own[] = {"--port", texts[0], "--cluster-port", texts[1]};
	memcpy(arguments + count, own, sizeof(own));
	count += sizeof(own) / sizeof(own[0]);
	while (extra != NULL && *extra != NULL && count < REDIS_SERVER_EXTRA_MAX)
		arguments[count++] = *extra++;
	arguments[count] = NULL;
	cluster->ports[index] = ports[0];
	cluster->bus_ports[index] = ports[1];
	cluster->urls[index] = texts[2];
	return redis_server_start(&cluster->nodes[index], arguments);
}

/* Gives each master its share of the slots and makes all nodes known to the first. */
static bool introduce(struct redis_cluster *cluster, const int *ports)
{
	for (size_t i = 0; i < cluster->count; i++)
		if (!redis_server_do(&cluster->nodes[i], "CLUSTER SET-CONFIG-EPOCH %d", (int)i + 1))
			return false;
	for (size_t i = 0; i < cluster->masters; i++)
		if (!redis_server_do(&cluster->nodes[i], "CLUSTER ADDSLOTSRANGE %d %d",
				     (int)(i * REDIS_CLUSTER_SLOTS / cluster->masters),
				     (int)((i + 1) * REDIS_CLUSTER_SLOTS / cluster->masters) - 1))
			return false;
	for (size_t i = 1; i < cluster->count; i++)
		if (!redis_server_do(&cluster->nodes[0], "CLUSTER MEET 127.0.0.1 %d %d", ports[2 * i],
				     ports[2 * i + 1]))
			return false;
	return true;
}

static bool knows_all(const struct redis_cluster *cluster, const struct redis_server *server)
{
	char info[4096], wanted[64];
	(void)snprintf(wanted, sizeof(wanted), "cluster_known_nodes:%zu\r", cluster->count);
	return text_of(server, "CLUSTER INFO", info, sizeof(info)) && strstr(info, wanted) != NULL;
}

static bool all_are_known(void *ctx)
{
	const struct redis_cluster *cluster = ctx;
	for (size_t i = 0; i < cluster->count; i++)
		if (!knows_all(cluster, &cluster->nodes[i]))
			return false;
	return true;
}

static bool attach_replicas(struct redis_cluster *cluster)
{
	for (size_t i = cluster->masters; i < cluster->count; i++) {
		char id[ID_SIZE];
		if (!text_of(&cluster->nodes[i % cluster->masters], "CLUSTER MYID", id, sizeof(id)) ||
		    !redis_server_do(&cluster->nodes[i], "CLUSTER REPLICATE %s", id))
			return false;
	}
	return true;
}

static bool is_well(const struct redis_server *server)
{
	char info[4096], replication[4096];
	return server->pid == 0 || (text_of(server, "CLUSTER INFO", info, sizeof(info)) &&
				    strstr(info, "cluster_state:ok\r") != NULL &&
				    text_of(server, "INFO replication", replication, sizeof(replication)) &&
				    strstr(replication, "\nmaster_link_status:down\r") == NULL);
}

static bool all_are_well(void *ctx)
{
	const struct redis_cluster *cluster = ctx;
	for (size_t i = 0; i < cluster->count; i++)
		if (!is_well(&cluster->nodes[i]))
			return false;
	return true;
}

bool redis_cluster_wait_well(struct redis_cluster *cluster)
{
	return wait_until(all_are_well, cluster, PATIENCE_MS);
}

bool redis_cluster_start(struct redis_cluster *cluster, size_t masters, size_t replicas,
			 const char *const *extra)
{
	int ports[2 * REDIS_CLUSTER_MAX];
	*cluster = (struct redis_cluster){.masters = masters};
	bool good = masters + replicas <= REDIS_CLUSTER_MAX &&
		    redis_server_ports(ports, 2 * (masters + replicas));
	for (size_t i = 0; good && i < masters + replicas; i++) {
		good = start_node(cluster, i, &ports[2 * i], extra);
		cluster->count = i + 1;
	}
	good = good && introduce(cluster, ports) && wait_until(all_are_known, cluster, PATIENCE_MS) &&
	       attach_replicas(cluster) && redis_cluster_wait_well(cluster);
	if (!good) {
		(void)fputs("the cluster does not come together\n", stderr);
		redis_cluster_stop(cluster);
	}
	return good;
}

void redis_cluster_stop(struct redis_cluster *cluster)
{
	for (size_t i = 0; i < cluster->count; i++)
		redis_server_stop(&cluster->nodes[i]);
	cluster->count = 0;
}

/* -- who has a slot ----------------------------------------------------------------------------------------- */

static long long port_of_slot(const struct redis_server *server, unsigned slot)
{
	redisReply *reply = redis_server_command(server, "CLUSTER SLOTS");
	long long port = -1;
	for (size_t i = 0; reply != NULL && reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
		redisReply *const *row = reply->element[i]->element;
		if (slot >= (unsigned)row[0]->integer && slot <= (unsigned)row[1]->integer)
			port = row[2]->element[1]->integer;
	}
	if (reply != NULL)
		freeReplyObject(reply);
	return port;
}

struct agreement {
	struct redis_cluster *cluster;
	unsigned slot;
	int master;
};

static bool all_agree(void *ctx)
{
	struct agreement *agreement = ctx;
	const struct redis_cluster *cluster = agreement->cluster;
	agreement->master = -1;
	for (size_t i = 0; i < cluster->count; i++) {
		if (cluster->nodes[i].pid == 0)
			continue;
		long long port = port_of_slot(&cluster->nodes[i], agreement->slot);
		int master = -1;
		for (size_t n = 0; n < cluster->count; n++)
			if (cluster->ports[n] == port && cluster->nodes[n].pid != 0)
				master = (int)n;
		if (master < 0 || (agreement->master >= 0 && agreement->master != master))
			return false;
		agreement->master = master;
	}
	return agreement->master >= 0;
}

int redis_cluster_master(struct redis_cluster *cluster, unsigned slot)
{
	struct agreement agreement = {.cluster = cluster, .slot = slot};
	return wait_until(all_agree, &agreement, PATIENCE_MS) ? agreement.master : -1;
}

/* -- moving a slot ------------------------------------------------------------------------------------------ */

bool redis_cluster_open_slot(struct redis_cluster *cluster, unsigned slot, int from, int to)
{
	char from_id[ID_SIZE], to_id[ID_SIZE];
	return text_of(&cluster->nodes[from], "CLUSTER MYID", from_id, sizeof(from_id)) &&
	       text_of(&cluster->nodes[to], "CLUSTER MYID", to_id, sizeof(to_id)) &&
	       redis_server_do(&cluster->nodes[to], "CLUSTER SETSLOT %d IMPORTING %s", (int)slot, from_id) &&
	       redis_server_do(&cluster->nodes[from], "CLUSTER SETSLOT %d MIGRATING %s", (int)slot, to_id);
}

int redis_cluster_move_keys(struct redis_cluster *cluster, unsigned slot, int from, int to, int most)
{
	redisReply *keys =
		redis_server_command(&cluster->nodes[from], "CLUSTER GETKEYSINSLOT %d %d", (int)slot, most);
	int moved = keys != NULL && keys->type == REDIS_REPLY_ARRAY ? 0 : -1;
	for (size_t i = 0; moved >= 0 && i < keys->elements; i++) {
		bool done = redis_server_do(&cluster->nodes[from], "MIGRATE 127.0.0.1 %d %s 0 5000",
					    cluster->ports[to], keys->element[i]->str);
		moved = done ? moved + 1 : -1;
	}
	if (keys != NULL)
		freeReplyObject(keys);
	return moved;
}

bool redis_cluster_close_slot(struct redis_cluster *cluster, unsigned slot, int from, int to)
{
	char to_id[ID_SIZE];
	return text_of(&cluster->nodes[to], "CLUSTER MYID", to_id, sizeof(to_id)) &&
	       redis_server_do(&cluster->nodes[to], "CLUSTER SETSLOT %d NODE %s", (int)slot, to_id) &&
	       redis_server_do(&cluster->nodes[from], "CLUSTER SETSLOT %d NODE %s", (int)slot, to_id);
}
