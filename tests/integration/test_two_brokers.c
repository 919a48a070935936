/*
 * Three brokers on one Redis, many applications, half a minute in real time: people come and go at random, the
 * application is slow, refuses, loses replies and asks for silence, and one broker is killed. No application sees a
 * sixth push begin or end in any ten seconds, no membership is pushed by two brokers at once, and everything ends
 * as it should.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/aftermath.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define BROKERS      3
#define APPS         24
#define PEOPLE       (6 * APPS) /* six for each application: more than the bucket holds */
#define ARRIVALS_MS  (16 * SECOND)
#define SETTLED_MS   (45 * SECOND) /* from the last arrival; only what has to wait for tokens takes long */
#define WINDOW       (10 * SECOND)
#define KILLED_AT    (6 * SECOND)
#define BACK_AT      (8 * SECOND)
#define CYCLE        (12 * SECOND) /* takes those that have failed too often */
#define PUSHES_MIN   (PEOPLE + PEOPLE / 2)
#define SEED         UINT64_C(88172645463325252)
#define APP_ID       16
#define STAYS_EVERY  4 /* every fourth person stays; of the others every third gives it back early */
#define EARLY_AFTER  (4 * SECOND)
#define NOT_A_MOMENT INT64_MAX

/* Person I in group I of application I % APPS. */
struct visit {
	int64_t arrives_ms, leaves_ms; /* after the beginning; leaves: by selfDeactivate */
	const char *duration;
	char id[ID_SIZE];
};

struct crowd {
	struct world *world;
	struct broker_application applications[APPS];
	char app_ids[APPS][APP_ID];
	struct broker_group groups[PEOPLE];
	struct visit visits[PEOPLE];
	uint64_t random;
	size_t asked, left; /* requests made so far */
};

/* xorshift64: the same run every time, as far as time allows. */
static uint64_t chance(struct crowd *crowd)
{
	crowd->random ^= crowd->random << 13;
	crowd->random ^= crowd->random >> 7;
	crowd->random ^= crowd->random << 17;
	return crowd->random;
}

/* -- the world ------------------------------------------------------------------------------------------------- */

static void configure(struct crowd *crowd)
{
	struct world *world = crowd->world;

	for (size_t i = 0; i < APPS; i++) {
		snprintf(crowd->app_ids[i], APP_ID, "app-%zu", i);
		crowd->applications[i] = world->application;
		crowd->applications[i].id = crowd->app_ids[i];
	}
	for (size_t i = 0; i < PEOPLE; i++) {
		crowd->groups[i] = world->config.groups[i];
		crowd->groups[i].application = crowd->app_ids[i % APPS];
	}
	world->config.application_count = APPS;
	world->config.applications = crowd->applications;
	world->config.groups = crowd->groups;
}

static int open_crowd(void **state)
{
	struct world_options options = scene_defaults();
	struct crowd *crowd = calloc(1, sizeof(*crowd));
	char name[16];
	void *opened = NULL;

	options.people = options.groups = PEOPLE;
	options.poll_ms = 0;
	options.application.overflow_wait_ms = 60 * SECOND;
	options.application.cycle_ms = CYCLE;
	options.application.request_timeout_ms = 4 * SECOND;
	options.application.push_timeout_ms = 6 * SECOND;
	*state = crowd;
	if (crowd == NULL || scene_open(&opened, &options) != 0)
		return -1;
	crowd->world = opened;
	crowd->random = SEED;
	if (!broker_stop(&crowd->world->brokers[0]))
		return -1;
	configure(crowd);
	for (size_t i = 0; i < BROKERS; i++) {
		snprintf(name, sizeof(name), "one-of-%zu", i);
		crowd->world->broker_count = i + 1;
		if (!broker_start(&crowd->world->brokers[i], crowd->world->dir, name, &crowd->world->config))
			return -1;
	}
	return 0;
}

static int close_crowd(void **state)
{
	struct crowd *crowd = *state;
	void *opened = crowd->world;
	int closed = scene_close(&opened);

	free(crowd);
	return closed;
}

static void make_trouble(const struct world *world)
{
	static const char *const faults[] = {
		"PATCH /Groups every 23 -> status 429 retry-after 2",
		"PATCH /Groups every 11 -> close after",
		"PATCH /Groups every 13 -> status 500 after",
		"PATCH /Groups every 9 -> status 500",
		"PATCH /Groups every 5 -> delay 1500",
		"POST /Users every 7 -> close after",
		"GET /Users every 17 -> delay 800",
		"GET /Groups every 19 -> status 500",
		"GET /Groups every 29 -> delay 1000",
	};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		assert_true(sandbox_add_fault(&world->sandbox, faults[i]));
}

/* -- who comes when -------------------------------------------------------------------------------------------- */

/* The first five of an application and one more come nearly at once, the others whenever they like. */
static void plan_visits(struct crowd *crowd)
{
	for (size_t i = 0; i < PEOPLE; i++) {
		struct visit *visit = &crowd->visits[i];
		bool in_a_rush = i % APPS < APPS / 3;

		visit->arrives_ms = (int64_t)(chance(crowd) % (in_a_rush ? SECOND : ARRIVALS_MS));
		visit->leaves_ms = NOT_A_MOMENT;
		visit->duration = chance(crowd) % 2 == 0 ? "PT2S" : "PT5S";
		if (i % STAYS_EVERY == 0)
			visit->duration = "PT1H";
		else if (i % 3 == 0) {
			visit->duration = "PT1H";
			visit->leaves_ms = visit->arrives_ms + EARLY_AFTER;
		}
	}
}

