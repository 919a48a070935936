/* Users of the application: checked before anything is sent, kept in line by the cycle, and what becomes of them when the
 * last membership is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "tests/support/sandbox_log.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define APP   "/api/applications/app"
#define PATCH "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":["

static int open_with(void **state, const char *users)
{
	struct world_options options = scene_defaults();

	options.application.pushes = 40;
	options.application.per_ms = SECOND;
	options.application.users = users;
	return scene_open(state, &options);
}

static int open_deactivating(void **state)
{
	return open_with(state, "on_last_removal: deactivate");
}

static int open_deleting(void **state)
{
	return open_with(state, "on_last_removal: delete");
}

static int open_keeping(void **state)
{
	return open_with(state, NULL);
}

static int open_idle(void **state)
{
	return open_with(state, "update: false");
}

static int open_unfit(void **state)
{
	return open_with(state,
			 "attributes: {userName: user_name, name.givenName: given_name, name.familyName: "
			 "family_name, displayName: '\"a<b\"'}");
}

/* -- the application ------------------------------------------------------------------------------------------------ */

/* The person's user there: 200 with the first hit, whose `path` is copied; "" when there is none. */
static void user_text(const struct world *world, size_t person, const char *path, char out[128])
{
	struct http_response response;
	char query[256], at[96];
	const cJSON *value;

	snprintf(query, sizeof(query), "/Users?filter=userName%%20eq%%20%%22%s%%22",
		 world_user_name(world, person));
	sandbox_scim(&world->sandbox, "GET", query, NULL, &response);
	assert_int_equal(response.status, 200);
	snprintf(at, sizeof(at), "Resources.0.%s", path);
	value = http_json(&response, at);
	snprintf(out, 128, "%s",
		 cJSON_IsString(value)  ? cJSON_GetStringValue(value)
		 : cJSON_IsTrue(value)  ? "true"
		 : cJSON_IsFalse(value) ? "false"
					: "");
	http_response_release(&response);
}

static void expect_user(const struct world *world, size_t person, const char *path, const char *text)
{
	char has[128];

	user_text(world, person, path, has);
	assert_string_equal(has, text);
}

/* Somebody changes the user there by hand: `operations` of a PATCH. */
static void change_by_hand(const struct world *world, size_t person, const char *operations)
{
	struct http_response response;
	char id[128], path[192], body[512];

	user_text(world, person, "id", id);
	snprintf(path, sizeof(path), "/Users/%s", id);
	snprintf(body, sizeof(body), PATCH "%s]}", operations);
	sandbox_scim(&world->sandbox, "PATCH", path, body, &response);
	assert_int_equal(response.status / 100, 2);
	http_response_release(&response);
}

/* How many requests of users' there were so far. */
static size_t requests(const struct world *world, const char *method)
{
	struct sandbox_log log;
	size_t count;

	assert_true(sandbox_log_read(world->sandbox.requests_path, &log));
	count = sandbox_log_count(&log, method, "/scim/v2/Users/");
	sandbox_log_release(&log);
	return count;
}

/* The body of the last PATCH of the person's user. */
static void last_patch(const struct world *world, size_t person, char out[512])
{
	struct sandbox_log log;
	char id[128];

	user_text(world, person, "id", id);
	out[0] = '\0';
	assert_true(sandbox_log_read(world->sandbox.requests_path, &log));
	for (size_t i = 0; i < log.count; i++) {
		if (strcmp(log.entries[i].method, "PATCH") != 0 || strstr(log.entries[i].path, id) == NULL)
			continue;
		assert_true(cJSON_PrintPreallocated(log.entries[i].body, out, 512, false));
	}
	sandbox_log_release(&log);
}

/* -- the broker ------------------------------------------------------------------------------------------------------ */

struct stay {
	struct world_ask ask;
	char id[ID_SIZE]; /* of the request */
};

