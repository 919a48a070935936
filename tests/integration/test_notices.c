/*
 * Webhooks that really leave the broker, as a receiver sees them that checks signatures with the reference library: each
 * event arrives, also when the receiver was away, when the broker was killed, and when two brokers share the work.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>

#include "tests/support/receivers.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define SECRET "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
#define NEXT   "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="
#define ANN    3
#define LEAD   1

struct notices_world {
	struct world world;
	struct receiver receiver;
	char secret[32], next[32], more[2048];
};

static bool write_secret(char path[32], const char *secret)
{
	int fd;

	snprintf(path, 32, "/tmp/jit-whsec-XXXXXX");
	fd = mkstemp(path);
	return fd >= 0 && write(fd, secret, strlen(secret)) == (ssize_t)strlen(secret) && close(fd) == 0;
}

static int begin(void **state)
{
	static const char *const secrets[] = {SECRET, NEXT, NULL};
	struct notices_world *w = calloc(1, sizeof(*w));

	*state = w;
	return w != NULL && write_secret(w->secret, SECRET) && write_secret(w->next, NEXT) &&
			       receiver_start(&w->receiver, secrets)
		       ? 0
		       : -1;
}

static int end(void **state)
{
	struct notices_world *w = *state;
	bool clean = world_stop(&w->world);

	receiver_end(&w->receiver);
	unlink(w->secret);
	unlink(w->next);
	free(w);
	return clean ? 0 : -1;
}

/* A world whose receiver is told `events` ("" = all); groups ask for an approval where `approval` says so. */
static void open_world(struct notices_world *w, size_t brokers, const char *events, const char *approval)
{
	struct world_options options = scene_defaults();

	snprintf(w->more, sizeof(w->more),
		 "notices:\n  ending_before: 3s\n  overdue_after: 1s\n  webhooks:\n"
		 "    - {name: desk, url: \"%s/hook/desk\", secret: \"file:%s\", next_secret: \"file:%s\",\n"
		 "       allow_private: true%s}\n",
		 w->receiver.url, w->secret, w->next, events);
	options.more = w->more;
	options.brokers = brokers;
	options.lanes = 2;
	options.group.more = approval;
	assert_true(world_start(&w->world, &options));
}

/* -- what the receiver has ---------------------------------------------------------------------------------- */

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return text != NULL ? text : "";
}

/* Every message that came was signed by both secrets. */
static void expect_signed(const struct http_response *received)
{
	const cJSON *message;

	cJSON_ArrayForEach(message, http_json(received, "messages")) {
		assert_true(cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(message, "verified")));
		assert_string_equal(text_of(message, "hook"), "desk");
	}
}

/* How many messages of that type were taken; '' = of any; the last of them in `last`. */
static size_t count_of(const struct http_response *received, const char *type, const cJSON **last)
{
	const cJSON *message;
	size_t count = 0;

	cJSON_ArrayForEach(message, http_json(received, "messages")) {
		const cJSON *body = cJSON_GetObjectItemCaseSensitive(message, "body");
		int answered = cJSON_GetObjectItemCaseSensitive(message, "answered")->valueint;

		if (answered < 200 || answered > 299 ||
		    (type[0] != '\0' && strcmp(text_of(body, "type"), type) != 0))
			continue;
		count++;
		if (last != NULL)
			*last = body;
	}
	return count;
}

/* No message was taken twice. */
static void expect_once(const struct http_response *received)
{
	const cJSON *messages = http_json(received, "messages");
	int count = cJSON_GetArraySize(messages);

	for (int i = 0; i < count; i++)
		for (int k = 0; k < i; k++) {
			const cJSON *a = cJSON_GetArrayItem(messages, i),
				    *b = cJSON_GetArrayItem(messages, k);

			if (strcmp(text_of(a, "id"), text_of(b, "id")) == 0 &&
			    cJSON_GetObjectItemCaseSensitive(a, "answered")->valueint == 204 &&
			    cJSON_GetObjectItemCaseSensitive(b, "answered")->valueint == 204)
				fail_msg("%s was taken twice", text_of(a, "id"));
		}
}

/* Waits until the receiver has been asked at least so often. */
static void wait_asked(const struct notices_world *w, int wanted)
{
	for (int i = 0; i < SCENE_PATIENCE / 20; i++) {
		struct http_response received;
		int count;

		receiver_received(&w->receiver, &received);
		count = cJSON_GetArraySize(http_json(&received, "messages"));
		http_response_release(&received);
		if (count >= wanted)
			return;
		wait_a_little(20);
	}
	fail_msg("the receiver was not asked %d times", wanted);
}

