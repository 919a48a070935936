/* Whatever is sent to the API that it cannot do: the right error in Graph's shape, and nothing changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "base/id.h"
#include "base/iso8601.h"
#include "tests/support/scene.h"

#define GROUP    "a0000000-0000-4000-8000-000000000000"
#define FOREIGN  "a0000000-0000-4000-8000-000000000001" /* nobody of the test is eligible there */
#define PERSON   "00000000-0000-4000-8000-000000000001"
#define ASKED_ID "8c5a3b1e-0d5f-4a43-9a3e-5a1f6e1f0b77" /* of the call, for its trace */
#define REQUESTS PIM "assignmentScheduleRequests"

/* A good activation, with some of its members replaced or added. */
#define BASIC         "\"action\":\"selfActivate\",\"accessId\":\"member\""
#define BODY(members) "{" BASIC ",\"groupId\":\"" GROUP "\",\"justification\":\"why\"," members "}"
#define FOR(duration)                                                                                        \
	BODY("\"scheduleInfo\":{\"expiration\":{\"type\":\"afterDuration\",\"duration\":" duration "}}")
#define UNTIL(end)                                                                                           \
	BODY("\"scheduleInfo\":{\"expiration\":{\"type\":\"afterDateTime\",\"endDateTime\":" end "}}")
#define FROM(start) BODY("\"scheduleInfo\":{\"startDateTime\":" start "}")
#define ADMIN(action)                                                                                        \
	"{\"action\":\"" action "\",\"accessId\":\"member\",\"groupId\":\"" GROUP                            \
	"\",\"principalId\":\"" PERSON "\","                                                                 \
	"\"justification\":\"why\",\"scheduleInfo\":{\"expiration\":{\"duration\":\"PT1H\"}}}"
#define EXPIRATION(inside) BODY("\"scheduleInfo\":{\"expiration\":{" inside "}}")

struct refusal {
	const char *name, *body;
	int status;
	const char *code;
	const char *says; /* in the message, or the rule in its details */
};

static const struct refusal malformed[] = {
	{"nothing", "", 400, "BadRequest", ""},
	{"cut off", "{\"action\":\"selfActivate\"", 400, "BadRequest", ""},
	{"no JSON", "action=selfActivate", 400, "BadRequest", ""},
	{"two values", BODY("\"customData\":null") "{}", 400, "BadRequest", ""},
	{"a member twice", BODY("\"action\":\"selfDeactivate\""), 400, "BadRequest", "action"},
	{"a member twice in another case", BODY("\"Action\":\"selfDeactivate\""), 400, "BadRequest",
	 "Action"},
	{"too deep", BODY("\"customData\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]"), 400, "BadRequest", ""},
	{"not UTF-8", BODY("\"customData\":\"\xff\xfe\""), 400, "BadRequest", "UTF-8"},
	{"overlong UTF-8", BODY("\"customData\":\"\xc0\xaf\""), 400, "BadRequest", "UTF-8"},
	{"half a surrogate pair", BODY("\"customData\":\"\\ud800\""), 400, "BadRequest", ""},
	{"an escaped NUL", BODY("\"customData\":\"a\\u0000b\""), 400, "BadRequest", ""},
	{"a bare control character", BODY("\"customData\":\"a\001b\""), 400, "BadRequest", ""},
	{"too large a number", BODY("\"customData\":1e400"), 400, "BadRequest", ""},
	{"an array", "[]", 400, "InvalidRoleAssignmentRequest", "object"},
	{"null", "null", 400, "InvalidRoleAssignmentRequest", "object"},
	{"a text", "\"selfActivate\"", 400, "InvalidRoleAssignmentRequest", "object"},
	{"an empty object", "{}", 400, "InvalidRoleAssignmentRequest", "action"},
	{NULL, NULL, 0, NULL, NULL},
};

