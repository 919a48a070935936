/*
 * The sandbox's dialects: every form in which a client may change members, said to each of them. Each row begins with
 * u1 and u2 as members of the group; what is expected is the status and who is a member afterwards.
 */
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

#define BY_FILTER(eq, id) "{\"op\":\"remove\",\"path\":\"members[value " eq " \\\"" id "\\\"]\"}"
#define PATHLESS(op)      "{\"op\":\"" op "\",\"value\":{\"members\":[" ONE("$3") "]}}"
#define AT_URN                                                                                               \
	"{\"op\":\"add\",\"path\":\"urn:ietf:params:scim:schemas:core:2.0:Group:members\",\"value\":[" ONE(  \
		"$3") "]}"

/* The forms, in the order of the columns below. */
static const char *const forms[] = {
	/* add */ PATCH(MEMBERS("add", ONE("$3"))),
	/* re-add */ PATCH(MEMBERS("add", ONE("$1"))),
	/* value */ PATCH(MEMBERS("remove", ONE("$1"))),
	/* filter */ PATCH(BY_FILTER("eq", "$1")),
	/* EQ */ PATCH(BY_FILTER("EQ", "$1")),
	/* absent */ PATCH(BY_FILTER("eq", "$3")),
	/* replace */ PATCH(MEMBERS("replace", ONE("$3"))),
	/* all */ PATCH("{\"op\":\"remove\",\"path\":\"members\"}"),
	/* unknown */ PATCH(MEMBERS("add", ONE("nobody"))),
	/* pathless */ PATCH(PATHLESS("add")),
	/* urn */ PATCH(AT_URN),
	/* Add */ PATCH(MEMBERS("Add", ONE("$3"))),
	/* nonsense */ PATCH("{\"op\":\"swap\",\"path\":\"members\",\"value\":[]}"),
};

/* "200 123" for each form; a ghost among the members is '+', a second entry of the first one '*'. */
static const struct {
	const char *dialect;
	const char *expected[COUNT(forms)];
} rows[] = {
	{"aws",
	 {"204 123", "204 12", "204 2", "400 12", "400 12", "400 12", "400 12", "400 12", "404 12", "204 123",
	  "400 12", "204 123", "400 12"}},
	{"rfc7644",
	 {"200 123", "200 12", "200 ", "200 2", "200 2", "200 12", "200 3", "200 ", "400 12", "200 123",
	  "200 123", "200 123", "400 12"}},
	{"google",
	 {"200 123", "200 12", "400 12", "200 2", "200 2", "200 12", "400 12", "400 12", "400 12", "400 12",
	  "200 123", "200 123", "400 12"}},
	{"slack",
	 {"200 123", "200 12", "200 2", "200 2", "200 2", "200 12", "200 3", "200 ", "400 12", "200 123",
	  "200 123", "200 123", "400 12"}},
	{"salesforce",
	 {"200 123", "200 12", "200 2", "200 2", "200 2", "200 12", "200 3", "200 ", "400 12", "200 123",
	  "200 123", "200 123", "400 12"}},
	{"databricks",
	 {"200 123", "200 12", "400 12", "200 2", "200 2", "200 12", "200 3", "200 ", "400 12", "200 123",
	  "200 123", "200 123", "400 12"}},
	{"jfrog",
	 {"200 123", "200 12", "200 2", "200 2", "200 2", "200 12", "400 12", "200 ", "400 12", "200 123",
	  "200 123", "200 123", "400 12"}},
	{"logfire",
	 {"204 12", "204 12", "204 12", "204 12", "204 12", "204 12", "204 ", "204 ", "204 12", "204 12",
	  "204 12", "204 12", "400 12"}},
	{"zuora",
	 {"400 12", "400 12", "400 12", "400 12", "400 12", "400 12", "400 12", "400 12", "400 12", "400 12",
	  "400 12", "400 12", "400 12"}},
	{"scimmy",
	 {"200 123", "200 1*2", "200 2", "200 2", "200 2", "204 12", "200 3", "200 ", "200 12+", "200 123",
	  "200 123", "200 123", "400 12"}},
	{"scim2-server",
	 {"204 123", "204 1*2", "204 ", "204 2", "204 2", "204 12", "204 3", "204 ", "204 12+", "204 123",
	  "204 123", "204 123", "400 12"}},
	{"scimgateway",
	 {"204 123", "204 12", "204 2", "204 2", "500 12", "204 12", "204 123", "204 12", "500 12", "204 123",
	  "204 12", "204 123", "204 12"}},
	{"jackson",
	 {"200 123", "200 12", "200 2", "200 2", "200 12", "200 12", "200 12", "200 12", "200 12+", "200 12",
	  "200 12", "200 12", "200 12"}},
	{"better-auth",
	 {"200 123", "200 12", "200 2", "200 2", "200 2", "200 12", "200 3", "200 ", "400 12", "200 123",
	  "400 12", "200 123", "400 12"}},
	{"scimserver",
	 {"200 123", "200 12", "200 2", "200 2", "200 2", "200 12", "200 3", "400 12", "200 12+", "400 12",
	  "400 12", "200 123", "400 12"}},
};

