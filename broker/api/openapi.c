#include "api/openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/handlers.h"
#include "api/render.h"
#include "base/json.h"

/* -- paths ----------------------------------------------------------------------------------------------------- */

/* Each variable segment has a name: the first is the object, the second a part of it. */
static const char *variable(size_t number)
{
	return number == 0 ? "id" : "partId";
}

static void add_segment(struct buf *out, const char *segment, size_t len, size_t *variables)
{
	if (len == 1 && segment[0] == '*')
		buf_addf(out, "/{%s}", variable((*variables)++));
	else if (segment[0] == '(')
		buf_addf(out, "/filterByCurrentUser(on='%.*s')", (int)len - 2, segment + 1);
	else
		buf_addf(out, "/%.*s", (int)len, segment);
}

/* The path as callers write it; how many variable segments it has. */
static size_t add_path(struct buf *out, const struct route *route)
{
	size_t variables = 0;

	if (route->graph)
		buf_adds(out, "/v1.0" GRAPH_PATH);
	for (const char *at = route->path; *at == '/';) {
		size_t len = strcspn(at + 1, "/");

		add_segment(out, at + 1, len, &variables);
		at += 1 + len;
	}
	return variables;
}

/* A name for programs: the method and the words of the path, "getAssignmentSchedulesById". */
static void add_operation_id(struct buf *out, const struct route *route)
{
	bool upper = true;

	for (const char *c = route->method; *c != '\0'; c++)
		buf_addf(out, "%c", tolower((unsigned char)*c));
	for (const char *c = route->path; *c != '\0'; c++) {
		if (*c == '*')
			buf_adds(out, "ById");
		else if (isalnum((unsigned char)*c))
			buf_addf(out, "%c", upper ? toupper((unsigned char)*c) : *c);
		upper = !isalnum((unsigned char)*c);
	}
}

/* -- operations ------------------------------------------------------------------------------------------------ */

static bool is_list(const struct route *route)
{
	return route->gives != NULL && route->gives[0] == '[';
}

/* Its answer has no end. */
static bool is_stream(const struct route *route)
{
	return route->gives != NULL && strcmp(route->gives, "events") == 0;
}

static void add_parameters(struct buf *out, const struct route *route, size_t variables)
{
	static const char *const options[] = {"filter", "top",    "skiptoken", "orderby",
					      "count",  "select", "expand"};
	const char *comma = "";

	buf_adds(out, "\"parameters\":[");
	for (size_t i = 0; i < variables; i++, comma = ",")
		buf_addf(out,
			 "%s{\"name\":\"%s\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":"
			 "\"string\"}}",
			 comma, variable(i));
	for (size_t i = 0; route->graph && is_list(route) && i < sizeof(options) / sizeof(options[0]);
	     i++, comma = ",")
		buf_addf(out, "%s{\"name\":\"$%s\",\"in\":\"query\",\"schema\":{\"type\":\"string\"}}", comma,
			 options[i]);
	if (strcmp(route->method, "POST") == 0 && route->need >= NEED_PERSON)
		buf_addf(out, "%s{\"$ref\":\"#/components/parameters/idempotencyKey\"}", comma);
	if (is_stream(route))
		buf_adds(out,
			 "{\"name\":\"Last-Event-ID\",\"in\":\"header\",\"schema\":{\"type\":\"string\"}}");
	buf_adds(out, "],");
}

/* A reference to the schema, or any object where none of that name is written. */
static void add_schema(struct buf *out, const char *name)
{
	char member[96];

	snprintf(member, sizeof(member), "\n\t\"%s\": {", name);
	if (strstr(openapi_schemas, member) != NULL)
		buf_addf(out, "{\"$ref\":\"#/components/schemas/%s\"}", name);
	else
		buf_adds(out, "{\"type\":\"object\"}");
}

static void add_content(struct buf *out, const struct route *route)
{
	static const char list[] =
		"{\"type\":\"object\",\"properties\":{\"@odata.context\":{\"type\":\"string\"},"
		"\"@odata.count\":{\"type\":\"integer\"},\"@odata.nextLink\":{\"type\":\"string\"},"
		"\"value\":{\"type\":\"array\",\"items\":";

	buf_addf(out, ",\"content\":{\"%s\":{\"schema\":",
		 is_stream(route) ? "text/event-stream" : "application/json");
	if (is_list(route)) {
		buf_adds(out, list);
		add_schema(out, route->gives + 1);
		buf_adds(out, "}}}");
	} else {
		add_schema(out, route->gives);
	}
	buf_adds(out, "}}");
}

