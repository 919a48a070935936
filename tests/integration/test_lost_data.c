/*
 * Redis is emptied while brokers run: none of them goes on as if it were new, because whoever has access would pass for
 * somebody who always had it. A broker that begins anew tells what the escrow knows. On a cluster one node is emptied, which
 * has the application's lane and not that of the whole store's marks. And what Redis cannot say of one is not taken for well.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "store/slots.h"
#include "store/store.h"
#include "tests/support/drained.h"
#include "tests/support/redis_cluster.h"
#include "tests/support/scene.h"
#include "tests/support/vault.h"

#define UNKNOWN "The escrow holds 1 removals that Redis does not know"

struct test {
	struct world world;
	struct vault vault;
	struct redis_cluster cluster;
	char more[128]; /* of the section redis */
};

static bool is_member(const struct test *t)
{
	return sandbox_is_member(&t->world.sandbox, world_group_name(&t->world, 0),
				 world_user_name(&t->world, 0));
}

static struct world_options begin(struct test *t)
{
	struct world_options options = scene_defaults();

	vault_make(&t->vault, NULL);
	options.more = t->vault.config;
	options.application.per_ms = SECOND;
	options.application.push_timeout_ms = SECOND;
	return options;
}

static void give(const struct test *t, char id[ID_SIZE])
{
	const struct world_ask ask = {.duration = "PT1H"};

	scene_activate(&t->world, &ask, id);
	scene_wait(&t->world, &ask, id, "provisioned");
}

/* The data is gone: the broker that knew it says so and gives nothing, until it is started again. */
static void expect_lost(struct test *t)
{
	const struct world_ask ask = {.duration = "PT1H"};
	struct broker *broker = &t->world.brokers[0];
	struct http_response response;

	scene_says(&t->world, "/readyz", 503, STORE_LOST);
	assert_true(proc_log_holds(&broker->proc, "event=store_lost"));
	world_activate(&t->world, &ask, &response);
	assert_int_equal(response.status, 503);
	http_response_release(&response);
	assert_true(broker_stop(broker));
	assert_true(broker_restart(broker));
	scene_says(&t->world, "/readyz", 200, UNKNOWN);
	assert_true(proc_log_holds(&broker->proc, "event=escrow_unknown"));
}

/* Nothing is due in what is there now, and yet not all is done: `unknown` removals are the escrow's alone. */
static void sweep(const struct test *t, int64_t unknown)
{
	const char *const words[] = {"sweep", "--config", t->world.brokers[0].config_path};
	struct drained job;

	drained_jit(&t->world, &job, words, 3);
	assert_int_equal(job.status, 1);
	assert_int_equal(drained_number(&job, "removalsUnknown"), unknown);
	assert_int_equal(proc_log_holds(&job.proc, "event=escrow_unknown"), unknown > 0);
	assert_true(cJSON_IsFalse(cJSON_GetObjectItem(job.report, "complete")));
	assert_true(unknown > 0 || proc_log_holds(&job.proc, "event=escrow_uncompared"));
	drained_release(&job);
}

static void sweep_by_call(const struct test *t)
{
	struct http_response response;

	broker_call(&t->world.brokers[0],
		    &(struct http_request){
			    .method = "POST", .url = "/api/sweep", .bearer = world_token(&t->world, 0)},
		    &response);
	assert_int_equal(response.status, 200);
	assert_true(cJSON_IsFalse(cJSON_GetObjectItem(response.json, "complete")));
	http_response_release(&response);
}

static void drain(struct test *t)
{
	struct drained job;

	assert_true(is_member(t));
	drained_run(&t->world, &job, "--all", "--beside-redis", NULL);
	assert_int_equal(job.status, 0);
	assert_int_equal(drained_number(&job, "removed"), 1);
	drained_release(&job);
	assert_false(is_member(t));
}

static void end(struct test *t)
{
	char id[ID_SIZE];

	/* What is given now is known. */
	give(t, id);
	assert_true(broker_stop(&t->world.brokers[0]));
	assert_true(broker_restart(&t->world.brokers[0]));
	assert_true(broker_stop(&t->world.brokers[0]));
	assert_false(proc_log_holds(&t->world.brokers[0].proc, "event=escrow_unknown"));
	world_passed(&t->world);
	assert_true(world_stop(&t->world));
	vault_remove(&t->vault);
}