static void read_members(const struct world *w, char *out)
{
	const struct group *group = roll_at(&w->scim.directory.groups, 0);

	for (int i = 1; i <= 3; i++) {
		const struct membership *membership =
			directory_user(&w->scim.directory, w->ids[i])->memberships;

		if (membership == NULL)
			continue;
		*out++ = (char)('0' + i);
		if (membership->copies > 1)
			*out++ = '*';
	}
	if (directory_find_ghost(&w->scim.directory, "nobody") != NULL)
		*out++ = '+';
	*out = '\0';
	assert_true(group->member_count <= 4);
}

static void test_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t form = 0; form < COUNT(forms); form++) {
			char got[32];
			void *fresh = NULL;
			struct world *w;
			int used;

			(void)world_setup(&fresh);
			w = fresh;
			world_speak(w, rows[i].dialect);
			used = snprintf(got, sizeof(got), "%d ",
					world_call(w, "PATCH", "/Groups/$0", forms[form]));
			read_members(w, got + used);
			if (strcmp(got, rows[i].expected[form]) != 0)
				fail_msg("%s: form %zu: %s instead of %s", rows[i].dialect, form, got,
					 rows[i].expected[form]);
			(void)world_teardown(&fresh);
		}
	}
}

/* Every row of both tables can be read, and says what it is. */
static void test_table(void **state)
{
	struct world *w = *state;
	const struct dialect_row *row;
	struct buf text;
	cJSON *json = NULL;
	size_t count;

	for (count = 0; (row = dialect_row_at(count)) != NULL; count++) {
		world_speak(w, row->name);
		assert_ptr_equal(dialect_find(row->name), row);
		assert_true(row->about[0] != '\0');
	}
	assert_true(count >= 20);
	assert_null(dialect_find("none"));
	buf_init(&text, 1 << 20);
	dialect_print(&w->scim.dialect, &text);
	assert_int_equal(json_parse(buf_text(&text), text.len, &json, NULL), ERR_OK);
	assert_int_equal(cJSON_GetArraySize(json), BEHAVIOUR_COUNT);
	cJSON_Delete(json);
	buf_release(&text);
}

static void test_behaviour_texts(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} texts[] = {
		{"remove-value=wipe", true},
		{"remove-value=wip", false},
		{"remove-value=", false},
		{"remove-value", false},
		{"remove=apply", false},
		{"page=50", true},
		{"page=", false},
		{"page=-1", false},
		{"page=1000000001", false},
		{"page=5x", false},
		{"", false},
		{"=", false},
	};
	struct dialect dialect = dialect_plain();

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct errctx ec = {""};

		if ((dialect_set(&dialect, texts[i].text, &ec) == ERR_OK) != texts[i].ok)
			fail_msg("%s: %s", texts[i].text, ec.text);
		assert_true(texts[i].ok || ec.text[0] != '\0');
	}
	assert_int_equal(dialect.value[B_PAGE], 50);
	assert_int_equal(dialect_status(&dialect, B_UNKNOWN_MEMBER), 400);
	assert_int_equal(dialect_status(&dialect, B_PUT_GROUP), 0);
	assert_int_equal(dialect_set(&dialect, "remove-absent=empty-400", NULL), ERR_OK);
	assert_int_equal(dialect_status(&dialect, B_REMOVE_ABSENT), 400);
}

/* -- limits of one request --------------------------------------------------------------------------------------- */

static void test_google_limits(void **state)
{
	struct world *w = *state;

	world_speak(w, "google");
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(MEMBERS("add", ONE("$3") "," ONE("$1")))),
			 400);
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0",
				    PATCH(MEMBERS("add", ONE("$3")) "," BY_FILTER("eq", "$1"))),
			 400);
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(BY_FILTER("eq", "$1"))), 200);
	assert_string_equal(buf_text(&w->answer.body), "{}");
}

