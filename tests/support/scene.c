/* Callers, time and configuration of a world under test. */
#include "tests/support/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/iso8601.h"
#include "tests/support/wait.h"

#define CYCLE_MIN_MS 20000
#define APP          "/api/applications/app"
#define MINE         PIM "assignmentScheduleRequests/filterByCurrentUser(on='principal')"
#define CYCLE_SLACK  20 /* how exactly a cycle's begin is met, in ms */
#define BODY_SIZE    512
#define URL_SIZE     256
#define RELOAD_MARK  "event=reload"
#define LOG_SIZE     (1024 * 1024)

struct world_options scene_defaults(void)
{
	struct world_options options = world_defaults();

	options.group.min_ms = SECOND;
	options.application.cycle_ms = SCENE_NEVER_MS;
	options.poll_ms = 100;
	return options;
}

int scene_open(void **state, const struct world_options *options)
{
	struct world *world = calloc(1, sizeof(*world));

	*state = world;
	return world != NULL && world_start(world, options) ? 0 : -1;
}

int scene_close(void **state)
{
	bool clean = world_stop(*state);

	free(*state);
	return clean ? 0 : -1;
}

/* -- callers ------------------------------------------------------------------------------------------------ */

struct crowd {
	struct http_request requests[SCENE_CROWD];
	struct http_response responses[SCENE_CROWD];
	char bodies[SCENE_CROWD][BODY_SIZE], urls[SCENE_CROWD][URL_SIZE];
};

static void write_activation(const struct world *world, const struct world_ask *ask, char *body, char *url)
{
	snprintf(url, URL_SIZE, "%s" PIM "assignmentScheduleRequests", world->brokers[ask->broker].root);
	snprintf(body, BODY_SIZE,
		 "{\"action\":\"selfActivate\",\"accessId\":\"member\",\"principalId\":\"%s\",\"groupId\":\"%"
		 "s\","
		 "\"justification\":\"the crowd "
		 "asks\",\"scheduleInfo\":{\"expiration\":{\"type\":\"afterDuration\","
		 "\"duration\":\"%s\"}}}",
		 world_person_id(world, ask->person), world_group_id(world, ask->group),
		 ask->duration == NULL ? "PT1H" : ask->duration);
}

void scene_activate_many(const struct world *world, const struct world_ask *asks, size_t count,
			 struct http_response *responses)
{
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	assert_non_null(crowd);
	assert_true(count <= SCENE_CROWD);
	for (size_t i = 0; i < count; i++) {
		write_activation(world, &asks[i], crowd->bodies[i], crowd->urls[i]);
		crowd->requests[i] = (struct http_request){.url = crowd->urls[i],
							   .body = crowd->bodies[i],
							   .bearer = world_token(world, asks[i].person)};
	}
	assert_true(http_many(crowd->requests, count, 32, crowd->responses));
	for (size_t i = 0; i < count; i++) {
		if (crowd->responses[i].status != 201)
			fprintf(stderr, "activation %zu: %s\n", i, buf_text(&crowd->responses[i].body));
		assert_int_equal(crowd->responses[i].status, 201);
		if (responses != NULL)
			responses[i] = crowd->responses[i];
		else
			http_response_release(&crowd->responses[i]);
	}
	free(crowd);
}

void scene_activate(const struct world *world, const struct world_ask *ask, char id[ID_SIZE])
{
	assert_true(world_activate_ok(world, ask, id));
}

void scene_wait(const struct world *world, const struct world_ask *ask, const char *id, const char *state)
{
	assert_true(world_wait_state(world, ask, id, state, SCENE_PATIENCE));
}

struct looked {
	const struct world *world;
	const struct world_ask *ask;
	const char *id;
};

static bool is_over(void *ctx)
{
	const struct looked *looked = ctx;
	struct http_response response;
	const char *at;
	bool over;

	scene_look(looked->world, looked->ask, looked->id, &response);
	at = scene_text(&response, "provisioning.state");
	over = strcmp(at, "removed") == 0 || strcmp(at, "failed") == 0;
	http_response_release(&response);
	return over;
}

void scene_wait_over(const struct world *world, const struct world_ask *ask, const char *id)
{
	struct looked looked = {world, ask, id};

	assert_true(wait_until(is_over, &looked, SCENE_PATIENCE));
}

void scene_look(const struct world *world, const struct world_ask *ask, const char *id,
		struct http_response *response)
{
	world_get_request(world, ask, id, response);
	assert_int_equal(response->status, 200);
}

void scene_get(const struct world *world, size_t person, const char *path, struct http_response *response)
{
	broker_call(&world->brokers[0],
		    &(struct http_request){.url = path, .bearer = world_token(world, person)}, response);
}

