/*
 * Redis dies, or stands still, while many people ask: what was answered with 201 is there afterwards, what was not
 * is there whole or not at all, a repetition under the same Idempotency-Key makes no second request, and the
 * memberships follow. The brokers find their way back by themselves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "tests/support/aftermath.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define PEOPLE       150
#define AT_ONCE      24
#define CALL_TIMEOUT (2 * SECOND)
#define LENGTH_MS    (3600 * SECOND)
#define BEFORE_BREAK 60 /* records in Redis between one death and the next: in the middle of the crowd */
#define OF_ONE       7  /* records that one of them makes, at most */
#define BROKERS      2

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.brokers = BROKERS;
	options.people = PEOPLE;
	options.application.pushes = 1000;
	options.application.cycle_reserve = 10;
	options.application.push_timeout_ms = 5 * SECOND;
	options.redis_timeout_ms = CALL_TIMEOUT;
	return scene_open(state, &options);
}

/* -- the crowd ------------------------------------------------------------------------------------------------- */

struct crowd {
	struct world_ask asks[PEOPLE];
	char keys[PEOPLE][32];
	char ids[PEOPLE][ID_SIZE]; /* "" = not answered with 201 */
	size_t accepted, in_doubt;
	struct posting posting;
};

/* Everybody asks for the group, half of them each broker. */
static void crowd_begin(struct crowd *crowd, const struct world *world, size_t group)
{
	memset(crowd, 0, sizeof(*crowd));
	for (size_t i = 0; i < PEOPLE; i++) {
		snprintf(crowd->keys[i], sizeof(crowd->keys[i]), "key-%zu", group);
		crowd->asks[i] = (struct world_ask){.broker = i % BROKERS,
						    .person = i,
						    .group = group,
						    .idempotency_key = crowd->keys[i]};
	}
	assert_true(posting_begin(&crowd->posting, world, crowd->asks, PEOPLE, AT_ONCE));
}

/* 201, or an error that says that the store is away; nothing else. */
static void crowd_end(struct crowd *crowd)
{
	assert_true(posting_wait(&crowd->posting));
	for (size_t i = 0; i < PEOPLE; i++) {
		const struct http_response *r = &crowd->posting.responses[i];
		const char *id = http_json_text(r, "id");

		if (r->status != 201 && r->status != 503 && r->status != 504)
			fprintf(stderr, "%d %s %s\n", r->status, r->error, buf_text(&r->body));
		assert_true(r->status == 201 || r->status == 503 || r->status == 504);
		assert_true(r->status != 201 || id != NULL);
		snprintf(crowd->ids[i], ID_SIZE, "%s", r->status == 201 ? id : "");
		crowd->accepted += r->status == 201;
		crowd->in_doubt += r->status != 201;
	}
	posting_release(&crowd->posting);
}

struct record {
	const struct world *world;
	int64_t at_least;
};

static bool has_records(void *ctx)
{
	const struct record *record = ctx;
	struct redisReply *reply = redis_server_command(&record->world->redis, "DBSIZE");
	bool enough =
		reply != NULL && reply->type == REDIS_REPLY_INTEGER && reply->integer >= record->at_least;

	if (reply != NULL)
		freeReplyObject(reply);
	return enough;
}

static int64_t records(const struct world *world)
{
	struct redisReply *reply = redis_server_command(&world->redis, "DBSIZE");
	int64_t count;

	assert_non_null(reply);
	count = reply->integer;
	freeReplyObject(reply);
	return count;
}

/* More records than those make who ask at once: some have been answered, some are under way, some have not been sent. */
static void wait_middle(const struct world *world, int64_t before)
{
	struct record record = {world, before + AT_ONCE * OF_ONE};

	assert_true(wait_until(has_records, &record, SCENE_PATIENCE));
}

static void wait_brokers(const struct world *world)
{
	for (size_t i = 0; i < BROKERS; i++)
		assert_true(broker_wait_ready(&world->brokers[i], SCENE_PATIENCE));
}

/* -- what must be true afterwards ------------------------------------------------------------------------------ */

/* The request is there, with all that was asked, whichever broker is asked. */
static void expect_whole(const struct world *world, const struct crowd *crowd, size_t i)
{
	struct world_ask ask = crowd->asks[i];
	struct http_response response;
	int64_t start, end;

	ask.broker = (i + 1) % BROKERS;
	scene_look(world, &ask, crowd->ids[i], &response);
	assert_string_equal(scene_text(&response, "groupId"), world_group_id(world, ask.group));
	assert_string_equal(scene_text(&response, "principalId"), world_person_id(world, ask.person));
	assert_string_equal(scene_text(&response, "justification"), "the test asks");
	start = scene_time(&response, "scheduleInfo.startDateTime");
	end = scene_time(&response, "provisioning.endDateTime");
	assert_int_equal(end - start, LENGTH_MS);
	http_response_release(&response);
}

