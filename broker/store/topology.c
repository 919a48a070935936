/* The three kinds of Redis differ in where the nodes come from and in which of them has a lane; the rest is one. */
#include "store/topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/id.h"
#include "store/cluster.h"
#include "store/sentinel.h"
#include "store/tls.h"

#define ASK_MS 1000 /* a sentinel or node that does not answer in that time is not waited for */

/* -- the nodes' events -------------------------------------------------------------------------------------- */

static void on_seek(void *ctx, struct node *node)
{
	struct topology *topology = ctx;
	sentinel_seek(topology->sentinel, node);
}

static void on_changed(void *ctx, struct node *node, bool ready, const char *why)
{
	struct topology *topology = ctx;
	if (topology->closing)
		return;
	if (topology->cluster != NULL)
		cluster_node_changed(topology->cluster, node, ready, why);
	else
		topology->events->changed(topology->ctx, ready, why);
}

static void on_turned_away(void *ctx, struct node *node, struct call *call, const struct reply *reply)
{
	struct topology *topology = ctx;
	cluster_turned_away(topology->cluster, node, call, reply);
}

static void on_ended(void *ctx, struct call *call, enum err err, const struct reply *reply)
{
	struct topology *topology = ctx;
	if (err == ERR_TIMEOUT && call->done != NULL)
		topology->counts.in_doubt++;
	topology->events->ended(topology->ctx, call, err, reply);
}

static const struct node_events alone = {.changed = on_changed, .ended = on_ended};
static const struct node_events sought = {.seek = on_seek, .changed = on_changed, .ended = on_ended};
static const struct node_events clustered = {
	.changed = on_changed, .turned_away = on_turned_away, .ended = on_ended};

/* -- nodes -------------------------------------------------------------------------------------------------- */

void topology_handle_opened(struct topology *topology)
{
	topology->handles_open++;
}

static void count_closed(struct topology *topology)
{
	if (--topology->handles_open == 0 && topology->closing)
		topology->events->closed(topology->ctx);
}

void topology_handle_closed(uv_handle_t *handle)
{
	count_closed(handle->data);
}

static void on_node_closed(uv_handle_t *handle)
{
	struct node *node = handle->data;
	struct topology *topology = node->shared->ctx;
	free(node);
	count_closed(topology);
}

static size_t free_index(const struct topology *topology)
{
	size_t index = 0;
	while (index < NODES_MAX && topology->nodes[index] != NULL)
		index++;
	return index;
}

static size_t make_node(struct topology *topology, const struct address *address)
{
	size_t index = free_index(topology);
	struct node *node = index < NODES_MAX ? calloc(1, sizeof(*node)) : NULL;
	if (node == NULL)
		return NODES_MAX;
	node->shared = &topology->shared;
	node->address = *address;
	enum err err = node_start(node);
	topology_handle_opened(topology);
	if (err != ERR_OK) {
		node_close(node, on_node_closed);
		return NODES_MAX;
	}
	topology->nodes[index] = node;
	if (index >= topology->nodes_end)
		topology->nodes_end = index + 1;
	return index;
}

size_t topology_node_at(struct topology *topology, const struct address *address)
{
	for (size_t i = 0; i < topology->nodes_end; i++)
		if (topology->nodes[i] != NULL && address_same(&topology->nodes[i]->address, address))
			return i;
	return make_node(topology, address);
}

void topology_retire(struct topology *topology, size_t index, struct calls *to)
{
	struct node *node = topology->nodes[index];
	topology->nodes[index] = NULL;
	node_retire(node, to);
	node_close(node, on_node_closed);
}

/* -- opening ------------------------------------------------------------------------------------------------ */

static bool copy_text(const char *text, char **copy)
{
	if (text == NULL || text[0] == '\0')
		return true;
	*copy = strdup(text);
	return *copy != NULL;
}

static enum err read_addresses(const char *const *urls, size_t count, struct address *addresses,
			       struct errctx *ec)
{
	if (count > STORE_SERVERS_MAX)
		return err_set(ec, ERR_CONFIG, "at most %d servers can be named", STORE_SERVERS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (address_parse(urls[i], &addresses[i], ec) != ERR_OK)
			return ERR_CONFIG;
		if (addresses[i].path[0] != '\0')
			return err_set(ec, ERR_CONFIG,
				       "sentinels and clusters are not reached by Unix sockets");
		if (addresses[i].with_tls != addresses[0].with_tls || addresses[i].db != addresses[0].db)
			return err_set(ec, ERR_CONFIG, "all servers must have the same scheme and database");
	}
	return ERR_OK;
}