static const struct refusal mistyped[] = {
	{"action", "{\"action\":5}", 400, "InvalidRoleAssignmentRequest", "action"},
	{"unknown action", "{\"action\":\"selfDestruct\"}", 400, "InvalidRoleAssignmentRequest",
	 "selfDestruct"},
	{"an action of others", ADMIN("adminAssign"), 403, "Authorization_RequestDenied", "operators"},
	{"another's end", ADMIN("adminRemove"), 403, "Authorization_RequestDenied", "operators"},
	{"accessId", "{\"action\":\"selfActivate\",\"accessId\":true}", 400, "InvalidRoleAssignmentRequest",
	 "accessId"},
	{"owner", "{\"action\":\"selfActivate\",\"accessId\":\"owner\"}", 400, "InvalidRoleAssignmentRequest",
	 "member"},
	{"no group", "{" BASIC "}", 400, "InvalidRoleAssignmentRequest", "groupId"},
	{"group as a number", "{" BASIC ",\"groupId\":7}", 400, "InvalidRoleAssignmentRequest", "groupId"},
	{"group by its name", "{" BASIC ",\"groupId\":\"group-0\"}", 400, "InvalidRoleAssignmentRequest",
	 "groupId"},
	{"unknown group", "{" BASIC ",\"groupId\":\"ffffffff-0000-4000-8000-000000000000\"}", 404,
	 "ResourceNotFound", "group"},
	{"principalId", BODY("\"principalId\":[]"), 400, "InvalidRoleAssignmentRequest", "principalId"},
	{"someone else", BODY("\"principalId\":\"00000000-0000-4000-8000-000000000002\""), 403,
	 "Authorization_RequestDenied", "principalId"},
	{"someone else's name", BODY("\"principalId\":\"person1@example.com\""), 403,
	 "Authorization_RequestDenied", "principalId"},
	{"justification", "{" BASIC ",\"groupId\":\"" GROUP "\",\"justification\":{}}", 400,
	 "InvalidRoleAssignmentRequest", "justification"},
	{"scheduleInfo", BODY("\"scheduleInfo\":\"now\""), 400, "InvalidRoleAssignmentRequest",
	 "scheduleInfo"},
	{"expiration", BODY("\"scheduleInfo\":{\"expiration\":3600}"), 400, "InvalidRoleAssignmentRequest",
	 "expiration"},
	{"expiration.type", EXPIRATION("\"type\":1"), 400, "InvalidRoleAssignmentRequest", "expiration.type"},
	{"unknown expiration.type", EXPIRATION("\"type\":\"someday\""), 400, "InvalidRoleAssignmentRequest",
	 "someday"},
	{"recurrence", BODY("\"scheduleInfo\":{\"recurrence\":{}}"), 400, "InvalidRoleAssignmentRequest",
	 "recurrence"},
	{"ticketInfo", BODY("\"ticketInfo\":[]"), 400, "InvalidRoleAssignmentRequest", "ticketInfo"},
	{"ticketNumber", BODY("\"ticketInfo\":{\"ticketNumber\":1}"), 400, "InvalidRoleAssignmentRequest",
	 "ticketNumber"},
	{"isValidationOnly", BODY("\"isValidationOnly\":\"yes\""), 400, "InvalidRoleAssignmentRequest",
	 "isValidationOnly"},
	{"unknown member", BODY("\"assignee\":\"me\""), 400, "InvalidRoleAssignmentRequest", "assignee"},
	{"unknown member of the schedule", BODY("\"scheduleInfo\":{\"end\":1}"), 400,
	 "InvalidRoleAssignmentRequest", "end"},
	{"unknown member of the expiration", EXPIRATION("\"hours\":1"), 400, "InvalidRoleAssignmentRequest",
	 "hours"},
	{NULL, NULL, 0, NULL, NULL},
};

