/* The sandbox without HTTP: AWS' rules for users, groups and lists. PATCH of groups: test_sandbox_patch.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "tests/unit/sandbox_world.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* -- users ------------------------------------------------------------------------------------------------------------ */

#define USER(more)                                                                                           \
	"{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"name\":{\"givenName\":\"B\","       \
	"\"familyName\":\"C\"},\"displayName\":\"B C\"" more "}"

static void test_user_rules(void **state)
{
	static const struct {
		const char *body;
		int status;
	} rows[] = {
		{USER(",\"userName\":\"new\""), 201},
		{USER(",\"userName\":\"U1\""), 201},
		{USER(",\"userName\":\"u1\""), 409},
		{USER(""), 400},
		{USER(",\"userName\":\"a b\""), 400},
		{USER(",\"userName\":7"), 400},
		{USER(",\"userName\":\"new\",\"emails\":[{\"value\":\"a@b\",\"primary\":true}]"), 201},
		{USER(",\"userName\":\"new\",\"emails\":[{\"value\":\"a@b\"}]"), 400},
		{USER(",\"userName\":\"new\",\"emails\":[]"), 400},
		{USER(",\"userName\":\"new\",\"emails\":[{\"primary\":true},{\"primary\":true}]"), 400},
		{USER(",\"userName\":\"new\",\"emails\":[{\"value\":\"a@b\",\"primary\":true,\"display\":"
		      "\"x\"}]"),
		 400},
		{USER(",\"userName\":\"new\",\"externalId\":\"a:b\""), 400},
		{USER(",\"userName\":\"new\",\"externalId\":\"ab\",\"active\":true"), 201},
		{USER(",\"userName\":\"new\",\"active\":\"true\""), 400},
		{USER(",\"userName\":\"new\",\"password\":\"x\""), 400},
		{USER(",\"userName\":\"new\",\"groups\":[]"), 400},
		{USER(",\"userName\":\"new\",\"title\":\"\""), 400},
		{USER(",\"userName\":\"new\",\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\":"
		      "{\"manager\":{\"value\":\"m\"}}"),
		 201},
		{USER(",\"userName\":\"new\",\"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\":"
		      "{\"manager\":{\"displayName\":\"m\"}}"),
		 400},
		{"{\"userName\":\"new\",\"displayName\":\"x\",\"name\":{\"givenName\":\"B\",\"familyName\":"
		 "\"C\"}}",
		 400},
		{"{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"new\","
		 "\"displayName\":\"x\",\"name\":{\"givenName\":\"B\"}}",
		 400},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		void *fresh = NULL;
		int status;

		(void)world_setup(&fresh);
		status = world_call(fresh, "POST", "/Users", rows[i].body);
		if (status != rows[i].status)
			fail_msg("%s: %d", rows[i].body, status);
		(void)world_teardown(&fresh);
	}
}

static const struct group *only_group(const struct world *w)
{
	return roll_at(&w->scim.directory.groups, 0);
}

static void test_user_calls(void **state)
{
	struct world *w = *state;

	assert_int_equal(world_call(w, "GET", "/Users/$1", ""), 200);
	assert_true(world_holds(w, "\"userName\":\"u1\""));
	assert_int_equal(world_call(w, "PUT", "/Users/$1", USER(",\"userName\":\"u2\"")), 409);
	assert_int_equal(world_call(w, "PUT", "/Users/$1", USER(",\"userName\":\"x1\",\"title\":\"t\"")),
			 200);
	assert_null(directory_user_named(&w->scim.directory, "u1", false));
	assert_int_equal(world_call(w, "PATCH", "/Users/$1",
				    PATCH("{\"op\":\"replace\",\"path\":\"name.givenName\",\"value\":\"Z\"},"
					  "{\"op\":\"remove\",\"path\":\"title\"}")),
			 200);
	assert_true(world_holds(w, "\"givenName\":\"Z\""));
	assert_false(world_holds(w, "\"title\""));
	assert_int_equal(
		world_call(w, "PATCH", "/Users/$1", PATCH("{\"op\":\"remove\",\"path\":\"userName\"}")), 400);
	assert_int_equal(
		world_call(w, "PATCH", "/Users/$1",
			   PATCH("{\"op\":\"replace\",\"value\":{\"title\":\"a\",\"locale\":\"b\"}}")),
		400);
	assert_int_equal(world_call(w, "DELETE", "/Users/$1", ""), 204);
	assert_int_equal(world_call(w, "DELETE", "/Users/$1", ""), 404);
	assert_null(only_group(w)->memberships->next_of_group);
}

