/* The broker on a Redis that is locked down: TLS with certificates on both sides, and the supplied access control. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>

#include "base/digest.h"
#include "tests/support/certificates.h"
#include "tests/support/redis_acl.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define PASSWORD "not-in-any-log-7f3a"
#define HOUR_S   3600

struct locked {
	struct world world;
	struct authority authority;
	struct certificate_files server, client;
	struct redis_server replica; /* only where the test starts it */
	char dir[40], password[64], acl[64], hash[SHA256_HEX], port[8], more[640];
};

static int lock_up(void **state)
{
	struct locked *locked = calloc(1, sizeof(*locked));
	int port;
	assert_non_null(locked);
	*state = locked;
	snprintf(locked->dir, sizeof(locked->dir), "/tmp/jit-locked-XXXXXX");
	assert_non_null(mkdtemp(locked->dir));
	authority_make(&locked->authority, locked->dir, "authority");
	certificate_make(&locked->authority, "DNS:localhost,IP:127.0.0.1", HOUR_S, "server", &locked->server);
	certificate_make(&locked->authority, NULL, HOUR_S, "client", &locked->client);
	snprintf(locked->acl, sizeof(locked->acl), "%s/acl", locked->dir);
	snprintf(locked->password, sizeof(locked->password), "%s/password", locked->dir);
	digest_sha256_hex(PASSWORD, strlen(PASSWORD), locked->hash);
	redis_acl_password(locked->password, PASSWORD);
	assert_true(redis_server_ports(&port, 1));
	snprintf(locked->port, sizeof(locked->port), "%d", port);
	return 0;
}

static int clean_up(void **state)
{
	struct locked *locked = *state;
	bool clean = world_stop(&locked->world);
	redis_server_stop(&locked->replica);
	authority_release(&locked->authority);
	certificate_remove(&locked->server);
	certificate_remove(&locked->client);
	unlink(locked->password);
	unlink(locked->acl);
	rmdir(locked->dir);
	free(locked);
	return clean ? 0 : -1;
}

/* A world whose Redis has TLS beside its socket, and whose broker comes by TLS and as that user. */
static void start_locked(struct locked *locked, const char *without)
{
	const char *const arguments[] = {"--tls-port",
					 locked->port,
					 "--bind",
					 "127.0.0.1",
					 "--tls-cert-file",
					 locked->server.certificate,
					 "--tls-key-file",
					 locked->server.key,
					 "--tls-ca-cert-file",
					 locked->authority.path,
					 "--tls-auth-clients",
					 "yes",
					 "--include",
					 locked->acl,
					 NULL};
	struct world_options options = scene_defaults();
	snprintf(locked->more, sizeof(locked->more),
		 "  url: rediss://localhost:%s\n  user: jit-broker\n  password: \"file:%s\"\n"
		 "  tls: {ca: %s, certificate: %s, key: %s}\n",
		 locked->port, locked->password, locked->authority.path, locked->client.certificate,
		 locked->client.key);
	redis_acl_copy(locked->acl, PASSWORD, without);
	options.without_brokers = true;
	options.redis_arguments = arguments;
	assert_true(world_start(&locked->world, &options));
	locked->world.config.redis_url = NULL;
	locked->world.config.redis_more = locked->more;
}