static bool stays(size_t i)
{
	return i % STAYS_EVERY == 0;
}

/* A broker that is up: the last one is away for a while. */
static size_t some_broker(struct crowd *crowd)
{
	size_t broker = chance(crowd) % BROKERS;

	return crowd->world->brokers[broker].proc.pid != 0 ? broker : 0;
}

static void arrive(struct crowd *crowd, size_t i)
{
	struct visit *visit = &crowd->visits[i];
	struct world_ask ask = {
		.broker = some_broker(crowd), .person = i, .group = i, .duration = visit->duration};

	visit->arrives_ms = NOT_A_MOMENT;
	scene_activate(crowd->world, &ask, visit->id);
	crowd->asked++;
}

static void leave(struct crowd *crowd, size_t i)
{
	struct world_ask ask = {.broker = some_broker(crowd), .person = i, .group = i};
	struct http_response response;

	crowd->visits[i].leaves_ms = NOT_A_MOMENT;
	world_deactivate(crowd->world, &ask, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	crowd->left++;
}

/* All that is due by `passed` ms after the beginning; false when nothing more comes. */
static bool let_come(struct crowd *crowd, int64_t passed)
{
	bool more = false;

	for (size_t i = 0; i < PEOPLE; i++) {
		struct visit *visit = &crowd->visits[i];

		if (visit->arrives_ms <= passed)
			arrive(crowd, i);
		else if (visit->arrives_ms == NOT_A_MOMENT && visit->leaves_ms <= passed)
			leave(crowd, i);
		more = more || visit->arrives_ms != NOT_A_MOMENT || visit->leaves_ms != NOT_A_MOMENT;
	}
	return more;
}

static void play(struct crowd *crowd)
{
	struct broker *victim = &crowd->world->brokers[BROKERS - 1];
	int64_t begun = clock_mono_ms(), passed = 0;
	bool killed = false, back = false;

	while (let_come(crowd, passed) || !back) {
		wait_a_little(5);
		passed = clock_mono_ms() - begun;
		if (!killed && passed >= KILLED_AT) {
			broker_kill9(victim);
			killed = true;
		} else if (killed && !back && passed >= BACK_AT) {
			assert_true(broker_restart(victim));
			back = true;
		}
	}
}

/* -- how it ends ----------------------------------------------------------------------------------------------- */

static void expect_settled(struct crowd *crowd)
{
	int64_t deadline = clock_mono_ms() + SETTLED_MS;

	for (size_t i = 0; i < PEOPLE; i++) {
		struct world_ask ask = {.broker = i % BROKERS, .person = i, .group = i};
		int64_t left_ms = deadline - clock_mono_ms();

		if (stays(i))
			assert_true(world_wait_state(crowd->world, &ask, crowd->visits[i].id, "provisioned",
						     left_ms));
		else
			assert_true(world_wait_member(crowd->world, i, i, false, left_ms));
	}
	for (size_t i = 0; i < PEOPLE; i++) {
		struct world_ask ask = {.broker = i % BROKERS, .person = i, .group = i};

		if (!stays(i))
			scene_wait_over(crowd->world, &ask, crowd->visits[i].id);
		assert_int_equal(sandbox_is_member(&crowd->world->sandbox, world_group_name(crowd->world, i),
						   world_user_name(crowd->world, i)),
				 stays(i));
	}
}

static void expect_fives(const struct crowd *crowd)
{
	struct pushes_seen pushes;
	size_t full = 0;

	assert_true(pushes_seen_read(crowd->world, &pushes));
	print_message("%zu pushes\n", pushes.count);
	assert_true(pushes.count >= PUSHES_MIN);
	assert_int_equal(pushes.overlaps, 0);
	for (size_t app = 0; app < APPS; app++) {
		size_t most = pushes_seen_most(&pushes, WINDOW, APPS, app);

		if (most > 5)
			for (size_t i = 0; i < pushes.count; i++)
				if (pushes.all[i].who % APPS == app)
					print_error(
						"push of %zu: %lld to %lld\n", pushes.all[i].who,
						(long long)(pushes.all[i].begun_ms - pushes.all[0].begun_ms),
						(long long)(pushes.all[i].ended_ms - pushes.all[0].begun_ms));
		assert_true(most <= 5);
		full += most == 5;
	}
	/* The bucket was what held them back. */
	assert_true(full >= APPS / 2);
	pushes_seen_release(&pushes);
}

static void half_a_minute(void **state)
{
	struct crowd *crowd = *state;

	make_trouble(crowd->world);
	plan_visits(crowd);
	play(crowd);
	assert_true(sandbox_clear_faults(&crowd->world->sandbox));
	expect_settled(crowd);
	expect_fives(crowd);
	assert_int_equal(audit_check(crowd->world), crowd->asked + crowd->left);
	world_passed(crowd->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(half_a_minute, open_crowd, close_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
