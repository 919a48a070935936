/* The store on a real Redis Cluster: three masters, three replicas, on each engine that is installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "store/slots.h"
#include "tests/support/redis_cluster.h"
#include "tests/support/store_fixture.h"

#define LANES 16

static int start_cluster(void **state)
{
	struct redis_cluster *cluster = calloc(1, sizeof(*cluster));
	*state = cluster;
	return cluster != NULL && redis_cluster_start(cluster, 3, 3, NULL, NULL) ? 0 : -1;
}

static int stop_cluster(void **state)
{
	redis_cluster_stop(*state);
	free(*state);
	return 0;
}

static void open_cluster(struct store_fixture *f, const struct redis_cluster *cluster, unsigned replicas)
{
	struct store_options options = fixture_options(f, NULL);
	options.place = (struct store_place){.cluster = cluster->urls, .cluster_count = cluster->count};
	options.call_timeout_ms = 5000;
	options.replicas = replicas;
	options.replicas_timeout_ms = 1000;
	fixture_open(f, &options);
	fixture_wait(f, &f->times_ready, 1);
}

static struct outcome ask_in(struct store_fixture *f, unsigned lane, const char *function, const char *arg)
{
	struct outcome outcome = {.times = 0};
	fixture_send_in(f, lane, function, arg, &outcome);
	fixture_wait(f, &outcome.times, 1);
	return outcome;
}

/* Every lane is answered, by whoever has it; the whole store has one number of lanes. */
static void test_all_lanes(void **state)
{
	struct redis_cluster *cluster = *state;
	struct store_fixture f;
	char key[32];
	open_cluster(&f, cluster, 0);
	assert_int_equal(store_lanes(f.store), LANES);
	for (unsigned lane = 0; lane < LANES; lane++) {
		(void)snprintf(key, sizeof(key), "{j%u}:", lane);
		assert_string_equal(ask_in(&f, lane, "t_key", NULL).text, key);
		assert_int_equal(ask_in(&f, lane, "t_incr", NULL).err, ERR_OK);
	}
	assert_int_equal(store_counts(f.store)->redirected, 0);
	fixture_close(&f);
	/* Another broker that wants another number of lanes gets the one that is kept. */
	struct store_options options = fixture_options(&f, NULL);
	options.place = (struct store_place){.cluster = cluster->urls, .cluster_count = 1};
	options.lanes = 7;
	fixture_open(&f, &options);
	fixture_wait(&f, &f.times_ready, 1);
	assert_int_equal(store_lanes(f.store), LANES);
	fixture_close(&f);
}

static bool node_has(struct redis_cluster *cluster, int node, unsigned lane)
{
	return redis_cluster_master(cluster, slot_of_lane(lane)) == node;
}

/* One node of three is empty when it comes back: whoever knew its data does not begin it anew, and a newcomer knows which lanes
 * are younger than the others. */
static void test_lost_node(void **state)
{
	struct redis_cluster *cluster = *state;
	struct store_fixture f, newcomer;
	unsigned lane = 1;
	open_cluster(&f, cluster, 0);
	int64_t born_ms = store_born_ms(f.store, 0);
	assert_in_range(clock_wall_ms() - born_ms, 0, 60000);
	int node = redis_cluster_master(cluster, slot_of_lane(0));
	while (node_has(cluster, node, lane))
		lane++;
	node = redis_cluster_master(cluster, slot_of_lane(lane));
	assert_true(redis_server_do(&cluster->nodes[node], "FLUSHALL"));
	assert_true(redis_server_do(&cluster->nodes[node], "CLIENT KILL TYPE normal"));
	size_t lost = f.times_lost;
	fixture_wait(&f, &f.times_lost, lost + 1);
	while (strstr(f.why, STORE_LOST) == NULL)
		fixture_wait(&f, &f.times_lost, f.times_lost + 1);
	open_cluster(&newcomer, cluster, 0);
	for (unsigned i = 0; i < LANES; i++)
		assert_int_equal(store_born_ms(newcomer.store, i) > born_ms, node_has(cluster, node, i));
	fixture_close(&newcomer);
	assert_false(store_ready(f.store, NULL));
	fixture_close(&f);
}