static void test_members_by_name(void **state)
{
	struct world *w = *state;
	char members[4];

	world_speak(w, "logfire");
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(MEMBERS("add", ONE("u3")))), 204);
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(BY_FILTER("eq", "u1"))), 204);
	world_members(w, members);
	assert_string_equal(members, "23");
	assert_int_equal(world_call(w, "GET", "/Groups/$0", ""), 200);
	assert_false(world_holds(w, "members"));
}

/* A group that is removed from by value answers 400 in SCIMMY when it is empty already. */
static void test_removal_from_an_empty_group(void **state)
{
	struct world *w = *state;

	world_speak(w, "scimmy");
	assert_int_equal(
		world_call(w, "PATCH", "/Groups/$0", PATCH(MEMBERS("remove", ONE("$1") "," ONE("$2")))), 200);
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(MEMBERS("remove", ONE("$1")))), 400);
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(BY_FILTER("eq", "$1"))), 204);
	assert_int_equal(world_call(w, "GET", "/Groups/$0", ""), 200);
	assert_false(world_holds(w, "members"));
}

/* -- ghosts -------------------------------------------------------------------------------------------------------- */

/* Ids without a user: stored once, removed like others, freed with their last membership, also within one PATCH. */
static void test_ghosts(void **state)
{
	struct world *w = *state;
	struct directory *dir = &w->scim.directory;

	world_speak(w, "scimserver");
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0",
				    PATCH(MEMBERS("add", ONE("x")) "," MEMBERS(
					    "remove", ONE("x")) "," MEMBERS("add", ONE("x") "," ONE("y")))),
			 200);
	assert_non_null(directory_find_ghost(dir, "x"));
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(BY_FILTER("eq", "x"))), 200);
	assert_null(directory_find_ghost(dir, "x"));
	assert_int_equal(world_call(w, "GET", "/Users/y", ""), 404);
	/* A PATCH that is refused in the end leaves none behind. */
	assert_int_equal(
		world_call(w, "PATCH", "/Groups/$0", PATCH(MEMBERS("add", ONE("z")) ",{\"op\":\"swap\"}")),
		400);
	assert_null(directory_find_ghost(dir, "z"));
	/* A deleted user stays a member. */
	assert_int_equal(world_call(w, "DELETE", "/Users/$1", ""), 204);
	assert_non_null(directory_find_ghost(dir, w->ids[1]));
	assert_int_equal(world_call(w, "GET", "/Groups/$0", ""), 200);
	assert_true(world_holds(w, w->ids[1]));
	assert_int_equal(world_call(w, "DELETE", "/Groups/$0", ""), 204);
	assert_null(directory_find_ghost(dir, w->ids[1]));
	assert_null(directory_find_ghost(dir, "y"));
}

/* -- reading --------------------------------------------------------------------------------------------------------- */