static const struct refusal times[] = {
	{"no duration", EXPIRATION("\"type\":\"afterDuration\""), 400, "InvalidRoleAssignmentRequest",
	 "duration"},
	{"duration as a number", FOR("3600"), 400, "InvalidRoleAssignmentRequest", "duration"},
	{"duration in words", FOR("\"one hour\""), 400, "InvalidRoleAssignmentRequest", "duration"},
	{"months", FOR("\"P6M\""), 400, "InvalidRoleAssignmentRequest", "duration"},
	{"no time at all", FOR("\"PT0S\""), 400, "InvalidRoleAssignmentRequest", "duration"},
	{"less than no time", FOR("\"-PT1H\""), 400, "InvalidRoleAssignmentRequest", "duration"},
	{"a million years", FOR("\"P365000000D\""), 400, "InvalidRoleAssignmentRequest", "duration"},
	{"more digits than a number has", FOR("\"PT99999999999999999999999H\""), 400,
	 "InvalidRoleAssignmentRequest", "duration"},
	{"both kinds of end",
	 EXPIRATION(
		 "\"type\":\"afterDuration\",\"duration\":\"PT1H\",\"endDateTime\":\"2030-01-01T00:00:00Z\""),
	 400, "InvalidRoleAssignmentRequest", "not both"},
	{"no end", EXPIRATION("\"type\":\"afterDateTime\""), 400, "InvalidRoleAssignmentRequest",
	 "endDateTime"},
	{"end that is over", UNTIL("\"2020-01-01T00:00:00Z\""), 400, "InvalidRoleAssignmentRequestSchedule",
	 ""},
	{"end in the year 9999", UNTIL("\"9999-12-31T23:59:59Z\""), 400,
	 "RoleAssignmentRequestPolicyValidationFailed", "ExpirationRule"},
	{"end before the Unix time began", UNTIL("\"1901-01-01T00:00:00Z\""), 400,
	 "InvalidRoleAssignmentRequest", "endDateTime"},
	{"no such day", UNTIL("\"2027-02-30T00:00:00Z\""), 400, "InvalidRoleAssignmentRequest",
	 "endDateTime"},
	{"no such hour", UNTIL("\"2027-02-20T25:00:00Z\""), 400, "InvalidRoleAssignmentRequest",
	 "endDateTime"},
	{"no offset", FROM("\"2027-01-01T00:00:00\""), 400, "InvalidRoleAssignmentRequest", "startDateTime"},
	{"start as a number", FROM("1795540368"), 400, "InvalidRoleAssignmentRequest", "startDateTime"},
	{"start in the year 9999", FROM("\"9999-12-31T23:59:59Z\""), 400, "InvalidRoleAssignmentRequest",
	 "startDateTime"},
	{NULL, NULL, 0, NULL, NULL},
};

static const struct refusal policy[] = {
	{"too long", FOR("\"PT9H\""), 400, "RoleAssignmentRequestPolicyValidationFailed", "ExpirationRule"},
	{"a hundred years", FOR("\"P36500D\""), 400, "RoleAssignmentRequestPolicyValidationFailed",
	 "ExpirationRule"},
	{"too short", FOR("\"PT0.5S\""), 400, "RoleAssignmentRequestPolicyValidationFailed",
	 "ExpirationRule"},
	{"for ever", EXPIRATION("\"type\":\"noExpiration\""), 400,
	 "RoleAssignmentRequestPolicyValidationFailed", "ExpirationRule"},
	{"no reason", "{" BASIC ",\"groupId\":\"" GROUP "\"}", 400,
	 "RoleAssignmentRequestPolicyValidationFailed", "JustificationRule"},
	{"a blank reason", "{" BASIC ",\"groupId\":\"" GROUP "\",\"justification\":\" \\t\\n\"}", 400,
	 "RoleAssignmentRequestPolicyValidationFailed", "JustificationRule"},
	{"not eligible", "{" BASIC ",\"groupId\":\"" FOREIGN "\",\"justification\":\"why\"}", 400,
	 "RoleAssignmentRequestPolicyValidationFailed", "EligibilityRule"},
	{"only tried",
	 BODY("\"isValidationOnly\":true,\"scheduleInfo\":{\"expiration\":{\"duration\":\"PT9H\"}}"), 400,
	 "RoleAssignmentRequestPolicyValidationFailed", "ExpirationRule"},
	{"nothing to give back",
	 "{\"action\":\"selfDeactivate\",\"accessId\":\"member\",\"groupId\":\"" GROUP "\"}", 400,
	 "RoleAssignmentDoesNotExist", ""},
	{"nothing to extend",
	 "{\"action\":\"selfExtend\",\"accessId\":\"member\",\"groupId\":\"" GROUP
	 "\",\"justification\":\"why\"}",
	 400, "RoleAssignmentDoesNotExist", ""},
	{NULL, NULL, 0, NULL, NULL},
};