struct saying {
	const struct world *world;
	const char *path, *text;
	int status;
};

static bool is_said(void *ctx)
{
	const struct saying *saying = ctx;
	struct http_response response;
	bool said;

	scene_get(saying->world, 0, saying->path, &response);
	said = response.status == saying->status && strstr(buf_text(&response.body), saying->text) != NULL;
	http_response_release(&response);
	return said;
}

void scene_says(const struct world *world, const char *path, int status, const char *text)
{
	struct saying saying = {world, path, text, status};

	if (!wait_until(is_said, &saying, SCENE_PATIENCE))
		fail_msg("%s does not say %s", path, text);
}

int scene_cancel(const struct world *world, size_t person, const char *id)
{
	struct http_response response;
	char path[URL_SIZE];
	int status;

	snprintf(path, sizeof(path), PIM "assignmentScheduleRequests/%s/cancel", id);
	broker_call(
		&world->brokers[0],
		&(struct http_request){.method = "POST", .url = path, .bearer = world_token(world, person)},
		&response);
	status = response.status;
	http_response_release(&response);
	return status;
}

void scene_application(const struct world *world, size_t broker, struct http_response *response)
{
	broker_call(&world->brokers[broker],
		    &(struct http_request){.url = "/api/applications/app", .bearer = world_token(world, 0)},
		    response);
	assert_int_equal(response->status, 200);
}

static const cJSON *member(const struct http_response *response, const char *path)
{
	const cJSON *value = http_json(response, path);

	if (value == NULL)
		fprintf(stderr, "no %s in %s\n", path, buf_text(&response->body));
	assert_non_null(value);
	return value;
}

const char *scene_text(const struct http_response *response, const char *path)
{
	const char *text = cJSON_GetStringValue(member(response, path));

	if (text == NULL)
		fprintf(stderr, "%s is no string in %s\n", path, buf_text(&response->body));
	assert_non_null(text);
	return text;
}

int64_t scene_number(const struct http_response *response, const char *path)
{
	const cJSON *value = member(response, path);

	assert_true(cJSON_IsNumber(value));
	return (int64_t)value->valuedouble;
}

int64_t scene_time(const struct http_response *response, const char *path)
{
	struct errctx ec;
	int64_t ms;

	if (cJSON_IsNull(member(response, path)))
		return 0;
	assert_int_equal(iso8601_parse_time(scene_text(response, path), &ms, &ec), ERR_OK);
	return ms;
}

/* -- time and configuration --------------------------------------------------------------------------------- */

void scene_from_now(int64_t ms, char out[32])
{
	iso8601_format_time(clock_wall_ms() + ms, out);
}

static bool has_passed(void *ctx)
{
	return clock_wall_ms() >= *(const int64_t *)ctx;
}

void scene_wait_for(int64_t wall_ms)
{
	int64_t when = wall_ms;

	assert_true(wait_until(has_passed, &when, wall_ms - clock_wall_ms() + SCENE_PATIENCE));
}

/* What the broker has logged about reloads: how often, and how the last one went. */
struct reloads {
	const struct broker *broker;
	size_t wanted, count;
	bool taken;
};

static bool has_reloaded(void *ctx)
{
	struct reloads *reloads = ctx;
	FILE *file = fopen(reloads->broker->log_path, "rb");
	char line[1024];

	if (file == NULL) {
		fail_msg("%s cannot be read", reloads->broker->log_path);
		return false;
	}
	reloads->count = 0;
	while (fgets(line, sizeof(line), file) != NULL)
		if (strstr(line, RELOAD_MARK) != NULL) {
			reloads->count++;
			reloads->taken = strstr(line, "result=taken") != NULL;
		}
	fclose(file);
	return reloads->count >= reloads->wanted;
}

bool scene_reload(struct world *world, size_t broker)
{
	struct reloads reloads = {.broker = &world->brokers[broker]};

	has_reloaded(&reloads);
	reloads.wanted = reloads.count + 1;
	assert_true(broker_config_write(&world->config, world->brokers[broker].config_path));
	assert_int_equal(kill(world->brokers[broker].proc.pid, SIGHUP), 0);
	assert_true(wait_until(has_reloaded, &reloads, SCENE_PATIENCE));
	return reloads.taken;
}

/*
 * Cycles lie on a grid that the application's id shifts, the same for all brokers of all versions: the length is
 * chosen so that the grid meets the moment.
 */
