/* Eligibility is taken away while it is made use of, by another broker: one order of events, and no grant behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "tests/support/scene_ask.h"

#define ROUNDS 200
#define LANES  16

static int open_world(void **state)
{
	static const char *const other[] = {"person11@example.com", NULL};
	static const struct broker_group groups[] = {{.eligible = other}};
	struct world_options options = scene_defaults();

	options.brokers = 2;
	options.each_group = groups;
	options.groups = 1;
	options.lanes = LANES;
	return scene_open(state, &options);
}

static bool is_about(const redisReply *fields, const char *id)
{
	for (size_t i = 0; i + 1 < fields->elements; i += 2)
		if (strcmp(fields->element[i]->str, "r") == 0)
			return strcmp(fields->element[i + 1]->str, id) == 0;
	return false;
}

/* The number of the first, or the last, audit event about that request; 0 = there is none. */
static long long find_event(const struct world *world, const char *id, bool last)
{
	long long found = 0;

	for (int lane = 0; lane < LANES; lane++) {
		redisReply *events = redis_server_command(&world->redis, "XRANGE {j%d}:audit - +", lane);

		assert_non_null(events);
		for (size_t i = 0; i < events->elements && (last || found == 0); i++)
			if (is_about(events->element[i]->element[1], id))
				found = strtoll(events->element[i]->element[0]->str, NULL, 10);
		freeReplyObject(events);
	}
	return found;
}

struct pair {
	char urls[2][256], bodies[2][512];
	struct http_request requests[2]; /* the activation, the removal */
	struct http_response responses[2];
};

static void prepare(const struct world *world, struct pair *p, size_t person, int seconds)
{
	snprintf(p->urls[0], sizeof(p->urls[0]), "%s" PIM "assignmentScheduleRequests",
		 world->brokers[0].root);
	snprintf(p->urls[1], sizeof(p->urls[1]), "%s" PIM "eligibilityScheduleRequests",
		 world->brokers[1].root);
	snprintf(p->bodies[0], sizeof(p->bodies[0]),
		 "{\"action\":\"selfActivate\",\"accessId\":\"member\",\"groupId\":\"%s\",\"justification\":"
		 "\"why\","
		 "\"scheduleInfo\":{\"expiration\":{\"duration\":\"PT%dS\"}}}",
		 world_group_id(world, 0), seconds);
	snprintf(p->bodies[1], sizeof(p->bodies[1]),
		 "{\"action\":\"adminRemove\",\"accessId\":\"member\",\"principalId\":\"%s\",\"groupId\":\"%"
		 "s\"}",
		 world_person_id(world, person), world_group_id(world, 0));
	for (int i = 0; i < 2; i++)
		p->requests[i] = (struct http_request){.url = p->urls[i],
						       .bearer = world_token(world, i == 0 ? person : 0),
						       .body = p->bodies[i]};
}

/* At once; now and then one after the other, so that both outcomes are surely seen. */
static void send_pair(struct pair *p, int round)
{
	int first = round % 10;

	if (first > 1) {
		assert_true(http_many(p->requests, 2, 2, p->responses));
		return;
	}
	http_call(&p->requests[first], &p->responses[first]);
	http_call(&p->requests[1 - first], &p->responses[1 - first]);
}

/* Was it granted? Then before the removal, by the order in which all is written. */
static bool judge(const struct world *world, const struct pair *p, const char *eligibility)
{
	long long granted, removed;

	assert_int_equal(p->responses[1].status, 201);
	if (p->responses[0].status != 201) {
		assert_string_equal(scene_text(&p->responses[0], "error.details.0.rule"), "EligibilityRule");
		return false;
	}
	granted = find_event(world, scene_text(&p->responses[0], "id"), false);
	removed = find_event(world, eligibility, true);
	assert_true(granted > 0 && granted < removed);
	return true;
}

static void nothing_is_granted_behind_a_removal(void **state)
{
	struct world *world = *state;
	struct scene_ask assign = {
		.eligibility = true,
		.action = "adminAssign",
		.schedule = "{\"expiration\":{\"type\":\"noExpiration\"}}",
	};
	struct pair *p = calloc(1, sizeof(*p));
	int granted = 0;

	assert_non_null(p);
	for (int round = 0; round < ROUNDS; round++) {
		char given[ID_SIZE];

		assign.person = 1 + (size_t)round % 10;
		scene_ask_ok(world, &assign, given);
		prepare(world, p, assign.person, 600 + round);
		send_pair(p, round);
		granted += judge(world, p, given);
		http_response_release(&p->responses[0]);
		http_response_release(&p->responses[1]);
	}
	free(p);
	fprintf(stderr, "%d of %d granted\n", granted, ROUNDS);
	assert_in_range(granted, ROUNDS / 10, ROUNDS - ROUNDS / 10);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_granted_behind_a_removal, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
