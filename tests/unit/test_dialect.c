/* The table of dialects, and what each makes of the same push. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scim-push/scim.h"

#define PATCH "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":["

static void rows(void **state)
{
	const char *names = DIALECT_NAMES;

	for (int i = 0; i < DIALECT_COUNT; i++) {
		const struct scim_dialect *row = dialect_row((enum dialect)i);
		size_t len = strcspn(names, "|");
		assert_int_equal(row->name, i);
		assert_int_equal(strlen(dialect_name((enum dialect)i)), len);
		assert_memory_equal(dialect_name((enum dialect)i), names, len);
		names += len + (names[len] == '|' ? 1 : 0);
		/* No row is half filled. */
		assert_in_range(row->members_max, 1, PUSH_MEMBERS_MAX);
		assert_in_range(row->operations_max, 1, PUSH_MEMBERS_MAX);
		assert_true(row->user_name_max > 0 && row->display_name_max > 0 && row->external_id_max > 0 &&
			    row->text_max > 0);
		assert_true(dialect_lists(row->required, "userName"));
		assert_true(row->pushes > 0 && row->per_ms > 0);
		/* Never more than the rule of the house. */
		assert_true(row->pushes * 10000 <= 5 * row->per_ms);
	}
	assert_string_equal(names, "");
	(void)state;
}

static void batches(void **state)
{
	struct scim_dialect other = *dialect_row(DIALECT_RFC7644);

	assert_int_equal(dialect_batch(dialect_row(DIALECT_AWS)), 100);
	assert_int_equal(dialect_batch(dialect_row(DIALECT_GOOGLE)), 1);
	/* Below 500 bytes Miro takes 100 changes in 30 seconds, above only 5. */
	assert_int_equal(dialect_batch(dialect_row(DIALECT_MIRO)), 4);
	other.operations_max = 7;
	assert_int_equal(dialect_batch(&other), 7);
	other.removal = REMOVE_BY_VALUE;
	assert_int_equal(dialect_batch(&other), 100);
	other.body_max = 10;
	assert_int_equal(dialect_batch(&other), 1);
	other.body_max = 0;
	other.members_max = 100000;
	assert_int_equal(dialect_batch(&other), PUSH_MEMBERS_MAX);
	(void)state;
}

static void lists(void **state)
{
	assert_true(dialect_lists("a,b,c", "b"));
	assert_true(dialect_lists("a", "a"));
	assert_false(dialect_lists("ab,c", "a"));
	assert_false(dialect_lists("", "a"));
	assert_false(dialect_lists("a,,b", "c"));
	(void)state;
}

static void assert_patch(enum dialect dialect, bool add, const char *text)
{
	const struct scim_member members[] = {{"u-1", "ada@example.com"}, {"u\"2", ""}};
	struct buf body;

	buf_init(&body, SCIM_BODY_MAX);
	scim_body_members(&body, dialect_row(dialect), add, members, 2);
	assert_string_equal(buf_text(&body), text);
	buf_release(&body);
}

static void bodies(void **state)
{
	assert_patch(DIALECT_AWS, true,
		     PATCH "{\"op\":\"add\",\"path\":\"members\",\"value\":[{\"value\":\"u-1\"},{\"value\":"
			   "\"u\\\"2\"}]}]}");
	assert_patch(DIALECT_AWS, false,
		     PATCH "{\"op\":\"remove\",\"path\":\"members\",\"value\":[{\"value\":\"u-1\"},{"
			   "\"value\":\"u\\\"2\"}]}]}");
	/* The id is a JSON string within the filter, which is one within the body. */
	assert_patch(DIALECT_RFC7644, false,
		     PATCH "{\"op\":\"remove\",\"path\":\"members[value eq \\\"u-1\\\"]\"},"
			   "{\"op\":\"remove\",\"path\":\"members[value eq \\\"u\\\\\\\"2\\\"]\"}]}");
	assert_patch(DIALECT_ATLASSIAN, true,
		     PATCH "{\"op\":\"add\",\"path\":\"members\",\"value\":[{\"value\":\"u-1\",\"display\":"
			   "\"ada@example.com\"},"
			   "{\"value\":\"u\\\"2\"}]}]}");
	assert_patch(
		DIALECT_DATABRICKS, true,
		PATCH
		"{\"op\":\"add\",\"value\":{\"members\":[{\"value\":\"u-1\"},{\"value\":\"u\\\"2\"}]}}]}");
	assert_patch(DIALECT_SALESFORCE, true,
		     PATCH "{\"op\":\"add\",\"path\":\"members\",\"value\":{\"members\":[{\"value\":\"u-1\"},"
			   "{\"value\":\"u\\\"2\"}]}}]}");
	assert_patch(DIALECT_JFROG, true,
		     PATCH "{\"op\":\"Add\",\"path\":\"members\",\"value\":[{\"value\":\"u-1\"},{\"value\":"
			   "\"u\\\"2\"}]}]}");
	assert_patch(DIALECT_JFROG, false,
		     PATCH "{\"op\":\"Remove\",\"path\":\"members\",\"value\":[{\"value\":\"u-1\"},{"
			   "\"value\":\"u\\\"2\"}]}]}");
	/* Members by their user names, in both forms; by the id where no name is known. */
	assert_patch(DIALECT_LOGFIRE, true,
		     PATCH "{\"op\":\"add\",\"path\":\"members\",\"value\":[{\"value\":\"ada@example.com\"},"
			   "{\"value\":\"u\\\"2\"}]}]}");
	assert_patch(DIALECT_LOGFIRE, false,
		     PATCH "{\"op\":\"remove\",\"path\":\"members[value eq \\\"ada@example.com\\\"]\"},"
			   "{\"op\":\"remove\",\"path\":\"members[value eq \\\"u\\\\\\\"2\\\"]\"}]}");
	assert_patch(DIALECT_ZUORA, true,
		     "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"operations\":["
		     "{\"op\":\"add\",\"path\":\"members\",\"value\":[{\"value\":\"u-1\"},{\"value\":"
		     "\"u\\\"2\"}]}]}");
	(void)state;
}

/* What a test has proved stays proved where a knob came to be that the application does not turn. */
static void fingerprints(void **state)
{
	static const struct {
		enum dialect dialect;
		const char *text;
	} rows[] = {
		{DIALECT_AWS, "removal=0 verify=1 path=0 case=0 display=0"},
		{DIALECT_JFROG, "removal=0 verify=0 path=0 case=1 display=0"},
		{DIALECT_LOGFIRE, "removal=1 verify=3 path=0 case=0 display=0 member=1"},
		{DIALECT_ZUORA, "removal=1 verify=0 path=0 case=0 display=0 key=1"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf text;
		buf_init(&text, 256);
		dialect_print(&text, dialect_row(rows[i].dialect));
		assert_string_equal(buf_text(&text), rows[i].text);
		buf_release(&text);
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),   cmocka_unit_test(batches),      cmocka_unit_test(lists),
		cmocka_unit_test(bodies), cmocka_unit_test(fingerprints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
