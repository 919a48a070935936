/* The store and a real Redis behind TLS: whom it trusts, whom Redis lets in, and who may do what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/tls.h"
#include "tests/support/certificates.h"
#include "tests/support/redis_server.h"
#include "tests/support/store_fixture.h"

#define HOUR 3600

struct tls_world {
	char dir[40];
	struct authority ours, theirs;
	struct certificate_files server, expired, client, foreign;
};

static int make_world(void **state)
{
	struct tls_world *world = calloc(1, sizeof(*world));
	if (world == NULL)
		return -1;
	(void)snprintf(world->dir, sizeof(world->dir), "/tmp/jit-tls-XXXXXX");
	if (mkdtemp(world->dir) == NULL)
		return -1;
	authority_make(&world->ours, world->dir, "ours");
	authority_make(&world->theirs, world->dir, "theirs");
	certificate_make(&world->ours, "DNS:localhost", HOUR, "server", &world->server);
	certificate_make(&world->ours, "DNS:localhost,IP:127.0.0.1", -60, "expired", &world->expired);
	certificate_make(&world->ours, NULL, HOUR, "client", &world->client);
	certificate_make(&world->theirs, NULL, HOUR, "foreign", &world->foreign);
	*state = world;
	return 0;
}

static int remove_world(void **state)
{
	struct tls_world *world = *state;
	authority_release(&world->ours);
	authority_release(&world->theirs);
	certificate_remove(&world->server);
	certificate_remove(&world->expired);
	certificate_remove(&world->client);
	certificate_remove(&world->foreign);
	(void)rmdir(world->dir);
	free(world);
	return 0;
}

/* A Redis with this certificate, which asks for one or does not; `url` names it by this host. */
struct tls_redis {
	struct redis_server server;
	char port[8];
	char url[64];
};

static void start_redis(struct tls_redis *redis, const struct tls_world *world,
			const struct certificate_files *files, const char *asks, const char *host)
{
	int port;
	assert_true(redis_server_ports(&port, 1));
	(void)snprintf(redis->port, sizeof(redis->port), "%d", port);
	(void)snprintf(redis->url, sizeof(redis->url), "rediss://%s:%d", host, port);
	const char *const extra[] = {"--tls-port",
				     redis->port,
				     "--bind",
				     "127.0.0.1",
				     "--tls-cert-file",
				     files->certificate,
				     "--tls-key-file",
				     files->key,
				     "--tls-ca-cert-file",
				     world->ours.path,
				     "--tls-auth-clients",
				     asks,
				     NULL};
	assert_true(redis_server_start(&redis->server, extra));
}

static struct store_options options_for(struct store_fixture *f, const struct tls_redis *redis,
					const char *ca)
{
	struct store_options options = fixture_options(f, redis->url);
	options.place.ca_file = ca;
	return options;
}

/* "localhost" may be another address, too, at which nobody listens: what comes of that is not the answer. */
static void wait_lost(struct store_fixture *f)
{
	do
		fixture_wait(f, &f->times_lost, f->times_lost + 1);
	while (strcmp(f->why, "connection refused") == 0);
}

static void test_trusted(void **state)
{
	const struct tls_world *world = *state;
	struct tls_redis redis;
	struct store_fixture f;
	start_redis(&redis, world, &world->server, "no", "localhost");
	struct store_options options = options_for(&f, &redis, world->ours.path);
	fixture_open(&f, &options);
	fixture_wait(&f, &f.times_ready, 1);
	assert_string_equal(fixture_ask(&f, "t_echo", "through TLS").text, "through TLS");
	/* Larger than any record and than what the socket takes at once, both ways. */
	assert_int_equal(fixture_ask(&f, "t_big", "5000000").len, 5000000);
	char *large = malloc(3000001);
	assert_non_null(large);
	memset(large, 'x', 3000000);
	large[3000000] = '\0';
	assert_int_equal(fixture_ask(&f, "t_echo", large).len, 3000000);
	free(large);
	/* And again after the connection has broken. */
	assert_true(redis_server_restart(&redis.server));
	assert_int_equal(fixture_ask(&f, "t_incr", NULL).err, ERR_OK);
	fixture_close(&f);
	redis_server_stop(&redis.server);
}

