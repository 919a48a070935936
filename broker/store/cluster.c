/*
 * The map of slots is a hint: a call goes where it says, and a node that does not have the slot says who has. So a
 * map that is out of date costs a detour, never a wrong answer.
 */
#include "store/cluster.h"

#include <string.h>

#define LOOK_AGAIN_MS 150 /* between two questions, while something is wrong; up to twice that */
#define HAND_OUT_MS   20  /* between two tries of a call whose lane is being moved */
#define HOPE_MS       1000
#define MOVES_MAX     5 /* a call that is sent round more often waits for the next map */

static int64_t now_ms(const struct cluster *cluster)
{
	return (int64_t)uv_now(cluster->topology->shared.loop);
}

/* -- asking for the slots ----------------------------------------------------------------------------------- */

static void ask(struct cluster *cluster)
{
	static const char *const argv[] = {"CLUSTER", "SLOTS", NULL};
	size_t turn = cluster->turn++ % (cluster->seed_count + cluster->slots.count);
	const struct address *address = turn < cluster->seed_count
						? &cluster->seeds[turn]
						: &cluster->slots.masters[turn - cluster->seed_count];
	if (!question_is_open(&cluster->question))
		question_ask(&cluster->question, address, argv);
}

static void on_look_again(uv_timer_t *timer)
{
	struct topology *topology = timer->data;
	ask(topology->cluster);
}

/* Jitter: many brokers that lost the same node do not ask in step. */
static void look_again(struct cluster *cluster)
{
	uint32_t random = 0;
	(void)uv_random(NULL, NULL, &random, sizeof(random), 0, NULL);
	if (!uv_is_active((uv_handle_t *)&cluster->look_again) && !cluster->topology->closing)
		(void)uv_timer_start(&cluster->look_again, on_look_again,
				     LOOK_AGAIN_MS + random % LOOK_AGAIN_MS, 0);
}

/* -- calls without a node ----------------------------------------------------------------------------------- */

static void hand_out(struct cluster *cluster)
{
	struct calls calls = cluster->topology->homeless;
	struct call *call;
	cluster->topology->homeless = (struct calls){.head = NULL};
	while ((call = calls_pop(&calls)) != NULL)
		topology_add(cluster->topology, call);
	topology_flush(cluster->topology);
}

static void on_hand_out(uv_timer_t *timer)
{
	struct topology *topology = timer->data;
	hand_out(topology->cluster);
}

void cluster_adopt(struct cluster *cluster)
{
	if (!uv_is_active((uv_handle_t *)&cluster->hand_out) && !cluster->topology->closing)
		(void)uv_timer_start(&cluster->hand_out, on_hand_out, HAND_OUT_MS, 0);
}

static void make_homeless(struct cluster *cluster, struct call *call)
{
	struct calls one = {.head = NULL};
	calls_push(&one, call);
	calls_merge(&cluster->topology->homeless, &one);
	cluster_adopt(cluster);
}

struct node *cluster_node(const struct cluster *cluster, unsigned slot)
{
	uint8_t index = cluster->node_of[slot];
	return index != MASTER_NONE ? cluster->topology->nodes[index] : NULL;
}

bool cluster_hopes(const struct cluster *cluster)
{
	return now_ms(cluster) - cluster->lost_ms < HOPE_MS;
}

/* -- readiness ---------------------------------------------------------------------------------------------- */

static bool serves_all_lanes(const struct cluster *cluster)
{
	unsigned lanes = topology_lanes(cluster->topology);
	for (unsigned lane = 0; lane < lanes; lane++) {
		const struct node *node = cluster_node(cluster, slot_of_lane(lane));
		if (node == NULL || !node_is_ready(node) || !node->setup.has_lanes)
			return false;
	}
	return lanes > 0;
}

/* Those that were ready before somebody knew how many lanes there are: theirs may have other data than we know. */
static void review(const struct topology *topology)
{
	for (size_t i = 0; topology_lanes(topology) > 0 && i < topology->nodes_end; i++) {
		struct node *node = topology->nodes[i];
		if (node != NULL && node->state == NODE_READY && !node->setup.has_lanes)
			node_review(node);
	}
}

static void tell(struct cluster *cluster)
{
	review(cluster->topology);
	bool ready = serves_all_lanes(cluster);
	if (!ready && cluster->ready)
		cluster->lost_ms = now_ms(cluster);
	cluster->ready = ready;
	if (ready)
		(void)err_set(&cluster->why, ERR_UNAVAILABLE,
			      "the cluster names no master for some of the lanes");
	else
		look_again(cluster);
	cluster->topology->events->changed(cluster->topology->ctx, ready, ready ? NULL : cluster->why.text);
}

