/*
 * Each route of the API by which something is read, while the broker's memory runs out (tests/support/starved.h). The routes
 * are those of the broker's own table: there is none that is left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/route.h"
#include "tests/support/listener.h"
#include "tests/support/scene_ask.h"
#include "tests/support/starved.h"

#define PEOPLE       16
#define ASKER        0
#define APPROVER     2
#define PATH_MAX_LEN 512

enum group { PLAIN, APPROVED };

static char waiting[ID_SIZE]; /* the request that waits for its approver */

static int open_world(void **state)
{
	static const char *const eligible[] = {"person0@example.com", "person1@example.com", NULL};
	static const struct broker_group groups[] = {
		[PLAIN] = {.eligible = eligible, .min_ms = SECOND},
		[APPROVED] = {.eligible = eligible,
			      .min_ms = SECOND,
			      .more = "      approval: {approvers: [person2@example.com]}\n"},
	};
	struct world_options options = starved_options();

	options.people = PEOPLE;
	options.each_group = groups;
	options.groups = 2;
	return starved_open(state, &options);
}

/* -- a path for each route ---------------------------------------------------------------------------------- */

/* The id of the first object of that collection which is the caller's. */
static void first_of(const struct world *world, const char *collection, char out[NAME_SIZE])
{
	struct http_response response;
	char path[PATH_MAX_LEN];

	snprintf(path, sizeof(path), PIM "%s/filterByCurrentUser(on='principal')", collection);
	scene_get(world, ASKER, path, &response);
	snprintf(out, NAME_SIZE, "%s", scene_text(&response, "value.0.id"));
	http_response_release(&response);
}

/* What stands for the variable segment behind `before`. */
static void variable_of(const struct world *world, const char *before, char out[NAME_SIZE])
{
	if (strcmp(before, "assignmentApprovals") == 0)
		snprintf(out, NAME_SIZE, "%s", waiting);
	else if (strcmp(before, "applications") == 0)
		snprintf(out, NAME_SIZE, "app");
	else if (strcmp(before, "page") == 0)
		snprintf(out, NAME_SIZE, "page.js");
	else
		first_of(world, before, out);
}

static bool is_collection(const struct route *route)
{
	return route->graph && strchr(route->path + 1, '/') == NULL;
}

static void path_of(const struct world *world, const struct route *route, char path[PATH_MAX_LEN])
{
	const char *at = route->path;
	char before[64] = "", variable[NAME_SIZE];
	size_t len = (size_t)snprintf(path, PATH_MAX_LEN, "%s", route->graph ? PIM : "/");

	for (; *at == '/'; at += 1 + strcspn(at + 1, "/")) {
		int segment = (int)strcspn(at + 1, "/");
		const char *divider = path[len - 1] == '/' ? "" : "/";

		if (at[1] == '(')
			len += (size_t)snprintf(path + len, PATH_MAX_LEN - len,
						"%sfilterByCurrentUser(on='%.*s')", divider, segment - 2,
						at + 2);
		else if (at[1] == '*') {
			variable_of(world, before, variable);
			len += (size_t)snprintf(path + len, PATH_MAX_LEN - len, "%s%s", divider, variable);
		} else
			len += (size_t)snprintf(path + len, PATH_MAX_LEN - len, "%s%.*s", divider, segment,
						at + 1);
		snprintf(before, sizeof(before), "%.*s", segment, at + 1);
		assert_true(len < PATH_MAX_LEN);
	}
	if (is_collection(route))
		snprintf(path + len, PATH_MAX_LEN - len,
			 "?$filter=principalId%%20eq%%20'%s'&$expand=%s&$count=true",
			 world_person_id(world, ASKER), "group,principal");
	else if (strstr(route->path, "(createdBy)") != NULL)
		snprintf(path + len, PATH_MAX_LEN - len, "?$select=id,status&$expand=group");
	else if (strcmp(route->path, "/api/audit") == 0)
		snprintf(path + len, PATH_MAX_LEN - len, "?lane=0");
}

/* -- the sweep ---------------------------------------------------------------------------------------------- */

static const char *read_path;
static size_t reader;

static int read_it(const struct world *world, long n)
{
	(void)n;
	return starved_call(world, reader, &(struct http_request){.url = read_path});
}

/* A stream that has begun is not waited for to end. Each is somebody else's, because one may have only some at once. */
static int listen_to_it(const struct world *world, long n)
{
	struct listener l;
	int status;

	listener_open(&l, &world->brokers[0], world_token(world, (size_t)n % PEOPLE), NULL);
	status = l.ended && l.status == 200 ? 0 : l.status;
	listener_close(&l);
	return status;
}

/* Something of everything: an assignment, an eligibility by request, what waits for an approver. */
static void fill(const struct world *world)
{
	static const struct scene_ask eligibility = {
		.eligibility = true,
		.caller = ASKER,
		.person = ASKER,
		.group = PLAIN,
		.action = "adminAssign",
		.schedule = "{\"expiration\":{\"type\":\"afterDuration\",\"duration\":\"PT1H\"}}"};
	struct world_ask ask = {.person = ASKER, .group = PLAIN, .duration = "PT1H"};
	char id[ID_SIZE];

	scene_ask_ok(world, &eligibility, id);
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	ask.group = APPROVED;
	scene_activate(world, &ask, waiting);
}

static void each_route(void **state)
{
	const struct world *world = *state;
	size_t count, read = 0;
	const struct route *routes = routes_all(&count);
	char path[PATH_MAX_LEN];

	fill(world);
	read_path = path;
	for (size_t i = 0; i < count; i++) {
		struct starved_sweep sweep = {.route = path, .call = read_it, .wanted = 200};
		bool is_approval = strncmp(routes[i].path, "/assignmentApprovals", 20) == 0;

		if (strcmp(routes[i].method, "GET") != 0)
			continue;
		/* Whose request it is cannot be told without memory, and nobody decides their own. */
		reader = is_approval ? APPROVER : ASKER;
		sweep.also = is_approval ? 403 : 0;
		if (strcmp(routes[i].path, "/api/events") == 0)
			sweep.call = listen_to_it;
		path_of(world, &routes[i], path);
		starved_run(world, &sweep);
		read++;
	}
	assert_true(read > 30);
	world_passed(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_route, open_world, starved_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
