/* The store behind three sentinels: a master, two replicas, on each engine that is installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/redis_sentinels.h"
#include "tests/support/redis_server.h"
#include "tests/support/store_fixture.h"

#define SERVERS 3

struct watched {
	struct redis_server servers[SERVERS]; /* the first begins as the master */
	int ports[SERVERS];
	char texts[SERVERS][8];
	struct redis_sentinels sentinels;
};

static int start_watched(void **state)
{
	struct watched *w = calloc(1, sizeof(*w));
	if (w == NULL || !redis_server_ports(w->ports, SERVERS))
		return -1;
	*state = w;
	for (int i = 0; i < SERVERS; i++) {
		(void)snprintf(w->texts[i], sizeof(w->texts[i]), "%d", w->ports[i]);
		const char *const extra[] = {"--port",
					     w->texts[i],
					     "--bind",
					     "127.0.0.1",
					     "--repl-diskless-sync-delay",
					     "0",
					     i > 0 ? "--replicaof" : NULL,
					     "127.0.0.1",
					     w->texts[0],
					     NULL};
		if (!redis_server_start(&w->servers[i], extra))
			return -1;
	}
	return redis_sentinels_start(&w->sentinels, w->ports[0], SERVERS - 1, NULL) ? 0 : -1;
}

static int stop_watched(void **state)
{
	struct watched *w = *state;
	redis_sentinels_stop(&w->sentinels);
	for (int i = 0; i < SERVERS; i++)
		redis_server_stop(&w->servers[i]);
	free(w);
	return 0;
}

static struct store_options options_for(struct store_fixture *f, const struct watched *w)
{
	struct store_options options = fixture_options(f, NULL);
	options.place.sentinels = w->sentinels.urls;
	options.place.sentinel_count = REDIS_SENTINELS;
	options.place.master = "jit";
	options.place.sentinel_password = REDIS_SENTINEL_PASSWORD;
	options.call_timeout_ms = 8000;
	options.replicas = 1;
	options.replicas_timeout_ms = 1000;
	return options;
}

/* What is wrong is told in words: the name, the password, sentinels that are no sentinels. */
static void test_nobody_knows(void **state)
{
	const struct watched *w = *state;
	char server[48];
	(void)snprintf(server, sizeof(server), "redis://127.0.0.1:%d", w->ports[0]);
	const char *const servers[] = {server};
	const struct {
		const char *master, *password;
		const char *const *sentinels;
		const char *why;
	} rows[] = {
		{"other", REDIS_SENTINEL_PASSWORD, NULL, "unknown master"},
		{"jit", "wrong", NULL, "WRONGPASS"},
		{"jit", NULL, NULL, "NOAUTH"},
		{"jit", NULL, servers, "ERR unknown command"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store_fixture f;
		struct store_options options = options_for(&f, w);
		options.place.master = rows[i].master;
		options.place.sentinel_password = rows[i].password;
		if (rows[i].sentinels != NULL) {
			options.place.sentinels = rows[i].sentinels;
			options.place.sentinel_count = 1;
		}
		fixture_open(&f, &options);
		fixture_wait(&f, &f.times_lost, 1);
		assert_non_null(strstr(f.why, rows[i].why));
		assert_null(strstr(f.why, "wrong"));
		fixture_close(&f);
	}
}

#define NOTES  2000
#define BEFORE 150 /* the master is killed */

/* kill -9 of the master: the store finds the new one by itself, and all that was acknowledged is there. */
static void test_failover(void **state)
{
	struct watched *w = *state;
	static bool kept[NOTES];
	struct store_fixture f;
	struct store_options options = options_for(&f, w);
	char text[24];
	size_t sent = 0, acknowledged = 0, lost = 0;
	fixture_open(&f, &options);
	fixture_wait(&f, &f.times_ready, 1);
	int64_t killed_ms = 0, back_ms = 0;
	for (; sent < NOTES && (back_ms == 0 || clock_mono_ms() - back_ms < 300); sent++) {
		if (sent == BEFORE) {
			redis_server_kill9(&w->servers[0]);
			killed_ms = clock_mono_ms();
		}
		(void)snprintf(text, sizeof(text), "%zu", sent);
		kept[sent] = fixture_ask(&f, "t_note", text).err == ERR_OK;
		acknowledged += kept[sent];
		if (sent >= BEFORE && kept[sent] && back_ms == 0)
			back_ms = clock_mono_ms();
		if (!kept[sent])
			fixture_run_for(&f, 20);
	}
	assert_int_not_equal(back_ms, 0);
	for (size_t i = 0; i < sent; i++) {
		(void)snprintf(text, sizeof(text), "%zu", i);
		struct outcome outcome = fixture_ask(&f, "t_noted", text);
		assert_int_equal(outcome.err, ERR_OK);
		lost += kept[i] && outcome.integer != 1;
	}
	print_message("acknowledged again %lld ms after the kill; %zu sent, %zu acknowledged, %zu lost\n",
		      (long long)(back_ms - killed_ms), sent, acknowledged, lost);
	assert_int_equal(lost, 0);
	assert_int_not_equal(redis_sentinels_master(&w->sentinels, 0), w->ports[0]);
	fixture_close(&f);
}

static void test_dead_sentinels(void **state)
{
	struct watched *w = *state;
	struct store_fixture f;
	struct store_options options = options_for(&f, w);
	/* One is gone; the other does not answer. After that it would not watch for half a minute: the last test. */
	proc_kill9(&w->sentinels.procs[0]);
	proc_stop(&w->sentinels.procs[1]);
	fixture_open(&f, &options);
	fixture_wait(&f, &f.times_ready, 1);
	assert_int_equal(fixture_ask(&f, "t_incr", NULL).err, ERR_OK);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_knows),
		cmocka_unit_test(test_failover),
		cmocka_unit_test(test_dead_sentinels),
	};
	const char *engine;
	int failed = 0;
	for (size_t i = 0; (engine = redis_server_engine(i)) != NULL; i++) {
		(void)setenv(REDIS_SERVER_PROGRAM, engine, 1);
		failed += cmocka_run_group_tests_name(engine, tests, start_watched, stop_watched);
	}
	return failed;
}
