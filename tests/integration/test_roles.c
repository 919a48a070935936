/* Who may call what: every route with every role, and what those who may not are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/route.h"
#include "base/digest.h"
#include "tests/support/scene.h"

#define NO_ID "00000000-0000-8000-8000-000000000000"
#define GRAPH "/v1.0/identityGovernance/privilegedAccess/group"

enum role {
	NOBODY,
	STRANGER,
	REQUESTER,
	OPERATOR,
	AUDITOR,
	TIMER,
	BOTH,
	MACHINE_AUDITOR,
	MACHINE_TIMER,
	ROLES
};

static const char *const tokens[ROLES] = {
	[STRANGER] = "token-of-nobody",  [REQUESTER] = "token-1",       [OPERATOR] = "token-0",
	[AUDITOR] = "token-2",           [TIMER] = "token-3",           [BOTH] = "token-4",
	[MACHINE_AUDITOR] = "machine-a", [MACHINE_TIMER] = "machine-t",
};

#define R   (1U << REQUESTER)
#define O   (1U << OPERATOR)
#define A   (1U << AUDITOR | 1U << BOTH | 1U << MACHINE_AUDITOR)
#define T   (1U << TIMER | 1U << BOTH | 1U << MACHINE_TIMER)
#define ALL (~0U)

/* Whom a route is for, by the beginning of its path; the first row that fits counts. */
static const struct row {
	const char *method, *path;
	unsigned may;
} rows[] = {
	{"*", "/hooks/", ALL},
	{"POST", "/v1.0/$batch", R | O | A},
	{"POST", "/beta/$batch", R | O | A},
	{"GET", "/v1.0/me", R | O | A},
	{"GET", "/beta/me", R | O | A},
	{"GET", "/api/sign-in", ALL},
	{"GET", "/api/events", R | O | A},
	{"GET", "/api/", O | A},
	{"POST", "/api/sweep", O | T},
	{"POST", "/api/", O},
	{"GET", "/assignment", R | O | A},
	{"GET", "/eligibility", R | O | A},
	{"*", "/assignment", R | O},
	{"*", "/eligibility", O},
	{"GET", "/", ALL},
};

static unsigned whom(const struct route *route)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((rows[i].method[0] == '*' || strcmp(rows[i].method, route->method) == 0) &&
		    strncmp(rows[i].path, route->path, strlen(rows[i].path)) == 0)
			return rows[i].may;
	fail_msg("%s %s: for whom?", route->method, route->path);
	return 0;
}

/* A path that leads to the route. */
static void path_of(const struct route *route, char *out, size_t size)
{
	size_t at = (size_t)snprintf(out, size, "%s", route->graph ? GRAPH : "");

	for (const char *p = route->path; *p != '\0' && at < size; p++)
		if (*p == '*')
			at += (size_t)snprintf(out + at, size - at, "%s", NO_ID);
		else if (*p == '(')
			at += (size_t)snprintf(out + at, size - at, "filterByCurrentUser(on='");
		else if (*p == ')')
			at += (size_t)snprintf(out + at, size - at, "')");
		else
			at += (size_t)snprintf(out + at, size - at, "%c", *p);
}

struct roles_world {
	struct world world;
	char more[1024];
};

static int open_world(void **state)
{
	struct roles_world *w = calloc(1, sizeof(*w));
	struct world_options options = scene_defaults();
	char auditor[SHA256_HEX], timer[SHA256_HEX];

	assert_non_null(w);
	digest_sha256_hex("machine-a", strlen("machine-a"), auditor);
	digest_sha256_hex("machine-t", strlen("machine-t"), timer);
	snprintf(w->more, sizeof(w->more),
		 "auditors: {principals: [person2@example.com, person4@example.com]}\n"
		 "timers: {principals: [Person3@example.com, person4@example.com]}\n"
		 "machines:\n  - {name: reader, token_sha256: %s, roles: [auditor]}\n"
		 "  - {name: sweep, token_sha256: %s, roles: [timer]}\n",
		 auditor, timer);
	options.more = w->more;
	*state = &w->world;
	return world_start(&w->world, &options) ? 0 : -1;
}

static void call(const struct world *world, const struct row *row, enum role role,
		 struct http_response *response)
{
	struct http_request request = {.method = row->method, .url = row->path, .bearer = tokens[role]};

	if (strcmp(row->method, "GET") != 0)
		request.body = "{}";
	if (strcmp(row->path, "/api/events") == 0 && (row->may & 1U << role) != 0)
		request.method = "HEAD"; /* otherwise there is no end */
	broker_call(&world->brokers[0], &request, response);
}

static void expect(const struct row *row, enum role role, const struct http_response *response)
{
	const char *code = http_json_text(response, "error.code");
	char challenge[256];
	bool is_open = row->may == ALL, unknown = role == NOBODY || role == STRANGER;
	bool may = is_open || (row->may & 1U << role) != 0;

	if (unknown && !is_open) {
		if (response->status != 401)
			fail_msg("%s %s as %d: %d instead of 401", row->method, row->path, role,
				 response->status);
		assert_true(http_header(response, "WWW-Authenticate", challenge, sizeof(challenge)));
	} else if ((response->status == 403) == may || (!is_open && response->status == 401)) {
		fail_msg("%s %s as %d: %d %s", row->method, row->path, role, response->status, code);
	} else if (!may) {
		assert_non_null(strstr(buf_text(&response->body), "\"rule\":\"RoleRule\""));
		assert_string_not_equal(http_json_text(response, "error.message"), "");
	}
}

static void test_every_route_with_every_role(void **state)
{
	size_t count;
	const struct route *routes = routes_all(&count);

	for (size_t i = 0; i < count; i++)
		for (enum role role = NOBODY; role < ROLES; role++) {
			char path[256];
			struct row row = {routes[i].method, path, whom(&routes[i])};
			struct http_response response;

			path_of(&routes[i], path, sizeof(path));
			call(*state, &row, role, &response);
			expect(&row, role, &response);
			http_response_release(&response);
		}
}

/* What a person asked for is seen by operators and auditors, not by others and not by timer jobs. */
static void test_who_sees(void **state)
{
	const struct world *world = *state;
	static const int statuses[ROLES] = {401, 401, 200, 200, 200, 403, 200, 200, 403};
	struct row row = {"GET", NULL, 0};
	struct http_response response;
	char id[ID_SIZE], path[256];

	scene_activate(world, &(struct world_ask){.person = 1, .duration = "PT1H"}, id);
	snprintf(path, sizeof(path), PIM "assignmentScheduleRequests/%s", id);
	row.path = path;
	for (enum role role = NOBODY; role < ROLES; role++) {
		call(world, &row, role, &response);
		assert_int_equal(response.status, statuses[role]);
		http_response_release(&response);
	}
	scene_get(world, 5, path, &response);
	assert_int_equal(response.status, 404);
	http_response_release(&response);
}

/* An auditor who is eligible asks for nothing all the same, and the token of a machine is no person's. */
static void test_auditors_change_nothing(void **state)
{
	const struct world *world = *state;
	struct http_response response;

	world_activate(world, &(struct world_ask){.person = 2, .duration = "PT1H"}, &response);
	assert_int_equal(response.status, 403);
	http_response_release(&response);
	assert_false(scene_mentions(world, 2));
	world_passed(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_route_with_every_role),
		cmocka_unit_test(test_who_sees),
		cmocka_unit_test(test_auditors_change_nothing),
	};

	return cmocka_run_group_tests(tests, open_world, scene_close);
}
