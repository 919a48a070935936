/* Who is told of what changes, by whichever broker it was changed, and when the telling ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "tests/support/listener.h"
#include "tests/support/office.h"
#include "tests/support/scene_ask.h"
#include "tests/support/wait.h"

#define FLOOD     1800 /* more changes than a broker keeps, and than a socket takes */
#define MOST_EACH 16   /* streams of one caller (broker/api/events.c) */

static const char more[] = "auditors: {principals: [person4@example.com]}\n"
			   "timers: {principals: [person5@example.com]}\n"
			   "stop_timeout: 2m\n";

struct ears {
	struct world world;
	struct listener ears[MOST_EACH + 1];
};

static int make_ears(void **state)
{
	*state = calloc(1, sizeof(struct ears));
	return *state != NULL ? 0 : -1;
}

static int end_ears(void **state)
{
	struct ears *e = *state;
	bool clean = world_stop(&e->world);

	for (size_t i = 0; i < MOST_EACH + 1; i++)
		listener_close(&e->ears[i]);
	free(e);
	return clean ? 0 : -1;
}

static void open_world(struct ears *e, struct world_options *options)
{
	if (options->more == NULL)
		options->more = more;
	assert_true(world_start(&e->world, options));
}

/* Person `i` listens at that broker. */
static struct listener *listen_as(struct ears *e, size_t person, size_t broker, const char *last_id)
{
	struct listener *l = &e->ears[person];

	listener_open(l, &e->world.brokers[broker], world_token(&e->world, person), last_id);
	assert_int_equal(l->status, 200);
	return l;
}

static void expect(struct listener *l, const char *kind, const char *id, const char *rest)
{
	char text[256];

	snprintf(text, sizeof(text), "data: {\"id\":\"%s\",%s}", id, rest);
	if (!listener_wait(l, text, SCENE_PATIENCE)) {
		size_t skip = l->text.len > 500 ? l->text.len - 500 : 0;

		fail_msg("%s is not told: … %s", text, buf_text(&l->text) + skip);
	}
	snprintf(text, sizeof(text), "event: %s\n", kind);
	assert_true(listener_has(l, text));
}

