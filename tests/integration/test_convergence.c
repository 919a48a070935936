/*
 * Convergence: three applications in dialects of their own, each with two brokers, while people come and go at random,
 * and the application is slow, refuses, lies and loses replies, and somebody changes members in it by hand. When that
 * stops, after one whole cycle each application's groups hold who is wanted and nobody else, members whom the broker has
 * not made are untouched, and at no time did it see a sixth push in the window, changes to users among them.
 * The run is determined by a seed, as far as time allows: CONVERGENCE_SEED=N repeats one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/books.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

#define PEOPLE     10
#define STRANGER   PEOPLE       /* a member by hand alone */
#define RETURNER   (PEOPLE + 1) /* brought back by hand as soon as the removal is confirmed */
#define GROUPS     3
#define PUSHES     5
#define WINDOW     (2 * SECOND)
#define CYCLE      (4 * SECOND)
#define TURMOIL    (11 * SECOND)
#define PUSH_MS    (5 * SECOND)
#define CYCLE_OVER (2 * CYCLE + 40 * SECOND) /* one begins, and ends at the allowed rate on a slow machine */
#define BACKOFF    (30 * SECOND)             /* the longest pause of what has failed: retry.h */
#define STEP_MS    120
#define FAULT_LIFE (TURMOIL / (int64_t)(COUNT(faults) / 2 + 1)) /* each has its time, two at once */
#define SEED       UINT64_C(20261125)

static const char *const standing[] = {"standing-a@example.com", "standing-b@example.com", NULL};

/* Each lasts FAULT_LIFE. The change is made or not, and told or not, in every combination. */
static const struct {
	const char *requests;
	unsigned percent;
	const char *action;
} faults[] = {
	{"PATCH *", 50, "close after"},
	{"PATCH *", 50, "close"},
	{"PATCH *", 50, "status 500 after"},
	{"PATCH *", 50, "status 500"},
	{"PATCH *", 50, "status 409"},
	{"PATCH *", 50, "noop"},
	{"PATCH *", 50, "html"},
	{"PATCH *", 50, "delay 1500 after"},
	{"PATCH *", 50, "truncate"},
	{"* *", 30, "status 503 retry-after 1"},
	{"* *", 30, "status 429"},
	{"* *", 30, "close"},
	{"* *", 20, "redirect http://127.0.0.1:9/elsewhere"},
	{"GET *", 30, "truncate"},
	{"GET *", 30, "html 502"},
	{"GET *", 10, "huge"},
	{"POST *", 50, "close after"},
	{"POST *", 50, "status 500 after"},
};

/* What a dialect of the broker is tried against: the application's, made worse. */
static const struct kind {
	const char *name;
	const char *scim;        /* of the broker */
	const char *sandbox[13]; /* arguments */
} kinds[] = {
	{"aws",
	 "      dialect: aws\n",
	 {"--dialect", "aws", "--behaviour", "members-lag=300", "--behaviour", "created-lag=300"}},
	{"rfc7644",
	 "      dialect: rfc7644\n",
	 {"--dialect", "scim2-server", "--behaviour", "total=all", "--behaviour", "duplicate-group=409"}},
	{"google", "      dialect: google\n", {"--dialect", "google", "--behaviour", "remove-absent=404"}},
};

struct run {
	const struct kind *kind;
	struct world *world;
	struct books books;
	uint64_t random;
	int64_t over_ms; /* the turmoil, by the monotonic clock */
	int64_t fault_until_ms;
	size_t order[COUNT(faults)]; /* in which they come */
	size_t faults_seen;
	unsigned asked, granted, ended, taken, brought;
	char returner[ID_SIZE]; /* the request */
	enum { HOLDING, LEAVING, BACK, MISSED } returns;
	int64_t returner_seen_ms;
};

/* xorshift64 */
static unsigned chance(struct run *run, unsigned below)
{
	run->random ^= run->random << 13;
	run->random ^= run->random >> 7;
	run->random ^= run->random << 17;
	return (unsigned)(run->random % below);
}

static uint64_t seed(void)
{
	const char *text = getenv("CONVERGENCE_SEED");

	return text != NULL && text[0] != '\0' ? strtoull(text, NULL, 10) : SEED;
}

/* -- worlds -------------------------------------------------------------------------------------------------------- */

