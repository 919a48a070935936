/* Ten thousand applications that have nothing to do: what they cost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/bench/bench.h"
#include "tests/bench/usage.h"
#include "tests/support/wait.h"
#include "tests/support/world.h"

#define APPLICATIONS 10000
#define SETTLE_MS    10000
#define LOOK_MS      30000
#define ID           48

struct many {
	size_t count;
	char (*ids)[2][ID]; /* of the application, and of its group */
	struct broker_application *applications;
	struct broker_group *groups;
};

static bool make_many(struct many *many, const struct world *world)
{
	many->ids = calloc(many->count, sizeof(*many->ids));
	many->applications = calloc(many->count, sizeof(*many->applications));
	many->groups = calloc(many->count, sizeof(*many->groups));
	if (many->ids == NULL || many->applications == NULL || many->groups == NULL)
		return false;
	for (size_t i = 0; i < many->count; i++) {
		snprintf(many->ids[i][0], ID, "app-%zu", i);
		snprintf(many->ids[i][1], ID, "b0000000-0000-4000-8000-%012zu", i);
		many->applications[i] = world->application;
		many->applications[i].id = many->ids[i][0];
		many->groups[i] = *world->config.groups;
		many->groups[i].id = many->ids[i][1];
		many->groups[i].name = many->ids[i][0];
		many->groups[i].application = many->ids[i][0];
	}
	return true;
}

static void free_many(struct many *many)
{
	free(many->ids);
	free(many->applications);
	free(many->groups);
}

/* Looks for a while at both processes; the part of one core that they took. */
static void measure(const struct world *world, const struct broker *broker, const struct many *many)
{
	wait_a_little(SETTLE_MS);
	int64_t before_ms = clock_mono_ms();
	int64_t broker_ms = usage_cpu_ms(broker->proc.pid), redis_ms = usage_cpu_ms(world->redis.pid);
	wait_a_little(LOOK_MS);
	double took_ms = (double)(clock_mono_ms() - before_ms);
	double percent_broker = 100 * (double)(usage_cpu_ms(broker->proc.pid) - broker_ms) / took_ms;
	double percent_redis = 100 * (double)(usage_cpu_ms(world->redis.pid) - redis_ms) / took_ms;

	printf("| %zu idle applications | broker %.2f %%, Redis %.2f %% of a core | 1 %% together | %.1f MiB "
	       "of "
	       "the broker |\n",
	       many->count, percent_broker, percent_redis, (double)usage_rss_kib(broker->proc.pid) / 1024);
}

bool bench_idle(void)
{
	struct world_options options = world_defaults();
	struct many many = {.count = usage_setting("BENCH_IDLE", APPLICATIONS)};
	struct world world = {0};
	struct broker broker = {0};
	bool done;

	options.plain_sandbox = true; /* the figures are the broker's */
	options.without_brokers = true;
	done = world_start(&world, &options) && make_many(&many, &world);
	if (done) {
		struct broker_config config = world.config;

		config.applications = many.applications;
		config.application_count = many.count;
		config.groups = many.groups;
		config.group_count = many.count;
		done = broker_start(&broker, world.dir, "idle", &config);
	}
	if (done)
		measure(&world, &broker, &many);
	done = broker_stop(&broker) && done;
	if (done)
		world_passed(&world);
	world_stop(&world);
	free_many(&many);
	return done;
}
