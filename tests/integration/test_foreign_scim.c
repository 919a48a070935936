/*
 * SCIM servers of other people as the application: SCIMMY, which adds a member twice when asked twice and answers a
 * removal by value from an empty group with 400, and better-auth's, whose members must exist. At the end of each story
 * the server's own state, past all SCIM, is what is desired. Both forms of removal; users are deactivated with the one,
 * deleted with the other.
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
#include "tests/support/foreign_scim.h"
#include "tests/support/sandbox_log.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define APP      "/api/applications/app"
#define STANDING "standing@example.com" /* a member of every group, by somebody else's hand */
#define MISSING  7                      /* the last group: made by the broker */
#define BATCH    8
#define WINDOW   SECOND
#define MORE                                                                                                 \
	"    groups: {create: true, rename: true}\n"                                                         \
	"    test: {group: canaries, users: [canary-1@example.com, canary-2@example.com]}\n"

struct office {
	struct world *world;
	struct foreign_scim server;
	bool deletes; /* users who have nothing left */
	bool once;    /* the server lets nobody be created again whom it has deleted */
};

static int open_office(void **state, const char *server, const char *scim, bool deletes)
{
	struct office *office = calloc(1, sizeof(*office));
	struct world_options options = scene_defaults();
	char name[32];

	assert_non_null(office);
	*state = office;
	office->deletes = deletes;
	office->once = strcmp(server, "better-auth") == 0;
	if (!foreign_scim_start(&office->server, server) ||
	    !foreign_scim_make_user(&office->server, STANDING) ||
	    !foreign_scim_make_group(&office->server, "canaries"))
		return -1;
	for (int i = 0; i < MISSING; i++) {
		snprintf(name, sizeof(name), "group-%d", i);
		if (!foreign_scim_make_group(&office->server, name) ||
		    !foreign_scim_join(&office->server, name, STANDING))
			return -1;
	}
	options.groups = MISSING + 1;
	options.people = 16;
	options.application.url = office->server.url;
	options.application.scim = scim;
	options.application.more = MORE;
	options.application.users = deletes ? "on_last_removal: delete" : "on_last_removal: deactivate";
	options.application.checks_drift = true;
	options.application.pushes = 200; /* the throttle has tests of its own */
	options.application.per_ms = WINDOW;
	options.application.cycle_reserve = 10;
	return scene_open((void **)&office->world, &options);
}

static int close_office(void **state)
{
	struct office *office = *state;
	int closed = scene_close((void **)&office->world);

	foreign_scim_end(&office->server);
	free(office);
	return closed;
}

#define DIALECT "      dialect: rfc7644\n"

static int scimmy_by_filter(void **state)
{
	return open_office(state, "scimmy", DIALECT, false);
}

static int scimmy_by_value(void **state)
{
	return open_office(state, "scimmy", DIALECT "      removal: value\n", true);
}

static int better_auth_by_filter(void **state)
{
	return open_office(state, "better-auth", DIALECT, false);
}

static int better_auth_by_value(void **state)
{
	return open_office(state, "better-auth", DIALECT "      removal: value\n", true);
}

/* -- small steps --------------------------------------------------------------------------------------------------- */

static void activate(const struct office *office, const struct world_ask *ask, char id[ID_SIZE])
{
	scene_activate(office->world, ask, id);
	scene_wait(office->world, ask, id, "provisioned");
}

