/*
 * Which server answers a call: one that is configured, the master that sentinels name, or the node of a cluster that
 * has the lane. Owns the nodes, and the calls that no node can take at the moment. Internal to the store.
 */
#ifndef STORE_TOPOLOGY_H
#define STORE_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "store/call.h"
#include "store/node.h"
#include "store/slots.h"
#include "store/store.h"

#define NODES_MAX (MASTERS_MAX + 16) /* of a cluster, with some that are on their way out */

struct cluster;
struct sentinel;

/* Told to the store, from the loop. */
struct topology_events {
	/* All lanes can be served, or not and why. */
	void (*changed)(void *ctx, bool ready, const char *why);
	/* A call has ended: told and freed by the store; reply is borrowed and NULL unless err is ERR_OK. */
	void (*ended)(void *ctx, struct call *call, enum err err, const struct reply *reply);
	void (*closed)(void *ctx); /* after topology_close(): nothing is left */
};

struct topology {
	struct node_shared shared;
	const struct topology_events *events; /* outlive it */
	void *ctx;
	struct tls *tls;
	struct address first; /* the configured one, or the first of them */
	/* Copies of what is signed in with; wiped at the end. */
	char *user, *password, *sentinel_user, *sentinel_password;

	struct node *nodes[NODES_MAX]; /* NULL: free */
	size_t nodes_end;              /* no node lies beyond */
	struct sentinel *sentinel;     /* NULL without sentinels */
	struct cluster *cluster;       /* NULL without a cluster */
	struct calls homeless;         /* no node can take them now; the cluster hands them out again */
	struct store_counts counts;
	size_t handles_open;
	bool closing;
};

/* Fills in what is all zero, which starts nothing; topology_release() frees it again. */
enum err topology_init(struct topology *topology, uv_loop_t *loop, const struct store_options *options,
		       struct errctx *ec) MUST_CHECK;
/* Connects; from now on it has to be closed before it is released, also when this fails. */
enum err topology_start(struct topology *topology, struct errctx *ec) MUST_CHECK;

unsigned topology_lanes(const struct topology *topology); /* 0 before they are known */
/* Which data the lane has (setup.h); "" before that is known. */
const char *topology_store(const struct topology *topology, unsigned lane);
/* How many lanes, from 0 on, have a name for their data, each its own. */
unsigned topology_stores(const struct topology *topology);

/* All servers are asked anew what they are. */
void topology_doubt(struct topology *topology, const char *why);

/* May a new call in that slot be taken? */
bool topology_accepts(const struct topology *topology, unsigned slot);
void topology_add(struct topology *topology, struct call *call); /* takes the call; sends nothing yet */
void topology_flush(struct topology *topology);
int64_t topology_expire(struct topology *topology); /* as node_expire() */
size_t topology_waiting(const struct topology *topology);

/* Ends all calls before it returns; `closed` is told later, from the loop, unless nothing was opened: then at once. */
void topology_close(struct topology *topology);
void topology_release(struct topology *topology);

/* -- for the cluster ---------------------------------------------------------------------------------------- */

/* The index of the node at this address, which is made when there is none; NODES_MAX without room or memory. */
size_t topology_node_at(struct topology *topology, const struct address *address);
/* Ends that node; its calls go to `to`. */
void topology_retire(struct topology *topology, size_t index, struct calls *to);
/* A handle, whose data is the topology, has been opened; its close callback. */
void topology_handle_opened(struct topology *topology);
void topology_handle_closed(uv_handle_t *handle);

#endif