/* Shuffled by the seed. */
static void order_faults(struct run *run)
{
	for (size_t i = 0; i < COUNT(faults); i++) {
		size_t other = chance(run, (unsigned)i + 1);

		run->order[i] = run->order[other];
		run->order[other] = i;
	}
}

static void open_run(struct run *run, const struct kind *kind, size_t place)
{
	struct world_options options = scene_defaults();
	struct world_ask returner = {.person = RETURNER, .duration = "PT1H"};

	run->kind = kind;
	run->random = seed() * (place + 1) + 1;
	order_faults(run);
	options.brokers = 2;
	options.people = RETURNER + 1;
	options.groups = GROUPS;
	options.sandbox_arguments = kind->sandbox;
	options.application.scim = kind->scim;
	options.application.pushes = PUSHES;
	options.application.per_ms = WINDOW;
	options.application.cycle_reserve = 1;
	options.application.cycle_ms = CYCLE;
	options.application.request_timeout_ms = SECOND;
	options.application.push_timeout_ms = PUSH_MS;
	options.application.checks_drift = true;
	options.application.users = "on_last_removal: deactivate";
	assert_int_equal(scene_open((void **)&run->world, &options), 0);
	assert_true(books_open(&run->books, run->world, standing));
	assert_true(sandbox_make_user(&run->world->sandbox, world_user_name(run->world, STRANGER)));
	scene_activate(run->world, &returner, run->returner);
	scene_wait(run->world, &returner, run->returner, "provisioned");
}

static int close_run(struct run *run)
{
	books_close(&run->books);
	return run->world != NULL ? scene_close((void **)&run->world) : 0;
}

static int setup(void **state)
{
	*state = calloc(COUNT(kinds), sizeof(struct run));
	return *state != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	struct run *runs = *state;
	int failed = 0;

	for (size_t i = 0; i < COUNT(kinds); i++)
		failed |= close_run(&runs[i]);
	free(runs);
	return failed;
}

/* -- turmoil ------------------------------------------------------------------------------------------------------- */

/* For a few seconds of the turmoil, or for an hour: longer than the test. */
static void somebody_comes(struct run *run, struct world_ask *ask)
{
	static const char *const durations[] = {"PT2S", "PT4S", "PT6S", "PT1H"};
	unsigned duration = chance(run, COUNT(durations));
	struct http_response response;

	if (clock_mono_ms() + (int64_t)(duration + 1) * 2 * SECOND > run->over_ms)
		duration = COUNT(durations) - 1;
	ask->duration = durations[duration];
	world_activate(run->world, ask, &response);
	run->asked++;
	if (response.status == 201) {
		run->granted++;
		books_extend(&run->books, ask->person, ask->group,
			     duration == COUNT(durations) - 1
				     ? BOOKS_FOREVER
				     : scene_time(&response, "provisioning.endDateTime"));
	} else if (response.status != 400) {
		fail_msg("activation: %d %s", response.status, buf_text(&response.body));
	}
	http_response_release(&response);
}

static void somebody_goes(struct run *run, const struct world_ask *ask)
{
	struct http_response response;

	world_deactivate(run->world, ask, &response);
	if (response.status == 201) {
		run->ended++;
		books_end(&run->books, ask->person, ask->group);
	} else if (response.status != 400) {
		fail_msg("deactivation: %d %s", response.status, buf_text(&response.body));
	}
	http_response_release(&response);
}

/* The next two, until all have had their time; the last part of the turmoil is without any. */
static void change_faults(struct run *run, int64_t now_ms)
{
	char rule[256];

	if (now_ms < run->fault_until_ms)
		return;
	run->fault_until_ms = now_ms + FAULT_LIFE;
	assert_true(sandbox_clear_faults(&run->world->sandbox));
	for (int i = 0; i < 2 && run->faults_seen < COUNT(faults); i++) {
		size_t which = run->order[run->faults_seen++];

		snprintf(rule, sizeof(rule), "%s chance %u %u -> %s", faults[which].requests,
			 faults[which].percent, chance(run, 1000000), faults[which].action);
		assert_true(sandbox_add_fault(&run->world->sandbox, rule));
	}
}

/* -- by hand ------------------------------------------------------------------------------------------------------- */

static void change_by_hand(const struct run *run, size_t person, size_t group, bool member)
{
	assert_true(sandbox_change_by_hand(&run->world->sandbox, world_group_name(run->world, group),
					   world_user_name(run->world, person), member));
}

