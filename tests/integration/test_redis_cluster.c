/*
 * Two brokers on a Redis Cluster of three masters and three replicas: an application's lane is moved to another node,
 * and its master is killed, while people ask. What was answered with 201 is there, memberships follow, and no push is
 * made twice. The brokers sign in with no more rights than the supplied access control gives them.
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
#include "tests/support/listener.h"
#include "tests/support/redis_acl.h"
#include "tests/support/redis_cluster.h"
#include "tests/support/scene_ask.h"

#define PEOPLE   40
#define LANES    16
#define PASSWORD "not-in-any-log-51c8"

struct story {
	struct world *world;
	struct redis_cluster cluster;
	char more[400], dir[40], acl[64], password[64];
	struct world_ask asks[PEOPLE];
	char keys[PEOPLE][32];
	char ids[PEOPLE][ID_SIZE];
	struct listener listener; /* the operator's, at the second broker */
};

static void write_acl(struct story *story)
{
	snprintf(story->dir, sizeof(story->dir), "/tmp/jit-cluster-XXXXXX");
	assert_non_null(mkdtemp(story->dir));
	snprintf(story->acl, sizeof(story->acl), "%s/acl", story->dir);
	snprintf(story->password, sizeof(story->password), "%s/password", story->dir);
	redis_acl_copy(story->acl, PASSWORD, NULL);
	redis_acl_password(story->password, PASSWORD);
}

/* What the file says of Redis 7.2 and Valkey; those before have no such command. */
static void allow_waitaof(struct redis_cluster *cluster)
{
	for (size_t i = 0; i < cluster->count; i++)
		(void)redis_server_do(&cluster->nodes[i], "ACL SETUSER jit-broker +waitaof");
}

static int open_story(void **state)
{
	struct world_options options = scene_defaults();
	struct story *story = calloc(1, sizeof(*story));
	void *opened = NULL;

	assert_non_null(story);
	write_acl(story);
	const char *const arguments[] = {"--include", story->acl, NULL};
	options.without_brokers = true;
	options.people = PEOPLE;
	options.application.pushes = 1000;
	options.application.cycle_reserve = 10;
	if (!redis_cluster_start(&story->cluster, 3, 3, arguments, NULL) ||
	    scene_open(&opened, &options) != 0)
		return -1;
	*state = story;
	story->world = opened;
	allow_waitaof(&story->cluster);
	snprintf(story->more, sizeof(story->more),
		 "  cluster: [\"%s\", \"%s\"]\n  replicas: 1\n  user: jit-broker\n  password: \"file:%s\"\n",
		 story->cluster.urls[0], story->cluster.urls[4], story->password);
	opened = NULL;
	story->world->config.redis_url = NULL;
	story->world->config.redis_more = story->more;
	story->world->config.lanes = LANES;
	for (size_t i = 0; i < 2; i++) {
		story->world->broker_count = i + 1;
		if (!broker_start(&story->world->brokers[i], story->world->dir, i == 0 ? "one" : "two",
				  &story->world->config))
			return -1;
	}
	return 0;
}

static int close_story(void **state)
{
	struct story *story = *state;
	void *opened = story->world;
	int closed = scene_close(&opened);

	listener_close(&story->listener);
	redis_cluster_stop(&story->cluster);
	unlink(story->acl);
	unlink(story->password);
	rmdir(story->dir);
	free(story);
	return closed;
}

/* The slot of the lane that requests of the application are in: their ids tell. */
static unsigned slot_of(const char *id)
{
	return slot_of_lane((unsigned)id_lane(id));
}

static void ask_until_answered(struct story *story, size_t i, size_t group)
{
	snprintf(story->keys[i], sizeof(story->keys[i]), "key-%zu-%zu", group, i);
	story->asks[i] = (struct world_ask){
		.broker = i % 2, .person = i, .group = group, .idempotency_key = story->keys[i]};
	scene_activate_at_last(story->world, &story->asks[i], story->ids[i]);
}

/* Whatever has become of the lane: told, or told to look. */
static void expect_told(struct story *story)
{
	char text[128];

	for (size_t i = 0; i < PEOPLE; i++) {
		snprintf(text, sizeof(text), "\"%s\",\"status\":\"Provisioned\",\"state\":\"provisioned\"",
			 story->ids[i]);
		assert_true(listener_has(&story->listener, "event: anew\n") ||
			    listener_wait(&story->listener, text, SCENE_PATIENCE));
	}
}

static void expect_all(struct story *story, size_t group)
{
	for (size_t i = 0; i < PEOPLE; i++) {
		struct world_ask other = story->asks[i];

		other.broker = 1 - other.broker;
		scene_wait(story->world, &other, story->ids[i], "provisioned");
	}
	assert_int_equal(scene_members(story->world, group), PEOPLE);
}