static void test_case_of_names(void **state)
{
	struct world *w = *state;

	world_behave(w, "names=any-case");
	assert_int_equal(world_call(w, "POST", "/Users", USER(",\"userName\":\"U1\"")), 409);
	assert_int_equal(world_call(w, "POST", "/Groups", "{\"displayName\":\"ADMINS\"}"), 409);
	assert_int_equal(world_call(w, "GET", "/Users?filter=userName%20eq%20%22U1%22", ""), 200);
	assert_true(world_holds(w, "\"totalResults\":0"));
	world_behave(w, "filter-values=any-case");
	assert_int_equal(world_call(w, "GET", "/Users?filter=userName%20eq%20%22U1%22", ""), 200);
	assert_true(world_holds(w, "\"totalResults\":1"));
	assert_int_equal(world_call(w, "GET", "/Groups?filter=displayName%20eq%20%22Admins%22", ""), 200);
	assert_true(world_holds(w, "\"totalResults\":1"));
}

/* -- groups and lists --------------------------------------------------------------------------------------------------- */

static void test_group_calls(void **state)
{
	struct world *w = *state;

	assert_int_equal(world_call(w, "GET", "/Groups/$0", ""), 200);
	assert_false(world_holds(w, "members"));
	world_behave(w, "members=shown");
	assert_int_equal(world_call(w, "GET", "/Groups/$0", ""), 200);
	assert_true(world_holds(w, w->ids[2]));
	assert_int_equal(world_call(w, "POST", "/Groups", "{\"displayName\":\"admins\"}"), 409);
	assert_int_equal(world_call(w, "POST", "/Groups", "{\"externalId\":\"x\"}"), 400);
	assert_int_equal(world_call(w, "POST", "/Groups", "{\"displayName\":\"g\",\"description\":\"x\"}"),
			 400);
	assert_int_equal(
		world_call(w, "POST", "/Groups", "{\"displayName\":\"g\",\"members\":[" ONE("x") "]}"), 404);
	assert_int_equal(
		world_call(w, "POST", "/Groups",
			   "{\"displayName\":\"g\",\"externalId\":\"e\",\"members\":[" ONE("$3") "]}"),
		201);
	assert_true(directory_is_member(roll_at(&w->scim.directory.groups, 1),
					directory_user(&w->scim.directory, w->ids[3])));
	assert_int_equal(world_call(w, "POST", "/Groups", "{\"displayName\":\"h\",\"externalId\":\"e\"}"),
			 409);
	assert_int_equal(world_call(w, "DELETE", "/Groups/$0", ""), 204);
	assert_int_equal(world_call(w, "GET", "/Groups/$0", ""), 404);
	assert_null(directory_user(&w->scim.directory, w->ids[1])->memberships);
	assert_int_equal(world_call(w, "GET", "/Roles", ""), 404);
	assert_int_equal(world_call(w, "GET", "/ServiceProviderConfig", ""), 200);
	assert_int_equal(world_call(w, "GET", "/ResourceTypes", ""), 200);
	assert_int_equal(world_call(w, "GET", "/Schemas", ""), 200);
}

static void test_list_filters(void **state)
{
	static const struct {
		const char *target;
		int status, total; /* total -1 = not looked at */
	} rows[] = {
		{"/Groups", 200, 1},
		{"/Groups?filter=displayName%20eq%20%22admins%22", 200, 1},
		{"/Groups?filter=displayName%20eq%20%22admin%22", 200, 0},
		{"/Groups?filter=externalId%20eq%20%22x%22", 200, 0},
		{"/Groups?filter=id%20eq%20%22$0%22%20and%20members%20eq%20%22$1%22", 200, 1},
		{"/Groups?filter=members%20eq%20%22$1%22%20and%20id%20eq%20%22$0%22", 200, 1},
		{"/Groups?filter=id%20eq%20%22$0%22%20and%20members%20eq%20%22$3%22", 200, 0},
		{"/Groups?filter=id%20eq%20%22$0%22%20and%20members%20eq%20%22none%22", 404, -1},
		{"/Groups?filter=id%20eq%20%22$0%22%20and%20members%20eq%20%22%22", 400, -1},
		{"/Groups?filter=members.value%20eq%20%22$2%22", 200, 1},
		{"/Groups?filter=members.value%20eq%20%22$3%22", 200, 0},
		{"/Groups?filter=members%20eq%20%22$2%22", 400, -1},
		{"/Groups?filter=meta.created%20eq%20%22x%22", 400, -1},
		{"/Groups?filter=", 400, -1},
		{"/Groups?startIndex=2", 400, -1},
		{"/Groups?count=0", 400, -1},
		{"/Groups?count=101", 400, -1},
		{"/Users?filter=userName%20eq%20%22u2%22", 200, 1},
		{"/Users?filter=externalId%20eq%20%22u2%22", 200, 0},
		{"/Users?filter=groups.value%20eq%20%22$0%22", 200, 2},
		{"/Users?filter=groups.value%20eq%20%22none%22", 404, -1},
		{"/Users?filter=id%20eq%20%22$1%22%20and%20manager%20eq%20%22m%22", 200, 0},
		{"/Users?filter=id%20eq%20%22$1%22", 400, -1},
		{"/Users?filter=displayName%20eq%20%22u2%22", 400, -1},
		{"/Users?count=2", 200, 2},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char total[40];
		int status = world_call(*state, "GET", rows[i].target, "");

		(void)snprintf(total, sizeof(total), "\"totalResults\":%d,", rows[i].total);
		if (status != rows[i].status || (rows[i].total >= 0 && !world_holds(*state, total)))
			fail_msg("%s: %d", rows[i].target, status);
	}
}

