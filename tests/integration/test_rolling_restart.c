/*
 * Brokers of unlike mind and brokers that come and go: one that does not know the application beside one that
 * does, and all restarted one after the other while people ask.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/aftermath.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define BROKERS     3
#define PEOPLE      180
#define AT_ONCE     2
#define IN_THE_ROW  4 /* memberships of the story with the ignorant broker */
#define LATE_MS     1500
#define BEFORE_STOP 8 /* pushes of a round that the application has seen when a broker is stopped */

/* -- one does not know the application ------------------------------------------------------------------------- */

enum { KNOWING, IGNORANT };

static int open_unlike(void **state)
{
	struct world_options options = scene_defaults();
	struct broker_config config;
	struct world *world;

	options.people = options.groups = IN_THE_ROW + 1;
	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	options.poll_ms = 0;
	if (scene_open(state, &options) != 0)
		return -1;
	world = *state;
	config = world->config;
	config.application_count = config.group_count = 0;
	world->broker_count = 2;
	return broker_start(&world->brokers[IGNORANT], world->dir, "ignorant", &config) ? 0 : -1;
}

static int64_t end_of(const struct world *world, const struct world_ask *ask, const char *id)
{
	struct http_response response;
	int64_t end;

	scene_look(world, ask, id, &response);
	end = scene_time(&response, "provisioning.endDateTime");
	http_response_release(&response);
	return end;
}

static void expect_soon(const struct scene_change *change, int64_t due_ms)
{
	int64_t late_ms = change->received_ms - due_ms;

	if (late_ms >= LATE_MS)
		print_error("pushed %lld ms late\n", (long long)late_ms);
	assert_true(late_ms >= 0 && late_ms < LATE_MS);
}

static void removed_at_their_ends(void **state)
{
	struct world *world = *state;
	char ids[IN_THE_ROW + 1][ID_SIZE];
	int64_t ends[IN_THE_ROW + 1];
	struct scene_changes changes;

	for (size_t i = 1; i <= IN_THE_ROW; i++) {
		char duration[8];
		struct world_ask ask = {.broker = KNOWING, .person = i, .group = i, .duration = duration};

		snprintf(duration, sizeof(duration), "PT%zuS", i + 1);
		scene_activate(world, &ask, ids[i]);
		scene_wait(world, &ask, ids[i], "provisioned");
		ends[i] = end_of(world, &ask, ids[i]);
	}
	for (size_t i = 1; i <= IN_THE_ROW; i++)
		scene_wait(world, &(struct world_ask){.person = i}, ids[i], "removed");
	scene_changes(world, &changes);
	assert_int_equal(changes.adds, IN_THE_ROW);
	assert_int_equal(changes.removes, IN_THE_ROW);
	/* One second apart, so in the order in which they were asked for. */
	for (size_t i = 1; i <= IN_THE_ROW; i++)
		expect_soon(&changes.all[IN_THE_ROW + i - 1], ends[i]);
	assert_int_equal(audit_check(world), IN_THE_ROW);
	world_passed(world);
}

/* The one that does not know the group must not take that for policy's word. */
static void begun_at_their_starts(void **state)
{
	struct world *world = *state;
	char ids[IN_THE_ROW + 1][ID_SIZE], start[32];
	int64_t starts[IN_THE_ROW + 1];
	struct scene_changes changes;

	for (size_t i = 1; i <= IN_THE_ROW; i++) {
		struct world_ask ask = {.broker = KNOWING, .person = i, .group = i, .start = start};

		starts[i] = clock_wall_ms() + (int64_t)(i + 1) * SECOND;
		scene_from_now((int64_t)(i + 1) * SECOND, start);
		scene_activate(world, &ask, ids[i]);
	}
	for (size_t i = 1; i <= IN_THE_ROW; i++)
		scene_wait(world, &(struct world_ask){.person = i}, ids[i], "provisioned");
	scene_changes(world, &changes);
	assert_int_equal(changes.adds, IN_THE_ROW);
	for (size_t i = 1; i <= IN_THE_ROW; i++)
		expect_soon(&changes.all[i - 1], starts[i]);
	assert_int_equal(audit_check(world), IN_THE_ROW);
	world_passed(world);
}

