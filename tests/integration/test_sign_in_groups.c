/*
 * What a provider leaves out of a token: Entra ID writes no groups where they are too many, but a pointer to them. Who is
 * refused for want of them is told so, and whoever runs the broker, once for each token.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/office.h"

#define LEFT_OUT "The token does not say in which groups you are"

/* How many lines of the broker's log hold that. */
static int count_logged(const struct office *o, const char *what)
{
	FILE *log = fopen(o->world.brokers[0].log_path, "re");
	char line[4096];
	int count = 0;

	assert_non_null(log);
	while (fgets(line, sizeof(line), log) != NULL)
		count += strstr(line, what) != NULL;
	fclose(log);
	return count;
}

/* Activates, or only tries to, in vain; is the person told that the groups are left out? */
static bool is_told(const struct office *o, const char *token, size_t group, bool only_try)
{
	struct http_response response;
	const char *message;
	char body[256];
	bool told;

	snprintf(body, sizeof(body),
		 "{\"accessId\":\"member\",\"action\":\"selfActivate\",\"groupId\":\"%s\","
		 "\"justification\":\"x\",\"isValidationOnly\":%s}",
		 world_group_id(&o->world, group), only_try ? "true" : "false");
	broker_call(&o->world.brokers[0],
		    &(struct http_request){
			    .url = PIM "assignmentScheduleRequests", .bearer = token, .body = body},
		    &response);
	assert_int_equal(response.status, 400);
	message = http_json_text(&response, "error.message");
	assert_non_null(strstr(message, "\"EligibilityRule\""));
	told = strstr(message, LEFT_OUT) != NULL;
	http_response_release(&response);
	return told;
}

static void test_groups_left_out(void **state)
{
	struct office *o = *state;
	char *token, *other;

	office_open(o);
	token = office_token(o, "{\"claims\":{\"groups\":null,\"_claim_names\":{\"groups\":\"src1\"}}}");
	other = office_token(o, "{\"claims\":{\"groups\":[\"sales\"]}}");
	assert_true(is_told(o, token, OFFICE_GROUP_BY_CLAIM, false));
	assert_true(is_told(o, token, OFFICE_GROUP_BY_CLAIM, true));
	/* Where groups would not help, nothing is said of them; nor to who has them. */
	assert_false(is_told(o, token, OFFICE_GROUP_BY_OTHERS, false));
	assert_false(is_told(o, token, OFFICE_GROUP_BY_OTHERS, true));
	assert_false(is_told(o, other, OFFICE_GROUP_BY_CLAIM, false));
	assert_int_equal(count_logged(o, "groups_left_out"), 1);
	free(token);
	free(other);
	world_passed(&o->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_groups_left_out, office_setup, office_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