static int64_t cycle_length_for(const char *application, int64_t when)
{
	unsigned char digest[SHA256_BYTES];
	uint64_t shift = 0;

	digest_sha256(application, strlen(application), digest);
	for (int i = 0; i < 6; i++)
		shift = shift << 8 | digest[i];
	for (int64_t length = CYCLE_MIN_MS;; length++) {
		int64_t phase = (int64_t)(shift % (uint64_t)length) / SECOND * SECOND;

		if ((when - phase) % length < CYCLE_SLACK)
			return length;
	}
}

static int64_t next_cycle(const struct world *world, size_t broker)
{
	struct http_response response;
	int64_t next;

	scene_application(world, broker, &response);
	next = scene_time(&response, "cycle.nextDateTime");
	http_response_release(&response);
	return next;
}

struct planned {
	const struct world *world;
	int64_t not_before, not_after, next;
};

static bool is_planned(void *ctx)
{
	struct planned *planned = ctx;

	planned->next = next_cycle(planned->world, 0);
	return planned->next >= planned->not_before && planned->next <= planned->not_after;
}

/* One try; false when the broker came to it only after that moment. */
static bool plan(struct world *world, int64_t ms, struct planned *planned)
{
	int64_t when = clock_wall_ms() + ms;

	*planned = (struct planned){world, when - CYCLE_SLACK, when + CYCLE_SLACK, 0};
	world->application.cycle_ms = cycle_length_for(world->application.id, when);
	for (size_t i = 0; i < world->broker_count; i++)
		assert_true(scene_reload(world, i));
	return wait_until(is_planned, planned, ms + 2 * SECOND);
}

int64_t scene_cycle_in(struct world *world, int64_t ms)
{
	struct planned planned = {.next = 0};
	bool is_there = false;

	assert_true(ms <= 15 * SECOND);
	for (int64_t lead = ms; !is_there && lead <= 16 * ms; lead *= 2)
		is_there = plan(world, lead, &planned);
	assert_true(is_there);
	return planned.next;
}

static bool no_cycle_runs(void *ctx)
{
	struct http_response response;
	bool none;

	scene_get(ctx, 0, APP "/cycles/current", &response);
	assert_int_equal(response.status, 200);
	none = cJSON_IsNull(http_json(&response, "current"));
	http_response_release(&response);
	return none;
}

void scene_wait_no_cycle(const struct world *world, int64_t timeout_ms)
{
	struct world copy = *world;

	assert_true(wait_until(no_cycle_runs, &copy, timeout_ms));
}

void scene_begin_cycle(const struct world *world)
{
	struct http_response response;

	broker_call(&world->brokers[0],
		    &(struct http_request){
			    .method = "POST", .url = APP "/cycles", .bearer = world_token(world, 0)},
		    &response);
	assert_int_equal(response.status, 202);
	http_response_release(&response);
}

void scene_cycle(const struct world *world)
{
	scene_begin_cycle(world);
	scene_wait_no_cycle(world, SCENE_PATIENCE);
}

static bool is_audit(const char *key)
{
	return strstr(key, "}:audit") != NULL || strstr(key, "}:rf:") != NULL;
}

static int by_name(const void *a, const void *b)
{
	const redisReply *const *one = a, *const *other = b;

	return strcmp((*one)->str, (*other)->str);
}

static void digest(const struct world *world, char out[SHA256_HEX])
{
	redisReply *keys = redis_server_command(&world->redis, "KEYS *"), *value;
	char all[8192] = "";
	size_t len = 0;

	assert_non_null(keys);
	assert_int_equal(keys->type, REDIS_REPLY_ARRAY);
	qsort(keys->element, keys->elements, sizeof(keys->element[0]), by_name);
	for (size_t i = 0; i < keys->elements; i++) {
		if (is_audit(keys->element[i]->str))
			continue;
		value = redis_server_command(&world->redis, "DEBUG DIGEST-VALUE %s", keys->element[i]->str);
		assert_non_null(value);
		assert_int_equal(value->elements, 1);
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s %s\n", keys->element[i]->str,
					value->element[0]->str);
		assert_true(len < sizeof(all));
		freeReplyObject(value);
	}
	freeReplyObject(keys);
	digest_sha256_hex(all, len, out);
}

/* A list is asked of Redis on the connection on which the broker's own calls went before it. */
static bool is_settled(void *ctx)
{
	const struct world *const *world_at = ctx, *world = *world_at;
	struct http_response response;
	char before[SHA256_HEX], after[SHA256_HEX];

	digest(world, before);
	scene_get(world, 0, MINE, &response);
	http_response_release(&response);
	digest(world, after);
	return strcmp(before, after) == 0;
}

void scene_digest(const struct world *world, char out[SHA256_HEX])
{
	assert_true(wait_until(is_settled, &world, SCENE_PATIENCE));
	digest(world, out);
}