static struct question question_of(const struct topology *topology, const char *user, const char *password)
{
	int64_t timeout_ms = topology->shared.call_timeout_ms;
	return (struct question){.loop = topology->shared.loop,
				 .tls = topology->tls,
				 .user = user,
				 .password = password,
				 .timeout_ms = timeout_ms < ASK_MS ? timeout_ms : ASK_MS};
}

static enum err init_sentinel(struct topology *topology, const struct store_place *place, struct errctx *ec)
{
	struct sentinel *sentinel = calloc(1, sizeof(*sentinel));
	if (sentinel == NULL)
		return err_set(ec, ERR_NOMEM, "there is no memory for the store");
	topology->sentinel = sentinel;
	topology->shared.events = &sought;
	if (place->master == NULL || place->master[0] == '\0' ||
	    strlen(place->master) >= sizeof(sentinel->master))
		return err_set(ec, ERR_CONFIG,
			       "the name of the master that the sentinels know is not usable");
	memcpy(sentinel->master, place->master, strlen(place->master) + 1);
	sentinel->count = place->sentinel_count;
	return read_addresses(place->sentinels, place->sentinel_count, sentinel->sentinels, ec);
}

static enum err init_cluster(struct topology *topology, const struct store_place *place, struct errctx *ec)
{
	struct cluster *cluster = calloc(1, sizeof(*cluster));
	if (cluster == NULL)
		return err_set(ec, ERR_NOMEM, "there is no memory for the store");
	topology->cluster = cluster;
	topology->shared.events = &clustered;
	topology->shared.wish.is_cluster = true;
	cluster->topology = topology;
	cluster->seed_count = place->cluster_count;
	enum err err = read_addresses(place->cluster, place->cluster_count, cluster->seeds, ec);
	if (err == ERR_OK && cluster->seeds[0].db != 0)
		err = err_set(ec, ERR_CONFIG, "a Redis Cluster has the database 0 alone");
	return err;
}

/* The kind, and the address that tells whether there is TLS and which database. */
static enum err init_kind(struct topology *topology, const struct store_place *place, struct address *first,
			  struct errctx *ec)
{
	enum err err;
	if (place->sentinel_count > 0) {
		err = init_sentinel(topology, place, ec);
		*first = topology->sentinel != NULL ? topology->sentinel->sentinels[0] : *first;
	} else if (place->cluster_count > 0) {
		err = init_cluster(topology, place, ec);
		*first = topology->cluster != NULL ? topology->cluster->seeds[0] : *first;
	} else {
		topology->shared.events = &alone;
		err = address_parse(place->url != NULL ? place->url : "", first, ec);
	}
	return err;
}

/* Should there be no data yet. */
static void name_store(struct setup_wish *wish)
{
	char id[ID_SIZE];
	id_make(0, id);
	(void)snprintf(wish->store, sizeof(wish->store), "%s %lld", id, (long long)clock_wall_ms());
}

enum err topology_init(struct topology *topology, uv_loop_t *loop, const struct store_options *options,
		       struct errctx *ec)
{
	const struct store_place *place = &options->place;
	const struct tls_files files = {place->ca_file, place->certificate_file, place->key_file};
	struct address first = {.db = 0};
	topology->shared = (struct node_shared){.loop = loop,
						.ctx = topology,
						.call_timeout_ms = options->call_timeout_ms,
						.queue_max = options->queue_max,
						.barrier = {options->replicas, options->replicas_timeout_ms},
						.counts = &topology->counts};
	if (!copy_text(place->user, &topology->user) || !copy_text(place->password, &topology->password) ||
	    !copy_text(place->sentinel_user, &topology->sentinel_user) ||
	    !copy_text(place->sentinel_password, &topology->sentinel_password))
		return err_set(ec, ERR_NOMEM, "there is no memory for the store");
	enum err err = init_kind(topology, place, &first, ec);
	if (err != ERR_OK)
		return err;
	if (first.with_tls && (topology->tls = tls_new(&files, ec)) == NULL)
		return ERR_CONFIG;
	topology->shared.tls = topology->tls;
	topology->shared.wish.db = first.db;
	topology->shared.wish.user = topology->user;
	topology->shared.wish.password = topology->password;
	topology->shared.wish.library_version = options->library_version;
	topology->shared.wish.schema = options->schema;
	topology->shared.wish.lanes = options->lanes;
	topology->shared.wish.waits = options->replicas > 0;
	topology->shared.wish.allow_volatile = options->allow_volatile;
	topology->first = first;
	name_store(&topology->shared.wish);
	return ERR_OK;
}