static void join(const struct world *world, struct stay *stay)
{
	scene_activate(world, &stay->ask, stay->id);
	scene_wait(world, &stay->ask, stay->id, "provisioned");
}

static void leave(const struct world *world, const struct stay *stay)
{
	struct http_response response;

	world_deactivate(world, &stay->ask, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	scene_wait(world, &stay->ask, stay->id, "removed");
}

/* The newest entry of the person's provisioning log. */
static void expect_log(const struct world *world, size_t person, const char *action, const char *result)
{
	struct http_response response;
	char path[160];

	snprintf(path, sizeof(path), "/api/provisioning-log?person=%s", world_person_id(world, person));
	scene_get(world, 0, path, &response);
	assert_string_equal(scene_text(&response, "value.0.action"), action);
	assert_string_equal(scene_text(&response, "value.0.result"), result);
	http_response_release(&response);
}

static void expect_audit(const struct world *world, const char *event, size_t wanted)
{
	struct http_response response;
	char name[64];
	size_t count = 0;

	snprintf(name, sizeof(name), "\"event\":\"%s\"", event);
	scene_get(world, 0, "/api/audit", &response);
	assert_int_equal(response.status, 200);
	for (const char *at = buf_text(&response.body); (at = strstr(at, name)) != NULL; at++)
		count++;
	http_response_release(&response);
	assert_int_equal(count, wanted);
}

/* -- before anything is sent ------------------------------------------------------------------------------------------ */

static void what_is_not_taken_is_not_sent(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1};
	struct http_response response;
	struct sandbox_log log;
	char id[ID_SIZE];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "failed");
	scene_look(world, &ask, id, &response);
	assert_string_equal(
		scene_text(&response, "provisioning.lastError"),
		"the attribute displayName is \"a<b\", but the application takes none of < > ; : % tab "
		"newline return in it");
	http_response_release(&response);
	assert_true(sandbox_log_read(world->sandbox.requests_path, &log));
	assert_int_equal(log.count, 0);
	sandbox_log_release(&log);
	world_passed(world);
}

/* -- attributes ------------------------------------------------------------------------------------------------------- */

static void differences_are_sent(void **state)
{
	struct stay ann = {.ask = {.person = 1}}, bob = {.ask = {.person = 2}}, cyd = {.ask = {.person = 3}};
	struct world *world = *state;
	char body[512];

	assert_true(sandbox_make_user(&world->sandbox, world_user_name(world, 2)));
	assert_true(sandbox_make_user(&world->sandbox, world_user_name(world, 3)));
	join(world, &ann);
	join(world, &bob);
	join(world, &cyd);
	leave(world, &cyd);
	change_by_hand(world, 1, "{\"op\":\"replace\",\"path\":\"name.familyName\",\"value\":\"Other\"}");
	change_by_hand(world, 1, "{\"op\":\"add\",\"path\":\"title\",\"value\":\"Dr\"}");
	change_by_hand(world, 3, "{\"op\":\"replace\",\"path\":\"name.familyName\",\"value\":\"Other\"}");
	size_t before = requests(world, "PATCH");
	scene_cycle(world);
	expect_user(world, 1, "name.familyName", "Family");
	expect_user(world, 1, "title", "Dr");
	/* Found there, and holding something. */
	expect_user(world, 2, "name.familyName", "Family");
	/* Of others, and holding nothing. */
	expect_user(world, 3, "name.familyName", "Other");
	assert_int_equal(requests(world, "PATCH"), before + 2);
	expect_log(world, 1, "update", "done");
	expect_audit(world, "user_updated", 2);
	last_patch(world, 1, body);
	assert_string_equal(body,
			    PATCH "{\"op\":\"replace\",\"path\":\"name.familyName\",\"value\":\"Family\"}]}");
	/* Nothing differs any more. */
	before = requests(world, "PATCH");
	scene_cycle(world);
	assert_int_equal(requests(world, "PATCH"), before);
	assert_true(requests(world, "GET") > 0);
	world_passed(world);
}

