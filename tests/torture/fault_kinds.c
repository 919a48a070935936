/* The kinds of faults, and how each is done. */
#include <stdio.h>
#include <string.h>

#include "tests/torture/fault.h"

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

/* -- the table --------------------------------------------------------------------------------------------------- */

#define RULE(name, weight, rule)                                                                             \
	{                                                                                                    \
		name, "app", SCOPE_APP, weight, 500, 2500, begin_rule, heal_rule, rule, NULL                 \
	}

const struct fault_kind fault_kinds[] = {
	{"broker: kill -9", "claim", SCOPE_BROKER, 14, 0, 1500, kill_broker, start_broker, NULL, NULL},
	{"broker: SIGTERM and start", "claim", SCOPE_BROKER, 4, 0, 500, end_broker, start_broker, NULL, NULL},
	{"broker: SIGSTOP, SIGCONT", "claim", SCOPE_BROKER, 12, 200, 7000, stop_broker, cont_broker, NULL,
	 NULL},
	{"broker: its connections to Redis cut", "claim", SCOPE_BROKER, 8, 0, 0, cut_gate, release_gate, NULL,
	 has_gates},
	{"broker: its calls to Redis held up", "claim", SCOPE_BROKER, 5, 200, 4000, hold_requests,
	 release_gate, NULL, has_gates},
	{"broker: Redis' answers held up", "grip", SCOPE_BROKER, 5, 200, 4000, hold_replies, release_gate,
	 NULL, has_gates},
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
	{"application: SIGSTOP, SIGCONT", "app", SCOPE_APP, 8, 200, 2000, stop_app, cont_app, NULL, NULL},
	{"Redis: kill -9", "redis", SCOPE_REDIS, 14, 0, 1200, kill_redis, start_redis, NULL, NULL},
	{"Redis: stands still (a slow fsync)", "redis", SCOPE_REDIS, 10, 100, 900, freeze_redis, thaw_redis,
	 NULL, NULL},
	{"Redis: SIGSTOP, SIGCONT", "redis", SCOPE_REDIS, 8, 1000, 4000, freeze_redis, thaw_redis, NULL,
	 NULL},
	{"Redis: out of memory", "redis", SCOPE_REDIS, 8, 200, 1500, fill_memory, free_memory, NULL, NULL},
	{"all brokers: kill -9", "redis", SCOPE_ALL, 3, 0, 1500, kill_all, start_all, NULL, NULL},
	{NULL, NULL, SCOPE_APP, 0, 0, 0, NULL, NULL, NULL, NULL},
};
