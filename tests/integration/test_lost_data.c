/*
 * Redis is emptied while brokers run: none of them goes on as if it were new, because whoever has access would pass for
 * somebody who always had it. A broker that begins anew tells what the escrow knows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store/store.h"
#include "tests/support/drained.h"
#include "tests/support/scene.h"
#include "tests/support/vault.h"
#include "tests/support/wait.h"

#define UNKNOWN "The escrow holds 1 removals that Redis does not know"

struct test {
	struct world world;
	struct vault vault;
};

/* Does /readyz answer with that status, and say that? */
struct saying {
	const struct test *t;
	int status;
	const char *text;
};

static bool says(void *ctx)
{
	const struct saying *saying = ctx;
	struct http_response response;
	bool it_does;

	broker_call(&saying->t->world.brokers[0], &(struct http_request){.url = "/readyz"}, &response);
	it_does = response.status == saying->status && strstr(buf_text(&response.body), saying->text) != NULL;
	http_response_release(&response);
	return it_does;
}

static void wait_ready(const struct test *t, int status, const char *text)
{
	struct saying saying = {t, status, text};

	assert_true(wait_until(says, &saying, SCENE_PATIENCE));
}

static bool is_member(const struct test *t)
{
	return sandbox_is_member(&t->world.sandbox, world_group_name(&t->world, 0),
				 world_user_name(&t->world, 0));
}

static void an_emptied_redis_is_not_taken_for_a_new_one(void **state)
{
	static struct test t;
	struct world_options options = scene_defaults();
	struct world_ask ask = {.duration = "PT1H"};
	struct http_response response;
	struct drained job;
	char id[ID_SIZE];

	(void)state;
	vault_make(&t.vault, NULL);
	options.more = t.vault.config;
	options.application.per_ms = SECOND;
	options.application.push_timeout_ms = SECOND;
	assert_true(world_start(&t.world, &options));
	scene_activate(&t.world, &ask, id);
	scene_wait(&t.world, &ask, id, "provisioned");
	assert_true(redis_server_do(&t.world.redis, "FLUSHALL"));
	wait_ready(&t, 503, STORE_LOST);
	assert_true(proc_log_holds(&t.world.brokers[0].proc, "event=store_lost"));
	world_activate(&t.world, &ask, &response);
	assert_int_equal(response.status, 503);
	http_response_release(&response);

	assert_true(broker_stop(&t.world.brokers[0]));
	assert_true(broker_restart(&t.world.brokers[0]));
	wait_ready(&t, 200, UNKNOWN);
	assert_true(proc_log_holds(&t.world.brokers[0].proc, "event=escrow_unknown"));
	assert_true(is_member(&t));
	drained_run(&t.world, &job, "--all", "--beside-redis", NULL);
	assert_int_equal(job.status, 0);
	assert_int_equal(drained_number(&job, "removed"), 1);
	drained_release(&job);
	assert_false(is_member(&t));

	/* What is given now is known. */
	scene_activate(&t.world, &ask, id);
	scene_wait(&t.world, &ask, id, "provisioned");
	assert_true(broker_stop(&t.world.brokers[0]));
	assert_true(broker_restart(&t.world.brokers[0]));
	assert_true(broker_stop(&t.world.brokers[0]));
	assert_false(proc_log_holds(&t.world.brokers[0].proc, "event=escrow_unknown"));
	world_passed(&t.world);
	assert_true(world_stop(&t.world));
	vault_remove(&t.vault);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_emptied_redis_is_not_taken_for_a_new_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
