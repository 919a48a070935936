/* Users of an application: what is sent to create one, what is refused before, and what differs later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "scim-push/user.h"

#define USER_URN   "urn:ietf:params:scim:schemas:core:2.0:User"
#define ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
#define PATCH      "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":["

/* A mapping of constants: attribute, value, attribute, value, …, NULL. */
struct made {
	struct mapping_rule rules[MAPPING_RULES_MAX];
	struct mapping mapping;
	struct user user;
};

static void make(struct made *made, const char *const pairs[])
{
	static const struct scim_person nobody;
	const struct mapping_source source = {.names = &nobody};
	char text[MAPPING_TEXT_SIZE];
	struct errctx ec = {""};

	made->mapping = (struct mapping){made->rules, 0};
	for (size_t i = 0; pairs[i] != NULL; i += 2) {
		snprintf(text, sizeof(text), "\"%s\"", pairs[i + 1]);
		if (mapping_compile(pairs[i], text, &made->rules[made->mapping.count++], &ec) != ERR_OK)
			fail_msg("%s: %s", pairs[i], ec.text);
	}
	assert_int_equal(user_make(&made->user, &made->mapping, &source, &ec), ERR_OK);
}

static void creation(void **state)
{
	static const char *const pairs[] = {"userName",
					    "ada@example.com",
					    "name.givenName",
					    "Ada",
					    "name.familyName",
					    "L",
					    "title",
					    "",
					    "emails[type eq \"work\"].value",
					    "ada@example.com",
					    ENTERPRISE ":department",
					    "Ops",
					    ENTERPRISE ":division",
					    "Cloud",
					    NULL};
	struct made made;
	struct buf body;

	make(&made, pairs);
	buf_init(&body, 65536);
	user_body(&body, &made.user);
	assert_string_equal(
		buf_text(&body),
		"{\"schemas\":[\"" USER_URN "\",\"" ENTERPRISE "\"],"
		"\"userName\":\"ada@example.com\",\"name\":{\"givenName\":\"Ada\",\"familyName\":\"L\"},"
		"\"emails\":[{\"value\":\"ada@example.com\",\"type\":\"work\",\"primary\":true}],"
		"\"" ENTERPRISE "\":{\"department\":\"Ops\",\"division\":\"Cloud\"},\"active\":true}");
	assert_string_equal(user_text(&made.user, "name.familyName"), "L");
	assert_null(user_text(&made.user, "title"));
	buf_release(&body);
	user_release(&made.user);
	(void)state;
}

/* 129 characters. */
#define A43       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG_NAME A43 A43 A43

#define FULL "userName", "ada", "displayName", "Ada L", "name.givenName", "Ada", "name.familyName", "L"

/* Nothing that the application would refuse is sent; the sentence names attribute and value. */
static const struct {
	enum dialect dialect;
	const char *pairs[12];
	const char *words; /* NULL = none */
} flaw_rows[] = {
	{DIALECT_AWS, {FULL}, NULL},
	{DIALECT_AWS, {FULL, "emails[type eq \"work\"].value", "a:b@c"}, NULL},
	{DIALECT_AWS,
	 {"userName", "ada", "displayName", "Ada L", "name.familyName", "L"},
	 "the attribute name.givenName is empty, and the application requires it of a new user"},
	{DIALECT_RFC7644, {"userName", "a:da"}, NULL},
	{DIALECT_AWS,
	 {"userName", "a:da"},
	 "the attribute userName is \"a:da\", but the application takes none of < > ; : % tab newline "
	 "return in it"},
	{DIALECT_AWS,
	 {"displayName", "Ada <L>"},
	 "the attribute displayName is \"Ada <L>\", but the application takes none of < > ; : % tab "
	 "newline return in it"},
	{DIALECT_AWS,
	 {"externalId", "a%b"},
	 "the attribute externalId is \"a%b\", but the application takes none of < > ; : % tab newline "
	 "return in it"},
	{DIALECT_AWS,
	 {"externalId", "a b"},
	 "the attribute externalId is \"a b\", but the application takes no blanks in it"},
	{DIALECT_AWS,
	 {"userName", LONG_NAME},
	 "the attribute userName is "
	 "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…\" with "
	 "129 characters, but the application takes 128"},
	{DIALECT_AWS,
	 {"userName", "ada", "displayName", "A", "name.givenName", "A", "name.familyName", "L",
	  "emails[type eq \"work\"].value", "a@b", NULL},
	 NULL},
	{DIALECT_RFC7644,
	 {"userName", "ada", "emails[type eq \"work\"].value", "a@b", "emails[type eq \"home\"].value",
	  "c@d"},
	 NULL},
	{DIALECT_RFC7644,
	 {"userName", "ada", "active", "yes"},
	 "the attribute active is \"yes\", but must be true or false"},
};

static void flaws(void **state)
{
	for (size_t i = 0; i < sizeof(flaw_rows) / sizeof(flaw_rows[0]); i++) {
		struct errctx why = {""};
		struct made made;
		make(&made, flaw_rows[i].pairs);
		const struct scim_dialect *dialect = dialect_row(flaw_rows[i].dialect);
		bool fits =
			user_fits(&made.user, dialect, &why) && user_is_complete(&made.user, dialect, &why);
		if (flaw_rows[i].words != NULL)
			assert_string_equal(why.text, flaw_rows[i].words);
		assert_int_equal(fits, flaw_rows[i].words == NULL);
		user_release(&made.user);
	}
	(void)state;
}

