/*
 * A Redis Cluster: which node has which slot, learnt from any of its nodes and from what they answer, and the calls
 * that have to wait until that is known or until a lane has been moved. Internal to the store.
 */
#ifndef STORE_CLUSTER_H
#define STORE_CLUSTER_H

#include "store/question.h"
#include "store/topology.h"

struct cluster {
	struct topology *topology;
	struct address seeds[STORE_SERVERS_MAX];
	size_t seed_count;
	struct question question; /* its first members are filled in by the owner */
	uv_timer_t look_again;    /* asks for the slots */
	uv_timer_t hand_out;      /* gives the homeless calls to the nodes that have their slots now */
	size_t turn;              /* whom to ask next */
	int64_t lost_ms;          /* when it was last known that all lanes are served; when it was made */
	bool ready;
	struct errctx why;      /* why it is not ready */
	struct slots slots;     /* as last told */
	uint8_t node_of[SLOTS]; /* index in the topology, or MASTER_NONE */
};

/* Asks some node who has which slot; cluster_close() ends that. Memory is the owner's. */
void cluster_start(struct cluster *cluster);
void cluster_close(struct cluster *cluster);

/* The node of that slot; NULL when none is known. */
struct node *cluster_node(const struct cluster *cluster, unsigned slot);

/* May a call whose slot nobody is known to have wait for somebody? */
bool cluster_hopes(const struct cluster *cluster);

/* A call has been put among the homeless. */
void cluster_adopt(struct cluster *cluster);

/* A node became ready or stopped being so (`why`); and a node has turned a call away with `reply`: the call
 * goes to the node that has the lane, or among the homeless. */
void cluster_node_changed(struct cluster *cluster, const struct node *node, bool ready, const char *why);
void cluster_turned_away(struct cluster *cluster, const struct node *node, struct call *call,
			 const struct reply *reply);

/* Of the question. */
void cluster_answered(void *ctx, const struct address *asked, const struct reply *reply, const char *why);

#endif
