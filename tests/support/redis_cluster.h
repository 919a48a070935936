/*
 * A private Redis Cluster for tests: masters first, then as many replicas, on loopback, each a redis_server of its own
 * (tests/support/redis_server.h). Blocking; tests only.
 *
 *	struct redis_cluster cluster;
 *	assert_true(redis_cluster_start(&cluster, 3, 3, NULL, NULL));
 *	... store_options.place.cluster = cluster.urls ...
 *	redis_cluster_stop(&cluster);
 */
#ifndef TESTS_SUPPORT_REDIS_CLUSTER_H
#define TESTS_SUPPORT_REDIS_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/support/redis_server.h"

#define REDIS_CLUSTER_MAX   9
#define REDIS_CLUSTER_SLOTS 16384
#define REDIS_CLUSTER_TEXTS 3

struct redis_cluster {
	size_t masters, count; /* masters as it was started; a failover changes who is one */
	struct redis_server nodes[REDIS_CLUSTER_MAX];
	int ports[REDIS_CLUSTER_MAX], bus_ports[REDIS_CLUSTER_MAX];
	char ids[REDIS_CLUSTER_MAX][48];                        /* by which the nodes know each other */
	const char *urls[REDIS_CLUSTER_MAX];                    /* redis://127.0.0.1:port, or rediss:// */
	char texts[REDIS_CLUSTER_MAX][REDIS_CLUSTER_TEXTS][48]; /* of the nodes' arguments and urls */
	const char *arguments[REDIS_CLUSTER_MAX][REDIS_SERVER_EXTRA_MAX + 1];
};

/* Starts it and waits until all its nodes agree; `extra` as for redis_server_start(), at most 4 pairs. With `tls` all
 * that goes over a port, between the nodes, too, is TLS with certificates on both sides; NULL = nothing is. */
bool redis_cluster_start(struct redis_cluster *cluster, size_t masters, size_t replicas,
			 const char *const *extra, const struct redis_tls *tls);
void redis_cluster_stop(struct redis_cluster *cluster);

/* The node that is the slot's master in the eyes of all nodes that run, waited for; -1 when they do not agree in
 * twenty seconds. */
int redis_cluster_master(struct redis_cluster *cluster, unsigned slot);

/* Waits until every node that runs says that the cluster is well and every replica has its master. */
bool redis_cluster_wait_well(struct redis_cluster *cluster);

/* A slot's way from one master to another, step by step, as redis-cli --cluster reshard does it. */
bool redis_cluster_open_slot(struct redis_cluster *cluster, unsigned slot, int from, int to);
/* Moves at most so many keys; how many, -1 when that failed. */
int redis_cluster_move_keys(struct redis_cluster *cluster, unsigned slot, int from, int to, int most);
bool redis_cluster_close_slot(struct redis_cluster *cluster, unsigned slot, int from, int to);

#endif