/* -- the world ------------------------------------------------------------------------------------------------- */

static int open_world(void **state)
{
	static const char *const redis_arguments[] = {"--enable-debug-command", "yes", NULL};
	struct world_options options = scene_defaults();
	const char *only_person_9[] = {NULL, NULL};
	struct broker_group *groups;
	struct world *world;

	options.redis_arguments = redis_arguments;
	if (scene_open(state, &options) != 0)
		return -1;
	world = *state;
	only_person_9[0] = world_user_name(world, 9);
	groups = (struct broker_group *)(uintptr_t)world->config.groups;
	groups[1].eligible = only_person_9;
	return scene_reload(world, 0) ? 0 : -1;
}

/* Graph's shape: code, message, and the ids by which the call is found again. */
static void expect_error(const struct http_response *response, int status, const char *code)
{
	char value[256];
	struct errctx ec;
	int64_t date;

	if (response->status != status)
		fprintf(stderr, "%d %s %s\n", response->status, response->error, buf_text(&response->body));
	assert_int_equal(response->status, status);
	assert_string_equal(scene_text(response, "error.code"), code);
	assert_string_not_equal(scene_text(response, "error.message"), "");
	assert_int_equal(iso8601_parse_time(scene_text(response, "error.innerError.date"), &date, &ec),
			 ERR_OK);
	assert_true(http_header(response, "content-type", value, sizeof(value)));
	assert_non_null(strstr(value, "application/json"));
	assert_true(http_header(response, "request-id", value, sizeof(value)));
	assert_true(id_valid(value));
	assert_string_equal(scene_text(response, "error.innerError.request-id"), value);
	if (status == 401)
		assert_true(http_header(response, "www-authenticate", value, sizeof(value)));
}

static void refuse_all(struct world *world, const struct refusal *rows)
{
	struct http_request request = {.url = REQUESTS,
				       .bearer = world_token(world, 1),
				       .headers = {"client-request-id: " ASKED_ID}};
	char before[SHA256_HEX], after[SHA256_HEX], value[64];

	for (; rows->name != NULL; rows++) {
		struct http_response response;
		const char *rule;

		scene_digest(world, before);
		request.body = rows->body;
		broker_call(&world->brokers[0], &request, &response);
		if (response.status != rows->status)
			fprintf(stderr, "row \"%s\"\n", rows->name);
		expect_error(&response, rows->status, rows->code);
		rule = http_json_text(&response, "error.details.0.rule");
		if (strstr(scene_text(&response, "error.message"), rows->says) == NULL &&
		    (rule == NULL || strcmp(rule, rows->says) != 0))
			fail_msg("row \"%s\" says: %s", rows->name, buf_text(&response.body));
		assert_string_equal(scene_text(&response, "error.innerError.client-request-id"), ASKED_ID);
		assert_true(http_header(&response, "client-request-id", value, sizeof(value)));
		assert_string_equal(value, ASKED_ID);
		http_response_release(&response);
		scene_digest(world, after);
		if (strcmp(before, after) != 0)
			fail_msg("row \"%s\" has changed Redis", rows->name);
	}
}