static void test_reading(void **state)
{
	static const struct {
		const char *dialect, *target;
		int status;
		const char *holds; /* NULL = not looked at; a '!' in front: not held */
	} reads[] = {
		{"aws", "/Groups/$0", 200, "!members"},
		{"aws", "/Groups", 200, "\"members\":[]"},
		{"aws", "/Groups?attributes=members", 400, "\"schema\""},
		{"rfc7644", "/Groups/$0", 200, "\"value\":\"$2\""},
		{"rfc7644", "/Groups", 200, "\"value\":\"$2\""},
		{"rfc7644", "/Groups?excludedAttributes=members", 200, "!members"},
		{"rfc7644", "/Groups?attributes=displayName", 200, "!members"},
		{"rfc7644", "/Groups?filter=DisplayName%20eq%20%22ADMINS%22", 200, "\"totalResults\":1,"},
		{"rfc7644", "/Groups?filter=description%20eq%20%22x%22", 400,
		 "\"scimType\":\"invalidFilter\""},
		{"rfc7644", "/Groups?filter=members%5Bvalue%20eq%20%22$1%22%5D", 200, "\"totalResults\":1,"},
		{"rfc7644", "/Users?startIndex=2&count=1", 200, "\"totalResults\":3,\"startIndex\":2,"},
		{"rfc7644", "/Users?startIndex=4", 200, "\"Resources\":[]"},
		{"rfc7644", "/Users?count=0", 200, "\"totalResults\":3,"},
		{"rfc7644", "/Users?cursor", 400, NULL},
		{"rfc7644", "/Groups/none", 404, "\"status\":\"404\""},
		{"rfc7644", "/Users/$1", 200, "\"location\":\"http://sandbox/scim/v2/Users/$1\""},
		{"rfc7644", "/Users/$1", 200, "\"groups\":[{\"value\":\"$0\",\"display\":\"admins\"}]"},
		{"rfc7644", "/Users/$3", 200, "\"groups\":[]"},
		{"rfc7644", "/Users", 200, "!\"groups\""},
		{"aws", "/Users/$1", 200, "!\"groups\""},
		{"scimmy", "/Groups?filter=id%20eq%20%22$0%22%20and%20members%20eq%20%22$1%22", 400, NULL},
		{"scimmy", "/Users/$1", 200, "\"location\":\"/Users/$1\""},
		{"scim2-server", "/Groups?filter=id%20eq%20%22$0%22%20and%20members%20eq%20%22$1%22", 200,
		 "\"totalResults\":0,"},
		{"scim2-server", "/Users?count=2", 200, "\"totalResults\":2,"},
		{"scim2-server", "/Users?filter=userName%20eq%20%22a%5C%22b%22", 500, NULL},
		{"scimgateway", "/Groups?filter=members.value%20eq%20%22$1%22", 200, "\"totalResults\":1,"},
		{"scimgateway", "/Users/$1", 200, "/Users/undefined"},
		{"jackson", "/Groups/$0", 200, "!members"},
		{"jackson", "/Groups?filter=displayName%20EQ%20%22admins%22", 200, "\"totalResults\":0,"},
		{"jackson", "/ServiceProviderConfig", 404, NULL},
		{"snowflake", "/Groups/$0", 200, "!\"id\""},
		{"huawei", "/Groups/none", 404, "\"status\":404"},
		{"google", "/Users?startIndex=3", 200, "\"totalResults\":3,\"startIndex\":1,"},
		{"terraform", "/ServiceProviderConfig", 200, "\"maxResults\":200"},
	};

	for (size_t i = 0; i < COUNT(reads); i++) {
		struct world *w = *state;
		int status;

		world_speak(w, reads[i].dialect);
		status = world_call(w, "GET", reads[i].target, "");
		if (status != reads[i].status)
			fail_msg("%s %s: %d", reads[i].dialect, reads[i].target, status);
		if (reads[i].holds != NULL &&
		    world_holds(w, reads[i].holds + (reads[i].holds[0] == '!')) == (reads[i].holds[0] == '!'))
			fail_msg("%s %s: %s", reads[i].dialect, reads[i].target, buf_text(&w->answer.body));
	}
}

/* What somebody has created is not found for a while: not read, not listed, no member; but the name is taken. */
static void test_created_lag(void **state)
{
	static const char user[] =
		"{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],\"userName\":\"new\"}";
	struct world *w = *state;
	char body[512], target[512];
	const struct user *made;

	world_speak(w, "rfc7644");
	world_behave(w, "created-lag=1000");
	assert_int_equal(world_call(w, "POST", "/Users", user), 201);
	made = roll_at(&w->scim.directory.users, 3);
	(void)snprintf(target, sizeof(target), "/Users/%s", made->id);
	(void)snprintf(body, sizeof(body), PATCH(MEMBERS("add", ONE("%s"))), made->id);
	for (int late = 0; late < 2; late++) {
		assert_int_equal(world_call(w, "GET", target, ""), late ? 200 : 404);
		assert_int_equal(world_call(w, "GET", "/Users", ""), 200);
		assert_true(world_holds(w, late ? "\"totalResults\":4," : "\"totalResults\":3,"));
		assert_int_equal(world_call(w, "PATCH", "/Groups/$0", body), late ? 200 : 400);
		assert_int_equal(world_call(w, "POST", "/Users", user), 409);
		w->now_ms += 1000;
	}
}

/* GitLab answers before its worker has done it. */
static void test_settling(void **state)
{
	struct world *w = *state;

	world_speak(w, "gitlab");
	w->now_ms += 2000;
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(MEMBERS("add", ONE("$3")))), 200);
	assert_int_equal(world_call(w, "GET", "/Groups/$0", ""), 200);
	assert_false(world_holds(w, w->ids[3]));
	w->now_ms += 2000;
	assert_int_equal(world_call(w, "GET", "/Groups/$0", ""), 200);
	assert_true(world_holds(w, w->ids[3]));
	assert_int_equal(world_call(w, "POST", "/Groups", "{\"displayName\":\"new\"}"), 403);
}

