/* The description is whole: every route is in it, and all that it refers to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <cjson/cJSON.h>

#include "api/openapi.h"
#include "api/render.h"
#include "api/route.h"

#define BASE "https://jit.example.com"

static int setup(void **state)
{
	struct buf out;

	buf_init(&out, (size_t)1024 * 1024);
	openapi_print(&out, BASE);
	*state = buf_failed(&out) ? NULL : cJSON_ParseWithLength(buf_text(&out), out.len);
	buf_release(&out);
	return *state != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	cJSON_Delete(*state);
	return 0;
}

static const cJSON *at(const cJSON *object, const char *name)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

	if (value == NULL)
		fail_msg("no %s", name);
	return value;
}

/* The path as the description writes it. */
static void describe(const struct route *route, char out[512])
{
	static const char *const names[] = {"{id}", "{partId}"};
	size_t variables = 0;

	snprintf(out, 512, "%s", route->graph ? "/v1.0" GRAPH_PATH : "");
	for (const char *c = route->path; *c != '\0'; c++) {
		size_t len = strlen(out);

		if (*c == '*')
			snprintf(out + len, 512 - len, "%s", names[variables++]);
		else if (*c == '(')
			snprintf(out + len, 512 - len, "filterByCurrentUser(on='");
		else if (*c == ')')
			snprintf(out + len, 512 - len, "')");
		else
			snprintf(out + len, 512 - len, "%c", *c);
	}
}

static void every_route_is_described(void **state)
{
	const cJSON *paths = at(*state, "paths");
	size_t count, seen = 0;
	const struct route *routes = routes_all(&count);
	const cJSON *path;

	for (size_t i = 0; i < count; i++) {
		char name[512], method[16] = "";
		const cJSON *operation;

		describe(&routes[i], name);
		for (size_t k = 0; routes[i].method[k] != '\0'; k++)
			method[k] = (char)tolower((unsigned char)routes[i].method[k]);
		operation = at(at(paths, name), method);
		assert_true(strlen(cJSON_GetStringValue(at(operation, "summary"))) >= 8);
		assert_true(strlen(cJSON_GetStringValue(at(operation, "x-roles"))) > 0);
		assert_int_equal(cJSON_GetArraySize(at(operation, "security")),
				 routes[i].need >= NEED_PERSON);
	}
	/* And nothing else is. */
	cJSON_ArrayForEach(path, paths)
		seen += (size_t)cJSON_GetArraySize(path);
	assert_int_equal(seen, count);
}

static void operations_have_names_of_their_own(void **state)
{
	const char *seen[256];
	size_t count = 0;
	const cJSON *path, *operation;

	cJSON_ArrayForEach(path, at(*state, "paths"))
		cJSON_ArrayForEach(operation, path) {
			const char *id = cJSON_GetStringValue(at(operation, "operationId"));

			assert_true(
				strspn(id,
				       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") ==
				strlen(id));
			for (size_t i = 0; i < count; i++)
				assert_string_not_equal(seen[i], id);
			assert_true(count < 256);
			seen[count++] = id;
		}
	assert_true(count > 20);
}

/* Every "$ref" names something that is there. */
static void check_references(const cJSON *root, const cJSON *value)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, value) {
		if (member->string != NULL && strcmp(member->string, "$ref") == 0) {
			const cJSON *found = root;
			char path[256], *rest = path, *part;

			snprintf(path, sizeof(path), "%s", cJSON_GetStringValue(member));
			part = strtok_r(path, "/", &rest);
			assert_string_equal(part, "#");
			while ((part = strtok_r(NULL, "/", &rest)) != NULL)
				found = at(found, part);
		}
		check_references(root, member);
	}
}

/* The bodies of Graph's calls are described; of others, where a schema is written. */
static void graphs_bodies_have_schemas(void **state)
{
	const cJSON *schemas = at(at(*state, "components"), "schemas");
	size_t count;
	const struct route *routes = routes_all(&count);

	for (size_t i = 0; i < count; i++) {
		if (!routes[i].graph)
			continue;
		if (routes[i].takes != NULL)
			(void)at(schemas, routes[i].takes);
		if (routes[i].gives != NULL)
			(void)at(schemas, routes[i].gives + (routes[i].gives[0] == '['));
	}
}

static void references_lead_somewhere(void **state)
{
	check_references(*state, *state);
	assert_string_equal(cJSON_GetStringValue(at(cJSON_GetArrayItem(at(*state, "servers"), 0), "url")),
			    BASE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_is_described),
		cmocka_unit_test(operations_have_names_of_their_own),
		cmocka_unit_test(references_lead_somewhere),
		cmocka_unit_test(graphs_bodies_have_schemas),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