static int post(const struct ears *e, size_t person, const char *path)
{
	struct http_response response;
	int status;

	broker_call(&e->world.brokers[0],
		    &(struct http_request){.method = "POST",
					   .url = path,
					   .body = "{}",
					   .bearer = world_token(&e->world, person)},
		    &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

#define GIVEN "\"status\":\"Provisioned\",\"state\":\"provisioned\""
#define ASKED "\"status\":\"PendingApproval\",\"state\":\"waiting\""

static void another_brokers_changes_are_told(void **state)
{
	struct ears *e = *state;
	struct world_options options = scene_defaults();
	struct listener *mine, *others;
	char id[ID_SIZE], other_id[ID_SIZE];

	options.brokers = 2;
	open_world(e, &options);
	mine = listen_as(e, 1, 1, NULL);
	others = listen_as(e, 2, 1, NULL);
	scene_activate(&e->world, &(struct world_ask){.person = 1, .justification = "a secret reason"}, id);
	expect(mine, "request", id, GIVEN);
	scene_activate(&e->world, &(struct world_ask){.person = 2}, other_id);
	expect(others, "request", other_id, GIVEN);
	assert_false(listener_has(others, id));
	assert_false(listener_has(mine, other_id));
	assert_false(listener_has(mine, "secret"));
	assert_false(listener_has(mine, "person1"));
	world_passed(&e->world);
}

/* It goes on where nothing happens, and what was said before is not said again. */
static void over_tls(void **state)
{
	struct ears *e = *state;
	struct world_options options = scene_defaults();
	struct listener *l;
	char id[ID_SIZE];

	options.tls = true;
	open_world(e, &options);
	l = listen_as(e, 1, 0, NULL);
	for (size_t i = 0; i < 2; i++) {
		scene_activate(&e->world, &(struct world_ask){.person = 1, .group = i}, id);
		expect(l, "request", id, GIVEN);
		listener_forget(l);
		assert_false(listener_wait(l, "data:", 2 * SECOND));
		assert_false(l->ended);
	}
	world_passed(&e->world);
}

/* What is told by one listener's own request comes last, so that what must not be told would have come before. */
static void who_is_told(void **state)
{
	struct ears *e = *state;
	struct world_options options = scene_defaults();
	struct listener *asker, *approver, *stranger, *operator, * auditor;
	char id[ID_SIZE], last[ID_SIZE];

	options.brokers = 2;
	options.lanes = 1;
	options.group.more = "      approval: {approvers: [person1@example.com], timeout: 1h}\n";
	open_world(e, &options);
	operator= listen_as(e, 0, 1, NULL);
	approver = listen_as(e, 1, 1, NULL);
	asker = listen_as(e, 2, 1, NULL);
	stranger = listen_as(e, 3, 1, NULL);
	auditor = listen_as(e, 4, 1, NULL);
	scene_activate(&e->world, &(struct world_ask){.person = 2}, id);
	expect(asker, "request", id, ASKED);
	expect(operator, "request", id, ASKED);
	expect(auditor, "request", id, ASKED);
	expect(approver, "approval", id, "\"status\":\"InProgress\"");
	assert_int_equal(scene_cancel(&e->world, 2, id), 204);
	expect(approver, "approval", id, "\"status\":\"Completed\"");
	assert_int_equal(post(e, 0, "/api/applications/app/pause"), 200);
	expect(operator, "application", "app", "\"event\":\"pause\"");
	expect(auditor, "application", "app", "\"event\":\"pause\"");
	scene_activate(&e->world, &(struct world_ask){.person = 3}, last);
	expect(stranger, "request", last, ASKED);
	assert_false(listener_has(stranger, id));
	assert_false(listener_has(stranger, "application"));
	assert_false(listener_has(stranger, "approval"));
	assert_false(listener_has(asker, "approval"));
	expect(approver, "approval", last, "\"status\":\"InProgress\"");
	assert_false(listener_has(approver, "request"));
	assert_false(listener_has(approver, "application"));
	/* Who approves does not approve what is their own. */
	listener_forget(approver);
	scene_activate(&e->world, &(struct world_ask){.person = 1}, id);
	expect(approver, "request", id, ASKED);
	assert_false(listener_has(approver, "approval"));
	scene_activate(&e->world, &(struct world_ask){.person = 2}, last);
	expect(approver, "approval", last, "\"status\":\"InProgress\"");
	world_passed(&e->world);
}

static void who_may_not_listen(void **state)
{
	struct ears *e = *state;
	struct world_options options = scene_defaults();
	struct listener *l = &e->ears[0];

	open_world(e, &options);
	listener_open(l, &e->world.brokers[0], world_token(&e->world, 5), NULL);
	assert_int_equal(l->status, 403);
	listener_close(l);
	listener_open(l, &e->world.brokers[0], "nobody's", NULL);
	assert_int_equal(l->status, 401);
	world_passed(&e->world);
}

/* At another broker, with what has happened meanwhile; or without, and then one is told so. */
static void who_comes_back_misses_nothing(void **state)
{
	struct ears *e = *state;
	struct world_options options = scene_defaults();
	struct listener *l;
	char id[3][ID_SIZE], last[32];

	options.brokers = 2;
	options.lanes = 1;
	options.groups = 3;
	open_world(e, &options);
	l = listen_as(e, 1, 0, NULL);
	scene_activate(&e->world, &(struct world_ask){.person = 1}, id[0]);
	expect(l, "request", id[0], GIVEN);
	listener_last_id(l, last);
	listener_close(l);
	for (size_t i = 1; i < 3; i++) {
		struct world_ask ask = {.person = 1, .group = i};

		scene_activate(&e->world, &ask, id[i]);
		scene_wait(&e->world, &ask, id[i], "provisioned");
	}
	l = listen_as(e, 1, 1, last);
	expect(l, "request", id[1], GIVEN);
	expect(l, "request", id[2], GIVEN);
	assert_false(listener_has(l, "event: anew"));
	listener_close(l);
	/* What is not kept any more. */
	for (int i = 0; i < 40; i++)
		assert_int_equal(post(e, 0, "/api/applications/app/restart"), 200);
	l = listen_as(e, 1, 1, "1");
	assert_true(listener_wait(l, "event: anew\n", SCENE_PATIENCE));
	listener_close(l);
	l = listen_as(e, 1, 0, "not-an-id");
	assert_true(listener_wait(l, "event: anew\n", SCENE_PATIENCE));
	world_passed(&e->world);
}

/* As after a restore from an older copy: the numbers begin again. */
static void what_is_lost_is_told(void **state)
{
	struct ears *e = *state;
	struct world_options options = scene_defaults();
	struct listener *l;
	char id[ID_SIZE];

	options.lanes = 1;
	open_world(e, &options);
	l = listen_as(e, 1, 0, NULL);
	scene_activate(&e->world, &(struct world_ask){.person = 1}, id);
	expect(l, "request", id, GIVEN);
	assert_false(listener_has(l, "event: anew"));
	assert_true(redis_server_do(&e->world.redis, "DEL {j0}:audit {j0}:audit:head"));
	assert_int_equal(post(e, 0, "/api/applications/app/pause"), 200);
	assert_true(listener_wait(l, "event: anew\n", SCENE_PATIENCE));
	listener_forget(l);
	scene_activate(&e->world, &(struct world_ask){.person = 1, .group = 1}, id);
	assert_true(listener_wait(l, id, SCENE_PATIENCE));
	world_passed(&e->world);
}

static void flood(const struct ears *e, size_t count)
{
	struct http_request *requests = calloc(count, sizeof(*requests));
	struct http_response *responses = calloc(count, sizeof(*responses));
	char url[256];

	assert_non_null(requests);
	assert_non_null(responses);
	snprintf(url, sizeof(url), "%s/api/applications/app/restart", e->world.brokers[0].root);
	for (size_t i = 0; i < count; i++)
		requests[i] = (struct http_request){
			.method = "POST", .url = url, .body = "{}", .bearer = world_token(&e->world, 0)};
	assert_true(http_many(requests, count, 16, responses));
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(responses[i].status, 200);
		http_response_release(&responses[i]);
	}
	free(requests);
	free(responses);
}

/* Nothing heaps up for one who does not read; once they do, they are told that some is missing, and then the rest. */
static void who_reads_slowly(void **state)
{
	struct ears *e = *state;
	struct world_options options = scene_defaults();
	struct listener *slow, *quick;
	char id[ID_SIZE];

	options.brokers = 2;
	options.application.pushes = 50;
	open_world(e, &options);
	slow = listen_as(e, 0, 1, NULL);
	quick = listen_as(e, 4, 1, NULL);
	for (int i = 0; i < 4; i++) {
		flood(e, FLOOD / 4);
		listener_forget(quick);
		scene_activate(&e->world, &(struct world_ask){.person = (size_t)i + 6}, id);
		expect(quick, "request", id, GIVEN);
		assert_false(listener_has(quick, "event: anew"));
	}
	assert_false(listener_has(slow, id));
	assert_true(listener_wait(slow, "event: anew\n", SCENE_PATIENCE));
	scene_activate(&e->world, &(struct world_ask){.person = 1}, id);
	expect(slow, "request", id, GIVEN);
	world_passed(&e->world);
}

/* Those who read and those who do not: a broker that stops waits for neither. */
static void a_broker_that_stops_ends_them(void **state)
{
	struct ears *e = *state;
	struct world_options options = scene_defaults();
	struct listener *slow, *quick;

	options.brokers = 2;
	open_world(e, &options);
	slow = listen_as(e, 0, 1, NULL);
	quick = listen_as(e, 1, 1, NULL);
	flood(e, FLOOD);
	assert_true(broker_stop(&e->world.brokers[1]));
	assert_true(listener_wait_end(quick, SCENE_PATIENCE));
	assert_true(quick->cleanly);
	assert_true(listener_wait_end(slow, SCENE_PATIENCE));
	assert_false(slow->cleanly);
	world_passed(&e->world);
}

static void a_reload_is_respected(void **state)
{
	struct ears *e = *state;
	struct world_options options = scene_defaults();
	struct listener *auditor;
	char id[ID_SIZE], mine[ID_SIZE];

	open_world(e, &options);
	auditor = listen_as(e, 4, 0, NULL);
	scene_activate(&e->world, &(struct world_ask){.person = 1}, id);
	expect(auditor, "request", id, GIVEN);
	e->world.config.more = "auditors: {principals: [person6@example.com]}\n";
	assert_true(scene_reload(&e->world, 0));
	assert_true(listener_wait_end(auditor, SCENE_PATIENCE));
	assert_true(auditor->cleanly);
	listener_close(auditor);
	auditor = listen_as(e, 4, 0, NULL);
	scene_activate(&e->world, &(struct world_ask){.person = 2}, id);
	scene_wait(&e->world, &(struct world_ask){.person = 2}, id, "provisioned");
	scene_activate(&e->world, &(struct world_ask){.person = 4}, mine);
	expect(auditor, "request", mine, GIVEN);
	assert_false(listener_has(auditor, id));
	world_passed(&e->world);
}

static bool has_place(void *ctx)
{
	struct ears *e = ctx;

	listener_close(&e->ears[0]);
	listener_open(&e->ears[0], &e->world.brokers[0], world_token(&e->world, 1), NULL);
	return e->ears[0].status == 200;
}

static void listeners_are_bounded(void **state)
{
	struct ears *e = *state;
	struct world_options options = scene_defaults();
	struct listener *last = &e->ears[MOST_EACH], others[4];
	const struct broker *broker;

	options.more = "connections: 40\n"; /* and half as many listeners */
	open_world(e, &options);
	broker = &e->world.brokers[0];
	for (size_t i = 0; i < MOST_EACH; i++) {
		listener_open(&e->ears[i], broker, world_token(&e->world, 1), NULL);
		assert_int_equal(e->ears[i].status, 200);
	}
	listener_open(last, broker, world_token(&e->world, 1), NULL);
	assert_int_equal(last->status, 429);
	assert_true(last->retry_after > 1);
	listener_close(last);
	for (size_t i = 0; i < 4; i++) {
		listener_open(&others[i], broker, world_token(&e->world, 2), NULL);
		assert_int_equal(others[i].status, 200);
	}
	listener_open(last, broker, world_token(&e->world, 2), NULL);
	assert_int_equal(last->status, 503);
	assert_true(last->retry_after > 1);
	listener_close(last);
	/* A place is free soon after one has gone. */
	listener_close(&e->ears[0]);
	assert_true(wait_until(has_place, e, SCENE_PATIENCE));
	for (size_t i = 0; i < 4; i++)
		listener_close(&others[i]);
	world_passed(&e->world);
}

static long long reads(const struct world *world)
{
	redisReply *reply = redis_server_command(&world->redis, "INFO commandstats");
	const char *found;
	long long calls;

	assert_non_null(reply);
	found = strstr(reply->str, "cmdstat_fcall_ro:calls=");
	calls = found != NULL ? strtoll(found + strlen("cmdstat_fcall_ro:calls="), NULL, 10) : 0;
	freeReplyObject(reply);
	return calls;
}

struct reading {
	const struct world *world;
	long long before;
};

static bool has_read(void *ctx)
{
	const struct reading *r = ctx;

	return reads(r->world) > r->before + 64;
}

static bool no_streams(void *ctx)
{
	const struct world *world = ctx;
	struct http_response response;
	bool none;

	broker_call(&world->brokers[0], &(struct http_request){.url = "/metrics"}, &response);
	none = strstr(buf_text(&response.body), "\njit_event_streams 0\n") != NULL;
	http_response_release(&response);
	return none;
}

/* Four times in a second each of 16 lanes is read while one listens, and never otherwise. */
static void nothing_is_read_for_nobody(void **state)
{
	struct ears *e = *state;
	struct world_options options = scene_defaults();
	struct reading r = {&e->world, 0};

	options.lanes = 16;
	open_world(e, &options);
	listen_as(e, 1, 0, NULL);
	r.before = reads(&e->world);
	assert_true(wait_until(has_read, &r, SCENE_PATIENCE));
	listener_close(&e->ears[1]);
	assert_true(wait_until(no_streams, &e->world, 60 * SECOND));
	r.before = reads(&e->world);
	assert_false(wait_until(has_read, &r, 2 * SECOND));
	world_passed(&e->world);
}

/* The broker takes a token for a minute longer than it says, as clocks may differ. */
static void a_token_ends(void **state)
{
	struct office *o = *state;
	struct listener l = {0};
	char wanted[256], *token;

	office_open(o);
	snprintf(wanted, sizeof(wanted), "{\"ttl\":600,\"age\":657}");
	token = office_token(o, wanted);
	listener_open(&l, &o->world.brokers[0], token, NULL);
	assert_int_equal(l.status, 200);
	assert_true(listener_wait_end(&l, OFFICE_WAIT_MS));
	assert_true(l.cleanly);
	assert_int_equal(office_status(o, token, OFFICE_MINE), 401);
	listener_close(&l);
	free(token);
	world_passed(&o->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define EARS(f) cmocka_unit_test_setup_teardown(f, make_ears, end_ears)
		EARS(another_brokers_changes_are_told),
		EARS(over_tls),
		EARS(who_is_told),
		EARS(who_may_not_listen),
		EARS(who_comes_back_misses_nothing),
		EARS(what_is_lost_is_told),
		EARS(who_reads_slowly),
		EARS(a_broker_that_stops_ends_them),
		EARS(a_reload_is_respected),
		EARS(listeners_are_bounded),
		EARS(nothing_is_read_for_nobody),
#undef EARS
		cmocka_unit_test_setup_teardown(a_token_ends, office_setup, office_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