/* The file of people changes while they hold something; a name that only stands in for another is no name. */
static void names_of_the_file_are_sent(void **state)
{
	struct stay ann = {.ask = {.person = 1}};
	struct world *world = *state;
	struct broker_person people[12];

	join(world, &ann);
	change_by_hand(world, 1, "{\"op\":\"replace\",\"path\":\"displayName\",\"value\":\"Ann of Ops\"}");
	assert_int_equal(world->config.people_count, 12);
	memcpy(people, world->config.people, sizeof(people));
	people[1].given_name = "Ann";
	world->config.people = people;
	assert_true(scene_reload(world, 0));
	scene_cycle(world);
	expect_user(world, 1, "name.givenName", "Ann");
	expect_user(world, 1, "displayName", "Ann of Ops");
	world_passed(world);
}

static void updates_can_be_left_to_others(void **state)
{
	struct stay ann = {.ask = {.person = 1}};
	struct world *world = *state;

	join(world, &ann);
	change_by_hand(world, 1, "{\"op\":\"replace\",\"path\":\"name.familyName\",\"value\":\"Other\"}");
	scene_cycle(world);
	expect_user(world, 1, "name.familyName", "Other");
	assert_int_equal(requests(world, "GET"), 0);
	world_passed(world);
}

/* -- the last membership ---------------------------------------------------------------------------------------------- */

/* In the application's condition and among this broker's metrics. */
static void expect_figures(const struct world *world, int64_t created, const char *change)
{
	struct http_response response;
	char text[64];

	scene_application(world, 0, &response);
	snprintf(text, sizeof(text), "users.%s", change);
	assert_int_equal(scene_number(&response, "users.created"), created);
	assert_int_equal(scene_number(&response, text), 1);
	http_response_release(&response);
	scene_get(world, 0, "/metrics", &response);
	snprintf(text, sizeof(text), "\njit_users_total{change=\"%s\"} 1\n", change);
	assert_non_null(strstr(buf_text(&response.body), text));
	http_response_release(&response);
}

static void is_deactivated_and_comes_back(void **state)
{
	struct stay ann = {.ask = {.person = 1}}, too = {.ask = {.person = 1, .group = 1}};
	struct world *world = *state;
	char before[128], after[128];

	join(world, &ann);
	join(world, &too);
	user_text(world, 1, "id", before);
	leave(world, &ann);
	scene_cycle(world);
	/* Something is held still. */
	expect_user(world, 1, "active", "true");
	leave(world, &too);
	scene_cycle(world);
	expect_user(world, 1, "active", "false");
	expect_log(world, 1, "deactivate", "done");
	expect_audit(world, "user_created", 1);
	expect_audit(world, "user_deactivated", 1);
	/* Once is enough. */
	size_t patches = requests(world, "PATCH");
	scene_cycle(world);
	assert_int_equal(requests(world, "PATCH"), patches);
	join(world, &ann);
	expect_user(world, 1, "active", "true");
	user_text(world, 1, "id", after);
	assert_string_equal(before, after);
	expect_audit(world, "user_reactivated", 1);
	expect_figures(world, 1, "deactivated");
	world_passed(world);
}

static void is_deleted_and_created_anew(void **state)
{
	struct stay ann = {.ask = {.person = 1}};
	struct world *world = *state;
	char before[128], after[128];

	join(world, &ann);
	user_text(world, 1, "id", before);
	leave(world, &ann);
	expect_user(world, 1, "active", "true");
	scene_cycle(world);
	expect_user(world, 1, "id", "");
	expect_log(world, 1, "delete", "done");
	expect_audit(world, "user_deleted", 1);
	join(world, &ann);
	user_text(world, 1, "id", after);
	assert_string_not_equal(after, "");
	assert_string_not_equal(before, after);
	expect_figures(world, 2, "deleted");
	world_passed(world);
}

