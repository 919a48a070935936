/* Joins redis-servers to a cluster by its own commands, without redis-cli. */
#include "tests/support/redis_cluster.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "tests/support/wait.h"

#define PATIENCE_MS 20000

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

static void add(struct redis_cluster *cluster, size_t index, const char *name, const char *value)
{
	const char **arguments = cluster->arguments[index];
	size_t count = 0;
	while (arguments[count] != NULL)
		count++;
	arguments[count] = name;
	arguments[count + 1] = value;
}

static bool start_node(struct redis_cluster *cluster, size_t index, const char *const *extra,
		       const struct redis_tls *tls)
{
	char(*texts)[48] = cluster->texts[index];
	(void)snprintf(texts[0], sizeof(texts[0]), "%d", cluster->ports[index]);
	(void)snprintf(texts[1], sizeof(texts[1]), "%d", cluster->bus_ports[index]);
	(void)snprintf(texts[2], sizeof(texts[2]), "%s://127.0.0.1:%d", tls != NULL ? "rediss" : "redis",
		       cluster->ports[index]);
	cluster->urls[index] = texts[2];
	add(cluster, index, "--cluster-enabled", "yes");
	add(cluster, index, "--bind", "127.0.0.1");
	add(cluster, index, "--cluster-node-timeout", "800");
	add(cluster, index, "--repl-diskless-sync-delay", "0");
	add(cluster, index, "--cluster-replica-validity-factor", "0");
	add(cluster, index, tls != NULL ? "--tls-port" : "--port", texts[0]);
	add(cluster, index, "--cluster-port", texts[1]);
	if (tls != NULL) {
		add(cluster, index, "--tls-cluster", "yes");
		add(cluster, index, "--tls-replication", "yes");
		add(cluster, index, "--tls-cert-file", tls->certificate);
		add(cluster, index, "--tls-key-file", tls->key);
		add(cluster, index, "--tls-ca-cert-file", tls->authority);
	}
	for (; extra != NULL && extra[0] != NULL; extra += 2)
		add(cluster, index, extra[0], extra[1]);
	return redis_server_start(&cluster->nodes[index], cluster->arguments[index]) &&
	       text_of(&cluster->nodes[index], "CLUSTER MYID", cluster->ids[index],
		       sizeof(cluster->ids[index]));
}

/* Gives each master its share of the slots and makes all nodes known to the first. */
static bool introduce(struct redis_cluster *cluster)
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
		if (!redis_server_do(&cluster->nodes[0], "CLUSTER MEET 127.0.0.1 %d %d", cluster->ports[i],
				     cluster->bus_ports[i]))
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
	for (size_t i = cluster->masters; i < cluster->count; i++)
		if (!redis_server_do(&cluster->nodes[i], "CLUSTER REPLICATE %s",
				     cluster->ids[i % cluster->masters]))
			return false;
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
			 const char *const *extra, const struct redis_tls *tls)
{
	int ports[2 * REDIS_CLUSTER_MAX];
	*cluster = (struct redis_cluster){.masters = masters};
	bool good = masters + replicas <= REDIS_CLUSTER_MAX &&
		    redis_server_ports(ports, 2 * (masters + replicas));
	for (size_t i = 0; good && i < masters + replicas; i++) {
		cluster->ports[i] = ports[2 * i];
		cluster->bus_ports[i] = ports[2 * i + 1];
		good = start_node(cluster, i, extra, tls);
		cluster->count = i + 1;
	}
	good = good && introduce(cluster) && wait_until(all_are_known, cluster, PATIENCE_MS) &&
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

/* By its id: over the socket a node that has TLS alone tells no port. */
static int master_of_slot(const struct redis_cluster *cluster, size_t asked, unsigned slot)
{
	redisReply *reply = redis_server_command(&cluster->nodes[asked], "CLUSTER SLOTS");
	int master = -1;
	for (size_t i = 0; reply != NULL && reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
		redisReply *const *row = reply->element[i]->element;
		if (slot < (unsigned)row[0]->integer || slot > (unsigned)row[1]->integer)
			continue;
		for (size_t n = 0; n < cluster->count; n++)
			if (strcmp(cluster->ids[n], row[2]->element[2]->str) == 0)
				master = (int)n;
	}
	if (reply != NULL)
		freeReplyObject(reply);
	return master;
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
		int master = master_of_slot(cluster, i, agreement->slot);
		if (master < 0 || cluster->nodes[master].pid == 0 ||
		    (agreement->master >= 0 && agreement->master != master))
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
	return redis_server_do(&cluster->nodes[to], "CLUSTER SETSLOT %d IMPORTING %s", (int)slot,
			       cluster->ids[from]) &&
	       redis_server_do(&cluster->nodes[from], "CLUSTER SETSLOT %d MIGRATING %s", (int)slot,
			       cluster->ids[to]);
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
	return redis_server_do(&cluster->nodes[to], "CLUSTER SETSLOT %d NODE %s", (int)slot,
			       cluster->ids[to]) &&
	       redis_server_do(&cluster->nodes[from], "CLUSTER SETSLOT %d NODE %s", (int)slot,
			       cluster->ids[to]);
}