/* -- all restarted, one after the other ------------------------------------------------------------------------ */

static int open_crowd(void **state)
{
	struct world_options options = scene_defaults();

	options.brokers = BROKERS;
	options.people = options.groups = PEOPLE;
	options.application.pushes = 1000;
	options.application.cycle_reserve = 10;
	options.poll_ms = 0;
	return scene_open(state, &options);
}

struct round {
	struct world *world;
	struct world_ask asks[PEOPLE];
	char keys[PEOPLE][32];
	struct posting posting;
	size_t turned_away, wanted_pushes;
};

static bool has_pushed(void *ctx)
{
	const struct round *round = ctx;
	struct scene_changes *changes = calloc(1, sizeof(*changes));
	bool enough;

	assert_non_null(changes);
	scene_changes(round->world, changes);
	enough = changes->adds >= round->wanted_pushes;
	free(changes);
	return enough;
}

/* Asks again, of a broker that is up, what was turned away; every person has exactly this request then. */
static void ask_again(struct round *round, size_t i, size_t broker)
{
	struct http_response response;
	struct post post;

	round->asks[i].broker = broker;
	post_fill(&post, round->world, &round->asks[i]);
	http_call(&post.request, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	round->turned_away++;
}

/* No connection, or told in words; nothing that was taken in is left without an answer. */
static void expect_turned_away(const struct http_response *response)
{
	bool refused = response->status == 0 && strstr(response->error, "Failed to connect") != NULL;

	if (response->status != 503 && !refused)
		print_error("%d %s\n", response->status, response->error);
	assert_true(response->status == 503 || refused);
}

static void restart_under_load(struct round *round, size_t broker, size_t people)
{
	struct world *world = round->world;
	size_t first = broker * people, before = round->turned_away;

	for (size_t i = first; i < first + people; i++) {
		snprintf(round->keys[i], sizeof(round->keys[i]), "key-%zu", i);
		round->asks[i] = (struct world_ask){
			.broker = i % BROKERS, .person = i, .group = i, .idempotency_key = round->keys[i]};
	}
	assert_true(posting_begin(&round->posting, world, &round->asks[first], people, AT_ONCE));
	round->wanted_pushes = first + BEFORE_STOP;
	assert_true(wait_until(has_pushed, round, SCENE_PATIENCE));
	assert_true(broker_stop(&world->brokers[broker]));
	assert_true(posting_wait(&round->posting));
	for (size_t i = 0; i < people; i++) {
		const struct http_response *r = &round->posting.responses[i];

		if (r->status == 201)
			continue;
		expect_turned_away(r);
		ask_again(round, first + i, (broker + 1) % BROKERS);
	}
	posting_release(&round->posting);
	assert_true(round->turned_away > before); /* or it was not stopped under load */
	assert_true(broker_restart(&world->brokers[broker]));
}

static void restarted_one_after_the_other(void **state)
{
	struct world *world = *state;
	struct round *round = calloc(1, sizeof(*round));
	struct pushes_seen pushes;

	assert_non_null(round);
	round->world = world;
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups every 3 -> delay 200"));
	for (size_t broker = 0; broker < BROKERS; broker++)
		restart_under_load(round, broker, PEOPLE / BROKERS);
	for (size_t i = 0; i < PEOPLE; i++) {
		assert_true(world_wait_member(world, i, i, true, SCENE_PATIENCE));
		assert_int_equal(count_requests(world, i % BROKERS, i), 1);
	}
	assert_true(pushes_seen_read(world, &pushes));
	/* Whoever was stopped had let its pushes end: none was made twice. */
	assert_int_equal(pushes.count, PEOPLE);
	assert_int_equal(pushes.overlaps, 0);
	pushes_seen_release(&pushes);
	assert_int_equal(audit_check(world), PEOPLE);
	free(round);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(removed_at_their_ends, open_unlike, scene_close),
		cmocka_unit_test_setup_teardown(begun_at_their_starts, open_unlike, scene_close),
		cmocka_unit_test_setup_teardown(restarted_one_after_the_other, open_crowd, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