/* Seeds that are dead or no cluster at all cost a moment, not more. */
static void test_seeds(void **state)
{
	const struct redis_cluster *cluster = *state;
	struct redis_server lone;
	int ports[2];
	char dead[48], single[48], port[8];
	assert_true(redis_server_ports(ports, 2));
	(void)snprintf(dead, sizeof(dead), "redis://127.0.0.1:%d", ports[0]);
	(void)snprintf(single, sizeof(single), "redis://127.0.0.1:%d", ports[1]);
	(void)snprintf(port, sizeof(port), "%d", ports[1]);
	const char *const extra[] = {"--port", port, NULL};
	assert_true(redis_server_start(&lone, extra));
	const char *const seeds[] = {dead, single, cluster->urls[4]};
	struct store_fixture f;
	struct store_options options = fixture_options(&f, NULL);
	options.place = (struct store_place){.cluster = seeds, .cluster_count = 2};
	fixture_open(&f, &options);
	fixture_wait(&f, &f.times_lost, 2);
	assert_non_null(strstr(f.why, "asked for the slots of the cluster: "));
	fixture_close(&f);
	options = fixture_options(&f, NULL);
	options.place = (struct store_place){.cluster = seeds, .cluster_count = 3};
	fixture_open(&f, &options);
	fixture_wait(&f, &f.times_ready, 1);
	assert_int_equal(fixture_ask(&f, "t_echo", "x").err, ERR_OK);
	fixture_close(&f);
	redis_server_stop(&lone);
}

/* A master that may forget is named, and the others' lanes are served meanwhile. */
static void test_every_master_is_durable(void **state)
{
	struct redis_cluster *cluster = *state;
	const struct redis_server *wrong = &cluster->nodes[redis_cluster_master(cluster, slot_of_lane(3))];
	struct store_fixture f;
	struct store_options options = fixture_options(&f, NULL);
	char name[64];
	options.place = (struct store_place){.cluster = cluster->urls, .cluster_count = cluster->count};
	assert_true(redis_server_do(wrong, "CONFIG SET appendfsync everysec"));
	fixture_open(&f, &options);
	(void)snprintf(name, sizeof(name), "127.0.0.1:%d: Redis may forget what it has acknowledged",
		       cluster->ports[redis_cluster_master(cluster, slot_of_lane(3))]);
	while (strstr(f.why, name) == NULL) {
		size_t seen = f.times_lost;
		fixture_wait(&f, &f.times_lost, seen + 1);
	}
	assert_int_equal(f.times_ready, 0);
	assert_true(redis_server_do(wrong, "CONFIG SET appendfsync always"));
	fixture_wait(&f, &f.times_ready, 1);
	fixture_close(&f);
}

/* A slot that has gone elsewhere: the call follows, and the next one knows the way. */
static void test_moved(void **state)
{
	struct redis_cluster *cluster = *state;
	unsigned slot = slot_of_lane(5);
	struct store_fixture f;
	open_cluster(&f, cluster, 0);
	int from = redis_cluster_master(cluster, slot), to = (from + 1) % 3;
	assert_true(redis_cluster_open_slot(cluster, slot, from, to));
	while (redis_cluster_move_keys(cluster, slot, from, to, 100) > 0)
		continue;
	assert_true(redis_cluster_close_slot(cluster, slot, from, to));
	assert_int_equal(ask_in(&f, 5, "t_echo", NULL).err, ERR_OK);
	assert_int_equal(store_counts(f.store)->redirected, 1);
	assert_int_equal(ask_in(&f, 5, "t_echo", NULL).err, ERR_OK);
	assert_int_equal(store_counts(f.store)->redirected, 1);
	assert_int_equal(f.times_lost, 0);
	fixture_close(&f);
	assert_int_equal(redis_cluster_master(cluster, slot), to);
}

/*
 * A lane is moved while calls run. Each call finds two counters equal that are always written together; while one
 * of them is here and the other there, no call may run.
 */
static void test_resharding(void **state)
{
	struct redis_cluster *cluster = *state;
	unsigned slot = slot_of_lane(9);
	struct outcome outcomes[40] = {{.times = 0}};
	struct store_fixture f;
	size_t sent = 0, all = 0;
	open_cluster(&f, cluster, 0);
	int from = redis_cluster_master(cluster, slot), to = (from + 1) % 3;
	for (; sent < 10; sent++)
		assert_int_equal(ask_in(&f, 9, "t_pair", NULL).err, ERR_OK);
	assert_true(redis_cluster_open_slot(cluster, slot, from, to));
	for (int moved = 1; moved > 0;) {
		for (int i = 0; i < 5 && sent < 40; i++, sent++) {
			outcomes[sent].all = &all;
			fixture_send_in(&f, 9, "t_pair", NULL, &outcomes[sent]);
		}
		fixture_run_for(&f, 60);
		moved = redis_cluster_move_keys(cluster, slot, from, to, 1);
		assert_true(moved >= 0);
	}
	assert_int_equal(all, 0);
	assert_true(redis_cluster_close_slot(cluster, slot, from, to));
	fixture_wait(&f, &all, sent - 10);
	for (size_t i = 10; i < sent; i++) {
		assert_int_equal(outcomes[i].err, ERR_OK);
		assert_int_equal(outcomes[i].integer, 0);
	}
	assert_int_equal(redis_cluster_master(cluster, slot), to);
	redisReply *reply = redis_server_command(&cluster->nodes[to], "GET {j9}:a");
	assert_non_null(reply);
	assert_int_equal(strtoul(reply->str, NULL, 10), sent);
	freeReplyObject(reply);
	fixture_close(&f);
}

