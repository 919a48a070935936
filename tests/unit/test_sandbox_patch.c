/* AWS' rules for PATCH /Groups, as the sandbox keeps them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/unit/sandbox_world.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct {
	const char *body;
	int status;
	const char *members; /* afterwards */
} patches[] = {
	{PATCH(MEMBERS("add", ONE("$3"))), 204, "123"},
	{PATCH(MEMBERS("Add", ONE("$3"))), 204, "123"},
	{PATCH(MEMBERS("add", ONE("$1"))), 204, "12"},
	{PATCH(MEMBERS("add", "{\"value\":\"$3\",\"type\":\"Group\"}")), 400, "12"},
	{PATCH(MEMBERS("add", "")), 400, "12"},
	{PATCH("{\"op\":\"add\",\"value\":{\"members\":[" ONE("$3") "]}}"), 204, "123"},
	{PATCH("{\"op\":\"add\",\"path\":\"members\",\"value\":" ONE("$3") "}"), 400, "12"},
	{PATCH("{\"op\":\"add\",\"path\":\"members\"}"), 400, "12"},
	{PATCH("{\"op\":\"add\",\"path\":\"Members\",\"value\":[" ONE("$3") "]}"), 400, "12"},
	{PATCH(MEMBERS("add", ONE("nobody"))), 404, "12"},
	{PATCH(MEMBERS("remove", ONE("$1"))), 204, "2"},
	{PATCH(MEMBERS("remove", ONE("$1") "," ONE("$2"))), 204, ""},
	{PATCH(MEMBERS("remove", ONE("$3"))), 404, "12"},
	{PATCH(MEMBERS("remove", ONE("nobody"))), 404, "12"},
	{PATCH("{\"op\":\"remove\",\"path\":\"members\"}"), 400, "12"},
	{PATCH("{\"op\":\"remove\",\"path\":\"members[value eq \\\"$1\\\"]\"}"), 400, "12"},
	{PATCH(MEMBERS("replace", ONE("$3"))), 400, "12"},
	/* Operations see what the ones before them did; the first mistake undoes all. */
	{PATCH(MEMBERS("add", ONE("$3")) "," MEMBERS("remove", ONE("$3"))), 204, "12"},
	{PATCH(MEMBERS("add", ONE("$3")) "," MEMBERS("remove", ONE("$1"))), 204, "23"},
	{PATCH(MEMBERS("remove", ONE("$1")) "," MEMBERS("remove", ONE("$1"))), 404, "12"},
	{PATCH(MEMBERS("add", ONE("$3")) "," MEMBERS("add", ONE("nobody"))), 404, "12"},
	{PATCH("{\"op\":\"replace\",\"value\":{\"id\":\"$0\",\"displayName\":\"n\"}}"), 204, "12"},
	{PATCH("{\"op\":\"replace\",\"value\":{\"externalId\":\"e\",\"displayName\":\"n\"}}"), 400, "12"},
	{PATCH("{\"op\":\"replace\",\"path\":\"displayName\",\"value\":\"a:b\"}"), 400, "12"},
	{PATCH("{\"op\":\"replace\",\"path\":\"description\",\"value\":\"x\"}"), 400, "12"},
	{PATCH("{\"op\":\"swap\",\"path\":\"displayName\",\"value\":\"x\"}"), 400, "12"},
	{PATCH(""), 400, "12"},
	{"{\"schemas\":[\"urn:other\"],\"Operations\":[" MEMBERS("add", ONE("$3")) "]}", 400, "12"},
	{"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"operations\":[" MEMBERS(
		 "add", ONE("$3")) "]}",
	 400, "12"},
	{"not JSON", 400, "12"},
	{PATCH(MEMBERS("add", ONE("$3"))) "x", 400, "12"},
	{"[]", 400, "12"},
};