static void ask_notices(const struct notices_world *w, struct http_response *response)
{
	scene_get(&w->world, 0, "/api/notices", response);
	assert_int_equal(response->status, 200);
}

/* Waits until one delivery is in that state; its id. */
static void wait_delivery(const struct notices_world *w, const char *delivery_state, char id[ID_SIZE])
{
	for (int i = 0; i < SCENE_PATIENCE / 20; i++) {
		struct http_response response;
		const char *found;

		ask_notices(w, &response);
		found = http_json_text(&response, "value.0.state");
		if (found != NULL && strcmp(found, delivery_state) == 0 &&
		    http_json_text(&response, "value.0.lastAnswer") != NULL) {
			snprintf(id, ID_SIZE, "%s", http_json_text(&response, "value.0.id"));
			http_response_release(&response);
			return;
		}
		http_response_release(&response);
		wait_a_little(20);
	}
	fail_msg("no delivery is %s", delivery_state);
}

/* Waits until each of five deliveries has been tried so often, and that is written down. */
static void wait_attempts(const struct notices_world *w, int attempts)
{
	for (int i = 0; i < SCENE_PATIENCE / 20; i++) {
		struct http_response response;
		const cJSON *delivery;
		int ready = 0;

		ask_notices(w, &response);
		cJSON_ArrayForEach(delivery, http_json(&response, "value")) {
			ready += cJSON_GetObjectItemCaseSensitive(delivery, "attempts")->valueint == attempts;
		}
		http_response_release(&response);
		if (ready == 5)
			return;
		wait_a_little(20);
	}
	fail_msg("not all deliveries have been tried %d times", attempts);
}

static int order(const struct notices_world *w, size_t person, const char *id, const char *word)
{
	struct http_response response;
	char url[128];
	int status;

	snprintf(url, sizeof(url), "/api/notices/%s/%s", id, word);
	broker_call(&w->world.brokers[0],
		    &(struct http_request){
			    .method = "POST", .url = url, .bearer = world_token(&w->world, person)},
		    &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

/* -- stories ------------------------------------------------------------------------------------------------ */

static void approve(const struct world *world, const char *id)
{
	struct http_response response;
	char url[256];

	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s/stages", id);
	scene_get(world, LEAD, url, &response);
	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s/stages/%s", id,
		 http_json_text(&response, "value.0.id"));
	http_response_release(&response);
	broker_call(&world->brokers[0],
		    &(struct http_request){.method = "PATCH",
					   .url = url,
					   .bearer = world_token(world, LEAD),
					   .body = "{\"reviewResult\":\"Approve\",\"justification\":\"go\"}"},
		    &response);
	assert_int_equal(response.status, 204);
	http_response_release(&response);
}

/* A whole life: asked for, approved, active, near its end, ended; each told once, with what belongs to it. */
static void test_life(void **state)
{
	static const char *const types[] = {"approval.requested", "approval.decided",
					    "activation.provisioned", "activation.ending",
					    "activation.ended"};
	struct notices_world *w = *state;
	const struct world_ask ask = {
		.person = ANN, .duration = "PT5S", .justification = "the secret reason"};
	struct http_response response;
	const cJSON *body = NULL;
	char id[ID_SIZE];

	open_world(w, 1, "", "      approval: {approvers: [person1@example.com]}\n");
	scene_activate(&w->world, &ask, id);
	approve(&w->world, id);
	assert_true(receiver_wait(&w->receiver, 5, SCENE_PATIENCE));
	receiver_received(&w->receiver, &response);
	expect_signed(&response);
	expect_once(&response);
	assert_null(strstr(buf_text(&response.body), "the secret reason"));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_int_equal(count_of(&response, types[i], &body), 1);
		body = cJSON_GetObjectItemCaseSensitive(body, "data");
		assert_string_equal(text_of(body, "requestId"), id);
		assert_string_equal(text_of(body, "userName"), world_user_name(&w->world, ANN));
		assert_string_equal(text_of(body, "groupDisplayName"), world_group_name(&w->world, 0));
	}
	assert_int_equal(count_of(&response, "approval.decided", &body), 1);
	body = cJSON_GetObjectItemCaseSensitive(body, "data");
	assert_string_equal(text_of(body, "decision"), "Approve");
	assert_string_equal(text_of(body, "decidedBy"), world_user_name(&w->world, LEAD));
	http_response_release(&response);
	ask_notices(w, &response);
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "value")), 0);
	http_response_release(&response);
	world_passed(&w->world);
}