/* Whom somebody else made stays, and so does who was given another group by somebody else. */
static void others_are_left_alone(void **state)
{
	struct stay ann = {.ask = {.person = 1}}, bob = {.ask = {.person = 2}};
	struct world *world = *state;

	assert_true(sandbox_make_user(&world->sandbox, world_user_name(world, 1)));
	join(world, &ann);
	leave(world, &ann);
	join(world, &bob);
	leave(world, &bob);
	assert_true(sandbox_change_by_hand(&world->sandbox, "group-1", world_user_name(world, 2), true));
	scene_cycle(world);
	expect_user(world, 1, "active", "true");
	expect_user(world, 2, "active", "true");
	expect_log(world, 2, "delete", "kept");
	assert_int_equal(requests(world, "DELETE"), 0);
	world_passed(world);
}

static void keeping_touches_nobody(void **state)
{
	struct stay ann = {.ask = {.person = 1}};
	struct world *world = *state;

	join(world, &ann);
	leave(world, &ann);
	scene_cycle(world);
	expect_user(world, 1, "active", "true");
	assert_int_equal(requests(world, "DELETE") + requests(world, "PATCH"), 0);
	world_passed(world);
}

/* Who asks while the user is being deleted waits for that, and is made a member of the new one. */
static void asks_while_being_deleted(void **state)
{
	struct stay ann = {.ask = {.person = 1}};
	struct world *world = *state;
	struct http_response response;
	char id[ID_SIZE];

	join(world, &ann);
	leave(world, &ann);
	assert_true(sandbox_add_fault(&world->sandbox, "DELETE /Users once -> hang"));
	broker_call(&world->brokers[0],
		    &(struct http_request){
			    .method = "POST", .url = APP "/cycles", .bearer = world_token(world, 0)},
		    &response);
	assert_int_equal(response.status, 202);
	http_response_release(&response);
	scene_wait_hung(world, 1);
	world_activate(world, &ann.ask, &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(scene_text(&response, "provisioning.state"), "waiting");
	snprintf(id, sizeof(id), "%s", scene_text(&response, "id"));
	http_response_release(&response);
	assert_true(sandbox_release_hung(&world->sandbox));
	scene_wait(world, &ann.ask, id, "provisioned");
	assert_true(sandbox_is_member(&world->sandbox, "group-0", world_user_name(world, 1)));
	world_passed(world);
}

/* The answer to the deactivation is lost: whoever comes back is made active all the same. */
static void lost_answer_of_an_end(void **state)
{
	struct stay ann = {.ask = {.person = 1}}, bob = {.ask = {.person = 2}};
	struct world *world = *state;

	join(world, &ann);
	leave(world, &ann);
	join(world, &bob);
	leave(world, &bob);
	assert_true(sandbox_add_fault(&world->sandbox, "PATCH /Users -> close after"));
	scene_cycle(world);
	assert_true(sandbox_clear_faults(&world->sandbox));
	join(world, &ann);
	expect_user(world, 1, "active", "true");
	scene_cycle(world);
	expect_user(world, 1, "active", "true");
	expect_user(world, 2, "active", "false");
	expect_audit(world, "user_deactivated", 1);
	world_passed(world);
}

#define WORLD(f, open) cmocka_unit_test_setup_teardown(f, open, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(what_is_not_taken_is_not_sent, open_unfit),
		WORLD(differences_are_sent, open_keeping),
		WORLD(names_of_the_file_are_sent, open_keeping),
		WORLD(updates_can_be_left_to_others, open_idle),
		WORLD(is_deactivated_and_comes_back, open_deactivating),
		WORLD(is_deleted_and_created_anew, open_deleting),
		WORLD(others_are_left_alone, open_deleting),
		WORLD(keeping_touches_nobody, open_keeping),
		WORLD(asks_while_being_deleted, open_deleting),
		WORLD(lost_answer_of_an_end, open_deactivating),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
