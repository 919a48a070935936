/*
 * What people are called whom only their token has named: whoever has to decide or to look after requests reads it in every
 * list, as in the configuration of those who stand there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "tests/support/office.h"

#define INBOX "filterByCurrentUser(on='approver')?$expand=principal"
#define LEAD  "{\"sub\":\"bo\",\"claims\":{\"preferred_username\":\"bo@example.com\",\"roles\":[\"lead\"]}}"
#define OLGA  "{\"sub\":\"olga\",\"claims\":{\"preferred_username\":\"olga@example.com\"}}"

static void ask(const struct office *o, const char *claims, char id[ID_SIZE])
{
	struct http_response response;
	char wanted[256], *token;

	snprintf(wanted, sizeof(wanted), "{\"claims\":{\"department\":\"platform\",\"level\":3%s}}", claims);
	token = office_token(o, wanted);
	office_activate(o, token, OFFICE_GROUP_BY_OTHERS, &response);
	assert_int_equal(response.status, 201);
	snprintf(id, ID_SIZE, "%s", http_json_text(&response, "id"));
	http_response_release(&response);
	free(token);
}

/* As whoever has that token sees the only request. */
static void expect_name(const struct office *o, const char *wanted, const char *list, const char *name)
{
	char *token = office_token(o, wanted);
	struct http_response response;
	char url[512];

	snprintf(url, sizeof(url), PIM "assignmentScheduleRequests%s", list);
	office_get(o, token, url, &response);
	assert_int_equal(response.status, 200);
	if (http_json_text(&response, "value.0.principal.displayName") == NULL)
		fail_msg("%s", buf_text(&response.body));
	assert_string_equal(http_json_text(&response, "value.0.principal.displayName"), name);
	assert_string_equal(http_json_text(&response, "value.0.principal.userPrincipalName"),
			    "amira@example.com");
	assert_string_equal(http_json_text(&response, "value.0.createdBy.user.displayName"), name);
	http_response_release(&response);
	free(token);
}

static void test_names(void **state)
{
	struct office *o = *state;
	char of_group[256], of_person[256], id[ID_SIZE];

	office_open(o);
	snprintf(of_group, sizeof(of_group), "?$expand=principal&$filter=groupId%%20eq%%20'%s'",
		 world_group_id(&o->world, OFFICE_GROUP_BY_OTHERS));
	snprintf(of_person, sizeof(of_person), "?$expand=principal&$filter=principalId%%20eq%%20'amira'");
	ask(o, ",\"name\":\"Amira Azimi\"", id);
	expect_name(o, LEAD, "/" INBOX, "Amira Azimi");
	expect_name(o, OLGA, of_group, "Amira Azimi");
	expect_name(o, OLGA, of_person, "Amira Azimi");
	world_passed(&o->world);
}

/* A token without a name has a user name. */
static void test_no_name(void **state)
{
	struct office *o = *state;
	char id[ID_SIZE];

	office_open(o);
	ask(o, "", id);
	expect_name(o, LEAD, "/" INBOX, "amira@example.com");
	world_passed(&o->world);
}

/* A record of a person that cannot be read leaves lists without the name, not callers without the list. */
static void test_unreadable(void **state)
{
	static const char *const records[] = {"{\"userName", "7"};
	struct office *o = *state;
	char id[ID_SIZE], *token;

	office_open(o);
	ask(o, "", id);
	token = office_token(o, LEAD);
	for (size_t i = 0; i < 2; i++) {
		struct http_response response;
		redisReply *reply = redis_server_command(&o->world.redis, "SET {j%d}:u:amira %s", id_lane(id),
							 records[i]);

		assert_non_null(reply);
		assert_string_equal(reply->str, "OK");
		freeReplyObject(reply);
		office_get(o, token, PIM "assignmentScheduleRequests/" INBOX, &response);
		assert_int_equal(response.status, 200);
		assert_string_equal(http_json_text(&response, "value.0.id"), id);
		assert_true(cJSON_IsNull(http_json(&response, "value.0.principal.displayName")));
		http_response_release(&response);
	}
	free(token);
	world_passed(&o->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, office_setup, office_teardown),
		cmocka_unit_test_setup_teardown(test_no_name, office_setup, office_teardown),
		cmocka_unit_test_setup_teardown(test_unreadable, office_setup, office_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