void cluster_node_changed(struct cluster *cluster, const struct node *node, bool ready, const char *why)
{
	char name[ADDRESS_TEXT_SIZE];
	if (!ready) {
		(void)err_set(&cluster->why, ERR_UNAVAILABLE, "%.60s: %s",
			      address_print(&node->address, name), why);
		look_again(cluster);
	}
	tell(cluster);
}

/* -- a new map ---------------------------------------------------------------------------------------------- */

static bool is_named(const struct slots *slots, const struct node *node)
{
	for (size_t i = 0; i < slots->count; i++)
		if (address_same(&slots->masters[i], &node->address))
			return true;
	return false;
}

/* Nodes without slots are left; the calls of those, and of nodes that are away, go where the slots are now. */
static void gather(struct cluster *cluster, struct calls *calls)
{
	struct topology *topology = cluster->topology;
	for (size_t i = 0; i < topology->nodes_end; i++) {
		if (topology->nodes[i] == NULL)
			continue;
		if (is_named(&cluster->slots, topology->nodes[i]))
			node_give_up(topology->nodes[i], calls);
		else
			topology_retire(topology, i, calls);
	}
}

static void take_up(struct cluster *cluster)
{
	uint8_t index_of[MASTERS_MAX + 1];
	struct calls calls = {.head = NULL};
	struct call *call;
	memset(index_of, MASTER_NONE, sizeof(index_of));
	gather(cluster, &calls);
	for (size_t i = 0; i < cluster->slots.count; i++) {
		size_t index = topology_node_at(cluster->topology, &cluster->slots.masters[i]);
		index_of[i] = index < NODES_MAX ? (uint8_t)index : MASTER_NONE;
	}
	for (size_t slot = 0; slot < SLOTS; slot++) {
		uint8_t master = cluster->slots.master_of[slot];
		cluster->node_of[slot] = master == MASTER_NONE ? MASTER_NONE : index_of[master];
	}
	calls_merge(&cluster->topology->homeless, &calls);
	calls = cluster->topology->homeless;
	cluster->topology->homeless = (struct calls){.head = NULL};
	while ((call = calls_pop(&calls)) != NULL) {
		call->moves = 0;
		topology_add(cluster->topology, call);
	}
	topology_flush(cluster->topology);
}

void cluster_answered(void *ctx, const struct address *asked, const struct reply *reply, const char *why)
{
	struct cluster *cluster = ctx;
	char name[ADDRESS_TEXT_SIZE];
	if (reply != NULL && slots_read(&cluster->slots, reply, asked)) {
		take_up(cluster);
	} else if (cluster->slots.count == 0 || !cluster->ready) {
		if (reply != NULL && why == NULL)
			why = "it names no master";
		(void)err_set(&cluster->why, ERR_UNAVAILABLE, "%.60s, asked for the slots of the cluster: %s",
			      address_print(asked, name), why);
	}
	tell(cluster);
}

/* -- what the nodes answer ---------------------------------------------------------------------------------- */

void cluster_turned_away(struct cluster *cluster, const struct node *node, struct call *call,
			 const struct reply *reply)
{
	struct address to;
	unsigned slot;
	cluster->topology->counts.redirected++;
	bool moved = slots_read_moved(reply->text, &node->address, &slot, &to);
	size_t index =
		moved && call->moves++ < MOVES_MAX ? topology_node_at(cluster->topology, &to) : NODES_MAX;
	if (moved)
		look_again(cluster);
	if (index == NODES_MAX) {
		make_homeless(cluster, call);
		return;
	}
	cluster->node_of[slot] = (uint8_t)index;
	node_add(cluster->topology->nodes[index], call);
	node_flush(cluster->topology->nodes[index]);
}

/* -- its life ----------------------------------------------------------------------------------------------- */

void cluster_start(struct cluster *cluster)
{
	struct topology *topology = cluster->topology;
	memset(cluster->node_of, MASTER_NONE, sizeof(cluster->node_of));
	cluster->lost_ms = now_ms(cluster);
	(void)err_set(&cluster->why, ERR_UNAVAILABLE, "the store is still connecting");
	/* libuv's initialisers of timers cannot fail. */
	(void)uv_timer_init(topology->shared.loop, &cluster->look_again);
	(void)uv_timer_init(topology->shared.loop, &cluster->hand_out);
	question_init(&cluster->question);
	cluster->look_again.data = topology;
	cluster->hand_out.data = topology;
	for (int handles = 0; handles < 3; handles++)
		topology_handle_opened(topology);
	ask(cluster);
}

static void on_question_closed(uv_handle_t *handle)
{
	const struct question *question = handle->data;
	const struct cluster *cluster = question->ctx;
	handle->data = cluster->topology;
	topology_handle_closed(handle);
}

void cluster_close(struct cluster *cluster)
{
	uv_close((uv_handle_t *)&cluster->look_again, topology_handle_closed);
	uv_close((uv_handle_t *)&cluster->hand_out, topology_handle_closed);
	question_close(&cluster->question, on_question_closed);
}
