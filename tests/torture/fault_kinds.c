/* The kinds of faults, and how each is done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/wait.h"
#include "tests/torture/fault.h"

#define CATCH_MS 1500

/* -- applications ----------------------------------------------------------------------------------------------- */

static struct sandbox *sandbox_of(struct ground *ground, const struct fault *fault)
{
	return &ground->apps[fault->target].sandbox;
}

static bool begin_rule(struct ground *ground, struct fault *fault)
{
	char rule[256];

	snprintf(rule, sizeof(rule), "%.*s %u %s", (int)strcspn(fault->kind->rule, "#"), fault->kind->rule,
		 fault->chance, strchr(fault->kind->rule, '#') + 1);
	return sandbox_add_fault(sandbox_of(ground, fault), rule);
}

static bool heal_rule(struct ground *ground, struct fault *fault)
{
	return sandbox_clear_faults(sandbox_of(ground, fault)) &&
	       sandbox_release_hung(sandbox_of(ground, fault));
}

static bool stop_app(struct ground *ground, struct fault *fault)
{
	proc_stop(&sandbox_of(ground, fault)->proc);
	return true;
}

static bool cont_app(struct ground *ground, struct fault *fault)
{
	proc_cont(&sandbox_of(ground, fault)->proc);
	return true;
}

static bool has_filter(const struct ground *ground)
{
	return ground->island.has_filter;
}

static int port_of_app(struct ground *ground, const struct fault *fault)
{
	return (int)strtol(strrchr(sandbox_of(ground, fault)->root, ':') + 1, NULL, 10);
}

static bool cut_app(struct ground *ground, struct fault *fault)
{
	return island_cut(ground->tools_log, fault->kind->cut, port_of_app(ground, fault), true);
}

static bool join_app(struct ground *ground, struct fault *fault)
{
	return island_cut(ground->tools_log, fault->kind->cut, port_of_app(ground, fault), false);
}

/* -- clocks ------------------------------------------------------------------------------------------------------ */

static bool has_clocks(const struct ground *ground)
{
	return ground->island.clock != NULL;
}

static bool jump(struct ground *ground, struct fault *fault)
{
	static const int64_t seconds[] = {-86400, -3600, -60, -5, 5, 60, 3600, 86400, 400 * 86400};

	return ground_set_clock(ground, fault->target,
				seconds[fault->chance % (sizeof(seconds) / sizeof(seconds[0]))]);
}

static bool jump_back(struct ground *ground, struct fault *fault)
{
	return ground_set_clock(ground, fault->target, 0);
}

/* -- brokers ---------------------------------------------------------------------------------------------------- */

static bool kill_broker(struct ground *ground, struct fault *fault)
{
	ground_broker_kill(ground, fault->target);
	return true;
}

static bool end_broker(struct ground *ground, struct fault *fault)
{
	(void)ground_broker_end(ground, fault->target);
	return true;
}

static bool start_broker(struct ground *ground, struct fault *fault)
{
	return ground_broker_start(ground, fault->target);
}

static bool stop_broker(struct ground *ground, struct fault *fault)
{
	proc_stop(&ground->brokers[fault->target].proc);
	return true;
}

static bool cont_broker(struct ground *ground, struct fault *fault)
{
	proc_cont(&ground->brokers[fault->target].proc);
	return true;
}

static bool kill_all(struct ground *ground, struct fault *fault)
{
	(void)fault;
	for (size_t i = 0; i < ground->options.brokers; i++)
		ground_broker_kill(ground, i);
	return true;
}

static bool start_all(struct ground *ground, struct fault *fault)
{
	bool good = true;

	(void)fault;
	for (size_t i = 0; i < ground->options.brokers; i++)
		good = ground_broker_start(ground, i) && good;
	return good;
}

static bool holds_one(void *ctx)
{
	return sandbox_hung(ctx) > 0;
}

/* Waits until a push stands still at the application, so that whatever strikes the brokers strikes it. */
static bool catch_push(struct ground *ground, const struct fault *fault)
{
	struct sandbox *sandbox = sandbox_of(ground, fault);

	return sandbox_add_fault(sandbox,
				 fault->chance % 2 == 0 ? "* * once -> hang" : "* * once -> hang after") &&
	       wait_until(holds_one, sandbox, CATCH_MS);
}

static bool kill_all_in_push(struct ground *ground, struct fault *fault)
{
	bool caught = catch_push(ground, fault);

	if (caught)
		(void)kill_all(ground, fault);
	(void)heal_rule(ground, fault);
	return caught;
}

static bool stop_all_in_push(struct ground *ground, struct fault *fault)
{
	bool caught = catch_push(ground, fault);

	for (size_t i = 0; caught && i < ground->options.brokers; i++)
		proc_stop(&ground->brokers[i].proc);
	(void)heal_rule(ground, fault);
	return caught;
}

static bool cont_all(struct ground *ground, struct fault *fault)
{
	(void)fault;
	for (size_t i = 0; i < ground->options.brokers; i++)
		proc_cont(&ground->brokers[i].proc);
	return true;
}

