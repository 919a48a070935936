/* URLs and bodies that are sent, answers that are read, ids that are remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "scim-push/names.h"
#include "scim-push/push.h"
#include "scim-push/scim.h"

#define BASE "https://scim.eu-west-1.amazonaws.com/t/scim/v2"

/* What a push asks for. */
static const struct attribute display_name = {.path = "displayName", .name = "displayName"};
static const struct attribute user_name = {.path = "userName", .name = "userName"};

static struct scim_find group_named(const char *name)
{
	return (struct scim_find){.endpoint = "Groups", .attribute = &display_name, .value = name};
}

static struct scim_find user_named(const char *name)
{
	return (struct scim_find){.endpoint = "Users", .attribute = &user_name, .value = name};
}

static void assert_buf(struct buf *b, const char *text)
{
	assert_false(buf_failed(b));
	assert_string_equal(buf_text(b), text);
	buf_release(b);
}

static void urls(void **state)
{
	struct scim_find find = group_named("aws-admins");
	struct buf url;

	buf_init(&url, SCIM_URL_MAX);
	scim_url_find(&url, BASE, &find);
	assert_buf(&url, BASE "/Groups?filter=displayName%20eq%20%22aws-admins%22");
	/* A name cannot leave its quotes, its value or its place in the URL. */
	find = group_named("a\" or \"b\\&c=d#%/?+ü~");
	scim_url_find(&url, BASE, &find);
	assert_buf(&url, BASE
		   "/Groups?filter=displayName%20eq%20%22a%5C%22%20or%20%5C%22b%5C%5C%26c%3Dd%23%25%2F%3F"
		   "%2B%C3%BC~%22");
	find.value = "aws-admins";
	find.hide_members = true;
	scim_url_find(&url, BASE, &find);
	assert_buf(&url,
		   BASE "/Groups?excludedAttributes=members&filter=displayName%20eq%20%22aws-admins%22");
	find = user_named("ada@example.com");
	scim_url_find(&url, BASE, &find);
	assert_buf(&url, BASE "/Users?filter=userName%20eq%20%22ada%40example.com%22");
	scim_url_endpoint(&url, BASE, "Users");
	assert_buf(&url, BASE "/Users");
	scim_url_resource(&url, BASE, "Groups", "../Users/a b%");
	assert_buf(&url, BASE "/Groups/..%2FUsers%2Fa%20b%25");
	scim_url_confirm(&url, BASE, "g-1", "u\"1");
	assert_buf(&url, BASE "/Groups?filter=id%20eq%20%22g-1%22%20and%20members%20eq%20%22u%5C%221%22");
	scim_url_users_of(&url, BASE, "g-1", "");
	assert_buf(&url, BASE "/Users?cursor&filter=groups.value%20eq%20%22g-1%22");
	scim_url_users_of(&url, BASE, "g-1", "a+/=");
	assert_buf(&url, BASE "/Users?cursor=a%2B%2F%3D&filter=groups.value%20eq%20%22g-1%22");
	(void)state;
}