/* Functions that are gone from one node are loaded there, and the call is repeated. */
static void test_functions_come_back(void **state)
{
	struct redis_cluster *cluster = *state;
	struct store_fixture f;
	open_cluster(&f, cluster, 0);
	int master = redis_cluster_master(cluster, slot_of_lane(2));
	assert_true(redis_server_do(&cluster->nodes[master], "FUNCTION FLUSH"));
	for (unsigned lane = 0; lane < LANES; lane++)
		assert_int_equal(ask_in(&f, lane, "t_incr", NULL).err, ERR_OK);
	fixture_close(&f);
}

#define NOTES 3000

struct noting {
	struct store_fixture *f;
	size_t sent, told, acknowledged, in_doubt, refused;
	bool stop;
	bool kept[NOTES]; /* acknowledged */
};

struct note {
	struct noting *noting;
	size_t number;
};

static unsigned lane_of_note(size_t number)
{
	return (unsigned)(number % LANES);
}

static void note_next(struct noting *noting);

static void on_noted(void *ctx, enum err err, const struct reply *reply)
{
	struct note *note = ctx;
	struct noting *noting = note->noting;
	(void)reply;
	noting->told++;
	noting->kept[note->number] = err == ERR_OK;
	noting->acknowledged += err == ERR_OK;
	noting->in_doubt += err == ERR_TIMEOUT;
	noting->refused += err == ERR_UNAVAILABLE;
	free(note);
	note_next(noting);
}

static void note_next(struct noting *noting)
{
	char text[24];
	struct note *note = noting->stop || noting->sent == NOTES ? NULL : calloc(1, sizeof(*note));
	if (note == NULL)
		return;
	*note = (struct note){noting, noting->sent++};
	struct store_call call = {.function = "t_note", .lane = lane_of_note(note->number)};
	(void)snprintf(text, sizeof(text), "%zu", note->number);
	store_arg(&call, text);
	store_call(noting->f->store, &call, on_noted, note);
}

/* Is all there that was acknowledged? */
static size_t count_lost(struct store_fixture *f, const struct noting *noting)
{
	size_t lost = 0;
	for (size_t i = 0; i < noting->sent; i++) {
		char text[24];
		(void)snprintf(text, sizeof(text), "%zu", i);
		struct outcome outcome = ask_in(f, lane_of_note(i), "t_noted", text);
		assert_int_equal(outcome.err, ERR_OK);
		lost += noting->kept[i] && outcome.integer != 1;
	}
	return lost;
}

/* kill -9 of a master under load, with one replica required: its replica takes over, nothing acknowledged is lost. */
static void test_failover(void **state)
{
	struct redis_cluster *cluster = *state;
	struct noting *noting = calloc(1, sizeof(*noting));
	struct store_fixture f;
	assert_non_null(noting);
	assert_true(redis_cluster_wait_well(cluster));
	open_cluster(&f, cluster, 1);
	noting->f = &f;
	int victim = redis_cluster_master(cluster, slot_of_lane(0));
	for (int i = 0; i < 20; i++)
		note_next(noting);
	fixture_wait(&f, &noting->acknowledged, 150);
	int64_t killed_ms = clock_mono_ms();
	redis_server_kill9(&cluster->nodes[victim]);
	fixture_wait(&f, &f.times_ready, 2);
	print_message("%s: all lanes are served again %lld ms after the kill; ", redis_server_engine(0),
		      (long long)(clock_mono_ms() - killed_ms));
	/* Its replica has none itself: writes of its lanes are not acknowledged until the old master is back. */
	assert_true(redis_server_restart(&cluster->nodes[victim]));
	size_t before = noting->acknowledged;
	fixture_wait(&f, &noting->acknowledged, before + 100);
	noting->stop = true;
	fixture_wait(&f, &noting->told, noting->sent);
	print_message("%zu sent, %zu acknowledged, %zu in doubt, %zu refused, ", noting->sent,
		      noting->acknowledged, noting->in_doubt, noting->refused);
	size_t lost = count_lost(&f, noting);
	print_message("%zu lost\n", lost);
	assert_int_equal(lost, 0);
	assert_int_not_equal(redis_cluster_master(cluster, slot_of_lane(0)), victim);
	fixture_close(&f);
	free(noting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_lanes),
		cmocka_unit_test(test_lost_node),
		cmocka_unit_test(test_seeds),
		cmocka_unit_test(test_every_master_is_durable),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_resharding),
		cmocka_unit_test(test_functions_come_back),
		cmocka_unit_test(test_failover),
	};
	const char *engine;
	int failed = 0;
	for (size_t i = 0; (engine = redis_server_engine(i)) != NULL; i++) {
		(void)setenv(REDIS_SERVER_PROGRAM, engine, 1);
		failed += cmocka_run_group_tests_name(engine, tests, start_cluster, stop_cluster);
	}
	return failed;
}