/* The same again, by the other broker: everybody has one request then, those who were answered the one they had. */
static void repeat_all(const struct world *world, struct crowd *crowd)
{
	struct posting again;

	for (size_t i = 0; i < PEOPLE; i++)
		crowd->asks[i].broker = (i + 1) % BROKERS;
	assert_true(posting_begin(&again, world, crowd->asks, PEOPLE, AT_ONCE));
	assert_true(posting_wait(&again));
	for (size_t i = 0; i < PEOPLE; i++) {
		const char *id = http_json_text(&again.responses[i], "id");

		if (again.responses[i].status != 201)
			fprintf(stderr, "%d %s\n", again.responses[i].status, again.responses[i].error);
		assert_int_equal(again.responses[i].status, 201);
		assert_non_null(id);
		if (crowd->ids[i][0] != '\0')
			assert_string_equal(crowd->ids[i], id);
		snprintf(crowd->ids[i], ID_SIZE, "%s", id);
	}
	posting_release(&again);
}

static void expect_kept(const struct world *world, struct crowd *crowd, int requests_each)
{
	wait_brokers(world);
	for (size_t i = 0; i < PEOPLE; i++)
		if (crowd->ids[i][0] != '\0')
			expect_whole(world, crowd, i);
	repeat_all(world, crowd);
	for (size_t i = 0; i < PEOPLE; i++) {
		expect_whole(world, crowd, i);
		assert_int_equal(count_requests(world, i % BROKERS, i), requests_each);
	}
	scene_wait_members(world, crowd->asks[0].group, PEOPLE);
	for (size_t i = 0; i < PEOPLE; i++)
		scene_wait(world, &crowd->asks[i], crowd->ids[i], "provisioned");
	assert_int_equal(audit_check(world), requests_each * PEOPLE);
}

/* -- the stories ----------------------------------------------------------------------------------------------- */

static void killed_and_back_at_once(void **state)
{
	struct world *world = *state;
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	assert_non_null(crowd);
	crowd_begin(crowd, world, 0);
	wait_middle(world, 0);
	assert_true(redis_server_restart(&world->redis));
	crowd_end(crowd);
	assert_true(crowd->accepted > 0);
	expect_kept(world, crowd, 1);
	free(crowd);
	world_passed(world);
}

static void killed_and_away_for_longer_than_a_call_may_take(void **state)
{
	struct world *world = *state;
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	assert_non_null(crowd);
	crowd_begin(crowd, world, 0);
	wait_middle(world, 0);
	redis_server_kill9(&world->redis);
	/* Everybody is answered although Redis is away. */
	crowd_end(crowd);
	assert_true(crowd->accepted > 0);
	assert_true(crowd->in_doubt > 0);
	assert_true(redis_server_restart(&world->redis));
	expect_kept(world, crowd, 1);
	free(crowd);
	world_passed(world);
}

/* Calls that were given up are carried out when it goes on: that must do no harm either. */
static void frozen_for_longer_than_a_call_may_take(void **state)
{
	struct world *world = *state;
	struct crowd *crowd = calloc(1, sizeof(*crowd));
	int64_t frozen_ms;

	assert_non_null(crowd);
	crowd_begin(crowd, world, 0);
	wait_middle(world, 0);
	redis_server_freeze(&world->redis);
	frozen_ms = clock_wall_ms();
	crowd_end(crowd);
	assert_true(crowd->accepted > 0);
	assert_true(crowd->in_doubt > 0);
	scene_wait_for(frozen_ms + CALL_TIMEOUT + SECOND);
	redis_server_thaw(&world->redis);
	expect_kept(world, crowd, 1);
	free(crowd);
	world_passed(world);
}

/* Several deaths one after the other, while the groups are asked for in turn. */
static void killed_again_and_again(void **state)
{
	struct world *world = *state;
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	assert_non_null(crowd);
	for (size_t group = 0; group < 2; group++) {
		int64_t before = records(world);

		crowd_begin(crowd, world, group);
		for (int deaths = 1; deaths <= 3; deaths++) {
			struct record record = {world, before + deaths * BEFORE_BREAK};

			assert_true(wait_until(has_records, &record, SCENE_PATIENCE));
			assert_true(redis_server_restart(&world->redis));
		}
		crowd_end(crowd);
		expect_kept(world, crowd, (int)group + 1);
	}
	free(crowd);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(killed_and_back_at_once, open_world, scene_close),
		cmocka_unit_test_setup_teardown(killed_and_away_for_longer_than_a_call_may_take, open_world,
						scene_close),
		cmocka_unit_test_setup_teardown(frozen_for_longer_than_a_call_may_take, open_world,
						scene_close),
		cmocka_unit_test_setup_teardown(killed_again_and_again, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