static void bodies_that_cannot_be_understood(void **state)
{
	refuse_all(*state, malformed);
	refuse_all(*state, mistyped);
	refuse_all(*state, times);
	refuse_all(*state, policy);
	world_passed(*state);
}

/* -- the other ways in ------------------------------------------------------------------------------------------ */

struct knock {
	const char *name, *method, *url, *header;
	size_t person; /* NOBODY = no token */
	const char *body;
	int status;
	const char *code;
	const char *allow; /* NULL = no Allow header */
};

#define NOBODY     SIZE_MAX
#define GOOD       BODY("\"isValidationOnly\":true")
#define UNKNOWN_ID "00010000-0000-8000-8000-000000000000"

static const struct knock knocks[] = {
	{"no token", "POST", REQUESTS, NULL, NOBODY, GOOD, 401, "InvalidAuthenticationToken", NULL},
	{"wrong token", "POST", REQUESTS, "Authorization: Bearer nonsense", NOBODY, GOOD, 401,
	 "InvalidAuthenticationToken", NULL},
	{"empty token", "POST", REQUESTS, "Authorization: Bearer ", NOBODY, GOOD, 401,
	 "InvalidAuthenticationToken", NULL},
	{"another scheme", "POST", REQUESTS, "Authorization: Basic dG9rZW4tMTo=", NOBODY, GOOD, 401,
	 "InvalidAuthenticationToken", NULL},
	{"token in the query", "GET", REQUESTS "?access_token=token-1", NULL, NOBODY, NULL, 401,
	 "InvalidAuthenticationToken", NULL},
	{"no media type", "POST", REQUESTS, "Content-Type:", 1, GOOD, 415, "UnsupportedMediaType", NULL},
	{"a form", "POST", REQUESTS, "Content-Type: application/x-www-form-urlencoded", 1, GOOD, 415,
	 "UnsupportedMediaType", NULL},
	{"nearly JSON", "POST", REQUESTS, "Content-Type: application/jsonp", 1, GOOD, 415,
	 "UnsupportedMediaType", NULL},
	{"blank in the key", "POST", REQUESTS, "Idempotency-Key: two words", 1, GOOD, 400, "BadRequest",
	 NULL},
	{"PUT", "PUT", REQUESTS, NULL, 1, GOOD, 405, "MethodNotAllowed", "POST, GET"},
	{"DELETE", "DELETE", REQUESTS "/" UNKNOWN_ID, NULL, 1, NULL, 405, "MethodNotAllowed", "GET"},
	{"PATCH of one", "PATCH", REQUESTS "/" UNKNOWN_ID, NULL, 1, GOOD, 405, "MethodNotAllowed", "GET"},
	{"GET of a cancel", "GET", REQUESTS "/" UNKNOWN_ID "/cancel", NULL, 1, NULL, 405, "MethodNotAllowed",
	 "POST"},
	{"POST to the metrics", "POST", "/metrics", NULL, 1, GOOD, 405, "MethodNotAllowed", "GET"},
	{"a method of one's own", "BREW", REQUESTS, NULL, 1, NULL, 405, "MethodNotAllowed", "POST, GET"},
	{"no such path", "GET", "/v1.0/nothing", NULL, 1, NULL, 404, "ResourceNotFound", NULL},
	{"no such version", "GET",
	 "/v2.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests", NULL, 1, NULL, 404,
	 "ResourceNotFound", NULL},
	{"a path that climbs", "GET", REQUESTS "/../../../../../etc/passwd", NULL, 1, NULL, 404,
	 "ResourceNotFound", NULL},
	{"an encoded slash", "GET", REQUESTS "/..%2f..%2fx", NULL, 1, NULL, 400, "BadRequest", NULL},
	{"an encoded NUL", "GET", REQUESTS "/a%00b", NULL, 1, NULL, 400, "BadRequest", NULL},
	{"half a percent sequence", "GET", REQUESTS "/a%4", NULL, 1, NULL, 400, "BadRequest", NULL},
	{"an id that is none", "GET", REQUESTS "/nonsense", NULL, 1, NULL, 404, "ResourceNotFound", NULL},
	{"an id that is not there", "GET", REQUESTS "/" UNKNOWN_ID, NULL, 1, NULL, 404, "ResourceNotFound",
	 NULL},
	{"an id of a lane that is not there", "GET", REQUESTS "/03ff0000-0000-8000-8000-000000000000", NULL,
	 1, NULL, 404, "ResourceNotFound", NULL},
	{"another's kind of id", "GET", REQUESTS "/" GROUP, NULL, 1, NULL, 404, "ResourceNotFound", NULL},
	{"cancel of what is not there", "POST", REQUESTS "/" UNKNOWN_ID "/cancel", NULL, 1, NULL, 404,
	 "ResourceNotFound", NULL},
	{"cancel of nonsense", "POST", REQUESTS "/nonsense/cancel", NULL, 1, NULL, 404, "ResourceNotFound",
	 NULL},
	{"applications, as anybody", "GET", "/api/applications", NULL, 1, NULL, 403,
	 "Authorization_RequestDenied", NULL},
	{"an application, as anybody", "GET", "/api/applications/app", NULL, 1, NULL, 403,
	 "Authorization_RequestDenied", NULL},
	{"an application that is not there", "GET", "/api/applications/none", NULL, 0, NULL, 404,
	 "ResourceNotFound", NULL},
	{"a page that is none", "GET", "/api/applications?$skip=-1", NULL, 0, NULL, 400, "BadRequest", NULL},
	{"a list without a filter", "GET", REQUESTS, NULL, 1, NULL, 400, "BadRequest", NULL},
	{"another's list", "GET",
	 REQUESTS "?$filter=principalId%20eq%20%2700000000-0000-4000-8000-000000000002%27", NULL, 1, NULL,
	 403, "Authorization_RequestDenied", NULL},
	{"a group that is none", "GET", REQUESTS "?$filter=groupId%20eq%20%27x%27", NULL, 1, NULL, 400,
	 "BadRequest", NULL},
	{"an unknown status", "GET",
	 REQUESTS "?$filter=groupId%20eq%20%27" GROUP "%27%20and%20status%20eq%20%27Happy%27", NULL, 1, NULL,
	 400, "BadRequest", NULL},
	{"an unknown action", "GET",
	 REQUESTS "?$filter=groupId%20eq%20%27" GROUP "%27%20and%20action%20eq%20%27fly%27", NULL, 1, NULL,
	 400, "BadRequest", NULL},
	{"an unknown field", "GET", REQUESTS "?$filter=name%20eq%20%27x%27", NULL, 1, NULL, 400, "BadRequest",
	 NULL},
	{"another operator", "GET", REQUESTS "?$filter=groupId%20ne%20%27" GROUP "%27", NULL, 1, NULL, 400,
	 "BadRequest", NULL},
	{"or", "GET", REQUESTS "?$filter=groupId%20eq%20%27" GROUP "%27%20or%20status%20eq%20%27Revoked%27",
	 NULL, 1, NULL, 400, "BadRequest", NULL},
	{"an open quote", "GET", REQUESTS "?$filter=groupId%20eq%20%27x", NULL, 1, NULL, 400, "BadRequest",
	 NULL},
	{"top of nothing", "GET", REQUESTS "?$top=0&$filter=groupId%20eq%20%27" GROUP "%27", NULL, 1, NULL,
	 400, "BadRequest", NULL},
	{"top of too many", "GET", REQUESTS "?$top=100000&$filter=groupId%20eq%20%27" GROUP "%27", NULL, 1,
	 NULL, 400, "BadRequest", NULL},
	{"a place that no page gave", "GET",
	 REQUESTS "?$skiptoken=nonsense&$filter=groupId%20eq%20%27" GROUP "%27", NULL, 1, NULL, 400,
	 "BadRequest", NULL},
	{"another order", "GET", REQUESTS "?$orderby=status&$filter=groupId%20eq%20%27" GROUP "%27", NULL, 1,
	 NULL, 400, "BadRequest", NULL},
	{"an unknown option", "GET", REQUESTS "?$search=x&$filter=groupId%20eq%20%27" GROUP "%27", NULL, 1,
	 NULL, 400, "BadRequest", NULL},
	{"an unknown function", "GET", REQUESTS "/filterByCurrentUser(on='everybody')", NULL, 1, NULL, 404,
	 "ResourceNotFound", NULL},
};