static void test_patch_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(patches); i++) {
		void *fresh = NULL;
		char members[4];
		struct world *w;
		int status;

		(void)world_setup(&fresh);
		w = fresh;
		status = world_call(w, "PATCH", "/Groups/$0", patches[i].body);
		world_members(w, members);
		if (status != patches[i].status || strcmp(members, patches[i].members) != 0)
			fail_msg("%s: %d, members %s", patches[i].body, status, members);
		assert_true(status != 204 || w->answer.body.len == 0);
		(void)world_teardown(&fresh);
	}
}

static void test_patch_details(void **state)
{
	struct world *w = *state;

	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(MEMBERS("replace", ONE("$1")))), 400);
	assert_true(world_holds(w, "\"detail\":\"Replacing group memberships is not supported.\""));
	assert_int_equal(
		world_call(w, "PATCH", "/Groups/$0",
			   PATCH("{\"op\":\"add\",\"value\":{\"externalId\":\"e\",\"displayName\":\"n\"}}")),
		400);
	assert_true(world_holds(w, "Current PATCH support allows omitting \\\"path\\\" attribute only"));
	assert_true(
		world_holds(w, "\"schema\":[\"urn:ietf:params:scim:api:messages:2.0:Error\"],\"schemas\":["));
	assert_true(world_holds(w, "\"status\":\"400\""));
	assert_true(world_holds(w, "\"timeStamp\":\"1970-01-01 00:16:40.000\""));
	assert_false(world_holds(w, "scimType"));
	assert_int_equal(world_call(w, "PATCH", "/Groups/none", PATCH(MEMBERS("add", ONE("$1")))), 404);
	assert_int_equal(world_call(w, "PUT", "/Groups/$0", "{}"), 400);
}

/* The switches for what AWS does not document, each the other way. */
static void test_patch_switches(void **state)
{
	struct world *w = *state;
	char members[4];

	world_behave(w, "unknown-member=400");
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(MEMBERS("add", ONE("nobody")))), 400);
	world_behave(w, "remove-absent=400");
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(MEMBERS("remove", ONE("$3")))), 400);
	world_behave(w, "remove-absent=204");
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(MEMBERS("remove", ONE("nobody")))), 204);
	world_behave(w, "remove-filter=apply");
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0",
				    PATCH("{\"op\":\"remove\",\"path\":\"members[value eq \\\"$1\\\"]\"}")),
			 204);
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0",
				    PATCH("{\"op\":\"remove\",\"path\":\"members[value eq \\\"$1\\\"\"}")),
			 400);
	world_members(w, members);
	assert_string_equal(members, "2");
}

/* A PATCH that adds new members `count` times. */
static int add_many(struct world *w, size_t count, bool all_the_same)
{
	struct buf body;
	int status;

	buf_init(&body, 1 << 20);
	buf_adds(&body, "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[");
	buf_adds(&body, "{\"op\":\"add\",\"path\":\"members\",\"value\":[");
	for (size_t i = 0; i < count; i++) {
		const struct roll *users = &w->scim.directory.users;
		const struct user *user = roll_at(users, users->count - 1 - (all_the_same ? 0 : i));

		buf_addf(&body, "%s{\"value\":\"%s\"}", i > 0 ? "," : "", user->id);
	}
	buf_adds(&body, "]}]}");
	status = world_call(w, "PATCH", "/Groups/$0", buf_text(&body));
	buf_release(&body);
	return status;
}

static void test_patch_limit(void **state)
{
	struct world *w = *state;

	world_make_users(w, 120);
	assert_int_equal(add_many(w, 101, false), 400);
	assert_int_equal(add_many(w, 100, false), 204);
	assert_int_equal(add_many(w, 101, true), 400);
	assert_int_equal(world_call(w, "DELETE", "/Groups/$0", ""), 204);
	assert_int_equal(scim_make_group(&w->scim, "admins", 1), ERR_OK);
	(void)snprintf(w->ids[0], SCIM_ID_SIZE, "%s",
		       ((const struct group *)roll_at(&w->scim.directory.groups, 0))->id);
	world_behave(w, "count-repeats=no");
	assert_int_equal(add_many(w, 101, true), 204);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patch_rules),
		cmocka_unit_test_setup_teardown(test_patch_details, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_patch_switches, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_patch_limit, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