static void open_listener(struct story *story)
{
	listener_open(&story->listener, &story->world->brokers[1], world_token(story->world, 0), NULL);
	assert_int_equal(story->listener.status, 200);
}

static void a_lane_is_moved(void **state)
{
	struct story *story = *state;
	struct redis_cluster *cluster = &story->cluster;
	struct scene_changes changes;

	open_listener(story);
	ask_until_answered(story, 0, 0);
	unsigned slot = slot_of(story->ids[0]);
	int from = redis_cluster_master(cluster, slot), to = (from + 1) % 3, moved = 1;
	for (size_t i = 1; i < PEOPLE / 2; i++)
		ask_until_answered(story, i, 0);
	assert_true(redis_cluster_open_slot(cluster, slot, from, to));
	while (moved > 0)
		moved = redis_cluster_move_keys(cluster, slot, from, to, 10);
	assert_int_equal(moved, 0);
	assert_true(redis_cluster_close_slot(cluster, slot, from, to));
	for (size_t i = PEOPLE / 2; i < PEOPLE; i++)
		ask_until_answered(story, i, 0);
	expect_all(story, 0);
	expect_told(story);
	scene_changes(story->world, &changes);
	assert_int_equal(changes.adds, PEOPLE);
	assert_int_equal(redis_cluster_master(cluster, slot), to);
	world_passed(story->world);
}

static void a_master_is_killed(void **state)
{
	struct story *story = *state;
	struct redis_cluster *cluster = &story->cluster;
	struct scene_changes changes;

	open_listener(story);
	ask_until_answered(story, 0, 1);
	unsigned slot = slot_of(story->ids[0]);
	int victim = redis_cluster_master(cluster, slot);
	for (size_t i = 1; i < PEOPLE / 2; i++)
		ask_until_answered(story, i, 1);
	redis_server_kill9(&cluster->nodes[victim]);
	assert_int_not_equal(redis_cluster_master(cluster, slot), victim);
	/* With one replica a master whose replica has become the master cannot acknowledge anything. */
	assert_true(redis_server_restart(&cluster->nodes[victim]));
	allow_waitaof(cluster);
	for (size_t i = PEOPLE / 2; i < PEOPLE; i++)
		ask_until_answered(story, i, 1);
	expect_all(story, 1);
	expect_told(story);
	scene_changes(story->world, &changes);
	assert_int_equal(changes.adds, PEOPLE);
	world_passed(story->world);
}

/* Each node serves its own slots, whatever becomes of the others. */
static int open_parted(void **state)
{
	static const char *const arguments[] = {"--cluster-require-full-coverage", "no", NULL};
	struct world_options options = scene_defaults();
	struct story *story = calloc(1, sizeof(*story));
	void *opened = NULL;

	assert_non_null(story);
	options.without_brokers = true;
	if (!redis_cluster_start(&story->cluster, 3, 0, arguments, NULL) ||
	    scene_open(&opened, &options) != 0)
		return -1;
	*state = story;
	story->world = opened;
	snprintf(story->more, sizeof(story->more), "  cluster: [\"%s\", \"%s\", \"%s\"]\n",
		 story->cluster.urls[0], story->cluster.urls[1], story->cluster.urls[2]);
	story->world->config.redis_url = NULL;
	story->world->config.redis_more = story->more;
	story->world->config.lanes = LANES;
	story->world->broker_count = 1;
	return broker_start(&story->world->brokers[0], story->world->dir, "one", &story->world->config) ? 0
													: -1;
}

/* A broker that has never seen the whole cluster ends access in the lanes of the nodes that it sees. */
static void a_broker_starts_without_one_of_the_nodes(void **state)
{
	struct story *story = *state;
	struct redis_cluster *cluster = &story->cluster;
	struct world *world = story->world;
	struct world_ask ask = {.person = 1, .duration = "PT3S"};
	char id[ID_SIZE];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	broker_kill9(&world->brokers[0]);
	int victim = (redis_cluster_master(cluster, slot_of(id)) + 1) % 3;
	redis_server_kill9(&cluster->nodes[victim]);
	assert_true(broker_start_unready(&world->brokers[0], world->dir, "one", &world->config));
	assert_true(world_wait_member(world, 1, 0, false, SCENE_PATIENCE));
	scene_says(world, "/readyz", 503, "");
	assert_true(redis_server_restart(&cluster->nodes[victim]));
	scene_wait(world, &ask, id, "removed");
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_lane_is_moved, open_story, close_story),
		cmocka_unit_test_setup_teardown(a_master_is_killed, open_story, close_story),
		cmocka_unit_test_setup_teardown(a_broker_starts_without_one_of_the_nodes, open_parted,
						close_story),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