static void an_emptied_redis_is_not_taken_for_a_new_one(void **state)
{
	static struct test t;
	struct world_options options = begin(&t);
	char id[ID_SIZE];

	(void)state;
	assert_true(world_start(&t.world, &options));
	give(&t, id);
	assert_true(redis_server_do(&t.world.redis, "FLUSHALL"));
	expect_lost(&t);
	sweep(&t, 1);
	sweep_by_call(&t);
	drain(&t);
	end(&t);
}

/* A list in the place of what Redis knows of that person, or nothing at all. */
static void lose_record(const struct test *t, size_t person, bool all)
{
	static const char script[] =
		"local n = 0 "
		"for _, key in ipairs(redis.call('KEYS', '{j*}:*')) do "
		"local mine = key:find(':m:', 1, true) and key:sub(-#ARGV[1]) == ARGV[1] "
		"if mine or ARGV[2] == '1' and key:find(':r:', 1, true) then "
		"n = n + redis.call('DEL', key) "
		"if ARGV[2] == '0' then redis.call('LPUSH', key, 'x') end end end "
		"return n > 0 and 'OK' or redis.error_reply('none')";

	assert_true(redis_server_do(&t->world.redis, "EVAL %s 0 %s %d", script,
				    world_person_id(&t->world, person), all ? 1 : 0));
}

/* What Redis cannot say of one is not taken for well; nor does it hide whom Redis does not know. */
static void what_cannot_be_asked_hides_nothing(void **state)
{
	static struct test t;
	struct world_options options = begin(&t);
	const struct world_ask second = {.person = 1, .duration = "PT1H"};
	struct broker *broker = &t.world.brokers[0];
	char id[ID_SIZE];

	(void)state;
	assert_true(world_start(&t.world, &options));
	give(&t, id);
	scene_activate(&t.world, &second, id);
	scene_wait(&t.world, &second, id, "provisioned");
	lose_record(&t, 1, false);
	sweep(&t, 0);
	assert_true(broker_stop(broker));
	assert_true(broker_restart(broker));
	sweep_by_call(&t);
	lose_record(&t, 0, true);
	sweep(&t, 1);
	assert_true(broker_stop(broker));
	assert_true(broker_restart(broker));
	scene_says(&t.world, "/readyz", 200, UNKNOWN);
	world_passed(&t.world);
	assert_true(world_stop(&t.world));
	vault_remove(&t.vault);
}

static void start_on_cluster(struct test *t)
{
	struct world_options options = begin(t);

	options.without_brokers = true;
	assert_true(redis_cluster_start(&t->cluster, 3, 0, NULL, NULL));
	assert_true(world_start(&t->world, &options));
	snprintf(t->more, sizeof(t->more), "  cluster: [\"%s\"]\n", t->cluster.urls[0]);
	t->world.config.redis_url = NULL;
	t->world.config.redis_more = t->more;
	t->world.config.lanes = 3;
	t->world.broker_count = 1;
	assert_true(broker_start(&t->world.brokers[0], t->world.dir, "one", &t->world.config));
}

static void lose_file(struct redis_server *node)
{
	char file[64], gone[64];

	redis_server_kill9(node);
	snprintf(file, sizeof(file), "%s/appendonlydir", node->dir);
	snprintf(gone, sizeof(gone), "%s/gone", node->dir);
	assert_int_equal(rename(file, gone), 0);
	assert_true(redis_server_restart(node));
}

static void an_emptied_node_is_not_taken_for_a_new_one(void **state)
{
	static struct test t;
	char id[ID_SIZE];

	(void)state;
	start_on_cluster(&t);
	give(&t, id);
	int node = redis_cluster_master(&t.cluster, slot_of_lane((unsigned)id_lane(id)));
	assert_int_not_equal(node, redis_cluster_master(&t.cluster, slot_of_lane(0)));
	assert_true(redis_server_do(&t.cluster.nodes[node], "FLUSHALL"));
	expect_lost(&t);
	lose_file(&t.cluster.nodes[node]);
	expect_lost(&t);
	drain(&t);
	end(&t);
	redis_cluster_stop(&t.cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_emptied_redis_is_not_taken_for_a_new_one),
		cmocka_unit_test(an_emptied_node_is_not_taken_for_a_new_one),
		cmocka_unit_test(what_cannot_be_asked_hides_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