static bool is_member(const struct run *run, size_t person, size_t group)
{
	return sandbox_is_member(&run->world->sandbox, world_group_name(run->world, group),
				 world_user_name(run->world, person));
}

/* Somebody is taken out: wanted or not, on their way in or out. */
static bool hand_takes(struct run *run, size_t person, size_t group)
{
	if (!is_member(run, person, group))
		return false;
	change_by_hand(run, person, group, false);
	run->taken++;
	return true;
}

static void hand_takes_one(struct run *run, size_t person, size_t group)
{
	for (size_t i = 0; i < PEOPLE; i++)
		if (hand_takes(run, (person + i) % PEOPLE, group))
			return;
}

/* That is nobody whom the broker knows: as the hand leaves it, so it stays. */
static void hand_moves_stranger(struct run *run, size_t group)
{
	bool member = !is_member(run, STRANGER, group);

	change_by_hand(run, STRANGER, group, member);
	if (member)
		books_extend(&run->books, STRANGER, group, BOOKS_FOREVER);
	else
		books_end(&run->books, STRANGER, group);
}

/* Before a cycle can have found them gone: what is done by hand after that is none of the broker's doing. */
static void hand_brings_back(struct run *run)
{
	if (clock_mono_ms() - run->returner_seen_ms > WINDOW / 2) {
		run->returns = MISSED;
		return;
	}
	change_by_hand(run, RETURNER, 0, true);
	run->brought++;
	run->returns = BACK;
}

/* They have it, give it back, and once they are removed they are brought back by hand. */
static void move_returner(struct run *run)
{
	struct world_ask ask = {.person = RETURNER};
	struct http_response response;

	if (run->returns == HOLDING) {
		somebody_goes(run, &ask);
		run->returns = LEAVING;
	}
	scene_look(run->world, &ask, run->returner, &response);
	if (strcmp(scene_text(&response, "provisioning.state"), "removed") == 0)
		hand_brings_back(run);
	run->returner_seen_ms = clock_mono_ms();
	http_response_release(&response);
}

static void by_hand(struct run *run)
{
	unsigned what = chance(run, 8);
	size_t person = chance(run, PEOPLE), group = chance(run, GROUPS);

	if (what < 2)
		hand_takes_one(run, person, group);
	else if (what == 2)
		hand_moves_stranger(run, group);
	if (run->returns < BACK)
		move_returner(run);
}

/* Of those who stay, some are taken out once more: nothing but a cycle's comparison brings them back. */
static void hand_takes_lasting(struct run *run)
{
	unsigned before = run->taken;

	for (size_t group = 0; group < GROUPS; group++)
		for (size_t person = 0, taken = 0; person < PEOPLE && taken < 2; person++)
			taken += books_until(&run->books, person, group) == BOOKS_FOREVER &&
				 hand_takes(run, person, group);
	assert_true(run->taken > before);
}

static void step(struct run *run)
{
	struct world_ask ask = {
		.broker = chance(run, 2), .person = chance(run, PEOPLE), .group = chance(run, GROUPS)};

	change_faults(run, clock_mono_ms());
	by_hand(run);
	if (chance(run, 10) < 7)
		somebody_comes(run, &ask);
	else
		somebody_goes(run, &ask);
}

/* -- the property -------------------------------------------------------------------------------------------------- */

struct since {
	const struct run *run;
	int64_t begun_ms;   /* cycles that began before are none of these */
	int64_t over_ms;    /* when one was over, by the monotonic clock; 0 = none is */
	int64_t pausing_ms; /* since then, for how long something has waited */
	int cycles;         /* whole ones, by the time all was right */
	bool right;
};

/* A cycle that found the application in quarantine, or that ended before it had looked at all, is not whole. */
static int whole_cycles(const struct since *since)
{
	struct http_response response;
	int records, whole = 0;
	char path[48];

	scene_get(since->run->world, 0, "/api/applications/app/cycles", &response);
	assert_int_equal(response.status, 200);
	records = cJSON_GetArraySize(http_json(&response, "value"));
	for (int i = 0; i < records; i++) {
		snprintf(path, sizeof(path), "value.%d.startedDateTime", i);
		if (scene_time(&response, path) < since->begun_ms)
			break;
		snprintf(path, sizeof(path), "value.%d.result", i);
		whole += strcmp(scene_text(&response, path), "completed") == 0;
	}
	http_response_release(&response);
	return whole;
}