static void deactivate(const struct office *office, const struct world_ask *ask, const char *id)
{
	struct http_response response;

	world_deactivate(office->world, ask, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	scene_wait(office->world, ask, id, "removed");
}

/* By the operator. Release the response. */
static void post(const struct office *office, const char *path, const char *body,
		 struct http_response *response)
{
	broker_call(
		&office->world->brokers[0],
		&(struct http_request){
			.method = "POST", .url = path, .body = body, .bearer = world_token(office->world, 0)},
		response);
}

/* A whole one. What was confirmed within the last window it does not compare. */
static void cycle(struct office *office)
{
	scene_wait_for(clock_wall_ms() + WINDOW + 20);
	scene_cycle(office->world);
}

static void expect_user(const struct office *office, size_t person, const char *path, const char *text)
{
	char has[128];

	foreign_scim_user_text(&office->server, world_user_name(office->world, person), path, has);
	assert_string_equal(has, text);
}

static int entries(const struct office *office, size_t group, size_t person)
{
	return foreign_scim_entries(&office->server, world_group_name(office->world, group),
				    world_user_name(office->world, person));
}

/* The standing member and so many others, each once. */
static void expect_members(const struct office *office, size_t group, int others)
{
	const char *name = world_group_name(office->world, group);

	assert_int_equal(foreign_scim_entries(&office->server, name, STANDING), 1);
	assert_int_equal(foreign_scim_members(&office->server, name), 1 + others);
}

/* -- stories --------------------------------------------------------------------------------------------------------- */

/* First: before that nothing is pushed. */
static void connection_is_proved(void **state)
{
	const struct office *office = *state;
	struct http_response response;

	post(office, APP "/test", NULL, &response);
	if (response.status != 200 || !cJSON_IsTrue(http_json(&response, "passed")))
		fail_msg("%d %s", response.status, buf_text(&response.body));
	assert_true(cJSON_IsTrue(http_json(&response, "proved")));
	http_response_release(&response);
	assert_int_equal(foreign_scim_members(&office->server, "canaries"), 0);
}

static void one_of_several_is_removed(void **state)
{
	const struct office *office = *state;
	struct world_ask one = {.person = 1}, two = {.person = 2}, three = {.person = 3};
	char ids[3][ID_SIZE];

	activate(office, &one, ids[0]);
	activate(office, &two, ids[1]);
	activate(office, &three, ids[2]);
	expect_members(office, 0, 3);
	deactivate(office, &two, ids[1]);
	expect_members(office, 0, 2);
	assert_int_equal(entries(office, 0, 2), 0);
}

static void an_activation_ends(void **state)
{
	const struct office *office = *state;
	struct world_ask ask = {.person = 1, .group = 1, .duration = "PT2S"};
	char id[ID_SIZE];

	activate(office, &ask, id);
	expect_members(office, 1, 1);
	scene_wait(office->world, &ask, id, "removed");
	expect_members(office, 1, 0);
}

static void overlapping_ones_add_up(void **state)
{
	const struct office *office = *state;
	struct world_ask brief = {.person = 1, .group = 2, .duration = "PT2S"};
	struct world_ask longer = {.person = 1, .group = 2};
	char brief_id[ID_SIZE], longer_id[ID_SIZE];

	activate(office, &brief, brief_id);
	activate(office, &longer, longer_id);
	scene_wait(office->world, &brief, brief_id, "removed");
	expect_members(office, 2, 1);
	deactivate(office, &longer, longer_id);
	expect_members(office, 2, 0);
}

/* Many at once, in and out: some of the pushes are for several members. */
static void many_come_and_go(void **state)
{
	const struct office *office = *state;
	struct world_ask asks[BATCH];
	struct http_response responses[BATCH], response;

	for (size_t i = 0; i < BATCH; i++)
		asks[i] = (struct world_ask){.person = i + 1, .group = 3};
	scene_activate_many(office->world, asks, BATCH, responses);
	for (size_t i = 0; i < BATCH; i++)
		scene_wait(office->world, &asks[i], scene_text(&responses[i], "id"), "provisioned");
	expect_members(office, 3, BATCH);
	for (size_t i = 0; i < BATCH; i++) {
		world_deactivate(office->world, &asks[i], &response);
		assert_int_equal(response.status, 201);
		http_response_release(&response);
	}
	for (size_t i = 0; i < BATCH; i++) {
		scene_wait(office->world, &asks[i], scene_text(&responses[i], "id"), "removed");
		http_response_release(&responses[i]);
	}
	expect_members(office, 3, 0);
}

static void again_and_again(void **state)
{
	const struct office *office = *state;
	struct world_ask ask = {.person = 1, .group = 4};
	char id[ID_SIZE];

	for (int i = 0; i < 3; i++) {
		activate(office, &ask, id);
		expect_members(office, 4, 1);
		deactivate(office, &ask, id);
		expect_members(office, 4, 0);
	}
	/* The last member goes, and one who is gone already. */
	activate(office, &ask, id);
	expect_members(office, 4, 1);
}

/* Somebody whom the application does not know is created; somebody whom it knows is found. */
static void people_are_created_once(void **state)
{
	const struct office *office = *state;
	struct world_ask stranger = {.person = 12, .group = 5}, known = {.person = 13, .group = 5};
	const char *known_name = world_user_name(office->world, 13);
	char id[ID_SIZE];

	assert_false(foreign_scim_has_user(&office->server, world_user_name(office->world, 12)));
	assert_true(foreign_scim_make_user(&office->server, known_name));
	activate(office, &stranger, id);
	activate(office, &known, id);
	assert_true(foreign_scim_has_user(&office->server, world_user_name(office->world, 12)));
	expect_members(office, 5, 2);
}

/* A member by somebody else's hand is one afterwards, too, and is none twice. */
static void who_is_there_already_stays(void **state)
{
	const struct office *office = *state;
	struct world_ask ask = {.person = 14, .group = 6};
	char id[ID_SIZE];

	assert_true(foreign_scim_make_user(&office->server, world_user_name(office->world, 14)));
	assert_true(foreign_scim_join(&office->server, "group-6", world_user_name(office->world, 14)));
	activate(office, &ask, id);
	assert_int_equal(entries(office, 6, 14), 1);
	deactivate(office, &ask, id);
	assert_int_equal(entries(office, 6, 14), 1);
	expect_members(office, 6, 1);
}

static void a_missing_group_is_created(void **state)
{
	const struct office *office = *state;
	struct world_ask ask = {.person = 1, .group = MISSING};
	char id[ID_SIZE];

	assert_int_equal(entries(office, MISSING, 1), -1);
	activate(office, &ask, id);
	assert_int_equal(entries(office, MISSING, 1), 1);
	deactivate(office, &ask, id);
	assert_int_equal(foreign_scim_members(&office->server, world_group_name(office->world, MISSING)), 0);
}

/* What is theirs is taken from them by hand: the cycle gives it again, and on demand it is given at once. */
static void what_is_missing_is_given_again(void **state)
{
	struct office *office = *state;
	struct world_ask ask = {.person = 9, .group = 4};
	const char *name = world_user_name(office->world, 9);
	struct http_response response;
	char id[ID_SIZE], body[256];

	activate(office, &ask, id);
	assert_true(foreign_scim_leave(&office->server, "group-4", name));
	assert_int_equal(entries(office, 4, 9), 0);
	cycle(office);
	assert_int_equal(entries(office, 4, 9), 1);
	scene_get(office->world, 0, "/api/audit", &response);
	assert_non_null(strstr(buf_text(&response.body), "\"event\":\"drift_missing\""));
	http_response_release(&response);

	assert_true(foreign_scim_leave(&office->server, "group-4", name));
	snprintf(body, sizeof(body), "{\"principalId\":\"%s\",\"groupId\":\"%s\"}",
		 world_person_id(office->world, 9), world_group_id(office->world, 4));
	post(office, APP "/provision", body, &response);
	assert_int_equal(response.status, 200);
	assert_string_equal(scene_text(&response, "result"), "done");
	http_response_release(&response);
	assert_int_equal(entries(office, 4, 9), 1);
}

/* One cycle: what differs is sent, and nothing else; who has nothing left and was made by the broker goes. */
static void users_are_kept_in_line(void **state)
{
	struct office *office = *state;
	struct world_ask stays = {.person = 10, .group = 5}, goes = {.person = 11, .group = 5};
	const char *name = world_user_name(office->world, 10);
	char id[ID_SIZE];

	activate(office, &goes, id);
	deactivate(office, &goes, id);
	expect_user(office, 11, "active", "true");
	activate(office, &stays, id);
	assert_true(foreign_scim_change_user(&office->server, name, "name.familyName", "Other"));
	expect_user(office, 10, "name.familyName", "Other");
	cycle(office);
	expect_user(office, 10, "name.familyName", "Family");
	expect_user(office, 10, "active", "true");
	expect_user(office, 11, "active", office->deletes ? "" : "false");
	assert_int_equal(foreign_scim_has_user(&office->server, world_user_name(office->world, 11)),
			 !office->deletes);
	/* Was there before. */
	assert_true(foreign_scim_has_user(&office->server, STANDING));
	if (office->deletes && office->once)
		return;
	activate(office, &goes, id);
	expect_user(office, 11, "active", "true");
	assert_int_equal(entries(office, 5, 11), 1);
}

/* The configuration gives the group another name: the next push takes it there. */
static void a_group_is_renamed(void **state)
{
	struct office *office = *state;
	const struct broker_group *old = office->world->config.groups;
	struct broker_group groups[MISSING + 1];
	struct world_ask ask = {.person = 12, .group = 4}; /* is in another group */
	int before = foreign_scim_members(&office->server, "group-4");
	char id[ID_SIZE];

	assert_int_equal(office->world->config.group_count, MISSING + 1);
	memcpy(groups, old, sizeof(groups));
	groups[4].name = "renamed";
	office->world->config.groups = groups;
	assert_true(scene_reload(office->world, 0));
	office->world->config.groups = old;
	activate(office, &ask, id);
	assert_int_equal(foreign_scim_members(&office->server, "group-4"), -1);
	assert_int_equal(foreign_scim_members(&office->server, "renamed"), before + 1);
}

/* Last: what the server made of all that. Its own words are no success that was taken for one. */
static void nothing_was_refused(void **state)
{
	const struct office *office = *state;
	struct sandbox_log log;

	assert_true(sandbox_log_read(office->server.requests_path, &log));
	assert_true(log.count > 0);
	for (size_t i = 0; i < log.count; i++) {
		const struct sandbox_entry *entry = &log.entries[i];

		if (entry->status < 200 || entry->status >= 300)
			fail_msg("%s %s: %d", entry->method, entry->path, entry->status);
	}
	sandbox_log_release(&log);
	world_passed(office->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connection_is_proved),
		cmocka_unit_test(one_of_several_is_removed),
		cmocka_unit_test(an_activation_ends),
		cmocka_unit_test(overlapping_ones_add_up),
		cmocka_unit_test(many_come_and_go),
		cmocka_unit_test(again_and_again),
		cmocka_unit_test(people_are_created_once),
		cmocka_unit_test(who_is_there_already_stays),
		cmocka_unit_test(a_missing_group_is_created),
		cmocka_unit_test(what_is_missing_is_given_again),
		cmocka_unit_test(users_are_kept_in_line),
		cmocka_unit_test(a_group_is_renamed),
		cmocka_unit_test(nothing_was_refused),
	};
	int failed = 0;

	failed += cmocka_run_group_tests_name("SCIMMY, by filter", tests, scimmy_by_filter, close_office);
	failed += cmocka_run_group_tests_name("SCIMMY, by value", tests, scimmy_by_value, close_office);
	failed += cmocka_run_group_tests_name("better-auth, by filter", tests, better_auth_by_filter,
					      close_office);
	failed += cmocka_run_group_tests_name("better-auth, by value", tests, better_auth_by_value,
					      close_office);
	return failed;
}