/* Away for an hour; then everything arrives, each under the id of its first attempt. */
static void test_away_for_an_hour(void **state)
{
	struct notices_world *w = *state;
	struct http_response response;
	char id[ID_SIZE];

	open_world(w, 1, ", events: [activation.provisioned]", NULL);
	assert_true(receiver_answer(&w->receiver, "{\"status\":503}"));
	for (size_t person = 1; person <= 5; person++)
		scene_activate(&w->world, &(struct world_ask){.person = person, .duration = "PT2H"}, id);
	wait_asked(w, 5);
	/* 5 s, 5 min and 30 min after the attempt before, with up to a fifth of it in addition. */
	for (int round = 2; round <= 4; round++) {
		static const int64_t pauses_ms[] = {7000, 400000, 2200000};

		wait_attempts(w, round - 1);
		assert_true(notices_pass(&w->world, pauses_ms[round - 2]));
		wait_asked(w, 5 * round);
	}
	wait_attempts(w, 4);
	assert_true(receiver_answer(&w->receiver, "{\"status\":204}"));
	assert_true(notices_pass(&w->world, 9000000));
	assert_true(receiver_wait(&w->receiver, 5, SCENE_PATIENCE));
	receiver_received(&w->receiver, &response);
	expect_signed(&response);
	expect_once(&response);
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "messages")), 25);
	for (int i = 20; i < 25; i++) {
		const cJSON *messages = http_json(&response, "messages");
		int tries = 0;

		for (int k = 0; k < 25; k++)
			tries += strcmp(text_of(cJSON_GetArrayItem(messages, i), "id"),
					text_of(cJSON_GetArrayItem(messages, k), "id")) == 0;
		assert_int_equal(tries, 5);
	}
	http_response_release(&response);
	world_passed(&w->world);
}

/* The broker is killed while the receiver has the message and has not answered. */
static void test_killed_on_the_way(void **state)
{
	struct notices_world *w = *state;
	struct http_response response;
	char id[ID_SIZE];

	open_world(w, 1, ", events: [activation.provisioned]", NULL);
	assert_true(receiver_answer(&w->receiver, "{\"hang\":true}"));
	scene_activate(&w->world, &(struct world_ask){.person = ANN, .duration = "PT2H"}, id);
	wait_asked(w, 1);
	broker_kill9(&w->world.brokers[0]);
	assert_true(receiver_answer(&w->receiver, "{\"status\":204}"));
	assert_true(broker_restart(&w->world.brokers[0]));
	assert_true(notices_pass(&w->world, 60000));
	assert_true(receiver_wait(&w->receiver, 1, SCENE_PATIENCE));
	receiver_received(&w->receiver, &response);
	expect_signed(&response);
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "messages")), 2);
	assert_string_equal(http_json_text(&response, "messages.0.id"),
			    http_json_text(&response, "messages.1.id"));
	http_response_release(&response);
	world_passed(&w->world);
}

static void test_two_brokers(void **state)
{
	struct notices_world *w = *state;
	struct world_ask asks[12];
	struct http_response response;

	open_world(w, 2, ", events: [activation.provisioned, activation.deferred]", NULL);
	for (size_t i = 0; i < 12; i++)
		asks[i] = (struct world_ask){.broker = i % 2, .person = i, .duration = "PT2H"};
	scene_activate_many(&w->world, asks, 12, NULL);
	assert_true(receiver_wait(&w->receiver, 12, SCENE_PATIENCE));
	receiver_received(&w->receiver, &response);
	expect_signed(&response);
	expect_once(&response);
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "messages")), 12);
	assert_int_equal(count_of(&response, "activation.provisioned", NULL), 5);
	assert_int_equal(count_of(&response, "activation.deferred", NULL), 7);
	http_response_release(&response);
	world_passed(&w->world);
}

/* As many deliveries as a target may have wait for it already; `lane` has room for alarms only. */
static void fill(const struct notices_world *w, unsigned lane)
{
	redisReply *reply;
	char key[32];

	snprintf(key, sizeof(key), "{j%u}:nq:hook:desk", lane);
	reply = redis_server_command(
		&w->world.redis, "EVAL %s 1 %s",
		"for i = 1, 10000 do redis.call('ZADD', KEYS[1], '9e12', 'x' .. i) end return 1", key);
	assert_non_null(reply);
	assert_int_equal(reply->integer, 1);
	freeReplyObject(reply);
}

