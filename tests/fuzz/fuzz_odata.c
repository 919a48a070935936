/*
 * A whole request target: what is accepted has no control characters and stays inside its text; its query is then
 * read as OData, and its last segment as a function.
 */
#include <string.h>

#include "api/odata.h"
#include "server/target.h"
#include "tests/fuzz/fuzz.h"

#define TEXT_MAX 8192

static const char *const fields[] = {"principalId", "groupId", "status", "action", NULL};

static bool inside(const char *text, const char *begin, const char *end)
{
	if (text < begin || text > end || strlen(text) > (size_t)(end - text))
		return false;
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7F)
			return false;
	}
	return true;
}

static void check_query(const struct odata_query *q)
{
	REQUIRE(q->count <= ODATA_TERMS && q->top >= 0 && q->top <= ODATA_TOP_MAX);
	for (size_t i = 0; i < q->count; i++) {
		REQUIRE(q->terms[i].field < 4 && memchr(q->terms[i].value, '\0', NAME_SIZE) != NULL);
		/* No field twice with eq: the look-up finds this very term. */
		REQUIRE(q->terms[i].differs || odata_value(q, q->terms[i].field) == q->terms[i].value);
	}
	REQUIRE(memchr(q->skiptoken, '\0', ODATA_TOKEN_SIZE) != NULL);
	REQUIRE(q->select.count <= ODATA_NAMES && q->expand.count <= ODATA_NAMES);
	for (size_t i = 0; i < q->select.count; i++)
		REQUIRE(q->select.names[i][0] != '\0' && odata_selects(q, q->select.names[i]));
}

static void check_function(const char *path)
{
	const char *segment = strrchr(path, '/');
	char arg[16];

	if (!odata_function(segment + 1, "filterByCurrentUser", arg, sizeof(arg)))
		return;
	REQUIRE(arg[0] != '\0' && strlen(arg) < sizeof(arg) && strstr(segment, arg) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX + 1];
	struct target t;
	struct odata_query q;
	struct errctx ec = {""};

	if (size > TEXT_MAX)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (target_parse(text, &t)) {
		REQUIRE(t.count == 0 && strcmp(t.path, "/") == 0);
		return 0;
	}
	REQUIRE(t.path[0] == '/' && t.count <= QUERY_MAX);
	REQUIRE(inside(t.path, text, text + size) || strcmp(t.path, "/") == 0);
	for (size_t i = 0; i < t.count; i++) {
		REQUIRE(inside(t.params[i].name, text, text + size) && t.params[i].name[0] != '\0');
		REQUIRE(inside(t.params[i].value, text, text + size));
	}
	if (t.authority)
		(void)target_host_valid(t.authority);
	if (odata_parse(t.params, t.count, fields, &q, &ec) == ERR_OK)
		check_query(&q);
	else
		REQUIRE(ec.text[0] != '\0');
	check_function(t.path);
	return 0;
}