/* -- between a broker and the store ------------------------------------------------------------------------------ */

static bool has_gates(const struct ground *ground)
{
	return !ground->options.cluster;
}

static bool cut_gate(struct ground *ground, struct fault *fault)
{
	redis_gate_cut(&ground->gates[fault->target]);
	return true;
}

/* What every call holds. */
static bool hold_requests(struct ground *ground, struct fault *fault)
{
	redis_gate_hold(&ground->gates[fault->target], GATE_REQUESTS, "jit_");
	return true;
}

static bool hold_replies(struct ground *ground, struct fault *fault)
{
	redis_gate_hold(&ground->gates[fault->target], GATE_REPLIES, "jit_");
	return true;
}

static bool release_gate(struct ground *ground, struct fault *fault)
{
	redis_gate_release(&ground->gates[fault->target]);
	return true;
}

/* -- the store --------------------------------------------------------------------------------------------------- */

static struct redis_server *server_of(struct ground *ground, const struct fault *fault)
{
	return ground->options.cluster ? &ground->cluster.nodes[fault->target] : &ground->redis;
}

static bool kill_redis(struct ground *ground, struct fault *fault)
{
	redis_server_kill9(server_of(ground, fault));
	return true;
}

static bool start_redis(struct ground *ground, struct fault *fault)
{
	return redis_server_restart(server_of(ground, fault));
}

static bool freeze_redis(struct ground *ground, struct fault *fault)
{
	redis_server_freeze(server_of(ground, fault));
	return true;
}

static bool thaw_redis(struct ground *ground, struct fault *fault)
{
	redis_server_thaw(server_of(ground, fault));
	return true;
}

/* Writes are refused with OOM. */
static bool fill_memory(struct ground *ground, struct fault *fault)
{
	return redis_server_do(server_of(ground, fault), "CONFIG SET maxmemory 1");
}

static bool free_memory(struct ground *ground, struct fault *fault)
{
	return redis_server_do(server_of(ground, fault), "CONFIG SET maxmemory 0");
}

static bool has_cluster(const struct ground *ground)
{
	return ground->options.cluster;
}

/* Of the node's own will: it takes over from its master, where it has one. */
static bool fail_over(struct ground *ground, struct fault *fault)
{
	return redis_server_do(server_of(ground, fault), "CLUSTER FAILOVER");
}

static bool leave_it(struct ground *ground, struct fault *fault)
{
	(void)ground;
	(void)fault;
	return true;
}

static bool has_cluster_and_filter(const struct ground *ground)
{
	return has_cluster(ground) && has_filter(ground);
}

/* From brokers and nodes alike. */
static bool set_node(struct ground *ground, const struct fault *fault, bool begin)
{
	return island_cut(ground->tools_log, CUT_ALL, ground->cluster.ports[fault->target], begin) &&
	       island_cut(ground->tools_log, CUT_ALL, ground->cluster.bus_ports[fault->target], begin);
}

static bool cut_node(struct ground *ground, struct fault *fault)
{
	return set_node(ground, fault, true);
}

static bool join_node(struct ground *ground, struct fault *fault)
{
	return set_node(ground, fault, false);
}

/* The nodes lose sight of it, the brokers do not: it goes on as a master while another is made one. */
static bool cut_bus(struct ground *ground, struct fault *fault)
{
	return island_cut(ground->tools_log, CUT_ALL, ground->cluster.bus_ports[fault->target], true);
}

static bool join_bus(struct ground *ground, struct fault *fault)
{
	return island_cut(ground->tools_log, CUT_ALL, ground->cluster.bus_ports[fault->target], false);
}

/* Calls arrive, answers do not. */
static bool mute_node(struct ground *ground, struct fault *fault)
{
	return island_cut(ground->tools_log, CUT_ANSWERS, ground->cluster.ports[fault->target], true);
}

static bool unmute_node(struct ground *ground, struct fault *fault)
{
	return island_cut(ground->tools_log, CUT_ANSWERS, ground->cluster.ports[fault->target], false);
}

static bool has_disk(const struct ground *ground)
{
	return ground->island.has_disk;
}

/* A Redis that cannot write what it is about to acknowledge ends itself. */
static bool fill_disk(struct ground *ground, struct fault *fault)
{
	(void)ground;
	(void)fault;
	island_fill_disk();
	return true;
}

static bool free_disk(struct ground *ground, struct fault *fault)
{
	bool good = island_free_disk();

	(void)fault;
	if (!ground->options.cluster)
		return redis_server_restart(&ground->redis) && good;
	for (size_t i = 0; i < ground->cluster.count; i++)
		good = redis_server_restart(&ground->cluster.nodes[i]) && good;
	return good;
}

/* -- the table --------------------------------------------------------------------------------------------------- */

#define RULE(name, weight, rule)                                                                             \
	{                                                                                                    \
		name, "app", SCOPE_APP, weight, 500, 2500, begin_rule, heal_rule, rule, NULL                 \
	}