/* Who fills the room of a receiver that is away does not keep it from learning that the glass was broken. */
static void test_full(void **state)
{
	struct notices_world *w = *state;
	struct http_response response;
	char body[512];

	open_world(w, 1, ", events: [approval.requested, breakglass.used]",
		   "      approval: {approvers: [person1@example.com]}\n"
		   "      break_glass: {principals: [person3@example.com]}\n");
	fill(w, 0);
	fill(w, 1);
	world_activate(&w->world, &(struct world_ask){.person = 4}, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	snprintf(
		body, sizeof(body),
		"{\"accessId\":\"member\",\"action\":\"selfActivate\",\"breakGlass\":true,\"groupId\":\"%s\","
		"\"justification\":\"fire\"}",
		world_group_id(&w->world, 0));
	broker_call(&w->world.brokers[0],
		    &(struct http_request){.method = "POST",
					   .url = PIM "assignmentScheduleRequests",
					   .bearer = world_token(&w->world, 3),
					   .body = body},
		    &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	assert_true(receiver_wait(&w->receiver, 1, SCENE_PATIENCE));
	receiver_received(&w->receiver, &response);
	assert_int_equal(count_of(&response, "breakglass.used", NULL), 1);
	assert_int_equal(count_of(&response, "approval.requested", NULL), 0);
	http_response_release(&response);
	ask_notices(w, &response);
	assert_int_equal(http_json(&response, "targets.0.lost")->valueint, 1);
	http_response_release(&response);
	world_passed(&w->world);
}

/* 410: parked where operators see it, and sent again when they say so. */
static void test_gone(void **state)
{
	struct notices_world *w = *state;
	struct http_response response;
	char id[ID_SIZE], request[ID_SIZE];

	open_world(w, 1, ", events: [activation.provisioned]", NULL);
	assert_true(receiver_answer(&w->receiver, "{\"status\":410}"));
	scene_activate(&w->world, &(struct world_ask){.person = ANN, .duration = "PT2H"}, request);
	wait_delivery(w, "parked", id);
	ask_notices(w, &response);
	assert_true(cJSON_IsTrue(http_json(&response, "targets.0.disabled")));
	assert_string_equal(http_json_text(&response, "targets.0.name"), "hook:desk");
	assert_string_equal(http_json_text(&response, "value.0.event"), "activation.provisioned");
	assert_string_equal(http_json_text(&response, "value.0.requestId"), request);
	assert_string_equal(http_json_text(&response, "value.0.lastAnswer"), "The receiver answered 410.");
	http_response_release(&response);
	assert_true(receiver_answer(&w->receiver, "{\"status\":204}"));
	assert_int_equal(order(w, ANN, id, "send"), 403);
	assert_int_equal(order(w, 0, id, "send"), 204);
	assert_true(receiver_wait(&w->receiver, 1, SCENE_PATIENCE));
	wait_asked(w, 2);
	assert_int_equal(order(w, 0, "00000000-0000-8000-8000-000000000000", "send"), 404);
	scene_get(&w->world, ANN, "/api/notices", &response);
	assert_int_equal(response.status, 403);
	http_response_release(&response);
	world_passed(&w->world);
}

/* An address of our own network is not called unless that is allowed, and nothing else waits for it. */
static void test_private_address(void **state)
{
	struct notices_world *w = *state;
	struct world_options options = scene_defaults();
	struct http_response response;
	char id[ID_SIZE], request[ID_SIZE];

	snprintf(w->more, sizeof(w->more),
		 "notices:\n  webhooks:\n"
		 "    - {name: inside, url: \"https://%s/hook/inside\", secret: \"file:%s\"}\n"
		 "    - {name: desk, url: \"%s/hook/desk\", secret: \"file:%s\", next_secret: \"file:%s\", "
		 "allow_private: true}\n",
		 w->receiver.url + strlen("http://"), w->secret, w->receiver.url, w->secret, w->next);
	options.more = w->more;
	assert_true(world_start(&w->world, &options));
	scene_activate(&w->world, &(struct world_ask){.person = ANN, .duration = "PT2H"}, request);
	assert_true(receiver_wait(&w->receiver, 1, SCENE_PATIENCE));
	wait_delivery(w, "waiting", id);
	ask_notices(w, &response);
	assert_string_equal(http_json_text(&response, "value.0.target"), "hook:inside");
	assert_string_equal(
		http_json_text(&response, "value.0.lastAnswer"),
		"No answer: its address is not in the public network, and allow_private is not set.");
	http_response_release(&response);
	assert_int_equal(order(w, 0, id, "discard"), 204);
	ask_notices(w, &response);
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "value")), 0);
	http_response_release(&response);
	world_passed(&w->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, begin, end),
		cmocka_unit_test_setup_teardown(test_away_for_an_hour, begin, end),
		cmocka_unit_test_setup_teardown(test_killed_on_the_way, begin, end),
		cmocka_unit_test_setup_teardown(test_two_brokers, begin, end),
		cmocka_unit_test_setup_teardown(test_gone, begin, end),
		cmocka_unit_test_setup_teardown(test_full, begin, end),
		cmocka_unit_test_setup_teardown(test_private_address, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