/* Nothing is said to a server that is not verified, and the reason is told. */
static void test_not_trusted(void **state)
{
	const struct tls_world *world = *state;
	const struct {
		const struct certificate_files *files;
		const char *ca, *host, *why;
	} rows[] = {
		{&world->server, world->theirs.path, "localhost",
		 "TLS with Redis failed: self-signed certificate in certificate chain"},
		{&world->server, NULL, "localhost",
		 "TLS with Redis failed: self-signed certificate in certificate chain"},
		{&world->server, world->ours.path, "127.0.0.1", "TLS with Redis failed: IP address mismatch"},
		{&world->expired, world->ours.path, "localhost",
		 "TLS with Redis failed: certificate has expired"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_redis redis;
		struct store_fixture f;
		start_redis(&redis, world, rows[i].files, "no", rows[i].host);
		struct store_options options = options_for(&f, &redis, rows[i].ca);
		options.place.password = "never said";
		fixture_open(&f, &options);
		wait_lost(&f);
		assert_string_equal(f.why, rows[i].why);
		assert_int_equal(f.times_ready, 0);
		fixture_close(&f);
		redis_server_stop(&redis.server);
	}
}

static void test_client_certificate(void **state)
{
	const struct tls_world *world = *state;
	struct tls_redis redis;
	struct store_fixture f;
	start_redis(&redis, world, &world->server, "yes", "localhost");
	for (int with_foreign = 0; with_foreign <= 1; with_foreign++) {
		struct store_options options = options_for(&f, &redis, world->ours.path);
		options.place.certificate_file = with_foreign ? world->foreign.certificate : NULL;
		options.place.key_file = world->foreign.key;
		fixture_open(&f, &options);
		wait_lost(&f);
		assert_int_equal(f.times_ready, 0);
		/* TLS 1.3 tells it after the handshake; the server may have closed by then. */
		assert_true(strstr(f.why, "TLS with Redis failed: ") != NULL ||
			    strcmp(f.why, "Redis closed the connection") == 0 ||
			    strcmp(f.why, "connection reset by peer") == 0);
		fixture_close(&f);
	}
	struct store_options options = options_for(&f, &redis, world->ours.path);
	options.place.certificate_file = world->client.certificate;
	options.place.key_file = world->client.key;
	fixture_open(&f, &options);
	fixture_wait(&f, &f.times_ready, 1);
	assert_int_equal(fixture_ask(&f, "t_incr", NULL).err, ERR_OK);
	fixture_close(&f);
	redis_server_stop(&redis.server);
}

/* The other side does not speak TLS, or speaks it where it is not expected. */
static void test_not_tls(void **state)
{
	const struct tls_world *world = *state;
	struct tls_redis redis;
	struct store_fixture f;
	int port;
	char text[8], url[64];
	assert_true(redis_server_ports(&port, 1));
	(void)snprintf(text, sizeof(text), "%d", port);
	const char *const extra[] = {"--port", text, "--bind", "127.0.0.1", NULL};
	assert_true(redis_server_start(&redis.server, extra));
	(void)snprintf(url, sizeof(url), "rediss://localhost:%d", port);
	struct store_options options = fixture_options(&f, url);
	options.place.ca_file = world->ours.path;
	options.call_timeout_ms = 500;
	fixture_open(&f, &options);
	wait_lost(&f);
	assert_int_equal(f.times_ready, 0);
	fixture_close(&f);
	redis_server_stop(&redis.server);
	start_redis(&redis, world, &world->server, "no", "localhost");
	(void)snprintf(url, sizeof(url), "redis://localhost:%s", redis.port);
	options = fixture_options(&f, url);
	fixture_open(&f, &options);
	wait_lost(&f);
	assert_int_equal(f.times_ready, 0);
	fixture_close(&f);
	redis_server_stop(&redis.server);
}

static void test_files_that_are_wrong(void **state)
{
	const struct tls_world *world = *state;
	const struct {
		struct tls_files files;
		const char *named;
	} rows[] = {
		{{.ca = "/nonexistent"}, "/nonexistent"},
		{{.ca = world->client.key}, "client.key"},
		{{.ca = world->ours.path, .certificate = world->client.key, .key = world->client.key},
		 "client.key"},
		{{.ca = world->ours.path, .certificate = world->client.certificate, .key = world->server.key},
		 "server.key"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct errctx ec = {.text = ""};
		assert_null(tls_new(&rows[i].files, &ec));
		assert_non_null(strstr(ec.text, rows[i].named));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trusted),
		cmocka_unit_test(test_not_trusted),
		cmocka_unit_test(test_client_certificate),
		cmocka_unit_test(test_not_tls),
		cmocka_unit_test(test_files_that_are_wrong),
	};
	return cmocka_run_group_tests(tests, make_world, remove_world);
}
