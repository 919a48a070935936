/*
 * The broker on a Redis Cluster, and on a master behind three sentinels, where everything that goes over a port is TLS with
 * certificates on both sides, between the servers, too: people activate, access ends, the master is killed. What was
 * answered with 201 before that is there afterwards, and ends when it should. On each engine that is installed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/slots.h"
#include "tests/support/certificates.h"
#include "tests/support/redis_acl.h"
#include "tests/support/redis_cluster.h"
#include "tests/support/redis_sentinels.h"
#include "tests/support/scene_ask.h"

#define SERVERS 3
#define PEOPLE  12
#define HOUR_S  3600

struct story {
	struct world *world;
	char dir[40], password[64], more[900];
	struct authority authority;
	struct certificate_files server, client;
	struct redis_tls tls;
	struct redis_cluster cluster; /* this, or the others */
	struct redis_server servers[SERVERS];
	struct redis_sentinels sentinels;
	int ports[SERVERS];
	char texts[SERVERS][8];
};

/* -- opening ----------------------------------------------------------------------------------------------------- */

static struct story *new_story(void)
{
	struct world_options options = scene_defaults();
	struct story *story = calloc(1, sizeof(*story));
	void *opened = NULL;

	assert_non_null(story);
	snprintf(story->dir, sizeof(story->dir), "/tmp/jit-tls-XXXXXX");
	assert_non_null(mkdtemp(story->dir));
	authority_make(&story->authority, story->dir, "authority");
	certificate_make(&story->authority, "IP:127.0.0.1", HOUR_S, "server", &story->server);
	certificate_make(&story->authority, NULL, HOUR_S, "client", &story->client);
	story->tls = (struct redis_tls){story->server.certificate, story->server.key, story->authority.path};
	snprintf(story->password, sizeof(story->password), "%s/password", story->dir);
	redis_acl_password(story->password, REDIS_SENTINEL_PASSWORD);
	options.without_brokers = true;
	options.people = PEOPLE;
	options.application.pushes = 1000;
	assert_int_equal(scene_open(&opened, &options), 0);
	story->world = opened;
	return story;
}

/* A broker that is told where, "cluster: […]", and shows its own certificate there. */
static void start_broker(struct story *story, const char *where)
{
	snprintf(story->more, sizeof(story->more),
		 "%s  replicas: 1\n  tls: {ca: %s, certificate: %s, key: %s}\n", where, story->authority.path,
		 story->client.certificate, story->client.key);
	story->world->config.redis_url = NULL;
	story->world->config.redis_more = story->more;
	story->world->broker_count = 1;
	assert_true(
		broker_start(&story->world->brokers[0], story->world->dir, "broker", &story->world->config));
}

static int open_cluster(void **state)
{
	struct story *story = new_story();
	char where[256];

	*state = story;
	assert_true(redis_cluster_start(&story->cluster, 3, 3, NULL, &story->tls));
	snprintf(where, sizeof(where), "  cluster: [\"%s\", \"%s\"]\n", story->cluster.urls[0],
		 story->cluster.urls[4]);
	start_broker(story, where);
	return 0;
}

static void start_server(struct story *story, size_t i)
{
	snprintf(story->texts[i], sizeof(story->texts[i]), "%d", story->ports[i]);
	const char *const extra[] = {"--tls-port",
				     story->texts[i],
				     "--bind",
				     "127.0.0.1",
				     "--tls-replication",
				     "yes",
				     "--tls-cert-file",
				     story->tls.certificate,
				     "--tls-key-file",
				     story->tls.key,
				     "--tls-ca-cert-file",
				     story->tls.authority,
				     "--repl-diskless-sync-delay",
				     "0",
				     i > 0 ? "--replicaof" : NULL,
				     "127.0.0.1",
				     story->texts[0],
				     NULL};
	assert_true(redis_server_start(&story->servers[i], extra));
}