/* What is made is answered 201, what has begun 202, what is done without an answer 204. */
static int success(const struct route *route)
{
	if (strcmp(route->method, "GET") == 0)
		return 200;
	if (route->gives == NULL)
		return 204;
	if (strcmp(route->gives, "cycles") == 0)
		return 202;
	return route->graph ? 201 : 200;
}

static void add_responses(struct buf *out, const struct route *route)
{
	buf_addf(out, "\"responses\":{\"%d\":{\"description\":\"Success.\"", success(route));
	if (route->gives != NULL)
		add_content(out, route);
	buf_adds(out, "}");
	if (route->need >= NEED_PERSON)
		buf_adds(out, ",\"429\":{\"$ref\":\"#/components/responses/tooMany\"}");
	buf_adds(out,
		 ",\"default\":{\"description\":\"An error.\",\"content\":{\"application/json\":{\"schema\":{"
		 "\"$ref\":\"#/components/schemas/error\"}}}}}");
}

static void add_operation(struct buf *out, const struct route *route, size_t variables)
{
	bool signs_in = route->need >= NEED_PERSON;

	for (const char *c = route->method; *c != '\0'; c++)
		buf_addf(out, "%s%c", c == route->method ? "\"" : "", tolower((unsigned char)*c));
	buf_adds(out, "\":{\"operationId\":\"");
	add_operation_id(out, route);
	buf_adds(out, "\",\"summary\":");
	json_add_string(out, route->summary != NULL ? route->summary : "");
	buf_addf(out, ",\"x-roles\":\"%s\",\"security\":[%s],", route_roles(route->need),
		 signs_in ? "{\"bearer\":[]}" : "");
	add_parameters(out, route, variables);
	if (route->takes != NULL) {
		buf_addf(out, "\"requestBody\":{\"content\":{\"application/%s\":{\"schema\":",
			 strcmp(route->takes, "form") == 0 ? "x-www-form-urlencoded" : "json");
		add_schema(out, route->takes);
		buf_adds(out, "}}},");
	}
	add_responses(out, route);
	buf_adds(out, "}");
}

static bool same_path(const struct route *a, const struct route *b)
{
	return a->graph == b->graph && strcmp(a->path, b->path) == 0;
}

/* One path with all of its methods. */
static void add_path_item(struct buf *out, const struct route *routes, size_t count, size_t first)
{
	size_t variables;
	const char *comma = "";

	buf_adds(out, "\"");
	variables = add_path(out, &routes[first]);
	buf_adds(out, "\":{");
	for (size_t i = first; i < count; i++) {
		if (!same_path(&routes[i], &routes[first]))
			continue;
		buf_adds(out, comma);
		add_operation(out, &routes[i], variables);
		comma = ",";
	}
	buf_adds(out, "}");
}

static bool is_first(const struct route *routes, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (same_path(&routes[i], &routes[index]))
			return false;
	return true;
}

void openapi_print(struct buf *out, const char *base_url)
{
	size_t count;
	const struct route *routes = routes_all(&count);
	const char *comma = "";

	buf_adds(out,
		 "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Just-in-time group activation broker\","
		 "\"version\":\"1.0\",\"description\":\"Microsoft Graph's PIM for groups, and what it has "
		 "no call for. What is below /v1.0 is answered below /beta as "
		 "well.\"},\"servers\":[{\"url\":");
	json_add_string(out, base_url);
	buf_adds(out, "}],\"paths\":{");
	for (size_t i = 0; i < count; i++) {
		if (!is_first(routes, i))
			continue;
		buf_adds(out, comma);
		add_path_item(out, routes, count, i);
		comma = ",";
	}
	buf_adds(out,
		 "},\"components\":{\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"}"
		 "},"
		 "\"parameters\":{\"idempotencyKey\":{\"name\":\"Idempotency-Key\",\"in\":\"header\","
		 "\"description\":"
		 "\"For a day the same key and body are answered the same way again; another body gets 422, "
		 "and 409 what is still being done.\",\"schema\":{\"type\":\"string\","
		 "\"maxLength\":255}}},\"responses\":{\"tooMany\":{\"description\":\"Too many requests of "
		 "this caller.\","
		 "\"headers\":{\"Retry-After\":{\"schema\":{\"type\":\"integer\"}}},\"content\":{"
		 "\"application/json\":{\"schema\":{"
		 "\"$ref\":\"#/components/schemas/error\"}}}}},\"schemas\":");
	buf_adds(out, openapi_schemas);
	buf_adds(out, "}}");
}

void openapi_get(struct call *call)
{
	struct buf body;

	buf_init(&body, RESPONSE_MAX);
	openapi_print(&body, exchange_base_url(call->exchange));
	call_answer(call, 200, NULL, &body);
}