/* Everything that a request goes through, from its submission to the removal, with what people and brokers read. */
static void the_main_path_under_the_supplied_acl(void **state)
{
	struct locked *locked = *state;
	struct world *world = &locked->world;
	const struct world_ask ask = {.person = 1, .duration = "PT3S"};
	const struct world_ask later = {.person = 2, .group = 1, .duration = "PT1H"};
	struct http_response response;
	char id[ID_SIZE];
	redisReply *reply;
	start_locked(locked, NULL);
	assert_true(broker_start(&world->brokers[0], world->dir, "locked", &world->config));
	world->broker_count = 1;
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	scene_wait_members(world, 0, 1);
	scene_wait(world, &ask, id, "removed");
	scene_activate(world, &later, id);
	scene_wait(world, &later, id, "provisioned");
	world_deactivate(world, &later, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	scene_wait(world, &later, id, "removed");
	scene_get(world, 2,
		  "/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests/"
		  "filterByCurrentUser(on='principal')",
		  &response);
	assert_int_equal(response.status, 200);
	http_response_release(&response);
	scene_application(world, 0, &response);
	assert_int_equal(response.status, 200);
	http_response_release(&response);
	scene_wait_empty(world);
	assert_false(proc_log_holds(&world->brokers[0].proc, PASSWORD));
	assert_false(proc_log_holds(&world->brokers[0].proc, "store_call_refused"));
	/* Nothing was denied on the way, neither to the broker nor within its functions. */
	reply = redis_server_command(&world->redis, "ACL LOG");
	assert_non_null(reply);
	assert_int_equal(reply->elements, 0);
	freeReplyObject(reply);
	world_passed(world);
}

static bool is_attached(void *ctx)
{
	redisReply *reply = redis_server_command(ctx, "INFO replication");
	bool attached = reply != NULL && strstr(reply->str, "master_link_status:up") != NULL;
	if (reply != NULL)
		freeReplyObject(reply);
	return attached;
}

/* By TLS and as the user that is there for it. */
static void start_replica(struct locked *locked)
{
	struct redis_server *master = &locked->world.redis;
	const char *const arguments[] = {"--tls-replication",  "yes",
					 "--tls-cert-file",    locked->client.certificate,
					 "--tls-key-file",     locked->client.key,
					 "--tls-ca-cert-file", locked->authority.path,
					 "--masteruser",       "jit-replica",
					 "--masterauth",       PASSWORD,
					 "--replicaof",        "127.0.0.1",
					 locked->port,         NULL};
	assert_true(redis_server_do(master, "CONFIG SET repl-diskless-sync-delay 0"));
	assert_true(redis_server_start(&locked->replica, arguments));
	assert_true(wait_until(is_attached, &locked->replica, SCENE_PATIENCE));
	/* What the file says of Redis 7.2 and Valkey; those before have no such command. */
	(void)redis_server_do(master, "ACL SETUSER jit-broker +waitaof");
	size_t len = strlen(locked->more);
	snprintf(locked->more + len, sizeof(locked->more) - len, "  replicas: 1\n");
}

/* What the broker's user needs beyond that where acknowledged means that a replica has it too. */
static void with_a_replica(void **state)
{
	struct locked *locked = *state;
	struct world *world = &locked->world;
	const struct world_ask ask = {.person = 1, .duration = "PT1H"};
	char id[ID_SIZE];
	redisReply *reply;
	start_locked(locked, NULL);
	start_replica(locked);
	assert_true(broker_start(&world->brokers[0], world->dir, "locked", &world->config));
	world->broker_count = 1;
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	reply = redis_server_command(&world->redis, "ACL LOG");
	assert_non_null(reply);
	assert_int_equal(reply->elements, 0);
	freeReplyObject(reply);
	world_passed(world);
}

/* One command less: the broker says so before it does anything by halves. */
static void a_command_that_is_denied_is_told_at_the_start(void **state)
{
	struct locked *locked = *state;
	struct world *world = &locked->world;
	start_locked(locked, "+zrem ");
	assert_true(broker_start_unready(&world->brokers[0], world->dir, "locked", &world->config));
	world->broker_count = 1;
	assert_true(
		proc_wait_text(&world->brokers[0].proc,
			       "the user of Redis may not ZREM on the keys {j*}:*, which the functions need: "
			       "see redis.acl",
			       SCENE_PATIENCE, NULL, 0));
	world_passed(world);
}

/* The password was changed in Redis alone: told in words, and the broker is there again when it is changed back. */
static void a_wrong_password(void **state)
{
	struct locked *locked = *state;
	struct world *world = &locked->world;
	start_locked(locked, NULL);
	assert_true(redis_server_do(&world->redis, "ACL SETUSER jit-broker resetpass >another"));
	assert_true(broker_start_unready(&world->brokers[0], world->dir, "locked", &world->config));
	world->broker_count = 1;
	assert_true(proc_wait_text(&world->brokers[0].proc,
				   "signing in with redis.user and redis.password: Redis answered: WRONGPASS",
				   SCENE_PATIENCE, NULL, 0));
	assert_true(redis_server_do(&world->redis, "ACL SETUSER jit-broker resetpass #%s", locked->hash));
	assert_true(proc_wait_text(&world->brokers[0].proc, "event=store_ready", SCENE_PATIENCE, NULL, 0));
	assert_false(proc_log_holds(&world->brokers[0].proc, PASSWORD));
	world_passed(world);
}

/* What the broker's user could do to harm beyond the broker's own data, had somebody its password. */
static void the_supplied_acl_gives_no_more(void **state)
{
	static const char *const denied[] = {
		"FLUSHALL",
		"FLUSHDB",
		"KEYS *",
		"SCAN 0",
		"CONFIG SET appendonly no",
		"SHUTDOWN",
		"MONITOR",
		"DEBUG RELOAD",
		"ACL LIST",
		"FUNCTION DELETE jit",
		"SAVE",
		"DUMP {j1}:x",
		"EVAL 1 0",
		"REPLICAOF no one",
		"CLIENT KILL 127.0.0.1:1",
		"GET other",
		"SET other x",
		"MIGRATE 127.0.0.1 1 {j1}:x 0 1",
		"MODULE LIST",
		"FUNCTION FLUSH",
	};
	struct locked *locked = *state;
	struct redis_server *redis = &locked->world.redis;
	redisReply *reply;
	start_locked(locked, NULL);
	assert_true(redis_server_do(redis, "ACL DRYRUN jit-broker GET {j1}:x"));
	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
		char command[128];
		snprintf(command, sizeof(command), "ACL DRYRUN jit-broker %s", denied[i]);
		reply = redis_server_command(redis, command);
		assert_non_null(reply);
		if (strstr(reply->str, "has no permissions") == NULL)
			fail_msg("%s: %s", denied[i], reply->str);
		freeReplyObject(reply);
	}
	world_passed(&locked->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_main_path_under_the_supplied_acl, lock_up, clean_up),
		cmocka_unit_test_setup_teardown(with_a_replica, lock_up, clean_up),
		cmocka_unit_test_setup_teardown(a_command_that_is_denied_is_told_at_the_start, lock_up,
						clean_up),
		cmocka_unit_test_setup_teardown(a_wrong_password, lock_up, clean_up),
		cmocka_unit_test_setup_teardown(the_supplied_acl_gives_no_more, lock_up, clean_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