static void knock(struct world *world, const struct knock *row)
{
	struct http_request request = {.method = row->method, .url = row->url, .body = row->body};
	struct http_response response;
	char before[SHA256_HEX], after[SHA256_HEX], allow[64];

	request.headers[0] = row->header;
	request.bearer = row->person == NOBODY ? NULL : world_token(world, row->person);
	scene_digest(world, before);
	broker_call(&world->brokers[0], &request, &response);
	if (response.status != row->status)
		fprintf(stderr, "row \"%s\"\n", row->name);
	expect_error(&response, row->status, row->code);
	assert_int_equal(http_header(&response, "allow", allow, sizeof(allow)), row->allow != NULL);
	if (row->allow != NULL)
		assert_string_equal(allow, row->allow);
	http_response_release(&response);
	scene_digest(world, after);
	if (strcmp(before, after) != 0)
		fail_msg("row \"%s\" has changed Redis", row->name);
}

static void calls_that_lead_nowhere(void **state)
{
	for (size_t i = 0; i < sizeof(knocks) / sizeof(knocks[0]); i++)
		knock(*state, &knocks[i]);
	world_passed(*state);
}

/* -- sizes ------------------------------------------------------------------------------------------------------ */

static void post_sized(struct world *world, size_t len, int status, const char *code)
{
	char *body = malloc(len + 1), before[SHA256_HEX], after[SHA256_HEX];
	struct http_request request = {.url = REQUESTS, .bearer = world_token(world, 1), .body = body};
	struct http_response response;
	const char *head = "{" BASIC ",\"groupId\":\"" GROUP "\",\"justification\":\"";

	assert_non_null(body);
	memset(body, 'x', len);
	memcpy(body, head, strlen(head));
	memcpy(body + len - 2, "\"}", 3);
	scene_digest(world, before);
	broker_call(&world->brokers[0], &request, &response);
	expect_error(&response, status, code);
	http_response_release(&response);
	scene_digest(world, after);
	assert_string_equal(before, after);
	free(body);
}

static void what_is_too_large(void **state)
{
	struct world *world = *state;
	char header[300], before[SHA256_HEX], after[SHA256_HEX];
	struct http_request request = {
		.url = REQUESTS, .bearer = world_token(world, 1), .body = GOOD, .headers = {header}};
	struct http_response response;

	post_sized(world, 2000, 400, "InvalidRoleAssignmentRequest"); /* a justification beyond its bound */
	post_sized(world, 64 * 1024 + 1, 413, "RequestEntityTooLarge");
	post_sized(world, 400 * 1024, 413, "RequestEntityTooLarge");

	scene_digest(world, before);
	snprintf(header, sizeof(header), "Idempotency-Key: %0256d", 0);
	broker_call(&world->brokers[0], &request, &response);
	expect_error(&response, 400, "BadRequest");
	http_response_release(&response);
	scene_digest(world, after);
	assert_string_equal(before, after);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bodies_that_cannot_be_understood, open_world, scene_close),
		cmocka_unit_test_setup_teardown(calls_that_lead_nowhere, open_world, scene_close),
		cmocka_unit_test_setup_teardown(what_is_too_large, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
