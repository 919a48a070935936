/*
 * Idempotency-Key on every POST: the same key and body get the same answer again, and what was asked is done once;
 * another body is refused, whatever lane and path it is about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define APPS     8
#define OPERATOR 0
#define APP_PATH "/api/applications/app"

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	options.brokers = 2;
	options.groups = APPS;
	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	return scene_open(state, &options);
}

struct post {
	size_t broker, person;
	const char *path, *key, *body;
};

/* The status; the answer's text in `text`, and no more of it than fits. */
static int send_post(const struct world *world, const struct post *post, char text[1024])
{
	struct http_response response;
	char header[300], after[16];
	int status;

	snprintf(header, sizeof(header), "Idempotency-Key: %s", post->key);
	broker_call(&world->brokers[post->broker],
		    &(struct http_request){.method = "POST",
					   .url = post->path,
					   .body = post->body,
					   .bearer = world_token(world, post->person),
					   .headers = {header}},
		    &response);
	status = response.status;
	snprintf(text, 1024, "%s", buf_text(&response.body));
	if (status == 422)
		assert_string_equal(scene_text(&response, "error.code"), "IdempotencyKeyReused");
	if (status == 409 && strstr(text, "IdempotencyKeyInUse") != NULL)
		assert_true(http_header(&response, "Retry-After", after, sizeof(after)));
	http_response_release(&response);
	return status;
}

static void expect(const struct world *world, const struct post *post, int status)
{
	char text[1024];

	if (send_post(world, post, text) != status)
		fail_msg("%s %s: %s", post->path, post->key, text);
}

static bool is_paused(const struct world *world)
{
	struct http_response response;
	bool paused;

	scene_application(world, 0, &response);
	paused = strcmp(scene_text(&response, "health"), "paused") == 0;
	http_response_release(&response);
	return paused;
}

/* What was done under a key is not done again, also by another broker, when others have done something else since. */
static void what_was_done_is_not_done_again(void **state)
{
	struct world *world = *state;
	struct post pause = {.path = APP_PATH "/pause", .key = "one", .body = "{}"};
	struct post resume = {.path = APP_PATH "/resume", .key = "two", .body = "{}"};
	char first[1024], again[1024];

	assert_int_equal(send_post(world, &pause, first), 200);
	assert_true(is_paused(world));
	expect(world, &resume, 200);
	pause.broker = 1;
	assert_int_equal(send_post(world, &pause, again), 200);
	assert_string_equal(again, first);
	assert_false(is_paused(world));
	pause.body = "{\"removals\":true}";
	expect(world, &pause, 422);
	/* A key is about one path, and one caller. */
	resume.key = "one";
	expect(world, &resume, 422);
	resume.person = 1;
	expect(world, &resume, 403);
	assert_false(is_paused(world));
	pause.key = "three";
	expect(world, &pause, 200);
	assert_true(is_paused(world));
	world_passed(world);
}

/* One key, and groups of applications in several lanes: one request. */
static void one_key_is_one_request(void **state)
{
	static struct broker_application applications[APPS];
	static struct broker_group groups[APPS];
	static char ids[APPS][16];
	struct world *world = *state;
	struct world_ask ask = {.person = 3, .duration = "PT1H", .idempotency_key = "only"};
	struct http_response response;
	char id[ID_SIZE];

	for (size_t i = 0; i < APPS; i++) {
		snprintf(ids[i], sizeof(ids[i]), "app-%zu", i);
		applications[i] = world->application;
		applications[i].id = ids[i];
		groups[i] = world->config.groups[i];
		groups[i].application = ids[i];
	}
	world->config.applications = applications;
	world->config.application_count = APPS;
	world->config.groups = groups;
	assert_true(scene_reload(world, 0));
	scene_activate(world, &ask, id);
	for (ask.group = 1; ask.group < APPS; ask.group++) {
		world_activate(world, &ask, &response);
		assert_int_equal(response.status, 422);
		http_response_release(&response);
	}
	scene_get(world, ask.person, PIM "assignmentScheduleRequests/filterByCurrentUser(on='principal')",
		  &response);
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "value")), 1);
	assert_string_equal(scene_text(&response, "value.0.id"), id);
	http_response_release(&response);
	world_passed(world);
}

struct answered {
	const struct world *world;
	const struct post *post;
	char text[1024];
};

static bool is_answered(void *ctx)
{
	struct answered *a = ctx;

	return send_post(a->world, a->post, a->text) == 200;
}