enum err topology_start(struct topology *topology, struct errctx *ec)
{
	if (topology->cluster != NULL) {
		struct question question = question_of(topology, topology->user, topology->password);
		question.answered = cluster_answered;
		question.ctx = topology->cluster;
		topology->cluster->question = question;
		cluster_start(topology->cluster);
		return ERR_OK;
	}
	if (topology->sentinel != NULL) {
		struct question question =
			question_of(topology, topology->sentinel_user, topology->sentinel_password);
		question.answered = sentinel_answered;
		question.ctx = topology->sentinel;
		topology->sentinel->question = question;
		topology->sentinel->topology = topology;
		question_init(&topology->sentinel->question);
		topology_handle_opened(topology);
	}
	if (make_node(topology, &topology->first) == NODES_MAX)
		return err_set(ec, ERR_NOMEM, "there is no memory for a connection");
	return ERR_OK;
}

/* -- calls -------------------------------------------------------------------------------------------------- */

unsigned topology_lanes(const struct topology *topology)
{
	return topology->shared.wish.known_lanes;
}

unsigned topology_stores(const struct topology *topology)
{
	return topology->cluster != NULL ? topology_lanes(topology) : 1;
}

const char *topology_store(const struct topology *topology, unsigned lane)
{
	return topology->shared.wish.known_store[lane < topology_stores(topology) ? lane : 0];
}

void topology_doubt(struct topology *topology, const char *why)
{
	for (size_t i = 0; i < topology->nodes_end; i++)
		if (topology->nodes[i] != NULL && node_is_ready(topology->nodes[i]))
			node_lose(topology->nodes[i], why);
}

static struct node *node_for(const struct topology *topology, unsigned slot)
{
	return topology->cluster != NULL ? cluster_node(topology->cluster, slot) : topology->nodes[0];
}

bool topology_accepts(const struct topology *topology, unsigned slot)
{
	const struct node *node = node_for(topology, slot);
	if (topology_waiting(topology) >= topology->shared.queue_max)
		return false;
	return node != NULL ? node_accepts(node)
			    : topology->cluster != NULL && cluster_hopes(topology->cluster);
}

void topology_add(struct topology *topology, struct call *call)
{
	struct node *node = node_for(topology, call->slot);
	if (node != NULL) {
		node_add(node, call);
		return;
	}
	calls_push(&topology->homeless, call);
	cluster_adopt(topology->cluster);
}

void topology_flush(struct topology *topology)
{
	for (size_t i = 0; i < topology->nodes_end; i++)
		if (topology->nodes[i] != NULL)
			node_flush(topology->nodes[i]);
}

static void end_homeless(struct topology *topology, int64_t now)
{
	struct calls *homeless = &topology->homeless;
	while (homeless->head != NULL && homeless->head->deadline_ms <= now) {
		struct call *call = calls_pop(homeless);
		on_ended(topology, call, call->in_doubt ? ERR_TIMEOUT : ERR_UNAVAILABLE, NULL);
	}
}

int64_t topology_expire(struct topology *topology)
{
	end_homeless(topology, (int64_t)uv_now(topology->shared.loop));
	int64_t next = topology->homeless.head != NULL ? topology->homeless.head->deadline_ms : INT64_MAX;
	for (size_t i = 0; i < topology->nodes_end; i++) {
		int64_t due = topology->nodes[i] != NULL ? node_expire(topology->nodes[i]) : INT64_MAX;
		next = due < next ? due : next;
	}
	return next;
}

size_t topology_waiting(const struct topology *topology)
{
	size_t waiting = topology->homeless.count;
	for (size_t i = 0; i < topology->nodes_end; i++)
		waiting += topology->nodes[i] != NULL ? node_waiting(topology->nodes[i]) : 0;
	return waiting;
}

/* -- closing ------------------------------------------------------------------------------------------------ */

static void free_secret(char *secret)
{
	if (secret != NULL)
		OPENSSL_cleanse(secret, strlen(secret));
	free(secret);
}

void topology_release(struct topology *topology)
{
	free_secret(topology->user);
	free_secret(topology->password);
	free_secret(topology->sentinel_user);
	free_secret(topology->sentinel_password);
	free(topology->sentinel);
	free(topology->cluster);
	tls_free(topology->tls);
}

static void on_sentinel_closed(uv_handle_t *handle)
{
	const struct question *question = handle->data;
	const struct sentinel *sentinel = question->ctx;
	count_closed(sentinel->topology);
}

void topology_close(struct topology *topology)
{
	topology->closing = true;
	/* One handle of its own, so that nothing is told to be closed before all are. */
	topology_handle_opened(topology);
	if (topology->sentinel != NULL && topology->sentinel->topology != NULL)
		question_close(&topology->sentinel->question, on_sentinel_closed);
	if (topology->cluster != NULL && topology->cluster->question.loop != NULL)
		cluster_close(topology->cluster);
	for (size_t i = 0; i < topology->nodes_end; i++)
		if (topology->nodes[i] != NULL)
			node_close(topology->nodes[i], on_node_closed);
	end_homeless(topology, INT64_MAX);
	count_closed(topology);
}