const struct fault_kind fault_kinds[] = {
	{"broker: kill -9", "claim", SCOPE_BROKER, 14, 0, 1500, kill_broker, start_broker, NULL, NULL,
	 CUT_ALL},
	{"broker: SIGTERM and start", "claim", SCOPE_BROKER, 4, 0, 500, end_broker, start_broker, NULL, NULL,
	 CUT_ALL},
	{"broker: SIGSTOP, SIGCONT", "claim", SCOPE_BROKER, 12, 200, 7000, stop_broker, cont_broker, NULL,
	 NULL, CUT_ALL},
	{"broker: its connections to Redis cut", "claim", SCOPE_BROKER, 8, 0, 0, cut_gate, release_gate, NULL,
	 has_gates, CUT_ALL},
	{"broker: its calls to Redis held up", "claim", SCOPE_BROKER, 5, 200, 4000, hold_requests,
	 release_gate, NULL, has_gates, CUT_ALL},
	{"broker: Redis' answers held up", "grip", SCOPE_BROKER, 5, 200, 4000, hold_replies, release_gate,
	 NULL, has_gates, CUT_ALL},
	RULE("application: 500", 5, "* * chance 60#-> status 500"),
	RULE("application: 500, and done", 5, "* * chance 60#-> status 500 after"),
	RULE("application: 429, Retry-After", 4, "* * chance 40#-> status 429 retry-after 1"),
	RULE("application: 503, Retry-After", 4, "* * chance 40#-> status 503 retry-after 2"),
	RULE("application: connection closed", 5, "* * chance 60#-> close"),
	RULE("application: answer lost", 6, "* * chance 70#-> close after"),
	RULE("application: hangs", 5, "* * chance 60#-> hang"),
	RULE("application: hangs, and done", 5, "* * chance 60#-> hang after"),
	RULE("application: slow", 5, "* * chance 70#-> delay 700"),
	RULE("application: says yes and does nothing", 4, "PATCH * chance 60#-> noop"),
	RULE("application: answers with a page", 3, "* * chance 50#-> html 502"),
	{"application: SIGSTOP, SIGCONT", "app", SCOPE_APP, 8, 200, 2000, stop_app, cont_app, NULL, NULL,
	 CUT_ALL},
	{"Redis: kill -9", "redis", SCOPE_REDIS, 14, 0, 1200, kill_redis, start_redis, NULL, NULL, CUT_ALL},
	{"Redis: stands still (a slow fsync)", "redis", SCOPE_REDIS, 10, 100, 900, freeze_redis, thaw_redis,
	 NULL, NULL, CUT_ALL},
	{"Redis: SIGSTOP, SIGCONT", "redis", SCOPE_REDIS, 8, 1000, 4000, freeze_redis, thaw_redis, NULL, NULL,
	 CUT_ALL},
	{"Redis: out of memory", "memory", SCOPE_REDIS, 8, 200, 1500, fill_memory, free_memory, NULL, NULL,
	 CUT_ALL},
	{"all brokers: kill -9", "redis", SCOPE_ALL, 8, 0, 1500, kill_all, start_all, NULL, NULL, CUT_ALL},
	{"all brokers: kill -9 in a push", "redis", SCOPE_ALL, 10, 0, 1500, kill_all_in_push, start_all, NULL,
	 NULL, CUT_ALL},
	{"all brokers: SIGSTOP in a push, SIGCONT", "redis", SCOPE_ALL, 6, 500, 7000, stop_all_in_push,
	 cont_all, NULL, NULL, CUT_ALL},
	{"application: packets dropped", "app", SCOPE_APP, 5, 200, 1200, cut_app, join_app, NULL, has_filter,
	 CUT_ALL},
	{"application: its packets dropped", "app", SCOPE_APP, 4, 200, 1200, cut_app, join_app, NULL,
	 has_filter, CUT_ANSWERS},
	{"application: connections refused", "app", SCOPE_APP, 4, 200, 2500, cut_app, join_app, NULL,
	 has_filter, CUT_REFUSED},
	{"broker: its clock jumps", "none", SCOPE_CLOCK, 8, 500, 5000, jump, jump_back, NULL, has_clocks,
	 CUT_ALL},
	{"Redis: disk full", "redis", SCOPE_ALL, 5, 300, 1500, fill_disk, free_disk, NULL, has_disk, CUT_ALL},
	{"cluster: failover asked for", "redis", SCOPE_REDIS, 10, 0, 300, fail_over, leave_it, NULL,
	 has_cluster, CUT_ALL},
	{"cluster: a node cut off", "redis", SCOPE_REDIS, 10, 300, 3500, cut_node, join_node, NULL,
	 has_cluster_and_filter, CUT_ALL},
	{"cluster: a node cut off from the nodes", "redis", SCOPE_REDIS, 10, 300, 3500, cut_bus, join_bus,
	 NULL, has_cluster_and_filter, CUT_ALL},
	{"cluster: a node's packets dropped", "redis", SCOPE_REDIS, 6, 300, 2500, mute_node, unmute_node,
	 NULL, has_cluster_and_filter, CUT_ALL},
	{NULL, NULL, SCOPE_APP, 0, 0, 0, NULL, NULL, NULL, NULL},
};
