/* Every operation against every status that was ever seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scim-push/outcome.h"

static char letter(enum outcome outcome)
{
	static const char letters[] = {
		[OUTCOME_DONE] = 'D',      [OUTCOME_ALREADY] = 'a', [OUTCOME_LOOK_AGAIN] = 'l',
		[OUTCOME_RETRY] = '.',     [OUTCOME_REFUSED] = 'X', [OUTCOME_UNAUTHORISED] = 'U',
		[OUTCOME_THROTTLED] = 'T',
	};

	return letters[outcome];
}

/* Columns: find group, find user, create user, add, remove, confirm. */
static void matrix(void **state)
{
	static const struct {
		long status;
		const char *outcomes;
	} rows[] = {
		{0, "......"},   {200, "DDDDDD"}, {201, "..D..."}, {202, "......"}, {204, "...DD."},
		{206, "......"}, {301, "......"}, {302, "......"}, {307, "......"}, {308, "......"},
		{400, "XXXXaX"}, {401, "UUUUUU"}, {403, "UUUUUU"}, {404, "...lal"}, {405, "XXXXXX"},
		{408, "......"}, {409, "..l..."}, {412, "......"}, {413, "XXXXXX"}, {415, "XXXXXX"},
		{422, "XXXXXX"}, {425, "......"}, {429, "TTTTTT"}, {499, "XXXXXX"}, {500, "......"},
		{501, "......"}, {502, "......"}, {503, "TTTTTT"}, {504, "......"}, {599, "......"},
		{100, "......"}, {999, "......"}, {-1, "......"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int op = OP_FIND_GROUP; op <= OP_CONFIRM; op++) {
			char found = letter(outcome_of((enum scim_op)op, rows[i].status));
			if (found != rows[i].outcomes[op])
				fail_msg("%s %ld: %c, not %c", scim_op_name((enum scim_op)op), rows[i].status,
					 found, rows[i].outcomes[op]);
		}
	}
	(void)state;
}

static void operations_have_different_names(void **state)
{
	for (int a = OP_FIND_GROUP; a <= OP_CONFIRM; a++) {
		for (int b = a + 1; b <= OP_CONFIRM; b++) {
			assert_string_not_equal(scim_op_name((enum scim_op)a), scim_op_name((enum scim_op)b));
			assert_string_not_equal(scim_op_words((enum scim_op)a),
						scim_op_words((enum scim_op)b));
		}
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matrix),
		cmocka_unit_test(operations_have_different_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
