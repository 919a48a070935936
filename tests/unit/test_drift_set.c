/* The comparison of what an application shows with what it should have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "provision/drift_set.h"

static void fill(struct drift_set *set, const char *const *ids)
{
	*set = (struct drift_set){0};
	for (; *ids != NULL; ids++)
		drift_set_add(set, *ids);
	assert_true(drift_set_sort(set));
}

static void test_compares(void **state)
{
	static const char *const shown[] = {"u-3", "u-1", "u-2", "u-1", "U-1", NULL};
	static const struct {
		struct drift_row row;
		int what; /* -1 = nothing to say */
	} rows[] = {
		{{"u-1", "ann", DRIFT_EXPECTED}, -1},
		{{"u-9", "bob", DRIFT_EXPECTED}, DRIFT_MISSING},
		{{"u", "bob", DRIFT_EXPECTED}, DRIFT_MISSING},
		{{"u-11", "bob", DRIFT_EXPECTED}, DRIFT_MISSING},
		{{"u-2", "cy", DRIFT_GONE}, DRIFT_RETURNED},
		{{"u-8", "cy", DRIFT_GONE}, DRIFT_ABSENT},
		{{"u-3", "dan", DRIFT_KNOWN}, -1},
		{{"u-7", "dan", DRIFT_KNOWN}, -1},
	};
	struct drift_set set;
	enum drift_what what;
	size_t from = 0;

	(void)state;
	fill(&set, shown);
	assert_int_equal(set.count, 4);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool says = drift_set_compare(&set, &rows[i].row, &what);

		assert_int_equal(says, rows[i].what >= 0);
		if (says)
			assert_int_equal(what, rows[i].what);
	}
	/* Ids match exactly: this one nobody knows of. */
	assert_int_equal(drift_set_foreigners(&set, from), 1);
	assert_string_equal(drift_set_foreign(&set, &from), "U-1");
	assert_int_equal(drift_set_foreigners(&set, from), 0);
	assert_null(drift_set_foreign(&set, &from));
	drift_set_release(&set);
}

static void test_empty_group(void **state)
{
	static const char *const nobody[] = {NULL};
	struct drift_row row = {"u-1", "ann", DRIFT_EXPECTED};
	struct drift_set set;
	enum drift_what what;
	size_t from = 0;

	(void)state;
	fill(&set, nobody);
	assert_true(drift_set_compare(&set, &row, &what));
	assert_int_equal(what, DRIFT_MISSING);
	assert_null(drift_set_foreign(&set, &from));
	drift_set_release(&set);
}

/* What cannot be an id is nobody, and one of its lines is not taken for another's. */
static void test_odd_ids(void **state)
{
	char longest[200];
	struct drift_set set = {0};
	size_t from = 0;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[199] = '\0';
	drift_set_add(&set, longest);
	drift_set_add(&set, "");
	drift_set_add(&set, "u-1\nann");
	longest[128] = '\0';
	drift_set_add(&set, longest);
	assert_true(drift_set_sort(&set));
	assert_string_equal(drift_set_foreign(&set, &from), longest);
	assert_null(drift_set_foreign(&set, &from));
	drift_set_release(&set);
}

/* A list that is not whole says nothing, above all not who is missing. */
static void test_too_many(void **state)
{
	struct drift_set set = {0};
	char id[64];
	size_t taken = 0;

	(void)state;
	for (; !set.failed && taken < DRIFT_SET_MAX; taken++) {
		snprintf(id, sizeof(id), "00000000-0000-0000-0000-%012zu", taken);
		drift_set_add(&set, id);
	}
	assert_true(set.cap <= DRIFT_SET_MAX);
	assert_true(taken > 200000);
	assert_false(drift_set_sort(&set));
	drift_set_release(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compares),
		cmocka_unit_test(test_empty_group),
		cmocka_unit_test(test_odd_ids),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