static void one_value_of_several(void **state)
{
	static const char *const pairs[] = {
		FULL, "emails[type eq \"work\"].value", "a@b", "emails[type eq \"home\"].value", "c@d", NULL};
	struct errctx why;
	struct made made;

	make(&made, pairs);
	assert_false(user_fits(&made.user, dialect_row(DIALECT_AWS), &why));
	assert_string_equal(
		why.text,
		"the attribute emails[type eq \"home\"].value is \"c@d\", but the application takes "
		"one value of emails and emails[type eq \"work\"].value is another");
	user_release(&made.user);
	(void)state;
}

static const struct {
	enum dialect dialect;
	const char *has, *patch;
	int count;
} difference_rows[] = {
	/* Nothing differs, whatever else the application has. */
	{DIALECT_RFC7644,
	 "{\"id\":\"u\",\"userName\":\"ada@example.com\",\"displayName\":\"Ada "
	 "L\",\"active\":true,\"title\":\"Boss\",\"name\":{\"givenName\":\"Ada\",\"familyName\":"
	 "\"X\"},"
	 "\"emails\":[{\"value\":\"x@y\",\"type\":\"home\"},{\"value\":\"ada@b.c\",\"type\":\"work\"}"
	 "],"
	 "\"" ENTERPRISE "\":{\"department\":\"Ops\"}}",
	 "", 0},
	/* A name, a flag, and what is not there yet. */
	{DIALECT_RFC7644,
	 "{\"userName\":\"ADA@example.com\",\"displayName\":\"Ada\",\"active\":false,"
	 "\"name\":{\"givenName\":\"Ada\"},\"emails\":[{\"value\":\"old@b.c\",\"type\":\"work\"}]}",
	 PATCH "{\"op\":\"replace\",\"path\":\"userName\",\"value\":\"ada@example.com\"},"
	       "{\"op\":\"replace\",\"path\":\"displayName\",\"value\":\"Ada L\"},"
	       "{\"op\":\"replace\",\"path\":\"active\",\"value\":true},"
	       "{\"op\":\"replace\",\"path\":\"emails[type eq \\\"work\\\"].value\",\"value\":\"ada@b.c\"},"
	       "{\"op\":\"add\",\"path\":\"" ENTERPRISE ":department\",\"value\":\"Ops\"}]}",
	 5},
	/* An element is added as a whole; the only one that AWS takes is replaced. */
	{DIALECT_RFC7644,
	 "{\"userName\":\"ada@example.com\",\"displayName\":\"Ada L\",\"active\":true,"
	 "\"name\":{\"givenName\":\"Ada\"},\"" ENTERPRISE "\":{\"department\":\"Ops\"}}",
	 PATCH "{\"op\":\"add\",\"path\":\"emails\",\"value\":[{\"value\":\"ada@b.c\",\"type\":"
	       "\"work\"}]}]}",
	 1},
	{DIALECT_AWS,
	 "{\"userName\":\"ada@example.com\",\"displayName\":\"Ada L\",\"active\":true,"
	 "\"emails\":[{\"value\":\"x@y\",\"type\":\"home\"}],"
	 "\"name\":{\"givenName\":\"Ada\"},\"" ENTERPRISE "\":{\"department\":\"Ops\"}}",
	 PATCH "{\"op\":\"replace\",\"path\":\"emails\",\"value\":[{\"value\":\"ada@b.c\",\"type\":"
	       "\"work\","
	       "\"primary\":true}]}]}",
	 1},
	{DIALECT_JFROG,
	 "{\"userName\":\"ada@example.com\",\"displayName\":\"Ada L\",\"active\":true,"
	 "\"emails\":[{\"value\":\"ada@b.c\",\"type\":\"work\"}],\"name\":{\"givenName\":\"A\"},"
	 "\"" ENTERPRISE "\":{\"department\":\"Ops\"}}",
	 PATCH "{\"op\":\"Replace\",\"path\":\"name.givenName\",\"value\":\"Ada\"}]}", 1},
	{DIALECT_RFC7644, "<html>", "", -1},
};

static void differences(void **state)
{
	static const char *const pairs[] = {"userName",
					    "ada@example.com",
					    "displayName",
					    "Ada L",
					    "active",
					    "true",
					    "emails[type eq \"work\"].value",
					    "ada@b.c",
					    "name.givenName",
					    "Ada",
					    ENTERPRISE ":department",
					    "Ops",
					    NULL};

	for (size_t i = 0; i < sizeof(difference_rows) / sizeof(difference_rows[0]); i++) {
		struct made made;
		struct buf body;
		make(&made, pairs);
		buf_init(&body, 65536);
		assert_int_equal(user_differences(&body, &made.user, dialect_row(difference_rows[i].dialect),
						  difference_rows[i].has, strlen(difference_rows[i].has)),
				 difference_rows[i].count);
		assert_string_equal(buf_text(&body), difference_rows[i].patch);
		buf_release(&body);
		user_release(&made.user);
	}
	(void)state;
}

/* What the application is given is what it then has: the second comparison finds nothing. */
static void creation_differs_in_nothing(void **state)
{
	static const char *const pairs[] = {FULL, "emails[type eq \"work\"].value", "a@b", NULL};
	struct made made;
	struct buf body, patch;

	make(&made, pairs);
	buf_init(&body, 65536);
	buf_init(&patch, 65536);
	user_body(&body, &made.user);
	assert_int_equal(user_differences(&patch, &made.user, dialect_row(DIALECT_AWS), body.data, body.len),
			 0);
	user_active_body(&patch, dialect_row(DIALECT_AWS), false);
	assert_string_equal(buf_text(&patch),
			    PATCH "{\"op\":\"replace\",\"path\":\"active\",\"value\":false}]}");
	buf_release(&body);
	buf_release(&patch);
	user_release(&made.user);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creation),
		cmocka_unit_test(flaws),
		cmocka_unit_test(one_value_of_several),
		cmocka_unit_test(differences),
		cmocka_unit_test(creation_differs_in_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