/* While it is done, who asks again is told to wait; when it is done, they get the answer that nobody was there to hear. */
static void it_is_done_once(void **state)
{
	struct world *world = *state;
	struct world_ask ann = {.person = 1};
	struct scene_changes changes;
	struct http_response response;
	struct answered first = {.world = world}, again = {.world = world};
	char id[ID_SIZE], body[256];

	scene_activate(world, &ann, id);
	scene_wait(world, &ann, id, "provisioned");
	assert_true(sandbox_change_by_hand(&world->sandbox, "group-0", world_user_name(world, 1), false));
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Groups once -> hang"));
	snprintf(body, sizeof(body), "{\"principalId\":\"%s\",\"groupId\":\"%s\"}", world_person_id(world, 1),
		 world_group_id(world, 0));
	struct post provision = {.path = APP_PATH "/provision", .key = "now", .body = body};

	broker_call(&world->brokers[0],
		    &(struct http_request){.url = provision.path,
					   .body = body,
					   .bearer = world_token(world, OPERATOR),
					   .headers = {"Idempotency-Key: now"},
					   .timeout_ms = 300},
		    &response);
	assert_int_equal(response.status, 0);
	http_response_release(&response);
	scene_wait_hung(world, 1);
	provision.broker = 1;
	expect(world, &provision, 409);
	assert_true(sandbox_release_hung(&world->sandbox));
	first.post = again.post = &provision;
	assert_true(wait_until(is_answered, &first, SCENE_PATIENCE));
	assert_true(is_answered(&again));
	assert_string_equal(again.text, first.text);
	assert_non_null(strstr(first.text, "\"result\":\"done\""));
	scene_changes(world, &changes);
	assert_int_equal(changes.adds, 2); /* the activation's, and this one's */
	world_passed(world);
}

/* What is refused has done nothing: it is looked at anew, and the key stays what it is. */
static void a_refusal_is_not_kept(void **state)
{
	struct world *world = *state;
	struct post cycle = {.path = APP_PATH "/cycles", .key = "turn", .body = "{}"};
	struct post pause = {.path = APP_PATH "/pause", .key = "p", .body = "{}"};
	struct post resume = {.path = APP_PATH "/resume", .key = "r", .body = "{}"};

	expect(world, &pause, 200);
	expect(world, &cycle, 409);
	expect(world, &resume, 200);
	expect(world, &cycle, 202);
	cycle.body = "{\"a\":1}";
	expect(world, &cycle, 422);
	cycle.key = "two words";
	expect(world, &cycle, 400);
	world_passed(world);
}

static bool is_hook(const char *path)
{
	return strncmp(path, "/hooks/", 7) == 0;
}

/* The path with something in the place of its variables. */
static void fill(const char *path, char out[256])
{
	size_t used = 0;

	for (const char *at = path; *at != '\0' && used < 250; at++) {
		if (*at == '{') {
			out[used++] = 'x';
			at = strchr(at, '}');
		} else {
			out[used++] = *at;
		}
	}
	out[used] = '\0';
}

/* Whatever becomes of the first one: each path that can be posted to minds what its key was used for. */
static void every_post_minds_its_key(void **state)
{
	struct world *world = *state;
	struct http_response description;
	const cJSON *path;
	char filled[256], key[64], text[1024];
	unsigned posts = 0, hooks = 0;

	scene_get(world, OPERATOR, "/openapi.json", &description);
	cJSON_ArrayForEach(path, http_json(&description, "paths")) {
		struct post post = {.path = filled, .key = key, .body = "{\"a\":1}"};

		if (cJSON_GetObjectItemCaseSensitive(path, "post") == NULL)
			continue;
		fill(path->string, filled);
		snprintf(key, sizeof(key), "key-%u", posts++);
		if (is_hook(path->string)) {
			/* Who signs has signed nothing here; a key does not let them in, nor keep them out. */
			hooks++;
			expect(world, &post, 404);
			post.body = "{\"a\":2}";
			expect(world, &post, 404);
			continue;
		}
		send_post(world, &post, text);
		post.body = "{\"a\":2}";
		expect(world, &post, 422);
	}
	assert_int_equal(hooks, 2);
	assert_true(posts > 15);
	http_response_release(&description);
	world_passed(world);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_done_is_not_done_again), TEST(one_key_is_one_request),   TEST(it_is_done_once),
		TEST(a_refusal_is_not_kept),           TEST(every_post_minds_its_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