static void test_ids_are_names(void **state)
{
	struct world *w = *state;

	world_speak(w, "jfrog");
	assert_int_equal(world_call(w, "POST", "/Groups", "{\"displayName\":\"a/b c\"}"), 201);
	assert_string_equal(w->answer.location, "http://sandbox/scim/v2/Groups/a%2Fb%20c");
	assert_int_equal(world_call(w, "GET", "/Groups/a%2Fb%20c", ""), 200);
	assert_int_equal(world_call(w, "PATCH", "/Groups/a%2Fb%20c",
				    PATCH("{\"op\":\"replace\",\"path\":\"displayName\",\"value\":\"x\"}")),
			 400);
	assert_true(world_holds(w, "\"scimType\":\"mutability\""));
}

/* -- users of a plain server ------------------------------------------------------------------------------------------ */

#define SET(path, value) "{\"op\":\"replace\",\"path\":\"" path "\",\"value\":" value "}"

static void test_user_paths(void **state)
{
	static const struct {
		const char *operation;
		int status;
		const char *holds;
	} patches[] = {
		{SET("emails[type eq \\\"work\\\"].value", "\"a@b\""), 200,
		 "\"emails\":[{\"type\":\"work\",\"value\":\"a@b\"}]"},
		{SET("emails[type eq \\\"work\\\"].value", "\"c@d\""), 200,
		 "\"emails\":[{\"type\":\"work\",\"value\":\"c@d\"}]"},
		{SET("emails[type eq \\\"home\\\"].value", "\"e@f\""), 200,
		 "\"value\":\"c@d\"},{\"type\":\"home\""},
		{"{\"op\":\"remove\",\"path\":\"emails[type eq \\\"work\\\"]\"}", 200,
		 "\"emails\":[{\"type\":\"home\",\"value\":\"e@f\"}]"},
		{SET("name.familyName", "\"F\""), 200, "\"familyName\":\"F\""},
		{SET("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "\"d\""), 200,
		 "\"department\":\"d\""},
		{"{\"op\":\"add\",\"value\":{\"title\":\"t\",\"name.givenName\":\"G\"}}", 200,
		 "\"givenName\":\"G\""},
		{SET("emails[type eq work].value", "\"x\""), 400, "invalidPath"},
		{SET("emails[type eq \\\"home\\\"", "\"x\""), 400, "invalidPath"},
		{SET("userName", "\"u2\""), 409, "uniqueness"},
	};
	struct world *w = *state;

	world_speak(w, "rfc7644");
	for (size_t i = 0; i < COUNT(patches); i++) {
		char body[1024];
		int status;

		(void)snprintf(body, sizeof(body), PATCH("%s"), patches[i].operation);
		status = world_call(w, "PATCH", "/Users/$1", body);
		if (status != patches[i].status || !world_holds(w, patches[i].holds))
			fail_msg("%s: %d %s", patches[i].operation, status, buf_text(&w->answer.body));
	}
	assert_int_equal(world_call(w, "GET",
				    "/Users?filter=emails%5Btype%20eq%20%22home%22%5D.value%20eq%20%22e@f%22",
				    ""),
			 200);
	assert_true(world_holds(w, "\"totalResults\":1,"));
	assert_int_equal(world_call(w, "GET",
				    "/Users?filter=emails%5Btype%20eq%20%22work%22%5D.value%20eq%20%22e@f%22",
				    ""),
			 200);
	assert_true(world_holds(w, "\"totalResults\":0,"));
	assert_int_equal(world_call(w, "GET", "/Users?filter=emails.value%20eq%20%22E@F%22", ""), 200);
	assert_true(world_holds(w, "\"totalResults\":1,"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test_setup_teardown(test_table, world_setup, world_teardown),
		cmocka_unit_test(test_behaviour_texts),
		cmocka_unit_test_setup_teardown(test_google_limits, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_members_by_name, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_removal_from_an_empty_group, world_setup,
						world_teardown),
		cmocka_unit_test_setup_teardown(test_ghosts, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_reading, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_created_lag, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_settling, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_ids_are_names, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_user_paths, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