/* Without a cursor the first hundred is all there is; with one every user comes once. */
static void test_pages(void **state)
{
	struct world *w = *state;
	char target[128] = "/Users?cursor=";
	int seen = 0, pages = 0;

	world_make_users(w, 230);
	assert_int_equal(world_call(w, "GET", "/Users", ""), 200);
	assert_true(world_holds(w, "\"totalResults\":100,"));
	assert_false(world_holds(w, "nextCursor"));
	for (bool more = true; more; pages++) {
		cJSON *json = NULL;
		const char *next;

		assert_int_equal(world_call(w, "GET", target, ""), 200);
		assert_false(world_holds(w, "totalResults"));
		assert_int_equal(json_parse(buf_text(&w->answer.body), w->answer.body.len, &json, NULL),
				 ERR_OK);
		seen += cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "Resources"));
		next = json_string(json, "nextCursor");
		more = next != NULL;
		if (more)
			(void)snprintf(target, sizeof(target), "/Users?cursor=%s", next);
		cJSON_Delete(json);
	}
	assert_int_equal(seen, 233);
	assert_int_equal(pages, 3);
	(void)snprintf(target + strlen(target), sizeof(target) - strlen(target),
		       "&filter=userName%%20eq%%20%%22a%%22");
	assert_int_equal(world_call(w, "GET", target, ""), 400);
}

/* Filters over members lag behind; the truth does not. */
static void test_members_lag(void **state)
{
	static const char filter[] = "/Groups?filter=id%20eq%20%22$0%22%20and%20members%20eq%20%22$3%22";
	struct world *w = *state;

	world_behave(w, "members-lag=500");
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(MEMBERS("add", ONE("$3")))), 204);
	(void)world_call(w, "GET", filter, "");
	assert_true(world_holds(w, "\"totalResults\":0"));
	w->now_ms += 500;
	(void)world_call(w, "GET", filter, "");
	assert_true(world_holds(w, "\"totalResults\":1"));
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(MEMBERS("remove", ONE("$3")))), 204);
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(MEMBERS("remove", ONE("$3")))), 404);
	(void)world_call(w, "GET", filter, "");
	assert_true(world_holds(w, "\"totalResults\":1"));
	w->now_ms += 500;
	(void)world_call(w, "GET", filter, "");
	assert_true(world_holds(w, "\"totalResults\":0"));
}

/* -- what AWS leaves open ---------------------------------------------------------------------------------------------- */

/* Each question is a behaviour: the call with the dialect's own choice, and with the other one. */
static void test_open_questions(void **state)
{
	static const struct {
		const char *method, *target, *body;
		int status;
		const char *behaviour;
		int other;
	} rows[] = {
		{"PATCH", "/Groups/$0", PATCH(MEMBERS("remove", ONE("$3"))), 404, "remove-absent=204", 204},
		{"PATCH", "/Groups/$0", PATCH(MEMBERS("remove", ONE("$3"))), 404, "remove-absent=400", 400},
		{"PATCH", "/Groups/$0", PATCH(MEMBERS("add", ONE("none"))), 404, "unknown-member=400", 400},
		{"PATCH", "/Groups/$0",
		 PATCH("{\"op\":\"remove\",\"path\":\"members[value eq \\\"$1\\\"]\"}"), 400,
		 "remove-filter=apply", 204},
		{"PUT", "/Groups/$0", "{\"displayName\":\"admins\"}", 400, "put-group=applied", 200},
		{"POST", "/Groups", "{\"displayName\":\"Admins\"}", 201, "names=any-case", 409},
		{"POST", "/Groups", "{\"displayName\":\"new\"}", 201, "max-groups=1", 400},
		{"POST", "/Users", USER(",\"userName\":\"new\""), 201, "max-users=3", 400},
		{"GET", "/Users?count=100", "", 200, "page=50", 400},
		{"GET", "/Users?startIndex=1", "", 400, "parameters=ignored", 200},
		{"GET", "/Users", "", 200, "filters=rfc", 200},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows) * 2; i++) {
		int expected = i % 2 == 0 ? rows[i / 2].status : rows[i / 2].other, status;
		void *fresh = NULL;

		(void)world_setup(&fresh);
		if (i % 2 == 1)
			world_behave(fresh, rows[i / 2].behaviour);
		status = world_call(fresh, rows[i / 2].method, rows[i / 2].target, rows[i / 2].body);
		if (status != expected)
			fail_msg("%s, %s: %d instead of %d", rows[i / 2].target,
				 i % 2 == 0 ? "as it is" : rows[i / 2].behaviour, status, expected);
		(void)world_teardown(&fresh);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user_rules),
		cmocka_unit_test_setup_teardown(test_user_calls, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_case_of_names, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_group_calls, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_list_filters, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_pages, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_members_lag, world_setup, world_teardown),
		cmocka_unit_test(test_open_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
