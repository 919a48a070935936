/*
 * SCIM servers of other people as the application: SCIMMY, which adds a member twice when asked twice and answers a
 * removal by value from an empty group with 400, and better-auth's, whose members must exist. At the end of each story
 * the server's own state, past all SCIM, is what is desired. Both forms of removal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/foreign_scim.h"
#include "tests/support/sandbox_log.h"
#include "tests/support/scene.h"

#define STANDING "standing@example.com" /* a member of every group, by somebody else's hand */
#define MISSING  7                      /* the last group: made by the broker */
#define BATCH    8

struct office {
	struct world *world;
	struct foreign_scim server;
};

static int open_office(void **state, const char *server, const char *scim)
{
	struct office *office = calloc(1, sizeof(*office));
	struct world_options options = scene_defaults();
	char name[32];

	assert_non_null(office);
	*state = office;
	if (!foreign_scim_start(&office->server, server) ||
	    !foreign_scim_make_user(&office->server, STANDING))
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
	options.application.more = "    groups: {create: true}\n";
	options.application.pushes = 200; /* the throttle has tests of its own */
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
	return open_office(state, "scimmy", DIALECT);
}

static int scimmy_by_value(void **state)
{
	return open_office(state, "scimmy", DIALECT "      removal: value\n");
}

static int better_auth_by_filter(void **state)
{
	return open_office(state, "better-auth", DIALECT);
}

static int better_auth_by_value(void **state)
{
	return open_office(state, "better-auth", DIALECT "      removal: value\n");
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
	struct http_response responses[BATCH];

	for (size_t i = 0; i < BATCH; i++)
		asks[i] = (struct world_ask){.person = i + 1, .group = 3, .duration = "PT8S"};
	scene_activate_many(office->world, asks, BATCH, responses);
	for (size_t i = 0; i < BATCH; i++)
		scene_wait(office->world, &asks[i], scene_text(&responses[i], "id"), "provisioned");
	expect_members(office, 3, BATCH);
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

/* A member by somebody else's hand is one afterwards, too. SCIMMY may hold them twice: it was asked twice. */
static void who_is_there_already_stays(void **state)
{
	const struct office *office = *state;
	struct world_ask ask = {.person = 14, .group = 6};
	char id[ID_SIZE];

	assert_true(foreign_scim_make_user(&office->server, world_user_name(office->world, 14)));
	assert_true(foreign_scim_join(&office->server, "group-6", world_user_name(office->world, 14)));
	activate(office, &ask, id);
	assert_true(entries(office, 6, 14) >= 1);
	assert_int_equal(foreign_scim_entries(&office->server, "group-6", STANDING), 1);
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
		cmocka_unit_test(one_of_several_is_removed),
		cmocka_unit_test(an_activation_ends),
		cmocka_unit_test(overlapping_ones_add_up),
		cmocka_unit_test(many_come_and_go),
		cmocka_unit_test(again_and_again),
		cmocka_unit_test(people_are_created_once),
		cmocka_unit_test(who_is_there_already_stays),
		cmocka_unit_test(a_missing_group_is_created),
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