static void longest_names_fit(void **state)
{
	char name[NAME_SIZE], base[512], id[SCIM_ID_SIZE];
	struct buf url;

	memset(name, 1, sizeof(name) - 1); /* six characters as JSON */
	name[sizeof(name) - 1] = '\0';
	memset(base, 'b', sizeof(base) - 1);
	base[sizeof(base) - 1] = '\0';
	memset(id, 1, sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	buf_init(&url, SCIM_URL_MAX);
	struct scim_find find = user_named(name);
	scim_url_find(&url, base, &find);
	assert_false(buf_failed(&url));
	buf_clear(&url);
	scim_url_confirm(&url, base, id, id);
	assert_false(buf_failed(&url));
	buf_release(&url);
	(void)state;
}

static void hundred_members_fit(void **state)
{
	struct scim_member members[PUSH_MEMBERS_MAX];
	char id[SCIM_ID_SIZE];
	struct buf body;
	cJSON *json = NULL;

	memset(id, 'i', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	for (size_t i = 0; i < PUSH_MEMBERS_MAX; i++)
		members[i] = (struct scim_member){id, id};
	buf_init(&body, SCIM_BODY_MAX);
	scim_body_members(&body, dialect_row(DIALECT_RFC7644), false, members, PUSH_MEMBERS_MAX);
	assert_int_equal(json_parse(body.data, body.len, &json, NULL), ERR_OK);
	cJSON_Delete(json);
	buf_release(&body);
	(void)state;
}

#define GROUP(id, name) "{\"id\":\"" id "\",\"displayName\":\"" name "\",\"members\":[]}"
#define LIST(total, r)                                                                                       \
	"{\"totalResults\":" total ",\"itemsPerPage\":" total ",\"startIndex\":1,"                           \
	"\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],\"Resources\":[" r "]}"

static void group_look_ups(void **state)
{
	static const struct {
		const char *body;
		enum scim_hit hit;
	} rows[] = {
		/* The page of AWS' developer guide. */
		{"{\"totalResults\":1,\"itemsPerPage\":1,\"startIndex\":1,"
		 "\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],\"Resources\":[{"
		 "\"id\":\"90677c608a-ef9cb2da-d480-422b-9901-451b1bf9e607\","
		 "\"meta\":{\"resourceType\":\"Group\",\"created\":\"2020-07-22T23:10:21Z\","
		 "\"lastModified\":\"2020-07-22T23:10:21Z\"},"
		 "\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:Group\"],"
		 "\"displayName\":\"Admins\",\"members\":[]}]}",
		 HIT_ONE},
		{LIST("0", ""), HIT_NONE},
		{"{\"totalResults\":0}", HIT_NONE},
		{"{\"Resources\":[]}", HIT_NONE},
		{"{\"Resources\":[" GROUP("90677c608a-ef9cb2da-d480-422b-9901-451b1bf9e607", "Admins") "]}",
		 HIT_ONE},
		/* displayName is compared exactly; a server may match it in any case. */
		{LIST("1", GROUP("g", "admins")), HIT_NONE},
		{LIST("2", GROUP("g", "admins") "," GROUP("90677c608a-ef9cb2da-d480-422b-9901-451b1bf9e607",
							  "Admins")),
		 HIT_ONE},
		{LIST("2", GROUP("g", "Admins") "," GROUP("h", "Admins")), HIT_SEVERAL},
		{LIST("300", GROUP("g", "Admins") "," GROUP("h", "Admins")), HIT_SEVERAL},
		/* More than is shown: neither presence nor absence can be told. */
		{LIST("300", GROUP("g", "Others")), HIT_UNREADABLE},
		{LIST("300", GROUP("g", "Admins")), HIT_UNREADABLE},
		{LIST("1", ""), HIT_UNREADABLE},
		{"{\"totalResults\":1}", HIT_UNREADABLE},
		/* No usable id. */
		{LIST("1", "{\"displayName\":\"Admins\"}"), HIT_UNREADABLE},
		{LIST("1", "{\"displayName\":\"Admins\",\"id\":\"\"}"), HIT_UNREADABLE},
		{LIST("1", "{\"displayName\":\"Admins\",\"id\":7}"), HIT_UNREADABLE},
		/* No list at all. */
		{"{}", HIT_UNREADABLE},
		{"[]", HIT_UNREADABLE},
		{"", HIT_UNREADABLE},
		{"null", HIT_UNREADABLE},
		{"<html>Sign in</html>", HIT_UNREADABLE},
		{"{\"totalResults\":\"0\",\"Resources\":[]}", HIT_UNREADABLE},
		{"{\"totalResults\":0,\"Resources\":{}}", HIT_UNREADABLE},
		{"{\"totalResults\":0,\"Resources\":[]", HIT_UNREADABLE},
		{LIST("1", "7"), HIT_NONE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char id[SCIM_ID_SIZE] = "untouched";
		struct scim_find find = group_named("Admins");
		enum scim_hit hit = scim_read_found(rows[i].body, strlen(rows[i].body), &find, id);
		if (hit != rows[i].hit)
			fail_msg("%s: %d, not %d", rows[i].body, (int)hit, (int)rows[i].hit);
		assert_string_equal(id, hit == HIT_ONE ? "90677c608a-ef9cb2da-d480-422b-9901-451b1bf9e607"
						       : "untouched");
	}
	(void)state;
}

static void user_look_ups(void **state)
{
	static const char one[] = LIST("1", "{\"id\":\"u-1\",\"userName\":\"Ada@Example.com\"}");
	static const char other[] = LIST("1", "{\"id\":\"u-1\",\"userName\":\"ada@example.org\"}");
	static const char two[] = LIST("2", "{\"id\":\"u-1\",\"userName\":\"Ada@Example.com\"},"
					    "{\"id\":\"u-2\",\"userName\":\"ada@example.com\"}");
	struct scim_find find = user_named("ada@example.com");
	char id[SCIM_ID_SIZE] = "";

	assert_int_equal(scim_read_found(one, sizeof(one) - 1, &find, id), HIT_ONE);
	assert_string_equal(id, "u-1");
	assert_int_equal(scim_read_found(other, sizeof(other) - 1, &find, id), HIT_NONE);
	assert_int_equal(scim_read_found(two, sizeof(two) - 1, &find, id), HIT_SEVERAL);
	(void)state;
}

static void count_id(void *ctx, const char *id)
{
	*(size_t *)ctx += strcmp(id, "u-1") == 0;
}

/* RFC 7643, 2.1: names of attributes are compared without regard to case. */
static void names_in_any_case(void **state)
{
	static const char list[] =
		"{\"TOTALRESULTS\":1,\"resources\":[{\"ID\":\"g-1\",\"displayname\":\"Admins\"}]}";
	static const char page[] = "{\"Resources\":[{\"Id\":\"u-1\"}],\"NextCursor\":\"more\"}";
	static const char group[] = "{\"iD\":\"g-1\",\"Members\":[{\"VALUE\":\"u-1\"}]}";
	static const char account[] = "{\"Id\":\"u-1\",\"Active\":false,\"GROUPS\":[{\"Value\":\"g-1\"}]}";
	static const char error[] = "{\"Detail\":\"No.\",\"Status\":\"400\"}";
	struct scim_find find = group_named("Admins");
	struct scim_shown shown = {.user_id = "u-1"};
	struct scim_page read = {.cursor = ""};
	struct scim_account has;
	char id[SCIM_ID_SIZE] = "", detail[SCIM_DETAIL_SIZE];
	size_t told = 0;

	assert_int_equal(scim_read_found(list, sizeof(list) - 1, &find, id), HIT_ONE);
	assert_string_equal(id, "g-1");
	assert_true(scim_read_page(page, sizeof(page) - 1, count_id, &told, &read));
	assert_int_equal(told, 1);
	assert_string_equal(read.cursor, "more");
	assert_int_equal(scim_read_members(group, sizeof(group) - 1, "g-1", &shown, 1), MEMBERS_SHOWN);
	assert_int_equal(shown.membership, MEMBERSHIP_PRESENT);
	assert_int_equal(scim_read_groups(account, sizeof(account) - 1, "u-1", "g-1"), MEMBERSHIP_PRESENT);
	assert_true(scim_read_account(account, sizeof(account) - 1, "u-1", &has));
	assert_true(has.active == ACTIVE_NO && has.in_groups);
	scim_read_detail(error, sizeof(error) - 1, "", detail);
	assert_string_equal(detail, "No.");
	(void)state;
}

static void created_users(void **state)
{
	static const char user[] = "{\"id\":\"u-9\",\"userName\":\"ada@example.com\",\"active\":true}";
	struct scim_find ada = user_named("ada@example.com"), bob = user_named("bob@example.com");
	struct scim_find a = user_named("a"), upper = user_named("ADA@example.com");
	char long_id[400], id[SCIM_ID_SIZE] = "untouched";

	assert_false(scim_read_created("", 0, &ada, id));
	assert_false(scim_read_created(user, sizeof(user) - 1, &bob, id));
	assert_false(scim_read_created("{\"id\":\"u-9\"}", 12, &ada, id));
	int len = snprintf(long_id, sizeof(long_id), "{\"userName\":\"a\",\"id\":\"%0129d\"}", 7);
	assert_false(scim_read_created(long_id, (size_t)len, &a, id));
	assert_string_equal(id, "untouched");
	assert_true(scim_read_created(user, sizeof(user) - 1, &upper, id));
	assert_string_equal(id, "u-9");
	(void)state;
}

static void memberships(void **state)
{
	static const struct {
		const char *body;
		enum scim_membership answer;
	} rows[] = {
		{LIST("1", GROUP("g-1", "Admins")), MEMBERSHIP_PRESENT},
		{LIST("0", ""), MEMBERSHIP_ABSENT},
		{"{\"totalResults\":0}", MEMBERSHIP_ABSENT},
		{LIST("1", GROUP("g-2", "Others")), MEMBERSHIP_UNCLEAR},
		{LIST("2", GROUP("g-1", "Admins") "," GROUP("g-2", "Others")), MEMBERSHIP_UNCLEAR},
		{LIST("1", ""), MEMBERSHIP_UNCLEAR},
		{"{}", MEMBERSHIP_UNCLEAR},
		{"", MEMBERSHIP_UNCLEAR},
		{"<html>", MEMBERSHIP_UNCLEAR},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(scim_read_membership(rows[i].body, strlen(rows[i].body), "g-1"),
				 rows[i].answer);
	(void)state;
}

static void details(void **state)
{
	static const struct {
		const char *body, *detail;
	} rows[] = {
		/* As AWS wrote it in December 2024, with both keys; and in January 2022, with one. */
		{"{\"schema\":[\"urn:ietf:params:scim:api:messages:2.0:Error\"],"
		 "\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:Error\"],"
		 "\"detail\":\"Request is unparsable, syntactically incorrect, or violates "
		 "schema.\",\"status\":\"400\","
		 "\"exceptionRequestId\":\"0f6ab5a1-7a5e-4b53-a8f5-2a0f5a2d0e11\","
		 "\"timeStamp\":\"2024-12-10 19:50:00.531\"}",
		 "Request is unparsable, syntactically incorrect, or violates schema."},
		{"{\"schema\":[\"urn:ietf:params:scim:api:messages:2.0:Error\"],\"detail\":\"Refused to "
		 "create a new, "
		 "duplicate resource.\",\"status\":409}",
		 "Refused to create a new, duplicate resource."},
		{"{\"detail\":\"a\\nb\\u0000c\"}", ""}, /* \u0000 is not taken for JSON */
		{"{\"detail\":\"a\\nb\\u001b[31mc\\u0085d\\u2028e\"}", "a b [31mc d e"},
		{"{\"detail\":\"Bearer tok3n and tok3ntok3n\"}", "Bearer [token] and [token][token]"},
		{"{\"detail\":7}", ""},
		{"{\"detail\":null}", ""},
		{"[1]", ""},
		{"<html>tok3n</html>", ""},
		{"", ""},
	};
	char detail[SCIM_DETAIL_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scim_read_detail(rows[i].body, strlen(rows[i].body), "tok3n", detail);
		assert_string_equal(detail, rows[i].detail);
	}
	(void)state;
}

static void long_details_end_between_characters(void **state)
{
	char text[1000], out[SCIM_DETAIL_SIZE];

	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	text[sizeof(text) - 1] = '\0';
	scim_clean_text(text, "", out, sizeof(out));
	assert_int_equal(strlen(out), 399);
	scim_clean_text("a\xff\xc3", "", out, sizeof(out));
	assert_string_equal(out, "a  ");
	(void)state;
}

static void memory_of_names(void **state)
{
	struct names *names = names_new();
	char id[SCIM_ID_SIZE] = "untouched", long_id[200];

	assert_non_null(names);
	assert_false(names_get(names, "https://a", NAME_USER, "ada", id));
	names_put(names, "https://a", NAME_USER, "ada", "u-1");
	names_put(names, "https://a", NAME_GROUP, "ada", "g-1");
	assert_false(names_get(names, "https://b", NAME_USER, "ada", id));
	assert_string_equal(id, "untouched");
	assert_true(names_get(names, "https://a", NAME_USER, "ada", id));
	assert_string_equal(id, "u-1");
	assert_true(names_get(names, "https://a", NAME_GROUP, "ada", id));
	assert_string_equal(id, "g-1");
	names_forget(names, "https://a", NAME_USER, "ada");
	assert_false(names_get(names, "https://a", NAME_USER, "ada", id));
	assert_true(names_get(names, "https://a", NAME_GROUP, "ada", id));
	memset(long_id, 'x', sizeof(long_id) - 1);
	long_id[sizeof(long_id) - 1] = '\0';
	names_put(names, "https://a", NAME_USER, "long", long_id);
	assert_false(names_get(names, "https://a", NAME_USER, "long", id));
	names_free(names);
	(void)state;
}

/* Far more names than places: what is found is right, and the newest is found. */
static void memory_is_bounded(void **state)
{
	struct names *names = names_new();
	char name[32], id[SCIM_ID_SIZE];
	int found = 0;

	assert_non_null(names);
	for (int i = 0; i < 30000; i++) {
		snprintf(name, sizeof(name), "user-%d", i);
		names_put(names, "https://a", NAME_USER, name, name);
		assert_true(names_get(names, "https://a", NAME_USER, name, id));
	}
	for (int i = 0; i < 30000; i++) {
		snprintf(name, sizeof(name), "user-%d", i);
		if (!names_get(names, "https://a", NAME_USER, name, id))
			continue;
		assert_string_equal(id, name);
		found++;
	}
	assert_in_range(found, 4000, 8192);
	names_free(names);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),
		cmocka_unit_test(longest_names_fit),
		cmocka_unit_test(hundred_members_fit),
		cmocka_unit_test(group_look_ups),
		cmocka_unit_test(user_look_ups),
		cmocka_unit_test(names_in_any_case),
		cmocka_unit_test(created_users),
		cmocka_unit_test(memberships),
		cmocka_unit_test(details),
		cmocka_unit_test(long_details_end_between_characters),
		cmocka_unit_test(memory_of_names),
		cmocka_unit_test(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