static bool something_waits(const struct run *run)
{
	struct http_response response;
	int64_t waiting;

	scene_application(run->world, 0, &response);
	waiting = scene_number(&response, "waiting") + scene_number(&response, "removalsWaiting");
	http_response_release(&response);
	return waiting > 0;
}

/* What failed under a fault keeps its own pause, which no cycle shortens; a push that is under way then has its time to
 * end. Nothing else may take longer than the cycle. */
static void look(struct since *since)
{
	int64_t now_ms = clock_mono_ms();

	if (since->right || (since->cycles = whole_cycles(since)) == 0)
		return;
	if (since->over_ms == 0)
		since->over_ms = now_ms;
	if (something_waits(since->run) && now_ms - since->over_ms < BACKOFF)
		since->pausing_ms = now_ms - since->over_ms;
	else if (now_ms - since->over_ms - since->pausing_ms < PUSH_MS)
		since->right = books_right(&since->run->books);
	else
		assert_true(since->right = books_wait(&since->run->books, 0));
	if (since->right)
		printf("%s: right after %d whole cycle(s), %" PRId64 " ms after the first\n",
		       since->run->kind->name, since->cycles, now_ms - since->over_ms);
}

static bool all_are_right(void *ctx)
{
	struct since *all = ctx;
	bool right = true;

	for (size_t i = 0; i < COUNT(kinds); i++) {
		look(&all[i]);
		right = right && all[i].right;
	}
	return right;
}

/* The cycle begins when all that was confirmed lies a window back: what is younger none compares. */
static void expect_right_after_a_cycle(const struct run *runs)
{
	struct since all[COUNT(kinds)] = {0};

	for (size_t i = 0; i < COUNT(kinds); i++)
		all[i] = (struct since){.run = &runs[i], .begun_ms = clock_wall_ms() + WINDOW};
	assert_true(wait_until(all_are_right, all, CYCLE_OVER + BACKOFF + PUSH_MS));
}

static void was_right(const struct run *run)
{
	printf("%s: %u activations asked for, %u granted, %u given back; by hand %u taken out, %u brought "
	       "back\n",
	       run->kind->name, run->asked, run->granted, run->ended, run->taken, run->brought);
	assert_true(books_standing(&run->books));
	assert_true(books_throttled(&run->books, PUSHES, WINDOW));
}

/* On a machine that is too busy the turmoil lasts longer. */
static bool all_have_come(const struct run *runs)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (runs[i].granted < PEOPLE)
			return false;
	return true;
}

static void rage(struct run *runs)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		runs[i].over_ms = clock_mono_ms() + TURMOIL;
	while (clock_mono_ms() < runs[0].over_ms + (all_have_come(runs) ? 0 : 6 * TURMOIL)) {
		for (size_t i = 0; i < COUNT(kinds); i++)
			step(&runs[i]);
		wait_a_little(STEP_MS);
	}
	assert_true(all_have_come(runs));
	for (size_t i = 0; i < COUNT(kinds); i++)
		assert_true(sandbox_clear_faults(&runs[i].world->sandbox));
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (books_last_end(&runs[i].books) > clock_wall_ms())
			scene_wait_for(books_last_end(&runs[i].books));
}

static void converges(void **state)
{
	struct run *runs = *state;
	unsigned brought = 0;
	size_t user_changes = 0;

	printf("CONVERGENCE_SEED=%" PRIu64 "\n", seed());
	for (size_t i = 0; i < COUNT(kinds); i++)
		open_run(&runs[i], &kinds[i], i);
	rage(runs);
	expect_right_after_a_cycle(runs);
	for (size_t i = 0; i < COUNT(kinds); i++)
		hand_takes_lasting(&runs[i]);
	expect_right_after_a_cycle(runs);
	for (size_t i = 0; i < COUNT(kinds); i++) {
		was_right(&runs[i]);
		brought += runs[i].brought;
		user_changes += books_user_changes(&runs[i].books);
	}
	assert_true(brought > 0);
	assert_true(user_changes > 0);
	for (size_t i = 0; i < COUNT(kinds); i++)
		world_passed(runs[i].world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(converges, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