static int open_sentinels(void **state)
{
	struct story *story = new_story();
	char where[256];

	*state = story;
	assert_true(redis_server_ports(story->ports, SERVERS));
	for (size_t i = 0; i < SERVERS; i++)
		start_server(story, i);
	assert_true(redis_sentinels_start(&story->sentinels, story->ports[0], SERVERS - 1, &story->tls));
	snprintf(where, sizeof(where),
		 "  sentinel: {master: jit, password: \"file:%s\", nodes: [\"%s\", \"%s\"]}\n",
		 story->password, story->sentinels.urls[0], story->sentinels.urls[1]);
	start_broker(story, where);
	return 0;
}

static int close_story(void **state)
{
	struct story *story = *state;
	void *opened = story->world;
	int closed = scene_close(&opened);

	redis_cluster_stop(&story->cluster);
	for (size_t i = 0; i < SERVERS; i++)
		redis_server_stop(&story->servers[i]);
	if (story->sentinels.dir[0] != '\0')
		redis_sentinels_stop(&story->sentinels);
	authority_release(&story->authority);
	certificate_remove(&story->server);
	certificate_remove(&story->client);
	unlink(story->password);
	rmdir(story->dir);
	free(story);
	return closed;
}

/* -- telling ----------------------------------------------------------------------------------------------------- */

static const struct world_ask stays = {.person = 2, .duration = "PT1H"};
static const struct world_ask ends_meanwhile = {.person = 3, .duration = "PT4S"};

/* One access that comes and goes, and what is there when the master dies; the ids of both. */
static void begin(const struct story *story, char stays_id[ID_SIZE], char ends_id[ID_SIZE])
{
	const struct world_ask brief = {.person = 1, .duration = "PT2S"};
	char id[ID_SIZE];

	scene_activate(story->world, &brief, id);
	scene_wait(story->world, &brief, id, "provisioned");
	scene_wait(story->world, &brief, id, "removed");
	scene_activate(story->world, &stays, stays_id);
	scene_wait(story->world, &stays, stays_id, "provisioned");
	scene_activate(story->world, &ends_meanwhile, ends_id);
	scene_wait(story->world, &ends_meanwhile, ends_id, "provisioned");
}

/* There is a new one: it knows what the old one knew, and takes more. */
static void go_on(const struct story *story, const char *stays_id, const char *ends_id)
{
	const struct world_ask next = {.person = 4, .duration = "PT1H", .idempotency_key = "next"};
	char id[ID_SIZE];

	scene_activate_at_last(story->world, &next, id);
	scene_wait(story->world, &next, id, "provisioned");
	scene_wait(story->world, &stays, stays_id, "provisioned");
	scene_wait(story->world, &ends_meanwhile, ends_id, "removed");
	assert_int_equal(scene_members(story->world, 0), 2);
	world_passed(story->world);
}

static void a_cluster_s_master_is_killed(void **state)
{
	struct story *story = *state;
	struct redis_cluster *cluster = &story->cluster;
	char stays_id[ID_SIZE], ends_id[ID_SIZE];

	begin(story, stays_id, ends_id);
	unsigned slot = slot_of_lane((unsigned)id_lane(stays_id));
	int victim = redis_cluster_master(cluster, slot);
	redis_server_kill9(&cluster->nodes[victim]);
	assert_int_not_equal(redis_cluster_master(cluster, slot), victim);
	/* The new master has to have a replica to acknowledge anything. */
	assert_true(redis_server_restart(&cluster->nodes[victim]));
	go_on(story, stays_id, ends_id);
}

static void the_sentinels_master_is_killed(void **state)
{
	struct story *story = *state;
	char stays_id[ID_SIZE], ends_id[ID_SIZE];

	begin(story, stays_id, ends_id);
	redis_server_kill9(&story->servers[0]);
	go_on(story, stays_id, ends_id);
	assert_int_not_equal(redis_sentinels_master(&story->sentinels, 0), story->ports[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_cluster_s_master_is_killed, open_cluster, close_story),
		cmocka_unit_test_setup_teardown(the_sentinels_master_is_killed, open_sentinels, close_story),
	};
	const char *engine;
	int failed = 0;

	for (size_t i = 0; (engine = redis_server_engine(i)) != NULL; i++) {
		(void)setenv(REDIS_SERVER_PROGRAM, engine, 1);
		failed += cmocka_run_group_tests_name(engine, tests, NULL, NULL);
	}
	return failed;
}
