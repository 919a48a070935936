/* `jit … --wait`: told by the broker, and by looking where it cannot be heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/support/listener.h"
#include "tests/support/scene.h"
#include "tests/support/shell.h"
#include "tests/support/wait.h"

#define STREAMS  3    /* of one broker: half of its connections */
#define QUIET_MS 5000 /* no look without a word comes so seldom */
#define MANY     20   /* looks in that time would be too many */
#define ANSWERS  "jit_http_answers_total{class=\"2xx\"}"

struct place {
	struct world world;
	struct shell asker, approver;
	struct listener others[STREAMS];
	char id[ID_SIZE];
};

static void open_home(struct shell *shell, const struct world *world, const char *name, size_t person)
{
	snprintf(shell->home, sizeof(shell->home), "%.400s/%s", world->dir, name);
	assert_int_equal(mkdir(shell->home, 0700), 0);
	snprintf(shell->server, sizeof(shell->server), "%s", world->brokers[0].root);
	shell_use_token(shell, world_token(world, person));
}

/* Person 0 has asked for a group, and waits for person 1 to agree. */
static int open_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct world_options options = scene_defaults();
	struct world_ask ask = {.person = 0};

	assert_non_null(p);
	*state = p;
	options.brokers = 2;
	options.group.more = "      approval: {approvers: [person1@example.com], timeout: 1h}\n";
	options.more = "connections: 6\n";
	assert_true(world_start(&p->world, &options));
	open_home(&p->asker, &p->world, "asker", 0);
	open_home(&p->approver, &p->world, "approver", 1);
	/* Where the decision is made is not where is listened. */
	snprintf(p->approver.server, sizeof(p->approver.server), "%s", p->world.brokers[1].root);
	scene_activate(&p->world, &ask, p->id);
	return 0;
}

static int close_place(void **state)
{
	struct place *p = *state;
	bool clean;

	for (size_t i = 0; i < STREAMS; i++)
		listener_close(&p->others[i]);
	clean = world_stop(&p->world);
	free(p);
	return clean ? 0 : -1;
}

/* A figure of the first broker. */
static long figure(const struct world *world, const char *name)
{
	struct http_response response;
	const char *found;
	char line[128];
	long value;

	broker_call(&world->brokers[0], &(struct http_request){.url = "/metrics"}, &response);
	snprintf(line, sizeof(line), "\n%s ", name);
	found = strstr(buf_text(&response.body), line);
	assert_non_null(found);
	value = strtol(found + strlen(line), NULL, 10);
	http_response_release(&response);
	return value;
}

static bool one_listens(void *ctx)
{
	return figure(ctx, "jit_event_streams") == 1;
}

/* Nothing but this question itself was answered for a while. */
static bool is_quiet(void *ctx)
{
	long before = figure(ctx, ANSWERS);

	wait_a_little(QUIET_MS);
	return figure(ctx, ANSWERS) == before + 1;
}

static bool has_ended(void *ctx)
{
	return !proc_alive(ctx);
}

/* Well before the command looks although it was told nothing. */
static void decide(struct place *p)
{
	assert_int_equal(shell_run(&p->approver, "approve", p->id, "--reason", "seen", NULL), 0);
	assert_true(wait_until(has_ended, &p->asker.proc, SCENE_PATIENCE));
	assert_int_equal(shell_wait(&p->asker), 0);
	assert_non_null(strstr(p->asker.output, "waiting for an approver\n"));
	assert_non_null(strstr(p->asker.output, "active until "));
}

static void it_is_told(void **state)
{
	struct place *p = *state;
	const char *words[] = {"show", p->id, "--wait", NULL};

	shell_start(&p->asker, words);
	assert_true(wait_until(one_listens, &p->world, SCENE_PATIENCE));
	assert_true(wait_until(is_quiet, &p->world, SCENE_PATIENCE));
	decide(p);
	world_passed(&p->world);
}

static void it_looks_where_it_is_not_told(void **state)
{
	struct place *p = *state;
	const char *words[] = {"show", p->id, "--wait", NULL};
	long before;

	for (size_t i = 0; i < STREAMS; i++) {
		listener_open(&p->others[i], &p->world.brokers[0], world_token(&p->world, i + 2), NULL);
		assert_int_equal(p->others[i].status, 200);
	}
	shell_start(&p->asker, words);
	assert_true(proc_wait_text(&p->asker.proc, "waiting for ", SCENE_PATIENCE, (char[256]){""}, 256));
	before = figure(&p->world, ANSWERS);
	wait_a_little(QUIET_MS);
	assert_in_range(figure(&p->world, ANSWERS) - before, 2, MANY);
	decide(p);
	assert_int_equal(figure(&p->world, "jit_event_streams"), STREAMS);
	world_passed(&p->world);
}

/* The broker ends all streams as it reads its configuration anew: it begins to listen again. */
static void it_comes_back(void **state)
{
	struct place *p = *state;
	const char *words[] = {"show", p->id, "--wait", NULL};

	shell_start(&p->asker, words);
	assert_true(wait_until(one_listens, &p->world, SCENE_PATIENCE));
	assert_true(scene_reload(&p->world, 0));
	assert_true(wait_until(is_quiet, &p->world, SCENE_PATIENCE));
	assert_true(one_listens(&p->world));
	decide(p);
	world_passed(&p->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define PLACE(f) cmocka_unit_test_setup_teardown(f, open_place, close_place)
		PLACE(it_is_told),
		PLACE(it_looks_where_it_is_not_told),
		PLACE(it_comes_back),
#undef PLACE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
