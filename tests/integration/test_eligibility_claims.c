/* Who may activate what, as it is told where everybody comes with a token and nobody is known before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/office.h"
#include "tests/support/scene.h"

#define INSTANCES PIM "eligibilityScheduleInstances"
#define MINE      INSTANCES "/filterByCurrentUser(on='principal')"

/* The groups by their last digits, and whose they are: "0:amira@example.com 1:…". */
static void list(const struct office *o, const char *token, const char *url, char out[512])
{
	struct http_response response;
	size_t used = 0;
	int count;

	office_get(o, token, url, &response);
	if (response.status != 200)
		fprintf(stderr, "%s\n", buf_text(&response.body));
	assert_int_equal(response.status, 200);
	count = cJSON_GetArraySize(http_json(&response, "value"));
	out[0] = '\0';
	for (int i = 0; i < count; i++) {
		char group[32], principal[32];

		snprintf(group, sizeof(group), "value.%d.groupId", i);
		snprintf(principal, sizeof(principal), "value.%d.principalId", i);
		used += (size_t)snprintf(out + used, 512 - used, "%s%s:%s", i > 0 ? " " : "",
					 scene_text(&response, group) + 35, scene_text(&response, principal));
	}
	http_response_release(&response);
}

static void first_id(const struct office *o, const char *token, const char *url, char out[128])
{
	struct http_response response;

	office_get(o, token, url, &response);
	assert_int_equal(response.status, 200);
	snprintf(out, 128, "%s", scene_text(&response, "value.0.id"));
	http_response_release(&response);
}

static void claims_and_names_make_eligible(void **state)
{
	struct office *o = *state;
	char seen[512], url[512], id[128], again[128];
	char *nora, *olga, *amira;

	office_open(o);
	nora = office_token(o, "{\"sub\":\"n-1\",\"claims\":{\"preferred_username\":\"nora@example.com\","
			       "\"groups\":[\"cloud\"]}}");
	olga = office_token(
		o,
		"{\"sub\":\"o-1\",\"claims\":{\"preferred_username\":\"olga@example.com\",\"groups\":[]}}");
	amira = office_token(
		o,
		"{\"sub\":\"a-1\",\"claims\":{\"preferred_username\":\"amira@example.com\",\"groups\":[]}}");
	/* By the claim of their own token; the person's id is what the provider calls them. */
	list(o, nora, MINE, seen);
	assert_string_equal(seen, "1:n-1");
	list(o, olga, MINE, seen);
	assert_string_equal(seen, "");
	list(o, amira, MINE, seen);
	assert_string_equal(seen, "0:a-1 3:a-1");
	/* To others only a name is known, and it is found by that name. */
	snprintf(url, sizeof(url), INSTANCES "?$filter=groupId%%20eq%%20'%s'",
		 world_group_id(&o->world, OFFICE_GROUP_BY_NAME));
	list(o, olga, url, seen);
	assert_string_equal(seen, "0:amira@example.com");
	list(o, olga, INSTANCES "?$filter=principalId%20eq%20'amira@example.com'", seen);
	assert_string_equal(seen, "0:amira@example.com 3:amira@example.com");
	/* It is one and the same, whoever looks; nobody sees through whom a claim lets in. */
	first_id(o, amira, MINE, id);
	first_id(o, olga, url, again);
	assert_string_equal(id, again);
	snprintf(url, sizeof(url), PIM "eligibilitySchedules/%s", id);
	assert_int_equal(office_status(o, amira, url), 200);
	assert_int_equal(office_status(o, olga, url), 200);
	assert_int_equal(office_status(o, nora, url), 404);
	snprintf(url, sizeof(url), INSTANCES "?$filter=groupId%%20eq%%20'%s'",
		 world_group_id(&o->world, OFFICE_GROUP_BY_CLAIM));
	list(o, olga, url, seen);
	assert_string_equal(seen, "");
	free(nora);
	free(olga);
	free(amira);
	world_passed(&o->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(claims_and_names_make_eligible, office_setup,
						office_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
